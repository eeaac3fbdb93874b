"""The figures of each hour, and how they are merged with the rows that were written before.

Pure functions over sessions and rows; an hour is the POSIX time of its start, UTC. A session is in
the hour in which it ended.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import isclose
from typing import Final

from .figures import MASS_WITHIN, Endings, figures
from .session import PlacedSession

# Seconds. Days are made of these, so that a day on which the clocks are changed has 23 or 25.
HOUR: Final = 3600

# Statistics that are counts: an hour's rows have its own count, and the total up to its end.
SESSIONS: Final = "sessions"
GUESTS: Final = "guests"
LATE: Final = "late"
LEFT: Final = "left"
NO_SHOW: Final = "no_show"
COUNTS: Final = (SESSIONS, GUESTS, LATE, LEFT, NO_SHOW)

# Counts that may fall, as more becomes known of a session's goal or end, or of the sessions around
# it.
CORRECTED: Final = (LATE, LEFT, NO_SHOW)

# Statistics that are measured: the mean of an hour's sessions.
WAIT: Final = "wait"
ON_TIME_RATE: Final = "on_time_rate"
MEASURES: Final = (WAIT, ON_TIME_RATE)

KEYS: Final = (*COUNTS, *MEASURES)


@dataclass(frozen=True, slots=True)
class Row:
    """An hour of one statistic: state and sum of a count, or mean (with min, max) of a measure."""

    state: float | None = None
    sum: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None

    def says(self, other: Row) -> bool:
        """Whether both rows are the same, but for what a database may round."""
        return all(
            ours is theirs
            or (ours is not None and theirs is not None and isclose(ours, theirs, abs_tol=1e-9))
            for ours, theirs in (
                (self.state, other.state),
                (self.sum, other.sum),
                (self.mean, other.mean),
                (self.min, other.min),
                (self.max, other.max),
            )
        )


# By statistic (one of KEYS) and hour.
type Rows = Mapping[str, Mapping[int, Row]]


@dataclass(slots=True)
class Merged:
    """The rows that are to be written, and the total of each count at the end."""

    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)


def hour_of(session: PlacedSession) -> int:
    """The hour in which a session ended."""
    return session.ended_at // HOUR * HOUR


def counted_hour(session: PlacedSession) -> int | None:
    """The hour that counts a session; None for a slip at the keypad, which none counts."""
    return None if session.is_slip else hour_of(session)


def first_hour_of(session: PlacedSession) -> int:
    """The first hour whose figures depend on a session, as `Endings` of others may."""
    return (session.ended_at - MASS_WITHIN) // HOUR * HOUR


def rows_of(
    sessions: Iterable[PlacedSession], endings: Endings | None = None
) -> dict[str, dict[int, Row]]:
    """The rows of sessions by statistic and hour; those of counts lack the sum.

    The figures are those of figures.py; waits are in minutes. An hour in which a figure is not
    known has no row of it. endings: see `figures`.
    """
    sessions = tuple(sessions)
    endings = endings or Endings(sessions)
    hours: dict[int, list[PlacedSession]] = {}
    for session in sessions:
        hours.setdefault(hour_of(session), []).append(session)
    rows: dict[str, dict[int, Row]] = {key: {} for key in KEYS}
    for hour, ended in hours.items():
        found = figures(ended, endings)
        if not found.count:
            continue
        rows[SESSIONS][hour] = Row(state=found.count)
        rows[LEFT][hour] = Row(state=found.left)
        rows[NO_SHOW][hour] = Row(state=found.no_show)
        if found.guests is not None:
            rows[GUESTS][hour] = Row(state=found.guests)
        if found.average_wait is not None:
            rows[WAIT][hour] = Row(
                mean=found.average_wait / 60,
                min=(found.shortest_wait or 0) / 60,
                max=(found.longest_wait or 0) / 60,
            )
        if found.on_time_rate is not None:
            rows[LATE][hour] = Row(state=found.late)
            rows[ON_TIME_RATE][hour] = Row(mean=found.on_time_rate)
    return rows


def merge(
    told: Rows, written: Rows, totals: Mapping[str, float], moved: Collection[int] = ()
) -> Merged:
    """Merge the log's rows with those of the same hours that were written before.

    told: from `rows_of`. totals: of each count before the first of these hours. moved: hours that
    counted a session once and do no more: it is in another hour, or turned out to be a slip.

    Rows outlive the log: a session that was counted stays so though the log may forget it. A count
    falls only in an hour of moved, or if it is one of CORRECTED and the log knows as many sessions
    of the hour as before. Return the rows that differ from the written ones.
    """
    merged = Merged()
    for key in COUNTS:
        total = totals.get(key, 0.0)
        rows = merged.rows[key] = {}
        for hour in sorted(told[key].keys() | written[key].keys()):
            now, before = told[key].get(hour, Row()), written[key].get(hour, Row())
            state = now.state or 0
            is_corrected = key in CORRECTED and _knows(told, written, key, hour)
            if hour not in moved and not is_corrected:
                state = max(state, before.state or 0)
            total += state
            _put(rows, hour, Row(state=state, sum=total), before)
        merged.totals[key] = total
    for key in MEASURES:
        rows = merged.rows[key] = {}
        for hour in told[key].keys() | written[key].keys():
            before = written[key].get(hour, Row())
            if hour not in moved and not _knows(told, written, key, hour):
                continue
            # If an hour has no measure any more, its row is emptied: rows can't be deleted.
            _put(rows, hour, told[key].get(hour, Row()), before)
    return merged


def _knows(told: Rows, written: Rows, key: str, hour: int) -> bool:
    """Whether the log has the statistic of an hour, and of as many sessions as were written."""
    nothing = Row(state=0)
    count = told[SESSIONS].get(hour, nothing).state or 0
    before = written[SESSIONS].get(hour, nothing).state or 0
    return hour in told[key] and count >= before


def _put(rows: dict[int, Row], hour: int, row: Row, before: Row) -> None:
    """Put a row in if it differs from the one before."""
    if not row.says(before):
        rows[hour] = row
