"""What the Temporal UI shows of a running order, in Markdown."""

from models.labels import counted, size_in_words
from models.messages import SubOrderBrief, SubOrderResult
from models.order import OrderStatus
from models.suborder import SubOrderState

_ROWS = 50


def order_details(
    number: str, status: OrderStatus, briefs: dict[int, SubOrderBrief], results: dict[int, SubOrderResult]
) -> str:
    """Status and a table of the sub-orders, the first fifty of them."""
    lines = [f"**{number}** is **{status.replace('_', ' ')}**."]
    if briefs:
        lines += ["", "| sub-order | product | files | size | state |", "|--:|---|--:|--:|---|"]
        lines += [_row(briefs[n], results.get(n)) for n in sorted(briefs)[:_ROWS]]
    if len(briefs) > _ROWS:
        lines += ["", f"… and {len(briefs) - _ROWS} more."]
    return "\n".join(lines)


def suborder_summary(number: str, brief: SubOrderBrief) -> str:
    """One line for the list of workflows."""
    parts = (brief.sku, counted(brief.files, "file"), size_in_words(brief.bytes))
    return f"{number} part {brief.number} · {' · '.join(parts)}"


def _row(brief: SubOrderBrief, result: SubOrderResult | None) -> str:
    state: str = result.state if result else SubOrderState.STAGING
    if result and result.failed:
        state += f", {counted(result.failed, 'file')} failed"
    return f"| {brief.number} | {brief.sku} | {brief.files:,} | {size_in_words(brief.bytes)} | {state} |"
