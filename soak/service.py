"""Guests: those of service, in real time, and those of hours that nobody waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import heapq
from itertools import count
import random

from tests.simulator import Session, Unit

# Pagers that are handed out; a busy moment has about half of them out.
RACK = range(1, 121)

# Every label has this in it, so that it can be looked for where no label may be.
MARK = "Zyxwvut"

# Shares of guests: never paged, removed, paged a second time, with another party size later.
NEVER_PAGED, REMOVED, PAGED_TWICE, CHANGED = 0.04, 0.08, 0.1, 0.1
# The share of shifts in which fewer guests are removed, so that not all of them count as cleared up
# at closing; and the share of guests who are removed then.
CALM, SELDOM_REMOVED = 0.5, 0.015


class By(StrEnum):
    """Who starts, pages and ends a session."""

    KEYPAD = "keypad"
    ACTION = "action of Home Assistant's"
    CLIENT = "another client"
    # Both do the same at nearly the same time.
    BOTH = "keypad and action at once"


SHARES = {By.KEYPAD: 0.82, By.ACTION: 0.06, By.CLIENT: 0.06, By.BOTH: 0.06}

# Seconds between an action and the keypad, at most, if both do it.
AT_ONCE = 0.1

# In hours that nobody waits for: goals in seconds, and the longest that a visit takes.
GOALS = (300, 600, 900, 1200)
LONGEST_VISIT = timedelta(minutes=35)

# Told what to do ("start", "page", "clear", "remove") and a pager's number, and to start a guest;
# returns whether it was accepted.
type Act = Callable[[str, int, Guest], Awaitable[bool]]


@dataclass(frozen=True)
class Guest:
    """A visit in service. Times in seconds: arrives from the shift's start, others from arrival."""

    arrives: float
    party_size: int
    label: str | None
    goal: int
    paged_after: float | None
    ends_after: float
    is_removed: bool
    is_paged_twice: bool
    is_changed: bool
    by: By
    lag: float
    """If the keypad does the same as the action, how long after it."""


def plan_shift(rng: random.Random, guests: int, seconds: float) -> list[Guest]:
    """Return who comes in a shift that takes no new guests after that many seconds."""
    removed = SELDOM_REMOVED if rng.random() < CALM else REMOVED
    return [_plan_guest(rng, rng.uniform(0, seconds), removed) for _ in range(guests)]


def _plan_guest(rng: random.Random, arrives: float, removed: float) -> Guest:
    wait = rng.uniform(0.1, 3.5)
    is_paged = rng.random() >= NEVER_PAGED
    return Guest(
        arrives=arrives,
        party_size=rng.randint(1, 8),
        label=_label(rng),
        goal=rng.randint(1, 4),
        paged_after=wait if is_paged else None,
        ends_after=wait + rng.uniform(0, 2),
        is_removed=not is_paged or rng.random() < removed,
        is_paged_twice=rng.random() < PAGED_TWICE,
        is_changed=rng.random() < CHANGED,
        by=rng.choices(list(SHARES), list(SHARES.values()))[0],
        lag=rng.uniform(0, AT_ONCE),
    )


def _label(rng: random.Random) -> str | None:
    return f"{MARK} {rng.randint(1, 999)}" if rng.random() < 0.6 else None  # noqa: PLR2004


