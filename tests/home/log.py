"""What Home Assistant's log says against Climkit, and against others."""

import re
from typing import Final

RECORD: Final = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} )", re.MULTILINE)
SERIOUS: Final = re.compile(r"\S+ \S+ (?:WARNING|ERROR|CRITICAL) ")
LOADED: Final = "custom integration climkit which has not been tested"
"""So Home Assistant warns of every custom integration that it loads."""


def sort_log(text: str) -> tuple[list[str], list[str]]:
    """Return the warnings and errors of a log: those that name Climkit, and others.

    Each comes with the lines that belong to it, such as a traceback.
    """
    serious = [
        record.rstrip()
        for record in RECORD.split(text)
        if SERIOUS.match(record) and LOADED not in record
    ]
    ours = [record for record in serious if "climkit" in record.casefold()]
    return ours, [record for record in serious if record not in ours]
