"""What a manager is told equals what the transmitter's ledger comes to, counted slowly.

A fortnight on the simulated floor, read by a real Home Assistant, with the night in it in which
the clocks are changed.
"""

from collections.abc import Callable
import csv
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
import io
import logging
from statistics import median
from typing import Any

from aiohttp import ClientPayloadError
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.host_stand.export import _part
from custom_components.lrs_pager.manager import manager
from custom_components.lrs_pager.sessions.missed import keep_missed_spans, missed_spans
from custom_components.lrs_pager.sessions.session import PlacedSession
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, poll, sensor, serve_guest
from tests.sessions import everything
from tests.simulator import ArchivedSession, Simulator
from tests.simulator.floor import Floor, plan_day

# As a dinner house has it. Nobody comes in the hours that are there twice or not at all.
RATES = ((0.0, 1.2), (1.0, 0.0), (4.0, 1.0), (11.5, 20.0), (14.0, 4.5), (17.5, 25.0), (23.0, 1.2))

FORTNIGHT = timedelta(days=14)


@pytest.fixture(params=["2026-11-01 19:20", "2026-04-05 19:20"], ids=["winter", "summer"])
async def ledger(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
) -> list[ArchivedSession]:
    """What was served in Berlin until then."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    end = datetime.fromisoformat(request.param)
    freezer.move_to(end.replace(tzinfo=dt_util.get_default_time_zone()).astimezone(dt_util.UTC))
    simulator.unit.history_party_size = True
    plan = partial(plan_day, rates=RATES)
    Floor(simulator.unit, seed=3, start=end - FORTNIGHT, plan=plan).advance(end)
    assert len(simulator.unit.ledger) > 1_000
    return simulator.unit.ledger


@pytest.fixture(autouse=True)
def _quiet_web_server(caplog: pytest.LogCaptureFixture) -> None:
    """Its log of requests does not bear a clock that stands still."""
    caplog.set_level(logging.WARNING, "aiohttp.access")


async def ask(hass: HomeAssistant, action: str, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True
    )
    return answer


# --------------------------------------------------------------------- the slow recount


def is_late(one: ArchivedSession) -> bool:
    return one.wait is not None and one.wait >= one.goal + 2


def gone(ledger: list[ArchivedSession]) -> list[ArchivedSession]:
    """Who was taken off the list, but not in a minute in which three were."""
    removed = [one for one in ledger if one.clear_type == "REMOVED"]
    minute = timedelta(minutes=1)
    return [
        one
        for one in removed
        if not any(
            begin.cleared <= one.cleared <= begin.cleared + minute
            and len([x for x in removed if begin.cleared <= x.cleared <= begin.cleared + minute])
            >= 3
            for begin in removed
        )
    ]


def four_of_five(waits: list[int]) -> int | None:
    """The shortest wait in which four of five were paged."""
    for wait in sorted(waits):
        if len([one for one in waits if one <= wait]) >= 0.8 * len(waits):
            return wait
    return None


def recount(ledger: list[ArchivedSession], some: list[ArchivedSession]) -> dict[str, Any]:
    """The figures of some sessions of the ledger."""
    waits = [one.wait for one in some if one.wait is not None]
    left = [one for one in gone(ledger) if one in some]
    longest = four_of_five(waits)
    return {
        "sessions": len(some),
        "guests": sum(one.party_size for one in some),
        "median_wait": median(waits) / 60 if waits else None,
        "wait_80": longest / 60 if longest is not None else None,
        "late": len([one for one in some if is_late(one)]),
        "left": len([one for one in left if one.notified is None]),
        "no_show": len([one for one in left if one.notified is not None]),
    }


def recounted_pattern(
    ledger: list[ArchivedSession], is_meant: Callable[[ArchivedSession], bool]
) -> list[dict[str, Any]]:
    found = []
    for weekday in range(7):
        for hour in range(24):
            some = [
                one
                for one in ledger
                if is_meant(one) and (one.created.weekday(), one.created.hour) == (weekday, hour)
            ]
            if some:
                found.append({"weekday": weekday, "hour": hour, **recount(ledger, some)})
    return found


def url(entry: MockConfigEntry, query: str = "") -> str:
    return f"/api/lrs_pager/{entry.entry_id}/sessions.csv{query}"


def read(file: str) -> list[dict[str, str]]:
    """The file, as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(file, newline="")))


