"""The host stand in a browser: 12 to 15.

A real Home Assistant, a simulated transmitter and Chromium; the house has other sensors, too. Ours
is the card on a dashboard. Theirs are what people have without it, in a Markdown card on such a
dashboard: the template that the README once had, and one that looks through the house's sensors
for lists of sessions, sorts and prints them, as cards that find their entities by themselves do.

What is timed in the browser is the moment after the frame in which a guest's row is there as it
shall be: when it has been drawn, and what follows is not the page's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
from pathlib import Path
import random
import statistics
import sys
import tempfile
import time

import aiohttp
from playwright.async_api import CDPSession, Page

from demo.home_assistant import HomeAssistant
from tests.browser.conftest import CHROMIUM, INTEGRATION, House, open_house

from .measure import Row, duration

# The script that is run in each page.
SCRIPT = Path(__file__).with_name("stand.js").read_text()

LIST = "sensor.t7470_active_sessions"

# Names are not in states unless that is asked for, and a Markdown card shows nothing at all if its
# template takes what is not there.
FORMER = """\
{% set sessions = state_attr('sensor.t7470_active_sessions', 'sessions') or [] %}
| Pager | Guest | Party | |
|--:|:--|--:|:--|
{%- for session in sessions %}
| **{{ session.number }}** | {{ session.label | default('') }} | {{ session.party_size or '' }} |
{{- ' paged ' if session.state == 'paged' else ' **late** ' if session.late else ' waits ' }}
{{- relative_time(session.since | as_datetime) }} |
{%- endfor %}
"""

# Over `states`, all of the house, it would be worse: Home Assistant renders such a template once a
# minute at most, and one over the sensors once a second.
SEARCHING = """\
{% set lists = states.sensor | selectattr('attributes.sessions', 'defined')
  | map(attribute='attributes.sessions') | sum(start=[]) %}
| Pager | Guest | Party | |
|--:|:--|--:|:--|
{%- for session in lists | sort(attribute='since') %}
| **{{ session.number }}** | {{ session.label | default('') }} | {{ session.party_size or '' }} |
{{- ' paged ' if session.state == 'paged' else ' **late** ' if session.late else ' waits ' }}
{{- relative_time(session.since | as_datetime) }} |
{%- endfor %}
"""

# Dashboards with one card each; the last has nothing to do.
CARDS: dict[str, dict[str, str]] = {
    "ours": {"type": "custom:lrs-pager-card"},
    "former": {"type": "markdown", "content": FORMER},
    "searching": {"type": "markdown", "content": SEARCHING},
    "none": {"type": "markdown", "content": "Nothing."},
}
THEIRS = {"former": "the README's former card", "searching": "a card that searches the sensors"}
SHOWN = ("ours", *THEIRS)
# What becomes of a guest's row.
STATES = ("waits", "paged", "gone")

# Sensors that the house has beside ours.
OTHERS = 500
# Guests at the door on a busy evening, and more than any door has.
GUESTS, MANY = 60, 200
# The pager that comes and goes: no time and no other pager reads like it.
PAGER = 999

# Rounds of each card in turn, and the guests who come, are paged and leave in each.
ROUNDS, QUICK_ROUNDS = 4, 1
VISITS, QUICK_VISITS = 9, 6
# Seconds between two changes, by chance, lest all come at the same part of a second. For the card
# that is rendered once a second at most they are longer, as at most doors, and visits are fewer.
APART, FAR_APART, FEWER = (0.2, 0.8), (2.1, 2.7), 3
# Seconds for which CPU time is taken, and how often: a minute, once in which Home Assistant renders
# templates that show times.
TICKING, TICKINGS, QUICK_TICKINGS = 60, 5, 1
# Seconds of scrolling.
SCROLLING = 6
# Seconds in which a page comes to rest.
REST = 3
# Seconds in which anything shows.
PATIENCE = 20

# Goals: seconds beyond the state machine, percents of a core, seconds that a frame or a task takes,
# and bytes.
BEYOND = 0.050
PERCENT = 1.0
FLUENT = 0.050
BYTES = 25_000

# What Chromium calls a turn of a thread's loop, and the thread that draws a page.
TASK, MAIN = "RunTask", "CrRendererMain"
TRACED = ["disabled-by-default-devtools.timeline", "__metadata"]


async def stand(*, quick: bool) -> AsyncIterator[Row]:
    """12-15. The host stand in a real browser, against Markdown cards (needs Chromium)."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    module = INTEGRATION / "www" / "lrs-pager.js"
    size = await _compressed(module)
    if CHROMIUM is None:
        print("Chromium is missing: apt-get install chromium", file=sys.stderr)
    else:
        with tempfile.TemporaryDirectory() as folder:
            async with open_house(Path(folder) / "config") as house:
                await _furnish(house)
                _seat(house, GUESTS)
                async for row in _pixels(house, rounds, QUICK_VISITS if quick else VISITS):
                    yield row
                async for row in _ticks(house, QUICK_TICKINGS if quick else TICKINGS):
                    yield row
                _seat(house, MANY)
                async for row in _long(house, rounds):
                    yield row
    yield Row(
        what="15. what a browser loads, compressed",
        ours=f"{size:,} B",
        goal_text=f"≤ {BYTES:,} B",
        is_met=size <= BYTES,
    )


