"""The supervisor keeps its word: no orphans, no zombies, the dead are named."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from cli.dev.binaries import dying_with_parent
from cli.dev.supervisor import Service, ServiceDied, Supervisor, supervised
from tests.cli.processes import eventually, exists, is_alive

SLEEP = (*dying_with_parent("TERM"), "sleep", "600")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)
LEAVES_A_CHILD = ("sh", "-c", "trap '' TERM; sleep 600 & echo $!; trap - TERM; wait")
PARENT = """
import sys, anyio
from pathlib import Path
from cli.dev.binaries import dying_with_parent
from cli.dev.supervisor import Service, supervised

async def ready():
    return True

async def main():
    async with supervised(Path(sys.argv[1])) as supervisor:
        for name in ("one", "two"):
            await supervisor.start(Service(name, [*dying_with_parent("TERM"), "sleep", "600"], ready))
        print(*supervisor.pids.values(), flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def at_once() -> bool:
    return True


async def never() -> bool:
    return False


def says(log: Path, word: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return word in await anyio.Path(log).read_text()

    return ready


async def test_children_run_inside_the_block_and_are_gone_after_it(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        await supervisor.start(Service("one", SLEEP, at_once))
        await supervisor.start(Service("two", SLEEP, at_once))
        pids = supervisor.pids
        assert list(pids) == ["one", "two"]
        assert all(is_alive(pid) for pid in pids.values())
    # Not even a zombie is left.
    assert not any(exists(pid) for pid in pids.values())


async def test_a_dead_child_is_named_with_the_end_of_its_log_and_stops_the_rest(tmp_path: Path) -> None:
    dying = ("sh", "-c", "read line < gate; echo out of ink >&2; exit 3")
    os.mkfifo(tmp_path / "gate")
    bystanders = []

    async def run() -> None:
        async with supervised(tmp_path / "logs") as supervisor:
            await supervisor.start(Service("bystander", SLEEP, at_once))
            await supervisor.start(Service("printer", dying, at_once, folder=tmp_path))
            bystanders.append(supervisor.pids["bystander"])
            await anyio.Path(tmp_path / "gate").write_text("go\n")
            await anyio.sleep_forever()

    with pytest.raises(ServiceDied, match=r"(?s)printer ended with exit code 3.*out of ink"):
        await run()
    assert bystanders
    assert not is_alive(bystanders[0])


async def test_a_child_killed_by_a_signal_is_told_by_the_signals_name(tmp_path: Path) -> None:
    async def run() -> None:
        async with supervised(tmp_path) as supervisor:
            await supervisor.start(Service("one", SLEEP, at_once))
            os.kill(supervisor.pids["one"], signal.SIGKILL)
            await anyio.sleep_forever()

    with pytest.raises(ServiceDied, match="one was ended by SIGKILL"):
        await run()


async def test_a_child_that_dies_before_it_is_ready_is_no_endless_wait(tmp_path: Path) -> None:
    with pytest.raises(ServiceDied, match="one ended with exit code 1"):
        async with supervised(tmp_path) as supervisor:
            await supervisor.start(Service("one", ("false",), never))


async def test_a_child_that_never_becomes_ready_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceDied, match="one was not ready after"):
        async with supervised(tmp_path) as supervisor:
            await supervisor.start(Service("one", SLEEP, never), patience=0.05)


async def test_a_child_deaf_to_the_signal_is_killed(tmp_path: Path) -> None:
    async with supervised(tmp_path, stop_timeout=0.1) as supervisor:
        await supervisor.start(Service("deaf", DEAF, says(tmp_path / "deaf.log", "deaf")))
        pid = supervisor.pids["deaf"]
    assert not exists(pid)


async def test_what_a_child_had_started_goes_with_it(tmp_path: Path) -> None:
    log = tmp_path / "parent.log"
    async with supervised(tmp_path) as supervisor:
        await supervisor.start(Service("parent", LEAVES_A_CHILD, says(log, "\n")))
        grandchild = int(log.read_text())
        assert is_alive(grandchild)
    eventually(lambda: not is_alive(grandchild), "the grandchild is gone")


async def test_foundations_stop_after_what_stands_on_them(tmp_path: Path) -> None:
    order = tmp_path / "order"
    note = "import signal, sys, time\ndef end(*_):\n  open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
    note += "signal.signal(15, end); print('up', flush=True)\nwhile True: signal.pause()"

    async def start(supervisor: Supervisor, name: str, wave: int) -> None:
        command = (sys.executable, "-c", note, str(order), name)
        await supervisor.start(Service(name, command, says(tmp_path / f"{name}.log", "up"), wave=wave))

    async with supervised(tmp_path) as supervisor:
        await start(supervisor, "foundation", 1)
        await start(supervisor, "programme", 0)
    assert order.read_text() == "programmefoundation"


async def test_the_log_of_the_run_before_is_kept_once(tmp_path: Path) -> None:
    for word in ("first", "second"):
        async with supervised(tmp_path) as supervisor:
            command = ("sh", "-c", f"echo {word}; exec sleep 600")
            await supervisor.start(Service("one", command, says(tmp_path / "one.log", word)))
    assert (tmp_path / "one.log").read_text() == "second\n"
    assert (tmp_path / "one.log.old").read_text() == "first\n"


def test_killing_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(is_alive(pid) for pid in pids)
    parent.kill()
    parent.communicate()
    eventually(lambda: not any(is_alive(pid) for pid in pids), "no child survives")
