"""What it costs on the wire: 3 and 4."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
import random
import statistics
from typing import Any

from tests.simulator import Simulator, Unit

from .bodies import PAGERS, serve
from .hass import add, config_entry, home_assistant, push_settled, run_steered
from .measure import Row, duration, ratios, rounds, size
from .peers import HISTORY, Aiocoap
from .remote import Remote

# ------------------------------------------------------------------------------ 3, idle polls

# Seconds after which ours trusts an ETag, with some slack: the unit's have the resolution of its
# clock.
ETAG_SETTLES = 2.5


async def idle(*, quick: bool) -> AsyncIterator[Row]:
    """3. An idle poll.

    Most polls of most days find nothing new. Ours asks for the active sessions with the ETag that
    it holds; a naive poll reads the history, as the vendor's own example does. A simulated unit
    in another process, without push; bytes and datagrams (both ways) as it counts them, CPU as this
    process has it, of the whole of an update in Home Assistant. The goal is a hundredth of the
    naive poll, and that it doesn't grow with the history.
    """
    for sessions in (1_000,) if quick else (1_000, 10_000):
        async with (
            Remote("units", "1", str(sessions), "0") as units,
            home_assistant() as hass,
            Aiocoap() as peer,
        ):
            entry = config_entry(units.port)
            await add(hass, entry)
            coordinator = entry.runtime_data
            for _ in range(2):
                await asyncio.sleep(ETAG_SETTLES)
                await coordinator.async_refresh()

            async def naive(peer: Aiocoap = peer, port: int = units.port) -> None:
                await peer.read(port, HISTORY)

            counts = [await units.ask()]
            for run in (coordinator.async_refresh, naive):
                await run()
                counts.append(await units.ask())
            costs = await rounds([coordinator.async_refresh, naive], 3 if quick else 7)
        what = f"3. an idle poll with {sessions:,} archived, against reading the history: "
        for key in ("bytes", "datagrams"):
            ours, theirs = (after[key] - before[key] for before, after in pairwise(counts))
            yield Row(
                what=what + key,
                ours=f"{ours:,}",
                theirs=f"{theirs:,}",
                ratios=[ours / theirs],
                goal=0.01,
            )
        cpus = [duration(statistics.median(each.cpu for each in found)) for found in costs]
        yield Row(
            what=what + "CPU",
            ours=cpus[0],
            theirs=cpus[1],
            ratios=ratios(costs[0], costs[1], "cpu"),
            goal=0.01,
        )


# --------------------------------------------------------------------------- 4, a day of service

# Guests on a busy day, and the hours at which they come, noon and evening: first, most, last.
GUESTS = 270
PEAKS = ((11, 12.5, 15), (17, 19.5, 22.5))
# The day, and when Home Assistant is started: early, so that a whole day of it follows.
DAY = datetime(2026, 6, 5, 6)
HOURS = 24
# Seconds that a datagram takes on a house's network, either way.
ONE_WAY = 0.002
# Seconds from one naive poll to the next.
NAIVE_INTERVAL = 30


@dataclass(kw_only=True)
class Outstanding:
    """How many requests are under way at a time, as the wire has them."""

    now: set[tuple[object, bytes]]
    most: int = 0


def watch(simulator: Simulator) -> Outstanding:
    """Watch a unit's wire: a request is under way from when it is sent to its answer's arrival."""
    link: Any = simulator._link  # what passes here is all there is
    found = Outstanding(now=set())
    received, put_out = link.datagram_received, link._put_out

    def arrived(data: bytes, addr: tuple[object, ...]) -> None:
        if 0 < data[1] < 0x20:  # a request's code
            found.now.add((addr, data[2:4]))
            found.most = max(found.most, len(found.now))
        received(data, addr)

    def put(data: bytes, addr: tuple[object, ...]) -> None:
        found.now.discard((addr, data[2:4]))
        put_out(data, addr)

    link.datagram_received, link._put_out = arrived, put
    return found


@dataclass(frozen=True, kw_only=True)
class Day:
    """What a day cost. naive_*: what polling the history all day would. shown: sessions logged."""

    archived: int
    bytes: int
    requests: int
    by_path: dict[str, int]
    most_outstanding: int
    naive_bytes: float
    naive_requests: float
    shown: int


async def serve_day(unit: Unit) -> None:
    """Have the guests of a busy day come, be paged and leave, each at their time."""
    dice = random.Random(1)  # simulated chance
    loop = asyncio.get_running_loop()
    begin = loop.time()
    events = []
    for _ in range(GUESTS):
        low, mode, high = dice.choice(PEAKS)
        came = (dice.triangular(low, high, mode) - DAY.hour) * 3600
        waited, back = dice.uniform(180, 1200), dice.uniform(20, 240)
        events.append((came, came + waited, came + waited + back))

    async def guest(came: float, paged: float, left: float) -> None:
        await asyncio.sleep(begin + came - loop.time())
        number = next(n for n in range(1, 4 * PAGERS) if n not in unit.active)
        unit.create(number, goal=600, party_size=2, label="Guest")
        await asyncio.sleep(begin + paged - loop.time())
        unit.page(number)
        await asyncio.sleep(begin + left - loop.time())
        unit.clear(number)

    async with asyncio.TaskGroup() as guests:
        for event in events:
            guests.create_task(guest(*event))
        guests.create_task(asyncio.sleep(HOURS * 3600))


async def naive_cost(simulator: Simulator) -> tuple[int, int]:
    """What reading the history once costs now: bytes both ways, and requests."""
    before = simulator.traffic.bytes_in + simulator.traffic.bytes_out
    requests = len(simulator.requests)
    async with Aiocoap() as peer:
        await peer.read(simulator.port, HISTORY)
    traffic = simulator.traffic
    return traffic.bytes_in + traffic.bytes_out - before, len(simulator.requests) - requests


async def run_day(archived: int, *, push: bool) -> Day:
    """Live through a day."""
    unit = Unit(now=datetime.now)
    serve(unit, archived, datetime.now() - timedelta(days=14), timedelta(seconds=110))
    async with Simulator(unit=unit, max_observers=None if push else 0) as simulator:
        simulator.faults.network.delay = ONE_WAY
        first = await naive_cost(simulator)
        outstanding = watch(simulator)
        before = simulator.traffic.bytes_in + simulator.traffic.bytes_out
        asked = len(simulator.requests)
        async with home_assistant() as hass:
            entry = config_entry(simulator.port)
            await add(hass, entry)
            await push_settled(hass, entry)
            await serve_day(unit)
            shown = await entry.runtime_data.log.count()
        bytes_ = simulator.traffic.bytes_in + simulator.traffic.bytes_out - before
        requests = simulator.requests[asked:]
        assert len(requests) == len(simulator.requests) - asked
        last = await naive_cost(simulator)
    by_path: dict[str, int] = {}
    for each in requests:
        path = "/".join(each.path)
        by_path[path] = by_path.get(path, 0) + 1
    polls = HOURS * 3600 / NAIVE_INTERVAL
    return Day(
        archived=archived,
        bytes=bytes_,
        requests=len(requests),
        by_path=by_path,
        most_outstanding=outstanding.most,
        naive_bytes=polls * (first[0] + last[0]) / 2,
        naive_requests=polls * (first[1] + last[1]) / 2,
        shown=shown,
    )


async def day(*, quick: bool) -> AsyncIterator[Row]:
    """4. A day of service, all in.

    What the unit and the network bear: set-up, settings, the daily history, polls, and with push
    its messages and pings; 270 guests who come, are paged and leave, and the reads that tell how
    each of them ended. The real integration in Home Assistant against the simulated unit over real
    packets, 2 ms each way, for 24 hours of an event loop that skips the time in which nothing
    happens. Against reading the history every 30 s, as measured in the morning and in the evening:
    the goal is a hundredth of its bytes and of its requests. With a history that the day begins
    without, that can't be as far: there is less to be saved, and the pings are the same.
    """
    cases = [(1_000, True), (1_000, False)]
    if not quick:
        cases += [(10_000, True), (0, True), (0, False)]
    for archived, push in cases:
        # In another thread, as this one has a running event loop.
        found: Day = await asyncio.to_thread(
            run_steered, DAY, lambda archived=archived, push=push: run_day(archived, push=push)
        )
        assert found.shown == archived + GUESTS, found
        what = (
            f"4. a day, 270 guests, {archived:,} archived before, "
            f"{'with push' if push else 'without push'}: "
        )
        yield Row(
            what=what + "bytes",
            ours=size(found.bytes),
            theirs=size(found.naive_bytes),
            ratios=[found.bytes / found.naive_bytes],
            goal=0.01,
        )
        paths = ", ".join(f"{count:,} {path}" for path, count in found.by_path.items())
        yield Row(
            what=f"{what}requests ({paths}; {found.most_outstanding} at a time)",
            ours=f"{found.requests:,}",
            theirs=f"{found.naive_requests:,.0f}",
            ratios=[found.requests / found.naive_requests],
            goal=0.01,
        )
