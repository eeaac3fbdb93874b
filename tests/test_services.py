"""Actions: what arrives at the transmitter, what they return, what entities show right after."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
import logging
from pathlib import Path
import re
from typing import Any

from aiocoap.numbers.codes import Code
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol
import yaml

from custom_components.lrs_pager import services
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.sessions import log
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sync.picture import Picture
from custom_components.lrs_pager.transmitter import coap
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.selector import validate_selector
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest
from tests.simulator import Simulator, Unit
from tests.simulator.replies import Reply

PRODUCT = Path(__file__).parents[1] / "custom_components" / DOMAIN
WORDS = json.loads((PRODUCT / "translations" / "en.json").read_text())["exceptions"]
ACTIONS = yaml.safe_load((PRODUCT / "services.yaml").read_text())

SESSIONS = ("v1", "sessions")
HISTORY = ("v1", "sessions", "history")
PAGE = ("v1", "page")

NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)  # in the harness's zone, US/Pacific

# All that ask the transmitter for something, with what they need.
COMMANDS: dict[str, dict[str, Any]] = {
    "start_session": {},
    "update_session": {"party_size": 5},
    "page_session": {},
    "clear_session": {},
    "remove_session": {},
    "send_page": {},
}
# The least that each other action needs, where it needs something.
ASKED: dict[str, dict[str, Any]] = {"get_quote": {"party_size": 2}}
# The one that says what went wrong rather than fail: it is read aloud.
ANSWERING = "answer"
failing = pytest.mark.parametrize("action", [key for key in ACTIONS if key != ANSWERING])
commands = pytest.mark.parametrize(("action", "fields"), COMMANDS.items(), ids=COMMANDS)
changes = pytest.mark.parametrize(
    ("action", "fields"), list(COMMANDS.items())[1:5], ids=list(COMMANDS)[1:5]
)

# With changes told as they happen, and with nothing but polls.
pushed_and_polled = pytest.mark.parametrize(
    "way", ["pushed", pytest.param("polled", marks=pytest.mark.polled)]
)


async def act(hass: HomeAssistant, action: str, **data: Any) -> Any:
    """Call an action, and return its response, if it has one."""
    responds = hass.services.supports_response(DOMAIN, action) is not SupportsResponse.NONE
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=responds
    )


async def failure(hass: HomeAssistant, action: str, **data: Any) -> HomeAssistantError:
    """The error that an action ends with, which has words for the user."""
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, action, **data)
    err = caught.value
    assert err.translation_domain == DOMAIN
    assert err.translation_key is not None
    words = WORDS[err.translation_key]["message"]
    assert set(re.findall(r"{(\w+)}", words)) == set(err.translation_placeholders or {})
    return err


async def refusal(hass: HomeAssistant, action: str, **data: Any) -> str | None:
    """The key of the error that an action ends with, and which is for the user to mend."""
    err = await failure(hass, action, **data)
    assert isinstance(err, ServiceValidationError)
    return err.translation_key


def sent(simulator: Simulator) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bytes]]:
    """The commands that arrived."""
    return [
        (request.code, request.path, request.query, request.payload)
        for request in simulator.requests
        if request.code != "GET"
    ]


def body(simulator: Simulator) -> dict[str, Any]:
    """What the one command that arrived said."""
    [(_, _, _, payload)] = sent(simulator)
    found: dict[str, Any] = json.loads(payload)
    return found


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to happen; also where time stands still."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def listening(entry: MockConfigEntry, way: str = "pushed") -> None:
    """Wait for the transmitter to have us on its list, or to say that it won't."""
    push = entry.runtime_data.follower.push
    await until(
        lambda: push.state in ({"accepted", "live"} if way == "pushed" else {"not_offered"})
    )


async def told_of_all(entry: MockConfigEntry, simulator: Simulator, way: str = "pushed") -> None:
    """The same, and have it show that what it tells arrives."""
    await listening(entry, way)
    if way == "pushed":
        await until(lambda: entry.runtime_data.follower.push.is_proved)
    simulator.requests.clear()


def answer_commands(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, payload: bytes, code: Code | None = None
) -> None:
    """Have the transmitter do what it is told, and answer this."""
    answer = simulator._resources.answer

    def reply(method: Code, *args: Any) -> Any:
        real = answer(method, *args)
        return real if method == Code.GET else replace(real, body=payload, code=code or real.code)

    monkeypatch.setattr(simulator._resources, "answer", reply)


