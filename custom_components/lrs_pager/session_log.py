"""Every archived session ever seen: a set, by identity.

The transmitter may forget its history, cut it or start again from id 1. The log doesn't: each
answer is merged into it, in any order and any number of times, and what is shown is taken from
the log alone. It knows nothing of Home Assistant or of disks (session_store.py keeps it there).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from .transmitter import REMOVED, Instants, Session, UnitClock

# Sessions that are kept: with 270 guests a day, a year. In memory they are some 40 MB, on disk
# 25 MB. Beyond that the oldest go; Home Assistant's long-term statistics outlive them.
MAX_SESSIONS = 100_000

# Seconds above which a wait or a response is none: the unit's clock was set in between, as no
# guest waits for a day.
MAX_DURATION = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSession:
    """An archived session, with the instants it was given when it was first seen.

    created: the unit's own stamp, ISO 8601; with the id, it is the identity of a session
    without a uuid. Of created_at, notified_at and cleared_at (POSIX seconds) one is there.
    The other fields are those of `transmitter.Session`.
    """

    id: int | None = None
    uuid: str | None = None
    number: int | None = None
    party_size: int | None = None
    goal: int | None = None
    clear_type: str | None = None
    label: str | None = None
    created: str | None = None
    created_at: int | None = None
    notified_at: int | None = None
    cleared_at: int | None = None

    @classmethod
    def of(cls, session: Session, instants: Instants) -> LoggedSession:
        """Put a session and its instants together."""
        return cls(
            id=session.id,
            uuid=session.uuid,
            number=session.number,
            party_size=session.party_size,
            goal=session.goal,
            clear_type=session.clear_type,
            label=session.label,
            created=_stamp(session),
            created_at=instants.created,
            notified_at=instants.notified,
            cleared_at=instants.cleared,
        )

    @property
    def keys(self) -> list[str]:
        """What it is known by: its uuid, and its id with its creation.

        The second is what tells sessions apart where there are no uuids, and what recognises
        one that came with its uuid once and without it another time.
        """
        return _keys(self.uuid, self.id, self.created)

    @property
    def ended_at(self) -> int:
        """When the session was cleared; where the unit didn't say, the latest that it did say.

        All archived sessions are cleared ones (the vendor's page), whatever they lack.
        """
        return self.cleared_at or self.notified_at or self.created_at or 0

    @property
    def wait(self) -> int | None:
        """Seconds from being given the pager to being paged; None if never paged."""
        return _duration(self.created_at, self.notified_at)

    @property
    def response(self) -> int | None:
        """Seconds from being paged to the pager's return; None if either is not known."""
        return _duration(self.notified_at, self.cleared_at)

    @property
    def is_removed(self) -> bool:
        """Whether it was taken off the list rather than cleared."""
        return self.clear_type == REMOVED


def _keys(uuid: str | None, id_: int | None, created: str | None) -> list[str]:
    """What a session is known by; the first is its identity."""
    keys = [uuid] if uuid else []
    if id_ is not None and created is not None:
        keys.append(f"{id_}@{created}")
    return keys


def _duration(start: int | None, end: int | None) -> int | None:
    """Seconds between two instants, if that can be."""
    if start is None or end is None or not 0 <= end - start <= MAX_DURATION:
        return None
    return end - start


def _stamp(session: Session) -> str | None:
    """The unit's own stamp of creation, as LoggedSession has it."""
    return session.created.isoformat() if session.created else None


# The fields, and those of a transmitter's session that they come from.
_FIELDS = tuple((field.name, field.name.removesuffix("_at")) for field in fields(LoggedSession))


class SessionLog:
    """The set of sessions.

    `absorb` takes from an answer, `restore` from the disk; both merge. To find a session and to
    add the latest takes the same time however many there are.
    """

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        """Start empty; beyond `limit` sessions, the oldest go."""
        self._limit = limit
        self._by_key: dict[str, LoggedSession] = {}
        self._ordered: list[LoggedSession] = []  # by ended_at

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._ordered)

    def __iter__(self) -> Iterator[LoggedSession]:
        """All, from the oldest."""
        return iter(self._ordered)

    @property
    def latest(self) -> LoggedSession | None:
        """The session that ended last."""
        return self._ordered[-1] if self._ordered else None

    def between(self, start: int, end: int) -> list[LoggedSession]:
        """The sessions with start <= ended_at < end (POSIX seconds), from the oldest."""
        first, last = (bisect_left(self._ordered, at, key=_ended_at) for at in (start, end))
        return self._ordered[first:last]

    def absorb(
        self,
        sessions: Iterable[Session],
        clock: UnitClock,
        before: tuple[UnitClock, int] | None = None,
    ) -> list[LoggedSession]:
        """Merge sessions of an answer; return those that are new, or of which more is known now.

        clock: the unit's, as of that answer. before: see UnitClock.place.
        A session keeps the instants that it was first given.
        """
        changed = []
        for session in sessions:
            known = self._find(session.uuid, session.id, _stamp(session))
            if known is not None and not _adds(known, session):
                continue
            if merged := self._merge(
                known, LoggedSession.of(session, clock.place(session, before))
            ):
                changed.append(merged)
        return changed

    def restore(self, sessions: Iterable[LoggedSession]) -> None:
        """Merge sessions that were logged before."""
        # In order, each is added at the end: a hundred thousand in a fraction of a second.
        for session in sorted(sessions, key=_ended_at):
            self._merge(self._find(session.uuid, session.id, session.created), session)

    def _find(self, uuid: str | None, id_: int | None, created: str | None) -> LoggedSession | None:
        """Find a session by what it is known by."""
        for key in _keys(uuid, id_, created):
            found = self._by_key.get(key)
            # After a reset ids may begin anew, and creations with a clock that was reset too:
            # two sessions with different uuids are two.
            if found and not (uuid and found.uuid and uuid != found.uuid):
                return found
        return None

    def _merge(self, known: LoggedSession | None, new: LoggedSession) -> LoggedSession | None:
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
        for key in merged.keys:
            self._by_key.setdefault(key, merged)
        insort(self._ordered, merged, key=_ended_at)
        if len(self._ordered) > self._limit:
            self._remove(self._ordered[0])
        return merged

    def _remove(self, session: LoggedSession) -> None:
        """Take a session out."""
        for key in session.keys:
            if self._by_key.get(key) is session:
                del self._by_key[key]
        index = bisect_left(self._ordered, session.ended_at, key=_ended_at)
        while self._ordered[index] is not session:
            index += 1
        del self._ordered[index]


def _ended_at(session: LoggedSession) -> int:
    return session.ended_at


def _adds(known: LoggedSession, session: Session) -> bool:
    """Whether a session has something that is not known of it yet."""
    return any(
        getattr(known, ours) is None and getattr(session, theirs) is not None
        for ours, theirs in _FIELDS
    )
