"""Screens of all kinds: the waiting room's, tablets whose clocks are wrong, those that sound."""

import re

from playwright.async_api import Page, expect
import pytest

from .conftest import House
from .screen import button, row, sheet, stand

# All that a page holds, in shadow trees, too.
MARKUP = """() => {
  const markup = (node) => [...node.children].map((each) =>
    each.cloneNode(false).outerHTML + each.innerText + markup(each)
      + (each.shadowRoot ? markup(each.shadowRoot) : "")).join("");
  return markup(document);
}"""

# Sets the clock of a tablet wrong, by what window.ahead says.
WRONG_CLOCK = """
  window.ahead = HOURS * 3600e3;
  const Right = Date;
  Date = class extends Right {
    constructor(...args) {
      if (args.length) super(...args);
      else super(Right.now() + window.ahead);
    }
    static now() {
      return Right.now() + window.ahead;
    }
  };
"""

# Counts the notes that are played.
LISTEN = """
  window.notes = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...args) {
    window.notes++;
    start.apply(this, args);
  };
"""


async def span(page: Page, number: int) -> int:
    """What a row's timer shows, in seconds."""
    text = str(await row(page, number).text_content())
    minutes, seconds = re.search(r"(\d+):(\d\d)", text).groups()
    return 60 * int(minutes) + int(seconds)


# ------------------------------------------------------------------------ waiting room


async def test_the_waiting_room_sees_who_is_called_and_how_many_wait(house: House) -> None:
    house.guest(11, ago=9, paged=2)
    house.guest(12, ago=8, paged=3)
    house.guest(13, ago=7)
    house.guest(14, ago=6)
    page = await house.page("/lrs-pager/lobby")
    lobby = page.locator("lrs-pager-lobby")
    await expect(lobby.get_by_role("listitem")).to_have_text(["11", "12"])
    await expect(lobby).to_contain_text("2 parties are waiting")
    house.unit.page(14)
    await expect(lobby.get_by_role("listitem")).to_have_text(["14", "11", "12"])
    await expect(lobby).to_contain_text("1 party is waiting")
    house.unit.clear(11)
    await expect(lobby.get_by_role("listitem")).to_have_text(["14", "12"])
    # It has all of the screen.
    await expect(page.locator("ha-sidebar")).to_be_hidden()


async def test_the_waiting_room_gets_no_name_and_nothing_to_tap(house: House) -> None:
    house.guest(11, label="Nakamura", ago=9, paged=2)
    house.guest(12, label="Featherstone", ago=8)
    heard: list[str] = []
    page = await house.page("/lrs-pager/lobby", heard=heard)
    lobby = page.locator("lrs-pager-lobby")
    await expect(lobby.get_by_role("listitem")).to_have_text(["11"])
    house.unit.page(12)
    await expect(lobby.get_by_role("listitem")).to_have_text(["12", "11"])
    await expect(lobby.locator("button, a, input, [tabindex]")).to_have_count(0)
    known = await page.evaluate(MARKUP) + "".join(map(str, heard))
    assert "lrs-pager-lobby" in known
    assert '"number":12' in known
    assert "Nakamura" not in known
    assert "Featherstone" not in known


# ------------------------------------------------------------------------------ clocks


@pytest.mark.parametrize("hours", [-7, 5])
async def test_timers_are_right_where_the_tablets_clock_is_not(house: House, hours: int) -> None:
    house.guest(12, ago=3, goal=900)
    page = await house.page(script=WRONG_CLOCK.replace("HOURS", f"{hours}"))
    right = await house.page()
    await expect(row(page, 12)).to_contain_text("left")
    await expect(row(right, 12)).to_contain_text("left")
    assert await span(page, 12) == pytest.approx(await span(right, 12), abs=1)
    # Somebody puts it right.
    await page.evaluate("window.ahead = 0")
    shown = await row(page, 12).text_content()
    await expect(row(page, 12)).not_to_have_text(str(shown))
    assert await span(page, 12) == pytest.approx(await span(right, 12), abs=1)


async def test_guests_turn_amber_and_late_to_the_second_and_by_themselves(house: House) -> None:
    house.guest(12, ago=590 / 60, goal=900)
    house.guest(13, ago=290 / 60, goal=300)
    page = await house.page(is_clock_ours=True)
    await expect(row(page, 13)).to_be_visible()
    await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 1"))
    amber, late = (row(page, number).locator(".time") for number in (12, 13))
    color = "(time) => getComputedStyle(time).color"
    colors = [await amber.evaluate(color)]

    while await span(page, 13) > 1:
        await page.clock.run_for(1000)
    await expect(amber).to_have_text(re.compile(r"5:01\s*left"))
    await expect(late).to_have_text(re.compile(r"0:01\s*left"))
    assert await amber.evaluate(color) == colors[0]
    colors.append(await late.evaluate(color))
    await page.clock.run_for(1000)
    await expect(amber).to_have_text(re.compile(r"5:00\s*left"))
    assert await amber.evaluate(color) == colors[1]
    await page.clock.run_for(1000)
    await expect(late).to_have_text(re.compile(r"0:00\s*left"))
    await expect(stand(page)).not_to_contain_text("1 late")
    # As for the sensor, a second is not late yet.
    await page.clock.run_for(1000)
    await expect(late).to_have_text(re.compile(r"0:02\s*late"))
    await expect(stand(page)).to_contain_text("1 late")
    await page.clock.run_for(50)
    await expect(page.get_by_role("status")).to_have_text("Pager 13 is late")
    colors.append(await late.evaluate(color))
    assert len(set(colors)) == 3


