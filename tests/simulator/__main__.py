"""Run a simulated transmitter on a busy floor: ``python -m tests.simulator --help``."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import os
import re
import signal
import sys
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from . import Change, Faults, Floor, Simulator, Unit

# Seconds of real time between two looks at what is due on the floor: people watching see
# no steps, and an idle demo costs nothing.
TICK = 0.5

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

HELP = f"""\
  FAULT on|off   one of: {", ".join(Faults.names())}
  loss SHARE     lose that share of the datagrams, either way (0 to 1)
  delay SECONDS  delay every datagram
  wipe           empty the history
  reboot         start the unit again, from sequence 0
  skew TIME      set the unit's clock off by that much: 1h, -3h, 90, 1d12h
  quit"""


def parse_span(text: str) -> timedelta:
    """Read a span such as 90, -3h or 1d12h; a bare number is seconds. Raises ValueError."""
    match = re.fullmatch(r"([+-]?)((?:\d+[smhd])+|\d+)", text)
    if match is None:
        raise ValueError(f"not a span of time such as 90, -3h or 1d12h: {text!r}")
    span = timedelta()
    for number, unit in re.findall(r"(\d+)([smhd]?)", match[2]):
        span += timedelta(**{UNITS[unit or "s"]: int(number)})
    return -span if match[1] == "-" else span


@dataclass(frozen=True)
class FastClock:
    """A zone's naive wall time, which runs faster from its start on."""

    zone: ZoneInfo | None
    start: datetime
    speed: float

    def __call__(self) -> datetime:
        """Return the time it shows."""
        return self.start + (wall_time(self.zone) - self.start) * self.speed


def wall_time(zone: ZoneInfo | None) -> datetime:
    """Return the zone's wall time, or this computer's, naive."""
    return datetime.now(zone).replace(tzinfo=None)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; exits with 2 when it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description="A simulated LRS T7470 transmitter with a restaurant around it.",
        epilog=f"Lines typed while it runs:\n{HELP}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; :: for all")
    parser.add_argument("--port", type=int, default=5683, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the guests")
    parser.add_argument("--speed", type=float, default=1, help="60: an hour in a minute")
    parser.add_argument("--days-behind", type=float, default=1, help="service before the start")
    parser.add_argument("--skew", type=parse_span, default=timedelta(), help="of the unit's clock")
    parser.add_argument("--time-zone", type=ZoneInfo, help="of the restaurant, as Europe/Berlin")
    parser.add_argument(
        "--fault", action="append", default=[], choices=Faults.names(), help="may be repeated"
    )
    parser.add_argument("--history-only", action="store_true", help="firmware with history only")
    # argparse takes the value -3h for an option unless it is joined to its own.
    joined = re.sub(r"(?m)^--skew\n", "--skew=", "\n".join(arguments)).splitlines()
    try:
        return parser.parse_args(joined)
    except ZoneInfoNotFoundError as err:
        parser.error(str(err))


class Console:
    """Obeys lines typed while the simulator runs."""

    def __init__(self, simulator: Simulator, stop: Callable[[], None]) -> None:
        """Take what to steer and how to end."""
        self._simulator = simulator
        self._stop = stop

    def obey(self, line: str) -> str:
        """Do what the line says and return what to print."""
        match line.split():
            case []:
                return ""
            case ["help"]:
                return HELP
            case words:
                try:
                    return "ok" if self._do(words) else f"{line!r} is not understood; try help"
                except ValueError as err:
                    return str(err)

    def _do(self, words: list[str]) -> bool:
        """Return whether these words are a command. Raises ValueError for what follows it."""
        unit, faults = self._simulator.unit, self._simulator.faults
        match words:
            case ["quit"]:
                self._stop()
            case ["wipe"]:
                unit.wipe_history()
            case ["reboot"]:
                unit.reboot(restart_sequence=True)
            case ["skew", span]:
                unit.skew = parse_span(span)
            case ["loss", share]:
                faults.network.loss_in = faults.network.loss_out = float(share)
            case ["delay", seconds]:
                faults.network.delay = float(seconds)
            case [name, "on" | "off" as state]:
                faults.switch(name, on=state == "on")
            case _:
                return False
        return True


def listen_to_stdin(take: Callable[[str], None]) -> None:
    """Hand on each line of standard input, for as long as there is one; never block."""
    loop = asyncio.get_running_loop()
    if sys.stdin is None or sys.stdin.closed:
        return
    descriptor = sys.stdin.fileno()
    rest = b""

    def readable() -> None:
        nonlocal rest
        try:
            data = os.read(descriptor, 4096)
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(descriptor)
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(line.decode(errors="replace"))

    try:
        loop.add_reader(descriptor, readable)
    except OSError:
        # A plain file or /dev/null can be read at once, and so cannot be waited for.
        for line in sys.stdin:
            take(line)


def tell(text: str) -> None:
    """Print a line at once, even into a pipe."""
    if text:
        print(text, flush=True)  # noqa: T201


async def run(arguments: argparse.Namespace) -> None:
    """Serve until told to stop. Raises OSError if the port is taken."""
    start = wall_time(arguments.time_zone)
    clock = FastClock(arguments.time_zone, start, arguments.speed)
    unit = Unit(now=clock, skew=arguments.skew, seed=arguments.seed)
    floor = Floor(unit, arguments.seed, start - timedelta(days=arguments.days_behind))
    floor.advance(start)
    faults = Faults()
    for name in arguments.fault + ["history_only"] * arguments.history_only:
        faults.switch(name, on=True)

    def tell_change(change: Change) -> None:
        pager = f"pager {change.session.number:>2} " if change.session else ""
        tell(f"{unit.time():%H:%M:%S} {pager}{change.kind}")

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Simulator(
        unit=unit, faults=faults, host=arguments.host, port=arguments.port
    ) as simulator:
        tell(f"Listening on UDP port {simulator.port} of {simulator.host}; {unit_summary(unit)}")
        unit.listeners.append(tell_change)
        console = Console(simulator, stopped.set)
        listen_to_stdin(lambda line: tell(console.obey(line)))
        while not stopped.is_set():
            floor.advance(clock())
            unit.catch_up()
            try:
                async with asyncio.timeout(TICK):
                    await stopped.wait()
            except TimeoutError:
                continue


def unit_summary(unit: Unit) -> str:
    """Say in a few words what the unit holds."""
    return f"{len(unit.active)} active sessions, {len(unit.history)} in the history."


def main(arguments: Sequence[str]) -> int:
    """Return the exit status: 0 after Ctrl-C or quit, 1 if the port is taken."""
    try:
        asyncio.run(run(parse_arguments(arguments)))
    except OSError as err:
        print(err.strerror, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
