"""What a host does at the host stand by touch, alone and together with others."""

import asyncio
import re

from playwright.async_api import Locator, Page, expect
import pytest

from .conftest import PHONE, House
from .screen import button, fill_in, row, sheet, stand

CLEAR = {"action": "clear"}
PAGE = {"action": "page"}
REMOVE = {"action": "remove"}


# Milliseconds in which the keyboard is where it should be: nothing has to be asked for that.
SOON = 4_000


async def double_tap(page: Page, target: Locator) -> None:
    """Tap twice at the same place, as quickly as fingers do, whatever comes to be there."""
    box = await target.bounding_box()
    assert box
    for _ in range(2):
        await page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


# ----------------------------------------------------------------------------- guests


async def test_a_guest_who_gets_a_pager_is_on_the_list(house: House) -> None:
    page = await house.page()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    house.guest(12, label="Nakamura", party_size=4, goal=900)
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await expect(row(page, 12)).to_contain_text("party of 4")
    await expect(row(page, 12)).to_contain_text(re.compile(r"1[45]:\d\d\s*left"))


async def test_who_came_first_is_first_and_those_who_were_paged_are_apart(house: House) -> None:
    house.guest(11, ago=1)
    house.guest(12, ago=9)
    house.guest(13, ago=5, paged=1)
    house.guest(14, ago=8, paged=2)
    page = await house.page()
    waiting = page.locator("section", has=page.get_by_role("heading", name="Waiting"))
    paged = page.locator("section", has=page.get_by_role("heading", name="Paged"))
    await expect(waiting.get_by_role("listitem")).to_contain_text(["12", "11"])
    await expect(paged.get_by_role("listitem")).to_contain_text(["14", "13"])


async def test_only_parties_of_a_size_are_shown_if_a_host_looks_for_them(house: House) -> None:
    house.guest(11, party_size=2)
    house.guest(12, party_size=4)
    house.guest(13, party_size=7)
    page = await house.page()
    await page.get_by_role("button", name="3–4").click()  # noqa: RUF001  # as it is written
    await expect(stand(page).get_by_role("listitem")).to_contain_text(["12"])
    await page.get_by_role("button", name="5+").click()
    await expect(stand(page).get_by_role("listitem")).to_contain_text(["13"])
    await page.get_by_role("button", name="All").click()
    await expect(stand(page).get_by_role("listitem")).to_have_count(3)


# ------------------------------------------------------------------------------- page


