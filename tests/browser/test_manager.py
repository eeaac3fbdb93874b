"""What a manager looks at: figures beside what is usual, when it breaks, and all of it as CSV."""

from collections.abc import AsyncIterator
from pathlib import Path
import re

from playwright.async_api import Locator, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.conftest import serve_guest

from .conftest import PHONE, House, open_house
from .screen import flaws, row, violations

LAPTOP = (1366, 768)
SMALL_PHONE = (320, 568)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant that has had guests for weeks, with the dashboard that shows it."""
    pytest_socket.enable_socket()
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        # All at about half past an hour, a guest on this weekday and six on others.
        ago = (house.unit.now().minute - 30) % 60 + 1
        for day in range(27, -1, -1):
            for guest in range(6 if day % 7 else 1):
                serve_guest(
                    house.unit, 1 + guest, minutes_ago=60 * 24 * day + ago + 5 - guest, wait=60
                )
        await house.add_transmitter()
        await house.home.command(
            "lovelace/dashboards/create", url_path="the-door", title="Door", mode="storage"
        )
        config = {"strategy": {"type": "custom:lrs-pager"}}
        await house.home.command("lovelace/config/save", url_path="the-door", config=config)
        yield house


async def open_manager(house: House, size: tuple[int, int] = LAPTOP, **options: str) -> Page:
    """Open the manager's view, and wait for its figures."""
    page = await house.page("/the-door/manager", size=size, **options)
    await expect(card(page).get_by_role("table")).to_have_count(2)
    return page


def card(page: Page) -> Locator:
    """The manager's figures."""
    return page.locator("lrs-pager-manager-card")


def heat_map(page: Page) -> Locator:
    """The table of weekdays and hours."""
    return card(page).get_by_role("table", name="By weekday and hour")


async def test_the_heat_map_is_read_as_a_table(house: House) -> None:
    page = await open_manager(house)
    days = heat_map(page).get_by_role("columnheader")
    await expect(days).to_have_text(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    for each in (await heat_map(page).get_by_role("row").all())[1:]:
        await expect(each.get_by_role("rowheader")).to_have_count(1)
        await expect(each.get_by_role("cell")).to_have_count(7)
    few = heat_map(page).get_by_role("cell", name="fewer than 5 sessions")
    await expect(few).to_have_count(1)
    await card(page).get_by_label("Show").select_option("Parties")
    await expect(few).to_have_text(re.compile(r"^\s*4\s"))
    await expect(heat_map(page).get_by_role("cell", name="24", exact=True)).to_have_count(6)


async def test_each_hour_of_the_heat_map_has_one_line_on_a_phone(house: House) -> None:
    page = await open_manager(house)
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await expect(page.locator("html")).to_have_js_property("scrollWidth", PHONE[0])
    hours = heat_map(page).get_by_role("rowheader")
    for each in await hours.all():
        assert re.fullmatch(r"\d+\s[AP]M", str(await each.text_content()))
    lines = await hours.evaluate_all(
        """(hours) => hours.map((hour) => {
          const range = document.createRange();
          range.selectNodeContents(hour);
          return range.getClientRects().length;
        })"""
    )
    assert lines
    assert set(lines) == {1}


async def test_today_stands_beside_what_is_usual(house: House) -> None:
    page = await open_manager(house)
    parties = card(page).get_by_role("row", name="Parties").first.get_by_role("cell")
    states = await house.home.states(await house.entry())
    await expect(parties).to_have_text([states["daily_count"]["state"], "1"])
    await expect(card(page)).to_contain_text("Weeks with sessions: 3.")


@pytest.mark.parametrize("are_named", [False, True])
async def test_sessions_are_downloaded_as_csv_with_names_by_a_tick(
    house: House, tmp_path: Path, are_named: bool
) -> None:
    house.guest(77, label="Nakamura", ago=5, paged=2)
    stand = await house.page()
    await expect(row(stand, 77)).to_contain_text("Nakamura")
    house.unit.clear(77)
    await expect(row(stand, 77)).to_be_hidden()
    page = await open_manager(house)
    if are_named:
        await card(page).get_by_label("With guests' names").check()
    async with page.expect_download() as download:
        await card(page).get_by_role("button", name="Download CSV").click()
    file = tmp_path / "sessions.csv"
    await (await download.value).save_as(file)
    head, *sessions = file.read_text("utf-8-sig").splitlines()
    assert head.startswith("pager,party_size,goal_minutes,created,paged,ended,how_it_ended")
    assert len([session for session in sessions if not session.startswith("77,")]) == 24 * 6 + 4
    assert ("Nakamura" in sessions[-1]) is are_named


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
async def test_nothing_is_in_the_way_of_a_manager(house: House, color_scheme: str) -> None:
    page = await open_manager(house, color_scheme=color_scheme)
    assert await violations(card(page)) == []
    for size in (LAPTOP, PHONE, SMALL_PHONE):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        # Home Assistant takes its sidebar away, and lays out its columns anew, a while later.
        await expect(page.locator("html")).to_have_js_property("scrollWidth", size[0])
        assert await flaws(card(page)) == []
