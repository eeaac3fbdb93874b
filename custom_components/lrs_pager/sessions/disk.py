"""The session log's file, whatever becomes of it.

A damaged file is set aside, and a new one begins with those sessions of it that can still be read.
A file that somebody deleted is written anew. One that can't be written is still read.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
import sqlite3
import time
from typing import Final

from .damage import PARTS, salvage, set_aside
from .database import FAILURES, Database, is_damage, is_locked, make_private

# Seconds after which a backup is taken for done, whether or not that was said.
BACKUP_TIMEOUT: Final = 3600

# Errors that are ours and not the disk's.
BUGS: Final = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)


class Disk:
    """The database in its file, or what there is to go on with as long as the disk fails.

    Used from one thread. failure: what is wrong with the disk, as far as is known; None if nothing
    is. was_set_aside: the damaged file that was set aside last. first_new_row: the first row that
    was not in the file when it was opened.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises OSError if there is a file and it can't be read, and FutureVersionError.
        """
        self.failure: str | None = None
        self.was_set_aside: Path | None = None
        self._path = path
        self._backup_until: float | None = None  # by time.monotonic
        # Whether `_db` is not the file itself, or can't be written.
        self._is_makeshift = False
        with suppress(OSError):  # without a folder, there can't be a file
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open()
        self.first_new_row = (self.read(Database.last_row) or 0) + 1

    def close(self) -> None:
        """Close the file."""
        # A backup that is under way must find the files that it has seen.
        self._db.close(keep_wal=self._backup_until is not None)

    # ----------------------------------------------------------------------- reading, writing

    def read[T](self, query: Callable[[Database], T]) -> T | None:
        """Ask the database; None if the disk fails."""
        try:
            return query(self._db)
        except FAILURES as err:
            if not self._is_mended_after(err):
                return None
        return query(self._db)

    def write[T](self, query: Callable[[Database], T]) -> T | None:
        """Write to the database; None if nothing can be written now."""
        if not self._can_write():
            return None
        try:
            written = query(self._db)
        except FAILURES as err:
            if not self._is_mended_after(err) or self._is_makeshift:
                return None
            written = query(self._db)
        self.failure = None
        return written

    def _is_mended_after(self, err: Exception) -> bool:
        """Begin a new file if an error means that this one is damaged; return whether it does."""
        if isinstance(err, BUGS):
            raise err
        if not is_damage(err):
            self._fail(err)
            return False
        self._db.close(keep_wal=True)
        self._db = self._begin_anew()
        return True

    def _can_write(self) -> bool:
        """Whether the file can be written, after it was opened or made once more if need be."""
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
        """Keep what is wrong with the disk."""
        self.failure = (err.strerror if isinstance(err, OSError) else None) or str(err)

    # -------------------------------------------------------------------------------- backups

    @property
    def is_paused(self) -> bool:
        """Whether a backup is under way."""
        return self._backup_until is not None

    def pause(self) -> None:
        """Leave the file as it is from now on.

        Writing goes on in the write-ahead log: a copy of both is right at any time. Where there is
        none, nothing is written.
        """
        self.read(Database.checkpoint)
        self.read(Database.hold)
        self._backup_until = time.monotonic() + BACKUP_TIMEOUT

    def resume(self) -> None:
        """Write to the file again."""
        if self._backup_until is not None:
            self._backup_until = None
            if self._path.exists():
                # If this process has copied the file, it gave up our lock as it closed it.
                self._reopen()

    # -------------------------------------------------------------------------------- opening

    def _open(self) -> Database:
        """Open the file; if it can't be written, what can be read of it."""
        self._is_makeshift = False
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
        is_there = self._path.exists() and self._path.stat().st_size
        try:
            return Database(self._path if is_there else None, is_read_only=True)
        except FAILURES as err:
            if not is_damage(err):
                raise OSError(str(err)) from err
            return Database(None)

    def _reopen(self) -> None:
        """Open the file once more."""
        self.close()
        try:
            self._db = self._open()
        except OSError:
            self._db, self._is_makeshift = Database(None), True
        if self.is_paused:
            self.read(Database.hold)

    def _begin_anew(self) -> Database:
        """Set the file aside, and begin a new one with what can be read of it."""
        try:
            self.was_set_aside = set_aside(self._path)
            database = Database(self._path)
            database.write(salvage(self.was_set_aside), {})
        except (*FAILURES, OSError) as err:
            self._fail(err)
            self._is_makeshift = True
            return Database(None)
        self.first_new_row = database.last_row() + 1
        self._is_makeshift = False
        return database

    def _write_anew(self) -> bool:
        """Write the file that somebody deleted, from what we have open of it."""
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
