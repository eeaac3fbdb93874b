"""The front end of the oldest Home Assistant that is supported, which defines elements in a race.

Before 2026.11, Home Assistant's script replaces the registry of elements some time after the page
has begun to load modules like ours. What a module defines before that is lost.
"""

from collections.abc import AsyncIterator
import re

from playwright.async_api import expect
import pytest
import pytest_asyncio
import pytest_socket

from .conftest import ROOT, House, open_house
from .screen import button, row

OLDEST = ROOT / ".venv" / "frontend-oldest"

pytestmark = pytest.mark.skipif(
    not OLDEST.exists(), reason="no front end of 2026.3 here (scripts/setup frontend-oldest)"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant with that front end, and no transmitter added yet."""
    pytest_socket.enable_socket()
    (packages,) = OLDEST.glob("lib/python*/site-packages")
    configuration = f"frontend:\n  development_repo: {packages}\n"
    folder = tmp_path_factory.mktemp("house")
    async with open_house(folder / "config", configuration=configuration) as house:
        yield house


async def test_the_host_stand_is_there_without_a_reload(house: House) -> None:
    page = await house.page("/config")
    await page.evaluate("window.isTheSamePage = true")
    sidebar = page.locator("ha-sidebar")
    await expect(sidebar.get_by_text("Settings")).to_be_visible()
    (app,) = set(re.findall(r"frontend_latest/app\.\w+\.js", await page.content()))
    assert len([*OLDEST.glob(f"lib/python*/site-packages/hass_frontend/{app}")]) == 1
    await house.add_transmitter()
    await sidebar.get_by_text("Host stand").click()
    house.guest(12, label="Nakamura")
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await button(page, "Page 12").click()
    await house.hears(1)
    assert await page.evaluate("window.isTheSamePage")


async def test_panel_card_and_strategy_are_there_after_cold_loads(house: House) -> None:
    if not await house.home.entries("lrs_pager"):
        await house.add_transmitter()
    card = {"type": "custom:lrs-pager-card"}
    for path, config in {
        "a-card": {"views": [{"type": "panel", "cards": [card]}]},
        "a-strategy": {"strategy": {"type": "custom:lrs-pager"}},
    }.items():
        await house.home.command(
            "lovelace/dashboards/create", url_path=path, title=path, mode="storage"
        )
        await house.home.command("lovelace/config/save", url_path=path, config=config)
    house.guest(12, label="Nakamura")
    # One after the other: Home Assistant waits for a strategy for five seconds, and no longer.
    for path in ("/lrs-pager", "/a-card", "/a-strategy") * 2:
        page = await house.page(path, is_cold=True)
        await expect(row(page, 12)).to_contain_text("Nakamura", timeout=30_000)
        await page.close()
