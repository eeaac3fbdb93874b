"""The session log's file, whatever becomes of it.

A damaged file is set aside, and a new one begins with the sessions and values that can still be
read. A file that somebody deleted is written anew. One that can't be written is still read.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
import sqlite3
import time
from typing import Final

from .damage import PARTS, put_back, salvage, salvage_values, set_aside
from .database import END, FAILURES, Database, is_damage, is_locked, make_private

# Seconds after which a backup is taken for done even if `resume` was not called.
BACKUP_TIMEOUT: Final = 3600

# Errors that mean a fault in our code, not in the disk.
BUGS: Final = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)


class LogClosedError(Exception):
    """The log is not open, or not any more."""


class LogUnreadableError(LogClosedError):
    """The log's file can't be read now, so that nobody knows what it has."""


class Disk:
    """The database in its file; while the disk fails, one that is read only or in memory.

    Used from one thread. failure: the disk's last error; None again once a write has succeeded,
    and the query that could not be read last, too.
    was_set_aside: where the damaged file is that was set aside last, until SessionLog reports it.
    first_new_row: the first row that was not in the file when it was opened.
    """

    def __init__(self, path: Path, *, is_paused: bool = False) -> None:
        """Open the file, or make it. is_paused: whether a backup is under way, see `pause`.

        Raises OSError if there is a file and it can't be read or is locked; FutureVersionError.
        """
        self.failure: str | None = None
        # The last query that could not be read, until it can be.
        self._unread: Callable[[Database], object] | None = None
        self.was_set_aside: Path | None = None
        self._path = path
        # By time.monotonic.
        self._backup_until = time.monotonic() + BACKUP_TIMEOUT if is_paused else None
        # Whether `_db` is in memory or read only; and whether it stands for a file that can't be
        # read.
        self._is_makeshift = self._is_blind = False
        with suppress(OSError):  # without the folder, opening fails, too
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open()
        if is_paused:
            self.attempt(Database.hold)
        last_row = self.attempt(Database.last_row)
        self.first_new_row = END if last_row is None else last_row + 1

    def close(self) -> None:
        """Close the file."""
        # A backup that is under way must find the files that it has listed.
        self._db.close(keep_wal=self._backup_until is not None)

    # ----------------------------------------------------------------------- reading, writing

    @property
    def is_seen(self) -> bool:
        """Whether a read that succeeds is one of all that the file has."""
        return not self._is_makeshift

    def read[T](self, query: Callable[[Database], T]) -> T:
        """Run a query that reads. Raises LogUnreadableError if the disk fails."""
        try:
            return self._read(query)
        except LogUnreadableError:
            self._unread = query
            raise

    def attempt[T](self, query: Callable[[Database], T]) -> T | None:
        """Run a query that writes no session and no value; None if the disk fails."""
        with suppress(LogUnreadableError):
            return self._read(query)
        return None

    def _read[T](self, query: Callable[[Database], T]) -> T:
        """As `read`, without a note of the query."""
        if self._is_blind:
            raise LogUnreadableError(self.failure)
        try:
            return query(self._db)
        except FAILURES as err:
            if self._is_mended_after(err):
                try:
                    return query(self._db)
                except FAILURES as again:
                    self._fail(again)
            raise LogUnreadableError(self.failure) from err

    def write[T](self, query: Callable[[Database], T]) -> T | None:
        """Run a query that writes; None if nothing can be written now."""
        if not self._can_write():
            return None
        try:
            written = query(self._db)
        except FAILURES as err:
            if not self._is_mended_after(err):
                return None
            try:
                written = query(self._db)
            except FAILURES as again:
                self._fail(again)
                return None
        unread, self._unread = self._unread, None
        if unread:
            with suppress(LogUnreadableError):
                self.read(unread)
        if not self._unread:
            self.failure = None
        return written

    def _is_mended_after(self, err: Exception) -> bool:
        """Begin a new file if an error means that this one is damaged; return whether it was."""
        if isinstance(err, BUGS):
            raise err
        if not is_damage(err):
            self._fail(err)
            return False
        self._db.close(keep_wal=True)
        self._db = self._begin_anew()
        if self.is_paused:
            self.attempt(Database.hold)
        return not self._is_blind

    def _can_write(self) -> bool:
        """Whether the file can be written; reopen it or make it anew first, if need be."""
        if self._backup_until is not None:
            if time.monotonic() > self._backup_until:
                self.resume()
            elif not self._db.has_wal:
                return False
        if self._is_makeshift:
            self._reopen()
        elif not self._path.exists() and not self._write_anew():
            return False
        return not self._is_makeshift

    def _fail(self, err: Exception) -> None:
        """Set `failure` from an error."""
        self.failure = (err.strerror if isinstance(err, OSError) else None) or str(err)

    # -------------------------------------------------------------------------------- backups

    @property
    def is_paused(self) -> bool:
        """Whether a backup is under way."""
        return self._backup_until is not None

    def pause(self) -> None:
        """Leave the file as it is, until `resume` or for BACKUP_TIMEOUT.

        Writes go to the write-ahead log: a copy of both files is whole at any time. Where there is
        no such log, nothing is written.
        """
        self.attempt(Database.checkpoint)
        self.attempt(Database.hold)
        self._backup_until = time.monotonic() + BACKUP_TIMEOUT

    def resume(self) -> None:
        """Write to the file again."""
        if self._backup_until is not None:
            self._backup_until = None
            if self._path.exists():
                # If this process copied the file, closing it gave up SQLite's lock (POSIX).
                self._reopen()

    # -------------------------------------------------------------------------------- opening

    def _open(self) -> Database:
        """Open the file; read only if it can't be written. Raises as __init__."""
        self._is_makeshift = self._is_blind = False
        try:
            return Database(self._path)
        except BUGS:
            raise
        except (*FAILURES, OSError) as err:
            if isinstance(err, FAILURES) and is_damage(err):
                return self._begin_anew()
            self._fail(err)
            if is_locked(err):
                raise OSError(self.failure) from err
        self._is_makeshift = True
        is_there = False
        with suppress(FileNotFoundError, NotADirectoryError):
            is_there = self._path.stat().st_size > 0
        try:
            return Database(self._path if is_there else None, is_read_only=True)
        except FAILURES as err:
            raise OSError(str(err)) from err

    def _reopen(self) -> None:
        """Close the file and open it again; go on without it if it can't be read."""
        self.close()
        try:
            self._db = self._open()
        except OSError:
            self._db = self._without_file()
        if self.is_paused:
            self.attempt(Database.hold)

    def _without_file(self) -> Database:
        """An empty database in memory, of which nothing is read while the file can't be read."""
        self._is_makeshift = self._is_blind = True
        return Database(None)

    def _begin_anew(self) -> Database:
        """Set the file aside, and begin a new one with what can be read of it.

        If the new one can't be written, the file stays where it is, so that this is tried again.
        """
        aside = database = None
        try:
            aside = set_aside(self._path)
            database = Database(self._path)
            database.write(salvage(aside), salvage_values(aside))
        except (*FAILURES, OSError) as err:
            self._fail(err)
            if database:
                database.close()
            if aside:
                with suppress(OSError):
                    put_back(aside, self._path)
            return self._without_file()
        self.was_set_aside = aside
        self.first_new_row = database.last_row() + 1
        self._is_makeshift = self._is_blind = False
        return database

    def _write_anew(self) -> bool:
        """Write the deleted file from the one still open; return whether that succeeded."""
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.parent.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            make_private(new)
            self._db.copy_to(new)
        except (*FAILURES, OSError) as err:
            self._fail(err)
            return False
        self._db.close(keep_wal=True)
        with suppress(OSError):
            for part in PARTS:
                self._path.with_name(self._path.name + part).unlink(missing_ok=True)
            new.rename(self._path)
        self._reopen()
        return True
