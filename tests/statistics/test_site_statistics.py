"""The statistics of a site: opened, written, shared with other entries, put right."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import (
    async_update_statistics_metadata,
    get_metadata,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.climkit import storage
from custom_components.climkit.metering.flows import Flow
from custom_components.climkit.metering.hours import HOUR, QUARTER, HourlyAmounts
from custom_components.climkit.metering.site import SiteInfo
from custom_components.climkit.statistics.ownership import _OWNERS
from custom_components.climkit.statistics.site_statistics import SiteStatistics

from ..ledger import rows_of
from .sites_by_hand import BEGINNING, meter, settled, site_info, statistics_of

NOW = datetime(2026, 6, 16, 10, 5, tzinfo=UTC)
START = datetime(2026, 6, 14, 10, tzinfo=UTC)
"""Since when polls look: 48 hours."""

pytestmark = [
    pytest.mark.freeze_time(NOW),
    pytest.mark.usefixtures("recorder_mock", "enable_custom_integrations", "backend"),
]


def flow_of(info: SiteInfo, owner: str, kind: str = "consumption") -> Flow:
    return next(flow for flow in info.flows_of(owner) if flow.kind == kind)


def quarters(
    start: datetime, number: int, amount: float = 0.25
) -> dict[datetime, float]:
    return {start + n * QUARTER: amount for n in range(number)}


async def amounts(hass: HomeAssistant, id_: str) -> dict[datetime, float]:
    return {hour: state for hour, (state, _) in (await rows_of(hass, id_)).items()}


async def followed(
    hass: HomeAssistant, info: SiteInfo, entry_id: str = "first"
) -> SiteStatistics:
    statistics = await statistics_of(hass, entry_id)
    statistics.async_follow(info)
    await settled(hass, statistics)
    await async_wait_recording_done(hass)
    return statistics


async def metadata_of(hass: HomeAssistant, id_: str) -> Mapping[str, object]:
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    return found[id_][1]


async def restarted(hass: HomeAssistant, *some: SiteStatistics) -> None:
    """Let everything go but what is stored."""
    for statistics in some:
        await statistics.async_close()
    hass.data.pop(storage._STORES)
    hass.data.pop(_OWNERS)


async def test_polls(hass: HomeAssistant) -> None:
    """Hours that are over are written once the history is in; then known until then."""
    info = site_info(meter("77aa", "Flat"))
    statistics = await followed(hass, info)
    flow = flow_of(info, "77aa")
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    stop = statistics.async_listen(tell)
    poll = quarters(START, 48 * 4 - 2)
    statistics.async_write_quarters({flow: poll}, asked=NOW, known_since={flow: START})
    await settled(hass, statistics)
    assert await amounts(hass, "climkit:77aa_consumption") == {}
    assert statistics.totals({flow: poll}) == {}
    history = {BEGINNING: 5.0}
    await statistics.async_write({flow: HourlyAmounts(history, {})}, asked=NOW)
    statistics.advance([flow], START)
    await settled(hass, statistics)
    stored = await amounts(hass, "climkit:77aa_consumption")
    assert stored == history | {START + n * HOUR: 1.0 for n in range(47)}
    assert statistics.until(flow) == START + 47 * HOUR
    assert statistics.totals({flow: poll}) == {flow: pytest.approx(5 + 47 + 0.5)}
    assert told > 0
    stop()
    await statistics.async_close()


async def test_an_empty_poll_that_was_given(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Hours that leave the window empty are known to be so, if the cloud said so."""
    info = site_info()
    statistics = await followed(hass, info)
    flow = flow_of(info, "51")
    statistics.advance([flow], START)
    statistics.async_write_quarters({flow: {}}, asked=NOW, known_since={})
    await settled(hass, statistics)
    assert statistics.until(flow) == START
    statistics.async_write_quarters({flow: {}}, asked=NOW, known_since={flow: START})
    await settled(hass, statistics)
    assert statistics.until(flow) == START + timedelta(hours=6)
    await statistics.async_close()


