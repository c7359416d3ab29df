"""What Home Assistant's own checks and its quality scale ask, as far as a program can.

Its checker (hassfest) is not part of the installed package; these are our own words for
the rules that it is documented to enforce, on what is installed here.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
import json
from pathlib import Path
import re
from typing import Any

from homeassistant import generated
from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector, service
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import Integration
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.climkit import sensor
from custom_components.climkit.config_flow import ClimkitConfigFlow
from custom_components.climkit.const import DOMAIN
from custom_components.climkit.entities import environment, flows, registers, status
from custom_components.climkit.setup_flow.options import ClimkitOptionsFlow

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "climkit"
MODULES = sorted(INTEGRATION.rglob("*.py"))
LANGUAGES = ("en", "de", "fr", "it")

TIERS: dict[str, tuple[str, ...]] = {
    "bronze": (
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow",
        "config-flow-test-coverage",
        "dependency-transparency",
        "docs-actions",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "docs-triggers",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    ),
    "silver": (
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    ),
    "gold": (
        "devices",
        "diagnostics",
        "discovery",
        "discovery-update-info",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    ),
    "platinum": ("async-dependency", "inject-websession", "strict-typing"),
}


@cache
def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((INTEGRATION / name).read_text("utf-8"))
    return content


@cache
def source(name: str) -> str:
    return (INTEGRATION / f"{name}.py").read_text("utf-8")


def tree(name: str) -> ast.Module:
    return ast.parse(source(name))


def functions(name: str) -> dict[str, ast.AsyncFunctionDef | ast.FunctionDef]:
    """Return the functions and methods of a module by name."""
    return {
        node.name: node
        for node in ast.walk(tree(name))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


# --- The scale itself -----------------------------------------------------------------


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


# --- Manifest -------------------------------------------------------------------------


def _https(value: object) -> str:
    url = str(vol.Url()(value))
    if not url.startswith("https://"):
        raise vol.Invalid("https expected")
    return url


MANIFEST = vol.Schema(
    {
        vol.Required("domain"): DOMAIN,
        vol.Required("name"): str,
        vol.Required("codeowners"): vol.All([vol.Match(r"^@[\w-]+$")], vol.Length(1)),
        vol.Required("documentation"): _https,
        vol.Required("issue_tracker"): _https,
        vol.Required("version"): vol.Match(r"^\d+\.\d+\.\d+$"),
        vol.Required("iot_class"): "cloud_polling",
        vol.Required("integration_type"): vol.In(["hub", "service"]),
        vol.Required("config_flow"): True,
        vol.Optional("dependencies"): [str],
        vol.Optional("after_dependencies"): [str],
        vol.Optional("requirements"): [vol.Match(r"^[a-z0-9-]+[=>]=[\d.]+$")],
        vol.Optional("loggers"): [str],
        vol.Optional("quality_scale"): vol.In(list(TIERS)),
    }
)


def test_manifest_has_what_it_must_and_nothing_else() -> None:
    manifest = load("manifest.json")
    MANIFEST(manifest)
    assert list(manifest) == ["domain", "name", *sorted(list(manifest)[2:])]


def test_no_requirement_that_comes_with_home_assistant_anyway() -> None:
    """What it pins itself cannot be asked for in another version."""
    spec = find_spec("homeassistant")
    assert spec is not None
    assert spec.submodule_search_locations
    constraints = Path(spec.submodule_search_locations[0], "package_constraints.txt")
    pinned = {
        line.split("==")[0].casefold()
        for line in constraints.read_text("utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    }
    wanted = {
        re.split("[=>]", text)[0] for text in load("manifest.json")["requirements"]
    }
    assert wanted & pinned == set()


async def test_dependencies_can_be_resolved(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    integration = Integration.resolve_from_root(
        hass, __import__("custom_components"), DOMAIN
    )
    assert integration is not None
    assert await integration.resolve_dependencies()


PLATFORMS_OF_OTHERS = {"diagnostics", "repairs", "sensor", "system_health"}
"""Components that load a file of ours, and so are there whenever it is imported."""


def imported_components() -> dict[str, set[str]]:
    """Return which of Home Assistant's components are imported by which modules."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
                if node.module == "homeassistant.components":
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                if name.startswith("homeassistant.components."):
                    found.setdefault(name.split(".")[2], set()).add(path.stem)
    return found


def test_components_that_are_imported_are_depended_on() -> None:
    manifest = load("manifest.json")
    declared = {*manifest["dependencies"], *manifest["after_dependencies"]}
    assert declared <= set(imported_components())
    for component, modules in imported_components().items():
        if component in declared:
            continue
        assert component in PLATFORMS_OF_OTHERS, modules
        assert (INTEGRATION / f"{component}.py").exists()


def test_packages_that_are_imported_are_required() -> None:
    """Beside Home Assistant's own: what it does not bring is in the manifest."""
    found = set()
    for path in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    required = {
        re.split("[=>]", text)[0] for text in load("manifest.json")["requirements"]
    }
    with_home_assistant = {"aiohttp", "yarl", "voluptuous", "sqlalchemy"}
    standard = __import__("sys").stdlib_module_names
    assert found - standard - {"homeassistant"} - with_home_assistant <= required
    assert required <= found


