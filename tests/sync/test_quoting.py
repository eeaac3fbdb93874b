"""The quotes follow the log and the active sessions, for as long as somebody looks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.backtest import BackTest
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.quote import Reason
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.waits import wait_of
from custom_components.lrs_pager.sync import quoting
from custom_components.lrs_pager.sync.quoting import (
    AGAIN,
    COUNT_AGAIN,
    LEARN_AGAIN,
    Board,
    Quotes,
    Wires,
)
from tests.sessions import opened, visited
from tests.simulator.restaurant import Restaurant, log as visits_of

ZONE = ZoneInfo("Europe/Berlin")
NIGHT = 24 * 3600


@cache
def nights() -> list[PlacedSession]:
    """Two weeks and a night of a restaurant."""
    return visited(visits_of(Restaurant(), 15, 1))


def parted() -> tuple[list[PlacedSession], list[PlacedSession]]:
    """The two weeks, and the night."""
    everything = nights()
    began = (everything[-1].created_at or 0) - NIGHT / 2
    return (
        [session for session in everything if (session.created_at or 0) < began],
        [session for session in everything if (session.created_at or 0) >= began],
    )


def at(session: PlacedSession, now: float) -> PlacedSession | None:
    """An active session as it is at an instant; None if it is not active."""
    if not (session.created_at or 0) <= now < session.ended_at:
        return None
    shown = replace(session, cleared_at=None, clear_type=None)
    if session.notified_at is not None and session.notified_at > now:
        shown = replace(shown, notified_at=None, wait=None)
    return shown


class Door:
    """Quotes with a log, and a clock that is turned by hand. quoted: what was to be kept."""

    def __init__(self, log: SessionLog, now: float) -> None:
        self.log = log
        self.now = now
        self.zone = ZONE
        self.quoted: dict[str, int | None] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.shown = 0
        self.quotes = Quotes(
            Wires(
                log=log,
                now=lambda: self.now,
                zone=lambda: self.zone,
                call_later=self.call_later,
                start=self.start,
                keep=lambda session, seconds: self.quoted.update({session.keys[0]: seconds}),
                changed=self.changed,
            )
        )

    def call_later(self, delay: float, run: Callable[[], None]) -> Callable[[], None]:
        timer = self.now + delay, run
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def changed(self) -> None:
        self.shown += 1

    async def settled(self) -> Board:
        """Wait for what is under way, and return what is shown then."""
        while work := [task for task in self.tasks if not task.done()]:
            await asyncio.gather(*work)
        assert self.quotes.board
        return self.quotes.board

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while due := sorted(
            (timer for timer in self.timers if timer[0] <= end), key=lambda t: t[0]
        ):
            self.timers.remove(due[0])
            self.now = due[0][0]
            due[0][1]()
            await self.settled()
        self.now = end

    def see(self, *active: PlacedSession, over: Iterable[PlacedSession] = ()) -> None:
        self.quotes.see(active, (*active, *over))

    async def logs(self, *sessions: PlacedSession) -> None:
        self.quotes.note(await self.log.keep(sessions))


def waiting(now: float, parties: int, size: int = 2) -> list[PlacedSession]:
    """Guests who wait, one for each of the minutes before."""
    return [
        PlacedSession(
            uuid=f"waits-{n}", number=n, party_size=size, goal=900, created_at=round(now) - 60 * n
        )
        for n in range(1, parties + 1)
    ]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Somebody at the door, the evening after the two weeks, who does not look yet."""
    before, night = parted()
    async with opened(tmp_path / "log.db") as log:
        await log.keep(before)
        yield Door(log, night[0].created_at or 0)


async def test_a_guest_is_quoted_as_a_back_test_of_the_log_would(door: Door) -> None:
    before, night = parted()
    door.quotes.see((), ())
    door.quotes.watch()
    await door.settled()
    instants = {i for s in night for i in (s.created_at, s.notified_at, s.cleared_at) if i}
    ended: list[PlacedSession] = []
    for now in sorted(instants):
        door.now = now
        over = [session for session in night if session.ended_at == now]
        # Only the history says how it ended, which comes a bit later.
        untold = [replace(session, clear_type=None) for session in over]
        door.see(*(s for each in night if (s := at(each, now))), over=untold)
        await door.logs(*untold)
        await door.settled()
        await door.logs(*over)
        await door.settled()
        ended += over
    waits = [wait for s in (*before, *night) if (wait := wait_of(s, ZONE))]
    test = BackTest(waits, warm_up=0)
    for _ in test.steps():
        pass
    expected = {
        outcome.wait.key: 60 * outcome.quote.high
        for outcome in test.outcomes
        if outcome.quote.high and outcome.quote.parties_ahead
    }
    keys = {session.keys[0] for session in night if session.is_paged}
    quoted = {key: seconds for key, seconds in door.quoted.items() if seconds and key in keys}
    assert len(quoted) > 40
    assert quoted == {key: seconds for key, seconds in expected.items() if key in keys}


