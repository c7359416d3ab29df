"""A real Home Assistant home, for the demo, for development and for browser tests."""

from .client import HomeClient, HomeError
from .home import PASSWORD, USERNAME, Home, free_port
from .setup_flow import add_subentry, run_flow

__all__ = [
    "PASSWORD",
    "USERNAME",
    "Home",
    "HomeClient",
    "HomeError",
    "add_subentry",
    "free_port",
    "run_flow",
]
