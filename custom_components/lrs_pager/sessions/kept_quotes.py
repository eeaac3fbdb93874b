"""Whether guests were paged within the time that they were quoted."""

from dataclasses import dataclass
from typing import Final

from .session import PlacedSession

# Seconds of the log over which quotes are judged: four weeks.
KEPT_OVER: Final = 28 * 24 * 3600


@dataclass(slots=True)
class Kept:
    """How quotes turned out for the guests whose wait is known.

    quoted, with_goal: guests with a quote, and with a goal, when the session began. kept: those who
    waited for no longer than was quoted; in_goal: those who were not late by that goal. off: the
    sum of the seconds between waits and quotes, either way.
    """

    quoted: int = 0
    kept: int = 0
    off: int = 0
    with_goal: int = 0
    in_goal: int = 0

    def add(self, session: PlacedSession) -> None:
        """Take in a session of the log."""
        if session.wait is None:
            return
        if session.quoted is not None:
            self.quoted += 1
            self.kept += session.wait <= session.quoted
            self.off += abs(session.wait - session.quoted)
        if (was_late := session.was_late_at_first) is not None:
            self.with_goal += 1
            self.in_goal += not was_late

    @property
    def rate(self) -> float | None:
        """The percentage of quotes that were kept; None if there were none."""
        return 100 * self.kept / self.quoted if self.quoted else None

    @property
    def goal_rate(self) -> float | None:
        """The percentage of guests with a goal who were not late; None if there were none."""
        return 100 * self.in_goal / self.with_goal if self.with_goal else None

    @property
    def error(self) -> float | None:
        """The mean minutes between waits and quotes, either way; None if there were no quotes."""
        return self.off / self.quoted / 60 if self.quoted else None
