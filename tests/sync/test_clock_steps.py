"""Faults that random steps of both clocks have shown, each with its smallest input."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import override
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.log import Change, Place, SessionLog
from custom_components.lrs_pager.sessions.placing import by_our_clock, place
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.tracker import SessionEvent, SessionTracker, Step
from custom_components.lrs_pager.sync.events import Events
from custom_components.lrs_pager.sync.history import HistoryReader
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.sync.picture import Picture
from custom_components.lrs_pager.sync.writer import LogWriter
from custom_components.lrs_pager.transmitter import (
    PAGED,
    STARTED,
    STOP,
    Session,
    Transmitter,
    UnitClock,
)
from tests.sync.test_clocks import DAY, HOUR, Turned

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

RIGHT = UnitClock(
    zone=ZoneInfo("UTC"),
    ahead=timedelta(),
    utc_offset=timedelta(),
    at=NOON + timedelta(seconds=60),
    agrees=True,
    setting=1,
)

# Our clock was set on by 25 minutes, so that the unit's seems to be behind.
OURS_SET = replace(
    RIGHT,
    ahead=timedelta(minutes=-25),
    at=RIGHT.at + timedelta(minutes=25),
    agrees=False,
)

GUEST = Session(
    id=1,
    uuid="uuid-1",
    number=7,
    party_size=2,
    goal=300,
    created=NOON.replace(tzinfo=None),
    notified=None,
    cleared=None,
    clear_type=None,
    label=None,
    state=STARTED,
)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SessionLog]:
    """An open log."""
    log = SessionLog(tmp_path / "lrs_pager.test.db")
    await log.open()
    yield log
    await log.close()


@pytest.mark.parametrize("by", [47 * 60, -HOUR, -10 * HOUR, -26 * 365 * DAY])
def test_a_computer_that_slept_while_the_unit_was_set_has_set_no_clock_of_its_own(
    by: int,
) -> None:
    turned = Turned()
    turned.read()
    turned.passes(30)
    turned.sleeps(6 * HOUR)
    turned.unit_ahead += by
    turned.read()
    assert turned.setting == 2
    assert turned.clocks.ahead == by
    assert turned.steps == [6 * HOUR, -6 * HOUR]


def test_an_answer_that_was_under_way_as_the_computer_slept_tells_nothing() -> None:
    turned = Turned()
    turned.read()
    shown, asked = datetime(2026, 11, 23, 12), turned.loop
    turned.sleeps(6 * HOUR)
    turned.passes(0.1)
    turned.clocks.read(shown, asked, turned.loop)
    assert turned.clocks.unit(turned.loop).is_stale
    turned.read()
    assert turned.setting == 1
    assert turned.steps == [6 * HOUR, -6 * HOUR]


def test_a_computer_that_slept_and_whose_clock_was_set_then_is_told_from_one_that_slept() -> None:
    turned = Turned()
    turned.read()
    turned.sleeps(6 * HOUR)
    turned.clocks.now()
    turned.passes(1)
    turned.ours_ahead += 1500
    turned.read()
    assert turned.setting == 1
    assert turned.clocks.ahead == -1500
    assert turned.steps == [6 * HOUR, 1500, -6 * HOUR]


def test_any_clock_that_shows_what_the_units_would_tells_that_the_computer_slept() -> None:
    turned = Turned()
    turned.read()
    turned.sleeps(6 * HOUR)

    def read_whosever(ahead: int) -> None:
        shown = datetime.fromtimestamp(turned.true + ahead, UTC).replace(tzinfo=None, microsecond=0)
        turned.clocks.read_whosever(shown, turned.loop, turned.loop)

    for ahead in (47 * 60, -3600, 10):
        read_whosever(ahead)
        assert turned.clocks.unit(turned.loop).is_stale
        assert turned.steps == [6 * HOUR]
    read_whosever(0)
    assert turned.steps == [6 * HOUR, -6 * HOUR]
    # Where nothing is in question, it is not read.
    read_whosever(3600)
    assert turned.setting == 1
    assert turned.clocks.ahead == 0


def test_a_unit_that_drifts_while_the_computer_sleeps_was_not_set() -> None:
    turned = Turned()
    turned.read()
    turned.sleeps(9 * HOUR)
    turned.unit_ahead -= 2.0
    turned.read()
    assert turned.setting == 1
    assert turned.steps == [9 * HOUR, -9 * HOUR]


def test_until_the_unit_was_read_after_our_clock_was_set_its_stamps_are_not_to_be_placed() -> None:
    turned = Turned()
    turned.read()
    turned.ours_ahead += 600
    assert turned.clocks.unit(turned.loop).is_stale
    turned.read()
    assert not turned.clocks.unit(turned.loop).is_stale


def test_a_message_that_was_under_way_for_long_is_no_reading_but_a_reason_for_one() -> None:
    turned = Turned()
    shown = datetime(2026, 11, 23, 12)
    assert not turned.clocks.is_as_read(shown, turned.loop)
    turned.read()
    assert turned.clocks.is_as_read(shown, turned.loop)
    turned.passes(3)
    assert not turned.clocks.is_as_read(shown, turned.loop)


def test_a_sessions_end_is_as_long_after_its_start_as_the_unit_says_whatever_our_clock_shows() -> (
    None
):
    started = place(GUEST, RIGHT)
    cleared = replace(GUEST, cleared=datetime(2026, 11, 23, 12, 1))
    ended = place(cleared, OURS_SET, earlier=started, is_same_setting=True)
    assert (ended.created_at, ended.cleared_at) == (NOON.timestamp(), NOON.timestamp() + 60)


def test_a_guest_has_waited_for_as_long_as_the_unit_says_after_our_clock_was_set() -> None:
    shown = by_our_clock(place(GUEST, RIGHT), OURS_SET)
    assert shown.created_at is not None
    assert OURS_SET.at.timestamp() - shown.created_at == 60


def test_a_guest_has_waited_for_as_long_as_the_unit_says_though_it_is_minutes_behind() -> None:
    behind = replace(RIGHT, ahead=timedelta(minutes=-4), at=RIGHT.at + timedelta(minutes=4))
    shown = by_our_clock(place(GUEST, behind), behind)
    assert shown.created_at is not None
    assert behind.at.timestamp() - shown.created_at == 60


def test_a_session_that_began_before_the_units_clock_was_set_is_of_no_known_setting() -> None:
    then = replace(RIGHT, set_at=NOON + timedelta(seconds=30))
    assert not then.is_of_setting(GUEST.created)
    assert then.is_of_setting(datetime(2026, 11, 23, 12, 0, 30))


def test_the_day_begins_at_the_units_midnight_after_our_clock_was_put_right() -> None:
    picture = Picture(day_start=0, shows_names=False)
    off = replace(OURS_SET, ahead=timedelta(hours=-3), at=RIGHT.at + timedelta(hours=3))
    picture.day(off, off.at)
    picture.shift(-3 * HOUR)
    assert picture.day(RIGHT, RIGHT.at).start == NOON.timestamp() - 12 * HOUR


def test_the_day_begins_when_the_units_clock_says_so_once_that_is_to_be_believed() -> None:
    """It is a minute behind, which is found when our own clock has been put right."""
    picture = Picture(day_start=0, shows_names=False)
    off = replace(OURS_SET, ahead=timedelta(minutes=-26))
    picture.day(off, off.at)
    picture.shift(-25 * 60)
    right = replace(RIGHT, ahead=timedelta(minutes=-1))
    assert picture.day(right, right.at).start == NOON.timestamp() - 12 * HOUR


async def restarted(log: SessionLog, before: UnitClock, now: datetime) -> Picture:
    """A picture that goes on at an instant of ours with the day of another."""
    picture = Picture(day_start=0, shows_names=False)
    await picture.sum_up(picture.day(before, before.at), log)
    picture = Picture(day_start=0, shows_names=False)
    await picture.open(log, now)
    return picture


async def test_a_day_from_before_a_restart_stays_when_our_clock_which_was_wrong_then_is_set(
    log: SessionLog,
) -> None:
    """The log, too, moves only what was written since."""
    off = replace(OURS_SET, ahead=timedelta(hours=3), at=RIGHT.at)
    late = replace(off, ahead=timedelta(hours=4), at=RIGHT.at - timedelta(hours=1))
    picture = await restarted(log, off, late.at)
    start = picture.day(late, late.at).start
    picture.shift(HOUR)
    assert picture.day(off, off.at).start == start == NOON.timestamp() - 15 * HOUR


async def test_a_day_that_began_in_the_future_is_not_gone_on_with(log: SessionLog) -> None:
    """Our clock was fast before the restart, and the unit's midnight was an hour ago."""
    unset = replace(OURS_SET, ahead=timedelta(hours=13), at=NOON)
    fast = replace(unset, ahead=timedelta(hours=11), at=NOON + timedelta(hours=2))
    picture = await restarted(log, fast, NOON)
    assert picture.day(unset, NOON).start == NOON.timestamp() - HOUR


