"""The unit's own statistics, which are no more than a handful of counts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .session import Session, Wire

# 24 is one value more than a day has hours, so it is read here as "never by the clock".
NEVER_CLEARED = 24


@dataclass
class Statistics:
    """What was counted since a time by the unit's clock."""

    since: datetime
    created: int = 0
    waits: list[tuple[int, int]] = field(default_factory=list)
    """Of each session paged: the seconds it waited, and its goal."""

    def serve(self, session: Session) -> None:
        """Count a session that was just paged for the first time."""
        if session.notified is not None:
            wait = int((session.notified - session.created).total_seconds())
            self.waits.append((wait, session.goal))

    def due(self, mark: int, now: datetime) -> bool:
        """Return whether the hour of day at which these end has passed since they began."""
        if mark == NEVER_CLEARED:
            return False
        end = now.replace(hour=mark, minute=0, second=0)
        if end > now:
            end -= timedelta(days=1)
        return self.since < end

    def wire(self) -> Wire:
        """Return the statistics object: whole numbers, all 0 before the first guest."""
        served = len(self.waits)
        on_time = sum(wait <= goal for wait, goal in self.waits)
        percent = round(100 * on_time / served) if served else 0
        return {
            "guestsServed": served,
            "percentLate": 100 - percent if served else 0,
            "percentOnTime": percent,
            "averageTimeServed": round(sum(w for w, _ in self.waits) / served) if served else 0,
            "numSessions": self.created,
        }
