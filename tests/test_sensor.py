"""What the sensors say, through midnights, changes of clocks and restarts."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
import re
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.lrs_pager.sessions.log import SessionLog
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest, settle
from tests.simulator import HISTORY_EXAMPLE, Simulator

HISTORY = ("v1", "sessions", "history")
UTC_START = datetime(2026, 11, 23, 20, tzinfo=UTC)  # noon in the harness's zone, US/Pacific


async def enable_all(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Enable the sensors that are disabled at first."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.disabled_by:
            registry.async_update_entity(entity.entity_id, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


async def until(hass: HomeAssistant, freezer: FrozenDateTimeFactory, at: datetime) -> None:
    """Let it be that time, and whatever is due happen."""
    freezer.move_to(at)
    async_fire_time_changed(hass, at)
    await settle(hass)


def age(state: str) -> float:
    """Seconds since a timestamp sensor's instant."""
    return (dt_util.utcnow() - datetime.fromisoformat(state)).total_seconds()


# ------------------------------------------------------------------------------- figures


async def test_the_vendors_example_is_two_sessions_with_a_wait_of_five_minutes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    # The unit's clock stands at the time of the example, in 2018.
    simulator.unit.frozen_at = datetime(2018, 3, 15, 11, 45, 29)
    simulator.canned[HISTORY] = HISTORY_EXAMPLE
    entry = await set_up()
    assert sensor(hass, entry, "daily_count").state == "2"
    wait = sensor(hass, entry, "average_wait")
    assert (wait.state, wait.attributes["unit_of_measurement"]) == ("5.0", "min")
    last = sensor(hass, entry, "last_cleared_session")
    assert 5 <= age(last.state) <= 10
    assert last.attributes["number"] == 10
    assert last.attributes["clear_type"] == "REMOVED"
    assert last.attributes["wait_seconds"] == 300
    # It does not wander with each poll.
    for _ in range(3):
        await entry.runtime_data.async_read_all()
        await hass.async_block_till_done()
    assert sensor(hass, entry, "last_cleared_session").state == last.state
    assert sensor(hass, entry, "daily_count").state == "2"


