"""A restaurant with a real Home Assistant, and browsers to look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import re
import shutil
import socket
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    async_playwright,
    expect,
)
import pytest
import pytest_asyncio
import pytest_socket

from demo.home_assistant import CONFIGURATION, HomeAssistant
from tests.simulator import Simulator, Unit

ROOT = Path(__file__).parents[2]
INTEGRATION = Path(os.environ.get("INTEGRATION", ROOT / "custom_components" / "lrs_pager"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

# What a host has in hand, at the desk, on the wall.
PHONE = (390, 844)
TABLET = (1180, 820)
WALL = (1920, 1080)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# What Home Assistant's own pages fail with: as one is left, and when its server is gone.
OF_HOME_ASSISTANT = re.compile(r"ViewTransition|'_panel_custom'|imported module: \S+/frontend_")

# Milliseconds there, and bytes in a second: 20 Mbit.
WI_FI = {
    "offline": False,
    "latency": 30,
    "downloadThroughput": 2_500_000,
    "uploadThroughput": 2_500_000,
}

# Milliseconds for what a slow machine does in one.
PATIENCE = 10_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all of this where there is no browser; one event loop for each file."""
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real)
        item.add_marker(pytest.mark.timeout(120))
        item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium here (apt-get install chromium)"))


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """There is no Home Assistant in this process; the browser lives for a whole file."""


