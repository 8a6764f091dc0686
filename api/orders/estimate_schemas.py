"""Estimates as the facade shows them."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from api.orders.presenting import part_public
from api.orders.quotas import QuotaPublic, quota_public
from api.orders.schemas import OrderItemPublic, PricePublic
from api.schemas import FaultPublic, Money
from models.pricing import Quote, QuotedLine, quantity_in_words, written
from models.splitting import Part
from services.estimating import Estimate
from services.order_lines import MAX_NAMED_FAULTS, Line
from services.pricing import kept_parts


class PartPublic(BaseModel):
    """A sub-order as it would be cut."""

    number: int
    product: str
    tier: str
    objects: int
    files: int
    bytes: int


class SizePublic(BaseModel):
    """How much of something."""

    suborders: int
    objects: int
    files: int
    bytes: int


class EstimatePublic(PricePublic):
    """An order that has not been placed."""

    acceptable: bool = Field(description="Whether it would be accepted as it is; if not, `faults` say why.")
    faults: list[FaultPublic]
    warnings: list[FaultPublic] = Field(description="What would be left out because it is gone; the first hundred.")
    warnings_total: int
    items: list[OrderItemPublic]
    objects: int
    files: int
    bytes: int
    total_price: Money
    currency: str | None
    suborders: list[PartPublic]
    waits_for_tape: SizePublic = Field(description="What lies on nearline storage and has to be recalled first.")
    quotas: list[QuotaPublic] = Field(description="Your limits as they are used now, without this order.")


def estimate_public(estimate: Estimate) -> EstimatePublic:
    """An estimate."""
    whole = _size(estimate.parts)
    quote = estimate.quote
    return EstimatePublic(
        acceptable=not estimate.faults,
        faults=[FaultPublic(**fault.model_dump()) for fault in estimate.faults],
        warnings=[FaultPublic(**warning.model_dump()) for warning in estimate.warnings[:MAX_NAMED_FAULTS]],
        warnings_total=len(estimate.warnings),
        items=[_item(line, priced, quote.currency) for line, priced in zip(estimate.lines, quote.lines, strict=True)],
        objects=whole.objects,
        files=whole.files,
        bytes=whole.bytes,
        **_price(quote),
        total_price=written(quote.total, quote.currency),
        currency=quote.currency,
        suborders=[_part(number, part) for number, part in enumerate(estimate.parts, 1)],
        waits_for_tape=_size([part for part in estimate.parts if part.tier == "nearline"]),
        quotas=[quota_public(quota) for quota in estimate.quotas],
    )


def _price(quote: Quote) -> dict[str, Any]:
    currency = quote.currency or ""
    return {
        "subtotal": written(quote.subtotal, currency),
        "discounts": [part_public(part, currency) for part in kept_parts(quote.discounts)],
        "taxes": [part_public(part, currency) for part in kept_parts(quote.taxes)],
        "tax_included": quote.tax_included,
        "country": quote.country,
    }


def _item(line: Line, priced: QuotedLine, currency: str | None) -> OrderItemPublic:
    return OrderItemPublic(
        product=line.product.sku,
        name=line.product.name,
        configuration=line.configuration,
        quantity=priced.measure.objects,
        unit_price=written(priced.price.amount, currency),
        price_unit=priced.price.unit,
        billed_quantity=quantity_in_words(priced.billed),
        line_total=written(priced.total, currency),
    )


def _part(number: int, part: Part) -> PartPublic:
    return PartPublic(
        number=number,
        product=part.product,
        tier=part.tier,
        objects=len(part.keys),
        files=part.files,
        bytes=part.bytes,
    )


def _size(parts: Sequence[Part]) -> SizePublic:
    return SizePublic(
        suborders=len(parts),
        objects=sum(len(part.keys) for part in parts),
        files=sum(part.files for part in parts),
        bytes=sum(part.bytes for part in parts),
    )