async def test_nothing_is_worked_out_while_nobody_looks(door: Door) -> None:
    door.see(*waiting(door.now, 3))
    await door.logs(replace(parted()[1][0], cleared_at=round(door.now)))
    assert door.tasks == door.timers == []
    assert door.quotes.board is None
    end = door.quotes.watch()
    assert (await door.settled()).quotes["small"].parties_ahead == 3
    end()
    assert door.timers == []
    assert door.quotes.board is None
    tasks = len(door.tasks)
    door.see(*waiting(door.now, 4))
    await door.logs(replace(parted()[1][0], party_size=9))
    assert len(door.tasks) == tasks


async def test_nothing_is_worked_out_while_somebody_looks_but_nothing_changes(door: Door) -> None:
    door.quotes.see((), ())
    door.quotes.watch()
    await door.settled()
    tasks = len(door.tasks)
    door.quotes.see((), ())
    await door.passes(3600)
    assert len(door.tasks) == tasks
    assert door.timers == []
    # Who waits does so for longer and longer.
    door.see(*waiting(door.now, 3))
    first = await door.settled()
    door.see(*waiting(door.now, 3))
    assert len(door.tasks) == tasks + 1
    await door.passes(20 * AGAIN)
    assert len(door.tasks) == tasks + 21
    last = await door.settled()
    assert first.quotes != last.quotes
    door.quotes.close()
    assert door.timers == []


async def test_two_who_look_are_two(door: Door) -> None:
    door.see(*waiting(door.now, 2))
    ends = [door.quotes.watch() for _ in range(2)]
    await door.settled()
    ends[0]()
    assert door.quotes.board
    ends[1]()
    assert door.quotes.board is None


async def test_each_who_waits_is_told_how_much_longer_about(door: Door) -> None:
    line = waiting(door.now, 4)
    paged = replace(line[3], notified_at=round(door.now) - 5, wait=235)
    door.see(*line[:3], paged)
    door.quotes.watch()
    board = await door.settled()
    assert set(board.about) == {"waits-1", "waits-2", "waits-3"}
    assert all(minutes >= 1 for minutes in board.about.values())
    assert board.quotes["small"].parties_ahead == 3


async def test_a_guest_of_whom_nothing_is_told_any_more_is_in_no_line(door: Door) -> None:
    line = waiting(door.now, 3)
    door.see(*line)
    door.quotes.watch()
    await door.settled()
    # It is no longer listed, and the history is still to say why.
    door.see(*line[:2], over=line[2:])
    assert (await door.settled()).quotes["small"].parties_ahead == 3
    door.see(*line[:2])
    assert (await door.settled()).quotes["small"].parties_ahead == 2


async def test_a_session_that_is_told_without_its_uuid_is_the_same_guest(door: Door) -> None:
    line = [replace(s, id=n, created=f"stamp {n}") for n, s in enumerate(waiting(door.now, 2))]
    door.see(*line)
    door.quotes.watch()
    await door.settled()
    door.see(*(replace(session, uuid=None) for session in line))
    board = await door.settled()
    assert board.quotes["small"].parties_ahead == 2
    assert set(board.about) == {"0@stamp 0", "1@stamp 1"}
    door.see(*line)
    assert (await door.settled()).quotes["small"].parties_ahead == 2


async def test_where_active_sessions_are_not_told_there_is_no_quote_and_nothing_is_learnt(
    door: Door,
) -> None:
    door.quotes.see(None, ())
    door.quotes.watch()
    board = await door.settled()
    assert {quote.reason for quote in board.quotes.values()} == {Reason.NO_LIVE_LIST}
    assert (await door.quotes.ask(2)).reason is Reason.NO_LIVE_LIST
    door.see(*waiting(door.now, 3))
    assert (await door.settled()).quotes["small"].high
    door.quotes.see(None, ())
    assert (await door.settled()).quotes["small"].reason is Reason.NO_LIVE_LIST


async def test_what_comes_to_be_known_of_the_past_is_learnt_from_after_a_while(
    tmp_path: Path,
) -> None:
    before, night = parted()
    async with opened(tmp_path / "log.db") as log:
        door = Door(log, night[0].created_at or 0)
        door.see(*waiting(door.now, 3))
        door.quotes.watch()
        board = await door.settled()
        assert board.quotes["small"].reason is Reason.TOO_FEW_SESSIONS
        for start in range(0, len(before), 100):
            await door.logs(*before[start : start + 100])
            await door.settled()
        await door.passes(LEARN_AGAIN + AGAIN)
        assert (await door.settled()).quotes["small"].high
        door.quotes.close()


