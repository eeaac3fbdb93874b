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

# The options' key for whether the host stand is in the sidebar, and its default.
CONF_SHOW_PANEL: Final = "show_panel"
DEFAULT_SHOW_PANEL: Final = True

# The options' key for whether sessions' labels, such as guests' names, are among the attributes of
# entities: everybody in the house can read those.
CONF_SHOW_NAMES: Final = "show_names_in_states"

# A guest's session takes minutes, so half a minute is soon enough for what history tells, and
# one small request per 30 s is nothing even to an embedded unit.
POLL_INTERVAL: Final = timedelta(seconds=30)

# While the transmitter tells changes as they happen, a poll is there to notice if it does not.
# Its pings tell that each 30 s, so that one small request in five minutes is plenty.
PUSH_POLL_INTERVAL: Final = timedelta(minutes=5)

# A session's change shows in what a poll asks first. In case it doesn't (the unit's ETags have
# the resolution of its clock), what was added to the history is read once in this time all the
# same, but for transmitters that are known to tell every change, by message and by count.
HISTORY_INTERVAL: Final = timedelta(minutes=5)

# The whole history, in case that a session was added elsewhere than at its end and that could not
# be seen, or is better known now. All of a busy fortnight are half a megabyte, too much to ask for
# more often without need.
WHOLE_HISTORY_INTERVAL: Final = timedelta(days=1)

# Settings are told when they change, where there is push. Where there is not, nobody minds an
# hour for what is set once. In the same time an ETag has had its day: the unit's are times, of
# its own clock, which may have been set.
SETTINGS_INTERVAL: Final = timedelta(hours=1)
