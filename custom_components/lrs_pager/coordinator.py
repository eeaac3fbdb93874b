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
    MalformedError,
    RejectedError,
    Transmitter,
    TransmitterError,
    UnitClock,
)

type LrsPagerConfigEntry = ConfigEntry[LrsPagerCoordinator]

# How far two reckonings of the same day's start may be apart and still be the same: the unit's
# clock drifts by seconds, and a statistics' reset must not move with it.
SAME_START = 60

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
    """The last read of the history, to tell whether it has changed since.

    sequence: its globalSessionSequence; None if it must be read again in any case.
    asked_at: by the event loop's clock.
    etag: of a later answer that told the same sequence.
    """

    sequence: int | None
    asked_at: float
    etag: bytes | None = None


class LrsPagerCoordinator(DataUpdateCoordinator[Snapshot]):
    """One transmitter: its client, its log, its polls."""

    config_entry: LrsPagerConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
        """Make client, log and store; nothing is sent or read yet."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=DOMAIN, update_interval=POLL_INTERVAL
        )
        self.transmitter = Transmitter(entry.data[CONF_HOST], entry.data[CONF_PORT])
        self.log = SessionLog()
        # The latest answer with an envelope, and the unit's clock as of it.
        self.answer: Answer | None = None
        self.clock: UnitClock | None = None
        self._store = SessionStore(hass, entry.entry_id)
        self._unsaved: list[LoggedSession] = []
        self._last_read: LastRead | None = None
        # Until when, by the event loop's clock, GET /v1/sessions is not asked for.
        self._skip_sessions_until = 0.0
        # The unit's clock when its history was last read completely, and when that was (POSIX
        # seconds): no session ended before that the log doesn't know.
        self._whole: tuple[UnitClock, int] | None = None
        self._day: BusinessDay | None = None
        self._cancel_turn: CALLBACK_TYPE | None = None
        # A coordinator without listeners does not poll. The log must go on even if the user
        # disables every entity, so there is always this one.
        entry.async_on_unload(self.async_add_listener(lambda: None))
        entry.async_on_unload(self._unschedule_turn)
        entry.async_on_unload(self.transmitter.close)

    @override
    async def _async_setup(self) -> None:
        """Load the log."""
        loaded = await self._store.async_load()
        self.log.restore(loaded.sessions)
        if loaded.set_aside:
            LOGGER.error("The session log could not be read; it was set aside")
            ir.async_create_issue(
                self.hass,
                DOMAIN,
                f"log_set_aside_{self.config_entry.entry_id}",
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
            if await self._has_changed():
                await self._read_history()
            elif self._unsaved:
                await self._save([])
        except ClosedError:
            # The entry is being unloaded: there is nobody left to tell.
            return self.data
        except TransmitterError as err:
            self._last_read = None
            key, placeholders = translation(err)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from err
        return self._snapshot()

    async def async_read_all(self) -> None:
        """Poll now, and read the whole history whatever the cheap question says."""
        self._last_read = None
        await self.async_request_refresh()

    async def _has_changed(self) -> bool:
        """Ask the cheap question: has anything changed since the history was read?"""
        last = self._last_read
        if last is None or last.sequence is None:
            return True
        now, next_poll = self.hass.loop.time(), POLL_INTERVAL.total_seconds()
        if now + next_poll - last.asked_at > HISTORY_INTERVAL.total_seconds():
            return True
        if now < self._skip_sessions_until:
            return True
        try:
            answer = await self.transmitter.sessions(last.etag)
        except RejectedError:
            # Older firmware has the history alone. It may be updated one day.
            self._skip_sessions_until = now + HISTORY_INTERVAL.total_seconds()
            return True
        except MalformedError:
            # If the history is no better, it will say so itself.
            return True
        if answer is None:
            return False
        self._note(answer)
        if answer.envelope.sequence != last.sequence:
            return True
        # ETags are said to be times: two changes within one tick would have the same. This one is
        # trusted as it came later than the history that it stands for, by more than a tick.
        if now - last.asked_at > ETAG_TICK:
            last.etag = answer.etag
        return False

    async def _read_history(self) -> None:
        """Merge the history into the log, and save what is new before anybody is told."""
        asked_at = self.hass.loop.time()
        answer = await self.transmitter.history()
        self._note(answer)
        new: list[LoggedSession] = []
        for sessions in batched(answer.sessions, BATCH, strict=False):
            new += self.log.absorb(sessions, self._clock(), self._whole)
            await asyncio.sleep(0)
        await self._save(new)
        if answer.is_complete and not answer.skipped:
            self._whole = self._clock(), round(answer.asked.timestamp())
        self._last_read = LastRead(
            sequence=answer.envelope.sequence if answer.is_complete else None, asked_at=asked_at
        )

    def _note(self, answer: Answer) -> None:
        """Keep what an answer says of the unit itself."""
        self.answer = answer
        if answer.envelope.timestamp is not None:
            self.clock = UnitClock.measure(
                answer.envelope.timestamp,
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

    async def _save(self, new: list[LoggedSession]) -> None:
        """Save sessions; those that the disk refuses are tried again with each poll."""
        had_failed = bool(self._unsaved)
        self._unsaved += new
        if not self._unsaved:
            return
        try:
            await self._store.async_append(self._unsaved, self.log)
        except OSError as err:
            if not had_failed:
                LOGGER.error("The session log could not be saved: %s", err.strerror)
            return
        self._unsaved.clear()
        if had_failed:
            LOGGER.info("The session log is saved again")

    def _snapshot(self) -> Snapshot:
        """Take what is shown from the log, as of now."""
        now = dt_util.utcnow()
        day = self._clock().business_day(
            now, self.config_entry.options.get(CONF_DAY_START, DEFAULT_DAY_START)
        )
        if (
            self._day is not None
            and day.date == self._day.date
            and abs(day.start - self._day.start) <= SAME_START
        ):
            day = replace(day, start=self._day.start)
        self._day = day
        self._schedule_turn(max(day.turns, now + timedelta(seconds=1)))
        envelope = self.answer.envelope if self.answer else None
        return Snapshot(
            day=day,
            today=summarize(self.log.between(day.start, day.end)),
            last_cleared=self.log.latest,
            device_name=envelope.device_name if envelope else None,
            firmware_version=envelope.firmware_version if envelope else None,
        )

    def _schedule_turn(self, at: datetime) -> None:
        """Begin the next business day when the unit's clock does, not when a poll is due."""
        self._unschedule_turn()
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