async def test_an_older_answer_takes_nothing_back(hass: HomeAssistant) -> None:
    """Neither the night what a poll brought since, nor a poll what the night brought."""
    info = site_info()
    statistics = await followed(hass, info)
    flow = flow_of(info, "51")
    statistics.advance([flow], START)
    since = {flow: START}
    before, after = NOW - QUARTER, NOW + QUARTER
    statistics.async_write_quarters(
        {flow: quarters(START, 8)}, asked=NOW, known_since=since
    )
    await settled(hass, statistics)
    old = HourlyAmounts({START - HOUR: 7.0, START: 8.0}, {})
    await statistics.async_write({flow: old}, asked=before)
    id_ = statistics.statistic_id(flow)
    assert await amounts(hass, id_) == {
        START - HOUR: 7.0,
        START: 1.0,
        START + HOUR: 1.0,
    }
    await statistics.async_write({flow: HourlyAmounts({START: 3.0}, {})}, asked=after)
    statistics.async_write_quarters(
        {flow: quarters(START, 8, 0.5)}, asked=NOW, known_since=since
    )
    await settled(hass, statistics)
    assert await amounts(hass, id_) == {
        START - HOUR: 7.0,
        START: 3.0,
        START + HOUR: 2.0,
    }
    await statistics.async_close()


async def test_cleared(hass: HomeAssistant) -> None:
    """Its history begins anew, under its name."""
    info = site_info()
    statistics = await followed(hass, info)
    flow = flow_of(info, "51")
    id_ = statistics.statistic_id(flow)
    hours = HourlyAmounts({BEGINNING: 1.0, BEGINNING + HOUR: 2.0}, {})
    await statistics.async_write({flow: hours})
    statistics.advance([flow], START)
    get_instance(hass).async_clear_statistics([id_])
    await async_wait_recording_done(hass)
    assert (await statistics.async_write({flow: hours}))[flow].rows_missing
    assert statistics.until(flow) == info.beginning
    await statistics.async_write({flow: hours})
    assert await amounts(hass, id_) == dict(hours.complete)
    assert (await metadata_of(hass, id_))["name"] == "House Consumption"
    assert await statistics.async_existing([flow]) == {flow}
    bounds = [BEGINNING, BEGINNING + HOUR, NOW]
    assert await statistics.async_amounts([flow], bounds) == {
        flow: {BEGINNING: 1.0, BEGINNING + HOUR: 2.0}
    }
    await statistics.async_close()


async def test_unit_changed_from_outside(hass: HomeAssistant) -> None:
    """It is put right as a name is; the rows stay."""
    info = site_info()
    statistics = await followed(hass, info)
    flow = flow_of(info, "51")
    id_ = statistics.statistic_id(flow)
    hours = HourlyAmounts({BEGINNING: 1.0}, {})
    await statistics.async_write({flow: hours})
    async_update_statistics_metadata(
        hass, id_, new_unit_class="volume", new_unit_of_measurement="L"
    )
    assert (await metadata_of(hass, id_))["unit_of_measurement"] == "L"
    await restarted(hass, statistics)
    statistics = await followed(hass, site_info(name="Other house"))
    metadata = await metadata_of(hass, id_)
    assert metadata["unit_of_measurement"] == "kWh"
    assert (metadata["unit_class"], metadata["name"]) == (
        "energy",
        "Other house Consumption",
    )
    assert await amounts(hass, id_) == {BEGINNING: 1.0}
    await statistics.async_close()


