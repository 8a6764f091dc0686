"""What an import into the catalogue came to, as people and scripts read it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from cli.terminal import say, say_json

if TYPE_CHECKING:
    from services.catalogue import ChecksumReport, ImportOptions, ImportReport

REFUSED_SHOWN = 20


def import_options(**given: str | tuple[str, ...] | bool | None) -> "ImportOptions":
    """What is wished of an import; an option that cannot be is named."""
    from pydantic import ValidationError

    from services.catalogue import ImportOptions

    try:
        return ImportOptions.model_validate(given)
    except ValidationError as wrong:
        fault = wrong.errors()[0]
        raise typer.BadParameter(fault["msg"], param_hint=f"--{fault['loc'][0]}") from None


def tell_of_import(
    source: object, reports: "Sequence[ImportReport]", read: "dict[str, ChecksumReport]", *, as_json: bool
) -> None:
    """Print the reports; exits with 1 where nothing could be imported, or not all was looked at and believed."""
    if as_json:
        say_json([_as_json(report, read.get(report.sku)) for report in reports])
    else:
        _show_reports(reports, read)
    if not any(report.files or report.withdrawn for report in reports if report.product != "left"):
        say(f"consignor: nothing could be imported from {source}", err=True)
        raise typer.Exit(1)
    if any(report.incomplete for report in reports):
        say(f"consignor: not all of {source} could be imported; what is known of the rest stays", err=True)
        raise typer.Exit(1)


def _as_json(report: "ImportReport", read: "ChecksumReport | None") -> dict[str, Any]:
    known = {"checksums": read.model_dump(mode="json", exclude={"sku"})} if read else {}
    return report.model_dump(mode="json") | {"files": report.files} | known


def _show_reports(reports: "Sequence[ImportReport]", read: "dict[str, ChecksumReport]") -> None:
    from cli.tables import Grid, show
    from models.labels import size_in_words

    table = Grid("sku", "name", *_COUNTS, "refused", "objects", "size", right=2)
    for report in reports:
        counts = (getattr(report, count) for count in (*_COUNTS, "refused"))
        numbers = [f"{len(count) if isinstance(count, tuple) else count:,}" for count in counts]
        table.add_cells(report.sku, report.name, *numbers, f"{report.objects:,}", size_in_words(report.size_bytes))
    show(table)
    for report in reports:
        if report.refusal:
            say(f"{report.sku}: not imported: {report.refusal}")
        for note in report.notes:
            say(f"{report.sku}: {note}")
        # What could not be looked at first: it is what has to be mended.
        for refused in sorted(report.refused, key=lambda entry: not entry.unread)[:REFUSED_SHOWN]:
            verb = "could not look at" if refused.unread else "refused"
            say(f"{report.sku}: {verb} {refused.what}: {refused.why}")
        if (more := len(report.refused) - REFUSED_SHOWN) > 0:
            say(f"{report.sku}: and {more:,} more were refused; --json lists them all")
    if read:
        from cli.checksums import show_checksums

        show_checksums(read)


_COUNTS = ("added", "changed", "unchanged", "withdrawn", "kept")
