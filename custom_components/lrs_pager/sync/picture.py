"""The picture of a transmitter: the business day it is in, and what is shown of it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from ..sessions.figures import MASS_WITHIN, Figures, figures, figures_between
from ..sessions.log import LogUnreadableError, SessionLog
from ..sessions.session import PlacedSession
from ..transmitter import BusinessDay, Settings, Statistics, UnitClock
from .facts import UnitFacts
from .push import PushState
from .quoting import Board

# Seconds by which the start of a day may move as the unit's clock drifts or is set, and be the same
# day still: counts are statistics, for which another start is a reset. A clock that is reset to the
# same date each morning moves it by a day.
SAME_DAY = 12 * 3600

# The log's key for the start of the day, which is the same after a restart.
DAY_KEY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A transmitter at a moment.

    now: that moment (POSIX seconds), which is not compared. day: the business day that the unit's
    clock is in; today: its ended sessions in figures; knows_today: whether the log could be read
    for them. last_reset: when the day's counts began anew (POSIX seconds): the day's start, as it
    was found first. last_cleared: the session that ended last, of any day. active: the sessions of
    the guests who hold a pager, from the oldest, with instants by our own clock as it is set now;
    None if the unit does not tell them. statistics, settings: the unit's own, if it told them.
    clock_ahead: seconds by which the unit's clock is ahead of ours; None if it didn't tell. push:
    whether changes are pushed. shows_names: whether labels are among the attributes of entities.
    quotes: what can be told of waits; None if nobody looks, or if the log can't be read for them.
    """

    now: float = field(compare=False)
    day: BusinessDay
    last_reset: int
    today: Figures
    knows_today: bool = True
    last_cleared: PlacedSession | None
    active: tuple[PlacedSession, ...] | None
    statistics: Statistics | None
    settings: Settings | None
    clock_ahead: int | None
    push: PushState
    device_name: str | None
    firmware_version: str | None
    shows_names: bool
    quotes: Board | None = None

    def shows_same_as(self, other: Snapshot | None) -> bool:
        """Whether nothing that is shown differs, though the two may be of different moments."""
        return (
            other is not None
            and self == other
            and self.late == other.late
            and self.left_over == other.left_over
            and self.next_goal == other.next_goal
        )

    @property
    def left_over(self) -> tuple[PlacedSession, ...]:
        """The active sessions of an earlier business day: they were not cleared at closing."""
        return tuple(s for s in self.active or () if s.is_left_over(self.day.start, self.now))

    @property
    def present(self) -> tuple[PlacedSession, ...]:
        """The active sessions of guests who are there."""
        return tuple(s for s in self.active or () if not s.is_left_over(self.day.start, self.now))

    @property
    def waiting(self) -> tuple[PlacedSession, ...]:
        """The guests who were not paged yet."""
        return tuple(session for session in self.present if not session.is_paged)

    @property
    def paged(self) -> tuple[PlacedSession, ...]:
        """The guests who were paged: the pager is to come back."""
        return tuple(session for session in self.present if session.is_paged)

    @property
    def late(self) -> tuple[PlacedSession, ...]:
        """The guests who wait for longer than their goal."""
        return tuple(s for s in self.waiting if s.late_at is not None and s.late_at <= self.now)

    @property
    def next_goal(self) -> int | None:
        """The next goal that will run out (POSIX seconds); None if there is none ahead."""
        goals = [session.goal_at for session in self.waiting if session.goal_at is not None]
        return min((goal for goal in goals if goal > self.now), default=None)

    @property
    def moments(self) -> list[float]:
        """The instants (POSIX seconds), past ones too, at which what is shown changes by itself."""
        goals = [session.goal_at for session in self.waiting if session.goal_at is not None]
        late = [session.late_at for session in self.waiting if session.late_at is not None]
        return [self.day.turns.timestamp(), *goals, *late]


