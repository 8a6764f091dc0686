"""`consignor doctor` looks at everything that a start needs, changes nothing, and has a remedy for what is wrong."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from cli.dev.data import DataFolder
from cli.doctor import machine, services
from cli.doctor.examine import examine
from cli.doctor.finding import Finding, State
from cli.doctor.settings import look_at_settings
from cli.doctor.temporal import look_at_temporal
from cli.errors import CommandFailed
from cli.runtime.settings import Settings
from models.errors import Failed, FailureCode
from storage.sources.registry import Sources
from temporal.search_attributes import register
from tests.databases import Databases
from tests.factories import Sessions, add_product
from tests.issuer import Issuer


async def states(findings: AsyncIterator[Finding]) -> dict[str, State]:
    return {finding.subject: finding.state async for finding in findings}


def of(findings: Iterator[Finding] | list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


async def test_with_nothing_set_it_looks_at_what_a_dev_stack_needs_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSIGNOR_DATA", str(tmp_path / "new"))
    found = await states(examine())
    assert {"Python", "Disk", "Data folder", "Port of API", "Embedded PostgreSQL", "Embedded Temporal"} <= set(found)
    assert set(found.values()) <= {State.OK, State.WARNING}
    assert not (tmp_path / "new").exists()


async def test_with_a_database_set_it_looks_at_servers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("CONSIGNOR_PUBLIC_URL", "https://127.0.0.1:1")
    found = await states(examine())
    assert (found["Database"], found["Clock"]) == (State.OK, State.OK)
    assert (found["Temporal"], found["Issuer"], found["API"]) == (State.FAILED, State.FAILED, State.WARNING)


async def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSIGNOR_PORT", "many")
    (finding,) = [one async for one in examine()]
    assert finding.state is State.FAILED
    assert finding.text.startswith("CONSIGNOR_PORT: ")


def test_an_old_python_and_a_full_disk_are_named() -> None:
    assert machine.python((3, 10, 4)).state is State.FAILED
    assert machine.python((3, 14, 0)).state is State.OK
    assert machine.space(Path("/"), 10**6).state is State.FAILED
    assert machine.space(Path("/"), 10**9).state is State.WARNING
    assert machine.space(Path("/"), 10**11).state is State.OK


def test_a_data_folder_of_others_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    finding = machine.data_folder(tmp_path)
    assert finding.state is State.FAILED
    assert "not a Consignor data folder" in finding.text
    assert finding.remedy == "choose another with --data"
    assert machine.data_folder(tmp_path / "thesis.tex" / "below").state is State.FAILED


def test_a_data_folder_that_is_ours_or_not_there_yet_is_fine(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "ours").lock():
        pass
    assert machine.data_folder(tmp_path / "ours").state is State.OK
    assert machine.data_folder(tmp_path / "not" / "there").state is State.OK
    assert not (tmp_path / "not").exists()


async def test_a_database_that_is_not_migrated_is_named(databases: Databases) -> None:
    (finding,) = [one async for one in services.look_at_database(databases.empty("for_the_doctor"))]
    assert finding.remedy == "run `consignor migrate`"


async def test_products_whose_place_is_gone_are_named(sessions: Sessions, database_url: str, tmp_path: Path) -> None:
    await add_product(sessions, tmp_path / "here", "here", {"a": {"a.tif": b"a"}})
    product = await add_product(sessions, tmp_path / "gone", "gone", {"a": {"a.tif": b"a"}})
    os.rename(product.location, tmp_path / "elsewhere")  # noqa: PTH104
    found = of([one async for one in services.look_at_database(database_url)])
    assert found["Storage"].state is State.FAILED
    assert f"gone at {product.location}" in found["Storage"].text
    assert "here at" not in found["Storage"].text


async def test_a_place_that_hangs_is_named_and_waited_for_no_longer() -> None:
    let_go = Event()

    class Hanging:
        def check_available(self) -> None:
            let_go.wait()
            raise Failed(FailureCode.SOURCE_UNAVAILABLE, "let go")

    hanging: Any = Hanging()
    try:
        finding = await services.storage({"tape:///1": "old"}, Sources({"tape": lambda _: hanging}), 0.01)
    finally:
        let_go.set()
    assert finding.state is State.FAILED
    assert "old at tape:///1 (no answer" in finding.text


@pytest.mark.parametrize(
    ("apart", "state"),
    [(0.2, State.OK), (-4, State.OK), (20, State.WARNING), (-20, State.WARNING), (300, State.FAILED)],
)
def test_clocks_that_differ_are_named(apart: float, state: State) -> None:
    assert services.clock("the database's", apart).state is state


def test_delivery_roots_have_to_be_folders(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    found = services.delivery_roots((tmp_path / "root", tmp_path / "none", tmp_path / "root" / "{customer}" / "in"))
    assert [one.state for one in found] == [State.OK, State.FAILED, State.OK]


async def test_an_issuer_has_to_answer_and_to_call_itself_what_it_is_called() -> None:
    issuer = Issuer()
    async with issuer.client() as http:
        answers = [one async for one in services.look_at_issuer(http, issuer.config.issuer)]
        other = [one async for one in services.look_at_issuer(http, issuer.config.issuer + "/")]
        away = [one async for one in services.look_at_issuer(http, "https://elsewhere.invalid")]
    assert answers[0].state is State.OK
    assert other[0].state is State.FAILED
    assert away[0].state is State.FAILED
    assert away[0].remedy is not None


async def test_temporal_is_looked_at_down_to_its_workers(temporal: WorkflowEnvironment) -> None:
    address = temporal.client.service_client.config.target_host
    await register(temporal.client)
    found = await states(look_at_temporal({"target_host": address, "namespace": temporal.client.namespace}))
    assert list(found) == ["Temporal", "Namespace", "Search attributes", "Workers"]
    assert (found["Namespace"], found["Search attributes"]) == (State.OK, State.OK)
    absent = [one async for one in look_at_temporal({"target_host": address, "namespace": "misspelt"})]
    assert absent[-1].text == "misspelt is not there"
    assert "namespace create" in (absent[-1].remedy or "")


def test_what_the_api_refuses_to_start_with_is_told_beforehand() -> None:
    unsafe = list(look_at_settings(Settings(host="0.0.0.0")))
    assert {one.state for one in unsafe if one.subject == "Settings"} == {State.FAILED}
    assert any("CONSIGNOR_OIDC_ISSUER" in one.text for one in unsafe)
    assert all(one.remedy for one in unsafe if one.state is not State.OK)


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_a_folder_of_another_user_is_one_line(mode: int) -> None:
    with TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        theirs = Path(made, "theirs")
        with DataFolder(theirs).lock():
            pass
        theirs.chmod(mode)
        for folder in (theirs, theirs / "below", Path(made, "new")):
            with as_nobody(), pytest.raises(CommandFailed) as refused, DataFolder(folder).lock():
                pass
            remedy = "cannot be written to, for it belongs to root: choose another folder with --data"
            assert str(refused.value).endswith(remedy)
            assert "\n" not in str(refused.value)
