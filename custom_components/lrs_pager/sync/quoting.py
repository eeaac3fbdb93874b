"""Says how long the next guest will wait, as guests come and go.

sessions/quote.py knows how. Here it is told of the log and of the active sessions, and is asked as
long as there is somebody to whom the answer is shown. All is done in small steps, between which the
event loop goes on.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from ..sessions.kept_quotes import KEPT_OVER, Kept
from ..sessions.log import Change, LogClosedError, LogUnreadableError, SessionLog
from ..sessions.missed import missed_spans
from ..sessions.quote import LONGEST, Quote, Quoter, Reason, Wait
from ..sessions.session import PlacedSession
from ..sessions.waits import wait_of

# How many sessions of the log are learnt from. 1,500 are remembered; those before them tell how far
# quotes have to be shifted.
LEARNT: Final = 4_000

# A party of each class of sizes.
PARTIES: Final = {"small": 2, "medium": 4, "large": 6}

# Seconds after which quotes are worked out anew though nobody has come or gone: who waits does so
# for longer by then.
AGAIN: Final = 30

# Seconds for which a guest is remembered of whom the quoter was told. One who left the line more
# than TOO_OLD seconds ago, and is known only now, comes too late for the quoter.
KNOWN_FOR: Final = 2 * LONGEST
TOO_OLD: Final = 3600

# By how many seconds the end of a session may be ahead of now: the unit's clock may be off.
AHEAD: Final = 300

# The least seconds between two times at which all is learnt from the log, and between two at which
# it is counted how many quotes were kept.
LEARN_AGAIN: Final = 60
COUNT_AGAIN: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What can be told of waits at a moment.

    quotes: by class of sizes, with the keys of PARTIES. is_auto_paged: whether the unit seems to
    page by itself. about: how many minutes more a guest will wait, by the session's identity.
    kept: how the quotes of the last four weeks turned out.
    """

    quotes: Mapping[str, Quote]
    is_auto_paged: bool
    about: Mapping[str, int]
    kept: Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """What `Quotes` needs of others.

    now: our clock (POSIX seconds). zone: of local time. call_later: calls a function in some
    seconds; returns how not to. start: runs a coroutine. keep: told how many seconds were quoted to
    a guest who has come; None if nothing was. changed: told that the board is another.
    """

    log: SessionLog
    now: Callable[[], float]
    zone: Callable[[], tzinfo]
    call_later: Callable[[float, Callable[[], None]], Callable[[], None]]
    start: Callable[[Coroutine[Any, Any, None]], object]
    keep: Callable[[PlacedSession, int | None], None]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Sessions:
    """The sessions as they are now.

    active: None if they are not told. tracked: these, and those that are over but not done with.
    """

    active: tuple[PlacedSession, ...] | None = None
    tracked: tuple[PlacedSession, ...] = ()

    @property
    def is_line(self) -> bool:
        """Whether somebody waits."""
        return any(not session.is_paged for session in self.active or ())

    def looks_as(self, other: _Sessions) -> bool:
        """Whether there is nothing that quotes could differ for."""
        return self._looks == other._looks

    @property
    def _looks(self) -> object:
        return self.active is None, [
            (s.keys, s.created_at, s.notified_at, s.cleared_at, s.party_size, s.goal, s.clear_type)
            for s in self.tracked
        ]


@dataclass(slots=True, eq=False)
class _Guest:
    """A guest of whom the quoter was told. wait: as it was told last.

    quote: the quote on arrival, of a guest who has left the line; None before, or if there was
    none. is_kept: whether it was handed on.
    """

    wait: Wait
    quote: Quote | None = None
    is_kept: bool = False


