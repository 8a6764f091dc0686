"""`consignor order links` and `order metalink`: what download tools take."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_document, say_json

if TYPE_CHECKING:
    from cli.api_client import Api


def links(
    order_id: OrderId,
    files: Annotated[bool, typer.Option("--files", help="Also a link to each file.")] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Print none: refuse every link that was made until now.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print links that need no token, for download tools: they open one thing each until the order expires."""
    if revoke and (files or as_json):
        raise typer.BadParameter("it prints no links, and goes with nothing else", param_hint="--revoke")
    with the_api() as api:
        if revoke:
            return say(revoke_links(api, order_id))
        found = api.links(api.order(order_id)["id"], all_files=files)
    if as_json:
        return say_json(found)
    for url in (found["metalink"], *(archive["url"] for archive in found["archives"])):
        say(url)
    for file in found["files"] if files else []:
        say(file["url"])
    return None


def revoke_links(api: "Api", key: str) -> str:
    """Revoke the links of an order; what is said then."""
    order = api.order(key)
    api.post(f"/orders/{order['id']}/links:revoke")
    return f"{order['number']}  links revoked"


def metalink(
    order_id: OrderId,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: stdout.")] = None,
    v3: Annotated[bool, typer.Option("--v3", help="Version 3, for older tools.")] = False,
) -> None:
    """Save the Metalink of an order; of a very large order further parts go to FILE.2, FILE.3 and so on."""
    from cli.errors import CommandFailed

    with the_api() as api:
        path = f"/orders/{api.order(order_id)['id']}/{'.metalink' if v3 else 'metalink'}"
        for part, document in enumerate(api.documents(path), 1):
            if output is None and part > 1:
                raise CommandFailed("the order has more files than one Metalink may have: save its parts with -o FILE")
            if output is None:
                say_document(document)
            else:
                target = output if part == 1 else output.with_name(f"{output.name}.{part}")
                target.write_bytes(document)
                say(f"saved {target}")
