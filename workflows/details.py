"""What the Temporal UI shows of a running order, in Markdown."""

from collections.abc import Mapping
from types import MappingProxyType

from models.labels import counted, size_in_words
from models.markdown import plain
from models.messages import BlockerNote, SubOrderBrief, SubOrderResult
from models.order import OrderStatus
from models.status_facts import RELEASED_AS
from models.suborder import SubOrderState

_ROWS = 50


def order_details(
    number: str,
    status: OrderStatus,
    briefs: Mapping[int, SubOrderBrief],
    results: Mapping[int, SubOrderResult],
    blockers: Mapping[int, BlockerNote] = MappingProxyType({}),
) -> str:
    """The status, what is tried again, and a line for each of the first fifty sub-orders that have begun.

    Lines, not a table: the Temporal UI draws a table without space between its columns.
    """
    lines = [f"**{number}** is **{status.replace('_', ' ')}**."]
    lines += [line for n in sorted(blockers)[:_ROWS] for line in ("", _blocker_line(blockers[n]))]
    if briefs:
        released = RELEASED_AS.get(status)
        lines += ["", *(_line(briefs[n], results.get(n), released) for n in sorted(briefs)[:_ROWS])]
    if len(briefs) > _ROWS:
        lines += ["", f"… and {len(briefs) - _ROWS} more."]
    return "\n".join(lines)


def suborder_summary(number: str, brief: SubOrderBrief) -> str:
    """The line that the list of workflows shows of a sub-order."""
    return f"{number} {_part(brief)}"


def _part(brief: SubOrderBrief) -> str:
    parts = (plain(brief.sku), counted(brief.files, "file"), size_in_words(brief.bytes))
    return f"part {brief.number} · {' · '.join(parts)}"


def _line(brief: SubOrderBrief, result: SubOrderResult | None, released: SubOrderState | None) -> str:
    state: str = released or (result.state if result else SubOrderState.STAGING)
    if result and result.failed:
        state += f", {counted(result.failed, 'file')} failed"
    return f"* {_part(brief)} · **{state}**"


def _blocker_line(note: BlockerNote) -> str:
    what = note.step if not note.number else f"{note.step} part {note.number}"
    return f"**Tried again by itself:** {what}, because {plain(note.failure.text)} ({note.failure.code})."
