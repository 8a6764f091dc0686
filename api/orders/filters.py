"""The parameters of lists and exports of orders, checked; what they mean is in `models.listing`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.schemas import EXACT, QueryInstant
from models.errors import FailureCode
from models.listing import MAX_TERMS, OrderFilter, Sort, parse_search
from models.order import OrderStatus
from models.status_facts import DeliveryStatus

MAX_IDS = 100_000
"""Orders that an export may name."""


def _check_characters(value: str) -> str:
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("this holds a character that no text can have")
    return value


# The pattern is for those who read the description; the validator says it in words.
Text = Annotated[str, AfterValidator(_check_characters), Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})]
Word = Annotated[Text, Field(min_length=1, max_length=1024)]
Words = Annotated[list[Word], Field(max_length=100)]
Size = Annotated[int, Field(ge=0, le=EXACT)]


def check_term_count(value: str) -> str:
    """Refuse a search of too many words. Raises ValueError."""
    if len(value.split()) > MAX_TERMS:
        raise ValueError(f"this has more than {MAX_TERMS} words; leave some out")
    return value


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class OrderMatchParams(BaseModel):
    """Which orders; several filters must all hold, several values of one are alternatives."""

    model_config = ConfigDict(extra="forbid")

    SYNONYMS: ClassVar[Mapping[str, str]] = {"status!": "status_not"}
    """Names that are taken and not documented: generators of clients make the same of `status!` as of `status`."""

    q: Annotated[Text, AfterValidator(check_term_count)] | None = Field(
        None,
        max_length=200,
        description="Words, all of them somewhere in id, number, label, customer, SKUs or product names, in whatever"
        " case; a whole id or number finds that order. `has:errors` keeps orders with failed files.",
    )
    status: list[OrderStatus] = Field([], max_length=50, description="Repeat for several.")
    status_not: list[OrderStatus] = Field(
        [], max_length=50, description="Of none of these; repeat for several. `status!=cancelled` says the same."
    )
    delivery_status: list[DeliveryStatus] = Field([], max_length=50)
    product: Words = Field([], description="SKU.")
    tag: Words = Field([], description="A tag of the order.")
    customer: Words = Field([], description="For those who see everybody's orders.")
    label: Word | None = Field(None, description="The whole label.")
    created_after: QueryInstant | None = None
    created_before: QueryInstant | None = None
    expires_after: QueryInstant | None = None
    expires_before: QueryInstant | None = None
    min_bytes: Size | None = None
    max_bytes: Size | None = None
    waiting_for_user: bool | None = None
    has: list[Literal["errors"]] = Field([], max_length=10)
    failure: list[FailureCode] = Field(
        [], max_length=50, description="Failed by this code, or a file or a delivery of it; repeat for several."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_synonyms(cls, given: Any) -> Any:
        """What is given under both names counts together."""
        if not isinstance(given, dict) or not cls.SYNONYMS.keys() & given.keys():
            return given
        read = {name: value for name, value in given.items() if name not in cls.SYNONYMS}
        for synonym, name in cls.SYNONYMS.items():
            if synonym in given:
                read[name] = [*_as_list(read.get(name, [])), *_as_list(given[synonym])]
        return read

    def to_filter(self) -> OrderFilter:
        """Translate the parameters to a filter."""
        search = parse_search(self.q or "")
        return OrderFilter(
            terms=search.terms,
            statuses=self._statuses(),
            delivery=frozenset(self.delivery_status) or None,
            products=tuple(self.product),
            tags=tuple(self.tag),
            customers=tuple(self.customer),
            failures=frozenset(self.failure) or None,
            has_errors=True if self.has or search.has_errors else None,
            **self.model_dump(include=_SAME_IN_FILTER),
        )

    def _statuses(self) -> frozenset[OrderStatus] | None:
        if not self.status and not self.status_not:
            return None
        named = frozenset(self.status) or frozenset(OrderStatus) - {OrderStatus.DELETED}
        return named - frozenset(self.status_not)


_SAME_IN_FILTER = {
    "label", "created_after", "created_before", "expires_after", "expires_before", "min_bytes", "max_bytes",
    "waiting_for_user",
}  # fmt: skip


class OrderChoiceParams(OrderMatchParams):
    """Which orders of a list or an export."""

    ids: list[UUID] = Field([], max_length=MAX_IDS)

    def to_filter(self) -> OrderFilter:
        """Translate the parameters to a filter that may name orders."""
        return replace(super().to_filter(), ids=tuple(self.ids) or None)


class OrderFilterParams(OrderChoiceParams):
    """Which orders of a list or an export, and how they are sorted."""

    sort: Sort = Field(Sort.NEWEST, description="A minus means descending.")


class OrderListParams(OrderFilterParams):
    """A page of a list."""

    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=500, description="`next_cursor` of the page before.")

    @property
    def name(self) -> str:
        """The name that binds cursors to this list: equal for equal filters and sorts, whatever the page."""
        meaning = self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_defaults=True, by_alias=True)
        return f"orders {meaning}"


class OrderExportParams(OrderFilterParams):
    """An export."""

    bom: bool = Field(False, description="Begin with a byte order mark, for spreadsheets that want one.")


class OrderIds(BaseModel):
    """The orders of an export by id."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)]
