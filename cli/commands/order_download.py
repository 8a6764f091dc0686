"""`consignor order download`: archives and files of an order, each proven before it is called saved."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from cli.api_client import Api


def download(
    order_id: OrderId,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")],
    part: Annotated[
        list[int] | None, typer.Option("--part", help="Number of a sub-order, of whose archive alone; may be repeated.")
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="NAME", help="One file as object/name, or its number; may be repeated."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file's SHA-256 with what the order says of it.")
    ] = False,
    extract: Annotated[bool, typer.Option("--extract", help="Unpack each archive beside itself, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace whatever has the name of an archive.")] = False,
    as_json: Json = False,
) -> None:
    """Download every archive that is ready, or some, or single files; what was cut off is continued.

    What is called saved has been read back: every file in it has the size and the checksum that the archive says. A
    file of the same name that is no archive of this order stays as it is, and the archive gets another name.
    """
    if file and (part or verify or extract):
        raise typer.BadParameter("files are no archives, and are compared in any case", param_hint="--file")
    with the_api() as api:
        order = api.order(order_id)
        if file:
            return _download_files(api, order, file, folder, quiet=as_json, as_json=as_json, force=force)
        after = partial(_after, api, order, verify=verify, extract=extract)
        options = {"quiet": as_json, "as_json": as_json, "force": force}
        return download_parts(api, order, folder, parts=part, after=after, **options)


def download_parts(
    api: "Api",
    order: Any,
    folder: Path,
    *,
    quiet: bool,
    as_json: bool = False,
    force: bool = False,
    parts: list[int] | None = None,
    after: Callable[[Any, Path, Callable[[str], None]], list[Path]] = lambda _, path, __: [path],
) -> None:
    """Download the archives of an order that are ready. Raises CommandFailed for what could not be.

    `after` is given each sub-order, its archive and what tells a line, and gives what is saved then.
    """
    from cli.archive_proof import Part
    from cli.errors import CommandFailed
    from cli.progress import download_bar

    suborders = list(api.items(f"/orders/{order['id']}/suborders"))
    if parts and (missing := set(parts) - {s["number"] for s in suborders}):
        raise CommandFailed(f"{order['number']} has no part {min(missing)}; it has {len(suborders)}")
    ready = [s for s in suborders if s["archive_url"] and (not parts or s["number"] in parts)]
    if not ready:
        text = f"{order['number']} has no archive to download: it is {order['status']}"
        again = f"; `consignor order retry {order['number']}` has its archives made again"
        raise CommandFailed(text + again if "retry" in order["allowed_actions"] else text)
    folder.mkdir(parents=True, exist_ok=True)
    saved, failed = [], []
    with download_bar(quiet) as bar:
        tell = partial(_tell, bar)
        for suborder in ready:
            name, part = f"part {suborder['number']}", Part(order["number"], suborder["number"])
            seen = _seen(bar, f"{order['number']} {name}", suborder["archive_bytes"], quiet=quiet)
            path = f"/orders/{order['id']}/suborders/{suborder['number']}/archive"
            try:
                archive = api.download(path, folder, seen, part=part, tell=tell, force=force)
                saved += after(suborder, archive, tell)
            except CommandFailed as error:
                failed.append(f"{name}: {error}")
    _report(order, saved, failed, quiet=quiet, as_json=as_json)


def _download_files(
    api: "Api", order: Any, names: list[str], folder: Path, *, quiet: bool, as_json: bool, force: bool
) -> None:
    from cli.errors import CommandFailed
    from cli.progress import download_bar

    found = list(_named(api, order, names))
    folder.mkdir(parents=True, exist_ok=True)
    saved, failed = [], []
    with download_bar(quiet) as bar:
        for file in found:
            name = f"{file['object']}/{file['name']}"
            seen = _seen(bar, name, file["size"], quiet=quiet)
            try:
                saved.append(api.download_file(order["id"], file, folder, seen, tell=partial(_tell, bar), force=force))
            except CommandFailed as error:
                failed.append(f"{name}: {error}")
    _report(order, saved, failed, quiet=quiet, as_json=as_json)


def _named(api: "Api", order: Any, names: list[str]) -> Iterator[Any]:
    """The files of an order by number or name, as they are found. Raises CommandFailed for a name that none has."""
    from cli.errors import CommandFailed

    wanted = set(names)
    for file in api.items(f"/orders/{order['id']}/files"):
        own = {str(file["seq"]), f"{file['object']}/{file['name']}", file["path"]}
        if own & set(names):
            wanted -= own
            yield file
        if not wanted:
            return
    raise CommandFailed(f"{order['number']} has no file {min(wanted)}; `consignor order files` lists them")


def _after(
    api: "Api",
    order: Any,
    suborder: Any,
    archive: Path,
    tell: Callable[[str], None],
    *,
    verify: bool,
    extract: bool,
) -> list[Path]:
    """Compare and unpack an archive as wanted; what is saved then. Raises CommandFailed."""
    from cli import archive_contents
    from cli.errors import CommandFailed
    from cli.one_at_a_time import alone

    if verify:
        files = api.items(f"/orders/{order['id']}/files")
        delivered = (f for f in files if f["suborder"] == suborder["number"] and f["state"] in _DELIVERED)
        if wrong := list(islice(archive_contents.differences(archive, delivered), 20)):
            raise CommandFailed(f"{archive} is not as the order says", *wrong)
    if not extract:
        return [archive]
    with alone(archive, tell):
        return [archive, archive_contents.extract(archive)]


_DELIVERED = ("available", "downloaded")


def _report(order: Any, saved: list[Path], failed: list[str], *, quiet: bool, as_json: bool) -> None:
    from cli.errors import CommandFailed

    if as_json:
        say_json({"number": order["number"], "files": [str(file) for file in saved], "failed": failed})
    elif not quiet:
        for file in saved:
            say(f"saved {file}")
    if failed:
        raise CommandFailed(f"{order['number']}: not everything could be downloaded", *failed)


def _tell(bar: "Progress", line: str) -> None:
    from cli.progress import say_above

    say_above(bar, f"consignor: {line}")


def _seen(bar: "Progress", what: str, total: int, *, quiet: bool) -> Callable[[int], None]:
    """What is told how many bytes are there: a bar on a terminal, in a pipe a line a minute."""
    from cli.progress import Minutely
    from models.text import shown

    if not quiet and not bar.console.is_terminal:
        return Minutely(what, total, partial(_tell, bar))
    task, had = bar.add_task(shown(what), total=total), 0

    def seen(done: int) -> None:
        nonlocal had
        if done < had:
            # All of it is fetched again: a bar that was full once would say for ever that no time is left.
            bar.reset(task)
        had = done
        bar.update(task, completed=done)

    return seen
