"""What all blueprints have in common, and that the README's links lead to them."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any, Final, cast
from urllib.parse import unquote

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import models
from homeassistant.util.yaml import parse_yaml
import pytest

from .running import FOLDER, ROOT, url_of

READMES: Final = ("README.md", "docs/README.de.md", "docs/README.fr.md")
NAMES: Final = ("surplus", "peak", "night", "statement", "silence")
LINK: Final = (
    r"\]\(https://my\.home-assistant\.io/redirect/blueprint_import/"
    r"\?blueprint_url=([^)]+)\)"
)
OF_OTHERS: Final = ("appliance", "price")
"""Inputs for entities that are not Climkit's."""


def _read(name: str) -> models.Blueprint:
    """Return a blueprint, as Home Assistant validates it."""
    data = cast(
        dict[str, Any], parse_yaml((FOLDER / f"{name}.yaml").read_text("utf-8"))
    )
    return models.Blueprint(
        data, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA
    )


def _sections(blueprint: models.Blueprint) -> list[dict[str, Any]]:
    return [some for some in blueprint.metadata["input"].values() if "input" in some]


def _filters(inputs: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return which entities and devices may be chosen, by input."""
    for name, some in inputs.items():
        for kind in ("entity", "device"):
            if kind in some["selector"]:
                yield name, some["selector"][kind]["filter"]


def test_each_blueprint_has_its_test() -> None:
    """And there is no other file in the folder."""
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.yaml" for name in NAMES
    }
    tests = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert tests == {f"test_{name}.py" for name in (*NAMES, "blueprints")}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_where_it_is_from_and_what_it_needs(name: str) -> None:
    blueprint = _read(name)
    assert blueprint.validate() is None
    assert blueprint.metadata["source_url"] == url_of(name)
    assert blueprint.metadata["homeassistant"] == {"min_version": "2026.10.0"}
    assert "15 to 40 minutes" in " ".join(blueprint.metadata["description"].split())


@pytest.mark.parametrize("name", NAMES)
def test_its_inputs_are_named_and_few_must_be_filled_in(name: str) -> None:
    """What stands in a section has a default, so that it may stay closed."""
    blueprint = _read(name)
    assert all(some.get("name") for some in blueprint.inputs.values())
    assert all(some.get("selector") for some in blueprint.inputs.values())
    for section in _sections(blueprint):
        assert section["collapsed"]
        assert all("default" in some for some in section["input"].values())
    needed = {key for key, some in blueprint.inputs.items() if "default" not in some}
    assert needed == {
        "surplus": {"export", "last_reading", "appliance"},
    }.get(name, {"last_reading"})
    (action,) = blueprint.inputs["notify"]["default"]
    assert action["action"] == "persistent_notification.create"


@pytest.mark.parametrize("name", NAMES)
def test_sensors_and_devices_to_choose_are_climkits(name: str) -> None:
    found = dict(_filters(_read(name).inputs))
    assert "last_reading" in found
    for some, filters in found.items():
        ours = {one.get("integration") for one in filters}
        assert (ours == {"climkit"}) is (some not in OF_OTHERS), some


@pytest.mark.parametrize("readme", READMES)
def test_links_import_the_files(readme: str) -> None:
    """One for each, with the address that the blueprint itself gives."""
    text = (ROOT / readme).read_text("utf-8")
    links = [unquote(link) for link in re.findall(LINK, text)]
    assert links == [url_of(name) for name in NAMES]
