"""A real Home Assistant, the newest, as users run it: what the harness can't show."""

import asyncio
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

# Seconds: soon after a registration, but not so soon that it shows nothing.
PING = 11


class Home:
    """A Home Assistant with one transmitter added."""

    def __init__(self, assistant: HomeAssistant, entry_id: str) -> None:
        self.assistant = assistant
        self.entry_id = entry_id

    async def sensors(self) -> dict[str, str]:
        states = await self.assistant.states(self.entry_id)
        return {key: state["state"] for key, state in states.items()}

    async def shows(self, **expected: str) -> bool:
        """Wait, without having anything read, until the sensors are so."""

        async def are_so() -> bool:
            states = await self.sensors()
            return all(states[key] == value for key, value in expected.items())

        return await self.assistant.wait(are_so, POLL_TIMEOUT, f"{expected}")

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

        async def is_kept() -> bool:
            entries_file = config / ".storage" / "core.config_entries"
            return entries_file.exists() and found.entry_id in entries_file.read_text()

        # Home Assistant itself forgets an entry if it is killed a moment after that was added.
        await assistant.wait(is_kept, POLL_TIMEOUT, "the entry on the disk")
        yield found


@pytest.fixture
def unit() -> Unit:
    """A unit at noon, so that no midnight comes in between."""
    noon = datetime.now().replace(hour=12)
    return Unit(now=lambda: noon)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


async def test_a_kill_of_home_assistant_loses_no_session_whose_end_was_told(
    unit: Unit, config: Path
) -> None:
    serve_guest(unit, 4, label="Ortega")
    async with Simulator(unit=unit, ping_interval=PING) as simulator:
        async with home(config, simulator) as running:
            await running.until(lambda sensors: sensors["daily_count"] == "1")
            serve_guest(unit, 5, wait=100)
            await running.assistant.wait(
                lambda: last_event_is(running, "cleared", 5), POLL_TIMEOUT, "the session's end"
            )
            before = await running.until(lambda sensors: sensors["daily_count"] == "2")
            await running.assistant.stop(signal.SIGKILL)
        unit.wipe_history()
        async with home(config, simulator) as running:
            after = await running.until(lambda sensors: sensors["daily_count"] != "0")
            for key in ("daily_count", "average_wait", "longest_wait", "last_cleared_session"):
                assert after[key] == before[key]


async def test_a_change_at_the_door_is_shown_without_being_asked_for(
    unit: Unit, config: Path
) -> None:
    serve_guest(unit)
    async with (
        Simulator(unit=unit, ping_interval=PING) as simulator,
        home(config, simulator) as running,
    ):
        await running.shows(push="on", active_sessions="0")
        simulator.requests.clear()
        unit.create(7)
        await running.shows(active_sessions="1", waiting_sessions="1")
        unit.page(7)
        await running.shows(waiting_sessions="0", paged_sessions="1")
        assert [request.path for request in simulator.requests] == []
        unit.remove(7)
        await running.shows(active_sessions="0", daily_count="2")
        states = await running.assistant.states(running.entry_id)
        await running.assistant.wait(
            lambda: last_event_is(running, "removed", 7),
            POLL_TIMEOUT,
            "the event of the session's end",
        )
        assert states["push"]["attributes"]["status"] in {"accepted", "live"}


async def last_event_is(running: Home, step: str, number: int) -> bool:
    """Whether the last event is of this step, and this pager."""
    attributes = (await running.assistant.states(running.entry_id))["session"]["attributes"]
    return (attributes.get("event_type"), attributes.get("number")) == (step, number)


async def test_a_kill_in_the_middle_of_it_all_costs_no_session(unit: Unit, config: Path) -> None:
    async with Simulator(unit=unit, ping_interval=PING) as simulator:
        async with home(config, simulator) as running:
            await running.shows(push="on")
            for number in range(1, 41):
                unit.create(number)
                unit.page(number)
                unit.clear(number)
                await asyncio.sleep(0.01)
            unit.create(50)
            await running.assistant.stop(signal.SIGKILL)
        for number in range(1, 11):
            serve_guest(unit, number)
        async with home(config, simulator) as running:
            await running.shows(daily_count="50", active_sessions="1", push="on")


