"""Takes the README's pictures: scripts/pictures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
import json
import os
from pathlib import Path
import socket
import tempfile
from zoneinfo import ZoneInfo

from playwright.async_api import Page, async_playwright

from tests.simulator import Floor, Restaurant, Simulator, Unit, plan_night

from .home_assistant import HomeAssistant

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs"

# A time zone in which it is dinner time, whenever the pictures are taken. (Etc/GMT-2 is east of
# Greenwich, and there is no Etc/GMT-15.)
EAST = (20 - datetime.now(UTC).hour + 9) % 24 - 9
ZONE = f"Etc/GMT{-EAST:+d}"

# Seconds in which a fortnight's rows are written and committed.
STATISTICS_TIMEOUT = 60

# Days of service that the transmitter holds: what its long-term statistics show.
DAYS = 29

# Who is at the door: the pager, the name, the party, the goal and the wait so far in minutes.
GUESTS = (
    (15, "Ó Briain", 8, 45, 47),
    (46, "Ortega", 4, 20, 19),
    (12, "Nakamura", 2, 15, 16),
    (3, "Lee", 5, 15, 11),
    (9, "Müller", 2, 20, 9),
    (7, "van den Berg", 6, 10, 6),
    (2, "Kim", 2, 25, 5),
    (33, "Garcia", 4, 25, 4),
    (21, None, 2, 30, 2),
)

BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# The page is drawn when no spinner is left in any shadow tree.
DRAWN = """() => {
  const busy = root => [...root.querySelectorAll('*')].some(e =>
    /^(HA-SPINNER|HASS-LOADING-SCREEN|HA-INIT-PAGE)$/.test(e.tagName)
    || (e.shadowRoot && busy(e.shadowRoot)));
  const home = document.querySelector('home-assistant');
  const launched = !document.querySelector('#ha-launch-screen');
  return launched && home?.hass?.states && !busy(home.shadowRoot);
}"""


@asynccontextmanager
async def browser(home: HomeAssistant) -> AsyncIterator[Page]:
    """A page in which the demo's user is logged in."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=BROWSER
        )
        context = await chromium.new_context(
            viewport={"width": 1000, "height": 640},
            device_scale_factor=2,
            locale="en-US",
            timezone_id=ZONE,
        )
        tokens = {
            "access_token": home.token,
            "token_type": "Bearer",
            "expires_in": 1800,
            "refresh_token": "",
            "hassUrl": home.url,
            "clientId": f"{home.url}/",
            "expires": 4102444800000,
        }
        await context.add_init_script(
            f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})"
        )
        yield await context.new_page()
        await chromium.close()


async def drawn(page: Page) -> None:
    """Wait until the page is drawn, and stays so for a moment."""
    await page.wait_for_function(DRAWN)
    await page.evaluate("() => document.fonts.ready.then(() => 1)")
    await page.wait_for_timeout(800)


async def take(page: Page, name: str) -> None:
    """Save a picture of the page."""
    await drawn(page)
    path = PICTURES / f"{name}.png"
    await page.screenshot(path=path, animations="disabled")
    print(path.relative_to(ROOT))  # noqa: T201


async def main() -> None:
    """Start everything, go where a user goes, and take the pictures."""

    def now() -> datetime:
        return datetime.now(ZoneInfo(ZONE)).replace(tzinfo=None)

    unit = Unit(now=now)
    unit.history_party_size = True
    nights = partial(plan_night, house=Restaurant())
    floor = Floor(unit, start=now() - timedelta(days=DAYS), plan=nights)
    floor.advance(now())
    for number in list(unit.active):
        unit.remove(number)
    for number, label, party, goal, minutes_ago in GUESTS:
        with unit.at(now() - timedelta(minutes=minutes_ago)):
            unit.create(number, label=label, party_size=party, goal=60 * goal)
    for number, seconds_ago in ((46, 73), (9, 20)):
        with unit.at(now() - timedelta(seconds=seconds_ago)):
            unit.page(number)
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        home = HomeAssistant(Path(folder), ROOT / "custom_components" / "lrs_pager", port)
        async with Simulator(unit=unit) as simulator, home:
            await home.log_in("demo", "demo", ZONE)
            async with browser(home) as page:
                await pictures(home, page, simulator)


async def pictures(home: HomeAssistant, page: Page, simulator: Simulator) -> None:
    """Add the transmitter by hand, then look at it."""
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await drawn(page)
    await page.get_by_text("Add integration", exact=True).locator("visible=true").first.click()
    await page.locator("dialog-add-integration input").first.fill("LRS")
    await page.get_by_text("LRS Pager").locator("visible=true").first.click()
    form = page.locator("dialog-data-entry-flow")
    host, port = form.locator("input:not([type=number])"), form.locator("input[type=number]")
    await host.fill("10.0.1.32")
    await take(page, "add")
    await host.fill(simulator.host)
    await port.fill(str(simulator.port))
    await page.get_by_role("button", name="Submit").locator("visible=true").first.click()
    await page.get_by_text("Skip and finish").locator("visible=true").first.click()

    (entry,) = await home.entries("lrs_pager")
    (device,) = [
        device
        for device in await home.command("config/device_registry/list")
        if ["lrs_pager", entry["entry_id"]] in device["identifiers"]
    ]
    await page.set_viewport_size({"width": 1000, "height": 820})
    await page.goto(f"{home.url}/config/devices/device/{device['id']}")
    await take(page, "device")

    await page.set_viewport_size({"width": 1000, "height": 700})
    await page.goto(f"{home.url}/lrs-pager")
    await take(page, "stand")
    await page.set_viewport_size({"width": 390, "height": 780})
    await take(page, "phone")
    await page.set_viewport_size({"width": 800, "height": 500})
    await page.goto(f"{home.url}/lrs-pager/lobby")
    await take(page, "lobby")

    await home.command(
        "lovelace/dashboards/create", url_path="the-door", title="Door", mode="storage"
    )
    await home.command(
        "lovelace/config/save",
        url_path="the-door",
        config={"strategy": {"type": "custom:lrs-pager"}},
    )
    await home.wait(lambda: statistics_ids(home), STATISTICS_TIMEOUT, "statistics")
    await page.set_viewport_size({"width": 1180, "height": 960})
    await page.goto(f"{home.url}/the-door")
    await take(page, "dashboard")
    await page.goto(f"{home.url}/the-door/manager")
    await page.get_by_role("table").last.wait_for()
    await take(page, "manager")


async def statistics_ids(home: HomeAssistant) -> list[str]:
    """The statistics that are there."""
    found = await home.command("recorder/list_statistic_ids")
    return [each["statistic_id"] for each in found if each["source"] == "lrs_pager"]


if __name__ == "__main__":
    asyncio.run(main())
