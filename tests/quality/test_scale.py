"""One test for each rule of the quality scale that a program can check."""

import ast
import re

from homeassistant.components.sensor import SensorEntity
from homeassistant.util.yaml import load_yaml_dict

from custom_components.climkit import sensor
from custom_components.climkit.config_flow import ClimkitConfigFlow
from custom_components.climkit.entities import environment, flows, registers, status
from custom_components.climkit.setup_flow.options import ClimkitOptionsFlow

from .sources import INTEGRATION, MODULES, ROOT, functions, load, source
from .tiers import TIERS


def test_every_rule_is_answered() -> None:
    """All 54, each done, or exempt with a reason."""
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    asked = [rule for tier in TIERS.values() for rule in tier]
    assert len(asked) == len(set(asked)) == 54
    assert list(rules) == asked
    for rule, answer in rules.items():
        status = answer if isinstance(answer, str) else answer["status"]
        assert status in ("done", "exempt"), rule
        assert status == "done" or len(answer["comment"].split()) > 3, rule


def test_the_tier_that_is_claimed() -> None:
    assert load("manifest.json")["quality_scale"] == "platinum"


def test_action_setup() -> None:
    """Actions exist whether or not an entry is loaded."""
    called = ast.unparse(functions("__init__")["async_setup"])
    assert "async_setup_services(hass)" in called
    assert "services" not in ast.unparse(functions("__init__")["async_setup_entry"])


def test_common_modules() -> None:
    """Coordinators are in the room that reads, the base of all entities is in theirs."""
    for name in ("live_coordinator", "site_coordinator", "on_demand"):
        assert "DataUpdateCoordinator[" in source(f"reading/{name}"), name
    assert "CoordinatorEntity" in source("entities/base")


def test_config_flow_and_its_kinds() -> None:
    """Set-up, reauth, reconfigure, options; the deprecated ways are not used."""
    steps = {name for name in dir(ClimkitConfigFlow) if name.startswith("async_step_")}
    assert {
        *("async_step_user", "async_step_reauth", "async_step_reauth_confirm"),
        *("async_step_reconfigure", "async_step_integration_discovery"),
    } <= steps
    bases = [base.__name__ for base in ClimkitOptionsFlow.__mro__]
    assert "OptionsFlowWithReload" in bases
    assert "add_update_listener" not in source("__init__")


def test_unique_config_entry() -> None:
    text = source("config_flow")
    assert "async_set_unique_id" in text
    assert "_abort_if_unique_id_configured" in text


def test_runtime_data() -> None:
    """A typed entry, used wherever Home Assistant hands one over."""
    assert "type ClimkitConfigEntry = ConfigEntry[SiteRuntime]" in source("runtime")
    assert "entry.runtime_data =" in source("__init__")
    handed_over = {
        "__init__": ("async_setup_entry", "async_unload_entry", "async_remove_entry"),
        "diagnostics": ("async_get_config_entry_diagnostics",),
        "sensor": ("async_setup_entry",),
    }
    for module, names in handed_over.items():
        for name in names:
            annotations = [
                ast.unparse(argument.annotation)
                for argument in functions(module)[name].args.args
                if argument.annotation
            ]
            assert "ClimkitConfigEntry" in annotations, name
    assert "hass.data[DOMAIN]" not in "".join(path.read_text() for path in MODULES)


def test_test_before_setup() -> None:
    """An entry whose site or newest readings cannot be had is set up later."""
    assert "await async_build(" in ast.unparse(
        functions("__init__")["async_setup_entry"]
    )
    built = ast.unparse(functions("runtime")["async_build"])
    assert "await site.async_config_entry_first_refresh()" in built
    assert "await live.async_config_entry_first_refresh()" in built


def test_parallel_updates() -> None:
    assert sensor.PARALLEL_UPDATES == 0


def test_config_entry_unloading() -> None:
    assert "async_unload_platforms" in source("__init__")


def entity_classes() -> list[type[SensorEntity]]:
    return [
        found
        for module in (environment, flows, registers, status)
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, SensorEntity)
        and found.__module__ == module.__name__
    ]


def test_has_entity_name() -> None:
    assert len(entity_classes()) >= 6
    assert all(kind._attr_has_entity_name for kind in entity_classes())
    assert not [kind for kind in entity_classes() if "entity_id" in vars(kind)]


def test_diagnostics_and_stale_devices() -> None:
    assert "async_get_config_entry_diagnostics" in functions("diagnostics")
    assert "async_remove_config_entry_device" in functions("__init__")


def test_async_dependency_and_inject_websession() -> None:
    """The client is asynchronous, and gets Home Assistant's session."""
    assert "async_get_clientsession(hass)" in source("reading/account").replace(
        "self._", ""
    )
    blocking = {"requests", "urllib3", "http.client", "time.sleep"}
    text = "".join(path.read_text("utf-8") for path in INTEGRATION.rglob("*.py"))
    assert not [name for name in blocking if re.search(rf"import {name}\b", text)]


def test_strict_typing() -> None:
    """Nothing is exempt from the checker, which runs with all its rules."""
    settings = (ROOT / "setup.cfg").read_text("utf-8")
    assert "strict = true" in settings
    text = "".join(path.read_text("utf-8") for path in INTEGRATION.rglob("*.py"))
    assert "type: ignore\n" not in text


def test_no_deprecated_interfaces() -> None:
    """What Home Assistant has announced to remove."""
    text = "".join(path.read_text("utf-8") for path in INTEGRATION.rglob("*.py"))
    gone = {
        *("from __future__ import annotations", "async_import_statistics"),
        *("via_device=", "CONNECTION_CLASS", "hass.helpers", "async_get_device("),
        *("remove_config_entry_id", "show_advanced_options", "import probatio"),
    }
    assert not [name for name in gone if name in text]


HEADINGS: dict[str, str] = {
    "docs-actions": "Actions",
    "docs-configuration-parameters": "Set-up",
    "docs-data-update": "How data comes, and how late",
    "docs-examples": "Automations",
    "docs-high-level-description": "Climkit for Home Assistant",
    "docs-installation-instructions": "Installation",
    "docs-installation-parameters": "Set-up",
    "docs-known-limitations": "Known limits",
    "docs-removal-instructions": "Removal",
    "docs-supported-devices": "What you get",
    "docs-supported-functions": "What you get",
    "docs-troubleshooting": "Troubleshooting",
    "docs-use-cases": "Automations",
}


def test_documentation() -> None:
    """Each docs rule has its chapter, and that chapter something to say."""
    rules = {rule for tier in TIERS.values() for rule in tier if rule[:5] == "docs-"}
    assert set(HEADINGS) == rules - {"docs-triggers", "docs-conditions"}
    text = (ROOT / "README.md").read_text("utf-8")
    chapters = dict(re.findall(r"(?ms)^##? ([^\n]+)\n(.*?)(?=^## |\Z)", text))
    for rule, heading in HEADINGS.items():
        assert len(chapters[heading]) > 200, rule
    for action in load_yaml_dict(str(INTEGRATION / "services.yaml")):
        assert f"climkit.{action}" in chapters["Actions"]
