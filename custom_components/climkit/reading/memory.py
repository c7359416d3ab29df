"""The site's description as it is kept over a restart, which then costs no request."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..api import Meter, Site
from ..metering.flows import FlowKind


@dataclass(frozen=True, slots=True)
class Description:
    """What the cloud has told of a site, and what its values have proved."""

    site: Site
    meters: tuple[Meter, ...]
    seen: frozenset[FlowKind]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        created = self.site.created
        return {
            "site": asdict(self.site)
            | {"created": created.isoformat() if created else None},
            "meters": [asdict(meter) for meter in self.meters],
            "seen": sorted(self.seen),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Description:
        """Return what was kept. Raises ValueError if that cannot be read."""
        try:
            created = kept["site"]["created"]
            return cls(
                Site(
                    **kept["site"]
                    | {"created": datetime.fromisoformat(created) if created else None}
                ),
                tuple(Meter(**meter) for meter in kept["meters"]),
                frozenset(map(FlowKind, kept["seen"])),
            )
        except (AttributeError, KeyError, TypeError) as err:
            raise ValueError("not a description") from err
