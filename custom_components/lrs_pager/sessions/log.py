"""Every archived session ever seen, on the disk.

The transmitter may forget its history, cut it or start again from id 1. The log doesn't: sessions
are merged into it, in any order and any number of times. It is kept by store.py, on top of disk.py,
on top of database.py, whose format is in schema.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
import json
from pathlib import Path
from typing import Any, Final, cast

from ..transmitter import Session
from .database import END, Change, FutureVersionError, Placing
from .disk import LogClosedError, LogUnreadableError
from .session import PlacedSession
from .store import Store, remove_files

__all__ = [
    "Change",
    "FutureVersionError",
    "LogClosedError",
    "LogUnreadableError",
    "Opened",
    "Place",
    "SessionLog",
]

# Returns what the log is to have of a session of the unit, given what it has (None: nothing).
type Place = Placing[Session]

# The most sessions that are read at once.
BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of the files as the log was opened.

    set_aside: where a damaged file is now; None if none was. damaged: how many lines of a log of
    version 0.1 could not be read; they are in a file beside the log now.
    """

    set_aside: Path | None
    damaged: int


class SessionLog:
    """The log of one transmitter.

    Its jobs are done in a thread of its own, one after the other, and each to its end even if the
    task that awaits it is cancelled. While the disk can't be written, sessions and values are kept
    in memory; the first write that succeeds again writes them, too. Methods that await a job raise
    LogClosedError if the log is not open, but for `pause` and `resume`. Those that read raise
    LogUnreadableError, which is one, if the disk fails: an empty answer always means an empty log.
    """

    def __init__(
        self,
        path: Path,
        old_path: Path | None = None,
        *,
        failing: Callable[[str | None], None] = lambda _: None,
        set_aside: Callable[[Path], None] = lambda _: None,
    ) -> None:
        """Name the file, and that of version 0.1; neither is touched.

        failing: called with the error when the disk begins to fail, and with None when that is
        over. set_aside: called with the file's new path if it turns out to be damaged after it was
        opened. Both are called in the event loop.
        """
        self._path = path
        self._old_path = old_path
        self._failing = failing
        self._set_aside = set_aside
        self._is_told_of_failure = False
        self._thread: ThreadPoolExecutor | None = None
        self._store: Store | None = None

    # ---------------------------------------------------------------------- opening, closing

    async def open(self, *, is_paused: bool = False) -> Opened:
        """Open the file, or make it; take over a log of version 0.1.

        is_paused: whether a backup is under way, see `pause`.
        Raises OSError if there is a file and it can't be read, and FutureVersionError if a later
        version wrote it; the file then stays as it is.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self._path.name)
        try:
            opened = await asyncio.shield(self._submit(partial(self._open, is_paused=is_paused)))
        except BaseException:
            await self.close()
            raise
        self._tell()
        return opened

    def _open(self, *, is_paused: bool) -> Opened:
        self._store = store = Store(self._path, is_paused=is_paused)
        damaged = store.take_over(self._old_path) if self._old_path else 0
        opened = Opened(store.disk.was_set_aside, damaged)
        store.disk.was_set_aside = None
        return opened

    async def close(self) -> None:
        """Wait for the jobs under way, and close the file. Call nothing else afterwards."""
        if (thread := self._thread) is None:
            return
        closing = self._submit(self._close)
        self._thread = None
        try:
            await asyncio.shield(closing)
        finally:
            thread.shutdown(wait=closing.done())

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()

    @staticmethod
    async def remove(path: Path) -> None:
        """Delete a log's files; if it has not been closed yet, once more when it is."""
        await asyncio.to_thread(remove_files, path)

    # ------------------------------------------------------------------------------- reading

    @property
    def changes(self) -> int:
        """A number that goes up with every change of a session."""
        return self._store.changes if self._store else 0

    @property
    def is_failing(self) -> bool:
        """Whether the disk has failed, and not taken a write since or can't yet be read."""
        return self._store is not None and self._store.disk.failure is not None

    async def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session by its uuid, or else by its id and creation; None if it is not there."""
        return await self._do(lambda store: store.find(session))

    async def between(self, start: int, end: int) -> list[PlacedSession]:
        """The sessions with start <= ended_at < end (POSIX seconds), from the oldest."""
        return await self._do(lambda store: store.between(start, end))

    async def batches(
        self, start: int, end: int | None = None
    ) -> AsyncIterator[list[PlacedSession]]:
        """The sessions of `between`, in lists of at most BATCH. end: None for all from start on."""
        async for batch in self.made_of_batches(lambda batch: batch, start, end):
            yield batch

    async def made_of_batches[T](
        self, make: Callable[[list[PlacedSession]], T], start: int, end: int | None = None
    ) -> AsyncIterator[T]:
        """What `make` returns for each list of `batches`; it is called in the log's thread."""
        end, skip = END if end is None else end, 0

        def job(store: Store) -> tuple[list[PlacedSession], T | None]:
            batch = store.between(start, end, limit=BATCH, skip=skip)
            return batch, make(batch) if batch else None

        while True:
            batch, made = await self._do(job)
            if batch:
                yield cast("T", made)
            if len(batch) < BATCH:
                return
            # Go on from the last second of this list, after those that it has of that second.
            last = batch[-1].ended_at
            skip = sum(s.ended_at == last for s in batch) + (skip if last == start else 0)
            start = last

    async def latest(self) -> PlacedSession | None:
        """The session that ended last; None if there is none."""
        found = await self.newest(1)
        return found[0] if found else None

    async def newest(self, count: int, end: int = END) -> list[PlacedSession]:
        """The sessions that ended last before `end` (POSIX seconds), the newest first."""
        return await self._do(lambda store: store.between(end=end, limit=count, newest_first=True))

    async def knows_any(self, sessions: Iterable[Session]) -> bool:
        """Whether one of these sessions is in the log."""
        sessions = tuple(sessions)
        return await self._do(lambda store: any(map(store.find, sessions)))

    async def first_ended(self, since: int) -> int | None:
        """The least ended_at >= since (POSIX seconds); None if there is none."""
        found = await self._do(lambda store: store.between(start=since, limit=1))
        return found[0].ended_at if found else None

    async def count(self) -> int:
        """How many sessions there are."""
        return await self._do(Store.count)

    async def numbers(self, since: int) -> set[int]:
        """The pagers of the sessions with ended_at >= since (POSIX seconds)."""
        return await self._do(lambda store: store.numbers(since))

    async def get(self, key: str) -> Any:
        """The value that was set for a key; None if none was, or if it was damaged."""
        value = await self._do(lambda store: store.get(key))
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            return None

    # ------------------------------------------------------------------------------- writing

    async def merge(self, sessions: Iterable[Session], place: Place) -> list[Change]:
        """Merge sessions; return those that are new, or that are known better.

        `place` is called with each and what the log has of it: in the log's thread, and again if
        the disk failed. When this returns, all are on the disk, or in memory while the disk fails.
        """
        sessions = tuple(sessions)
        return await self._do(lambda store: store.merge(sessions, place))

    async def keep(self, sessions: Iterable[PlacedSession]) -> list[Change]:
        """Merge placed sessions by PlacedSession.seen_before; return the changes, as `merge`."""
        sessions = tuple(sessions)
        return await self._do(
            lambda store: store.merge(
                sessions, lambda session, before: session.seen_before(before) if before else session
            )
        )

    async def shift(self, seconds: int) -> list[Change]:
        """Move the instants that follow from our own clock, which was set; return the changes.

        It moves those of sessions that were first written since the log was opened.
        """
        return await self._do(lambda store: store.shift(seconds))

    async def blank_names(self, before: int) -> int | None:
        """Take the names off sessions with ended_at < before (POSIX seconds).

        Until the next call, merging such a session again gives it no name, either. No copy of these
        names stays in the file, and files set aside that were last written before are deleted.
        Return how many names there were; None if the disk fails, and nothing is done.
        """
        return await self._do(lambda store: store.blank_names(before))

    async def set(self, key: str, value: Any) -> None:
        """Keep a small value, of JSON's types, with the log.

        When this returns, it is on the disk, or in memory while the disk fails. It is never written
        before sessions that were merged earlier.
        """
        text = json.dumps(value)
        await self._do(lambda store: store.set(key, text))

    # ------------------------------------------------------------------------------- backups

    async def pause(self) -> None:
        """Have the file stay as it is, to be copied, until `resume` is called or an hour is over.

        Merging and setting go on as ever. The file of a log that is not open stays as it is anyway.
        """
        if self._thread is not None:
            await self._do(Store.pause)

    async def resume(self) -> None:
        """End the pause."""
        if self._thread is not None:
            await self._do(Store.resume)

    # ---------------------------------------------------------------------------- in between

    async def _do[T](self, job: Callable[[Store], T]) -> T:
        """Do a job in the log's thread, to its end even if the caller is cancelled."""
        try:
            return await asyncio.shield(self._submit(self._run, job))
        finally:
            self._tell()

    def _submit[*Ts, T](self, job: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        if self._thread is None:
            raise LogClosedError
        return asyncio.get_running_loop().run_in_executor(self._thread, job, *args)

    def _run[T](self, job: Callable[[Store], T]) -> T:
        assert self._store is not None
        return job(self._store)

    def _tell(self) -> None:
        """Call `failing` and `set_aside` if there is something new about the disk."""
        if self._store is None:
            return
        disk = self._store.disk
        if aside := disk.was_set_aside:
            disk.was_set_aside = None
            self._set_aside(aside)
        if self._is_told_of_failure != self.is_failing:
            self._is_told_of_failure = self.is_failing
            self._failing(disk.failure)