@dataclass
class House:
    """A restaurant: the unit by the door, Home Assistant, and what people look at it with."""

    simulator: Simulator
    home: HomeAssistant
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    # What went wrong in pages.
    errors: list[str] = field(default_factory=list)

    @property
    def unit(self) -> Unit:
        return self.simulator.unit

    @property
    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What the unit was told to do, each once: method, query and body."""
        return [
            (asked.code, "&".join(asked.query), json.loads(asked.payload or b"{}"))
            for asked in self.simulator.requests
            if asked.code != "GET"
        ]

    async def hears(self, count: int) -> None:
        """Wait until the unit was told to do so many things."""

        async def heard() -> bool:
            return len(self.sent) >= count

        await self.home.wait(heard, PATIENCE / 1000, "the unit to be told")

    async def add_transmitter(self, simulator: Simulator | None = None, name: str = "") -> str:
        """Add the transmitter (or another) by the config flow; return the entry's id.

        name: that of its device, if it is to have another.
        """
        unit = simulator or self.simulator
        result = await self.home.flow("lrs_pager", {"host": unit.host, "port": unit.port})
        entry_id = str(result["result"]["entry_id"])
        if name:
            device_id = await self.device(entry_id)
            await self.home.command(
                "config/device_registry/update", device_id=device_id, name_by_user=name
            )
        return entry_id

    @asynccontextmanager
    async def another(self, simulator: Simulator, name: str = "") -> AsyncIterator[None]:
        """Have another transmitter for a while. name: that of its device."""
        entry_id = await self.add_transmitter(simulator, name)
        try:
            yield
        finally:
            await self.remove(entry_id)

    async def entry(self) -> str:
        """The id of the only transmitter's entry."""
        (entry,) = await self.home.entries("lrs_pager")
        return str(entry["entry_id"])

    async def device(self, entry_id: str) -> str:
        """The id of the device of an entry."""

        async def found() -> list[dict[str, Any]]:
            return [
                device
                for device in await self.home.command("config/device_registry/list")
                if ["lrs_pager", entry_id] in device["identifiers"]
            ]

        (device,) = await self.home.wait(found, PATIENCE / 1000, "the device")
        return str(device["id"])

    async def remove(self, entry_id: str) -> None:
        """Remove a transmitter, as a user does."""
        await self.home.rest("DELETE", f"/api/config/config_entries/entry/{entry_id}")

    async def options(self, entry_id: str, **values: bool) -> None:
        """Set options of a transmitter, as a user does."""
        path = "/api/config/config_entries/options/flow"
        form = await self.home.rest("POST", path, {"handler": entry_id})
        kept = {
            field["name"]: field.get("default", field.get("description", {}).get("suggested_value"))
            for field in form["data_schema"]
        }
        await self.home.rest("POST", f"{path}/{form['flow_id']}", {**kept, **values})

    async def is_empty(self) -> bool:
        """Whether Home Assistant knows of no guest."""
        for entry in await self.home.entries("lrs_pager"):
            states = await self.home.states(entry["entry_id"])
            if "active_sessions" not in states or states["active_sessions"]["state"] != "0":
                return False
        return True

    async def poll(self) -> None:
        """Have the transmitter asked now, rather than when that is due."""
        states = await self.home.states(await self.entry())
        await self.home.rest(
            "POST",
            "/api/services/homeassistant/update_entity",
            {"entity_id": states["daily_count"]["entity_id"]},
        )

    def guest(
        self, number: int, *, ago: float = 0, paged: float | None = None, **fields: Any
    ) -> None:
        """Have a guest come to the keypad, and be paged there. ago, paged: minutes ago."""
        now = self.unit.now()
        with self.unit.at(now - timedelta(minutes=ago)):
            self.unit.create(number, **fields)
        if paged is not None:
            with self.unit.at(now - timedelta(minutes=paged)):
                self.unit.page(number)

    async def page(
        self,
        path: str = "/lrs-pager",
        *,
        size: tuple[int, int] = TABLET,
        token: str | None = None,
        storage: dict[str, Any] | None = None,
        script: str = "",
        heard: list[str] | None = None,
        is_clock_ours: bool = False,
        is_cold: bool = False,
        **options: Any,
    ) -> Page:
        """Open a page in a browser of its own, logged in; by the owner's token if none is given.

        storage: what the browser's localStorage has, as JSON. script: runs before the page's own.
        heard: gets each WebSocket frame from Home Assistant. is_clock_ours: whether page.clock
        steers its time. is_cold: whether all has to come over a restaurant's Wi-Fi. options: of
        Playwright's new_context.
        """
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            service_workers="block",
            **{"locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce", **options},
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        tokens = {
            "access_token": token or self.home.token,
            "token_type": "Bearer",
            "expires_in": 1800,
            "refresh_token": "",
            "hassUrl": self.home.url,
            "clientId": f"{self.home.url}/",
            "expires": 4102444800000,
        }
        for key, value in {"hassTokens": tokens, **(storage or {})}.items():
            await context.add_init_script(
                f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))})"
            )
        if script:
            await context.add_init_script(script)
        if is_clock_ours:
            await context.clock.install()
        page = await context.new_page()
        page.on("pageerror", lambda error: self._note_error(f"{error}"))
        page.on("console", self._read_console)
        page.on("dialog", self._dismiss)
        if heard is not None:
            page.on(
                "websocket",
                lambda ws: ws.on("framereceived", lambda frame: heard.append(str(frame))),
            )
        if is_cold:
            devtools = await context.new_cdp_session(page)
            await devtools.send("Network.emulateNetworkConditions", WI_FI)
        await page.goto(self.home.url + path, wait_until="commit")
        return page

    def _note_error(self, error: str) -> None:
        if not OF_HOME_ASSISTANT.search(error):
            self.errors.append(error)

    def _read_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "lrs-pager" in message.location["url"]:
            self.errors.append(message.text)

    async def _dismiss(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    async def close_pages(self) -> None:
        """Close all pages; what went wrong in them fails the test."""
        contexts, self.contexts = self.contexts, []
        for context in contexts:
            await context.close()
        errors, self.errors = self.errors, []
        assert not errors


@asynccontextmanager
async def open_house(
    config: Path, *, integration: Path = INTEGRATION, configuration: str = ""
) -> AsyncIterator[House]:
    """Open a restaurant, with the owner logged in and no transmitter added yet.

    configuration: lines for configuration.yaml beside the usual ones.
    """
    config.mkdir(parents=True, exist_ok=True)
    (config / "configuration.yaml").write_text(CONFIGURATION + configuration)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The unit's clock is Home Assistant's: UTC, in which no test crosses a midnight unseen.
    unit = Unit(now=lambda: datetime.now(UTC).replace(tzinfo=None))
    async with (
        Simulator(unit=unit) as simulator,
        HomeAssistant(config, integration, port) as home,
        async_playwright() as playwright,
    ):
        await home.log_in("demo", "demo", "UTC")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield House(simulator, home, browser)
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant for all tests of a file, with its transmitter added."""
    pytest_socket.enable_socket()  # which the harness forbids; see `_loopback`
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        await house.add_transmitter()
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(opened: House) -> AsyncIterator[House]:
    """The file's restaurant, before the first guest of the evening."""
    await opened.home.wait(opened.is_empty, 60, "the guests of the test before to be gone")
    opened.simulator.requests.clear()
    yield opened
    await opened.close_pages()
    await opened.simulator.start()
    for name in opened.simulator.faults.names():
        opened.simulator.faults.switch(name, on=False)
    opened.simulator.faults.errors.clear()
    for number in list(opened.unit.active):
        opened.unit.remove(number)