class Guests:
    """Tells a quoter of guests, of each as often as there is something new to tell.

    is_stale: whether a session became known too late for the quoter, so that another has to learn
    from the log. began: when this one did (POSIX seconds). zone: of the hours that it learnt by.
    """

    def __init__(self, zone: tzinfo, missed: Collection[tuple[float, float]], began: float) -> None:
        """Begin without any. zone, missed: see `wait_of`."""
        self.quoter = Quoter()
        self.is_stale = False
        self.began, self.zone = began, zone
        self._missed = missed
        # By all keys of the session.
        self._known: dict[str, _Guest] = {}

    def begin(self, logged: Iterable[PlacedSession], sessions: _Sessions) -> Iterator[None]:
        """Learn from the log, and from the sessions of now, in steps."""
        yield from self._tell((*logged, *sessions.tracked), None)
        self._forget(self.began)

    def follow(
        self, logged: Sequence[PlacedSession], sessions: _Sessions, now: float
    ) -> Iterator[None]:
        """Take in what has happened, in steps. logged: what has changed in the log meanwhile."""
        told = (*logged, *sessions.tracked)
        yield from self._tell(told, now)
        if sessions.active is not None:
            here = {guest for session in told if (guest := self._find(session))}
            self._let_go(set(self._known.values()) - here, now)
        self._forget(now)

    def find(self, session: PlacedSession) -> Wait | None:
        """The guest of a session, as the quoter knows it."""
        guest = self._find(session)
        return guest.wait if guest else None

    def new_quotes(self, active: Iterable[PlacedSession]) -> Iterator[tuple[PlacedSession, Quote]]:
        """The quotes on arrival of guests who have come, each once."""
        for session in active:
            guest = self._find(session)
            if guest is None or guest.is_kept:
                continue
            guest.is_kept = True
            if quote := guest.quote or self.quoter.quoted(guest.wait.key):
                yield session, quote

    def _tell(self, sessions: Iterable[PlacedSession], now: float | None) -> Iterator[None]:
        """Tell of sessions, in whatever order; now: None if the past is told of, too."""
        for outcome in self.quoter.replay(self._news(sessions, now)):
            if outcome and (guest := self._known.get(outcome.wait.key)):
                guest.quote = outcome.quote
            yield

    def _news(self, sessions: Iterable[PlacedSession], now: float | None) -> Iterator[Wait]:
        """What there is to be told of guests who come or are in the line."""
        for session in sessions:
            if (wait := wait_of(session, self.zone, self._missed)) is None:
                continue
            guest = self._find(session)
            before = guest.wait if guest else None
            if guest is None:
                guest = _Guest(wait)
            guest.wait = wait = replace(wait, key=guest.wait.key)
            self._known.update(dict.fromkeys(session.keys, guest))
            if before is None:
                if now is None or self._is_of_now(wait, now):
                    yield wait
            elif before.left_at is None:
                if wait != before:
                    yield wait
            elif wait != before:
                # The guest has left the line, but how the wait ended may not have been known then.
                self.quoter.left(wait)

    def _is_of_now(self, wait: Wait, now: float) -> bool:
        """Whether a guest who was not known can be told of among those of now."""
        if wait.left_at is not None and wait.left_at < now - TOO_OLD:
            self.is_stale = True
            return False
        return wait.created >= now - LONGEST

    def _let_go(self, guests: Iterable[_Guest], now: float) -> None:
        """Take those out of the line of whom nothing is told any more."""
        for guest in guests:
            if guest.wait.left_at is None:
                guest.wait = replace(guest.wait, ended=now, is_reliable=False)
                self.quoter.left(guest.wait)

    def _forget(self, now: float) -> None:
        """Forget those of long ago."""
        self._known = {
            key: guest
            for key, guest in self._known.items()
            if guest.wait.created >= now - KNOWN_FOR
        }

    def _find(self, session: PlacedSession) -> _Guest | None:
        return next((self._known[key] for key in session.keys if key in self._known), None)


