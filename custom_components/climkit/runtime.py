"""What a loaded config entry works with."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .api import ClimkitClient
from .history.audit import HistoryAudit
from .history.importer import HistoryImporter
from .reading.environment import EnvironmentCoordinator
from .reading.live_coordinator import LiveCoordinator
from .reading.reader import SeriesReader
from .reading.registers import RegisterCoordinator
from .reading.site_coordinator import SiteCoordinator
from .statistics.site_statistics import SiteStatistics


@dataclass(frozen=True, slots=True)
class SiteRuntime:
    """The parts of one site, from what is asked of the cloud to what is stored."""

    client: ClimkitClient
    reader: SeriesReader
    statistics: SiteStatistics
    site: SiteCoordinator
    live: tuple[LiveCoordinator, ...]
    """The coordinator of what is metered by quarter hour, and that of the rest."""
    history: HistoryImporter
    audit: HistoryAudit
    environment: EnvironmentCoordinator
    registers: RegisterCoordinator


type ClimkitConfigEntry = ConfigEntry[SiteRuntime]
