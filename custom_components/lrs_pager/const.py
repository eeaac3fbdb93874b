"""Constants of the integration, each with its reason."""

from datetime import timedelta
import logging
from typing import Final

DOMAIN: Final = "lrs_pager"
LOGGER = logging.getLogger(__package__)

MANUFACTURER: Final = "Long Range Systems"
# What the transmitter calls itself in `deviceName`, the same on every unit.
MODEL: Final = "T7470"

# The options' key for the hour, 0 to 23, at which a business day begins ...
CONF_DAY_START: Final = "day_start"
# ... and midnight, for those whose last guest is gone by then.
DEFAULT_DAY_START: Final = 0

# A guest's session takes minutes, so half a minute is soon enough for what history tells, and
# one small request per 30 s is nothing even to an embedded unit.
POLL_INTERVAL: Final = timedelta(seconds=30)

# A session's change shows in what a poll asks first. In case it doesn't (the unit's ETags have
# the resolution of its clock), the whole history is read once in this time all the same.
HISTORY_INTERVAL: Final = timedelta(minutes=5)

# The repair issue of a log that was set aside; the entry's id follows.
LOG_ISSUE: Final = "log_set_aside"
