"""Who may import whom, read from the sources: data runs one way, from room to room."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1] / "custom_components" / "climkit"

FLOORS: Final[tuple[set[str], ...]] = (
    {"const"},
    {"storage"},
    {"api"},
    {"metering"},
    {"statistics"},
    {"reading"},
    {"history", "entities"},
    {"runtime"},
    {"devices", "energy_dashboard"},
    {"setup_flow"},
    {
        "config_flow",
        "diagnostics",
        "repairs",
        "sensor",
        "services",
        "system_health",
    },
    {"__init__"},
)
"""Rooms and what Home Assistant calls by name, from the bottom. Each imports only what
stands on a lower floor: who shares a floor does not know of the other."""

PURE: Final = {
    "metering": None,
    "energy_dashboard": {"additions", "costs", "duplicates"},
    "history": {"comparison", "left_out"},
}
"""Modules without I/O and without anything of Home Assistant: all of a room, or some."""

API: Final[tuple[set[str], ...]] = (
    {"column_values", "content", "exceptions", "queue", "values"},
    {"models", "shape_report"},
    {"body", "spelling", "transport"},
    {"auth", "parsers"},
    {"series", "session"},
    {"client"},
    {"__init__"},
)
"""The layers of the client: each imports only from those before it."""

RECORDER: Final = ("homeassistant.components.recorder", "sqlalchemy")
PUBLIC: Final = {"history", "models", "statistics"}
"""What the recorder offers to other integrations; several of Home Assistant's use it."""
ENERGY: Final = ("homeassistant.components.energy",)


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


def sources() -> list[Path]:
    """Return the sources of the integration, those of the client apart."""
    return sorted(p for p in ROOT.rglob("*.py") if p.parent.name != "api")


def room_of(path: Path) -> str:
    """Return the room that a source is in, or its own name at the top."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def own(path: Path) -> Iterator[str]:
    """Yield what a source imports from other rooms, and from the top."""
    depth = len(path.relative_to(ROOT).parts)
    for level, module in imports(path):
        if level == depth:
            yield module.split(".")[0]


def title(path: Path) -> str:
    """Return the name of a source, for reports."""
    return str(path.relative_to(ROOT).with_suffix(""))


def test_every_room_has_its_floor() -> None:
    found = {room_of(path) for path in sources()} | {"api"}
    assert found == set[str]().union(*FLOORS)


@pytest.mark.parametrize("path", sources(), ids=title)
def test_imports_run_downwards(path: Path) -> None:
    """Nobody imports from its own floor, or from above."""
    floor = next(n for n, rooms in enumerate(FLOORS) if room_of(path) in rooms)
    below = set[str]().union(*FLOORS[:floor])
    assert set(own(path)) <= below
    assert all(level <= len(path.relative_to(ROOT).parts) for level, _ in imports(path))


def test_no_circle_within_a_room() -> None:
    """What lies in one room has an order as well."""
    for room in {path.parent for path in sources()} - {ROOT}:
        graph = {
            path.stem: {m.split(".")[0] for level, m in imports(path) if level == 1}
            for path in room.glob("*.py")
        }
        while graph:
            free = {name for name, uses in graph.items() if not uses & graph.keys()}
            assert free, f"a circle in {room.name}: {sorted(graph)}"
            for name in free:
                del graph[name]


@pytest.mark.parametrize("path", sorted((ROOT / "api").glob("*.py")), ids=title)
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


@pytest.mark.parametrize("path", sources(), ids=title)
def test_pure_modules(path: Path) -> None:
    """The arithmetic can be tested without Home Assistant, in milliseconds."""
    names = PURE.get(room_of(path), set())
    if names is None or path.stem in names:
        outside = {name.split(".")[0] for level, name in imports(path) if not level}
        assert not outside & {"homeassistant", "aiohttp", "asyncio", "sqlalchemy"}


@pytest.mark.parametrize("path", sources(), ids=title)
def test_foreign_interfaces_are_touched_in_one_place(path: Path) -> None:
    """What Home Assistant changes in its recorder or dashboard breaks one place only."""
    touched = [name for level, name in imports(path) if not level]
    if room_of(path) != "statistics":
        assert not [name for name in touched if name.startswith(RECORDER)]
    if title(path) != "energy_dashboard/manager":
        assert not [name for name in touched if name.startswith(ENERGY)]


@pytest.mark.parametrize("path", sources(), ids=title)
def test_what_is_private_of_the_recorder_is_in_one_file(path: Path) -> None:
    """All else uses what the recorder offers to integrations; and imports that file late."""
    if title(path) != "statistics/table":
        outside = {name for level, name in imports(path) if not level}
        found = {name for name in outside if name.startswith(RECORDER)}
        assert found <= {f"{RECORDER[0]}.{name}" for name in PUBLIC} | {
            "sqlalchemy.exc"
        }
    late = {"table", "transactions"}
    if title(path) != "statistics/transactions":
        inside = {name.split(".")[-1] for level, name in imports(path) if level}
        assert not inside & late
