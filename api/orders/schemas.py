"""What the facade takes and shows of orders."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator

from api.schemas import EXACT, WHOLE, Body, FailurePublic, FaultPublic, Instant, Key, Money, change_schema
from models.annotations import MAX_TAG_CHARACTERS, MAX_TAGS
from models.delivery_status import Progress, WaitingOn
from models.failure_policy import OnMissing
from models.labels import MAX_LABEL_CHARACTERS
from models.messages import MAX_NAMED_FILES, MAX_REASON_CHARACTERS
from models.order import Command, OrderStatus, Outcome
from models.order_request import OrderRequest, RequestedLine
from models.payment import PaymentState
from models.pricing import PriceUnit
from models.status_facts import DeliveryStatus
from models.text import refused_character, tidied

MAX_SELECTED = 100_000
"""Ids in one order; for more, name the product."""


# The schemas of label and tags tell what `label_faults` and `tag_faults` refuse in words.
Label = Annotated[str, Field(json_schema_extra={"maxLength": MAX_LABEL_CHARACTERS, "pattern": r"\S"})]
_Tag = Annotated[
    str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TAG_CHARACTERS, "pattern": r"^\S(.*\S)?$"})
]


# What no share of files can be is refused in words.
_Percent = Annotated[float, Field(json_schema_extra={"minimum": 0, "maximum": 100})]


class FailurePolicyBody(Body):
    """What is done where something of an order cannot be delivered."""

    on_missing: Annotated[OnMissing, Strict(False)] | None = Field(
        default=None,
        description="Of what is gone before anything is read; `deliver_the_rest` unless you say otherwise.",
    )
    max_failed_percent: _Percent | None = Field(
        default=None, description="The order fails where more of its files than this fail."
    )

    @property
    def limit(self) -> Decimal | None:
        """The share of files that may fail, as it was written."""
        return None if self.max_failed_percent is None else Decimal(str(self.max_failed_percent))


Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["FR"])]
"""A country by its two letters (ISO 3166)."""


class OrderLineCreate(Body):
    """Objects of one product, by id or name, or all of them."""

    product: Key = Field(description="SKU of the product.", examples=["scenes"])
    objects: Literal["all"] | Annotated[list[Key], Field(min_length=1, max_length=MAX_SELECTED)] = "all"


class OrderDelivery(Body):
    """The saved destination that an order's archives are delivered to, by id or name."""

    destination: Annotated[str, Field(min_length=1, max_length=100)]


class OrderTerms(FailurePolicyBody):
    """What an order is to be like, whatever it is of."""

    label: Label | None = Field(default=None, description="Unique among your orders.")
    draft: bool = Field(default=False, description="Keep it as a draft until it is submitted.")
    delivery: OrderDelivery | None = Field(default=None, description="Where to deliver the archives to as well.")
    coupon: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    country: Country | None = Field(default=None, description="Where you are taxed, if not in the shop's own country.")

    @property
    def terms(self) -> dict[str, Any]:
        """The same for an order request."""
        return {
            "label": self.label,
            "draft": self.draft,
            "destination": self.delivery.destination if self.delivery else None,
            "coupon": self.coupon,
            "country": self.country,
            "on_missing": self.on_missing,
            "max_failed_percent": self.limit,
        }


class OrderCreate(OrderTerms):
    """An order: either `files` (ids of catalogue files or objects) or `items` (products and their objects)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"items": [{"product": "scenes", "objects": "all"}], "label": "My order"}]},
    )

    files: Annotated[list[Key], Field(min_length=1, max_length=MAX_SELECTED)] | None = None
    items: Annotated[list[OrderLineCreate], Field(min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.files is None) == (self.items is None):
            raise ValueError("give either `files` or `items`")
        return self

    def to_request(self) -> OrderRequest:
        """The order that this body asks for."""
        lines = (
            RequestedLine(item.product, None if item.objects == "all" else tuple(item.objects))
            for item in self.items or ()
        )
        return OrderRequest(lines=tuple(lines), ids=tuple(self.files or ()), **self.terms)


def _one_line(text: str) -> str:
    text = tidied(text)
    if len(text) > MAX_REASON_CHARACTERS:
        raise ValueError(f"a reason has at most {MAX_REASON_CHARACTERS} characters; this one has {len(text)}")
    if why := refused_character(text):
        raise ValueError(f"a reason is one line of text: {why}")
    return text


Seq = Annotated[int, Field(ge=1, le=EXACT), WHOLE]
ReasonGiven = Annotated[str, Field(json_schema_extra={"maxLength": MAX_REASON_CHARACTERS}), AfterValidator(_one_line)]


class CommandBody(Body):
    """Why; and for `retry`, which failed files to try again (their `seq`), if not all."""

    reason: ReasonGiven | None = None
    files: Annotated[list[Seq], Field(max_length=MAX_NAMED_FILES)] | None = None


class RestartBody(FailurePolicyBody):
    """The label of the new order, and what of the old one's failure policy it does not take over."""

    label: Label | None = None

    def to_request(self, old: UUID) -> OrderRequest:
        """The old order's selection once more."""
        return OrderRequest(again=old, label=self.label, on_missing=self.on_missing, max_failed_percent=self.limit)


class ExtendBody(Body):
    """The new end of an order's life, with its offset from UTC."""

    expires_at: Instant


