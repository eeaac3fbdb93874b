"""What the host stand shows of a transmitter, through reloads and while its entry is not loaded.

That is the state of the link to it, its active sessions, and the guests who were seated.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from ..sessions.log import LogClosedError
from ..sessions.quote import Quote
from ..sessions.session import LATE_AFTER, PlacedSession
from ..sync.push import PushState
from ..target import async_follow, device_of
from .seating import Seating

# How far back the log is searched for pagers that can be offered to be handed out: for longer than
# a pager lies in a drawer between two busy weekends.
PAGERS_KEPT: Final = timedelta(days=14)


class LinkState(StrEnum):
    """The state of the link to a transmitter."""

    # It pushes changes as they happen.
    LIVE = "live"
    # It has accepted to push changes, and should be heard within half a minute.
    ACCEPTED = "accepted"
    # It answers, but pushes nothing.
    POLLED = "polled"
    # It answers, but has never listed its active sessions.
    NO_LIST = "no_list"
    # It does not answer, or only with errors; or it lists its active sessions no more.
    UNREACHABLE = "unreachable"
    # Its entry is being set up, or unloaded for a moment.
    LOADING = "loading"
    # Its entry can't be set up, which the user has to see to.
    FAILED = "failed"
    # The user has disabled its entry, or removed it.
    DISABLED = "disabled"
    REMOVED = "removed"


_OF_PUSH: Final = {PushState.LIVE: LinkState.LIVE, PushState.ACCEPTED: LinkState.ACCEPTED}

_FAILED: Final = {
    ConfigEntryState.SETUP_ERROR,
    ConfigEntryState.MIGRATION_ERROR,
    ConfigEntryState.FAILED_UNLOAD,
}


def link_state(entry: LrsPagerConfigEntry, before: LinkState | None = None) -> LinkState:
    """The state of the link to the transmitter of an entry that was not removed.

    before: the state when this was asked last.
    """
    if entry.state is ConfigEntryState.LOADED:
        coordinator = entry.runtime_data
        if not coordinator.last_update_success:
            return LinkState.UNREACHABLE
        if coordinator.data.active is None:
            was_told = coordinator.follower.tracker.active is not None
            return LinkState.UNREACHABLE if was_told else LinkState.NO_LIST
        return _OF_PUSH.get(coordinator.data.push, LinkState.POLLED)
    if entry.disabled_by is not None:
        return LinkState.DISABLED
    if entry.state in _FAILED:
        return LinkState.FAILED
    # While a set-up is tried again, the transmitter is as unreachable as before.
    is_next_try = entry.state is ConfigEntryState.SETUP_IN_PROGRESS and (
        before is LinkState.UNREACHABLE
    )
    if entry.state is ConfigEntryState.SETUP_RETRY or is_next_try:
        return LinkState.UNREACHABLE
    return LinkState.LOADING


class HostStand:
    """One transmitter, as the host stand shows it."""

    def __init__(self, hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
        """Take the entry, whatever its state."""
        self._hass = hass
        self.entry = entry
        # None while the entry is not loaded.
        self.seating: Seating | None = None
        self._state = link_state(entry)
        # Since when the state is that (POSIX seconds; None from the beginning), and when the
        # transmitter last answered while its active sessions were known.
        self._since: float | None = None
        self._answered_at: float | None = None
        # The pagers that were in use of late. 0 is left out, as it stands for all pagers.
        self._pagers: set[int] = set()
        self._log_changes = -1  # the log's, when the pagers were last read from it
        self._listeners: list[CALLBACK_TYPE] = []
        # Ends that quotes are worked out for us; None while they are not.
        self._stop_quotes: CALLBACK_TYPE | None = None

    @property
    def coordinator(self) -> LrsPagerCoordinator | None:
        """The entry's coordinator; None while the entry is not loaded."""
        return self.entry.runtime_data if self.entry.state is ConfigEntryState.LOADED else None

    @property
    def sessions(self) -> tuple[PlacedSession, ...] | None:
        """The active sessions as last listed, from the oldest; None before, or if not loaded."""
        if self.coordinator is None:
            return None
        if (active := self.coordinator.data.active) is not None:
            return active
        follower = self.coordinator.follower
        return follower.tracker.active_by(follower.unit_clock())

    @property
    def is_removed(self) -> bool:
        """Whether the user has removed the transmitter."""
        return self._state is LinkState.REMOVED

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a function when there may be something else to show; return how to end that."""
        self._listeners.append(listener)
        self._watch_quotes()

        @callback
        def remove() -> None:
            self._listeners.remove(listener)
            self._watch_quotes()

        return remove

    @callback
    def _watch_quotes(self) -> None:
        """Have quotes worked out while somebody is shown them and the entry is loaded."""
        if self._listeners and self.seating and self._stop_quotes is None:
            self._stop_quotes = self.entry.runtime_data.quotes.watch()
        elif not (self._listeners and self.seating) and self._stop_quotes is not None:
            self._stop_quotes()
            self._stop_quotes = None

    @callback
    def async_attach(self) -> CALLBACK_TYPE:
        """Follow the entry, which has been loaded; return how to end that as it is unloaded."""
        self.seating = seating = Seating(self._hass, self.async_update)
        stop_listening = self.entry.runtime_data.async_add_listener(self.async_update)
        # Entries are not unloaded when Home Assistant stops.
        stop_waiting = self._hass.bus.async_listen(
            EVENT_HOMEASSISTANT_STOP, callback(lambda _: seating.stop())
        )
        self._log_changes = -1
        self._watch_quotes()
        self.async_update()

        @callback
        def detach() -> None:
            stop_listening()
            stop_waiting()
            seating.stop()
            self.seating = None
            self._watch_quotes()
            self.async_update()

        return detach

    @callback
    def async_update(self, *, is_removed: bool = False) -> None:
        """Work out the state of the link, and call the listeners."""
        state = LinkState.REMOVED if is_removed else link_state(self.entry, self._state)
        is_as_before = state is self._state
        if not is_as_before:
            self._state, self._since = state, dt_util.utcnow().timestamp()
        if coordinator := self.coordinator:
            answers_in_vain = state is LinkState.UNREACHABLE and coordinator.last_update_success
            if not (answers_in_vain and is_as_before):
                self._answered_at = coordinator.follower.gaps.answered_at
            self._pagers.update(s.number for s in self.sessions or () if s.number)
            if coordinator.log.changes != self._log_changes:
                self._log_changes = coordinator.log.changes
                self.entry.async_create_background_task(
                    self._hass, self._load_pagers(), f"{self.entry.title} pagers"
                )
        if self.seating and self.sessions is not None:
            self.seating.see(self.sessions)
        for listener in tuple(self._listeners):
            listener()

    async def _load_pagers(self) -> None:
        """Find the pagers of the last PAGERS_KEPT: some were never active while we looked."""
        start = dt_util.utcnow() - PAGERS_KEPT
        try:
            logged = await self.entry.runtime_data.log.numbers(int(start.timestamp()))
        except LogClosedError:
            # The entry was unloaded meanwhile, or the disk fails: then look again the next time.
            self._log_changes = -1
            return
        active = {session.number for session in self.sessions or () if session.number}
        self._pagers = {number for number in logged if number > 0} | active
        self.async_update()

    def picture(self, *, names: bool) -> dict[str, Any]:
        """What the host stand shows, as JSON has it. names: whether guests' names are in it."""
        device = device_of(self._hass, self.entry.entry_id)
        is_unreachable = self._state is LinkState.UNREACHABLE
        settings = self.coordinator.data.settings if self.coordinator else None
        sessions = self.sessions
        left_over = self.coordinator.data.left_over if self.coordinator else ()
        board = self.coordinator.quotes.board if self.coordinator else None
        return {
            "entry_id": self.entry.entry_id,
            "device_id": device.id if device else None,
            "title": (device and (device.name_by_user or device.name)) or self.entry.title,
            "link": {
                "state": self._state,
                "since": self._answered_at if is_unreachable else self._since,
            },
            "late_after": LATE_AFTER,
            "default_goal": settings.default_target_goal if settings else None,
            "pagers": sorted(self._pagers),
            "sessions": None
            if sessions is None
            else [
                _row(session, self.seating, names=names, is_left_over=session in left_over)
                | {"about": board.about.get(session.keys[0]) if board else None}
                for session in sessions
            ],
            "quotes": {size: _quote(quote) for size, quote in board.quotes.items()}
            if board
            else None,
            "is_auto_paged": board is not None and board.is_auto_paged,
        }