# ------------------------------------------------------------------------- all that is told


async def test_all_figures_of_a_fortnight_are_those_of_the_ledger(
    hass: HomeAssistant,
    simulator: Simulator,
    ledger: list[ArchivedSession],
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "websocket_api", {})
    entry = await set_up()
    now = simulator.unit.time()

    # When it breaks.
    whole = await ask(hass, "get_pattern")
    assert whole["cells"] == recounted_pattern(ledger, lambda _: True)
    assert len(whole["cells"]) > 100
    assert whole["left_out"] == []
    week_ago = now - timedelta(weeks=1)
    last_week = await ask(hass, "get_pattern", weeks=1, metric="left")
    assert last_week["cells"] == [
        {key: cell[key] for key in ("weekday", "hour", "sessions", "left")}
        for cell in recounted_pattern(ledger, lambda one: one.created >= week_ago)
    ]
    start, end = now - timedelta(days=10), now - timedelta(days=3)
    some = await ask(hass, "get_pattern", **{"from": str(start), "to": str(end)})
    assert some["cells"] == recounted_pattern(ledger, lambda one: start <= one.created < end)

    # Today.
    midnight = datetime.combine(now.date(), datetime.min.time())
    today = [one for one in ledger if one.cleared >= midnight]
    figures = recount(ledger, today)
    assert sensor(hass, entry, "left_today").state == str(figures["left"])
    assert sensor(hass, entry, "did_not_come_today").state == str(figures["no_show"])

    # The manager's view.
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lrs_pager/manager"})
    answer = (await client.receive_json())["result"]
    await client.close()
    assert answer["pattern"] == {"weeks": 8, "cells": whole["cells"], "left_out": 0}
    assert {key: answer["today"][key] for key in figures if key != "median_wait"} == {
        key: value for key, value in figures.items() if key != "median_wait"
    }
    # A fortnight ago the floor had just opened at this time of day.
    assert answer["weeks"] == 2
    usual = [
        recount(
            ledger,
            [
                one
                for one in ledger
                if midnight - timedelta(weeks=week) <= one.cleared < now - timedelta(weeks=week)
            ],
        )
        for week in (1, 2)
    ]
    for key in ("sessions", "late", "left", "no_show"):
        assert answer["usual"][key] == pytest.approx((usual[0][key] + usual[1][key]) / 2)
    waits = [one[key] for one in usual for key in ["wait_80"] if one[key] is not None]
    assert answer["usual"]["wait_80"] == pytest.approx(sum(waits) / len(waits))

    # The pagers.
    pagers = (await ask(hass, "get_pagers"))["pagers"]
    assert [pager["number"] for pager in pagers] == sorted(
        {one.number for one in ledger} | set(simulator.unit.active)
    )
    unanswered = [
        one
        for one in ledger
        if one.notified is not None
        and (one.clear_type == "REMOVED" or (one.cleared - one.notified).total_seconds() > 180)
    ]
    minute = timedelta(minutes=1)
    alone = [
        one
        for one in unanswered
        if not any(
            begin.cleared <= one.cleared <= begin.cleared + minute
            and len([x for x in unanswered if begin.cleared <= x.cleared <= begin.cleared + minute])
            >= 3
            for begin in unanswered
        )
    ]
    for pager in pagers:
        number = pager["number"]
        active = simulator.unit.active.get(number)
        since_page = (now - active.notified).total_seconds() if active and active.notified else 0
        assert pager["out"] == (active is not None)
        assert pager["sessions"] == len([one for one in ledger if one.number == number]) + (
            active is not None
        )
        assert pager["unanswered"] == len([one for one in alone if one.number == number]) + (
            since_page > 180
        )

    # The file.
    rows = read(await (await (await hass_client()).get(url(entry))).text("utf-8-sig"))
    assert len(rows) == len(ledger)
    by_creation = {(row["created"], row["pager"]): row for row in rows}
    for one in ledger:
        row = by_creation[f"{one.created}", f"{one.number}"]
        assert row["paged"] == (f"{one.notified}" if one.notified else "")
        assert row["ended"] == f"{one.cleared}"
        assert row["party_size"] == f"{one.party_size}"
        assert row["how_it_ended"] == {"STOP": "cleared", "REMOVED": "removed"}[one.clear_type]
        assert row["goal_minutes"] == f"{one.goal / 60}"
        assert row["wait_minutes"] == ("" if one.wait is None else f"{round(one.wait / 60, 2)}")


