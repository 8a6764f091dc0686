"""`consignor doctor`: everything that a start needs, looked at, with what to do about each thing."""

from dataclasses import asdict

import typer

from cli.commands.common import Json
from cli.terminal import say, say_json

_SIGNS = {"ok": "✓", "warning": "!", "failed": "✗"}


def doctor(as_json: Json = False) -> None:
    """Look at everything that a start needs here, change nothing, and say of each thing what to do.

    With DATABASE_URL set, or while a dev stack runs, these are the servers; else what `consignor dev` would need.
    Exits with 1 if something stands in the way of a start.
    """
    import asyncio

    from cli.doctor.examine import examine
    from cli.doctor.finding import Finding, State

    async def look() -> list[Finding]:
        found = []
        async for finding in examine():
            found.append(finding)
            if not as_json:
                _show(finding)
        return found

    def _show(finding: Finding) -> None:
        say(f"{_SIGNS[finding.state]} {finding.subject}: {finding.text}")
        if finding.remedy:
            say(f"    → {finding.remedy}")

    found = asyncio.run(look())
    failed = sum(finding.state is State.FAILED for finding in found)
    if as_json:
        say_json([asdict(finding) for finding in found])
    elif failed:
        say("", f"{failed} of {len(found)} stand in the way of a start.")
    else:
        say("", "Nothing stands in the way of a start.")
    if failed:
        raise typer.Exit(1)
