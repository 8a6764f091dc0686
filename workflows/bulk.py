"""The bulk workflow: applies one command to many orders, page by page, until none is left or it is cancelled."""

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.bulk import BulkActivities
    from models.messages import BULK_WORKFLOW, BulkInput, BulkPage, BulkPageDone, BulkRef

from workflows.policies import BULK, RECORD

PAGES_PER_RUN = 50
"""Pages after which the workflow continues as new; each page adds a few events to the history."""


@workflow.defn(name=BULK_WORKFLOW)
class BulkWorkflow:
    """One bulk. Its list and its results are in PostgreSQL."""

    @workflow.run
    async def run(self, bulk: BulkInput) -> BulkPageDone:
        """Work through the list; the result says how many orders were done, skipped and failed."""
        try:
            return await self._work(bulk)
        except BaseException as error:
            if not is_cancelled_exception(error):
                raise
            # Temporal's own cancel: commands already sent still get their results, the rest is skipped.
            ref = BulkRef(bulk_id=bulk.bulk_id)
            await RECORD.execute(BulkActivities.stop_bulk, ref, summary="Stop the bulk")
            await self._work(BulkInput(bulk_id=bulk.bulk_id))
            raise

    async def _work(self, bulk: BulkInput) -> BulkPageDone:
        after = bulk.after
        for _ in range(PAGES_PER_RUN):
            page = BulkPage(bulk_id=bulk.bulk_id, after=after)
            progress = await BULK.execute(BulkActivities.work_bulk, page, summary="Act on the next orders")
            workflow.set_current_details(_words(progress))
            if progress.last is None:
                return await self._close(bulk)
            after = progress.last
        return workflow.continue_as_new(BulkInput(bulk_id=bulk.bulk_id, after=after))

    async def _close(self, bulk: BulkInput) -> BulkPageDone:
        ref = BulkRef(bulk_id=bulk.bulk_id)
        progress = await RECORD.execute(BulkActivities.close_bulk, ref, summary="Write down the end")
        workflow.set_current_details(_words(progress))
        return progress


def _words(progress: BulkPageDone) -> str:
    """The progress, as the Temporal UI shows it."""
    settled = progress.done + progress.skipped + progress.failed
    return f"{settled} of {progress.total}: {progress.done} done, {progress.skipped} skipped, {progress.failed} failed"
