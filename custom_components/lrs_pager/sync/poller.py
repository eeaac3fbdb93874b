"""Decides what a poll reads of a transmitter, and when the next one is."""

from collections.abc import Callable
from typing import Any, Protocol

from ..sessions.tracker import SessionTracker
from ..transmitter import (
    Answer,
    ChangedError,
    ClosedError,
    RejectedError,
    Transmitter,
    TransmitterError,
    UnreachableError,
)
from .history import HistoryReader, TakesChunks
from .identity import AnotherUnitError
from .intervals import Intervals
from .push import LOGGER, Push
from .state import UnitState

# All of the history is read once the delay is this many times `read_delay`, as the session that is
# wanted was not at its end: after two reads, in case that the unit is slow to archive a session.
MAX_TAIL_DELAYS = 4

# After this many lists in a row that could not be read while the history could, the unit is taken
# for one that has the history alone. One answer may be lost. Settings that got no answer
# as often are not requested with every poll any more, as each would wait for a time-out.
UNANSWERED = 3

# What is read: the active sessions, and the history.
LIST, HISTORY = "list", "history"


class Takes(TakesChunks, Protocol):
    """Where answers go."""

    def doubts(self, answer: Answer) -> bool:
        """Return whether an answer may be another transmitter's; if so, note that."""

    async def take_list(self, answer: Answer) -> bool:
        """Merge a list of active sessions; return whether it changed nothing that is known.

        Raises AnotherUnitError.
        """

    @property
    def is_sure(self) -> bool:
        """Whether it is known that our transmitter answers."""

    def note(self, answer: Answer) -> None:
        """Keep what the answer with the settings says of the unit itself."""

    async def history_ended(self) -> None:
        """Do what is to be done when the end of the history was reached."""


class _List:
    """Whether the unit tells its active sessions when it is asked. Times are the loop's."""

    def __init__(self) -> None:
        """Ask at once."""
        # Whether they are known: they were read the last time, or shortly before.
        self.is_known = False
        # Don't GET /v1/sessions before that: the unit has no such resource.
        self.not_before = 0.0
        self._unanswered = 0

    def answered(self) -> None:
        """The list was read."""
        self.is_known, self.not_before, self._unanswered = True, 0.0, 0

    def failed(self, err: TransmitterError, not_before: float) -> None:
        """The list was not read. not_before: when to ask again if the unit has none.

        Older firmware has the history alone, and need not be asked again and again for what it has
        not got; but it may be updated one day.
        """
        if isinstance(err, ChangedError):
            return  # it has one, in which much happens
        self._unanswered += 1
        is_unknown = isinstance(err, RejectedError) and err.is_unknown_resource
        if is_unknown or self._unanswered >= UNANSWERED:
            self.is_known, self.not_before = False, not_before

    def lost(self) -> None:
        """Neither the list nor the history was read: the unit may have a list all the same."""
        self.is_known, self.not_before, self._unanswered = False, 0.0, 0


