"""What browsers are told of a transmitter as it happens, and the guests whom they seat.

Each screen is a WebSocket client of Home Assistant's own, with a user of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.host_stand import seating
from custom_components.lrs_pager.host_stand.frontend import MODULE_VERSION
from custom_components.lrs_pager.host_stand.stand import host_stand
from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.permissions.types import PolicyType
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_CALL_SERVICE, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest, settle
from tests.sessions import unreadable
from tests.simulator import Simulator
from tests.test_push import until

# Seconds after which nothing is going to come any more.
PATIENCE = 10

type Shown = dict[str, Any]


class Screen:
    """A browser that shows a transmitter. events: what it was told, by its latest subscription."""

    def __init__(self, client: Any, user: MockUser) -> None:
        self._client = client
        self.user = user
        self._subscription = 0
        self.events: list[Shown] = []

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = await self._client.receive_json()
        if message["type"] == "event" and message["id"] == self._subscription:
            self.events.append(message["event"])
        return message

    async def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """Send a command, and return its answer."""
        await self._client.send_json_auto_id({"type": command, **fields})
        while (message := await self._receive())["type"] == "event":
            pass
        return message

    async def subscribe(self, **fields: Any) -> int:
        """Subscribe, and wait for what is told at once; return the subscription."""
        answer = await self.ask("lrs_pager/subscribe", **fields)
        assert answer["success"], answer
        assert answer["result"] is None
        self._subscription = answer["id"]
        self.events.clear()
        while not self.events:
            await self._receive()
        return self._subscription

    async def refused(self, command: str, **fields: Any) -> tuple[str, str | None]:
        """Send a command that is refused; return the code, and the text's key."""
        answer = await self.ask(command, **fields)
        assert not answer["success"], answer
        return answer["error"]["code"], answer["error"].get("translation_key")

    async def shown(self, test: Callable[[Shown], object]) -> Shown:
        """Wait until something is shown, and return it."""
        while not test(self.shows):
            await self._receive()
        return self.shows

    @property
    def shows(self) -> Shown:
        return self.events[-1]

    @property
    def link(self) -> str:
        state: str = self.shows["link"]["state"]
        return state

    @property
    def numbers(self) -> list[int] | None:
        """The pagers that are shown as active."""
        return numbers(self.shows)

    def row(self, number: int = 7) -> dict[str, Any]:
        """The session of a pager."""
        [row] = [row for row in self.shows["sessions"] if row["number"] == number]
        return row

    async def close(self) -> None:
        await self._client.close()


def numbers(event: Shown) -> list[int] | None:
    sessions = event["sessions"]
    return None if sessions is None else [session["number"] for session in sessions]


def without_now(event: Shown) -> Shown:
    return {key: value for key, value in event.items() if key != "now"}


type Open = Callable[..., Awaitable[Screen]]


@pytest.fixture
async def open_screen(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, hass_admin_user: MockUser
) -> Open:
    """Open a browser: as an administrator, as one of a group, or with a policy of one's own."""

    async def open_screen(group: str | None = None, policy: PolicyType | None = None) -> Screen:
        if group is None and policy is None:
            return Screen(await hass_ws_client(hass), hass_admin_user)
        found = await hass.auth.async_get_group(group or GROUP_ID_USER)
        user = MockUser(groups=[found]).add_to_hass(hass)
        user.perm_lookup = hass.auth._store._perm_lookup
        if policy is not None:
            user.mock_policy(policy)
        token = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
        client = await hass_ws_client(hass, hass.auth.async_create_access_token(token))
        return Screen(client, user)

    return open_screen


@pytest.fixture
async def screen(open_screen: Open) -> Screen:
    return await open_screen()


