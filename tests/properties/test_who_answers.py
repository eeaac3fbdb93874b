"""Whoever answers, and whoever else is at work: the log is our unit's ledger, and no more."""

import asyncio
from contextlib import suppress
import logging

from hypothesis import example, given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager.const import DOMAIN
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.conftest import OUR_LOGGERS, local_time, poll, sensor, serve_guest
from tests.properties.test_users import with_hass
from tests.sessions import everything
from tests.simulator import Simulator, Unit

pytestmark = pytest.mark.usefixtures("_loopback", "short_timeouts")


async def add(hass: HomeAssistant, simulator: Simulator) -> MockConfigEntry:
    """Add a transmitter."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="T7470",
        data={CONF_HOST: simulator.host, CONF_PORT: simulator.port},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def act(hass: HomeAssistant, what: str, number: int, **data: str) -> None:
    """Have an action do something, if it can be done."""
    data |= {"number": str(number)}
    with suppress(HomeAssistantError):
        await hass.services.async_call(DOMAIN, f"{what}_session", data, blocking=True)


async def logged(entry: MockConfigEntry) -> set[str | None]:
    """The uuids of the log's sessions."""
    return {session.uuid for session in await everything(entry.runtime_data.log)}


def announce(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Let there be lines that begin so, as many as there are."""
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith(OUR_LOGGERS)
    ]
    for mark in request.node.iter_markers("logs"):
        request.node.own_markers.remove(mark)
    request.node.add_marker(pytest.mark.logs(*(line for line in lines if line.startswith(text))))


happenings = st.lists(
    st.sampled_from(
        ["ours", "theirs", "nobody", "poll", "guest", "stranger", "comes", "action", "all"]
    ),
    max_size=12,
)


@given(happenings, st.sampled_from([1, 5000]), st.booleans())
# From one poll to the next.
@example(["theirs", "poll"], 1, True)
@example(["theirs", "poll"], 5000, False)
# Its guest is not ours, and is not paged by us.
@example(["comes", "theirs", "stranger", "action"], 1, True)
@example(["theirs", "all"], 5000, True)
@with_hass(8)
async def test_nothing_of_another_transmitter_is_merged_whenever_it_answers(
    hass: HomeAssistant,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    happens: list[str],
    their_first_id: int,
    has_count: bool,
) -> None:
    ours, theirs = (
        Unit(now=local_time, seed=seed, next_id=first_id)
        for seed, first_id in ((1, 1), (2, their_first_id))
    )
    for number in (1, 2, 3):
        serve_guest(ours, number)
        serve_guest(theirs, number, minutes_ago=2)
    theirs.create(7)
    at = Simulator(unit=ours, max_observers=0)
    at.faults.no_sequence = not has_count
    await at.start()
    entry = await add(hass, at)
    there = Simulator(unit=theirs, port=at.port, max_observers=0)
    there.faults.no_sequence = not has_count
    for number, happening in enumerate([*happens, "ours", "poll"], 10):
        match happening:
            case "ours" | "theirs" | "nobody":
                await at.stop()
                await there.stop()
                if happening != "nobody":
                    await (at if happening == "ours" else there).start()
            case "poll":
                await poll(hass, entry)
            case "action":
                # Without a session_id, whoever has that pager is paged.
                for session in list(ours.active.values()):
                    await act(hass, "page", 7, session_id=session.uuid)
            case "all":
                await entry.runtime_data.async_read_all()
            case "comes":
                ours.create(7)
            case _:
                serve_guest(ours if happening == "guest" else theirs, number)
        assert await logged(entry) <= {session.uuid for session in ours.ledger}
    assert await logged(entry) == {session.uuid for session in ours.ledger}
    assert sensor(hass, entry, "active_sessions").state == str(len(ours.active))
    assert {asked.code for asked in there.requests} <= {"GET"}
    await hass.config_entries.async_remove(entry.entry_id)
    await at.stop()
    announce(request, caplog, "Error fetching T7470 data")


steps = st.tuples(
    st.sampled_from(["keypad", "action", "action"]),
    st.sampled_from(["start", "page", "clear", "remove"]),
    st.integers(1, 3),
)


@given(st.lists(st.lists(steps, min_size=1, max_size=5), max_size=5), st.booleans())
@with_hass(8)
async def test_whatever_keypad_and_actions_do_at_once_what_is_shown_and_logged_is_so(
    hass: HomeAssistant, at_once: list[list[tuple[str, str, int]]], has_push: bool
) -> None:
    async def do(who: str, what: str, number: int) -> None:
        if who == "action":
            await act(hass, what, number)
            return
        await asyncio.sleep(0.002 * number)
        with suppress(LookupError):
            (unit.create if what == "start" else getattr(unit, what))(number)

    unit = Unit(now=local_time)
    room = None if has_push else 0
    async with Simulator(unit=unit, max_observers=room, pings_at_once=True) as simulator:
        entry = await add(hass, simulator)
        for some in at_once:
            await asyncio.gather(*(do(*step) for step in some))
        await poll(hass, entry)
        assert await logged(entry) == {session.uuid for session in unit.ledger}
        # A number that is taken back at once was mistyped.
        guests = [one for one in unit.ledger if one.notified or one.clear_type != "REMOVED"]
        assert sensor(hass, entry, "daily_count").state == str(len(guests))
        active = unit.active.values()
        assert sensor(hass, entry, "active_sessions").state == str(len(active))
        assert sensor(hass, entry, "paged_sessions").state == str(
            len([session for session in active if session.notified])
        )
        await hass.config_entries.async_remove(entry.entry_id)
