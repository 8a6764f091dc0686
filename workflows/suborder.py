"""The sub-order workflow: stage its files, seal its archive, publish it once."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.publishing import PublishingActivities
    from activities.staging import StagingActivities
    from models.messages import (
        PACKAGING_QUEUE,
        SUBORDER_WORKFLOW,
        Publication,
        StagedFiles,
        SubOrderFailed,
        SubOrderInput,
        SubOrderResult,
    )

from workflows.failures import failure_of
from workflows.policies import PUBLISH, STAGE


@workflow.defn(name=SUBORDER_WORKFLOW)
class SubOrderWorkflow:
    """Makes one sub-order ready; ends when its archive can be downloaded or none ever will."""

    @workflow.init
    def __init__(self, suborder: SubOrderInput) -> None:
        self._suborder = suborder

    @workflow.run
    async def run(self, suborder: SubOrderInput) -> SubOrderResult:
        """Stage and publish."""
        staged = await self._stage()
        return await workflow.execute_activity_method(
            PublishingActivities.publish_suborder,
            Publication(order_id=suborder.order_id, number=suborder.number, attempt=staged.attempt),
            summary="Seal the archive and make it visible",
            **PUBLISH,
        )

    async def _stage(self) -> StagedFiles:
        """Verify the files; when the attempts run out, what is still pending has failed, and the rest goes out."""
        try:
            return await workflow.execute_activity_method(
                StagingActivities.stage_files,
                self._suborder,
                task_queue=PACKAGING_QUEUE,
                summary="Read every file once and check size and SHA-256",
                **STAGE,
            )
        except ActivityError as error:
            failure = failure_of(error)
        return await workflow.execute_activity_method(
            StagingActivities.give_up_files,
            SubOrderFailed(order_id=self._suborder.order_id, number=self._suborder.number, failure=failure),
            summary=f"Give the remaining files up: {failure.code}",
            **PUBLISH,
        )
