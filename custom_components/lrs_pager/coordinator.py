"""The coordinator: connects the parts that keep up with a transmitter to Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from . import backup
from .const import (
    CONF_DAY_START,
    CONF_KEEP_NAMES,
    CONF_SHOW_NAMES,
    DEFAULT_DAY_START,
    DEFAULT_KEEP_NAMES,
    DOMAIN,
    LOGGER,
)
from .errors import failure
from .issues import (
    ACCEPTED,
    FORMER_ISSUES,
    LOG_NOT_SAVED,
    accept,
    tell_of_another,
    tell_of_clock,
    tell_of_disk,
    tell_of_log,
    tell_of_missed,
    tell_of_push,
    tell_of_unreadable,
    withdraw_issue,
)
from .long_term_statistics import LongTermStatistics
from .sessions.log import (
    Change,
    FutureVersionError,
    LogClosedError,
    LogUnreadableError,
    SessionLog,
)
from .sessions.session import PlacedSession
from .sessions.tracker import MAX_EVENT_AGE
from .sync.commands import Commands
from .sync.follower import Follower, Ourselves
from .sync.identity import AnotherUnitError
from .sync.intervals import Intervals
from .sync.picture import Picture, Snapshot
from .sync.push import PushState
from .sync.quoting import Quotes, Wires
from .sync.soon import Soon
from .sync.timers import Timers
from .transmitter import Session, Transmitter, TransmitterError

type LrsPagerConfigEntry = ConfigEntry[LrsPagerCoordinator]

DAY = 24 * 3600

INTERVALS = Intervals()

# By entry, when we paged each of its pagers last: also over a reload.
_PAGED_AT: HassKey[dict[str, dict[int, float]]] = HassKey(f"{DOMAIN}_paged_at")


class LrsPagerCoordinator(DataUpdateCoordinator[Snapshot]):
    """One transmitter in Home Assistant."""

    config_entry: LrsPagerConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
        """Make all parts; nothing is sent or read yet."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=timedelta(seconds=INTERVALS.poll),
        )
        call_later = partial(_call_later, hass)
        self.transmitter = Transmitter(entry.data[CONF_HOST], entry.data[CONF_PORT])
        self.log = _session_log(hass, entry)
        self.long_term_statistics = LongTermStatistics(hass, entry)
        self.follower = Follower(self.transmitter, self.log, _ourselves(hass, entry), self)
        self.timers = Timers(
            now=self.follower.clocks.now,
            call_later=call_later,
            is_told=lambda: self.follower.push.is_live,
            ask=lambda: self.read_soon(0),
            show=self.changed,
        )
        self.commands = Commands(
            self.transmitter,
            self.follower,
            read_soon=self.read_soon,
            refresh=self.async_refresh,
            save=self._save,
            paged_at=hass.data.setdefault(_PAGED_AT, {}).setdefault(entry.entry_id, {}),
        )
        self.quotes = _quotes(self, self._show_quotes)
        self._picture = Picture(
            day_start=day_start_of(entry), shows_names=entry.options.get(CONF_SHOW_NAMES, False)
        )
        self._soon = Soon(steady=hass.loop.time, call_later=call_later, run=self._refresh)
        entry.async_on_unload(self._async_close)
        # From now on, as Home Assistant may be stopped while the first read is under way.
        entry.async_on_unload(hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._async_close))

    # ------------------------------------------------------------------- Home Assistant's hooks

    @override
    async def _async_setup(self) -> None:
        """Open the log."""
        with _while_open(self):
            await _open_log(self, self._picture)

    @override
    async def _async_update_data(self) -> Snapshot:
        """Read what is due."""
        with _while_open(self):
            return await self._read()

    async def _read(self) -> Snapshot:
        self._soon.cancel()
        # After a failure, the next poll comes soon, also if push had made the interval longer.
        self.update_interval = timedelta(seconds=INTERVALS.poll)
        # Notice now if our clock was set: the unit's clock can't be read off an answer that is
        # under way when that is noticed.
        self.follower.now()
        try:
            await self.follower.read()
            await _if_readable(self._sum_up())
        except TransmitterError as err:
            _see_failure(self, err)
            raise failure(UpdateFailed, err) from err
        if not self.last_update_success:
            self.follower.push.try_again()
        if (delay := self.follower.poller.after_read()) is not None:
            self.read_soon(delay)
        self.update_interval = timedelta(seconds=self.follower.poller.interval)
        _tell_issues(self)
        snapshot = self._snapshot()
        # Entities don't write again what they show already. `data` is the snapshot that they
        # showed last; a message may have brought it.
        self.always_update = (
            bool(self.follower.events)
            or self.timers.is_due
            or not snapshot.shows_same_as(self.data)
        )
        if self.always_update:
            self.timers.asked()  # they look next when listeners are updated
        return snapshot

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Have entities show the snapshot; then tell of the events."""
        super().async_update_listeners()
        active = self.data.active if self.last_update_success else None
        self.quotes.see(active, self.follower.tracker.tracked)
        if not self.last_update_success:
            return  # an unavailable event entity tells nobody: the events wait
        self.follower.events.tell(self.follower.now() - MAX_EVENT_AGE)
        if self.data.active is not None:
            self.timers.look(self.data, self.follower.tracker.tracked)

    @callback
    def async_start_push(self) -> None:
        """Register for pushed changes, now that there are entities to show them."""
        self.config_entry.async_create_background_task(
            self.hass, self.follower.push.run(), f"{self.name} push"
        )

    async def _async_close(self, _: Event | None = None) -> None:
        """Leave nothing behind: no timer, no socket, nothing that was not written."""
        self._soon.close()
        self.timers.stop()
        self.quotes.close()
        await self.transmitter.close()
        await self.follower.save(is_last=True)
        await self.long_term_statistics.async_stop()
        await self.log.close()

    # ----------------------------------------------------------- what the follower tells of

    @callback
    def changed(self) -> None:
        """Show what is known now, between polls. Only a poll says whether the unit answers."""
        if self.is_closed:
            return
        if not self.last_update_success:
            self.read_soon(0)  # it is back: a poll makes the entities available
            return
        self._show()
        if self.follower.is_behind or self._picture.is_behind(self.log):
            self.config_entry.async_create_background_task(
                self.hass, self._save(), f"{self.name} save"
            )

    @callback
    def push_changed(self) -> None:
        """Show whether changes are pushed."""
        if self.is_closed:
            return
        self.update_interval = timedelta(seconds=self.follower.poller.interval)
        _tell_issues(self)
        if self.follower.push.state is PushState.LOST:
            self.read_soon(0)  # what happens from now on, polls have to find
        self._show()

    @callback
    def read_soon(self, delay: float) -> None:
        """Poll in so many seconds, unless an earlier poll is due."""
        self._soon.ask(delay)

    @callback
    def written(self, changes: Sequence[Change]) -> None:
        """Have long-term statistics and quotes follow the log."""
        for before, after in changes:
            self.long_term_statistics.note(before, after)
        self.quotes.note(changes)

    @callback
    def missed(self, start: float, end: float) -> None:
        """Notify the user of a span in which sessions may be missing (POSIX seconds)."""
        self.hass.async_create_task(tell_of_missed(self.hass, self.config_entry, start, end))

    @callback
    def stepped(self, seconds: int) -> None:
        """Our clock was set, and went forward by so many seconds: show all by the new time."""
        self._picture.shift(seconds)
        self.commands.shift(seconds)
        self.quotes.forget()
        self.changed()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is read or shown any more."""
        return self._soon.is_closed

    # ------------------------------------------------------------------------------ commands

    async def async_read_all(self) -> None:
        """Ask for a poll that reads everything: active sessions, the whole history, settings."""
        self.follower.read_everything()
        await self.async_request_refresh()

    async def async_set_clock(self) -> None:
        """Set the unit's clock to Home Assistant's local time, and check that it took.

        Raises TransmitterError, and HomeAssistantError if it didn't take.
        """
        did_take = await self.commands.set_clock()
        _tell_issues(self)
        if not did_take:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="clock_not_set")

    # ---------------------------------------------------------------------------- publishing

    def _snapshot(self) -> Snapshot:
        """Return the snapshot of this moment."""
        follower = self.follower
        clock = follower.unit_clock()
        return self._picture.take(
            clock,
            follower.now(),
            facts=follower.facts,
            active=follower.tracker.active_by(clock) if follower.poller.tells_active else None,
            last_cleared=follower.tracker.latest,
            clock_ahead=follower.clocks.ahead,
            push=follower.push.state,
            quotes=self.quotes.board,
        )

    async def async_snapshot(self) -> Snapshot:
        """Return the snapshot of now, as `data` may be an old one. Raises LogUnreadableError."""
        await self._sum_up()
        return self._snapshot()

    @callback
    def _show(self) -> None:
        """Have entities show what is known now."""
        self.data = self._snapshot()
        self.async_update_listeners()

    @callback
    def _show_quotes(self) -> None:
        """Have entities and the host stand show the quotes as they are now."""
        if self.is_closed:
            return
        if self.last_update_success:
            self._show()
        else:
            self.async_update_listeners()

    async def _save(self) -> None:
        """Write ended sessions to the log, and show the day's figures with them."""
        await self.follower.save()
        await _if_readable(self._sum_up())
        if not self.is_closed and self.last_update_success:
            self._show()

    async def _sum_up(self) -> None:
        """Bring the day's figures up to date with the log. Raises LogUnreadableError."""
        day = self._picture.day(self.follower.unit_clock(), self.follower.now())
        await self._picture.sum_up(day, self.log)

    @callback
    def _refresh(self) -> Callable[[], bool]:
        """Begin to poll; return a function that says whether that is done."""
        return self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{self.name} read"
        ).done


