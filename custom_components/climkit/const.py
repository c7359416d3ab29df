"""Constants of the Climkit integration."""

import logging
from typing import Final

DOMAIN: Final = "climkit"
LOGGER: Final = logging.getLogger(__package__)

CONF_ACCOUNT: Final = "account"
ACCOUNT_NEW: Final = "new"
CONF_SITE: Final = "site"
CONF_SITES: Final = "sites"
CONF_METERS: Final = "meters"
CONF_OFFERED: Final = "offered"
CONF_HOME: Final = "home"
HOME_NONE: Final = "none"
HOME_SITE: Final = "site"

SUBENTRY_TARIFF: Final = "tariff"
CONF_DASHBOARD: Final = "dashboard"

MANUFACTURER: Final = "Climkit"
