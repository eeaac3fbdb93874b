"""A history that takes longer to read than guests stay: all else goes on meanwhile.

30,000 sessions at 50 ms an exchange are six minutes and a half, in which a guest leaves every ten
seconds. Here they are a fiftieth as many, at a tenth of the time each, and a guest leaves 100 times
as often: the same, but for the time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager.sync import history
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from tests.conftest import SetUp, local_time, sensor
from tests.simulator import Simulator, Unit

COUNT, EXCHANGE, GUEST_EVERY = 600, 0.005, 0.1
LIVE = ("active_sessions", "daily_count", "last_cleared_session")


@asynccontextmanager
async def unit_of(count: int, *, still: bool = True) -> AsyncIterator[Simulator]:
    """A unit with so many sessions of the days before."""
    unit = Unit(now=local_time)
    first = local_time() - timedelta(days=3, seconds=30 * count)
    for index in range(count):
        with unit.at(first + timedelta(seconds=30 * index)):
            unit.create(index % 40 + 1)
            unit.clear(index % 40 + 1)
    async with Simulator(unit=unit, still=still) as simulator:
        simulator.faults.network.delay = EXCHANGE / 2
        yield simulator


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SLICE", history.SLICE / 100)


def blocks_read(simulator: Simulator) -> list[int]:
    """The numbers of the history's blocks that were asked for, but for its beginning."""
    return [
        asked.block2[0]
        for asked in simulator.requests
        if asked.path[-1] == "history" and asked.block2 and asked.block2[0] > 0
    ]


async def serve(simulator: Simulator, until: Callable[[], bool]) -> int:
    """Have guests come and leave until something is so; return how many did."""
    unit, left = simulator.unit, 0
    async with asyncio.timeout(60):
        while not until():
            number = left % 40 + 1
            unit.create(number)
            await asyncio.sleep(GUEST_EVERY / 2)
            unit.clear(number)
            await asyncio.sleep(GUEST_EVERY / 2)
            left += 1
    return left


def is_read(entry: MockConfigEntry) -> bool:
    return not entry.runtime_data.follower.poller.history.is_under_way


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something, by looking often."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def told(hass: HomeAssistant, entry: MockConfigEntry, key: str, state: str) -> None:
    """Wait until a sensor says so."""
    await until(lambda: sensor(hass, entry, key).state == state)


@pytest.mark.parametrize("still", [True, False])
async def test_while_a_long_history_is_read_guests_are_shown_and_in_the_end_all_are_known(
    hass: HomeAssistant, set_up: SetUp, *, still: bool
) -> None:
    async with unit_of(COUNT, still=still) as simulator:
        entry = await set_up(simulator)
        assert not is_read(entry)
        seen: set[str] = set()

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            if state := event.data["new_state"]:
                seen.add(state.state)

        entities = [sensor(hass, entry, key).entity_id for key in LIVE]
        stop = async_track_state_change_event(hass, entities, changed)
        left = await serve(simulator, lambda: is_read(entry))
        await told(hass, entry, "daily_count", str(left))
        stop()
        assert STATE_UNAVAILABLE not in seen
        assert left > 10
        assert await entry.runtime_data.log.count() == COUNT + left


async def test_a_restart_in_the_middle_of_a_long_history_goes_on_where_it_was(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    async with unit_of(COUNT) as simulator:
        entry = await set_up(simulator)
        await until(lambda: len(blocks_read(simulator)) >= 80)
        assert not is_read(entry)
        await hass.config_entries.async_unload(entry.entry_id)
        before = len(blocks_read(simulator))
        await hass.config_entries.async_setup(entry.entry_id)
        left = await serve(simulator, lambda: is_read(entry))
        await told(hass, entry, "daily_count", str(left))
        assert await entry.runtime_data.log.count() == COUNT + left
        # Nothing of what was read before, but for some blocks at the seam.
        assert min(blocks_read(simulator)[before:]) > before / 2


@pytest.mark.logs("Error fetching T7470 data")
async def test_a_poll_that_is_lost_costs_no_read_of_what_was_read_before(
    hass: HomeAssistant, set_up: SetUp, short_timeouts: None
) -> None:
    async with unit_of(300) as simulator:
        entry = await set_up(simulator)
        left = await serve(simulator, lambda: is_read(entry))
        await told(hass, entry, "daily_count", str(left))
        network = simulator.faults.network
        network.loss_in = 1
        await entry.runtime_data.async_refresh()
        network.loss_in = 0
        before = len(blocks_read(simulator))
        simulator.unit.create(7)
        simulator.unit.clear(7)
        await entry.runtime_data.async_refresh()
        await told(hass, entry, "daily_count", str(left + 1))
        assert len(blocks_read(simulator)) - before <= 6


async def test_a_unit_that_serves_blocks_in_their_order_alone_loses_nobody(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    async with unit_of(200) as simulator:
        simulator.faults.switch("in_order_only", on=True)
        entry = await set_up(simulator)
        for number in range(1, 6):
            simulator.unit.create(number)
            simulator.unit.clear(number)
            await asyncio.sleep(GUEST_EVERY)
        await until(lambda: is_read(entry))
        await told(hass, entry, "daily_count", "5")
        assert await entry.runtime_data.log.count() == 205
