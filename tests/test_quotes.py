"""How long the wait is: the sensors, the actions and what browsers are told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.intent import Request, Said, answer
from custom_components.lrs_pager.manager import manager
from custom_components.lrs_pager.sessions.backtest import back_test, read_line
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.missed import missed_spans
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sync.quoting import AGAIN
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, poll, sensor, serve_guest, settle
from tests.sessions import unreadable, visited
from tests.simulator import Simulator
from tests.simulator.restaurant import Restaurant, log as visits_of
from tests.test_services import act, refusal

SIZES = ("small", "medium", "large")
KEYS = (*(f"quote_{size}" for size in SIZES), "quotes_kept", "quote_error")


def past(house: Restaurant | None = None, nights: int = 14) -> list[PlacedSession]:
    """Nights of a restaurant, until yesterday."""
    ends_at = dt_util.utcnow().timestamp() - 20 * 3600
    return visited(visits_of(house or Restaurant(), nights, 1), ends_at)


def always(minutes: int) -> list[PlacedSession]:
    """Nights on which each guest finds another, and waits for just as long as all."""
    now = round(dt_util.utcnow().timestamp()) - 20 * 3600
    return [
        PlacedSession(
            uuid=f"same-{n}",
            party_size=2,
            created_at=(began := now - 300 * n),
            notified_at=began + 60 * minutes,
            cleared_at=began + 60 * minutes + 60,
            wait=60 * minutes,
        )
        for n in range(250)
    ]


async def known(hass: HomeAssistant, sessions: Iterable[PlacedSession]) -> None:
    """Have the log know sessions, before the transmitter is set up, which goes on after them."""
    log = SessionLog(log_paths(hass, "01KLRSPAGER")[0])
    await log.open()
    await log.keep(replace(session, id=0) for session in sessions)
    await log.close()


def come(simulator: Simulator, parties: int = 3, first: int = 101) -> None:
    """Have parties of two come, one in each of the minutes before, the first of them first."""
    unit = simulator.unit
    for n in range(parties):
        with unit.at(unit.now() - timedelta(minutes=parties - n)):
            unit.create(first + n, goal=1_800, party_size=2)


async def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """What the sensor for two says, the action, and the host stand: each the same."""
    await settle(hass)
    state = sensor(hass, entry, "quote_small")
    answer = await act(hass, "get_quote", party_size=2)
    stand = entry.runtime_data.quotes.board.quotes["small"]
    said = {
        "quote": None if state.state == STATE_UNKNOWN else int(state.state),
        **{key: state.attributes[key] for key in ("from", "parties_ahead", "based_on", "reason")},
    }
    assert said == {key: value for key, value in answer.items() if key != "explanation"}
    assert said == {
        "quote": stand.high,
        "from": stand.low,
        "parties_ahead": stand.parties_ahead,
        "based_on": stand.based_on,
        "reason": stand.reason,
    }
    return {**said, "explanation": answer["explanation"]}


# ------------------------------------------------------------------------------------ quotes


async def test_a_party_that_comes_is_told_a_range_in_minutes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator, 4)
    entry = await set_up()
    found = await shown(hass, entry)
    assert found["reason"] is None
    assert 5 <= found["from"] < found["quote"]
    assert found["parties_ahead"] == 4
    assert found["based_on"] >= 8
    assert found["explanation"] == (
        f"{found['from']} to {found['quote']} minutes: four in five guests who found a line like "
        f"this were called within {found['quote']} minutes. Parties ahead: 4."
    )
    state = sensor(hass, entry, "quote_small")
    assert (state.attributes["unit_of_measurement"], state.attributes["device_class"]) == (
        "min",
        "duration",
    )
    quotes = [int(sensor(hass, entry, f"quote_{size}").state) for size in SIZES]
    assert len(set(quotes)) == 3
    assert [(await act(hass, "get_quote", party_size=n))["quote"] for n in (1, 4, 12)] == quotes
    # One more is one more ahead, as soon as that is told.
    simulator.unit.create(99, party_size=2)
    await poll(hass, entry)
    assert (await shown(hass, entry))["parties_ahead"] == 5


@pytest.mark.logs("could not be saved: disk I/O error")
async def test_quotes_go_on_without_the_log_unless_there_is_nothing_to_quote_by(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator, 4)
    entry = await set_up()
    assert (await shown(hass, entry))["parties_ahead"] == 4
    quotes = entry.runtime_data.quotes
    async with unreadable(entry.runtime_data.log):
        quotes._kept = (quotes._kept[0], -1, 0.0)  # as if it were to be counted again
        simulator.unit.create(99, party_size=2)
        await poll(hass, entry)
        assert (await shown(hass, entry))["parties_ahead"] == 5
        quotes.forget()
        await settle(hass)
        assert sensor(hass, entry, "quote_small").state == STATE_UNKNOWN
        with pytest.raises(ServiceValidationError) as refused:
            await act(hass, "get_quote", party_size=2)
        assert refused.value.translation_key == "log_not_loaded"
        said = Said(request=Request.WAIT, language="en", number="2", entry_id=entry.entry_id)
        assert await answer(hass, said, Context()) == (
            "The session log could not be read from the disk: disk I/O error.",
            False,
        )
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=AGAIN + 1))
    assert (await shown(hass, entry))["parties_ahead"] == 5


@pytest.mark.logs("could not be saved: disk I/O error")
async def test_quotes_come_back_with_the_log_though_nobody_waits(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await known(hass, past())
    entry = await set_up()
    assert (await shown(hass, entry))["reason"] == "no_line"
    async with unreadable(entry.runtime_data.log):
        entry.runtime_data.quotes.forget()
        await settle(hass)
        assert sensor(hass, entry, "quote_small").attributes["reason"] is None
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=AGAIN + 1))
    assert (await shown(hass, entry))["reason"] == "no_line"


async def test_where_nobody_waits_there_is_no_line(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    found = await shown(hass, await set_up())
    assert (found["quote"], found["reason"]) == (None, "no_line")
    assert found["explanation"] == "Nobody is waiting."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("es", "No espera nadie."),
        ("es-419", "No espera nadie."),
        ("pt", "Ninguém está aguardando."),
        ("de-CH", "Niemand wartet."),
        ("zh-Hans", "Nobody is waiting."),
    ],
)
async def test_a_quote_is_explained_in_the_nearest_of_our_languages(
    hass: HomeAssistant, set_up: SetUp, language: str, said: str
) -> None:
    hass.config.language = language
    await set_up()
    assert (await act(hass, "get_quote", party_size=2))["explanation"] == said
    assert (await act(hass, "answer", request="wait", heard="2"))["speech"] == said


async def test_a_new_house_has_too_few_sessions_to_quote(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    come(simulator)
    found = await shown(hass, await set_up())
    assert (found["quote"], found["reason"], found["parties_ahead"]) == (
        None,
        "too_few_sessions",
        3,
    )
    assert "too few guests" in found["explanation"]


async def test_a_line_unlike_any_before_is_not_quoted_for(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator, 230)
    found = await shown(hass, await set_up())
    assert (found["quote"], found["reason"]) == (None, "no_neighbours")
    assert found["explanation"].endswith("Parties ahead: 230.")


async def test_quotes_that_were_no_good_lately_are_not_shown_but_what_did_better_is(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, always(12))
    come(simulator, 2)
    found = await shown(hass, await set_up())
    assert (found["quote"], found["reason"]) == (None, "gate_not_passed")
    # The goal, as nobody was paged today.
    assert "a rough guess is 30 minutes" in found["explanation"]


async def test_where_the_unit_pages_at_the_goal_there_are_no_true_waits_to_quote_by(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    await known(hass, past(Restaurant(goal=900, auto_page=(0, 14))))
    come(simulator)
    entry = await set_up()
    found = await shown(hass, entry)
    assert (found["quote"], found["from"], found["reason"]) == (None, None, "auto_page")
    assert "goal" in found["explanation"]
    event = await told(hass, hass_ws_client)
    assert event["is_auto_paged"] is True
    assert {row["about"] for row in event["sessions"]} == {None}
    simulator.unit.clear(101)
    await poll(hass, entry)
    await settle(hass)
    assert [one.quoted for one in await entry.runtime_data.log.newest(1)] == [None]


async def test_firmware_without_a_list_has_no_quotes_and_says_so(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    simulator.faults.history_only = True
    found = await shown(hass, await set_up())
    assert (found["quote"], found["reason"]) == (None, "no_live_list")
    assert "not known who is waiting" in found["explanation"]


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_a_transmitter_that_can_not_be_reached_has_no_quotes(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator)
    entry = await set_up()
    assert (await shown(hass, entry))["quote"]
    simulator.faults.reset = True
    await poll(hass, entry)
    await settle(hass)
    assert sensor(hass, entry, "quote_small").state == STATE_UNAVAILABLE
    assert await refusal(hass, "get_quote", party_size=2) == "not_loaded"
    assert entry.runtime_data.quotes.board.quotes["small"].reason == "no_live_list"


async def test_a_party_has_a_size_for_which_is_asked(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    for wrong in ({}, {"party_size": 0}, {"party_size": 2.5}, {"party_size": "some"}):
        with pytest.raises(Exception, match="party_size"):
            await act(hass, "get_quote", **wrong)


# ------------------------------------------------------------------------- nobody, and somebody


async def disabled(hass: HomeAssistant, entry: MockConfigEntry, keys: Iterable[str]) -> None:
    """Disable sensors."""
    registry = er.async_get(hass)
    for key in keys:
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_{key}")
        assert entity_id
        registry.async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)


async def test_nothing_is_worked_out_with_the_sensors_disabled_until_somebody_looks(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    await known(hass, past())
    entry = await set_up()
    await disabled(hass, entry, KEYS)
    come(simulator)
    await poll(hass, entry)
    await settle(hass)
    assert entry.runtime_data.quotes.board is None
    # An action is answered all the same, once.
    assert (await act(hass, "get_quote", party_size=2))["quote"]
    assert entry.runtime_data.quotes.board is None
    client = await hass_ws_client(hass)
    event = await told(hass, hass_ws_client, client)
    assert event["quotes"]["small"]["high"]
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": 1})
    while (await client.receive_json())["type"] == "event":
        pass
    assert entry.runtime_data.quotes.board is None


async def test_one_sensor_is_enough_to_have_quotes_worked_out(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator)
    entry = await set_up()
    await disabled(hass, entry, set(KEYS) - {"quotes_kept"})
    assert entry.runtime_data.quotes.board.quotes["small"].high


async def test_quotes_are_worked_out_anew_each_half_minute_in_which_somebody_waits(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await known(hass, past())
    come(simulator)
    entry = await set_up()
    await settle(hass)
    before = entry.runtime_data.quotes.board.about
    for _ in range(10):
        freezer.tick(AGAIN)
        async_fire_time_changed(hass)
        await settle(hass)
    after = entry.runtime_data.quotes.board.about
    assert before.keys() == after.keys()
    assert sum(before.values()) > sum(after.values()) > 0


async def told(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, client: Any = None, **fields: Any
) -> dict[str, Any]:
    """What a browser is told, once there are quotes."""
    client = client or await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lrs_pager/subscribe", **fields})
    while True:
        message = await client.receive_json()
        if message["type"] == "event" and message["event"]["quotes"]:
            event: dict[str, Any] = message["event"]
            return event


@pytest.mark.parametrize("names", [True, False])
async def test_browsers_are_told_the_quotes_and_how_much_longer_each_waits(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
    *,
    names: bool,
) -> None:
    await known(hass, past())
    come(simulator, 3)
    simulator.unit.page(101)
    await set_up()
    event = await told(hass, hass_ws_client, names=names)
    assert set(event["quotes"]) == set(SIZES)
    quote = event["quotes"]["small"]
    assert set(quote) == {"low", "high", "reason", "parties_ahead", "based_on"}
    assert 5 <= quote["low"] <= quote["high"]
    assert (quote["reason"], quote["parties_ahead"]) == (None, 2)
    assert event["is_auto_paged"] is False
    about = {row["number"]: row["about"] for row in event["sessions"]}
    assert about[101] is None
    assert about[102] >= 1
    assert about[103] >= 1


# ------------------------------------------------------------------------------ quotes kept


async def test_what_was_quoted_is_kept_with_the_session_with_the_goal_that_was_set(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator)
    entry = await set_up()
    quote = (await shown(hass, entry))["quote"]
    unit = simulator.unit
    unit.create(7, goal=600, party_size=2)
    await poll(hass, entry)
    await settle(hass)
    unit.update(7, goal=1_200)
    unit.page(7)
    await poll(hass, entry)
    unit.clear(7)
    await poll(hass, entry)
    await settle(hass)
    [session] = await entry.runtime_data.log.newest(1)
    assert session.number == 7
    assert (session.quoted, session.first_goal, session.goal) == (60 * quote, 600, 1_200)
    # Whatever the transmitter tells of it from now on.
    entry.runtime_data.follower.poller.read_everything()
    await poll(hass, entry)
    assert await entry.runtime_data.log.newest(1) == [session]


async def test_a_restart_does_not_forget_what_was_quoted_to_those_who_wait(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past())
    come(simulator)
    entry = await set_up()
    await settle(hass)
    quoted = [s.quoted for s in entry.runtime_data.follower.tracker.active]
    assert quoted[0] is None  # who came first found no line
    assert all(quoted[1:])
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert [s.quoted for s in entry.runtime_data.follower.tracker.active] == quoted


async def test_how_quotes_were_kept_is_there_for_the_long_term(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    sessions = [
        replace(session, quoted=quoted, first_goal=600)
        for session, quoted in zip(always(12)[:4], (600, 720, 900, None), strict=True)
    ]
    await known(hass, sessions)
    entry = await set_up()
    await settle(hass)
    kept, error = sensor(hass, entry, "quotes_kept"), sensor(hass, entry, "quote_error")
    assert float(kept.state) == pytest.approx(200 / 3)
    assert kept.attributes["against_goal"] == 0
    assert (kept.attributes["unit_of_measurement"], kept.attributes["state_class"]) == (
        "%",
        "measurement",
    )
    assert float(error.state) == pytest.approx(5 / 3)
    told = await manager(hass, entry.runtime_data)
    assert told["quotes_kept"] == pytest.approx(200 / 3)
    assert told["quote_error"] == pytest.approx(5 / 3)
    assert (error.attributes["unit_of_measurement"], error.attributes["state_class"]) == (
        "min",
        "measurement",
    )


async def test_without_a_quote_nothing_was_kept_or_broken(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await settle(hass)
    assert sensor(hass, entry, "quotes_kept").state == STATE_UNKNOWN
    assert sensor(hass, entry, "quotes_kept").attributes["against_goal"] is None
    assert sensor(hass, entry, "quote_error").state == STATE_UNKNOWN


# --------------------------------------------------------------------------- the back-test


async def of_the_script(hass: HomeAssistant) -> dict[str, Any]:
    """What the script says of the log as the action get_history returns it."""
    history = await act(hass, "get_history", start="2000-01-01 00:00", end="2100-01-01 00:00")
    read = (read_line(json.dumps(one), n) for n, one in enumerate(history["sessions"]))
    return back_test(wait for wait in read if wait).as_dict()


async def test_a_back_test_of_the_log_is_the_one_of_the_script(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past(nights=42))
    await set_up()
    found = await act(hass, "evaluate_quotes")
    assert found == await of_the_script(hass)
    assert found["n"] > 200
    assert found["mae"] < min(each["mae"] for each in found["baselines"].values())


async def test_a_back_test_asks_nothing_of_a_span_in_which_sessions_may_have_been_missed(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await known(hass, past(nights=42))
    serve_guest(simulator.unit)  # all since the log's last session, the unit has forgotten but this
    entry = await set_up()
    await settle(hass)
    assert await missed_spans(entry.runtime_data.log)
    assert (await of_the_script(hass))["silent"] == {"no_neighbours": 1}
    assert (await act(hass, "evaluate_quotes"))["silent"] == {}


async def test_a_back_test_of_an_empty_log_has_no_figures(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    found = await act(hass, "evaluate_quotes")
    assert (found["n"], found["mae"], found["kept"], found["baselines"]) == (0, None, None, {})
