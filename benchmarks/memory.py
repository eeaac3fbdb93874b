"""Sessions merged, saved, held and read: 6, 7 and 8."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
import gc
import json
import os
from pathlib import Path
import shutil
import statistics
import sys
import tempfile
import time
import tracemalloc
from typing import BinaryIO, Self

from homeassistant.helpers.storage import Store
from tests.simulator.resources import HISTORY

from .bodies import bodies
from .hass import home_assistant
from .measure import Row, duration, size
from .product import fill, lines, merge_and_sum_up, new_log, placed, read
from .remote import ROOT

# Sessions that arrive one by one.
NEW = 270
# Times that all of the log is written.
WHOLE_SAVES = 3
# Times that the log is opened, and that something is read.
READS = 7


async def merge(*, quick: bool) -> AsyncIterator[Row]:
    """6. Merge one session and sum up its day, in a log of any size.

    What is done each time a guest leaves. CPU time of each of 270 sessions, in all threads, on top
    of a log of 1,000, 10,000 and 100,000. The goal is a millisecond, whatever the size: twice that
    of the smallest log at most.
    """
    medians: dict[int, float] = {}
    for held in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
        sessions, place = read(bodies(held + NEW)[HISTORY])
        took = []
        async with new_log() as log:
            await fill(log, bodies(held)[HISTORY])
            for session in sessions[-NEW:]:
                began = time.process_time()
                await merge_and_sum_up(log, session, place)
                took.append(time.process_time() - began)
        medians[held] = statistics.median(took)
        growth = medians[held] / medians[1_000]
        tail = statistics.quantiles(took, n=100)[98]
        yield Row(
            what=f"6. merge one session into a log of {held:,} and sum up its day",
            ours=f"{duration(medians[held])} (p99 {duration(tail)})",
            theirs="itself with 1,000" if held > 1_000 else "",
            ratios=[growth] if held > 1_000 else (),
            goal_text="≤ 1 ms, ≤ 2.00",
            is_met=medians[held] <= 0.001 and growth <= 2,
        )


@dataclass(frozen=True)
class Written:
    """Bytes that this process has passed to write, and those of them that went to a disk."""

    passed: int
    disk: int

    @classmethod
    def since(cls, before: Written | None = None) -> Self:
        """Count them from the start of the process, or from `before` on."""
        told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        passed, disk = int(told["wchar"]), int(told["write_bytes"])
        return cls(passed - before.passed, disk - before.disk) if before else cls(passed, disk)


async def saving(*, quick: bool) -> AsyncIterator[Row]:
    """7. Save each session as it ends.

    Each of 270 sessions on top of a log of 10,000: merged, and synced; against the same sessions in
    Home Assistant's own `Store`, which writes all of them each time; and in turn with a line of
    JSON that is appended to a file and synced, by the same way over a thread: the least that a log
    can do, which finds nothing and keeps nothing in order. The goal is the time that a line took
    when the log was one of JSON, 720 µs. Home Assistant often lives on a memory card, which wears
    by what is written: bytes passed to write (/proc/self/io), with what SQLite moves from its
    write-ahead log to the file.
    """
    held = 1_000 if quick else 10_000
    body = bodies(held + NEW)[HISTORY]
    sessions, place = read(body)
    took, line_took = [], []
    async with new_log() as log:
        await fill(log, bodies(held)[HISTORY])
        await log.pause()
        await log.resume()  # what was written so far is in the file
        before = Written.since()
        for session in sessions[-NEW:]:
            began = time.perf_counter()
            await log.merge([session], place)
            took.append(time.perf_counter() - began)
        ours, seconds = Written.since(before), statistics.median(took)
        await log.pause()
        day = Written.since(before)
        with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lines").open("ab") as file:
            for session, line in zip(sessions[-NEW:], lines(placed(body)[-NEW:]), strict=True):
                began = time.perf_counter()
                await log.merge([replace(session, label="Another")], place)
                then = time.perf_counter()
                await asyncio.to_thread(_append, file, line)
                line_took.append((then - began, time.perf_counter() - then))
    async with home_assistant() as hass:
        whole: Store[dict[str, list[dict[str, object]]]] = Store(hass, 1, "bench_whole")
        before, began = Written.since(), time.perf_counter()
        for _ in range(WHOLE_SAVES):
            await whole.async_save({"sessions": lines(placed(body))})
        theirs, their_seconds = Written.since(before), time.perf_counter() - began
    their_each = theirs.passed / WHOLE_SAVES
    tail = statistics.quantiles(took, n=100)[98]
    yield Row(
        what=f"7. one more session, {held:,} in the log, synced",
        ours=f"{duration(seconds)} (p99 {duration(tail)})",
        theirs=duration(their_seconds / WHOLE_SAVES),
        ratios=[seconds / (their_seconds / WHOLE_SAVES)],
        goal_text="≤ 720 µs",
        is_met=seconds <= 720e-6,
    )
    yield Row(
        what="7. one session more is known of, against a line of JSON that is synced",
        ours=duration(statistics.median(a for a, _ in line_took)),
        theirs=duration(statistics.median(b for _, b in line_took)),
        ratios=[a / b for a, b in line_took],
    )
    yield Row(
        what="7. bytes written for it",
        ours=size(ours.passed / NEW),
        theirs=size(their_each),
        ratios=[ours.passed / NEW / their_each],
    )
    yield Row(
        what=f"7. the same on a day with {NEW} sessions (in whole pages of the disk)",
        ours=f"{size(day.passed)} ({size(day.disk)})",
        theirs=f"{size(their_each * NEW)} ({size(theirs.disk / WHOLE_SAVES * NEW)})",
        ratios=[day.passed / (their_each * NEW)],
    )


def _append(file: BinaryIO, line: dict[str, object]) -> None:
    """Write a line, as the log of version 0.1 did."""
    file.write(json.dumps(line).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def held_by[T](make: Callable[[], T]) -> int:
    """The bytes that what is made takes, and nothing else (tracemalloc)."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return taken


