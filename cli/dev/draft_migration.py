"""`make migration`: writes the next migration from what the tables of the code have and the migrations do not."""

import sys
import tempfile
from pathlib import Path

from cli.dev.postgres import EmbeddedPostgres
from cli.errors import CommandFailed
from migrations.run import draft, upgrade


def main() -> None:
    """Draft a migration on a PostgreSQL that lives as long as this takes, so that nobody's database is touched."""
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        raise SystemExit('say what it does: make migration ARGS="what it does"')
    try:
        with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), durable=False) as server:
            server.ensure_database()
            upgrade(server.url())
            draft(server.url(), message)
    except CommandFailed as failed:
        raise SystemExit(str(failed)) from None


if __name__ == "__main__":
    main()
