"""Which shifts there are, and what goes wrong in which: from the seed alone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
import random

from tests.simulator import Faults

# Shifts of a day: over an hour's turn, somewhere in the evening, over midnight.
SHIFTS = 3

# The hour of the first.
NOON = 13

# Hours that pass after it, at most, in which one side is away: the evening's begins at 17:05.
LONGEST_ABSENCE = 3.5

# The part of the days in which Home Assistant is killed and restarted.
EARLY = 0.4

# Days in a row on which there is a NAT.
NAT_DAYS = 2

# Seconds of a fault at most: longer than the retransmissions that hide a short one, and short
# enough for several in a shift.
LONGEST_FAULT = 2.0

# Seconds between two faults, at most.
LONGEST_CALM = 1.5

# How far the unit's clock is ahead of Home Assistant's when it is set by hand, say.
SMALL_OFFSETS = tuple(timedelta(seconds=seconds) for seconds in (-170, -60, 0, 45, 200))

# The same, but too far to take its stamps for local time: summer time missed, an empty battery,
# another year.
LARGE_OFFSETS = (
    timedelta(hours=-1),
    timedelta(minutes=47),
    timedelta(days=-9 * 365),
    timedelta(days=400, hours=3),
)

# Home Assistant's own clock at boot, until a time server has put it right: a computer without a
# battery goes on from when it was last on. And in service, as when somebody or something sets it.
BOOT_OFFSETS = (timedelta(hours=-10), timedelta(hours=3), timedelta(minutes=-55))
STEPS = (
    timedelta(minutes=-7),
    timedelta(minutes=25),
    timedelta(seconds=-90),
    timedelta(minutes=4),
    timedelta(minutes=-40),
)


class Event(StrEnum):
    """What happens once in the middle of a shift."""

    KILL = "kill -9"
    RESTART = "restart"
    RELOAD = "reload of the entry"
    REBOOT = "reboot of the unit"
    FORGET = "unit forgets who observes it"
    UNPLUG = "unit unplugged for seconds"
    BOOT = "unit off for seconds at a busy noon, and booted"
    SWAP = "another unit at the address, and the user says so"


class After(StrEnum):
    """What happens after a shift, when all is told and the guests have gone."""

    WIPE = "history wiped"
    SET_CLOCK = "unit's clock set, within 5 min"
    HOURS_DOWN = "Home Assistant off for hours"
    HOURS_UNPLUGGED = "unit unplugged for hours"
    RELOAD = "reload after a loss of push"
    RESET = "unit reset, and the user says that it is the same"


# After which the unit has forgotten us, which shows within 95 seconds.
LOSSES = (Event.REBOOT, Event.FORGET, Event.UNPLUG)

# After which hours have passed.
ABSENCES = (After.HOURS_DOWN, After.HOURS_UNPLUGGED, After.RESET)

# How many times the usual guests come in a busy shift.
BUSY = 1.5


@dataclass
class Shift:
    """A shift. day: from 0. middle: naive local time."""

    day: int
    middle: datetime
    event: Event | None = None
    offset: timedelta | None = None
    """How far the unit's clock is off in this shift, if far."""
    step: timedelta | None = None
    """How far Home Assistant's own clock is off for a while: from its start on, if it starts."""
    after: After | None = None
    is_patient: bool = False
    """Whether nothing is asked for afterwards: it has to come right by itself."""
    is_behind_nat: bool = False
    """Whether nothing that the unit sends by itself is let in."""

    @property
    def guests(self) -> float:
        """How many times the usual guests come."""
        return BUSY if self.event is Event.BOOT else 1

    @property
    def is_free(self) -> bool:
        """Whether nothing happens but the faults that are in every shift."""
        return not any((self.event, self.after, self.offset, self.step))


