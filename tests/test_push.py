"""Live by push: what happens at the transmitter is in Home Assistant at once, whatever happens.

Constants are shortened where a test waits in real time; where it doesn't, the clock is frozen
and moved, for Home Assistant, for CoAP and for the simulated transmitter alike.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
import logging
import threading
import time
from typing import Any

from aiocoap.numbers.codes import Code
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.issues import PUSH_SILENT
from custom_components.lrs_pager.sessions.database import Change as DatabaseChange, Database
from custom_components.lrs_pager.sessions.missed import missed_spans
from custom_components.lrs_pager.sync import push
from custom_components.lrs_pager.transmitter import coap
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from tests.conftest import (
    OUR_LOGGERS,
    QUICK,
    SetUp,
    local_time,
    poll,
    quick_intervals,
    sensor,
    serve_guest,
    settle,
)
from tests.sessions import everything, opened
from tests.simulator import Simulator, Unit
from tests.simulator.replies import RefusedError, Reply
from tests.simulator.unit import Change

pytestmark = pytest.mark.usefixtures("midday")

HISTORY = ("v1", "sessions", "history")
SESSIONS = ("v1", "sessions")
NOTIFY = ("v1", "notify")
SETTINGS = ("v1", "settings")

STEPS = {"created": "started", "paged": "paged", "cleared": "cleared", "removed": "removed"}

LIVE_SENSORS = (
    "active_sessions",
    "waiting_sessions",
    "paged_sessions",
    "guests_waiting",
    "longest_current_wait",
    "next_goal",
)


# ------------------------------------------------------------------------------- helpers


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what takes seconds to minutes take a part of a second."""
    monkeypatch.setattr(coordinator, "INTERVALS", QUICK)
    monkeypatch.setattr(push, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(push, "MAX_DELAY", 0.2)


@pytest.fixture
async def lively(quick: None) -> AsyncIterator[Simulator]:
    """A transmitter that pings so often that the shortened silence is none."""
    async with lively_simulator() as simulator:
        yield simulator


def lively_simulator(seed: int = 1, **options: Any) -> Simulator:
    unit = Unit(now=local_time, seed=seed)
    return Simulator(unit=unit, **{"ping_interval": 0.15, "ack_timeout": 0.2} | options)


async def until(happened: Callable[[], object], patience: int = 4000) -> None:
    """Wait in real time, even if the clock is frozen."""
    for _ in range(patience):
        if happened():
            return
        await asyncio.to_thread(time.sleep, 0.002)
    assert happened()


async def calm(simulator: Simulator) -> None:
    """Wait until nothing is on the wire."""
    quiet, before = 0, None
    while quiet < 15:  # as the log's thread may have to be waited for in between
        await asyncio.to_thread(time.sleep, 0.0003)
        now = tuple(vars(simulator.traffic).values())
        quiet, before = (quiet + 1, before) if now == before else (0, now)


async def go_on(
    freezer: FrozenDateTimeFactory, simulator: Simulator, seconds: float, step: float = 5
) -> None:
    """Let time pass for everybody, and whatever is due happen."""
    while seconds > 0:
        # A bit more, so that what is due then isn't one step late by the rounding of floats.
        freezer.tick(timedelta(seconds=min(step, seconds) + 0.0001))
        seconds -= step
        await calm(simulator)
    # What is due at once is due after this moment, to a clock that stands still.
    freezer.tick(timedelta(milliseconds=1))
    await calm(simulator)


def entity(hass: HomeAssistant, entry: MockConfigEntry, platform: str, key: str) -> str:
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{entry.entry_id}_{key}")
    assert entity_id
    return entity_id


def state(hass: HomeAssistant, entry: MockConfigEntry, platform: str, key: str) -> State:
    found = hass.states.get(entity(hass, entry, platform, key))
    assert found
    return found


def status(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[str, str]:
    """How it stands with push, as the user sees it."""
    shown = state(hass, entry, "binary_sensor", "push")
    return shown.state, shown.attributes["status"]


def counts(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[str, ...]:
    """Who is active, waits and was paged, and how many guests wait."""
    return tuple(sensor(hass, entry, key).state for key in LIVE_SENSORS[:4])


def right_counts(unit: Unit) -> tuple[str, ...]:
    """The same, by the unit itself."""
    waiting = [session for session in unit.active.values() if session.notified is None]
    active = len(unit.active)
    guests = sum(session.party_size for session in waiting)
    return tuple(map(str, (active, len(waiting), active - len(waiting), guests)))


async def live(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until the transmitter has us on its list."""
    await until(lambda: status(hass, entry)[1] in {"accepted", "live"})


async def proved(entry: MockConfigEntry) -> None:
    """Wait until a message came, after which polls are slow."""
    await until(lambda: entry.runtime_data.follower.push.is_proved)


def is_about_to_read(entry: MockConfigEntry) -> bool:
    """Whether the transmitter will be asked before the next poll is due."""
    return entry.runtime_data._soon._cancel is not None


def asked(simulator: Simulator) -> list[str]:
    """What was asked since the last time, by first blocks."""
    names = {HISTORY: "history", SESSIONS: "sessions", NOTIFY: "notify", SETTINGS: "settings"}
    found = [
        names[request.path]
        for request in simulator.requests
        if request.block2 is None or request.block2[0] == 0
    ]
    simulator.requests.clear()
    return found


class Told:
    """What the event entity of a transmitter tells, in order."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        """Listen as automations do: to the entity's state."""
        self.steps: list[tuple[str, str]] = []
        self.attributes: list[dict[str, Any]] = []
        self._last: tuple[str, Any] | None = None
        entity_id = entity(hass, entry, "event", "session")
        self.stop = async_track_state_change_event(hass, [entity_id], self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is None or new.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            return
        # After a restart, Home Assistant shows the last event once more.
        if (event_ := (new.state, new.attributes)) != self._last:
            self._last = event_
            self.attributes.append(dict(new.attributes))
            self.steps.append((new.attributes["event_type"], new.attributes["session_id"]))

    @property
    def of_each(self) -> dict[str, list[str]]:
        """The steps of each session."""
        return by_session(self.steps)

    @property
    def names(self) -> list[str]:
        """The steps alone."""
        return [step for step, _ in self.steps]


class Happened:
    """What happened at a unit, in order, from now on."""

    def __init__(self, unit: Unit) -> None:
        """Ask the unit itself; what it says over the network is another matter."""
        self.steps: list[tuple[str, str]] = []
        unit.listeners.append(self._changed)

    def _changed(self, change: Change) -> None:
        if change.session and change.kind in STEPS:
            self.steps.append((STEPS[change.kind], change.session.uuid))

    @property
    def of_each(self) -> dict[str, list[str]]:
        """The steps of each session."""
        return by_session(self.steps)


def by_session(steps: list[tuple[str, str]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for step, session_id in steps:
        found[session_id].append(step)
    return dict(found)


async def assert_log_is_right(entry: MockConfigEntry, unit: Unit) -> None:
    """The log has what the unit archived, with how it ended."""
    log = await everything(entry.runtime_data.log)
    logged = {(s.uuid, s.number, s.wait, s.clear_type, s.party_size, s.label) for s in log}
    assert logged == {
        (s.uuid, s.number, s.wait, s.clear_type, s.party_size, s.label) for s in unit.ledger
    }
    assert len(log) == len(unit.ledger)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we logged for users to read."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.INFO and record.name.startswith(OUR_LOGGERS)
    ]


def withhold(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    """Have changes not be told to observers, who are still pinged."""
    monkeypatch.setattr(simulator._observers, "notify", lambda body: None)


# ------------------------------------------------------------------------ as it happens


async def test_a_change_is_shown_at_once_and_nothing_is_asked_for_it(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 30):
        serve_guest(simulator.unit, number)
    entry = await set_up(show_names_in_states=True)
    told = Told(hass, entry)
    await live(hass, entry)
    asked(simulator)
    assert counts(hass, entry) == ("0", "0", "0", "0")
    seen = []
    event = entity(hass, entry, "event", "session")
    stop = async_track_state_change_event(
        hass, [event], callback(lambda _: seen.append(counts(hass, entry)))
    )

    simulator.unit.create(7, goal=600, label="Müller", party_size=4)
    await until(lambda: told.steps)
    assert counts(hass, entry) == ("1", "1", "0", "4")
    (session,) = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert {key: session[key] for key in ("number", "party_size", "state", "label", "late")} == {
        "number": 7,
        "party_size": 4,
        "state": "started",
        "label": "Müller",
        "late": False,
    }

    simulator.unit.update(7, label="Meier", party_size=5)
    await until(lambda: sensor(hass, entry, "guests_waiting").state == "5")
    (session,) = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert session["label"] == "Meier"

    simulator.unit.page(7)
    await until(lambda: len(told.steps) == 2)
    assert counts(hass, entry) == ("1", "0", "1", "0")
    (session,) = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert session["state"] == "paged"
    assert not is_about_to_read(entry)

    simulator.unit.clear(7)
    await until(lambda: counts(hass, entry) == ("0", "0", "0", "0"))
    await until(lambda: sensor(hass, entry, "daily_count").state == "30")
    assert told.names == ["started", "paged"]
    assert asked(simulator) == []
    # An automation that an event starts finds everything as it is after it.
    assert seen == [("1", "1", "0", "4"), ("1", "0", "1", "0")]
    stop()


async def test_those_that_end_together_are_one_read_of_the_history(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    for number in range(1, 4):  # as many as one block has room for
        lively.unit.create(number)
        lively.unit.page(number)
    await until(lambda: len(told.steps) == 6)
    asked(lively)
    lively.unit.remove(3)
    lively.unit.clear_all()
    await until(lambda: len(told.steps) == 9)
    assert told.of_each == happened.of_each
    assert asked(lively).count("history") == 1


async def test_a_session_that_ends_costs_a_few_blocks_however_long_the_history_is(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    for number in range(200):
        serve_guest(lively.unit, minutes_ago=400 - number)
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    for served in range(1, 6):
        lively.requests.clear()
        lively.unit.create(7)
        lively.unit.page(7)
        lively.unit.clear(7)
        # Said to be over, then read.
        await until(lambda served=served: len(told.steps) == 3 * served)
        await settle(hass)
        assert len([request for request in lively.requests if request.path == HISTORY]) <= 4
    assert await entry.runtime_data.log.count() == 205


async def test_while_messages_tell_all_the_end_of_a_session_is_one_read_of_the_history(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    await proved(entry)
    await poll(hass, entry)
    asked(lively)
    for ended in range(1, 4):
        lively.unit.create(7)
        lively.unit.clear(7)
        await until(lambda ended=ended: len(told.steps) == 2 * ended)
    assert asked(lively) == ["history"] * 3
    # What was missed is asked for.
    with monkeypatch.context() as patch:
        withhold(patch, lively)
        lively.unit.create(8)
    lively.unit.create(9)
    await until(lambda: state(hass, entry, "sensor", "active_sessions").state == "2")
    assert asked(lively)[0] == "sessions"


async def test_how_sessions_ended_is_told_though_others_end_all_the_time(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    for number in range(1, 40):
        lively.unit.create(number)
        lively.unit.clear(number)
        await asyncio.sleep(0.03)  # READ_DELAY is more than that
        if "cleared" in told.names:
            break
    assert "cleared" in told.names


async def test_an_event_says_all_that_an_automation_needs(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively, show_names_in_states=True)
    told = Told(hass, entry)
    await live(hass, entry)
    now = local_time()
    with lively.unit.at(now - timedelta(seconds=120)):
        session = lively.unit.create(7, goal=300, label="Müller", party_size=4)
    await until(lambda: len(told.steps) == 1)
    with lively.unit.at(now - timedelta(seconds=20)):
        lively.unit.page(7)
    await until(lambda: len(told.steps) == 2)
    lively.unit.remove(7)
    await until(lambda: len(told.steps) == 3)
    about = {
        "number": 7,
        "label": "Müller",
        "party_size": 4,
        "goal_seconds": 300,
        "session_id": session.uuid,
    }
    expected = [
        about | {"event_type": "started", "wait_seconds": None, "clear_type": None},
        about | {"event_type": "paged", "wait_seconds": 100, "clear_type": None},
        about | {"event_type": "removed", "wait_seconds": 100, "clear_type": "REMOVED"},
    ]
    for attributes, wanted in zip(told.attributes, expected, strict=True):
        assert {key: attributes[key] for key in wanted} == wanted


@pytest.mark.usefixtures("all_enabled")
async def test_how_long_guests_wait_and_what_is_next_is_shown(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up()
    await live(hass, entry)

    def shown(key: str) -> float | None:
        value = sensor(hass, entry, key).state
        return None if value == STATE_UNKNOWN else datetime.fromisoformat(value).timestamp()

    assert shown("longest_current_wait") is None
    assert shown("next_goal") is None
    start = int(time.time())
    simulator.unit.create(1, goal=60)
    await go_on(freezer, simulator, 10)
    simulator.unit.create(2, goal=30)
    await until(lambda: counts(hass, entry)[0] == "2")
    assert shown("longest_current_wait") == start
    assert shown("next_goal") == start + 40
    await go_on(freezer, simulator, 32)
    assert shown("next_goal") == start + 60  # the other has run out
    simulator.unit.page(1)
    await until(lambda: counts(hass, entry)[1] == "1")
    assert shown("longest_current_wait") == start + 10
    assert shown("next_goal") is None


async def test_what_was_so_already_is_not_reported_as_new(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    serve_guest(lively.unit, 1)
    lively.unit.create(2)
    lively.unit.create(3)
    lively.unit.page(3)
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    await proved(entry)
    await poll(hass, entry)
    assert told.steps == []
    assert state(hass, entry, "event", "session").state == STATE_UNKNOWN
    assert counts(hass, entry) == ("2", "1", "1", "1")
    happened = Happened(lively.unit)
    lively.unit.page(2)
    lively.unit.clear(3)
    await until(lambda: len(told.steps) == 2)
    assert told.of_each == happened.of_each


async def test_what_happened_while_home_assistant_was_away_is_counted_and_not_announced(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    lively.unit.create(1)
    lively.unit.create(2)
    await until(lambda: len(told.steps) == 2)
    await hass.config_entries.async_unload(entry.entry_id)
    lively.unit.page(1)
    lively.unit.page(2)
    lively.unit.clear(2)
    lively.unit.create(3)
    await hass.config_entries.async_setup(entry.entry_id)
    await live(hass, entry)
    assert counts(hass, entry) == right_counts(lively.unit)
    assert sensor(hass, entry, "daily_count").state == "1"
    assert told.names == ["started"] * 2
    happened = Happened(lively.unit)
    lively.unit.clear(1)
    lively.unit.page(3)
    await until(lambda: len(told.steps) == 4)
    assert by_session(told.steps[2:]) == happened.of_each


async def test_a_command_and_the_message_of_it_are_one_event(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    coordinator = entry.runtime_data
    commands = coordinator.transmitter
    for command in (
        lambda: commands.start_session(7),
        lambda: commands.page_session(7),
        lambda: commands.remove_session(7),
    ):
        await coordinator.commands.send(command)
    assert counts(hass, entry) == ("0", "0", "0", "0")
    await until(lambda: len(told.steps) == 3)
    await proved(entry)
    await poll(hass, entry)
    assert told.steps == happened.steps


# ------------------------------------------------------------------------------- late


async def test_a_guest_is_late_at_the_moment_the_goal_is_over(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up()
    await live(hass, entry)
    simulator.unit.create(7, goal=47)
    simulator.unit.create(8, goal=300)
    await until(lambda: counts(hass, entry)[0] == "2")
    await go_on(freezer, simulator, 46)
    asked(simulator)
    await go_on(freezer, simulator, 1)
    late = state(hass, entry, "binary_sensor", "late")
    assert (late.state, late.attributes["numbers"]) == (STATE_OFF, [])
    await go_on(freezer, simulator, 2)
    late = state(hass, entry, "binary_sensor", "late")
    assert (late.state, late.attributes["numbers"]) == (STATE_ON, [7])
    sessions = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert [session["late"] for session in sessions] == [True, False]
    assert asked(simulator) == []
    simulator.unit.page(7)
    await until(lambda: state(hass, entry, "binary_sensor", "late").state == STATE_OFF)


@pytest.mark.polled
@pytest.mark.parametrize("was_paged", [True, False])
async def test_without_push_a_guest_who_was_paged_in_time_is_not_late(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    *,
    was_paged: bool,
) -> None:
    entry = await set_up()
    await calm(simulator)
    told, seen = Told(hass, entry), []
    simulator.unit.create(7, goal=40)
    await poll(hass, entry)
    async_track_state_change_event(
        hass,
        [entity(hass, entry, "binary_sensor", "late")],
        lambda event: seen.append(event.data["new_state"].state),
    )
    await go_on(freezer, simulator, 35)
    if was_paged:
        simulator.unit.page(7)
    await go_on(freezer, simulator, 7, step=1)  # the next poll would be due at 60
    assert told.names == (["started", "paged"] if was_paged else ["started"])
    assert seen.count(STATE_ON) == (0 if was_paged else 1)


# ------------------------------------------------------------------- as messages may come


async def test_messages_that_come_twice_and_out_of_order_change_nothing(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    # What only a lost message had told, nobody can know.
    lively.unit.history_party_size = True
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    lively.faults.duplicate = True
    lively.faults.network.jitter = 0.02
    for number in range(1, 11):
        lively.unit.create(number)
        lively.unit.page(number)
        lively.unit.clear(number)
        await asyncio.sleep(0.01)
    await until(lambda: len(told.steps) >= 30)
    lively.faults.network.jitter = 0
    await until(lambda: not lively.unacknowledged)
    await poll(hass, entry)
    assert told.of_each == happened.of_each
    await assert_log_is_right(entry, lively.unit)


@pytest.mark.parametrize("shown_by", ["the next change", "a ping"])
async def test_a_change_whose_message_was_lost_is_found_by_the_gap_it_leaves(
    hass: HomeAssistant,
    lively: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    shown_by: str,
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    await proved(entry)
    with monkeypatch.context() as patch:
        withhold(patch, lively)
        lively.unit.create(1)
        lively.unit.create(2)
        lively.unit.page(2)
        lively.unit.clear(2)
    if shown_by == "the next change":
        lively.unit.create(3)
    await until(lambda: len(told.steps) == len(happened.steps))
    assert told.of_each == happened.of_each
    assert counts(hass, entry) == right_counts(lively.unit)


async def test_a_gap_is_closed_though_the_list_had_no_answer_a_minute_ago(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    await live(hass, entry)
    lively.faults.errors[SESSIONS] = "5.03"
    for _ in range(3):
        await poll(hass, entry)
    lively.faults.errors.clear()
    with monkeypatch.context() as patch:
        withhold(patch, lively)
        lively.unit.create(1)
        lively.unit.create(2)
    await until(lambda: counts(hass, entry) == right_counts(lively.unit), patience=1000)


async def test_a_message_that_cannot_be_read_costs_nothing(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    lively.faults.malformed = True
    lively.unit.create(1)
    lively.faults.malformed = False
    await until(lambda: told.steps)
    lively.unit.page(1)
    await until(lambda: len(told.steps) == 2)
    assert told.steps == happened.steps


async def test_the_count_of_changes_may_wrap_and_begin_again(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    lively.unit.sequence = 0xFFFD
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    for number in range(1, 6):
        lively.unit.create(number)
        await until(lambda: len(told.steps) == len(happened.steps))
    assert lively.unit.sequence < 10
    lively.unit.sequence = 0
    for number in range(1, 6):
        lively.unit.page(number)
        await until(lambda: len(told.steps) == len(happened.steps))
    assert told.steps == happened.steps
    await poll(hass, entry)
    assert told.steps == happened.steps
    assert counts(hass, entry) == right_counts(lively.unit)


async def test_a_count_that_began_again_hides_no_change(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    lively.unit.sequence = 5000
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    with monkeypatch.context() as patch:
        withhold(patch, lively)
        lively.unit.sequence = 0
        lively.unit.create(1)
        lively.unit.create(2)
    await until(lambda: len(told.steps) == 2)
    assert told.of_each == happened.of_each


async def test_a_unit_that_does_not_count_changes_is_live_all_the_same(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    lively.faults.no_sequence = True
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    lively.unit.create(1)
    lively.unit.page(1)
    lively.unit.remove(1)
    await until(lambda: len(told.steps) == 3)
    assert told.steps == happened.steps


@pytest.mark.logs("Unexpected error while a message of the transmitter was read")
async def test_a_fault_of_ours_does_not_end_push(
    hass: HomeAssistant,
    lively: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up(lively)
    told = Told(hass, entry)
    await live(hass, entry)
    registrations = asked(lively).count("notify")
    assert registrations == 1
    with monkeypatch.context() as patch:
        patch.setattr(entry.runtime_data.follower.tracker, "see", None)
        lively.unit.create(1)
        await until(lambda: lines(caplog))
    lively.unit.page(1)
    await until(lambda: len(told.steps) == 2)
    assert told.names == ["started", "paged"]
    assert asked(lively).count("notify") == 0


@pytest.mark.polled
async def test_a_list_that_changes_while_it_is_read_is_asked_for_again_with_the_next_poll(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    unit = Unit(now=local_time)
    async with Simulator(unit=unit, still=False, max_observers=0) as simulator:
        for number in range(1, 11):
            unit.create(number, label="x" * 100)
        entry = await set_up(simulator)
        assert counts(hass, entry) == right_counts(unit)
        simulator.hooks[SESSIONS, 1] = lambda: unit.clear(min(unit.active))
        await poll(hass, entry)
        simulator.hooks.clear()
        assert counts(hass, entry)[0] not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
        await poll(hass, entry)
        assert counts(hass, entry) == right_counts(unit)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_reads_do_not_queue_up_where_one_takes_long(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 30):
        serve_guest(lively.unit, number)
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    lively.faults.network.delay = 0.1
    at_once = []
    for number in range(1, 40):
        lively.unit.create(number)
        lively.unit.clear(number)
        await asyncio.sleep(0.05)
        reads = [task for task in entry._background_tasks if task.get_name().endswith(" read")]
        at_once.append(len(reads))
    lively.faults.network.delay = 0
    await until(lambda: len(told.steps) == len(happened.steps))
    assert told.of_each == happened.of_each
    assert max(at_once) <= 2


# ------------------------------------------------------------------------- how it stands


def refuse_notify(simulator: Simulator, code: Code) -> None:
    """Have the resource not be what the vendor's page says."""

    def refuse(query: object, payload: object) -> Reply:
        raise RefusedError(code, "not here")

    simulator._resources._table[NOTIFY] = {Code.GET: refuse}


def ignore_notify(simulator: Simulator) -> None:
    """Have requests to observe get no answer."""
    take_request = simulator._take_request

    def take_some(request: Any, *args: Any) -> None:
        if request.opt.uri_path != NOTIFY:
            take_request(request, *args)

    simulator._take_request = take_some  # type: ignore[method-assign]


NOT_LIVE: dict[str, tuple[Callable[[Simulator], None], str]] = {
    "no room": (lambda simulator: setattr(simulator._observers, "_limit", 0), "not_offered"),
    "not found": (lambda simulator: refuse_notify(simulator, Code.NOT_FOUND), "not_offered"),
    "not allowed": (
        lambda simulator: refuse_notify(simulator, Code.METHOD_NOT_ALLOWED),
        "not_offered",
    ),
    "out of order": (
        lambda simulator: refuse_notify(simulator, Code.INTERNAL_SERVER_ERROR),
        "rejected",
    ),
    "no answer": (ignore_notify, "no_answer"),
}


@pytest.mark.usefixtures("short_timeouts", "quick")
@pytest.mark.parametrize("why", NOT_LIVE)
async def test_without_push_polls_carry_on_and_the_user_sees_why(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    why: str,
) -> None:
    make_it_so, expected = NOT_LIVE[why]
    make_it_so(simulator)
    entry = await set_up()
    told, happened = Told(hass, entry), Happened(simulator.unit)
    await until(lambda: status(hass, entry) == (STATE_OFF, expected))
    for act in (simulator.unit.create, simulator.unit.page, simulator.unit.remove):
        act(7)
        await poll(hass, entry)
        assert counts(hass, entry) == right_counts(simulator.unit)
    assert told.steps == happened.steps
    await assert_log_is_right(entry, simulator.unit)
    assert status(hass, entry) == (STATE_OFF, expected)
    assert lines(caplog) == []


@pytest.mark.usefixtures("quick")
async def test_when_there_is_room_for_an_observer_push_begins(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator._observers._limit = 0
    entry = await set_up()
    await until(lambda: status(hass, entry) == (STATE_OFF, "not_offered"))
    simulator._observers._limit = 1
    await live(hass, entry)
    told = Told(hass, entry)
    simulator.unit.create(7)
    await until(lambda: told.steps)


async def test_where_push_is_not_to_be_had_it_is_asked_for_every_few_minutes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    simulator._observers._limit = 0
    entry = await set_up()
    await until(lambda: status(hass, entry) == (STATE_OFF, "not_offered"))
    await go_on(freezer, simulator, 1200, step=20)
    asked(simulator)
    await go_on(freezer, simulator, 3600, step=20)
    # Each 150 to 300 seconds.
    assert 11 <= asked(simulator).count("notify") <= 25


async def test_while_push_is_healthy_a_poll_is_one_small_exchange_in_five_minutes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    await live(hass, entry)
    await go_on(freezer, simulator, 65)
    assert entry.runtime_data.follower.push.is_proved
    asked(simulator)
    await go_on(freezer, simulator, 1500, step=4)
    assert 4 <= len(simulator.requests) <= 6
    assert {request.path for request in simulator.requests} == {SESSIONS}
    assert {request.answered for request in simulator.requests} == {"2.03"}


@pytest.mark.logs("The history can't be read: answered 5.00")
async def test_while_nothing_can_be_read_it_is_tried_as_often_as_without_push(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up()
    await live(hass, entry)
    await go_on(freezer, simulator, 65)
    assert entry.runtime_data.follower.push.is_proved
    simulator.faults.errors = {SESSIONS: "5.00", HISTORY: "5.00"}
    await entry.runtime_data.async_refresh()
    asked(simulator)
    await go_on(freezer, simulator, 92, step=0.5)
    assert asked(simulator).count("sessions") == 3


@pytest.mark.logs("The history can't be read: answered 5.00")
async def test_while_nothing_can_be_read_who_is_there_stays_known_though_the_units_clock_is_set(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await live(hass, entry)
    simulator.faults.errors = {SESSIONS: "5.00", HISTORY: "5.00"}
    await entry.runtime_data.async_refresh()
    simulator.unit.create(7)
    await until(lambda: counts(hass, entry) == right_counts(simulator.unit))
    simulator.unit.set_settings(clock=local_time() + timedelta(minutes=1), default_target_goal=77)
    await until(lambda: entry.runtime_data.data.settings.default_target_goal == 77)
    await entry.runtime_data.async_refresh()
    assert counts(hass, entry) == right_counts(simulator.unit)


async def test_polls_are_as_frequent_as_ever_until_push_has_shown_that_it_works(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    # It says that it will, but never a word comes.
    async with Simulator(unit=Unit(now=local_time), ping_interval=10_000) as simulator:
        entry = await set_up(simulator)
        await live(hass, entry)
        asked(simulator)
        await go_on(freezer, simulator, 94, step=0.5)
        assert asked(simulator).count("sessions") == 3
        await go_on(freezer, simulator, 5)
        await until(lambda: status(hass, entry) != (STATE_ON, "live"))
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_unit_that_forgot_us_is_noticed_by_its_silence_and_asked_again(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up()
    told, happened = Told(hass, entry), Happened(simulator.unit)
    await live(hass, entry)
    await go_on(freezer, simulator, 65)
    await proved(entry)
    simulator.unit.reboot(restart_sequence=True)
    assert simulator.observers == 0
    simulator.unit.create(7)
    simulator.unit.page(7)
    await go_on(freezer, simulator, 27, step=3)
    assert told.steps == []  # the last ping is 32 s ago
    await go_on(freezer, simulator, 9, step=3)
    await until(lambda: told.steps)
    await go_on(freezer, simulator, 1)  # two events are told a millisecond apart at least
    assert len(told.steps) == 2
    await go_on(freezer, simulator, 4)
    await live(hass, entry)
    assert simulator.observers == 1
    simulator.unit.clear(7)
    await until(lambda: entry.runtime_data.follower.tracker.wants_history)
    await go_on(freezer, simulator, 2)
    await until(lambda: len(told.steps) == 3)
    assert told.steps == happened.steps
    assert lines(caplog) == []


async def test_what_a_unit_that_forgot_us_did_not_tell_is_found_even_if_it_has_no_room_now(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up()
    told, happened = Told(hass, entry), Happened(simulator.unit)
    await live(hass, entry)
    await go_on(freezer, simulator, 65)
    simulator.unit.reboot()
    simulator._observers._limit = 0
    simulator.unit.create(7)
    await go_on(freezer, simulator, 40, step=4)
    await until(lambda: status(hass, entry) == (STATE_OFF, "not_offered"))
    await until(lambda: told.steps == happened.steps)
    simulator.unit.page(7)
    await go_on(freezer, simulator, 35)  # polls are as frequent as without push
    await until(lambda: told.steps == happened.steps)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_a_transmitter_that_was_unplugged_is_live_again_by_itself(
    hass: HomeAssistant,
    lively: Simulator,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    shown: list[tuple[str, str]] = []

    @callback
    def push_changed(event: Event[EventStateChangedData]) -> None:
        if new := event.data["new_state"]:
            shown.append((new.state, new.attributes["status"]))

    await proved(entry)
    async_track_state_change_event(
        hass, [entity(hass, entry, "binary_sensor", "push")], push_changed
    )
    lively.unit.create(1)
    await until(lambda: told.steps)
    await lively.stop()
    await until(lambda: sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE)
    await until(lambda: status(hass, entry) == (STATE_OFF, "no_answer"))
    lively.unit.reboot(restart_sequence=True, restart_ids=True, lose_history=True)
    lively.unit.page(1)
    lively.unit.clear(1)
    lively.unit.create(2)
    await lively.start()
    await proved(entry)
    await until(lambda: len(told.steps) == 4)
    lively.unit.page(2)
    await until(lambda: len(told.steps) == 5)
    assert told.of_each == happened.of_each
    await assert_log_is_right(entry, lively.unit)
    assert shown == [
        (STATE_OFF, "lost"),
        (STATE_OFF, "no_answer"),
        (STATE_OFF, "accepted"),
        (STATE_ON, "live"),
    ]
    error, *missed, recovered = lines(caplog)
    assert error.startswith("Error fetching T7470 data: ")
    assert recovered == "Fetching T7470 data recovered"
    # Stamps are cut to seconds, so that there is no span if all of this was in one.
    assert [line.partition(" between ")[0] for line in missed] in (
        [],
        ["Sessions may have been missed"],
    )


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.logs("Error fetching T7470 data")
async def test_a_transmitter_that_is_back_is_asked_at_once_and_not_with_the_next_try(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    entry = await set_up()
    await live(hass, entry)
    await go_on(freezer, simulator, 35)
    await simulator.stop()
    await go_on(freezer, simulator, 1500, step=10)
    await until(lambda: status(hass, entry) == (STATE_OFF, "no_answer"))
    await simulator.start()
    await go_on(freezer, simulator, 35)  # a poll; tries are up to five minutes apart by now
    await live(hass, entry)


async def test_a_transmitter_that_moved_is_live_at_its_new_address(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    await live(hass, entry)
    lively.unit.create(7)
    await until(lambda: told.steps)
    await lively.stop()
    async with Simulator(unit=lively.unit, ping_interval=0.15) as moved:
        form = await entry.start_reconfigure_flow(hass)
        await hass.config_entries.flow.async_configure(
            form["flow_id"], {"host": moved.host, "port": moved.port}
        )
        await hass.async_block_till_done()
        await live(hass, entry)
        lively.unit.page(7)
        await until(lambda: len(told.steps) == 2)
        lively.unit.clear(7)
        await until(lambda: len(told.steps) == 3)
        assert told.steps == happened.steps
        assert lines(caplog) == []
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("all_enabled")
async def test_a_unit_of_which_only_the_history_is_known_is_as_it_was_before(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator.faults.history_only = True
    serve_guest(simulator.unit)
    simulator.unit.create(30)
    entry = await set_up()
    told = Told(hass, entry)
    await until(lambda: status(hass, entry) == (STATE_OFF, "not_offered"))
    for expected in ("2", "3", "4"):
        serve_guest(simulator.unit, removed=expected == "3")
        await go_on(freezer, simulator, 32)
        await until(lambda: sensor(hass, entry, "daily_count").state == expected)  # noqa: B023
        for key in LIVE_SENSORS:
            assert sensor(hass, entry, key).state == STATE_UNAVAILABLE
        assert state(hass, entry, "binary_sensor", "late").state == STATE_UNAVAILABLE
    assert told.names == ["cleared", "removed", "cleared"]
    await go_on(freezer, simulator, 1200, step=15)
    assert sensor(hass, entry, "daily_count").state == "4"
    assert lines(caplog) == []


# ------------------------------------------------------------------------- repair issue


async def test_three_changes_that_push_did_not_tell_are_a_repair_issue_until_it_does(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    issue = (DOMAIN, f"{PUSH_SILENT}_{entry.entry_id}")
    issues = ir.async_get(hass)
    await proved(entry)
    lively.unit.create(1)
    await until(lambda: counts(hass, entry)[0] == "1")
    with monkeypatch.context() as patch:
        withhold(patch, lively)
        for number, is_told in ((2, False), (3, False), (4, True), (5, True)):
            lively.unit.create(number)
            await poll(hass, entry)
            assert (issues.async_get_issue(*issue) is not None) is is_told
            await poll(hass, entry)  # finds nothing
    lively.unit.create(6)
    await until(lambda: issues.async_get_issue(*issue) is None)
    assert told.of_each == happened.of_each


async def test_the_answer_to_a_command_does_not_show_that_push_works(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    await proved(entry)
    lively.unit.create(1)
    await until(lambda: counts(hass, entry)[0] == "1")
    withhold(monkeypatch, lively)
    commands = entry.runtime_data.transmitter
    for number in range(2, 6):
        lively.unit.create(number)
        await poll(hass, entry)
        await entry.runtime_data.commands.send(partial(commands.page_session, number))
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"{PUSH_SILENT}_{entry.entry_id}")


async def test_changes_missed_now_and_then_are_no_issue(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    told = Told(hass, entry)
    await proved(entry)
    lively.unit.create(1)
    await until(lambda: counts(hass, entry)[0] == "1")
    for number in range(10, 40, 10):
        with monkeypatch.context() as patch:
            withhold(patch, lively)
            for missed in (1, 2):
                lively.unit.create(number + missed)
                await poll(hass, entry)
            # It was registered anew, and read once more.
            await asyncio.to_thread(time.sleep, 3 * QUICK.read_delay)
        lively.unit.create(number)
        await until(lambda: told.steps and len(told.steps) == number * 3 // 10 + 1)  # noqa: B023
    assert not ir.async_get(hass).issues


@pytest.mark.polled
async def test_where_push_was_never_offered_there_is_no_issue(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    for number in range(1, 6):
        simulator.unit.create(number)
        await poll(hass, entry)
    assert counts(hass, entry)[0] == "5"
    assert not ir.async_get(hass).issues


# ----------------------------------------------------------------------------- the end


async def is_silent(simulator: Simulator) -> bool:
    """Whether nothing comes from us any more, not even when something happens."""
    before = simulator.traffic.datagrams_in
    simulator.unit.create(99)
    await asyncio.sleep(0.2)  # a read or a try would come by then
    return simulator.traffic.datagrams_in == before


MOMENTS = ["connecting", "live", "no room", "about to read", "not answered"]


@pytest.mark.parametrize("how", ["unload", "shutdown"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_nothing_lingers_after_the_end(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, moment: str, how: str
) -> None:
    if moment == "no room":
        lively._observers._limit = 0
    if moment == "not answered":
        ignore_notify(lively)
    entry = await set_up(lively)
    if moment == "live":
        await proved(entry)
    if moment == "no room":
        await until(lambda: status(hass, entry) == (STATE_OFF, "not_offered"))
    if moment == "about to read":
        await live(hass, entry)
        lively.unit.create(7)
        lively.unit.clear(7)
        await until(lambda: entry.runtime_data.follower.tracker.wants_history)
    coordinator = entry.runtime_data
    if how == "unload":
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert not entry._background_tasks
    else:
        await hass.async_stop(force=True)
    assert coordinator._soon._cancel is coordinator.timers._cancel is None
    endpoint = coordinator.transmitter._endpoint
    assert endpoint._context is None
    assert not endpoint._observers
    assert await is_silent(lively)


async def test_a_save_under_way_at_shutdown_is_waited_for(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(lively)
    await live(hass, entry)
    writing, go_on = threading.Event(), threading.Event()
    merge = Database.merge

    def slow(self: Database, *args: Any) -> list[DatabaseChange]:
        writing.set()
        go_on.wait(5)
        return merge(self, *args)

    monkeypatch.setattr(Database, "merge", slow)
    lively.unit.create(7)
    lively.unit.clear(7)
    await asyncio.to_thread(writing.wait, 5)
    stopping = asyncio.ensure_future(hass.async_stop(force=True))
    await asyncio.to_thread(go_on.wait, 0.3)
    assert not stopping.done()
    go_on.set()
    await stopping
    async with opened(log_paths(hass, entry.entry_id)[0]) as log:
        assert [session.number for session in await everything(log)] == [7]


async def test_reloading_takes_the_place_of_the_old_observer(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    entry = await set_up(lively)
    told, happened = Told(hass, entry), Happened(lively.unit)
    for number in range(1, 6):
        await live(hass, entry)
        lively.unit.create(number)
        await until(lambda: len(told.steps) == len(happened.steps))
        await hass.config_entries.async_reload(entry.entry_id)
    await live(hass, entry)
    lively.unit.create(6)
    await until(lambda: len(told.steps) == len(happened.steps))
    # The sockets of those before are closed, which the unit is told when it writes to them.
    await until(lambda: lively.observers == 1)
    assert told.steps == happened.steps


# ------------------------------------------------------------------------- what must hold


async def evening(unit: Unit, sessions: int, rate: float, racks: int = 40) -> None:
    """Have so many guests come, be paged and leave, so many changes a second."""
    wait, stay = racks // 4, racks // 2  # in guests who come in between
    for turn in range(1, sessions + stay + 1):
        arrives, is_paged, leaves = turn, turn - wait, turn - stay
        if arrives <= sessions:
            unit.create(arrives % racks, party_size=1 + arrives % 6, label=f"Guest {arrives}")
            await asyncio.sleep(1 / rate)
        if 0 < is_paged <= sessions:
            unit.page(is_paged % racks)
            await asyncio.sleep(1 / rate)
        if leaves > 0:
            unit.remove(leaves % racks) if leaves % 5 == 0 else unit.clear(leaves % racks)
            await asyncio.sleep(1 / rate)


# Changes a second. The contract has 20: an evening is ten times as fast here, and so are time-outs
# and pings. What is not scaled: when an exchange is given up, and how fast this computer is.
RATE = 200
SCALE = RATE / 20


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Have time-outs follow the rate; return those of the transmitter."""
    monkeypatch.setattr(coordinator, "INTERVALS", quick_intervals(SCALE))
    for name in ("INITIAL_ACK_TIMEOUT", "MIN_ACK_TIMEOUT", "MAX_ACK_TIMEOUT"):
        monkeypatch.setattr(coap, name, getattr(coap, name) / SCALE)
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 60)
    monkeypatch.setattr(coap, "MAX_RETRANSMIT", 20)
    return {"ack_timeout": 2 / SCALE, "ping_interval": 30 / SCALE}


async def test_two_hundred_guests_are_told_exactly_once_and_counted_right(
    hass: HomeAssistant, scaled: dict[str, float], set_up: SetUp
) -> None:
    async with lively_simulator(**scaled) as simulator:
        entry = await set_up(simulator)
        told, happened = Told(hass, entry), Happened(simulator.unit)
        await live(hass, entry)
        wrong = []

        @callback
        def check(event: Event[EventStateChangedData]) -> None:
            """Counts belong together at every moment."""
            active, waiting, paged, _ = map(int, counts(hass, entry))
            listed = len(sensor(hass, entry, "active_sessions").attributes["sessions"])
            if active != waiting + paged or listed != active:
                wrong.append((active, waiting, paged, listed))

        stop = async_track_state_change_event(
            hass, [entity(hass, entry, "event", "session")], check
        )
        for _ in range(4):
            await evening(simulator.unit, 50, RATE)
            simulator.unit.create(1, party_size=3)
            simulator.unit.create(2, party_size=4)
            simulator.unit.page(2)
            await until(lambda: counts(hass, entry) == right_counts(simulator.unit))
            assert counts(hass, entry) == ("2", "1", "1", "3")
            simulator.unit.clear_all()
        await until(lambda: len(told.steps) >= len(happened.steps))
        await poll(hass, entry)
        stop()
        assert told.of_each == happened.of_each
        assert len(told.of_each) == 208
        assert counts(hass, entry) == ("0", "0", "0", "0")
        assert sensor(hass, entry, "daily_count").state == "208"
        assert entry.runtime_data.data.today.removed == 40
        await assert_log_is_right(entry, simulator.unit)
        assert wrong == []
        assert not ir.async_get(hass).issues
        await hass.config_entries.async_unload(entry.entry_id)


async def test_two_hundred_guests_are_all_there_though_a_fifth_of_all_datagrams_is_lost(
    hass: HomeAssistant, scaled: dict[str, float], set_up: SetUp
) -> None:
    async with lively_simulator(**scaled) as simulator:
        # What only a lost message had told, nobody can know.
        simulator.unit.history_party_size = True
        entry = await set_up(simulator)
        told, happened = Told(hass, entry), Happened(simulator.unit)
        await live(hass, entry)
        network = simulator.faults.network
        network.loss_in = network.loss_out = 0.2
        await evening(simulator.unit, 200, RATE)
        # The unit tells more than half of it to nobody: what waits to be sent is cut at 32.
        await until(lambda: len(told.steps) >= 600, patience=10_000)
        network.loss_in = network.loss_out = 0
        await poll(hass, entry)
        assert told.of_each == happened.of_each
        assert counts(hass, entry) == ("0", "0", "0", "0")
        assert sensor(hass, entry, "daily_count").state == "200"
        assert entry.runtime_data.data.today.removed == 40
        await assert_log_is_right(entry, simulator.unit)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_idle_hour_with_two_thousand_archived_sessions_is_under_thirty_kilobytes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    for number in range(2000):
        serve_guest(simulator.unit, number % 40, minutes_ago=4000 - number)
    simulator.unit.create(7, label="Müller", party_size=4)
    entry = await set_up()
    await live(hass, entry)
    assert await entry.runtime_data.log.count() == 2000
    pings = []
    ping = simulator._observers._ping
    simulator._observers._ping = lambda: pings.append(1) or ping()  # type: ignore[func-returns-value]
    await go_on(freezer, simulator, 31)
    await proved(entry)
    asked(simulator)
    pings.clear()
    before = simulator.traffic.bytes_in + simulator.traffic.bytes_out
    await go_on(freezer, simulator, 3600, step=10)
    spent = simulator.traffic.bytes_in + simulator.traffic.bytes_out - before
    assert 119 <= len(pings) <= 121  # the hour was one, of pings and of polls
    requests = asked(simulator)
    assert 11 <= requests.count("sessions") <= 14
    assert set(requests) <= {"sessions", "settings"}
    assert status(hass, entry) == (STATE_ON, "live")
    assert spent < 30_000
    assert counts(hass, entry)[0] == "1"


async def test_twenty_transmitters_are_busy_and_none_is_mixed_up_with_another(
    hass: HomeAssistant, quick: None, set_up: SetUp
) -> None:
    async with AsyncExitStack() as stack:
        simulators = [
            await stack.enter_async_context(lively_simulator(seed, ping_interval=0.3))
            for seed in range(1, 21)
        ]
        entries = [
            await set_up(simulator, title=f"T7470 ({number})")
            for number, simulator in enumerate(simulators)
        ]
        told = [Told(hass, entry) for entry in entries]
        happened = [Happened(simulator.unit) for simulator in simulators]
        for entry in entries:
            await live(hass, entry)
        # The same pagers everywhere, but not as many guests.
        await asyncio.gather(
            *(
                evening(simulator.unit, 5 + number % 4, 10, racks=4)
                for number, simulator in enumerate(simulators)
            )
        )
        for simulator in simulators[::2]:
            simulator.unit.create(3, party_size=4)
        for each, truth in zip(told, happened, strict=True):
            await until(lambda: len(each.steps) >= len(truth.steps))  # noqa: B023
            assert each.of_each == truth.of_each
        for entry, simulator in zip(entries, simulators, strict=True):
            assert counts(hass, entry) == right_counts(simulator.unit)
            assert sensor(hass, entry, "daily_count").state == str(len(simulator.unit.ledger))
            await assert_log_is_right(entry, simulator.unit)
        for entry in entries:
            await hass.config_entries.async_unload(entry.entry_id)


def unseen(unit: Unit, change: Callable[[], object]) -> None:
    """Something changes, and the message is lost."""
    listeners, unit.listeners[:] = list(unit.listeners), []
    change()
    unit.listeners[:] = listeners


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize(
    "history",
    [None, pytest.param("5.00", marks=pytest.mark.logs("The history can't be read"))],
)
async def test_sessions_are_not_shown_as_active_when_one_was_missed_and_the_list_can_t_be_read(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp, history: str | None
) -> None:
    lively.unit.create(1)
    entry = await set_up(lively)
    await proved(entry)
    lively.faults.deaf_to_sessions = True
    lively.faults.errors = {("v1", "sessions", "history"): history} if history else {}
    for _ in range(4):
        await entry.runtime_data.async_refresh()
    assert counts(hass, entry)[0] == "1"  # messages tell all that happens
    unseen(lively.unit, partial(lively.unit.create, 2))
    lively.unit.create(3)
    await until(lambda: counts(hass, entry)[0] == STATE_UNAVAILABLE)
    shown: list[str] = []
    entry.runtime_data.async_add_listener(lambda: shown.append(counts(hass, entry)[0]))
    lively.unit.create(4)
    await entry.runtime_data.async_refresh()
    lively.faults.deaf_to_sessions = False
    lively.unit.create(5)
    await until(lambda: counts(hass, entry)[0] == "5")
    assert set(shown) == {STATE_UNAVAILABLE, "5"}


@pytest.mark.logs("The history can't be read")
async def test_a_visit_that_no_message_told_while_nothing_could_be_read_is_a_missed_one(
    hass: HomeAssistant, lively: Simulator, set_up: SetUp
) -> None:
    unit = lively.unit
    serve_guest(unit, minutes_ago=10)
    entry = await set_up(lively)
    await proved(entry)
    lively.faults.errors = {
        ("v1", "sessions"): "5.00",
        ("v1", "sessions", "history"): "5.00",
    }
    await entry.runtime_data.async_refresh()
    unseen(unit, lambda: serve_guest(unit, 5, minutes_ago=0))
    unit.create(9)  # shows that something was missed
    await entry.runtime_data.async_refresh()
    unseen(unit, unit.wipe_history)
    await asyncio.sleep(1.1)  # stamps are cut to seconds
    unseen(unit, lambda: serve_guest(unit, 6, minutes_ago=0))
    lively.faults.errors = {}
    await entry.runtime_data.async_refresh()
    assert len(await missed_spans(entry.runtime_data.log)) == 1
