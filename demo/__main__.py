"""A real Home Assistant with a transmitter, ready to look at: scripts/demo --help."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
import fcntl
from functools import partial
import os
from pathlib import Path
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulator import NEVER_QUIET, Floor, Simulator, Unit, plan_night

from .home_assistant import HomeAssistant, HomeAssistantError

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = "lrs_pager"
USER = PASSWORD = "demo"

# Where browsers and CoAP clients look first; if one is taken, any other does.
HTTP_PORT = 8123
COAP_PORT = 5683

# Seconds in which all sensors have values: two polls and some.
VALUES_TIMEOUT = 90

# Days of service that the restaurant has behind it: what quotes and the manager's view are made of.
DAYS = 14

# Sessions that the simulated transmitter keeps, so that a demo of months starts as quickly.
HISTORY_LIMIT = 4_000

# Seconds between two looks at what is due on the simulated floor.
TICK = 0.5


def say(text: str) -> None:
    """Tell how far things are."""
    print(text, flush=True)  # noqa: T201  # it is a program


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Start a simulated T7470 transmitter and a real Home Assistant with this "
        "integration, and show the sensors. User and password are both 'demo'. Ctrl-C stops all.",
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the sensors with the transmitter, and stop"
    )
    parser.add_argument("--fresh", action="store_true", help="forget all earlier starts")
    parser.add_argument("--host", help="use a real transmitter at this address")
    parser.add_argument("--port", type=int, default=COAP_PORT, help="of the real transmitter")
    parser.add_argument(
        "--http-port", type=int, default=HTTP_PORT, help="of Home Assistant (default: %(default)s)"
    )
    return parser.parse_args()


def time_zone() -> str:
    """Return the name of this machine's time zone; UTC if it can't be told."""
    link = Path("/etc/localtime")
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name and link.is_symlink():
        name = str(link.resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key
    except ValueError, OSError:
        return "UTC"


def free_port(wanted: int, kind: socket.SocketKind) -> int:
    """Return the port if it is free on 127.0.0.1, else any that is."""
    with socket.socket(type=kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            say(f"   port {wanted} is taken; using {port}")
            return port
    return wanted


class Restaurant:
    """A simulated transmitter in a restaurant with a fortnight of service behind it.

    state: a folder that remembers when it opened. All that happens there follows from that, so
    the next start finds the same guests.
    """

    def __init__(self, state: Path, zone: ZoneInfo) -> None:
        """Play what has happened since it opened."""
        self._zone = zone
        opened_file = state / "opened"
        if opened_file.exists():
            opened = datetime.fromisoformat(opened_file.read_text())
        else:
            first = (self.now() - timedelta(days=DAYS)).date()
            opened = datetime.combine(first, datetime.min.time())
            state.mkdir(parents=True, exist_ok=True)
            opened_file.write_text(opened.isoformat())
        self.unit = Unit(now=self.now, history_limit=HISTORY_LIMIT)
        # As if Home Assistant had been there all along, and seen them.
        self.unit.history_party_size = True
        self._floor = Floor(self.unit, start=opened, plan=partial(plan_night, house=NEVER_QUIET))
        self._floor.advance(self.now())

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(self._zone).replace(tzinfo=None)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Serve guests, and whoever asks on the UDP port that this gives."""
        simulator = Simulator(unit=self.unit, port=free_port(COAP_PORT, socket.SOCK_DGRAM))
        async with simulator:
            serving = asyncio.create_task(self._serve())
            try:
                yield simulator.port
            finally:
                serving.cancel()

    async def _serve(self) -> None:
        while True:
            self._floor.advance(self.now())
            self.unit.catch_up()
            await asyncio.sleep(TICK)

    def expected(self) -> dict[str, float | str | None]:
        """What the sensors should say now, by the slowest and most obvious reckoning."""
        midnight = datetime.combine(self.now().date(), datetime.min.time())
        day = self.unit.ledger.day_summary(midnight, midnight + timedelta(days=1))
        last = max(self.unit.ledger, key=lambda session: session.cleared)
        return {
            "daily_count": float(day.count),
            "average_wait": None if day.average_wait is None else day.average_wait / 60,
            "longest_wait": None if day.longest_wait is None else day.longest_wait / 60,
            "on_time_rate": day.on_time_rate,
            "last_cleared_session": last.cleared.replace(tzinfo=self._zone).isoformat(),
            "active_sessions": float(len(self.unit.active)),
            "paged_sessions": float(sum(s.state == "paged" for s in self.unit.active.values())),
            "push": "on",
        }


