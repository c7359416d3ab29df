"""What Home Assistant's checks ask of texts, icons and actions."""

import ast
from collections.abc import Iterator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector, service
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.climkit.const import DOMAIN

from .sources import INTEGRATION, MODULES, load

LANGUAGES = ("en", "de", "fr", "it")
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