class Service:
    """A shift: the guests come, wait, are paged and go, each at its time."""

    def __init__(self, unit: Unit, act: Act, client: Act) -> None:
        """Nobody comes yet. act: by Home Assistant. client: by another client."""
        self._unit = unit
        self._act, self._client = act, client
        # Pagers that somebody is about to hand out.
        self._taken: set[int] = set()

    async def serve(self, guests: list[Guest]) -> None:
        """Serve them all, to the last one's end."""
        async with asyncio.TaskGroup() as tasks:
            for guest in guests:
                tasks.create_task(self._serve(guest))

    async def _serve(self, guest: Guest) -> None:
        await asyncio.sleep(guest.arrives)
        unit = self._unit
        if (number := _free(unit, self._taken)) is None:
            return  # they wait at the bar, unseen by the unit
        self._taken.add(number)
        await self._by(guest, "start", number, lambda: self._start(number, guest))
        if number not in unit.active:
            self._start(number, guest)
        self._taken.discard(number)
        session = unit.active[number]
        waited = 0.0
        if guest.paged_after is not None:
            waited = guest.paged_after
            await asyncio.sleep(waited / 2)
            if guest.is_changed and self._has(number, session):
                unit.update(number, party_size=guest.party_size % 8 + 1)
            await asyncio.sleep(waited / 2)
            await self._do("page", guest, number, session)
            if guest.is_paged_twice and self._has(number, session):
                unit.page(number)
        await asyncio.sleep(guest.ends_after - waited)
        await self._do("remove" if guest.is_removed else "clear", guest, number, session)

    async def _do(self, what: str, guest: Guest, number: int, session: Session) -> None:
        """Have something done by who serves the guest; if that fails, at the keypad."""

        def at_keypad() -> None:
            if not self._has(number, session) or (what == "page" and session.notified):
                return
            match what:
                case "page":
                    self._unit.page(number)
                case "clear":
                    self._unit.clear(number)
                case _:
                    self._unit.remove(number)

        if self._has(number, session):
            await self._by(guest, what, number, at_keypad)
        at_keypad()

    async def _by(
        self, guest: Guest, what: str, number: int, at_keypad: Callable[[], object]
    ) -> None:
        """Have who serves a guest try to do something."""
        match guest.by:
            case By.KEYPAD:
                at_keypad()
            case By.ACTION:
                await self._act(what, number, guest)
            case By.CLIENT:
                await self._client(what, number, guest)
            case By.BOTH:
                acting = asyncio.ensure_future(self._act(what, number, guest))
                try:
                    await asyncio.sleep(guest.lag)
                    at_keypad()
                    await acting
                finally:
                    acting.cancel()

    def _start(self, number: int, guest: Guest) -> None:
        """Give a pager to a guest at the keypad."""
        self._unit.create(number, goal=guest.goal, label=guest.label, party_size=guest.party_size)

    def _has(self, number: int, session: Session) -> bool:
        return self._unit.active.get(number) is session


def _free(unit: Unit, taken: Container[int] = ()) -> int | None:
    """The first pager that is free, and that nobody has taken."""
    return next((n for n in RACK if n not in unit.active and n not in taken), None)


def serve_hours(
    unit: Unit, rng: random.Random, start: datetime, end: datetime, guests: int
) -> None:
    """Let so many guests have come and gone between two times (naive local time), at once."""
    order = count()
    happenings = [
        (start + rng.random() * (end - LONGEST_VISIT - start), next(order), _visit(unit, rng))
        for _ in range(guests)
    ]
    heapq.heapify(happenings)
    while happenings:
        moment, _, visit = heapq.heappop(happenings)
        with unit.at(moment):
            unit.catch_up()
            pause = next(visit, None)
        if pause is not None:
            heapq.heappush(happenings, (moment + pause, next(order), visit))


def _visit(unit: Unit, rng: random.Random) -> Iterator[timedelta]:
    """One guest's visit; yields how long until it goes on."""
    if (number := _free(unit)) is None:
        return
    goal = rng.choice(GOALS)
    unit.create(number, goal=goal, label=_label(rng), party_size=rng.randint(1, 8))
    yield timedelta(seconds=round(goal * rng.triangular(0.2, 1.5, 0.75)))
    is_paged = rng.random() >= NEVER_PAGED
    if is_paged:
        unit.page(number)
    yield timedelta(seconds=rng.randint(15, 240))
    if not is_paged or rng.random() < REMOVED:
        unit.remove(number)
    else:
        unit.clear(number)
