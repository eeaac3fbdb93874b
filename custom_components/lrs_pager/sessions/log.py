"""Every archived session ever seen: a set, by identity.

The transmitter may forget its history, cut it or start again from id 1. The log doesn't: each
answer is merged into it, in any order and any number of times, and what is shown is taken from
the log alone. It knows nothing of Home Assistant or of disks (session_store.py keeps it there).
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace

from ..transmitter import Session, UnitClock
from .record import ended_at, numbers, pack, unpack, uuid_bytes
from .session import PlacedSession, creation

# Sessions that are kept: with 270 guests a day, a year. In memory they are some 24 MB, on disk
# 25 MB. Beyond that the oldest go; Home Assistant's long-term statistics outlive them.
MAX_SESSIONS = 100_000

# The fields, and those of a transmitter's session that they come from.
_FIELDS = tuple((field.name, field.name.removesuffix("_at")) for field in fields(PlacedSession))


class SessionLog:
    """The set of sessions.

    `absorb` takes from an answer, `restore` from the disk; both merge. To find a session and to
    add the latest takes the same time however many there are. In memory each is a record of a
    hundred bytes (session_record.py), and is unpacked where it is asked for.
    """

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        """Start empty; beyond `limit` sessions, the oldest go."""
        self._limit = limit
        # How often it has changed: what was worked out from it holds for as long as that stays.
        self.changes = 0
        self._ordered: list[bytes] = []  # by ended_at
        self._by_uuid: dict[int | str, bytes] = {}
        # Those that have no uuid, by id and creation.
        self._bare: dict[str | None, bytes] = {}
        # Those that have one, in the same way, for an answer that leaves uuids out. No unit is
        # known to do that, so it is made when one does.
        self._by_creation: dict[str | None, bytes] | None = None

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._ordered)

    def __iter__(self) -> Iterator[PlacedSession]:
        """All, from the oldest, as they are now."""
        return map(unpack, tuple(self._ordered))

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session, by identity."""
        record = self._find(session)
        return None if record is None else unpack(record)

    @property
    def latest(self) -> PlacedSession | None:
        """The session that ended last."""
        return unpack(self._ordered[-1]) if self._ordered else None

    def between(self, start: int, end: int) -> list[PlacedSession]:
        """The sessions with start <= ended_at < end (POSIX seconds), from the oldest."""
        first, last = (bisect_left(self._ordered, at, key=ended_at) for at in (start, end))
        return [unpack(record) for record in self._ordered[first:last]]

    def numbers(self, start: int) -> set[int]:
        """The pagers of the sessions with ended_at >= start (POSIX seconds)."""
        return numbers(self._ordered[bisect_left(self._ordered, start, key=ended_at) :])

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
            record = self._find(session)
            known = None if record is None else unpack(record)
            if known is not None and not _adds(known, session):
                continue
            placed = PlacedSession.of(session, clock, before, earlier(session))
            if merged := self._merge(record, placed):
                changed.append((known, merged))
        return changed

    def restore(self, sessions: Iterable[PlacedSession]) -> None:
        """Merge sessions that were logged before."""
        # In order, each is added at the end: a hundred thousand in a second or so.
        for session in sorted(sessions, key=lambda session: session.ended_at):
            self._merge(self._find(session), session)

    def _find(self, session: Session | PlacedSession) -> bytes | None:
        """Find a session's record."""
        # After a reset ids may begin anew, and creations with a clock that was reset too: two
        # sessions with different uuids are two.
        if session.uuid:
            if record := self._by_uuid.get(_uuid_key(session.uuid)):
                return record
            return self._bare.get(creation(session)) if self._bare else None
        key = creation(session)
        return self._bare.get(key) or self._creations().get(key)

    def _creations(self) -> dict[str | None, bytes]:
        """The sessions with a uuid, by id and creation."""
        if self._by_creation is None:
            self._by_creation = {}
            for record in self._ordered:
                session = unpack(record)
                if session.uuid:
                    self._by_creation.setdefault(creation(session), record)
            self._by_creation.pop(None, None)
        return self._by_creation

    def _merge(self, known: bytes | None, new: PlacedSession) -> PlacedSession | None:
        """Add a session, or what it adds to a known one; return it if there was something."""
        if known is None:
            if len(self) >= self._limit and new.ended_at <= ended_at(self._ordered[0]):
                return None  # it would be the first to go
            merged = new
        else:
            session = unpack(known)
            merged = replace(
                session,
                **{
                    name: getattr(new, name)
                    for name, _ in _FIELDS
                    if getattr(session, name) is None and getattr(new, name) is not None
                },
            )
            if merged == session:
                return None
            self._remove(known)
        self._add(merged)
        if len(self._ordered) > self._limit:
            self._remove(self._ordered[0])
        return merged

    def _add(self, session: PlacedSession) -> None:
        """Put a session in."""
        self.changes += 1
        record = pack(session)
        if session.uuid:
            self._by_uuid[_uuid_key(session.uuid)] = record
            if self._by_creation is not None and (key := creation(session)):
                self._by_creation.setdefault(key, record)
        else:
            self._bare[creation(session)] = record
        if not self._ordered or session.ended_at >= ended_at(self._ordered[-1]):
            self._ordered.append(record)
        else:
            insort(self._ordered, record, key=ended_at)

    def _remove(self, record: bytes) -> None:
        """Take a session out."""
        session = unpack(record)
        key = creation(session)
        if session.uuid:
            del self._by_uuid[_uuid_key(session.uuid)]
            if self._by_creation and self._by_creation.get(key) is record:
                del self._by_creation[key]
        else:
            del self._bare[key]
        index = bisect_left(self._ordered, session.ended_at, key=ended_at)
        while self._ordered[index] is not record:
            index += 1
        del self._ordered[index]


def _uuid_key(uuid: str) -> int | str:
    """A uuid as a key: a number takes half the room of its text."""
    return int.from_bytes(uuid_bytes(uuid)) or f"uuid {uuid}"


def _adds(known: PlacedSession, session: Session) -> bool:
    """Whether a session has something that is not known of it yet."""
    return any(
        getattr(known, ours) is None and getattr(session, theirs) is not None
        for ours, theirs in _FIELDS
    )
