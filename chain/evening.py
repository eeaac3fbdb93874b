"""One evening of three restaurants: time, what has to be equal, and what can't be told right."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
import time as real_time
from typing import Protocol
from zoneinfo import ZoneInfo

from soak.clock import Clock

from .figures import Figures, differences, is_same, of_ledger, waits_of
from .influxdb import InfluxDB
from .mosquitto import Mosquitto
from .postgresql import PostgreSQL
from .prometheus import SCRAPE_INTERVAL, Prometheus
from .restaurant import Restaurant

# The restaurants, with the seed of their guests; the day and the zone are those of the page.
SEEDS = {"berlin": 1, "hamburg": 2, "munich": 3}
ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 20)

# When the transmitters are added, when the rush begins, and when we look, as guests wait in all
# three; naive local times. The restaurants have been open since the day before.
ADDED, BEGIN = (datetime.combine(DAY, time(hour)) for hour in (16, 17))
LOOK = datetime.combine(DAY, time(20, 15))
OPENED = datetime.combine(DAY - timedelta(days=1), time())

# Where Home Assistant is off for a while in the rush, and when; from then on, it speaks another
# language than the others.
ABSENT = "munich"
ABSENCE = (datetime.combine(DAY, time(19)), datetime.combine(DAY, time(19, 20)))
LANGUAGE = "de"
# Where the power is cut at the end.
CUT = "hamburg"

# Seconds by which the clock is set ahead, and of real time in between. What two guests do falls
# into one step rarely, and each step is read by itself.
STEP = timedelta(seconds=20)
PAUSE = 0.35

# What Home Assistant logs as its clock is set ahead while it takes the time of something; and of a
# language that is changed while it runs.
EXPECTED_LINES = ("Updating state for", "Failed to load integration for translation")

# Seconds in which all servers tell the same: our statistics are written within five minutes.
AGREE_TIMEOUT = 400

# Sessions in each restaurant of which is counted what they cost, and seconds in which the last of
# it is written.
MEASURED = 25
SETTLE = 10
# Sessions of a day in one restaurant, for which costs are told. Statistics are made every five
# minutes and every hour, by Home Assistant of its entities; seven are ours, by the hour alone.
SESSIONS_A_DAY = 175
OURS = 7
SECONDS_A_DAY = 86_400
SHORT_TERM_A_DAY, LONG_TERM_A_DAY = 288, 24
# Days for which the recorder keeps states, unless that is set.
DAYS_KEPT = 10


def say(text: str) -> None:
    """Tell how far things are."""
    print(text, flush=True)  # noqa: T201  # it is a program


class Place(Protocol):
    """Where a head office can ask."""

    async def figures(self) -> dict[str, Figures]:
        """Return the answer, by restaurant."""


@dataclass
class Result:
    """What an evening has shown.

    wrong: what is not as it should be, empty if all is. right: the ledgers' figures. claims: what
    the page says can't be told right, and the figures that show it. costs: of one restaurant a
    day, by what is counted.
    """

    wrong: list[str] = field(default_factory=list)
    right: dict[str, Figures] = field(default_factory=dict)
    claims: list[str] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)


class Evening:
    """One run in a folder, which is to be empty."""

    def __init__(self, folder: Path) -> None:
        """Set the clock; nothing is started yet. Raises ServerError if a server is not here."""
        names = list(SEEDS)
        self._clock = Clock(folder, ZONE)
        self._clock.set_to(ADDED)
        self.prometheus = Prometheus(folder / "prometheus", names)
        self.influxdb = InfluxDB(folder / "influxdb", names)
        self.mosquitto = Mosquitto(folder / "mosquitto", names)
        self.postgresql = PostgreSQL(folder / "postgresql", names)
        self._pushed_to = (self.influxdb, self.mosquitto, self.postgresql)
        ports = {server.package: server.port for server in self._pushed_to}
        self._restaurants = {
            name: Restaurant(name, folder / name, self._clock, OPENED, seed, ports)
            for name, seed in SEEDS.items()
        }
        self.result = Result()

    async def run(self) -> Result:
        """Let the evening pass, and compare."""
        async with AsyncExitStack() as stack:
            say("Starting InfluxDB, Mosquitto and PostgreSQL")
            for server in self._pushed_to:
                await stack.enter_async_context(server)
            for restaurant in self._restaurants.values():
                say(f"Setting up Home Assistant in {restaurant.name.capitalize()}")
                await stack.enter_async_context(restaurant)
                self.prometheus.addresses[restaurant.name] = restaurant.address
                self.prometheus.tokens[restaurant.name] = await restaurant.token_for_prometheus()
            say("Starting Prometheus")
            await stack.enter_async_context(self.prometheus)
            await self._restaurants[ABSENT].speak(LANGUAGE)
            await self._pass()
            await self._compare()
            await self._claim()
            await self._measure()
            await self._cut()
            self._look_at_logs()
        return self.result

    # ----------------------------------------------------------------------- time

    async def _pass(self) -> None:
        """Let guests come and go until the time to look."""
        absent = self._restaurants[ABSENT]
        await self._until(BEGIN)
        before = sum(len(restaurant.unit.ledger) for restaurant in self._restaurants.values())
        began = real_time.monotonic()
        await self._until(ABSENCE[0])
        await absent.home.stop()
        await self._until(ABSENCE[1])
        await absent.come_back()
        await self._until(LOOK)
        for restaurant in self._restaurants.values():
            restaurant.take_no_more()
        served = sum(len(restaurant.unit.ledger) for restaurant in self._restaurants.values())
        say(f"{served - before} sessions in {real_time.monotonic() - began:.0f} s; comparing")

    async def _until(self, moment: datetime) -> None:
        """Let the time pass until then, faster than it does."""
        say(f"{self._clock.now():%H:%M} to {moment:%H:%M}")
        while (left := moment - self._clock.now()) > timedelta():
            self._clock.set_to(self._clock.now() + min(left, STEP))
            await asyncio.sleep(PAUSE)

    # ----------------------------------------------------------- what has to be equal

    async def _compare(self) -> None:
        """Wait until each place tells what the ledgers tell."""
        midnight = datetime.combine(DAY, time())
        self.result.right = right = {
            name: of_ledger(restaurant.unit, midnight)
            for name, restaurant in self._restaurants.items()
        }
        places: Mapping[str, Place] = {
            server.package: server for server in (*self._pushed_to, self.prometheus)
        }
        for name, place in places.items():

            async def wrong(place: Place = place) -> list[str]:
                return differences(right, await place.figures())

            found = await _none(wrong)
            self.result.wrong += (f"{name}: {line}" for line in found)
            say(f"{name}: {found or 'as the ledgers'}")

    # ------------------------------------------------------------------ what it costs

    async def _measure(self) -> None:
        """Count what sessions cost, while the clock runs as clocks do.

        Each time that it is set ahead, Home Assistant finds its own clock wrong, and tells so.
        """
        say("Counting what sessions cost")
        self.mosquitto.count()
        await asyncio.sleep(SETTLE)
        since, before = self._clock.posix(), self.mosquitto.messages.total()
        async with asyncio.TaskGroup() as tasks:
            for restaurant in self._restaurants.values():
                tasks.create_task(restaurant.rush(MEASURED))
        await asyncio.sleep(SETTLE)
        a_day = SESSIONS_A_DAY / (MEASURED * len(self._restaurants))
        rows = self.postgresql.rows(since)
        statistics = self.postgresql.statistics()
        series = await self.prometheus.series()
        self.result.costs = {
            "PostgreSQL, rows of states": rows * a_day,
            "PostgreSQL, MB of states, kept for ten days": rows
            * a_day
            * DAYS_KEPT
            * self.postgresql.bytes_a_row()
            / 1e6,
            "PostgreSQL, rows of short-term statistics": statistics * SHORT_TERM_A_DAY,
            "PostgreSQL, rows of long-term statistics": (statistics + OURS) * LONG_TERM_A_DAY,
            "Prometheus, series": series,
            "Prometheus, samples": series * SECONDS_A_DAY / SCRAPE_INTERVAL,
            "InfluxDB, series": await self.influxdb.series(),
            "InfluxDB, points": await self.influxdb.points(since) * a_day,
            "MQTT, messages": (self.mosquitto.messages.total() - before) * a_day,
        }

    # ------------------------------------------------------- what can't be told right

    async def _claim(self) -> None:
        """See that what the page says of the limits of each place is so."""
        units = {name: restaurant.unit for name, restaurant in self._restaurants.items()}
        midnight = datetime.combine(DAY, time())
        ended = {
            name: [session for session in unit.ledger if session.cleared >= midnight]
            for name, unit in units.items()
        }
        waits = [wait for sessions in ended.values() for wait in waits_of(sessions)]
        exact = sum(waits) / len(waits)

        told = await self.prometheus.chain_mean_wait()
        means = [figures.mean_wait or 0 for figures in self.result.right.values()]
        self._check(
            f"the chain's mean wait is {exact:.2f} min, also by Prometheus; "
            f"the mean of the restaurants' means is {sum(means) / len(means):.2f}",
            so=is_same(told, exact) and not is_same(sum(means) / len(means), exact),
        )
        of_hours = self.postgresql.mean_of_hours(midnight.replace(tzinfo=ZONE))
        right = {name: figures.mean_wait or 0 for name, figures in self.result.right.items()}
        self._check(
            "the mean of the hours' waits, rather than of the sessions': "
            + ", ".join(f"{name} {of_hours[name]:.2f} ({right[name]:.2f})" for name in right),
            so=not any(is_same(of_hours[name], right[name]) for name in right),
        )
        counted = await self.influxdb.counted_ends()
        since_added = {
            name: sum(session.cleared >= ADDED for session in sessions)
            for name, sessions in ended.items()
        }
        self._check(
            "sessions since the start by the steps in InfluxDB (and by the ledger): "
            + ", ".join(f"{name} {counted[name]:g} ({since_added[name]})" for name in counted),
            so=counted[ABSENT] < since_added[ABSENT],
        )

    async def _cut(self) -> None:
        """Cut a restaurant's power, and see who notices."""
        await self._restaurants[CUT].lose_power()
        status = f"restaurants/{CUT}/status"
        await _none(lambda: self._not_offline(status))
        await self.prometheus.next_look()
        up = await self.prometheus.up()
        figures = {
            "prometheus": await self.prometheus.figures(),
            "influxdb": await self.influxdb.figures(),
            "mosquitto": await self.mosquitto.figures(),
            "postgresql": await self.postgresql.figures(),
        }
        still = {name for name, told in figures.items() if CUT in told}
        self._check(
            f"{CUT} without power: `up` is {up[CUT]:g} in Prometheus, which tells no figures of it;"
            f" its status is {self.mosquitto.retained(status).get(status)} in Mosquitto; figures "
            f"as if nothing had happened: {', '.join(sorted(still))}",
            so=not up[CUT] and still == {"influxdb", "mosquitto", "postgresql"},
        )

    async def _not_offline(self, topic: str) -> list[str]:
        told = self.mosquitto.retained(topic).get(topic)
        return [] if told == "offline" else [f"{topic} is {told}"]

    def _check(self, claim: str, *, so: bool) -> None:
        self.result.claims.append(claim)
        if not so:
            self.result.wrong.append(f"The page says otherwise: {claim}")

    def _look_at_logs(self) -> None:
        """See that Home Assistant logged no problem since its last start."""
        for name, restaurant in self._restaurants.items():
            self.result.wrong += (
                f"{name} logged: {line}"
                for line in restaurant.home.problems()
                if not any(expected in line for expected in EXPECTED_LINES)
            )


async def _none(wrong: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """Ask until nothing is wrong; return what still is at the end of time."""
    end = real_time.monotonic() + AGREE_TIMEOUT
    while (found := await wrong()) and real_time.monotonic() < end:
        await asyncio.sleep(2)
    return found
