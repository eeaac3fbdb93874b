"""A restaurant with tables: why guests wait for as long as they do, night after night.

Parties come in a rush, take the smallest free table that fits, or are given a pager and wait for
one. Some have reserved and go first; they get no pager, and are in no log. Some give up, some don't
come when they are paged. Nothing of this is known of a real house: it is here to have logs whose
waits have causes, of which the log shows only the pagers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
import heapq
from itertools import count, pairwise
import json
from math import exp
import random
from typing import Any

from .floor import LABELLED, NAMES, Guest

# Targets that a host picks at the keypad, in seconds.
GOALS = (1200, 1500, 1800, 2400)

# Of 100 parties.
PARTY_SIZES = {1: 7, 2: 43, 3: 15, 4: 19, 5: 6, 6: 6, 7: 2, 8: 2}

# The rush: the share of the busiest minute's arrivals, by minutes since the doors opened.
DINNER = ((0, 0.35), (60, 0.75), (90, 1.0), (165, 1.0), (210, 0.6), (270, 0.25), (285, 0.0))
LUNCH_AND_DINNER = (
    *((0, 0.2), (60, 0.9), (120, 0.8), (180, 0.1), (300, 0.2)),
    *((390, 1.0), (480, 1.0), (570, 0.3), (600, 0.0)),
)

# A span of days, counted from the first; the last is not in it.
type Days = tuple[int, int]
NEVER: Days = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Restaurant:
    """A house and its habits. Times are in minutes.

    tables: their seats. peak: parties an hour in the busiest minute of a usual night. week: how
    busy a weekday is, from Monday. night_spread, dine_spread, table_spread: how much nights differ
    in guests and in the time at the table, and tables in the latter (sigma of the logarithm).
    largest_first: a table goes to the largest party that it fits, and not to the first.
    halved: days on which half of the tables are closed. terrace: days on which there are eight
    more. sizes_all_one: days on which the host enters no party sizes; no_sizes: the log has none.
    goal: what is set at the keypad, in seconds; auto_page: days on which the unit pages when it
    runs out. closing_clear: who still waits at closing is cleared in a heap. forgotten: share of
    pagers that stay in the list for days.
    """

    tables: tuple[int, ...] = (2,) * 10 + (4,) * 11 + (6,) * 4 + (8,)
    peak: float = 35
    rush: tuple[tuple[int, float], ...] = DINNER
    opens: int = 17 * 60
    week: tuple[float, ...] = (0.80, 0.82, 0.87, 0.95, 1.12, 1.20, 0.92)
    sizes: Mapping[int, float] = field(default_factory=lambda: PARTY_SIZES)
    reserved: float = 0.12
    night_spread: float = 0.10
    dine: float = 40
    dine_per_guest: float = 5
    dine_spread: float = 0.05
    table_spread: float = 0.30
    patience: float = 68
    patience_spread: float = 0.5
    no_show: float = 0.04
    largest_first: bool = False
    halved: Days = NEVER
    terrace: Days = NEVER
    sizes_all_one: Days = NEVER
    no_sizes: bool = False
    goal: int | None = None
    auto_page: Days = NEVER
    closing_clear: bool = False
    forgotten: float = 0


# Somebody waits at whatever hour one looks, as in a demo; now more, now fewer.
NEVER_QUIET = Restaurant(
    tables=(2,) * 3 + (4,) * 4 + (6,) * 2,
    peak=11.5,
    rush=tuple((60 * hour, 0.8 + hour % 8 / 20) for hour in range(0, 25, 4)),
    opens=0,
    week=(1,) * 7,
    night_spread=0,
    reserved=0.05,
)


@dataclass(eq=False, slots=True)
class Party:
    """Guests. Times are minutes since the doors opened."""

    size: int
    came: float
    has_reserved: bool
    paged: float | None = None
    ended: float | None = None
    clear_type: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A session, as it is in a log."""

    created: datetime
    notified: datetime | None
    cleared: datetime | None
    party_size: int | None
    clear_type: str | None
    goal: int | None

    @property
    def minutes(self) -> float | None:
        """The wait; None without a page."""
        return (self.notified - self.created).total_seconds() / 60 if self.notified else None

    def as_line(self) -> str:
        """The session as a line of JSON, as the action get_history returns it."""
        fields: dict[str, Any] = {
            name: moment.isoformat() if moment else None
            for name, moment in (
                ("created", self.created),
                ("notified", self.notified),
                ("cleared", self.cleared),
            )
        }
        fields["party_size"] = self.party_size
        fields["clear_type"] = self.clear_type
        if self.goal is not None:
            fields["goal_seconds"] = self.goal
        return json.dumps(fields)


