"""`consignor settings …`: what an admin sets of the shop while it runs."""

import json
from typing import Annotated, Any

import typer

from cli.commands.common import Json, the_api
from cli.terminal import say, say_json

app = typer.Typer(help="Show and change the settings of the shop.", no_args_is_help=True)

Pairs = Annotated[
    list[str],
    typer.Argument(metavar="NAME=VALUE", help="Sizes as 2GiB, spans as P7D, texts and lists as JSON."),
]
Names = Annotated[list[str], typer.Argument(metavar="NAME")]


@app.callback()
def settings() -> None:
    """Show and change the settings of the shop; they hold from the next order on, without a restart."""


@app.command("show")
def show(as_json: Json = False) -> None:
    """Show the settings that hold, and where each comes from: environment, settings or default."""
    with the_api() as api:
        _show(api.get("/settings"), as_json)


@app.command("set")
def set_(pairs: Pairs, as_json: Json = False) -> None:
    """Set settings, all of them or, if one is refused, none."""
    _change(dict(map(_pair, pairs)), as_json)


@app.command("unset")
def unset(names: Names, as_json: Json = False) -> None:
    """Leave settings to their defaults again."""
    _change(dict.fromkeys(names), as_json)


@app.command("changes")
def changes(limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20, as_json: Json = False) -> None:
    """Show who has changed what, newest first."""
    with the_api() as api:
        found = api.get("/settings/changes", limit=limit)["items"]
    if as_json:
        return say_json(found)
    from cli.local_time import instant

    lines = (
        f"{instant(act['at'])}  {act['actor']}  {name}: {_written(before)} -> {_written(after)}"
        for act in found
        for name, (before, after) in act["changes"].items()
    )
    return say(*lines)


def _change(given: dict[str, Any], as_json: bool) -> None:
    with the_api() as api:
        _show(api.patch("/settings", given), as_json)


def _pair(text: str) -> tuple[str, Any]:
    name, is_given, value = text.partition("=")
    if not is_given:
        raise typer.BadParameter(f"give {text}=VALUE", param_hint="NAME=VALUE")
    return name, _read(name, value)


def _read(name: str, text: str) -> Any:
    """A value as the API takes it; one that is wrong is left as it is, for the API says why."""
    from pydantic import ValidationError

    from models.shop_settings import ShopSettings

    try:
        value = json.loads(text)
    except ValueError:
        value = text
    try:
        return ShopSettings.model_validate({name: value}).model_dump(mode="json")[name]
    except ValidationError:
        return value


def _show(found: Any, as_json: bool) -> None:
    if as_json:
        return say_json(found)
    from models.shop_settings import variable

    def from_where(name: str) -> str:
        source = found["sources"][name]
        return variable(name) if source == "environment" else str(source)

    width = max(map(len, found["values"]))
    return say(*(f"{name:{width}}  {_written(value)}  ({from_where(name)})" for name, value in found["values"].items()))


def _written(value: Any) -> str:
    return "unset" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
