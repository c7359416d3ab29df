"""Every endpoint and every fault, on the socket: the table of outcomes is the truth."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args

import aiohttp
from freezegun.api import FrozenDateTimeFactory
from homeassistant.util import dt as dt_util
import pytest

from custom_components.climkit.api import (
    ClimkitAccessError,
    ClimkitAuthenticationError,
    ClimkitClient,
    ClimkitConnectionError,
    ClimkitError,
    ClimkitRateLimitError,
    ClimkitResponseError,
    ClimkitTimeoutError,
    RegisterReading,
    Resolution,
    SensorReading,
    Series,
    transport,
)
from tests.fast_clock import fast_clock
from tests.outcomes import FAULTS, OUTCOMES, Outcome, cases
from tests.simulator import Fault, SimulatedSite, Simulator, sites
from tests.simulator.faults import FaultKind
from tests.simulator.requests import ENDPOINTS

NOW: Final = "2026-06-16T10:05:00+00:00"
START: Final = datetime(2026, 6, 14, 22, tzinfo=UTC)
METER: Final = "Appartement 1.1"
BETWEEN_POLLS: Final = 300.0
"""Seconds: whoever is told to pause for less asks again only then."""

type Call = Callable[[ClimkitClient, SimulatedSite], Awaitable[Any]]
type Known = dict[tuple[object, ...], object]
"""What a reply says, by what it says it of: of a time by column, of an element as a
whole."""

CALLS: Final[Mapping[str, Call]] = {
    "auth": lambda client, _: client.authenticate(),
    "all_installations": lambda client, _: client.site_ids(),
    "installation_infos": lambda client, site: client.site(site.id),
    "meter_info": lambda client, site: client.meters(site.id),
    "site_data": lambda client, site: client.site_series(
        site.id, "electricity", Resolution.HOUR, START
    ),
    "meter_data": lambda client, site: client.meter_series(
        site.id, site.meter(METER).id, Resolution.HOUR, START
    ),
    "meter_data_raw": lambda client, site: client.register_readings(
        site.id, site.meter(METER).id, START
    ),
    "sensors_list": lambda client, site: client.sensors(site.id),
    "sensor_data": lambda client, site: client.sensor_readings(
        site.id, site.sensors[0].id, START
    ),
}

ERRORS: Final[Mapping[type[ClimkitError], Outcome]] = {
    ClimkitConnectionError: Outcome.UNREACHABLE,
    ClimkitTimeoutError: Outcome.TIMEOUT,
    ClimkitAccessError: Outcome.NO_ACCESS,
    ClimkitAuthenticationError: Outcome.REFUSED,
}


@pytest.fixture
def site() -> SimulatedSite:
    """Return a site that has something at every endpoint."""
    return sites.with_environment_sensors(created=START)


@pytest.fixture
async def simulator(
    site: SimulatedSite, socket_enabled: None
) -> AsyncIterator[Simulator]:
    """Run the simulated cloud, with the clock of the test."""
    async with Simulator([site], clock=dt_util.utcnow, min_interval=0) as cloud:
        yield cloud


def _known(reply: Any) -> Known:
    """Return all that a reply says."""
    if isinstance(reply, Series):
        return {
            (start, column): value
            for column in reply.columns
            for start, value in reply.values(column).items()
        }
    found: Known = {}
    for item in reply if isinstance(reply, tuple) else (reply,):
        match item:
            case SensorReading():
                found[item.time, None] = item.value
            case RegisterReading():
                for name in ("en_im", "en_ex", "heat_energy_kwh", "vol_m3"):
                    if (value := getattr(item, name)) is not None:
                        found[item.time, name] = value
            case _:
                found[getattr(item, "id", item),] = item
    return found


def _outcome_of_reply(reply: Any, full: Any) -> Outcome:
    """Compare a reply with one of before the fault; nothing in it may be wrong."""
    known, truth = _known(reply), _known(full)
    if known == truth:
        return Outcome.UNHARMED
    if not known:
        rows = reply.starts if isinstance(reply, Series) else reply
        return Outcome.NO_VALUES if rows else Outcome.EMPTY
    if isinstance(reply, Series) or hasattr(reply[0], "time"):
        assert known.items() < truth.items()
        times = {key[0] for key in known}
        whole = {key: value for key, value in truth.items() if key[0] in times}
        kept = reply.dropped if isinstance(reply, Series) else len(reply) < len(full)
        return Outcome.FEWER_ROWS if known == whole and kept else Outcome.GAPS
    assert known.keys() < truth.keys()
    return Outcome.GAPS


async def _outcome(call: Callable[[], Awaitable[Any]], full: Any) -> Outcome:
    """Ask, and return what whoever calls the client gets."""
    begin = dt_util.utcnow()
    try:
        reply = await call()
    except ClimkitRateLimitError as err:
        short = err.retry_after <= BETWEEN_POLLS
        return Outcome.PAUSE if short else Outcome.LONG_PAUSE
    except ClimkitResponseError as err:
        failed = (err.status or 0) >= 500
        return Outcome.SERVER_ERROR if failed else Outcome.UNUSABLE
    except ClimkitError as err:
        return ERRORS[type(err)]
    outcome = _outcome_of_reply(reply, full)
    late = (dt_util.utcnow() - begin).total_seconds() > 10
    if late:
        assert outcome is Outcome.UNHARMED
    return Outcome.LATE if late else outcome


@pytest.mark.freeze_time(NOW)
@pytest.mark.parametrize("endpoint", OUTCOMES)
async def test_outcomes(
    simulator: Simulator,
    site: SimulatedSite,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
) -> None:
    """Each fault comes to what the table says, and once it is gone all is as before."""
    monkeypatch.setattr(transport, "MAX_BODY", 2_000_000)
    found: dict[str, Outcome] = {}
    async with aiohttp.ClientSession() as session:
        with fast_clock(freezer):
            for name, fault in FAULTS.items():
                client = ClimkitClient(session, "demo", "demo", url=simulator.url)

                async def call(client: ClimkitClient = client) -> Any:
                    return await CALLS[endpoint](client, site)

                full = await call()
                simulator.faults.add(Fault(path=endpoint, **fault))
                found[name] = await _outcome(call, full)
                simulator.faults.clear()
                if found[name] not in (Outcome.PAUSE, Outcome.LONG_PAUSE):
                    assert await _outcome(call, full) is Outcome.UNHARMED
    assert found == OUTCOMES[endpoint]


def test_nothing_lacks_an_outcome() -> None:
    """Every kind of fault is there, at every endpoint that the cloud has."""
    assert set(CALLS) == set(OUTCOMES) == set(ENDPOINTS)
    assert {fault["kind"] for fault in FAULTS.values()} == {
        *get_args(FaultKind.__value__)
    }
    for endpoint, outcomes in OUTCOMES.items():
        assert outcomes.keys() == FAULTS.keys(), endpoint


def test_each_outcome_is_lived_every_day() -> None:
    for endpoint, outcomes in OUTCOMES.items():
        everyday = [case for case in cases(endpoint) if not case.marks]
        lived = [outcomes[case.values[1]] for case in everyday]
        assert len(lived) == len(set(lived))
        assert set(lived) == set(outcomes.values())
    both = OUTCOMES["sensor_data"], OUTCOMES["meter_data_raw"]
    pairs = {tuple(one[name] for one in both) for name in FAULTS}
    everyday = [case for case in cases("sensor_data|meter_data_raw") if not case.marks]
    assert len(everyday) == len(pairs)