async def test_a_day_begins_at_another_hour_at_once_when_the_user_has_chosen_that(
    log: SessionLog,
) -> None:
    picture = Picture(day_start=0, shows_names=False)
    await picture.sum_up(picture.day(RIGHT, RIGHT.at), log)
    picture = Picture(day_start=4, shows_names=False)
    await picture.open(log, RIGHT.at)
    assert picture.day(RIGHT, RIGHT.at).start == NOON.timestamp() - 8 * HOUR


def test_who_came_and_went_unseen_is_news_though_the_history_was_only_read_on() -> None:
    tracker = SessionTracker(NOON)
    tracker.see((), RIGHT, NOON, NOON)
    ended = PlacedSession(
        uuid="uuid-1", created_at=round(NOON.timestamp()), cleared_at=round(NOON.timestamp()) + 9
    )
    ended = replace(ended, clear_type=STOP)
    assert not tracker.see_logged([(None, ended)], RIGHT.at)
    tracker.knows_history = True
    told = tracker.see_logged([(None, replace(ended, uuid="uuid-2"))], RIGHT.at)
    assert [event.step for event in told] == ["started", "cleared"]
    before = replace(ended, uuid="uuid-3", created_at=round(NOON.timestamp()) - 1)
    # That it started may have been told before the restart.
    told = tracker.see_logged([(None, before)], RIGHT.at)
    assert [event.step for event in told] == ["cleared"]


