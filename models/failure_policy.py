"""What an order wants done where something of it cannot be delivered."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from typing import Self

from models.errors import Failure, FailureCode, Fault
from models.labels import counted

PERCENT_DECIMALS = 2


class OnMissing(StrEnum):
    """What is done with an order of which something is gone before any of it is read."""

    DELIVER_THE_REST = "deliver_the_rest"
    REFUSE = "refuse"


@dataclass(frozen=True)
class FailurePolicy:
    """How much of an order may be missing; `max_failed_percent` of its files, None for all but the last."""

    on_missing: OnMissing = OnMissing.DELIVER_THE_REST
    max_failed_percent: Decimal | None = None

    def changed(self, on_missing: OnMissing | None, max_failed_percent: Decimal | None) -> Self:
        """The policy with what is given; None leaves it as it is."""
        limit = self.max_failed_percent if max_failed_percent is None else max_failed_percent
        return replace(self, on_missing=on_missing or self.on_missing, max_failed_percent=limit)

    @property
    def faults(self) -> list[Fault]:
        """What is wrong with it."""
        percent = self.max_failed_percent
        if percent is None or (0 <= percent <= 100 and round(percent, PERCENT_DECIMALS) == percent):
            return []
        text = f"a share of files is a number from 0 to 100 with {PERCENT_DECIMALS} decimals at most, not {percent}"
        return [Fault(field="max_failed_percent", code="not_a_percentage", text=text)]

    @property
    def refuses(self) -> bool:
        """Whether the order is not wanted at all without what is missing."""
        return self.on_missing is OnMissing.REFUSE

    def missing(self, gone: Collection[Fault]) -> list[Fault]:
        """Everything that refuses an order of which this is gone before it is placed or paid."""
        if not self.refuses or not gone:
            return []
        text = (
            "something of the order is gone, and it asks to be refused then; on_missing"
            f" `{OnMissing.DELIVER_THE_REST}` orders what is left"
        )
        return [Fault(field="on_missing", code=SOMETHING_MISSING, text=text), *gone]

    def too_many(self, failed: int, files: int) -> Failure | None:
        """The failure of an order of so many files, of which more have failed than it allows; else None."""
        limit = self.max_failed_percent
        if limit is None or failed * 100 <= limit * files:
            return None
        share = f"{failed:,} of {counted(files, 'file')} ({_percent(Decimal(failed * 100) / files)} %)"
        text = f"{share} cannot be delivered; the order allows {_percent(limit)} % at most"
        return Failure(code=FailureCode.TOO_MANY_FAILED, text=text)


SOMETHING_MISSING = "something_missing"


def _percent(value: Decimal) -> str:
    """A percentage as it is written: rounded up, so that one above a limit is never told to be the limit."""
    return f"{value.quantize(Decimal('0.01'), rounding=ROUND_UP).normalize():f}"
