"""Sessions merged, saved and held: 6, 7 and 8."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
import gc
import json
from pathlib import Path
import statistics
import time
import tracemalloc
from typing import Self

from custom_components.lrs_pager.session_store import SessionStore
from homeassistant.helpers.storage import Store
from tests.simulator.resources import HISTORY

from .bodies import bodies
from .hass import home_assistant
from .measure import Row, duration, size
from .product import lines, log_of, merge_and_sum_up, placed, read

# Sessions that arrive one by one.
NEW = 270
# Times that all of the log is written.
WHOLE_SAVES = 3


async def merge(*, quick: bool) -> AsyncIterator[Row]:
    """6. Merge one session and sum up its day, in a log of any size.

    What is done each time a guest leaves. CPU time of each of 270 sessions on top of a log of
    1,000, 10,000 and nearly 100,000, which is as many as are kept; the last is full after half of
    them, so that the oldest go. The goal is a millisecond, whatever the size: twice that of the
    smallest log at most.
    """
    medians: dict[int, float] = {}
    for held in (1_000, 10_000) if quick else (1_000, 10_000, 100_000 - NEW // 2):
        body = bodies(held + NEW)[HISTORY]
        sessions, clock = read(body)
        log = log_of(bodies(held)[HISTORY])
        took = []
        for session in sessions[-NEW:]:
            began = time.process_time()
            merge_and_sum_up(log, session, clock)
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
        """Count them from the start, or from then on."""
        told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        passed, disk = int(told["wchar"]), int(told["write_bytes"])
        return cls(passed - before.passed, disk - before.disk) if before else cls(passed, disk)


async def saving(*, quick: bool) -> AsyncIterator[Row]:
    """7. Save each session as it ends.

    Home Assistant often lives on a memory card, which wears by what is written. Bytes passed to
    write (/proc/self/io), for each of 270 sessions on top of a log of 10,000: appended by the
    store, and synced; against the same sessions in Home Assistant's own `Store`, which writes all
    of them each time. No goal was set beyond "hundreds of bytes": 1 kB is taken for it.
    """
    held = 1_000 if quick else 10_000
    sessions = placed(bodies(held + NEW)[HISTORY])
    log = log_of(bodies(held)[HISTORY])
    async with home_assistant() as hass:
        store = SessionStore(hass, "bench")
        await store.async_load()
        store.add(log)
        await store.async_save(log)
        before, began = Written.since(), time.perf_counter()
        for session in sessions[-NEW:]:
            log.restore([session])
            store.add([session])
            await store.async_save(log)
        ours, seconds = Written.since(before), time.perf_counter() - began
        whole: Store[dict[str, list[dict[str, object]]]] = Store(hass, 1, "bench_whole")
        before, began = Written.since(), time.perf_counter()
        for _ in range(WHOLE_SAVES):
            await whole.async_save({"sessions": lines(sessions)})
        theirs, their_seconds = Written.since(before), time.perf_counter() - began
    each, their_each = ours.passed / NEW, theirs.passed / WHOLE_SAVES
    yield Row(
        what=f"7. bytes written for one more session, {held:,} in the log",
        ours=f"{each:.0f} B in {duration(seconds / NEW)}, synced",
        theirs=f"{size(their_each)} in {duration(their_seconds / WHOLE_SAVES)}",
        ratios=[each / their_each],
        goal_text="≤ 1 kB",
        is_met=each <= 1_000,
    )
    yield Row(
        what="7. the same on a day with 270 sessions (in whole pages of the disk)",
        ours=f"{size(ours.passed)} ({size(ours.disk)})",
        theirs=f"{size(their_each * NEW)} ({size(theirs.disk / WHOLE_SAVES * NEW)})",
        ratios=[each / their_each],
    )


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


async def held(*, quick: bool) -> AsyncIterator[Row]:
    """8. Memory for each session that is held.

    The log is all in memory, and Home Assistant runs on small machines. 100,000 sessions, which
    is as many as are kept (20,000 with --quick), as `SessionLog` holds them, read off the wire in
    parts; against the list of plain dicts that `json.loads` makes of the same history. The goal is
    a third.
    """
    count = 20_000 if quick else 100_000
    body = bodies(count)[HISTORY]
    theirs = held_by(lambda: json.loads(body)["session_history"]) / count
    ours = held_by(lambda: log_of(body)) / count
    yield Row(
        what=f"8. memory for each of {count:,} sessions, against dicts of json.loads",
        ours=f"{ours:.0f} B",
        theirs=f"{theirs:.0f} B",
        ratios=[ours / theirs],
        goal=1 / 3,
    )
