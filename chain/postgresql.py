"""PostgreSQL, in which each Home Assistant's recorder has a schema of its own."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
import signal
from typing import Any

import psycopg2

from .figures import Figures
from .page import SHOWN, block
from .server import Server


class PostgreSQL(Server):
    """The server, with a role for each restaurant, and one that may read all of them."""

    package = "postgresql"
    program = "/usr/lib/postgresql/*/bin/postgres"
    user = "postgres"
    how_to_stop = signal.SIGINT  # it lets nobody finish

    def prepare(self) -> None:
        """Make a cluster whose administrator is `postgres` here, and needs no password."""
        initdb = str(Path(self.program).with_name("initdb"))
        self.run(
            *(initdb, "-D", self.folder / "data", "-U", "postgres", "-E", "UTF8", "--no-sync"),
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
        )

    def command(self) -> list[str | Path]:
        """On loopback, and a socket in its folder."""
        return [
            *(self.found, "-D", self.folder / "data", "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"),
        ]

    async def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._run("postgres", ["SELECT 1"])
        except psycopg2.OperationalError:
            return False
        return True

    async def set_up(self) -> None:
        """Make the database, the roles and the schemas."""
        self._run("postgres", block("PostgreSQL: once").split(";"))
        for name in self.restaurants:
            self._run("chain", block("PostgreSQL: for each restaurant", {SHOWN: name}).split(";"))

    def _run(self, database: str, statements: list[str]) -> None:
        """As the administrator, each statement by itself: a database can't be made with others."""
        connection = psycopg2.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database
        )
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            for statement in filter(str.strip, statements):
                cursor.execute(statement)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Ask as the head office does; return the rows."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user="head_office",
            password="password",
            dbname="chain",
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(text)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    async def figures(self) -> dict[str, Figures]:
        """Return what the page's query says, put together for all restaurants."""
        text = "\nUNION ALL\n".join(
            block("PostgreSQL: all figures", {SHOWN: name}).rstrip().removesuffix(";")
            for name in self.restaurants
        )
        return {
            name: Figures(sessions=sessions, late=late, mean_wait=mean_wait, waiting=waiting)
            for name, sessions, late, mean_wait, waiting in self.query(text)
        }

    def mean_of_hours(self, since: datetime) -> dict[str, float]:
        """Return the mean of the hours' mean waits since an instant, by restaurant."""
        means = {}
        for name in self.restaurants:
            hours = self.query(block("PostgreSQL: the hours", {SHOWN: name}))
            waits = [
                mean
                for hour, statistic_id, _, mean, *_ in hours
                if hour >= since and statistic_id.endswith("_wait")
            ]
            means[name] = sum(waits) / len(waits)
        return means

    def rows(self, since: float) -> int:
        """Return how many rows of states all restaurants wrote since an instant (POSIX s)."""
        return sum(
            self.query(f"SELECT count(*) FROM {name}.states WHERE last_updated_ts >= {since}")[0][0]
            for name in self.restaurants
        )

    def bytes_a_row(self) -> float:
        """Return what a row of states takes on the disk, with its attributes and indices."""
        size = rows = 0
        for name in self.restaurants:
            sizes = " + ".join(
                f"pg_total_relation_size('{name}.{table}')"
                for table in ("states", "state_attributes")
            )
            ((its_size, its_rows),) = self.query(f"SELECT {sizes}, count(*) FROM {name}.states")
            size, rows = size + its_size, rows + its_rows
        return size / rows

    def statistics(self) -> float:
        """Return of how many entities a recorder keeps statistics, on average."""
        found = [
            self.query(f"SELECT count(*) FROM {name}.statistics_meta WHERE source = 'recorder'")[0][
                0
            ]
            for name in self.restaurants
        ]
        return float(sum(found)) / len(found)
