"""Polls a transmitter, keeps the log, and publishes what entities show as one snapshot."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import (
    CONF_DAY_START,
    DEFAULT_DAY_START,
    DOMAIN,
    HISTORY_INTERVAL,
    LOG_ISSUE,
    LOGGER,
    POLL_INTERVAL,
)
from .errors import translation
from .session_log import LoggedSession, SessionLog
from .session_store import SessionStore
from .summary import Summary, summarize
from .transmitter import (
    Answer,
    BusinessDay,
    ClosedError,
    Envelope,
    Transmitter,
    TransmitterError,
    UnitClock,
)

type LrsPagerConfigEntry = ConfigEntry[LrsPagerCoordinator]

# Seconds that a unit's ETags may fail to tell apart: its clock has whole seconds; twice that.
ETAG_TICK = 2.0

# Sessions that are merged before others may use the event loop: some milliseconds' work.
BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that entities show.

    day: the business day that the unit's clock is in; today: its sessions, summed up.
    last_cleared: the session that ended last, of any day.
    """

    day: BusinessDay
    today: Summary
    last_cleared: LoggedSession | None
    device_name: str | None
    firmware_version: str | None


@dataclass(slots=True, kw_only=True)
class LastRead:
    """The last read of the history, to tell whether anything has changed since.

    told: what the cheap question's answer told before that, and tells as long as nothing changes;
    None if nothing did. at: when that was, by the event loop's clock.
    etag: of a later answer that told the same.
    """

    told: object | None
    at: float
    etag: bytes | None = None


@dataclass(slots=True, kw_only=True)
class Received:
    """The latest answer, in figures: for diagnostics."""

    envelope: Envelope | None = None
    sessions: int = 0
    skipped: int = 0
    is_complete: bool = True
    seconds: float = 0