async def _compressed(path: Path) -> int:
    """The bytes of a file as scripts/frontend counts them."""
    process = await asyncio.create_subprocess_exec(
        "gzip", "-9", "-c", str(path), stdout=asyncio.subprocess.PIPE
    )
    return len((await process.communicate())[0])


# ------------------------------------------------------------------------------- the house


async def _furnish(house: House) -> None:
    """Add the transmitter, other sensors, and the dashboards."""
    home = house.home
    await house.add_transmitter()
    for number in range(OTHERS):
        attributes = {"friendly_name": f"Room {number}", "unit_of_measurement": "°C"}
        state = {"state": f"{18 + number % 7}", "attributes": attributes}
        await home.rest("POST", f"/api/states/sensor.room_{number}", state)
    for name, card in CARDS.items():
        await home.command(
            "lovelace/dashboards/create",
            url_path=f"bench-{name}",
            title=name,
            mode="storage",
            show_in_sidebar=True,
            require_admin=False,
        )
        views = [{"type": "panel", "cards": [card]}]
        await home.command(
            "lovelace/config/save", url_path=f"bench-{name}", config={"views": views}
        )


def _seat(house: House, count: int) -> None:
    """Have so many guests wait, a few of them paged: from a moment ago to half an hour."""
    unit = house.unit
    for number in set(range(1, count + 1)) - set(unit.active):
        came = unit.now() - timedelta(seconds=1800 * number / count)
        with unit.at(came):
            unit.create(number, label=f"Guest {number}", party_size=number % 6 + 1, goal=900)
        if number % 6 == 0:
            with unit.at(came + timedelta(seconds=5)):
                unit.page(number)


async def _open(house: House, name: str) -> Page:
    """Open a dashboard in a browser of its own, and wait until it is at rest."""
    page = await house.page(f"/bench-{name}")
    await page.wait_for_function("() => document.querySelector('home-assistant')?.hass?.states")
    await page.evaluate(SCRIPT)
    if name != "none":
        await page.wait_for_function("() => bench.count()")
    await asyncio.sleep(REST)
    return page


async def _change(house: House, page: Page, state: str) -> tuple[float, float]:
    """Have a guest come, be paged, or leave, by the state that the row is to have.

    Return when the unit was about to write its message, and when the row was drawn (POSIX seconds,
    the latter by the page's clock).
    """
    unit = house.unit
    act: dict[str, Callable[[], object]] = {
        "waits": lambda: unit.create(PAGER, label="Guest", party_size=2, goal=900),
        "paged": lambda: unit.page(PAGER),
        "gone": lambda: unit.clear(PAGER),
    }
    await page.evaluate("([pager, state]) => bench.expect(pager, state)", [PAGER, state])
    written = time.time()
    act[state]()
    async with asyncio.timeout(PATIENCE):
        drawn = await page.evaluate("bench.seen")
    return written, drawn / 1000


async def _apart(seconds: tuple[float, float] = APART) -> None:
    """Wait for the next change."""
    await asyncio.sleep(random.uniform(*seconds))


