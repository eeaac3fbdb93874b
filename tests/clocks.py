"""The unit's clock, read off answers at times that tests choose."""

from datetime import datetime, timedelta, tzinfo

from custom_components.lrs_pager.sync.clocks import Clocks
from custom_components.lrs_pager.transmitter import UnitClock


class Reader:
    """Reads the unit's clock, by one of ours that is never set."""

    def __init__(self, zone: tzinfo) -> None:
        """Read nothing yet. zone: of our local time."""
        self._at = 0.0
        self._clocks: Clocks | None = None
        self._zone = zone

    def read(self, shows: datetime, at: datetime, takes: timedelta = timedelta()) -> UnitClock:
        """The unit's clock after an answer that was asked for at an instant, and has this time."""
        asked = at.timestamp()
        self._at = asked + takes.total_seconds()
        if self._clocks is None:
            self._clocks = Clocks(
                zone=lambda: self._zone,
                wall=lambda: self._at,
                steady=lambda: self._at,
                stepped=lambda _: None,
            )
        self._clocks.read(shows, asked, self._at)
        return self._clocks.unit(self._at)


def read(shows: datetime, at: datetime, zone: tzinfo) -> UnitClock:
    """The unit's clock after its first answer, which took no time."""
    return Reader(zone).read(shows, at)
