"""A transmitter that pages by itself at the goal: a quote as goal would buzz guests too early."""

from collections.abc import AsyncIterator
import re

from playwright.async_api import expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.conftest import serve_guest

from .conftest import House, open_house
from .screen import chosen_goal, fill_in, sheet, stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant whose guests were all paged at their goal."""
    pytest_socket.enable_socket()
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        for number in range(60, 0, -1):
            serve_guest(house.unit, number, minutes_ago=60 * 24 + 7 * number, wait=300, goal=300)
        await house.add_transmitter()
        yield house


async def test_no_goal_is_proposed_where_the_transmitter_pages_by_itself(house: House) -> None:
    house.guest(12, ago=1)
    page = await house.page()
    reason = "No quote: the transmitter pages by itself at the goal."
    await expect(stand(page).locator(".quotes")).to_have_text(reason, timeout=30_000)
    await fill_in(page, pager=77, party_size=2)
    await expect(sheet(page)).to_contain_text(reason)
    await expect(chosen_goal(page)).to_have_text(re.compile("default"))