# ------------------------------------------------------------------------------- 12: a change


@asynccontextmanager
async def _listening(home: HomeAssistant) -> AsyncIterator[list[float]]:
    """Hear over a WebSocket of its own when the state that has the list was written.

    The times (POSIX seconds) are those in the events, from before they went over any network.
    """
    heard: list[float] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{home.url}/api/websocket", max_msg_size=0) as ws,
    ):
        await ws.receive_json()
        await ws.send_json({"type": "auth", "access_token": home.token})
        await ws.receive_json()
        await ws.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
        await ws.receive_json()

        async def hear() -> None:
            async for message in ws:
                event = message.json()["event"]
                if event["data"]["entity_id"] == LIST:
                    heard.append(datetime.fromisoformat(event["time_fired"]).timestamp())

        ear = asyncio.create_task(hear())
        try:
            yield heard
        finally:
            ear.cancel()


async def _pixels(house: House, rounds: int, visits: int) -> AsyncIterator[Row]:
    """12. From the unit's message to the drawn row, less from the message to the state.

    All processes have one clock. A page's times are its own (performance.timeOrigin and
    performance.now()), and are set right by Date.now(), which is that clock, as it goes from one
    millisecond to the next.
    """
    states: list[float] = []
    beyond: dict[str, list[list[float]]] = {name: [] for name in SHOWN}
    async with _listening(house.home) as heard:
        for _ in range(rounds):
            for name in SHOWN:
                page = await _open(house, name)
                ahead = await page.evaluate("bench.clock()") / 1000
                taken: list[float] = []
                is_slow = name == "searching"
                for state in STATES * (visits // FEWER if is_slow else visits):
                    await _apart(FAR_APART if is_slow else APART)
                    heard.clear()
                    written, drawn = await _change(house, page, state)
                    async with asyncio.timeout(PATIENCE):
                        while not heard:
                            await asyncio.sleep(0.001)
                    states.append(heard[0] - written)
                    taken.append(drawn + ahead - heard[0])
                beyond[name].append(taken)
                await house.close_pages()
    ours = [each for taken in beyond["ours"] for each in taken]
    for name, called in THEIRS.items():
        theirs = [each for taken in beyond[name] for each in taken]
        yield Row(
            what=(
                "12. from the unit's message to the pixel, beyond the state "
                f"(itself after {duration(statistics.median(states))}), against {called} "
                "(median, p99)"
            ),
            ours=_median_p99(ours),
            theirs=_median_p99(theirs),
            ratios=[
                statistics.median(a) / statistics.median(b)
                for a, b in zip(beyond["ours"], beyond[name], strict=True)
            ],
            goal_text="≤ 50 ms in the median",
            is_met=statistics.median(ours) <= BEYOND,
        )


def _median_p99(values: Sequence[float]) -> str:
    p99 = statistics.quantiles(values, n=100, method="inclusive")[98]
    return f"{duration(statistics.median(values))}, {duration(p99)}"


# -------------------------------------------------------------------------------- 13: ticking


@dataclass(frozen=True)
class Cpu:
    """What a page's process has used of CPU, and when: seconds."""

    used: float
    at: float

    def percent(self, before: Cpu) -> float:
        """Percents of a core since then."""
        return 100 * (self.used - before.used) / (self.at - before.at)


async def _cpu(session: CDPSession) -> Cpu:
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    by_name = {metric["name"]: metric["value"] for metric in metrics}
    return Cpu(by_name["ProcessTime"], by_name["Timestamp"])


async def _ticks(house: House, count: int) -> AsyncIterator[Row]:
    """13. What guests' times cost a browser as they go on: CPU of the page's process, and shifts.

    All pages are open at the same time, each in a process of its own, and what the one without
    guests uses is taken off the others. Ours goes on every second, the templates every minute.
    """
    used: dict[str, list[float]] = {name: [] for name in SHOWN}
    shifts: dict[str, list[float]] = {name: [] for name in SHOWN}
    pages = {name: await _open(house, name) for name in CARDS}
    sessions = {name: await page.context.new_cdp_session(page) for name, page in pages.items()}
    for session in sessions.values():
        await session.send("Performance.enable")
    for _ in range(count):
        for name in SHOWN:
            await pages[name].evaluate("bench.shift()")
        before = {name: await _cpu(session) for name, session in sessions.items()}
        await asyncio.sleep(TICKING)
        percents = {name: (await _cpu(sessions[name])).percent(before[name]) for name in CARDS}
        for name in SHOWN:
            used[name].append(percents[name] - percents["none"])
            shifts[name].append(await pages[name].evaluate("bench.shift()"))
    await house.close_pages()
    for name, called in THEIRS.items():
        yield Row(
            what=f"13. {GUESTS} guests' times, by the second: CPU, against {called}, by the minute",
            ours=_percents(used["ours"]),
            theirs=_percents(used[name]),
            ratios=[a / b for a, b in zip(used["ours"], used[name], strict=True) if b > 0],
            goal_text=f"≤ {PERCENT:.0f} % of a core",
            is_met=statistics.median(used["ours"]) <= PERCENT,
        )
    yield Row(
        what="13. the same: layout shift (the worst minute)",
        ours=f"{max(shifts['ours']):.2g}",
        theirs=", ".join(f"{max(shifts[name]):.2g}" for name in THEIRS),
        goal_text="0",
        is_met=max(shifts["ours"]) == 0,
    )


def _percents(values: Sequence[float]) -> str:
    spread = f" ({min(values):.2f}..{max(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.median(values):.2f} %{spread}"


# ----------------------------------------------------------------------------- 14: a long list


async def _long(house: House, rounds: int) -> AsyncIterator[Row]:
    """14. A list of 200: until it is there, while it changes, and while it is scrolled.

    It is there when all rows are drawn, from the tap in the sidebar on, in a front end that has
    drawn another dashboard before. Tasks are the turns of the page's main thread, as Chromium
    traces them, while a guest comes, is paged and leaves. The list is scrolled by the page itself,
    30 pixels in each frame, and changes as well.
    """
    shown: dict[str, list[float]] = {name: [] for name in SHOWN}
    tasks: dict[str, list[float]] = {name: [] for name in SHOWN}
    frames: dict[str, list[float]] = {name: [] for name in SHOWN}
    for _ in range(rounds):
        for name in SHOWN:
            page = await _open(house, "none")
            visit = await page.evaluate("visit => bench.visit(...visit)", [f"/bench-{name}", MANY])
            shown[name].append(visit / 1000)
            await asyncio.sleep(REST)
            await house.browser.start_tracing(page=page, categories=TRACED)
            for state in STATES:
                await _change(house, page, state)
                await _apart()
            tasks[name].append(_longest_task(await house.browser.stop_tracing()))
            scrolling = asyncio.create_task(page.evaluate("bench.scroll", 1000 * SCROLLING))
            for state in STATES:
                await _apart()
                await _change(house, page, state)
            frames[name].append(max(await scrolling) / 1000)
            await house.close_pages()
    for what, found, goal in (
        (f"{MANY} guests, from a tap in the sidebar until they are drawn", shown, None),
        ("the longest task (CPU) while one comes, is paged and leaves", tasks, FLUENT),
        ("the longest frame while it is scrolled and does so", frames, FLUENT),
    ):
        for name, called in THEIRS.items():
            yield Row(
                what=f"14. {what}, against {called}",
                ours=_median(found["ours"]),
                theirs=_median(found[name]),
                ratios=[a / b for a, b in zip(found["ours"], found[name], strict=True)],
                goal_text="" if goal is None else f"≤ {duration(goal)}",
                is_met=None if goal is None else statistics.median(found["ours"]) <= goal,
            )


def _median(values: Sequence[float]) -> str:
    spread = f" ({duration(min(values))}..{duration(max(values))})" if len(values) > 1 else ""
    return f"{duration(statistics.median(values))}{spread}"


def _longest_task(trace: bytes) -> float:
    """The turn of a page's main thread that took most CPU time in a trace: seconds."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN
    }
    longest: float = max(
        event["tdur"] / 1e6
        for event in events
        if event["name"] == TASK and "tdur" in event and (event["pid"], event["tid"]) in mains
    )
    return longest
