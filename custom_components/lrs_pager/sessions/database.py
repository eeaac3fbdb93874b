"""The session log's file: an SQLite database.

A `Database` is used from one thread. Its methods raise one of FAILURES when the disk fails or the
file is damaged; disk.py deals with both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
import json
import os
from pathlib import Path
import sqlite3
from typing import Any, Final, get_type_hints

from ..transmitter import Session
from .schema import BEFORE_READING, MIGRATIONS, NAMES, SCHEMA, VERSION
from .session import PlacedSession, are_two, iso

ROWS: Final = "SELECT row FROM sessions"
SELECT: Final = "SELECT sessions.*, label FROM sessions LEFT JOIN names ON session = row"
# A clause that selects the rows whose numbers are in a list of JSON.
AMONG: Final = "WHERE row IN (SELECT value FROM json_each(?))"

INSERT: Final = """
INSERT OR REPLACE INTO sessions VALUES (
  :row, :ended_at, :id, :uuid, :number, :party_size, :goal, :clear_type, :created, :notified,
  :cleared, :created_at, :notified_at, :cleared_at, :wait, :response, :is_by_age, :quoted,
  :first_goal)
"""

# SQLite's least and greatest integer.
BEGINNING: Final = -(2**63)
END: Final = 2**63 - 1

# Seconds to wait for a process that still has the file, such as one that is being stopped.
LOCK_TIMEOUT: Final = 5

# The most sessions that are kept in memory: those of some busy days, as a day is read at every
# change.
LATELY: Final = 1_000

# A session as it was in the log (None: it was not there), and as it is now.
type Change = tuple[PlacedSession | None, PlacedSession]
# Returns what the log is to have of a session, given what it has (None: nothing).
type Placing[S: (Session, PlacedSession)] = Callable[[S, PlacedSession | None], PlacedSession]

# The columns of SELECT after row and ended_at: the fields of PlacedSession, label at the end.
_FIELDS: Final = (*(f.name for f in fields(PlacedSession) if f.name != "label"), "label")
_TYPES: Final = get_type_hints(PlacedSession) | {"is_by_age": int}

# What a query raises if the file is damaged or the disk fails. UnicodeDecodeError is raised where
# SQLite quotes damaged text in its message.
FAILURES: Final = (sqlite3.DatabaseError, UnicodeDecodeError)


class FutureVersionError(Exception):
    """The file was written by a later version of the integration."""


class DamagedError(sqlite3.DatabaseError):
    """The file is a database, but its contents are not those of a session log."""


def is_damage(err: Exception) -> bool:
    """Whether one of FAILURES means that the file is damaged, rather than that the disk fails."""
    # Errors that Python itself raises have no code: a text in the file was not UTF-8.
    code = getattr(err, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def is_locked(err: Exception) -> bool:
    """Whether an error means that another process has locked the file."""
    return getattr(err, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class Database:
    """The sessions and the values in one file."""

    def __init__(self, path: Path | None, *, is_read_only: bool = False) -> None:
        """Open a file, which is made if there is none.

        path: None for a database in memory. is_read_only: whether the disk can't be written; what
        the last process left in the write-ahead log is not read then.
        Raises FutureVersionError for a file of a later version, which stays as it is; one of
        FAILURES; and OSError if a file can't be made.
        """
        uri = ":memory:"
        if path is not None:
            uri = path.as_uri() + ("?immutable=1" if is_read_only else "")
            if not is_read_only:
                make_private(path)
        self._connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=LOCK_TIMEOUT
        )
        self.has_wal = False
        self._lately: dict[int, PlacedSession] = {}  # what was read lately, by row
        had_wal = path is not None and path.with_name(f"{path.name}-wal").exists()
        try:
            self._open(is_read_only=is_read_only)
        except BaseException:
            self.close(keep_wal=had_wal)
            raise

    def _open(self, *, is_read_only: bool) -> None:
        """Check that the file is a session log, and bring its format up to date."""
        self._connection.executescript(BEFORE_READING)
        ((version,),) = self._rows("PRAGMA user_version")
        if version > VERSION:
            raise FutureVersionError(f"version {version}")
        tables = {name for (name,) in self._rows("SELECT name FROM sqlite_schema")}
        is_new = not version and not tables
        is_known = version == VERSION or version in MIGRATIONS
        if not is_new and not (is_known and "sessions" in tables):
            raise DamagedError("not a session log")
        if not is_read_only:
            ((mode,),) = self._rows("PRAGMA journal_mode = WAL")
            self.has_wal = mode == "wal"
            if not self.has_wal:
                # The rollback journal has names, too, so that it is emptied after each commit.
                self._rows("PRAGMA journal_mode = TRUNCATE")
        if is_new:
            self._upgrade(SCHEMA + NAMES, VERSION)
        elif not is_read_only:
            for step in range(version, VERSION):
                self._upgrade(MIGRATIONS[step], step + 1)
        # Checking all of a long log would take too long; the ends of each index are read.
        self.between(limit=1)
        self.between(limit=1, newest_first=True)
        self._sessions("ORDER BY row DESC LIMIT 1")
        self._rows("SELECT max(uuid) FROM sessions")
        self._rows("SELECT max(id) FROM sessions")
        self.value("")

    def _upgrade(self, script: str, version: int) -> None:
        """Run SQL that brings the file to a version, in one transaction."""
        self._connection.executescript(
            f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {version}; COMMIT;"
        )

    def close(self, *, keep_wal: bool = False) -> None:
        """Close the file. keep_wal: leave it and the write-ahead log beside it as they are."""
        if keep_wal:
            self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        self._connection.close()

    # ------------------------------------------------------------------------------- reading

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session by the rule of SessionIndex."""
        return self._find(session)[1]

    def between(
        self,
        start: int = BEGINNING,
        end: int = END,
        limit: int = -1,
        skip: int = 0,
        newest_first: bool = False,
    ) -> list[PlacedSession]:
        """The sessions with start <= ended_at < end (POSIX seconds), from the oldest.

        limit: how many at most; -1 for all. skip: how many to leave out first. newest_first: turns
        the order round.
        """
        order = "ended_at DESC, row DESC" if newest_first else "ended_at, row"
        return self._sessions(
            f"WHERE ended_at >= ? AND ended_at < ? ORDER BY {order} LIMIT ? OFFSET ?",
            *(start, end, limit, skip),
        )

    def placed_by_age(self, first_row: int) -> list[PlacedSession]:
        """The sessions from a row on whose is_by_age is set."""
        return self._sessions("WHERE row >= ? AND is_by_age", first_row)

    def count(self) -> int:
        """How many sessions there are."""
        ((count,),) = self._rows("SELECT count(*) FROM sessions")
        return int(count)

    def last_row(self) -> int:
        """The row of the newest session by the time of its first write; 0 if there is none."""
        ((row,),) = self._rows("SELECT max(row) FROM sessions")
        return row or 0

    def numbers(self, since: int) -> set[int]:
        """The pagers of the sessions with ended_at >= since (POSIX seconds)."""
        query = "SELECT DISTINCT number FROM sessions WHERE ended_at >= ? AND number IS NOT NULL"
        return {number for (number,) in self._rows(query, since)}

    def value(self, key: str) -> str | None:
        """A value as JSON; None if there is none."""
        found = self._rows("SELECT value FROM state WHERE key = ?", key)
        return str(found[0][0]) if found else None

    # ------------------------------------------------------------------------------- writing

    def merge[S: (Session, PlacedSession)](
        self, sessions: Iterable[S], place: Placing[S]
    ) -> list[Change]:
        """Find each session, place it, and write those that this changes, in one transaction."""
        changes: list[Change] = []
        with self._transaction():
            for session in sessions:
                row, before = self._find(session)
                after = place(session, before)
                if after != before:
                    self._write(row, after)
                    changes.append((before, after))
        return changes

    def write(self, sessions: Iterable[PlacedSession], values: Mapping[str, str]) -> bool:
        """Write sessions and values in one transaction; return True.

        A session that is found replaces what the file has of it.
        """
        with self._transaction():
            for session in sessions:
                self._write(self._find(session)[0], session)
            self._connection.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", values.items()
            )
        return True

    def blank_names(self, before: int, values: Mapping[str, str]) -> int:
        """Remove the names of sessions with ended_at < before; return how many there were.

        No copy of them stays in the database. SQLite overwrites deleted rows, but not the copies
        that it leaves as it moves rows from page to page. So the table is dropped, whose pages are
        overwritten as a whole. values: written in the same transaction.
        """
        ((old, count),) = self._rows(
            # CROSS JOIN: look at names first, as they are few.
            "SELECT count(*), count(label) FROM names CROSS JOIN sessions ON session = row"
            " WHERE ended_at < ?",
            before,
        )
        self._lately.clear()
        with self._transaction():
            if old:
                kept = self._rows(
                    "SELECT session, label FROM names CROSS JOIN sessions ON session = row"
                    " WHERE ended_at >= ? ORDER BY session",
                    before,
                )
                self._connection.execute("DROP TABLE names")
                self._connection.execute(NAMES)
                self._connection.executemany("INSERT INTO names VALUES (?, ?)", kept)
            self._connection.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", values.items()
            )
        return int(count)

    # ------------------------------------------------------------------------------- backups

    def checkpoint(self) -> None:
        """Move the contents of the write-ahead log to the file, and empty it."""
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def hold(self) -> None:
        """Write to the write-ahead log only from now on, so that the file stays as it is."""
        self._rows("PRAGMA wal_autocheckpoint = 0")

    def copy_to(self, path: Path) -> None:
        """Write the whole database to another file, which is empty or not there."""
        self._connection.execute("VACUUM INTO ?", (str(path),))

    # ----------------------------------------------------------------------------- in between

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Have all writes of the block on the disk at its end, or none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            yield

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        # If a query fails, its cursor must not keep the file open after the connection.
        with closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def _sessions(self, clause: str, *values: Any) -> list[PlacedSession]:
        """The sessions that a clause selects. The table is read for those that `_lately` lacks."""
        rows = [row for (row,) in self._rows(f"{ROWS} {clause}", *values)]
        new = json.dumps([row for row in rows if row not in self._lately])
        for columns in self._rows(f"{SELECT} {AMONG}", new):
            self._lately[columns[0]] = unpack(columns)
        if not self._lately.keys() >= set(rows):
            raise DamagedError("a row is only in an index")
        found = [self._lately[row] for row in rows]
        if len(self._lately) > LATELY:
            self._lately.clear()
        return found

    def _find(
        self, session: Session | PlacedSession
    ) -> tuple[int, PlacedSession] | tuple[None, None]:
        """Find the row of a session and what the log has of it; None for both if it has nothing."""
        uuid, created = session.uuid, session.created
        found = uuid and self._rows(f"{SELECT} WHERE uuid = ?", uuid)
        if not found:
            found = self._rows(
                f"{SELECT} WHERE id = ? AND created = ? ORDER BY row LIMIT 1",
                *(session.id, created if isinstance(created, str | None) else iso(created)),
            )
        if not found:
            return None, None
        known = unpack(found[0])
        if are_two(session, known):
            return None, None
        return found[0][0], known

    def _write(self, row: int | None, session: PlacedSession) -> None:
        """Write a session to its row, or to a new one."""
        values: dict[str, Any] = {name: getattr(session, name) for name in _FIELDS}
        values |= {"row": row, "ended_at": session.ended_at}
        self._lately.pop(row or 0, None)
        new_row = self._connection.execute(INSERT, values).lastrowid
        if session.label is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO names VALUES (?, ?)", (new_row, session.label)
            )
        elif row is not None:
            self._connection.execute("UPDATE names SET label = NULL WHERE session = ?", (row,))


def make_private(path: Path) -> None:
    """Have only Home Assistant able to read the names in a file, which is made if there is none.

    SQLite gives the same mode to the files that it puts beside it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        with suppress(OSError):  # not every file system has modes
            path.chmod(0o600)


def unpack(row: Sequence[Any]) -> PlacedSession:
    """A session from a row of SELECT, whose last columns may lack in a file of an earlier version.

    Raises DamagedError if a field has a type that no session has.
    """
    *values, label = row[2:]
    missing = len(_FIELDS) - len(values) - 1
    named = dict(zip(_FIELDS, (*values, *[None] * missing, label), strict=True))
    for name, value in named.items():
        if not isinstance(value, _TYPES[name]):
            raise DamagedError(name)
    return PlacedSession(**named | {"is_by_age": bool(named["is_by_age"])})
