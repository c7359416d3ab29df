"""The promises that are counts, on a small scale; scripts/bench measures them all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
import gc
import logging
from pathlib import Path

from homeassistant.util import dt as dt_util
import pytest

from .bench import importing, limits, restart, steady
from .bench.steady import HISTORY, START
from .simulator import Publication, SimulatedSite, sites

CREATED = (START - HISTORY).replace(hour=22, minute=0)
USUAL = Publication(delay=timedelta(minutes=17))
SCENES: dict[str, tuple[list[SimulatedSite], Publication]] = {
    "published early": (
        [sites.large(4, created=CREATED)],
        Publication(delay=timedelta(minutes=3)),
    ),
    "published late": (
        [sites.large(4, created=CREATED)],
        Publication(delay=timedelta(minutes=40)),
    ),
    "published by chance": (
        [sites.large(4, created=CREATED)],
        Publication(delay=timedelta(minutes=17), jitter=timedelta(seconds=60)),
    ),
    "10 meters": ([sites.large(10, created=CREATED)], USUAL),
    "3 sites": (sites.many(3, created=CREATED), USUAL),
}


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let Home Assistant stop as it does: by ending the process."""
    return True


@pytest.fixture(autouse=True)
def _as_it_is(
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    """Let a home within this process use sockets; what it sets is undone afterwards."""
    monkeypatch.setenv("CLIMKIT_API_URL", "")
    caplog.set_level(logging.WARNING)
    yield
    dt_util.set_default_time_zone(UTC)


@pytest.fixture(scope="module", autouse=True)
def _unfrozen() -> Iterator[None]:
    """Let what homes take from the garbage collection be collected, once at the end.

    After each test, the next home would look through all that is loaded once more.
    """
    yield
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.rate_limit
async def test_import(tmp_path: Path) -> None:
    """A quarter of a year is imported exactly, and costs what it may."""
    result = await importing.measure(tmp_path, meters=10, chosen=8, days=91, idle=0)
    assert result.book.rows >= 91 * 24 * 20
    assert 0 < result.requests["history"] <= 17
    assert (result.book.wrong, result.book.broken, result.poll_rows) == (0, 0, 0)
    assert result.smallest_gap >= 1
    assert result.seen.extra_memory <= 100


@pytest.mark.rate_limit
@pytest.mark.parametrize(("some", "publication"), SCENES.values(), ids=SCENES)
async def test_steady(
    tmp_path: Path, some: list[SimulatedSite], publication: Publication
) -> None:
    """Hours of normal life cost the same few requests, and show readings soon."""
    result = await steady.measure(tmp_path, some, hours=3.0, publication=publication)
    assert result.per_hour <= 8 * len(some)
    assert result.median_delay <= 120
    assert result.log_ins_per_hour <= 4.2
    assert result.first_values <= 10
    assert result.smallest_gap >= 1


@pytest.mark.rate_limit
@pytest.mark.parametrize("media", [1, 2])
async def test_restart(tmp_path: Path, media: int) -> None:
    """A log-in and one request for each site, and all show values, heat or not."""
    some = sites.many(4, created=CREATED)
    if media > 1:
        some = [restart.with_heat(site) for site in some]
    result = await restart.measure(tmp_path, some)
    assert (result.media, result.shown) == (media, 4)
    assert result.requests == {"auth": 1, "site_data": 4}
    assert result.seconds <= 1.1 * result.least
    assert result.smallest_gap >= 1


@pytest.mark.rate_limit
@pytest.mark.parametrize("case", limits.CASES, ids=lambda case: case.name)
async def test_limits(tmp_path: Path, case: limits.Case) -> None:
    """Hardly more is asked than must be of a cloud that gives little at once."""
    days = 197
    if case.depth:  # for which so much is looked through
        case, days = replace(case, depth=timedelta(days=100)), 1826
    result = await limits.measure(tmp_path, case, meters=4, days=days)
    assert result.least <= result.total <= result.bar
    assert result.book.rows > 0
    assert (result.book.wrong, result.book.broken) == (0, 0)
    assert result.smallest_gap >= 1
