"""What reaches the terminal is harmless, whoever wrote it; what goes wrong on the way is a line, not a traceback."""

import ast
import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.errors import CommandFailed, failure_of
from cli.tables import bulk_orders_table, order_page, orders_table, show
from cli.terminal import say, say_document, say_json
from models.text import shown
from tests.programs import command

ROOT = Path(__file__).parents[2]
HOSTILE = "a\x1b[31m\x9b2J\x1b]0;x\x07\r\nb\u202ec\u2066\u200f[red]"
MARKS = set("\x1b\x9b\x07\r\u202e\u2066\u200f")


def hostile(value: Any) -> Any:
    """An answer of the API in which every text is hostile, but for those that are numbers and instants."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if value == "" else value


ORDER = hostile({
    "number": "", "id": "", "label": "", "status": "", "delivery_status": "", "total_price": "1.00", "currency": "",
    "progress": {"percent": 1, "files_total": 1, "files_available": 0, "files_failed": 0, "bytes_total": 1},
    "degraded": True, "waiting_on": {"code": "", "since": "2026-01-01T00:00:00", "who": "", "text": "",
                   "step": "", "suborder": None, "attempts": 1, "next_try_at": None}, "expires_at": None,
    "refund_due": "1.00", "failure": {"code": "", "text": ""}, "faults": [{"code": "", "text": ""}] * 2,
    "on_missing": "refuse", "max_failed_percent": 1.5,
    "warnings": [{"text": ""}], "warnings_total": 1, "created_at": "2026-01-01T00:00:00", "destination": "",
    "subtotal": "1.00", "discounts": [],
    "taxes": [{"name": HOSTILE, "percent": "1", "base": "1", "amount": "1"}], "tax_included": True,
    "suborders": [{"number": 1, "product": "", "state": "", "files": 1, "files_failed": 0, "archive_bytes": 1}],
    "deliveries": [{"suborder": 1, "state": "", "location": "", "failure": {"text": ""}, "waiting_on": None}],
    "failed_files": [{"seq": 1, "suborder": 1, "object": "", "name": "", "failure": {"code": "", "text": ""}}],
    "timeline": [{"sequence": 1, "at": "2026-01-01", "what": "", "suborder": None, "status_after": "", "actor": "",
                  "reason_text": ""}],
})  # fmt: skip


def test_an_order_page_and_tables_show_hostile_text_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    order_page(ORDER)
    show(orders_table([ORDER], narrowed=False))
    show(bulk_orders_table([hostile({"number": "", "order_id": "", "outcome": "", "text": ""})]))
    printed = capsys.readouterr().out
    assert MARKS.isdisjoint(printed)
    assert printed.replace("\n", "").replace(" ", "").count("[red]") >= 20


def test_a_line_stays_one_line_and_json_stays_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"label “{HOSTILE}”", "second")
    assert capsys.readouterr().out.count("\n") == 2
    say_json({"label": HOSTILE})
    printed = capsys.readouterr().out
    assert MARKS.isdisjoint(printed)
    assert orjson.loads(printed) == {"label": HOSTILE}
    assert str(CommandFailed(f"500 {HOSTILE}", HOSTILE)) == f"500 {shown(HOSTILE)}\n{shown(HOSTILE)}"


def test_a_document_is_raw_in_a_pipe_and_harmless_on_a_terminal(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    say_document(f"{HOSTILE}\xff\n".encode())
    assert capfdbinary.readouterr().out == f"{HOSTILE}\xff\n".encode()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    say_document(f"a\n{HOSTILE}".encode() + b"\xff\n")
    printed = capfdbinary.readouterr().out.decode()
    assert MARKS.isdisjoint(printed)
    assert printed.endswith("\\xff\n")


def test_no_command_prints_by_itself() -> None:
    """What prints is `cli.terminal`, `cli.tables` and the report of the dev stack, which escape what they print."""
    printing = {}
    for path in sorted((ROOT / "cli").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        names = {ast.unparse(call.func).rpartition(".")[2] for call in calls} & {"echo", "secho", "print", "Console"}
        if names:
            printing[str(path.relative_to(ROOT))] = names
    assert printing == {
        "cli/checksums.py": {"Console"},
        "cli/dev/report.py": {"print"},
        "cli/dev/run.py": {"Console"},
        "cli/progress.py": {"Console", "print"},
        "cli/tables.py": {"Console", "print"},
        "cli/terminal.py": {"echo"},
    }


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some space and"),
        (PermissionError(errno.EACCES, "Permission denied", "/x\x1b"), "/x\\x1b: Permission denied; choose a place"),
        (OSError(errno.ENAMETOOLONG, "File name too long", b"/\xff"), "/\\udcff: File name too long; choose a shorter"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_of_the_system_is_a_line_with_what_to_do(error: OSError, said: str) -> None:
    assert str(failure_of(error)).startswith(said)


def test_an_error_of_the_program_keeps_its_traceback() -> None:
    assert failure_of(KeyError("label")) is None


def run(*words: str, stdout: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    with open(stdout or os.devnull, "w") as out:  # noqa: PTH123 - a device
        return subprocess.run(
            command(*words),
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


def test_a_full_disk_is_told_in_one_line() -> None:
    done = run("destination", "new-key", stdout="/dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("consignor: No space left on device")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSIGNOR_TOKEN", "sec\nret"),
        ("CONSIGNOR_TOKEN", "secrét"),
        ("CONSIGNOR_TOKEN", "sec ret"),
        ("CONSIGNOR_LINK_KEYS", '["secret"]'),
        ("CONSIGNOR_LINK_KEYS", "secret"),
        ("CONSIGNOR_DELIVERY_KEYS", '["secret"]'),
        ("CONSIGNOR_PAYMENT_WEBHOOK_SECRETS", "secret"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli.runtime.loading import from_environment

    monkeypatch.setenv(variable, value)
    with pytest.raises(CommandFailed) as refused:
        from_environment()
    assert "sec" not in str(refused.value).replace("secret", "", str(refused.value).count("webhook_secrets"))
    assert str(refused.value).lower().count(variable.lower().removeprefix("consignor_")) >= 1
