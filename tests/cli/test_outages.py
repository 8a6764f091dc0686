"""A command that waits outlives a restart of the API it asks, says so once, and gives up when it said it would."""

from collections.abc import Callable, Iterator

import httpx2 as httpx
import pytest

from cli.api_client import Api
from cli.credentials import Credential
from cli.errors import CommandFailed
from cli.outages import Patience

Answer = httpx.Response | Exception
PENDING, DONE = {"outcome": "pending"}, {"outcome": "succeeded"}


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.lines = 0.0, list[str]()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self, give_up_after: float = 3600) -> Patience:
        return Patience(self.lines.append, give_up_after, lambda: self.now, self.sleep)


def api_of(answer: Callable[[], Answer]) -> Api:
    """A client of an API that answers so."""

    def handle(request: httpx.Request) -> httpx.Response:
        given = answer()
        if isinstance(given, Exception):
            raise given
        return given

    return Api("http://api.test", Credential.fixed("token"), transport=httpx.MockTransport(handle))


def answers(*given: Answer) -> Callable[[], Answer]:
    left: Iterator[Answer] = iter(given)
    return lambda: next(left)


@pytest.mark.parametrize(
    "outage",
    [
        httpx.ConnectError("connection refused"),
        httpx.ReadError("connection reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.ReadTimeout("timed out"),
        httpx.Response(502),
        httpx.Response(503, headers={"Retry-After": "5"}),
        httpx.Response(504, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    ],
)
def test_a_wait_outlives_an_outage_and_says_so_once(outage: Answer) -> None:
    time = FakeTime()
    with api_of(answers(httpx.Response(200, json=PENDING), *[outage] * 5, httpx.Response(200, json=DONE))) as api:
        api.patience = time.patience()
        assert api.wait("1", lambda order: None) == DONE
    first, last = time.lines
    assert first.startswith("the API does not answer (")
    assert first.endswith("trying again for up to 60 minutes")
    assert last == "the API answers again"


def test_the_pauses_grow_but_not_for_ever_and_the_server_may_ask_for_longer() -> None:
    for outage, slept in (
        (httpx.Response(502), 0.2 + 0.4 + 0.8),
        (httpx.Response(503, headers={"Retry-After": "5"}), 15),
    ):
        time = FakeTime()
        with api_of(answers(*[outage] * 3, httpx.Response(200, json=DONE))) as api:
            api.patience = time.patience()
            api.wait("1", lambda order: None)
        assert time.now == pytest.approx(slept)


@pytest.mark.parametrize("outage", [httpx.ConnectError("connection refused"), httpx.Response(503)])
def test_an_api_that_does_not_come_back_is_given_up_when_its_time_is_up(outage: Answer) -> None:
    time = FakeTime()
    with api_of(lambda: outage) as api:
        api.patience = time.patience(give_up_after=90)
        with pytest.raises(CommandFailed):
            api.wait("1", lambda order: None)
    assert time.now == pytest.approx(90)


def test_what_is_no_outage_ends_a_wait_at_once() -> None:
    time = FakeTime()
    with api_of(lambda: httpx.Response(404)) as api:
        api.patience = time.patience()
        with pytest.raises(CommandFailed, match="404"):
            api.wait("1", lambda order: None)
    assert time.lines == []


def test_an_order_is_not_placed_twice_by_patience() -> None:
    with api_of(answers(httpx.ReadError("connection reset"))) as api:
        api.patience = FakeTime().patience()
        with pytest.raises(CommandFailed, match="does not answer"):
            api.post("/orders", {})
