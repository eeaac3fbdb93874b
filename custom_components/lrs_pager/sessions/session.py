"""A session, placed in time, and how it is found among others."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..transmitter import REMOVED, Session

# The longest wait or response in seconds. No guest waits for a day: what seems longer means that
# the unit's clock was set in between.
MAX_DURATION = 24 * 3600

# Seconds from which an active session of an earlier business day was not cleared at closing. Guests
# who are at the door when a business day begins have waited for less.
LEFT_OVER_AFTER = 3 * 3600

# Seconds within which a session that was never paged and is removed is a slip at the keypad.
SLIP = 60

# Seconds past its goal from which a session is late. Stamps are cut to whole seconds, and a wait
# of exactly the goal is on time. A unit may page by itself when the goal runs out, as the vendor's
# examples suggest: its message is then still under way in that second.
LATE_AFTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSession:
    """A session with its instants and durations.

    created, notified, cleared: the unit's own stamps, ISO 8601 without a zone. created_at,
    notified_at, cleared_at: the instants that they mean (POSIX seconds); at least one is known.
    wait: seconds from created to notified. response: seconds from notified to cleared.
    goal: as of `transmitter.Session`, but 0 in old logs, which means no goal.
    is_by_age: whether the instants follow from our own clock (see transmitter/clock.py).
    quoted: the wait in seconds that was quoted when the session began; None if none was.
    first_goal: the goal at that time, as it may be changed later. The unit knows neither.
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
    notified: str | None = None
    cleared: str | None = None
    created_at: int | None = None
    notified_at: int | None = None
    cleared_at: int | None = None
    wait: int | None = None
    response: int | None = None
    is_by_age: bool = False
    quoted: int | None = None
    first_goal: int | None = None

    @property
    def keys(self) -> list[str]:
        """The keys by which the session is found; the first is its identity.

        They are its uuid, and its id with its creation. The second tells sessions apart where there
        are no uuids, and recognises one that is told once with its uuid and once without it.
        """
        return [key for key in (self.uuid, creation(self.id, self.created)) if key]

    @property
    def is_paged(self) -> bool:
        """Whether the guest was paged."""
        return self.notified_at is not None

    @property
    def is_removed(self) -> bool:
        """Whether the session was taken off the list rather than cleared."""
        return self.clear_type == REMOVED

    @property
    def late_at(self) -> int | None:
        """The instant from which a waiting guest is late; None without a goal or a creation."""
        if self.created_at is None or not self.goal:
            return None
        return self.created_at + self.goal + LATE_AFTER

    @property
    def goal_at(self) -> int | None:
        """When the guest should be paged at the latest; None without a goal or a creation."""
        return None if self.late_at is None else self.late_at - LATE_AFTER

    @property
    def was_late(self) -> bool | None:
        """Whether the guest was paged late; None if the wait or the goal is not known."""
        if self.wait is None or not self.goal:
            return None
        return self.wait >= self.goal + LATE_AFTER

    @property
    def was_late_at_first(self) -> bool | None:
        """As `was_late`, by the goal that the session had when it began, if that is known."""
        if self.first_goal is None:
            return self.was_late
        return replace(self, goal=self.first_goal).was_late

    @property
    def is_slip(self) -> bool:
        """Whether this was no guest, but a number that was mistyped and taken back.

        Such a session is removed within SLIP seconds, and never paged.
        """
        if (
            self.is_paged
            or not self.is_removed
            or self.created_at is None
            or self.cleared_at is None
        ):
            return False
        return 0 <= self.cleared_at - self.created_at < SLIP

    @property
    def ended_at(self) -> int:
        """When the session was cleared; if that is not known, its latest known instant.

        All archived sessions are cleared ones (the vendor's page), even if they lack that stamp.
        """
        return self.cleared_at or self.notified_at or self.created_at or 0

    def is_left_over(self, day_start: int, now: float) -> bool:
        """Whether this active session is of an earlier business day: not cleared at closing.

        day_start: when the present business day began. Both are POSIX seconds.
        """
        start = self.created_at
        return start is not None and start < day_start and now - start >= LEFT_OVER_AFTER

    def paged(self, at: int) -> PlacedSession:
        """The session, paged at an instant (POSIX seconds) of which there is no stamp."""
        waited = None if self.created_at is None else at - self.created_at
        is_wait = waited is not None and 0 <= waited <= MAX_DURATION
        return replace(self, notified_at=at, wait=waited if is_wait else None)

    def shifted(self, seconds: int) -> PlacedSession:
        """The session with later instants (earlier ones if seconds < 0), as our clock was set."""
        return replace(
            self,
            **{
                name: value + seconds
                for name in ("created_at", "notified_at", "cleared_at")
                if (value := getattr(self, name)) is not None
            },
        )

    def seen_before(self, earlier: PlacedSession) -> PlacedSession:
        """This session, which is told again, merged with what was known of it.

        Stamps (but for created), instants with is_by_age, durations, quoted and first_goal stay as
        they were known first. The other fields are as told last; if one is left out now, it is as
        before, but a label that is left out was taken off.
        """
        told_last = ("id", "uuid", "created", "number", "party_size", "goal", "clear_type")
        if self.notified is not None and earlier.notified is None:
            # An instant without a stamp (see `paged`) gives way to the unit's stamp.
            earlier = replace(earlier, notified_at=None, wait=None, response=None)
        return replace(
            self,
            **_known(earlier, (name for name in told_last if getattr(self, name) is None)),
            **_known(earlier, ("notified", "cleared", "wait", "response")),
            **_known(earlier, ("created_at", "notified_at", "cleared_at")),
            **_known(earlier, ("quoted", "first_goal")),
            is_by_age=earlier.is_by_age,
        )

    def completed_by(self, older: PlacedSession) -> PlacedSession:
        """This session, whose unknown fields are taken from a message from before its end.

        The label is not, which may have been taken off since, nor how the session ended.
        """
        missing = {name for name in self.__slots__ if getattr(self, name) is None}
        missing -= {"label", "clear_type"}
        return replace(self, **_known(older, missing))


