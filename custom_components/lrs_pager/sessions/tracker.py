"""What happens to sessions: the one road for all that the transmitter tells.

Notifications, answers to commands, lists of active sessions and the history all come in here, in
any order and any number of times. A session goes one way, from started over paged to ended; what
a message tells is compared with how far it is known to have come, and each step is announced
once. What has ended goes to the log. Nothing of Home Assistant in here.

Announced is what is new. Not what was so when we began; nor what happened too long ago to act
on it (NEWS), as after an hour without the network: that is in the log and in the day's figures.
Only the history tells whether a session was cleared or removed, so its end is announced when
that is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from ..transmitter import CLEARED, PAGED, REMOVED, STOP, TOLERANCE, Session, UnitClock
from .log import SessionLog
from .session import PlacedSession, SessionIndex, unplaced

# How old a step may be when we learn of it and still be announced: longer than any hiccup of the
# network or restart of the transmitter, and shorter than anybody would act on it.
NEWS = timedelta(minutes=15)

# How long the history may take to list a session that is over. It is announced without its
# clearType then: the history was deleted in between. One that nobody said was over is dropped.
PATIENCE = timedelta(seconds=60)


# What `state` says when a session is over. The vendor's page has the first alone.
ENDED_STATES = (CLEARED, REMOVED.lower())


class Step(StrEnum):
    """What happens to a session, in the words of the vendor (and of the event entity)."""

    STARTED = "started"
    PAGED = "paged"
    CLEARED = "cleared"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """A step of a session, and the session as it is after it."""

    step: Step
    session: PlacedSession


@dataclass(slots=True)
class News:
    """What came of a message.

    changes: sessions that are new in the log (before: None), or better known there: before and
    after. is_doubtful: whether a session was left out, as its stamps don't fit the clock: that was
    set, and is to be read again.
    """

    events: list[SessionEvent] = field(default_factory=list)
    changes: list[tuple[PlacedSession | None, PlacedSession]] = field(default_factory=list)
    is_doubtful: bool = False

    @property
    def logged(self) -> list[PlacedSession]:
        """The sessions that are new in the log, or better known there."""
        return [session for _, session in self.changes]


class _Whereabouts(Enum):
    """Where a session is that is not yet done with."""

    ACTIVE = auto()
    MISSING = auto()  # no longer listed; nobody said why
    ENDED = auto()  # said to be over; it is in the log, but for its clearType


@dataclass(slots=True)
class _Tracked:
    """A session, and when we were last told of it; if it is not active, when we learnt that."""

    session: PlacedSession
    at: datetime
    whereabouts: _Whereabouts = _Whereabouts.ACTIVE

    def is_missed(self, at: datetime) -> None:
        """Take note that it is not active any more; the history may know what became of it."""
        if self.whereabouts is _Whereabouts.ACTIVE:
            self.whereabouts, self.at = _Whereabouts.MISSING, at


class SessionTracker:
    """The active sessions, and those that are over and wait for the history to say how.

    All times (`at`, `asked`) are our own clock, UTC.
    """

    def __init__(self, log: SessionLog, began: datetime) -> None:
        """Begin with a log, and without any active session. began: when that is."""
        self.log = log
        self._began = began.timestamp()
        self._tracked: dict[str, _Tracked] = {}  # by identity
        self._index = SessionIndex()  # of the same
        # Whether what was so when we began is known, so that all else is new.
        self._knows_active = False
        self._knows_history = False

    @property
    def active(self) -> tuple[PlacedSession, ...] | None:
        """The active sessions, from the oldest; None if they were never told."""
        if not self._knows_active:
            return None
        active = (t.session for t in self._tracked.values() if t.whereabouts is _Whereabouts.ACTIVE)
        return tuple(sorted(active, key=lambda session: session.created_at or 0))

    def find(self, session: Session) -> PlacedSession | None:
        """Find a session, active or over, as it is known."""
        return self._known(session) or self.log.find(session)

    @property
    def tracked(self) -> tuple[PlacedSession, ...]:
        """The sessions that are not done with: active, or over while nobody said how."""
        return tuple(tracked.session for tracked in self._tracked.values())

    @property
    def state(self) -> frozenset[tuple[str, bool]]:
        """Which sessions are active, and which of them were paged."""
        return frozenset((session.keys[0], session.is_paged) for session in self.active or ())

    @property
    def wants_history(self) -> bool:
        """Whether there is something that the history alone can tell."""
        return any(
            tracked.whereabouts is not _Whereabouts.ACTIVE for tracked in self._tracked.values()
        )

    @property
    def has_missing(self) -> bool:
        """Whether a session is no longer listed, while nobody said why."""
        return any(
            tracked.whereabouts is _Whereabouts.MISSING for tracked in self._tracked.values()
        )

    def see(
        self,
        sessions: Iterable[Session],
        clock: UnitClock,
        at: datetime,
        asked: datetime | None = None,
        *,
        is_whole: bool = True,
    ) -> News:
        """Merge sessions that the unit told of, other than by its history.

        clock: the unit's. at: when they were told. asked: when the list was asked for, if these
        are all that are active; None if they are told because they have just changed.
        is_whole: False if some of that list could not be read.
        """
        news = News()
        told = {self._see(session, clock, at, news, is_live=asked is None) for session in sessions}
        if asked is not None:
            for key, tracked in self._tracked.items():
                # One that was told of while the list was under way may have begun after it.
                if is_whole and key not in told and tracked.at < asked:
                    tracked.is_missed(at)
            self._knows_active = True
        return news

    def see_history(
        self,
        sessions: Iterable[Session],
        clock: UnitClock,
        at: datetime,
        before: tuple[UnitClock, int] | None = None,
    ) -> News:
        """Merge sessions of the history, all or some. before: see UnitClock.place."""
        news = News()
        for was_logged, logged in self.log.absorb(sessions, clock, before, self._known):
            news.changes.append((was_logged, logged))
            if tracked := self._pop(logged):
                steps = [*_steps(tracked.session, logged), _end(logged)]
                is_live = tracked.whereabouts is _Whereabouts.ENDED
                _announce(news, steps, logged, at, is_live=is_live)
            elif self._knows_history and not was_logged:
                # It came and went unseen. Where active sessions are never told, only its end is
                # announced: that it started is no news then.
                steps = _steps(None, logged) if self._knows_active else []
                _announce(news, [*steps, _end(logged)], logged, at)
        return news

    def history_is_complete(self, asked: datetime) -> News:
        """Take note that `see_history` was given all that the history had when it was asked for."""
        news = News()
        self._knows_history = True
        for tracked in list(self._tracked.values()):
            if tracked.whereabouts is not _Whereabouts.ACTIVE and tracked.at + PATIENCE <= asked:
                self._pop(tracked.session)
                if tracked.whereabouts is _Whereabouts.ENDED:
                    session = tracked.session
                    _announce(news, [_end(session)], session, asked, is_live=True)
        return news

    # -------------------------------------------------------------------- in between

    def _see(
        self, session: Session, clock: UnitClock, at: datetime, news: News, *, is_live: bool
    ) -> str | None:
        """Merge one session; return its identity if it is active.

        is_live: whether it is told because it has just changed.
        """
        if self.log.find(session):
            # Over already. If this says more of it than the log knows, that is welcome.
            news.changes += self.log.absorb([session], clock)
            return None
        is_over = session.cleared is not None or session.state in ENDED_STATES
        if not is_over or session.clear_type not in (STOP, REMOVED):
            # A unit may have the field in all sessions; how one ended is for the history to say.
            session = replace(session, clear_type=None)
        known = self._known(session)
        placed = PlacedSession.of(session, clock, earlier=known)
        if session.state == PAGED and not placed.is_paged:
            placed = replace(placed, notified_at=round(at.timestamp()))
        tracked = _Tracked(placed, at)
        steps = _steps(known, placed)
        if is_live and (steps or is_over) and not _fits(unplaced(session, known), clock, at):
            # The next list, or the history, has it too, and what the clock shows.
            news.is_doubtful = True
            if is_over and known:
                self._tracked[known.keys[0]].is_missed(at)
            return None
        self._pop(session)
        if is_over:
            news.changes += self.log.absorb([session], clock, earlier=lambda _: placed)
            tracked.whereabouts = _Whereabouts.ENDED
        if placed.clear_type:
            steps.append(_end(placed))
        else:
            if is_live and not known:
                self._end_others(placed.number, at)
            self._tracked[placed.keys[0]] = tracked
            self._index.add(placed)
        if not self._knows_active:
            # Nobody has told yet what was so when we began. Stamps have whole seconds.
            steps = [
                step
                for step in steps
                if is_live and (_instant(step, placed) or self._began) >= self._began - 1
            ]
        _announce(news, steps, placed, at, is_live=is_live)
        return None if is_over else placed.keys[0]

    def _end_others(self, number: int | None, at: datetime) -> None:
        """Take note that a pager has a new session: it has one at a time, so that others are over.

        Their end was missed, and there may be no sequence to tell so.
        """
        for tracked in self._tracked.values():
            if number is not None and tracked.session.number == number:
                tracked.is_missed(at)

    def _known(self, session: Session) -> PlacedSession | None:
        """A session as it was last told."""
        return self._index.find(session)

    def _pop(self, session: Session | PlacedSession) -> _Tracked | None:
        """Take a session out; it is done with, or about to be put in anew."""
        if (known := self._index.find(session)) is None:
            return None
        self._index.remove(known)
        return self._tracked.pop(known.keys[0])


def _steps(known: PlacedSession | None, now: PlacedSession) -> list[Step]:
    """What happened to a session since it was last known, but for its end."""
    steps = [] if known else [Step.STARTED]
    if now.is_paged and not (known and known.is_paged):
        steps.append(Step.PAGED)
    return steps


def _fits(session: Session | None, clock: UnitClock, at: datetime) -> bool:
    """Whether what has just happened was stamped about now, by the clock as we know it.

    session: with new stamps alone; None if there is none, and nothing that could not fit.
    """
    if session is None:
        return True
    placed = clock.place_alone(session)
    # The last step's, though the clock may have been put back since those before it.
    last = next(i for i in (placed.cleared, placed.notified, placed.created) if i is not None)
    return abs(at.timestamp() - last) <= TOLERANCE.total_seconds()


def _end(session: PlacedSession) -> Step:
    """How a session ended."""
    return Step.REMOVED if session.is_removed else Step.CLEARED


def _instant(step: Step, session: PlacedSession) -> int | None:
    """When a step happened."""
    instants = {Step.STARTED: session.created_at, Step.PAGED: session.notified_at}
    return instants.get(step, session.ended_at)


def _announce(
    news: News, steps: list[Step], session: PlacedSession, at: datetime, *, is_live: bool = False
) -> None:
    """Announce steps as far as they are news.

    is_live: whether the last has just happened, whatever the unit's clock says.
    """
    for step in steps:
        instant = _instant(step, session)
        is_recent = instant is None or instant >= (at - NEWS).timestamp()
        if is_recent or (is_live and step is steps[-1]):
            news.events.append(SessionEvent(step=step, session=session))
