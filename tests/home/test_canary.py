"""What the canary makes of a log, and of its command line."""

import subprocess

import pytest

from tests.home import HomeError
from tests.home.canary import expect, passes
from tests.home.log import sort_log
from tests.home.seed import CHECKOUT

NOTICE = (
    "2026-11-27 03:00:00.001 WARNING (SyncWorker_0) [homeassistant.loader] We found a "
    "custom integration climkit which has not been tested by Home Assistant\n"
)
QUIET = "2026-11-27 03:00:01.001 INFO (MainThread) [custom_components.climkit] Hello\n"
OTHER = "2026-11-27 03:00:02.001 WARNING (MainThread) [homeassistant.core] Slow\n"
USAGE = (
    "2026-11-27 03:00:03.001 WARNING (MainThread) [homeassistant.helpers.frame] "
    "Detected that custom integration 'climkit' does something\n"
)
TRACEBACK = (
    "2026-11-27 03:00:04.001 ERROR (MainThread) [homeassistant.core] Error\n"
    "Traceback (most recent call last):\n"
    '  File "custom_components/climkit/sensor.py", line 1, in setup\n'
    "ValueError: 2026 is no year\n"
)


def test_a_log_is_sorted_by_records_and_not_by_lines() -> None:
    log = NOTICE + QUIET + OTHER + USAGE + TRACEBACK
    assert sort_log(log) == ([USAGE.strip(), TRACEBACK.strip()], [OTHER.strip()])


def test_times_may_have_an_offset() -> None:
    log = (NOTICE + OTHER + USAGE).replace(".001 ", ".001+00:00 ")
    ours, others = sort_log(log)
    assert (len(ours), len(others)) == (1, 1)


def test_a_log_without_anything_serious() -> None:
    assert sort_log(NOTICE + QUIET) == ([], [])


@pytest.mark.parametrize("log", ["", QUIET, NOTICE.replace("2026-11-27 ", "Friday ")])
def test_a_log_that_is_not_understood_is_not_clean(log: str) -> None:
    with pytest.raises(HomeError, match="loaded"):
        sort_log(log)


@pytest.mark.parametrize(("is_so", "mark"), [(True, "ok "), (False, "FAILED ")])
async def test_a_check_says_what_it_found(
    is_so: bool, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def check() -> str:
        return expect(is_so, "three of four")

    assert await passes("sensors", check()) == is_so
    said = capsys.readouterr().out
    assert mark in said
    assert "sensors: " in said
    assert "three of four" in said
    assert (HomeError.__name__ in said) != is_so


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["--pre", "--version", "1"]]
)
def test_the_command_explains_itself(arguments: list[str]) -> None:
    done = subprocess.run(
        [CHECKOUT / "scripts" / "canary", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.count("--pre") == 2