async def test_before_the_first_guest_there_is_nothing_to_average(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    await enable_all(hass, entry)
    for key, state in {
        "last_cleared_session": STATE_UNKNOWN,
        "daily_count": "0",
        "average_wait": STATE_UNKNOWN,
        "longest_wait": STATE_UNKNOWN,
        "on_time_rate": STATE_UNKNOWN,
        "average_response": STATE_UNKNOWN,
        "guests_served": "0",
        "removed_today": "0",
        "left_today": "0",
        "did_not_come_today": "0",
        "left_rate": STATE_UNKNOWN,
        "did_not_come_rate": STATE_UNKNOWN,
        "pagers_not_back": "0",
    }.items():
        assert sensor(hass, entry, key).state == state, key


async def test_few_people_want_these_so_they_are_disabled_at_first(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {e.translation_key for e in entities if e.disabled_by} == {
        "average_response",
        "clear_all_sessions",
        "clear_statistics",
        "did_not_come_rate",
        "guests_served",
        "left_rate",
        "longest_current_wait",
        "next_goal",
        "removed_today",
        "unit_average_time_served",
        "unit_guests_served",
        "unit_percent_on_time",
        "unit_sessions_created",
    }


async def test_yesterdays_sessions_count_for_the_last_one_and_not_for_today(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(UTC_START)
    serve_guest(simulator.unit, 4, minutes_ago=13 * 60)
    entry = await set_up()
    assert sensor(hass, entry, "daily_count").state == "0"
    assert sensor(hass, entry, "average_wait").state == STATE_UNKNOWN
    assert age(sensor(hass, entry, "last_cleared_session").state) == 13 * 3600


# -------------------------------------------------------------------------- the day turns


async def test_counts_begin_anew_at_midnight_on_the_minute_without_a_poll(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo("US/Pacific"))
    freezer.move_to(midnight - timedelta(seconds=20))
    serve_guest(simulator.unit)
    entry = await set_up()
    assert sensor(hass, entry, "daily_count").state == "1"
    simulator.requests.clear()
    await until(hass, freezer, midnight)
    count = sensor(hass, entry, "daily_count")
    assert count.state == "0"
    assert count.attributes["last_reset"] == dt_util.as_utc(midnight).isoformat()
    assert sensor(hass, entry, "average_wait").state == STATE_UNKNOWN
    assert simulator.requests == []


async def test_a_business_day_may_end_after_midnight(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    four = datetime(2026, 11, 24, 4, tzinfo=ZoneInfo("US/Pacific"))
    freezer.move_to(four - timedelta(seconds=20))
    serve_guest(simulator.unit, minutes_ago=1)
    serve_guest(simulator.unit, minutes_ago=6 * 60)  # before midnight
    entry = await set_up(day_start=4)
    assert sensor(hass, entry, "daily_count").state == "2"
    await until(hass, freezer, four)
    assert sensor(hass, entry, "daily_count").state == "0"


async def test_the_day_turns_while_the_transmitter_is_unplugged(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo("US/Pacific"))
    freezer.move_to(midnight - timedelta(seconds=10))
    serve_guest(simulator.unit)
    entry = await set_up()
    await simulator.stop()
    await until(hass, freezer, midnight)
    assert sensor(hass, entry, "daily_count").state == "0"


@pytest.mark.logs("Nothing listens")
async def test_midnight_does_not_make_an_unplugged_transmitter_look_well(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo("US/Pacific"))
    freezer.move_to(midnight - timedelta(seconds=10))
    entry = await set_up()
    await simulator.stop()
    await poll(hass, entry)
    await until(hass, freezer, midnight)
    assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 3, 8, 1, 30), datetime(2026, 11, 1, 1, 30)],
    ids=["23 hours", "25 hours"],
)
@pytest.mark.parametrize("follows", [True, False], ids=["follows", "knows no summer time"])
async def test_on_the_days_on_which_clocks_change_every_session_counts_once(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    night: datetime,
    follows: bool,
) -> None:
    pacific = ZoneInfo("US/Pacific")
    start = night.replace(tzinfo=pacific)
    zone = pacific if follows else timezone(start.utcoffset() or timedelta())

    def shows(at: datetime) -> datetime:
        """What the unit's clock shows at an instant."""
        return at.astimezone(zone).replace(tzinfo=None)

    freezer.move_to(start)
    unit = simulator.unit
    unit.now = lambda: shows(dt_util.utcnow())
    entry = await set_up()
    for hour in range(1, 5):  # across the change, by the true clock
        freezer.move_to(start.astimezone(UTC) + timedelta(hours=hour))
        begun = dt_util.utcnow() - timedelta(minutes=20)
        with unit.at(shows(begun)):
            unit.create(hour, goal=900)
        with unit.at(shows(begun + timedelta(minutes=10))):
            unit.page(hour)
        with unit.at(shows(begun + timedelta(minutes=19))):
            unit.clear(hour)
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
        assert sensor(hass, entry, "daily_count").state == str(hour)
        assert sensor(hass, entry, "average_wait").state == "10.0"
        assert age(sensor(hass, entry, "last_cleared_session").state) == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    "skew",
    [
        timedelta(minutes=2),
        timedelta(hours=1),
        timedelta(hours=-1),
        timedelta(days=1),
        timedelta(days=-1),
        timedelta(days=-3053),
        timedelta(days=2922),
    ],
    ids=str,
)
async def test_counts_waits_and_ages_are_right_however_wrong_the_units_clock_is(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    skew: timedelta,
) -> None:
    freezer.move_to(UTC_START)
    simulator.unit.skew = skew
    serve_guest(simulator.unit, 4, minutes_ago=10, wait=240)
    serve_guest(simulator.unit, 5, minutes_ago=5, wait=360)
    entry = await set_up()
    last = sensor(hass, entry, "last_cleared_session").state
    for _ in range(3):
        assert sensor(hass, entry, "daily_count").state == "2"
        assert sensor(hass, entry, "average_wait").state == "5.0"
        assert sensor(hass, entry, "last_cleared_session").state == last
        freezer.tick(30)
        await poll(hass, entry)
    # A clock that agrees within minutes is believed, so that its stamps stand as they are.
    slack = 121 if abs(skew) < timedelta(minutes=5) else 1
    assert age(last) - 90 == pytest.approx(300, abs=slack)


