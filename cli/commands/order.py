"""`consignor order …`: places, lists, shows and downloads orders through the API."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.bulk import bulk_orders
from cli.commands.common import Json, OrderId, Products, the_api
from cli.commands.order_estimate import estimate_order
from cli.commands.order_list import export_orders, list_orders
from cli.commands.order_notes import label_order, list_notes, write_note
from cli.commands.order_request import body_of, request_of
from cli.terminal import say, say_document, say_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from cli.api_client import Api

app = typer.Typer(help="Place, watch and download orders.", no_args_is_help=True)


@app.command()
def place(
    product: Products,
    object_: Annotated[
        list[str] | None, typer.Option("--object", help="Name or id of an object of the product; repeat for several.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="A label of your own, at most 50 characters.")] = None,
    deliver_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="A saved destination, to which the archives go as well.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the order is fulfilled or has failed.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft until `order submit`.")] = False,
    download: Annotated[Path | None, typer.Option(metavar="DIR", help="Wait, then download into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Place an order of all objects of the products, or of the named objects.

    Exits with 0 if the order was placed and, with --wait or --download, is fulfilled (with or without warnings); with 1
    if it was refused, failed, was cancelled or has expired, or could not be downloaded; with 2 on wrong usage.
    """
    if draft and (wait or download):
        raise typer.BadParameter("a draft does not move until it is submitted", param_hint="--draft")
    request = request_of(product, object_, label=label, draft=draft, destination=deliver_to)
    with the_api() as api:
        order = api.post("/orders", body_of(request))
        if wait or download:
            order = _wait(api, order["id"], quiet=as_json)
        _show(order, as_json)
        for file in [] if as_json else _failed_files(api, order):
            say(f"  failed: {file['object']}/{file['name']}: {file['failure']['code']}")
        if download and order["outcome"] == "succeeded":
            _download(api, order, download, quiet=as_json)
    if order["outcome"] == "failed":
        raise typer.Exit(1)


app.command("estimate")(estimate_order)
app.command("list")(list_orders)
app.command("export")(export_orders)
app.command("bulk")(bulk_orders)
app.command("label")(label_order)
app.command("note")(write_note)
app.command("notes")(list_notes)


@app.command()
def show(order_id: OrderId, as_json: Json = False) -> None:
    """Show an order: status, progress, sub-orders, timeline."""
    with the_api() as api:
        order = _find(api, order_id)
        path = f"/orders/{order['id']}"
        if order["destination"]:
            order["deliveries"] = api.get(f"{path}/deliveries")["items"]
        order |= {"suborders": api.get(f"{path}/suborders")["items"], "timeline": api.get(f"{path}/timeline")["items"]}
        order["failed_files"] = _failed_files(api, order)
    if as_json:
        return say_json(order)
    from cli.tables import order_page

    return order_page(order)


@app.command()
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
        _download(api, _find(api, order_id), folder, quiet=as_json, as_json=as_json, force=force)


Reason = Annotated[str | None, typer.Option(help="Why; it is kept on the timeline.")]


