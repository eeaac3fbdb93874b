"""What people look for on a screen: rows, buttons, where the keyboard is."""

from pathlib import Path
import re

from playwright.async_api import Locator, Page
import pytest

LAYOUT = (Path(__file__).parent / "layout.js").read_text()
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

type View = Page | Locator


def stand(page: Page) -> Locator:
    """The host stand: all of it, without Home Assistant around it."""
    return page.locator("lrs-pager-stand")


def sheet(page: Page) -> Locator:
    """What is open above the host stand: to hand out a pager, or to set up this screen."""
    return stand(page).get_by_role("dialog")


def row(page: Page, number: int) -> Locator:
    """The row of the guest with that pager."""
    return stand(page).get_by_role("listitem").filter(has=page.get_by_text(f"{number}", exact=True))


def button(view: View, name: str) -> Locator:
    """The button whose name begins so: "Page 12" is that of neither 1 nor 120."""
    return view.get_by_role("button", name=re.compile(rf"^{re.escape(name)}\b"))


def banner(page: Page) -> Locator:
    """The sentence above the list, when something is wrong."""
    return stand(page).locator(".banner")


async def fill_in(page: Page, **fields: object) -> Locator:
    """Open the sheet and fill in pager, party_size and name; return its last button."""
    await button(page, "Hand out a pager").click()
    for name, value in fields.items():
        label = name.capitalize().replace("_", " ")
        await sheet(page).get_by_label(label, exact=True).fill(f"{value}")
    return sheet(page).get_by_role("button", name="Hand out", exact=True)


def chosen_goal(page: Page) -> Locator:
    """The goal that is chosen where a pager is handed out."""
    return sheet(page).get_by_role("group").locator("[aria-pressed=true]")


async def flaws(target: Locator) -> list[str]:
    """What is wrong with how something is laid out: cut off, too small for fingers, and so on."""
    found: list[str] = await target.evaluate(LAYOUT)
    return found


async def violations(target: Locator) -> list[str]:
    """What axe-core finds to be in the way of people with disabilities."""
    if not AXE.exists():
        pytest.skip("no axe-core here (scripts/frontend installs it, with npm)")
    await target.page.add_script_tag(path=AXE)
    found: list[str] = await target.evaluate(
        """async (node) => {
          const { violations } = await axe.run(node, { resultTypes: ["violations"] });
          return violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
        }"""
    )
    return found
