"""Prometheus, which asks each Home Assistant for the states of now."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from .figures import Figures
from .page import SHOWN, block
from .server import Server

# Seconds between two looks at each restaurant; as the page has it.
SCRAPE_INTERVAL = 30

# Where each figure is.
ENTITIES = {
    "sessions": "sensor.t7470_daily_count",
    "late": "sensor.t7470_late_today",
    "mean_wait": "sensor.t7470_average_wait",
    "waiting": "sensor.t7470_waiting_sessions",
}


class Prometheus(Server):
    """The server; it is started once the restaurants are there to be asked."""

    package = "prometheus"
    program = "prometheus"

    def __init__(self, folder: Path, restaurants: list[str]) -> None:
        """Take what all servers do; addresses and tokens come before the start."""
        super().__init__(folder, restaurants)
        self.addresses: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def prepare(self) -> None:
        """Write a job for each restaurant, and the token it needs."""
        configuration: dict[str, Any] = {}
        for name in self.restaurants:
            self.write(f"{name}.token", self.tokens[name])
            text = block(
                "prometheus.yml",
                {
                    "berlin.example.com:8123": self.addresses[name],
                    "/etc/prometheus": str(self.folder),
                    SHOWN: name,
                },
            )
            shown = yaml.safe_load(text)
            jobs = configuration.get("scrape_configs", [])
            configuration = shown | {"scrape_configs": jobs + shown["scrape_configs"]}
        self.write("prometheus.yml", yaml.safe_dump(configuration))

    def command(self) -> list[str | Path]:
        """On loopback, with its data in its folder."""
        return [
            self.found,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    async def answers(self) -> bool:
        """Whether it says that it is ready."""
        url = f"http://127.0.0.1:{self.port}/-/ready"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.ok

    async def query(self, text: str) -> list[tuple[dict[str, str], float]]:
        """Ask for an instant vector; returns labels and value of each element."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query"
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(url, params={"query": text}) as response,
        ):
            answer = await response.json()
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    async def figures(self) -> dict[str, Figures]:
        """Return what the page's query says, by restaurant."""
        found = {
            (labels["restaurant"], labels["entity"]): value
            for labels, value in await self.query(block("Prometheus: all figures"))
        }
        return {
            name: Figures(**{key: found.get((name, id_)) for key, id_ in ENTITIES.items()})
            for name in {name for name, _ in found}
        }

    async def chain_mean_wait(self) -> float | None:
        """Return what the page's query says: the mean wait of all sessions of the chain."""
        found = await self.query(block("Prometheus: the chain's mean wait"))
        return found[0][1] if found else None

    async def series(self) -> float:
        """Return how many series it holds of a restaurant, on average."""
        ((_, value),) = await self.query('count({restaurant!=""}) / count(up)')
        return value

    async def up(self) -> dict[str, float]:
        """Return whether each restaurant answered the last time: 1 or 0."""
        return {labels["restaurant"]: value for labels, value in await self.query("up")}

    async def next_look(self) -> None:
        """Wait until it has asked all restaurants once more."""
        await asyncio.sleep(SCRAPE_INTERVAL + 1)