def test_who_is_not_in_the_first_list_is_news_though_the_unit_seems_to_be_slow() -> None:
    # Read off an answer that took its time, the unit's clock may be known to some seconds only.
    tracker = SessionTracker(NOON + timedelta(seconds=2.9))
    tracker.see((), RIGHT, RIGHT.at, RIGHT.at)
    paged = replace(GUEST, notified=GUEST.created, state=PAGED)
    told = tracker.see([paged], RIGHT, RIGHT.at, RIGHT.at)
    assert [event.step for event in told.events] == ["started", "paged"]


def test_who_came_after_we_began_is_news_though_the_units_clock_is_minutes_behind() -> None:
    behind = replace(RIGHT, ahead=timedelta(minutes=-4), at=RIGHT.at + timedelta(minutes=4))
    tracker = SessionTracker(behind.at - timedelta(seconds=90))
    tracker.see((), behind, behind.at, behind.at)
    tracker.knows_history = True
    over = replace(GUEST, cleared=datetime(2026, 11, 23, 12, 0, 9), clear_type=STOP, state=None)
    told = tracker.see_logged([(None, place(over, behind))], behind.at, behind)
    assert [event.step for event in told] == ["started", "cleared"]


def test_a_page_that_the_list_tells_just_after_our_clock_was_set_is_news() -> None:
    tracker = SessionTracker(NOON)
    tracker.see((), RIGHT, NOON, NOON)
    tracker.see((GUEST,), RIGHT, RIGHT.at)
    paged = replace(GUEST, notified=datetime(2026, 11, 23, 12, 1), state=PAGED)
    told = tracker.see((paged,), OURS_SET, OURS_SET.at, OURS_SET.at)
    assert [event.step for event in told.events] == ["paged"]


def test_a_list_that_was_asked_for_before_our_clock_was_set_places_nobody() -> None:
    tracker = SessionTracker(NOON)
    stale = replace(RIGHT, ahead=timedelta(hours=-6), at=RIGHT.at + 6 * timedelta(hours=1))
    told = tracker.see((GUEST,), replace(stale, was_stepped=True), stale.at, stale.at)
    assert told.is_doubtful
    assert tracker.tracked == ()


def test_what_was_not_told_yet_is_as_old_as_before_after_our_clock_was_set() -> None:
    events, told = Events(), []
    events.listen(told.append)
    events.add([SessionEvent(step=Step.STARTED, session=PlacedSession(uuid="u"), at=NOON)])
    events.shift(25 * 60)
    events.tell(NOON + timedelta(minutes=10))
    assert len(told) == 1


def test_a_computer_that_slept_twice_before_a_unit_that_was_reset_answers_set_no_clock() -> None:
    turned = Turned()
    turned.read()
    for _ in range(2):
        turned.sleeps(10 * HOUR)
        turned.clocks.now()
        turned.passes(1)
    turned.unit_ahead -= 26 * 365 * DAY
    turned.read()
    assert turned.steps == [10 * HOUR, 10 * HOUR, -20 * HOUR]


