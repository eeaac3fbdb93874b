"""Run a fortnight in minutes and compare: scripts/soak --help."""

import argparse
import asyncio
from collections.abc import Sequence
from itertools import combinations
import json
from math import ceil
from pathlib import Path
import random
import shutil
import signal
from statistics import median
import sys
import tempfile
import time

from demo.home_assistant import HomeAssistantError

from .run import DOMAIN, ROOT, Soak, say
from .steps import Telling

MEGABYTE = 2**20

# Days of service in which Home Assistant's caches fill after a start, measured without any faults:
# 15 MB in the first two days, 1 MB in the third.
WARM_UP = 2.0
# Days at least to tell a slope, and what it may be at most per day of service. Memory is what
# malloc has allocated, less what the database holds. Blocks are what Python has allocated: 270
# sessions in the log are some hundreds. A day's value is the least of its samples, as some are
# taken while more is held for seconds: while a unit that forgot us is asked to tell again, or while
# quotes are learnt from the log, which takes ten thousand objects of ours.
LEAST_DAYS = 4
SLOPES = {"memory": 0.5 * MEGABYTE, "blocks": 3000.0, "tasks": 0.5, "files": 0.5, "ours": 10.0}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Days of service with faults, restarts and kills, between a real Home "
        "Assistant and a simulated transmitter; then every figure is compared. How days become "
        "minutes is told in soak/__init__.py.",
    )
    parser.add_argument("--days", type=int, default=14, help="default: %(default)s")
    parser.add_argument("--minutes", type=float, default=9, help="of service; default: %(default)s")
    parser.add_argument("--seed", type=int, help="of all chance; default: any, it is printed")
    parser.add_argument("--sessions-per-day", type=int, default=270, help="default: %(default)s")
    parser.add_argument("--kills", type=int, help="kill -9; default: one per three days")
    parser.add_argument("--calm", action="store_true", help="no faults, no restarts, no kills")
    parser.add_argument(
        "--no-statistics", action="store_true", help="don't compare long-term statistics"
    )
    parser.add_argument(
        "--integration",
        type=Path,
        default=ROOT / "custom_components" / DOMAIN,
        help="the folder to try; default: this repository's",
    )
    parser.add_argument(
        "--keep", type=Path, help="keep Home Assistant's folder there, what it held, and a diary"
    )
    return parser.parse_args()


def slopes(run: Soak) -> dict[str, float]:
    """By how much each thing that the last process held grew per day; empty if too few days."""
    life = [s for s in run.samples if s.life == run.life and s.day]
    days: dict[int, list[dict[str, float]]] = {}
    for sample in life:
        if sample.day >= life[0].day + WARM_UP:
            # Midnight's shift is of the day before.
            days.setdefault(ceil(sample.day) - 1, []).append(sample.held)
    if len(days) < LEAST_DAYS:
        return {}
    return {
        name: slope(list(days), [min(held[name] for held in day) for day in days.values()])
        for name in life[0].held
        if name != "time"
    }


def report(run: Soak, args: argparse.Namespace, seconds: float) -> list[str]:
    """The table."""
    steps = run.steps
    told = sum(len(step.told) for step in steps.all.values())
    ends = [
        step.telling is Telling.STALE
        for step in steps.all.values()
        if step.name in {"cleared", "removed"}
    ]
    rows: list[tuple[str, object]] = [
        ("seed", args.seed),
        ("days of service", f"{args.days}, in {seconds / 60:.1f} minutes"),
        ("sessions", len(run.unit.ledger)),
        (
            "of these in service / in hours away or before",
            " / ".join(str(ends.count(is_stale)) for is_stale in (False, True)),
        ),
        ("steps due exactly once", steps.count(Telling.DUE)),
        ("steps at a restart, at most once", steps.count(Telling.FREE)),
        ("steps too old to be told", steps.count(Telling.STALE)),
        ("steps told", told),
        ("actions done / failed", f"{run.actions[True]} / {run.actions[False]}"),
        ("done by another client / failed", f"{run.others[True]} / {run.others[False]}"),
        ("checkpoints, of these without a question", f"{run.checkpoints}, {run.unaided}"),
    ]
    if run.observed:
        share = sum(run.observed) / len(run.observed)
        rows.append(("changes that the unit told somebody", f"{share:.0%}"))
    rows += sorted(run.done.items())
    for name, value in slopes(run).items():
        is_bytes = name in {"resident", "memory", "database"}
        scale, unit = (MEGABYTE, " MB") if is_bytes else (1, "")
        last = run.samples[-1].held[name] / scale
        rows.append((f"{name} per day", f"{value / scale:+.2f}{unit}, of {last:.0f}{unit}"))
    rows.append(("**differences**", f"**{len(run.wrong)}**"))
    width = max(len(name) for name, _ in rows)
    return ["| | |", "|---|---|", *(f"| {name:{width}} | {value} |" for name, value in rows)]


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the median of the slopes between any two points: a few odd ones don't count."""
    points = sorted(zip(x, y, strict=True))
    return median((d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2))


async def soak(args: argparse.Namespace) -> int:
    """Run, and report; return the exit status."""
    if args.seed is None:
        args.seed = random.randrange(10**6)
    say(f"Seed {args.seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        run = Soak(args, Path(name))
        try:
            await run.run()
        finally:
            if args.keep:
                shutil.copytree(name, args.keep, dirs_exist_ok=True)
                samples = [(s.life, s.day, s.held) for s in run.samples]
                (args.keep / "samples.json").write_text(json.dumps(samples, indent=1))
                (args.keep / "diary").write_text("\n".join(run.diary))
    for key, value in slopes(run).items():
        if key in SLOPES and value > SLOPES[key]:
            run.wrong.append(f"{key} grows by {value:.2f} a day")
    for line in run.wrong[:50]:
        say(line)
    say("\n".join(report(run, args, time.monotonic() - began)))
    return 1 if run.wrong else 0


async def main() -> int:
    """Run until done, or until Ctrl-C or SIGTERM."""
    task = asyncio.ensure_future(soak(arguments()))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("Stopped.")
    except HomeAssistantError as err:
        say(f"{err}")
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