async def test_two_taps_are_one_page_and_a_later_tap_is_another(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page(size=PHONE, has_touch=True)
    await double_tap(page, button(page, "Page 12"))
    await expect(row(page, 12)).to_have_attribute("aria-busy", "false")
    await button(page, "Page 12").tap(force=True)
    # Three seconds after the page, the guest is among those who were paged.
    again = button(page, "Page 12 again")
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()
    await expect(again).to_have_attribute("aria-disabled", "false")
    assert house.sent == [("PUT", "number=12", PAGE)]
    await again.tap()
    await house.hears(2)
    assert house.sent == [("PUT", "number=12", PAGE)] * 2


async def test_a_row_stays_under_the_finger_that_has_paged_its_guest(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page, other = await house.page(has_touch=True, is_clock_ours=True), await house.page()
    box = await button(page, "Page 12").bounding_box()
    assert box
    # The three seconds last until the clock goes on.
    await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 1"))
    await button(page, "Page 12").tap()
    await expect(other.get_by_role("heading", name="Paged 1")).to_be_visible()
    await expect(row(page, 12)).to_have_attribute("aria-busy", "false")
    # The next guest has not come up to where 12 was.
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_hidden()
    await expect(stand(page).get_by_role("listitem")).to_contain_text(["12", "13"])
    # Nor has another button come to where the finger was, which taps again, if not at once.
    await expect(row(other, 12)).to_contain_text("0:01")
    await page.touchscreen.tap(box["x"] + 20, box["y"] + 20)
    await button(page, "Remove 13").tap()
    await button(page, "Yes").tap()
    await expect(row(page, 13)).to_be_hidden()
    assert await button(page, "Undo").count() == 0
    await page.clock.resume()
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()
    assert house.sent == [("PUT", "number=12", PAGE), ("PUT", "number=13", REMOVE)]


# ------------------------------------------------------------------------------- seat


async def test_a_seated_guest_is_cleared_once_and_one_who_was_undone_stays(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page(size=PHONE, has_touch=True)
    await button(page, "Seat 12").tap()
    await expect(row(page, 12)).to_contain_text(re.compile(r"seated · [0-5] s to undo"))
    await button(row(page, 12), "Undo").tap()
    await expect(button(page, "Seat 12")).to_be_visible()
    # This one is seated later: once that is sent, the time of the other is over, too.
    await double_tap(page, button(page, "Seat 13"))
    await expect(button(row(page, 13), "Undo")).to_be_visible()
    await expect(row(page, 13)).to_be_hidden()
    assert house.sent == [("PUT", "number=13", CLEAR)]
    await expect(row(page, 12)).to_be_visible()


async def test_seats_go_on_without_their_tablet_and_others_can_undo_them(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page()
    other = await house.page()
    await button(page, "Seat 12").click()
    await button(page, "Seat 13").click()
    await expect(button(stand(page), "Undo")).to_have_count(2)
    await page.close()
    await button(row(other, 12), "Undo").click()
    await expect(button(other, "Seat 12")).to_be_visible()
    await expect(row(other, 13)).to_be_hidden()
    assert house.sent == [("PUT", "number=13", CLEAR)]


# ----------------------------------------------------------------------------- remove


async def test_a_guest_is_removed_by_a_second_tap_elsewhere(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page(size=PHONE, has_touch=True)
    await double_tap(page, button(page, "Remove 12"))
    await expect(button(page, "Yes")).to_be_visible()
    await button(page, "No").tap()
    await expect(button(page, "Remove 12")).to_be_visible()
    assert house.sent == []
    await button(page, "Remove 12").tap()
    # The next row comes to be under the finger that taps once too often.
    await double_tap(page, button(page, "Yes"))
    await expect(row(page, 12)).to_be_hidden()
    await expect(button(page, "Seat 13")).to_be_visible()
    assert house.sent == [("PUT", "number=12", REMOVE)]


# --------------------------------------------------------------------------- hand out


async def test_a_pager_is_handed_out_by_taps_alone(house: House) -> None:
    house.guest(21)
    house.unit.clear(21)
    house.guest(22)
    page = await house.page(size=PHONE, has_touch=True)
    await button(page, "Hand out a pager").tap()
    # 22 is in use, and 21 is free.
    await expect(sheet(page).get_by_role("button", name="22")).to_have_count(0)
    for name in ("21", "4", "20 min", "Hand out"):
        await sheet(page).get_by_role("button", name=name, exact=True).tap()
    await expect(row(page, 21)).to_contain_text("party of 4")
    await expect(sheet(page)).to_be_hidden()
    assert house.sent == [("POST", "", {"number": 21, "partySize": 4, "goal": 1200})]


async def test_a_pager_is_handed_out_with_a_name_and_the_sheet_is_empty_again(
    house: House,
) -> None:
    page = await house.page()
    await (await fill_in(page, pager=31, party_size=9, name="O'Hara & Söhne")).click()
    await expect(row(page, 31)).to_contain_text("O'Hara & Söhne")
    await expect(row(page, 31)).to_contain_text("party of 9")
    await button(page, "Hand out a pager").click()
    for name in ("Pager", "Party size", "Name"):
        await expect(sheet(page).get_by_label(name, exact=True)).to_have_value("")


async def test_a_pager_in_use_is_not_handed_out_again(house: House) -> None:
    house.guest(12, label="Nakamura", party_size=2)
    page = await house.page()
    send = await fill_in(page, pager=12, name="Smith")
    await expect(sheet(page)).to_contain_text("In use")
    await send.click()
    await expect(sheet(page).get_by_role("alert")).to_contain_text("Pager 12 is in use")
    await expect(row(page, 12)).to_contain_text("Nakamura")
    assert house.sent == []


# --------------------------------------------------------------------------- keyboard


async def press(page: Page, *keys: str) -> None:
    """Press keys, one after the other."""
    for key in keys:
        await page.keyboard.press(key)


async def test_the_keyboard_goes_through_the_page_as_people_read_it(house: House) -> None:
    house.guest(12, ago=8, paged=1)
    house.guest(13, ago=2)
    page = await house.page()
    names = ["This screen", "Hand out a pager", "All", "1–2", "3–4", "5+"]  # noqa: RUF001
    names += ["Page 13", "Seat 13", "Remove 13", "Seat 12", "Page 12 again", "Remove 12"]
    await button(page, "This screen").focus()
    for name in names:
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_focused(timeout=SOON)
        await press(page, "Tab")


async def test_the_keyboard_stays_at_the_guest_who_was_paged(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page()
    await button(page, "Page 12").focus()
    # The second is one too many, and no page, nor anything else.
    await press(page, "Enter", "Enter")
    await expect(button(page, "Page 12")).to_be_focused(timeout=SOON)
    # The row moves to those who were paged, and the keyboard with it.
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()
    await expect(button(page, "Page 12 again")).to_be_focused(timeout=SOON)
    assert house.sent == [("PUT", "number=12", PAGE)]
    await press(page, "Tab")
    await expect(button(page, "Remove 12")).to_be_focused(timeout=SOON)


async def test_a_guest_is_seated_and_undone_by_keyboard(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page = await house.page()
    await button(page, "Seat 12").focus()
    await press(page, "Enter")
    await expect(button(page, "Undo")).to_be_focused(timeout=SOON)
    await press(page, "Enter")
    await expect(button(page, "Undo")).to_have_count(0)
    await expect(button(page, "Seat 12")).to_be_focused(timeout=SOON)


async def test_a_guest_is_removed_by_keyboard_and_the_next_one_is_at_hand(house: House) -> None:
    for number in (12, 13, 14):
        house.guest(number, ago=20 - number)
    page = await house.page()
    await button(page, "Remove 13").focus()
    await press(page, "Enter")
    await expect(button(page, "No")).to_be_focused(timeout=SOON)
    await press(page, "Tab")
    await expect(button(page, "Yes")).to_be_focused(timeout=SOON)
    await press(page, "Enter")
    await expect(row(page, 13)).to_be_hidden()
    await expect(row(page, 14)).to_be_focused(timeout=SOON)
    await press(page, "Tab")
    await expect(button(page, "Page 14")).to_be_focused(timeout=SOON)
    assert house.sent == [("PUT", "number=13", REMOVE)]


@pytest.mark.parametrize("key", ["Enter", "Escape"])
async def test_a_guest_is_kept_by_keyboard(house: House, key: str) -> None:
    house.guest(12)
    page = await house.page()
    await button(page, "Remove 12").focus()
    await press(page, "Enter")
    await expect(button(page, "No")).to_be_focused(timeout=SOON)
    await press(page, key)
    await expect(button(page, "Remove 12")).to_be_focused(timeout=SOON)
    assert house.sent == []


async def test_a_pager_is_handed_out_by_keyboard(house: House) -> None:
    page = await house.page()
    await button(page, "Hand out a pager").focus()
    await press(page, "Enter", "Escape")
    await expect(sheet(page)).to_be_hidden()
    await expect(button(page, "Hand out a pager")).to_be_focused(timeout=SOON)
    await press(page, "Enter", "Tab", "3", "1")
    await expect(sheet(page).get_by_label("Pager", exact=True)).to_have_value("31")
    await press(page, "Enter")
    await expect(row(page, 31)).to_be_visible()
    await expect(sheet(page)).to_be_hidden()
    await expect(button(page, "Hand out a pager")).to_be_focused(timeout=SOON)
    assert house.sent == [("POST", "", {"number": 31})]


async def test_the_keyboard_is_where_something_is_missing(house: House) -> None:
    page = await house.page()
    send = await fill_in(page, party_size=4)
    await send.focus()
    await press(page, "Enter")
    await expect(sheet(page).get_by_role("alert")).to_contain_text("Choose a pager")
    await expect(sheet(page).get_by_label("Pager", exact=True)).to_be_focused(timeout=SOON)


# ------------------------------------------------------------------------ two tablets


async def test_of_two_who_hand_out_the_same_pager_one_is_told_no(house: House) -> None:
    tablets = {name: await house.page() for name in ("Nakamura", "Smith")}
    sends = [await fill_in(page, pager=12, name=name) for name, page in tablets.items()]
    await asyncio.gather(*(send.click() for send in sends))
    for page in tablets.values():
        await expect(row(page, 12)).to_have_count(1)
    winner = tablets.pop(str(house.unit.active[12].label))
    (loser,) = tablets.values()
    await expect(sheet(winner)).to_be_hidden()
    await expect(sheet(loser).get_by_role("alert")).to_contain_text("Pager 12 is in use")
    assert len(house.sent) == 1


async def test_who_was_paged_at_one_tablet_is_not_paged_at_once_at_another(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page, other = await house.page(), await house.page()
    await button(page, "Page 12").click()
    again = button(other, "Page 12 again")
    await expect(again).to_have_attribute("aria-disabled", "true")
    await again.click(force=True)
    await button(other, "Page 13").click()
    await expect(button(page, "Page 13 again")).to_be_visible()
    assert house.sent == [("PUT", "number=12", PAGE), ("PUT", "number=13", PAGE)]


async def test_what_is_done_at_one_tablet_is_shown_at_the_other(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    page, other = await house.page(), await house.page(size=PHONE)
    await asyncio.gather(button(page, "Page 12").click(), button(other, "Page 13").click())
    for each in (page, other):
        await expect(button(each, "Page 12 again")).to_be_visible()
        await expect(button(each, "Page 13 again")).to_be_visible()
    await (await fill_in(other, pager=14)).click()
    await expect(row(page, 14)).to_be_visible()
    await button(page, "Remove 14").click()
    await button(page, "Yes").click()
    await expect(row(other, 14)).to_be_hidden()


# ------------------------------------------------------------------------------ users


async def test_who_may_only_look_sees_the_list_and_no_buttons(house: House) -> None:
    house.guest(12, label="Nakamura", ago=2)
    house.guest(13, ago=8, paged=2)
    token = await house.home.add_user("Guest", "system-read-only")
    page = await house.page(token=token)
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await expect(row(page, 13)).to_be_visible()
    await expect(stand(page).get_by_role("listitem").get_by_role("button")).to_have_count(0)
    await expect(button(page, "Hand out")).to_have_count(0)


async def test_a_host_who_is_no_administrator_can_do_all(house: House) -> None:
    house.guest(12, ago=2)
    house.guest(13, ago=1)
    token = await house.home.add_user("Host", "system-users")
    page = await house.page(token=token)
    await button(page, "Page 12").click()
    await expect(button(page, "Page 12 again")).to_be_visible()
    await button(page, "Seat 12").click()
    await button(page, "Remove 13").click()
    await button(page, "Yes").click()
    await expect(row(page, 13)).to_be_hidden()
    await (await fill_in(page, pager=14)).click()
    await expect(row(page, 14)).to_be_visible()
    await expect(row(page, 12)).to_be_hidden()
    assert house.sent == [
        ("PUT", "number=12", PAGE),
        ("PUT", "number=13", REMOVE),
        ("POST", "", {"number": 14}),
        ("PUT", "number=12", CLEAR),
    ]
