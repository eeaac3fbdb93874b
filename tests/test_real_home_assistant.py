"""A real Home Assistant, the newest, as users run it: what the harness can't show."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
import signal
import socket
from typing import Any

import pytest

from demo.home_assistant import HomeAssistant
from tests.conftest import serve_guest
from tests.simulator import Simulator, Unit

pytestmark = [pytest.mark.real]

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "lrs_pager"

# Seconds in which a poll comes round.
POLL_TIMEOUT = 60


class Home:
    """A Home Assistant with one transmitter added."""

    def __init__(self, assistant: HomeAssistant, entry_id: str) -> None:
        self.assistant = assistant
        self.entry_id = entry_id

    async def sensors(self) -> dict[str, str]:
        states = await self.assistant.states(self.entry_id)
        return {key: state["state"] for key, state in states.items()}

    async def until(self, test: Callable[[dict[str, str]], Any]) -> dict[str, str]:
        """Have the transmitter read until the sensors are so."""

        async def tried() -> bool:
            states = await self.assistant.states(self.entry_id)
            count = states["daily_count"]["entity_id"]
            await self.assistant.rest(
                "POST", "/api/services/homeassistant/update_entity", {"entity_id": count}
            )
            return bool(test(await self.sensors()))

        await self.assistant.wait(tried, POLL_TIMEOUT, "the sensors")
        return await self.sensors()


@asynccontextmanager
async def home(config: Path, simulator: Simulator) -> AsyncIterator[Home]:
    """Start on a folder; at the first start, onboard and add the transmitter."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with HomeAssistant(config, INTEGRATION, port) as assistant:
        await assistant.log_in("demo", "demo", "UTC")
        entries = await assistant.entries("lrs_pager")
        if not entries:
            address = {"host": simulator.host, "port": simulator.port}
            result = await assistant.flow("lrs_pager", address)
            entries = [result["result"]]
        found = Home(assistant, entries[0]["entry_id"])
        await assistant.wait(found.sensors, POLL_TIMEOUT, "the sensors")
        yield found


@pytest.fixture
def unit() -> Unit:
    """A unit at noon, so that no midnight comes in between."""
    noon = datetime.now().replace(hour=12)
    return Unit(now=lambda: noon)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


async def test_a_kill_of_home_assistant_loses_no_session_that_was_seen(
    unit: Unit, config: Path
) -> None:
    serve_guest(unit, 4, label="Ortega")
    async with Simulator(unit=unit) as simulator:
        async with home(config, simulator) as running:
            await running.until(lambda sensors: sensors["daily_count"] == "1")
            serve_guest(unit, 5, wait=100)
            before = await running.until(lambda sensors: sensors["daily_count"] == "2")
            await running.assistant.stop(signal.SIGKILL)
        unit.wipe_history()
        async with home(config, simulator) as running:
            assert await running.until(lambda sensors: sensors["daily_count"] != "0") == before


async def test_a_guests_name_is_in_no_database_and_no_log(unit: Unit, config: Path) -> None:
    serve_guest(unit, 4, label="Ortega")
    async with Simulator(unit=unit) as simulator:
        async with home(config, simulator) as running:
            states = await running.assistant.states(running.entry_id)
            assert states["last_cleared_session"]["attributes"]["label"] == "Ortega"
            serve_guest(unit, 5, label="Ortega")
            await running.until(lambda sensors: sensors["daily_count"] == "2")
        found = {
            path.name
            for path in config.rglob("*")
            if path.is_file() and b"Ortega" in path.read_bytes()
        }
        assert found == {f"lrs_pager.{running.entry_id}"}
        assert b"average_wait" in (config / "home-assistant_v2.db").read_bytes()


async def test_faults_leave_one_line_each_in_the_log_and_no_traceback(
    unit: Unit, config: Path
) -> None:
    serve_guest(unit)
    async with Simulator(unit=unit) as simulator, home(config, simulator) as running:
        for fault in ("error_5_00", "truncated"):
            simulator.faults.switch(fault, on=True)
            await running.until(lambda sensors: sensors["daily_count"] == "unavailable")
            simulator.faults.switch(fault, on=False)
            serve_guest(unit)
            await running.until(lambda sensors: sensors["daily_count"] != "unavailable")
        assert (await running.sensors())["daily_count"] == "3"
        problems = running.assistant.problems()
        assert len(problems) == 2
        for problem in problems:
            assert "Error fetching T7470 data" in problem
            assert "Traceback" not in problem
