"""Figures by weekday and hour, and by pager: when a house can't cope, and which pagers are broken.

Both classes take the log's sessions from the oldest, in lists, and answer at the end. They know no
disk and no clock; a few thousand sessions take some milliseconds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from .figures import ANSWERED_WITHIN, Endings, Figures, figures, together
from .missed import Span, is_seen
from .session import PlacedSession

# The span of sessions for `Pagers`: long enough for a pager that is handed out twice a week.
LATELY: Final = timedelta(days=28)

# Local time has one offset for so many seconds: clocks are changed at quarters of an hour.
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week (local time, Monday is 0), and the figures of sessions begun in it."""

    weekday: int
    hour: int
    figures: Figures

    def to_json(self) -> dict[str, Any]:
        """The hour and its figures as JSON has them; waits in minutes."""
        found = self.figures
        return {
            "weekday": self.weekday,
            "hour": self.hour,
            "sessions": found.count,
            "guests": found.guests or 0,
            "median_wait": minutes(found.median_wait),
            "wait_80": minutes(found.long_wait),
            "late": found.late,
            "left": found.left,
            "no_show": found.no_show,
        }


# The figures of `Cell.to_json`.
METRICS: Final = ("sessions", "guests", "median_wait", "wait_80", "late", "left", "no_show")


class Pattern:
    """Sessions by the local weekday and hour in which they began.

    Sessions during which others may have been missed are left out: only some of the sessions of
    such hours are known, and which ones depends on how long they waited.
    """

    def __init__(
        self, start: float, end: float, zone: tzinfo, missed: Collection[Span] = ()
    ) -> None:
        """Take sessions that began from start on and before end (POSIX seconds).

        zone: the house's. missed: spans in which sessions may have been missed.
        """
        self._start, self._end, self._zone = start, end, zone
        # A session may end in a span that begins after the period.
        self._missed = [span for span in missed if start < span[1]]
        self.left_out = [span for span in self._missed if span[0] < end]
        self._hours: defaultdict[tuple[int, int], list[PlacedSession]] = defaultdict(list)
        self._removed: list[PlacedSession] = []
        self._hour_of_week = lru_cache(None)(self._hour_of_quarter)

    def add(self, sessions: Iterable[PlacedSession]) -> None:
        """Add the sessions that ended next, beginning MASS_WITHIN seconds before start."""
        for session in sessions:
            if session.is_removed:
                self._removed.append(session)
            began = session.created_at
            if (
                began is not None
                and self._start <= began < self._end
                and is_seen(session, self._missed)
            ):
                self._hours[self._hour_of_week(began // _QUARTER)].append(session)

    def cells(self) -> list[Cell]:
        """The hours in which sessions began (slips aside), from Monday on."""
        endings = Endings(self._removed)
        found = [
            Cell(weekday, hour, figures(sessions, endings))
            for (weekday, hour), sessions in sorted(self._hours.items())
        ]
        return [cell for cell in found if cell.figures.count]

    def _hour_of_quarter(self, quarter: int) -> tuple[int, int]:
        """The local weekday and hour of a quarter of an hour since 1970."""
        local = datetime.fromtimestamp(quarter * _QUARTER, self._zone)
        return local.weekday(), local.hour


@dataclass(slots=True)
class _Pager:
    """A pager: when it was last seen (POSIX seconds), its sessions, and its unanswered pages."""

    last_seen: int = 0
    sessions: int = 0
    unanswered: int = 0


class Pagers:
    """The pagers of some sessions, and how often a page of each was not answered.

    A page was not answered if the session went on for more than ANSWERED_WITHIN seconds after it,
    or was taken off the list. Such sessions are not counted if they ended together: they were
    cleared up at closing, which says nothing of the pagers.
    """

    def __init__(self) -> None:
        """Begin without any pager."""
        self._pagers: defaultdict[int, _Pager] = defaultdict(_Pager)
        self._unanswered: list[PlacedSession] = []

    def add(self, sessions: Iterable[PlacedSession]) -> None:
        """Add the sessions that ended next."""
        for session in sessions:
            if not session.number or session.is_slip:
                continue
            self._see(session.number, session.ended_at)
            if session.is_paged and (
                session.is_removed or (session.response or 0) > ANSWERED_WITHIN
            ):
                self._unanswered.append(session)

    def _see(self, number: int, at: int) -> None:
        """Count a session of a pager. at: when it was last seen in it."""
        pager = self._pagers[number]
        pager.sessions += 1
        pager.last_seen = max(pager.last_seen, at)

    def found(self, active: Iterable[PlacedSession], now: float) -> list[dict[str, Any]]:
        """The figures of each pager, by number; call this once, at the end.

        active: the sessions that go on now. now: POSIX seconds. last_seen: a datetime (UTC).
        """
        out = {s.number: s for s in active if s.number}
        cleared_up = together(self._unanswered)
        for session in self._unanswered:
            if session not in cleared_up and session.number:
                self._pagers[session.number].unanswered += 1
        for number, session in out.items():
            self._see(number, session.notified_at or session.created_at or round(now))
            paged = session.notified_at
            self._pagers[number].unanswered += paged is not None and now - paged > ANSWERED_WITHIN
        return [
            {
                "number": number,
                "last_seen": datetime.fromtimestamp(pager.last_seen, UTC),
                "out": number in out,
                "sessions": pager.sessions,
                "unanswered": pager.unanswered,
            }
            for number, pager in sorted(self._pagers.items())
        ]


def minutes(seconds: float | None) -> float | None:
    """Seconds in minutes."""
    return None if seconds is None else seconds / 60
