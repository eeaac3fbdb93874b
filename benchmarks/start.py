"""Set-up, the event loop, and many transmitters: 9 and 10.

Each run is a process of its own (``python -m benchmarks.start``), so that everything is imported
anew and memory begins from nothing. It tells what it found as JSON on standard output.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
import gc
import importlib
import json
from pathlib import Path
import shutil
import statistics
import sys
import tempfile
import time
import tracemalloc
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .hass import DOMAIN, Blocks, add, blocks_timed, config_entry, home_assistant, push_settled
from .measure import Row, duration, size
from .remote import ROOT, Remote

# Sessions in the log, and archived by the unit.
HELD = 10_000
# Starts of each.
STARTS, QUICK_STARTS = 5, 2

# Seconds within which all of the history is read, on any machine.
READ_ALL_TIMEOUT = 120

# Seconds that a set-up may take with all of that in the log.
LONGEST_SET_UP = 0.3

# Seconds that a block of the event loop may take.
LONGEST_BLOCK = 0.05

# The integration that does nothing.
EMPTY = {
    "manifest.json": json.dumps(
        {
            "domain": "empty",
            "name": "Empty",
            "version": "1.0.0",
            "requirements": [],
            "config_flow": True,
        }
    ),
    "__init__.py": "async def async_setup_entry(hass, entry):\n    return True\n",
    "config_flow.py": (
        "from homeassistant.config_entries import ConfigFlow\n"
        "class EmptyConfigFlow(ConfigFlow, domain='empty'):\n    pass\n"
    ),
}


# The longest callback on the wall, and the one that took most CPU time, in seconds.
type Longest = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Start:
    """A set-up: seconds on the wall, and of CPU.

    blocks: the longest callbacks of the event loop in the set-up. history: those from
    its beginning until all of the history was merged into an empty log; 0 where none is read.
    """

    wall: float
    cpu: float
    blocks: Longest
    history: Longest = (0, 0)


async def start(kind: str, port: int, log: Path | None) -> Start:
    """Set up an integration in a Home Assistant that has just started.

    kind: ours; "empty", the one that does nothing; "fresh", ours without a log, until the history
    is read; or "log", which keeps the log that comes of that.
    """
    async with home_assistant() as hass:
        if kind == "empty":
            entry = config_entry(port, "empty")
            folder = Path(hass.config.path("custom_components", "empty"))
            folder.mkdir(parents=True)
            for name, text in EMPTY.items():
                (folder / name).write_text(text)
            importlib.invalidate_caches()
        else:
            entry = config_entry(port)
            if log is not None and kind != "log":
                storage = Path(hass.config.path(".storage"))
                storage.mkdir(exist_ok=True)
                shutil.copy(log, storage / f"{DOMAIN}.{entry.entry_id}.db")
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        with blocks_timed() as blocks:
            await add(hass, entry)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            longest = blocks.wall, blocks.cpu
            history: Longest = (0, 0)
            if kind != "empty":
                await push_settled(hass, entry)
            if kind in {"fresh", "log"}:
                history = await read_all(hass, entry, blocks)
        if kind == "log":
            assert log
            await hass.config_entries.async_unload(entry.entry_id)
            shutil.copy(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}.db"), log)
    return Start(wall=wall, cpu=cpu, blocks=longest, history=history)


async def read_all(hass: HomeAssistant, entry: ConfigEntry[Any], blocks: Blocks) -> Longest:
    """Wait until all of the history has been read into an empty log; return the longest callback.

    blocks: since before the entry was set up.
    """
    async with asyncio.timeout(READ_ALL_TIMEOUT):
        while await entry.runtime_data.log.count() < HELD:
            await asyncio.sleep(0.1)
    await hass.async_block_till_done()
    return blocks.wall, blocks.cpu


# Guests of the busiest hour, and its polls: every 30 s, as if there were no push.
GUESTS, POLLS = 25, 120
# Seconds from one message to the next: the 75 of that hour take some seconds.
STEP = 0.1


async def busy_hour() -> list[Longest]:
    """The longest callbacks of an hour at the door: for messages and reads, then for polls."""
    longest: list[Longest] = []
    async with Remote("units", "1", str(HELD)) as units, home_assistant() as hass:
        entry = config_entry(units.port)
        await add(hass, entry)
        await push_settled(hass, entry)
        gc.collect()
        with blocks_timed() as blocks:
            for _ in range(GUESTS):
                for step in ("seat", "page", "leave"):
                    await units.ask(**{step: 0, "delay": 0})
                    await asyncio.sleep(STEP)
            await asyncio.sleep(1.5)
            await hass.async_block_till_done()
        longest.append((blocks.wall, blocks.cpu))
        count = await entry.runtime_data.log.count()
        assert count == HELD + GUESTS, count
        with blocks_timed() as blocks:
            for _ in range(POLLS):
                await entry.runtime_data.async_refresh()
        longest.append((blocks.wall, blocks.cpu))
    return longest


async def child(*arguments: str) -> Any:
    """Run one in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.start", *arguments, cwd=ROOT, stdout=-1
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, arguments
    return json.loads(told)


