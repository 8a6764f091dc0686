"""What the Temporal UI shows of a running order, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.delivery_status import waiting_on, who_can_act
from models.errors import Failure, FailureCode, Fault
from models.instants import in_utc
from models.labels import counted, size_in_words
from models.markdown import plain
from models.messages import BlockerNote, SubOrderBrief, SubOrderResult
from models.order import EXTENDABLE, OrderStatus
from models.remedies import CONFIRM_PAYMENT, REMEDIES
from models.status_facts import RELEASED_AS
from models.suborder import SubOrderState

_ROWS = 50
_FAULTS = 20


@dataclass(frozen=True)
class BlockedStep:
    """A step that is tried again by itself, and since when."""

    note: BlockerNote
    since: datetime


@dataclass(frozen=True)
class PartsProgress:
    """How far the sub-orders of an order are. `begun_at` is when this run of the workflow began to make them.

    `bytes_before` had settled by then: an estimate of what is left counts what has settled since.
    """

    total: int = 0
    settled: int = 0
    bytes: int = 0
    bytes_settled: int = 0
    begun_at: datetime | None = None
    bytes_before: int = 0

    def left(self, now: datetime) -> timedelta | None:
        """How long the rest takes if it goes on like this; None while nobody can tell."""
        done, rest = self.bytes_settled - self.bytes_before, self.bytes - self.bytes_settled
        if self.begun_at is None or done <= 0 or rest <= 0:
            return None
        return (now - self.begun_at) * (rest / done)


@dataclass(frozen=True)
class OrderPicture:
    """All that is shown of an order, as of `now`."""

    number: str
    status: OrderStatus
    since: datetime
    now: datetime
    is_free: bool = False
    failure: Failure | None = None
    faults: Sequence[Fault] = ()
    expires_at: datetime | None = None
    progress: PartsProgress = PartsProgress()
    briefs: Mapping[int, SubOrderBrief] = field(default_factory=dict)
    results: Mapping[int, SubOrderResult] = field(default_factory=dict)
    blockers: Mapping[int, BlockedStep] = field(default_factory=dict)
    refused: str = ""


def order_details(order: OrderPicture) -> str:
    """The status, what the order waits for or failed by and what to do, how far it is, and a line for each part.

    Lines, not a table: the Temporal UI draws a table without space between its columns.
    """
    parts = [f"**{order.number}** is **{order.status.replace('_', ' ')}** since {_at(order.since)}."]
    parts += [_failed(order), *_waits(order), _kept(order), _progress(order), _suborders(order)]
    parts.append(f"**Last refused:** {plain(order.refused)}" if order.refused else "")
    return "\n\n".join(part for part in parts if part)


def suborder_summary(number: str, brief: SubOrderBrief) -> str:
    """The line that the list of workflows shows of a sub-order."""
    return f"{number} {_part(brief)}"


def _failed(order: OrderPicture) -> str:
    """Why the order has failed, every fault (the first twenty), and what to do."""
    if order.failure is None:
        return ""
    lines = [f"**Failed:** {plain(order.failure.text)} ({order.failure.code})."]
    shown = order.faults[:_FAULTS] if len(order.faults) > 1 else ()
    lines += [f"* {plain(fault.field)}: {plain(fault.text)} ({fault.code})" for fault in shown]
    if len(order.faults) > _FAULTS:
        lines.append(f"* … and {len(order.faults) - _FAULTS} more.")
    return "\n".join(lines) + f"\n\n**Next:** {REMEDIES[order.failure.code]}"


def _waits(order: OrderPicture) -> list[str]:
    """What the order waits for, since when, and who can act; while steps are tried again, each of them."""
    if order.blockers:
        return [_blocked(order.blockers[number]) for number in sorted(order.blockers)[:_ROWS]]
    waits = waiting_on(order.status, waiting_for_user=False, is_free=order.is_free, since=order.since)
    if waits is None:
        return []
    following = [f"**Next:** {CONFIRM_PAYMENT}"] if waits.code == "payment" else []
    return [f"**Waits for {waits.who}** since {_at(waits.since)}: {waits.text} ({waits.code})", *following]


def _blocked(step: BlockedStep) -> str:
    note, failure = step.note, step.note.failure
    what = note.step if not note.number else f"{note.step} part {note.number}"
    who = note.who or who_can_act(failure.code, None)
    text = f"{what} is tried again by itself, because {plain(failure.text)} ({failure.code})."
    return f"**Waits for {who}** since {_at(step.since)}: {text}\n\n**Next:** {REMEDIES[failure.code]}"


def _kept(order: OrderPicture) -> str:
    if order.status not in EXTENDABLE or order.expires_at is None:
        return ""
    return f"It is kept until {_at(order.expires_at)}."


def _progress(order: OrderPicture) -> str:
    """How many parts have settled, are being made and have not begun; and how long the rest takes."""
    progress = order.progress
    if order.status is not OrderStatus.PROVISIONING or not progress.total:
        return ""
    made = len(order.briefs.keys() - order.results.keys())
    percent = progress.bytes_settled * 100 // progress.bytes if progress.bytes else 0
    told = [f"**{percent} %** of {size_in_words(progress.bytes)}"]
    told += [f"{progress.settled} of {counted(progress.total, 'part')} settled, {made} being made"]
    told += [f"{max(progress.total - progress.settled - made, 0)} not begun"]
    if (left := progress.left(order.now)) is not None:
        told.append(f"about {_span(left)} left")
    return f"{' · '.join(told)} (as of {order.now:%H:%M:%S} UTC)"


def _suborders(order: OrderPicture) -> str:
    released, begun = RELEASED_AS.get(order.status), sorted(order.briefs)
    lines = [_line(order.briefs[n], order.results.get(n), released) for n in begun[:_ROWS]]
    if len(begun) > _ROWS:
        lines += ["", f"… and {len(begun) - _ROWS} more."]
    if order.status is OrderStatus.FULFILLED_WITH_WARNINGS:
        lines += [line for code in _codes(order) for line in ("", f"**Next** ({code}): {REMEDIES[code]}")]
    return "\n".join(lines)


def _codes(order: OrderPicture) -> list[FailureCode]:
    """By what files of the order have failed, each code once."""
    return sorted({result.failure.code for result in order.results.values() if result.failure})


def _part(brief: SubOrderBrief) -> str:
    parts = (plain(brief.sku), counted(brief.files, "file"), size_in_words(brief.bytes))
    return f"part {brief.number} · {' · '.join(parts)}"


def _line(brief: SubOrderBrief, result: SubOrderResult | None, released: SubOrderState | None) -> str:
    state: str = released or (result.state if result else SubOrderState.STAGING)
    if result and result.failed:
        state += f", {counted(result.failed, 'file')} failed"
    why = result.failure if result and not released else None
    said = f": {plain(why.text)} ({why.code})" if why else ""
    return f"* {_part(brief)} · **{state}**{said}"


def _at(instant: datetime) -> str:
    return f"{in_utc(instant):%Y-%m-%d %H:%M:%S} UTC"


def _span(span: timedelta) -> str:
    """A span in one unit, rounded up: nobody knows it better."""
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{-(-seconds // size):.0f} {unit}"
    return f"{max(seconds, 1):.0f} s"