def fits(size: int, seats: int) -> bool:
    """Whether a party is given such a table: not one of which it leaves more than half empty."""
    return size <= seats and (seats <= 2 or 2 * size >= seats)


def log(
    house: Restaurant,
    days: int,
    seed: int,
    first: date = date(2026, 1, 5),
    zone: timezone = timezone(timedelta(hours=1)),
) -> list[Visit]:
    """The sessions of so many nights, in the order in which guests came; the same for a seed."""
    rng = random.Random(seed)
    opening = datetime.combine(first, datetime.min.time(), zone) + timedelta(minutes=house.opens)
    visits = [
        _visit(house, day, party, opening + timedelta(days=day))
        for day in range(days)
        for party in _Night(house, day, rng).parties()
    ]
    return sorted(visits, key=lambda visit: visit.created)


def plan_night(day: date, seed: int, house: Restaurant) -> list[Guest]:
    """Who comes in that night and gets a pager, for a floor: the same for the same day and seed.

    house: one without spans of days, as there is no first day to count from.
    """
    opening = datetime.combine(day, time()) + timedelta(minutes=house.opens)
    rng = random.Random(f"{seed} {day}")
    parties = _Night(house, day.weekday(), rng).parties()
    return [_plan_guest(party, opening, rng) for party in sorted(parties, key=lambda p: p.came)]


def _plan_guest(party: Party, opening: datetime, rng: random.Random) -> Guest:
    assert party.ended is not None

    def after(minutes: float) -> timedelta:
        return timedelta(seconds=round(60 * minutes))

    return Guest(
        arrives=opening + after(party.came),
        party_size=party.size,
        label=rng.choice(NAMES) if rng.randrange(1000) < LABELLED else None,
        goal=rng.choice(GOALS),
        paged_after=None if party.paged is None else after(party.paged - party.came),
        ends_after=after(party.ended - party.came),
        ending="remove" if party.clear_type == "REMOVED" else "clear",
    )


def lines(visits: Iterable[Visit]) -> Iterator[str]:
    """A log as get_history returns it: what has ended, in the order of its end, a line each."""
    never = datetime.max.replace(tzinfo=UTC)
    for visit in sorted(visits, key=lambda visit: visit.cleared or never):
        yield visit.as_line()


def _visit(house: Restaurant, day: int, party: Party, began: datetime) -> Visit:
    def moment(minutes: float | None) -> datetime | None:
        return None if minutes is None else began + timedelta(seconds=round(minutes * 60))

    created = moment(party.came)
    assert created is not None
    size = None if house.no_sizes else 1 if _within(day, house.sizes_all_one) else party.size
    return Visit(
        created, moment(party.paged), moment(party.ended), size, party.clear_type, house.goal
    )


def _within(day: int, days: Days) -> bool:
    return days[0] <= day < days[1]


