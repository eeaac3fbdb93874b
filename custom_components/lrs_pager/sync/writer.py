"""Writes to the session log, in order, and keeps names for no longer than wanted."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..sessions.database import BEGINNING, END
from ..sessions.log import Change, Place, SessionLog
from ..sessions.session import PlacedSession
from ..transmitter import Session

# Seconds from one look for names that have become too old to the next.
BLANK_INTERVAL = 3600


class LogWriter:
    """What is to be written, and how.

    A save or a merge comes to its end, in its turn, also if whoever waits for it is cancelled.
    """

    def __init__(
        self,
        log: SessionLog,
        *,
        now: Callable[[], float],
        names_kept: float | None,
        written: Callable[[Sequence[Change]], None],
    ) -> None:
        """Write nothing yet.

        now: our clock (POSIX seconds). names_kept: seconds after a session's end for which its
        label is kept; 0 is not at all, None for ever. written: told what has changed, once it is on
        the disk.
        """
        self._log = log
        self._now = now
        self._names_kept = names_kept
        self._written = written
        self._unsaved: list[PlacedSession] = []
        self._shifts: list[int] = []
        self._blanked_at = float("-inf")
        self._turn = asyncio.Lock()

    @property
    def is_behind(self) -> bool:
        """Whether there is something to save, or a save or a merge is under way."""
        return bool(self._unsaved or self._shifts or self._turn.locked())

    @property
    def names_since(self) -> int:
        """Sessions that ended before this (POSIX seconds) have no label in the log."""
        if self._names_kept is None:
            return BEGINNING
        return round(self._now() - self._names_kept) if self._names_kept else END

    def add(self, ended: Iterable[PlacedSession]) -> None:
        """Have ended sessions written with the next save."""
        self._unsaved += ended

    def shift(self, seconds: int) -> None:
        """Our clock was set: have what follows from it moved with the next save."""
        self._shifts.append(seconds)
        self._unsaved = [s.shifted(seconds) if s.is_by_age else s for s in self._unsaved]

    async def save(self) -> None:
        """Write what is to be written, and blank old names; both are done when this returns."""
        await _to_its_end(self._save_in_turn())

    async def merge(
        self, sessions: Iterable[Session], placing: Callable[[], Place]
    ) -> Sequence[Change]:
        """Write sessions of the history, after all that is to be written.

        placing: returns how to place them, by our clock as it is set when they are written. If that
        is set later, they are moved like all that is in the log.
        """
        return await _to_its_end(self._merge_in_turn(sessions, placing))

    async def _save_in_turn(self) -> None:
        async with self._turn:
            await self._save()
            is_due = abs(self._now() - self._blanked_at) >= BLANK_INTERVAL
            if is_due and await self._log.blank_names(self.names_since) is not None:
                self._blanked_at = self._now()

    async def _merge_in_turn(
        self, sessions: Iterable[Session], placing: Callable[[], Place]
    ) -> Sequence[Change]:
        async with self._turn:
            while True:
                await self._save()
                place = placing()
                if not self._shifts:
                    break
            changes = await self._log.merge(sessions, place)
        self._written(changes)
        return changes

    async def _save(self) -> None:
        # Both are taken at once: what is added from now on is right by our clock as it is set now.
        shifts, self._shifts = self._shifts, []
        unsaved, self._unsaved = self._unsaved, []
        for seconds in shifts:
            self._written(await self._log.shift(seconds))
        # A disk that refused before is tried again, whether or not there is something new.
        if unsaved or self._log.is_failing:
            since = self.names_since
            self._written(
                await self._log.keep(
                    session if session.ended_at >= since else replace(session, label=None)
                    for session in unsaved
                )
            )


async def _to_its_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Do it in a task of its own, which goes on if whoever waits for it is cancelled."""
    task = asyncio.ensure_future(work)
    # If nobody waits any more, nobody asks for the error, and asyncio would log it.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait([task])
    return task.result()
