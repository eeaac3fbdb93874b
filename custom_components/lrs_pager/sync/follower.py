"""Keeps up with one transmitter: all that it says comes in here, and is merged in one order.

message, list, answer  ->  clocks (when was that?)  ->  tracker (what is new?)  ->  log
history                ->  clocks                   ->  log  ->  tracker
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from ..sessions.log import Change, LogClosedError, LogUnreadableError, Place, SessionLog
from ..sessions.session import PlacedSession, SessionIndex
from ..sessions.tracker import RECENT, SessionTracker
from ..transmitter import (
    Answer,
    ChangedError,
    Chunk,
    Session,
    Transmitter,
    TransmitterError,
    UnitClock,
)
from .clocks import Clocks
from .events import Events
from .facts import UnitFacts
from .gaps import GapWatch, HistoryPass
from .identity import Compared, FindElsewhere, Identity
from .intervals import Intervals
from .poller import Poller
from .push import PING, Push
from .writer import LogWriter

# The log's key for what HistoryReader keeps over a restart.
HISTORY_KEY = "history"

# Later than any instant (POSIX seconds).
FOR_EVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Ourselves:
    """What is our own: clocks, and what the user has chosen.

    zone: of local time. wall: our clock (POSIX seconds). steady: the loop's clock (seconds).
    intervals: how often the transmitter is asked for what.
    day_start: the hour at which a business day begins. names_kept: seconds for which labels are
    kept in the log; None is for ever. find_elsewhere, is_accepted: see Identity.
    """

    zone: Callable[[], tzinfo]
    wall: Callable[[], float]
    steady: Callable[[], float]
    intervals: Intervals
    day_start: int
    names_kept: float | None
    find_elsewhere: FindElsewhere
    is_accepted: bool


class Listens(Protocol):
    """Who is told what came of the unit's messages."""

    def changed(self) -> None:
        """There may be something else to show, or an event to tell."""

    def push_changed(self) -> None:
        """It has changed whether changes are pushed."""

    def read_soon(self, delay: float) -> None:
        """The unit is to be read in so many seconds."""

    def written(self, changes: Sequence[Change]) -> None:
        """The log has changed, and the changes are on the disk, unless that refuses."""

    def missed(self, start: float, end: float) -> None:
        """Sessions that ended between two instants may be missing."""

    def stepped(self, seconds: int) -> None:
        """Our clock was set, and went forward by so many seconds."""


