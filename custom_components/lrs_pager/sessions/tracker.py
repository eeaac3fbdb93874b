"""What happens to sessions: the one road for all that the transmitter tells.

Notifications, answers to commands, lists of active sessions and the history all come in here, in
any order and any number of times. A session goes one way, from started over paged to ended; what
a message says is compared with how far the session is known to have come, and each step is
announced once. Sessions that have ended go to the log.

Announced is what has just happened: not what was so when we began, nor what happened more than
MAX_EVENT_AGE ago, as after an hour without the network. That is in the log and in the figures of
the day. Only the history says whether a session was cleared or removed, so its end is announced
when that is known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from functools import partial
from typing import Any

from ..transmitter import CLEARED, PAGED, REMOVED, SLACK, STOP, TOLERANCE, Session, UnitClock
from .log import Change, Place
from .placing import by_our_clock, place, unplaced
from .session import PlacedSession, SessionIndex

# How old a step may be when we learn of it and still be announced: longer than any hiccup of the
# network or restart of the transmitter, and shorter than anybody would act on it.
MAX_EVENT_AGE = timedelta(minutes=15)

# How long the history may take to list a session that is over. It is announced without its
# clearType then: the history was deleted in between. One that nobody said was over is dropped.
CLEAR_TYPE_WAIT = timedelta(seconds=60)

# Seconds for which sessions that have ended are kept in mind, as a message may repeat them.
RECENT = 2 * 24 * 3600

# Stands for the setting of the unit's clock of sessions that were not seen before it was set.
UNKNOWN_SETTING = -1

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
    """A step of a session, and the session as it is after it.

    at: when we learnt of it (our clock, UTC).
    """

    step: Step
    session: PlacedSession
    at: datetime


@dataclass(slots=True)
class News:
    """What came of a message.

    ended: sessions that are over now, or of whose end more is known: for the log. is_doubtful:
    whether a session was left out, as its stamps don't fit the clock. That was set, and is to be
    read again.
    """

    events: list[SessionEvent] = field(default_factory=list)
    ended: list[PlacedSession] = field(default_factory=list)
    is_doubtful: bool = False


class _Whereabouts(Enum):
    """Where a session is that is not yet done with."""

    ACTIVE = auto()
    MISSING = auto()  # no longer listed; no message said why
    ENDED = auto()  # said to be over; it is in the log, but for its clearType


@dataclass(slots=True)
class _Tracked:
    """A session that is not yet done with.

    setting: of the unit's clock when it began. at: when we were last told of it; if the session is
    not active, when we learnt that.
    """

    session: PlacedSession
    at: datetime
    setting: int
    whereabouts: _Whereabouts = _Whereabouts.ACTIVE

    def seen(self, clock: UnitClock) -> PlacedSession:
        """The session with its instants by our own clock as it is set now, as far as is known.

        clock: the unit's, as it is now.
        """
        return by_our_clock(self.session, clock) if self.setting == clock.setting else self.session

    def is_missed(self, at: datetime) -> None:
        """Take note that it is not active any more; the history may know what became of it."""
        if self.whereabouts is _Whereabouts.ACTIVE:
            self.whereabouts, self.at = _Whereabouts.MISSING, at


class _Unfinished:
    """The sessions that are not yet done with."""

    def __init__(self) -> None:
        """Begin without any."""
        self._tracked: dict[str, _Tracked] = {}  # by identity
        self._index = SessionIndex()  # of the same

    def __iter__(self) -> Iterator[_Tracked]:
        """All of them, in the order in which they came."""
        return iter(tuple(self._tracked.values()))

    def find(self, session: Session | PlacedSession) -> _Tracked | None:
        """Find a session."""
        known = self._index.find(session)
        return self._tracked[known.keys[0]] if known else None

    def put(self, tracked: _Tracked) -> None:
        """Put a session in that is not there."""
        self._tracked[tracked.session.keys[0]] = tracked
        self._index.add(tracked.session)

    def pop(self, session: Session | PlacedSession) -> _Tracked | None:
        """Take a session out; it is done with, or about to be put in anew."""
        if (tracked := self.find(session)) is None:
            return None
        self._index.remove(tracked.session)
        return self._tracked.pop(tracked.session.keys[0])

    def change(self, tracked: _Tracked, session: PlacedSession) -> None:
        """Have the same session as it is known anew; what it is known by stays."""
        self._index.remove(tracked.session)
        tracked.session = session
        self._index.add(session)


class _Ended:
    """The sessions that have ended of late, and the one that ended last."""

    def __init__(self, sessions: Iterable[PlacedSession], latest: PlacedSession | None) -> None:
        """Begin with those of the log, from the oldest."""
        self.latest = latest
        self._sessions = list(sessions)
        self._index = SessionIndex(self._sessions)

    def find(self, session: Session) -> PlacedSession | None:
        """Find a session."""
        return self._index.find(session)

    def put(self, session: PlacedSession, at: datetime) -> None:
        """Keep a session in mind, in place of what it is found as; forget those of long ago."""
        known = self._index.find(session)
        if (
            self.latest is None
            or session.ended_at >= self.latest.ended_at
            or (known is not None and known is self.latest)
        ):
            self.latest = session
        if known:
            self._index.remove(known)
            self._sessions.remove(known)
        oldest = at.timestamp() - RECENT
        if session.ended_at >= oldest:
            self._index.add(session)
            self._sessions.append(session)
        while self._sessions and self._sessions[0].ended_at < oldest:
            self._index.remove(self._sessions.pop(0))


class SessionTracker:
    """The active sessions, and those that are over and wait for the history to say how.

    All times (`at`, `asked`) are our own clock, UTC; `clock` is the unit's, as it is now.
    knows_history: whether what the history had when we began was seen, so that all else is new.
    """

    def __init__(
        self,
        began: datetime,
        recent: Iterable[PlacedSession] = (),
        latest: PlacedSession | None = None,
        day_start: int = 0,
    ) -> None:
        """Begin without any active session.

        began: when that is. recent: the log's sessions of the last RECENT seconds. latest: its
        session that ended last. day_start: the hour at which a business day begins.
        """
        self._began = began.timestamp()
        self._day_start = day_start
        self._unfinished = _Unfinished()
        self._ended = _Ended(recent, latest)
        # Whether what was so when we began is known, so that all else is new.
        self._knows_active = False
        self.knows_history = False

    # ---------------------------------------------------------------------- what is known

    @property
    def active(self) -> tuple[PlacedSession, ...] | None:
        """The active sessions, from the oldest; None if they were never told."""
        if not self._knows_active:
            return None
        active = (t.session for t in self._unfinished if t.whereabouts is _Whereabouts.ACTIVE)
        return tuple(sorted(active, key=lambda session: session.created_at or 0))

    @property
    def latest(self) -> PlacedSession | None:
        """The session that ended last, of any day."""
        return self._ended.latest

    def active_by(self, clock: UnitClock) -> tuple[PlacedSession, ...] | None:
        """The same, each with its instants by our own clock as it is set now."""
        if (active := self.active) is None:
            return None
        seen = {tracked.session.keys[0]: tracked.seen(clock) for tracked in self._unfinished}
        return tuple(seen[session.keys[0]] for session in active)

    def find(self, session: Session) -> PlacedSession | None:
        """Find a session, active or ended of late, as it is known."""
        tracked = self._unfinished.find(session)
        return tracked.session if tracked else self._ended.find(session)

    @property
    def tracked(self) -> tuple[PlacedSession, ...]:
        """The sessions that are active, or over while the history has not said how."""
        return tuple(tracked.session for tracked in self._unfinished)

    @property
    def wants_history(self) -> bool:
        """Whether there is something that the history alone can tell."""
        return any(t.whereabouts is not _Whereabouts.ACTIVE for t in self._unfinished)

    @property
    def has_missing(self) -> bool:
        """Whether a session is no longer listed, while no message said why."""
        return any(t.whereabouts is _Whereabouts.MISSING for t in self._unfinished)

    # ------------------------------------------------------------------------- messages

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

        at: when they were told. asked: when the list was asked for, if these are all that are
        active; None if they are told because they have just changed. is_whole: False if some of
        that list could not be read.
        """
        news = News()
        sessions = list(sessions)
        if sessions and clock.is_stale:
            # What the unit's clock shows now decides what its stamps mean.
            return News(is_doubtful=True)
        listed = {
            self._see(session, clock, at, news, is_live=asked is None) for session in sessions
        }
        if asked is not None:
            for tracked in self._unfinished:
                # One that was told of while the list was under way may have begun after it.
                if is_whole and tracked.session.keys[0] not in listed and tracked.at < asked:
                    tracked.is_missed(at)
            self._knows_active = True
        return news

    def _see(
        self, session: Session, clock: UnitClock, at: datetime, news: News, *, is_live: bool
    ) -> str | None:
        """Merge one session; return its identity if it is active.

        is_live: whether it is told because it has just changed.
        """
        if ended := self._ended.find(session):
            self._see_ended(session, ended, clock, at, news)
            return None
        is_over = _is_over(session)
        if not is_over or session.clear_type not in (STOP, REMOVED):
            # A unit may have the field in all sessions; how one ended is for the history to say.
            session = replace(session, clear_type=None)
        before = self._unfinished.find(session)
        known = before.session if before else None
        is_same = None if before is None else before.setting == clock.setting
        placed = place(
            session, clock, day_start=self._day_start, earlier=known, is_same_setting=is_same
        )
        if session.state == PAGED and not placed.is_paged:
            placed = placed.paged(round(at.timestamp()))
        steps = _steps(known, placed)
        if is_live and (steps or is_over) and not _fits(unplaced(session, known), clock, at):
            # The next list, or the history, has it too, and what the clock shows.
            news.is_doubtful = True
            if is_over and before:
                before.is_missed(at)
            return None
        tracked = _Tracked(placed, at, before.setting if before else _setting(session, clock))
        self._unfinished.pop(session)
        if is_over:
            news.ended.append(placed)
            self._ended.put(placed, at)
            tracked.whereabouts = _Whereabouts.ENDED
        if placed.clear_type:
            steps.append(_end(placed))
        else:
            if is_live and not known:
                self._end_others(placed.number, at)
            self._unfinished.put(tracked)
        seen = tracked.seen(clock)
        if not known:
            steps = _first_news(self._began, steps, seen, is_live, self._knows_active)
        _announce(news.events, steps, placed, at, is_live=is_live, seen=seen)
        return None if is_over else placed.keys[0]

    def _see_ended(
        self, session: Session, ended: PlacedSession, clock: UnitClock, at: datetime, news: News
    ) -> None:
        """Merge a session that is over already; it may say more than the log knows."""
        placed = place(session, clock, day_start=self._day_start, earlier=ended)
        # One that is not over is told by a message that later ones have overtaken.
        placed = placed if _is_over(session) else ended.completed_by(placed)
        if placed != ended:
            news.ended.append(placed)
            self._ended.put(placed, at)

    def _end_others(self, number: int | None, at: datetime) -> None:
        """Take note that a pager has a new session: it has one at a time, so that others are over.

        Their end was missed, and there may be no sequence to tell so.
        """
        for tracked in self._unfinished:
            if number is not None and tracked.session.number == number:
                tracked.is_missed(at)

    # -------------------------------------------------------------------------- history

    def placing(
        self, clock: UnitClock, before: tuple[UnitClock, int] | None, names_since: float
    ) -> Place:
        """Return how the log is to place sessions of the history: for the log's own thread.

        before: see UnitClock.place. names_since: sessions that ended earlier lose their labels
        (POSIX seconds).
        """
        settings = {tracked.session.keys[0]: tracked.setting for tracked in self._unfinished}
        found = partial(_place_archived, SessionIndex(self.tracked), settings, names_since)
        return partial(found, clock=clock, before=before, day_start=self._day_start)

    def see_logged(
        self, changes: Sequence[Change], at: datetime, clock: UnitClock | None = None
    ) -> list[SessionEvent]:
        """Take note of what the history has changed in the log; return what is to be announced."""
        events: list[SessionEvent] = []
        for before, logged in changes:
            if tracked := self._unfinished.pop(logged):
                steps = [*_steps(tracked.session, logged), _end(logged)]
                is_live = tracked.whereabouts is _Whereabouts.ENDED
                seen = replace(tracked, session=logged).seen(clock) if clock else logged
                _announce(events, steps, logged, at, is_live=is_live, seen=seen)
            elif self.knows_history and not before:
                # It came and went unseen. What was so when we began may have been announced before
                # a restart. Where active sessions are never told, that it started is no news.
                steps = _steps(None, logged) if self._knows_active else []
                seen = by_our_clock(logged, clock) if clock else logged
                # Stamps have whole seconds.
                steps = [s for s in steps if (_instant(s, seen) or 0) >= int(self._began)]
                _announce(events, [*steps, _end(logged)], logged, at, seen=seen)
        return events

    def history_was_read(self, asked: datetime) -> list[SessionEvent]:
        """Take note that all was seen that the history had when it was asked for.

        Return the ends that are announced without a clearType, as it does not tell that.
        """
        self.knows_history = True
        for tracked in self._overdue(asked, _Whereabouts.MISSING):
            self._unfinished.pop(tracked.session)
        return self.history_is_late(asked)

    def history_is_late(self, at: datetime) -> list[SessionEvent]:
        """Return the ends that are announced without a clearType, as they waited for too long."""
        events: list[SessionEvent] = []
        for tracked in self._overdue(at, _Whereabouts.ENDED):
            self._unfinished.pop(tracked.session)
            _announce(events, [_end(tracked.session)], tracked.session, at, is_live=True)
        return events

    def _overdue(self, at: datetime, whereabouts: _Whereabouts) -> list[_Tracked]:
        """The sessions that are there for so long that the history should have listed them."""
        since = at - CLEAR_TYPE_WAIT
        return [t for t in self._unfinished if t.whereabouts is whereabouts and t.at <= since]

    def remember(self, changes: Iterable[Change], at: datetime) -> None:
        """Keep in mind how the log has ended sessions now."""
        for _, logged in changes:
            self._ended.put(logged, at)

    # ------------------------------------------------------------------------ our clock

    def shift(self, seconds: int) -> None:
        """Move the instants that follow from our own clock, as that was set."""
        self._began += seconds
        for tracked in self._unfinished:
            tracked.at += timedelta(seconds=seconds)
            if tracked.session.is_by_age:
                self._unfinished.change(tracked, tracked.session.shifted(seconds))

    # ----------------------------------------------------------------------- what is ours

    def quoted(self, session: PlacedSession, seconds: int | None) -> None:
        """Keep what was quoted when a session began, for as long as it is not done with."""
        if tracked := self._unfinished.find(session):
            known = tracked.session
            quoted = replace(known, quoted=seconds, first_goal=session.goal)
            self._unfinished.change(tracked, quoted.seen_before(known))


