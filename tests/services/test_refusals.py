"""In which words the actions refuse."""

from datetime import timedelta
from itertools import product
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.climkit.const import DOMAIN

from ..conftest import LATELY, NOW, entry_for, set_up
from ..simulator import Fault, SimulatedSite, Simulator, sites
from .calls import device, read

pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.statistics_only]


@pytest.fixture(autouse=True)
def _young(site: SimulatedSite) -> None:
    """Let there be days of history, of which nobody reads any here."""
    site.created = LATELY


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such meter": (
        {"meter": "nonsense"},
        "nonsense is not a meter of Les Tilleuls that has been chosen as a device",
    ),
    "end before start": (
        {"start": "2026-06-02", "end": "2026-06-01"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "nothing between": (
        {"start": "2026-06-02", "end": "2026-06-02"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "from tomorrow until now": (
        {"start": "2026-06-17"},
        "The end has to be later than the start. Without an end, it is now",
    ),
    "too many quarter hours": (
        {"start": "2026-05-01", "end": "2026-06-02", "period": "quarter_hour"},
        "At this interval, a period of at most 31 days can be fetched",
    ),
    "too many hours": (
        {"start": "2026-01-01", "end": "2026-06-01"},
        "At this interval, a period of at most 124 days can be fetched",
    ),
}


async def test_what_cannot_be_answered_is_refused_in_words(
    hass: HomeAssistant,
    cloud: Simulator,
    loaded: MockConfigEntry,
    subtests: pytest.Subtests,
) -> None:
    """Before anything is asked of the cloud."""
    await hass.async_block_till_done(wait_background_tasks=True)
    before = len(cloud.requests)
    for case, (data, words) in REFUSED.items():
        with subtests.test(case):
            with pytest.raises(ServiceValidationError) as refusal:
                await read(hass, loaded, **data)
            assert refusal.value.translation_domain == DOMAIN
            assert str(refusal.value) == words
            assert len(cloud.requests) == before


async def test_devices_that_are_no_meter_of_the_site_are_refused_by_name(
    hass: HomeAssistant, cloud: Simulator, loaded: MockConfigEntry
) -> None:
    """A meter of another site, and what is not of this integration at all."""
    other = sites.many(1, created=cloud.sites[0].created)[0]
    cloud.sites.append(other)
    second = entry_for(other)
    await set_up(hass, second)
    foreign = device(hass, second, other.meter("Appartement 1.2").id)
    lamp = dr.async_get(hass).async_get_or_create(
        config_entry_id=loaded.entry_id, identifiers={("lamp", "1")}, name="Lamp"
    )
    for some in (foreign, lamp):
        with pytest.raises(ServiceValidationError) as refusal:
            await read(hass, loaded, meter=some.id)
        assert refusal.value.translation_key == "unknown_meter"
        assert str(refusal.value).startswith(
            f"{some.name} is not a meter of Les Tilleuls"
        )


NOT_MEANT: list[dict[str, Any]] = [
    {"start": "yesterday"},
    {"start": 7},
    {"start": "0001-01-01"},
    {"end": "9999-12-31"},
    {"meter": ["a", "b"]},
    {"period": "fortnight"},
    {"flow": "consumption"},
]


async def test_what_is_not_meant_like_this_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """Of readings, and of history from an impossible time."""
    for data in NOT_MEANT:
        with subtests.test(str(data)), pytest.raises(vol.Invalid):
            await read(hass, loaded, **data)
    for start in ("yesterday", "0001-01-01", "9999-12-31"):
        data = {"config_entry_id": loaded.entry_id, "start": start}
        with subtests.test(history_from=start), pytest.raises(vol.Invalid):
            await hass.services.async_call(
                DOMAIN, "import_history", data, blocking=True
            )


async def test_a_site_that_is_not_loaded(
    hass: HomeAssistant, loaded: MockConfigEntry, subtests: pytest.Subtests
) -> None:
    """Home Assistant has words for that, and for one that is not there."""
    await hass.config_entries.async_unload(loaded.entry_id)
    for action, (entry_id, key) in product(
        ("get_readings", "import_history"),
        (
            (loaded.entry_id, "service_config_entry_not_loaded"),
            ("nonsense", "service_config_entry_not_found"),
        ),
    ):
        with subtests.test(action=action, key=key):
            with pytest.raises(ServiceValidationError) as refusal:
                await hass.services.async_call(
                    DOMAIN,
                    action,
                    {"config_entry_id": entry_id},
                    blocking=True,
                    return_response=action == "get_readings",
                )
            assert refusal.value.translation_key == key


TROUBLE: dict[str, tuple[Fault, str]] = {
    "down": (Fault("refuse"), "could not be reached to read Les Tilleuls"),
    "error": (
        Fault("status", status=500),
        "a problem of its own at the moment and cannot answer for Les Tilleuls",
    ),
    "a page": (Fault("html"), "an answer for Les Tilleuls that cannot be understood"),
    "withdrawn": (
        Fault("status", path="site_data", status=403),
        "denies access to Les Tilleuls",
    ),
    "password changed": (
        Fault("status", path="auth", status=401),
        "no longer accepts the username and password",
    ),
}


@pytest.mark.parametrize("action", ["get_readings", "import_history"])
@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble_with_the_cloud_is_told_in_words(
    hass: HomeAssistant,
    cloud: Simulator,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    trouble: str,
    action: str,
) -> None:
    """And over a minute after it is over, or once new credentials were asked for."""
    fault, words = TROUBLE[trouble]
    await hass.async_block_till_done(wait_background_tasks=True)
    cloud.expire_tokens()
    cloud.faults.add(fault)
    data = {"config_entry_id": loaded.entry_id, "start": "2026-06-10"}

    async def call() -> None:
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=action == "get_readings",
        )

    with pytest.raises(HomeAssistantError) as error:
        await call()
    assert error.value.translation_domain == DOMAIN
    assert words in str(error.value)
    cloud.faults.clear()
    freezer.tick(timedelta(minutes=1))
    if trouble == "password changed":
        # The user is asked, and nobody logs in until there is an answer.
        assert hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        before = len(cloud.requests)
        with pytest.raises(HomeAssistantError):
            await call()
        assert len(cloud.requests) == before
        await hass.config_entries.async_reload(loaded.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    await call()
