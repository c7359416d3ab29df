"""What Home Assistant's log says against Climkit, and against others."""

import re
from typing import Final

from .client import HomeError

TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* "
"""With an offset from 2026.11 on."""
RECORD: Final = re.compile(f"^(?={TIME})", re.MULTILINE)
SERIOUS: Final = re.compile(f"{TIME}(?:WARNING|ERROR|CRITICAL) ")
LOADED: Final = "custom integration climkit which has not been tested"
"""So Home Assistant warns of every custom integration that it loads."""


def sort_log(text: str) -> tuple[list[str], list[str]]:
    """Return the warnings and errors of a log: those that name Climkit, and others.

    Each comes with the lines that belong to it, such as a traceback. Raises HomeError
    where nothing tells that Climkit was loaded: then a clean log means nothing.
    """
    records = [record.rstrip() for record in RECORD.split(text)]
    serious = [record for record in records if SERIOUS.match(record)]
    others = [record for record in serious if LOADED not in record]
    if others == serious:
        raise HomeError("The log does not tell that Climkit was loaded")
    ours = [record for record in others if "climkit" in record.casefold()]
    return ours, [record for record in others if record not in ours]
