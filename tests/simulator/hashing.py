"""Noise that can be asked for at any place: hashes instead of a random sequence.

A value depends only on the seed, the stream and the counter, so every window of
the same history shows the same numbers, in whatever order it is asked for.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]
type Seeds = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_STREAM: Final = 0xD1B54A32D192ED03
_MASK: Final = 2**64 - 1
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_UNIT: Final = 2.0**-53


def seed_of(*parts: object) -> int:
    """Return a 64-bit seed made from the text of the parts, the same in every run."""
    text = "/".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def seeds_of(seeds: list[int]) -> Seeds:
    """Return seeds as a column, one row per meter."""
    return np.array(seeds, dtype=np.uint64).reshape(-1, 1)


def uniform(seeds: Seeds, counter: Integers, stream: int) -> Floats:
    """Return numbers in [0, 1): a row per seed, a column per counter (splitmix64)."""
    start = seeds ^ np.uint64(stream * _STREAM & _MASK)
    mixed = start + counter.astype(np.uint64) * _GOLDEN
    for shift, factor in ((np.uint64(30), _MIX_1), (np.uint64(27), _MIX_2)):
        mixed ^= mixed >> shift
        mixed *= factor
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * _UNIT


def smooth(seeds: Seeds, counter: Integers, period: int, stream: int) -> Floats:
    """Return noise in [0, 1) that runs smoothly from knot to knot, `period` apart."""
    knot = counter // period
    phase = (counter - knot * period) / period
    first = knot[0] if len(knot) else 0
    knots = np.arange(first, (knot[-1] if len(knot) else 0) + 2, dtype=np.int64)
    heights = uniform(seeds, knots, stream)
    weight = phase * phase * (3.0 - 2.0 * phase)
    left, right = heights[:, knot - first], heights[:, knot - first + 1]
    return left + (right - left) * weight
