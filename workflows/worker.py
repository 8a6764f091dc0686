"""The workers: which workflows and activities run on which task queue, and under which limits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.blockers import BlockerInterceptor
from activities.bulk import BulkActivities
from activities.delivery import DeliveringActivities
from activities.failures import FailureInterceptor
from activities.orders import OrderActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishingActivities
from activities.recovery import RecoveryActivities
from activities.releasing import ReleasingActivities
from activities.staging import StagingActivities
from activities.storage_work import LOOKS, SLOTS, WorkerPools
from activities.validation import ValidationActivities
from models.messages import DELIVERIES_QUEUE, ORDERS_QUEUE, PACKAGING_QUEUE
from models.shop_settings import ShopSettings
from models.verify import Verify
from storage.sources.registry import Sources
from storage.targets.registry import DeliveryTargets
from workflows.bulk import BulkWorkflow
from workflows.order import OrderWorkflow
from workflows.reconcile import ReconcileWorkflow
from workflows.suborder import SubOrderWorkflow

WORKFLOWS: list[type] = [OrderWorkflow, SubOrderWorkflow, ReconcileWorkflow, BulkWorkflow]


def orders_worker(
    client: Client,
    sessions: async_sessionmaker[AsyncSession],
    shop: ShopSettings,
    *,
    sources: Sources | None = None,
    pools: WorkerPools | None = None,
    **options: Any,
) -> Worker:
    """The worker that runs the workflows and all short activities; `shop` is what the environment sets of the shop."""
    orders, publishing = OrderActivities(sessions, shop), PublishingActivities(sessions)
    releasing = ReleasingActivities(sessions)
    bulks = BulkActivities(sessions, client)
    planning, staging = PlanningActivities(sessions, shop), StagingActivities(sessions)
    return _worker(
        client,
        sessions,
        ORDERS_QUEUE,
        [
            *(orders.open_order, orders.record, orders.open_suborders, orders.tally),
            ValidationActivities(sessions, sources or Sources(), (pools or WorkerPools()).looking).validate_order,
            planning.plan_suborders,
            staging.give_up_files,
            publishing.publish_suborder,
            releasing.reopen_files,
            releasing.release_suborders,
            DeliveringActivities(sessions, DeliveryTargets()).give_up_delivery,
            *(bulks.work_bulk, bulks.stop_bulk, bulks.close_bulk),
            RecoveryActivities(sessions, client).start_missing_orders,
        ],
        workflows=WORKFLOWS,
        workflow_runner=sandbox(),
        max_concurrent_activities=LOOKS,
        **options,
    )


def packaging_worker(
    client: Client,
    sessions: async_sessionmaker[AsyncSession],
    *,
    sources: Sources | None = None,
    verify: Verify = Verify.CHANGED,
    pieces: bool = False,
    deliver: Callable[..., Any] | None = None,
    pools: WorkerPools | None = None,
    **options: Any,
) -> Worker:
    """The worker that reads files.

    `deliver` makes the deliveries that workflows asked for before these had a queue of their own.
    """
    pool = (pools or WorkerPools()).staging
    staging = StagingActivities(sessions, sources or Sources(), verify, pool, pieces)
    activities = [staging.stage_files, *([deliver] if deliver else [])]
    return _worker(client, sessions, PACKAGING_QUEUE, activities, **{"max_concurrent_activities": SLOTS, **options})


def deliveries_worker(
    client: Client,
    sessions: async_sessionmaker[AsyncSession],
    deliver: Callable[..., Any],
    **options: Any,
) -> Worker:
    """The worker that delivers archives; what hangs there has no slot of the others."""
    return _worker(client, sessions, DELIVERIES_QUEUE, [deliver], **{"max_concurrent_activities": SLOTS, **options})


LOWER_FLOORS = ("models", "database", "storage", "temporal", "services", "activities")
"""Our packages below the workflows; a test compares them with the layers in pyproject.toml."""


def sandbox() -> SandboxedWorkflowRunner:
    """Return a runner that passes our lower floors through: `isinstance` would fail between two copies of a class."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*LOWER_FLOORS)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def _worker(
    client: Client,
    sessions: async_sessionmaker[AsyncSession],
    queue: str,
    activities: list[Callable[..., Any]],
    **options: Any,
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        # The first is outermost: a blocker is recorded before its error is put into words.
        interceptors=[FailureInterceptor(), BlockerInterceptor(sessions)],
        # At the default of 30 s the next attempt would resume too far back, and a cancel would arrive too late.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        default_heartbeat_throttle_interval=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=3),
        **options,
    )
