"""The card and the strategy on people's own dashboards, as these are put together by hand."""

from collections.abc import AsyncIterator
import re
from typing import Any

from playwright.async_api import Locator, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from tests.conftest import serve_guest
from tests.simulator import Simulator

from .conftest import House, open_house
from .screen import button, row


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A restaurant with an empty dashboard, whose transmitter has had guests yesterday."""
    pytest_socket.enable_socket()
    async with open_house(tmp_path_factory.mktemp("house") / "config") as house:
        for number in range(1, 6):
            serve_guest(house.unit, number, minutes_ago=60 * 24 + number)
        await house.add_transmitter()
        await house.home.command(
            "lovelace/dashboards/create", url_path="the-door", title="Door", mode="storage"
        )
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(house: House) -> House:
    """The file's restaurant, its dashboard empty."""
    await save(house)
    return house


async def save(house: House, *cards: dict[str, Any]) -> None:
    """Have these cards on the dashboard."""
    view = {"title": "A", "type": "sections", "sections": [{"type": "grid", "cards": [*cards]}]}
    await house.home.command("lovelace/config/save", url_path="the-door", config={"views": [view]})


async def saved(house: House) -> list[dict[str, Any]]:
    """The cards that are on the dashboard."""
    config = await house.home.command("lovelace/config", url_path="the-door")
    cards: list[dict[str, Any]] = config["views"][0]["sections"][0]["cards"]
    return cards


async def add_card(page: Page) -> Locator:
    """Open the dialog to add a card; return it."""
    await page.get_by_role("button", name="Add card").click()
    return page.locator("hui-dialog-create-card")


async def test_the_card_is_in_the_picker_with_what_happens_now(house: House) -> None:
    house.guest(12, label="Nakamura")
    page = await house.page("/the-door/0?edit=1")
    dialog = await add_card(page)
    await dialog.get_by_role("tab", name="By card").click()
    await dialog.get_by_placeholder("Search cards").fill("LRS")
    card = dialog.locator(".card", has_text="LRS Pager").locator("visible=true").first
    await expect(card).to_contain_text("Nakamura")
    house.guest(13, label="Smith")
    await expect(card).to_contain_text("Smith")
    await card.locator(".overlay").click()
    await page.get_by_role("button", name="Save").locator("visible=true").click()
    await expect(page.locator("#view lrs-pager-card")).to_contain_text("Nakamura")
    assert [card["type"] for card in await saved(house)] == ["custom:lrs-pager-card"]


async def test_the_card_is_suggested_for_the_entity_of_active_sessions(house: House) -> None:
    house.guest(12, label="Nakamura")
    page = await house.page("/the-door/0?edit=1")
    dialog = await add_card(page)
    await dialog.get_by_placeholder("Search entities").fill("Active sessions")
    await dialog.get_by_role("listitem").filter(has_text="Active sessions").click()
    await expect(dialog.get_by_text("Community")).to_be_visible()
    suggestion = dialog.get_by_role("button", name=re.compile("^LRS Pager"))
    await expect(suggestion).to_contain_text("Nakamura")
    await suggestion.click(position={"x": 30, "y": 12})
    await expect(page.locator("hui-section lrs-pager-card")).to_contain_text("Nakamura")
    device_id = await house.device(await house.entry())
    card = {"type": "custom:lrs-pager-card", "device_id": device_id}
    assert await saved(house) == [card]