def differences(expected: dict[str, Any], states: dict[str, Any]) -> list[str]:
    """Say which sensors don't show what they should."""
    wrong = []
    for key, value in expected.items():
        state = states.get(key, {}).get("state", "missing")
        if value is None:
            same = state == "unknown"
        elif isinstance(value, float):
            try:
                same = abs(float(state) - value) < 0.01  # noqa: PLR2004  # as it is written
            except ValueError:
                same = False
        else:
            try:
                same = datetime.fromisoformat(state) == datetime.fromisoformat(value)
            except ValueError:
                same = state == value
        if not same:
            wrong.append(f"{key}: {state!r}, should be {value!r}")
    return wrong


async def add_transmitter(home: HomeAssistant, host: str, port: int) -> str:
    """Add the transmitter as a user does, or tell its new address; return the entry's id."""
    address = {"host": host, "port": port}
    for entry in await home.entries(DOMAIN):
        say("5. The transmitter was added at an earlier start; telling its address")
        result = await home.flow(DOMAIN, address, entry_id=entry["entry_id"])
        if result.get("reason") != "reconfigure_successful":
            raise HomeAssistantError(f"The address was not accepted: {result}")
        return str(entry["entry_id"])
    say("5. Adding the transmitter through the config flow")
    result = await home.flow(DOMAIN, address)
    if result["type"] != "create_entry":
        raise HomeAssistantError(f"The transmitter was not added: {result.get('errors')}")
    return str(result["result"]["entry_id"])


async def run(args: argparse.Namespace) -> int:
    """Start everything, show it, and stop it again; return the exit status."""
    name = f"{args.host}_{args.port}".replace("/", "_") if args.host else "bistro"
    state = ROOT / ".demo" / name
    state.mkdir(parents=True, exist_ok=True)
    with (ROOT / ".demo" / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not args.check:
                say("The demo is running already. Stop it there with Ctrl-C first.")
                return 1
            say("   the demo is running already; checking with a state of its own")
            with tempfile.TemporaryDirectory() as folder:
                return await start(args, Path(folder))
        if args.fresh:
            shutil.rmtree(state)
        return await start(args, state)


async def start(args: argparse.Namespace, state: Path) -> int:
    """Start the transmitter, unless a real one is to be used, and go on."""
    zone = time_zone()
    if args.host:
        say(f"1. Using the transmitter at {args.host}, port {args.port}")
        return await show(args, state, zone, args.host, args.port, None)
    say("1. Starting the simulated transmitter")
    restaurant = Restaurant(state, ZoneInfo(zone))
    async with restaurant.open() as port:
        say(f"   it listens on 127.0.0.1, UDP port {port}")
        return await show(args, state, zone, "127.0.0.1", port, restaurant)


async def show(
    args: argparse.Namespace,
    state: Path,
    zone: str,
    host: str,
    port: int,
    restaurant: Restaurant | None,
) -> int:
    """Start Home Assistant, add the transmitter, show and check the sensors."""
    say("2. Starting Home Assistant")
    home = HomeAssistant(
        state / "config",
        ROOT / "custom_components" / DOMAIN,
        free_port(args.http_port, socket.SOCK_STREAM),
    )
    async with home:
        version = await home.version()
        say(f"3. Home Assistant {version} answers; onboarding, or logging in")
        await home.log_in(USER, PASSWORD, zone)
        say("4. Home Assistant has started")
        entry_id = await add_transmitter(home, host, port)
        say("6. Waiting until the sensors have values")

        async def sensors() -> bool:
            states = await home.states(entry_id)
            if restaurant:
                return not differences(restaurant.expected(), states)
            # On a day without guests there is no average wait, but there is a count.
            return "daily_count" in states and states["daily_count"]["state"] != "unavailable"

        try:
            await home.wait(sensors, VALUES_TIMEOUT, "the sensors")
        except HomeAssistantError as err:
            say(f"   {err}")
            if restaurant:
                for line in differences(restaurant.expected(), await home.states(entry_id)):
                    say(f"   wrong: {line}")
            return 1
        states = await home.states(entry_id)
        for key, sensor in sorted(states.items()):
            unit = sensor["attributes"].get("unit_of_measurement", "")
            say(f"   {key:24} {sensor['state']} {unit}")
        if args.check:
            problems = home.problems()
            for line in problems:
                say(f"   in Home Assistant's log: {line}")
            if restaurant:
                say("7. The sensors say what the transmitter says")
            return 1 if problems else 0
        await home.open_on("lrs-pager")
        say(f"\n   Open {home.url}/lrs-pager in a browser: the host stand.")
        say(f"   User and password are both '{USER}'.")
        say("   Ctrl-C stops everything.")
        await home.gone()
        say("Home Assistant has ended.")
        return 1


async def main() -> int:
    """Run until done, or until Ctrl-C or SIGTERM, which is a good end unless checking."""
    args = arguments()
    task = asyncio.ensure_future(run(args))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("\nStopped.")
        return 1 if args.check else 0
    except HomeAssistantError as err:
        say(f"   {err}")
        return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
