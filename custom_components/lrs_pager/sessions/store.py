"""The sessions of the log: in the file, and in memory while the disk does not take them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from ..transmitter import Session
from .damage import files_set_aside, set_aside, set_lines_aside
from .database import BEGINNING, END, Change, Database, Placing
from .disk import Disk, LogUnreadableError
from .old_log import read_old_log
from .session import PlacedSession, SessionIndex

# The key of the store's own value: the instant (POSIX seconds) before which sessions that ended
# have no names.
NAMES_SINCE: Final = "names_since"

# The stores that are open, by path; some that are closed, too.
_STORES: Final[WeakValueDictionary[Path, Store]] = WeakValueDictionary()


class Unsaved:
    """Sessions and values that the disk has not taken yet.

    unseen: the identities of sessions that were placed while the file could not be read.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.sessions: dict[str, PlacedSession] = {}  # by identity
        self.unseen: set[str] = set()
        self.values: dict[str, str] = {}
        self._index = SessionIndex()

    def __bool__(self) -> bool:
        """Whether there is something to write."""
        return bool(self.sessions or self.values)

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session."""
        return self._index.find(session)

    def put(self, session: PlacedSession, *, is_seen: bool) -> None:
        """Add a session, in place of the one that it is found as.

        is_seen: whether the file could be read. What was placed upon one that was seen is so, too.
        """
        if known := self._index.find(session):
            is_seen |= known.keys[0] not in self.unseen
            self._index.remove(known)
            del self.sessions[known.keys[0]]
            self.unseen.discard(known.keys[0])
        self._index.add(session)
        self.sessions[session.keys[0]] = session
        if not is_seen:
            self.unseen.add(session.keys[0])

    def completed(self, session: PlacedSession, stored: PlacedSession | None) -> PlacedSession:
        """A session of these with what the file has of it, if it was placed without that."""
        if stored is None or session.keys[0] not in self.unseen:
            return session
        return session.seen_before(stored)


class Store:
    """The sessions and values of a log. Used from one thread.

    disk: their file. changes: a number that goes up with every change of a session. is_removed:
    whether nothing is to be left of the files when it is closed. Methods that read raise
    LogUnreadableError while the disk fails; those that write don't.
    """

    def __init__(self, path: Path, *, is_paused: bool = False) -> None:
        """Open the file, or make it. is_paused, errors: as of Disk."""
        self.disk = Disk(path, is_paused=is_paused)
        self.changes = 0
        self.is_removed = False
        self._path = path
        self._unsaved = Unsaved()
        self._names_since = BEGINNING
        # A damaged value is no number. One that can't be read is set by the next blank_names.
        with suppress(ValueError, LogUnreadableError):
            self._names_since = int(self.get(NAMES_SINCE) or BEGINNING)
        _STORES[path] = self

    def close(self) -> None:
        """Write what is unsaved, even if a backup is under way, and close the file."""
        if not self._save():
            self.disk.resume()
            self._save()
        self.disk.close()
        if self.is_removed:
            _delete(self._path)  # as the file was written anew if there was something to write

    def take_over(self, old_path: Path) -> int:
        """Take over the log of version 0.1, if there is one; return how many lines are damaged.

        Raises OSError if there is one that can't be read.
        """
        try:
            sessions, damaged = read_old_log(old_path)
        except FileNotFoundError:
            return 0
        except ValueError:
            with suppress(OSError):
                self.disk.was_set_aside = set_aside(old_path)
            return 0
        # If an earlier start was interrupted here, some are in the file already.
        self.merge(sessions, lambda session, before: before or session)
        # While the disk does not take the sessions, the old log stays, for the next start.
        with suppress(OSError):
            if damaged:
                set_lines_aside(self._path, damaged)
            if not self._unsaved:
                old_path.unlink()
        return len(damaged)

    # ------------------------------------------------------------------------------- reading

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session by the rule of SessionIndex."""
        stored = self.disk.read(lambda db: db.find(session))
        unsaved = self._unsaved.find(stored or session)
        return self._unsaved.completed(unsaved, stored) if unsaved else stored

    def between(
        self,
        start: int = BEGINNING,
        end: int = END,
        *,
        limit: int = -1,
        skip: int = 0,
        newest_first: bool = False,
    ) -> list[PlacedSession]:
        """As Database.between."""
        if not self._unsaved:
            return self.disk.read(lambda db: db.between(start, end, limit, skip, newest_first))
        unsaved = self._unsaved.sessions.values()
        some = -1 if limit < 0 else skip + limit + len(unsaved)
        stored = self.disk.read(lambda db: db.between(start, end, some, 0, newest_first))
        found = [session for session in stored if not self._unsaved.find(session)]
        found += [session for session in unsaved if start <= session.ended_at < end]
        found.sort(key=lambda session: session.ended_at, reverse=newest_first)
        return found[skip:] if limit < 0 else found[skip : skip + limit]

    def count(self) -> int:
        """How many sessions there are."""
        new = sum(self._is_new(session) for session in self._unsaved.sessions.values())
        return self.disk.read(Database.count) + new

    def numbers(self, since: int) -> set[int]:
        """The pagers of the sessions with ended_at >= since."""
        if self._unsaved:
            return {s.number for s in self.between(since) if s.number is not None}
        return self.disk.read(lambda db: db.numbers(since))

    def get(self, key: str) -> str | None:
        """A value; None if there is none."""
        return self._unsaved.values.get(key) or self.disk.read(lambda db: db.value(key))

    def _is_new(self, session: PlacedSession) -> bool:
        """Whether the file has nothing of an unsaved session, as far as it can be read."""
        return self.disk.attempt(lambda db: db.find(session)) is None

    def _find_what_is_seen(
        self, session: Session | PlacedSession
    ) -> tuple[PlacedSession | None, bool]:
        """Find a session, in memory alone if the file fails; return also if the file was seen."""
        try:
            return self.find(session), self.disk.is_seen
        except LogUnreadableError:
            return self._unsaved.find(session), False

    # ------------------------------------------------------------------------------- writing

    def merge[S: (Session, PlacedSession)](
        self, sessions: Iterable[S], place: Placing[S]
    ) -> list[Change]:
        """Find each session, place it, and write those that this changes; see SessionLog.merge."""
        sessions = tuple(sessions)

        def placed(session: S, before: PlacedSession | None) -> PlacedSession:
            after = place(session, before)
            is_nameless = after.ended_at < self._names_since and after.label is not None
            return replace(after, label=None) if is_nameless else after

        changes = self._write(lambda db: db.merge(sessions, placed))
        if changes is None:
            changes = []
            for session in sessions:
                before, is_seen = self._find_what_is_seen(session)
                after = placed(session, before)
                if after != before:
                    self._unsaved.put(after, is_seen=is_seen)
                    changes.append((before, after))
        self.changes += len(changes)
        return changes

    def shift(self, seconds: int) -> list[Change]:
        """See SessionLog.shift."""
        first_new_row = self.disk.first_new_row
        by_age = self.disk.attempt(lambda db: db.placed_by_age(first_new_row)) or []
        by_age += [s for s in self._unsaved.sessions.values() if s.is_by_age and self._is_new(s)]
        return self.merge(by_age, lambda session, before: (before or session).shifted(seconds))

    def set(self, key: str, value: str) -> None:
        """Keep a value."""
        with suppress(LogUnreadableError):
            if value == self.get(key):
                return
        if not self._write(lambda db: db.write((), {key: value})):
            self._unsaved.values[key] = value

    def blank_names(self, before: int) -> int | None:
        """See SessionLog.blank_names."""
        count = self._write(lambda db: db.blank_names(before, {NAMES_SINCE: str(before)}))
        if count is None:
            return None
        self._names_since = before
        if not self.disk.is_paused:
            self.disk.attempt(Database.checkpoint)
        for file in files_set_aside(self._path):
            with suppress(OSError):
                if file.stat().st_mtime < before:
                    file.unlink()
        self.changes += count
        return count

    def pause(self) -> None:
        """See SessionLog.pause."""
        self._save()
        self.disk.pause()

    def resume(self) -> None:
        """See SessionLog.resume."""
        self.disk.resume()
        self._save()

    def _write[T](self, query: Callable[[Database], T]) -> T | None:
        """Run a query that writes, once all that is unsaved is written; None if the disk fails."""
        return self.disk.write(query) if self._save() else None

    def _save(self) -> bool:
        """Write what is unsaved; return whether nothing is unsaved any more."""
        if self._unsaved:
            unsaved = self._unsaved

            def write(db: Database) -> bool:
                sessions = (unsaved.completed(s, db.find(s)) for s in unsaved.sessions.values())
                return db.write(sessions, unsaved.values)

            if not self.disk.write(write):
                return False
            self._unsaved = Unsaved()
        return True


def remove_files(path: Path) -> None:
    """Delete a log's file, that of version 0.1, and those that were set aside.

    If it is open, they are deleted once more when it is closed.
    """
    if store := _STORES.get(path):
        store.is_removed = True
    _delete(path)


def _delete(path: Path) -> None:
    """Delete all that is called like the log; that of other transmitters is called otherwise."""
    name = path.name.removesuffix(".db")
    for file in (path.with_name(name), *path.parent.glob(f"{name}.*")):
        file.unlink(missing_ok=True)
