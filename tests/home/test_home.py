"""How a home goes through a set-up dialog, and what it shows of it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.home import Home, HomeError
from tests.home.__main__ import show_progress
from tests.home.progress import Progress
from tests.home.requirements import requirements
from tests.home.setup_flow import describe, fill

SELECT = {"select": {"options": [{"value": "a", "label": "A"}, {"value": "b"}]}}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"name": "username"}, {"username": "demo"}),
        ({"name": "x", "default": ["m1"]}, {"x": ["m1"]}),
        (
            {"name": "x", "default": 1, "description": {"suggested_value": 2}},
            {"x": 2},
        ),
        ({"name": "x", "required": True, "selector": SELECT}, {"x": "a"}),
        ({"name": "x", "selector": SELECT}, {}),
        ({"name": "x"}, {}),
        (
            {
                "name": "s",
                "type": "expandable",
                "schema": [{"name": "x", "default": 1}],
            },
            {"s": {"x": 1}},
        ),
    ],
    ids=["answer", "default", "suggestion", "first", "optional", "empty", "section"],
)
def test_fill_answers_as_the_page_would(
    field: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert fill([field], {"username": "demo"}) == expected


def test_fill_says_which_field_it_cannot_answer() -> None:
    with pytest.raises(HomeError, match="token"):
        fill([{"name": "token", "required": True}], {})


def test_describe_hides_passwords() -> None:
    shown = describe({"username": "u", "password": "secret", "meters": ["a", "b"]})
    assert shown == "username = u, password = *****, meters = 2 chosen"


def test_requirements_include_the_page_and_ours_but_nothing_replaced() -> None:
    names = {line.split("==")[0].split(">=")[0] for line in requirements()}
    assert {"home-assistant-frontend", "SQLAlchemy", "mashumaro"} <= names
    assert not {"pymicro-vad", "pyspeex-noise"} & names


@pytest.mark.parametrize(
    ("pace", "ready"), [(100, 1000), (110, 1100), (130, 122)], ids=str
)
async def test_the_demo_waits_for_as_long_as_its_history_grows(
    monkeypatch: pytest.MonkeyPatch, pace: int, ready: int
) -> None:
    """Ten steps at this pace are waited for, unless it stands still for two minutes."""
    seconds = 0

    async def wait(some: int) -> None:
        nonlocal seconds
        seconds += some

    async def of(_: object) -> Progress:
        known = min(seconds // pace, 10)
        silent = [f"sensor.number_{number}" for number in range(known, 10)]
        return Progress(history=known * 10.0, silent=silent, sensors=10, dashboard={})

    monkeypatch.setattr(Progress, "of", of)
    monkeypatch.setattr("tests.home.__main__.asyncio", SimpleNamespace(sleep=wait))
    clock = SimpleNamespace(monotonic=lambda: float(seconds))
    monkeypatch.setattr("tests.home.patience.time", clock)
    await show_progress(cast(Home, None))
    assert seconds == ready