class OrderChange(Body):
    """What a customer may change of an order, one thing at least; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra=change_schema({"label": "My order", "tags": ["winter"]}, minProperties=1)
    )

    label: Label = Field(default="", description="Unique among the customer's orders.")
    tags: Annotated[list[_Tag], Field(max_length=1000)] = Field(
        default=[], description="All tags the order has from now on.", json_schema_extra={"maxItems": MAX_TAGS}
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give `label`, `tags` or both")
        return self


class OrderItemPublic(BaseModel):
    """One line of an order."""

    product: str
    name: str
    configuration: str
    quantity: int
    unit_price: Money
    price_unit: PriceUnit = Field(description="What the unit price is for; a `gb` is 10^9 bytes, `flat` any number.")
    billed_quantity: str = Field(description="How many units are paid for.", examples=["1.5"])
    line_total: Money


class PricePartPublic(BaseModel):
    """A discount or a tax rate: how much of which base."""

    name: str
    percent: str | None
    base: Money
    amount: Money


class PricePublic(BaseModel):
    """What a total is made of: the subtotal less discounts, and the taxes unless they are included."""

    subtotal: Money
    discounts: list[PricePartPublic]
    taxes: list[PricePartPublic]
    tax_included: bool
    country: str | None = Field(description="Where it is taxed.")


class LinksPublic(BaseModel):
    """Where to go from an order."""

    self: str
    suborders: str
    files: str
    timeline: str
    archives: str = Field(description="Signed links to its archives, files and Metalinks, which need no token.")
    metalink: str = Field(description="All its files as a Metalink 4.")
    stac: str = Field(description="Its results as a STAC collection.")


class CustomerPublic(BaseModel):
    """Who ordered something; a name is known once they have signed in with one."""

    id: str
    name: str | None


class OrderPublic(BaseModel):
    """An order as lists show it."""

    id: UUID
    number: str
    label: str
    customer: CustomerPublic | None = Field(description="Whose it is, for those who see everybody's orders.")
    status: str
    status_at: datetime
    delivery_status: DeliveryStatus
    outcome: Outcome
    waiting_for_user: bool
    waiting_on: WaitingOn | None
    allowed_actions: list[Command]
    progress: Progress
    products: list[str]
    tags: list[str]
    objects: int
    total_price: Money
    currency: str
    created_at: datetime
    expires_at: datetime | None
    derived_from: UUID | None
    version: int
    failure: FailurePublic | None
    message: str
    links: LinksPublic


class OrderDetail(OrderPublic, PricePublic):
    """An order with its lines and the faults that validation found."""

    items: list[OrderItemPublic]
    faults: list[FaultPublic]
    warnings: list[FaultPublic] = Field(
        description="What was left out of it because it is gone, and prices that have changed; the first hundred."
    )
    warnings_total: int
    refund_due: Money | None
    destination: str | None
    coupon: str | None
    on_missing: OnMissing
    max_failed_percent: float | None
    degraded: bool = Field(default=False, description="Temporal is unavailable: nothing moves, commands are refused.")


class OrdersPublic(BaseModel):
    """A page of orders; `next_cursor` leads to the next one. The counts come with the first page only."""

    items: list[OrderPublic]
    next_cursor: str | None
    counts: dict[OrderStatus, int] | None = Field(
        description="Matches by status, the filter by status left aside; of very many only the first 10,001."
    )
    total: int | None = Field(description="Matches; 10,001 stands for more than ten thousand.")
    total_capped: bool | None
    version: int = Field(description="Grows with every change of the status of an order you may see.")
    degraded: bool = Field(default=False, description="Temporal is unavailable: nothing moves, commands are refused.")


class SubOrderPublic(BaseModel):
    """A part of an order that is downloaded as one."""

    number: int
    product: str
    tier: str
    state: str
    state_at: datetime
    objects: int
    files: int
    files_available: int
    files_failed: int
    bytes: int
    archive_bytes: int | None
    archive_url: str | None
    waiting_on: WaitingOn | None = Field(description="What is tried again by itself, of making or delivering it.")


class SubOrdersPublic(BaseModel):
    """A page of the sub-orders of an order; `next_cursor` leads to the next one."""

    items: list[SubOrderPublic]
    next_cursor: str | None


class OrderFilePublic(BaseModel):
    """A file of an order."""

    seq: int
    suborder: int
    id: UUID
    object: str
    name: str
    path: str
    media_type: str
    size: int
    sha256: str | None
    state: str
    failure: FailurePublic | None


class OrderFilesPublic(BaseModel):
    """A page of files; `next_cursor` leads to the next one."""

    items: list[OrderFilePublic]
    next_cursor: str | None


class TimelinePublic(BaseModel):
    """Something that happened to an order."""

    sequence: int
    at: datetime
    actor: str
    actor_name: str | None = Field(description="The actor's name, for those who see everybody's orders; else your own.")
    what: str
    status_before: str | None
    status_after: str
    reason_code: str | None
    reason_text: str | None
    suborder: int | None
    details: dict[str, Any]


class TimelinesPublic(BaseModel):
    """A page of what happened to an order; `next_cursor` leads to the next one."""

    items: list[TimelinePublic]
    next_cursor: str | None


class PaymentAnswer(BaseModel):
    """What became of a payment message."""

    state: PaymentState
