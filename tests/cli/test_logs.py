"""What our processes log: of themselves what was asked for, of libraries nothing that may hold a secret."""

import ast
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import structlog
import structlog.testing
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from cli.runtime.logs import configure_logs
from cli.runtime.worker import TemporalWatch
from models.errors import Failed, FailureCode

ROOT = Path(__file__).parents[2]


@contextmanager
def process(level: str, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """A process that logs at this level; at its end, all that it has written."""
    before, root = structlog.get_config(), logging.root
    handlers, root_level = root.handlers, root.level
    root.handlers = []
    written: list[str] = []
    try:
        configure_logs(level)
        yield written
        written.append(capsys.readouterr().err)
    finally:
        root.handlers = handlers
        root.setLevel(root_level)
        structlog.configure(**before)


def test_at_debug_our_own_events_are_written_and_no_librarys_requests(capsys: pytest.CaptureFixture[str]) -> None:
    with process("debug", capsys) as written:
        structlog.get_logger().debug("ours")
        # As botocore writes a request to S3.
        logging.getLogger("botocore.endpoint").debug("Sending: {'X-Amz-Security-Token': b'%s'}", "s3cr3t")
        logging.getLogger("botocore.credentials").info("found")
    assert "ours" in written[0]
    assert "found" in written[0]
    assert "s3cr3t" not in written[0]


def test_no_url_that_a_client_of_ours_asks_for_is_written_but_its_warnings_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with process("debug", capsys) as written:
        with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))) as client:
            client.get("https://storage.example/key?signature=s3cr3t")
        logging.getLogger("httpx2").warning("theirs")
    assert "storage.example" not in written[0]
    assert "theirs" in written[0]


def test_who_wants_only_errors_gets_only_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with process("error", capsys) as written:
        structlog.get_logger().warning("ours")
        logging.getLogger("botocore").warning("theirs")
        logging.getLogger("httpx2").warning("theirs")
    assert written == [""]


def test_no_log_line_is_given_what_a_client_has_sent() -> None:
    calls = [
        ast.unparse(node)
        for path in (ROOT / "api").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and re.match(r"(log|_?logger)\.", ast.unparse(node.func))
    ]
    assert len(calls) > 10
    assert [call for call in calls if re.search(r"\.url\b|'path'|raw_path|query|headers|cookies|\bbody\b", call)] == []


def test_what_libraries_log_is_a_json_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    with process("info", capsys) as written:
        logging.getLogger("some.library").warning("Invalid %s", "request")
        try:
            raise ValueError("mine")
        except ValueError:
            logging.getLogger("some.library").exception("Exception in ASGI application")
    first, second = map(json.loads, written[0].splitlines())
    assert (first["event"], first["level"], first["logger"]) == ("Invalid request", "warning", "some.library")
    assert "ValueError: mine" in second["exception"]


def wrapped(text: str, cause: Exception) -> Exception:
    error = RuntimeError(text)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "expected",
    [
        Failed(FailureCode.SOURCE_CHANGED, "a.tif has changed"),
        ApplicationError("a.tif is not there", type="source_missing"),
        wrapped("the response has already started", Failed(FailureCode.SOURCE_CHANGED, "a.tif has changed")),
        ExceptionGroup("of a task group", [Failed(FailureCode.SOURCE_CHANGED, "a.tif has changed")]),
    ],
)
def test_what_was_told_already_has_no_traceback(capsys: pytest.CaptureFixture[str], expected: Exception) -> None:
    with process("info", capsys) as written:
        try:
            raise expected
        except Exception:
            logging.getLogger("some.library").exception("Exception in ASGI application")
    assert written == [""]


def test_a_worker_says_again_and_again_why_it_waits_for_temporal_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "archive")
    missing = RPCError("Namespace archive is not found.", RPCStatusCode.NOT_FOUND, b"")
    watch = TemporalWatch(None)
    with structlog.testing.capture_logs() as logs:
        for error, now in ((missing, 0.0), (missing, 1.0), (missing, 31.0), (RuntimeError("refused"), 32.0)):
            watch.tell(error, now)
    assert [line["reason"] for line in logs] == [
        "Temporal at temporal.example:7233 has no namespace archive",
        "Temporal at temporal.example:7233 has no namespace archive",
        "Temporal at temporal.example:7233 does not answer",
    ]
    assert "temporal operator namespace create -n archive" in logs[0]["remedy"]
