"""What the host stand says while something is gone, and how it comes back by itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
import re
import shutil

from playwright.async_api import expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Simulator
from tests.simulator.unit import Change

from .conftest import INTEGRATION, House, open_house
from .screen import banner, button, fill_in, row, sheet, stand

# A time of day as en-US has it.
TIME = r"\d{1,2}:\d\d [AP]M"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant whose Home Assistant gives up on a silent unit after two seconds, not twelve.

    How long that takes is not what these tests are about.
    """
    pytest_socket.enable_socket()
    folder = tmp_path_factory.mktemp("house")
    integration = folder / INTEGRATION.name
    shutil.copytree(INTEGRATION, integration, ignore=shutil.ignore_patterns("__pycache__"))
    coap = integration / "transmitter" / "coap.py"
    text = coap.read_text()
    assert text.count("\nEXCHANGE_TIMEOUT = 12.0\n") == 1
    coap.write_text(text.replace("\nEXCHANGE_TIMEOUT = 12.0\n", "\nEXCHANGE_TIMEOUT = 2.0\n"))
    async with open_house(folder / "config", integration=integration) as house:
        await house.add_transmitter()
        yield house


@contextmanager
def lost(house: House, fault: str) -> Iterator[None]:
    """Switch a fault on as soon as the unit has done the next thing, before it answers."""
    faults = house.simulator.faults

    def lose(_: Change) -> None:
        faults.switch(fault, on=True)

    house.unit.listeners.insert(0, lose)
    try:
        yield
    finally:
        house.unit.listeners.remove(lose)
        faults.switch(fault, on=False)


async def test_what_cannot_be_sent_is_said_in_the_row_and_nothing_else_changes(
    house: House,
) -> None:
    house.guest(12, ago=2)
    page = await house.page()
    house.simulator.faults.errors[("v1", "sessions")] = "5.03"
    await button(page, "Page 12").click()
    await expect(row(page, 12)).to_contain_text("rejected the request with code 5.03")
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_hidden()
    house.simulator.faults.errors.clear()
    await button(page, "Page 12").click()
    await expect(button(page, "Page 12 again")).to_be_visible()
    await expect(row(page, 12)).not_to_contain_text("rejected")


async def test_who_pages_a_guest_that_has_left_meanwhile_is_told_so(house: House) -> None:
    # Of this unit, changes have to be asked for.
    async with Simulator(max_observers=0) as terrace:
        terrace.unit.create(12, label="Nakamura")
        async with house.another(terrace):
            page = await house.page()
            await expect(row(page, 12)).to_contain_text("Nakamura")
            terrace.unit.clear(12)
            terrace.unit.create(12, label="Smith")
            await button(page, "Page 12").click()
            await expect(row(page, 12)).to_contain_text("Smith")
            assert not terrace.unit.pages
            await expect(stand(page).get_by_text("has another session")).to_be_visible(
                timeout=5_000
            )


async def test_a_page_that_may_have_been_sent_is_said_to_be_so(house: House) -> None:
    house.guest(12, ago=2)
    page = await house.page()
    await expect(row(page, 12)).to_be_visible()
    with lost(house, "silence"):
        await button(page, "Page 12").click()
        await expect(row(page, 12)).to_have_attribute("aria-busy", "true")
        await expect(row(page, 12)).to_contain_text("May have been paged, or not")
        await expect(page.get_by_role("heading", name="Paged 1")).to_be_hidden()
    # The unit was not told twice, and the doubt ends as soon as it says what is so.
    assert len(house.sent) == 1
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()
    await expect(row(page, 12)).not_to_contain_text("May have been")


async def test_a_page_without_answer_is_not_in_doubt_if_the_list_shows_it(house: House) -> None:
    house.guest(12, ago=2)
    page = await house.page()
    await expect(row(page, 12)).to_be_visible()
    with lost(house, "empty_ack"):
        await button(page, "Page 12").click()
        await expect(row(page, 12)).to_have_attribute("aria-busy", "true")
        await expect(row(page, 12)).to_have_attribute("aria-busy", "false")
    assert "May have been" not in str(await row(page, 12).text_content())
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()


async def test_a_removal_that_may_have_been_done_is_said_to_be_so(house: House) -> None:
    house.guest(12, ago=2)
    page = await house.page()
    await expect(row(page, 12)).to_be_visible()
    await button(page, "Remove 12").click()
    with lost(house, "silence"):
        await button(page, "Yes").click()
        await expect(row(page, 12)).to_contain_text("May have been removed, or not")
    await expect(row(page, 12)).to_be_hidden()
    assert len(house.sent) == 1


