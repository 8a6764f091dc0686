"""`consignor order label`, `order note` and `order notes`: what people write on orders."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cli.client import Api


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
OrderId = Annotated[str, typer.Argument(metavar="ID", help="The order's id or its number, as in CO-2026-000042.")]


def _api() -> "Api":
    from cli.client import Api
    from cli.settings import api_url

    return Api(api_url())


def label_order(
    order_id: OrderId,
    label: Annotated[str | None, typer.Argument(help="The new label, at most 50 characters.")] = None,
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
    with _api() as api:
        order = api.patch(f"/orders/{api.order(order_id)['id']}", change)
    if as_json:
        _print_json(order)
    else:
        typer.echo("  ".join([order["number"], f"“{order['label']}”", *order["tags"]]))


def write_note(
    order_id: OrderId,
    text: Annotated[str, typer.Argument(help="At most 4,000 characters.")],
    for_operators: Annotated[bool, typer.Option("--for-operators", help="For operators alone to read.")] = False,
    as_json: Json = False,
) -> None:
    """Write a note on an order."""
    body = {"text": text, "visibility": "operators" if for_operators else "customer"}
    with _api() as api:
        note = api.post(f"/orders/{api.order(order_id)['id']}/notes", body)
    if as_json:
        _print_json(note)
    else:
        typer.echo(f"note {note['id']}")


def list_notes(order_id: OrderId, as_json: Json = False) -> None:
    """Show the notes on an order that you may read."""
    with _api() as api:
        notes = api.get(f"/orders/{api.order(order_id)['id']}/notes")["items"]
    if as_json:
        return _print_json(notes)
    for note in notes:
        edited = ", edited" if note["edited_at"] else ""
        hidden = ", for operators" if note["visibility"] == "operators" else ""
        typer.echo(
            f"{note['written_at'][:19]}  {note['author']}{edited}{hidden}\n  " + "\n  ".join(note["text"].split("\n"))
        )
    return None


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))
