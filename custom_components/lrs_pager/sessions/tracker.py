"""What happens to sessions: the one road for all that the transmitter tells.

Notifications, answers to commands, lists of active sessions and the history all come in here, in
any order and any number of times. A session goes one way, from started over paged to ended; what
a message says is compared with how far the session is known to have come, and each step is
announced once. Sessions that have ended go to the log.

Only steps that have just happened are announced: not those from before we began, nor those of more
than MAX_EVENT_AGE ago, as after an hour without the network. The log and the figures of the day
have these, too. Only the history says whether a session was cleared or removed, so that its end is
announced when this is known.
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

# How long the history may take to list a session that is over. After that, the end is announced
# without a clearType, as the history was deleted in between; a missing session is dropped.
CLEAR_TYPE_WAIT = timedelta(seconds=60)

# Seconds for which ended sessions are remembered, as a message may repeat them.
RECENT = 2 * 24 * 3600

# Stands for the unknown setting of the unit's clock that stamped a session: it was set before we
# saw the session first.
UNKNOWN_SETTING = -1

# The values of `state` for a session that is over. The vendor's page has only the first.
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

    events: what is to be announced. ended: sessions that are over now, or whose end is known better
    now, for the log. is_doubtful: whether a session was left out, as its stamps don't fit the
    unit's clock: that was set, and has to be read again.
    """

    events: list[SessionEvent] = field(default_factory=list)
    ended: list[PlacedSession] = field(default_factory=list)
    is_doubtful: bool = False


class _Whereabouts(Enum):
    """How far a session has come that is not done with."""

    ACTIVE = auto()
    MISSING = auto()  # not listed any more, and no message said why
    ENDED = auto()  # over; the log has it without a clearType


