"""Units that are not as the simulated one: what real ones may do, and what networks do to them.

The unit is a few bytes on a socket (raw_unit.py), whose messages a test chooses one by one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.issues import PUSH_SILENT
from custom_components.lrs_pager.sync import history, push, state
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.transmitter import coap
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
from tests.conftest import OUR_LOGGERS, SetUp, local_time, poll, sensor, settle
from tests.raw_unit import CON, HISTORY, NON, NOTIFY, SESSIONS, SETTINGS, RawUnit
from tests.sessions import everything
from tests.test_push import Told, entity, is_about_to_read, until

# ------------------------------------------------------------------------------- helpers


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what takes seconds take a part of one."""
    monkeypatch.setattr(coordinator, "INTERVALS", Intervals(read_delay=0.1, proof_age=0))
    monkeypatch.setattr(push, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(push, "MAX_DELAY", 0.2)


@pytest.fixture
async def unit() -> AsyncIterator[RawUnit]:
    async with RawUnit(local_time) as unit:
        yield unit


@pytest.fixture
async def unit_without_push(unit: RawUnit) -> RawUnit:
    """A unit of which all is found by polls."""
    unit.errors[NOTIFY] = "4.04"
    return unit


async def proved(hass: HomeAssistant, entry: MockConfigEntry, unit: RawUnit) -> None:
    """Wait until changes are told, and nothing is under way any more."""
    await until(lambda: entry.runtime_data.follower.push.state is push.PushState.ACCEPTED)
    unit.ping()
    await until(lambda: entry.runtime_data.follower.push.is_proved)
    await in_step(hass, entry, unit)
    unit.requests.clear()


async def in_step(hass: HomeAssistant, entry: MockConfigEntry, unit: RawUnit) -> None:
    """Wait until all that happened is known."""
    known, push = entry.runtime_data.follower.poller.state, entry.runtime_data.follower.push
    # It may be registered anew just now, as a change was missed.
    await asyncio.sleep(0.02)
    await until(lambda: not push.is_live or push._observation.began is not None)
    await until(lambda: known.token == unit.sequence and not is_about_to_read(entry))
    await settle(hass)


def active(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    return sensor(hass, entry, "active_sessions").state


def steps(told: Told) -> list[tuple[int, str]]:
    """What the event entity told: pagers and steps."""
    return [(event["number"], event["event_type"]) for event in told.attributes]


def steps_of(told: Told, number: int) -> list[str]:
    return [step for pager, step in steps(told) if pager == number]


def has_issue(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Whether the user is told that changes are not pushed."""
    return bool(ir.async_get(hass).async_get_issue(DOMAIN, f"{PUSH_SILENT}_{entry.entry_id}"))


async def make_issue(hass: HomeAssistant, entry: MockConfigEntry, unit: RawUnit) -> None:
    """Have so much happen, and not be told, that the user is told of that."""
    for number in range(901, 904):
        unit.start(number)
        await poll(hass, entry)
        # A change that is missed while we register anew counts for nothing.
        await in_step(hass, entry, unit)
    assert has_issue(hass, entry)


async def automate(
    hass: HomeAssistant, trigger: str, action_data: str = '"{{ trigger.number }}"'
) -> list[Event[dict[str, Any]]]:
    """Set up an automation; the list is what its action was told."""
    told = async_capture_events(hass, "told")
    config = f"""
        automation:
          mode: parallel
          triggers: [{{{trigger}}}]
          actions:
            - event: told
              event_data:
                number: {action_data}
    """
    assert await async_setup_component(hass, "automation", parse_yaml(config))
    await hass.async_block_till_done()
    return told


MOMENTS = pytest.mark.parametrize(
    "trigger",
    [
        "trigger: lrs_pager.guest_became_late, target: {entity_id: event.t7470_session}",
        (
            "trigger: lrs_pager.pager_out_too_long, target: {entity_id: event.t7470_session}, "
            "options: {for: '00:08:00', since: started}"
        ),
    ],
    ids=["guest_became_late", "pager_out_too_long"],
)


# ---------------------------------------------------------------------- what gets lost


@MOMENTS
async def test_a_change_that_is_told_in_place_of_the_first_answer_ends_no_other_session(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, trigger: str
) -> None:
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    unit.errors[NOTIFY] = "5.03"
    entry = await set_up(unit)
    told = await automate(hass, trigger)
    for number in range(1, 6):
        unit.start(number, ago=600, goal=60)
    await poll(hass, entry)
    await until(lambda: len(told) == 5)

    unit.instead_of_registration = lambda: unit.tell(unit.start(77))
    unit.errors.clear()
    await until(lambda: active(hass, entry) == "6")
    await proved(hass, entry, unit)
    shown = [
        event.data["new_state"].state
        for event in changes
        if event.data["entity_id"] == entity(hass, entry, "sensor", "active_sessions")
    ]
    assert set(shown) == {"0", "5", "6"}
    assert sorted(event.data["number"] for event in told) == [1, 2, 3, 4, 5]


@MOMENTS
async def test_a_guest_whom_one_list_leaves_out_is_not_late_for_a_second_time(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, trigger: str
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    told = await automate(hass, trigger)
    session = unit.start(7, ago=600, goal=60)
    await poll(hass, entry)
    await until(lambda: told)

    unit.unlisted.add(session["id"])
    await poll(hass, entry)
    assert active(hass, entry) == "0"
    unit.unlisted.clear()
    await poll(hass, entry)
    assert active(hass, entry) == "1"
    unit.start(8, ago=600, goal=60)
    await poll(hass, entry)
    await until(lambda: len(told) > 1)
    assert [event.data["number"] for event in told] == [7, 8]


async def test_a_loss_does_not_hide_behind_a_message_of_several_sessions(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    guests = [unit.start(number) for number in (1, 2, 3)]
    unit.tell(*guests)
    await until(lambda: active(hass, entry) == "3")
    await in_step(hass, entry, unit)
    told = Told(hass, entry)

    lost = unit.start(9)
    unit.end(lost)
    unit.page(*guests)
    unit.tell(*guests)  # three changes, as many as it has sessions
    await until(lambda: sensor(hass, entry, "daily_count").state == "1")
    # On Home Assistant 2026.3, events are told a millisecond apart.
    await until(lambda: len(steps_of(told, 9)) == 2)
    await settle(hass)
    assert steps_of(told, 9) == ["started", "cleared"]
    assert [steps_of(told, number) for number in (1, 2, 3)] == [["paged"]] * 3


@pytest.mark.parametrize("way", ["CON", "NON", "without statistics", "twice", "reordered"])
async def test_each_step_is_told_once_however_its_message_arrives(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, way: str
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    told = Told(hass, entry)
    messages = []

    def message() -> None:
        messages.append(unit.message(*guests, has_statistics=way != "without statistics"))

    guests = [unit.start(number) for number in (1, 2)]
    message()
    unit.page(*guests)
    message()
    unit.end(*guests, how="REMOVED")
    message()
    if way == "reordered":
        messages = [messages[number] for number in (1, 0, 2)]
    for payload in messages:
        for _ in range(2 if way == "twice" else 1):
            unit.notify(payload, kind=NON if way == "NON" else CON)
    await until(lambda: sum(step == "removed" for _, step in steps(told)) == 2)
    await in_step(hass, entry, unit)
    assert [steps_of(told, number) for number in (1, 2)] == [["started", "paged", "removed"]] * 2
    assert active(hass, entry) == "0"
    assert sensor(hass, entry, "daily_count").state == "2"


@pytest.mark.logs("The history can't be read: answered 5.00")
async def test_what_happened_is_told_at_once_though_the_history_can_not_be_read(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp
) -> None:
    unit = unit_without_push
    entry = await set_up(unit)
    await settle(hass)
    told = Told(hass, entry)
    event = entity(hass, entry, "event", "session")
    heard = await automate(
        hass,
        f"trigger: state, entity_id: {event}, not_from: unavailable, not_to: unavailable",
        '"{{ trigger.to_state.attributes.number }}"',
    )
    unit.start(5)
    unit.start(6)
    unit.errors[HISTORY] = "5.00"
    await poll(hass, entry)
    await until(lambda: len(heard) >= 2)
    assert active(hass, entry) == "2"
    assert sensor(hass, entry, "daily_count").state == "0"

    del unit.errors[HISTORY]
    await poll(hass, entry)
    assert steps(told) == [(5, "started"), (6, "started")]
    assert [event.data["number"] for event in heard] == [5, 6]


async def test_a_session_that_a_unit_took_off_its_list_by_mistake_comes_back(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the unit says that the list did not change."""
    monkeypatch.setattr(state, "ETAG_TICK", 0)
    unit.etag = b"always"
    first = unit.start(7)
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    await poll(hass, entry)
    assert entry.runtime_data.follower.poller.state.etag(hass.loop.time()) == b"always"

    # A pager has one session at a time, or so we think.
    second = unit.start(7)
    unit.sequence -= 1
    unit.tell(second)
    await until(lambda: len(entry.runtime_data.follower.tracker.tracked) == 2)
    await poll(hass, entry)
    assert active(hass, entry) == "2"
    assert first in unit.active


async def test_counts_of_the_day_are_not_begun_anew_when_our_clock_is_set_by_seconds(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RawUnit(lambda: local_time() + timedelta(hours=3)) as unit:
        unit.errors[NOTIFY] = "4.04"
        for number in range(1, 6):
            unit.end(unit.start(number, ago=300))
        entry = await set_up(unit)
        before = sensor(hass, entry, "daily_count")
        assert before.state == "5"
        shown = async_capture_events(hass, EVENT_STATE_CHANGED)
        clocks = entry.runtime_data.follower.clocks
        monkeypatch.setattr(clocks, "_wall", lambda: dt_util.utcnow().timestamp() + 2)
        for _ in range(2):
            await poll(hass, entry)
            await settle(hass)
        states = [event.data["new_state"] for event in shown]
        counts = [state for state in states if state.entity_id == before.entity_id]
        assert {state.state for state in counts} <= {"5"}
        unit.end(unit.start(6, ago=300))
        await poll(hass, entry)
        await settle(hass)
        after = sensor(hass, entry, "daily_count")
        assert after.state == "6"
        assert after.attributes["last_reset"] == before.attributes["last_reset"]
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        again = sensor(hass, entry, "daily_count")
        assert (again.state, again.attributes["last_reset"]) == (
            "6",
            after.attributes["last_reset"],
        )


# ------------------------------------------------------------- whether changes are pushed


async def test_the_repair_for_silent_push_is_gone_once_push_works_again(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    await make_issue(hass, entry, unit)
    unit.end_observation()
    await until(lambda: entry.runtime_data.follower.push.state is push.PushState.LOST)
    await proved(hass, entry, unit)
    assert has_issue(hass, entry)
    unit.tell(unit.start(1))
    await until(lambda: not has_issue(hass, entry))


async def test_the_repair_for_silent_push_is_gone_once_push_works_after_a_reload(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    await make_issue(hass, entry, unit)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await proved(hass, entry, unit)
    assert has_issue(hass, entry)
    unit.tell(unit.start(1))
    await until(lambda: not has_issue(hass, entry))


def _in_blocks(unit: RawUnit) -> None:
    unit.start(len(unit.active) + 1)
    unit.notify(b'{"responseTypes":["sessions"],"sessions":[{"id":'.ljust(64), is_cut=True)


def _of_settings(unit: RawUnit) -> None:
    unit.sequence += 1
    unit.tell_settings()


def _untold(unit: RawUnit) -> None:
    unit.sequence += 1


@pytest.mark.parametrize("happen", [_in_blocks, _of_settings, _untold])
async def test_a_unit_that_tells_changes_in_its_own_way_is_not_called_silent(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, happen: Callable[[RawUnit], None]
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    for _ in range(5):
        acknowledged = unit.acknowledged
        happen(unit)
        if happen is not _untold:
            await until(lambda: unit.acknowledged > acknowledged)  # noqa: B023
        await poll(hass, entry)
        await in_step(hass, entry, unit)
        assert not has_issue(hass, entry)
    assert active(hass, entry) == str(len(unit.active))


async def test_push_goes_on_after_a_socket_could_not_be_opened(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    create = coap._open_context
    failed: list[str] = []

    async def fail_once(transport: str) -> Any:
        if not failed:
            failed.append(transport)
            raise OSError(24, "Too many open files")
        return await create(transport)

    monkeypatch.setattr(coap, "_open_context", fail_once)
    unit.end_observation()
    await until(lambda: failed)
    await proved(hass, entry, unit)
    unit.tell(unit.start(7))
    await until(lambda: active(hass, entry) == "1")


async def test_pings_that_count_nothing_do_not_make_polls_rare(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    unit.pings_count = False
    entry = await set_up(unit)
    await until(lambda: entry.runtime_data.follower.push.state is push.PushState.ACCEPTED)
    await in_step(hass, entry, unit)
    unit.start(7)  # which is lost
    for number in range(1, 4):
        unit.ping()
        await until(lambda: unit.acknowledged == number)  # noqa: B023
    await settle(hass)
    assert entry.runtime_data.update_interval == timedelta(seconds=30)
    assert active(hass, entry) == "0"
    await poll(hass, entry)
    assert active(hass, entry) == "1"
    assert entry.runtime_data.update_interval == timedelta(seconds=30)


# ------------------------------------------------------------------------ how sessions end


async def test_a_session_that_has_a_clear_type_while_it_is_active_is_not_over(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    told = Told(hass, entry)
    session = unit.start(7, clearType="NONE")
    unit.tell(session)
    await until(lambda: len(told.steps) == 1)
    unit.page(session)
    unit.tell(session)
    await until(lambda: len(told.steps) == 2)
    await poll(hass, entry)
    assert told.names == ["started", "paged"]
    assert active(hass, entry) == "1"

    unit.end(session, how="REMOVED")
    unit.tell(session)
    await until(lambda: len(told.steps) == 3)
    await poll(hass, entry)
    assert told.names == ["started", "paged", "removed"]
    assert active(hass, entry) == "0"
    [logged] = await everything(entry.runtime_data.log)
    assert logged.clear_type == "REMOVED"


async def test_an_end_is_told_soon_also_where_the_history_lags(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    told = Told(hass, entry)
    session = unit.start(7)
    unit.tell(session)
    unit.history_lag = 3
    unit.end(session, how="REMOVED")
    unit.tell(session)
    await until(lambda: told.names == ["started", "removed"])
    assert active(hass, entry) == "0"


# --------------------------------------------------------------- where push is not offered


@pytest.mark.parametrize("fault", ["5.03", "time-out"])
async def test_one_bad_answer_does_not_take_the_live_entities_away(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp, short_timeouts: None, fault: str
) -> None:
    unit = unit_without_push
    entry = await set_up(unit)
    await settle(hass)
    unit.start(7)
    if fault == "5.03":
        unit.errors[SESSIONS] = fault
    else:
        unit.silent.add(SESSIONS)
    await poll(hass, entry)
    unit.errors.pop(SESSIONS, None)
    unit.silent.clear()
    await poll(hass, entry)
    assert active(hass, entry) == "1"


async def test_a_first_question_that_is_lost_is_asked_again_at_the_next_poll(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp, short_timeouts: None
) -> None:
    unit = unit_without_push
    unit.start(7)
    unit.silent.add(SESSIONS)
    entry = await set_up(unit)
    unit.silent.clear()
    await poll(hass, entry)
    assert active(hass, entry) == "1"


@pytest.mark.parametrize(("code", "polls"), [("5.03", 3), ("4.04", 1)])
async def test_live_entities_are_unavailable_once_the_unit_shows_that_it_has_no_list(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp, code: str, polls: int
) -> None:
    unit = unit_without_push
    entry = await set_up(unit)
    await settle(hass)
    unit.errors[SESSIONS] = code
    for _ in range(polls):
        assert active(hass, entry) == "0"
        await poll(hass, entry)
    assert active(hass, entry) == STATE_UNAVAILABLE
    assert sensor(hass, entry, "daily_count").state == "0"


async def test_polls_do_not_wait_for_settings_that_never_get_an_answer(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp, short_timeouts: None
) -> None:
    unit = unit_without_push
    unit.silent.add(SETTINGS)
    entry = await set_up(unit)
    for _ in range(2):
        await poll(hass, entry)
    unit.requests.clear()
    await poll(hass, entry)
    assert ("GET", SETTINGS) not in unit.requests
    assert active(hass, entry) == "0"


# ----------------------------------------------------------------------------- commands


async def test_after_an_action_that_tells_nothing_all_is_right_before_a_long_history_is_read(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp
) -> None:
    unit.start(7)
    entry = await set_up(unit)
    await proved(hass, entry, unit)
    told = Told(hass, entry)
    answer = await act(hass, "page_session", number=7)
    assert answer["session"]["state"] == "paged"
    assert sensor(hass, entry, "paged_sessions").state == "1"
    await in_step(hass, entry, unit)

    unit.silent.add(HISTORY)
    async with asyncio.timeout(8):  # less than it takes to give up on the history
        await act(hass, "clear_session", number=7)
    assert active(hass, entry) == "0"
    unit.silent.clear()
    await until(lambda: told.names == ["paged", "cleared"])


@pytest.mark.parametrize("answer", [b"", b'{"responseTypes":["sessions"],"sessions":[]}'])
async def test_after_all_sessions_were_cleared_none_is_shown_whatever_the_answer(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, answer: bytes
) -> None:
    unit.start(7)
    unit.start(8)
    unit.answer_to_commands = answer
    entry = await set_up(unit)
    button = entity(hass, entry, "button", "clear_all_sessions")
    er.async_get(hass).async_update_entity(button, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await proved(hass, entry, unit)
    assert active(hass, entry) == "2"
    await hass.services.async_call("button", "press", {"entity_id": button}, blocking=True)
    assert active(hass, entry) == "0"
    assert sensor(hass, entry, "daily_count").state == "2"


async def test_a_guests_name_is_in_none_of_our_log_lines(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in (*OUR_LOGGERS, "lrs_pager.coap"):
        caplog.set_level(logging.DEBUG, logger)
    entry = await set_up(unit, show_names_in_states=True)
    await proved(hass, entry, unit)
    event = entity(hass, entry, "event", "session")
    heard = await automate(
        hass,
        f"trigger: state, entity_id: {event}",
        '"{{ trigger.to_state.attributes.label }}"',
    )
    await act(hass, "start_session", number=7, label="Ortega")
    await until(lambda: heard)
    assert heard[0].data["number"] == "Ortega"
    unit.errors[SESSIONS] = "5.00"
    with pytest.raises(HomeAssistantError):
        await act(hass, "start_session", number=8, label="Ortega")
    unit.errors.clear()
    session = unit.active[0]
    unit.end(session)
    unit.tell(session)
    await until(lambda: sensor(hass, entry, "daily_count").state == "1")
    lines = [
        record.getMessage() for record in caplog.records if record.name.startswith(OUR_LOGGERS)
    ]
    assert lines
    assert not [line for line in lines if "Ortega" in line]


async def act(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Call an action, and return its response."""
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


@pytest.mark.logs("120 times or sessions of the history can't be read")
async def test_a_long_history_in_which_nothing_can_be_read_is_read_and_counted(
    hass: HomeAssistant, unit_without_push: RawUnit, set_up: SetUp
) -> None:
    unit = unit_without_push
    unit.end(unit.start(1, ago=300))
    entry = await set_up(unit)
    await hass.config_entries.async_unload(entry.entry_id)
    # Its firmware was updated meanwhile, and has other names for the fields.
    unit.history = [{"sid": number} for number in range(120)]
    unit.requests.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    # Once to see whose it is, and once to read it.
    assert unit.requests.count(("GET", HISTORY)) <= 4
    assert entry.runtime_data.follower.poller.history.unreadable == 120


@pytest.mark.logs("1 times or sessions of the history can't be read")
async def test_what_can_not_be_read_is_counted_once_though_the_history_is_begun_again(
    hass: HomeAssistant,
    unit_without_push: RawUnit,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "SLICE", -1)  # one chunk at a time
    unit = unit_without_push
    for _ in range(210):
        unit.end(unit.start(1, ago=900))
    unit.history, unit._late = unit._late, []
    unit.history[3] = {"id": 1}
    entry = await set_up(unit)
    reader = entry.runtime_data.follower.poller.history
    assert reader.is_under_way
    # The session is gone after which the read was to go on.
    del unit.history[60:140]
    unit.history.insert(0, unit.history.pop(5))
    while reader.is_under_way:
        await poll(hass, entry)
    assert reader.unreadable == 1