class Picture:
    """Takes snapshots, and keeps the day's figures between them."""

    def __init__(self, *, day_start: int, shows_names: bool) -> None:
        """Begin without a day. day_start: the hour at which a business day begins."""
        self._day_start, self._shows_names = day_start, shows_names
        self._day: BusinessDay | None = None
        # Whether that day's start follows from our own clock; and whether it was worked out before
        # a restart: it then stays when our clock is set.
        self._follows_our_clock = self._is_restored = False
        self._kept: dict[str, Any] | None = None  # the day's start, as the log has it
        # The day's start as it was found first: figures that begin anew then must not do so again
        # when our clock is set by some seconds.
        self._last_reset: int | None = None
        # The day's figures, and what they were made from: the day, and how the log was.
        # The figures are None if those of that day could never be read.
        self._today: Figures | None = figures(())
        self._made_from: tuple[int, int, int] | None = None

    async def open(self, log: SessionLog, now: datetime) -> None:
        """Go on with the day that it was before a restart. now: our clock (UTC)."""
        kept = await log.get(DAY_KEY)
        try:
            on, start = date.fromisoformat(kept["date"]), int(kept["start"])
            is_same = kept["day_start"] == self._day_start
            follows_our_clock = bool(kept["follows_our_clock"])
        except KeyError, TypeError, ValueError:
            return  # there is none, or it is another version's
        # A start in the future shows that our clock was wrong when it was found, or is now.
        if is_same and start <= now.timestamp():
            self._kept = kept
            self._day = BusinessDay(on, start, start, turns=datetime.fromtimestamp(start, UTC))
            self._follows_our_clock, self._is_restored = follows_our_clock, True
            self._last_reset = int(kept.get("last_reset", start))

    async def _keep(self, day: BusinessDay, log: SessionLog) -> None:
        """Have the log keep the day's start."""
        kept = {
            "date": day.date.isoformat(),
            "day_start": self._day_start,
            "start": day.start,
            "follows_our_clock": self._follows_our_clock,
            "last_reset": self._last_reset,
        }
        if kept != self._kept:
            await log.set(DAY_KEY, kept)
            self._kept = kept

    def day(self, clock: UnitClock, now: datetime) -> BusinessDay:
        """The business day that the unit's clock is in."""
        day = clock.business_day(now, self._day_start)
        kept = self._day
        is_same = kept and kept.date == day.date and abs(kept.start - day.start) < SAME_DAY
        # A start that follows from our own clock gives way to one that the unit's clock says.
        if kept and is_same and not (self._follows_our_clock and clock.agrees):
            day = replace(day, start=kept.start)
        if not is_same:
            self._today, self._made_from, self._last_reset = figures(()), None, day.start
        if kept is None or day.start != kept.start or clock.agrees:
            self._follows_our_clock, self._is_restored = not clock.agrees, False
        self._day = day
        return day

    def shift(self, seconds: int) -> None:
        """Our clock was set: move the day's start, if it follows from that."""
        if self._day and self._follows_our_clock and not self._is_restored:
            self._day = replace(self._day, start=self._day.start + seconds)

    def is_behind(self, log: SessionLog) -> bool:
        """Whether the day's figures are to be summed up, as the log or the day is another."""
        day = self._day
        return day is not None and self._made_from != (day.start, day.end, log.changes)

    async def sum_up(self, day: BusinessDay, log: SessionLog) -> None:
        """Sum up the day's figures if the log or the day has changed; keep the day's start.

        Raises LogUnreadableError; the figures then stay, if there are any of that day.
        """
        await self._keep(day, log)
        made_from = day.start, day.end, log.changes
        if made_from != self._made_from:
            try:
                around = await log.between(day.start - MASS_WITHIN, day.end + MASS_WITHIN)
            except LogUnreadableError:
                if self._made_from is None:
                    self._today = None
                raise
            if self._day and (self._day.start, self._day.end) == (day.start, day.end):
                # The day has not turned meanwhile.
                self._today = figures_between(around, day.start, day.end)
                self._made_from = made_from

    def take(
        self,
        clock: UnitClock,
        now: datetime,
        *,
        facts: UnitFacts,
        active: tuple[PlacedSession, ...] | None,
        last_cleared: PlacedSession | None,
        clock_ahead: int | None,
        push: PushState,
        quotes: Board | None,
    ) -> Snapshot:
        """Take a snapshot. now: our clock (UTC)."""
        day = self.day(clock, now)
        return Snapshot(
            now=now.timestamp(),
            day=day,
            last_reset=day.start if self._last_reset is None else self._last_reset,
            today=self._today or figures(()),
            knows_today=self._today is not None,
            last_cleared=last_cleared,
            active=active,
            statistics=facts.statistics,
            settings=facts.settings,
            clock_ahead=clock_ahead,
            push=push,
            quotes=quotes,
            device_name=facts.device_name,
            firmware_version=facts.firmware_version,
            shows_names=self._shows_names,
        )