async def test_the_day_is_the_units_own(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    # Noon for us; a minute to midnight for the unit.
    freezer.move_to(UTC_START)
    simulator.unit.skew = timedelta(hours=11, minutes=59)
    serve_guest(simulator.unit)
    entry = await set_up()
    assert sensor(hass, entry, "daily_count").state == "1"
    await until(hass, freezer, UTC_START + timedelta(seconds=61))
    assert sensor(hass, entry, "daily_count").state == "0"


async def test_setting_the_units_clock_in_the_middle_of_service_loses_nobody(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(UTC_START)
    simulator.unit.skew = timedelta(days=-3053)
    serve_guest(simulator.unit, minutes_ago=20)
    entry = await set_up()
    expected = 1
    for skew in (timedelta(), timedelta(hours=-1), timedelta(days=1), timedelta(days=-3053)):
        freezer.tick(30)
        serve_guest(simulator.unit, minutes_ago=0.2)  # by the old clock
        simulator.unit.skew = skew
        freezer.tick(5)
        serve_guest(simulator.unit, minutes_ago=0.01)  # by the new one
        freezer.tick(5)
        await poll(hass, entry)
        expected += 2
        assert sensor(hass, entry, "daily_count").state == str(expected)
        assert age(sensor(hass, entry, "last_cleared_session").state) < 30


async def test_a_unit_that_does_not_tell_the_time_is_taken_at_its_word(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.canned["v1", "sessions"] = b'{"responseTypes":["sessions"],"sessions":[]}'
    simulator.canned[HISTORY] = (
        b'{"responseTypes":["session_history"],"session_history":[{"id":1,"created":"%s"}]}'
        % local_time().isoformat("T", "seconds").encode()
    )
    entry = await set_up()
    assert sensor(hass, entry, "daily_count").state == "1"
    assert age(sensor(hass, entry, "last_cleared_session").state) < 10


# Where changes are told, polls ask for nothing, and so not for the time.
@pytest.mark.polled
async def test_a_day_has_one_start_whatever_becomes_of_the_units_clock(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    # Counts are statistics, and another start is a reset: the count would be counted again.
    freezer.move_to(UTC_START)
    simulator.unit.frozen_at = datetime(2018, 3, 15, 11, 45, 29)
    simulator.canned[HISTORY] = HISTORY_EXAMPLE
    entry = await set_up()
    start = sensor(hass, entry, "daily_count").attributes["last_reset"]
    for _ in range(20):
        freezer.tick(30)
        await poll(hass, entry)
        assert sensor(hass, entry, "daily_count").state == "2"
        assert sensor(hass, entry, "daily_count").attributes["last_reset"] == start
    simulator.canned.clear()
    simulator.unit.frozen_at = None
    for skew in (299, 303, 60, -4000, 0):
        simulator.unit.skew = timedelta(seconds=skew)
        freezer.tick(30)
        # Else, while nothing has changed, a poll does not tell the time.
        await entry.runtime_data.async_read_all()
        await hass.async_block_till_done()
        found = sensor(hass, entry, "daily_count").attributes["last_reset"]
        if skew == 299:
            start = found  # a new day, of another year
        assert found == start
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert sensor(hass, entry, "daily_count").attributes["last_reset"] == start


@pytest.mark.polled
async def test_a_day_on_which_the_units_clock_was_reset_is_the_same_after_a_restart(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    # Its power was off twice, and each time its clock began again with the same night of 2000.
    # Then it is put right.
    freezer.move_to(UTC_START)
    unset = datetime(2000, 1, 1)
    simulator.unit.set_clock(unset)
    entry = await set_up()
    for shown in (unset, unset, local_time() + timedelta(hours=2, minutes=20)):
        serve_guest(simulator.unit, minutes_ago=0)
        await poll(hass, entry)
        freezer.tick(timedelta(hours=1))
        simulator.unit.set_clock(shown)
        freezer.tick(timedelta(minutes=10))
        await poll(hass, entry)
        before = {k: sensor(hass, entry, k) for k in ("daily_count", "average_wait")}
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        for key, state in before.items():
            assert sensor(hass, entry, key).state == state.state
            assert sensor(hass, entry, key).attributes == state.attributes
    assert sensor(hass, entry, "daily_count").state == "3"


# ------------------------------------------------------------------------- being private


async def test_a_guests_name_that_is_shown_is_never_recorded_or_logged(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    serve_guest(simulator.unit, label="Ortega")
    entry = await set_up(show_names_in_states=True)
    last = sensor(hass, entry, "last_cleared_session")
    assert last.attributes["label"] == "Ortega"
    entities = hass.data["entity_components"]["sensor"].entities
    (entity,) = [e for e in entities if e.entity_id == last.entity_id]
    assert "label" in entity._Entity__combined_unrecorded_attributes
    # The harness's own debugging of states does not count.
    ours = [r for r in caplog.records if re.match(r"custom_components|lrs_pager|coap", r.name)]
    assert not [r for r in ours if "Ortega" in r.getMessage()]


# ------------------------------------------------------------------------------ restarts


@pytest.mark.usefixtures("midday")
async def test_after_a_restart_with_a_wiped_history_all_is_as_it_was(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, 4, wait=120)
    serve_guest(simulator.unit, 5, wait=240, label="Ortega")
    entry = await set_up()
    before = {k: sensor(hass, entry, k) for k in ("daily_count", "last_cleared_session")}
    simulator.unit.reboot(lose_history=True, restart_sequence=True)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    for key, state in before.items():
        assert sensor(hass, entry, key).state == state.state
        assert sensor(hass, entry, key).attributes == state.attributes
    serve_guest(simulator.unit, 4, wait=240)
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "3"
    assert sensor(hass, entry, "average_wait").state == "3.33333333333333"


async def test_removing_the_entry_removes_its_log_and_no_other(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    folder = Path(hass.config.path(".storage"))
    (folder / f"lrs_pager.{entry.entry_id}").write_bytes(b"of version 0.1")
    # The log of a transmitter that is not loaded now.
    path = folder / "lrs_pager.01ARZ3NDEKTSV4RRFFQ69G5FAV.db"
    other = SessionLog(path)
    await other.open()
    await other.close()
    aside = path.with_suffix(".unreadable.1")
    aside.write_bytes(b"set aside")
    assert len(list(folder.glob("lrs_pager.*"))) > 3
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert sorted(folder.glob("lrs_pager.*")) == [path, aside]


def test_local_time_is_what_the_simulated_unit_shows() -> None:
    assert local_time().tzinfo is None
