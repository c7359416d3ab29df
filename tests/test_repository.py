"""What HACS, Home Assistant's own checks and the product's promises ask of the files."""

import json
from pathlib import Path
import re
from typing import Any

from awesomeversion import AwesomeVersion
from homeassistant.const import __version__ as HA_VERSION
from PIL import Image
import pytest

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "climkit"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SOURCES = sorted(
    path for room in (INTEGRATION, ROOT / "tests") for path in room.rglob("*.py")
)
LINES = 350
"""What can be read at once: of one theme, in the integration as in its tests."""


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_manifest_has_the_keys_of_a_custom_integration_in_order() -> None:
    manifest = load(INTEGRATION / "manifest.json")
    assert list(manifest) == [
        "domain",
        "name",
        *sorted(set(manifest) - {"domain", "name"}),
    ]
    assert manifest["domain"] == INTEGRATION.name
    assert manifest["iot_class"] == "cloud_polling"
    assert "recorder" in manifest["dependencies"]
    assert manifest["codeowners"] == ["@ha-climkit"]
    for key in ("documentation", "issue_tracker"):
        assert manifest[key].startswith("https://github.com/ha-climkit/ha-climkit")
    assert AwesomeVersion(manifest["version"]).valid


def test_requirements_of_the_integration_are_those_tested() -> None:
    tested = (ROOT / "requirements_test.txt").read_text().splitlines()
    assert set(load(INTEGRATION / "manifest.json")["requirements"]) <= set(tested)


def test_hacs_json_has_only_known_keys_and_a_version_that_is_tested() -> None:
    hacs = load(ROOT / "hacs.json")
    assert set(hacs) <= {
        "content_in_root",
        "country",
        "filename",
        "hacs",
        "hide_default_branch",
        "homeassistant",
        "name",
        "persistent_directory",
        "zip_release",
    }
    assert AwesomeVersion(hacs["homeassistant"]) <= AwesomeVersion(HA_VERSION)
    assert hacs["filename"] in (ROOT / ".github/workflows/release.yml").read_text()


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_icons_have_the_size_asked_for_and_are_trimmed(name: str, size: int) -> None:
    with Image.open(INTEGRATION / "brand" / name) as image:
        assert image.format == "PNG"
        pixels = image.convert("RGBA")
    assert pixels.size == (size, size)
    assert pixels.getbbox() == (0, 0, size, size)
    assert pixels.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_actions_and_grant_nothing_by_default(workflow: Path) -> None:
    text = workflow.read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [name for name in used if not re.search(r"@[0-9a-f]{40}$", name)] == []
    # Dependabot raises the version in the comment with the commit.
    assert len(re.findall(r"uses: \S+ # (v\d|\w+, \d{4}-)", text)) == len(used)
    assert "\npermissions: {}\n" in text


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    too_long = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if len(path.read_text("utf-8").splitlines()) > LINES
    ]
    assert len(SOURCES) > 100
    assert too_long == []


def test_readme_starts_with_the_two_commands() -> None:
    start = (ROOT / "README.md").read_text()[:300]
    assert "scripts/demo" in start
    assert "scripts/test" in start
