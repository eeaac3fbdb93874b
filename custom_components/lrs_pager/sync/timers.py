"""Timers for what comes by itself: a goal runs out, a guest is late, a business day ends.

One timer for all who wait for one, be it a sensor or an automation. Where the transmitter has to be
asked, it is asked once before any of them acts: a guest who seems to be late may have been paged
since the last poll.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..sessions.session import PlacedSession
from .picture import Snapshot

type Moment = Callable[[PlacedSession], float | None]


@dataclass(slots=True, eq=False)
class _Watcher:
    """Somebody who waits for a moment of each session.

    done: keys of the sessions whose moment has come and was told, or was past at the first look;
    kept by the caller. is_first: whether that look is still to come, which tells of none.
    """

    moment: Moment
    tell: Callable[[PlacedSession], None]
    done: set[str]
    is_first: bool


class Timers:
    """The next moment, and who is told when it has come. Instants are POSIX seconds."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Callable[[], None]],
        is_told: Callable[[], bool],
        ask: Callable[[], None],
        show: Callable[[], None],
    ) -> None:
        """Wait for nothing yet.

        now: our clock. call_later: calls a function in some seconds; returns how not to.
        is_told: whether changes are told as they happen. ask: has the transmitter asked, after
        which `look` is called. show: shows what has changed by itself.
        """
        self._now, self._call_later = now, call_later
        self._is_told, self._ask, self._show = is_told, ask, show
        self._watchers: list[_Watcher] = []
        self._snapshot: Snapshot | None = None
        self._tracked: tuple[PlacedSession, ...] = ()
        self._is_asked = False
        self._cancel: Callable[[], None] | None = None

    def watch(
        self,
        moment: Moment,
        tell: Callable[[PlacedSession], None],
        done: set[str],
        *,
        is_first: bool,
    ) -> Callable[[], None]:
        """Tell of each active session once when its moment has come; return how to end that.

        is_first: whether sessions whose moment is past already are not told of.
        """
        watcher = _Watcher(moment, tell, done, is_first)
        self._watchers.append(watcher)
        self._look(is_asked=False)
        return lambda: self._watchers.remove(watcher)

    def asked(self) -> None:
        """The transmitter has just been asked: what `look` sees next is how things are."""
        self._is_asked = True

    def look(self, snapshot: Snapshot, tracked: Iterable[PlacedSession]) -> None:
        """Look at the sessions as they are shown now.

        tracked: the active sessions, and those that are over but not done with.
        """
        self._snapshot, self._tracked = snapshot, tuple(tracked)
        is_asked, self._is_asked = self._is_asked, False
        self._look(is_asked=is_asked)

    @property
    def is_due(self) -> bool:
        """Whether somebody is to be told of a session."""
        return any(self._due(watcher) for watcher in self._watchers)

    def _look(self, *, is_asked: bool) -> None:
        """Tell of what is due, or have the transmitter asked first."""
        if self._snapshot is None:
            return
        is_sure = is_asked or self._is_told()
        must_ask = False
        for watcher in tuple(self._watchers):
            if is_sure or watcher.is_first or not self._due(watcher):
                self._tell(watcher)
            else:
                must_ask = True
        if must_ask:
            self._ask()
        self._set_timer()

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    @property
    def _present(self) -> tuple[PlacedSession, ...]:
        """The sessions of the guests who are there."""
        return self._snapshot.present if self._snapshot else ()

    def _due(self, watcher: _Watcher) -> list[PlacedSession]:
        """The active sessions whose moment has come, but for those done with."""
        now = self._now()
        return [
            session
            for session in self._present
            if (moment := watcher.moment(session)) is not None
            and moment <= now
            and watcher.done.isdisjoint(session.keys)
        ]

    def _tell(self, watcher: _Watcher) -> None:
        """Tell of what is due; at a first look, be done with it."""
        due = self._due(watcher)
        due_keys = {key for session in due for key in session.keys}
        is_first, watcher.is_first = watcher.is_first, False
        # By all keys, as a session may be told with its uuid or without it; and until it is done
        # with, lest a new goal make it late again.
        done = {
            key
            for session in self._tracked
            if not (due_keys | watcher.done).isdisjoint(session.keys)
            for key in session.keys
        }
        watcher.done.clear()
        watcher.done.update(done)
        for session in () if is_first else due:
            watcher.tell(session)

    def _set_timer(self) -> None:
        """Wait for the next moment."""
        self.stop()
        now = self._now()
        moments = [
            moment
            for watcher in self._watchers
            for session in self._present
            if (moment := watcher.moment(session)) is not None
        ]
        own = self._snapshot.moments if self._snapshot else ()
        ahead = [moment for moment in (*own, *moments) if moment > now]
        if ahead:
            self._cancel = self._call_later(min(ahead) - now, self._come)

    def _come(self) -> None:
        """A moment has come, or is about to: our clock may be a bit behind the timer's."""
        self._set_timer()
        if self._is_told():
            self._show()
        else:
            self._ask()
