"""Baselines: the simple ways in which others estimate a wait, to judge the quote by.

Each gives a figure in minutes for a guest who arrives. The comments at NAMES say which product or
theory it is from.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

# Minutes that a baseline gives while it has no data: the goal in most of the vendor's examples.
DEFAULT: Final = 15.0

# In the order in which `Baselines.figures` gives them.
NAMES: Final = (
    # The goal of the last guest who had one, or 15 minutes.
    "default_goal",
    # The mean wait of those who were paged today.
    "mean_of_today",
    # The mean wait of the last 30 who were paged, over the last four hours (NextMe).
    "mean_of_last_30",
    # The wait of the guest who was paged last: LES of queueing theory.
    "last_wait",
    # Minutes for each party of the same size ahead, a running mean (Waitlist Me).
    "parties_ahead",
    # The same by hour of the week, the mean of eight weeks (TablesReady).
    "weekday_hour_size",
)

HOUR: Final = 3600
DAY: Final = 24 * HOUR

# The hour (local time) at which a day of guests begins.
DAY_START: Final = 4 * HOUR

# Minutes for each party before any page is known; for how many pages that counts; and the least
# weight of a new page in the running mean.
_FIRST_PER_PARTY, _FIRST_WEIGHT, _LAST_GAIN = 6.0, 5, 1 / 60

# The paged guests that must be known before hours of the week are used; the seconds for which a
# guest counts there; and the most guests of one hour.
_ENOUGH_FOR_HOURS, _HOURS_FOR, _MOST_OF_AN_HOUR = 50, 56 * DAY, 400


@dataclass(slots=True)
class _PerParty:
    """The running mean of the minutes for each party of a size."""

    minutes: float = _FIRST_PER_PARTY
    count: int = 0

    def add(self, minutes: float) -> None:
        self.count += 1
        gain = max(1 / (self.count + _FIRST_WEIGHT), _LAST_GAIN)
        self.minutes += gain * (minutes - self.minutes)


@dataclass(slots=True)
class _Today:
    """The waits of a day."""

    day: float | None = None
    count: int = 0
    minutes: float = 0.0


@dataclass(slots=True)
class Baselines:
    """All baselines, which learn as guests are paged.

    size: the number of a class of party sizes. at: POSIX seconds. local: POSIX seconds plus the
    offset of local time, which gives the hour of the week and the day.
    """

    _per_party: defaultdict[int, _PerParty] = field(default_factory=lambda: defaultdict(_PerParty))
    _today: _Today = field(default_factory=_Today)
    _last: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=30))
    _hours: defaultdict[tuple[int, int], deque[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_MOST_OF_AN_HOUR))
    )
    _count: int = 0

    def for_parties(self, size: int, ahead: int) -> float:
        """The minutes until so many parties of a size and the guest's own are paged."""
        return self._per_party[size].minutes * (ahead + 1)

    def figures(
        self, at: float, local: float, size: int, ahead: int, goal: float | None
    ) -> tuple[float, ...]:
        """The wait in minutes by each baseline, in the order of NAMES.

        ahead: how many parties of the same size wait. goal: minutes, None if there was none yet.
        """
        default = DEFAULT if goal is None else goal
        today, parties = self._today, self.for_parties(size, ahead)
        recent = [minutes for paged, minutes in self._last if at - paged <= 4 * HOUR]
        each = [
            minutes
            for paged, minutes in self._hours[_hour_of_week(local), size]
            if at - paged <= _HOURS_FOR
        ]
        is_hour_known = each and self._count >= _ENOUGH_FOR_HOURS
        return (
            default,
            today.minutes / today.count if today.day == _day(local) else default,
            sum(recent) / len(recent) if recent else default,
            self._last[-1][1] if self._last else default,
            parties,
            sum(each) / len(each) * (ahead + 1) if is_hour_known else parties,
        )

    def paged(self, at: float, local: float, size: int, ahead: int, minutes: float) -> None:
        """Learn from a guest who was paged. at: when. local, ahead: as they were on arrival."""
        self._count += 1
        self._per_party[size].add(minutes / (ahead + 1))
        if self._today.day != (day := _day(local)):
            self._today = _Today(day)
        self._today.count += 1
        self._today.minutes += minutes
        self._last.append((at, minutes))
        self._hours[_hour_of_week(local), size].append((at, minutes / (ahead + 1)))


def _hour_of_week(local: float) -> int:
    return int(local // HOUR) % 168


def _day(local: float) -> float:
    return (local - DAY_START) // DAY
