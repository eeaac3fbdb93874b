"""How the host stand looks: on every screen, in every language and in the dark, with any name."""

import json
from pathlib import Path
import re
from typing import Any

from playwright.async_api import Locator, Page, expect
import pytest

from .conftest import INTEGRATION, PHONE, TABLET, WALL, House
from .screen import button, flaws, row, sheet, stand, violations

SMALL_PHONE = (320, 568)

# A tablet whose browser shows all twice as large.
ZOOMED = (590, 410)


def evening(house: House, waiting: int, paged: int = 0) -> None:
    """Have so many guests, the oldest late, with names and parties of all sizes."""
    names = ["Nakamura", None, "O'Hara & Söhne", "Featherstonehaugh-Cholmondeley", "Li"]
    for index in range(waiting + paged):
        house.guest(
            100 + index,
            ago=20 - index,
            paged=1.5 if index >= waiting else None,
            goal=900,
            label=names[index % len(names)],
            party_size=1 + index % 12,
        )


async def open_evening(house: House, waiting: int = 7, paged: int = 2, **options: Any) -> Page:
    """Open the host stand on such an evening, and wait for all rows."""
    evening(house, waiting, paged)
    page = await house.page(**options)
    await expect(stand(page).get_by_role("listitem")).to_have_count(waiting + paged)
    return page


TWICE_AS_LARGE = """addEventListener("DOMContentLoaded", () => {
  document.documentElement.style.fontSize = "28px";
})"""

# What a page is opened with, and the sizes that it is looked at in.
KINDS = {
    "as it is": ({}, [TABLET, TABLET[::-1], ZOOMED, PHONE, SMALL_PHONE, WALL]),
    "large": ({"storage": {"lrs-pager-screen": {"large": True}}}, [WALL, TABLET]),
    "text twice as large": ({"script": TWICE_AS_LARGE}, [TABLET, PHONE]),
    "hebrew": ({"storage": {"selectedLanguage": "he"}}, [TABLET, PHONE, SMALL_PHONE]),
}


async def flaws_in(target: Locator, sizes: list[tuple[int, int]]) -> list[str]:
    """What is wrong in any of these sizes."""
    found = []
    for width, height in sizes:
        await target.page.set_viewport_size({"width": width, "height": height})
        await target.page.evaluate("() => new Promise(requestAnimationFrame)")
        found += [f"{width} x {height}: {flaw}" for flaw in await flaws(target)]
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_cut_off_or_too_small_for_fingers(house: House, kind: str) -> None:
    options, sizes = KINDS[kind]
    page = await open_evening(house, size=sizes[0], **options)
    await button(page, "Remove 101").click()
    await button(page, "Seat 102").click()
    await expect(button(page, "Undo")).to_be_visible()
    assert await flaws_in(stand(page), sizes) == []
    await button(page, "Hand out a pager").click()
    assert await flaws_in(sheet(page), sizes) == []
    await page.keyboard.press("Escape")
    await button(page, "This screen").click()
    assert await flaws_in(sheet(page), sizes) == []


TRANSLATIONS = sorted((INTEGRATION / "translations").glob("*.json"))


@pytest.mark.parametrize("file", TRANSLATIONS, ids=lambda file: file.stem)
async def test_the_words_of_each_language_fit_the_smallest_phone(house: House, file: Path) -> None:
    common = json.loads(file.read_text("utf-8"))["common"]
    # What is long: names, hours of waiting, parties of more than ten.
    house.guest(988, ago=130, goal=900, label="Featherstonehaugh-Cholmondeley", party_size=14)
    house.guest(989, ago=80, goal=7200, label="Nakamura", party_size=12)
    house.guest(998, ago=140, paged=75, label="Featherstonehaugh-Cholmondeley", party_size=10)
    house.guest(999, ago=100, paged=74, party_size=16)
    evening(house, 5, 2)
    page = await house.page(size=SMALL_PHONE, storage={"selectedLanguage": file.stem})
    await expect(stand(page).get_by_role("listitem")).to_have_count(11)
    hand_out = stand(page).locator(".hand-out")
    await expect(hand_out).to_have_text(common["hand_out_a_pager"])

    def tapped(number: int, what: str) -> Locator:
        return row(page, number).locator(f"[data-tap={what}]")

    for number in (101, 999):
        await tapped(number, "ask").click()
        await expect(tapped(number, "remove")).to_be_visible()
    for number in (100, 998):
        await tapped(number, "seat").click()
        await expect(tapped(number, "undo")).to_be_visible()
    sizes = [SMALL_PHONE, PHONE, TABLET]
    assert await flaws_in(stand(page), sizes) == []
    await hand_out.click()
    assert await flaws_in(sheet(page), sizes) == []
    await page.keyboard.press("Escape")
    await button(page, common["screen"]).click()
    assert await flaws_in(sheet(page), sizes) == []