@dataclass(slots=True)
class _Tracked:
    """A session that is not done with: it is active, or the history has not said how it ended.

    setting: of the unit's clock when the session began. at: when we were last told of the session;
    if it is not active, when we learnt that.
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
        """Take note that the session is missing; the history may know what became of it."""
        if self.whereabouts is _Whereabouts.ACTIVE:
            self.whereabouts, self.at = _Whereabouts.MISSING, at


class _Unfinished:
    """The sessions that are not done with."""

    def __init__(self) -> None:
        """Begin without any."""
        self._tracked: dict[str, _Tracked] = {}  # by identity
        self._index = SessionIndex()  # of the same sessions

    def __iter__(self) -> Iterator[_Tracked]:
        """All of them, in the order in which they came."""
        return iter(tuple(self._tracked.values()))

    def find(self, session: Session | PlacedSession) -> _Tracked | None:
        """Find a session; None if it is not there."""
        known = self._index.find(session)
        return self._tracked[known.keys[0]] if known else None

    def put(self, tracked: _Tracked) -> None:
        """Add a session that is not there."""
        self._tracked[tracked.session.keys[0]] = tracked
        self._index.add(tracked.session)

    def pop(self, session: Session | PlacedSession) -> _Tracked | None:
        """Take a session out and return it; None if it is not there."""
        if (tracked := self.find(session)) is None:
            return None
        self._index.remove(tracked.session)
        return self._tracked.pop(tracked.session.keys[0])

    def change(self, tracked: _Tracked, session: PlacedSession) -> None:
        """Replace a session by a version of it with the same keys."""
        self._index.remove(tracked.session)
        tracked.session = session
        self._index.add(session)


class _Ended:
    """The sessions that have ended of late, and the one that ended last."""

    def __init__(self, sessions: Iterable[PlacedSession], latest: PlacedSession | None) -> None:
        """Begin with sessions of the log, from the oldest."""
        self.latest = latest
        self._sessions = list(sessions)
        self._index = SessionIndex(self._sessions)

    def find(self, session: Session) -> PlacedSession | None:
        """Find a session; None if it is not there."""
        return self._index.find(session)

    def put(self, session: PlacedSession, at: datetime) -> None:
        """Remember a session, in place of the one that it is found as; forget old ones."""
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
    """The active sessions, and those that are over while the history has not said how.

    All times (`at`, `asked`) are our own clock's, UTC; `clock` is the unit's, as it is now.
    knows_history: whether we have seen all that the history had when we began.
    """

    def __init__(
        self,
        began: datetime,
        recent: Iterable[PlacedSession] = (),
        latest: PlacedSession | None = None,
        day_start: int = 0,
    ) -> None:
        """Begin without any active session.

        began: now. recent: the log's sessions of the last RECENT seconds, from the oldest. latest:
        its session that ended last. day_start: the hour at which a business day begins, 0 to 23.
        """
        self._began = began.timestamp()
        self._day_start = day_start
        self._unfinished = _Unfinished()
        self._ended = _Ended(recent, latest)
        # Whether a list of the active sessions has been seen, so that others are new.
        self._knows_active = False
        self.knows_history = False

    # ---------------------------------------------------------------------- what is known

    @property
    def active(self) -> tuple[PlacedSession, ...] | None:
        """The active sessions, from the oldest; None before the first list of them."""
        if not self._knows_active:
            return None
        active = (t.session for t in self._unfinished if t.whereabouts is _Whereabouts.ACTIVE)
        return tuple(sorted(active, key=lambda session: session.created_at or 0))

    @property
    def latest(self) -> PlacedSession | None:
        """The session that ended last, of any day; None if there is none."""
        return self._ended.latest

    def active_by(self, clock: UnitClock) -> tuple[PlacedSession, ...] | None:
        """As `active`, each session with its instants by our own clock as it is set now."""
        if (active := self.active) is None:
            return None
        seen = {tracked.session.keys[0]: tracked.seen(clock) for tracked in self._unfinished}
        return tuple(seen[session.keys[0]] for session in active)

    def find(self, session: Session) -> PlacedSession | None:
        """Find a session that is not done with, or ended within RECENT; None if there is none."""
        tracked = self._unfinished.find(session)
        return tracked.session if tracked else self._ended.find(session)

    @property
    def tracked(self) -> tuple[PlacedSession, ...]:
        """The sessions that are active, missing, or over while the history has not said how."""
        return tuple(tracked.session for tracked in self._unfinished)

    @property
    def wants_history(self) -> bool:
        """Whether there is a session whose end only the history can tell."""
        return any(t.whereabouts is not _Whereabouts.ACTIVE for t in self._unfinished)

    @property
    def has_missing(self) -> bool:
        """Whether a session is not listed any more, and no message said why."""
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

        at: when they were told. asked: when the list was asked for, if these are all active
        sessions; None if they are told because they have just changed. is_whole: False if a part of
        that list could not be read. If the clock is stale, nothing is merged.
        """
        news = News()
        sessions = list(sessions)
        if sessions and clock.is_stale:
            # What the stamps mean depends on what the unit's clock shows now.
            return News(is_doubtful=True)
        listed = {
            self._see(session, clock, at, news, is_live=asked is None) for session in sessions
        }
        if asked is not None:
            for tracked in self._unfinished:
                # A session that was told of while the list was under way may be newer than it.
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
            # A unit may set clearType in all sessions: how one ended is for the history to say.
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
            # The next list or the history has the session, too, and says what the clock shows.
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
        """Merge a session that is over already; the message may say more than the log knows."""
        placed = place(session, clock, day_start=self._day_start, earlier=ended)
        # A message that says it is not over has been overtaken by later ones.
        placed = placed if _is_over(session) else ended.completed_by(placed)
        if placed != ended:
            news.ended.append(placed)
            self._ended.put(placed, at)

    def _end_others(self, number: int | None, at: datetime) -> None:
        """Take note that a pager has a new session: it has one at a time, so that others are over.

        Their end was missed, and there may be no count of changes that would show this.
        """
        for tracked in self._unfinished:
            if number is not None and tracked.session.number == number:
                tracked.is_missed(at)

    # -------------------------------------------------------------------------- history

    def placing(
        self, clock: UnitClock, before: tuple[UnitClock, int] | None, names_since: float
    ) -> Place:
        """Return the function that places sessions of the history, for use in the log's thread.

        before: see UnitClock.place. names_since: sessions that ended before this lose their labels
        (POSIX seconds).
        """
        settings = {tracked.session.keys[0]: tracked.setting for tracked in self._unfinished}
        found = partial(_place_archived, SessionIndex(self.tracked), settings, names_since)
        return partial(found, clock=clock, before=before, day_start=self._day_start)

    def see_logged(
        self, changes: Sequence[Change], at: datetime, clock: UnitClock | None = None
    ) -> list[SessionEvent]:
        """Take note of what the history changed in the log; return what is to be announced."""
        events: list[SessionEvent] = []
        for before, logged in changes:
            if tracked := self._unfinished.pop(logged):
                steps = [*_steps(tracked.session, logged), _end(logged)]
                is_live = tracked.whereabouts is _Whereabouts.ENDED
                seen = replace(tracked, session=logged).seen(clock) if clock else logged
                _announce(events, steps, logged, at, is_live=is_live, seen=seen)
            elif self.knows_history and not before:
                # It came and went unseen. Steps from before we began may have been announced before
                # a restart. Where active sessions are never listed, starts are never announced.
                steps = _steps(None, logged) if self._knows_active else []
                seen = by_our_clock(logged, clock) if clock else logged
                # Stamps have whole seconds.
                steps = [s for s in steps if (_instant(s, seen) or 0) >= int(self._began)]
                _announce(events, [*steps, _end(logged)], logged, at, seen=seen)
        return events

    def history_was_read(self, asked: datetime) -> list[SessionEvent]:
        """Take note that we have seen all that the history had when it was asked for.

        Return the ends that are announced without a clearType, as the history lacks the session.
        """
        self.knows_history = True
        for tracked in self._overdue(asked, _Whereabouts.MISSING):
            self._unfinished.pop(tracked.session)
        return self.history_is_late(asked)

    def history_is_late(self, at: datetime) -> list[SessionEvent]:
        """Return the ends that have waited for CLEAR_TYPE_WAIT, announced without a clearType."""
        events: list[SessionEvent] = []
        for tracked in self._overdue(at, _Whereabouts.ENDED):
            self._unfinished.pop(tracked.session)
            _announce(events, [_end(tracked.session)], tracked.session, at, is_live=True)
        return events

    def _overdue(self, at: datetime, whereabouts: _Whereabouts) -> list[_Tracked]:
        """The sessions that the history should have listed by now."""
        since = at - CLEAR_TYPE_WAIT
        return [t for t in self._unfinished if t.whereabouts is whereabouts and t.at <= since]

    def remember(self, changes: Iterable[Change], at: datetime) -> None:
        """Remember the ended sessions as the log has them now."""
        for _, logged in changes:
            self._ended.put(logged, at)

    # ------------------------------------------------------------------------ our clock

    def shift(self, seconds: int) -> None:
        """Move the instants that follow from our own clock, which was set (seconds: forward)."""
        self._began += seconds
        for tracked in self._unfinished:
            tracked.at += timedelta(seconds=seconds)
            if tracked.session.is_by_age:
                self._unfinished.change(tracked, tracked.session.shifted(seconds))

    # ----------------------------------------------------------------------- what is ours

    def quoted(self, session: PlacedSession, seconds: int | None) -> None:
        """Keep what was quoted when a session began (None: nothing), and its goal then."""
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

    active: the sessions that are not done with. settings: the unit's clock's when they began, by
    identity. names_since: see SessionTracker.placing. logged: the session as the log has it. how:
    the other arguments of `place`.
    """
    known = active.find(session)
    is_same_setting = settings[known.keys[0]] == how["clock"].setting if known else None
    earlier = logged or known
    placed = place(session, earlier=earlier, is_same_setting=is_same_setting, **how)
    return replace(placed, label=None) if placed.ended_at < names_since else placed


def _setting(session: Session, clock: UnitClock) -> int:
    """The setting of the unit's clock by which a session that is new to us was stamped."""
    return clock.setting if clock.is_of_setting(session.created) else UNKNOWN_SETTING