class Poller:
    """Reads what changed; it asks for nothing that is known."""

    def __init__(
        self,
        transmitter: Transmitter,
        tracker: SessionTracker,
        push: Push,
        intervals: Intervals,
        *,
        steady: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Read nothing yet; see `open`. steady, wall: see HistoryReader."""
        self._transmitter, self._tracker, self._push = transmitter, tracker, push
        self._intervals, self._steady = intervals, steady
        self.history = HistoryReader(transmitter, intervals, steady=steady, wall=wall)
        self.state = UnitState(sure_for=intervals.push_poll, etag_age=intervals.settings)
        self._list = _List()
        # Whether neither the active sessions nor the history could be read the last time.
        self._is_blind = False
        # When the settings were requested that were read last, or that the unit does not have; None
        # if they are to be read with the next poll.
        self._settings_at: float | None = None
        # How many requests for the settings got no answer in a row.
        self._unanswered_settings = 0
        # Seconds to the next read of a history that lags behind what happened.
        self._delay = intervals.read_delay

    def open(self, tracker: SessionTracker, kept: dict[str, Any] | None) -> None:
        """Take what is known of sessions, and what the history's reader kept over a restart."""
        self._tracker = tracker
        self.history.restore(kept or {})

    @property
    def has_list(self) -> bool:
        """Whether the unit tells its active sessions when it is asked, as far as we know."""
        return self._list.is_known

    @property
    def tells_active(self) -> bool:
        """Whether the unit tells its active sessions, when it is asked or as they change."""
        return self.has_list or self._tells_changes

    @property
    def _tells_changes(self) -> bool:
        """Whether messages have told all that has changed since a list was read."""
        return self._push.is_live and not self.state.has_gap

    @property
    def misses_ends(self) -> bool:
        """Whether sessions may end of which neither the history nor a message tells."""
        return self.history.failing_since is not None and not self._tells_changes

    @property
    def knows_active(self) -> bool:
        """Whether messages have told all active sessions, so that the unit need not be asked."""
        return self._push.is_proved and self.state.is_sure(self._steady())

    # ---------------------------------------------------------------------------- polls

    async def read(self, take: Takes) -> None:
        """Read what is due. Raises TransmitterError if the unit did not answer.

        An error that the unit answers with, and an answer that can't be read, count as answers if
        it is known that our transmitter gives them: what is known otherwise stays.
        """
        # What went wrong with the list and the history, if they were requested; None if they were
        # read.
        tried: dict[str, TransmitterError | None] = {}
        if not take.is_sure:
            # The history shows whose active sessions these would be.
            tried[HISTORY] = await self._try_history(take)
        is_read = HISTORY in tried and tried[HISTORY] is None
        # When a session has ended, just the history is requested, which saves half of a busy day's
        # requests.
        has_changed = is_list_due = (
            not self._tracker.wants_history or self._tracker.has_missing or not self.knows_active
        )
        if is_list_due and self._steady() >= self._list.not_before:
            has_changed, tried[LIST] = await self._try_list(take)
        # While nothing could be read, something may have come to the history.
        has_changed |= self._is_blind
        is_due = not is_read and (has_changed or self._is_history_due)
        if is_due or self._tracker.wants_history:
            tried[HISTORY] = await self._try_history(take)
        if tried.get(HISTORY) and LIST not in tried:
            # Whether the unit answers at all, the list shows.
            _, tried[LIST] = await self._try_list(take)
        failures = [failure for failure in tried.values() if failure]
        self._is_blind = len(failures) == len(tried)
        if self._is_blind:
            if not all(isinstance(err, ChangedError) for err in failures):
                self._list.lost()
            if not take.is_sure or all(isinstance(err, UnreachableError) for err in failures):
                # What answers next may be another unit, or ours after it was off.
                self.state.forget()
                self.history.lost()
                raise failures[0]
        if failure := tried.get(HISTORY):
            self.history.note(failure)
        await self.read_settings(take)

    async def _try_list(self, take: Takes) -> tuple[bool, TransmitterError | None]:
        """Read the active sessions; return whether they may have changed, and what went wrong."""
        try:
            return await self._read_list(take), None
        except ClosedError, AnotherUnitError:
            raise
        except TransmitterError as err:
            return True, err

    async def _try_history(self, take: Takes) -> TransmitterError | None:
        """Read the history on; return what went wrong."""
        try:
            await self._read_history(take)
        except ClosedError, AnotherUnitError:
            raise
        except TransmitterError as err:
            return err
        self.history.note(None)
        return None

    async def _read_list(self, take: Takes) -> bool:
        """Read the active sessions; return whether they have changed, as far as that tells."""
        now = self._steady()
        # A session that is missing may be on the list after all.
        etag = None if self._tracker.wants_history else self.state.etag(now)
        try:
            answer = await self._transmitter.sessions(etag)
        except ClosedError:
            raise
        except TransmitterError as err:
            self._list.failed(err, now + self._intervals.history)
            raise
        self._list.answered()
        if answer is None:
            self.state.confirm(now)
            return False
        if take.doubts(answer):
            # The history shows whose they are.
            await self._try_history(take)
        was_known = self.state.token is not None
        was_so = await take.take_list(answer)
        is_new = self.state.see_list(answer, self._steady())
        if is_new and was_known and not was_so:
            self._push.missed_change()
        return is_new

    async def _read_history(self, take: Takes) -> None:
        if (
            self._delay >= MAX_TAIL_DELAYS * self._intervals.read_delay
            and not self.history.is_under_way
        ):
            self.history.begin_anew()
        if await self.history.read(take):
            await take.history_ended()

    @property
    def _is_history_due(self) -> bool:
        return self.history.is_due(tells_changes=self._push.is_proved)

    async def read_settings(self, take: Takes, *, is_urgent: bool = False) -> None:
        """Read the settings, unless they were read of late and not doubted since.

        is_urgent: whether to read them anyhow.
        """
        now = self._steady()
        is_recent = self._settings_at is not None and (
            now - self._settings_at <= self._intervals.settings
        )
        if is_recent and not is_urgent:
            return
        # Before the request, as they may be doubted while it is under way.
        self._settings_at = now
        try:
            take.note(await self._transmitter.settings())
            self._unanswered_settings = 0
        except ClosedError:
            raise
        except TransmitterError as err:
            # Sessions are what counts; older firmware has no settings.
            LOGGER.debug("The settings could not be read: %s", err)
            self._unanswered_settings += isinstance(err, UnreachableError)
            is_unknown = isinstance(err, RejectedError) and err.is_unknown_resource
            if not is_unknown and self._unanswered_settings < UNANSWERED:
                self._settings_at = None

    def after_read(self) -> float | None:
        """Seconds to the next read after one that was answered; None if that is the next poll."""
        if self.history.is_under_way:
            return 0.0
        if not self._tracker.wants_history:
            self._delay = self._intervals.read_delay
            return None
        self._delay = min(2 * self._delay, self._intervals.poll)
        return self._delay

    @property
    def interval(self) -> float:
        """Seconds from one poll to the next, if nothing happens."""
        is_slow = (
            self._push.is_proved
            and not self._is_blind
            and not self._push.missed_changes
            and not self._tracker.wants_history
        )
        return self._intervals.push_poll if is_slow else self._intervals.poll

    # ------------------------------------------------------------------------- messages

    def see(self, answer: Answer) -> float | None:
        """Take in a message, or an answer to a command; return in how many seconds to read."""
        is_in_step = self.state.see_message(answer, self._steady())
        if not is_in_step:
            # The list alone can tell what was missed, also if it had no answer of late.
            self._list.not_before = 0.0
        return None if is_in_step else self._intervals.read_delay

    def doubt(self, *, is_missed: bool = True) -> None:
        """Read all but the history the next time. is_missed: see UnitState."""
        self.state.doubt(self._steady(), is_missed=is_missed)
        self._settings_at = None

    def read_everything(self) -> None:
        """Read all there is the next time."""
        self.state.forget()
        self.history.begin_anew()
        self._settings_at = None
