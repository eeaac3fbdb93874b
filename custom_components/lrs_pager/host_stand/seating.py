"""Guests who were seated, and whose sessions are cleared in a moment unless that is undone.

The server waits rather than the browser: it makes no difference if a tablet is laid aside or loses
its Wi-Fi, and every screen shows which sessions are to be cleared and can undo it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, LOGGER
from ..sessions.session import PlacedSession

# Seconds until a session is cleared: a tap on the wrong row is noticed within them, and no table is
# laid anew sooner.
UNDO_TIME: Final = 5.0

# Seconds for which it is shown that a session could not be cleared.
NOTICE_TIME: Final = 60.0

type Clear = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a session could not be cleared. key: in `exceptions` of translations/."""

    key: str
    placeholders: dict[str, Any]

    @classmethod
    def of(cls, err: HomeAssistantError) -> Notice:
        """The notice of an error; if it is none of ours, that the session was not cleared."""
        if err.translation_domain != DOMAIN or err.translation_key is None:
            return cls.of(
                HomeAssistantError(translation_domain=DOMAIN, translation_key="not_cleared")
            )
        return cls(err.translation_key, err.translation_placeholders or {})


@dataclass(slots=True, eq=False)
class _Seat:
    """A session whose guest was seated.

    keys: the session's, as they were then. until: when it is cleared (POSIX seconds); None if that
    failed. notice: why it failed. cancel: stops the timer that clears the session, or the one that
    ends the notice; None while the transmitter is being told.
    """

    keys: Sequence[str]
    until: float | None
    notice: Notice | None = None
    cancel: CALLBACK_TYPE | None = None


class Seating:
    """The seated guests of one transmitter, while its entry is loaded."""

    def __init__(self, hass: HomeAssistant, changed: Callable[[], None]) -> None:
        """Begin without any guests. changed: called when there is something else to show."""
        self._hass = hass
        self._changed = changed
        self._seats: list[_Seat] = []

    def until(self, session: PlacedSession) -> float | None:
        """When a session is cleared (POSIX seconds); None if its guest was not seated.

        It stays the same, even once past, until the transmitter has answered.
        """
        seat = self._find(session.keys)
        return seat.until if seat else None

    def notice(self, session: PlacedSession) -> Notice | None:
        """Why a session could not be cleared, if that was just tried."""
        seat = self._find(session.keys)
        return seat.notice if seat else None

    @callback
    def seat(self, session: PlacedSession, clear: Clear) -> float:
        """Have a session cleared; return when that will be (POSIX seconds).

        If that is planned already, or the transmitter is being told, nothing changes. clear: clears
        the session; raises HomeAssistantError if that failed.
        """
        if seat := self._find(session.keys):
            if seat.until is not None:
                return seat.until
            self._drop(seat)
        until = dt_util.utcnow().timestamp() + UNDO_TIME
        seat = _Seat(session.keys, until)

        @callback
        def it_is_time(_: datetime) -> None:
            seat.cancel = None
            self._hass.async_create_task(self._clear(seat, clear), f"{DOMAIN} clear")

        self._seats.append(seat)
        seat.cancel = async_call_later(self._hass, UNDO_TIME, it_is_time)
        self._changed()
        return until

    @callback
    def undo(self, session_id: str) -> bool:
        """Don't clear a session after all; or end its notice, which was read.

        Return whether there was either. session_id: any of the session's keys.
        """
        seat = self._find([session_id])
        if seat is None or seat.cancel is None:
            return False
        self._drop(seat)
        self._changed()
        return True

    @callback
    def see(self, active: Iterable[PlacedSession]) -> None:
        """Forget the sessions that are not active any more, whoever cleared them."""
        keys = {key for session in active for key in session.keys}
        for seat in tuple(self._seats):
            if keys.isdisjoint(seat.keys):
                self._drop(seat)

    @callback
    def stop(self) -> None:
        """Forget all sessions. None is cleared of which the transmitter has not been told yet."""
        for seat in tuple(self._seats):
            self._drop(seat)

    async def _clear(self, seat: _Seat, clear: Clear) -> None:
        """Clear a session, and show a notice if that fails."""
        notice = None
        try:
            await clear()
        except HomeAssistantError as err:
            notice = Notice.of(err)
        except Exception as err:  # noqa: BLE001  # it must not look as if it were cleared
            LOGGER.exception("Unexpected error while a session was cleared")
            notice = Notice.of(HomeAssistantError(err))
        if seat not in self._seats:
            return  # it was forgotten meanwhile
        if notice is None:
            self._drop(seat)
        else:
            seat.until, seat.notice = None, notice

            @callback
            def it_was_read(_: datetime) -> None:
                self._drop(seat)
                self._changed()

            seat.cancel = async_call_later(self._hass, NOTICE_TIME, it_was_read)
        self._changed()

    def _find(self, keys: Sequence[str]) -> _Seat | None:
        """Find a seat by any of the keys, as a session may be told with or without its uuid."""
        return next((seat for seat in self._seats if not set(keys).isdisjoint(seat.keys)), None)

    def _drop(self, seat: _Seat) -> None:
        """Forget a seat, and stop its timer."""
        self._seats.remove(seat)
        if seat.cancel is not None:
            seat.cancel()
            seat.cancel = None
