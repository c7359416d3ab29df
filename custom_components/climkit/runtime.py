"""What a loaded config entry works with."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .api import ClimkitClient
from .audit import Audit
from .books import Books
from .coordinator import ReadingsCoordinator, SiteCoordinator
from .environment import EnvironmentCoordinator
from .history import History
from .registers import RegisterCoordinator
from .source import Source


@dataclass(frozen=True, slots=True)
class ClimkitData:
    """The parts of one site, from what is asked of the cloud to what is stored."""

    client: ClimkitClient
    source: Source
    books: Books
    site: SiteCoordinator
    live: tuple[ReadingsCoordinator, ...]
    """The coordinator of what is metered by quarter hour, and that of the rest."""
    history: History
    audit: Audit
    environment: EnvironmentCoordinator
    registers: RegisterCoordinator


type ClimkitConfigEntry = ConfigEntry[ClimkitData]