def test_the_domain_is_nobody_elses() -> None:
    assert DOMAIN not in generated.config_flows.FLOWS["integration"]


def test_brand_has_only_what_home_assistant_serves() -> None:
    allowed = {
        f"{dark}{kind}{double}.png"
        for dark in ("", "dark_")
        for kind in ("icon", "logo")
        for double in ("", "@2x")
    }
    found = {path.name for path in (INTEGRATION / "brand").iterdir()}
    assert {"icon.png", "icon@2x.png"} <= found <= allowed
    assert not (ROOT / "brand").exists()


def test_no_file_that_would_be_taken_for_a_platform() -> None:
    """Home Assistant loads files of these names from any integration."""
    reserved = {
        *("energy", "recorder", "logbook", "group", "intent", "backup"),
        *("trigger", "condition", "significant_change", "strings"),
    }
    assert not {path.stem for path in INTEGRATION.iterdir()} & reserved


# --- Texts, icons, actions ------------------------------------------------------------

TEXTS = vol.Schema(
    {
        vol.Required("title"): "Climkit",
        vol.Required("config"): {
            vol.Required("step"): {str: dict},
            vol.Required("error"): {str: str},
            vol.Required("abort"): {str: str},
            vol.Optional("progress"): {str: str},
        },
        vol.Required("options"): {
            vol.Required("step"): {str: dict},
            vol.Optional("error"): {str: str},
            vol.Optional("abort"): {str: str},
        },
        vol.Required("config_subentries"): {
            str: {
                vol.Required("entry_type"): str,
                vol.Required("initiate_flow"): {
                    vol.Required("user"): str,
                    vol.Optional("reconfigure"): str,
                },
                vol.Required("step"): {str: dict},
                vol.Required("error"): {str: str},
                vol.Required("abort"): {str: str},
            }
        },
        vol.Required("entity"): {"sensor": {str: {"name": str}}},
        vol.Required("exceptions"): {str: {"message": str}},
        vol.Required("issues"): {
            str: vol.All(
                {
                    vol.Required("title"): str,
                    vol.Exclusive("description", "kind"): str,
                    vol.Exclusive("fix_flow", "kind"): dict,
                },
                vol.Length(2),
            )
        },
        vol.Required("services"): {
            str: {
                "name": str,
                "description": str,
                vol.Optional("fields"): {str: {"name": str, "description": str}},
            }
        },
        vol.Required("selector"): {
            str: vol.Any(
                {vol.Required("options"): {str: str}},
                {vol.Required("fields"): {str: {"name": str, "description": str}}},
            )
        },
        vol.Required("system_health"): {"info": {str: str}},
    }
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_the_structure_asked_for(language: str) -> None:
    TEXTS(load(f"translations/{language}.json"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_loads_every_text(
    hass: HomeAssistant, enable_custom_integrations: None, language: str
) -> None:
    """As the frontend will: each category, by its full key."""
    for category in load("translations/en.json"):
        if category == "title":
            continue
        found = await async_get_translations(hass, language, category, {DOMAIN})
        assert found, category
        assert all(found.values())


def translation_keys() -> Iterator[tuple[str, str]]:
    """Yield module and value of each constant that is given as `translation_key`."""
    for path in MODULES:
        module = ast.parse(path.read_text("utf-8"))
        constants = {
            node.target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.keyword) and node.arg == "translation_key":
                if isinstance(node.value, ast.Constant) and node.value.value:
                    yield path.stem, str(node.value.value)
                elif isinstance(node.value, ast.Name) and node.value.id in constants:
                    yield path.stem, str(constants[node.value.id])


def test_every_key_in_the_code_has_a_text() -> None:
    english = load("translations/en.json")
    known = {
        *english["exceptions"],
        *english["issues"],
        *english["selector"],
        *english["entity"]["sensor"],
    }
    used = set(translation_keys())
    assert {key for _, key in used} <= known
    assert len(used) > 10


def test_every_exception_of_home_assistant_is_translated() -> None:
    """Whoever reads it may not read English."""
    kinds = {
        *("ConfigEntryAuthFailed", "UpdateFailed", "ServiceValidationError"),
        *("HomeAssistantError", "ConfigEntryNotReady", "ConfigEntryError"),
    }
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Raise)
                and isinstance(node.exc, ast.Call)
                and isinstance(node.exc.func, ast.Name)
                and node.exc.func.id in kinds
            ):
                given = {keyword.arg for keyword in node.exc.keywords}
                assert {"translation_domain", "translation_key"} <= given, path.stem


def test_actions_are_as_home_assistant_wants_them() -> None:
    """The file is valid, each selector too; no field is hidden from who reads the texts."""
    actions = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    service._SERVICES_SCHEMA(actions)
    for action in actions.values():
        for field in action["fields"].values():
            selector.validate_selector(field["selector"])
    icons = load("icons.json")["services"]
    assert set(icons) == set(actions)
    assert all(icon["service"].startswith("mdi:") for icon in icons.values())


def test_icons_have_the_structure_asked_for() -> None:
    vol.Schema(
        {
            "entity": {"sensor": {str: {vol.Required("default"): vol.Match("^mdi:")}}},
            "services": {str: {vol.Required("service"): vol.Match("^mdi:")}},
        }
    )(load("icons.json"))


# --- One test for each rule of the quality scale that a program can check -------------


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
