"""Long-term statistics: what a manager's graph shows of a year ago, and of the hour before last.

A real recorder with a real database (SQLite; scripts/test-postgres has one more), read as the
dashboard reads it. The simulator's ledger is what rows are compared with.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
import logging
import threading
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_purge_done
from sqlalchemy.exc import OperationalError

from custom_components.lrs_pager import long_term_statistics
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.long_term_statistics import (
    DELAY,
    DELAY_IF_MOVED,
    LongTermStatistics,
    statistic_id,
)
from custom_components.lrs_pager.sessions.hourly import COUNTS, HOUR, KEYS
from custom_components.lrs_pager.sessions.log import SessionLog
from homeassistant.components.recorder.statistics import (
    get_metadata,
    statistics_during_period,
    valid_statistic_id,
)
from homeassistant.components.recorder.tasks import RecorderTask, SynchronizeTask
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, serve_guest, settle
from tests.sessions import unreadable
from tests.simulator import Simulator, Unit

# ------------------------------------------------------------------------------- helpers


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest, _loopback: None) -> None:
    """As everywhere, but with a recorder, which has to be there before Home Assistant starts."""
    if "without_recorder" not in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def without_recorder() -> None:
    """A Home Assistant whose user has none."""


@pytest.fixture
async def unit(hass: HomeAssistant, simulator: Simulator) -> Unit:
    """The transmitter, with all that is known of a session in its history."""
    simulator.unit.history_party_size = True
    return simulator.unit


MINUTE = timedelta(minutes=1)

type Row = dict[str, Any]


async def rows(
    hass: HomeAssistant, entry: MockConfigEntry, period: str = "hour", *, since: int = 0
) -> dict[str, list[Row]]:
    """An entry's statistics, as the dashboard asks for them; by key."""
    ids = {statistic_id(entry.entry_id, key): key for key in KEYS}
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        dt_util.utc_from_timestamp(since),
        None,
        set(ids),
        period,
        None,
        {"state", "sum", "change", "mean", "min", "max"},
    )
    return {key: list(found.get(id_, ())) for id_, key in ids.items()}


