"""Run the benchmarks and print one table: python -m tests.bench, see --help."""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
import json
from multiprocessing import get_context
from pathlib import Path
import sys
import tempfile
from typing import Final

from tests.simulator import Publication, SimulatedSite, sites

from . import field, importing, limits, pricing, restart, steady
from .cloud import cloud, measured_site
from .comparison import Compared
from .field import Field
from .importing import Import
from .limits import Limited
from .pricing import Pricing
from .restart import Restart
from .steady import HISTORY, START, Steady
from .table import Line, table

PARTS: Final = ("import", "limits", "steady", "restart", "costs")
CHOSEN: Final = 8
MANY: Final = (1, 20, 60)
"""So many sites has an account that is restarted."""
DELAYS: Final = (3, 17, 40)
"""Minutes until a quarter hour is published."""
SPREADS: Final = (0, 60, 120)
"""Seconds by which that may be later, by chance."""
USUAL: Final = 17


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.description = "Measure the integration against the bars of its design."
    parser.add_argument("--years", type=int, default=5, help="of history to import")
    parser.add_argument("--part", choices=PARTS, help="only this")
    parser.add_argument("--json", action="store_true", help="print the figures raw")
    parser.add_argument("--short", action="store_true", help="fewer simulated hours")
    return parser.parse_args()


def _imports(years: int) -> list[tuple[int, Import]]:
    """Import some sites, by years; each Home Assistant has a process of its own.

    What Python has once taken, it keeps: the next would seem to take no memory.
    """
    results = []
    sizes = (40, CHOSEN, years), (4, 4, years), (40, 40, 1), (200, 200, 1)
    alone = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
    with alone:
        for meters, chosen, length in sizes:
            done = alone.submit(importing.run, meters, chosen, _days(length))
            results.append((length, done.result()))
    return results


def _days(years: int) -> int:
    return round(years * 365.25)


async def _others(meters: int, chosen: int, days: int) -> Field:
    async with cloud(meters, days) as simulated:
        await simulated.ask(min_interval=0)
        site = measured_site(meters, days)
        ids = [meter.id for meter in site.meters if meter.mode != "introduction"]
        return await field.measure(simulated.url, site.id, ids[:chosen], days)


def _steadies(*, short: bool) -> list[Steady]:
    results = []
    for some, publication, hours in _scenes(short=short):
        with tempfile.TemporaryDirectory() as folder:
            measuring = steady.measure(
                Path(folder), some, hours=hours, publication=publication
            )
            results.append(asyncio.run(measuring))
    return results


def _scenes(*, short: bool) -> Iterator[tuple[list[SimulatedSite], Publication, float]]:
    """Yield sites of one account, when they are published, and hours."""
    created = (START - HISTORY).replace(hour=22, minute=0)
    hours = 5.0 if short else 11.0  # odd, or a half counts in the median
    usual = _usual()
    for delay in DELAYS:
        spreads = SPREADS if not short else (0, 60) if delay == USUAL else (0,)
        for spread in spreads:
            publication = Publication(
                delay=timedelta(minutes=delay), jitter=timedelta(seconds=spread)
            )
            yield [sites.large(4, created=created)], publication, hours
    for meters in (40,) if short else (40, 200):
        yield [sites.large(meters, created=created)], usual, hours
    for number, enough in ((10, 5.0),) if short else ((10, 5.0), (100, 1.2)):
        yield sites.many(number, created=created), usual, enough


def _restarts(*, short: bool) -> list[Restart]:
    created = (START - HISTORY).replace(hour=22, minute=0)
    scenes = [sites.many(number, created=created) for number in MANY]
    scenes.append([restart.with_heat(s) for s in sites.many(20, created=created)])
    results = []
    for some in scenes[:2] if short else scenes:
        with tempfile.TemporaryDirectory() as folder:
            results.append(asyncio.run(restart.measure(Path(folder), some)))
    return results


