"""Fuzz the parsing door guided by coverage: python -m tests.api.fuzz [RUNS] [CORPUS].

Ends when something is found or so many inputs were tried, of which there is no end
without a number. What reaches new code is kept in the folder CORPUS, to go on from the
next time.
"""

import json
from pathlib import Path
import sys
import tempfile
from typing import Final

import atheris

with atheris.instrument_imports(include=["custom_components.climkit.api"]):
    from tests.api.test_fuzz import DOORS, check

NAMES: Final = tuple(DOORS)
LONGEST: Final = 4096
"""Bytes of an input."""
OPTIONS: Final = (
    f"-max_len={LONGEST}",
    "-timeout=5",  # seconds for one input
    "-rss_limit_mb=2048",
    "-use_value_profile=1",
    "-print_final_stats=1",
)


def one_input(data: bytes) -> None:
    """Send a body through one of the doors; the first byte says which."""
    if data:
        check(NAMES[data[0] % len(NAMES)], data[1:])


def _plant(folder: Path) -> None:
    """Begin with the real shapes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        body = json.dumps(DOORS[name][1]).encode()
        (folder / f"shape-{number}").write_bytes(bytes([number]) + body)


def main() -> None:
    """Fuzz; libFuzzer ends the process."""
    runs = sys.argv[1] if len(sys.argv) > 1 else "-1"
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(sys.argv[2] if len(sys.argv) > 2 else folder)
        _plant(corpus)
        found = f"-artifact_prefix={corpus}/found-"
        arguments = [sys.argv[0], *OPTIONS, found, f"-runs={runs}"]
        atheris.Setup([*arguments, str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
