"""Sets damaged files of the session log aside, and saves what can be read of them (see disk.py).

They stay in the log's folder, with names that begin as the log's does.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
import os
from pathlib import Path
import sqlite3
from typing import Any, Final

from .database import FAILURES, DamagedError, unpack
from .schema import BEFORE_READING
from .session import PlacedSession

# The suffixes of the files that SQLite may put beside a database.
PARTS: Final = ("-wal", "-shm", "-journal")

# The fewest bytes that a session takes, which limits how many rows a file can have.
MIN_SIZE: Final = 40


def set_aside(path: Path) -> Path:
    """Rename a file that can't be read, and those of SQLite beside it; return the new path."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.rename(path.with_name(f"{path.name}.unreadable.{now}"))
    for part in PARTS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(aside.with_name(aside.name + part))
    return aside


def put_back(aside: Path, path: Path) -> None:
    """Rename a file that was set aside, and those beside it, to what they were called."""
    for part in ("", *PARTS):
        old, new = aside.with_name(aside.name + part), path.with_name(path.name + part)
        new.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            old.rename(new)


def set_lines_aside(path: Path, lines: Iterable[bytes]) -> None:
    """Keep unreadable lines of a log of version 0.1 in a file beside the log's, `path`."""
    aside = path.with_name(f"{path.name}.damaged")
    # Guests' names may be in them: nobody but Home Assistant may read the file.
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def files_set_aside(path: Path) -> list[Path]:
    """The files that were set aside of the log at `path`, and of its predecessor of version 0.1."""
    beside = path.parent.glob(f"{path.stem}.*")
    return [file for file in beside if ".unreadable." in file.name or file.suffix == ".damaged"]


def salvage(path: Path) -> Iterator[PlacedSession]:
    """Read the sessions of a damaged file as far as that is possible; the file stays as it is."""
    with suppress(*FAILURES), _reading(path) as connection:
        last = _last_row(path)
        names = dict(_rows(connection, "SELECT * FROM names WHERE session > ?", last))
        for row in _rows(connection, "SELECT * FROM sessions WHERE row > ?", last):
            with suppress(DamagedError):
                yield unpack((*row, names.get(row[0])))


def salvage_values(path: Path) -> dict[str, str]:
    """Read the values of a damaged file, by key, as `salvage` does the sessions."""
    values: dict[str, str] = {}
    with suppress(*FAILURES), _reading(path) as connection:
        # The rows' numbers are read without the index, and without the pages of long values.
        query = "SELECT rowid FROM state NOT INDEXED WHERE rowid > ?"
        for (row,) in list(_rows(connection, query, _last_row(path))):
            with suppress(*FAILURES):
                query = "SELECT key, value FROM state WHERE rowid = ?"
                found = connection.execute(query, (row,)).fetchall()
                values |= {k: v for k, v in found if isinstance(k, str) and isinstance(v, str)}
    return values


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect to a damaged file. Raises one of FAILURES if nothing of it can be read."""
    has_wal = path.with_name(f"{path.name}-wal").exists()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_wal)
    with closing(connection):
        # Otherwise SQLite reads nothing of a file that was cut off.
        connection.execute("PRAGMA writable_schema = ON")
        connection.executescript(BEFORE_READING)
        yield connection


def _last_row(path: Path) -> int:
    """The last row that a file can have, by its size."""
    return path.stat().st_size // MIN_SIZE


def _rows(connection: sqlite3.Connection, query: str, last: int) -> Iterator[tuple[Any, ...]]:
    """Read the rows up to number `last`, in order, and skip those that can't be read."""
    number = 0
    while number < last:
        try:
            for row in connection.execute(query, (number,)):
                number = max(number, row[0])
                yield row
        except FAILURES:
            number += 1  # a damaged page takes some twenty rows with it
        else:
            return
