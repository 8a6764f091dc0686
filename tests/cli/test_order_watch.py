"""Waiting for an order: what is left of the time, and what Ctrl-C ends."""

import pytest
import typer

from cli.commands.order_watch import going_on
from cli.pace import Pace, span_in_words


def test_ctrl_c_ends_the_waiting_and_says_that_the_order_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, going_on({"number": "CO-2026-000042"}):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert "CO-2026-000042 goes on: see it with `consignor order watch CO-2026-000042`" in capsys.readouterr().err


def test_the_time_that_is_left_follows_from_the_pace_since_one_looks() -> None:
    pace = Pace()
    assert pace.left(100, 1000, now=5) is None
    assert pace.left(100, 1000, now=9) is None
    assert pace.left(300, 1000, now=15) == 35
    # A retry begins anew.
    assert pace.left(0, 1000, now=20) is None
    assert pace.left(500, 1000, now=30) == 10


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.4, "40 s"), (90, "2 min"), (3599, "1 h 0 min"), (7860, "2 h 11 min")]
)
def test_a_span_is_told_as_precisely_as_it_is_known(seconds: float, words: str) -> None:
    assert span_in_words(seconds) == words