def _row(
    session: PlacedSession, seating: Seating | None, *, names: bool, is_left_over: bool
) -> dict[str, Any]:
    """What is shown of a session. is_left_over: whether it is of an earlier business day."""
    notice = seating.notice(session) if seating else None
    return {
        "id": session.keys[0],
        "number": session.number,
        "label": session.label if names else None,
        "party_size": session.party_size,
        "goal": session.goal,
        "created_at": session.created_at,
        "notified_at": session.notified_at,
        "not_cleared": is_left_over,
        "seating_until": seating.until(session) if seating else None,
        "notice": {"key": notice.key, "placeholders": notice.placeholders} if notice else None,
    }


def _quote(quote: Quote) -> dict[str, Any]:
    """What is shown of a quote."""
    return {
        "low": quote.low,
        "high": quote.high,
        "reason": quote.reason,
        "parties_ahead": quote.parties_ahead,
        "based_on": quote.based_on,
    }


_HOST_STANDS: HassKey[dict[str, HostStand]] = HassKey(f"{DOMAIN}_host_stands")


def host_stand(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> HostStand:
    """Return the host stand of a transmitter, which is made the first time."""
    stands = hass.data[_HOST_STANDS]
    if entry.entry_id not in stands:
        stands[entry.entry_id] = HostStand(hass, entry)
    return stands[entry.entry_id]


@callback
def async_setup_host_stands(hass: HomeAssistant) -> None:
    """Follow all transmitters, for as long as Home Assistant runs."""
    stands = hass.data[_HOST_STANDS] = {}

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if change is ConfigEntryChange.REMOVED:
            if stand := stands.pop(entry.entry_id, None):
                stand.async_update(is_removed=True)
        elif stand := stands.get(entry.entry_id):
            stand.async_update()

    @callback
    def device_changed(event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        for stand in stands.values():
            device = device_of(hass, stand.entry.entry_id)
            if device and device.id == event.data["device_id"]:
                stand.async_update()

    async_follow(hass, lambda entry: host_stand(hass, entry).async_attach())
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, device_changed)
