"""What a host does at the host stand, by touch and by keyboard."""

import re

from playwright.async_api import expect

from .conftest import House


async def test_a_guest_who_gets_a_pager_is_on_the_list(house: House) -> None:
    page = await house.page()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    house.unit.create(12, label="Nakamura", party_size=4, goal=900)
    row = page.get_by_role("listitem").filter(has_text="Nakamura")
    await expect(row).to_contain_text("12")
    await expect(row).to_contain_text(re.compile(r"1[45]:\d\d\s*left"))


async def test_a_tap_pages_the_guest(house: House) -> None:
    house.unit.create(12, party_size=2)
    page = await house.page()
    await page.get_by_role("button", name=re.compile("^Page 12")).click()
    await expect(page.get_by_role("button", name="Page 12 again")).to_be_visible()
    assert [p.number for p in house.unit.pages] == [12]
