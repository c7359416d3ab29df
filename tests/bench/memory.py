"""Memory of this process that is not the integration's to give back.

SQLite keeps up to 16 MB of pages for each connection of the recorder, whoever has read
or written them; and the C library keeps pieces of what was freed, as long as something
behind them is in use. Both are within the extra memory that the bench shows.
"""

import ctypes
from pathlib import Path
from resource import getpagesize
from typing import Final

_MAPS: Final = Path("/proc/self/maps")


def of_sqlite() -> float | None:
    """Return the most MB that SQLite has had; None if its library is not one of its own."""
    paths = {line.split()[-1] for line in _MAPS.read_text().splitlines()}
    library = next((path for path in paths if "libsqlite3.so" in path), None)
    if library is None:
        return None
    highwater = ctypes.CDLL(library).sqlite3_memory_highwater
    highwater.restype = ctypes.c_int64
    return int(highwater(0)) / 1e6


def given_back() -> float | None:
    """Return how many MB the C library gives back if asked to; None if it can't be."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:  # not the library of GNU
        return None
    before = _resident()
    trim(0)
    return (before - _resident()) / 1e6


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()
