"""The promises that are counts, on a small scale; scripts/bench measures them all."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]

TIMES = ("longest block",)
"""What depends on how busy the machine is: printed, not asserted."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", ["import", "steady"])
def test_counts(part: str) -> None:
    """One year is imported exactly, and hours of normal life cost what they may."""
    command = [sys.executable, "-m", "tests.bench", "--years", "1", "--short"]
    done = subprocess.run(
        [*command, "--part", part],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert "requests" in done.stdout, done.stderr
    missed = [line for line in done.stdout.splitlines() if line.endswith("MISSED")]
    assert not [line for line in missed if not line.strip().startswith(TIMES)]