class Follower:
    """Merges what one transmitter says."""

    def __init__(
        self, transmitter: Transmitter, log: SessionLog, ourselves: Ourselves, listener: Listens
    ) -> None:
        """Nothing is sent or read yet; see `open`."""
        self._log, self._ours, self._listener = log, ourselves, listener
        self._writer = LogWriter(
            log, now=ourselves.wall, names_kept=ourselves.names_kept, written=self._written
        )
        wall, steady, intervals = ourselves.wall, ourselves.steady, ourselves.intervals
        self.clocks = Clocks(zone=ourselves.zone, wall=wall, steady=steady, stepped=self._stepped)
        self.facts = UnitFacts()
        self.identity = Identity(log, ourselves.find_elsewhere, is_accepted=ourselves.is_accepted)
        self.push = Push(transmitter, self.receive, listener.push_changed, intervals, steady)
        self.tracker = SessionTracker(self.now())
        self.poller = Poller(
            transmitter, self.tracker, self.push, intervals, steady=steady, wall=wall
        )
        self.gaps = GapWatch(None)
        self.events = Events()
        transmitter.host.moved = self._moved

    async def open(self) -> None:
        """Take up what the log knows, which has to be open."""
        now = self.now()
        recent = await self._log.between(round(now.timestamp()) - RECENT, FOR_EVER)
        latest = await self._log.latest()
        self.tracker = SessionTracker(now, recent, latest, self._ours.day_start)
        self.gaps = await GapWatch.open(self._log, _end_of(latest), now.timestamp())
        self.poller.open(self.tracker, await self._log.get(HISTORY_KEY))

    def now(self) -> datetime:
        """Our clock (UTC)."""
        return datetime.fromtimestamp(self.clocks.now(), UTC)

    def unit_clock(self) -> UnitClock:
        """The unit's clock now."""
        return self.clocks.unit(self._ours.steady())

    # ------------------------------------------------------------------- what the unit says

    def receive(self, answer: Answer) -> None:
        """Take in a message that the unit sent by itself, or the answer to a command."""
        if answer.is_asked:
            self.doubts(answer)
        if not self.identity.is_sure:
            # The history shows whose sessions they are, and whose the clock and the settings.
            if answer.is_asked:
                shown = _shown_by(answer)
                self.clocks.read_whosever(shown, answer.asked, answer.answered)
            self.poller.doubt()
            self._listener.read_soon(0)
            return
        self.gaps.answered(self.clocks.now())
        delay = self.poller.see(answer)
        is_doubtful = self._merge(answer)
        if is_doubtful:
            self.poller.doubt()
            self._listener.read_soon(0)
        elif delay is not None or self.tracker.wants_history:
            self._listener.read_soon(self._ours.intervals.read_delay)
        if answer.envelope.response_types != PING:
            self._listener.changed()

    async def take_list(self, answer: Answer) -> bool:
        """Merge a list of active sessions; return whether it changed nothing that is known."""
        await self.see_list(answer)
        if not self.clocks.is_known and _shown_by(answer) is None:
            await self.poller.read_settings(self)
        before = _state(self.tracker)
        self._merge(answer)
        return before == _state(self.tracker)

    async def see_list(self, answer: Answer) -> None:
        """See whose a list of active sessions is; merge nothing. Raises AnotherUnitError."""
        active = self.tracker.active or ()
        await self.identity.see_list(answer.sessions, {s.uuid for s in active if s.uuid})

    def _merge(self, answer: Answer) -> bool:
        """Merge sessions; return whether some of them don't fit the unit's clock."""
        self.note(answer)
        at, asked = self.clocks.at(answer.answered), self.clocks.at(answer.asked)
        news = self.tracker.see(
            answer.sessions,
            self.clocks.unit(answer.answered),
            at,
            asked if answer.is_all else None,
            is_whole=answer.is_complete and not answer.skipped,
        )
        self._writer.add(news.ended)
        self.events.add(news.events)
        return news.is_doubtful

    def note(self, answer: Answer | Chunk) -> None:
        """Keep what an answer says of the unit itself: its settings, and what its clock shows."""
        self.facts.see(answer)
        shown = _shown_by(answer)
        if shown is None:
            return
        if isinstance(answer, Chunk) or answer.is_asked:
            self.clocks.read(shown, answer.asked, answer.answered)
        elif not self.clocks.is_as_read(shown, answer.answered):
            self._read_clock()

    def _read_clock(self) -> None:
        """Have the unit asked what its clock shows."""
        self.poller.doubt(is_missed=False)
        self._listener.read_soon(0)

    # -------------------------------------------------------------------------- the history

    @property
    def is_sure(self) -> bool:
        """Whether it is known that our transmitter answers."""
        return self.identity.is_sure

    def doubt(self) -> None:
        """Take note that another transmitter may answer."""
        self.identity.lost()

    def _moved(self) -> None:
        """Another address of the name answers: another transmitter may be there."""
        self.poller.state.moved()
        self.doubt()

    def doubts(self, answer: Answer) -> bool:
        """Return whether an answer may be another transmitter's; if so, note that.

        Its count does not go on from ours, or it is a list without any of our guests.
        """
        is_far = self.poller.state.is_far_from(answer)
        if is_doubtful := is_far or _are_others(self.tracker, answer):
            self.doubt()
        return is_doubtful

    async def is_ours(self, chunk: Chunk, so_far: Compared) -> bool:
        """Whether it is known that a chunk is of our transmitter; see TakesChunks."""
        shown = chunk.envelope.timestamp
        self.clocks.read_whosever(shown, chunk.asked, chunk.answered)
        zone = self._ours.zone() if self.clocks.is_local(shown, chunk.answered) else None
        return await self.identity.see_history(chunk, so_far, zone)

    async def take_chunk(self, chunk: Chunk, seen: HistoryPass) -> None:
        """Merge sessions of the history into the log, and note in `seen` which of them it knew."""
        self.note(chunk)
        if not self.clocks.is_known:
            # Firmware may tell its time with its settings alone.
            await self.poller.read_settings(self)
        elif self.unit_clock().is_stale:
            # The chunk was requested before our clock was set.
            await self.poller.read_settings(self, is_urgent=True)

        def placing() -> Place:
            clock = self.clocks.unit(chunk.answered)
            if clock.is_stale:
                raise ChangedError  # so that it is asked for again
            complete = self.poller.history.last_complete_read
            return _noting(self.tracker.placing(clock, complete, self._writer.names_since), seen)

        # While the disk fails, the log takes for new what it had. We remember what ended of late.
        remembered = SessionIndex(filter(None, map(self.tracker.find, chunk.sessions)))
        changes = await self._writer.merge(chunk.sessions, placing)
        changes = [(before or remembered.find(after), after) for before, after in changes]
        # Our clock may have been set while that was written.
        at, clock = self.clocks.at(chunk.answered), self.clocks.unit(chunk.answered)
        self.events.add(self.tracker.see_logged(changes, at, clock))

    async def history_ended(self) -> None:
        """Take note that the end of the history was reached."""
        ended = self.poller.history.end_pass()
        began = self.clocks.at(ended.began)
        if ended.is_complete and not ended.skipped:
            complete = self.unit_clock(), round(began.timestamp())
            self.poller.history.last_complete_read = complete
        if not ended.is_whole:
            if ended.is_complete:
                self.gaps.read_on()
            self.tracker.knows_history = True
        elif ended.is_complete:
            self.events.add(self.tracker.history_was_read(began))
            with suppress(LogUnreadableError):  # the next whole read will tell then
                if span := await self.gaps.keep_missed(self._log, ended.seen):
                    self._listener.missed(*span)
        await self._log.set(HISTORY_KEY, self.poller.history.to_keep())

    # ------------------------------------------------------------------------------- polls

    async def read(self) -> None:
        """Read what is due. Raises TransmitterError if the unit did not answer."""
        try:
            if self.is_sure and self.unit_clock().is_stale:
                # Firmware may tell its time with its settings alone.
                await self.poller.read_settings(self, is_urgent=True)
            await self.poller.read(self)
        except TransmitterError:
            self.identity.lost()
            self._note_loss()
            raise
        finally:
            await self.save()
        self.events.add(self.tracker.history_is_late(self.now()))
        if self.poller.misses_ends:
            self._note_loss()
        self.gaps.answered(self.clocks.now())

    def _note_loss(self) -> None:
        """Take note that sessions may have ended untold since the last answer."""
        self.gaps.lost(_end_of(self.tracker.latest))

    def read_everything(self) -> None:
        """Read all there is the next time, and see whose it is."""
        self.doubt()
        self.poller.read_everything()

    async def save(self, *, is_last: bool = False) -> None:
        """Have the log keep what has ended, how far a long history was read, and the last contact.

        When this returns, that is on the disk, unless that refuses or the log is closed. is_last:
        whether we are about to stop.
        """
        history = self.poller.history
        with suppress(LogClosedError):  # as if it could not be opened
            await self._writer.save()
            if history.is_under_way:
                await self._log.set(HISTORY_KEY, history.to_keep())
            await self.gaps.keep(self._log, is_last=is_last)

    @property
    def is_behind(self) -> bool:
        """Whether there is something to save."""
        return self._writer.is_behind

    def _written(self, changes: Sequence[Change]) -> None:
        """The log has changed."""
        self.tracker.remember(changes, self.now())
        self._listener.written(changes)

    # --------------------------------------------------------------------------- our clock

    def _stepped(self, seconds: int) -> None:
        """Our clock was set: move what follows from it."""
        self.tracker.shift(seconds)
        self.events.shift(seconds)
        self.gaps.shift(seconds)
        self.poller.history.shift(seconds)
        self._writer.shift(seconds)
        self._read_clock()
        self._listener.stepped(seconds)


def _shown_by(answer: Answer | Chunk) -> datetime | None:
    """What the clock of the unit shows, as the unit wrote it; None if the answer does not say."""
    settings = answer.settings
    return answer.envelope.timestamp or (settings.clock if settings else None)


def _noting(place: Place, seen: HistoryPass) -> Place:
    """Return what places a session as `place` does, and takes it in as one of a pass."""

    def placed(session: Session, known: PlacedSession | None) -> PlacedSession:
        found = place(session, known)
        seen.see(found.ended_at, known.ended_at if known else None)
        return found

    return placed


def _state(tracker: SessionTracker) -> frozenset[tuple[str, bool]]:
    """Which sessions are active, and which of them were paged."""
    return frozenset((s.keys[0], s.is_paged) for s in tracker.active or ())


def _are_others(tracker: SessionTracker, answer: Answer) -> bool:
    """Whether a list, which is not empty, has none of the sessions that were active."""
    before, now = ({s.uuid for s in some} for some in (tracker.active or (), answer.sessions))
    return answer.is_all and bool(before and now) and not before & now


def _end_of(session: PlacedSession | None) -> int | None:
    """When a session ended (POSIX seconds), if there is one."""
    return session.ended_at if session else None
