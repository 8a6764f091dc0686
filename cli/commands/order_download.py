"""`consignor order download`: the archives of an order, each proven before it is called saved."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from cli.api_client import Api


def download(
    order_id: OrderId,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace whatever has the name of an archive.")] = False,
    as_json: Json = False,
) -> None:
    """Download every archive that is ready; what was cut off is continued.

    What is called saved has been read back: every file in it has the size and the checksum that the archive says. A
    file of the same name that is no archive of this order stays as it is, and the archive gets another name.
    """
    with the_api() as api:
        download_parts(api, api.order(order_id), folder, quiet=as_json, as_json=as_json, force=force)


def download_parts(
    api: "Api", order: Any, folder: Path, *, quiet: bool, as_json: bool = False, force: bool = False
) -> None:
    """Download the archives of an order that are ready. Raises CommandFailed for what could not be."""
    from cli.archive_proof import Part
    from cli.errors import CommandFailed
    from cli.progress import progress_bar
    from models.text import shown

    suborders = api.get(f"/orders/{order['id']}/suborders")["items"]
    ready = [s for s in suborders if s["archive_url"]]
    if not ready:
        text = f"{order['number']} has no archive to download: it is {order['status']}"
        again = f"; `consignor order retry {order['number']}` has its archives made again"
        raise CommandFailed(text + again if "retry" in order["allowed_actions"] else text)
    folder.mkdir(parents=True, exist_ok=True)
    saved, failed = [], []
    with progress_bar(quiet) as bar:
        for suborder in ready:
            task = bar.add_task(shown(f"part {suborder['number']}"), total=suborder["archive_bytes"])
            seen, part = partial(_advance, bar, task), Part(order["number"], suborder["number"])
            path = f"/orders/{order['id']}/suborders/{suborder['number']}/archive"
            try:
                saved.append(api.download(path, folder, seen, part=part, tell=partial(_tell, bar), force=force))
            except CommandFailed as error:
                failed.append(f"part {suborder['number']}: {error}")
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


def _advance(bar: "Progress", task: "TaskID", completed: int) -> None:
    bar.update(task, completed=completed)
