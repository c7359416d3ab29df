"""How a home goes through a set-up dialog, and what it shows of it."""

from typing import Any

import pytest

from tests.home import HomeError
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
