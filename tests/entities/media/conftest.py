"""A site of each kind, with all its meters and, if wanted, all its sensors."""

import logging

from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.conftest import entry_for
from tests.simulator import SimulatedSite

from .kinds import KINDS


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of site; tests are parametrised with it."""
    return str(getattr(request, "param", "all media"))


@pytest.fixture
def site(kind: str) -> SimulatedSite:
    return KINDS[kind]()


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    """Return an entry that has all meters, whichever there are."""
    return entry_for(site, options={})


@pytest.fixture
def everything_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable also what is disabled by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Spare the log what the database is asked: it takes longer than the test."""
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.INFO, "homeassistant")
