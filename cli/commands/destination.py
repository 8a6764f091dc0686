"""`consignor destination …`: where archives are delivered to."""

import os
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.commands.common import Json, Yes, confirm, the_api
from cli.terminal import say, say_json

app = typer.Typer(help="Save, test and remove destinations for deliveries.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="NAME", help="The destination's name or id.")]
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What you call it.")],
    folder: Annotated[str | None, typer.Option(help="A folder that the operator allows.")] = None,
    bucket: Annotated[str | None, typer.Option(help="A bucket; its keys come from the environment, see below.")] = None,
    region: Annotated[str | None, typer.Option(help="The bucket's region.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Where the bucket is, if not at AWS.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Folders in it, as in {number}/{label}.")] = None,
    as_json: Json = False,
) -> None:
    """Save a folder or a bucket.

    A bucket's keys are taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or asked for.
    """
    if (folder is None) == (bucket is None):
        raise typer.BadParameter("give either --folder or --bucket")
    body: dict[str, Any] = {"name": name} | ({"prefix": prefix} if prefix is not None else {})
    if folder is not None:
        body |= {"kind": "local", "folder": folder}
    else:
        body |= {"kind": "s3", "bucket": bucket, "region": region, "endpoint": endpoint, **_credentials()}
    with the_api() as api:
        saved = api.post("/destinations", body)
    _show([saved], as_json)


@app.command("list")
def list_destinations(as_json: Json = False) -> None:
    """List your destinations."""
    with the_api() as api:
        _show(list(api.items("/destinations")), as_json)


@app.command("test")
def try_out(name: Key, as_json: Json = False) -> None:
    """Write something small to a destination, read it back and delete it."""
    with the_api() as api:
        found = api.post(f"/destinations/{quote(name, safe='')}/test")
    if as_json:
        say_json(found)
    elif found["ok"]:
        say(f"{name}  works")
    else:
        say(f"{name}  {found['failure']['code']}: {found['failure']['text']}")
    if not found["ok"]:
        raise typer.Exit(1)


@app.command()
def remove(name: Key, yes: Yes = False) -> None:
    """Remove a destination and its keys; what was delivered there stays."""
    confirm(f"Remove the destination {name!r} and its keys?", yes=yes)
    with the_api() as api:
        api.delete(f"/destinations/{quote(name, safe='')}")
    say(f"{name}  removed")


@app.command("new-key")
def new_key() -> None:
    """Print a new key for CONSIGNOR_DELIVERY_KEYS. For operators."""
    from storage.vault import new_key

    say(new_key())


@app.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt all credentials with the first of CONSIGNOR_DELIVERY_KEYS. For operators: works on the database."""
    import asyncio

    from cli.runtime.delivery_targets import rotate
    from cli.runtime.loading import load_settings
    from models.labels import counted

    say(f"{counted(asyncio.run(rotate(load_settings())), 'destination')} rotated")


def _credentials() -> dict[str, str]:
    """From the environment, else from the terminal: never from the command line, which others can see."""
    key, secret, token = (os.environ.get(name) for name in _KEYS)
    found = {
        "access_key_id": key or typer.prompt("Access key id"),
        "secret_access_key": secret or typer.prompt("Secret access key", hide_input=True),
    }
    return found | ({"session_token": token} if key and token else {})


def _show(found: list[Any], as_json: bool) -> None:
    if as_json:
        return say_json(found)
    for one in found:
        where = one["folder"] or f"s3://{one['bucket']}" + (f" at {one['endpoint']}" if one["endpoint"] else "")
        say(f"{one['name']}  {one['kind']}  {where}/{one['prefix']}")
    if not found:
        say("No destinations yet. Save one with `consignor destination add NAME`.")
    return None
