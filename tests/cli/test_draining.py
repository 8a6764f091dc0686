"""An API process that is told to stop: it says so, ends its streams, takes nothing new, and is gone in the end."""

import signal
from pathlib import Path

import httpx2

from cli.dev.ports import any_free
from tests.cli.processes import eventually
from tests.databases import Databases
from tests.programs import authorization, program


def status_of(url: str, headers: dict[str, str] | None = None) -> int:
    """The status of an answer; 0 where nobody answers."""
    try:
        return httpx2.get(url, timeout=5, headers=headers).status_code
    except httpx2.TransportError:
        return 0


def test_a_process_drains_at_the_first_signal_and_stops_at_the_second(databases: Databases, tmp_path: Path) -> None:
    port = any_free()
    base = f"http://127.0.0.1:{port}"
    where = {
        "DATABASE_URL": databases.migrated("draining"),
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
        "CONSIGNOR_PORT": str(port),
        "CONSIGNOR_DRAIN_NOTICE": "PT10M",
        "CONSIGNOR_DATA": str(tmp_path / "data"),
        "CONSIGNOR_DEV_ISSUER": "true",
    }
    with program(where, tmp_path / "api.log", "api") as process:
        eventually(lambda: status_of(f"{base}/readyz") == 200, "the API serves", 60)
        me = authorization(where)
        with httpx2.stream("GET", f"{base}/api/v1/events", timeout=30, headers=me) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            process.send_signal(signal.SIGTERM)
            # Ends by itself, and as a stream should: not cut.
            assert "event: order" not in list(lines)
        assert status_of(f"{base}/readyz") == 503
        assert status_of(f"{base}/api/v1/orders", me) == 200
        refused = httpx2.post(f"{base}/api/v1/orders", json={"items": [{"product": "x"}]}, timeout=5, headers=me)
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_a_process_with_nothing_under_way_stops_at_once_whoever_listens(databases: Databases, tmp_path: Path) -> None:
    port = any_free()
    where = {
        "DATABASE_URL": databases.migrated("draining"),
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
        "CONSIGNOR_PORT": str(port),
        "CONSIGNOR_DRAIN_TIMEOUT": "PT10M",
        "CONSIGNOR_DATA": str(tmp_path / "data"),
        "CONSIGNOR_DEV_ISSUER": "true",
    }
    with program(where, tmp_path / "api.log", "api") as process:
        eventually(lambda: status_of(f"http://127.0.0.1:{port}/readyz") == 200, "the API serves", 60)
        url, me = f"http://127.0.0.1:{port}/api/v1/events", authorization(where)
        with httpx2.stream("GET", url, timeout=30, headers=me) as stream:
            assert next(stream.iter_lines()) == "retry: 3000"
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    assert '"drained"' in (tmp_path / "api.log").read_text()
