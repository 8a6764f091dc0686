"""`consignor dev`: the whole stack on this machine."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Option(envvar="CONSIGNOR_DATA", help="The folder that holds everything, logs too.", file_okay=False),
]
Host = Annotated[
    str, typer.Option(envvar="CONSIGNOR_HOST", help="Where the API listens, on this machine alone, such as ::1.")
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        envvar="CONSIGNOR_PORT",
        show_default="8000 or the next free one",
        help="The API's port; 0 takes any free port for everything.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Delete what an earlier stack kept in the folder first.")]
Once = Annotated[
    bool, typer.Option("--once", help="Fulfil one order, stop everything; exit code 1 unless it succeeded.")
]


def dev(
    data: Data = Path(".consignor"),
    host: Host = "127.0.0.1",
    port: Port = None,
    fresh: Fresh = False,
    once: Once = False,
) -> None:
    """Start PostgreSQL, Temporal, worker and API here, and place a first order.

    Ctrl-C (or SIGTERM) stops everything and exits with 0; the next start finds everything again.
    """
    from cli.dev.run import Options, run

    raise typer.Exit(run(Options(data=data, host=host, port=port, fresh=fresh, once=once)))
