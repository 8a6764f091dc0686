"""What an order would be: its plan, its price and everything against it, without placing it.

The same lookup, the same cutting and the same prices as when it is placed; nothing is written, not even to be undone.
"""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.dependencies import Caller, Services
from api.ordering import MAX_NAMED_FAULTS, Line, nothing_to_order, resolve
from api.orders.schemas import OrderCreate, OrderItemPublic
from api.quotas import QuotaPublic, looked_up, quota_public
from api.schemas import FaultPublic, Money
from models.errors import Fault, LabelTaken
from models.pricing import line_total, order_total
from models.queries import selections
from models.quotas import Quota, Usage, quota_faults
from models.splitting import ObjectWeight, Part, split
from models.tables import Order


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


class EstimatePublic(BaseModel):
    """An order that has not been placed."""

    acceptable: bool = Field(description="Whether it would be accepted as it is; if not, `faults` say why.")
    faults: list[FaultPublic]
    items: list[OrderItemPublic]
    objects: int
    files: int
    bytes: int
    total_price: Money
    currency: str | None
    suborders: list[PartPublic]
    waits_for_tape: SizePublic = Field(description="What lies on nearline storage and has to be recalled first.")
    quotas: list[QuotaPublic] = Field(description="Your limits as they are used now, without this order.")


async def estimate(
    session: AsyncSession, services: Services, caller: Caller, body: OrderCreate
) -> tuple[EstimatePublic, list[Quota]]:
    """What an order would be, and the limits it has to keep to. Nothing about it is refused: faults are told."""
    found = await resolve(session, caller, body)
    weights = await _weigh(session, found.lines)
    parts = split(weights, services.limits)
    it = Usage(1, sum(weight.files for weight in weights), sum(weight.bytes for weight in weights))
    quotas = await looked_up(session, services.quotas, caller.customer, services.now(), it)
    faults = [*found.faults, *await _label_taken(session, caller, body.label)]
    if not weights and not faults:
        faults.append(nothing_to_order())
    faults += quota_faults(quotas)
    return _shown(found.lines, weights, parts, faults[:MAX_NAMED_FAULTS], quotas), quotas


async def _weigh(session: AsyncSession, lines: Sequence[Line]) -> list[ObjectWeight]:
    wholes = [(n, line.product.id) for n, line in enumerate(lines, 1) if line.whole]
    singles = [(n, obj, file) for n, line in enumerate(lines, 1) for obj, file, _ in line.selections()]
    weights, _ = selections.weighed(await session.execute(selections.weights_of(wholes, singles)))
    return weights


async def _label_taken(session: AsyncSession, caller: Caller, label: str | None) -> list[Fault]:
    same = sa.exists().where(col(Order.customer) == caller.customer, col(Order.label) == label)
    if label is None or not (await session.execute(sa.select(same))).scalar_one():
        return []
    return [Fault(field="label", code=LabelTaken.code, text=str(LabelTaken(label)))]


def _shown(
    lines: Sequence[Line],
    weights: Sequence[ObjectWeight],
    parts: Sequence[Part],
    faults: Sequence[Fault],
    quotas: Sequence[Quota],
) -> EstimatePublic:
    quantities = Counter(weight.product for weight in weights)
    items = [_item(line, quantities[line.product.sku]) for line in lines]
    priced = next((line.product for line in lines if line.product.unit_price), lines[0].product if lines else None)
    everything = _size(parts)
    return EstimatePublic(
        acceptable=not faults,
        faults=[FaultPublic(**fault.model_dump()) for fault in faults],
        items=items,
        objects=everything.objects,
        files=everything.files,
        bytes=everything.bytes,
        total_price=order_total(item.line_total for item in items),
        currency=priced.currency if priced else None,
        suborders=[_part(number, part) for number, part in enumerate(parts, 1)],
        waits_for_tape=_size([part for part in parts if part.tier == "nearline"]),
        quotas=[quota_public(quota) for quota in quotas],
    )


def _item(line: Line, quantity: int) -> OrderItemPublic:
    product = line.product
    return OrderItemPublic(
        product=product.sku,
        name=product.name,
        configuration=line.configuration,
        quantity=quantity,
        unit_price=product.unit_price,
        line_total=line_total(quantity, product.unit_price),
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
