"""A simulated Climkit metering cloud: a physical model behind a real HTTP server.

cloud = Simulator([sites.community()])
async with cloud:
    ...  # cloud.url answers like https://api.climkit.io/api/v1
"""

from . import sites
from .environment import SimulatedSensor
from .faults import Fault
from .meters import SimulatedMeter
from .publication import Publication
from .quirks import Quirks
from .requests import Request
from .server import Simulator
from .site import SimulatedSite

__all__ = [
    "Fault",
    "Publication",
    "Quirks",
    "Request",
    "SimulatedMeter",
    "SimulatedSensor",
    "SimulatedSite",
    "Simulator",
    "sites",
]