async def setup(*, quick: bool) -> AsyncIterator[Row]:
    """9. What it adds to Home Assistant's start, and how long it ever keeps the loop.

    Everything else in the house waits for the event loop. A process of its own for each start, with
    nothing imported: our entry, with a log of 10,000 sessions on the disk, which knows how far the
    history was read, and a (raw) unit that has them too; and an entry of an integration that does
    nothing, in turn. Blocks are the longest single callback of the loop: in the set-up, while a
    history of 10,000 is read and merged into an empty log, and in a busy hour (25 guests, 75
    messages, the reads that they lead to, 120 polls) of a simulated unit with 10,000. Half of what
    asyncio's debug mode calls slow is taken for the goal: 50 ms.
    """
    async with Remote("server") as server:
        await server.ask(sessions=HELD)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            await child("log", "--port", str(server.port), "--log", str(log))
            found: dict[str, list[Start]] = {"ours": [], "empty": [], "fresh": []}
            for _ in range(QUICK_STARTS if quick else STARTS):
                for kind, starts in found.items():
                    kept = () if kind == "fresh" else ("--log", str(log))
                    told = await child(kind, "--port", str(server.port), *kept)
                    starts.append(Start(**told))
    ours, empty = found["ours"], found["empty"]
    yield Row(
        what=f"9. set-up with {HELD:,} in the log and at the unit, against an empty integration",
        ours=_start(ours),
        theirs=_start(empty),
        ratios=[a.wall / b.wall for a, b in zip(ours, empty, strict=True)],
        goal_text="≤ 0.3 s",
        is_met=statistics.median(each.wall for each in ours) <= LONGEST_SET_UP,
    )
    hours = [await child("hour") for _ in range(1 if quick else 3)]
    for what, blocks, nothing in (
        ("set-up", [each.blocks for each in ours], [each.blocks for each in empty]),
        ("a history of 10,000", [each.history for each in found["fresh"]], []),
        ("a busy hour's messages and reads", [hour[0] for hour in hours], []),
        ("a busy hour's polls", [hour[1] for hour in hours], []),
    ):
        yield Row(
            what=f"9. longest block of the event loop: {what} (CPU; wall)",
            ours=_longest(blocks),
            theirs=_longest(nothing) if nothing else "",
            goal_text="≤ 50 ms of CPU",
            is_met=statistics.median(cpu for _, cpu in blocks) <= LONGEST_BLOCK,
        )


def _start(starts: Sequence[Start]) -> str:
    """The medians."""
    wall, cpu = (
        statistics.median(getattr(each, what) for each in starts) for what in ("wall", "cpu")
    )
    return f"{duration(wall)} (CPU {duration(cpu)})"


def _longest(blocks: Sequence[Longest]) -> str:
    """The medians."""
    wall, cpu = (statistics.median(each[index] for each in blocks) for index in (0, 1))
    return f"{duration(cpu)}; {duration(wall)}"


# ------------------------------------------------------------------------ 10, many transmitters

# Archived sessions of each, and rounds of service.
ARCHIVED, ROUNDS = 270, 5
# Seconds after a session's end in which the read that it leads to is over.
READ = 1.5
# What "flat" is taken for: each of many costs at most this many times what one alone does.
FLAT = 1.25


async def many(count: int, *, is_memory: bool) -> dict[str, float]:
    """What each of so many transmitters takes: CPU seconds, of them in the set-up, and bytes.

    Bytes only if is_memory, as to trace them takes CPU time.
    """
    async with (
        Remote("units", str(count + 1), str(ARCHIVED)) as units,
        home_assistant() as hass,
    ):
        # What only the first has to pay for.
        first, *ports = units.ports
        warm_up = config_entry(first)
        await add(hass, warm_up)
        await push_settled(hass, warm_up)
        await hass.config_entries.async_unload(warm_up.entry_id)
        gc.collect()
        if is_memory:
            tracemalloc.start()
        cpu = time.process_time()
        entries = [config_entry(port) for port in ports]
        for entry in entries:
            await add(hass, entry)
        for entry in entries:
            await push_settled(hass, entry)
        set_up = time.process_time() - cpu
        for _ in range(ROUNDS):
            await units.ask(serve=1)
            await asyncio.sleep(READ)
            for entry in entries:
                await entry.runtime_data.async_refresh()
        cpu = time.process_time() - cpu
        for entry in entries:
            assert await entry.runtime_data.log.count() == ARCHIVED + ROUNDS
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] if is_memory else 0
        tracemalloc.stop()
    return {"set_up": set_up / count, "cpu": cpu / count, "held": held / count}


async def transmitters(*, quick: bool) -> AsyncIterator[Row]:
    """10. One, ten and a hundred transmitters in one Home Assistant.

    A chain of restaurants has many. CPU seconds of Home Assistant for each: set-up, then five
    rounds of a guest who comes, is paged and leaves on each unit, the read that tells how it ended,
    and a poll. Bytes that Home Assistant holds for each after that (tracemalloc, in a run of its
    own). Units, with 270 archived, in another process. What the first one alone has to pay for
    (imports) was paid before. Against one transmitter alone; flat is at most a quarter more.
    """
    one: dict[str, float] = {}
    for count in (1, 10) if quick else (1, 10, 100):
        runs = 3 if count == 1 and not quick else 1
        found = [await child("many", "--count", str(count)) for _ in range(runs)]
        cpu = statistics.median(each["cpu"] for each in found)
        held = (await child("many", "--count", str(count), "--memory"))["held"]
        one = one or {"cpu": cpu, "held": held}
        for what, value, text in (
            ("cpu", cpu, duration(cpu)),
            ("held", held, size(held)),
        ):
            name = {"cpu": "CPU (set-up and five guests)", "held": "memory"}[what]
            yield Row(
                what=f"10. {count} transmitters: {name} for each",
                ours=text,
                theirs="" if count == 1 else "one alone",
                ratios=() if count == 1 else [value / one[what]],
                goal=None if count == 1 else FLAT,
            )


async def main() -> None:
    """Run one measurement in this process, and print what it found as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    found: Any = None
    match asked.kind:
        case "hour":
            found = await busy_hour()
        case "many":
            found = await many(asked.count, is_memory=asked.memory)
        case _:
            found = asdict(await start(asked.kind, asked.port, asked.log))
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
