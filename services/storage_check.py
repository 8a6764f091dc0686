"""Checks whether the files of an order are in their storage before anybody pays for them, as far as there is time.

Validation checks all of them later, however many they are. This check is for the order of usual size: what is gone is
left out before it costs anything. A storage that does not answer has lost nothing, and keeps nobody from ordering.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

from models.errors import Failed, FailureCode, Fault
from models.queries.selections import SelectedFile
from storage.bulkheads import Bulkhead
from storage.pool import StoragePool
from storage.sources.protocol import Source, written_to
from storage.sources.registry import Sources

MAX_CHECKED: Final = 10_000
"""Files of one order that are checked at once."""

_GRACE: Final = 0.5


class CheckedFile(NamedTuple):
    """A file of an order to be, and the object it belongs to."""

    object_id: UUID
    sku: str
    file: SelectedFile


_Gone = tuple[CheckedFile, Fault]


@dataclass(frozen=True)
class StorageCheck:
    """Checks files in threads of `readers`, for so many seconds at most."""

    sources: Sources
    readers: StoragePool
    timeout: float = 2.0

    async def gone(self, files: Sequence[CheckedFile]) -> list[tuple[CheckedFile, Fault]]:
        """The files that are not there as the catalogue says; none of a storage that cannot tell in time.

        Those that were written to are among them (`source_changed`): who knows a checksum of one may still have it.
        """
        deadline = time.monotonic() + self.timeout
        by_location = defaultdict[str, list[CheckedFile]](list)
        for checked in files:
            by_location[checked.file.location].append(checked)
        looks = (self._look(location, group, deadline) for location, group in by_location.items())
        return list(chain.from_iterable(await asyncio.gather(*looks)))

    async def _look(self, location: str, files: Sequence[CheckedFile], deadline: float) -> list[_Gone]:
        share = self.readers.at(Bulkhead.of_source(location))
        with suppress(Failed):
            return await share.call(partial(self._gone, location, files, deadline), self.timeout + _GRACE)
        return []

    def _gone(self, location: str, files: Sequence[CheckedFile], deadline: float) -> list[_Gone]:
        found: list[_Gone] = []
        source = self.sources.at(location)
        source.check_available()
        for checked in files:
            if time.monotonic() > deadline:
                break
            if fault := _fault(source, checked):
                found.append((checked, fault))
        return found


def _fault(source: Source, checked: CheckedFile) -> Fault | None:
    """Why a file cannot be had; None where it is there, or where its storage only does not answer."""
    name = f"{checked.sku}/{checked.file.object_name}/{checked.file.name}"
    try:
        found = source.stat(checked.file.href)
    except Failed as failed:
        if failed.failure.retryable:
            return None
        return Fault(field=name, code=failed.failure.code, text=f"{name}: {failed.failure.text}")
    if found.size != checked.file.size_bytes:
        text = f"{name} has {found.size} bytes where the catalogue says {checked.file.size_bytes}"
        return Fault(field=name, code=FailureCode.SIZE_MISMATCH, text=text)
    if found.modified_ns == checked.file.modified_ns or checked.file.sha256 is not None:
        return None
    failure = written_to(name).failure
    return Fault(field=name, code=failure.code, text=failure.text)