async def test_medium_corrected(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing converts cubic metres into kilowatt-hours: the history begins anew."""
    wrong = site_info(meter("77aa", "Flat", medium="cold_water"))
    statistics = await followed(hass, wrong)
    flow = flow_of(wrong, "77aa")
    await statistics.async_write({flow: HourlyAmounts({BEGINNING: 1.0}, {})})
    statistics.advance([flow], START)
    right = site_info(meter("77aa", "Flat", medium="heating"))
    statistics.async_follow(right)
    await settled(hass, statistics)
    flow = flow_of(right, "77aa")
    assert "begins anew" in caplog.text
    assert await amounts(hass, "climkit:77aa_consumption") == {}
    metadata = await metadata_of(hass, "climkit:77aa_consumption")
    assert metadata["unit_of_measurement"] == "kWh"
    assert statistics.until(flow) == right.beginning
    await statistics.async_write({flow: HourlyAmounts({BEGINNING: 9.0}, {})})
    await restarted(hass, statistics)
    caplog.clear()
    statistics = await followed(hass, right)
    assert "begins anew" not in caplog.text
    assert await amounts(hass, "climkit:77aa_consumption") == {BEGINNING: 9.0}
    await statistics.async_close()


async def test_medium_corrected_before_anything_was_written(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """What never was need not be said to begin anew."""
    statistics = await followed(
        hass, site_info(meter("77aa", "Flat", medium="cold_water"))
    )
    statistics.async_follow(site_info(meter("77aa", "Flat", medium="heating")))
    await settled(hass, statistics)
    metadata = await metadata_of(hass, "climkit:77aa_consumption")
    assert metadata["unit_of_measurement"] == "kWh"
    assert "begins anew" not in caplog.text
    await statistics.async_close()


async def test_a_medium_that_is_left_out(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that says less takes neither rows nor unit nor name."""
    info = site_info(meter("77aa", "Flat"))
    statistics = await followed(hass, info)
    flow = flow_of(info, "77aa")
    await statistics.async_write({flow: HourlyAmounts({BEGINNING: 1.0}, {})})
    less = site_info(meter("77aa", "unknown 11", medium="unknown"))
    for told in (less, info):
        statistics.async_follow(told)
        await settled(hass, statistics)
        assert "begins anew" not in caplog.text
        metadata = await metadata_of(hass, "climkit:77aa_consumption")
        assert metadata["unit_of_measurement"] == "kWh"
        assert metadata["name"] == "House Flat Consumption"
        assert await amounts(hass, "climkit:77aa_consumption") == {BEGINNING: 1.0}
    await statistics.async_close()


async def test_two_ids_with_one_slug(hass: HomeAssistant) -> None:
    """Who has no rows yet gets an id of its own, and keeps it when the other is gone."""
    old, new = meter("Ab-1", "Old"), meter("ab_1", "New")
    info = site_info(old)
    statistics = await followed(hass, info)
    hours = HourlyAmounts({BEGINNING: 1.0}, {})
    await statistics.async_write({flow_of(info, "Ab-1"): hours})
    await restarted(hass, statistics)
    info = site_info(new, old)
    statistics = await followed(hass, info)
    assert statistics.statistic_id(flow_of(info, "Ab-1")) == "climkit:ab_1_consumption"
    second = statistics.statistic_id(flow_of(info, "ab_1"))
    assert second != "climkit:ab_1_consumption"
    await statistics.async_write(
        {flow_of(info, "ab_1"): HourlyAmounts({BEGINNING: 4.0}, {})}
    )
    assert await amounts(hass, second) == {BEGINNING: 4.0}
    assert await amounts(hass, "climkit:ab_1_consumption") == {BEGINNING: 1.0}
    await restarted(hass, statistics)
    statistics = await followed(hass, site_info(new))
    assert statistics.statistic_id(flow_of(info, "ab_1")) == second
    await statistics.async_close()


async def test_one_meter_in_two_entries(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The second leaves it alone, whoever starts first later, until the first is gone."""
    shared = meter("77aa", "Flat")
    house = site_info(shared, id_="51", name="House")
    community = site_info(shared, id_="52", name="Community")
    first = await followed(hass, house)
    second = await followed(hass, community, "second")
    flow = flow_of(house, "77aa")
    lines = [r for r in caplog.records if "another site" in r.getMessage()]
    assert [r.levelno for r in lines] == [logging.WARNING]
    assert first.owns(flow)
    assert not second.owns(flow)
    assert second.foreign == {"77aa"}
    assert not second.is_open(flow)
    assert not (await second.async_write({flow: HourlyAmounts({START: 1.0}, {})}))[
        flow
    ].written
    metadata = await metadata_of(hass, "climkit:77aa_consumption")
    assert metadata["name"] == "House Flat Consumption"

    await restarted(hass, first, second)
    second = await followed(hass, community, "second")
    first = await followed(hass, house)
    assert (first.owns(flow), second.owns(flow)) == (True, False)
    await first.async_close()  # reloaded
    assert not second.owns(flow)
    first = await followed(hass, house)
    assert first.owns(flow)

    await first.async_close()
    await hass.config_entries.async_remove("first")
    await settled(hass, second)
    assert second.owns(flow)
    assert second.is_open(flow)
    metadata = await metadata_of(hass, "climkit:77aa_consumption")
    assert metadata["name"] == "Community Flat Consumption"
    await second.async_close()


async def test_a_meter_that_leaves_its_entry(hass: HomeAssistant) -> None:
    """The other entry takes it over while both go on."""
    shared = meter("77aa", "Flat")
    first = await followed(hass, site_info(shared, id_="51"))
    community = site_info(shared, id_="52", name="Community")
    second = await followed(hass, community, "second")
    flow = flow_of(community, "77aa")
    assert not second.owns(flow)
    first.async_follow(site_info(id_="51"))
    await settled(hass, first, second)
    assert second.is_open(flow)
    assert not first.is_open(flow)
    await first.async_close()
    await second.async_close()
