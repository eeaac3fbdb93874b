"""Counts, waits and rates of ended sessions: one definition of each, for a day or an hour."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Final

from .session import PlacedSession

# This many sessions that are removed within so many seconds are cleared up at closing: nobody saw
# these guests leave. Two that are removed in the same minute are two guests who gave up.
MASS: Final = 3
MASS_WITHIN: Final = 60

# Seconds within which a page should be answered.
ANSWERED_WITHIN: Final = 180

# The share of guests who are paged within the time that `long_wait` is.
MOST: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some sessions; None where there is no session to take a figure from.

    count: the sessions, but for slips at the keypad, which no figure has. removed: those taken off
    the list. guests: sum of the known party sizes. Waits and responses are in seconds, of the
    sessions for which they are known; long_wait is the time within which four of five were paged.
    rated: the sessions with a known wait and a goal; late: those of them that were paged after it.
    left: the guests who left before they were paged; no_show: those who did not come when they
    were (see `Endings`).
    """

    count: int
    removed: int
    guests: int | None
    average_wait: float | None
    shortest_wait: int | None
    longest_wait: int | None
    median_wait: float | None
    long_wait: int | None
    average_response: float | None
    rated: int
    late: int
    paged: int
    left: int
    no_show: int

    @property
    def on_time_rate(self) -> float | None:
        """Percent of the rated sessions that were not late."""
        return 100 * (self.rated - self.late) / self.rated if self.rated else None

    @property
    def left_rate(self) -> float | None:
        """Percent of the sessions whose guests left before they were paged."""
        return 100 * self.left / self.count if self.count else None

    @property
    def no_show_rate(self) -> float | None:
        """Percent of the paged sessions whose guests did not come."""
        return 100 * self.no_show / self.paged if self.paged else None


class Endings:
    """Tells of a session whether its guest left, or did not come, by all sessions around it.

    The guest left if the session was taken off the list and never paged, unless it was a slip at
    the keypad. The guest did not come if the session was taken off the list after a page. Sessions
    that were taken off together with others (`together`) are neither.
    """

    def __init__(self, around: Iterable[PlacedSession]) -> None:
        """Take the sessions, and those that ended within MASS_WITHIN seconds before and after."""
        removed = [s for s in around if s.is_removed and not s.is_slip]
        self._together = together(removed)

    def left(self, session: PlacedSession) -> bool:
        """Whether the guest left before being paged."""
        return not session.is_paged and self._is_seen(session)

    def did_not_come(self, session: PlacedSession) -> bool:
        """Whether the guest did not come when paged."""
        return session.is_paged and self._is_seen(session)

    def _is_seen(self, session: PlacedSession) -> bool:
        """Whether the session was taken off the list as its guest was gone."""
        is_taken_off = session.is_removed and not session.is_slip
        return is_taken_off and session not in self._together


def together(sessions: Iterable[PlacedSession]) -> set[PlacedSession]:
    """The sessions of which MASS or more ended within MASS_WITHIN seconds."""
    ended = sorted(sessions, key=lambda session: session.ended_at)
    found: set[PlacedSession] = set()
    for first in range(len(ended) - MASS + 1):
        mass = ended[first : first + MASS]
        if mass[-1].ended_at - mass[0].ended_at <= MASS_WITHIN:
            found.update(mass)
    return found


def figures(sessions: Iterable[PlacedSession], endings: Endings | None = None) -> Figures:
    """Sum up ended sessions. endings: of these and those around them; None if these are all."""
    sessions = tuple(sessions)
    endings = endings or Endings(sessions)
    counted = [session for session in sessions if not session.is_slip]
    parties = [s.party_size for s in counted if s.party_size is not None]
    waits = [s.wait for s in counted if s.wait is not None]
    rated = [late for s in counted if (late := s.was_late) is not None]
    return Figures(
        count=len(counted),
        removed=sum(session.is_removed for session in counted),
        # The one real history that is known has no party sizes: the guests are then not known,
        # rather than nobody. On a day without sessions there was nobody.
        guests=sum(parties) if parties or not counted else None,
        average_wait=_mean(waits),
        shortest_wait=min(waits, default=None),
        longest_wait=max(waits, default=None),
        median_wait=median(waits) if waits else None,
        long_wait=sorted(waits)[ceil(MOST * len(waits)) - 1] if waits else None,
        average_response=_mean([s.response for s in counted if s.response is not None]),
        rated=len(rated),
        late=sum(rated),
        paged=sum(session.is_paged for session in counted),
        left=sum(map(endings.left, counted)),
        no_show=sum(map(endings.did_not_come, counted)),
    )


def figures_between(around: Collection[PlacedSession], start: int, end: int) -> Figures:
    """Sum up the sessions that ended from start on and before end (POSIX seconds).

    around: these sessions, and those that ended within MASS_WITHIN seconds before and after.
    """
    ended = [session for session in around if start <= session.ended_at < end]
    return figures(ended, Endings(around))


def _mean(values: Collection[float]) -> float | None:
    """The mean; None without values. A sum of integers does not depend on their order."""
    return sum(values) / len(values) if values else None
