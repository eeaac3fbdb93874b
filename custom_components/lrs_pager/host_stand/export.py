"""The session log as a file for spreadsheets (RFC 4180), written batch by batch."""

from collections.abc import Iterable
import csv
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial
from http import HTTPStatus
import io
import re
from typing import Any, Final

from aiohttp import web

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.setup import async_when_setup
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..coordinator import LrsPagerCoordinator, day_start_of
from ..errors import refused
from ..sessions.log import LogClosedError
from ..sessions.session import PlacedSession
from ..target import chosen_entry, is_allowed
from ..transmitter import REMOVED, STOP

COLUMNS: Final = (
    "pager",
    "party_size",
    "goal_minutes",
    "created",
    "paged",
    "ended",
    "how_it_ended",
    "wait_minutes",
    "response_minutes",
    "quoted_minutes",
)
NAME: Final = "name"

# By this, spreadsheets recognise UTF-8.
BYTE_ORDER_MARK: Final = "\ufeff"

# Where spreadsheets may take a text for a formula, and a name is whatever anybody typed: where it
# begins; and after a semicolon, tab or line break, as many split a line at these, not at commas. In
# East Asia, the wide forms of these signs count as well.
FORMULA_STARTS: Final = re.compile(r'(^|[;\t\r\n])(?=[\s"]*[=+@\-\uff1d\uff0b\uff20\uff0d])')

_ENDINGS: Final = {STOP: "cleared", REMOVED: "removed"}


@callback
def async_setup_export(hass: HomeAssistant) -> None:
    """Serve the file as soon as Home Assistant serves anything."""

    async def serve(hass: HomeAssistant, _: str) -> None:
        hass.http.register_view(ExportView)

    async_when_setup(hass, "http", serve)


class ExportView(HomeAssistantView):
    """The sessions that ended on some business days.

    The query has `start` and `end`, the first and the last day (YYYY-MM-DD; without one, there is
    no limit on that side), and `names`: 1 for the guests' names, as far as they are kept.
    """

    url = f"/api/{DOMAIN}/{{entry_id}}/sessions.csv"
    name = f"api:{DOMAIN}:sessions"

    async def get(self, request: web.Request, entry_id: str) -> web.StreamResponse:
        """Write the file. Raises Unauthorized unless the user may read the transmitter."""
        hass = request.app[KEY_HASS]
        if not is_allowed(hass, request[KEY_HASS_USER], entry_id, POLICY_READ):
            raise Unauthorized(permission=POLICY_READ)
        try:
            coordinator: LrsPagerCoordinator = chosen_entry(hass, entry_id).runtime_data
        except ServiceValidationError as err:
            return self._refusal(err, HTTPStatus.NOT_FOUND)
        try:
            start, end = _days(request, day_start_of(coordinator.config_entry))
        except ServiceValidationError as err:
            return self._refusal(err, HTTPStatus.BAD_REQUEST)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="sessions.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            }
        )
        await response.prepare(request)
        names = request.query.get("names") == "1"
        columns = (*COLUMNS, NAME) if names else COLUMNS
        await response.write((BYTE_ORDER_MARK + _lines([columns])).encode())
        make = partial(_part, zone=dt_util.get_default_time_zone(), names=names)
        try:
            async for part in coordinator.log.made_of_batches(make, start, end):
                await response.write(part)
        except LogClosedError:
            # The entry is being unloaded, or the disk fails: half a file must not look like a whole
            # one.
            if request.transport:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    def _refusal(self, err: ServiceValidationError, status: HTTPStatus) -> web.Response:
        """Answer what is wrong with a request."""
        return self.json_message(str(err), status, err.translation_key)


def _days(request: web.Request, day_start: int) -> tuple[int, int | None]:
    """The first instant of the days in the query, and the first after them (POSIX seconds).

    day_start: the hour at which a business day begins. The second is None without an end. Raises
    ServiceValidationError.
    """
    try:
        first, last = (
            date.fromisoformat(day) if (day := request.query.get(name)) else None
            for name in ("start", "end")
        )
        start = 0 if first is None else _begins(first, day_start)
        end = None if last is None else _begins(last + timedelta(days=1), day_start)
    except (ValueError, OverflowError) as err:
        raise refused("export_dates") from err
    if end is not None and start >= end:
        raise refused("export_dates")
    return start, end


def _begins(day: date, day_start: int) -> int:
    """When a business day begins (POSIX seconds)."""
    begins = datetime.combine(day, time(day_start), dt_util.get_default_time_zone())
    return int(begins.timestamp())


def _part(sessions: list[PlacedSession], *, zone: tzinfo, names: bool) -> bytes:
    """The lines of some sessions, in UTF-8."""
    return _lines(_row(session, zone, names=names) for session in sessions).encode()


def _row(session: PlacedSession, zone: tzinfo, *, names: bool) -> list[Any]:
    """The cells of a session; None is an empty cell."""

    def local(instant: int | None) -> str | None:
        """An instant (POSIX seconds) in local time, as spreadsheets read it."""
        if instant is None:
            return None
        return datetime.fromtimestamp(instant, zone).strftime("%Y-%m-%d %H:%M:%S")

    row = [
        session.number,
        session.party_size,
        _minutes(session.goal),
        local(session.created_at),
        local(session.notified_at),
        local(session.cleared_at),
        _text(_ENDINGS.get(session.clear_type or "", session.clear_type)),
        _minutes(session.wait),
        _minutes(session.response),
        _minutes(session.quoted),
    ]
    return [*row, _text(session.label)] if names else row


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as lines of the file."""
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


def _minutes(seconds: int | None) -> float | None:
    """Seconds in minutes, to two places."""
    return None if seconds is None else round(seconds / 60, 2)


def _text(text: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula."""
    return FORMULA_STARTS.sub(r"\1'", text) if text else text
