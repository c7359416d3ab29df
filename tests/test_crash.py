"""Home Assistant killed in the middle of an import, and started again: the same rows."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path
import signal
import sqlite3
from typing import Final

import pytest
from pytest_socket import socket_allow_hosts

from . import crash
from .simulator import Simulator, sites

FORKS: Final = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([crash.__name__])

type Rows = dict[str, list[tuple[float, float, float]]]


@pytest.mark.slow
async def test_killed(tmp_path: Path, socket_enabled: None) -> None:
    # By which a fork is asked for; the plugin's next test allows the usual again.
    socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    created = today - timedelta(days=200, hours=1)
    async with Simulator([sites.large(4, created=created)], min_interval=0) as cloud:
        undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
        undisturbed.mkdir()
        killed.mkdir()
        assert await _ended(_start(undisturbed, created, cloud)) == 0
        expected = _rows(undisturbed)

        for limit in (2_500, 20_000, 40_000):
            process = _start(killed, created, cloud)
            while _count(killed) < limit and process.is_alive():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            process.kill()
            assert await _ended(process) == -signal.SIGKILL
            _check_sums(_rows(killed))
        assert await _ended(_start(killed, created, cloud)) == 0
        assert cloud.requests.smallest_gap() >= 0  # they were different clients

    found = _rows(killed)
    _check_sums(found)
    assert found.keys() == expected.keys()
    for series, rows in expected.items():
        hours = {start: state for start, state, _ in rows}
        # The second came a little later, and may know an hour more.
        again = {start: state for start, state, _ in found[series]}
        assert hours.items() <= again.items()
        assert len(again) - len(hours) <= 1


def _start(folder: Path, created: datetime, cloud: Simulator) -> BaseProcess:
    """Start a life, by a fork of a process that has Home Assistant loaded already."""
    process = FORKS.Process(target=crash.live, args=(folder, created, cloud.url))
    process.start()
    return process


async def _ended(process: BaseProcess) -> int | None:
    """Wait for the end of a process, and return with which code."""
    while process.is_alive():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return process.exitcode


def _database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "home-assistant_v2.db", timeout=10)


def _count(folder: Path) -> int:
    try:
        with closing(_database(folder)) as database:
            return int(
                database.execute("select count(*) from statistics").fetchone()[0]
            )
    except sqlite3.OperationalError:
        return 0


def _rows(folder: Path) -> Rows:
    rows: Rows = {}
    with closing(_database(folder)) as database:
        for series, *row in database.execute(
            "select statistic_id, start_ts, round(state, 6), sum from statistics"
            " join statistics_meta on statistics_meta.id = metadata_id"
            " where source = 'climkit' order by statistic_id, start_ts"
        ):
            rows.setdefault(series, []).append(tuple(row))
    return rows


def _check_sums(rows: Rows) -> None:
    for series, of in rows.items():
        total = 0.0
        for _, state, row_sum in of:
            total += state
            assert row_sum == pytest.approx(total, abs=1e-4), series