def device_id(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


# -------------------------------------------------------------------------- what is told


async def test_all_there_is_to_show_is_told_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    unit = simulator.unit
    with unit.at(unit.now() - timedelta(minutes=9)):
        unit.create(9, goal=300, label="Ortega", party_size=4)
    with unit.at(unit.now() - timedelta(minutes=2)):
        unit.create(7, goal=600)
    with unit.at(unit.now() - timedelta(minutes=1)):
        unit.page(9)
    entry = await set_up()
    await screen.subscribe(device_id=device_id(hass, entry))
    shown = await screen.shown(lambda event: event["link"]["state"] == "live")
    assert set(shown) == {
        "version",
        "entry_id",
        "device_id",
        "title",
        "can_control",
        "now",
        "link",
        "late_after",
        "default_goal",
        "pagers",
        "sessions",
        "quotes",
        "is_auto_paged",
    }
    assert shown["version"] == hass.data[MODULE_VERSION]
    assert shown["entry_id"] == entry.entry_id
    assert shown["device_id"] == device_id(hass, entry)
    assert shown["title"] == "T7470"
    assert shown["can_control"] is True
    assert shown["late_after"] == 2
    assert shown["default_goal"] == entry.runtime_data.data.settings.default_target_goal > 0
    assert shown["pagers"] == [7, 9]
    first, second = shown["sessions"]
    ours = entry.runtime_data.data.active
    assert first == {
        "id": ours[0].uuid,
        "number": 9,
        "label": "Ortega",
        "party_size": 4,
        "goal": 300,
        "created_at": ours[0].created_at,
        "notified_at": ours[0].notified_at,
        "not_cleared": False,
        "seating_until": None,
        "notice": None,
        "about": None,
    }
    assert 470 < first["notified_at"] - first["created_at"] < 490
    # By which a browser knows who is late, whatever its own clock shows.
    assert 538 < shown["now"] - first["created_at"] < 560
    assert (second["number"], second["label"], second["notified_at"]) == (7, None, None)
    assert json.dumps(shown)


async def test_a_pager_that_was_not_cleared_at_closing_is_told_as_that(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    with simulator.unit.at(local_time() - timedelta(hours=30)):
        simulator.unit.create(9, goal=300)
    simulator.unit.create(7, goal=300)
    entry = await set_up()
    await screen.subscribe()
    assert [row["not_cleared"] for row in screen.shows["sessions"]] == [True, False]
    # It is on the list, as its pager is not back; but nobody waits, nor is anybody late.
    listed = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert [(row["number"], row["not_cleared"], row["late"]) for row in listed] == [
        (9, True, False),
        (7, False, False),
    ]
    assert sensor(hass, entry, "waiting_sessions").state == "1"


async def test_what_happens_at_the_door_is_told_as_it_happens(
    simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    unit = simulator.unit
    await set_up()
    await screen.subscribe()
    assert screen.numbers == []
    unit.create(7)
    await screen.shown(lambda event: numbers(event) == [7])
    assert screen.row()["notified_at"] is None
    unit.page(7)
    await screen.shown(lambda event: event["sessions"][0]["notified_at"])
    unit.update(7, label="Ortega", party_size=3)
    await screen.shown(lambda event: event["sessions"][0]["label"] == "Ortega")
    unit.clear(7)
    await screen.shown(lambda event: numbers(event) == [])


async def test_a_screen_in_the_waiting_room_never_gets_names(
    simulator: Simulator, set_up: SetUp, screen: Screen, open_screen: Open
) -> None:
    simulator.unit.create(7, label="Ortega")
    await set_up()
    await screen.subscribe(names=False)
    simulator.unit.create(8, label="Smith")
    await screen.shown(lambda event: numbers(event) == [7, 8])
    assert [row["label"] for row in screen.shows["sessions"]] == [None, None]
    assert not any(name in json.dumps(screen.events) for name in ("Ortega", "Smith"))
    host = await open_screen()
    await host.subscribe()
    assert [row["label"] for row in host.shows["sessions"]] == ["Ortega", "Smith"]


async def test_nothing_is_told_twice(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    unit = simulator.unit
    entry = await set_up()
    await screen.subscribe()
    await screen.shown(lambda event: event["link"]["state"] == "live")
    for number in (7, 8):
        unit.create(number)
        await screen.shown(lambda event, number=number: number in numbers(event))
        for _ in range(3):
            entry.runtime_data.async_update_listeners()
            await poll(hass, entry)
    told = [without_now(event) for event in screen.events]
    assert all(before != after for before, after in pairwise(told))
    assert len(told) >= 3


async def test_each_screen_is_told(
    simulator: Simulator, set_up: SetUp, screen: Screen, open_screen: Open
) -> None:
    await set_up()
    other = await open_screen(GROUP_ID_READ_ONLY)
    for one in (screen, other):
        await one.subscribe()
    simulator.unit.create(7)
    for one in (screen, other):
        await one.shown(lambda event: numbers(event) == [7])


async def test_a_screen_that_is_closed_leaves_nothing_behind(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen, open_screen: Open
) -> None:
    entry = await set_up()
    listeners = host_stand(hass, entry)._listeners
    before = len(entry.runtime_data._listeners)
    other = await open_screen()
    await other.subscribe()
    subscription = await screen.subscribe()
    assert len(listeners) == 2
    assert (await screen.ask("unsubscribe_events", subscription=subscription))["success"]
    assert len(listeners) == 1
    await other.close()
    await hass.async_block_till_done()
    assert listeners == []
    assert len(entry.runtime_data._listeners) == before


async def test_a_new_name_of_the_device_is_shown(
    hass: HomeAssistant, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    dr.async_get(hass).async_update_device(device_id(hass, entry), name_by_user="Front door")
    await screen.shown(lambda event: event["title"] == "Front door")


async def test_pagers_in_use_of_late_are_told(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    unit = simulator.unit
    serve_guest(unit, 3, minutes_ago=15 * 24 * 60)
    serve_guest(unit, 20, minutes_ago=13 * 24 * 60)
    serve_guest(unit, 4)
    serve_guest(unit, 0)
    unit.create(12)
    entry = await set_up()
    await screen.subscribe()
    assert screen.shows["pagers"] == [4, 12, 20]
    # One that came and went unseen, and is in the history alone.
    serve_guest(unit, 5, minutes_ago=60)
    await poll(hass, entry)
    await screen.shown(lambda event: event["pagers"] == [4, 5, 12, 20])
    unit.create(1)
    await screen.shown(lambda event: event["pagers"] == [1, 4, 5, 12, 20])
    unit.clear(12)
    await screen.shown(lambda event: numbers(event) == [1])
    await settle(hass)
    await poll(hass, entry)
    assert screen.shows["pagers"] == [1, 4, 5, 12, 20]


@pytest.mark.logs("could not be saved: disk I/O error")
async def test_pagers_of_late_are_told_once_the_log_can_be_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    async with unreadable(entry.runtime_data.log):
        serve_guest(simulator.unit, 5, minutes_ago=60)
        await poll(hass, entry)
        await settle(hass)
        assert screen.shows["pagers"] == []
    await poll(hass, entry)
    await screen.shown(lambda event: event["pagers"] == [5])


async def test_a_pager_that_was_not_in_use_for_a_fortnight_is_forgotten(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    screen: Screen,
    freezer: FrozenDateTimeFactory,
) -> None:
    serve_guest(simulator.unit, 20, minutes_ago=13 * 24 * 60)
    simulator.unit.create(4)
    entry = await set_up()
    await screen.subscribe()
    assert screen.shows["pagers"] == [4, 20]
    freezer.tick(timedelta(days=2))
    serve_guest(simulator.unit, 5)
    await poll(hass, entry)
    await screen.shown(lambda event: event["pagers"] == [4, 5])


async def test_nothing_is_left_of_an_entry_that_is_reloaded(
    hass: HomeAssistant, set_up: SetUp, screen: Screen
) -> None:
    def listeners() -> int:
        return hass.bus.async_listeners().get(EVENT_HOMEASSISTANT_STOP, 0)

    entry = await set_up()
    await screen.subscribe()
    before, coordinator = listeners(), entry.runtime_data
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert coordinator._listeners == {}
    assert listeners() == before


# ------------------------------------------------------------------------------ who may


async def test_a_user_who_may_read_alone_sees_all_and_controls_nothing(
    simulator: Simulator, set_up: SetUp, open_screen: Open
) -> None:
    simulator.unit.create(7, label="Ortega")
    await set_up()
    reader = await open_screen(GROUP_ID_READ_ONLY)
    await reader.subscribe()
    assert reader.shows["can_control"] is False
    assert reader.row()["label"] == "Ortega"
    session = {"session_id": reader.row()["id"]}
    seat = await reader.refused("lrs_pager/seat", number=7, **session)
    undo = await reader.refused("lrs_pager/undo_seat", **session)
    assert seat == undo == ("unauthorized", "not_allowed")
    assert reader.row()["seating_until"] is None


async def test_a_user_who_is_no_administrator_controls(
    simulator: Simulator, set_up: SetUp, open_screen: Open
) -> None:
    simulator.unit.create(7)
    await set_up()
    waiter = await open_screen(GROUP_ID_USER)
    await waiter.subscribe()
    assert waiter.shows["can_control"] is True
    answer = await waiter.ask("lrs_pager/seat", session_id=waiter.row()["id"], number=7)
    assert answer["success"]


async def test_a_user_who_may_read_alone_learns_which_entries_a_dashboard_has_graphs_of(
    hass: HomeAssistant, set_up: SetUp, open_screen: Open
) -> None:
    assert await async_setup_component(hass, "config", {})
    entry = await set_up()
    waiter = await open_screen(GROUP_ID_READ_ONLY)
    # Home Assistant's own command, which the dashboard's strategy asks.
    answer = await waiter.ask("config_entries/get", domain=DOMAIN)
    assert [found["entry_id"] for found in answer["result"]] == [entry.entry_id]


async def test_a_user_without_rights_is_told_nothing(set_up: SetUp, open_screen: Open) -> None:
    await set_up()
    nobody = await open_screen(policy={})
    assert await nobody.refused("lrs_pager/subscribe") == ("unauthorized", "not_allowed")


async def test_a_user_is_told_of_the_transmitter_that_is_theirs(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, open_screen: Open
) -> None:
    mine = await set_up()
    async with Simulator(unit=simulator.unit) as second:
        other = await set_up(second, title="Garden")
        entity_id = sensor(hass, mine, "active_sessions").entity_id
        user = await open_screen(policy={"entities": {"entity_ids": {entity_id: {"read": True}}}})
        await user.subscribe(device_id=device_id(hass, mine))
        assert user.shows["entry_id"] == mine.entry_id
        assert user.shows["can_control"] is False
        refusal = await user.refused("lrs_pager/subscribe", device_id=device_id(hass, other))
        assert refusal == ("unauthorized", "not_allowed")
        await hass.config_entries.async_remove(mine.entry_id)
        await user.shown(lambda event: event["link"]["state"] == "removed")
        await hass.config_entries.async_unload(other.entry_id)


async def test_the_screen_of_a_user_who_may_not_any_more_is_emptied_and_told_nothing_more(
    simulator: Simulator, set_up: SetUp, screen: Screen, open_screen: Open
) -> None:
    simulator.unit.create(7, label="Ortega")
    entry = await set_up()
    user = await open_screen(policy={"entities": True})
    subscription = await user.subscribe()
    await user.shown(lambda event: numbers(event) == [7])
    await screen.subscribe()
    user.user.mock_policy({})
    simulator.unit.create(8, label="Moreau")
    await screen.shown(lambda event: numbers(event) == [7, 8])
    await user.shown(lambda event: event["link"]["state"] == "removed")
    assert (user.numbers, user.shows["pagers"], user.shows["quotes"]) == ([], [], None)
    assert user.shows["can_control"] is False
    assert user.shows["entry_id"] == entry.entry_id
    told = len(user.events)
    simulator.unit.create(9)
    await screen.shown(lambda event: numbers(event) == [7, 8, 9])
    # That ends it, as after any removal, but there is nothing left to end.
    refusal = await user.refused("unsubscribe_events", subscription=subscription)
    assert refusal == ("not_found", None)
    assert len(user.events) == told
    assert "Moreau" not in json.dumps(user.events)
    assert await user.refused("lrs_pager/subscribe") == ("unauthorized", "not_allowed")
    user.user.mock_policy({"entities": True})
    await user.subscribe()
    assert user.numbers == [7, 8, 9]


# ------------------------------------------------------------------ which transmitter


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("subscribe", {}),
        ("seat", {"session_id": "uuid", "number": 7}),
        ("undo_seat", {"session_id": "uuid"}),
    ],
)
async def test_who_asks_for_a_transmitter_that_is_not_there_is_told_so(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    screen: Screen,
    command: str,
    fields: dict[str, Any],
) -> None:
    command = f"lrs_pager/{command}"
    none, which = ("not_found", "no_transmitter"), ("not_found", "which_transmitter")
    entry = await set_up()
    assert await screen.refused(command, device_id="unknown", **fields) == none
    async with Simulator(unit=simulator.unit) as second:
        other = await set_up(second, title="Garden")
        assert await screen.refused(command, **fields) == which
        await hass.config_entries.async_remove(other.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="ignored").add_to_hass(hass)
    answer = await screen.ask(command, **fields)
    assert answer["error"]["code"] == "not_found"
    assert answer["error"]["message"] == "There is no such transmitter"
    assert answer["error"]["translation_domain"] == DOMAIN


async def test_a_disabled_transmitter_counts_if_there_is_no_other_or_it_is_named(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await screen.subscribe()
    assert (screen.shows["entry_id"], screen.link) == (entry.entry_id, "disabled")
    async with Simulator(unit=simulator.unit) as second:
        other = await set_up(second, title="Garden")
        await screen.subscribe()
        assert (screen.shows["entry_id"], screen.shows["title"]) == (other.entry_id, "Garden")
        await screen.subscribe(device_id=device_id(hass, entry))
        assert (screen.shows["entry_id"], screen.link) == (entry.entry_id, "disabled")
        await hass.config_entries.async_unload(other.entry_id)


# ------------------------------------------------------------------- how it stands with it


async def test_after_a_reload_it_goes_on(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    await screen.subscribe()
    for number in (8, 9):
        assert await hass.config_entries.async_reload(entry.entry_id)
        count = len(screen.events)
        simulator.unit.create(number)
        await screen.shown(lambda event, number=number: number in (numbers(event) or ()))
        passed = screen.events[count:]
        states = [event["link"]["state"] for event in passed]
        assert "loading" in states
        assert "unreachable" not in states
        assert all(event["sessions"] is None for event in passed if not numbers(event))
    await screen.shown(lambda event: event["link"]["state"] == "live")
    assert screen.numbers == [7, 8, 9]


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_while_a_transmitter_does_not_answer_its_last_list_stays(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    simulator.unit.create(7, label="Ortega")
    entry = await set_up()
    await screen.subscribe()
    live = await screen.shown(lambda event: event["link"]["state"] == "live")
    await simulator.stop()
    answered_at = entry.runtime_data.follower.gaps.answered_at
    await poll(hass, entry)
    gone = await screen.shown(lambda event: event["link"]["state"] == "unreachable")
    assert gone["link"]["since"] == answered_at
    assert gone["sessions"] == live["sessions"]
    await simulator.start()
    await poll(hass, entry)
    back = await screen.shown(lambda event: event["link"]["state"] in {"live", "polled"})
    assert gone["now"] <= back["link"]["since"] <= back["now"]
    assert back["sessions"] == live["sessions"]


@pytest.mark.polled
@pytest.mark.logs("The history can't be read")
async def test_while_a_transmitter_answers_with_errors_its_last_list_stays(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    screen: Screen,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(7, label="Ortega")
    entry = await set_up()
    await screen.subscribe()
    known = await screen.shown(lambda event: numbers(event) == [7])
    simulator.faults.errors = {
        ("v1", "sessions"): "5.00",
        ("v1", "sessions", "history"): "5.00",
    }
    await poll(hass, entry)
    since = dt_util.utcnow().timestamp()
    await screen.shown(lambda event: event["link"] == {"state": "unreachable", "since": since})
    freezer.tick(600)
    await poll(hass, entry)
    await screen.subscribe()  # as a tablet that is switched on now
    assert screen.shows["link"] == {"state": "unreachable", "since": since}
    assert screen.shows["sessions"] == known["sessions"]
    simulator.faults.errors = {}
    await poll(hass, entry)
    await screen.shown(lambda event: event["link"]["state"] == "polled")


@pytest.mark.polled
async def test_that_nothing_has_changed_counts_as_an_answer(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up()
    for _ in range(3):
        freezer.tick(10)
        await poll(hass, entry)
        assert entry.runtime_data.follower.gaps.answered_at == dt_util.utcnow().timestamp()
    # Registrations for push come between the polls, before or after.
    lists = [one.answered for one in simulator.requests if one.path == ("v1", "sessions")]
    assert lists[-2:] == ["2.03", "2.03"]


async def test_a_message_counts_as_an_answer(
    simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    await screen.shown(lambda event: event["link"]["state"] == "live")
    before = entry.runtime_data.follower.gaps.answered_at
    simulator.unit.create(7)
    await screen.shown(lambda event: numbers(event) == [7])
    assert entry.runtime_data.follower.gaps.answered_at > before


@pytest.mark.polled
async def test_a_transmitter_that_has_to_be_asked_is_shown_as_such(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    assert screen.link == "polled"
    simulator.unit.create(7)
    await poll(hass, entry)
    await screen.shown(lambda event: numbers(event) == [7])


async def test_a_transmitter_that_tells_its_history_alone_is_shown_as_such(
    simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    simulator.faults.history_only = True
    serve_guest(simulator.unit, 4)
    await set_up()
    await screen.subscribe()
    assert screen.link == "no_list"
    assert screen.numbers is None
    assert screen.shows["pagers"] == [4]


@pytest.mark.usefixtures("short_timeouts")
async def test_a_transmitter_that_is_off_at_start_is_followed_until_it_is_on(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    simulator.faults.silence = True
    simulator.unit.create(7)
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await screen.subscribe()
    assert screen.shows["link"] == {"state": "unreachable", "since": None}
    assert screen.shows["title"] == "T7470"
    assert screen.shows["device_id"] is screen.shows["sessions"] is None
    assert screen.shows["pagers"] == []
    # The next try, as its timer would have it.
    entry.async_cancel_retry_setup()
    await entry.async_setup_locked(hass)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert len(screen.events) == 1
    entry.async_cancel_retry_setup()
    simulator.faults.silence = False
    await entry.async_setup_locked(hass)
    assert entry.state is ConfigEntryState.LOADED
    await screen.shown(lambda event: numbers(event) == [7])
    # That it was tried again was nothing to show.
    assert "loading" not in [event["link"]["state"] for event in screen.events]
    assert screen.shows["device_id"] == device_id(hass, entry)


@pytest.mark.usefixtures("short_timeouts")
async def test_when_it_last_answered_is_known_over_a_reload(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    await screen.shown(lambda event: event["link"]["state"] == "live")
    await settle(hass)
    answered_at = entry.runtime_data.follower.gaps.answered_at
    simulator.faults.silence = True
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await screen.shown(lambda event: event["link"]["state"] == "unreachable")
    assert screen.shows["link"]["since"] == pytest.approx(answered_at, abs=1)


async def test_a_transmitter_that_is_disabled_is_shown_as_such_until_it_is_enabled(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, screen: Screen
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    await screen.subscribe()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    disabled = await screen.shown(lambda event: event["link"]["state"] == "disabled")
    assert disabled["sessions"] is None
    assert disabled["link"]["since"] <= disabled["now"]
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await screen.shown(lambda event: numbers(event) == [7])


async def test_an_entry_that_needs_the_user_is_shown_as_failed(
    hass: HomeAssistant, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    await screen.subscribe()
    await hass.config_entries.async_unload(entry.entry_id)
    entry.mock_state(hass, ConfigEntryState.SETUP_ERROR)
    await screen.shown(lambda event: event["link"]["state"] == "failed")
    assert screen.numbers is None


async def test_that_a_transmitter_was_removed_is_the_last_that_is_told_of_it(
    hass: HomeAssistant, set_up: SetUp, screen: Screen
) -> None:
    entry = await set_up()
    subscription = await screen.subscribe()
    await hass.config_entries.async_remove(entry.entry_id)
    removed = await screen.shown(lambda event: event["link"]["state"] == "removed")
    assert (removed["entry_id"], removed["sessions"]) == (entry.entry_id, None)
    assert removed["can_control"] is False
    await set_up()
    assert (await screen.ask("unsubscribe_events", subscription=subscription))["success"]
    assert screen.shows is removed


# ------------------------------------------------------------------------- seated guests


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have seated guests cleared in a moment."""
    monkeypatch.setattr(seating, "UNDO_TIME", 0.1)


async def time_is_up(hass: HomeAssistant) -> None:
    """Have whatever waits sent now."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seating.UNDO_TIME + 1))
    await hass.async_block_till_done()


@pytest.fixture
def calls(hass: HomeAssistant) -> list[Event[dict[str, Any]]]:
    """The calls of actions."""
    return async_capture_events(hass, EVENT_CALL_SERVICE)


@pytest.fixture
async def host(simulator: Simulator, set_up: SetUp, open_screen: Open) -> Screen:
    """A host's screen; pagers 7 and 8 are out."""
    simulator.unit.create(7, label="Ortega")
    simulator.unit.create(8)
    await set_up()
    host = await open_screen(GROUP_ID_USER)
    await host.subscribe()
    await host.shown(lambda event: event["link"]["state"] == "live")
    return host


async def seat(screen: Screen, number: int = 7) -> float:
    """Tap on "seated"; return when the session will be cleared."""
    session_id = screen.row(number)["id"]
    answer = await screen.ask("lrs_pager/seat", session_id=session_id, number=number)
    assert answer["success"], answer
    clears_at: float = answer["result"]["until"]
    return clears_at


async def undo(screen: Screen, number: int = 7) -> None:
    answer = await screen.ask("lrs_pager/undo_seat", session_id=screen.row(number)["id"])
    assert answer["success"], answer
    assert answer["result"] is None


def is_seated(event: Shown) -> bool:
    """Whether a guest is shown as seated."""
    return any(row["seating_until"] for row in event["sessions"] or ())


@pytest.mark.usefixtures("quick")
async def test_a_seated_guest_is_cleared_in_the_name_of_who_seated_them(
    hass: HomeAssistant, simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    row = host.row()
    clears_at = await seat(host)
    assert clears_at > host.events[0]["now"]
    await host.shown(lambda event: numbers(event) == [8])
    assert clears_at in [event["sessions"][0]["seating_until"] for event in host.events]
    await hass.async_block_till_done()
    assert set(simulator.unit.active) == {8}
    [call] = calls
    assert call.context.user_id == host.user.id
    assert (call.data["domain"], call.data["service"]) == (DOMAIN, "clear_session")
    assert call.data["service_data"] == {
        "config_entry_id": host.shows["entry_id"],
        "number": 7,
        "session_id": row["id"],
    }


async def test_every_screen_shows_a_seated_guest_and_can_undo_it(
    simulator: Simulator, host: Screen, screen: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    await screen.subscribe()
    clears_at = await seat(host)
    for one in (host, screen):
        await one.shown(is_seated)
        assert one.row()["seating_until"] == clears_at
        assert one.row(8)["seating_until"] is None
    # Whoever taps second gets the same time.
    assert await seat(screen) == clears_at
    await undo(screen)
    for one in (host, screen):
        await one.shown(lambda event: not is_seated(event))
    refusal = await host.refused("lrs_pager/undo_seat", session_id=host.row()["id"])
    assert refusal == ("not_found", "nothing_to_undo")
    assert set(simulator.unit.active) == {7, 8}
    assert calls == []


async def test_what_was_undone_is_not_sent(
    hass: HomeAssistant, simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    await seat(host)
    await undo(host)
    await time_is_up(hass)
    assert set(simulator.unit.active) == {7, 8}
    assert calls == []


@pytest.mark.usefixtures("quick")
async def test_a_screen_that_is_closed_changes_nothing_for_a_seated_guest(
    hass: HomeAssistant, simulator: Simulator, host: Screen, screen: Screen
) -> None:
    await screen.subscribe()
    await seat(host)
    await host.close()
    await screen.shown(lambda event: numbers(event) == [8])


@pytest.mark.usefixtures("quick")
async def test_it_is_too_late_to_undo_once_it_was_sent(
    simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    simulator.faults.network.delay = 0.3
    session_id = host.row()["id"]
    clears_at = await seat(host)
    await until(lambda: calls)
    assert await host.refused("lrs_pager/undo_seat", session_id=session_id) == (
        "not_found",
        "nothing_to_undo",
    )
    assert await seat(host) == clears_at
    simulator.faults.network.delay = 0
    await host.shown(lambda event: numbers(event) == [8])
    assert len(calls) == 1


@pytest.mark.usefixtures("quick")
async def test_a_guest_who_could_not_be_cleared_is_shown_with_the_reason(
    hass: HomeAssistant, simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    simulator.faults.errors["v1", "sessions"] = "5.03"
    await seat(host)
    await host.shown(lambda event: event["sessions"][0]["notice"])
    assert host.row()["notice"] == {"key": "rejected", "placeholders": {"code": "5.03"}}
    assert host.row()["seating_until"] is None
    assert host.row(8)["notice"] is None
    simulator.faults.errors.clear()
    await seat(host)
    await host.shown(lambda event: numbers(event) == [8])
    assert len(calls) == 2
    # It is gone while the session is seated for the second time.
    assert all(row["notice"] is None for event in host.events[-2:] for row in event["sessions"])


async def test_a_session_that_ends_at_the_keypad_is_not_cleared_nor_is_the_next_on_its_pager(
    hass: HomeAssistant, simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    before = host.row()["id"]
    await seat(host)
    simulator.unit.clear(7)
    simulator.unit.create(7)
    await host.shown(
        lambda event: numbers(event) == [8, 7] and event["sessions"][1]["id"] != before
    )
    await time_is_up(hass)
    assert set(simulator.unit.active) == {7, 8}
    assert calls == []
    assert (host.row()["seating_until"], host.row()["notice"]) == (None, None)


@pytest.mark.parametrize("way", ["reload", "disable", "remove"])
async def test_what_waits_while_an_entry_goes_is_not_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    host: Screen,
    calls: list[Event[dict[str, Any]]],
    way: str,
) -> None:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    await seat(host)
    await host.shown(is_seated)
    if way == "reload":
        await hass.config_entries.async_reload(entry.entry_id)
        await host.shown(lambda event: numbers(event) == [7, 8] and not is_seated(event))
    elif way == "disable":
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    else:
        await hass.config_entries.async_remove(entry.entry_id)
    await time_is_up(hass)
    assert set(simulator.unit.active) == {7, 8}
    assert calls == []


async def test_what_waits_while_home_assistant_stops_is_not_sent(
    hass: HomeAssistant, simulator: Simulator, host: Screen, calls: list[Event[dict[str, Any]]]
) -> None:
    await seat(host)
    await host.close()
    has_waited = False

    async def stop_slowly(_: Event) -> None:
        nonlocal has_waited
        await asyncio.sleep(0)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seating.UNDO_TIME + 1))
        await asyncio.sleep(0)
        has_waited = True

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop_slowly)
    await hass.async_stop()
    assert has_waited
    assert set(simulator.unit.active) == {7, 8}
    assert calls == []


async def test_who_is_not_there_can_not_be_seated(
    hass: HomeAssistant, host: Screen, set_up: SetUp
) -> None:
    session_id = host.row()["id"]
    for fields in (
        {"session_id": "unknown", "number": 7},
        # A tap on a row that has moved since.
        {"session_id": session_id, "number": 8},
    ):
        assert await host.refused("lrs_pager/seat", **fields) == ("not_found", "no_session")
    [entry] = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    fields = {"session_id": session_id, "number": 7}
    assert await host.refused("lrs_pager/seat", **fields) == ("not_found", "not_loaded")
    refusal = await host.refused("lrs_pager/undo_seat", session_id=session_id)
    assert refusal == ("not_found", "nothing_to_undo")