async def test_our_clock_is_set_and_all_is_by_the_new_time(door: Door) -> None:
    # A slow night: the pace of the last hours is in the quotes.
    now = round(door.now)
    paged = [
        replace(
            waiting(now, 1)[0],
            uuid=f"paged-{n}",
            created_at=now - 5_400 - n,
            notified_at=now - n,
            cleared_at=now - n,
            wait=5_400,
            is_by_age=True,
        )
        for n in range(10)
    ]
    await door.logs(*paged)
    line = waiting(door.now, 3)
    door.see(*line)
    door.quotes.watch()
    first = await door.settled()
    door.now += NIGHT
    door.quotes.note(await door.log.shift(NIGHT))
    door.see(*(session.shifted(NIGHT) for session in line))
    door.quotes.forget()
    board = await door.settled()
    assert board.quotes["small"].high == first.quotes["small"].high
    assert board.about == first.about


async def test_all_is_learnt_anew_once_as_the_house_has_another_time_zone(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt_by = []

    class Guests(quoting.Guests):
        def __init__(self, zone: tzinfo, *others: Any) -> None:
            learnt_by.append(zone)
            super().__init__(zone, *others)

    monkeypatch.setattr(quoting, "Guests", Guests)
    door.see(*waiting(door.now, 3))
    door.quotes.watch()
    await door.settled()
    await door.passes(AGAIN)
    assert learnt_by == [ZONE]
    door.zone = ZoneInfo("Asia/Tokyo")
    await door.passes(3 * AGAIN)
    assert learnt_by == [ZONE, door.zone]
    assert (await door.settled()).quotes["small"].parties_ahead == 3


async def test_sessions_of_the_future_are_not_learnt_from(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after our clock was wrong for an evening. They must not take the places of true ones.
    monkeypatch.setattr(quoting, "LEARNT", len(nights()))
    line = waiting(door.now, 3)
    door.see(*line)
    expected = [await door.quotes.ask(size) for size in (2, 4, 6)]
    assert all(quote.high for quote in expected)
    later = [replace(s, uuid=f"later-{s.uuid}").shifted(40 * NIGHT) for s in nights()]
    await door.logs(*later)
    assert [await door.quotes.ask(size) for size in (2, 4, 6)] == expected


async def test_who_asks_once_is_answered_though_nobody_looks(door: Door) -> None:
    door.see(*waiting(door.now, 3))
    quotes = [await door.quotes.ask(size) for size in (2, 4, 6)]
    assert [quote.parties_ahead for quote in quotes] == [3, 3, 3]
    assert all(quote.high for quote in quotes)
    door.see(*waiting(door.now, 5))
    assert (await door.quotes.ask(2)).parties_ahead == 5
    assert door.tasks == []


async def test_others_have_their_turn_while_the_log_is_learnt_from(door: Door) -> None:
    door.see(*waiting(door.now, 3))
    door.quotes.watch()
    turns = 0
    while not door.tasks[0].done():
        turns += 1
        await asyncio.sleep(0)
    # At least one for each guest who came.
    assert turns > len(parted()[0])


async def test_where_nobody_waits_nothing_is_quoted_to_who_comes(door: Door) -> None:
    door.quotes.see((), ())
    door.quotes.watch()
    await door.settled()
    line = waiting(door.now, 2)
    door.see(line[1])
    await door.settled()
    door.see(*reversed(line))
    await door.settled()
    assert door.quoted["waits-2"] is None
    assert (door.quoted["waits-1"] or 0) >= 300


async def test_quotes_of_the_last_four_weeks_are_counted_as_kept_or_not(door: Door) -> None:
    now = round(door.now)
    session = replace(
        parted()[1][0], goal=900, created_at=now, notified_at=now + 600, cleared_at=now + 660
    )
    known = [
        replace(session, uuid=f"kept-{n}", wait=wait, quoted=quoted, first_goal=first_goal)
        for n, (wait, quoted, first_goal) in enumerate(
            [
                (600, 600, 300),  # kept, and off by nothing
                (1_200, 900, None),  # not kept, and off by five minutes
                (300, 1_200, None),  # kept, and off by a quarter of an hour
                (900, None, None),  # nothing was quoted; in time for its goal
                (None, 600, None),  # it is not known for how long
            ]
        )
    ]
    old = replace(known[1], uuid="old", cleared_at=now - 28 * NIGHT - 1)
    await door.logs(*known, old)
    door.quotes.see((), ())
    door.quotes.watch()
    kept = (await door.settled()).kept
    assert kept.rate == pytest.approx(200 / 3)
    assert kept.error == pytest.approx(20 / 3)
    assert kept.goal_rate == 50
    # It is not counted for each guest anew, but soon.
    await door.logs(replace(known[0], uuid="next"))
    assert (await door.settled()).kept == kept
    await door.passes(COUNT_AGAIN + AGAIN)
    assert (await door.settled()).kept.rate == 75
    assert door.timers == []
