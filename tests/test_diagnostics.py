"""Diagnostics are made to be posted in public."""

from dataclasses import replace
import json

import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.lrs_pager.diagnostics import async_get_config_entry_diagnostics
from custom_components.lrs_pager.sessions.kept_quotes import Kept
from custom_components.lrs_pager.sync.quoting import Board
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, poll, serve_guest
from tests.simulator import Simulator


async def test_they_tell_of_the_transmitter_and_not_of_guests_or_addresses(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    serve_guest(simulator.unit, number=17, label="Ortega")
    entry = await set_up(day_start=4)
    await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["is_reachable"] is True
    assert found["entry"]["options"] == {"day_start": 4}
    assert found["snapshot"]["firmware_version"] == "8.4.100.43"
    assert found["history"]["is_readable"] is True
    assert found["active_sessions"]["is_readable"] is True
    assert found["clock"] == {"ahead": 0, "agrees": True}
    assert found["log"]["sessions"] == 1
    assert found["snapshot"]["last_cleared"]["number"] == 17
    text = json.dumps(found)
    assert "Ortega" not in text
    assert simulator.unit.ledger[0].uuid not in text
    assert simulator.host not in text


@pytest.mark.logs("The history can't be read: answered 5.00")
async def test_they_tell_what_cannot_be_read_of_a_transmitter_that_answers(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, simulator: Simulator, set_up: SetUp
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up()
    simulator.faults.error_5_00 = True
    await poll(hass, entry)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["is_reachable"] is True
    assert found["history"]["is_readable"] is found["active_sessions"]["is_readable"] is False


@pytest.mark.usefixtures("short_timeouts")
async def test_they_tell_why_a_transmitter_is_not_set_up(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, simulator: Simulator, set_up: SetUp
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    simulator.faults.silence = True
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["state"] == "setup_retry"
    assert found["reason"] in {"timed_out", "The transmitter does not answer"}
    assert simulator.host not in str(found)


async def test_they_tell_nothing_of_guests_who_are_there_now(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    session = simulator.unit.create(9, label="Ortega")
    entry = await set_up()
    await async_setup_component(hass, "diagnostics", {})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    [active] = found["snapshot"]["active"]
    assert active["number"] == 9
    text = json.dumps(found)
    assert "Ortega" not in text
    assert session.uuid not in text


async def test_they_tell_what_the_unit_really_does(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    serve_guest(simulator.unit, wait=302, goal=300, label="Ortega")
    serve_guest(simulator.unit, wait=303, goal=300)
    serve_guest(simulator.unit, wait=298, goal=300, minutes_ago=31 * 24 * 60)
    simulator.unit.create(9, label="Ortega")
    entry = await set_up()
    await async_setup_component(hass, "diagnostics", {})
    found = (await get_diagnostics_for_config_entry(hass, hass_client, entry))["protocol"]
    assert found["pages_at_goal"] == {"paged": 2, "at_goal": 1}
    assert found["resources"]["GET /v1/sessions/history"]["codes"] == {"2.05": 1}
    assert found["messages"]["answer: sessions+statistics"]["with_timestamp"] >= 1
    # What one might look for here is not taken out because of its name.
    assert found["fields"]["session_history"]["seen"]["uuid"] == ["string"]
    assert "label" in found["fields"]["sessions"]["seen"]
    assert "Ortega" not in json.dumps(found)


async def test_the_quotes_of_guests_who_wait_are_counted_and_tell_nobody(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(7, label="Anna")
    entry = await set_up()
    coordinator = entry.runtime_data
    (session,) = coordinator.data.active or ()
    board = Board(quotes={}, is_auto_paged=False, about={session.keys[0]: 10}, kept=Kept())
    coordinator.data = replace(coordinator.data, quotes=board)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["snapshot"]["quotes"]["about"] == 1
    assert session.keys[0] not in repr(found)