@pytest.mark.parametrize(
    ("size", "waiting", "paged"),
    [(TABLET, 12, 0), (TABLET, 9, 3), (PHONE, 7, 0), (PHONE, 5, 2)],
)
async def test_a_busy_hour_is_seen_at_a_glance(
    house: House, size: tuple[int, int], waiting: int, paged: int
) -> None:
    page = await open_evening(house, waiting, paged, size=size)
    # All their buttons can be tapped without scrolling, as nothing lies over them.
    in_sight = (
        await stand(page)
        .get_by_role("listitem")
        .get_by_role("button")
        .evaluate_all(
            """(buttons) => buttons.filter((button) => {
          const { x, y, width, height } = button.getBoundingClientRect();
          return [y + 1, y + height - 1].every((edge) =>
            button.contains(button.getRootNode().elementFromPoint(x + width / 2, edge)));
        }).length"""
        )
    )
    assert in_sight == 3 * (waiting + paged)


async def test_page_buttons_stay_in_their_column_when_the_first_guest_is_paged(
    house: House,
) -> None:
    page = await open_evening(house, 4, 0)
    await expect(page.get_by_role("heading", name="Paged 0")).to_be_visible()
    before = [await button(page, f"Page {number}").bounding_box() for number in (100, 101, 102)]
    await button(page, "Page 100").click()
    await expect(page.get_by_role("heading", name="Paged 1")).to_be_visible()
    after = [await button(page, f"Page {number}").bounding_box() for number in (101, 102, 103)]
    # The next guests have come up by a row, and nothing else.
    assert after == before


async def test_a_phone_has_no_heading_over_nobody(house: House) -> None:
    page = await open_evening(house, 2, 0, size=PHONE)
    await expect(page.get_by_role("heading", name="Waiting 2")).to_be_visible()
    await expect(page.get_by_role("heading", name="Paged")).to_be_hidden()


async def test_it_is_dark_where_home_assistant_is(house: House) -> None:
    page = await open_evening(house, color_scheme="dark")
    colors = await row(page, 100).evaluate(
        """(row) => [
          getComputedStyle(row).color,
          getComputedStyle(row.getRootNode().host.closest("lrs-pager-panel") ??
            row.getRootNode().host.getRootNode().host).backgroundColor,
        ]"""
    )
    text, background = (sum(map(int, re.findall(r"\d+", color)[:3])) for color in colors)
    assert background < 150
    assert text > 500


async def test_it_is_mirrored_for_those_who_read_from_the_right(house: House) -> None:
    page = await open_evening(house, storage={"selectedLanguage": "he"})
    number = await row(page, 100).get_by_text("100", exact=True).bounding_box()
    first, last = [await button(page, f"{name} 100").bounding_box() for name in ("Page", "Remove")]
    assert number
    assert first
    assert last
    assert number["x"] > first["x"] > last["x"]


