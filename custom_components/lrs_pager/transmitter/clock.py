"""What instant a time of the unit means.

The unit stamps sessions with its wall clock: no zone, set by hand, right or years off. Each
answer carries that clock's present time, which is all that is needed:

- If it agrees with ours (TOLERANCE), the unit keeps local time, and its stamps are local times
  of our zone, on both sides of a change to or from summer time.
- If not, a stamp is as old as the unit says it is: its present time less the stamp is the age,
  and the instant follows from our own clock. That is right for any clock that runs, however it
  is set, and also for one that agreed until the clocks were changed and nobody changed it.

Instants are POSIX seconds (UTC), whole, as the unit's stamps are whole seconds.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from .messages import Session

# How far the unit's clock may be off and still count as keeping local time. A clock set by hand
# and drifting for months stays within minutes; the next thing that happens to clocks, a change
# to summer time that was missed, is an hour.
TOLERANCE = timedelta(minutes=5)

# Seconds by which a stamp and our own clock may differ by rounding and by the network, where
# the order of events is concerned.
SLACK = 5


@dataclass(frozen=True, slots=True)
class Instants:
    """When a session was created, notified (paged) and cleared; None where the unit didn't say."""

    created: int | None
    notified: int | None
    cleared: int | None

    @property
    def last(self) -> int:
        """The latest instant. There has to be one."""
        return max([i for i in (self.created, self.notified, self.cleared) if i is not None])

    def shifted(self, seconds: int) -> Instants:
        """The same, later by so many seconds."""
        all_ = self.created, self.notified, self.cleared
        return Instants(*[None if i is None else i + seconds for i in all_])


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A day of service, by the unit's clock.

    start, end: instants; a session belongs to the day if start <= cleared < end.
    turns: when, by our own clock (UTC), the unit's clock will show the day's end.
    """

    date: date
    start: int
    end: int
    turns: datetime


@dataclass(frozen=True, slots=True)
class UnitClock:
    """A reading of the unit's clock against ours.

    zone: ours. ahead: the unit's wall clock less our wall clock, in whole seconds. utc_offset: our
    zone's at the reading. at: when it was read, or a later moment for which it holds (UTC).
    agrees: whether the unit keeps our local time. setting: goes up by one whenever the unit's clock
    was set, so that two stamps of one setting are as far apart as the events that they stamp.
    set_at: when it was found to have been set (UTC); None if it was not since the first reading.
    was_stepped: whether our own clock was set since the reading.
    latest: the instant (POSIX seconds) of a stamp that the unit makes at `at`.
    """

    zone: tzinfo
    ahead: timedelta
    utc_offset: timedelta
    at: datetime
    agrees: bool
    setting: int = 0
    set_at: datetime | None = None
    was_stepped: bool = False
    latest: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out `latest`, which is needed for every session."""
        shown = self.at + self.ahead if self.agrees else self.at
        object.__setattr__(self, "latest", round(shown.timestamp()))

    def time_at(self, at: datetime) -> datetime:
        """What the unit's clock shows at an instant of ours: naive, as the unit writes it."""
        if self.agrees:
            # Its summer time begins and ends when it shows that hour itself, not when ours does.
            return (at + self.ahead).astimezone(self.zone).replace(tzinfo=None)
        return at.astimezone(UTC).replace(tzinfo=None) + self.utc_offset + self.ahead

    @property
    def is_stale(self) -> bool:
        """Whether the unit's clock has to be read again before stamps are placed.

        Local time changed to or from summer time since the reading, and it is not known whether the
        unit's clock did, too; or our own clock was set, or seems so, as the computer slept.
        """
        has_changed = self.at.astimezone(self.zone).utcoffset() != self.utc_offset
        return has_changed or self.was_stepped

    def span(self, start: datetime, end: datetime) -> int:
        """Seconds between two stamps that are told together.

        If the unit keeps local time, a change to or from summer time may be between them.
        """
        if not self.agrees:
            return round((end - start).total_seconds())
        until = self.instant(end, self.latest + SLACK)
        return until - self.instant(start, until)

    def instant(self, stamp: datetime, not_after: int) -> int:
        """The instant of a stamp (POSIX seconds).

        not_after: the latest that it can be. When clocks are put back, the stamps of an hour mean
        two instants each: the later one is returned unless it is after this.
        """
        if not self.agrees:
            shown = round(stamp.replace(tzinfo=UTC).timestamp())
            return shown - round((self.utc_offset + self.ahead).total_seconds())
        earlier, later = stamp.replace(tzinfo=self.zone), stamp.replace(tzinfo=self.zone, fold=1)
        if earlier.utcoffset() == later.utcoffset():  # as in all but two hours of the year
            return round(earlier.timestamp())
        first, second = round(earlier.timestamp()), round(later.timestamp())
        return second if first < second <= not_after else first

    def is_of_setting(self, stamp: datetime | None) -> bool:
        """Whether a stamp can be of this setting, rather than of one before it."""
        if stamp is None or self.set_at is None:
            return True
        return self.by_ours(stamp) >= self.set_at.timestamp() - SLACK

    def by_ours(self, stamp: datetime) -> int:
        """When a stamp of this setting was made, by our own clock as it is set now."""
        instant = self.instant(stamp, self.latest + SLACK)
        return instant - round(self.ahead.total_seconds()) if self.agrees else instant

    def place(self, session: Session, before: tuple[UnitClock, int] | None = None) -> Instants:
        """When a session, seen for the first time now, was created, notified and cleared.

        before: an earlier reading, and an instant at which the session had not ended yet, as the
        history did not have it then. If the end is between that instant and now by the earlier
        reading, and not by this one, the clock was set after the session was stamped.
        """
        latest = self.latest + SLACK
        instants = self._place(session, latest)
        if before is not None and not (earliest := before[1] - SLACK) <= instants.last <= latest:
            # The stamps by the earlier reading, as if it still held.
            old = replace(before[0], at=self.at).place_alone(session)
            if earliest <= old.last <= latest:
                return old
        if instants.last > latest:
            # The clock was put back after the stamp: the session ended just now at the latest.
            return instants.shifted(self.latest - instants.last)
        return instants

    def place_alone(self, session: Session) -> Instants:
        """Place a session by this clock's reading alone, be it in the future."""
        return self._place(session, self.latest + SLACK)

    def _place(self, session: Session, limit: int) -> Instants:
        """Read the stamps of a session. limit: the latest that they can be."""
        cleared = notified = created = None
        if session.cleared is not None:
            limit = cleared = self.instant(session.cleared, limit)
        if session.notified is not None:
            limit = notified = self.instant(session.notified, limit)
        if session.created is not None:
            created = self.instant(session.created, limit)
        return Instants(created, notified, cleared)

    def business_day(self, at: datetime, day_start: int) -> BusinessDay:
        """The business day that the unit's clock is in at an instant of ours.

        day_start: the hour at which a business day begins, 0 to 23.
        """
        day = (self.time_at(at) - timedelta(hours=day_start)).date()
        start, end = (
            datetime.combine(day + timedelta(days=days), time(day_start)) for days in (0, 1)
        )
        # The first if there are two instants: when the clock is put back, the day has begun.
        begins, ends = (self.instant(stamp, not_after=0) for stamp in (start, end))
        turns = datetime.fromtimestamp(ends, UTC) - (self.ahead if self.agrees else timedelta())
        return BusinessDay(day, begins, ends, turns)
