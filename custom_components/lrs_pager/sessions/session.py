"""A session, placed in time.

The transmitter stamps sessions with its own clock; here they have the instants that they were
given when they were first seen, active or archived. Nothing of Home Assistant in here.
"""

from dataclasses import dataclass, replace

from ..transmitter import REMOVED, Instants, Session, UnitClock

# Seconds above which a wait or a response is none: the unit's clock was set in between, as no
# guest waits for a day.
MAX_DURATION = 24 * 3600

# Seconds past its goal from which a session is late. Stamps are cut to whole seconds, and a wait
# of exactly the goal is on time. A unit may page by itself when the goal runs out, as the vendor's
# examples suggest: then its message is under way in that second.
LATE_AFTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSession:
    """A session with its instants.

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
    def of(
        cls,
        session: Session,
        clock: UnitClock,
        before: tuple[UnitClock, int] | None = None,
        earlier: PlacedSession | None = None,
    ) -> PlacedSession:
        """Place a session. clock, before: see UnitClock.place. earlier: as it was told before."""
        new = unplaced(session, earlier)
        instants = clock.place(new, before) if new else Instants(None, None, None)
        placed = cls(
            id=session.id,
            uuid=session.uuid,
            number=session.number,
            party_size=session.party_size,
            goal=session.goal,
            clear_type=session.clear_type,
            label=session.label,
            created=stamp(session),
            created_at=instants.created,
            notified_at=instants.notified,
            cleared_at=instants.cleared,
        )
        return placed.seen_before(earlier) if earlier else placed

    @property
    def keys(self) -> list[str]:
        """What it is known by: its uuid, and its id with its creation.

        The second is what tells sessions apart where there are no uuids, and what recognises
        one that came with its uuid once and without it another time.
        """
        return _keys(self)

    @property
    def is_paged(self) -> bool:
        """Whether the guest was paged."""
        return self.notified_at is not None

    @property
    def is_removed(self) -> bool:
        """Whether it was taken off the list rather than cleared."""
        return self.clear_type == REMOVED

    @property
    def goal_at(self) -> int | None:
        """When the guest should be paged at the latest."""
        if self.created_at is None or self.goal is None:
            return None
        return self.created_at + self.goal

    def is_late(self, now: float) -> bool:
        """Whether the guest still waits, longer than the goal. now: POSIX seconds."""
        return not self.is_paged and self.goal_at is not None and now >= self.goal_at + LATE_AFTER

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

    def seen_before(self, earlier: PlacedSession) -> PlacedSession:
        """The same session, told again: its first instants stay, and what is left out now.

        A label that is left out was taken off.
        """
        return replace(
            self,
            **{
                name: value
                for name in ("id", "uuid", "created", "number", "party_size", "goal", "clear_type")
                if getattr(self, name) is None and (value := getattr(earlier, name)) is not None
            },
            **{
                name: value
                for name in ("created_at", "notified_at", "cleared_at")
                if (value := getattr(earlier, name)) is not None
            },
        )


class SessionIndex:
    """Finds sessions by what they are known by."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_key: dict[str, PlacedSession] = {}

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session."""
        for key in _keys(session):
            found = self._by_key.get(key)
            # After a reset ids may begin anew, and creations with a clock that was reset too:
            # two sessions with different uuids are two.
            if found and not (session.uuid and found.uuid and session.uuid != found.uuid):
                return found
        return None

    def add(self, session: PlacedSession) -> None:
        """Add a session that is not there."""
        for key in session.keys:
            self._by_key.setdefault(key, session)

    def remove(self, session: PlacedSession) -> None:
        """Take a session out that was found here."""
        for key in session.keys:
            if self._by_key.get(key) is session:
                del self._by_key[key]


def unplaced(session: Session, earlier: PlacedSession | None) -> Session | None:
    """The session with the stamps alone that have no instant yet; None if there is none such.

    Those that it had before may be of the clock as it was then, before it was set.
    """
    if earlier is not None:
        session = replace(
            session,
            created=session.created if earlier.created_at is None else None,
            notified=session.notified if earlier.notified_at is None else None,
            cleared=session.cleared if earlier.cleared_at is None else None,
        )
    return session if session.created or session.notified or session.cleared else None


def stamp(session: Session) -> str | None:
    """The unit's own stamp of creation, as PlacedSession has it."""
    return session.created.isoformat() if session.created else None


def creation(session: Session | PlacedSession) -> str | None:
    """What a session is known by where it has no uuid: its id with its creation."""
    created = session.created if isinstance(session, PlacedSession) else stamp(session)
    return None if session.id is None or created is None else f"{session.id}@{created}"


def _keys(session: Session | PlacedSession) -> list[str]:
    """What a session is known by; the first is its identity."""
    return [key for key in (session.uuid, creation(session)) if key]


def _duration(start: int | None, end: int | None) -> int | None:
    """Seconds between two instants, if that can be."""
    if start is None or end is None or not 0 <= end - start <= MAX_DURATION:
        return None
    return end - start
