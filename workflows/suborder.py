"""The sub-order workflow: stage its files, seal its archive, publish it once."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.publishing import PublishingActivities
    from activities.staging import StagingActivities
    from models.messages import (
        SUBORDER_WORKFLOW,
        Publication,
        StagedFiles,
        SubOrderFailed,
        SubOrderInput,
        SubOrderResult,
    )

from workflows.failures import NOT_GIVEN_UP, failure_of, is_being_cancelled, root_type
from workflows.policies import PUBLISH, STAGE


@workflow.defn(name=SUBORDER_WORKFLOW)
class SubOrderWorkflow:
    """Makes one sub-order ready; ends when its archive can be downloaded or the sub-order has failed."""

    @workflow.init
    def __init__(self, suborder: SubOrderInput) -> None:
        self._suborder = suborder

    @workflow.run
    async def run(self, suborder: SubOrderInput) -> SubOrderResult:
        """Stage and publish. A cancel stops staging; publishing, once begun, is completed."""
        while True:
            staged = await self._stage()
            publishing = asyncio.create_task(self._publish(staged))
            try:
                return await asyncio.shield(publishing)
            except asyncio.CancelledError:
                # The parent needs the result: the archive may be visible already.
                return await publishing
            except ActivityError as error:
                if root_type(error) != "superseded":
                    raise
                workflow.logger.warning("a zombie attempt has claimed the sub-order; staging again under a new number")

    async def _publish(self, staged: StagedFiles) -> SubOrderResult:
        return await PUBLISH.execute(
            PublishingActivities.publish_suborder,
            Publication(order_id=self._suborder.order_id, number=self._suborder.number, attempt=staged.attempt),
            summary="Seal the archive and make it visible",
        )

    async def _stage(self) -> StagedFiles:
        """Verify the files; when the attempts run out, files still pending have failed, and the rest is published."""
        try:
            return await STAGE.execute_in_turn(
                StagingActivities.stage_files, self._suborder, summary="Read every file once and check size and SHA-256"
            )
        except ActivityError as error:
            if is_cancelled_exception(error) or root_type(error) == "nothing_to_make":
                raise
            if is_being_cancelled() and workflow.patched(NOT_GIVEN_UP):
                raise asyncio.CancelledError from error
            failure = failure_of(error)
        return await PUBLISH.execute(
            StagingActivities.give_up_files,
            SubOrderFailed(order_id=self._suborder.order_id, number=self._suborder.number, failure=failure),
            summary=f"Give the remaining files up: {failure.code}",
        )
