"""`consignor order label`, `order note` and `order notes`: what people write on orders."""

from typing import Annotated, Any

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_json
from models.labels import MAX_LABEL_CHARACTERS


def label_order(
    order_id: OrderId,
    label: Annotated[
        str | None, typer.Argument(help=f"The new label, at most {MAX_LABEL_CHARACTERS} characters.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="A tag; repeat for several: these replace all.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags away.")] = False,
    as_json: Json = False,
) -> None:
    """Give an order another label, or other tags."""
    if tag and no_tags:
        raise typer.BadParameter("either tags or none", param_hint="--no-tags")
    change: dict[str, Any] = {} if label is None else {"label": label}
    if tag or no_tags:
        change["tags"] = tag or []
    if not change:
        raise typer.BadParameter("give a label, --tag or --no-tags", param_hint="LABEL")
    with the_api() as api:
        order = api.patch(f"/orders/{api.order(order_id)['id']}", change)
    if as_json:
        say_json(order)
    else:
        say("  ".join([order["number"], f"“{order['label']}”", *order["tags"]]))


def write_note(
    order_id: OrderId,
    text: Annotated[str, typer.Argument(help="At most 4,000 characters.")],
    for_operators: Annotated[bool, typer.Option("--for-operators", help="For operators alone to read.")] = False,
    as_json: Json = False,
) -> None:
    """Write a note on an order."""
    body = {"text": text, "visibility": "operators" if for_operators else "customer"}
    with the_api() as api:
        note = api.post(f"/orders/{api.order(order_id)['id']}/notes", body)
    if as_json:
        say_json(note)
    else:
        say(f"note {note['id']}")


def list_notes(order_id: OrderId, as_json: Json = False) -> None:
    """Show the notes on an order that you may read."""
    with the_api() as api:
        notes = list(api.items(f"/orders/{api.order(order_id)['id']}/notes"))
    if as_json:
        return say_json(notes)
    from cli.local_time import at

    for note in notes:
        edited = ", edited" if note["edited_at"] else ""
        hidden = ", for operators" if note["visibility"] == "operators" else ""
        lines = (f"  {line.expandtabs(4)}" for line in note["text"].split("\n"))
        say(f"{at(note['written_at'])}  {note['author']}{edited}{hidden}", *lines)
    return None