class LrsPagerCoordinator(DataUpdateCoordinator[Snapshot]):
    """One transmitter: its client, its log, its polls."""

    config_entry: LrsPagerConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
        """Make client, log and store; nothing is sent or read yet."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=entry.title, update_interval=POLL_INTERVAL
        )
        self.transmitter = Transmitter(entry.data[CONF_HOST], entry.data[CONF_PORT])
        self.log = SessionLog()
        self.received = Received()
        # The unit's clock as of the latest answer, and what it last said of itself.
        self.clock: UnitClock | None = None
        self._device_name: str | None = None
        self._firmware_version: str | None = None
        self._store = SessionStore(hass, entry.entry_id)
        self._unsaved: list[LoggedSession] = []
        self._has_save_failed = False
        self._last_read: LastRead | None = None
        # Until when, by the event loop's clock, the cheap question is not asked.
        self._skip_question_until = 0.0
        # The unit's clock when its history was last read completely, and when that was (POSIX
        # seconds): no session ended before that the log doesn't know.
        self._whole: tuple[UnitClock, int] | None = None
        self._day: BusinessDay | None = None
        self._cancel_turn: CALLBACK_TYPE | None = None
        self._is_closed = False
        entry.async_on_unload(self._async_close)

    async def _async_close(self) -> None:
        """Leave nothing behind: no timer, no socket, no half-written line."""
        self._is_closed = True
        self._unschedule_turn()
        await self.transmitter.close()
        await self._store.async_close()

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
        self.log = loaded.log
        if loaded.damaged:
            LOGGER.warning("%d damaged lines of the session log were left out", loaded.damaged)
        if loaded.set_aside:
            LOGGER.error("The session log could not be read; it was set aside")
            ir.async_create_issue(
                self.hass,
                DOMAIN,
                f"{LOG_ISSUE}_{self.config_entry.entry_id}",
                is_fixable=False,
                is_persistent=True,
                severity=ir.IssueSeverity.ERROR,
                translation_key="log_set_aside",
                translation_placeholders={
                    "title": self.config_entry.title,
                    "file": loaded.set_aside.name,
                },
            )

    @override
    async def _async_update_data(self) -> Snapshot:
        """Read the history if anything changed; the log has the rest."""
        try:
            told = await self._ask()
            if self._is_history_due(told):
                await self._read_history(told)
        except ClosedError as err:
            # The entry is being unloaded: nobody is left to be told, in the log least of all.
            raise asyncio.CancelledError from err
        except TransmitterError as err:
            self._last_read, self._skip_question_until = None, 0.0
            key, placeholders = translation(err)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from err
        await self._save()
        return self._snapshot()

    async def async_read_all(self) -> None:
        """Poll now, and read the whole history whatever the cheap question says."""
        self._last_read = None
        await self.async_request_refresh()

    async def _ask(self) -> object | None:
        """Ask the cheap question: has anything changed?

        Returns what tells a change by being another than last time: the sequence; where the unit
        doesn't tell it, its active sessions and its count of all. None if nothing tells.
        """
        now, last = self.hass.loop.time(), self._last_read
        if now < self._skip_question_until:
            return None
        try:
            answer = await self.transmitter.sessions(last.etag if last else None)
        except ClosedError:
            raise
        except TransmitterError:
            # Older firmware has the history alone, and need not be asked again and again for what
            # it has not got; but it may be updated one day. If it is not well, the history will
            # say so.
            self._skip_question_until = now + HISTORY_INTERVAL.total_seconds()
            return None
        if answer is None:
            return last and last.told
        self._note(answer)
        told: object | None = answer.envelope.sequence
        if told is None and answer.statistics is not None:
            told = answer.sessions, answer.statistics
        # ETags are said to be times: two changes within one tick would have the same. This one is
        # trusted if it came later than what it stands for, by more than a tick.
        if last and told == last.told and now - last.at > ETAG_TICK:
            last.etag = answer.etag
        return told

    def _is_history_due(self, told: object | None) -> bool:
        """Whether to read the history: it changed, or it would be too long ago at the next poll."""
        last = self._last_read
        if told is None or last is None or told != last.told:
            return True
        at_next_poll = self.hass.loop.time() + POLL_INTERVAL.total_seconds()
        return at_next_poll - last.at > HISTORY_INTERVAL.total_seconds()

    async def _read_history(self, told: object | None) -> None:
        """Merge the history into the log. told: what the cheap question told before."""
        at = self.hass.loop.time()
        answer = await self.transmitter.history()
        self._note(answer)
        for sessions in batched(answer.sessions, BATCH, strict=False):
            self._unsaved += self.log.absorb(sessions, self._clock(), self._whole)
            await asyncio.sleep(0)
        if answer.is_complete and not answer.skipped:
            self._whole = self._clock(), round(answer.asked.timestamp())
        self._last_read = LastRead(told=told, at=at) if answer.is_complete else None

    def _note(self, answer: Answer) -> None:
        """Keep what an answer says of the unit itself."""
        envelope = answer.envelope
        self.received = Received(
            envelope=envelope,
            sessions=len(answer.sessions),
            skipped=answer.skipped,
            is_complete=answer.is_complete,
            seconds=(answer.answered - answer.asked).total_seconds(),
        )
        self._device_name = envelope.device_name or self._device_name
        self._firmware_version = envelope.firmware_version or self._firmware_version
        if envelope.timestamp is not None:
            self.clock = UnitClock.measure(
                envelope.timestamp,
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

    async def _save(self) -> None:
        """Save what is new, before anybody is told; what the disk refuses, with the next poll."""
        if not self._unsaved:
            return
        new = tuple(self._unsaved)
        try:
            await self._store.async_append(new, self.log)
        except OSError as err:
            if not self._has_save_failed:
                LOGGER.error("The session log could not be saved: %s", err.strerror)
            self._has_save_failed = True
            return
        del self._unsaved[: len(new)]
        if self._has_save_failed:
            LOGGER.info("The session log is saved again")
        self._has_save_failed = False

    def _snapshot(self) -> Snapshot:
        """Take what is shown from the log, as of now."""
        now = dt_util.utcnow()
        day = self._clock().business_day(
            now, self.config_entry.options.get(CONF_DAY_START, DEFAULT_DAY_START)
        )
        if self._day is not None and day.date == self._day.date:
            # However the unit's clock drifts, is set or stands still: a day has one start. Counts
            # are statistics, for which another start would be a reset.
            day = replace(day, start=self._day.start)
        self._day = day
        self._schedule_turn(max(day.turns, now + timedelta(seconds=1)))
        return Snapshot(
            day=day,
            today=summarize(self.log.between(day.start, day.end)),
            last_cleared=self.log.latest,
            device_name=self._device_name,
            firmware_version=self._firmware_version,
        )

    def _schedule_turn(self, at: datetime) -> None:
        """Begin the next business day when the unit's clock does, not when a poll is due."""
        self._unschedule_turn()
        if not self._is_closed:
            self._cancel_turn = async_track_point_in_utc_time(self.hass, self._turn, at)

    @callback
    def _unschedule_turn(self) -> None:
        if self._cancel_turn is not None:
            self._cancel_turn()
            self._cancel_turn = None

    @callback
    def _turn(self, _now: datetime) -> None:
        """Show the new day. Whether the unit can be reached is for the polls to say."""
        self._cancel_turn = None
        self.data = self._snapshot()
        self.async_update_listeners()
