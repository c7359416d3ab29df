"""What is read off a page: words that nobody translated, amounts as they are written."""

import pytest

from .dashboard import number
from .journeys import JOURNEYS


@pytest.mark.parametrize(
    "shown",
    [
        "component.climkit.config.step.user.title",
        '- textbox "site_name*"',
        "The energy of {site}",
        "- paragraph: The password of your API access.",
        "- text: Electricity meter Climkit",
        '- radiogroup "Meters"',
    ],
)
def test_untranslated_words_are_noticed(shown: str) -> None:
    with pytest.raises(AssertionError):
        JOURNEYS[0].check(shown)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12,31 kWh", 12.31),
        ("-4,4 kWh", -4.4),
        ("\N{MINUS SIGN}7 kWh", -7),
        ("1.234,56 kWh", 1234.56),
        ("1\N{NARROW NO-BREAK SPACE}234,5 kWh", 1234.5),
        ("-0,80\N{NO-BREAK SPACE}CHF", -0.8),
    ],
)
def test_amounts_are_read_as_they_are_written(text: str, amount: float) -> None:
    assert number(text, text[-3:]) == amount
