"""What the facade takes and shows of carts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Request
from pydantic import BaseModel, Field, field_validator, model_validator

from api.catalogue.schemas import ObjectPublic
from api.catalogue.stac_search import Datetime, Geometry, NameList, NumberBox
from api.http.etags import states_meant
from api.orders.schemas import MAX_SELECTED, OrderTerms
from api.problems import RequestRefused
from api.schemas import EXACT, WHOLE, Body, Key, Money
from models.areas import area_of_box, area_of_geometry, box_of
from models.cart import SelectionKind, Unaddable
from models.catalogue_search import Interval, ObjectFilter, interval_of
from models.errors import Fault
from models.order_request import OrderRequest
from models.pricing import written
from services.cart import CartView, ProductInCart, Totals
from services.cart_adding import Added

KeyList = Annotated[list[Key], Field(min_length=1, max_length=MAX_SELECTED)]


class CartSearch(Body):
    """A search of the catalogue, as it finds now."""

    product: NameList | None = Field(default=None, description="SKUs; all products without.")
    names: NameList | None = None
    datetime: Datetime | None = None
    bbox: NumberBox | None = None
    intersects: Geometry | None = None

    @field_validator("intersects")
    @classmethod
    def _no_second_place(cls, geometry: Any, info: Any) -> Any:
        if geometry is not None and info.data.get("bbox") is not None:
            raise ValueError("there is a `bbox` besides; search by one of them")
        return geometry

    @property
    def criteria(self) -> ObjectFilter:
        """Which objects of the products."""
        time = Interval(None, None) if self.datetime is None else interval_of(self.datetime)
        area = None
        if self.intersects is not None:
            area = area_of_geometry(self.intersects)
        elif self.bbox is not None:
            area = area_of_box(box_of(self.bbox))
        return ObjectFilter(None if self.names is None else tuple(self.names), area, time.begins, time.ends)


class SelectionCreate(Body):
    """What to put into the cart, in one of four ways; later arrivals do not come to it."""

    objects: KeyList | None = Field(default=None, description="Ids of objects or of single files.")
    names: KeyList | None = Field(default=None, description="Names of objects, or `PRODUCT/NAME`.")
    product: Key | None = Field(default=None, description="SKU of a product: all objects that it has now.")
    search: CartSearch | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of `objects`, `names`, `product` and `search`")
        return self


class CartOrder(OrderTerms):
    """An order of what is in the cart."""

    version: Annotated[int, Field(ge=0, le=EXACT), WHOLE] | None = Field(
        default=None, description="The version of the cart that you have seen; or send its ETag in `If-Match`."
    )

    def to_request(self) -> OrderRequest:
        """The order that this body asks for."""
        return OrderRequest(cart=True, **self.terms)


def version_meant(request: Request, body: CartOrder) -> int:
    """The version of the cart that its customer has seen. Raises RequestRefused where none is said."""
    if body.version is not None:
        return body.version
    meant = states_meant(request) or set()
    if len(meant) == 1 and (version := meant.pop()).isdecimal() and len(version) < 16:
        return int(version)
    text = "say which version of your cart you have seen: `version`, or its ETag in `If-Match`"
    raise RequestRefused(422, "invalid_request", Fault(field="version", code="missing", text=text))


class CartTotals(BaseModel):
    """How much it comes to, after the filters."""

    objects: int
    files: int
    bytes: int


class CartPartPublic(CartTotals):
    """What a selection holds of a product, by itself."""

    selection: int


class CartSelectionPublic(CartTotals):
    """A selection; what others hold as well is counted here, too."""

    number: int
    kind: SelectionKind
    request: dict[str, Any] = Field(description="What was asked for.")
    made_at: datetime


class CartProductPublic(CartTotals):
    """What the cart holds of a product; each object counts once."""

    product: str
    name: str
    orderable: bool = Field(description="Whether the product is there and open to you.")
    unit_price: Money | None
    currency: str | None
    overlapping: int = Field(description="Objects that more than one selection holds.")
    gone: int = Field(description="Objects that cannot be had any more; no other figure counts them.")
    nearline: int = Field(description="Files on nearline storage, which are recalled first.")
    all_files: int = Field(description="Files without the filter.")
    all_bytes: int
    kinds: dict[str, int] = Field(description="Files without the filter, by kind.")
    selections: list[CartPartPublic]


class CartPublic(CartTotals):
    """Your cart, by product."""

    version: int = Field(description="Grows with all that changes of it.")
    overlapping: int
    gone: int
    selections: list[CartSelectionPublic]
    items: list[CartProductPublic] = Field(description="By SKU.")


class CartObjectPublic(ObjectPublic):
    """An object with what of it is in the cart."""

    product: str
    selections: list[int] = Field(description="Those that hold it, or files of it.")


class CartObjectsPublic(BaseModel):
    """A page of what is in the cart."""

    items: list[CartObjectPublic] = Field(description="By SKU and name.")
    next_cursor: str | None


class UnaddedPublic(BaseModel):
    """What was not added, and why."""

    position: int | None = Field(description="Its place among what was sent, from 1.")
    key: str
    code: Unaddable
    text: str


class AddedPublic(BaseModel):
    """What was added, and to which selection."""

    selection: int
    added: int = Field(description="Objects, and single files, that the selection did not hold before.")
    unadded: list[UnaddedPublic] = Field(description="The first hundred of what cannot be ordered.")
    unadded_total: int
    cart: CartPublic


def cart_public(view: CartView) -> CartPublic:
    """A cart as its customer sees it."""
    orderable = view.orderable
    return CartPublic(
        **_sum(found.row for found in orderable),
        version=view.cart.version,
        overlapping=sum(found.row.overlapping for found in orderable),
        gone=sum(found.gone for found in view.products),
        selections=[
            CartSelectionPublic(
                **_sum(part for found in orderable for part in found.parts if part.selection == selection.number),
                number=selection.number,
                kind=SelectionKind(selection.kind),
                request=selection.request,
                made_at=selection.made_at,
            )
            for selection in view.selections
        ],
        items=[_product(found) for found in view.products],
    )


def added_public(added: Added) -> AddedPublic:
    """What came of adding."""
    return AddedPublic(
        selection=added.selection,
        added=added.added,
        unadded=[
            UnaddedPublic(position=found.position, key=found.key, code=found.reason, text=found.text)
            for found in added.unadded
        ],
        unadded_total=added.unadded_total,
        cart=cart_public(added.view),
    )


def _product(found: ProductInCart) -> CartProductPublic:
    row, product = found.row, found.product
    there = product is not None
    return CartProductPublic(
        **_sum([row] if there else []),
        product=row.sku,
        name=product.name if product else row.name,
        orderable=there,
        unit_price=written(product.unit_price, product.currency) if product else None,
        currency=product.currency if product else None,
        overlapping=row.overlapping if there else 0,
        gone=found.gone,
        nearline=row.nearline if there else 0,
        all_files=row.all_files if there else 0,
        all_bytes=row.all_bytes if there else 0,
        kinds={kind: count for kind, count in row.kinds.items() if count} if there else {},
        selections=[
            CartPartPublic(selection=part.selection, objects=part.objects, files=part.files, bytes=part.bytes)
            for part in (found.parts if there else [])
        ],
    )


def _sum(parts: Iterable[Any]) -> dict[str, int]:
    total = Totals()
    for part in parts:
        total.add(part)
    return {"objects": total.objects, "files": total.files, "bytes": total.bytes}
