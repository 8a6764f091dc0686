"""Replaying histories without a server, and the fingerprint of what the workflows ask for on the way."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from temporal.converter import DATA_CONVERTER
from workflows.worker import WORKFLOWS, sandbox

HISTORIES = Path(__file__).with_name("histories")
FINGERPRINTS = HISTORIES / "fingerprints.txt"
READABLE = 150_000
"""Characters of a history that somebody may still read; a longer one is kept compressed."""

_NOTE = "note_command"


def histories() -> dict[str, Path]:
    """The recorded histories by name."""
    return {path.name.partition(".")[0]: path for path in sorted(HISTORIES.glob("*.json*"))}


def read(path: Path) -> str:
    """A recorded history, compressed or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def write(name: str, text: str) -> None:
    """Keep a history, in place of the one of that name."""
    for old in HISTORIES.glob(f"{name}.json*"):
        old.unlink()
    path, content = HISTORIES / f"{name}.json", text.encode()
    if len(text) < READABLE:
        path.write_bytes(content)
    else:
        # Without a time in it: the same history gives the same file.
        path.with_suffix(".json.gz").write_bytes(gzip.compress(content, mtime=0))


async def replay(history: str, workflows: Sequence[type] = WORKFLOWS) -> list[str]:
    """Run today's workflow against a history and give its commands. Raises where it asks for anything else."""
    recorder = _Recorder()
    replayer = Replayer(
        workflows=workflows,
        workflow_runner=sandbox(),
        data_converter=DATA_CONVERTER,
        interceptors=[recorder],
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(_workflow_id(history), history))
    return recorder.commands


async def fingerprint() -> str:
    """The commands of all recorded histories, as text."""
    sections = []
    for name, path in histories().items():
        commands = await replay(read(path))
        sections.append("\n".join([f"[{name}]", *commands, ""]))
    return "\n".join(sections)


def _workflow_id(history: str) -> str:
    """The id under which it ran: children are called after it."""
    began = json.loads(history)["events"][0]["workflowExecutionStartedEventAttributes"]
    return str(began["workflowId"])


class _Recorder(Interceptor):
    """Collects commands outside the sandbox."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        input.unsafe_extern_functions[_NOTE] = self.commands.append
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        queue = f" on {input.task_queue}" if input.task_queue else ""
        _note()(f"{input.activity}{queue} “{input.summary}” ({', '.join(_limits(input))})")
        return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:  # noqa: A002
        _note()(f"child {input.workflow} {input.id.rpartition('/')[2]} “{input.static_summary}”")
        return await super().start_child_workflow(input)


def _note() -> Callable[[str], None]:
    note: Callable[[str], None] = workflow.extern_functions()[_NOTE]
    return note


def _limits(activity: StartActivityInput) -> list[str]:
    """The timeouts and how often it is tried."""
    times = {"run": activity.start_to_close_timeout, "heartbeat": activity.heartbeat_timeout}
    tries = activity.retry_policy.maximum_attempts if activity.retry_policy else 0
    return [f"{name} {_words(time)}" for name, time in times.items() if time] + [f"{tries or 'endless'} tries"]


def _words(time: timedelta) -> str:
    return f"{time.total_seconds():.0f} s"
