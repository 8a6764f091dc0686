"""The facade as a process of its own on a real port, for programs that know nothing of us; Temporal is away."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx2
import pytest

from cli.dev.ports import any_free
from tests.cli.processes import eventually
from tests.programs import program

LINK_KEY = "k" * 40

Serve = Callable[..., AbstractContextManager[str]]


def is_healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").is_success
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="session")
def serve(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Runs `consignor api` for a block; gives its address."""

    @contextmanager
    def run(**settings: str) -> Iterator[str]:
        port, folder = any_free(), tmp_path_factory.mktemp("api")
        url = f"http://127.0.0.1:{port}"
        where = {
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{any_free()}",
            "TEMPORAL_NAMESPACE": "default",
            "CONSIGNOR_PORT": str(port),
            "CONSIGNOR_PUBLIC_URL": url,
            "CONSIGNOR_DATA": str(folder / "data"),
            "CONSIGNOR_DEV_ISSUER": "true",
            "CONSIGNOR_LINK_KEYS": f'["{LINK_KEY}"]',
            **settings,
        }
        with program(where, folder / "api.log", "api"):
            eventually(lambda: is_healthy(url), "the API serves", 90)
            yield url

    return run


@pytest.fixture(scope="session")
def facade(serve: Serve) -> Iterator[str]:
    """The address of one facade for all tests here."""
    with serve() as url:
        yield url
