"""Three restaurants, and four servers that are asked for their figures: scripts/chain --help."""

import argparse
import asyncio
from pathlib import Path
import shutil
import signal
import sys
import tempfile
import time

from demo.home_assistant import HomeAssistantError

from .evening import Evening, Result, say
from .server import ServerError

CHAIN = 100


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/chain",
        description="Let an evening of three simulated restaurants pass, each with a real Home "
        "Assistant that tells PostgreSQL, Prometheus, InfluxDB and Mosquitto of it by the "
        "configuration of docs/chain.md, and compare what these answer with the ledgers.",
    )
    parser.add_argument("--keep", type=Path, help="keep all logs and data in this folder")
    return parser.parse_args()


def report(result: Result) -> list[str]:
    """The tables."""
    lines = [
        "",
        "| restaurant | sessions | late | mean wait, min | waiting now |",
        "|---|---|---|---|---|",
    ]
    for name, right in result.right.items():
        mean = "" if right.mean_wait is None else f"{right.mean_wait:.2f}"
        lines.append(f"| {name} | {right.sessions} | {right.late} | {mean} | {right.waiting} |")
    lines += ["", f"| a day | a restaurant | {CHAIN} restaurants |", "|---|---|---|"]
    for name, value in result.costs.items():
        lines.append(f"| {name} | {value:,.0f} | {value * CHAIN:,.0f} |")
    lines += ["", "What can't be told right:", *(f"- {claim}" for claim in result.claims), ""]
    return lines


async def chain(args: argparse.Namespace) -> int:
    """Run, and report; return the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # servers with a user of their own have to come through
        try:
            result = await Evening(folder).run()
        finally:
            if args.keep:
                shutil.copytree(
                    folder, args.keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".s.*")
                )
    say("\n".join(report(result)))
    for line in result.wrong:
        say(f"WRONG: {line}")
    say(f"{len(result.wrong)} differences, after {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if result.wrong else 0


async def main() -> int:
    """Run until done, or until Ctrl-C or SIGTERM."""
    task = asyncio.ensure_future(chain(arguments()))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("Stopped.")
    except (HomeAssistantError, ServerError) as err:
        say(f"{err}")
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