async def test_spans_in_which_sessions_may_have_been_missed_are_left_out_and_told(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime(2026, 11, 23, 20, tzinfo=dt_util.UTC))  # noon, in US/Pacific
    for minutes_ago in (30, 90, 150):
        serve_guest(simulator.unit, minutes_ago=minutes_ago)
    entry = await set_up()
    now = dt_util.utcnow().timestamp()
    await keep_missed_spans(entry.runtime_data.log, [(now - 95 * 60, now - 60 * 60)])
    found = await ask(hass, "get_pattern")
    assert [cell["hour"] for cell in found["cells"]] == [9, 11]
    assert found["left_out"] == [
        {"from": "2026-11-23T10:25:00-08:00", "to": "2026-11-23T11:00:00-08:00"}
    ]


@pytest.mark.polled
async def test_a_span_that_the_user_is_told_of_stays_with_the_log(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime(2026, 11, 23, 20, tzinfo=dt_util.UTC))
    serve_guest(simulator.unit, minutes_ago=60)
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(3600)
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=5)
    await hass.config_entries.async_setup(entry.entry_id)
    await poll(hass, entry)
    now = dt_util.utcnow().timestamp()
    assert await missed_spans(entry.runtime_data.log) == [(now - 3600, now - 300)]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"from": "2026-11-02 00:00:00", "to": "2026-11-01 00:00:00"}, "end_before_start"),
        ({"from": "2020-01-01 00:00:00"}, "period_too_long"),
        ({"to": "0001-01-01 00:00:00"}, "end_before_start"),
        ({"from": "0001-01-01 00:00:00", "to": "0001-02-01 00:00:00"}, "period_too_long"),
    ],
)
async def test_a_period_that_is_none_is_refused(
    hass: HomeAssistant, set_up: SetUp, fields: dict[str, str], key: str
) -> None:
    await set_up()
    with pytest.raises(ServiceValidationError) as caught:
        await ask(hass, "get_pattern", **fields)
    assert caught.value.translation_key == key


async def test_pagers_that_were_not_cleared_at_closing_are_told_the_next_day(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime(2026, 11, 23, 20, tzinfo=dt_util.UTC))
    for number, hours_ago in ((12, 20), (3, 14), (7, 1)):
        with simulator.unit.at(simulator.unit.now() - timedelta(hours=hours_ago)):
            simulator.unit.create(number)
    entry = await set_up()
    state = sensor(hass, entry, "pagers_not_back")
    assert (state.state, state.attributes["numbers"]) == ("2", [3, 12])


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin"])
async def test_a_period_at_the_end_of_time_has_no_sessions(
    hass: HomeAssistant, set_up: SetUp, zone: str
) -> None:
    await set_up()
    await hass.config.async_set_time_zone(zone)
    for end in ("9999-12-31 23:59:59", "9999-12-31T23:59:59+00:00"):
        assert (await ask(hass, "get_pattern", to=end))["cells"] == []
    with pytest.raises(ServiceValidationError):
        await ask(hass, "get_pattern", to="0001-01-01 00:00:00")


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data")
async def test_the_day_turns_though_the_transmitter_is_off(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime(2026, 11, 23, 20, tzinfo=dt_util.UTC))
    serve_guest(simulator.unit)
    entry = await set_up()
    assert len((await ask(hass, "get_history"))["sessions"]) == 1
    assert (await manager(hass, entry.runtime_data))["today"]["sessions"] == 1
    simulator.faults.reset = True
    for hours in (0, 1, 19):
        freezer.tick(timedelta(hours=hours))
        await poll(hass, entry)
    assert (await ask(hass, "get_history"))["sessions"] == []
    assert (await manager(hass, entry.runtime_data))["today"]["sessions"] == 0


