"""A restaurant with a real Home Assistant, and browsers to look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
import json
import os
from pathlib import Path
import shutil
import socket
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
import pytest
import pytest_asyncio
import pytest_socket

from demo.home_assistant import HomeAssistant
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all of this where there is no browser; one event loop for each file."""
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real)
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
    errors: list[str] = field(default_factory=list)

    @property
    def unit(self) -> Unit:
        return self.simulator.unit

    async def add_transmitter(self) -> str:
        """Add the transmitter by the config flow; return the entry's id."""
        address = {"host": self.simulator.host, "port": self.simulator.port}
        result = await self.home.flow("lrs_pager", address)
        return str(result["result"]["entry_id"])

    async def page(
        self,
        path: str = "/lrs-pager",
        *,
        size: tuple[int, int] = TABLET,
        token: str | None = None,
        storage: dict[str, Any] | None = None,
        **options: Any,
    ) -> Page:
        """Open a page in a browser of its own, logged in; by the owner's token if none is given.

        storage: what the browser's localStorage has, as JSON. options: of Playwright's new_context.
        """
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            service_workers="block",
            **{"locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce", **options},
        )
        self.contexts.append(context)
        context.set_default_timeout(15_000)
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
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{error}"))
        await page.goto(self.home.url + path)
        return page

    async def close_pages(self) -> None:
        """Close all pages; what went wrong in them fails the test."""
        contexts, self.contexts = self.contexts, []
        for context in contexts:
            await context.close()
        errors, self.errors = self.errors, []
        assert not errors


@asynccontextmanager
async def open_house(config: Path) -> AsyncIterator[House]:
    """Open a restaurant, with the owner logged in and no transmitter added yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The unit's clock is Home Assistant's: UTC, in which no test crosses a midnight unseen.
    unit = Unit(now=lambda: datetime.now().astimezone(None).replace(tzinfo=None))
    async with (
        Simulator(unit=unit) as simulator,
        HomeAssistant(config, INTEGRATION, port) as home,
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
    yield opened
    await opened.close_pages()
    for number in list(opened.unit.active):
        opened.unit.remove(number)
