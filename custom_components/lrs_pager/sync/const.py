"""How often a transmitter is asked for what, each with its reason."""

from datetime import timedelta
import logging
from typing import Final

# That of the integration: what a user turns on with "Enable debug logging".
LOGGER = logging.getLogger(__package__.rpartition(".")[0])

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