class SessionIndex:
    """Finds sessions by their keys (see PlacedSession.keys)."""

    def __init__(self, sessions: Iterable[PlacedSession] = ()) -> None:
        """Begin with some sessions."""
        self._by_key: dict[str, PlacedSession] = {}
        for session in sessions:
            self.add(session)

    def find(self, session: Session | PlacedSession) -> PlacedSession | None:
        """Find a session; None if it is not there."""
        for key in keys_of(session):
            found = self._by_key.get(key)
            if found and not are_two(session, found):
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


def iso(stamp: datetime | None) -> str | None:
    """A stamp of the unit as text."""
    return stamp.isoformat() if stamp else None


def creation(session_id: int | None, created: str | None) -> str | None:
    """The key of a session that needs no uuid; None without id or creation."""
    return None if session_id is None or created is None else f"{session_id}@{created}"


def keys_of(session: Session | PlacedSession) -> list[str]:
    """The keys of a session; see PlacedSession.keys."""
    if isinstance(session, PlacedSession):
        return session.keys
    return [key for key in (session.uuid, creation(session.id, iso(session.created))) if key]


def are_two(told: Session | PlacedSession, known: PlacedSession) -> bool:
    """Whether sessions with the same id and creation are two sessions nevertheless.

    After a reset, ids may begin anew, and so may creations if the clock was reset, too: the uuids
    then tell them apart. But a unit may also make new uuids as it boots: then all else is the same.
    """
    if not told.uuid or not known.uuid or told.uuid == known.uuid:
        return False
    steps = [(s.number, _text(s.notified), _text(s.cleared)) for s in (told, known)]
    return steps[0] != steps[1] or None in (told.number, told.cleared)


def _text(stamp: datetime | str | None) -> str | None:
    return iso(stamp) if isinstance(stamp, datetime) else stamp


def _known(session: PlacedSession, names: Iterable[str]) -> dict[str, Any]:
    """The named fields of a session that are not None."""
    return {name: value for name in names if (value := getattr(session, name)) is not None}
