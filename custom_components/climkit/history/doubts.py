"""What may be less than the cloud has, and is therefore looked at again soon.

A cloud that is out of order for some minutes may answer as if all were well: with rows
that lack values, or with nothing. What an import has from such answers is held against
the months again after some minutes, not only in the night. Pure, but for its memory.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..api import ClimkitError, ClimkitResponseError
from ..metering.flows import Flow, Medium
from ..reading.answers import Answer
from .comparison import Amounts, is_lacking

LOOKS: Final = 4
"""After so many looks in vain, the nights go on looking."""


@dataclass(slots=True)
class _Doubt:
    """Why what came of a medium may be less than the cloud has."""

    looks: int = 0
    """How often it was looked at again."""
    has_gaps: bool = False
    """Whether rows without a value came among others."""
    is_silent: bool = False
    """Whether nothing came of what is known to be there."""
    is_open: bool = False
    """Whether it is to be looked at again."""


@dataclass(slots=True)
class Doubts:
    """The doubts about what was imported, by medium."""

    _doubts: defaultdict[Medium, _Doubt] = field(
        default_factory=lambda: defaultdict(_Doubt)
    )

    def begin(self, medium: Medium, *, again: bool = False) -> None:
        """Begin to read a medium: for the first time, or again."""
        looks = self._doubts[medium].looks + 1 if again else 0
        self._doubts[medium] = _Doubt(looks, is_open=again)

    def hear(self, medium: Medium, answer: Answer, flows: Iterable[Flow]) -> None:
        """Note what is strange about an answer of hours of some flows."""
        doubt = self._doubts[medium]
        doubt.has_gaps |= any(map(answer.has_gaps, flows))
        doubt.is_silent |= any(map(_is_silence, answer.unknown.values()))

    def has_gaps(self, medium: Medium) -> bool:
        """Return whether hours lacked values, so that months may well have more."""
        return self._doubts[medium].has_gaps

    def end(
        self, medium: Medium, odd: list[Amounts], *, has_gaps: bool, has_holes: bool
    ) -> None:
        """Note by how much months are odd now, whether they have gaps, what is left out."""
        doubt = self._doubts[medium]
        doubt.is_open = (
            any(map(is_lacking, odd)) or has_gaps or (doubt.is_silent and has_holes)
        )

    def remain(self, medium: Medium) -> bool:
        """Return whether a medium is to be looked at again."""
        doubt = self._doubts[medium]
        return doubt.is_open and doubt.looks < LOOKS


def _is_silence(error: ClimkitError) -> bool:
    return isinstance(error, ClimkitResponseError) and error.status is None