async def test_a_day_before_any_log_compares_with_nothing(
    hass: HomeAssistant, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "websocket_api", {})
    entry = await set_up(day_start=5)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lrs_pager/manager"})
    answer = (await client.receive_json())["result"]
    assert answer == {
        "entry_id": entry.entry_id,
        "today": {
            "sessions": 0,
            "guests": 0,
            "average_wait": None,
            "wait_80": None,
            "late": 0,
            "left": 0,
            "no_show": 0,
        },
        "usual": None,
        "weeks": 0,
        "quotes_kept": None,
        "quote_error": None,
        "pattern": {"weeks": 8, "cells": [], "left_out": 0},
        "day_start": 5,
    }


async def test_a_manager_of_a_transmitter_that_is_not_loaded_is_told_so(
    hass: HomeAssistant, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "websocket_api", {})
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lrs_pager/manager"})
    error = (await client.receive_json())["error"]
    assert (error["code"], error["translation_key"]) == ("not_found", "not_loaded")


# --------------------------------------------------------------------------------- the file


@pytest.fixture
async def entry(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> MockConfigEntry:
    """A transmitter with a guest of today and one of yesterday, and Home Assistant's web server."""
    freezer.move_to(datetime(2026, 11, 23, 20, tzinfo=dt_util.UTC))
    assert await async_setup_component(hass, "websocket_api", {})
    serve_guest(simulator.unit, 9, minutes_ago=24 * 60, label='=cmd|"x", "é"', wait=90)
    serve_guest(simulator.unit, 7, minutes_ago=10, label="Ortega", removed=True)
    return await set_up()


async def test_the_file_is_as_spreadsheets_want_it(
    entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    response = await (await hass_client()).get(url(entry))
    assert response.status == HTTPStatus.OK
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Cache-Control"] == "no-store"
    assert (await response.read()).decode() == (
        "\ufeffpager,party_size,goal_minutes,created,paged,ended,how_it_ended,wait_minutes,"
        "response_minutes,quoted_minutes\r\n"
        "9,,5.0,2026-11-22 11:57:30,2026-11-22 11:59:00,2026-11-22 12:00:00,cleared,1.5,1.0,\r\n"
        "7,,5.0,2026-11-23 11:44:00,2026-11-23 11:49:00,2026-11-23 11:50:00,removed,5.0,1.0,\r\n"
    )


async def test_what_was_quoted_is_in_the_file(
    entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    log = entry.runtime_data.log
    await log.keep([replace(session, quoted=1200) for session in await everything(log)])
    file = await (await (await hass_client()).get(url(entry))).text("utf-8-sig")
    assert [row["quoted_minutes"] for row in read(file)] == ["20.0", "20.0"]


async def test_names_are_in_the_file_if_they_are_asked_for_and_are_no_formulas(
    entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    file = await (await (await hass_client()).get(url(entry, "?names=1"))).text("utf-8-sig")
    assert [row["name"] for row in read(file)] == ['\'=cmd|"x", "é"', "Ortega"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "starts", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", '"=', " \t=", ' "\uff1d']
)
@pytest.mark.parametrize("before", ["", "Anna;", "Anna\t", "Anna\r", "Anna\n", 'Anna;" ', "a;b;;"])
def test_no_name_has_a_formula_wherever_a_spreadsheet_splits_it(
    before: str, starts: str, delimiter: str
) -> None:
    guest = PlacedSession(id=1, number=7, cleared_at=1, label=f"{before}{starts}1+2")
    text = _part([guest], zone=dt_util.UTC, names=True).decode()
    cells = [c for row in csv.reader(io.StringIO(text, ""), delimiter=delimiter) for c in row]
    assert any("1+2" in cell for cell in cells)
    formulas = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    assert not any(cell.lstrip(' \t\r\n"').startswith(formulas) for cell in cells)


def test_a_name_with_a_semicolon_stays_as_it_was_typed() -> None:
    guest = PlacedSession(id=1, number=7, cleared_at=1, label="O'Hara-Lee; window, 2+1")
    assert _part([guest], zone=dt_util.UTC, names=True).endswith(b'"O\'Hara-Lee; window, 2+1"\r\n')


@pytest.mark.parametrize(
    ("query", "pagers"),
    [
        ("?start=2026-11-23", ["7"]),
        ("?end=2026-11-22", ["9"]),
        ("?start=2026-11-22&end=2026-11-23", ["9", "7"]),
        ("?start=2026-11-24&end=2026-11-24", []),
    ],
)
async def test_the_file_has_the_days_that_are_asked_for_the_last_one_included(
    entry: MockConfigEntry, hass_client: ClientSessionGenerator, query: str, pagers: list[str]
) -> None:
    file = await (await (await hass_client()).get(url(entry, query))).text("utf-8-sig")
    assert [row["pager"] for row in read(file)] == pagers


@pytest.mark.parametrize(
    "query", ["?start=yesterday", "?start=2026-11-23&end=2026-11-22", "?end=9999-12-31"]
)
async def test_days_that_are_none_are_refused(
    entry: MockConfigEntry, hass_client: ClientSessionGenerator, query: str
) -> None:
    response = await (await hass_client()).get(url(entry, query))
    assert response.status == HTTPStatus.BAD_REQUEST
    assert (await response.json())["code"] == "export_dates"


async def test_there_is_no_file_of_a_transmitter_that_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    client = await hass_client()
    await hass.config_entries.async_unload(entry.entry_id)
    assert (await client.get(url(entry))).status == HTTPStatus.NOT_FOUND
    assert (await client.get("/api/lrs_pager/other/sessions.csv")).status == HTTPStatus.NOT_FOUND


async def test_a_link_that_the_browser_has_signed_is_followed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "auth", {})
    client, browser = await hass_ws_client(hass), await hass_client_no_auth()
    await client.send_json_auto_id(
        {"type": "auth/sign_path", "path": url(entry, "?start=2026-11-23&names=0")}
    )
    path = (await client.receive_json())["result"]["path"]
    assert [row["pager"] for row in read(await (await browser.get(path)).text("utf-8-sig"))] == [
        "7"
    ]
    for other in (url(entry), path.replace("names=0", "names=1")):
        assert (await browser.get(other)).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("may_read", [True, False])
async def test_who_may_not_see_the_transmitter_gets_neither_file_nor_figures(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_admin_user: MockUser,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    *,
    may_read: bool,
) -> None:
    hass_admin_user.groups = []
    hass_admin_user.mock_policy({"entities": {"all": {"read": True}}} if may_read else {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "lrs_pager/manager"})
    assert (await client.receive_json())["success"] == may_read
    status = (await (await hass_client()).get(url(entry))).status
    assert status == (HTTPStatus.OK if may_read else HTTPStatus.UNAUTHORIZED)


async def test_a_file_that_breaks_off_does_not_look_like_a_whole_one(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = entry.runtime_data.log
    client = await hass_client()
    # The first batch is under way as the entry is unloaded.
    monkeypatch.setattr("custom_components.lrs_pager.sessions.log.BATCH", 1)
    made = log.made_of_batches

    def unloaded_meanwhile(*args: Any) -> Any:
        async def parts() -> Any:
            async for part in made(*args):
                yield part
                await log.close()

        return parts()

    monkeypatch.setattr(log, "made_of_batches", unloaded_meanwhile)
    response = await client.get(url(entry))
    with pytest.raises(ClientPayloadError):
        await response.read()