async def test_the_card_is_set_in_the_editor_which_sends_nothing(house: House) -> None:
    house.guest(12, ago=8, paged=2)
    house.guest(13, ago=1)
    await save(house, {"type": "custom:lrs-pager-card"})
    page = await house.page("/the-door/0?edit=1")
    await page.locator("hui-card-edit-mode").hover()
    await page.locator("hui-card-edit-mode .control").click()
    editor = page.locator("hui-dialog-edit-card")
    card = editor.locator("lrs-pager-card")
    await button(card, "Page 13").click()
    await button(card, "Hand out a pager").click()
    normal = await card.get_by_text("13", exact=True).bounding_box()

    async def choose(field: str, option: str) -> None:
        await editor.get_by_role("button", name=re.compile(f"^{field}")).click()
        await page.get_by_text(option).locator("visible=true").first.click()

    await editor.get_by_role("button", name=re.compile("^Transmitter")).click()
    await page.get_by_role("option", name="T7470").click()
    await choose("Size", "Large, for a wall")
    await expect(card.get_by_text("13", exact=True)).to_be_visible()
    large = await card.get_by_text("13", exact=True).bounding_box()
    assert normal
    assert large
    assert large["height"] > 1.3 * normal["height"]
    await choose("Shows", "Numbers that are called")
    await expect(card).to_contain_text("Now calling")
    await page.get_by_role("button", name="Save").locator("visible=true").click()
    await expect(page.locator("#view lrs-pager-card")).to_contain_text("1 party is waiting")
    device_id = await house.device(await house.entry())
    assert await saved(house) == [
        {
            "type": "custom:lrs-pager-card",
            "device_id": device_id,
            "size": "large",
            "mode": "lobby",
        }
    ]
    assert house.sent == []


async def test_a_card_on_a_dashboard_is_a_host_stand(house: House) -> None:
    house.guest(12, label="Nakamura")
    await save(house, {"type": "custom:lrs-pager-card", "title": "At the door"})
    page = await house.page("/the-door/0")
    card = page.locator("lrs-pager-card")
    await expect(card.get_by_role("heading", name="At the door")).to_be_visible()
    await button(card, "Page 12").click()
    await expect(button(card, "Page 12 again")).to_be_visible()
    assert len(house.sent) == 1


async def test_a_card_can_show_without_names_and_buttons(house: House) -> None:
    house.guest(12, label="Nakamura")
    await save(house, {"type": "custom:lrs-pager-card", "hide_names": True, "read_only": True})
    page = await house.page("/the-door/0")
    await expect(row(page, 12)).to_be_visible()
    await expect(row(page, 12)).not_to_contain_text("Nakamura")
    await expect(row(page, 12).get_by_role("button")).to_have_count(0)


async def test_a_card_that_is_set_wrong_says_what_is_wrong(house: House) -> None:
    await save(house, {"type": "custom:lrs-pager-card", "mode": "kitchen"})
    page = await house.page("/the-door/0")
    await expect(page.locator("hui-error-card")).to_be_visible()


async def test_a_dashboard_is_made_for_all_transmitters(house: House) -> None:
    house.guest(12, label="Nakamura")
    async with Simulator() as terrace, house.another(terrace, "Terrace"):
        terrace.unit.create(13, label="Smith")
        page = await house.page("/config/lovelace/dashboards")
        await page.get_by_role("button", name="Add dashboard").click()
        await expect(page.get_by_text("Community dashboards")).to_be_visible()
        await page.get_by_role("button", name="LRS Pager").click()
        await page.get_by_role("button", name="Create").locator("visible=true").click()
        await page.locator("ha-sidebar a[href='/lrs-t7470']").click()
        await expect(row(page, 12)).to_contain_text("Nakamura")
        for tile in ("Parties", "Average wait", "Longest wait", "On time"):
            card = page.locator("hui-tile-card").filter(has_text=tile)
            await expect(card).to_be_visible(timeout=4_000)
        await page.get_by_role("tab", name="Terrace").click()
        await expect(row(page, 13)).to_contain_text("Smith")
        await button(page, "Page 13").click()
        await expect(button(page, "Page 13 again")).to_be_visible()
        assert terrace.unit.pages
        await page.get_by_role("tab", name="Manager").click()
        await expect(page.locator("lrs-pager-manager-card")).to_have_count(2)
        graphs = page.locator("hui-statistics-graph-card")
        # There is nothing of the terrace yet to draw.
        await expect(graphs).to_have_count(4)
        await expect(graphs.locator("canvas")).to_have_count(2)
