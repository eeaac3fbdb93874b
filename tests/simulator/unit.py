"""The T7470 itself: a synchronous state machine that knows neither CoAP nor asyncio.

Where the vendor's pages are silent, the simplest behaviour was chosen and the choice is
named beside it; what a client could stumble over is an option.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
import random
from typing import Concatenate, Literal, Unpack
from uuid import UUID

from .ledger import ArchivedSession, Ledger
from .session import NoSuchSessionError, Page, Session, SessionFields, Wire, wire_time
from .statistics import NEVER_CLEARED, Statistics

type ChangeKind = Literal[
    "created", "updated", "paged", "cleared", "removed", "settings", "rebooted"
]

# The constant name of the type of transmitter, and the firmware of all vendor examples.
DEVICE_NAME = "T7470"
FIRMWARE_VERSION = "8.4.100.43"

# An example shows sessionSequence 65535, so the counters look like 16 bits wide.
SEQUENCE_MODULUS = 0x10000

# What that example shows beside a globalSessionSequence of 116: read here as "not changed
# since the unit started".
UNCHANGED_SINCE_START = 0xFFFF

# The documented defaults of POST /v1/page, for guest and for staff pagers.
GUEST_PAGE_MODE = "Flash30Sec"
STAFF_PAGE_MODE = "Vibe1"


def of_one_moment[**P, T](
    change: Callable[Concatenate[Unit, P], T],
) -> Callable[Concatenate[Unit, P], T]:
    """Have all that a change of a session does, and tells, be of the moment when it began."""

    @wraps(change)
    def changed(unit: Unit, /, *args: P.args, **fields: P.kwargs) -> T:
        with unit.at_one_moment():
            return change(unit, *args, **fields)

    return changed


def system_time() -> datetime:
    """Return this computer's local wall time, naive."""
    return datetime.now()


@dataclass(frozen=True)
class Change:
    """What a listener is told; session is None for settings and rebooted."""

    kind: ChangeKind
    session: Session | None = None


@dataclass
class LastChange:
    """When a resource last changed, by the unit's clock, and how often it ever has."""

    at: datetime
    count: int = 0