async def guest_comes_and_goes(running: Home, unit: Unit, count: int) -> None:
    """Have a guest with a name come and go, as the one of that count."""
    unit.create(5, label="Ortega")
    await running.shows(active_sessions="1")
    await running.assistant.wait(
        lambda: last_event_is(running, "started", 5), POLL_TIMEOUT, "the event"
    )
    unit.remove(5)
    await running.shows(daily_count=str(count))
    await running.assistant.wait(
        lambda: last_event_is(running, "removed", 5), POLL_TIMEOUT, "the event"
    )


async def show_names(running: Home, *, is_wanted: bool) -> None:
    """Choose in the options whether states have names."""
    path = "/api/config/config_entries/options/flow"
    form = await running.assistant.rest("POST", path, {"handler": running.entry_id})
    options = {"day_start": 0, "show_names_in_states": is_wanted}
    await running.assistant.rest("POST", f"{path}/{form['flow_id']}", options)
    await running.shows(push="on")


def files_with(text: bytes, config: Path) -> set[str]:
    """The names of the files that have this anywhere."""
    files = (path for path in config.rglob("*") if path.is_file())
    return {path.name for path in files if text in path.read_bytes()}


async def test_a_guests_name_is_in_the_session_log_alone(unit: Unit, config: Path) -> None:
    serve_guest(unit, 4, label="Ortega")
    async with Simulator(unit=unit, ping_interval=PING) as simulator:
        async with home(config, simulator) as running:
            await running.shows(push="on")
            await guest_comes_and_goes(running, unit, count=2)
            states = await running.assistant.rest("GET", "/api/states")
            assert "Ortega" not in str(states)
        assert files_with(b"Ortega", config) == {f"lrs_pager.{running.entry_id}.db"}
        assert "home-assistant_v2.db" in files_with(b"average_wait", config)


async def test_names_that_are_shown_are_in_no_database_and_gone_when_they_are_not_any_more(
    unit: Unit, config: Path
) -> None:
    async with Simulator(unit=unit, ping_interval=PING) as simulator:
        async with home(config, simulator) as running:
            await show_names(running, is_wanted=True)
            await guest_comes_and_goes(running, unit, count=1)
            states = await running.assistant.states(running.entry_id)
            for key in ("session", "last_cleared_session"):
                assert states[key]["attributes"]["label"] == "Ortega"
        # What Home Assistant keeps to show the last event after a restart.
        log = f"lrs_pager.{running.entry_id}.db"
        assert files_with(b"Ortega", config) == {log, "core.restore_state"}
        async with home(config, simulator) as running:
            states = await running.assistant.states(running.entry_id)
            assert states["session"]["attributes"]["label"] == "Ortega"
            await show_names(running, is_wanted=False)
            states = await running.assistant.rest("GET", "/api/states")
            assert "Ortega" not in str(states)
        assert files_with(b"Ortega", config) == {log}


async def test_faults_leave_one_line_each_in_the_log_and_no_traceback(
    unit: Unit, config: Path
) -> None:
    serve_guest(unit)
    async with (
        Simulator(unit=unit, ping_interval=PING) as simulator,
        home(config, simulator) as running,
    ):
        for fault in ("reset", "silence"):
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


async def test_the_host_stand_is_in_the_sidebar_and_browsers_load_its_module(
    unit: Unit, config: Path
) -> None:
    module = (INTEGRATION / "www" / "lrs-pager.js").read_text()
    async with (
        Simulator(unit=unit, ping_interval=PING) as simulator,
        home(config, simulator) as running,
    ):
        panel = (await running.assistant.command("get_panels"))["lrs-pager"]
        assert (panel["title"], panel["icon"]) == ("Host stand", "mdi:account-clock")
        url = panel["config"]["_panel_custom"]["module_url"]
        assert await running.assistant.rest("GET", url) == module
        assert url in await running.assistant.rest("GET", "/")
        await running.assistant.rest(
            "DELETE", f"/api/config/config_entries/entry/{running.entry_id}"
        )
        assert "lrs-pager" not in await running.assistant.command("get_panels")
        assert url not in await running.assistant.rest("GET", "/")
        assert running.assistant.problems() == []
