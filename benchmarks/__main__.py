"""Runs benchmarks and prints their table: ``scripts/bench --help``."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
import os
from pathlib import Path
import platform
import re
import sys
import time
import traceback

from . import fetch, latency, memory, quote, stand, start, traffic
from .measure import Row, table
from .peers import here

type Benchmark = Callable[..., AsyncIterator[Row]]

BENCHMARKS: dict[str, Benchmark] = {
    "fetch": fetch.fetch,
    "loss": fetch.loss,
    "idle": traffic.idle,
    "day": traffic.day,
    "latency": latency.latency,
    "merge": memory.merge,
    "saving": memory.saving,
    "memory": memory.held,
    "setup": start.setup,
    "transmitters": start.transmitters,
    "quotes": quote.quotes,
    "stand": stand.stand,
}


def machine() -> str:
    """What this ran on, in a line."""
    model = platform.machine()
    with_cpu = Path("/proc/cpuinfo")
    if with_cpu.exists() and (found := re.search(r"model name\s*: (.*)", with_cpu.read_text())):
        model = found[1]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} x {model}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; "
        f"load average before: {os.getloadavg()[0]:.1f}"
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    described = "\n".join(
        f"  {name:10} {(run.__doc__ or '').splitlines()[0]}" for name, run in BENCHMARKS.items()
    )
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compare with what else there is; print a table of ratios (Markdown).",
        epilog=f"NAME is one of:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all if none is given")
    parser.add_argument("--quick", action="store_true", help="fewer runs: some minutes")
    found = parser.parse_args()
    if unknown := set(found.names) - set(BENCHMARKS):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    return found


def say(text: str) -> None:
    """Tell how it goes on, beside the table."""
    print(text, file=sys.stderr, flush=True)


async def main() -> None:
    """Run what was asked for."""
    asked = arguments()
    _, missing = here()
    for line in missing:
        say(line)
    began, where = time.monotonic(), machine()
    rows: list[Row] = []
    failed: list[str] = []
    for name, benchmark in BENCHMARKS.items():
        if asked.names and name not in asked.names:
            continue
        try:
            async for row in benchmark(quick=asked.quick):
                rows.append(row)
                say(f"{time.monotonic() - began:5.0f} s  {' | '.join(row.cells())}")
        except Exception:  # noqa: BLE001  # what the others found is not to be lost
            say(traceback.format_exc())
            failed.append(name)
    print(f"{where}\n\n{table(rows)}")
    missed = sum(row.verdict == "MISSED" for row in rows)
    print(f"\n{len(rows)} rows, {missed} goals missed, {time.monotonic() - began:.0f} s.")
    if failed:
        sys.exit(f"These could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    asyncio.run(main())
