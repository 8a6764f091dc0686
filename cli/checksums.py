"""Computes checksums for `consignor catalog import --checksums`, with its progress on stderr."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from cli.terminal import say
from models.labels import size_in_words
from models.text import shown
from services.catalogue import ChecksumReport, precompute_checksums, unknown_of
from storage.sources.registry import Sources

_REFUSED_SHOWN = 20


async def precompute_all(
    sessions: async_sessionmaker[AsyncSession], skus: Sequence[str], *, pieces: bool
) -> dict[str, ChecksumReport]:
    """Compute what is not known yet of these products, one after the other; by SKU what it came to."""
    reports, sources = {}, Sources()
    with _shown() as progress:
        for sku in skus:
            files, size = await unknown_of(sessions, sku)
            task = progress.add_task(shown(sku), total=size, read=0, files=files)
            done = 0

            def tell(more: int, count: int, task: object = task) -> None:
                nonlocal done
                done += more
                progress.update(task, advance=count, read=done)  # type: ignore[arg-type]

            reports[sku] = await precompute_checksums(sessions, sources, sku, tell, pieces=pieces)
    return reports


@contextmanager
def _shown() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[read]:,} of {task.fields[files]:,} files"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as progress:
        yield progress


def show_checksums(reports: dict[str, ChecksumReport]) -> None:
    """A line for each product, and the files that are not as they should be."""
    for report in reports.values():
        say(f"{report.sku}: read {report.files:,} files, {size_in_words(report.size_bytes)}")
        for refused in report.refused[:_REFUSED_SHOWN]:
            say(f"{report.sku}: refused {refused.what}: {refused.why}")
        if (more := len(report.refused) - _REFUSED_SHOWN) > 0:
            say(f"{report.sku}: and {more:,} more were refused; --json lists them all")
