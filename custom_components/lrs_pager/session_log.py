"""Every archived session ever seen: a set, by identity.

The transmitter may forget its history, cut it or start again from id 1. The log doesn't: each
answer is merged into it, in any order and any number of times, and what is shown is taken from
the log alone. It knows nothing of Home Assistant or of disks (session_store.py keeps it there).
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace

from .session import PlacedSession, SessionIndex
from .transmitter import Session, UnitClock

# Sessions that are kept: with 270 guests a day, a year. In memory they are some 40 MB, on disk
# 25 MB. Beyond that the oldest go; Home Assistant's long-term statistics outlive them.
MAX_SESSIONS = 100_000

# The fields, and those of a transmitter's session that they come from.
_FIELDS = tuple((field.name, field.name.removesuffix("_at")) for field in fields(PlacedSession))


class SessionLog:
    """The set of sessions.

    `absorb` takes from an answer, `restore` from the disk; both merge. To find a session and to
    add the latest takes the same time however many there are.
    """

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        """Start empty; beyond `limit` sessions, the oldest go."""
        self._limit = limit
        self._index = SessionIndex()
        self._ordered: list[PlacedSession] = []  # by ended_at

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._ordered)

    def __iter__(self) -> Iterator[PlacedSession]:
        """All, from the oldest."""
        return iter(self._ordered)

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session, by identity."""
        return self._index.find(session)

    @property
    def latest(self) -> PlacedSession | None:
        """The session that ended last."""
        return self._ordered[-1] if self._ordered else None

    def between(self, start: int, end: int) -> list[PlacedSession]:
        """The sessions with start <= ended_at < end (POSIX seconds), from the oldest."""
        first, last = (bisect_left(self._ordered, at, key=_ended_at) for at in (start, end))
        return self._ordered[first:last]

    def absorb(
        self,
        sessions: Iterable[Session],
        clock: UnitClock,
        before: tuple[UnitClock, int] | None = None,
        earlier: Callable[[Session], PlacedSession | None] = lambda _: None,
    ) -> list[tuple[PlacedSession | None, PlacedSession]]:
        """Merge sessions of an answer; return those that are new, or of which more is known now.

        Each as it was in the log before (None if it was not), and as it is now.
        clock: the unit's, as of that answer. before: see UnitClock.place.
        earlier: a session as it was while it was active.
        A session keeps the instants that it was first given.
        """
        changed = []
        for session in sessions:
            known = self._index.find(session)
            if known is not None and not _adds(known, session):
                continue
            placed = PlacedSession.of(session, clock, before, earlier(session))
            if merged := self._merge(known, placed):
                changed.append((known, merged))
        return changed

    def restore(self, sessions: Iterable[PlacedSession]) -> None:
        """Merge sessions that were logged before."""
        # In order, each is added at the end: a hundred thousand in a fraction of a second.
        for session in sorted(sessions, key=_ended_at):
            self._merge(self._index.find(session), session)

    def _merge(self, known: PlacedSession | None, new: PlacedSession) -> PlacedSession | None:
        """Add a session, or what it adds to a known one; return it if there was something."""
        if known is None:
            if len(self) >= self._limit and new.ended_at <= self._ordered[0].ended_at:
                return None  # it would be the first to go
            merged = new
        else:
            merged = replace(
                known,
                **{
                    name: getattr(new, name)
                    for name, _ in _FIELDS
                    if getattr(known, name) is None and getattr(new, name) is not None
                },
            )
            if merged == known:
                return None
            self._remove(known)
        self._index.add(merged)
        insort(self._ordered, merged, key=_ended_at)
        if len(self._ordered) > self._limit:
            self._remove(self._ordered[0])
        return merged

    def _remove(self, session: PlacedSession) -> None:
        """Take a session out."""
        self._index.remove(session)
        index = bisect_left(self._ordered, session.ended_at, key=_ended_at)
        while self._ordered[index] is not session:
            index += 1
        del self._ordered[index]


def _ended_at(session: PlacedSession) -> int:
    return session.ended_at


def _adds(known: PlacedSession, session: Session) -> bool:
    """Whether a session has something that is not known of it yet."""
    return any(
        getattr(known, ours) is None and getattr(session, theirs) is not None
        for ours, theirs in _FIELDS
    )