def _restart_lines(results: list[Restart]) -> Iterator[Line]:
    for r in results:
        of = f"{r.sites} restarted {'sites' if r.sites > 1 else 'site'}"
        of += " with heat" * (r.media > 1)
        total = r.requests.total()
        yield Line(
            f"requests until {of} show values (the least: {r.least})",
            f"<= {r.least}",
            str(total),
            str(field.restart_requests(r.sites, r.meters)),
            r.shown == r.sites and total <= r.least,
        )
        yield Line(
            f"  seconds (the least: {r.least_seconds:.0f})", "", f"{r.seconds:.1f}"
        )
        gap = r.smallest_gap
        yield Line("  seconds between requests", ">= 1", f"{gap:.2f}", "", gap >= 1)


def _pricing(years: int) -> Pricing:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(pricing.measure(Path(folder), meters=40, days=_days(years)))


def _pricing_lines(years: int, r: Pricing) -> Iterator[Line]:
    of = f"{years} {'years' if years > 1 else 'year'}, {r.meters} meters"
    yield Line(
        f"rows priced per second ({of}, {r.series} series, {r.rows} rows)",
        ">= 20000",
        f"{r.rate:.0f}",
        met=r.rate >= 20_000,
    )
    yield Line("  requests", "0", str(r.requests), met=r.requests == 0)
    block = r.seen.longest_block * 1000
    yield Line("  longest block, ms", "<= 50", f"{block:.0f}", met=block <= 50)
    yield Line(
        f"  longest of {r.bookings} live bookings meanwhile, s",
        "",
        f"{r.longest_booking:.1f}",
    )
    yield Line("  hours wrong", "0", str(r.wrong), met=r.wrong == 0)
    yield Line("  sums wrong", "0", str(r.broken), met=r.broken == 0)


def _import_lines(results: list[tuple[int, Import]]) -> Iterator[Line]:
    for years, r in results:
        other = asyncio.run(_others(r.meters, r.chosen, _days(years)))
        of = f"{years} {'years' if years > 1 else 'year'}, {r.meters} meters"
        if r.chosen < r.meters:
            of += f", {r.chosen} chosen"
        polls = r.live_polls
        yield Line(
            f"requests to import {of}",
            "<= 17",
            str(r.requests["history"]),
            f"{other.import_requests}",
            r.requests["history"] <= 17,
        )
        yield Line(
            "  seconds",
            "",
            f"{r.seconds:.0f}",
            f"{other.import_seconds:.0f}",
        )
        yield Line("  seconds to first values", "", f"{r.set_up_seconds:.1f}")
        rate = r.book.rows / max(r.seconds - r.set_up_seconds, 0.001)
        yield Line("  rows, rows per second", "", f"{r.book.rows}, {rate:.0f}")
        memory = r.seen.extra_memory
        yield Line("  extra memory, MB", "<= 100", f"{memory:.0f}", "", memory <= 100)
        yield Line("    of which devices and entities", "", f"{r.set_up_memory:.0f}")
        yield Line("    of which SQLite's page caches", "", _megabytes(r.page_caches))
        yield Line("    of which free at the end", "", _megabytes(r.given_back))
        block = r.seen.longest_block * 1000
        yield Line("  longest block, ms", "<= 50", f"{block:.0f}", "", block <= 50)
        work = r.seen.longest_work * 1000
        silence = r.seen.longest_silence * 1000
        yield Line("    longest work", "", f"{work:.0f}")
        yield Line("    with the recorder's and others' work", "", f"{silence:.0f}")
        yield from _book_lines(r.book)
        yield Line(
            "  live polls meanwhile; longest, s", "", f"{polls}; {r.longest_poll:.1f}"
        )
        gap = r.smallest_gap
        yield Line("  seconds between requests", ">= 1", f"{gap:.2f}", "", gap >= 1)
        yield Line(
            "  rows by polls without news",
            "0",
            f"{r.poll_rows:.0f}",
            "",
            not r.poll_rows,
        )
        yield Line(
            "  CPU ms per poll",
            "",
            f"{r.poll_cpu * 1000:.0f}",
            f"{other.poll_seconds * 1000:.0f}, {other.rows_per_poll} rows read again",
        )


def _megabytes(size: float | None) -> str:
    return "not known here" if size is None else f"{size:.0f}"


def _book_lines(book: Compared) -> Iterator[Line]:
    yield Line("  hours wrong", "0", str(book.wrong), "", not book.wrong)
    yield Line("  sums wrong", "0", str(book.broken), "", not book.broken)


