"""Decides when the history is read again, and reads it, from where the last read ended.

Once a day all of it is read.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from ..transmitter import ChangedError, Chunk, Cursor, Transmitter, TransmitterError, UnitClock
from .gaps import HistoryPass
from .identity import Compared
from .intervals import Intervals
from .push import LOGGER

# Seconds for which a long history is read before the list of active sessions, and whoever waits for
# the set-up, have their turn. Then it goes on.
SLICE = 5.0


class TakesChunks(Protocol):
    """Where sessions of the history go."""

    def doubt(self) -> None:
        """Take note that another transmitter may answer."""

    async def is_ours(self, chunk: Chunk, so_far: Compared) -> bool:
        """Whether it is known that a chunk is of our transmitter. Raises AnotherUnitError.

        so_far: what the chunks before it have shown, to which is added.
        """

    async def take_chunk(self, chunk: Chunk, seen: HistoryPass) -> None:
        """Merge sessions into the log, and note in `seen` which of them it knew."""


@dataclass(slots=True)
class _Pass:
    """A pass through the history that may be interrupted, also by a restart.

    cursor: where it goes on; None at the beginning. is_whole: whether it began at the beginning.
    is_complete: False if some of it, or of the pass that it goes on from, changed so often that it
    could not be read. skipped: sessions that can't be read. unreadable_stamps: times of sessions
    that can't be read. began: when, by the loop's clock; after a restart, when it went on.
    """

    cursor: Cursor | None = None
    is_whole: bool = False
    is_complete: bool = True
    skipped: int = 0
    unreadable_stamps: int = 0
    seen: HistoryPass = field(default_factory=HistoryPass)
    began: float = 0.0


class HistoryReader:
    """Reads the history of one transmitter."""

    def __init__(
        self,
        transmitter: Transmitter,
        intervals: Intervals,
        *,
        steady: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Read nothing yet. steady: the loop's clock. wall: ours (POSIX seconds)."""
        self._transmitter, self._intervals = transmitter, intervals
        self._steady, self._wall = steady, wall
        self._pass = _Pass()
        # Whether the next read begins anew: one that is under way comes to its end before.
        self._is_anew = False
        # When all of it was read last, by our clock, as that goes on over a restart.
        self._whole_at = 0.0
        # When the last read began that came to its end, and since when it can't be read, by the
        # loop's clock.
        self._read_at: float | None = None
        self.failing_since: float | None = None
        # When all of it was read last: the unit's clock then, and our own (POSIX seconds). Every
        # session that ended before that is in the log.
        self.last_complete_read: tuple[UnitClock, int] | None = None
        # How many of its sessions, and of their times, can't be read; None until it was read whole.
        self.unreadable: int | None = None
        self._is_told_of_failure = False

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on where a pass was before a restart. kept: what `to_keep` returned then."""
        try:
            self._pass = _Pass(
                cursor=Cursor.from_json(kept.get("cursor")),
                is_whole=bool(kept.get("is_whole")),
                is_complete=bool(kept.get("is_complete", True)),
                skipped=int(kept.get("skipped", 0)),
                unreadable_stamps=int(kept.get("unreadable_stamps", 0)),
                seen=HistoryPass(**kept.get("seen", {})),
            )
            self._whole_at = float(kept.get("whole_at", 0.0))
        except AttributeError, TypeError, ValueError:
            self._pass = _Pass()  # it is another version's: all is read anew

    def to_keep(self) -> dict[str, Any]:
        """What is to be kept over a restart, as JSON."""
        kept = _Pass() if self._is_anew else self._pass
        return {
            "cursor": kept.cursor and kept.cursor.to_json(),
            "is_whole": kept.is_whole,
            "is_complete": kept.is_complete,
            "skipped": kept.skipped,
            "unreadable_stamps": kept.unreadable_stamps,
            "seen": asdict(kept.seen),
            "whole_at": self._whole_at,
        }

    def to_show(self) -> dict[str, Any]:
        """How it stands, for diagnostics: nothing of any session."""
        return {
            "is_readable": self.failing_since is None,
            "is_under_way": self.is_under_way,
            "is_complete": self._pass.is_complete,
            "skipped": self._pass.skipped,
            "unreadable_stamps": self._pass.unreadable_stamps,
            "read_whole_at": self._whole_at,
        }

    @property
    def is_under_way(self) -> bool:
        """Whether a pass has begun and not come to the end."""
        return self._pass.is_whole

    def is_due(self, *, tells_changes: bool) -> bool:
        """Whether to read it though nothing seems to have changed: the next poll would be too late.

        tells_changes: whether the unit is known to tell every change, by message and by count.
        """
        intervals = self._intervals
        interval = intervals.whole_history if tells_changes else intervals.history
        next_poll = self._steady() + intervals.poll
        return (
            self.is_under_way
            or self._is_anew
            or self._read_at is None
            or next_poll - self._read_at > interval
            or self._is_whole_due
        )

    @property
    def _is_whole_due(self) -> bool:
        at_next_poll = self._wall() + self._intervals.poll
        return abs(at_next_poll - self._whole_at) > self._intervals.whole_history

    def begin_anew(self) -> None:
        """Read all of it the next time."""
        self._is_anew = True

    async def read(self, take: TakesChunks, *, is_again: bool = False) -> bool:
        """Read on, for a while; return whether the end was reached. Raises TransmitterError.

        is_again: whether it was read just now, and nothing in it showed that it is another's.
        """
        if self._is_anew or (not self.is_under_way and self._is_whole_due):
            self._pass, self._is_anew = _Pass(), False
        began = self._steady()
        is_left_out, is_begun, so_far = False, False, Compared()
        async for chunk in self._transmitter.history(self._pass.cursor):
            is_continued = chunk.goes_on or self._pass.is_whole or self._pass.cursor is None
            if chunk.sessions and not is_continued:
                take.doubt()
            # A chunk without sessions does not show whose it is, however often it is read.
            is_taken = await take.is_ours(chunk, so_far) or (is_again and not chunk.sessions)
            if not is_taken:
                is_left_out = True
                continue
            if is_left_out:
                if is_again:
                    raise ChangedError
                # The chunks that were left out before are ours, too.
                self.begin_anew()
                return await self.read(take, is_again=True)
            if chunk.is_from_beginning and not (
                self._pass.is_whole and (is_begun or chunk.goes_on)
            ):
                # The read does not go on from our cursor: a pass begins anew.
                seen = self._pass.seen if self._pass.is_whole else HistoryPass()
                self._pass = _Pass(is_whole=True, seen=seen)
            is_begun = True
            self._pass.began = self._pass.began or chunk.asked
            await take.take_chunk(chunk, self._pass.seen)
            self._pass.cursor = chunk.cursor
            self._pass.is_complete &= chunk.is_complete
            self._pass.skipped += chunk.skipped
            self._pass.unreadable_stamps += chunk.unreadable_stamps
            if not chunk.is_last and self._steady() - began > SLICE:
                return False
        self._read_at = began
        return True

    async def identify(self, take: TakesChunks) -> None:
        """Read until it is known whose history it is; merge nothing. Raises TransmitterError."""
        so_far = Compared()
        cursor = None if self._is_anew else self._pass.cursor
        async for chunk in self._transmitter.history(cursor):
            if await take.is_ours(chunk, so_far):
                return

    def note(self, failure: TransmitterError | None) -> None:
        """Log once if the history can't be read while the unit answers, and once if it can again.

        failure: None if it was read. The first ChangedError is not logged: in the rush hour it may
        change all the while it is read.
        """
        if failure is None:
            if self._is_told_of_failure:
                LOGGER.info("The history can be read again")
            self.failing_since, self._is_told_of_failure = None, False
            return
        is_first = self.failing_since is None
        if is_first:
            self.failing_since = self._steady()
        if not self._is_told_of_failure and not (is_first and isinstance(failure, ChangedError)):
            self._is_told_of_failure = True
            LOGGER.warning("The history can't be read: %s", failure)

    def shift(self, seconds: int) -> None:
        """Our clock was set: move the time of the last complete read."""
        if self.last_complete_read:
            clock, began = self.last_complete_read
            if not clock.agrees:
                # The instant of a stamp follows from how far that clock is ahead of ours.
                clock = replace(clock, ahead=clock.ahead - timedelta(seconds=seconds))
            self.last_complete_read = clock, began + seconds

    def lost(self) -> None:
        """The unit did not answer: whether its history can be read is not known any more."""
        self.failing_since = None

    def end_pass(self) -> _Pass:
        """The end was reached: begin the next pass there, and return what this one was."""
        ended, self._pass = (
            self._pass,
            _Pass(cursor=self._pass.cursor, is_complete=self._pass.is_complete),
        )
        self._note_unreadable(ended.skipped + ended.unreadable_stamps, is_whole=ended.is_whole)
        if ended.is_whole:
            self._whole_at = self._wall()
        return ended

    def _note_unreadable(self, count: int, *, is_whole: bool) -> None:
        """Log once that there is something in the history that can't be read."""
        before = self.unreadable or 0
        if is_whole:
            self.unreadable = count
        elif count and not before:
            # It may have been damaged on its way: read all of it once more.
            self.begin_anew()
        if self.unreadable and not before:
            LOGGER.warning(
                "%d times or sessions of the history can't be read: see the diagnostics", count
            )