async def test_a_wall_is_read_from_afar(house: House) -> None:
    page = await open_evening(house, size=WALL)
    normal = await row(page, 100).get_by_text("100", exact=True).bounding_box()
    await button(page, "This screen").click()
    await sheet(page).get_by_label("Large, for a wall").check()
    await sheet(page).get_by_role("button", name="Done").click()
    large = await row(page, 100).get_by_text("100", exact=True).bounding_box()
    assert normal
    assert large
    assert large["height"] > 1.4 * normal["height"]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_nothing_moves_for_those_who_do_not_want_that(house: House, motion: str) -> None:
    house.guest(12)
    page = await house.page(reduced_motion=motion)
    await expect(row(page, 12)).to_be_visible()
    house.simulator.faults.separate = True
    house.simulator.faults.separate_delay = 1
    await button(page, "Page 12").click()
    await expect(row(page, 12)).to_have_attribute("aria-busy", "true")
    moving = await row(page, 12).evaluate(
        "(row) => row.getAnimations({ subtree: true }).map(({ playState }) => playState)"
    )
    await expect(row(page, 12)).to_have_attribute("aria-busy", "false")
    assert set(moving) == (set() if motion == "reduce" else {"running"})


# ----------------------------------------------------------------------- accessibility


@pytest.mark.parametrize(
    "screen",
    [{"size": TABLET}, {"size": TABLET, "color_scheme": "dark"}, {"size": PHONE}],
    ids=["tablet", "dark tablet", "phone"],
)
async def test_axe_finds_nothing_in_the_way(house: House, screen: dict[str, Any]) -> None:
    page = await open_evening(house, **screen)
    await button(page, "Remove 101").click()
    found = await violations(page.locator("lrs-pager-panel"))
    await button(page, "Hand out a pager").click()
    found += await violations(sheet(page))
    await page.keyboard.press("Escape")
    await button(page, "This screen").click()
    found += await violations(sheet(page))
    assert found == []


async def test_axe_finds_nothing_in_the_way_in_the_waiting_room(house: House) -> None:
    evening(house, 2, 3)
    page = await house.page("/lrs-pager/lobby")
    await expect(page.locator("lrs-pager-lobby").get_by_role("listitem")).to_have_count(3)
    assert await violations(page.locator("lrs-pager-panel")) == []


# ------------------------------------------------------------------------------- names

HOSTILE = [
    "<img src=/nowhere.png onerror=alert(1)><script>alert(2)</script><b>bold</b>",
    "**bold** [link](https://example.org) ![](https://example.org/x.png) | <ha-alert>",
    "${alert(1)} {{ states('sensor.x') }} %s javascript:alert(1)",
    "\u202eright to left\u2066 and back \u200f\u202b",
    "🍕" * 200,
    "W" * 200,
    "a\u0300\u0301\u0302\u0303\u0304" * 33,
]

# What turns text around for those who read it.
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


async def test_names_are_text_whatever_they_are(house: House) -> None:
    for index, name in enumerate(HOSTILE):
        house.guest(100 + index, label=name, party_size=4, ago=9 - index)
    house.guest(200, label="Smith", party_size=4)
    page = await house.page(size=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await expect(row(page, 200)).to_be_visible()
    plain = await row(page, 200).bounding_box()
    assert plain
    for index, name in enumerate(HOSTILE):
        guest = row(page, 100 + index)
        shown = str(await guest.locator(".name").text_content())
        assert shown.split() == TURNS.sub(" ", name).split()
        await expect(guest.locator(".name *")).to_have_count(0)
        box = await guest.bounding_box()
        assert box
        assert box["height"] == pytest.approx(plain["height"], abs=2)
    assert await flaws(stand(page)) == []
    await button(page, "Page 100").click()
    await house.hears(1)
    await expect(page.get_by_role("status")).to_contain_text("100")
    assert not [url for url in asked if "nowhere" in url or "example" in url]


async def test_a_name_of_joined_signs_is_shown_as_it_is(house: House) -> None:
    # A family, and a name as Persians write it.
    names = {12: "👨\u200d👩\u200d👧", 13: "علی\u200cرضا"}  # noqa: RUF001  # which is their alphabet
    for number, name in names.items():
        house.guest(number, label=name)
    page = await house.page()
    await expect(row(page, 13)).to_be_visible()
    assert {
        number: await row(page, number).locator(".name").text_content() for number in names
    } == names