@dataclass(kw_only=True, eq=False)
class Unit:
    """One transmitter: its clock, settings, sessions, history and statistics."""

    now: Callable[[], datetime] = system_time
    """The true wall time, naive. The unit's clock is this plus skew."""
    skew: timedelta = timedelta()
    frozen_at: datetime | None = None
    """Where the unit's clock stands still, if it does."""
    seed: int = 1
    """Of the uuids."""
    system_id: int = 0
    default_target_goal: int = 300
    statistics_clear_mark: int = NEVER_CLEARED
    firmware_version: str = FIRMWARE_VERSION
    sequence: int = 0
    """globalSessionSequence, which wraps at 65536."""
    next_id: int = 1
    history_party_size: bool = False
    history_limit: int | None = None
    """How many sessions the history holds before the oldest fall out; None is no limit."""
    auto_page: bool = False
    """Page by itself when the goal runs out, as the times in the examples suggest."""
    wipe_bumps_sequence: bool = False
    staff_pagers: Container[int] = ()
    """Numbers that are staff pagers, whose default page mode differs."""

    active: dict[int, Session] = field(init=False, default_factory=dict)
    """By pager number: one number carries one active session at most."""
    history: list[Wire] = field(init=False, default_factory=list)
    pages: list[Page] = field(init=False, default_factory=list)
    ledger: Ledger = field(init=False, default_factory=Ledger)
    listeners: list[Callable[[Change], None]] = field(init=False, default_factory=list)
    """Called after each change, in the order in which the changes happen."""

    def __post_init__(self) -> None:
        """Start with empty statistics, at the unit's present time."""
        self._random = random.Random(self.seed)
        self._moment: datetime | None = None
        self.sessions_changed = LastChange(self.time())
        self.history_changed = LastChange(self.time())
        self.clear_statistics()

    # ------------------------------------------------------------------ clock

    def time(self) -> datetime:
        """Return what the unit's clock shows: naive, in whole seconds."""
        if self.frozen_at is not None:
            return self.frozen_at.replace(microsecond=0)
        return ((self._moment or self.now()) + self.skew).replace(microsecond=0)

    def set_clock(self, shown: datetime) -> None:
        """Make the unit's clock show this naive time now; it runs on from there."""
        if self.frozen_at is not None:
            self.frozen_at = shown
        else:
            self.skew = shown - (self._moment or self.now())

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let what is done inside happen at that true wall time instead of now."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    def at_one_moment(self) -> AbstractContextManager[None]:
        """Let the true wall time stand still for what is done inside."""
        return self.at(self._moment or self.now())

    def catch_up(self) -> None:
        """Do what the unit does by itself as its clock goes on.

        Whoever drives the unit calls this before each request or event; nothing happens
        by itself in between.
        """
        if self.auto_page:
            self._page_overdue()
        if self._statistics.due(self.statistics_clear_mark, self.time()):
            self.clear_statistics()

    def _page_overdue(self) -> None:
        due = sorted(
            (session.created + timedelta(seconds=session.goal), number)
            for number, session in self.active.items()
            if session.notified is None
        )
        for moment, number in due:
            if moment <= self.time():
                with self.at(moment - self.skew):
                    self.page(number)

    # --------------------------------------------------------------- sessions

    @of_one_moment
    def create(self, number: int, **fields: Unpack[SessionFields]) -> Session:
        """Start a session on that pager, or update the one that is active there.

        The page of POST says it does either.
        """
        if number in self.active:
            return self.update(number, **fields)
        session = Session(
            id=self.next_id,
            uuid=str(UUID(int=self._random.getrandbits(128), version=4)),
            number=number,
            goal=fields.get("goal", self.default_target_goal),
            created=self.time(),
            party_size=fields.get("party_size", 1),
            label=fields.get("label"),
        )
        self.next_id += 1
        self._statistics.created += 1
        self.active[number] = session
        return self._changed("created", session)

    @of_one_moment
    def update(self, number: int, **fields: Unpack[SessionFields]) -> Session:
        """Change what is given and no more. Raises NoSuchSessionError."""
        session = self.session(number)
        session.goal = fields.get("goal", session.goal)
        session.label = fields.get("label", session.label)
        session.party_size = fields.get("party_size", session.party_size)
        return self._changed("updated", session)

    @of_one_moment
    def page(self, number: int, mode: str | None = None) -> Session:
        """Page the guest. Raises NoSuchSessionError.

        A second page goes on air like the first but leaves notified alone, since the
        wait it measures has ended.
        """
        session = self.session(number)
        if session.notified is None:
            session.notified = self.time()
            self._statistics.serve(session)
        self._send(number, mode)
        return self._changed("paged", session)

    @of_one_moment
    def clear(self, number: int) -> Session:
        """End the session as STOP. Raises NoSuchSessionError."""
        return self._archive(self.session(number), "STOP", "cleared")

    @of_one_moment
    def remove(self, number: int) -> Session:
        """End the session as REMOVED. Raises NoSuchSessionError."""
        return self._archive(self.session(number), "REMOVED", "removed")

    def clear_all(self) -> None:
        """Clear every active session, each a change of its own."""
        for number in list(self.active):
            self.clear(number)

    def session(self, number: int) -> Session:
        """Return the active session on that pager. Raises NoSuchSessionError."""
        try:
            return self.active[number]
        except KeyError:
            raise NoSuchSessionError(f"no active session with number {number}") from None

    def send_page(
        self,
        number: int,
        mode: str | None = None,
        message: str | None = None,
        system_id: int | None = None,
    ) -> None:
        """Page without a session, which changes nothing but what was on air."""
        self._send(number, mode, message, system_id)

    def _send(
        self,
        number: int,
        mode: str | None,
        message: str | None = None,
        system_id: int | None = None,
    ) -> None:
        default = STAFF_PAGE_MODE if number in self.staff_pagers else GUEST_PAGE_MODE
        system_id = self.system_id if system_id is None else system_id
        self.pages.append(Page(self.time(), number, mode or default, message, system_id))

    def _archive(
        self, session: Session, clear_type: str, kind: Literal["cleared", "removed"]
    ) -> Session:
        session.cleared = self.time()
        del self.active[session.number]
        self.history.append(session.history_wire(clear_type, party_size=self.history_party_size))
        if self.history_limit is not None:
            del self.history[: max(0, len(self.history) - self.history_limit)]
        self._touch(self.history_changed)
        self.ledger.append(ArchivedSession.of(session, clear_type, session.cleared))
        return self._changed(kind, session)

    def _changed(self, kind: ChangeKind, session: Session) -> Session:
        self._bump()
        session.sequence = self.sequence
        self._touch(self.sessions_changed)
        self._announce(Change(kind, session))
        return session

    def _bump(self) -> None:
        self.sequence = (self.sequence + 1) % SEQUENCE_MODULUS

    def _touch(self, resource: LastChange) -> None:
        resource.at = self.time()
        resource.count += 1

    def _announce(self, change: Change) -> None:
        for listener in tuple(self.listeners):
            listener(change)

    # ---------------------------------------------------------------- history

    def load_history(self, items: Iterable[Wire]) -> None:
        """Add these items to the history as they are, well-formed or not.

        The ledger does not hold them, since the unit did not see those sessions end.
        """
        self.history.extend(items)
        self._touch(self.history_changed)

    def wipe_history(self) -> None:
        """Forget all archived sessions."""
        self.history.clear()
        self._touch(self.history_changed)
        if self.wipe_bumps_sequence:
            self._bump()

    # ------------------------------------------------- statistics and settings

    def statistics(self) -> Wire:
        """Return the statistics object."""
        return self._statistics.wire()

    def clear_statistics(self) -> None:
        """Count from nothing again; sessions stay as they are."""
        self._statistics = Statistics(self.time())
        self._touch(self.sessions_changed)

    def settings(self) -> Wire:
        """Return the settings object."""
        return {
            "datetime": wire_time(self.time()),
            "systemId": self.system_id,
            "defaultTargetGoal": self.default_target_goal,
            "statisticsClearMark": self.statistics_clear_mark,
        }

    def set_settings(
        self,
        *,
        clock: datetime | None = None,
        system_id: int | None = None,
        default_target_goal: int | None = None,
        statistics_clear_mark: int | None = None,
    ) -> None:
        """Set what is given, at once, and announce it as one change."""
        if clock is not None:
            self.set_clock(clock)
        if system_id is not None:
            self.system_id = system_id
        if default_target_goal is not None:
            self.default_target_goal = default_target_goal
        if statistics_clear_mark is not None:
            self.statistics_clear_mark = statistics_clear_mark
        self._announce(Change("settings"))

    # ------------------------------------------------------------------ power

    def reboot(
        self,
        *,
        lose_history: bool = False,
        lose_active: bool = False,
        restart_sequence: bool = False,
        restart_ids: bool = False,
    ) -> None:
        """Start again, keeping what is not said to be lost.

        Listeners are told, so that a server can forget its observers.
        """
        if lose_history:
            self.wipe_history()
        if lose_active:
            self.active.clear()
        if restart_sequence:
            self.sequence = 0
            for session in self.active.values():
                session.sequence = UNCHANGED_SINCE_START
        if restart_ids:
            self.next_id = 1
        self._touch(self.sessions_changed)
        self._announce(Change("rebooted"))
