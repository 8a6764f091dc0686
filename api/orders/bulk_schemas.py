"""Bulks as they are asked for and shown."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from api.orders.filters import OrderMatchParams, Size
from api.orders.schemas import ReasonGiven
from api.schemas import EXACT, WHOLE, Body
from models.bulk import MAX_ORDERS, BulkCommand, BulkState, ItemResult, template_faults
from models.errors import Fault
from models.listing import OrderFilter
from models.tables import Bulk
from services.bulks import BulkRequest, DryRun, WouldBe

OrderId = Annotated[UUID, Field(strict=False)]


class BulkFilter(OrderMatchParams):
    """Which orders, in the language of the lists."""

    min_bytes: Annotated[Size, Field(strict=True), WHOLE] | None = None
    max_bytes: Annotated[Size, Field(strict=True), WHOLE] | None = None
    waiting_for_user: Annotated[bool, Field(strict=True)] | None = None


class _Selection(Body):
    """Which orders: either `ids` or `filter`; and how careful to be."""

    ids: Annotated[list[OrderId], Field(min_length=1, max_length=MAX_ORDERS)] | None = None
    filter: BulkFilter | None = None
    dry_run: bool = Field(default=False, description="Say what would be done to each order, and do nothing.")
    expected: Annotated[int, Field(ge=0, le=EXACT), WHOLE] | None = Field(
        default=None, description="How many orders you expect; 409 where there are more or fewer."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either `ids` or `filter`")
        return self

    @property
    def criteria(self) -> OrderFilter:
        """The filter; of ids those that can be seen."""
        return OrderFilter() if self.filter is None else self.filter.to_filter()

    @property
    def asked(self) -> dict[str, Any] | None:
        """The filter as it is kept and shown."""
        if self.filter is None:
            return None
        return self.filter.model_dump(mode="json", exclude_defaults=True, by_alias=True)

    def to_request(self) -> BulkRequest:
        """What is asked, as the services take it."""
        return BulkRequest(None, self.criteria, self.ids, self.expected, asked=self.asked, faults=self.faults())

    def faults(self) -> list[Fault]:
        """What is wrong with it, whatever orders there are."""
        if self.criteria == OrderFilter() and self.ids is None and self.expected is None and not self.dry_run:
            text = "a filter that leaves everything open needs `expected`: how many orders there are"
            return [Fault(field="expected", code="expected_missing", text=text)]
        return []


class BulkCommandCreate(_Selection):
    """A command for many orders. A cancel spares what is paid: it takes drafts and unpaid orders only."""

    action: Literal["cancel", "pause", "resume", "retry", "delete"]
    reason: ReasonGiven | None = Field(default=None, description="Kept on the timeline of each order.")

    def to_request(self) -> BulkRequest:
        """What is asked, as the services take it."""
        return replace(super().to_request(), command=BulkCommand(self.action), reason=self.reason)


class BulkLabelCreate(_Selection):
    """A new label for many orders."""

    action: Literal["label"]
    label: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="`{label}` stands for the old label, `{number}` for the order's number.",
        examples=["Winter {number}"],
    )
    reason: None = None

    def faults(self) -> list[Fault]:
        """What is wrong with it, whatever orders there are."""
        return super().faults() + template_faults(self.label)

    def to_request(self) -> BulkRequest:
        """What is asked, as the services take it."""
        return replace(super().to_request(), command=BulkCommand.LABEL, label=self.label)


class BulkExportCreate(_Selection):
    """The orders as CSV, right away."""

    action: Literal["export"]
    bom: bool = Field(default=False, description="Begin with a byte order mark, for spreadsheets that want one.")


BulkCreate = Annotated[BulkCommandCreate | BulkLabelCreate | BulkExportCreate, Field(discriminator="action")]


class BulkLinks(BaseModel):
    """Where to go from a bulk."""

    self: str
    orders: str


class BulkPublic(BaseModel):
    """A bulk, and how far it has come: `done`, `skipped` and `failed` of `total` orders."""

    id: UUID
    action: BulkCommand
    state: BulkState
    label: str | None
    reason: str | None
    filter: dict[str, Any] | None = Field(description="Null where the orders were named by their ids.")
    asked_by: str
    total: int
    pending: int
    done: int
    skipped: int
    failed: int
    percent: float
    created_at: datetime
    started_at: datetime | None
    cancelled_at: datetime | None
    stopped_why: str | None = Field(description="Why it was cancelled where nobody asked for that.")
    finished_at: datetime | None
    degraded: bool = Field(default=False, description="Temporal is away: what is running waits until it is back.")
    links: BulkLinks


class BulksPublic(BaseModel):
    """A page of bulks, the newest first; `next_cursor` leads to the one behind it."""

    items: list[BulkPublic]
    next_cursor: str | None


class BulkOrderPublic(BaseModel):
    """What became of one order of a bulk; `pending` where that is not known yet. `code` and `text` say why not."""

    order_id: UUID
    number: str | None
    outcome: ItemResult | Literal["pending"]
    code: str | None
    text: str | None


class BulkOrdersPublic(BaseModel):
    """A page of the orders of a bulk; `next_cursor` leads to the one behind it."""

    items: list[BulkOrderPublic]
    next_cursor: str | None


class BulkWould(BaseModel):
    """What a bulk would do to one order now."""

    order_id: UUID
    number: str | None
    status: str | None
    outcome: Literal["done", "skipped"]
    label: str | None = Field(default=None, description="The new label, where the action is `label`.")
    code: str | None
    text: str | None


class BulkDryRun(BaseModel):
    """What a bulk would do now. `reasons` counts what would be skipped by code; the orders come in pages."""

    action: str
    total: int
    done: int
    skipped: int
    reasons: dict[str, int]
    items: list[BulkWould]
    next_cursor: str | None


def bulk_public(bulk: Bulk, url: str, *, degraded: bool) -> BulkPublic:
    """A bulk as it is shown."""
    settled = bulk.done + bulk.skipped + bulk.failed
    return BulkPublic(
        id=bulk.id,
        action=BulkCommand(bulk.command),
        state=bulk.state,
        filter=bulk.asked,
        asked_by=bulk.actor,
        pending=bulk.total - settled,
        percent=round(100 * settled / bulk.total, 1) if bulk.total else 100.0,
        degraded=degraded,
        links=BulkLinks(self=url, orders=f"{url}/orders"),
        **bulk.model_dump(
            include={"label", "reason", "total", "done", "skipped", "failed"}
            | {"created_at", "started_at", "cancelled_at", "stopped_why", "finished_at"}
        ),
    )


def dry_run_public(action: str, found: DryRun, next_cursor: str | None) -> BulkDryRun:
    """What a bulk would do, as it is shown."""
    return BulkDryRun(
        action=action,
        total=found.total,
        done=found.done,
        skipped=sum(found.skipped.values()),
        reasons=dict(found.skipped),
        items=[_would_public(one) for one in found.page],
        next_cursor=next_cursor,
    )


def _would_public(one: WouldBe) -> BulkWould:
    return BulkWould(
        order_id=one.order.id,
        number=one.order.number,
        status=one.order.status,
        outcome="skipped" if one.reason else "done",
        label=one.label,
        code=one.reason.code if one.reason else None,
        text=one.reason.text if one.reason else None,
    )