async def test_a_seat_that_may_have_been_done_is_said_to_be_so_on_every_screen(
    house: House,
) -> None:
    house.guest(12, ago=2)
    page, other = await house.page(), await house.page()
    await expect(row(other, 12)).to_be_visible()
    with lost(house, "silence"):
        await button(page, "Seat 12").click()
        await expect(row(page, 12)).to_contain_text("May have been seated, or not")
        await expect(row(other, 12)).to_contain_text("May have been seated, or not")
    assert len(house.sent) == 1


async def test_a_pager_that_may_have_been_handed_out_is_said_to_be_so(house: House) -> None:
    page = await house.page()
    send = await fill_in(page, pager=12)
    with lost(house, "silence"):
        await send.click()
        await expect(sheet(page).get_by_role("alert")).to_contain_text("May have been handed out")
    await expect(row(page, 12)).to_be_visible()
    assert len(house.sent) == 1


async def test_a_reload_of_the_transmitter_is_not_noticed(house: House) -> None:
    page = await house.page()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    entry_id = await house.entry()
    await house.home.rest("POST", f"/api/config/config_entries/entry/{entry_id}/reload")
    house.guest(12, label="Nakamura")
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await expect(banner(page)).to_be_hidden()
    await button(page, "Page 12").click()
    await house.hears(1)


async def test_home_assistant_restarts_under_an_open_page(house: House) -> None:
    house.guest(12, label="Nakamura")
    page = await house.page()
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await page.evaluate("window.isTheSamePage = true")
    await house.home.stop()
    await expect(banner(page)).to_contain_text(
        re.compile(f"No connection to Home Assistant since {TIME}")
    )
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await button(page, "Page 12").click(force=True)
    house.guest(13, label="Smith")
    await house.home.start()
    await expect(row(page, 13)).to_contain_text("Smith", timeout=30_000)
    await expect(banner(page)).to_be_hidden()
    house.guest(14, label="O'Hara")
    await expect(row(page, 14)).to_contain_text("O'Hara")
    # What was pressed in between was not sent, then or now.
    assert house.sent == []
    await button(page, "Page 12").click()
    await house.hears(1)
    assert await page.evaluate("window.isTheSamePage")


async def test_the_wi_fi_is_gone_for_a_while(house: House) -> None:
    house.guest(12, label="Nakamura")
    page = await house.page(is_clock_ours=True)
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await page.context.set_offline(True)
    # A browser does not notice that for minutes; the page does in a few seconds.
    await page.clock.fast_forward(15_000)
    await expect(banner(page)).to_contain_text(
        re.compile(f"No connection to Home Assistant since {TIME}"), timeout=30_000
    )
    await button(page, "Page 12").click(force=True)
    house.guest(13, label="Smith")
    await page.context.set_offline(False)
    await expect(row(page, 13)).to_contain_text("Smith")
    await expect(banner(page)).to_be_hidden()
    assert house.sent == []


# The last, as after it the unit does not tell what happens for a minute or two.
async def test_when_the_transmitter_is_gone_the_list_stays_and_it_is_said_since_when(
    house: House,
) -> None:
    house.guest(11, ago=3, paged=1)
    house.guest(12, label="Nakamura", ago=2)
    page = await house.page()
    await expect(row(page, 12)).to_be_visible()
    await expect(banner(page)).to_be_hidden()
    await house.simulator.stop()
    await house.poll()
    await expect(banner(page)).to_contain_text(re.compile(f"has not answered since {TIME}"))
    await expect(row(page, 12)).to_contain_text("Nakamura")
    # Whoever comes now finds the same, and the waiting room is told to ask.
    other = await house.page()
    lobby = (await house.page("/lrs-pager/lobby")).locator("lrs-pager-lobby")
    await expect(lobby).to_contain_text("Please ask at the door")
    # That is a line above the numbers, which stay in the middle.
    note, number, waiting = [
        await lobby.locator(part).bounding_box() for part in (".note", "li", ".waiting")
    ]
    assert note
    assert number
    assert waiting
    assert note["height"] < number["height"] / 2
    above = number["y"] - note["y"] - note["height"]
    below = waiting["y"] - number["y"] - number["height"]
    assert above == pytest.approx(below, abs=2)
    await expect(banner(other)).to_contain_text("has not answered since")
    await expect(row(other, 12)).to_contain_text("Nakamura")
    house.guest(13, label="Smith")
    await house.simulator.start()
    await house.poll()
    await expect(row(page, 13)).to_contain_text("Smith", timeout=30_000)
    await expect(banner(page)).to_be_hidden()
    await expect(banner(other)).to_be_hidden()
    await expect(lobby).not_to_contain_text("Please ask at the door")