class Quotes:
    """Works out the board as long as somebody looks at it.

    board: as it was worked out last; None if nobody looks, or not yet, or if the log can't be read.
    """

    def __init__(self, wires: Wires) -> None:
        """Work out nothing yet."""
        self.board: Board | None = None
        self._wires = wires
        self._sessions = _Sessions()
        # What has changed in the log since the guests were told; None as long as there are none.
        self._logged: list[PlacedSession] | None = None
        self._guests: Guests | None = None
        # How quotes were kept, the log's changes then, and when that was.
        self._kept: tuple[Kept, int, float] = Kept(), -1, float("-inf")
        self._watchers = 0
        self._is_due = self._is_running = False
        self._cancel: Callable[[], None] | None = None
        self._turn = asyncio.Lock()

    # ------------------------------------------------------------------------------ who looks

    def watch(self) -> Callable[[], None]:
        """Have the board worked out from now on; return how to end that."""
        self._watchers += 1
        self._look()

        def end() -> None:
            self._watchers -= 1
            if not self._watchers:
                self.forget()

        return end

    async def ask(self, party_size: int | None) -> Quote:
        """Quote for a party that arrives now, whether or not somebody looks at the board.

        Raises LogUnreadableError if guests of the past are to be learnt from.
        """
        async with self._turn:
            try:
                return self._quote(await self._follow(), party_size)
            finally:
                if not self._watchers:
                    self._guests = self._logged = None

    async def kept(self) -> Kept:
        """How the quotes of the last four weeks turned out.

        They are counted again if the log has changed, but once in COUNT_AGAIN seconds at most.
        Raises LogUnreadableError.
        """
        kept, changes, counted = self._kept
        now, log = self._wires.now(), self._wires.log
        if changes == log.changes or 0 <= now - counted < COUNT_AGAIN:
            return kept
        kept, changes = Kept(), log.changes
        async for batch in log.batches(round(now) - KEPT_OVER):
            for session in batch:
                kept.add(session)
        self._kept = kept, changes, now
        return kept

    # ----------------------------------------------------------------------- what has happened

    def see(
        self, active: tuple[PlacedSession, ...] | None, tracked: tuple[PlacedSession, ...]
    ) -> None:
        """Look at the sessions as they are now.

        active: the active ones; None if they are not told. tracked: these, and those that are over
        while the history has not said how.
        """
        sessions = _Sessions(active, tracked)
        is_same = sessions.looks_as(self._sessions)
        self._sessions = sessions
        if not is_same:
            self._look()

    def note(self, changes: Iterable[Change]) -> None:
        """Take note that the log has changed."""
        if self._logged is not None:
            self._logged += (after for _, after in changes)
        self._look()

    def forget(self) -> None:
        """Begin anew, as all instants may be others, or as nobody looks any more."""
        self._guests = self._logged = None
        if not self._watchers:
            self.board = None
            self._stop_timer()
        self._look()

    def close(self) -> None:
        """Work out nothing any more."""
        self._watchers = 0
        self._stop_timer()

    # --------------------------------------------------------------------------- working it out

    def _look(self) -> None:
        """Have the board worked out, if somebody looks."""
        self._is_due = True
        if self._watchers and not self._is_running:
            self._is_running = True
            self._stop_timer()
            self._wires.start(self._run())

    async def _run(self) -> None:
        """Work out the board, until nothing has happened meanwhile."""
        try:
            await asyncio.sleep(0)
            with suppress(LogClosedError):
                while self._is_due and self._watchers:
                    self._is_due = False
                    await self._work()
        finally:
            self._is_running = False
        is_stale = self._guests is not None and self._guests.is_stale
        is_counted = self._kept[1] == self._wires.log.changes
        if self._watchers and (self._sessions.is_line or is_stale or not is_counted):
            self._cancel = self._wires.call_later(AGAIN, self._look)

    async def _work(self) -> None:
        board = None
        async with self._turn:
            with suppress(LogUnreadableError):  # an old quote would be wrong by now
                board = await self._board(await self._follow())
        if board != self.board and self._watchers:
            self.board = board
            self._wires.changed()

    async def _follow(self) -> Guests | None:
        """Tell the quoter all that has happened; return its guests.

        None if there are none yet, as active sessions are not told.
        """
        guests, now = self._guests, self._wires.now()
        is_stale = guests is not None and guests.is_stale and now - guests.began >= LEARN_AGAIN
        # The quoter goes by the hour, and the user may have corrected the time zone.
        if guests is None or is_stale or guests.zone != self._wires.zone():
            if self._sessions.active is None:
                return guests
            guests = await self._learn(now)
        else:
            logged, self._logged = self._logged or [], []
            for _ in guests.follow(logged, self._sessions, now):
                await asyncio.sleep(0)
        for session, quote in guests.new_quotes(self._sessions.active or ()):
            # Nothing is quoted to one who finds no line.
            is_quoted = quote.high and quote.parties_ahead and not guests.quoter.is_auto_paged
            self._wires.keep(session, 60 * quote.high if quote.high and is_quoted else None)
        return guests

    async def _learn(self, now: float) -> Guests:
        """Learn from the log."""
        wires = self._wires
        since: list[PlacedSession] = []
        self._logged = since
        # Our clock may have been wrong when the log was written: the quoter knows no future.
        logged = await wires.log.newest(LEARNT, round(now) + AHEAD)
        guests = Guests(wires.zone(), await missed_spans(wires.log), now)
        for _ in guests.begin(logged, self._sessions):
            await asyncio.sleep(0)
        if self._logged is since:  # and was not given up meanwhile
            self._guests = guests
        return guests

    async def _board(self, guests: Guests | None) -> Board:
        """Work out the board."""
        quotes, about = {}, {}
        for name, party_size in PARTIES.items():
            quotes[name] = self._quote(guests, party_size)
            await asyncio.sleep(0)
        is_auto_paged = guests is not None and guests.quoter.is_auto_paged
        if guests and not is_auto_paged:
            now = self._wires.now()
            for session in self._sessions.active or ():
                wait = guests.find(session)
                if wait and (remaining := guests.quoter.remaining(wait.key, now)):
                    about[session.keys[0]] = remaining.about
            await asyncio.sleep(0)
        kept = self._kept[0]
        with suppress(LogUnreadableError):
            kept = await self.kept()
        return Board(quotes=quotes, is_auto_paged=is_auto_paged, about=about, kept=kept)

    def _quote(self, guests: Guests | None, party_size: int | None) -> Quote:
        """Quote for a party that arrives now."""
        if guests is None or self._sessions.active is None:
            return Quote(reason=Reason.NO_LIVE_LIST)
        now = self._wires.now()
        offset = datetime.fromtimestamp(now, UTC).astimezone(self._wires.zone()).utcoffset()
        quote = guests.quoter.quote(now, party_size, offset.total_seconds() if offset else 0)
        if guests.quoter.is_auto_paged and quote.reason is not Reason.NO_LINE:
            return replace(quote, low=None, high=None, reason=Reason.AUTO_PAGE, instead=None)
        return quote

    def _stop_timer(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