def resident() -> int:
    """The memory of this process, with what SQLite has taken."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) * 1024


async def held(*, quick: bool) -> AsyncIterator[Row]:
    """8. A long log: its memory, opening it, and reading of it.

    100,000 sessions (20,000 with --quick). By how much a new process grows as the log is opened and
    its last eight weeks are read, against the list of plain dicts that `json.loads` makes of the
    same history. Opening it after it was closed, and as a kill left it. A day's sessions, and the
    newest 1,500, when they are asked for again, and at first. CPU has little to say here: wall.
    """
    count = 20_000 if quick else 100_000
    body = bodies(count)[HISTORY]
    theirs = held_by(lambda: json.loads(body)["session_history"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lrs_pager.bench.db"
        async with new_log(path) as log:
            await fill(log, body)
            ends = [session.ended_at async for batch in log.batches(0) for session in batch]
        ours = await _grown(path, ends[-NEW * 56])
        yield Row(
            what=f"8. memory for {count:,} sessions, against dicts of json.loads",
            ours=size(ours),
            theirs=size(theirs),
            ratios=[ours / theirs],
            goal_text="≤ 5 MB",
            is_met=ours <= 5e6,
        )
        yield Row(what=f"8. the file with {count:,} sessions", ours=size(path.stat().st_size))
        async for row in _reads(path, ends):
            yield row


async def _grown(path: Path, since: int) -> int:
    """By how much a process grows that opens a log and reads of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.memory", str(path), str(since)), cwd=ROOT, stdout=-1
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return int(told)


async def _open_and_read(path: Path, since: int) -> None:
    """Be that process."""
    async with new_log() as log:
        await log.count()  # so that all modules are loaded
    before = resident()
    async with new_log(path) as log:
        async for _ in log.batches(since):
            pass
        print(resident() - before)


async def _reads(path: Path, ends: list[int]) -> AsyncIterator[Row]:
    """Open a log, and read of it."""
    took = []
    for _ in range(READS):
        began = time.perf_counter()
        async with new_log(path):
            took.append(time.perf_counter() - began)
    yield _limited(f"open a log of {len(ends):,}", took, 20)
    killed = path.with_name("lrs_pager.killed.db")
    async with new_log(path) as log:
        # As much as can be in the write-ahead log.
        await log.pause()
        await log.shift(1)
        for number in range(300):
            await log.set("cursor", number)
        for part in ("", "-wal"):
            shutil.copy(f"{path}{part}", f"{killed}{part}")
    began = time.perf_counter()
    async with new_log(killed):
        yield _limited("open it after a kill", [time.perf_counter() - began], 20)
    async with new_log(path) as log:
        middle = ends[len(ends) // 2]
        spans = {
            "read a day of it": (middle, middle + 86_400, 5),
            "read the newest 1,500": (ends[-1_500], ends[-1] + 1, 10),
        }
        for what, (start, end, limit) in spans.items():
            took = [await _timed(log.between(start, end)) for _ in range(READS)]
            yield _limited(what, took, limit)
        took = [await _timed(log.numbers(0)) for _ in range(READS)]
        yield _limited("all pagers that were ever in use", took, 50)


async def _timed(run: Awaitable[object]) -> float:
    """The seconds that something takes."""
    began = time.perf_counter()
    await run
    return time.perf_counter() - began


def _limited(what: str, took: list[float], limit: int) -> Row:
    """A row of times with a goal in milliseconds; the first time is told, too."""
    median = statistics.median(took)
    return Row(
        what=f"8. {what}",
        ours=f"{duration(median)} (at first {duration(took[0])})",
        goal_text=f"≤ {limit} ms",
        is_met=median * 1000 <= limit,
    )


if __name__ == "__main__":
    asyncio.run(_open_and_read(Path(sys.argv[1]), int(sys.argv[2])))
