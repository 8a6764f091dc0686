"""What our processes log: of themselves what was asked for, of libraries nothing that may hold a secret."""

import ast
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from cli.runtime.client_factory import configure_logs

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


def test_who_wants_only_errors_gets_only_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with process("error", capsys) as written:
        structlog.get_logger().warning("ours")
        logging.getLogger("botocore").warning("theirs")
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
