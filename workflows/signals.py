"""What comes to an order by signals: from people in the Temporal UI, and from Consignor's own activities and outbox."""

from collections.abc import Sequence
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from models.messages import Message

M = TypeVar("M", bound=Message)

_REASON = 'Input: nothing, or a reason as a JSON string such as "asked for by phone".'

PAUSE = f"Pause the order: nothing more of it is read until it is resumed. {_REASON}"
RESUME = f"Resume a paused order where it was. {_REASON}"
CANCEL = f"Cancel the order for good: what was not downloaded is released. {_REASON}"
RETRY = f"Retry a failed order, or the failed files of one that was fulfilled in part. {_REASON}"
OWN = "Consignor's own messages; there is nothing to send by hand."
"""What the Temporal UI says of each signal to whoever is about to send it."""


def message_of(values: Sequence[RawValue], kind: type[M]) -> M | None:
    """The message that a signal carries; None where it has another shape."""
    if len(values) != 1:
        return None
    try:
        return workflow.payload_converter().from_payload(values[0].payload, kind)
    except (ValidationError, ValueError, RuntimeError):
        return None
