"""What people read: complete in every language, and every icon known to the frontend."""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.climkit.api import MeterMode, MeterType
from custom_components.climkit.metering.flows import FlowKind

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "climkit"
LANGUAGES = ("en", "de", "fr", "it")
OTHERS = LANGUAGES[1:]

# As the contract has them: automations and dashboards know these names.
FLOWS = [
    "consumption",
    "production",
    "self_consumption",
    "grid_import",
    "grid_export",
    "battery_charge",
    "battery_discharge",
    "heating",
    "cooling",
    "cold_water",
    "hot_water",
    "charge_points",
    "solar_consumption",
    "grid_consumption",
]
NOT_ELECTRIC = {"heating", "cooling", "cold_water", "hot_water"}
COSTS = [  # the names of statistics, which have no sensor
    "grid_import_cost",
    "grid_export_compensation",
    "self_consumption_value",
    *(f"{medium}_cost" for medium in sorted(NOT_ELECTRIC)),
    "grid_consumption_cost",
    "solar_consumption_cost",
    "consumption_cost",
    "fees",
]
PRICED = ["grid", "solar", "feed_in", *sorted(NOT_ELECTRIC)]
SENSORS = {
    *FLOWS,
    *(f"{flow}_today" for flow in FLOWS),
    *(f"{flow}_power" for flow in FLOWS if flow not in NOT_ELECTRIC),
    "self_consumption_rate",
    "self_sufficiency_rate",
    "last_reading",
    "history_import",
    "index_import",
    "index_export",
    "index",
    "meter_index_import",
    "meter_index_export",
    *(f"{component}_price" for component in PRICED),
    *("cost_today", "cost_this_month", "compensation_today"),
    *("compensation_this_month", "unpriced_hours"),
}
NAMED_BY_THEIR_DEVICE = {"environment"}

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def load(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration; refuses a key that is there twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(pairs) == len(dict(pairs)), pairs
        return dict(pairs)

    text = (INTEGRATION / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text, object_pairs_hook=once)
    return content


def texts(language: str) -> dict[str, str]:
    """Return every text of a language by its dotted key."""
    return dict(flat(load(f"translations/{language}.json")))


def flat(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a tree with their dotted keys."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_one_file_for_each_language() -> None:
    found = {path.stem for path in (INTEGRATION / "translations").glob("*.json")}
    assert found == set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_languages_say_the_same(language: str) -> None:
    """Same keys, and in each text the same placeholders."""
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    assert {key: sorted(PLACEHOLDER.findall(text)) for key, text in other.items()} == {
        key: sorted(PLACEHOLDER.findall(text)) for key, text in english.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_everything_is_translated(language: str) -> None:
    """A sentence that is the same in two languages was forgotten."""
    english, other = texts("en"), texts(language)
    forgotten = {
        key
        for key, text in other.items()
        if text == english[key] and len(text.split()) > 2
    }
    assert not forgotten


FORBIDDEN = {
    "address": r"https?://|www\.",
    "markup": r"<[^>]+>",
    "space at an end": r"^\s|\s$",
    "double space": r"  ",
    "reference": r"\[%key",
    "quoted placeholder": r"'\{\w+\}'",
    "apostrophe that escapes a placeholder": r"'",
    "sharp s, which Swiss German has not": "ß",
    "empty": r"^$",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN)
def test_texts_are_clean(language: str, pattern: str) -> None:
    found = {key for key, text in texts(language).items() if re.search(pattern, text)}
    assert not found


def test_keys_are_well_formed() -> None:
    for key in texts("en"):
        for part in key.split("."):
            assert re.fullmatch(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", part), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sensor_has_a_name_of_its_own(language: str) -> None:
    """All of them, none twice, in sentence case."""
    sensors = load(f"translations/{language}.json")["entity"]["sensor"]
    assert set(sensors) == SENSORS | set(COSTS)
    names = [sensor["name"] for sensor in sensors.values()]
    assert len(set(names)) == len(names)
    assert all(name[0].isupper() or name[0] == "{" for name in names)


def test_every_flow_is_in_the_contract() -> None:
    assert {str(kind) for kind in FlowKind} == set(FLOWS)


def test_every_kind_of_meter_has_a_word() -> None:
    kinds = load("translations/en.json")["selector"]["meter_kind"]["options"]
    modes = set(MeterMode) - {MeterMode.INTRODUCTION}  # never offered
    assert set(kinds) == {*MeterType, *modes}


def test_every_kind_of_device_has_a_word() -> None:
    models = load("translations/en.json")["selector"]["model"]["options"]
    assert set(models) == {*MeterType, MeterMode.PRODUCTION, "meter", "site", "sensor"}


@pytest.mark.parametrize("area", ["config", "options", "config_subentries.tariff"])
def test_every_field_is_described(area: str) -> None:
    branch = load("translations/en.json")
    for part in area.split("."):
        branch = branch[part]
    for name, step in branch["step"].items():
        assert step["title"], name
        fields = list(step.get("data", {}))
        assert fields == list(step.get("data_description", {})), name


WORDS_OF_HOME_ASSISTANT = {"reauth_successful", "reconfigure_successful"}
"""Ends of flows for which Home Assistant has its own words."""


@pytest.mark.parametrize(
    "prefix",
    [
        "config.error",
        "config.abort",
        "config.progress",
        "config_subentries.tariff.abort",
        "config_subentries.tariff.error",
        "exceptions",
        "issues",
        "options.abort",
        "system_health.info",
    ],
)
def test_every_message_is_used(prefix: str) -> None:
    """Each key stands in the sources as it is."""
    sources = "".join(path.read_text("utf-8") for path in INTEGRATION.rglob("*.py"))
    branch = load("translations/en.json")
    for part in prefix.split("."):
        branch = branch[part]
    assert {key for key in branch if f'"{key}"' not in sources} == set()
    assert not set(branch) & WORDS_OF_HOME_ASSISTANT


def test_every_action_is_described() -> None:
    """Same actions, fields and choices as Home Assistant is told of."""
    actions = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    english = load("translations/en.json")
    assert {
        name: list(action["fields"]) for name, action in english["services"].items()
    } == {name: list(action["fields"]) for name, action in actions.items()}
    for action in actions.values():
        for field in action["fields"].values():
            choice = (field["selector"] or {}).get("select") or {}
            if key := choice.get("translation_key"):
                assert list(english["selector"][key]["options"]) == choice["options"]


def icons() -> dict[str, str]:
    """Return every icon by its dotted key."""
    return dict(flat(load("icons.json")))


def test_icons_are_for_what_exists() -> None:
    assert (
        set(load("icons.json")["entity"]["sensor"]) <= SENSORS | NAMED_BY_THEIR_DEVICE
    )
    services = load("translations/en.json")["services"]
    assert set(load("icons.json")["services"]) == set(services)


@pytest.mark.skipif(find_spec("hass_frontend") is None, reason="no frontend installed")
def test_icons_are_known_to_the_frontend() -> None:
    spec = find_spec("hass_frontend")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    icon_list = json.loads((folder / "static/mdi/iconList.json").read_text("utf-8"))
    known = {f"mdi:{icon['name']}" for icon in icon_list}
    assert set(icons().values()) <= known
