"""What Home Assistant's checks ask of the manifest, and of the files beside it."""

import ast
from importlib.util import find_spec
from pathlib import Path
import re

from homeassistant import generated
from homeassistant.core import HomeAssistant
from homeassistant.loader import Integration
import voluptuous as vol

from custom_components.climkit.const import DOMAIN

from .sources import INTEGRATION, MODULES, ROOT, load
from .tiers import TIERS


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
