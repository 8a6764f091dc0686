"""What a front end needs of the workflows: to start orders and bulks and to command them, with answers in our words."""

from temporal.commands import (
    WorkflowIsOver,
    command_anew,
    command_order,
    extend_order,
    note_after_the_end,
    obey_after_the_end,
)
from temporal.outbox import deliver_notices
from temporal.start import OrderStart, start_bulk, start_order

__all__ = [
    "OrderStart",
    "WorkflowIsOver",
    "command_anew",
    "command_order",
    "deliver_notices",
    "extend_order",
    "note_after_the_end",
    "obey_after_the_end",
    "start_bulk",
    "start_order",
]
