"""The bulk workflow: one command for many orders, page by page, until none is left or somebody cancels it."""

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.bulk import BulkActivities
    from models.messages import BULK_WORKFLOW, BulkInput, BulkPage, BulkPageDone, BulkRef

from workflows.policies import BULK, RECORD

PAGES_PER_RUN = 50
"""History is cut after so many: 10,000 orders of three events a page each."""


@workflow.defn(name=BULK_WORKFLOW)
class BulkWorkflow:
    """One bulk. PostgreSQL has its list and its results; this drives it."""

    @workflow.run
    async def run(self, bulk: BulkInput) -> BulkPageDone:
        """Work the list off; the result is what it came to."""
        try:
            return await self._work(bulk)
        except BaseException as error:
            if not is_cancelled_exception(error):
                raise
            # Temporal's own cancel: what had been sent is still told, the rest is skipped.
            ref = BulkRef(bulk_id=bulk.bulk_id)
            await RECORD.execute(BulkActivities.stop_bulk, ref, summary="Stop the bulk")
            await self._work(BulkInput(bulk_id=bulk.bulk_id))
            raise

    async def _work(self, bulk: BulkInput) -> BulkPageDone:
        after = bulk.after
        for _ in range(PAGES_PER_RUN):
            page = BulkPage(bulk_id=bulk.bulk_id, after=after)
            come_to = await BULK.execute(BulkActivities.work_bulk, page, summary="Act on the next orders")
            workflow.set_current_details(_words(come_to))
            if come_to.last is None:
                return await self._close(bulk)
            after = come_to.last
        return workflow.continue_as_new(BulkInput(bulk_id=bulk.bulk_id, after=after))

    async def _close(self, bulk: BulkInput) -> BulkPageDone:
        ref = BulkRef(bulk_id=bulk.bulk_id)
        come_to = await RECORD.execute(BulkActivities.close_bulk, ref, summary="Write down the end")
        workflow.set_current_details(_words(come_to))
        return come_to


def _words(come_to: BulkPageDone) -> str:
    """How far it has come, as the Temporal UI shows it."""
    settled = come_to.done + come_to.skipped + come_to.failed
    return f"{settled} of {come_to.total}: {come_to.done} done, {come_to.skipped} skipped, {come_to.failed} failed"
