"""What a person sets up in the browser test, and what the pages must then say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
import json
from pathlib import Path
import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from .ledger import WIRE
from .simulator import SimulatedSite

TRANSLATIONS: Final = (
    Path(__file__).parents[1] / "custom_components" / "climkit" / "translations"
)
ZURICH: Final = ZoneInfo("Europe/Zurich")

CREATED: Final = datetime.now(ZURICH).date() - timedelta(days=10)
"""First day of the sites: with so little history, all of it is there in seconds."""

SIGNS: Final = {
    "production": 1,
    "grid_import": 1,
    "grid_export": -1,
    "battery_discharge": 1,
    "battery_charge": -1,
}
"""What the table of the Energy dashboard shows, and with which sign."""

RAW: Final = re.compile(
    r"\bcomponent\.|\bconfig\.|\bui\.|\{\w+\}|\b[a-z0-9]+(?:_[a-z0-9]+)+\b"
)
"""Keys of translations, names of fields, placeholders that nobody filled."""


def texts(node: dict[str, Any]) -> Iterator[str]:
    """Yield the texts in a branch of a translation as pieces that a page shows whole."""
    for value in node.values():
        if isinstance(value, dict):
            yield from texts(value)
        else:
            yield from (p for p in re.split(r"\*\*|\n[\n\- ]*", value) if p.strip())


@dataclass(frozen=True)
class Journey:
    """Who sets up what: a language, a site, and the meter that is left out."""

    language: str
    make_site: Callable[..., SimulatedSite]
    left_out: str

    @cached_property
    def site(self) -> SimulatedSite:
        """Return the site, with the truth about it."""
        return self.make_site(created=midnight(CREATED).astimezone(UTC))

    def texts(self, *path: str, language: str = "") -> Any:
        """Return a branch or text of a translation, with the site's name in it."""
        file = TRANSLATIONS / f"{language or self.language}.json"
        text = file.read_text("utf-8").replace("{site}", self.site.name)
        branch = json.loads(text)
        for key in path:
            branch = branch[key]
        return branch

    def check(self, shown: str) -> None:
        """Find neither a key in what is shown nor a text of ours in English."""
        raw = RAW.findall(shown)
        assert not raw, raw
        here = set(texts(self.texts()))
        english = set(texts(self.texts(language="en"))) - here
        found = [text for text in english if re.search(whole(text), shown)]
        assert not found, found

    def truth(self, day: date) -> dict[str, float]:
        """Return what the table should show of a day, by the names of the statistics."""
        end = midnight(day + timedelta(days=1))
        model = self.site.model("electricity", "D", midnight(day), end)
        names = self.texts("entity", "sensor")
        has_battery = any(meter.mode == "battery" for meter in self.site.meters)
        found = {
            f"{self.site.name} {names[flow]['name']}": sign
            * sum(model[WIRE[flow]].values())
            for flow, sign in SIGNS.items()
            if has_battery or not flow.startswith("battery")
        }
        assert all(found.values()), found
        return found


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime.combine(day, time(), ZURICH)


def whole(text: str) -> str:
    """Return a pattern for a text that is not part of a longer word."""
    return rf"(?<!\w){re.escape(text.strip())}(?!\w)"