async def test_the_row_is_late_when_the_sensor_is(house: House) -> None:
    page = await house.page()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    house.guest(12, ago=299 / 60, goal=300)
    await expect(row(page, 12)).to_contain_text("late")
    entry_id = await house.entry()

    async def is_late() -> bool:
        return (await house.home.states(entry_id))["late"]["state"] == "on"

    await house.home.wait(is_late, 5, "the sensor")
    await button(page, "Page 12").click()
    await expect(row(page, 12)).to_contain_text("since paged")
    await expect(stand(page)).not_to_contain_text("1 late")


# -------------------------------------------------------------------------- this screen


async def test_a_late_guest_is_heard_where_that_was_turned_on(house: House) -> None:
    page = await house.page(script=LISTEN)
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    house.guest(12, ago=600 / 60, goal=600)
    await expect(row(page, 12)).to_contain_text("late")
    assert await page.evaluate("window.notes") == 0
    await button(page, "This screen").click()
    sound = sheet(page).get_by_label("Sound")
    await expect(sound).not_to_be_checked()
    await sound.check()
    # It plays once, so that one hears how loud it is.
    await page.wait_for_function("window.notes > 0")
    await sheet(page).get_by_role("button", name="Done").click()
    first = await page.evaluate("window.notes")
    house.guest(13, ago=600 / 60, goal=600)
    await expect(row(page, 13)).to_contain_text("late")
    await page.wait_for_function("(first) => window.notes > first", arg=first)
    # After each load, the browser wants a tap before it plays anything; so does the page.
    await page.reload()
    await button(page, "Tap here").click()
    await page.wait_for_function("window.notes > 0")
    await expect(button(page, "Tap here")).to_be_hidden()


async def test_names_are_hidden_on_one_screen_alone(house: House) -> None:
    house.guest(12, label="Nakamura")
    heard: list[str] = []
    page, other = await house.page(heard=heard), await house.page()
    await expect(row(page, 12)).to_contain_text("Nakamura")
    await button(page, "This screen").click()
    await sheet(page).get_by_label("Hide guests' names").check()
    await sheet(page).get_by_role("button", name="Done").click()
    await expect(row(page, 12)).not_to_contain_text("Nakamura")
    await expect(row(other, 12)).to_contain_text("Nakamura")
    # It stays so, and names are not even sent.
    heard.clear()
    await page.reload()
    house.guest(13, label="Featherstone")
    await expect(row(page, 13)).to_be_visible()
    await expect(row(other, 13)).to_contain_text("Featherstone")
    known = await page.evaluate(MARKUP) + "".join(map(str, heard))
    assert '"number":13' in known
    assert "Nakamura" not in known
    assert "Featherstone" not in known


async def test_the_host_stand_can_have_all_of_the_screen(house: House) -> None:
    page = await house.page()
    await expect(page.locator("ha-sidebar")).to_be_visible()
    await button(page, "This screen").click()
    await sheet(page).get_by_label("Full screen").check()
    await expect(page.locator("ha-sidebar")).to_be_hidden()
    await sheet(page).get_by_label("Full screen").uncheck()
    await expect(page.locator("ha-sidebar")).to_be_visible()


async def test_those_who_do_not_see_it_are_told_of_events_and_not_of_seconds(
    house: House,
) -> None:
    house.guest(12, ago=1)
    page = await house.page()
    status = page.get_by_role("status")
    await expect(row(page, 12)).to_be_visible()
    await page.evaluate(
        """() => {
          const find = (node) => [...node.querySelectorAll("*")].flatMap((each) =>
            [each, ...(each.shadowRoot ? find(each.shadowRoot) : [])]);
          window.said = [];
          const live = find(document).filter((each) =>
            each.matches("lrs-pager-stand *, [role=status], [role=alert], [aria-live]"));
          const isOurs = (each) => each.getRootNode().host?.localName.startsWith("lrs-pager");
          for (const each of live.filter(isOurs)) {
            new MutationObserver(() => window.said.push(each.textContent.trim()))
              .observe(each, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )
    before = await span(page, 12)
    while await span(page, 12) > before - 2:
        await page.wait_for_timeout(50)
    assert await page.evaluate("window.said") == []
    house.guest(13)
    await expect(status).to_have_text("Pager 13 handed out")
    house.unit.page(13)
    await expect(status).to_have_text("Pager 13 paged")
    house.unit.clear(13)
    await expect(status).to_have_text("Pager 13 is back")