@app.command()
def pause(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Pause an order; nothing is read any more until it is resumed."""
    _command(order_id, "pause", {"reason": reason}, as_json)


@app.command()
def resume(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Resume a paused order where it was."""
    _command(order_id, "resume", {"reason": reason}, as_json)


@app.command()
def cancel(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Cancel an order for good."""
    _command(order_id, "cancel", {"reason": reason}, as_json)


@app.command()
def retry(
    order_id: OrderId,
    file: Annotated[list[int] | None, typer.Option(help="Number of a failed file; repeat for several.")] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Try again what has failed, and nothing else."""
    _command(order_id, "retry", {"reason": reason, "files": file or None}, as_json)


@app.command()
def submit(order_id: OrderId, as_json: Json = False) -> None:
    """Submit a draft."""
    _command(order_id, "submit", {}, as_json)


@app.command("confirm-payment")
def confirm_payment(order_id: OrderId, reason: Reason = None, as_json: Json = False) -> None:
    """Confirm that an order has been paid."""
    _command(order_id, "confirm-payment", {"reason": reason}, as_json)


@app.command()
def restart(
    order_id: OrderId,
    label: Annotated[str | None, typer.Option(help="A label of your own, at most 50 characters.")] = None,
    as_json: Json = False,
) -> None:
    """Order the same again, as a new order."""
    _command(order_id, "restart", {"label": label}, as_json)


@app.command()
def extend(
    order_id: OrderId,
    until: Annotated[datetime, typer.Argument(help="The new end, in UTC.")],
    as_json: Json = False,
) -> None:
    """Keep an order for longer."""
    from cli.tables import instant

    order = _command(order_id, "extend", {"expires_at": until.replace(tzinfo=UTC).isoformat()}, as_json)
    if not as_json:
        say(f"expires {instant(order['expires_at'])}")


@app.command()
def links(
    order_id: OrderId,
    files: Annotated[bool, typer.Option("--files", help="Also a link to each file.")] = False,
    as_json: Json = False,
) -> None:
    """Print links that need no token, for download tools: they open one thing each until the order expires."""
    with the_api() as api:
        found = api.links(_find(api, order_id)["id"], all_files=files)
    if as_json:
        return say_json(found)
    for url in (found["metalink"], *(archive["url"] for archive in found["archives"])):
        say(url)
    for file in found["files"] if files else []:
        say(file["url"])
    return None


@app.command()
def metalink(
    order_id: OrderId,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: stdout.")] = None,
    v3: Annotated[bool, typer.Option("--v3", help="Version 3, for older tools.")] = False,
) -> None:
    """Save the Metalink of an order; of a very large order further parts go to FILE.2, FILE.3 and so on."""
    from cli.errors import CommandFailed

    with the_api() as api:
        path = f"/orders/{_find(api, order_id)['id']}/{'.metalink' if v3 else 'metalink'}"
        for part, document in enumerate(api.documents(path), 1):
            if output is None and part > 1:
                raise CommandFailed("the order has more files than one Metalink may have: save its parts with -o FILE")
            if output is None:
                say_document(document)
            else:
                target = output if part == 1 else output.with_name(f"{output.name}.{part}")
                target.write_bytes(document)
                say(f"saved {target}")


@app.command()
def delete(order_id: OrderId) -> None:
    """Hide an order that is over."""
    with the_api() as api:
        order = _find(api, order_id)
        api.delete(f"/orders/{order['id']}")
    say(f"{order['number']}  deleted")


@app.command()
def purge(
    older_than_days: Annotated[
        int | None, typer.Option("--older-than-days", min=0, help="Default: CONSIGNOR_PURGE_AFTER, 90 days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove for good the orders that were deleted long enough ago. For operators: works on the database itself."""
    import asyncio

    from cli.runtime.settings import load_settings
    from services.retention import purge_orders

    settings = load_settings()
    age = settings.purge_after if older_than_days is None else timedelta(days=older_than_days)
    purged = asyncio.run(purge_orders(settings.database_url, age))
    if as_json:
        return say_json(purged)
    say(f"{len(purged)} purged", *purged)
    return None


def _command(key: str, verb: str, body: Any, as_json: bool) -> Any:
    with the_api() as api:
        order = api.post(f"/orders/{_find(api, key)['id']}/{verb}", body)
    _show(order, as_json)
    return order


def _find(api: "Api", key: str) -> Any:
    """An order by id, or by number among all of the caller's."""
    return api.order(key)


def _wait(api: "Api", order_id: str, *, quiet: bool) -> Any:
    """Wait for the outcome; on a terminal with a bar. What holds the order up is said once, on stderr."""
    from cli.outages import Patience
    from cli.tables import progress_bar, say_above
    from models.text import shown

    held_up = ""
    with progress_bar(quiet) as bar:
        task = bar.add_task("", total=100)
        api.patience = Patience(lambda line: say_above(bar, line))

        def seen(order: Any) -> None:
            nonlocal held_up
            status, percent = order["status"], order["progress"]["percent"]
            bar.update(task, description=shown(f"{order['number']} {status}"), completed=percent)
            reason = _held_up(order) if order["outcome"] == "pending" else ""
            if reason and reason != held_up:
                say_above(bar, f"{order['number']} {reason}")
            held_up = reason

        return api.wait(order_id, seen)


def _held_up(order: Any) -> str:
    """What an order waits for, and who can act; nothing while it moves."""
    waiting = order["waiting_on"]
    return f"waits for {waiting['who']} ({waiting['code']}): {waiting['text']}" if waiting else ""


def _download(api: "Api", order: Any, folder: Path, *, quiet: bool, as_json: bool = False, force: bool = False) -> None:
    from cli.archive_proof import Part
    from cli.errors import CommandFailed
    from cli.tables import progress_bar
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
    from cli.tables import say_above

    say_above(bar, f"consignor: {line}")


def _advance(bar: "Progress", task: "TaskID", completed: int) -> None:
    bar.update(task, completed=completed)


def _failed_files(api: "Api", order: Any) -> list[Any]:
    """The files of an order that failed, the first thousand."""
    if not order["progress"]["files_failed"]:
        return []
    failed = (file for file in api.items(f"/orders/{order['id']}/files") if file["state"] == "failed")
    return list(islice(failed, 1000))


def _show(order: Any, as_json: bool) -> None:
    from cli.tables import price_in_words, warnings_in_words
    from models.labels import counted

    if as_json:
        return say_json(order)
    progress = order["progress"]
    files = f"{progress['files_available']} of {counted(progress['files_total'], 'file')}"
    say(f"{order['number']}  {order['status']}  {files}  “{order['label']}”")
    say(f"id {order['id']}")
    if price := price_in_words(order):
        say(f"price {price}")
    for line in warnings_in_words(order):
        say(line)
    if order["outcome"] == "pending" and (reason := _held_up(order)):
        say(reason)
    if order["failure"]:
        say(f"{order['failure']['code']}: {order['failure']['text']}")
        for fault in order["faults"] if len(order["faults"]) > 1 else []:
            say(f"  {fault['code']}: {fault['text']}")
    return None
