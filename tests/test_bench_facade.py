"""The measurement of lists, small: both stacks serve the same orders."""

import subprocess
import sys

import pytest


@pytest.mark.timeout(200)
def test_the_measurement_of_lists_runs_to_its_end_on_a_few_orders() -> None:
    command = [sys.executable, "-m", "bench.facade", "--orders", "1000", "--rounds", "2", "--usual-rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Lists of 1,000 orders" in done.stdout
    assert "JSON Lines" in done.stdout