def _place_archived(
    active: SessionIndex,
    settings: Mapping[str, int],
    names_since: float,
    session: Session,
    logged: PlacedSession | None,
    **how: Any,
) -> PlacedSession:
    """Place a session of the history.

    active: the sessions that are not done with; settings: of the unit's clock when they began, by
    identity. names_since: see SessionTracker.placing. logged: the session as the log has it. how:
    the other arguments of `place`.
    """
    known = active.find(session)
    is_same_setting = settings[known.keys[0]] == how["clock"].setting if known else None
    earlier = logged or known
    placed = place(session, earlier=earlier, is_same_setting=is_same_setting, **how)
    return replace(placed, label=None) if placed.ended_at < names_since else placed


def _setting(session: Session, clock: UnitClock) -> int:
    """The setting of the unit's clock by which a session was stamped that is seen first now."""
    return clock.setting if clock.is_of_setting(session.created) else UNKNOWN_SETTING


def _is_over(session: Session) -> bool:
    """Whether a session that was told, other than by the history, has ended."""
    return session.cleared is not None or session.state in ENDED_STATES


def _steps(known: PlacedSession | None, now: PlacedSession) -> list[Step]:
    """What happened to a session since it was last known, but for its end."""
    steps = [] if known else [Step.STARTED]
    if now.is_paged and not (known and known.is_paged):
        steps.append(Step.PAGED)
    return steps


