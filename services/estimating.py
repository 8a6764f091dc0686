"""What an order would be: its plan, its price and everything against it, without placing it.

The lookup, the splitting and the prices are those of an order that is placed; nothing is written.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import Fault, LabelTaken
from models.order_request import OrderRequest
from models.pricing import Measure, Quote
from models.queries import orders, selections
from models.quotas import Quota, Quotas, Usage, quota_faults
from models.splitting import Limits, ObjectWeight, Part, split
from services.order_lines import MAX_NAMED_FAULTS, Line, nothing_left, nothing_to_order, quote_lines, resolve, unplaced
from services.product_limits import limit_faults_of
from services.quotas import get_quotas
from services.storage_check import StorageCheck


@dataclass(frozen=True)
class Estimate:
    """An order that has not been placed; `quotas` are used as they are now, without it."""

    lines: list[Line]
    quote: Quote
    parts: list[Part]
    faults: list[Fault]
    quotas: list[Quota]
    warnings: list[Fault]


async def estimate(
    session: AsyncSession,
    caller: Caller,
    request: OrderRequest,
    now: datetime,
    *,
    limits: Limits,
    quotas: Quotas,
    check: StorageCheck | None = None,
) -> Estimate:
    """Estimate an order. Nothing about it is refused: what stands against it is among its faults."""
    resolved = await resolve(session, caller, request, now, check)
    weights = await _weigh(session, resolved.lines)
    usage = Usage(1, sum(weight.files for weight in weights), sum(weight.bytes for weight in weights))
    used = await get_quotas(session, quotas, resolved.customer, now, usage)
    faults = [*resolved.faults, *resolved.prices.faults, *await _label_taken(session, resolved.customer, request.label)]
    if not weights and not faults:
        faults += [nothing_left(), *resolved.warnings] if resolved.warnings else [nothing_to_order()]
    measures = _measures(resolved.lines, weights)
    faults += limit_faults_of(resolved.lines, measures)
    faults += quota_faults(used)
    quote = quote_lines(resolved.lines, measures, resolved.prices)
    faults += [quote.refused] if quote.refused else []
    return Estimate(resolved.lines, quote, split(weights, limits), faults[:MAX_NAMED_FAULTS], used, resolved.warnings)


async def _weigh(session: AsyncSession, lines: Sequence[Line]) -> list[ObjectWeight]:
    weights, _ = selections.to_weights(await session.execute(selections.weights_of(unplaced(lines))))
    return weights


def _measures(lines: Sequence[Line], weights: Sequence[ObjectWeight]) -> list[Measure]:
    totals: dict[str, Measure] = defaultdict(lambda: Measure(0))
    for weight in weights:
        before = totals[weight.product]
        totals[weight.product] = Measure(before.objects + 1, before.files + weight.files, before.bytes + weight.bytes)
    return [totals[line.product.sku] for line in lines]


async def _label_taken(session: AsyncSession, customer: str, label: str | None) -> list[Fault]:
    if label is None or not (await session.execute(orders.label_taken(customer, label))).scalar_one():
        return []
    return [Fault(field="label", code=LabelTaken.code, text=str(LabelTaken(label)))]
