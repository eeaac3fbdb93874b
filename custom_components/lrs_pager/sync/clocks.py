"""Two clocks that may be set at any time: the unit's, and our own.

Both are compared with a third that nobody can set, the event loop's. If the unit's parts from it,
the unit's clock was set: a new setting, under which stamps mean other instants. If our own does,
ours was set, and the instants that follow from it are to be shifted.

A computer that slept, or a virtual machine that was paused, looks like that, too: the loop's clock
stood still meanwhile. The unit's clock tells the two apart, as it went on.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from math import floor

from ..transmitter import TOLERANCE, UnitClock

# If our clock parts from the loop's by so many seconds, it was set. Time services slew it by less
# between two looks.
STEP = 1.5

# Seconds a second by which the unit's clock may run fast or slow; a bad one is off by ten a day.
DRIFT = 2e-4

# The unit's timestamps are cut to whole seconds, so that its clock may be up to this much ahead.
RESOLUTION = 1.0

# Seconds of rounding by which two readings may differ.
SLACK = 0.1

# How near the unit's clock has to come to local time to count as keeping it again, so that a clock
# which drifts past TOLERANCE does so once, whatever the next readings are.
RETURN = TOLERANCE - timedelta(minutes=1)


class Clocks:
    """The unit's clock and our own."""

    def __init__(
        self,
        *,
        zone: Callable[[], tzinfo],
        wall: Callable[[], float],
        steady: Callable[[], float],
        stepped: Callable[[int], None],
    ) -> None:
        """Read nothing yet.

        zone: of local time. wall: our clock (POSIX seconds). steady: the loop's (seconds).
        stepped: called when our clock was set, with the seconds by which it went forward (less than
        0: back); and with their opposite if the computer turns out to have slept instead.
        """
        self._zone, self._wall, self._steady = zone, wall, steady
        self._stepped = stepped
        self._offset = wall() - steady()  # of our clock to the loop's
        # The steps of our clock since the unit's was read, and when the last was noticed.
        self._steps: list[float] = []
        self._noticed_at = 0.0
        # The unit's clock (naive, as seconds since 1970) less the loop's: the value that is taken,
        # and the least and the most that are possible. When it was read.
        self._unit: float | None = None
        self._span = 0.0, 0.0
        self._read_at = 0.0
        self._agrees = True
        # How often it was found to have been set, with the first reading, and when last; None if
        # only that was.
        self._setting: tuple[int, float | None] = 0, None

    def local_time(self) -> datetime:
        """Our local time, naive."""
        return datetime.fromtimestamp(self.now(), self._zone()).replace(tzinfo=None)

    def now(self) -> float:
        """Our time (POSIX seconds). Looks whether our clock was set, as all that needs it does."""
        wall, steady = self._wall(), self._steady()
        step = wall - steady - self._offset
        self._offset = wall - steady
        if abs(step) >= STEP:
            if self._unit is not None:
                self._steps.append(step)
            self._noticed_at = steady
            self._stepped(round(step))
        return wall

    def at(self, steady: float) -> datetime:
        """Our time (UTC) at a moment of the loop's clock, by our clock as it is set now."""
        self.now()
        return datetime.fromtimestamp(steady + self._offset, UTC)

    def read(self, shown: datetime, asked: float, answered: float) -> None:
        """Read the unit's clock off an answer.

        shown: its timestamp. asked, answered: by the loop's clock. The reading before is kept for
        as long as an answer doesn't contradict it, so that a steady clock gives steady instants,
        however long an answer takes. An answer that was under way as our clock was set tells
        nothing, as the computer may have slept meanwhile.
        """
        self.now()
        if self._steps and asked < self._noticed_at:
            return
        low, high = _naive(shown) - answered, _naive(shown) - asked + RESOLUTION
        drift = SLACK + DRIFT * max(0.0, answered - self._read_at)
        is_first = self._unit is None
        # What the readings before leave as possible.
        before = (self._span[0] - drift, self._span[1] + drift)
        possible = _both((low, high), before)
        if possible is None and not is_first and self._steps:
            possible = self._possible_after_sleep((low, high), before)
        was_set = possible is None or is_first or bool(self._steps)
        self._steps = []
        if possible is None or self._unit is None:
            self._setting = self._setting[0] + 1, None if self._unit is None else answered
            possible = low, high
            # If the answer does not contradict it, the unit's clock is taken for equal to ours.
            self._unit = _naive(self._local(answered)) - answered
            if not low <= self._unit <= high:
                self._unit = (low + high) / 2
        self._span = possible
        self._unit = min(max(self._unit, possible[0]), possible[1])
        self._read_at = answered
        ahead = abs(self._ahead(answered))
        self._agrees = ahead <= (TOLERANCE if self._agrees or was_set else RETURN)

    def read_whosever(self, shown: datetime | None, asked: float, answered: float) -> None:
        """Read the clock of a unit that may be another, if it shows what our unit's would.

        So it is found that the computer slept before it is known who answers. shown: None if the
        answer has no time. Others: as of `read`.
        """
        self.now()
        if shown is None or self._unit is None or not self._steps:
            return
        expected, since = self._unit + answered, answered - self._read_at
        for slept in (0.0, sum(self._steps), *self._steps):
            slack = RESOLUTION + answered - asked + DRIFT * (abs(slept) + since)
            if abs(_naive(shown) - expected - slept) <= slack:
                self.read(shown, asked, answered)
                return

    def _possible_after_sleep(
        self, found: tuple[float, float], before: tuple[float, float]
    ) -> tuple[float, float] | None:
        """What is possible if the loop's clock stood still while both others went on.

        found: the span of a reading. before: the span that those before it leave as possible.
        """
        assert self._unit is not None
        moved = (found[0] + found[1]) / 2 - self._unit
        # The computer may have slept once, and our clock been set besides.
        for slept in (sum(self._steps), *self._steps):
            slack = DRIFT * abs(slept)  # they went on at their own rates
            possible = _both(found, (before[0] + slept - slack, before[1] + slept + slack))
            if possible is not None:
                break
        else:
            # The unit's clock was set meanwhile, too. Its smallest possible change is believed.
            slept = min((0.0, *self._steps), key=lambda step: abs(moved - step))
            ahead = self._unit + moved - _naive(self._local(self._noticed_at)) + self._noticed_at
            if min(abs(moved - slept), abs(ahead)) > TOLERANCE.total_seconds():
                # It was set neither by a little nor to our local time: it was reset, as where it
                # is switched off at night, and nobody has set ours. So the computer slept.
                slept = sum(step for step in self._steps if step > 0)
        if slept:
            self._unit += slept
            self._stepped(-round(slept))
        return possible

    def is_as_read(self, shown: datetime, steady: float) -> bool:
        """Whether the time of a notification is what the unit's clock has to show.

        A notification may have been under way for long, so that it can't be taken for a reading.
        """
        self.now()
        if self._unit is None or self._steps:
            return False
        return -RESOLUTION <= _naive(shown) - self._unit - steady <= RESOLUTION

    def is_local(self, shown: datetime | None, steady: float) -> bool:
        """Whether a clock, whosever it is, showed local time at a moment of the loop's clock."""
        return shown is not None and abs(shown - self._local(steady)) <= TOLERANCE

    @property
    def is_known(self) -> bool:
        """Whether the unit ever said what its clock shows."""
        return self._unit is not None

    @property
    def agrees(self) -> bool:
        """Whether the unit keeps our local time, as far as we know."""
        return self._agrees

    @property
    def ahead(self) -> int | None:
        """Seconds by which the unit's clock is ahead of ours; None if it never said its time."""
        return None if self._unit is None else round(self._ahead(self._read_at).total_seconds())

    def unit(self, steady: float) -> UnitClock:
        """The unit's clock, as far as it is known at a moment of the loop's clock.

        If the unit never said what its clock shows, it is taken to keep local time.
        """
        at = self.at(steady)
        read_at = self.at(self._read_at) if self._unit is not None else at
        zone = self._zone()
        setting, set_at = self._setting
        return UnitClock(
            zone=zone,
            ahead=self._ahead(self._read_at) if self._unit is not None else timedelta(),
            utc_offset=read_at.astimezone(zone).utcoffset() or timedelta(),
            at=max(at, read_at),
            agrees=self._agrees,
            setting=setting,
            set_at=None if set_at is None else self.at(set_at),
            was_stepped=bool(self._steps),
        )

    def _ahead(self, steady: float) -> timedelta:
        """The unit's wall clock less ours, to the second."""
        assert self._unit is not None
        # Half a second counts as none: stamps are cut to seconds, and never ahead of the clock.
        ahead = self._unit + steady - _naive(self._local(steady))
        return timedelta(seconds=floor(ahead + 0.49))

    def _local(self, steady: float) -> datetime:
        """What our wall clock shows at a moment of the loop's clock, naive."""
        return self.at(steady).astimezone(self._zone()).replace(tzinfo=None)


def _naive(time: datetime) -> float:
    """A naive time as seconds since 1970, as if it were UTC."""
    return time.replace(tzinfo=UTC).timestamp()


def _both(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float] | None:
    """What two spans have in common; None if that is nothing."""
    low, high = max(first[0], second[0]), min(first[1], second[1])
    return (low, high) if low <= high else None