def _fits(session: Session | None, clock: UnitClock, at: datetime) -> bool:
    """Whether the newest stamp of a live message is within TOLERANCE of now.

    If not, the unit's clock was set and has to be read again. session: with new stamps alone; None
    if there is none.
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


def _since(began: float, steps: Iterable[Step], session: PlacedSession) -> list[Step]:
    """Those of the steps that happened at an instant or after it, as far as is known."""
    # Stamps have whole seconds.
    return [step for step in steps if (_instant(step, session) or began) >= began - 1]


def _first_news(
    began: float, steps: list[Step], session: PlacedSession, is_live: bool, knows_active: bool
) -> list[Step]:
    """The steps that are news, of a session that is told of for the first time.

    What happened before we began is none; of that, the first list may lack a part, which a later
    one has. But the last step in a message has just happened, whatever its stamp says.
    """
    if not is_live and not knows_active:
        return []
    if knows_active:
        # The first list mostly has who came before it. That a session is not in it tells more than
        # its stamps do, as the unit's clock may be known to some seconds only.
        began -= SLACK
    last = steps[-1:] if is_live and knows_active else []
    return [*_since(began, steps[: len(steps) - len(last)], session), *last]


def _announce(
    events: list[SessionEvent],
    steps: Iterable[Step],
    session: PlacedSession,
    at: datetime,
    *,
    is_live: bool = False,
    seen: PlacedSession | None = None,
) -> None:
    """Announce steps as far as they have just happened.

    is_live: whether the last has, whatever the unit's clock says. seen: the session with its
    instants by our own clock, as `at` is, if those of the session may be others.
    """
    steps = list(steps)
    for step in steps:
        instant = _instant(step, seen or session)
        is_recent = instant is None or instant >= (at - MAX_EVENT_AGE).timestamp()
        if is_recent or (is_live and step is steps[-1]):
            events.append(SessionEvent(step=step, session=session, at=at))
