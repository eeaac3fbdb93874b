"""The buttons and the number: what arrives at the transmitter, and what is shown right after."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.lrs_pager.const import DOMAIN
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest
from tests.simulator import Simulator
from tests.test_services import (
    answer_commands,
    counts,
    leave_commands_unanswered,
    listening,
    reject_commands,
    sent,
    until,
)

SESSIONS = ("v1", "sessions")
STATISTICS = ("v1", "sessions", "statistics")
SETTINGS = ("v1", "settings")

pushed_and_polled = pytest.mark.parametrize(
    "way", ["pushed", pytest.param("polled", marks=pytest.mark.polled)]
)
BUTTONS = ("clear_all_sessions", "clear_statistics", "set_clock")
controls = pytest.mark.parametrize("key", [*BUTTONS, "default_goal"])


def entity_id(hass: HomeAssistant, entry: MockConfigEntry, domain: str, key: str) -> str:
    """The entity, by its translation key."""
    found = er.async_get(hass).async_get_entity_id(domain, DOMAIN, f"{entry.entry_id}_{key}")
    assert found, f"there is no {key}"
    return found


async def enable(hass: HomeAssistant, entry: MockConfigEntry, domain: str, *keys: str) -> None:
    """Enable entities that are disabled at first."""
    for key in keys:
        er.async_get(hass).async_update_entity(
            entity_id(hass, entry, domain, key), disabled_by=None
        )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await until(lambda: entry.runtime_data.follower.push.state != "connecting")


async def press(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id(hass, entry, "button", key)}, blocking=True
    )


async def set_goal(hass: HomeAssistant, entry: MockConfigEntry, value: Any) -> None:
    """Set the number."""
    goal = entity_id(hass, entry, "number", "default_goal")
    await hass.services.async_call(
        "number", "set_value", {"entity_id": goal, "value": value}, blocking=True
    )


def goal(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """What the number says."""
    state = hass.states.get(entity_id(hass, entry, "number", "default_goal"))
    assert state
    return state.state


# -------------------------------------------------------------------------------- buttons


async def test_what_can_not_be_undone_is_not_there_for_everyone_to_press(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    registry = er.async_get(hass)
    disabled = {
        key: registry.async_get(entity_id(hass, entry, "button", key)).disabled  # type: ignore[union-attr]
        for key in BUTTONS
    }
    assert disabled == {"clear_all_sessions": True, "clear_statistics": True, "set_clock": False}


async def test_the_clock_is_right_however_long_it_takes_to_see_who_answers(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    follower = entry.runtime_data.follower
    follower.doubt()
    identify = follower.poller.history.identify

    async def take_long(take: Any) -> None:
        await identify(take)
        freezer.tick(20)

    monkeypatch.setattr(follower.poller.history, "identify", take_long)
    simulator.unit.skew = timedelta(hours=1)
    await press(hass, entry, "set_clock")
    assert abs(simulator.unit.time() - local_time()) <= timedelta(seconds=1)


@pushed_and_polled
async def test_setting_the_clock_leaves_all_who_are_there_on_the_list(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    for number in (7, 8):
        simulator.unit.create(number)
    entry = await set_up()
    await listening(entry, way)
    simulator.unit.skew = timedelta(minutes=4)
    shown = async_capture_events(hass, EVENT_STATE_CHANGED)
    await press(hass, entry, "set_clock")
    assert counts(hass, entry)["active"] == "2"
    active = entity_id(hass, entry, "sensor", "active_sessions")
    assert active not in {event.data["entity_id"] for event in shown}


@pushed_and_polled
async def test_all_sessions_are_cleared_and_off_the_list_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    for number in (7, 8, 9):
        simulator.unit.create(number)
    entry = await set_up()
    await enable(hass, entry, "button", "clear_all_sessions")
    await listening(entry, way)
    assert counts(hass, entry)["active"] == "3"
    await press(hass, entry, "clear_all_sessions")
    assert counts(hass, entry) == {"active": "0", "waiting": "0", "paged": "0", "daily": "3"}
    assert sent(simulator) == [("DELETE", SESSIONS, (), b"")]
    assert len(simulator.unit.history) == 3


@pushed_and_polled
async def test_the_transmitters_statistics_begin_anew_and_sessions_stay(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    serve_guest(simulator.unit, 5)
    simulator.unit.create(7)
    entry = await set_up()
    await enable(hass, entry, "button", "clear_statistics")
    await enable(hass, entry, "sensor", "unit_sessions_created", "unit_guests_served")
    await listening(entry, way)
    assert sensor(hass, entry, "unit_sessions_created").state == "2"
    await press(hass, entry, "clear_statistics")
    assert sensor(hass, entry, "unit_sessions_created").state == "0"
    assert sensor(hass, entry, "unit_guests_served").state == "0"
    assert sent(simulator) == [("DELETE", STATISTICS, (), b"")]
    # Ours are from the log, which no button touches.
    assert counts(hass, entry) == {"active": "1", "waiting": "1", "paged": "0", "daily": "1"}
    assert len(simulator.unit.history) == 1


@pytest.mark.parametrize(
    ("now", "zone", "shown"),
    [
        (datetime(2026, 11, 23, 20, tzinfo=UTC), "US/Pacific", "2026-11-23T12:00:00"),
        (datetime(2026, 7, 1, 20, tzinfo=UTC), "US/Pacific", "2026-07-01T13:00:00"),
        # The hour that comes twice, both times.
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin", "2026-10-25T02:30:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin", "2026-10-25T02:30:00"),
        # Around the hour that doesn't come.
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", "2026-03-29T03:00:00"),
        (datetime(2026, 12, 31, 18, 45, tzinfo=UTC), "Asia/Kathmandu", "2027-01-01T00:30:00"),
        # To the nearest second.
        (datetime(2026, 11, 23, 20, 0, 0, 700_000, UTC), "UTC", "2026-11-23T20:00:01"),
        (datetime(2026, 11, 23, 20, 0, 0, 300_000, UTC), "UTC", "2026-11-23T20:00:00"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
async def test_the_clock_is_set_to_what_clocks_on_the_wall_show(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    now: datetime,
    zone: str,
    shown: str,
) -> None:
    await hass.config.async_set_time_zone(zone)
    freezer.move_to(now)
    simulator.unit.skew = timedelta(days=-3053, hours=3)
    entry = await set_up()
    await press(hass, entry, "set_clock")
    assert sent(simulator) == [("POST", SETTINGS, (), b'{"datetime":"%s"}' % shown.encode())]
    assert simulator.unit.time() == datetime.fromisoformat(shown)


@pushed_and_polled
@pytest.mark.parametrize("payload", [None, b""], ids=["answer", "no payload"])
async def test_the_clocks_offset_and_its_issue_are_gone_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    payload: bytes | None,
    way: str,
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await listening(entry, way)
    if payload is not None:
        answer_commands(simulator, monkeypatch, payload)
    assert float(sensor(hass, entry, "clock_offset").state) == pytest.approx(3600, abs=1)
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"clock_off_{entry.entry_id}")
    await press(hass, entry, "set_clock")
    assert abs(float(sensor(hass, entry, "clock_offset").state)) <= 1
    assert not ir.async_get(hass).async_get_issue(DOMAIN, f"clock_off_{entry.entry_id}")


@pytest.mark.usefixtures("all_enabled")
async def test_waits_stay_as_they_are_when_the_clock_is_set(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.skew = timedelta(days=-3053)
    serve_guest(simulator.unit, 4, wait=240)
    simulator.unit.create(7)
    entry = await set_up()
    since = sensor(hass, entry, "longest_current_wait").state
    ended = sensor(hass, entry, "last_cleared_session").state
    await press(hass, entry, "set_clock")
    await poll(hass, entry)
    assert sensor(hass, entry, "longest_current_wait").state == since
    assert sensor(hass, entry, "last_cleared_session").state == ended
    assert sensor(hass, entry, "average_wait").state == "4.0"


async def test_a_clock_that_does_not_take_what_it_is_set_to_is_told(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    monkeypatch.setattr(simulator.unit, "set_clock", lambda shown: None)
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass, entry, "set_clock")
    assert caught.value.translation_key == "clock_not_set"
    assert float(sensor(hass, entry, "clock_offset").state) == pytest.approx(3600, abs=1)


# --------------------------------------------------------------------------------- number


async def test_the_default_goal_is_what_the_transmitter_says(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.default_target_goal = 420
    entry = await set_up()
    state = hass.states.get(entity_id(hass, entry, "number", "default_goal"))
    assert state
    assert state.state == "420"
    assert {key: state.attributes[key] for key in ("min", "max", "step", "mode")} == {
        "min": 1,
        "max": 86400,
        "step": 1,
        "mode": "box",
    }
    assert (state.attributes["device_class"], state.attributes["unit_of_measurement"]) == (
        "duration",
        "s",
    )


@pushed_and_polled
@pytest.mark.parametrize("payload", [None, b"", b"<html>"], ids=["answer", "none", "unreadable"])
async def test_a_new_default_goal_is_shown_at_once_and_used_from_then_on(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    payload: bytes | None,
    way: str,
) -> None:
    entry = await set_up()
    await listening(entry, way)
    with monkeypatch.context() as patch:
        if payload is not None:
            answer_commands(simulator, patch, payload)
        await set_goal(hass, entry, 600)
    assert goal(hass, entry) == "600"
    assert sent(simulator) == [("POST", SETTINGS, (), b'{"defaultTargetGoal":600}')]
    told = await hass.services.async_call(
        DOMAIN, "start_session", {"number": 7}, blocking=True, return_response=True
    )
    assert told
    assert told["session"]["goal_seconds"] == 600  # type: ignore[index,call-overload]


async def test_whole_seconds_are_sent(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await set_goal(hass, entry, 90.4)
    [(*_, payload)] = sent(simulator)
    assert json.loads(payload) == {"defaultTargetGoal": 90}


@pytest.mark.parametrize("value", [0, -1, 86401])
async def test_a_default_goal_that_makes_no_sense_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, value: float
) -> None:
    entry = await set_up()
    with pytest.raises(ServiceValidationError):
        await set_goal(hass, entry, value)
    assert sent(simulator) == []


async def test_a_default_goal_that_is_set_at_the_transmitter_is_shown(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await listening(entry)
    simulator.unit.set_settings(default_target_goal=720)
    await until(lambda: goal(hass, entry) == "720")


async def test_a_transmitter_that_does_not_tell_its_default_goal_may_still_have_one(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.canned[SETTINGS] = b'{"responseTypes":["settings"],"settings":{"systemId":3}}'
    entry = await set_up()
    assert goal(hass, entry) == STATE_UNKNOWN


async def test_firmware_without_settings_has_no_default_goal(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.history_only = True
    entry = await set_up()
    assert goal(hass, entry) == STATE_UNAVAILABLE


def asked_for_settings(simulator: Simulator) -> int:
    """How often the settings were requested."""
    return sum(request.path == SETTINGS for request in simulator.requests)


@pytest.mark.polled
async def test_settings_that_could_not_be_read_are_requested_again_with_the_next_poll(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.set_settings(default_target_goal=720)
    simulator.faults.errors[SETTINGS] = "5.03"
    entry = await set_up()
    for _ in range(5):
        await poll(hass, entry)
    assert goal(hass, entry) == STATE_UNAVAILABLE
    simulator.faults.errors.clear()
    await poll(hass, entry)
    assert goal(hass, entry) == "720"
    requested = asked_for_settings(simulator)
    await poll(hass, entry)
    assert asked_for_settings(simulator) == requested


@pytest.mark.polled
@pytest.mark.parametrize("code", ["4.04", "4.05"])
async def test_settings_that_the_firmware_does_not_have_are_requested_once_an_hour(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    code: str,
) -> None:
    simulator.faults.errors[SETTINGS] = code
    entry = await set_up()
    await poll(hass, entry)
    assert asked_for_settings(simulator) == 1
    simulator.faults.errors.clear()
    freezer.tick(3601)
    await poll(hass, entry)
    assert goal(hass, entry) == str(simulator.unit.default_target_goal)


# ----------------------------------------------------------------------- what is not well


async def do(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> None:
    """Press that button, or set the number."""
    if key in BUTTONS:
        await press(hass, entry, key)
    else:
        await set_goal(hass, entry, 600)


@pytest.mark.polled
@pytest.mark.usefixtures("short_timeouts")
@controls
async def test_what_was_not_answered_may_have_been_done_and_is_looked_up(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    simulator.unit.create(7)
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await enable(hass, entry, "button", *BUTTONS[:2])
    await enable(hass, entry, "sensor", "unit_sessions_created")
    leave_commands_unanswered(simulator, monkeypatch)
    with pytest.raises(HomeAssistantError) as caught:
        await do(hass, entry, key)
    assert caught.value.translation_key == "maybe_done"
    done: dict[str, Callable[[], bool]] = {
        "clear_all_sessions": lambda: counts(hass, entry)["active"] == "0",
        "clear_statistics": lambda: sensor(hass, entry, "unit_sessions_created").state == "0",
        "set_clock": lambda: abs(float(sensor(hass, entry, "clock_offset").state)) <= 1,
        "default_goal": lambda: goal(hass, entry) == "600",
    }
    await until(done[key])
    assert len(sent(simulator)) == 1


@controls
async def test_a_refusal_of_the_transmitters_is_passed_on_with_its_code(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    entry = await set_up()
    await enable(hass, entry, "button", *BUTTONS[:2])
    reject_commands(simulator, monkeypatch)
    with pytest.raises(HomeAssistantError) as caught:
        await do(hass, entry, key)
    assert caught.value.translation_key == "rejected"
    assert caught.value.translation_placeholders == {"code": "5.00"}


@pytest.mark.logs("Nothing listens")
@pytest.mark.polled
async def test_an_unplugged_transmitter_has_nothing_to_press(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await enable(hass, entry, "button", *BUTTONS[:2])
    await simulator.stop()
    await poll(hass, entry)
    for key in BUTTONS:
        state = hass.states.get(entity_id(hass, entry, "button", key))
        assert state
        assert state.state == STATE_UNAVAILABLE
    assert goal(hass, entry) == STATE_UNAVAILABLE
    await simulator.start()
    for key in (*BUTTONS, "default_goal"):
        await do(hass, entry, key)
    assert sent(simulator) == []
