"""InfluxDB, to which each Home Assistant writes its changes."""

from pathlib import Path
from typing import Any

import aiohttp

from .figures import Figures
from .page import SHOWN, block
from .prometheus import ENTITIES
from .server import Server, ServerError

ADMINISTRATOR = {"u": "administrator", "p": "password"}
HEAD_OFFICE = {"u": "head_office", "p": "password"}


class InfluxDB(Server):
    """The server, of the 1.x that Debian has, with a user for each restaurant."""

    package = "influxdb"
    program = "influxd"

    def prepare(self) -> None:
        """Say where its data and its ports are, and that users are needed."""
        self.write(
            "influxdb.conf",
            f"""\
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "{self.folder}/meta"
[data]
dir = "{self.folder}/data"
wal-dir = "{self.folder}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = true
log-enabled = false
""",
        )

    def command(self) -> list[str | Path]:
        """By its configuration."""
        return [self.found, "-config", self.folder / "influxdb.conf"]

    async def answers(self) -> bool:
        """Whether it answers a ping."""
        url = f"http://127.0.0.1:{self.port}/ping"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.ok

    async def set_up(self) -> None:
        """Make the database and the users."""
        texts = [block("InfluxDB: once")]
        texts += (
            block("InfluxDB: for each restaurant", {SHOWN: name}) for name in self.restaurants
        )
        # One by one: whoever makes the first user need not be one.
        for statement in ";".join(texts).split(";"):
            await self.query(statement, ADMINISTRATOR)

    async def query(
        self, text: str, user: dict[str, str] = HEAD_OFFICE
    ) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
        """Run statements; return measurement, tags and first row of each series of the answer."""
        url = f"http://127.0.0.1:{self.port}/query"
        parameters = user | {"db": "chain"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, params=parameters, data={"q": text}) as response,
        ):
            answer = await response.json()
        series = []
        for result in answer.get("results", [answer]):
            if "error" in result:
                raise ServerError(f"InfluxDB: {result['error']}")
            for one in result.get("series", []):
                row = dict(zip(one["columns"], one["values"][0], strict=True))
                series.append((one["name"], one.get("tags", {}), row))
        return series

    async def figures(self) -> dict[str, Figures]:
        """Return what the page's query says, by restaurant."""
        found = {
            (tags["restaurant"], f"sensor.{tags['entity_id']}"): row["value"]
            for _, tags, row in await self.query(block("InfluxDB: all figures"))
        }
        return {
            name: Figures(**{key: found.get((name, id_)) for key, id_ in ENTITIES.items()})
            for name in {name for name, _ in found}
        }

    async def counted_ends(self) -> dict[str, float]:
        """Return how many sessions have ended by the steps that were told, by restaurant."""
        found = await self.query(block("InfluxDB: sessions by their steps"))
        return {tags["restaurant"]: row["ended"] for _, tags, row in found}

    async def series(self) -> float:
        """Return how many series it holds of a restaurant, on average."""
        found = await self.query("SHOW SERIES EXACT CARDINALITY ON chain", ADMINISTRATOR)
        return float(sum(row["count"] for _, _, row in found)) / len(self.restaurants)

    async def points(self, since: float) -> float:
        """Return how many points all restaurants wrote since an instant (POSIX s)."""
        found = await self.query(
            f'SELECT count("friendly_name_str") AS "points" FROM /.*/ WHERE time >= {since:.0f}s'
        )
        return float(sum(row["points"] for _, _, row in found))
