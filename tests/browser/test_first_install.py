"""The host stand comes and goes with transmitters, in pages that are open."""

from collections.abc import AsyncIterator
import re

from playwright.async_api import Locator, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Simulator

from .conftest import House, open_house
from .screen import button


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant whose transmitter was never added."""
    pytest_socket.enable_socket()
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(house: House) -> AsyncIterator[House]:
    """The file's restaurant, without a transmitter before and after each test."""
    yield house
    for entry in await house.home.entries("lrs_pager"):
        await house.remove(entry["entry_id"])


def in_sidebar(page: Page) -> Locator:
    """The host stand in the sidebar."""
    return page.locator("ha-sidebar").get_by_role("link", name="Host stand")


async def test_whoever_adds_the_transmitter_has_the_host_stand_at_once(house: House) -> None:
    page = await house.page("/config/integrations/dashboard")
    await page.evaluate("window.isTheSamePage = true")
    await expect(page.locator("ha-sidebar").get_by_role("link", name="Settings")).to_be_visible()
    await expect(in_sidebar(page)).to_be_hidden()
    await page.get_by_text("Add integration", exact=True).locator("visible=true").first.click()
    await page.locator("dialog-add-integration input").first.fill("LRS")
    await page.get_by_text("LRS Pager").locator("visible=true").first.click()
    form = page.locator("dialog-data-entry-flow")
    await form.locator("input:not([type=number])").fill(house.simulator.host)
    await form.locator("input[type=number]").fill(f"{house.simulator.port}")
    await page.get_by_role("button", name="Submit").locator("visible=true").click()
    await page.get_by_text("Skip and finish").locator("visible=true").click()
    await in_sidebar(page).click()
    house.guest(12, label="Nakamura")
    await expect(page.get_by_text("Nakamura")).to_be_visible()
    await button(page, "Page 12").click()
    await house.hears(1)
    assert await page.evaluate("window.isTheSamePage")


async def test_an_option_takes_it_out_of_the_sidebar_and_its_address_works(house: House) -> None:
    entry_id = await house.add_transmitter()
    page = await house.page("/config")
    await expect(in_sidebar(page)).to_be_visible()
    await house.options(entry_id, show_panel=False)
    await expect(in_sidebar(page)).to_be_hidden()
    await page.goto(f"{house.home.url}/lrs-pager")
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    await expect(in_sidebar(page)).to_be_hidden()
    await house.options(entry_id, show_panel=True)
    await expect(in_sidebar(page)).to_be_visible()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()


async def test_it_goes_with_the_last_transmitter(house: House) -> None:
    async with Simulator() as terrace:
        entry_id = await house.add_transmitter()
        other_id = await house.add_transmitter(terrace)
        page = await house.page("/config")
        await expect(in_sidebar(page)).to_be_visible()
        await house.remove(other_id)
        other = await house.page()
        await expect(other.get_by_text("Nobody is waiting.")).to_be_visible()
        await expect(in_sidebar(page)).to_be_visible()
        await house.remove(entry_id)
        await expect(in_sidebar(page)).to_be_hidden()
        await expect(in_sidebar(other)).to_be_hidden()
        # Whoever looked at it is led away.
        await expect(other).to_have_url(re.compile("/home"))
