"""Constants of the integration, each with its reason."""

import logging
from typing import Final

DOMAIN: Final = "lrs_pager"
LOGGER = logging.getLogger(__package__)

MANUFACTURER: Final = "Long Range Systems"
# What the transmitter calls itself in `deviceName`, the same on every unit.
MODEL: Final = "T7470"

# The largest party that a quote or a session is for.
MAX_PARTY_SIZE: Final = 9_999

# The languages of translations/; for any other, the first is taken.
LANGUAGES: Final = ("en", "de", "es", "fr", "it", "nl", "pl", "pt-BR", "sv")

# The options' key for the hour, 0 to 23, at which a business day begins ...
CONF_DAY_START: Final = "day_start"
# ... and midnight, for those whose last guest is gone by then.
DEFAULT_DAY_START: Final = 0

# The options' key for whether the host stand is in the sidebar, and its default.
CONF_SHOW_PANEL: Final = "show_panel"
DEFAULT_SHOW_PANEL: Final = True

# The options' key for whether sessions' labels, such as guests' names, are among the attributes of
# entities: everybody in the house can read those.
CONF_SHOW_NAMES: Final = "show_names_in_states"

# The options' key for how many days after a session's end its label is kept in the session log (0:
# not at all; None: for ever), and its default.
CONF_KEEP_NAMES: Final = "keep_names"
DEFAULT_KEEP_NAMES: Final = 7