def _is_over(session: Session) -> bool:
    """Whether a session has ended that was told of other than by the history."""
    return session.cleared is not None or session.state in ENDED_STATES


def _steps(known: PlacedSession | None, now: PlacedSession) -> list[Step]:
    """The steps of a session since it was last known, but for its end."""
    steps = [] if known else [Step.STARTED]
    if now.is_paged and not (known and known.is_paged):
        steps.append(Step.PAGED)
    return steps


def _fits(session: Session | None, clock: UnitClock, at: datetime) -> bool:
    """Whether the newest stamp of a live message is within TOLERANCE of now.

    If not, the unit's clock was set and has to be read again. session: only with its new stamps;
    None if it has none.
    """
    if session is None:
        return True
    placed = clock.place_alone(session)
    # The last step's stamp, which may be less than earlier ones if the clock was put back.
    last = next(i for i in (placed.cleared, placed.notified, placed.created) if i is not None)
    return abs(at.timestamp() - last) <= TOLERANCE.total_seconds()


def _end(session: PlacedSession) -> Step:
    """How a session ended."""
    return Step.REMOVED if session.is_removed else Step.CLEARED


def _instant(step: Step, session: PlacedSession) -> int | None:
    """When a step happened; None if that is not known."""
    instants = {Step.STARTED: session.created_at, Step.PAGED: session.notified_at}
    return instants.get(step, session.ended_at)


def _since(began: float, steps: Iterable[Step], session: PlacedSession) -> list[Step]:
    """The steps that did not happen before an instant, as far as is known."""
    # Stamps have whole seconds.
    return [step for step in steps if (_instant(step, session) or began) >= began - 1]


def _first_news(
    began: float, steps: list[Step], session: PlacedSession, is_live: bool, knows_active: bool
) -> list[Step]:
    """The steps that are news, of a session that is told of for the first time.

    Steps from before we began are not, even if the first list lacked the session and a later one
    has it. But the last step in a message has just happened, whatever its stamp says.
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
    """Add the events of those steps that have just happened.

    is_live: whether the last step has, whatever the unit's clock says. seen: the session with its
    instants by our own clock, as `at` is; None if the session has these.
    """
    steps = list(steps)
    for step in steps:
        instant = _instant(step, seen or session)
        is_recent = instant is None or instant >= (at - MAX_EVENT_AGE).timestamp()
        if is_recent or (is_live and step is steps[-1]):
            events.append(SessionEvent(step=step, session=session, at=at))