def _limits(years: int) -> list[Limited]:
    results = []
    for case in limits.CASES:
        with tempfile.TemporaryDirectory() as folder:
            measuring = limits.measure(Path(folder), case, meters=40, days=_days(years))
            results.append(asyncio.run(measuring))
    return results


def _limit_lines(years: int, results: list[Limited]) -> Iterator[Line]:
    for r in results:
        of = f"{years} {'years' if years > 1 else 'year'}, {r.meters} meters"
        least = f"{r.windows}" + f" + {r.search} to find it" * bool(r.search)
        yield Line(
            f"requests to import {of}, {r.case.name} (the least: {least})",
            f"<= {r.bar}",
            str(r.total),
            met=r.total <= r.bar,
        )
        by = ", ".join(f"{n} {name}" for name, n in sorted(r.requests.items()))
        yield Line("  of which by sampling", "", by)
        yield Line("  simulated seconds", "", f"{r.seconds:.0f}")
        yield from _book_lines(r.book)


def _steady_lines(results: list[Steady]) -> Iterator[Line]:
    for r in results:
        of = f"{r.sites} sites" if r.sites > 1 else f"{r.meters} meters"
        others = field.POLLS_PER_HOUR * (r.meters + 1) * r.sites + 4
        bar = "<= 8" if r.sites == 1 else ""
        met = r.per_hour <= 8 if bar else None
        yield Line(
            f"requests per hour, {of}, {_when(r.publication)}",
            bar,
            f"{r.per_hour:.0f} (mean {r.mean:.1f})",
            str(others),
            met,
        )
        late = r.median_delay / 60
        yield Line(
            *("  delay added, median min", "<= 2", f"{late:.1f}"),
            field=f"{field.DELAY_ADDED:.1f}",
            met=late <= 2,
        )
        per_hour = r.log_ins_per_hour
        yield Line(
            *("  log-ins per hour", "<= 4.2", f"{per_hour:.1f}"),
            field=str(field.LOG_INS_PER_HOUR),
            met=per_hour <= 4.2,
        )
        first = r.first_values
        yield Line("  requests to first values", "<= 10", str(first), "", first <= 10)
        gap = r.smallest_gap
        yield Line("  seconds between requests", ">= 1", f"{gap:.2f}", "", gap >= 1)
        yield Line(
            "  CPU s per hour; ms per poll, cloud included",
            "",
            f"{r.cpu:.1f}; {r.cpu_per_poll * 1000:.0f}",
        )
    usual = [r for r in results if r.sites == 1 and r.publication == _usual()]
    yield Line(
        f"requests per hour with {', '.join(str(r.meters) for r in usual)} meters",
        "the same",
        ", ".join(f"{r.per_hour:.0f}" for r in usual),
        met=len({r.per_hour for r in usual}) == 1,
    )


def _when(publication: Publication) -> str:
    """Return in words when quarter hours are published."""
    minutes = publication.delay.total_seconds() / 60
    spread = publication.jitter.total_seconds()
    return f"published after {minutes:.0f} min" + (f" + {spread:.0f} s" * bool(spread))


def _usual() -> Publication:
    return Publication(delay=timedelta(minutes=USUAL))


def main() -> int:
    """Measure and print; return how many bars were missed, 1 at most."""
    options = _arguments()
    lines: list[Line] = []
    measures: dict[str, Callable[[], Iterator[Line]]] = {
        "import": lambda: _import_lines(_imports(options.years)),
        "limits": lambda: _limit_lines(options.years, _limits(options.years)),
        "steady": lambda: _steady_lines(_steadies(short=options.short)),
        "restart": lambda: _restart_lines(_restarts(short=options.short)),
        "costs": lambda: _pricing_lines(options.years, _pricing(options.years)),
    }
    for part in (options.part,) if options.part else PARTS:
        lines += measures[part]()
    if options.json:
        print(json.dumps([[x.what, x.bar, x.measured, x.met] for x in lines]))
    else:
        print(table(lines))
    return int(any(line.met is False for line in lines))


if __name__ == "__main__":
    sys.exit(main())
