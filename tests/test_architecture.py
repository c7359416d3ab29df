"""Who may import whom, read from the sources: data runs one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "custom_components" / "climkit"

PURE = {"metering", "schedule", "flows", "source"}
"""Modules without anything of Home Assistant."""

ALLOWED: dict[str, set[str]] = {
    "const": set(),
    "access": {"const"},
    "flows": {"api", "const"},
    "metering": set(),
    "schedule": {"metering"},
    "source": {"api", "flows"},
    "account": {"api", "const"},
    "statistics": {"const", "flows", "metering"},
    "progress": {"const", "flows", "metering"},
    "site": {"api", "flows", "metering"},
    "errors": {"api", "const"},
    "names": {"api", "const", "flows", "site"},
    "outage": {"const", "errors"},
    "one_by_one": {"api", "const", "outage"},
    "books": {"flows", "metering", "names", "progress", "site", "statistics"},
    "coordinator": {
        "access",
        "api",
        "books",
        "const",
        "errors",
        "flows",
        "names",
        "metering",
        "outage",
        "schedule",
        "site",
        "source",
        "statistics",
    },
    "history": {
        "api",
        "books",
        "const",
        "coordinator",
        "flows",
        "metering",
        "source",
        "statistics",
    },
    "audit": {
        "api",
        "books",
        "const",
        "coordinator",
        "flows",
        "history",
        "metering",
        "site",
        "source",
        "statistics",
    },
    "measurands": {"api"},
    "environment": {
        "api",
        "const",
        "coordinator",
        "entity",
        "measurands",
        "metering",
        "one_by_one",
    },
    "registers": {
        "api",
        "const",
        "coordinator",
        "entity",
        "flows",
        "one_by_one",
        "site",
    },
    "runtime": {
        "api",
        "audit",
        "books",
        "coordinator",
        "environment",
        "history",
        "registers",
        "source",
    },
    "services": {"api", "const", "errors", "flows", "metering", "runtime"},
    "devices": {"const", "names", "runtime", "site"},
    "diagnostics": {"api", "const", "coordinator", "measurands", "runtime"},
    "system_health": {"account", "const", "runtime"},
    "energy_preferences": {"api", "const", "flows", "statistics"},
    "dashboard": {"const", "energy_preferences"},
    "dashboard_setup": {
        "const",
        "dashboard",
        "flows",
        "names",
        "energy_preferences",
        "runtime",
        "statistics",
    },
    "repairs": {
        "const",
        "dashboard",
        "flows",
        "names",
        "energy_preferences",
        "runtime",
        "statistics",
    },
    "entity": {"const"},
    "sensor": {
        "coordinator",
        "entity",
        "environment",
        "flows",
        "history",
        "metering",
        "registers",
        "runtime",
        "site",
    },
    "forms": {"api", "const", "flows", "names"},
    "options_flow": {
        "account",
        "api",
        "const",
        "dashboard",
        "dashboard_setup",
        "flows",
        "forms",
    },
    "config_flow": {
        "account",
        "api",
        "const",
        "dashboard",
        "dashboard_setup",
        "forms",
        "options_flow",
    },
    "__init__": {
        "access",
        "account",
        "audit",
        "books",
        "const",
        "coordinator",
        "devices",
        "environment",
        "flows",
        "history",
        "dashboard_setup",
        "outage",
        "progress",
        "registers",
        "repairs",
        "runtime",
        "services",
        "source",
    },
}
"""What each module imports from the package at run time. A grant nobody uses goes."""

API: tuple[set[str], ...] = (
    {"exceptions", "observations", "queue", "wire"},
    {"document", "models", "transport"},
    {"auth", "replies", "sampling", "series"},
    {"account"},
    {"client"},
    {"__init__"},
)
"""The layers of the client: each imports only from those before it."""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield level and module of each import that happens at run time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)


def modules(folder: Path) -> list[Path]:
    """Return the sources of a folder."""
    return sorted(folder.glob("*.py"))


def test_the_table_names_every_module_and_no_other() -> None:
    assert set(ALLOWED) == {path.stem for path in modules(ROOT)}


@pytest.mark.parametrize("path", modules(ROOT), ids=lambda path: path.stem)
def test_imports_within_the_package(path: Path) -> None:
    """Each module imports what the table grants it: no more, nor less."""
    used = {name.split(".")[0] for level, name in imports(path) if level == 1}
    assert used == ALLOWED[path.stem]


@pytest.mark.parametrize("path", modules(ROOT / "api"), ids=lambda path: path.stem)
def test_the_client_stands_alone(path: Path) -> None:
    """The client could be published as it is: nothing of Home Assistant, nor of ours."""
    found = list(imports(path))
    assert not [name for level, name in found if level > 1]
    assert not [
        name for _, name in found if name.startswith(("homeassistant", "custom"))
    ]
    layer = next(n for n, names in enumerate(API) if path.stem in names)
    below = set[str]().union(*API[:layer])
    assert {name.split(".")[0] for level, name in found if level == 1} <= below


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules(name: str) -> None:
    """The arithmetic can be tested without Home Assistant, in milliseconds."""
    found = {
        module.split(".")[0]
        for level, module in imports(ROOT / f"{name}.py")
        if not level
    }
    assert not found & {"homeassistant", "aiohttp", "sqlalchemy"}


@pytest.mark.parametrize("path", modules(ROOT), ids=lambda path: path.stem)
def test_only_statistics_touches_the_recorder(path: Path) -> None:
    """What Home Assistant changes in its recorder can break one file only."""
    touched = [
        name
        for level, name in imports(path)
        if not level
        and name.startswith(("homeassistant.components.recorder", "sqlalchemy"))
    ]
    assert not touched or path.stem == "statistics"


@pytest.mark.parametrize("path", modules(ROOT), ids=lambda path: path.stem)
def test_only_dashboard_touches_the_energy_preferences(path: Path) -> None:
    """So does a change of the interface, which is not a public one."""
    touched = [
        name
        for level, name in imports(path)
        if not level and name.startswith("homeassistant.components.energy")
    ]
    assert not touched or path.stem == "dashboard"
