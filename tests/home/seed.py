"""Writes the folder of a home that nobody has lived in yet."""

import json
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]

# Only what the demo shows, and nothing that discovers devices or calls the outside.
CONFIGURATION: Final = """\
# Written once by tests/home; change it as you like.
frontend:
config:
history:
logbook:
energy:
my:
recorder:
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
logger:
  default: warning
  logs:
    custom_components.climkit: {level}
    # Cameras are nothing that a demo has, nor what their libraries miss.
    haffmpeg: critical
    homeassistant.components.camera: critical
"""


PLACE: Final = {
    "location_name": "Demo",
    "latitude": 47.3769,
    "longitude": 8.5417,
    "elevation": 408,
    "radius": 100,
    "time_zone": "Europe/Zurich",
    "country": "CH",
    "currency": "CHF",
    "unit_system_v2": "metric",
    "external_url": None,
    "internal_url": None,
}


def seed(directory: Path, *, port: int, language: str, debug: bool) -> None:
    """Write what a first start needs; what is there already stays."""
    storage = directory / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    level = "debug" if debug else "info"
    _write_new(directory / "configuration.yaml", CONFIGURATION.format(level=level))
    for name in ("automations", "scenes"):
        _write_new(directory / f"{name}.yaml", "[]\n")
    _write_new(directory / "scripts.yaml", "{}\n")
    link = directory / "custom_components" / "climkit"
    link.parent.mkdir(exist_ok=True)
    if link.is_symlink():
        link.unlink()  # it may point to where the checkout once was
    if not link.exists():
        link.symlink_to(CHECKOUT / "custom_components" / "climkit")
    # Without the step core_config, which adds integrations nobody asked for.
    done = ["core_config", "analytics", "integration"]
    _store(storage / "onboarding", 4, {"done": done}, keep=True)
    place = {**PLACE, "language": language}
    _store(storage / "core.config", 1, place, minor=4, keep=True)
    # Version 1: Home Assistant completes it with every key that it wants today.
    address = {"server_host": ["127.0.0.1"], "server_port": port}
    _store(storage / "http", 1, address)


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text)


def _store(
    path: Path, version: int, data: object, *, minor: int = 1, keep: bool = False
) -> None:
    """Write one file of Home Assistant's storage."""
    if keep and path.exists():
        return
    content = {"version": version, "minor_version": minor, "key": path.name}
    path.write_text(json.dumps({**content, "data": data}))
