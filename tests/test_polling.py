"""Polls: what is asked, how often, and what happens when the transmitter is not well."""

import asyncio
from contextlib import closing
from datetime import datetime, timedelta
import sqlite3
import threading
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.sessions.database import Change, Database
from custom_components.lrs_pager.sync.push import PushState
from custom_components.lrs_pager.transmitter import ChangedError
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest, settle
from tests.simulator import Simulator, Unit
from tests.test_services import until

pytestmark = [pytest.mark.polled, pytest.mark.usefixtures("midday")]

HISTORY = ("v1", "sessions", "history")
SESSIONS = ("v1", "sessions")
NOTIFY = ("v1", "notify")


def asked(simulator: Simulator) -> list[str]:
    """What was asked since the last time, by first blocks."""
    names = {HISTORY: "history", SESSIONS: "sessions"}
    found = [
        names[request.path]
        for request in simulator.requests
        if request.path in names and (request.block2 is None or request.block2[0] == 0)
    ]
    simulator.requests.clear()
    return found


async def after(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass, and whatever is due happen."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await settle(hass)


def count(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    return sensor(hass, entry, "daily_count").state


# ------------------------------------------------------------------------ the cheap question


async def test_while_nothing_changes_a_poll_is_one_small_exchange(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    for number in range(1, 20):
        serve_guest(simulator.unit, number)
    simulator.unit.create(20)
    await set_up()
    asked(simulator)
    await after(hass, freezer, 30)  # gets an ETag
    for _ in range(5):
        await after(hass, freezer, 30)
    polls = [request for request in simulator.requests if request.path != NOTIFY]
    assert {request.path for request in polls} == {SESSIONS}
    assert [request.answered for request in polls[1:]] == ["2.03"] * 5
    assert asked(simulator) == ["sessions"] * 6


async def test_a_poll_that_finds_nothing_new_leaves_entities_alone(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    simulator.unit.create(8)
    entry = await set_up()
    # How it stands with push is shown, too, once that is known.
    await until(lambda: entry.runtime_data.follower.push.state is not PushState.CONNECTING)
    # So is what can be quoted, once that is worked out.
    await until(lambda: entry.runtime_data.data.quotes is not None)
    shown: list[int] = []
    entry.runtime_data.async_add_listener(
        lambda: shown.append(len(entry.runtime_data.data.waiting))
    )
    for _ in range(3):
        await poll(hass, entry)
    assert shown == []
    simulator.unit.create(9)
    await poll(hass, entry)
    await settle(hass)  # what is quoted is another by then, and shown, too
    assert set(shown) == {2}
    shown.clear()
    await poll(hass, entry)
    await settle(hass)
    assert shown == []


async def test_a_new_session_is_fetched_when_the_cheap_question_tells_of_it(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    await poll(hass, entry)
    asked(simulator)
    serve_guest(simulator.unit)
    await poll(hass, entry)
    assert asked(simulator) == ["sessions", "history"]
    assert count(hass, entry) == "2"
    await poll(hass, entry)
    assert asked(simulator) == ["sessions"]


async def test_only_what_was_added_to_a_long_history_is_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    for number in range(200):
        serve_guest(simulator.unit, minutes_ago=400 - number)
    entry = await set_up()
    await after(hass, freezer, 30)
    for served in range(1, 11):
        serve_guest(simulator.unit, minutes_ago=0)
        simulator.requests.clear()
        await after(hass, freezer, 30)
        assert await entry.runtime_data.log.count() == 200 + served
        blocks = [request for request in simulator.requests if request.path == HISTORY]
        assert len(blocks) <= 4


async def test_what_was_added_elsewhere_than_at_the_end_is_read_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    for number in range(40):
        serve_guest(simulator.unit, minutes_ago=400 - number)
    entry = await set_up()
    for place in (0, 7, -7):
        serve_guest(simulator.unit, minutes_ago=0)
        simulator.unit.history.insert(place, simulator.unit.history.pop())
        await after(hass, freezer, 30)
        assert await entry.runtime_data.log.count() == len(simulator.unit.history)


async def test_what_was_added_in_the_middle_as_the_oldest_made_room_is_read_within_a_day(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    for number in range(40):
        serve_guest(simulator.unit, minutes_ago=400 - number, label="" if number else "x" * 99)
    simulator.unit.history_limit = 40
    entry = await set_up()
    await after(hass, freezer, 30)
    serve_guest(simulator.unit, minutes_ago=0)
    simulator.unit.history.insert(7, simulator.unit.history.pop())
    await after(hass, freezer, 30)
    assert await entry.runtime_data.log.count() == 40
    await after(hass, freezer, 24 * 3600)
    assert await entry.runtime_data.log.count() == 41


async def test_a_change_in_the_second_of_another_is_not_hidden_by_its_etag(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    # The unit's ETag is the second of its last change; here all is in one second.
    simulator.unit.frozen_at = local_time()
    entry = await set_up()
    for expected in ("1", "2", "3"):
        serve_guest(simulator.unit)
        await poll(hass, entry)
        await poll(hass, entry)
        assert count(hass, entry) == expected


async def test_the_whole_history_is_read_every_five_minutes_all_the_same(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up()
    asked(simulator)
    found = []
    for _ in range(20):
        await after(hass, freezer, 30)
        found.append(asked(simulator))
    assert all(polls[0] == "sessions" for polls in found)
    full = [number for number, polls in enumerate(found, 1) if "history" in polls]
    assert full == [10, 20]


async def test_polls_come_every_thirty_seconds(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up()
    asked(simulator)
    for seconds, polls in [(28, 0), (3, 1), (27, 1), (4, 2)]:
        await after(hass, freezer, seconds)
        assert sum(request.path == SESSIONS for request in simulator.requests) == polls


async def test_polls_go_on_with_every_entity_disabled(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    entry = await set_up()
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_update_entity(entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    serve_guest(simulator.unit)
    await after(hass, freezer, 31)
    assert await entry.runtime_data.log.count() == 1


async def test_firmware_with_nothing_but_history_works_fully(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.history_only = True
    serve_guest(simulator.unit)
    entry = await set_up()
    for expected in ("2", "3", "4"):
        serve_guest(simulator.unit)
        await poll(hass, entry)
        assert count(hass, entry) == expected
    # It is not asked again and again for what it has not got.
    assert asked(simulator).count("sessions") == 1


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_firmware_with_nothing_but_history_is_unavailable_when_it_is_unplugged(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.history_only = True
    serve_guest(simulator.unit)
    entry = await set_up()
    await simulator.stop()
    await poll(hass, entry)
    assert count(hass, entry) == STATE_UNAVAILABLE
    await simulator.start()
    await poll(hass, entry)
    assert count(hass, entry) == "1"


async def test_a_unit_without_etags_or_sequence_works_fully(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.no_etag = True
    simulator.canned[SESSIONS] = b'{"responseTypes":["sessions"],"sessions":[]}'
    entry = await set_up()
    for expected in ("1", "2"):
        serve_guest(simulator.unit)
        await poll(hass, entry)
        assert count(hass, entry) == expected


async def test_a_unit_that_tells_no_sequence_is_not_read_whole_each_time(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    async with Simulator(unit=simulator.unit) as forgetful:
        forgetful.faults.no_sequence = True
        entry = await set_up(forgetful)
        asked(forgetful)
        await poll(hass, entry)
        await poll(hass, entry)
        assert asked(forgetful) == ["sessions", "sessions"]
        serve_guest(simulator.unit)
        await poll(hass, entry)
        assert asked(forgetful) == ["sessions", "history"]
        assert count(hass, entry) == "2"
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", ["deaf_to_sessions", "resets_sessions"])
async def test_a_unit_that_is_silent_on_everything_but_history_works_fully(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, fault: str
) -> None:
    simulator.faults.switch(fault, on=True)
    entry = await set_up()
    for expected in ("1", "2", "3"):
        serve_guest(simulator.unit)
        await poll(hass, entry)
        assert count(hass, entry) == expected


async def test_update_entity_reads_everything_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await async_setup_component(hass, "homeassistant", {})
    entry = await set_up()
    simulator.faults.etag_lies = True
    await poll(hass, entry)
    serve_guest(simulator.unit)
    entity_id = sensor(hass, entry, "daily_count").entity_id
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": entity_id}, blocking=True
    )
    await hass.async_block_till_done()
    assert count(hass, entry) == "1"


# ---------------------------------------------------------------------------- bad health


@pytest.mark.parametrize("code", ["4.04", "5.00"])
async def test_what_answers_with_errors_alone_is_not_known_to_be_ours_at_the_start(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, code: str
) -> None:
    simulator.faults.errors[()] = code
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    simulator.faults.errors.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.logs("The history can't be read: answered 5.03")
async def test_who_came_and_went_while_nothing_could_be_read_is_counted_once_it_can(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    serve_guest(simulator.unit)
    simulator.faults.errors[HISTORY] = "5.03"
    await poll(hass, entry)  # the list tells that there is something new
    simulator.faults.errors[SESSIONS] = "5.03"
    await poll(hass, entry)
    assert count(hass, entry) == "0"
    simulator.faults.errors.clear()
    await poll(hass, entry)
    assert count(hass, entry) == "1"


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_a_transmitter_that_was_unplugged_comes_back_by_itself(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    await simulator.stop()
    await poll(hass, entry)
    assert count(hass, entry) == STATE_UNAVAILABLE
    simulator.unit.reboot(restart_sequence=True, lose_history=True)
    serve_guest(simulator.unit)
    await simulator.start()
    await poll(hass, entry)
    assert count(hass, entry) == "2"


async def test_a_wiped_history_changes_nothing_that_is_shown(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, wait=120)
    serve_guest(simulator.unit, wait=240)
    entry = await set_up()
    last = sensor(hass, entry, "last_cleared_session").state
    simulator.unit.wipe_history()
    await entry.runtime_data.async_read_all()
    await hass.async_block_till_done()
    assert count(hass, entry) == "2"
    assert sensor(hass, entry, "average_wait").state == "3.0"
    assert sensor(hass, entry, "last_cleared_session").state == last


@pytest.mark.logs("times or sessions of the history can't be read")
async def test_a_bad_record_costs_nothing_but_itself_and_comes_back_when_it_is_good(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in (1, 2, 3):
        serve_guest(simulator.unit, number)
    good = dict(simulator.unit.history[1])
    simulator.unit.history[1] = {"id": 2, "cleared": "soon"}
    entry = await set_up()
    assert count(hass, entry) == "2"
    simulator.unit.history[1] = good
    await entry.runtime_data.async_read_all()
    await hass.async_block_till_done()
    assert count(hass, entry) == "3"


async def test_all_is_read_anew_also_if_that_is_asked_for_while_the_history_is_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 9):
        serve_guest(simulator.unit, number, minutes_ago=20 - number)
    # Another as long as it is there in its place, so that the history seems to go on as it was.
    hidden = simulator.unit.history[1]
    another = {"uuid": "f" * len(hidden["uuid"]), "created": simulator.unit.history[0]["created"]}
    simulator.unit.history[1] = hidden | another
    entry = await set_up()
    assert count(hass, entry) == "8"
    simulator.unit.history[1] = hidden
    serve_guest(simulator.unit, 9)

    def ask() -> None:
        simulator.hooks.clear()
        entry.runtime_data.follower.read_everything()

    simulator.hooks[HISTORY, 0] = ask
    await poll(hass, entry)
    assert not simulator.hooks
    await poll(hass, entry)
    assert count(hass, entry) == "10"


async def test_two_thousand_sessions_are_counted_right(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.load_history(
        {
            "id": i,
            "uuid": f"00000000-0000-4000-8000-{i:012}",
            "number": i % 40,
            "goalInSeconds": 300,
            "created": (local_time() - timedelta(days=400, minutes=i)).isoformat("T", "seconds"),
            "started": (local_time() - timedelta(days=400, minutes=i)).isoformat("T", "seconds"),
            "cleared": (local_time() - timedelta(days=400)).isoformat("T", "seconds"),
            "label": None,
            "clearType": "STOP",
        }
        for i in range(1, 2000)
    )
    serve_guest(simulator.unit)
    entry = await set_up()
    assert await entry.runtime_data.log.count() == 2000
    assert count(hass, entry) == "1"


# ----------------------------------------------------------------------- coming and going


@pytest.mark.usefixtures("short_timeouts")
async def test_a_transmitter_that_is_off_at_start_is_tried_again(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.silence = True
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    simulator.faults.silence = False
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_nothing_is_left_behind_at_unload_even_in_the_middle_of_a_poll(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    simulator.faults.silence = True
    polling = asyncio.ensure_future(entry.runtime_data.async_refresh())
    await asyncio.sleep(0.05)
    assert not polling.done()
    assert await hass.config_entries.async_unload(entry.entry_id)
    await polling
    assert entry.state is ConfigEntryState.NOT_LOADED
    simulator.faults.silence = False
    simulator.requests.clear()
    await asyncio.sleep(0.7)  # a retransmission would have come by now
    assert simulator.requests == []


async def test_nothing_is_left_behind_at_unload_even_in_the_middle_of_a_save(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A refresh that the user asked for, which Home Assistant does not cancel with the entry.
    entry = await set_up()
    serve_guest(simulator.unit)
    writing, go_on = threading.Event(), threading.Event()

    merge = Database.merge

    def slow(self: Database, *args: Any) -> list[Change]:
        writing.set()
        go_on.wait(5)
        return merge(self, *args)

    monkeypatch.setattr(Database, "merge", slow)
    refreshing = asyncio.ensure_future(entry.runtime_data.async_refresh())
    await asyncio.to_thread(writing.wait, 5)
    unloading = asyncio.ensure_future(hass.config_entries.async_unload(entry.entry_id))
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(refreshing, unloading)
    # The harness looks for timers that are left.


async def test_two_transmitters_are_not_mixed_up(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=Unit(now=local_time, seed=2)) as second:
        serve_guest(simulator.unit, 1)
        serve_guest(second.unit, 2)
        serve_guest(second.unit, 3)
        entries = [await set_up(), await set_up(second, title="T7470 (bar)")]
        assert [count(hass, entry) for entry in entries] == ["1", "2"]
        serve_guest(simulator.unit, 1)
        for entry in entries:
            await poll(hass, entry)
        assert [count(hass, entry) for entry in entries] == ["2", "2"]
        await hass.config_entries.async_unload(entries[1].entry_id)


async def test_the_device_follows_an_update_of_the_firmware(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name == "T7470"
    assert device.manufacturer == "Long Range Systems"
    assert device.model == "T7470"
    assert device.sw_version == "8.4.100.43"
    simulator.unit.firmware_version = "8.5.2.11"
    simulator.canned[SESSIONS] = b'{"responseTypes":["sessions"],"sessions":[]}'  # says nothing
    await entry.runtime_data.async_read_all()
    await hass.async_block_till_done()
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.sw_version == "8.5.2.11"


async def test_what_a_first_history_tells_has_its_time_though_settings_alone_tell_the_clock(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.skew = timedelta(hours=-3)
    simulator.faults.wrong = {"timestamp": None}
    serve_guest(simulator.unit, minutes_ago=1)
    entry = await set_up()
    ended = datetime.fromisoformat(sensor(hass, entry, "last_cleared_session").state)
    assert abs(dt_util.utcnow() - timedelta(minutes=1) - ended) < timedelta(seconds=30)


@pytest.mark.logs("The history can't be read")
async def test_a_guest_of_a_first_list_has_come_just_now_though_settings_alone_tell_the_clock(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.skew = timedelta(hours=-3)
    simulator.faults.wrong = {"timestamp": None}
    simulator.faults.errors[HISTORY] = "5.00"
    simulator.unit.create(7)
    entry = await set_up()
    await settle(hass)
    [session] = entry.runtime_data.data.active
    assert abs(dt_util.utcnow().timestamp() - session.created_at) < 30


@pytest.mark.polled
@pytest.mark.logs("The history can't be read")
async def test_after_an_hour_of_errors_active_sessions_are_shown_when_they_are_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    simulator.unit.create(1)
    entry = await set_up()
    errors = {("v1", "sessions"): "5.00", ("v1", "sessions", "history"): "5.00"}
    simulator.faults.errors = dict(errors)
    await poll(hass, entry)
    for number in range(2, 7):
        simulator.unit.create(number)
    freezer.tick(3600)
    await poll(hass, entry)
    simulator.faults.errors = {("v1", "sessions"): "5.00"}
    await poll(hass, entry)
    assert sensor(hass, entry, "active_sessions").state == STATE_UNAVAILABLE
    simulator.faults.errors = {}
    await poll(hass, entry)
    assert sensor(hass, entry, "active_sessions").state == "6"


@pytest.mark.polled
@pytest.mark.parametrize(
    "history_changes",
    [False, pytest.param(True, marks=pytest.mark.logs("The history can't be read"))],
)
async def test_active_sessions_stay_while_their_list_changes_whenever_it_is_read(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    history_changes: bool,
) -> None:
    simulator.unit.create(1)
    entry = await set_up()
    poller = entry.runtime_data.follower.poller
    asked: list[str] = []

    async def changes(*_: object) -> None:
        asked.append("list")
        raise ChangedError

    monkeypatch.setattr(entry.runtime_data.transmitter, "sessions", changes)
    if history_changes:
        monkeypatch.setattr(poller.history, "read", changes)
    for _ in range(4):
        await poll(hass, entry)
    assert len(asked) >= 4
    assert sensor(hass, entry, "active_sessions").state == "1"


async def test_a_refresh_that_ends_after_the_unload_leaves_nothing_behind(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.unit.create(1, goal=600)
    entry = await set_up()
    coordinator = entry.runtime_data
    read = coordinator.follower.read

    async def unload_meanwhile() -> None:
        simulator.unit.create(2, goal=600)
        await read()
        await hass.config_entries.async_unload(entry.entry_id)

    monkeypatch.setattr(coordinator.follower, "read", unload_meanwhile)
    await coordinator.async_refresh()
    assert entry.state is ConfigEntryState.NOT_LOADED
    # The harness looks for timers that are left.


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("day", '{"date": "2026-11-26", "start": 1}'),
        ("day", '{"date":"x","day_start":4,"start":1000,"follows_our_clock":false}'),
        ("day", "7"),
        ("contact", '"x"'),
        ("contact", "{}"),
        ("history", "7"),
        ("history", '{"seen": {"other": 1}}'),
        ("moved_hours", '{"a": 1}'),
    ],
)
async def test_what_another_version_has_kept_stops_no_set_up(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, key: str, value: str
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    with closing(sqlite3.connect(log_paths(hass, entry.entry_id)[0])) as log, log:
        log.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert sensor(hass, entry, "daily_count").state == "1"
