"""Knows whether what answers at the address is the transmitter whose sessions the log has.

Two transmitters may have swapped addresses, or the user has entered the address of another. Its
guests would be announced and counted here, and could not be told from ours afterwards. So, when
the transmitter answers again after it did not, or its count of changes or its history does not go
on from what was known, its history is read before anything more is merged.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Never

from ..sessions.log import LogUnreadableError, SessionLog
from ..sessions.session import PlacedSession
from ..transmitter import Chunk, Session, TransmitterError

# The most by which a session's id may be above the last that is known: a busy weekend's sessions;
# or below it, as the session may have begun long before others that have ended.
MAX_ID_STEP: Final = 1_000

# How many of the log's latest sessions are compared.
LATEST: Final = 200

# Seconds by which a stamp may be off though the unit's clock is right now, as somebody may have set
# it hours after summer time began or ended.
STAMP_SLACK: Final = 2 * 3600

# Says which other transmitter is known to have had one of these sessions; None if none is.
type FindElsewhere = Callable[[Sequence[Session]], Awaitable[str | None]]


class AnotherUnitError(TransmitterError):
    """Another transmitter than ours answers, or ours has forgotten all that we know of it.

    name: of the transmitter whose sessions these are; None if nobody knows them.
    """

    def __init__(self, name: str | None) -> None:
        """Say whose they are."""
        super().__init__("another transmitter answers, or it has forgotten its sessions")
        self.name = name


class UnknownUnitError(TransmitterError):
    """Nobody knows whose history this is, as the log can't be read. Its text: the disk's error."""


@dataclass(slots=True)
class Compared:
    """What a pass through a history that may be another's has shown so far.

    is_empty: whether it had no session. goes_on: whether some of its sessions may have come after
    the last that the log knows. is_anothers: whether one ended before that last session and is not
    in the log, which has all of ours from that time.
    """

    is_empty: bool = True
    goes_on: bool = False
    is_anothers: bool = False


class Identity:
    """What is known of who answers."""

    def __init__(
        self, log: SessionLog, find_elsewhere: FindElsewhere, *, is_accepted: bool = False
    ) -> None:
        """Know nothing. is_accepted: whether the user says that what answers is ours."""
        self._log, self._find_elsewhere = log, find_elsewhere
        self._is_accepted = is_accepted
        # Whether it is known that ours answers. Until then no notification and no answer to a
        # command is merged.
        self.is_sure = False
        # What was found instead of ours.
        self.another: AnotherUnitError | None = None
        # Whether the history was empty as it was read last, since it is not known who answers.
        self._has_no_history = False

    def lost(self) -> None:
        """The transmitter did not answer, or not as one that goes on: it may be another."""
        self.is_sure = self._has_no_history = False

    async def see_history(self, chunk: Chunk, so_far: Compared, zone: tzinfo | None) -> bool:
        """Return whether a part of the history is ours, or the end of an empty one.

        so_far: what the parts before it have shown, to which is added. zone: of the stamps; None if
        the clock is not local time.
        Raises AnotherUnitError if another transmitter is known to have had these sessions, or if
        this is the last part and nothing in any was known or could be ours; UnknownUnitError.
        """
        try:
            return self.is_sure or await self._see_history(chunk, so_far, zone)
        except LogUnreadableError as err:
            raise UnknownUnitError(str(err)) from err

    async def _see_history(self, chunk: Chunk, so_far: Compared, zone: tzinfo | None) -> bool:
        """As see_history, while it is not known. Raises LogUnreadableError, too."""
        sessions = chunk.sessions
        so_far.is_empty &= not sessions
        if chunk.goes_on or self._is_accepted or await self._log.knows_any(sessions):
            self.is_sure = True
        else:
            await self._compare(chunk, so_far, zone)
        if self.is_sure:
            self.another, self._is_accepted = None, False
        elif chunk.is_last and not so_far.is_empty:
            self._raise(None)
        elif chunk.is_last:
            # An empty history does not show whose it is; the list of active sessions may.
            self.another, self._has_no_history = None, True
            return True
        return self.is_sure

    async def _compare(self, chunk: Chunk, so_far: Compared, zone: tzinfo | None) -> None:
        """Compare sessions of which the log knows none. Raises AnotherUnitError."""
        sessions = chunk.sessions
        newest = await self._log.newest(LATEST)
        if not newest:
            self.is_sure = True  # there is nothing to compare with, nor to spoil
            return
        if name := await self._find_elsewhere(sessions):
            self._raise(name)
        first, last = newest[-1].ended_at, newest[0].ended_at - STAMP_SLACK
        ended = [s.cleared.replace(tzinfo=zone).timestamp() for s in sessions if s.cleared and zone]
        # A history loses its oldest sessions, by and by or all at once: if ours held one from
        # before the log's last, it would hold that, too. What is older than what is compared may
        # have been stamped by a clock that was not set.
        so_far.is_anothers |= any(first < end < last for end in ended)
        so_far.goes_on |= _go_on(sessions, _ids(newest))
        if chunk.is_last or not any(end < last for end in ended):
            self.is_sure = so_far.goes_on and not so_far.is_anothers

    async def see_list(self, sessions: Sequence[Session], known: set[str]) -> None:
        """See whose active sessions these are, if the history did not show who answers.

        known: uuids of those that were active before. Raises AnotherUnitError if they aren't ours.
        """
        if self.is_sure or not sessions:
            return
        ids: set[int] = set()
        with suppress(LogUnreadableError):  # then the uuids alone may show something
            ids = _ids(await self._log.newest(LATEST))
        are_like_ours = _go_on(sessions, ids) or any(session.uuid in known for session in sessions)
        if are_like_ours or self._is_accepted:
            # A history that could not be read may yet show that they are another's.
            self.is_sure, self.another = self._has_no_history, None
        elif ids and _ids(sessions):
            self._raise(None)

    def _raise(self, name: str | None) -> Never:
        self.another = AnotherUnitError(name)
        raise self.another


def _ids(sessions: Sequence[Session | PlacedSession]) -> set[int]:
    """The ids of sessions, as far as they have any."""
    return {session.id for session in sessions if session.id is not None}


def _go_on(sessions: Sequence[Session], latest: set[int]) -> bool:
    """Whether sessions that the log doesn't know may be those that came after its last.

    latest: the ids of the log's latest sessions.
    """
    ids = _ids(sessions)
    if not ids or ids & latest:
        return False
    # The ids may have begun again within the log's latest sessions.
    return any(last - MAX_ID_STEP < min(ids) <= last + MAX_ID_STEP for last in latest)
