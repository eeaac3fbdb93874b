"""Polls and listens, merges, keeps the log, and publishes what entities show as one snapshot."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later, async_track_point_in_utc_time
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import CONF_DAY_START, CONF_SHOW_NAMES, DEFAULT_DAY_START, DOMAIN, LOGGER
from .errors import failure
from .issues import (
    CLOCK_OFF,
    LOG_SET_ASIDE,
    PUSH_SILENT,
    add_missed_span,
    raise_issue,
    withdraw_issue,
)
from .long_term_statistics import LongTermStatistics
from .session_store import SessionStore
from .sessions.log import SessionLog
from .sessions.session import LATE_AFTER
from .sessions.summary import Summary, summarize
from .sessions.tracker import News, SessionEvent, SessionTracker
from .sync.const import (
    HISTORY_INTERVAL,
    POLL_INTERVAL,
    PUSH_POLL_INTERVAL,
    SETTINGS_INTERVAL,
    WHOLE_HISTORY_INTERVAL,
)
from .sync.push import Push, PushState
from .sync.snapshot import Snapshot
from .sync.unit_state import UnitState
from .transmitter import (
    Answer,
    BusinessDay,
    ClosedError,
    Envelope,
    Mark,
    RejectedError,
    Settings,
    Statistics,
    Transmitter,
    TransmitterError,
    UnitClock,
)

type LrsPagerConfigEntry = ConfigEntry[LrsPagerCoordinator]

# Sessions that are merged before others may use the event loop: some milliseconds' work.
BATCH = 250

# Seconds from the end of a session to the read of the history that tells how it ended: those that
# end together, as at closing time, are one read. A gap in what was pushed waits as long, as
# what fills it may be under way.
READ_DELAY = 1.0

# Seconds of patience from which the whole history is read, as what is wanted of it did not come at
# its end: twice, in case that the unit is slow to archive a session.
MAX_TAIL_PATIENCE = 4 * READ_DELAY

# What a message tells that tells nothing.
PING = ("ping",)

# Codes with which a CoAP server says that it knows nothing of the resource: 4.04 Not Found,
# 4.05 Method Not Allowed.
NOT_THERE = {"4.04", "4.05"}

# Questions in a row without an answer, while the history has one, after which the unit is taken
# for one that has the history alone. One may be lost, or change while it is read.
UNANSWERED_QUESTIONS = 3

# Polls in a row that found what push should have told, before the user is told that it doesn't.
# One may cross a message that is under way.
UNANNOUNCED_POLLS = 3


@dataclass(slots=True, kw_only=True)
class Received:
    """The latest history, in figures: for diagnostics."""

    envelope: Envelope | None = None
    sessions: int = 0
    skipped: int = 0
    is_complete: bool = True
    seconds: float = 0

    @classmethod
    def of(cls, answer: Answer) -> Received:
        """Take the figures."""
        return cls(
            envelope=answer.envelope,
            sessions=len(answer.sessions),
            skipped=answer.skipped,
            is_complete=answer.is_complete,
            seconds=(answer.answered - answer.asked).total_seconds(),
        )


class LrsPagerCoordinator(DataUpdateCoordinator[Snapshot]):
    """One transmitter: its client, its log, its polls, its messages."""

    config_entry: LrsPagerConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
        """Make client, log and store; nothing is sent or read yet."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=entry.title, update_interval=POLL_INTERVAL
        )
        self.transmitter = Transmitter(entry.data[CONF_HOST], entry.data[CONF_PORT])
        self.push = Push(self.transmitter, self._receive_pushed, self._push_changed)
        self.tracker = SessionTracker(SessionLog(), dt_util.utcnow())
        self.long_term_statistics = LongTermStatistics(hass, entry)
        self.received = Received()
        # When the unit last told us anything (POSIX seconds); None if it did not yet.
        self.answered_at: float | None = None
        # Held from the look at who has a pager to the end of the command that follows from it, so
        # that no other command of ours comes in between.
        self.session_lock = asyncio.Lock()
        # The unit's clock as of the latest answer, and what it last said of itself.
        self.clock: UnitClock | None = None
        self._device_name: str | None = None
        self._firmware_version: str | None = None
        self._statistics: Statistics | None = None
        self._settings: Settings | None = None
        self._store = SessionStore(hass, entry.entry_id)
        self._unit_state = UnitState()
        # When things were last read, by the event loop's clock; None if not, or no more.
        self._history_read_at: float | None = None
        self._whole_history_read_at: float | None = None
        self._settings_read_at: float | None = None
        # Until when, by the event loop's clock, the cheap question is not asked.
        self._skip_question_until = 0.0
        self._unannounced_polls = 0
        self._unanswered_questions = 0
        self._doubted_at = 0.0
        self._patience = READ_DELAY
        # Where the history ended.
        self._mark: Mark | None = None
        # The unit's clock when its history was last read completely, and when that was (POSIX
        # seconds): no session ended before that the log doesn't know.
        self._whole: tuple[UnitClock, int] | None = None
        # Since when the unit may have forgotten sessions that we did not see, as it could not be
        # asked (POSIX seconds); None if it could all the time. What the log had by then ended no
        # later. And when the unit last answered a poll.
        self._away_since: float | None = None
        self._answered_at = 0.0
        self._day: BusinessDay | None = None
        # A day's figures, and what they were made from: the day, and the log as it was.
        self._summed_up: tuple[tuple[int, int, int], Summary] | None = None
        self._news: list[SessionEvent] = []
        self._event_listeners: list[Callable[[SessionEvent], None]] = []
        self._cancel_turn: CALLBACK_TYPE | None = None
        self._cancel_read: CALLBACK_TYPE | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False
        entry.async_on_unload(self._async_close)

    @property
    def log(self) -> SessionLog:
        """Every archived session ever seen."""
        return self.tracker.log

    @property
    def knows_active(self) -> bool:
        """Whether the active sessions are known as they are now, so that nobody need ask."""
        return self.push.is_proved and self._unit_state.is_sure(self.hass.loop.time())

    @callback
    def async_start_push(self) -> None:
        """Begin to listen, now that there are entities to show what comes."""
        entry = self.config_entry
        entry.async_create_background_task(self.hass, self.push.run(), f"{self.name} push")
        entry.async_on_unload(
            self.hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._async_close)
        )

    @callback
    def async_add_event_listener(self, listener: Callable[[SessionEvent], None]) -> CALLBACK_TYPE:
        """Have each step of each session told, after entities show it."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    async def _async_close(self, _: Event | None = None) -> None:
        """Leave nothing behind: no timer, no socket, no half-written line."""
        self._is_closed = True
        self._unschedule_turn()
        self._cancel_read_soon()
        await self.transmitter.close()
        await self._store.async_save(self.log)
        await self._store.async_close()
        await self.long_term_statistics.async_stop()

    @override
    async def _async_setup(self) -> None:
        """Load the log."""
        try:
            loaded = await self._store.async_load()
        except OSError as err:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="log_not_loaded",
                translation_placeholders={"error": err.strerror or type(err).__name__},
            ) from err
        self.tracker = SessionTracker(loaded.log, dt_util.utcnow())
        if loaded.log.latest:
            self._away_since = loaded.log.latest.ended_at
        if loaded.damaged:
            LOGGER.warning("%d damaged lines of the session log were set aside", loaded.damaged)
        if loaded.set_aside:
            LOGGER.error("The session log could not be read; it was set aside")
            raise_issue(
                self.hass,
                self.config_entry,
                LOG_SET_ASIDE,
                severity=ir.IssueSeverity.ERROR,
                is_persistent=True,
                file=loaded.set_aside.name,
            )

    # ------------------------------------------------------------------------ polls

    @override
    async def _async_update_data(self) -> Snapshot:
        """Read what changed; the log has the rest."""
        self._cancel_read_soon()
        try:
            has_changed = False if self._is_told_of_all() else await self._ask()
            if self._is_history_due(has_changed):
                await self._read_history()
            await self._read_settings()
        except ClosedError as err:
            # The entry is being unloaded: nobody is left to be told, in the log least of all.
            raise asyncio.CancelledError from err
        except TransmitterError as err:
            self._unit_state.forget()
            self._mark, self._skip_question_until = None, 0.0
            if self._away_since is None and self._answered_at:
                latest = self.log.latest
                self._away_since = max(self._answered_at, latest.ended_at if latest else 0)
            self._unanswered_questions = 0
            await self._store.async_save(self.log)
            raise failure(UpdateFailed, err) from err
        self.answered_at = self._answered_at = dt_util.utcnow().timestamp()
        if not self.last_update_success:
            self.push.try_again()
        self._be_patient()
        await self._store.async_save(self.log)
        self._tell_of_clock()
        self._set_pace()
        snapshot = self._snapshot()
        # Entities are not asked again for what they show already; `data` is what they were last
        # shown, by a message it may be.
        self.always_update = bool(self._news) or not snapshot.shows_same_as(self.data)
        return snapshot

    def _be_patient(self) -> None:
        """Read again if the history lags behind what happened: less and less often."""
        if self.tracker.wants_history:
            self._patience = min(2 * self._patience, POLL_INTERVAL.total_seconds())
            self._read_soon(self._patience)
        else:
            self._patience = READ_DELAY

    async def async_read_all(self) -> None:
        """Poll now, and read the whole history whatever the cheap question says."""
        self._unit_state.forget()
        self._mark = self._history_read_at = self._settings_read_at = None
        await self.async_request_refresh()

    def _is_told_of_all(self) -> bool:
        """Whether the active sessions are known from messages, so that none of them need be asked.

        When a session has ended, just the history is: half of a busy day's requests.
        """
        return self.knows_active and self.tracker.wants_history and not self.tracker.has_missing

    async def _ask(self) -> bool:
        """Ask the cheap question, and return whether anything has changed, as far as it tells."""
        now = self.hass.loop.time()
        if now < self._skip_question_until:
            return True
        # A session that is missing may be on the list after all.
        etag = None if self.tracker.wants_history else self._unit_state.etag(now)
        try:
            answer = await self.transmitter.sessions(etag)
        except ClosedError:
            raise
        except TransmitterError as err:
            self._unit_state.forget()
            self._unanswered_questions += 1
            is_unknown = isinstance(err, RejectedError) and err.code in NOT_THERE
            if is_unknown or self._unanswered_questions >= UNANSWERED_QUESTIONS:
                # Older firmware has the history alone, and need not be asked again and again for
                # what it has not got; but it may be updated one day.
                self._skip_question_until = now + HISTORY_INTERVAL.total_seconds()
            # If the unit is not well, the history will say so.
            return True
        self._skip_question_until, self._unanswered_questions = 0.0, 0
        if answer is None:
            self._unit_state.confirm(now)
            return False
        before = self.tracker.state
        self._merge(answer)
        is_new = self._unit_state.see_list(answer, now, self.hass.loop.time())
        if is_new and self._unit_state.told is not None:
            self._note_change(was_told=before == self.tracker.state)
        return is_new

    def _note_change(self, *, was_told: bool) -> None:
        """Count changes that push should have told; after some in a row, tell the user.

        was_told: whether the active sessions were as messages had told.
        """
        if self.push.is_proved and not was_told:
            self._unannounced_polls += 1
            if self._unannounced_polls >= UNANNOUNCED_POLLS:
                raise_issue(self.hass, self.config_entry, PUSH_SILENT)

    def _is_history_due(self, has_changed: bool) -> bool:
        """Whether to read the history: it changed, or it would be too long ago at the next poll."""
        interval = WHOLE_HISTORY_INTERVAL if self.push.is_proved else HISTORY_INTERVAL
        at_next_poll = self.hass.loop.time() + POLL_INTERVAL.total_seconds()
        return (
            has_changed
            or self.tracker.wants_history
            or not _is_within(self._history_read_at, interval, at_next_poll)
        )

    def _is_whole_history_due(self) -> bool:
        """Whether to read more of the history than what was added to it."""
        at_next_poll = self.hass.loop.time() + POLL_INTERVAL.total_seconds()
        return self._patience >= MAX_TAIL_PATIENCE or not _is_within(
            self._whole_history_read_at, WHOLE_HISTORY_INTERVAL, at_next_poll
        )

    async def _read_history(self) -> None:
        """Merge the history, or what was added to it, into the log."""
        at = self.hass.loop.time()
        mark = None if self._is_whole_history_due() else self._mark
        answer = await self.transmitter.history(mark)
        self._note(answer)
        clock, since = self._clock(), self._unseen_since(answer)
        for sessions in batched(answer.sessions, BATCH, strict=False):
            news = self.tracker.see_history(sessions, clock, answer.answered, self._whole)
            self._keep(news)
            await asyncio.sleep(0)
        self._mark = answer.mark
        if answer.is_all:
            self.received = Received.of(answer)
        if answer.is_complete and not answer.skipped:
            self._whole = clock, round(answer.asked.timestamp())
        if not answer.is_complete:
            self._unit_state.forget()
            return
        self._history_read_at = at
        if answer.is_all:
            self._keep(self.tracker.history_is_complete(answer.asked))
            self._whole_history_read_at = at
            self._away_since = None
            if since is not None:
                self._tell_of_missed(answer, since)

    def _unseen_since(self, answer: Answer) -> float | None:
        """Since when sessions may be missing from a history that is about to be merged.

        None if that goes back to one that we knew before we could not ask for it.
        """
        since = self._away_since
        if since is None:
            return None
        # Others may be known by now, by a message or by a history that changed while it was read.
        found = map(self.log.find, answer.sessions)
        return None if any(known and known.ended_at <= since for known in found) else since

    async def _read_settings(self) -> None:
        """Read the settings, if that is due."""
        now = self.hass.loop.time()
        if _is_within(self._settings_read_at, SETTINGS_INTERVAL, now):
            return
        self._settings_read_at = now
        try:
            self._note(await self.transmitter.settings())
        except ClosedError:
            raise
        except TransmitterError as err:
            # Sessions are what counts; older firmware has no settings.
            LOGGER.debug("The settings could not be read: %s", err)

    @callback
    def _read_soon(self, delay: float = READ_DELAY) -> None:
        """Poll, though it is not due; if that was asked for before, at the earlier moment."""
        at = self.hass.loop.time() + delay
        if self._is_closed or (self._cancel_read is not None and self._read_at <= at):
            return
        self._cancel_read_soon()
        self._read_at = at

        @callback
        def read(_: datetime) -> None:
            self._cancel_read = None
            if self._reading is not None and not self._reading.done():
                # It may have asked before this was called for; but one that waits is enough.
                self._read_soon()
                return
            self._reading = self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), f"{self.name} read"
            )

        self._cancel_read = async_call_later(self.hass, delay, read)

    @callback
    def _cancel_read_soon(self) -> None:
        if self._cancel_read is not None:
            self._cancel_read()
            self._cancel_read = None

    # --------------------------------------------------------------------- messages

    @callback
    def _receive_pushed(self, answer: Answer) -> None:
        """Take in a message that the unit sent by itself."""
        if not answer.is_all and answer.envelope.response_types != PING:
            self._unannounced_polls = 0
            withdraw_issue(self.hass, self.config_entry, PUSH_SILENT)
        self._receive(answer)

    @callback
    def _receive(self, answer: Answer) -> None:
        """Take in a message that the unit sent by itself, or the answer to a command."""
        is_in_step = self._unit_state.see_message(answer, self.hass.loop.time())
        news = self._merge(answer)
        if not self.last_update_success:
            self._read_soon(0)  # it is back, which a poll will say
            return
        if news.is_doubtful:
            self._unit_state.doubt(self.hass.loop.time())
            # At once, but not for each of many.
            now = self.hass.loop.time()
            self._read_soon(READ_DELAY if now - self._doubted_at < READ_DELAY else 0)
            self._doubted_at = now
        if not is_in_step:
            # The list alone can tell what was missed, also if it had no answer of late.
            self._skip_question_until = 0.0
        if not is_in_step or self.tracker.wants_history:
            self._read_soon()
        if answer.envelope.response_types != PING:
            self._publish()

    async def async_command(self, command: Awaitable[Answer], *, to_end: bool = False) -> Answer:
        """Wait for a command's answer, and show at once what came of it.

        to_end: whether to wait until everything is read that the answer did not tell, be it a long
        history; else no longer than it takes to see the active sessions.
        Raises TransmitterError. After a time-out, or if the caller is stopped meanwhile, it may
        have been carried out: the state is read.
        """
        try:
            answer = await command
        except TransmitterError, asyncio.CancelledError:
            self._unit_state.doubt(self.hass.loop.time())
            self._settings_read_at = None
            self._read_soon(0)
            raise
        self._receive(answer)
        if answer.sessions or answer.settings:
            return answer
        # It did not tell what came of it.
        self._unit_state.doubt(self.hass.loop.time())
        self._settings_read_at = None
        if to_end:
            await self.async_refresh()
        else:
            self._read_soon(0)
            with suppress(TransmitterError):
                await self.async_ask_sessions()
        return answer

    async def async_ask_sessions(self) -> None:
        """Ask which sessions are active, and no more: nobody waits for a long history.

        Raises TransmitterError.
        """
        if answer := await self.transmitter.sessions():
            self._receive(answer)

    async def async_set_clock(self) -> None:
        """Set the unit's clock to Home Assistant's local time, and see that it took.

        Raises TransmitterError, and HomeAssistantError if it didn't take.
        """
        now = dt_util.now() + timedelta(milliseconds=500)  # to the nearest second
        clock = now.replace(microsecond=0, tzinfo=None)
        await self.async_command(self.transmitter.set_settings(clock=clock))
        self._receive(await self.transmitter.settings())
        self._tell_of_clock()
        if self.clock is None or not self.clock.agrees:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="clock_not_set")

    @callback
    def _push_changed(self) -> None:
        """Show how it stands with push."""
        if self._is_closed:
            return
        self._set_pace()
        if self.push.state is PushState.LOST:
            self._read_soon(0)  # what happens from now on, polls have to find
        self._publish()

    def _set_pace(self) -> None:
        """Poll as often as it takes."""
        is_slow = (
            self.push.is_proved and not self._unannounced_polls and not self.tracker.wants_history
        )
        self.update_interval = PUSH_POLL_INTERVAL if is_slow else POLL_INTERVAL

    # ---------------------------------------------------------------------- merging

    def _merge(self, answer: Answer) -> News:
        """Merge active sessions, and what the unit says of itself."""
        self._note(answer)
        asked = answer.asked if answer.is_all else None
        clock = self._clock().as_of(answer.answered)
        is_whole = answer.is_complete and not answer.skipped
        news = self.tracker.see(answer.sessions, clock, answer.answered, asked, is_whole=is_whole)
        self._keep(news)
        return news

    def _keep(self, news: News) -> None:
        """Keep what is to be saved, and what is to be announced."""
        self._store.add(news.logged)
        for before, after in news.changes:
            self.long_term_statistics.note(before, after)
        self._news += news.events

    def _note(self, answer: Answer) -> None:
        """Keep what an answer says of the unit itself."""
        envelope = answer.envelope
        self.answered_at = answer.answered.timestamp()
        self._device_name = envelope.device_name or self._device_name
        self._firmware_version = envelope.firmware_version or self._firmware_version
        self._statistics = answer.statistics or self._statistics
        self._settings = answer.settings or self._settings
        timestamp = envelope.timestamp or (answer.settings.clock if answer.settings else None)
        if timestamp is not None:
            self.clock = UnitClock.measure(
                timestamp,
                answer.asked,
                answer.answered,
                dt_util.get_default_time_zone(),
                self.clock,
            )

    def _clock(self) -> UnitClock:
        """The unit's clock; if it never said what it shows, local time."""
        if self.clock is not None:
            return self.clock
        now = dt_util.utcnow()
        zone = dt_util.get_default_time_zone()
        local = now.astimezone(zone).replace(tzinfo=None, microsecond=0)
        return UnitClock.measure(local, now, now, zone)

    # ------------------------------------------------------------------- publishing

    def _snapshot(self) -> Snapshot:
        """Take what is shown, as of now."""
        now = dt_util.utcnow()
        day = self._clock().business_day(
            now, self.config_entry.options.get(CONF_DAY_START, DEFAULT_DAY_START)
        )
        if self._day is not None and day.date == self._day.date:
            # However the unit's clock drifts, is set or stands still: a day has one start. Counts
            # are statistics, for which another start would be a reset.
            day = replace(day, start=self._day.start)
        self._day = day
        snapshot = Snapshot(
            now=now.timestamp(),
            day=day,
            today=self._summary(day),
            last_cleared=self.log.latest,
            active=None
            if self._skip_question_until and not self.push.is_live
            else self.tracker.active,
            statistics=self._statistics,
            settings=self._settings,
            clock_ahead=None if self.clock is None else round(self.clock.ahead.total_seconds()),
            push=self.push.state,
            shows_names=self.config_entry.options.get(CONF_SHOW_NAMES, False),
            device_name=self._device_name,
            firmware_version=self._firmware_version,
        )
        self._schedule_turn(snapshot)
        return snapshot

    def _summary(self, day: BusinessDay) -> Summary:
        """Sum up a day; most of what is told changes nothing of it."""
        made_from = day.start, day.end, self.log.changes
        if self._summed_up is None or self._summed_up[0] != made_from:
            self._summed_up = made_from, summarize(self.log.between(day.start, day.end))
        return self._summed_up[1]

    @callback
    def _publish(self) -> None:
        """Show what is known now, beside the polls. Whether the unit answers is for them to say."""
        if self._is_closed:
            return
        if self._store.is_behind and not self.tracker.wants_history:
            # On the disk in a moment; until then, the unit has it too. What the history is about
            # to tell more of is written with the poll that asks it: one line, not two.
            self.config_entry.async_create_background_task(
                self.hass, self._store.async_save(self.log), f"{self.name} save"
            )
        self.data = self._snapshot()
        self.async_update_listeners()

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Have entities show the snapshot; then tell what happened."""
        super().async_update_listeners()
        if not self.last_update_success:
            return  # nobody hears what an entity tells that is unavailable
        news, self._news = self._news, []
        for event in news:
            for listener in tuple(self._event_listeners):
                try:
                    listener(event)
                except Exception:  # noqa: BLE001  # the others are to hear of it all the same
                    LOGGER.exception("Unexpected error while a session's step was told")

    def _schedule_turn(self, snapshot: Snapshot) -> None:
        """Have the next moment shown at which something changes by itself.

        The business day ends when the unit's clock says so, a goal runs out, a guest is late.
        """
        goals = [session.goal_at for session in snapshot.waiting if session.goal_at is not None]
        moments = [snapshot.day.turns.timestamp(), *goals, *(goal + LATE_AFTER for goal in goals)]
        at = min((moment for moment in moments if moment > snapshot.now), default=snapshot.now + 1)
        self._unschedule_turn()
        if not self._is_closed:
            self._cancel_turn = async_track_point_in_utc_time(
                self.hass, self._turn, dt_util.utc_from_timestamp(at)
            )

    @callback
    def _unschedule_turn(self) -> None:
        if self._cancel_turn is not None:
            self._cancel_turn()
            self._cancel_turn = None

    @callback
    def _turn(self, now: datetime) -> None:
        """Show what changed by itself."""
        self._cancel_turn = None
        if not self.push.is_live and now < self.data.day.turns and self.last_update_success:
            # A guest seems to be late, but may have been paged since the last poll.
            self._read_soon(0)
            return
        self._publish()

    # ----------------------------------------------------------------------- issues

    def _tell_of_missed(self, answer: Answer, since: float) -> None:
        """Tell the user if sessions may be missing between then and a history that was merged."""
        found = map(self.log.find, answer.sessions)
        oldest = min((session.ended_at for session in found if session), default=since)
        if since < oldest:
            add_missed_span(self.hass, self.config_entry, since, oldest)

    def _tell_of_clock(self) -> None:
        """Tell the user if the unit's clock is off, and take it back when it is right."""
        if self.clock is None or self.clock.agrees:
            withdraw_issue(self.hass, self.config_entry, CLOCK_OFF)
        else:
            raise_issue(self.hass, self.config_entry, CLOCK_OFF, is_fixable=True)


def _is_within(at: float | None, interval: timedelta, now: float) -> bool:
    """Whether it is not longer ago than that; all by the event loop's clock."""
    return at is not None and now - at <= interval.total_seconds()