async def states(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> list[float]:
    """The hours' own figures of a count, from the oldest."""
    return [row["state"] for row in (await rows(hass, entry))[key]]


async def go_on(hass: HomeAssistant) -> None:
    """Let as much time pass as it takes until all is written."""
    async_fire_time_changed(hass, dt_util.utcnow() + DELAY + timedelta(seconds=1))
    await settle(hass)


async def written(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have all that happened read and written."""
    await poll(hass, entry)
    await settle(hass)
    await go_on(hass)


async def recorded(hass: HomeAssistant) -> None:
    """Wait until the recorder has carried out all that it was told to."""
    done = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(done))
    await done


async def unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def set_up_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await settle(hass)


def timestamp(shown: datetime) -> float:
    """The instant at which a clock on the wall shows that."""
    return shown.replace(tzinfo=dt_util.get_default_time_zone()).timestamp()


def expected(unit: Unit) -> dict[str, list[Row]]:
    """What the rows are to be, in the slow and obvious way."""
    hours = sorted({int(timestamp(s.cleared)) // HOUR * HOUR for s in unit.ledger})
    expected: dict[str, list[Row]] = {key: [] for key in KEYS}
    totals = dict.fromkeys(COUNTS, 0)
    for hour in hours:
        ended = [s for s in unit.ledger if hour <= timestamp(s.cleared) < hour + HOUR]
        paged = [s for s in ended if s.wait is not None]
        gone = [s for s in ended if s.clear_type == "REMOVED"]
        for key, figure in (
            ("sessions", len(ended)),
            ("guests", sum(s.party_size for s in ended)),
            ("late", len([s for s in paged if s.wait >= s.goal + 2])),
            ("left", len([s for s in gone if s.wait is None])),
            ("no_show", len([s for s in gone if s.wait is not None])),
        ):
            if key == "late" and not paged:
                continue
            totals[key] += figure
            expected[key].append(
                {"start": hour, "state": figure, "sum": totals[key], "change": figure}
            )
        if paged:
            waits = [s.wait / 60 for s in paged]
            mean = sum(waits) / len(waits)
            expected["wait"].append(
                {"start": hour, "mean": mean, "min": min(waits), "max": max(waits)}
            )
            on_time = len([s for s in paged if s.wait < s.goal + 2])
            expected["on_time_rate"].append(
                {"start": hour, "mean": 100 * on_time / len(paged), "min": None, "max": None}
            )
    return expected


async def assert_as_ledger(hass: HomeAssistant, entry: MockConfigEntry, unit: Unit) -> None:
    """Every row, with all that is in it, is what the transmitter's ledger comes to."""
    found = await rows(hass, entry)
    assert unit.ledger
    for key, wanted in expected(unit).items():
        assert [row["start"] for row in found[key]] == [row["start"] for row in wanted]
        for row, want in zip(found[key], wanted, strict=True):
            for name, value in want.items():
                assert row[name] == pytest.approx(value), (key, name)


def serve_many(unit: Unit, hours: int = 60) -> None:
    """A few days of guests: early and late ones, parties of all sizes, some removed."""
    for number in range(hours):
        for guest in range(number % 4):
            serve_guest(
                unit,
                guest + 1,
                minutes_ago=number * 60 + 7 * guest + 1,
                wait=100 * guest + 7 * number,
                party_size=1 + (number + guest) % 5,
                removed=guest == 2,
            )


@contextmanager
def lost() -> Iterator[None]:
    """What the recorder is told to write is never written, as if the power had gone."""
    with patch.object(long_term_statistics, "async_add_external_statistics"):
        yield


class Blocked(RecorderTask):
    """Has the recorder stand still until it is released; nothing that is queued is done."""

    commit_before = False

    def __init__(self) -> None:
        self.stands, self.go = threading.Event(), threading.Event()

    def run(self, instance: object) -> None:
        self.stands.set()
        assert self.go.wait(30)


async def blocked(hass: HomeAssistant) -> Blocked:
    block = Blocked()
    get_instance(hass).queue_task(block)
    assert await hass.async_add_executor_job(block.stands.wait, 30)
    return block


# -------------------------------------------------------------------------- what is written


async def test_sessions_from_before_the_installation_are_there_at_once(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    await assert_as_ledger(hass, entry, unit)


async def test_what_goes_on_ends_up_in_the_same_rows(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """In and after hours that have rows, before all of them, and twice in the same."""
    serve_guest(unit, minutes_ago=3000)
    entry = await set_up()
    await settle(hass)
    for minutes_ago in (1, 130, 1, 400, 4000, 4000, 2):
        serve_guest(unit, minutes_ago=minutes_ago, wait=minutes_ago % 700, party_size=3)
        await written(hass, entry)
        await assert_as_ledger(hass, entry, unit)


async def test_a_month_of_graphs_adds_up(hass: HomeAssistant, unit: Unit, set_up: SetUp) -> None:
    serve_many(unit, hours=200)
    entry = await set_up()
    await settle(hass)
    days = await rows(hass, entry, "day")
    assert sum(day["change"] for day in days["sessions"]) == len(unit.ledger)
    assert days["sessions"][-1]["sum"] == len(unit.ledger)
    for day in days["sessions"]:
        ended = [s for s in unit.ledger if day["start"] <= timestamp(s.cleared) < day["end"]]
        assert day["change"] == len(ended)


async def test_each_statistic_says_what_it_is(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_guest(unit)
    entry = await set_up(title="Front door")
    await settle(hass)
    ids = {key: statistic_id(entry.entry_id, key) for key in KEYS}
    assert all(valid_statistic_id(id_) for id_ in ids.values())
    metadata = await get_instance(hass).async_add_executor_job(get_metadata, hass)
    told = {key: metadata[id_][1] for key, id_ in ids.items()}
    assert {key: about["name"] for key, about in told.items()} == {
        "sessions": "Front door sessions",
        "guests": "Front door guests",
        "late": "Front door late sessions",
        "left": "Front door left before paged",
        "no_show": "Front door did not come",
        "wait": "Front door wait",
        "on_time_rate": "Front door on-time rate",
    }
    assert {key: about["unit_of_measurement"] for key, about in told.items()} == {
        "sessions": "sessions",
        "guests": "guests",
        "late": "sessions",
        "left": "sessions",
        "no_show": "sessions",
        "wait": "min",
        "on_time_rate": "%",
    }
    assert {key for key, about in told.items() if about["has_sum"]} == set(COUNTS)


async def test_a_wait_can_be_shown_in_other_units(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_guest(unit, wait=5400)
    entry = await set_up()
    await settle(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        dt_util.utc_from_timestamp(0),
        None,
        None,
        "hour",
        {"duration": "h", "unitless": "%"},
        {"mean", "min", "max"},
    )
    assert found[statistic_id(entry.entry_id, "wait")][0]["mean"] == pytest.approx(1.5)
    assert found[statistic_id(entry.entry_id, "on_time_rate")][0]["mean"] == 0


async def test_without_party_sizes_there_are_no_guests_rather_than_none(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    await settle(hass)
    assert (await rows(hass, entry))["guests"] == []
    assert await states(hass, entry, "sessions") == [1]


@pytest.mark.parametrize(
    ("zone", "first", "last", "length"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28), datetime(2026, 3, 30, 12), 23),
        ("Europe/Berlin", datetime(2026, 10, 24), datetime(2026, 10, 26, 12), 25),
        ("Asia/Kolkata", datetime(2026, 10, 24), datetime(2026, 10, 26, 12), 24),
    ],
    ids=["spring", "autumn", "half an hour off"],
)
async def test_every_session_is_in_its_day_whatever_the_clocks_do(
    hass: HomeAssistant,
    unit: Unit,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    zone: str,
    first: datetime,
    last: datetime,
    length: int,
) -> None:
    """Rows begin at UTC's hours. Where local days don't, an hour is in the day it begins in."""
    await hass.config.async_set_time_zone(zone)
    local = dt_util.get_default_time_zone()
    freezer.move_to(last.replace(tzinfo=local))
    moment = first + timedelta(minutes=25)
    while moment < last:
        # 02:25 is no time at all on one of these days.
        if (shown := dt_util.utc_from_timestamp(timestamp(moment)).astimezone(local)).replace(
            tzinfo=None
        ) == moment:
            serve_guest(unit, minutes_ago=(local_time() - shown.replace(tzinfo=None)) / MINUTE)
        moment += 20 * MINUTE
    entry = await set_up()
    await settle(hass)
    wanted: dict[datetime, int] = {}
    for session in unit.ledger:
        hour = dt_util.utc_from_timestamp(timestamp(session.cleared) // HOUR * HOUR)
        day = hour.astimezone(local).replace(hour=0, minute=0)
        wanted[day] = wanted.get(day, 0) + 1
    days = (await rows(hass, entry, "day"))["sessions"]
    assert {
        dt_util.utc_from_timestamp(day["start"]).astimezone(local): day["change"] for day in days
    } == wanted
    assert {(day["end"] - day["start"]) / HOUR for day in days} == {24, length}


# ------------------------------------------------------------------- again, late, in between


async def test_a_restart_adds_nothing_twice(hass: HomeAssistant, unit: Unit, set_up: SetUp) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    before = await rows(hass, entry)
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
    assert await rows(hass, entry) == before
    await assert_as_ledger(hass, entry, unit)


async def test_what_is_there_is_not_written_again(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    with patch.object(
        long_term_statistics,
        "async_add_external_statistics",
        wraps=long_term_statistics.async_add_external_statistics,
    ) as write:
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
        assert not write.called
        serve_guest(unit, minutes_ago=0.1)
        await written(hass, entry)
        assert sum(len(call.args[2]) for call in write.call_args_list) == len(KEYS)
    await assert_as_ledger(hass, entry, unit)


@pytest.mark.logs("could not be saved: disk I/O error", "could not be saved: disk I/O error")
async def test_while_the_log_can_not_be_read_nothing_is_written_and_all_is_afterwards(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    hass.set_state(CoreState.starting)
    entry = await set_up()
    await unload(hass, entry)
    await set_up_again(hass, entry)
    async with unreadable(entry.runtime_data.log):
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await settle(hass)
        await go_on(hass)
        assert not any((await rows(hass, entry)).values())
    await go_on(hass)
    before = await rows(hass, entry)
    await assert_as_ledger(hass, entry, unit)
    async with unreadable(entry.runtime_data.log):
        serve_guest(unit, minutes_ago=0.1)
        await written(hass, entry)
        assert await rows(hass, entry) == before
    await written(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_hours_while_home_assistant_was_down_are_filled_in(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_guest(unit, minutes_ago=600)
    entry = await set_up()
    await settle(hass)
    await unload(hass, entry)
    serve_guest(unit, minutes_ago=400)
    serve_guest(unit, minutes_ago=130)
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_what_is_left_is_written_when_the_transmitter_is_unloaded(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    await settle(hass)
    assert await states(hass, entry, "sessions") == []  # its time has not come
    await unload(hass, entry)
    await recorded(hass)
    await assert_as_ledger(hass, entry, unit)


async def test_what_is_left_is_written_when_home_assistant_stops(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    await settle(hass)
    assert await states(hass, entry, "sessions") == []
    hass.bus.async_fire("homeassistant_stop")
    await hass.async_block_till_done()
    await recorded(hass)
    await assert_as_ledger(hass, entry, unit)


async def test_what_was_logged_and_not_written_is_written_at_the_next_start(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """As when Home Assistant is killed in between."""
    serve_many(unit, hours=5)
    entry = await set_up()
    await settle(hass)
    with lost():
        serve_guest(unit, minutes_ago=61)
        serve_guest(unit, minutes_ago=1)
        await poll(hass, entry)
        await unload(hass, entry)
    assert sum(await states(hass, entry, "sessions")) == len(unit.ledger) - 2
    unit.wipe_history()  # the log alone has them now
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_a_busy_hours_rows_are_not_written_with_every_guest(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    entry = await set_up()
    await settle(hass)
    with patch.object(
        long_term_statistics,
        "async_add_external_statistics",
        wraps=long_term_statistics.async_add_external_statistics,
    ) as write:
        for number in range(1, 9):
            serve_guest(unit, number, minutes_ago=0.1)
            await poll(hass, entry)
            await settle(hass)
        assert not write.called
        await go_on(hass)
        assert write.call_count == len(KEYS)
    await assert_as_ledger(hass, entry, unit)


async def test_a_late_answer_changes_the_hour_it_is_about(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """At first it is not known that the guest was paged, nor how many they were."""
    for minutes_ago in (500, 200, 30):
        serve_guest(unit, minutes_ago=minutes_ago, party_size=4)
    whole = [dict(wire) for wire in unit.history]
    for name in ("notified", "partySize"):
        del unit.history[1][name]
    entry = await set_up()
    await settle(hass)
    assert len((await rows(hass, entry))["wait"]) == 2
    unit.history[:] = whole
    await entry.runtime_data.async_read_all()
    await written(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def with_an_end_untold(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> tuple[MockConfigEntry, list[Any]]:
    """Set up with three guests, of whom the end of the second is not told; return the truth, too.

    The second is counted in the hour in which the guest was paged, and ended in the one after it.
    """
    for minutes_ago in (500, 200, 30):
        serve_guest(unit, minutes_ago=minutes_ago, response=4000)
    whole = [dict(wire) for wire in unit.history]
    del unit.history[1]["cleared"]
    entry = await set_up()
    await settle(hass)
    return entry, whole


async def test_a_session_that_turns_out_to_have_ended_in_another_hour_is_counted_once(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """Its end was not told at first, so that it was in the hour in which the guest was paged."""
    entry, whole = await with_an_end_untold(hass, unit, set_up)
    assert await states(hass, entry, "sessions") == [1, 1, 1]
    unit.history[:] = whole
    await entry.runtime_data.async_read_all()
    await written(hass, entry)
    found = await rows(hass, entry)
    assert [row["state"] for row in found["sessions"]] == [1, 0, 1, 1]
    assert [row["sum"] for row in found["sessions"]] == [1, 1, 2, 3]
    assert [row["mean"] for row in found["wait"]] == [5, None, 5, 5]
    # A day's mean is not troubled by the hour that has none.
    days = await rows(hass, entry, "day")
    assert {row["mean"] for row in days["wait"]} == {5}
    # It stays so.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert await rows(hass, entry) == found


async def test_the_hour_that_a_session_has_left_is_written_before_a_kill_is_likely(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """It is counted twice until then."""
    entry, whole = await with_an_end_untold(hass, unit, set_up)
    unit.history[:] = whole
    await entry.runtime_data.async_read_all()
    await settle(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + DELAY_IF_MOVED + timedelta(seconds=1))
    await settle(hass)
    assert await states(hass, entry, "sessions") == [1, 0, 1, 1]


async def test_the_hour_that_a_session_has_left_is_put_right_after_a_kill(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    entry, whole = await with_an_end_untold(hass, unit, set_up)
    unit.history[:] = whole
    with lost():
        await entry.runtime_data.async_read_all()
        await settle(hass)
        await unload(hass, entry)
    assert await states(hass, entry, "sessions") == [1, 1, 1]
    await set_up_again(hass, entry)
    found = await rows(hass, entry)
    assert [row["state"] for row in found["sessions"]] == [1, 0, 1, 1]
    assert [row["sum"] for row in found["sessions"]] == [1, 1, 2, 3]
    assert await entry.runtime_data.log.get("moved_hours") == []


async def test_sums_never_step_back_while_the_recorder_lags_behind(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One session at the end of an hour, one at the beginning of the next; both wait for it."""
    now = dt_util.utcnow().replace(minute=59, second=50, microsecond=0)
    freezer.move_to(now)
    serve_guest(unit, minutes_ago=300)
    entry = await set_up()
    await settle(hass)
    block = await blocked(hass)
    for number in (1, 2):
        serve_guest(unit, number, minutes_ago=0)
        await poll(hass, entry)
        async_fire_time_changed(hass, dt_util.utcnow() + DELAY)
        await hass.async_block_till_done()
        freezer.move_to(now + timedelta(seconds=15))
    block.go.set()
    await settle(hass)
    await go_on(hass)
    await assert_as_ledger(hass, entry, unit)
    assert [row["sum"] for row in (await rows(hass, entry))["sessions"]] == [1, 2, 3]


async def test_what_changes_while_rows_are_written_has_its_turn(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """In an hour before those that are being written."""
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    block = await blocked(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + DELAY + timedelta(seconds=1))
    await hass.async_block_till_done()
    serve_guest(unit, minutes_ago=300)
    await poll(hass, entry)
    block.go.set()
    await settle(hass)
    await go_on(hass)
    await assert_as_ledger(hass, entry, unit)


async def test_years_in_which_nothing_happened_are_not_looked_at_week_by_week(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """As after a guest who was served with a dead clock, before it was set."""
    serve_guest(unit, minutes_ago=26 * 365 * 24 * 60)
    serve_guest(unit, 8)
    with patch.object(
        LongTermStatistics, "_read_rows", autospec=True, side_effect=LongTermStatistics._read_rows
    ) as read:
        entry = await set_up()
        await settle(hass)
    assert await states(hass, entry, "sessions") == [1, 1]
    assert 2 <= read.call_count < 20


@pytest.mark.logs("The recorder does not take long-term statistics: it has been busy")
async def test_while_the_recorder_stands_still_one_waits_for_it_and_says_so_once(
    hass: HomeAssistant,
    unit: Unit,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up()
    await settle(hass)
    block = await blocked(hass)
    monkeypatch.setattr(long_term_statistics, "BUSY_AFTER", 0.05)
    for number in range(1, 8):
        serve_guest(unit, number)
        await poll(hass, entry)
        async_fire_time_changed(hass, dt_util.utcnow() + number * 2 * DELAY)
        await hass.async_block_till_done()
        await asyncio.sleep(0.06)
    waiting = [task for task in entry._background_tasks if task.get_name().endswith("statistics")]
    assert len(waiting) == 1
    monkeypatch.undo()
    block.go.set()
    await settle(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + 16 * DELAY)
    await settle(hass)
    assert "The recorder takes long-term statistics again" in caplog.messages
    await assert_as_ledger(hass, entry, unit)


async def test_a_clock_that_is_ahead_may_be_an_hour_ahead(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Within five minutes the transmitter's clock is taken as it is: 15:01 before it is 15:00."""
    freezer.move_to(dt_util.utcnow().replace(minute=58, second=0, microsecond=0))
    unit.skew = timedelta(minutes=3)
    serve_guest(unit, minutes_ago=10)  # in the hour that still is
    entry = await set_up()
    await settle(hass)
    for number in (1, 2, 3):
        serve_guest(unit, number, minutes_ago=0)
        await written(hass, entry)
        await assert_as_ledger(hass, entry, unit)


# ------------------------------------------------------------------------- what is forgotten


@pytest.mark.parametrize("forget", [Unit.wipe_history, Unit.reboot], ids=["wiped", "rebooted"])
async def test_a_transmitter_that_forgets_takes_nothing_out_of_the_graph(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, forget: Callable[[Unit], None]
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    forget(unit)
    serve_guest(unit, minutes_ago=0.1)
    await written(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_statistics_outlive_the_log(hass: HomeAssistant, unit: Unit, set_up: SetUp) -> None:
    """The log is gone, and the transmitter has forgotten all but the latest."""
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    before = (await rows(hass, entry))["sessions"]
    await unload(hass, entry)
    await SessionLog.remove(log_paths(hass, entry.entry_id)[0])
    del unit.history[:-2]
    await set_up_again(hass, entry)
    assert (await rows(hass, entry))["sessions"] == before
    serve_guest(unit, minutes_ago=0.1)
    await written(hass, entry)
    after = (await rows(hass, entry))["sessions"]
    assert after[-1]["sum"] == len(unit.ledger)
    assert [row["sum"] for row in after] == sorted(row["sum"] for row in after)


async def test_an_hour_that_is_known_in_part_only_keeps_its_row(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(dt_util.utcnow().replace(minute=50))
    for number, wait in enumerate((60, 120, 900), start=1):
        serve_guest(unit, number, minutes_ago=5 - number, wait=wait)
    entry = await set_up()
    await settle(hass)
    await assert_as_ledger(hass, entry, unit)
    await unload(hass, entry)
    await SessionLog.remove(log_paths(hass, entry.entry_id)[0])
    del unit.history[:2]
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_totals_go_on_through_hours_that_the_log_forgot(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """What is new is a month ago; what was forgotten came after it."""
    for days_ago in (30, 10, 1):
        serve_guest(unit, minutes_ago=days_ago * 1440)
    entry = await set_up()
    await settle(hass)
    await unload(hass, entry)
    await SessionLog.remove(log_paths(hass, entry.entry_id)[0])
    del unit.history[1:]
    serve_guest(unit, minutes_ago=29 * 1440)
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_purging_the_recorder_leaves_them(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    await hass.services.async_call("recorder", "purge", {"keep_days": 0}, blocking=True)
    await async_wait_purge_done(hass)
    await assert_as_ledger(hass, entry, unit)


async def test_removing_the_transmitter_leaves_them(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    await assert_as_ledger(hass, entry, unit)


async def test_statistics_that_the_user_deleted_are_written_anew_at_the_next_start(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)
    get_instance(hass).async_clear_statistics([statistic_id(entry.entry_id, key) for key in KEYS])
    await recorded(hass)
    assert await states(hass, entry, "sessions") == []
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    await assert_as_ledger(hass, entry, unit)


# ----------------------------------------------------------------------- names, and whose


async def test_renaming_the_transmitter_renames_them(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_many(unit)
    entry = await set_up()
    await settle(hass)

    async def names() -> set[str | None]:
        metadata = await get_instance(hass).async_add_executor_job(get_metadata, hass)
        return {about["name"] for _, about in metadata.values() if about["source"] == DOMAIN}

    hass.config_entries.async_update_entry(entry, title="Front door")
    await go_on(hass)
    assert len(await names()) == len(KEYS)
    assert all(str(name).startswith("Front door ") for name in await names())
    # Also while it is not loaded.
    await unload(hass, entry)
    hass.config_entries.async_update_entry(entry, title="Back door")
    await set_up_again(hass, entry)
    assert all(str(name).startswith("Back door ") for name in await names())
    await assert_as_ledger(hass, entry, unit)


async def test_two_transmitters_do_not_mix(hass: HomeAssistant, unit: Unit, set_up: SetUp) -> None:
    serve_many(unit, hours=20)
    async with Simulator(unit=Unit(now=local_time, history_party_size=True, seed=2)) as other:
        serve_many(other.unit, hours=30)
        first, second = await set_up(), await set_up(other, title="Bar")
        await settle(hass)
        serve_guest(other.unit, minutes_ago=2)
        await written(hass, second)
        await assert_as_ledger(hass, first, unit)
        await assert_as_ledger(hass, second, other.unit)


# ------------------------------------------------------------------------ what may go wrong


async def test_without_a_recorder_all_else_works(
    without_recorder: None, hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    serve_guest(unit)
    entry = await set_up()
    serve_guest(unit)
    await written(hass, entry)
    assert await entry.runtime_data.log.count() == 2
    assert "recorder" not in hass.config.components
    await unload(hass, entry)


def broken(*_: object) -> None:
    raise OperationalError("SELECT", None, Exception("the disk is full"))


@pytest.mark.logs("does not take long-term statistics")
async def test_a_broken_database_is_told_once_each_way_and_loses_nothing(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up()
    await settle(hass)
    caplog.set_level(logging.INFO)
    with patch.object(long_term_statistics, "statistics_during_period", broken):
        for number in (1, 2, 3):
            serve_guest(unit, number)
            await written(hass, entry)
    assert await entry.runtime_data.log.count() == 3
    serve_guest(unit, 4)
    await written(hass, entry)
    assert caplog.text.count("does not take long-term statistics") == 1
    assert caplog.text.count("takes long-term statistics again") == 1
    await assert_as_ledger(hass, entry, unit)


async def test_a_log_that_is_closed_meanwhile_is_no_fault_of_the_recorder(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """It is as if the entry was unloaded in the middle: no warning is logged."""
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    await entry.runtime_data.log.close()
    await entry.runtime_data.long_term_statistics._sync()
    await unload(hass, entry)
    await set_up_again(hass, entry)
    await settle(hass)
    await assert_as_ledger(hass, entry, unit)


@pytest.mark.logs("it did not keep what was written")
async def test_rows_that_the_recorder_loses_are_written_again(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """It logs its own errors, and tells nobody else."""
    entry = await set_up()
    await settle(hass)
    with lost():
        for number in (1, 2):
            serve_guest(unit, number)
            await written(hass, entry)
    serve_guest(unit, 3, minutes_ago=0.1)
    await written(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_a_broken_database_does_not_keep_the_transmitter_from_being_unloaded(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    with patch.object(long_term_statistics, "statistics_during_period", broken):
        await unload(hass, entry)
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_a_recorder_that_stands_still_does_not_keep_the_transmitter_from_being_unloaded(
    hass: HomeAssistant, unit: Unit, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_term_statistics, "STOP_TIMEOUT", 0.1)
    entry = await set_up()
    await settle(hass)
    serve_guest(unit)
    await poll(hass, entry)
    block = await blocked(hass)
    await unload(hass, entry)
    assert not block.go.is_set()
    block.go.set()
    await set_up_again(hass, entry)
    await assert_as_ledger(hass, entry, unit)


async def test_nothing_is_written_while_home_assistant_starts(
    hass: HomeAssistant, unit: Unit, set_up: SetUp
) -> None:
    """The recorder does not work off its queue before that."""
    serve_many(unit)
    hass.set_state(CoreState.not_running)
    entry = await set_up()
    await settle(hass)
    serve_guest(unit, minutes_ago=0.1)
    await written(hass, entry)
    assert await states(hass, entry, "sessions") == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await settle(hass)
    await assert_as_ledger(hass, entry, unit)
