"""`consignor catalog watch`: keeps the catalogue in step with a folder."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.catalog_reports import import_options
from cli.terminal import say

if TYPE_CHECKING:
    from services.catalogue import ImportOptions, ImportReport


def watch_folder(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `catalog import` takes.")],
    sku: Annotated[str | None, typer.Option(help="The product's SKU, if the source has one product.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name, if the source has one product.")] = None,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds after which it is imported though nothing was heard.")
    ] = 3600,
    poll: Annotated[
        float | None,
        typer.Option(min=1, help="Go by the clock alone, every so many seconds.", show_default="60 on a network share"),
    ] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Take hidden entries at the top of a folder, too.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Take a folder as plain files, whatever STAC documents are in it.")
    ] = False,
) -> None:
    """Import FOLDER now, and again whenever something changes in it, until you end it with Ctrl-C or SIGTERM.

    Each time all of it is looked at. What cannot be looked at stays as it was; so it does while the folder or the
    database is not there, and the import is tried again.
    """
    import asyncio

    from cli.folder_watch import is_remote
    from cli.runtime.loading import load_settings

    options = import_options(sku=sku, name=name, hidden=hidden, plain=plain)
    if poll is None and is_remote(source.absolute(), _mounts()):
        poll = 60.0
        say(f"{source} is on a network share: it is looked at every {poll:.0f} s")
    watching = _watch(load_settings().database_url, source, options, poll or every, polls=poll is not None)
    with suppress(asyncio.CancelledError):
        asyncio.run(watching)


async def _watch(database_url: str, source: Path, options: "ImportOptions", every: float, *, polls: bool) -> None:
    import asyncio
    import signal

    from cli.folder_watch import FolderWatch
    from database.engine import make_engine, make_sessions
    from services.catalogue import import_source

    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    engine = make_engine(database_url, pool_size=1)
    sessions = make_sessions(engine)

    async def import_once() -> None:
        for report in await import_source(sessions, source, options):
            if line := in_words(report):
                say(line)

    folder = source if source.is_dir() else source.parent  # noqa: ASYNC240 - once, before anything runs
    try:
        await FolderWatch(folder, import_once, say, every=every, polls=polls).run()
    finally:
        await engine.dispose()


def in_words(report: "ImportReport") -> str | None:
    """What an import has come to, on one line; None where it has changed nothing and left nothing out."""
    counts = {word: getattr(report, word) for word in ("added", "changed", "withdrawn", "kept")}
    parts = [f"{count:,} {word}" for word, count in counts.items() if count]
    if report.refusal:
        parts.append(f"left as it was: {report.refusal}")
    unread = [entry for entry in report.refused if entry.unread]
    parts += [f"could not look at {entry.what}: {entry.why}" for entry in unread[:5]]
    return f"{report.sku}: {', '.join(parts)}" if parts else None


def _mounts() -> list[str]:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
