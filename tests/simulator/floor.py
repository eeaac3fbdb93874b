"""A restaurant that is open day and night: guests come, wait, are paged and leave.

The floor lives in true wall time; the unit stamps what happens with its own clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
import heapq
from itertools import count
import random
from typing import Literal

from .unit import Unit

# Guests an hour from that hour of day on.
type Rates = tuple[tuple[float, float], ...]

# Two peaks, and a trickle at night. A day adds up to about 175 guests.
GUESTS_PER_HOUR: Rates = (
    (0.0, 1.2),
    (6.0, 6.0),
    (11.5, 20.0),
    (14.0, 4.5),
    (17.5, 15.5),
    (21.5, 4.0),
    (23.0, 1.2),
)

# One rack of guest pagers as the vendor sells them for a house of this size.
RACK = range(1, 41)

# Targets a host would pick, in seconds.
GOALS = (300, 600, 900, 1200)

PARTY_SIZES = (1, 2, 2, 2, 3, 4, 4, 5, 6, 8)

# Of 1000 guests; the rest are paged, come and are cleared.
NEVER_PAGED = 40
NO_SHOW = 50
LABELLED = 600

# How long a pager is left in the hands of nobody before the host removes the session.
NO_SHOW_AFTER = timedelta(minutes=10)

NAMES = (
    *("Abbott", "Baptiste", "Chen", "Diaz", "Eriksson", "Fofanah", "García", "Haddad", "Ito"),
    *("Jansen", "Kowalski", "Larsen", "Müller", "Núñez", "O'Brien", "Park", "Quinn", "Rossi"),
    *("Smith", "Tanaka", "Usman", "Vega", "Walker", "Xu", "Yang", "Zhang"),
)


def guests_per_hour(moment: datetime, rates: Rates = GUESTS_PER_HOUR) -> float:
    """Return the rate at which guests arrive at that time of day."""
    hour = moment.hour + moment.minute / 60
    return next(rate for start, rate in reversed(rates) if start <= hour)


@dataclass(frozen=True)
class Guest:
    """One party's visit, as planned. Times are true wall time; waits are from arrival."""

    arrives: datetime
    party_size: int
    label: str | None
    goal: int
    paged_after: timedelta | None
    """None for those who leave before anybody pages them."""
    ends_after: timedelta
    ending: Literal["clear", "remove"]


def plan_day(day: date, seed: int, rates: Rates = GUESTS_PER_HOUR) -> list[Guest]:
    """Return who comes on that day, in order: the same guests for the same day, seed and rates."""
    busiest = max(rate for _, rate in rates)
    rng = random.Random(f"{seed} {day}")
    guests: list[Guest] = []
    moment = datetime.combine(day, time())
    while True:
        moment += timedelta(seconds=round(rng.expovariate(busiest / 3600)))
        if moment.date() != day:
            return guests
        # Candidates come at the rate of the busiest hour; the hour decides who is real.
        if rng.random() * busiest < guests_per_hour(moment, rates):
            guests.append(_plan_guest(moment, rng))


def _plan_guest(arrives: datetime, rng: random.Random) -> Guest:
    fate = rng.randrange(1000)
    goal = rng.choice(GOALS)
    # Most tables come somewhat before the goal, about one in four after it.
    wait = timedelta(seconds=round(goal * rng.triangular(0.2, 1.5, 0.75)))
    response = timedelta(seconds=rng.randint(15, 240))
    label = rng.choice(NAMES) if rng.randrange(1000) < LABELLED else None
    return Guest(
        arrives=arrives,
        party_size=rng.choice(PARTY_SIZES),
        label=label,
        goal=goal,
        paged_after=None if fate < NEVER_PAGED else wait,
        ends_after=wait + (NO_SHOW_AFTER if fate < NEVER_PAGED + NO_SHOW else response),
        ending="remove" if fate < NEVER_PAGED + NO_SHOW else "clear",
    )


# Says who comes on a day, by day and seed.
type Plan = Callable[[date, int], list[Guest]]


class Floor:
    """Drives a unit through days of service, from start (now, if not given) on.

    What it does depends on seed and start alone, as long as nobody else uses the unit;
    who does is respected: a pager in use is not handed out, and a session that somebody
    ended is let be.
    """

    def __init__(
        self,
        unit: Unit,
        seed: int = 1,
        start: datetime | None = None,
        plan: Plan = plan_day,
    ) -> None:
        """Plan nothing yet: days are planned as advance reaches them."""
        self._unit = unit
        self._seed = seed
        self._plan = plan
        self._start = start or unit.now()
        self._next_day = self._start.date()
        self._rack = random.Random(f"{seed} rack")
        # The count keeps what falls into the same second in the order it was planned.
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def advance(self, to: datetime) -> None:
        """Let all happen that is due by then (naive true time), each at its exact time."""
        while self._next_day <= to.date():
            for guest in self._plan(self._next_day, self._seed):
                if guest.arrives >= self._start:
                    self._at(guest.arrives, partial(self._seat, guest))
            self._next_day += timedelta(days=1)
        while self._events and self._events[0][0] <= to:
            moment, _, happen = heapq.heappop(self._events)
            with self._unit.at(moment):
                self._unit.catch_up()
                happen()

    def _at(self, moment: datetime, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happen))

    def _seat(self, guest: Guest) -> None:
        free = [number for number in RACK if number not in self._unit.active]
        if not free:
            return  # No pager left: they wait at the bar, unseen by the unit.
        number = self._rack.choice(free)
        session = self._unit.create(
            number, goal=guest.goal, label=guest.label, party_size=guest.party_size
        )

        def if_theirs(act: Callable[[int], object]) -> Callable[[], None]:
            def happen() -> None:
                if self._unit.active.get(number) is session:
                    act(number)

            return happen

        if guest.paged_after is not None:
            self._at(guest.arrives + guest.paged_after, if_theirs(self._unit.page))
        end = self._unit.clear if guest.ending == "clear" else self._unit.remove
        self._at(guest.arrives + guest.ends_after, if_theirs(end))