async def _open_log(coordinator: LrsPagerCoordinator, picture: Picture) -> None:
    """Open the log, and have the follower and the picture go on from it; tell what was found.

    Raises UpdateFailed if it can't be opened or read.
    """
    hass, entry = coordinator.hass, coordinator.config_entry
    # Issues from before a reload; those that still hold are raised again.
    for issue in (LOG_NOT_SAVED, *FORMER_ISSUES):
        withdraw_issue(hass, entry, issue)
    try:
        opened = await coordinator.log.open(is_paused=backup.is_under_way(hass))
        if opened.damaged:
            LOGGER.warning("%d damaged lines of the session log were set aside", opened.damaged)
        if opened.set_aside:
            tell_of_log(hass, entry, opened.set_aside.name)
        await coordinator.follower.open()
        await picture.open(coordinator.log, coordinator.follower.now())
    except (OSError, FutureVersionError, LogUnreadableError) as err:
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="log_not_loaded",
            translation_placeholders={"error": str(err)},
        ) from err
    if opened.set_aside:
        # The transmitter may still have the sessions that could not be read.
        coordinator.follower.read_everything()


def _ourselves(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> Ourselves:
    """Home Assistant's clocks and the user's options, as the follower takes them."""
    days = entry.options.get(CONF_KEEP_NAMES, DEFAULT_KEEP_NAMES)
    return Ourselves(
        zone=dt_util.get_default_time_zone,
        wall=lambda: dt_util.utcnow().timestamp(),
        steady=hass.loop.time,
        intervals=INTERVALS,
        day_start=day_start_of(entry),
        names_kept=None if days is None else days * DAY,
        find_elsewhere=partial(_find_elsewhere, hass, entry),
        is_accepted=entry.entry_id in hass.data.get(ACCEPTED, ()),
    )


def _quotes(coordinator: LrsPagerCoordinator, changed: Callable[[], None]) -> Quotes:
    """The quotes of a transmitter; none is worked out until somebody watches."""
    hass, entry, follower = coordinator.hass, coordinator.config_entry, coordinator.follower

    def keep(session: PlacedSession, quoted: int | None) -> None:
        follower.tracker.quoted(session, quoted)  # looked up now, as `open` replaces it

    return Quotes(
        Wires(
            log=coordinator.log,
            now=follower.clocks.now,
            zone=dt_util.get_default_time_zone,
            call_later=partial(_call_later, hass),
            start=partial(
                entry.async_create_background_task, hass, name=f"{coordinator.name} quotes"
            ),
            keep=keep,
            changed=changed,
        )
    )


def _session_log(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> SessionLog:
    """The log of a transmitter, not open yet."""
    return SessionLog(
        *log_paths(hass, entry.entry_id),
        failing=partial(tell_of_disk, hass, entry),
        set_aside=lambda path: tell_of_log(hass, entry, path.name),
    )


def day_start_of(entry: ConfigEntry) -> int:
    """The hour at which a business day begins."""
    hour: int = entry.options.get(CONF_DAY_START, DEFAULT_DAY_START)
    return hour


def _see_failure(coordinator: LrsPagerCoordinator, err: TransmitterError) -> None:
    """Tell of another transmitter; ours may be at another address of the name."""
    if isinstance(err, AnotherUnitError):
        tell_of_another(coordinator.hass, coordinator.config_entry, err.name)
        coordinator.transmitter.host.is_anothers = True


def _tell_issues(coordinator: LrsPagerCoordinator) -> None:
    """Raise the issues that hold, and withdraw those that don't."""
    hass, entry, follower = coordinator.hass, coordinator.config_entry, coordinator.follower
    if follower.is_sure:
        accept(hass, entry)
    tell_of_clock(hass, entry, is_off=not follower.clocks.agrees)
    if (unreadable := follower.poller.history.unreadable) is not None:
        tell_of_unreadable(hass, entry, unreadable)
    if (is_silent := follower.push.is_silent) is not None:
        tell_of_push(hass, entry, is_silent=is_silent)


def _call_later(hass: HomeAssistant, delay: float, run: Callable[[], None]) -> CALLBACK_TYPE:
    """Call a function in some seconds; return a function that cancels that."""

    @callback
    def on_time(_: datetime) -> None:
        run()

    return async_call_later(hass, delay, on_time) if delay > 0 else hass.loop.call_soon(run).cancel


@contextmanager
def _while_open(coordinator: LrsPagerCoordinator) -> Iterator[None]:
    """Raise CancelledError if the coordinator was closed meanwhile, instead of any other error.

    Then nobody is left to be shown data, and an error that closing has caused is not to be logged.
    """
    try:
        yield
    except Exception as err:
        if coordinator.is_closed:
            raise asyncio.CancelledError from err
        raise
    if coordinator.is_closed:
        raise asyncio.CancelledError


async def _if_readable(job: Awaitable[None]) -> None:
    """Do what reads the log; if that can't be read, what is shown stays as it is."""
    with suppress(LogUnreadableError):
        await job


def log_paths(hass: HomeAssistant, entry_id: str) -> tuple[Path, Path]:
    """Where an entry's session log is, and where that of version 0.1 was."""
    folder = Path(hass.config.path(STORAGE_DIR))
    return folder / f"{DOMAIN}.{entry_id}.db", folder / f"{DOMAIN}.{entry_id}"


async def _find_elsewhere(
    hass: HomeAssistant, entry: ConfigEntry, sessions: Sequence[Session]
) -> str | None:
    """Return the title of another transmitter that is known to have had one of these sessions."""
    with_uuid = [session for session in sessions if session.uuid]
    for other in hass.config_entries.async_loaded_entries(DOMAIN):
        if other.entry_id == entry.entry_id:
            continue
        coordinator: LrsPagerCoordinator = other.runtime_data
        with suppress(LogClosedError):  # it was unloaded meanwhile, or its log can't be read
            if await coordinator.log.knows_any(with_uuid):
                return other.title
    return None
