"""How long a guest waits: what the stand, the sheet and the waiting room say of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
import re

from playwright.async_api import expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Unit
from tests.simulator.restaurant import Restaurant, log

from .conftest import PHONE, TABLET, WALL, House, open_house
from .screen import button, chosen_goal, fill_in, flaws, row, sheet, stand

RANGE = re.compile(r"1.2: \d+(.\d+)? min")


def serve_nights(unit: Unit, nights: int = 15) -> None:
    """Have nights behind us whose waits have causes; the rush was at this time of day."""
    now = unit.now()
    house = Restaurant(opens=(60 * now.hour + now.minute - 120) % (24 * 60))
    moments: list[tuple[datetime, int, str, int | None]] = []
    for index, visit in enumerate(
        log(house, nights, 1, first=(now - timedelta(days=nights + 1)).date(), zone=UTC)
    ):
        moments.append((visit.created, index, "create", visit.party_size))
        if visit.notified:
            moments.append((visit.notified, index, "page", None))
        assert visit.cleared
        moments.append((visit.cleared, index, "clear" if visit.notified else "remove", None))
    for moment, index, what, party_size in sorted(moments, key=lambda each: each[0]):
        with unit.at(moment.replace(tzinfo=None)):
            if what == "create":
                unit.create(1000 + index, party_size=party_size, goal=900)
            else:
                getattr(unit, what)(1000 + index)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant that has had enough guests to learn from."""
    pytest_socket.enable_socket()
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        serve_nights(house.unit)
        await house.add_transmitter()
        yield house


def line(house: House) -> None:
    """Have eight parties wait."""
    for index in range(8):
        house.guest(10 + index, ago=15 - index, goal=900, party_size=2 + index % 3)


async def test_a_host_tells_who_comes_how_long_it_takes(house: House) -> None:
    line(house)
    page = await house.page()
    await expect(stand(page).locator(".quotes")).to_have_text(RANGE, timeout=30_000)
    await expect(row(page, 17)).to_contain_text(re.compile(r"≈\d+ more"))


async def test_a_late_guests_wait_stands_beside_the_time_on_a_tablet(house: House) -> None:
    line(house)
    house.guest(9, ago=27, goal=900, party_size=2)
    page = await house.page()
    about, time = row(page, 9).locator(".about"), row(page, 9).locator(".time")
    await expect(time).to_contain_text(re.compile(r"12:\d\d\s*late"))
    await expect(about).to_have_text(re.compile(r"≈\d+ more"), timeout=30_000)
    # What does not fit is below, and not seen.
    beside, seen = await about.bounding_box(), await time.bounding_box()
    assert beside
    assert seen
    assert beside["y"] == pytest.approx(seen["y"], abs=1)


@pytest.mark.parametrize("size", [TABLET, PHONE])
async def test_quotes_take_no_room_from_the_rows(house: House, size: tuple[int, int]) -> None:
    line(house)
    page = await house.page(size=size)
    before = await row(page, 11).bounding_box()
    await expect(stand(page).locator(".quotes")).to_have_text(RANGE, timeout=30_000)
    await button(page, "Page 10").click()
    await expect(row(page, 10)).to_contain_text("since paged")
    paged, waits = [await row(page, number).bounding_box() for number in (10, 17)]
    assert before
    assert paged
    assert waits
    assert before["height"] == waits["height"] == paged["height"]
    assert await flaws(stand(page)) == []


async def test_the_quote_is_proposed_as_goal_and_sent(house: House) -> None:
    line(house)
    page = await house.page()
    quotes = stand(page).locator(".quotes")
    await expect(quotes).to_have_text(RANGE, timeout=30_000)
    hand_out = await fill_in(page, pager=77)
    await expect(chosen_goal(page)).to_have_text(re.compile("default"))
    await sheet(page).get_by_label("Party size", exact=True).fill("2")
    await expect(chosen_goal(page)).to_have_text(re.compile(r"^\s*\d+ min, quoted"))
    goal = int(re.findall(r"\d+", str(await chosen_goal(page).text_content()))[0])
    low_to_high = re.findall(r"1.2: (?:\d+.)?(\d+) min", str(await quotes.text_content()))
    assert low_to_high == [f"{goal}"]
    await hand_out.click()
    await house.hears(1)
    assert house.sent == [("POST", "", {"number": 77, "partySize": 2, "goal": 60 * goal})]


async def test_the_waiting_room_sees_how_long_it_takes(house: House) -> None:
    line(house)
    page = await house.page("/lrs-pager/lobby")
    quotes = page.locator("lrs-pager-lobby .quotes")
    await expect(quotes).to_have_text(re.compile(r"Parties of 1.2: \d+(.\d+)? min"), timeout=30_000)


@pytest.mark.parametrize("called", [2, 12])
async def test_the_waiting_room_fits_its_screen_with_quotes(house: House, called: int) -> None:
    line(house)
    for number in range(100, 100 + called):
        house.guest(number, ago=20, paged=3)
    page = await house.page("/lrs-pager/lobby")
    lobby = page.locator("lrs-pager-lobby")
    await expect(lobby.locator(".quotes bdi")).to_have_count(3, timeout=30_000)
    await expect(lobby.get_by_role("listitem")).to_have_count(called)
    for width, height in ((800, 500), (1024, 768), TABLET, WALL):
        await page.set_viewport_size({"width": width, "height": height})
        await expect(page.locator("html")).to_have_js_property("scrollHeight", height)
        for part in ("h2", "ol", ".waiting"):
            box = await lobby.locator(part).bounding_box()
            assert box
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
        assert await flaws(lobby) == []
