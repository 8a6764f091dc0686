"""Checks whether the files of an order are in their storage before anybody pays for them, as far as there is time.

Validation checks all of them later, however many they are. This check is for the order of usual size: what is gone is
left out before it costs anything. A storage that does not answer has lost nothing, and keeps nobody from ordering.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from models.errors import Failed, FailureCode, Fault
from models.queries.selections import SelectedFile
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


@dataclass(frozen=True)
class StorageCheck:
    """Checks files in threads of `readers`, for so many seconds at most."""

    sources: Sources
    readers: Executor
    timeout: float = 2.0

    async def gone(self, files: Sequence[CheckedFile]) -> list[tuple[CheckedFile, Fault]]:
        """The files that are not there as the catalogue says; none where the storage cannot tell in time.

        Those that were written to are among them (`source_changed`): who knows a checksum of one may still have it.
        """
        loop = asyncio.get_running_loop()
        checking = loop.run_in_executor(self.readers, self._gone, files, time.monotonic() + self.timeout)
        try:
            return await asyncio.wait_for(checking, self.timeout + _GRACE)
        except TimeoutError:
            return []

    def _gone(self, files: Sequence[CheckedFile], deadline: float) -> list[tuple[CheckedFile, Fault]]:
        found: list[tuple[CheckedFile, Fault]] = []
        for location, group in groupby(files, key=lambda checked: checked.file.location):
            try:
                source = self.sources.at(location)
                source.check_available()
            except Failed:
                continue
            for checked in group:
                if time.monotonic() > deadline:
                    return found
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