def plan(rng: random.Random, first: date, days: int, kills: int, *, is_calm: bool) -> list[Shift]:
    """Return all shifts.

    Kills and restarts are in the first part, so that one process lives through the rest: its
    memory is measured.
    """
    shifts = [
        Shift(day, datetime.combine(first + timedelta(days=day), time()) + after_midnight)
        for day in range(days)
        for after_midnight in (
            timedelta(hours=NOON),
            timedelta(hours=17, minutes=rng.randint(5, 50)) + timedelta(hours=rng.randint(0, 4)),
            timedelta(hours=24),
        )
    ]
    if is_calm:
        return shifts
    early = [shift for shift in shifts if shift.day <= days * EARLY]
    noons = [shift for shift in shifts if shift.middle.hour == NOON]
    evenings = [shift for shift in shifts if shift.middle.hour not in {0, NOON}]

    def give(among: list[Shift], times: int, *given: Event | After | timedelta) -> list[Shift]:
        """Give these, in turn, to some shifts that have nothing yet."""
        free = [shift for shift in among if shift.is_free]
        chosen = rng.sample(free, min(times, len(free)))
        for number, shift in enumerate(chosen):
            match given[number % len(given)]:
                case Event() as event:
                    shift.event = event
                case After() as after:
                    shift.after = after
                case offset:
                    shift.offset = offset
        return chosen

    give(early, kills, Event.KILL)
    give(early, max(1, days // 4), Event.RESTART)
    # Not on the first day: the token with which we ask is from its noon.
    starts = [shift for shift in early if shift.event is not None and shift.day > 0]
    for number, shift in enumerate(rng.sample(starts, (len(starts) + 1) // 2)):
        shift.step = BOOT_OFFSETS[number % len(BOOT_OFFSETS)]
    # The evening's shift comes after these hours.
    early_noons = [shift for shift in noons if shift in early]
    give(early_noons, max(1, days // 7), After.HOURS_DOWN)
    give(noons, max(1, days // 7), After.HOURS_UNPLUGGED)
    give(noons, max(1, days // 14), After.RESET)
    give(noons, max(1, days // 5), Event.BOOT)
    give(shifts, max(1, days // 5), Event.SWAP)
    give(evenings, max(1, days // 5), *rng.sample(LARGE_OFFSETS, len(LARGE_OFFSETS)))
    for number, shift in enumerate(give(shifts, days // 3, *LOSSES)):
        # What nobody helps takes up to two minutes to come right: once a fortnight.
        shift.is_patient = number == len(LOSSES) - 1
        shift.after = None if shift.is_patient else After.RELOAD
    give(shifts, days // 3, Event.RELOAD)
    give(shifts, days // 3, After.WIPE)
    give(shifts, days // 2, After.SET_CLOCK)
    free = [shift for shift in shifts if shift.is_free]
    for number, shift in enumerate(rng.sample(free, min(max(1, days // 3), len(free)))):
        shift.step = STEPS[number % len(STEPS)]
    nat_from = rng.randrange(days)
    for shift in shifts:
        shift.is_behind_nat = nat_from <= shift.day < nat_from + NAT_DAYS
    return shifts


@dataclass(frozen=True)
class Trouble:
    """A fault for some seconds, after calm ones. name: the simulator's, or else of the network."""

    name: str
    calm: float
    seconds: float
    loss_in: float = 0
    loss_out: float = 0
    delay: float = 0
    jitter: float = 0


def next_trouble(rng: random.Random) -> Trouble:
    """Return what goes wrong next; half of it is the network."""
    calm, seconds = rng.uniform(0.1, LONGEST_CALM), rng.uniform(0.2, LONGEST_FAULT)
    match rng.choice(("loss", "delay", "fault", "fault")):
        case "loss":
            loss_in, loss_out = rng.choice(((0.3, 0.3), (0.5, 0), (0, 0.5), (1, 0), (0, 1)))
            return Trouble("datagrams lost", calm, seconds, loss_in=loss_in, loss_out=loss_out)
        case "delay":
            return Trouble(
                "datagrams late and out of order",
                calm,
                seconds,
                delay=rng.uniform(0, 0.3),
                jitter=rng.uniform(0, 0.3),
            )
        case _:
            return Trouble(rng.choice(Faults.names()), calm, seconds)
