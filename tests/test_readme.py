"""What the README shows works as it stands there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)
import yaml

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.sync.intervals import Intervals
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, serve_guest, settle
from tests.simulator import Simulator

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
AUTOMATIONS = {block["alias"]: block for block in BLOCKS if "alias" in block}

# Milliseconds, of a clock that stands still but for them, in which anything that is to happen has
# happened.
PATIENCE = 20_000

type Until = Callable[[Callable[[], Any]], Awaitable[None]]


@pytest.fixture
def until(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Until:
    """Wait for something to become so."""

    async def until(test: Callable[[], Any]) -> None:
        for _ in range(PATIENCE):
            if test():
                return
            freezer.tick(0.001)
            await asyncio.sleep(0)
            await hass.async_block_till_done()
        raise AssertionError("it did not happen")

    return until


@pytest.fixture
async def live(
    until: Until, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transmitter that tells of changes."""
    monkeypatch.setattr(coordinator, "INTERVALS", Intervals(read_delay=0.05))
    entry = await set_up()
    await until(lambda: entry.runtime_data.follower.push.is_live)


type Automate = Callable[[str], Awaitable[None]]


@pytest.fixture
async def automate(hass: HomeAssistant, live: None) -> AsyncIterator[Automate]:
    """Set up an automation of the README, and leave none of its timers."""

    async def automate(alias: str) -> None:
        assert await async_setup_component(hass, "automation", {"automation": AUTOMATIONS[alias]})
        await hass.async_block_till_done()

    yield automate
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


def test_there_are_five_automations() -> None:
    assert len(AUTOMATIONS) >= 5


async def test_the_manager_hears_of_each_late_guest_once(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await automate("A guest is late")
    unit = simulator.unit
    for number in (7, 8):
        with unit.at(unit.now() - timedelta(seconds=120 - 5 * (number - 6))):
            unit.create(number, goal=120)
    await until(lambda: hass.states.get("sensor.t7470_waiting_sessions").state == "2")
    for number in (7, 8):
        freezer.tick(7 if number == 7 else 5)
        async_fire_time_changed(hass)
        await until(lambda number=number: len(sent) == number - 6)
        assert sent[-1].data["message"] == f"Pager {number} waits for longer than promised."


async def test_the_table_is_announced_when_a_pager_comes_back_and_not_when_it_is_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
) -> None:
    spoken = async_mock_service(hass, "tts", "speak")
    await automate("Announce the cleared table")
    for number in (7, 8, 9):
        simulator.unit.create(number, label="Ortega", party_size=4)
    simulator.unit.remove(9)
    simulator.unit.clear(7)
    simulator.unit.clear(8)
    await until(lambda: len(spoken) == 2)
    messages = {call.data["message"] for call in spoken}
    assert messages == {
        "Pager 7, party of 4, is on the way to the table.",
        "Pager 8, party of 4, is on the way to the table.",
    }


async def test_an_automation_that_waited_ends_the_session_that_it_is_about_and_no_other(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    sessions = [simulator.unit.create(number) for number in (7, 8)]
    await set_up()
    [clear] = [block for block in BLOCKS if block.get("action") == "lrs_pager.clear_session"]
    assert await async_setup_component(hass, "script", {"script": {"run": {"sequence": [clear]}}})
    simulator.unit.clear(7)
    simulator.unit.create(7)  # the next guest's
    refused = []
    for session in sessions:
        trigger = {"number": session.number, "session_id": session.uuid}
        try:
            await hass.services.async_call("script", "run", {"trigger": trigger}, blocking=True)
        except ServiceValidationError:
            refused.append(session.number)
    assert refused == [7]
    assert list(simulator.unit.active) == [7]


async def test_a_pager_that_does_not_come_back_is_reported(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await automate("A pager has not come back")
    for number in (7, 8):
        simulator.unit.create(number)
        simulator.unit.page(number)
    await until(lambda: hass.states.get("sensor.t7470_paged_sessions").state == "2")
    for minutes, expected in ((14, 0), (2, 2)):
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass)
        await settle(hass)
        await until(lambda expected=expected: len(sent) >= expected)
        assert len(sent) == expected
    assert {call.data["message"] for call in sent} == {
        f"Pager {number} was paged 15 minutes ago and is not back." for number in (7, 8)
    }


async def test_the_day_is_summed_up_at_closing_time(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await automate("The day at the door")
    closing = dt_util.now().replace(hour=23, minute=0, second=0, microsecond=0)
    freezer.move_to(closing - timedelta(minutes=10))
    serve_guest(simulator.unit, wait=600, goal=900)
    await until(lambda: hass.states.get("sensor.t7470_daily_count").state == "1")
    freezer.move_to(closing)
    async_fire_time_changed(hass)
    await until(lambda: sent)
    assert sent[0].data["message"] == (
        "1 sessions today, average wait 10 minutes, longest 10, 100 % called on time."
    )


async def test_the_light_is_on_while_many_guests_wait(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
) -> None:
    on = async_mock_service(hass, "light", "turn_on")
    off = async_mock_service(hass, "light", "turn_off")
    await automate("Busy-hour light")
    simulator.unit.create(7, party_size=6)
    await until(lambda: hass.states.get("sensor.t7470_guests_waiting").state == "6")
    simulator.unit.create(8, party_size=5)
    await until(lambda: on)
    assert not off
    simulator.unit.page(7)
    await until(lambda: off)
    assert (len(on), len(off)) == (1, 1)


def test_every_entity_that_is_named_exists() -> None:
    """By its key: a typing error would leave a card empty."""
    entities = set(re.findall(r"\b(?:sensor|binary_sensor|event)\.t7470_\w+", README))
    assert "sensor.t7470_daily_count" in entities
    snapshots = (Path(__file__).parent / "snapshots" / "test_entities.ambr").read_text()
    assert not {entity for entity in entities if f"[{entity}-state]" not in snapshots}
