"""What is in Home Assistant's log, and what is not."""

import asyncio
from collections.abc import AsyncIterator
import logging

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.transmitter.coap import COAP_LOGGER
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, local_time
from tests.raw_unit import HISTORY, SESSIONS, RawUnit
from tests.test_push import until


@pytest.fixture
async def unit() -> AsyncIterator[RawUnit]:
    async with RawUnit(local_time) as unit:
        yield unit


async def test_the_coap_library_speaks_only_while_debug_logging_is_on(
    hass: HomeAssistant,
    unit: RawUnit,
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await async_setup_component(hass, "logger", {})
    await set_up(unit)
    client = await hass_ws_client(hass)

    async def lines_at(level: str) -> list[str]:
        """What the library says of a message that is none, and of a good one, at a log level."""
        await client.send_json_auto_id(
            {
                "type": "logger/integration_log_level",
                "integration": DOMAIN,
                "level": level,
                "persistence": "none",
            }
        )
        assert (await client.receive_json())["success"]
        caplog.clear()
        unit.send_to_observer(b"\xff" * 4)
        acknowledged = unit.acknowledged
        unit.ping()
        await until(lambda: unit.acknowledged > acknowledged)
        return [record.getMessage() for record in caplog.records if record.name == COAP_LOGGER]

    assert [line for line in await lines_at("DEBUG") if "unparsable" in line]
    assert await lines_at("NOTSET") == []


@pytest.mark.parametrize("silent", [SESSIONS, HISTORY])
async def test_nothing_is_said_if_home_assistant_stops_during_a_set_up(
    hass: HomeAssistant,
    unit: RawUnit,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    silent: str,
) -> None:
    entry = await set_up(unit)
    unit.silent.add(silent)
    unit.requests.clear()
    reloading = asyncio.create_task(hass.config_entries.async_reload(entry.entry_id))
    await until(lambda: ("GET", silent) in unit.requests)
    await hass.async_stop(force=True)
    await reloading
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert problems(caplog) == []


async def test_nothing_is_said_if_home_assistant_stops_while_a_long_history_is_merged(
    hass: HomeAssistant, unit: RawUnit, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(unit)
    unit.end(*[unit.start(number) for number in range(1, 251)])
    reading = asyncio.create_task(entry.runtime_data.async_read_all())
    await until(lambda: entry.runtime_data.log.changes)
    await hass.async_stop(force=True)
    await asyncio.wait({reading})
    assert problems(caplog) == []


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "not been tested" not in record.getMessage()
    ]