def test_a_guest_who_left_before_both_clocks_were_set_left_when_it_was() -> None:
    reader = HistoryReader(Transmitter("127.0.0.1"), Intervals(), steady=lambda: 0, wall=lambda: 0)
    # The unit is three hours ahead. Ours was two hours behind as the history was read, at noon.
    read_at = NOON - timedelta(hours=2)
    before = replace(RIGHT, ahead=timedelta(hours=5), at=read_at, agrees=False)
    reader.last_complete_read = before, round(read_at.timestamp())
    reader.shift(2 * HOUR)
    # A guest leaves. Then the unit's clock is put on by an hour.
    left = NOON + timedelta(minutes=20)
    guest = replace(GUEST, cleared=(left + timedelta(hours=3)).replace(tzinfo=None))
    after = replace(before, ahead=timedelta(hours=4), at=NOON + timedelta(minutes=30), setting=2)
    placed = after.place(guest, reader.last_complete_read)
    assert placed.cleared == round(left.timestamp())


class SlowLog(SessionLog):
    """A log in which something happens while sessions are moved."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.meanwhile: list[Callable[[], object]] = []

    @override
    async def shift(self, seconds: int) -> list[Change]:
        changes = await super().shift(seconds)
        if self.meanwhile:
            self.meanwhile.pop()()
        return changes


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[SlowLog]:
    """An open log."""
    log = SlowLog(tmp_path / "lrs_pager.slow.db")
    await log.open()
    yield log
    await log.close()


def writer_of(log: SessionLog) -> LogWriter:
    return LogWriter(log, now=NOON.timestamp, names_kept=None, written=lambda changes: None)


BY_AGE = PlacedSession(
    uuid="uuid-1", number=1, cleared_at=round(NOON.timestamp()), clear_type=STOP, is_by_age=True
)


async def test_a_session_that_ends_while_others_are_moved_is_moved_by_no_step_before_it(
    slow: SlowLog,
) -> None:
    writer = writer_of(slow)
    writer.shift(HOUR)

    def wakes() -> None:
        # The computer had slept: our clock was not set after all.
        writer.shift(-HOUR)
        writer.add([BY_AGE])

    slow.meanwhile.append(wakes)
    await writer.save()
    await writer.save()
    assert [s.ended_at for s in await slow.between(0, 2**40)] == [BY_AGE.ended_at]


async def test_a_history_that_waits_for_its_turn_is_placed_by_the_clock_of_then(
    slow: SlowLog,
) -> None:
    writer = writer_of(slow)
    ahead = [0]

    def placing() -> Place:
        at = BY_AGE.ended_at + ahead[-1]
        return lambda session, before: replace(BY_AGE, cleared_at=at)

    def is_set() -> None:
        ahead.append(HOUR)
        writer.shift(HOUR)

    writer.shift(60)
    slow.meanwhile.append(is_set)
    await writer.merge([replace(GUEST, cleared=GUEST.created)], placing)
    await writer.save()
    assert [s.ended_at for s in await slow.between(0, 2**40)] == [BY_AGE.ended_at + HOUR]


async def test_a_save_that_is_cancelled_loses_no_session_and_no_step_of_our_clock(
    slow: SlowLog,
) -> None:
    told: list[Change] = []
    writer = LogWriter(slow, now=NOON.timestamp, names_kept=None, written=told.extend)
    await slow.keep([BY_AGE])
    writer.shift(HOUR)
    writer.shift(-HOUR)
    another = replace(BY_AGE, uuid="uuid-2", cleared_at=BY_AGE.ended_at + 60)
    writer.add([another])
    saving = asyncio.create_task(writer.save())
    slow.meanwhile.append(saving.cancel)
    with pytest.raises(asyncio.CancelledError):
        await saving
    await writer.save()
    known = await slow.between(0, 2**40)
    assert [s.ended_at for s in known] == [BY_AGE.ended_at, another.ended_at]
    assert told[-1][1].uuid == another.uuid


async def test_a_merge_that_is_cancelled_is_told_of_all_the_same(slow: SlowLog) -> None:
    told: list[Change] = []
    writer = LogWriter(slow, now=NOON.timestamp, names_kept=None, written=told.extend)
    writer.shift(HOUR)
    merging = asyncio.create_task(
        writer.merge(
            [replace(GUEST, cleared=GUEST.created)], lambda: lambda session, before: BY_AGE
        )
    )
    slow.meanwhile.append(merging.cancel)
    with pytest.raises(asyncio.CancelledError):
        await merging
    await writer.save()
    assert [after.uuid for _, after in told] == [BY_AGE.uuid]