class _Night:
    """One night, event by event."""

    def __init__(self, house: Restaurant, day: int, rng: random.Random) -> None:
        self.house = house
        self.rng = rng
        self.demand = house.week[day % 7] * exp(rng.gauss(0, house.night_spread))
        self.pace = exp(rng.gauss(0, house.dine_spread))
        self.free = sorted(house.tables)
        if _within(day, house.halved):
            self.free = self.free[::2]
        if _within(day, house.terrace):
            self.free = sorted([*self.free, *(2, 4) * 4])
        self.is_auto_paged = house.goal is not None and _within(day, house.auto_page)
        self.waiting: list[Party] = []
        self.paged: list[Party] = []
        self.events: list[tuple[float, int, str, Any]] = []
        self.numbers = count()

    def at(self, minutes: float, what: str, about: Any) -> None:
        heapq.heappush(self.events, (minutes, next(self.numbers), what, about))

    def parties(self) -> list[Party]:
        """Run the night; return those who were given a pager."""
        self.plan()
        given: list[Party] = []
        while self.events:
            minutes, _, what, about = heapq.heappop(self.events)
            if what == "come":
                if self.come(minutes, about) and not about.has_reserved:
                    given.append(about)
            elif what == "free":
                self.free = sorted([*self.free, about])
                self.offer(minutes)
            elif what == "close":
                self.close(minutes)
            elif about not in self.waiting:
                pass
            elif what == "goal":
                about.paged = minutes
            else:
                self.give_up(minutes, about)
        return given

    def plan(self) -> None:
        """Say who comes, and when it closes."""
        house, rng = self.house, self.rng
        sizes, shares = list(house.sizes), list(house.sizes.values())
        last = house.rush[-1][0]
        minutes = 0.0
        while (minutes := minutes + rng.expovariate(house.peak * self.demand / 60)) < last:
            if rng.random() < _share(house.rush, minutes):
                (size,) = rng.choices(sizes, shares)
                self.at(minutes, "come", Party(size, minutes, rng.random() < house.reserved))
        if house.closing_clear:
            self.at(last + 45, "close", None)

    def come(self, minutes: float, party: Party) -> bool:
        """Take a table, or wait; return whether they wait."""
        for seats in self.free:
            if fits(party.size, seats):
                self.free.remove(seats)
                self.sit(minutes, party, seats)
                return False
        self.waiting.append(party)
        if not party.has_reserved:
            house = self.house
            patience = house.patience * exp(self.rng.gauss(0, house.patience_spread))
            self.at(minutes + patience, "give up", party)
            if self.is_auto_paged and house.goal is not None:
                self.at(minutes + house.goal / 60, "goal", party)
        return True

    def sit(self, minutes: float, party: Party, seats: int) -> None:
        house = self.house
        usual = house.dine + house.dine_per_guest * party.size
        stay = usual * self.pace * exp(self.rng.gauss(0, house.table_spread))
        self.at(minutes + stay, "free", seats)

    def offer(self, minutes: float) -> None:
        """Give the free tables to those who wait."""
        for seats in list(self.free):
            fitting = [party for party in self.waiting if fits(party.size, seats)]
            if not fitting:
                continue
            by_size = -1 if self.house.largest_first else 0
            party = min(fitting, key=lambda p: (not p.has_reserved, by_size * p.size, p.came))
            self.free.remove(seats)
            self.waiting.remove(party)
            if party.has_reserved:
                self.sit(minutes, party, seats)
            else:
                self.page(minutes, party, seats)

    def page(self, minutes: float, party: Party, seats: int) -> None:
        """Page a party for its table. Whom the unit has paged by itself stands there already."""
        party.paged = minutes if party.paged is None else party.paged
        if self.rng.random() < self.house.no_show:
            party.ended = minutes + self.rng.uniform(6, 10)
            party.clear_type = "REMOVED"
            self.at(party.ended, "free", seats)
        else:
            party.ended = minutes + self.rng.uniform(0.5, 4)
            party.clear_type = "STOP"
            self.sit(party.ended, party, seats)
        if self.rng.random() < self.house.forgotten:
            party.ended += 3 * 24 * 60

    def give_up(self, minutes: float, party: Party) -> None:
        self.waiting.remove(party)
        party.ended, party.clear_type = minutes, "REMOVED"

    def close(self, minutes: float) -> None:
        """Clear all who wait, one pager after the other."""
        for index, party in enumerate(self.waiting):
            party.ended, party.clear_type = minutes + index / 30, "REMOVED"
        self.waiting.clear()


def _share(rush: tuple[tuple[int, float], ...], minutes: float) -> float:
    """How many of the busiest minute's arrivals come in this one."""
    for (start, low), (end, high) in pairwise(rush):
        if start <= minutes < end:
            return low + (high - low) * (minutes - start) / (end - start)
    return 0.0
