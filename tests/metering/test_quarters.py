"""Quarter hours that are kept behave as the dictionary that they were."""

from datetime import UTC, datetime

import pytest

from custom_components.climkit.metering.hours import QUARTER
from custom_components.climkit.metering.quarters import SharedStarts

START = datetime(2026, 3, 1, tzinfo=UTC)
AMOUNTS = {START: 1.0, START + 2 * QUARTER: -0.5, START + QUARTER: 0.0}


def test_as_a_dictionary() -> None:
    """In the same order, whichever way one looks."""
    kept = SharedStarts().keep(AMOUNTS)
    assert kept == AMOUNTS
    assert dict(kept) == dict(kept.items()) == {**kept} == AMOUNTS
    assert list(kept) == list(AMOUNTS)
    assert list(kept.items()) == list(AMOUNTS.items())
    assert list(kept.values()) == list(AMOUNTS.values())
    assert (START, 1.0) in kept.items()
    assert len(kept) == len(kept.items()) == 3
    assert kept[START + QUARTER] == 0.0
    assert kept.get(START - QUARTER) is None
    with pytest.raises(KeyError):
        kept[START - QUARTER]
    assert not SharedStarts().keep({})


def test_starts_are_there_once() -> None:
    """Of hundreds of flows that are measured at the same time."""
    shared = SharedStarts()
    one, other = shared.keep(AMOUNTS), shared.keep(dict.fromkeys(AMOUNTS, 2.0))
    assert one._places is other._places
    less = shared.keep({START: 2.0})
    assert (len(one), len(other), len(less)) == (3, 3, 1)
