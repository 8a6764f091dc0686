"""`consignor order links` and `order metalink`: what download tools take."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.common import Json, OrderId, the_api
from cli.terminal import say, say_document, say_json


def links(
    order_id: OrderId,
    files: Annotated[bool, typer.Option("--files", help="Also a link to each file.")] = False,
    as_json: Json = False,
) -> None:
    """Print links that need no token, for download tools: they open one thing each until the order expires."""
    with the_api() as api:
        found = api.links(api.order(order_id)["id"], all_files=files)
    if as_json:
        return say_json(found)
    for url in (found["metalink"], *(archive["url"] for archive in found["archives"])):
        say(url)
    for file in found["files"] if files else []:
        say(file["url"])
    return None


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
