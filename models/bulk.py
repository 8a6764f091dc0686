"""What a bulk does with each of its orders: the rules, from the lifecycle table and the status alone."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from models.errors import Fault, IllegalTransition
from models.labels import MAX_LABEL_CHARACTERS
from models.order import BULK_CANCELLABLE, Command, OrderStatus, allowed_actions
from models.text import is_blank, refused_character, tidied

MAX_ORDERS = 100_000
"""Orders of one bulk."""

MAX_FIXED_CHARACTERS = 30
"""Characters of a label template besides its placeholders: a number, and some of the old label, must have room."""


class BulkCommand(StrEnum):
    """What may be asked of many orders at once."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    DELETE = "delete"
    LABEL = "label"


class ItemResult(StrEnum):
    """What became of one order of a bulk."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class BulkState(StrEnum):
    """Where a bulk stands; derived, see `state_of`."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class Reason(NamedTuple):
    """What is said of an order that was not done: a stable code and a sentence."""

    code: str
    text: str


NOT_FOUND = Reason("not_found", "there is no such order")
FORBIDDEN = Reason("forbidden", "you may see this order, but not command it")
STOPPED = Reason("bulk_cancelled", "the bulk was cancelled before it came to this order")
NO_ANSWER = Reason(
    "no_answer", "the order's workflow did not answer; look at the order, it may still execute the command"
)
RIGHTS_ENDED = "rights_ended"
UNDER_WAY = "under_way"


def stopped(why: str | None) -> Reason:
    """What is said of the orders that a cancelled bulk did not come to; `why` where nobody asked for that."""
    return STOPPED if why is None else Reason(RIGHTS_ENDED, f"the bulk was stopped before it came to this order: {why}")


_COMMANDS: Mapping[BulkCommand, Command] = MappingProxyType(
    {c: Command(c.value) for c in BulkCommand if c is not BulkCommand.LABEL}
)


def command_of(command: BulkCommand) -> Command | None:
    """The command that each order is given; None where the bulk itself does the work."""
    return _COMMANDS.get(command)


def acts_in(command: BulkCommand) -> frozenset[OrderStatus]:
    """The statuses in which a bulk acts: those of the table, but for a cancel, which is narrower (DESIGN §2)."""
    if command is BulkCommand.LABEL:
        return frozenset(OrderStatus) - {OrderStatus.DELETED}
    allowed = frozenset(status for status in OrderStatus if _COMMANDS[command] in allowed_actions(status))
    return allowed & BULK_CANCELLABLE if command is BulkCommand.CANCEL else allowed


def skipped(command: BulkCommand, status: OrderStatus, *, may: bool = True) -> Reason | None:
    """Why a bulk leaves an order in this status as it is; None where it acts. `may`: whether its caller may."""
    if not may:
        return FORBIDDEN
    if status in acts_in(command):
        return None
    if command is BulkCommand.LABEL:
        return NOT_FOUND
    if _COMMANDS[command] in allowed_actions(status):
        text = f"this order is {status}; a bulk cancels only what is a draft or not paid yet: cancel it by itself"
        return Reason(UNDER_WAY, text)
    refused = IllegalTransition(command, status, allowed_actions(status))
    return Reason(refused.code, str(refused))


def state_of(*, started: bool, cancelled: bool, finished: bool) -> BulkState:
    """Where a bulk stands, from what has happened to it."""
    if finished:
        return BulkState.CANCELLED if cancelled else BulkState.FINISHED
    if cancelled:
        return BulkState.CANCELLING
    return BulkState.RUNNING if started else BulkState.WAITING


_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KNOWN = frozenset({"label", "number"})


def template_faults(template: str, *, field: str = "label") -> list[Fault]:
    """Everything wrong with a template of labels."""
    template = tidied(template)
    names = _PLACEHOLDER.findall(template)
    if unknown := sorted(set(names) - _KNOWN):
        text = f"there is no placeholder {{{unknown[0]}}}; there are {{label}} and {{number}}"
        return [Fault(field=field, code="label_placeholder_unknown", text=text)]
    fixed = _PLACEHOLDER.sub("", template)
    limit = MAX_FIXED_CHARACTERS if names else MAX_LABEL_CHARACTERS
    if len(fixed) > limit:
        beside = " beside its placeholders" if names else ""
        text = f"a label has at most {limit} characters{beside}; this one has {len(fixed)}"
        return [Fault(field=field, code="label_too_long", text=text)]
    if not names and is_blank(fixed):
        return [Fault(field=field, code="label_unreadable", text="a label needs a visible character")]
    if why := refused_character(template):
        return [Fault(field=field, code="label_unreadable", text=f"a label cannot be kept as it is: {why}")]
    return []


def is_distinct(template: str) -> bool:
    """Whether a template gives each order a label of its own, as far as the orders' labels were their own before."""
    return bool(_PLACEHOLDER.search(template))


def labelled(template: str, *, label: str, number: str) -> str:
    """The label a template gives an order; the old label is cut where the new one would be too long."""
    others = _PLACEHOLDER.sub(lambda found: number if found[1] == "number" else "", template)
    olds = sum(name == "label" for name in _PLACEHOLDER.findall(template))
    room = max(0, MAX_LABEL_CHARACTERS - len(others)) // (olds or 1)
    values = {"label": label[:room], "number": number}
    # Whole replacements: what looks like a placeholder inside an old label is just text.
    return tidied(tidied(_PLACEHOLDER.sub(lambda found: values[found[1]], template))[:MAX_LABEL_CHARACTERS])