def reject_commands(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the transmitter say no to commands."""
    answer_commands(simulator, monkeypatch, b"", Code.INTERNAL_SERVER_ERROR)


def leave_commands_unanswered(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the transmitter do what it is told, and say nothing; what it is asked, it answers."""
    answer = simulator._resources.answer

    def reply(method: Code, *args: Any) -> Any:
        simulator.faults.empty_ack = method != Code.GET
        return answer(method, *args)

    monkeypatch.setattr(simulator._resources, "answer", reply)


def counts(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """What the sensors of active and ended sessions say."""
    keys = ("active_sessions", "waiting_sessions", "paged_sessions", "daily_count")
    return {key.partition("_")[0]: sensor(hass, entry, key).state for key in keys}


def listed(hass: HomeAssistant, entry: MockConfigEntry) -> list[dict[str, Any]]:
    """The active sessions, as a dashboard lists them."""
    sessions: list[dict[str, Any]] = sensor(hass, entry, "active_sessions").attributes["sessions"]
    return sessions


# --------------------------------------------------------------------- a guest's session


@pushed_and_polled
async def test_a_guest_gets_a_pager_and_is_shown_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    way: str,
) -> None:
    freezer.move_to(NOON)
    entry = await set_up()
    await told_of_all(entry, simulator, way)
    told = await act(hass, "start_session", number=7, label="Ortega", party_size=4, goal=900)
    assert counts(hass, entry) == {"active": "1", "waiting": "1", "paged": "0", "daily": "0"}
    assert sensor(hass, entry, "guests_waiting").state == "4"
    [shown] = listed(hass, entry)
    assert (shown["number"], shown["party_size"], shown["goal_seconds"]) == (7, 4, 900)
    # One message; what is told of all that happens need not be asked whether the pager is free.
    look = [] if way == "pushed" else [("GET", SESSIONS)]
    requests = [(request.code, request.path) for request in simulator.requests]
    assert requests == [*look, ("POST", SESSIONS)]
    assert simulator.requests[-1].payload == (
        b'{"number":7,"goal":900,"label":"Ortega","partySize":4}'
    )
    assert told == {
        "session": {
            "session_id": simulator.unit.active[7].uuid,
            "number": 7,
            "label": "Ortega",
            "party_size": 4,
            "goal_seconds": 900,
            "state": "started",
            "created": "2026-11-23T12:00:00-08:00",
            "notified": None,
            "cleared": None,
            "clear_type": None,
            "wait_seconds": None,
            "response_seconds": None,
        }
    }


async def test_a_session_needs_no_more_than_a_number(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.default_target_goal = 420
    await set_up()
    told = await act(hass, "start_session", number=7)
    assert body(simulator) == {"number": 7}
    assert told["session"]["goal_seconds"] == 420


@pushed_and_polled
async def test_a_session_is_changed_where_the_user_says_so_and_shown_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    simulator.unit.create(7, goal=600, label="Ortega", party_size=2)
    entry = await set_up(show_names_in_states=True)
    await listening(entry, way)
    told = await act(hass, "update_session", number=7, party_size=5)
    [shown] = listed(hass, entry)
    assert (shown["party_size"], shown["label"], shown["goal_seconds"]) == (5, "Ortega", 600)
    assert told["session"]["party_size"] == 5
    assert sent(simulator) == [("PUT", SESSIONS, ("number=7",), b'{"partySize":5}')]
    told = await act(hass, "update_session", number=7, label="", goal=60)
    [shown] = listed(hass, entry)
    assert (shown["party_size"], shown["label"], shown["goal_seconds"]) == (5, None, 60)
    assert told["session"]["label"] is None
    assert sent(simulator)[1:] == [("PUT", SESSIONS, ("number=7",), b'{"goal":60,"label":""}')]


@pushed_and_polled
async def test_a_guest_is_paged_and_shown_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    with simulator.unit.at(local_time() - timedelta(seconds=90)):
        simulator.unit.create(7)
    entry = await set_up()
    await listening(entry, way)
    told = await act(hass, "page_session", number=7, page_mode="Flash5Min")
    assert counts(hass, entry) == {"active": "1", "waiting": "0", "paged": "1", "daily": "0"}
    assert sent(simulator) == [
        ("PUT", SESSIONS, ("number=7",), b'{"action":"page","pageMode":"Flash5Min"}')
    ]
    [page] = simulator.unit.pages
    assert (page.number, page.mode) == (7, "Flash5Min")
    assert told["session"]["state"] == "paged"
    assert told["session"]["wait_seconds"] in (90, 91)


@pushed_and_polled
@pytest.mark.parametrize("action", ["clear", "remove"])
async def test_a_session_is_ended_and_off_the_list_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, way: str
) -> None:
    simulator.unit.create(7, label="Ortega")
    simulator.unit.create(8)
    entry = await set_up()
    await listening(entry, way)
    told = await act(hass, f"{action}_session", number=7)
    assert counts(hass, entry) == {"active": "1", "waiting": "1", "paged": "0", "daily": "1"}
    assert [session["number"] for session in listed(hass, entry)] == [8]
    assert sent(simulator) == [
        ("PUT", SESSIONS, ("number=7",), b'{"action":"%s"}' % action.encode())
    ]
    [session] = simulator.unit.ledger
    assert session.clear_type == {"clear": "STOP", "remove": "REMOVED"}[action]
    assert (told["session"]["state"], told["session"]["label"]) == ("cleared", "Ortega")
    assert told["session"]["cleared"] is not None


@pytest.mark.parametrize("action", ["clear", "remove"])
async def test_how_a_session_ended_is_known_soon_after(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    simulator.unit.create(7)
    await set_up()
    await act(hass, f"{action}_session", number=7)

    async def ended() -> str | None:
        [session] = (await act(hass, "get_history"))["sessions"]
        clear_type: str | None = session["clear_type"]
        return clear_type

    for _ in range(100):
        if (found := await ended()) is not None:
            break
        await asyncio.sleep(0.05)
    assert found == {"clear": "STOP", "remove": "REMOVED"}[action]


# ----------------------------------------------------------------- a page without a session


async def test_a_waiter_is_paged(hass: HomeAssistant, simulator: Simulator, set_up: SetUp) -> None:
    entry = await set_up()
    before = counts(hass, entry)
    answer = await act(
        hass, "send_page", number=31, page_mode="Vibe1", message="Table 4: crème", system_id=2
    )
    assert answer is None
    assert sent(simulator) == [
        (
            "POST",
            PAGE,
            (),
            '{"number":31,"pageMode":"Vibe1","message":"Table 4: crème","systemId":2}'.encode(),
        )
    ]
    [page] = simulator.unit.pages
    assert (page.number, page.mode, page.message, page.system_id) == (
        31,
        "Vibe1",
        "Table 4: crème",
        2,
    )
    assert counts(hass, entry) == before


async def test_a_page_needs_no_more_than_a_number(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    await act(hass, "send_page", number=31, message=" \n ")
    assert sent(simulator) == [("POST", PAGE, (), b'{"number":31}')]


async def test_page_after_page_goes_out_without_anything_in_between(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    # Nothing that is shown changes, so there is nothing to be read.
    entry = await set_up()
    await listening(entry)
    simulator.requests.clear()
    for number in range(1, 6):
        await act(hass, "send_page", number=number)
    assert [request.path for request in simulator.requests] == [PAGE] * 5


# --------------------------------------------------------------------- once, and not later


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
@pytest.mark.parametrize("action", ["send_page", "page_session"])
async def test_a_page_whose_answer_is_lost_is_sent_once_and_the_user_told_of_the_doubt(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    simulator.faults.network.loss_out = 1
    assert (await failure(hass, action, number=7)).translation_key == "maybe_done"
    simulator.faults.network.loss_out = 0
    await poll(hass, entry)
    assert len(sent(simulator)) == 1
    assert len(simulator.unit.pages) == 1


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
@pytest.mark.parametrize("action", ["send_page", "page_session"])
async def test_a_page_that_did_not_get_through_is_never_sent_later(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    simulator.faults.silence = True
    assert (await failure(hass, action, number=7)).translation_key == "maybe_done"
    simulator.faults.silence = False
    await poll(hass, entry)
    await asyncio.sleep(0.5)
    await act(hass, "send_page", number=9)
    assert [page.number for page in simulator.unit.pages] == [9]


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
@pytest.mark.parametrize("action", ["start_session", "page_session"])
async def test_nobody_waits_for_ever_behind_another_action(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    session = simulator.unit.create(7)
    entry = await set_up()
    fields = {"number": 8} if action == "start_session" else {"session_id": session.uuid}
    async with asyncio.timeout(10), entry.runtime_data.commands.session_lock:
        err = await failure(hass, action, **{"number": 7, **fields})
    assert err.translation_key == "timed_out"
    await act(hass, action, **{"number": 7, **fields})
    assert len(sent(simulator)) == 1


@pytest.mark.polled
async def test_a_page_does_not_wait_behind_a_read_without_an_answer(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    session = simulator.unit.create(7)
    entry = await set_up()
    simulator.faults.deaf_to_history = True
    entry.runtime_data.follower.poller.history.begin_anew()
    reading = hass.async_create_task(entry.runtime_data.async_refresh())
    await asyncio.sleep(0.05)  # the history was requested
    async with asyncio.timeout(coap.EXCHANGE_TIMEOUT / 2):
        await act(hass, "page_session", number=7, session_id=session.uuid)
    assert session.notified
    assert not reading.done()
    simulator.faults.deaf_to_history = False
    await reading


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
@commands
async def test_what_comes_before_a_command_makes_it_no_later(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    fields: dict[str, Any],
) -> None:
    if action != "start_session":
        simulator.unit.create(7)
    entry = await set_up()

    async def slow() -> None:
        await asyncio.sleep(0.6)

    monkeypatch.setattr(entry.runtime_data.commands, "identify", slow)
    err = await failure(hass, action, number=7, **fields)
    assert err.translation_key == "timed_out"
    assert sent(simulator) == []


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("page", {"active": "1", "waiting": "0", "paged": "1", "daily": "0"}),
        ("clear", {"active": "0", "waiting": "0", "paged": "0", "daily": "1"}),
        ("remove", {"active": "0", "waiting": "0", "paged": "0", "daily": "1"}),
    ],
)
async def test_what_may_have_been_done_is_looked_up_so_that_entities_are_right(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    after: dict[str, str],
) -> None:
    with simulator.unit.at(local_time() - timedelta(seconds=90)):  # no slip at the keypad
        simulator.unit.create(7)
    entry = await set_up()
    leave_commands_unanswered(simulator, monkeypatch)
    err = await failure(hass, f"{action}_session", number=7)
    assert not isinstance(err, ServiceValidationError)
    assert err.translation_key == "maybe_done"
    await until(lambda: counts(hass, entry) == after)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
async def test_a_session_that_may_have_been_started_is_looked_up(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    leave_commands_unanswered(simulator, monkeypatch)
    err = await failure(hass, "start_session", number=7)
    assert err.translation_key == "maybe_done"
    await until(lambda: counts(hass, entry)["active"] == "1")
    assert await refusal(hass, "start_session", number=7) == "already_active"


@pytest.mark.polled
@pytest.mark.parametrize("action", ["send_page", "page_session"])
async def test_a_page_does_not_wait_for_the_end_of_a_long_history(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    for number in range(1, 31):
        serve_guest(simulator.unit, number)
    simulator.unit.create(7)
    entry = await set_up()
    simulator.unit.create(99)  # so that the history is read ...
    simulator.unit.history.reverse()  # ... and all of it
    simulator.requests.clear()
    simulator.faults.network.delay = 0.01
    reading = asyncio.create_task(poll(hass, entry))
    await until(lambda: sum(request.path == HISTORY for request in simulator.requests) == 2)
    await act(hass, action, number=7)
    assert not reading.done()
    await reading
    order = [request.code for request in simulator.requests]
    assert len(order) > 8
    assert max(order.index(code) for code in ("PUT", "POST") if code in order) <= 5


@pytest.mark.polled
async def test_a_pager_that_came_back_is_given_out_without_reading_a_long_history(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 31):
        serve_guest(simulator.unit, number)
    simulator.unit.create(7)
    entry = await set_up()
    await listening(entry, "polled")
    simulator.unit.clear(7)
    simulator.requests.clear()
    await act(hass, "start_session", number=7)
    assert [(request.code, request.path) for request in simulator.requests] == [
        ("GET", SESSIONS),
        ("POST", SESSIONS),
    ]
    assert counts(hass, entry)["active"] == "1"


# -------------------------------------------------------------------------- pagers in use


@pushed_and_polled
async def test_a_pager_in_use_is_not_given_to_another_guest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    entry = await set_up()
    await listening(entry, way)
    simulator.unit.create(7, label="Ortega")
    await poll(hass, entry)
    assert await refusal(hass, "start_session", number=7, label="Okafor") == "already_active"
    assert sent(simulator) == []
    assert simulator.unit.active[7].label == "Ortega"


@pytest.mark.polled
async def test_a_pager_that_came_back_since_the_last_poll_is_free(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(7, label="Ortega")
    entry = await set_up(show_names_in_states=True)
    simulator.unit.clear(7)
    told = await act(hass, "start_session", number=7, label="Okafor")
    assert told["session"]["label"] == "Okafor"
    assert [session["label"] for session in listed(hass, entry)] == ["Okafor"]
    # The other's session is not lost.
    await poll(hass, entry)
    assert counts(hass, entry)["daily"] == "1"


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.polled
async def test_whether_a_pager_is_free_is_not_guessed(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(7)
    await set_up()
    simulator.faults.deaf_to_sessions = True
    err = await failure(hass, "start_session", number=7)
    assert err.translation_key == "timed_out"
    simulator.faults.deaf_to_sessions = False
    simulator.canned[SESSIONS] = b"<html>"
    err = await failure(hass, "start_session", number=7)
    assert (err.translation_key, err.translation_placeholders) == ("malformed", {"field": "body"})
    assert sent(simulator) == []


@pushed_and_polled
@changes
async def test_a_pager_without_a_session_is_told_so(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    way: str,
) -> None:
    simulator.unit.create(8)
    entry = await set_up()
    await listening(entry, way)
    err = await failure(hass, action, number=7, **fields)
    assert (err.translation_key, err.translation_placeholders) == ("no_session", {"number": "7"})
    assert counts(hass, entry)["active"] == "1"
    assert simulator.unit.pages == []


@pytest.mark.polled
@changes
async def test_a_session_that_ended_since_the_last_poll_is_off_the_list_then(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, fields: dict[str, Any]
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    simulator.unit.remove(7)
    assert await refusal(hass, action, number=7, **fields) == "no_session"
    await until(lambda: counts(hass, entry)["active"] == "0")


@pytest.mark.polled
@changes
async def test_a_transmitter_that_answers_with_an_empty_list_has_no_such_session(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    fields: dict[str, Any],
) -> None:
    await set_up()
    answer_commands(
        simulator, monkeypatch, b'{"responseTypes":["sessions"],"sessions":[]}', Code.CHANGED
    )
    assert await refusal(hass, action, number=7, **fields) == "no_session"


@pushed_and_polled
async def test_a_pager_that_was_just_given_out_at_the_keypad_is_not_given_to_another_guest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    # What has not shown to arrive is not relied upon.
    simulator._observers._pings_at_once = False
    entry = await set_up()
    await listening(entry, way)
    simulator.forget_observers()
    simulator.unit.create(7, label="Ortega", party_size=5)
    assert await refusal(hass, "start_session", number=7, label="Okafor") == "already_active"
    assert sent(simulator) == []
    assert counts(hass, entry)["active"] == "1"


@pushed_and_polled
async def test_of_two_who_give_out_the_same_pager_at_once_one_is_told_yes_and_one_no(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, way: str
) -> None:
    entry = await set_up()
    await told_of_all(entry, simulator, way)
    labels = ["Ortega", "Okafor", "Oduya"]
    told = await asyncio.gather(
        *(act(hass, "start_session", number=7, label=label) for label in labels),
        return_exceptions=True,
    )
    [yes] = [answer for answer in told if isinstance(answer, dict)]
    noes = [answer for answer in told if isinstance(answer, ServiceValidationError)]
    assert [no.translation_key for no in noes] == ["already_active"] * 2
    assert len(sent(simulator)) == 1
    assert yes["session"]["label"] == simulator.unit.active[7].label


@pytest.mark.usefixtures("short_timeouts")
async def test_who_gives_out_a_pager_right_after_one_who_was_told_of_a_doubt_is_told_no(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await told_of_all(entry, simulator)
    simulator.forget_observers()
    leave_commands_unanswered(simulator, monkeypatch)
    labels = ("Ortega", "Okafor")
    errors = [await failure(hass, "start_session", number=7, label=label) for label in labels]
    assert [err.translation_key for err in errors] == ["maybe_done", "already_active"]
    assert simulator.unit.active[7].label == "Ortega"


@pytest.mark.usefixtures("short_timeouts")
async def test_who_gives_out_a_pager_right_after_a_script_was_stopped_that_did_is_told_no(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await told_of_all(entry, simulator)
    simulator.forget_observers()
    leave_commands_unanswered(simulator, monkeypatch)
    stopped = asyncio.create_task(act(hass, "start_session", number=7, label="Ortega"))
    await until(lambda: 7 in simulator.unit.active)
    second = asyncio.create_task(refusal(hass, "start_session", number=7, label="Okafor"))
    await asyncio.sleep(0)
    stopped.cancel()
    assert await second == "already_active"
    assert simulator.unit.active[7].label == "Ortega"


@pytest.mark.polled
async def test_the_look_and_the_command_that_follows_from_it_are_not_parted_by_another_call(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    session = simulator.unit.create(7)
    entry = await set_up()
    await told_of_all(entry, simulator, "polled")
    simulator.faults.separate = True
    await asyncio.gather(
        act(hass, "page_session", number=7, session_id=session.uuid),
        act(hass, "start_session", number=8),
        act(hass, "start_session", number=9),
    )
    assert [request.code for request in simulator.requests][:6] == [
        *("GET", "PUT"),
        *("GET", "POST"),
        *("GET", "POST"),
    ]


@pytest.mark.polled
async def test_a_transmitter_that_does_not_answer_keeps_nobody_from_using_another(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=Unit(now=local_time)) as other:
        t7470, bar = await set_up(), await set_up(other, title="Bar")
        other.faults.silence = True
        waits = asyncio.create_task(
            act(hass, "start_session", number=7, config_entry_id=bar.entry_id)
        )
        await asyncio.sleep(0)
        await act(hass, "start_session", number=7, config_entry_id=t7470.entry_id)
        assert list(simulator.unit.active) == [7]
        assert not waits.done()
        other.faults.silence = False
        await waits
        assert list(other.unit.active) == [7]
        await hass.config_entries.async_unload(bar.entry_id)


def at_the_keypad_before_the_command(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]
) -> None:
    """Have something happen after a look was answered, and before the command arrives."""
    answer = simulator._resources.answer

    def reply(method: Code, *args: Any) -> Any:
        if method != Code.GET:
            happen()
        return answer(method, *args)

    monkeypatch.setattr(simulator._resources, "answer", reply)


@pytest.mark.polled
async def test_a_pager_that_is_given_out_while_it_is_asked_for_is_not_given_to_another_guest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    simulator.hooks[SESSIONS, 0] = lambda: simulator.unit.create(7, label="Ortega")
    assert await refusal(hass, "start_session", number=7, label="Okafor") == "already_active"
    assert sent(simulator) == []


@pushed_and_polled
@pytest.mark.parametrize("skew", [0, 5, -26], ids=lambda hours: f"{hours}h")
@pytest.mark.parametrize("answer", ["told", "without the time", "empty"])
async def test_a_pager_given_out_between_the_look_and_the_command_is_not_claimed_as_started(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    skew: int,
    way: str,
) -> None:
    simulator.unit.skew = timedelta(hours=skew)
    entry = await set_up()
    await told_of_all(entry, simulator, way)
    simulator.forget_observers()  # the message of it is under way
    reply_with(simulator, monkeypatch, answer)

    def keypad() -> None:
        with simulator.unit.at(local_time() - timedelta(seconds=20)):
            simulator.unit.create(7, label="Ortega", party_size=5)

    at_the_keypad_before_the_command(simulator, monkeypatch, keypad)
    err = await failure(hass, "start_session", number=7, party_size=2)
    assert not isinstance(err, ServiceValidationError)
    assert err.translation_key == "other_session_changed"
    assert err.translation_placeholders == {"number": "7"}
    # What has come of it is shown.
    assert [session["party_size"] for session in listed(hass, entry)] == [2]


@pushed_and_polled
@pytest.mark.parametrize("skew", [0, 5, -26], ids=lambda hours: f"{hours}h")
@pytest.mark.parametrize("answer", ["told", "without the time", "empty"])
async def test_a_session_that_was_started_is_no_other_whatever_the_transmitters_clock_shows(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    skew: int,
    way: str,
) -> None:
    simulator.unit.skew = timedelta(hours=skew)
    entry = await set_up()
    await told_of_all(entry, simulator, way)
    reply_with(simulator, monkeypatch, answer)
    told = await act(hass, "start_session", number=7)
    assert told["session"]["session_id"] == simulator.unit.active[7].uuid


def reply_with(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Have commands answered in full, without the transmitter's time, or with nothing."""
    if answer == "empty":
        answer_commands(simulator, monkeypatch, b"")
    elif answer == "without the time":
        tell = simulator._resources._envelope

        def told(**payload: object) -> bytes:
            envelope = json.loads(tell(**payload))
            if len(payload.get("sessions", ())) == 1:  # type: ignore[arg-type]
                del envelope["timestamp"]
            return json.dumps(envelope).encode()

        monkeypatch.setattr(simulator._resources, "_envelope", told)


@pytest.mark.polled
@pytest.mark.parametrize(("seconds", "is_ours"), [(3, True), (4, False)])
async def test_stamps_of_whole_seconds_are_not_taken_too_exactly(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    freezer: FrozenDateTimeFactory,
    seconds: int,
    *,
    is_ours: bool,
) -> None:
    freezer.move_to(NOON)
    await set_up()
    create = simulator.unit.create

    def slowly(number: int, **fields: Any) -> Any:
        with simulator.unit.at(local_time() - timedelta(seconds=seconds)):
            return create(number, **fields)

    monkeypatch.setattr(simulator.unit, "create", slowly)
    if is_ours:
        told = await act(hass, "start_session", number=7)
        assert told["session"]["number"] == 7
    else:
        err = await failure(hass, "start_session", number=7)
        assert err.translation_key == "other_session_changed"


@pytest.mark.polled
async def test_where_it_cannot_be_asked_whether_a_pager_is_free_it_is_not_given_out(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    session = simulator.unit.create(7)
    await set_up()
    simulator.faults.errors[SESSIONS] = "5.03"
    for action, fields in (
        ("start_session", {"number": 8}),
        ("clear_session", {"number": 7, "session_id": session.uuid}),
    ):
        err = await failure(hass, action, **fields)
        assert err.translation_key == "rejected"
        assert err.translation_placeholders == {"code": "5.03"}
    assert sent(simulator) == []


def without_a_list(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the transmitter know commands, and nothing of which sessions are active."""
    answer = simulator._resources.answer

    def reply(method: Code, path: Any, *args: Any) -> Any:
        if (method, path) == (Code.GET, SESSIONS):
            return Reply(Code.METHOD_NOT_ALLOWED)
        return answer(method, path, *args)

    monkeypatch.setattr(simulator._resources, "answer", reply)


@pytest.mark.polled
async def test_firmware_that_has_commands_and_no_list_gives_out_pagers_all_the_same(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_list(simulator, monkeypatch)
    await set_up()
    told = await act(hass, "start_session", number=7, label="Ortega")
    assert told["session"]["label"] == "Ortega"
    # Which session is on a pager, it can't tell.
    fields = {"number": 7, "session_id": told["session"]["session_id"]}
    assert await refusal(hass, "page_session", **fields) == "no_live_sessions"
    await act(hass, "page_session", number=7)
    assert len(simulator.unit.pages) == 1


# ------------------------------------------------------------------- this guest, not the next


@pushed_and_polled
@changes
async def test_an_action_for_a_guests_session_is_for_that_session(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    way: str,
) -> None:
    session = simulator.unit.create(7)
    entry = await set_up()
    await told_of_all(entry, simulator, way)
    told = await act(hass, action, number=7, session_id=session.uuid, **fields)
    assert told["session"]["session_id"] == session.uuid
    # What was told may be another by now.
    assert [request.code for request in simulator.requests][:2] == ["GET", "PUT"]


@pushed_and_polled
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "not known"])
@changes
async def test_an_action_for_a_guest_never_hits_the_next_guest_on_that_pager(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    *,
    is_known: bool,
    way: str,
) -> None:
    first = simulator.unit.create(7, party_size=2)
    entry = await set_up()
    await listening(entry, way)
    if not is_known:
        simulator.forget_observers()
    simulator.unit.clear(7)
    second = simulator.unit.create(7, party_size=3)
    if is_known:
        await poll(hass, entry)
    err = await failure(hass, action, number=7, session_id=first.uuid, **fields)
    assert isinstance(err, ServiceValidationError)
    assert (err.translation_key, err.translation_placeholders) == ("other_session", {"number": "7"})
    assert sent(simulator) == []
    assert (second.party_size, second.state) == (3, "started")


@pushed_and_polled
@changes
async def test_a_guest_who_has_left_has_no_session(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    way: str,
) -> None:
    session = simulator.unit.create(7)
    entry = await set_up()
    await listening(entry, way)
    simulator.unit.clear(7)
    found = await refusal(hass, action, number=7, session_id=session.uuid, **fields)
    assert found == "no_session"
    assert sent(simulator) == []


async def test_what_we_missed_is_found_out_before_a_guest_is_said_to_be_gone(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await told_of_all(entry, simulator)
    simulator.forget_observers()
    session = simulator.unit.create(7)
    await act(hass, "page_session", number=7, session_id=session.uuid)
    assert [page.number for page in simulator.unit.pages] == [7]


async def test_what_we_missed_is_found_out_before_a_pager_is_said_to_be_in_use(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    await told_of_all(entry, simulator)
    simulator.forget_observers()
    simulator.unit.clear(7)
    await act(hass, "start_session", number=7)
    assert list(simulator.unit.active) == [7]


@pytest.mark.polled
@pytest.mark.parametrize("session_id", ["", "None", " ", "7"])
@changes
async def test_an_id_that_is_none_is_no_session(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    session_id: str,
) -> None:
    # As a template renders what is not there.
    simulator.unit.create(7)
    await set_up()
    found = await refusal(hass, action, number=7, session_id=session_id, **fields)
    assert found == "other_session"
    assert sent(simulator) == []


@pytest.mark.polled
@pytest.mark.parametrize("is_first_without", [True, False])
async def test_a_session_that_is_told_with_its_uuid_and_without_it_is_meant_by_either_id(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, *, is_first_without: bool
) -> None:
    session = simulator.unit.create(7)
    ids = {session.uuid, f"{session.id}@{session.created.isoformat()}"}
    told = set()
    for is_without in (is_first_without, not is_first_without):
        simulator.faults.wrong = {"uuid": None} if is_without else {}
        if not told:
            await set_up()
        found = await act(hass, "update_session", number=7, party_size=3)
        told.add(found["session"]["session_id"])
    assert told == (ids if is_first_without else {session.uuid})
    for session_id in ids:
        await act(hass, "page_session", number=7, session_id=session_id)
    assert len(simulator.unit.pages) == 2


@pushed_and_polled
@pytest.mark.parametrize("action", ["update_session", "page_session", "clear_session"])
async def test_a_command_that_hit_the_next_guest_after_all_is_not_said_to_have_hit_the_right_one(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    way: str,
) -> None:
    first = simulator.unit.create(7)
    entry = await set_up()
    await told_of_all(entry, simulator, way)

    def keypad() -> None:
        simulator.unit.clear(7)
        simulator.unit.create(7)

    at_the_keypad_before_the_command(simulator, monkeypatch, keypad)
    err = await failure(hass, action, number=7, session_id=first.uuid, **COMMANDS[action])
    assert not isinstance(err, ServiceValidationError)
    assert err.translation_key == "other_session_changed"


# ---------------------------------------------------------- answers that tell little or nothing


@pytest.mark.polled
@pytest.mark.parametrize("payload", [b"", b"<html>"], ids=["none", "unreadable"])
async def test_where_the_answer_tells_nothing_the_state_is_asked_for_before_the_action_ends(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    payload: bytes,
) -> None:
    entry = await set_up(show_names_in_states=True)
    answer_commands(simulator, monkeypatch, payload)
    told = await act(hass, "start_session", number=7, label="Ortega")
    assert (told["session"]["number"], told["session"]["label"]) == (7, "Ortega")
    assert counts(hass, entry)["waiting"] == "1"
    told = await act(hass, "update_session", number=7, label="Okafor")
    assert told["session"]["label"] == "Okafor"
    assert [session["label"] for session in listed(hass, entry)] == ["Okafor"]
    told = await act(hass, "page_session", number=7)
    assert told["session"]["state"] == "paged"
    assert counts(hass, entry)["paged"] == "1"
    told = await act(hass, "clear_session", number=7)
    assert told == {"session": None}
    assert counts(hass, entry)["active"] == "0"
    # How it ended, the history tells in its own time.
    await until(lambda: counts(hass, entry)["daily"] == "1")
    assert len(sent(simulator)) == 4


@pytest.mark.polled
async def test_an_answer_whose_session_cannot_be_read_is_not_one_without_a_session(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.unit.create(7)
    await set_up()
    answer_commands(
        simulator, monkeypatch, b'{"responseTypes":["sessions"],"sessions":[{"number":7}]}'
    )
    told = await act(hass, "page_session", number=7)
    assert told["session"]["number"] == 7
    assert len(simulator.unit.pages) == 1


@pytest.mark.polled
async def test_the_session_returned_is_the_one_on_that_pager_whatever_else_is_told(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = simulator.unit
    for number in (6, 7, 8):
        unit.create(number)
    await set_up()
    everything = [session.active_wire() for session in unit.active.values()]
    payload = {"responseTypes": ["sessions"], "sessions": everything}
    answer_commands(simulator, monkeypatch, json.dumps(payload).encode())
    told = await act(hass, "update_session", number=7, goal=60)
    assert told["session"]["session_id"] == unit.active[7].uuid


# ----------------------------------------------------------------------- what is not well


@commands
async def test_a_refusal_of_the_transmitters_is_passed_on_with_its_code(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    fields: dict[str, Any],
) -> None:
    simulator.unit.create(7 if action not in {"start_session", "send_page"} else 8)
    await set_up()
    reject_commands(simulator, monkeypatch)
    err = await failure(hass, action, number=7, **fields)
    assert (err.translation_key, err.translation_placeholders) == ("rejected", {"code": "5.00"})
    assert len(sent(simulator)) == 1


@commands
@pytest.mark.polled
async def test_a_transmitter_without_its_network_service_refuses(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, fields: dict[str, Any]
) -> None:
    await set_up()
    await simulator.stop()
    assert (await failure(hass, action, number=7, **fields)).translation_key == "refused"


@commands
async def test_firmware_that_has_the_history_alone_has_no_commands(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, fields: dict[str, Any]
) -> None:
    simulator.faults.history_only = True
    await set_up()
    err = await failure(hass, action, number=7, **fields)
    assert (err.translation_key, err.translation_placeholders) == ("rejected", {"code": "4.04"})


@pytest.mark.usefixtures("midday")
async def test_firmware_that_has_the_history_alone_cannot_tell_who_waits(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    simulator.faults.history_only = True
    await set_up()
    assert await refusal(hass, "get_sessions") == "no_live_sessions"
    assert len((await act(hass, "get_history"))["sessions"]) == 1


async def test_no_action_ever_deletes_anything(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    await set_up()
    await act(hass, "start_session", number=7)
    for action, fields in list(COMMANDS.items())[1:]:
        if action == "remove_session":
            await act(hass, "start_session", number=7)
        await act(hass, action, number=7, **fields)
    await act(hass, "get_sessions")
    await act(hass, "get_history")
    assert {request.code for request in simulator.requests} == {"GET", "POST", "PUT"}
    assert len(simulator.unit.history) == 3


# ------------------------------------------------------------------- which transmitter


@commands
async def test_with_several_transmitters_the_user_says_which(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, fields: dict[str, Any]
) -> None:
    async with Simulator(unit=Unit(now=local_time)) as other:
        await set_up()
        bar = await set_up(other, title="Bar")
        if action not in {"start_session", "send_page"}:
            other.unit.create(7)
        assert await refusal(hass, action, number=7, **fields) == "which_transmitter"
        await act(hass, action, number=7, config_entry_id=bar.entry_id, **fields)
        assert sent(simulator) == []
        assert len(sent(other)) == 1
        await hass.config_entries.async_unload(bar.entry_id)


@pytest.mark.usefixtures("midday")
async def test_lists_are_of_the_transmitter_that_the_user_names(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=Unit(now=local_time)) as other:
        serve_guest(other.unit, 5)
        other.unit.create(6)
        t7470, bar = await set_up(), await set_up(other, title="Bar")
        for action, number in (("get_history", 5), ("get_sessions", 6)):
            assert await refusal(hass, action) == "which_transmitter"
            found = await act(hass, action, config_entry_id=bar.entry_id)
            assert [session["number"] for session in found["sessions"]] == [number]
            found = await act(hass, action, config_entry_id=t7470.entry_id)
            assert found == {"sessions": []}
        await hass.config_entries.async_unload(bar.entry_id)


@failing
async def test_without_a_transmitter_there_is_nothing_to_do(
    hass: HomeAssistant, action: str
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    fields = COMMANDS[action] | {"number": 7} if action in COMMANDS else ASKED.get(action, {})
    assert await refusal(hass, action, **fields) == "no_transmitter"


async def test_a_name_that_is_no_transmitters_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    other = MockConfigEntry(domain="sun")
    other.add_to_hass(hass)
    for entry_id in ("gone", other.entry_id):
        found = await refusal(hass, "send_page", number=7, config_entry_id=entry_id)
        assert found == "no_transmitter"
    assert sent(simulator) == []


async def test_a_disabled_transmitter_does_not_count(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=Unit(now=local_time)) as other:
        entry, bar = await set_up(), await set_up(other, title="Bar")
        await hass.config_entries.async_set_disabled_by(bar.entry_id, ConfigEntryDisabler.USER)
        await act(hass, "send_page", number=7)
        assert len(sent(simulator)) == 1
        named = await refusal(hass, "send_page", number=7, config_entry_id=bar.entry_id)
        assert named == "no_transmitter"
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
        assert await refusal(hass, "send_page", number=7) == "no_transmitter"


@failing
async def test_a_transmitter_that_could_not_be_reached_yet_is_named(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    await simulator.stop()
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    fields = COMMANDS[action] | {"number": 7} if action in COMMANDS else ASKED.get(action, {})
    err = await failure(hass, action, **fields)
    assert err.translation_key == "not_loaded"
    assert err.translation_placeholders == {"title": "T7470"}


@pytest.mark.parametrize("action", ["get_history", "get_pattern", "get_pagers", "evaluate_quotes"])
async def test_what_is_asked_of_a_log_that_is_closed_already_is_refused_in_the_users_words(
    hass: HomeAssistant, set_up: SetUp, action: str
) -> None:
    entry = await set_up()
    await entry.runtime_data.log.close()  # as when Home Assistant stops
    err = await failure(hass, action)
    assert err.translation_key == "not_loaded"
    assert err.translation_placeholders == {"title": "T7470"}


async def test_an_unloaded_transmitter_is_sent_nothing(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    simulator.requests.clear()
    assert await refusal(hass, "send_page", number=7) == "not_loaded"
    assert simulator.requests == []


# -------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("number", [12, "12", 12.0, "12.0", " 12 "])
async def test_numbers_may_come_as_templates_and_helpers_give_them(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, number: Any
) -> None:
    await set_up()
    await act(hass, "start_session", number=number, party_size="4")
    assert body(simulator) == {"number": 12, "partySize": 4}
    await act(hass, "send_page", number=number, system_id="3")
    assert (simulator.unit.pages[0].number, simulator.unit.pages[0].system_id) == (12, 3)


@commands
@pytest.mark.parametrize(
    ("number", "key"),
    [
        (0, "every_pager"),
        ("0", "every_pager"),
        (-1, "number_out_of_range"),
        (1_000_000, "number_out_of_range"),
        (1e300, "number_out_of_range"),
    ],
)
async def test_no_number_but_that_of_one_pager_is_ever_sent(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    number: Any,
    key: str,
) -> None:
    simulator.unit.create(7)
    await set_up()
    assert await refusal(hass, action, number=number, **fields) == key
    assert sent(simulator) == []


@commands
@pytest.mark.parametrize(
    "number",
    ["twelve", "", "1_2", 12.5, 0.5, "12.9", True, None, [7], float("inf"), float("nan")],
)
async def test_what_is_not_quite_a_number_is_not_made_one(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    fields: dict[str, Any],
    number: Any,
) -> None:
    await set_up()
    with pytest.raises(vol.Invalid):
        await act(hass, action, number=number, **fields)
    assert sent(simulator) == []


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("start_session", "party_size", 0),
        ("start_session", "party_size", 10_000),
        ("start_session", "party_size", 2.5),
        ("update_session", "party_size", -1),
        ("send_page", "system_id", -1),
        ("send_page", "system_id", 256),
        ("start_session", "goal", -1),
        ("start_session", "goal", "soon"),
        ("start_session", "nonsense", 1),
        ("send_page", "label", "Ortega"),
    ],
)
async def test_what_an_action_does_not_know_is_not_sent(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, field: str, value: Any
) -> None:
    await set_up()
    with pytest.raises(vol.Invalid):
        await act(hass, action, number=7, **{field: value})
    assert sent(simulator) == []


@pytest.mark.parametrize("action", COMMANDS)
async def test_a_number_is_needed(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    await set_up()
    with pytest.raises(vol.Invalid):
        await act(hass, action, **COMMANDS[action])
    assert sent(simulator) == []


async def test_the_actions_work_from_a_script_with_templates(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    hass.states.async_set("input_number.pager", "12.0")
    hass.states.async_set("input_text.guest", "Ortega")
    steps = [
        {
            "action": "lrs_pager.start_session",
            "data": {
                "number": "{{ states('input_number.pager') }}",
                "label": "{{ states('input_text.guest') }}",
                "goal": "{{ 15 * 60 }}",
            },
            "response_variable": "started",
        },
        {
            "action": "lrs_pager.page_session",
            "data": {"number": "{{ started.session.number }}"},
        },
    ]
    assert await async_setup_component(hass, "script", {"script": {"seat": {"sequence": steps}}})
    await hass.services.async_call("script", "seat", blocking=True)
    session = simulator.unit.active[12]
    assert (session.label, session.goal, session.state) == ("Ortega", 900, "paged")


# ---------------------------------------------------------------------------------- goals


@pytest.mark.parametrize(
    "goal",
    [900, 900.4, "900", "00:15:00", "00:15", {"minutes": 15}, {"hours": 0, "seconds": 900}],
    ids=str,
)
@pytest.mark.parametrize("action", ["start_session", "update_session"])
async def test_a_goal_is_told_in_any_way_that_people_write_times(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, goal: Any
) -> None:
    if action == "update_session":
        simulator.unit.create(7)
    await set_up()
    told = await act(hass, action, number=7, goal=goal)
    assert body(simulator)["goal"] == (900 if goal != "00:15" else 15 * 60)
    assert told["session"]["goal_seconds"] == 900


@pytest.mark.parametrize("goal", [0, 0.4, "00:00:00", {"days": 7, "seconds": 1}, 10**7], ids=str)
@pytest.mark.parametrize("action", ["start_session", "update_session"])
async def test_a_goal_that_makes_no_sense_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, goal: Any
) -> None:
    await set_up()
    assert await refusal(hass, action, number=7, goal=goal) == "goal_out_of_range"
    assert sent(simulator) == []


@pytest.mark.parametrize("goal", [1e300, "1e20", {"days": 10**10}], ids=str)
async def test_a_goal_longer_than_any_time_is_refused_as_no_time(
    hass: HomeAssistant, set_up: SetUp, goal: Any
) -> None:
    await set_up()
    with pytest.raises(vol.Invalid):
        await act(hass, "start_session", number=7, goal=goal)


async def test_to_change_nothing_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(7)
    await set_up()
    assert await refusal(hass, "update_session", number=7) == "nothing_to_change"
    assert sent(simulator) == []


# ---------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("label", "arrives"),
    [
        ("Ortega\nwindow\tseat", "Ortega window seat"),
        ("  Ortega\r\n", "Ortega"),
        ("a\x00b\x1b[31mc\x85d\u2028e\u200bf", "a b [31mc d e f"),
        ("Jürgen 王 🎂", "Jürgen 王 🎂"),
        ("Rene\u0301", "René"),
        ('"; DROP \\ {', '"; DROP \\ {'),
        ("\ud83c lone", "lone"),
        ("\n", ""),
        (12, "12"),
        ("x" * 200, "x" * 200),
        ("🎂" * 200, "🎂" * 200),
        ("x" * 200 + "\n", "x" * 200),
    ],
)
@pytest.mark.parametrize("action", ["start_session", "update_session"])
async def test_a_label_arrives_on_one_line_and_otherwise_as_it_was_written(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    action: str,
    label: Any,
    arrives: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # With -v, Home Assistant logs each event. Half a character can't be sent to pytest's reporter.
    caplog.set_level(logging.INFO, "homeassistant.core")
    if action == "update_session":
        simulator.unit.create(7)
    await set_up()
    told = await act(hass, action, number=7, label=label)
    assert body(simulator)["label"] == arrives
    [(*_, payload)] = sent(simulator)
    assert not re.search(rb"[\x00-\x1f]", payload)
    assert told["session"]["label"] == (arrives or None)


@pytest.mark.parametrize("action", ["start_session", "update_session"])
async def test_a_label_that_is_too_long_is_refused_and_not_cut(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    await set_up()
    err = await failure(hass, action, number=7, label="x" * 201)
    assert err.translation_key == "text_too_long"
    assert err.translation_placeholders == {"field": "label", "most": "200"}
    assert sent(simulator) == []


@pytest.mark.parametrize(
    ("message", "arrives"),
    [
        ("Table 4\nplease", "Table 4 please"),
        ("Cafe\u0301 £5", "Café £5"),
        ("ÿ" * 200, "ÿ" * 200),
    ],
)
async def test_a_message_arrives_on_one_line(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, message: str, arrives: str
) -> None:
    await set_up()
    await act(hass, "send_page", number=7, message=message)
    assert simulator.unit.pages[0].message == arrives


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("5 €", "message_not_showable"),
        ("table 🎂", "message_not_showable"),
        ("王", "message_not_showable"),
        ("x" * 201, "text_too_long"),
    ],
)
async def test_a_message_that_pagers_cannot_show_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, message: str, key: str
) -> None:
    await set_up()
    assert await refusal(hass, "send_page", number=7, message=message) == key
    assert sent(simulator) == []


@pytest.mark.parametrize("action", ["page_session", "send_page"])
async def test_a_page_mode_that_we_do_not_know_is_for_the_transmitter_to_judge(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str
) -> None:
    simulator.unit.create(7)
    await set_up()
    await act(hass, action, number=7, page_mode="Vibe99")
    assert simulator.unit.pages[0].mode == "Vibe99"


@pytest.mark.parametrize("mode", ["", "Flash 30", "Flash30Sec\n", "Vibe-1", "Blöd", "x" * 41, "٣"])
@pytest.mark.parametrize("action", ["page_session", "send_page"])
async def test_a_page_mode_that_can_be_none_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, action: str, mode: str
) -> None:
    simulator.unit.create(7)
    await set_up()
    assert await refusal(hass, action, number=7, page_mode=mode) == "page_mode_invalid"
    assert sent(simulator) == []


@pytest.mark.usefixtures("short_timeouts")
async def test_what_guests_are_called_is_in_no_log(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    await set_up()
    await act(hass, "start_session", number=8, label="Ortega")
    await act(hass, "start_session", number=7, label="Ortega")
    await act(hass, "update_session", number=7, label="Okafor")
    await act(hass, "get_sessions")
    await act(hass, "clear_session", number=7)
    await act(hass, "get_history")
    await act(hass, "send_page", number=7, message="Oduya")
    for fail in (reject_commands, leave_commands_unanswered):
        with monkeypatch.context() as patch:
            fail(simulator, patch)
            await failure(hass, "send_page", number=7, message="Oduya")
            await failure(hass, "update_session", number=8, label="Okafor")
            await failure(hass, "start_session", number=9, label="Ortega")
    simulator.faults.empty_ack = False
    await failure(hass, "update_session", number=10, label="Okafor")
    await failure(hass, "start_session", number=11, label="Ortega" * 50)
    ours = [r for r in caplog.records if re.match(r"custom_components|lrs_pager|coap", r.name)]
    assert not [r for r in ours if re.search("Ortega|Okafor|Oduya", r.getMessage())]


# ---------------------------------------------------------------------------------- lists


async def test_the_active_sessions_are_listed_from_the_oldest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    unit = simulator.unit
    for number, minutes in ((5, 4), (3, 9), (8, 1)):
        with unit.at(unit.now() - timedelta(minutes=minutes)):
            unit.create(number, goal=300, label=f"Guest {number}", party_size=number)
    unit.page(8)
    await set_up()
    simulator.requests.clear()
    found = (await act(hass, "get_sessions"))["sessions"]
    assert [(s["number"], s["state"], s["late"]) for s in found] == [
        (3, "started", True),
        (5, "started", False),
        (8, "paged", False),
    ]
    assert found[2] == {
        "session_id": unit.active[8].uuid,
        "number": 8,
        "label": "Guest 8",
        "party_size": 8,
        "goal_seconds": 300,
        "state": "paged",
        "created": "2026-11-23T11:59:00-08:00",
        "notified": "2026-11-23T12:00:00-08:00",
        "cleared": None,
        "clear_type": None,
        "wait_seconds": 60,
        "response_seconds": None,
        "late": False,
    }
    # They are known; nothing is asked.
    assert simulator.requests == []


async def test_with_no_guests_the_lists_are_empty(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    assert await act(hass, "get_sessions") == {"sessions": []}
    assert await act(hass, "get_history") == {"sessions": []}


@pytest.mark.logs("Nothing listens")
@pytest.mark.polled
@pytest.mark.usefixtures("midday")
async def test_an_unplugged_transmitters_last_list_is_not_passed_off_as_the_present(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    simulator.unit.create(7)
    entry = await set_up()
    await simulator.stop()
    await poll(hass, entry)
    assert await refusal(hass, "get_sessions") == "not_loaded"
    # What is past is past.
    assert len((await act(hass, "get_history"))["sessions"]) == 1


async def test_todays_sessions_are_listed_from_the_oldest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    simulator.unit.history_party_size = True
    serve_guest(simulator.unit, 3, minutes_ago=13 * 60)  # yesterday
    serve_guest(simulator.unit, 4, minutes_ago=60)
    serve_guest(simulator.unit, 5, minutes_ago=30, removed=True, label="Ortega")
    await set_up()
    found = (await act(hass, "get_history"))["sessions"]
    assert [session["number"] for session in found] == [4, 5]
    assert found[1].pop("session_id") == simulator.unit.history[2]["uuid"]
    assert found[1] == {
        "number": 5,
        "label": "Ortega",
        "party_size": 2,
        "goal_seconds": 300,
        "state": "cleared",
        "created": "2026-11-23T11:24:00-08:00",
        "notified": "2026-11-23T11:29:00-08:00",
        "cleared": "2026-11-23T11:30:00-08:00",
        "clear_type": "REMOVED",
        "wait_seconds": 300,
        "response_seconds": 60,
    }


async def test_today_begins_when_the_business_day_does(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    serve_guest(simulator.unit, 3, minutes_ago=9 * 60)  # 3 o'clock
    serve_guest(simulator.unit, 4, minutes_ago=7 * 60)  # 5 o'clock
    await set_up(day_start=4)
    found = (await act(hass, "get_history"))["sessions"]
    assert [session["number"] for session in found] == [4]


@pytest.mark.usefixtures("midday")
async def test_the_event_loop_goes_on_while_a_long_history_is_listed(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 101):
        serve_guest(simulator.unit, number)
    await set_up()
    monkeypatch.setattr(log, "BATCH", 10)
    in_one_go = [0]

    def response(session: PlacedSession, *, is_over: bool) -> dict[str, Any]:
        in_one_go[-1] += 1
        return {"number": session.number, "is_over": is_over}

    async def others() -> None:
        while True:
            in_one_go.append(0)
            await asyncio.sleep(0)

    monkeypatch.setattr(services, "response", response)
    going_on = asyncio.create_task(others())
    await asyncio.sleep(0)
    found = (await act(hass, "get_history"))["sessions"]
    going_on.cancel()
    assert len(found) == 100
    assert max(in_one_go) == 10


@pytest.mark.usefixtures("midday")
async def test_sessions_that_the_transmitter_forgot_are_still_listed(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, 4)
    entry = await set_up()
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, 5)
    await entry.runtime_data.async_read_all()
    await poll(hass, entry)
    assert len(simulator.unit.history) == 1
    found = (await act(hass, "get_history"))["sessions"]
    assert {session["number"] for session in found} == {4, 5}


@pytest.mark.parametrize(
    ("period", "numbers"),
    [
        ({"start": "2026-11-23 11:00:00"}, [4, 5]),
        ({"start": "2026-11-23 11:00:01"}, [5]),
        ({"end": "2026-11-23 11:00:00"}, []),
        ({"end": "2026-11-23 11:00:01"}, [4]),
        ({"start": "2026-11-22 00:00:00"}, [3, 4, 5]),
        ({"start": "2026-11-22", "end": "2026-11-23"}, [3]),
        ({"start": "2026-11-23T19:00:00+00:00"}, [4, 5]),
        ({"start": "2026-11-23T20:15:00+01:00"}, [5]),
        ({"start": "2020-01-01 00:00:00", "end": "2026-01-01 00:00:00"}, []),
        ({"start": datetime(2026, 11, 23, 11, 0, 1)}, [5]),
    ],
    ids=str,
)
async def test_the_history_of_any_time_is_listed_in_home_assistants_zone(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    period: dict[str, Any],
    numbers: list[int],
) -> None:
    freezer.move_to(NOON)
    serve_guest(simulator.unit, 3, minutes_ago=13 * 60)  # yesterday, 23 o'clock
    serve_guest(simulator.unit, 4, minutes_ago=60)  # 11 o'clock
    serve_guest(simulator.unit, 5, minutes_ago=30)
    await set_up()
    found = (await act(hass, "get_history", **period))["sessions"]
    assert [session["number"] for session in found] == numbers


async def test_a_session_of_the_history_has_ended_though_the_unit_does_not_say_when(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, 4, minutes_ago=60)
    for key in ("cleared", "clearType"):
        simulator.unit.history[-1].pop(key)
    await set_up()
    (found,) = (await act(hass, "get_history", start="2000-01-01 00:00:00"))["sessions"]
    assert (found["number"], found["state"], found["cleared"]) == (4, "cleared", None)


async def test_a_naive_time_is_of_the_zone_that_is_set_now(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    serve_guest(simulator.unit, 4, minutes_ago=60)
    await set_up()
    await hass.config.async_set_time_zone("Europe/Berlin")
    start = dt_util.now() - timedelta(minutes=61)
    period = {"start": start.strftime("%Y-%m-%d %H:%M:%S"), "end": "2026-11-23 20:00:01"}
    found = (await act(hass, "get_history", **period))["sessions"]
    assert [session["cleared"] for session in found] == ["2026-11-23T20:00:00+01:00"]


@pytest.mark.parametrize(
    "period",
    [
        {"start": "2026-11-23 11:00:00", "end": "2026-11-23 10:00:00"},
        {"start": "2026-11-23 11:00:00", "end": "2026-11-23 11:00:00"},
        {"end": "2026-11-22 11:00:00"},
        {"start": "2026-11-25 00:00:00"},
    ],
    ids=str,
)
async def test_a_time_that_ends_before_it_starts_is_refused(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory, period: dict[str, str]
) -> None:
    freezer.move_to(NOON)
    await set_up()
    assert await refusal(hass, "get_history", **period) == "end_before_start"


# ------------------------------------------------------------------------ as they are described


@pytest.mark.parametrize("action", ACTIONS)
async def test_what_is_described_of_an_action_is_what_it_takes(
    hass: HomeAssistant, action: str
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert set(hass.services.async_services()[DOMAIN]) == set(ACTIONS)
    schema = hass.services.async_services()[DOMAIN][action].schema
    fields = ACTIONS[action]["fields"]
    assert {str(field) for field in schema.schema} == set(fields)
    required = {str(field) for field in schema.schema if isinstance(field, vol.Required)}
    assert {name for name, field in fields.items() if field.get("required")} == required
    for field in fields.values():
        validate_selector(field["selector"])
    schema({name: field["example"] for name, field in fields.items() if "example" in field})


async def test_an_action_is_done_when_all_is_shown_that_messages_told_before(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.unit.create(7)
    entry = await set_up()
    await told_of_all(entry, simulator)
    sum_up = Picture.sum_up

    async def slowly(*args: Any) -> None:
        await asyncio.sleep(0.2)
        await sum_up(*args)

    monkeypatch.setattr(Picture, "sum_up", slowly)
    follower = entry.runtime_data.follower
    simulator.unit.clear(7)
    await until(lambda: entry.runtime_data.log.changes and not follower.is_behind)
    assert counts(hass, entry)["daily"] == "0"  # it is on the disk, and not summed up
    await act(hass, "start_session", number=8)
    assert counts(hass, entry)["daily"] == "1"


async def test_nobody_has_to_ask_for_the_answer(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    # As a button of a dashboard doesn't.
    entry = await set_up()
    for action, fields in list(COMMANDS.items())[:4]:
        await hass.services.async_call(DOMAIN, action, {"number": 7, **fields}, blocking=True)
    assert counts(hass, entry)["daily"] == "1"
