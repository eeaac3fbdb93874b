"""WebSocket commands of the host stand: subscribe to a transmitter, seat guests, show figures."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND, ERR_UNAUTHORIZED
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..errors import log_failure, refused
from ..manager import manager
from ..services import ATTR_CONFIG_ENTRY_ID, ATTR_NUMBER, ATTR_SESSION_ID
from ..sessions.log import LogClosedError
from ..target import entry_of_device, is_allowed
from .frontend import MODULE_VERSION
from .stand import HostStand, LinkState, host_stand

ATTR_NAMES: Final = "names"

type Handle = Callable[[HomeAssistant, ActiveConnection, dict[str, Any], HostStand], None]
type Command = Callable[[HomeAssistant, ActiveConnection, dict[str, Any]], None]


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in (_subscribe, _seat, _undo_seat, _manager):
        websocket_api.async_register_command(hass, command)


def _for_transmitter(policy: str) -> Callable[[Handle], Command]:
    """Give a command the host stand of the transmitter that is meant, if the user is allowed that.

    policy: what the user has to be allowed. A ServiceValidationError is answered with the code
    not_found, and not logged: a screen that is left on asks again and again.
    """

    def decorate(handle: Handle) -> Command:
        @callback
        @wraps(handle)
        def command(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
            try:
                entry = entry_of_device(hass, msg.get(ATTR_DEVICE_ID))
                if is_allowed(hass, connection.user, entry.entry_id, policy):
                    handle(hass, connection, msg, host_stand(hass, entry))
                else:
                    _send_refusal(connection, msg, refused("not_allowed"), ERR_UNAUTHORIZED)
            except ServiceValidationError as err:
                _send_refusal(connection, msg, err)

        return command

    return decorate


@callback
def _send_refusal(
    connection: ActiveConnection,
    msg: dict[str, Any],
    err: ServiceValidationError,
    code: str = ERR_NOT_FOUND,
) -> None:
    """Answer that a command can't be met."""
    connection.send_error(
        msg["id"],
        code,
        str(err),
        translation_domain=err.translation_domain,
        translation_key=err.translation_key,
        translation_placeholders=err.translation_placeholders,
    )


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/subscribe",
        vol.Optional(ATTR_DEVICE_ID): str,
        vol.Optional(ATTR_NAMES, default=True): bool,
    }
)
@_for_transmitter(POLICY_READ)
def _subscribe(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any], stand: HostStand
) -> None:
    """Send what the host stand shows of a transmitter, now and whenever that changes.

    This goes on through reloads of the entry, until that is removed, or until the user may not read
    the transmitter any more, for whom it then is as if it was removed.
    """
    entry_id = stand.entry.entry_id
    told: dict[str, Any] = {}

    @callback
    def tell() -> None:
        nonlocal told
        # The user's permissions may have changed since.
        if not (stand.is_removed or is_allowed(hass, connection.user, entry_id, POLICY_READ)):
            # As of one that was removed, the screen asks again, and is told why it is refused. Its
            # list has to be taken away: without one, the last would stay.
            connection.subscriptions.pop(msg["id"])()
            now = dt_util.utcnow().timestamp()
            gone = {"link": {"state": LinkState.REMOVED, "since": now}, "sessions": [], "now": now}
            nothing = {"can_control": False, "pagers": [], "quotes": None, "is_auto_paged": False}
            connection.send_event(msg["id"], told | nothing | gone)
            return
        event = {
            "version": hass.data[MODULE_VERSION],
            "can_control": not stand.is_removed
            and is_allowed(hass, connection.user, entry_id, POLICY_CONTROL),
            **stand.picture(names=msg[ATTR_NAMES]),
        }
        if event != told:
            told = event
            connection.send_event(msg["id"], {**event, "now": dt_util.utcnow().timestamp()})

    connection.subscriptions[msg["id"]] = stand.async_add_listener(tell)
    connection.send_result(msg["id"])
    tell()


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/seat",
        vol.Optional(ATTR_DEVICE_ID): str,
        vol.Required(ATTR_SESSION_ID): str,
        vol.Required(ATTR_NUMBER): int,
    }
)
@_for_transmitter(POLICY_CONTROL)
def _seat(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any], stand: HostStand
) -> None:
    """Have a session cleared in some seconds unless that is undone; answer when that will be."""
    session_id, number = msg[ATTR_SESSION_ID], msg[ATTR_NUMBER]
    seating = stand.seating
    if seating is None:
        raise refused("not_loaded", title=stand.entry.title)
    session = next((one for one in stand.sessions or () if session_id in one.keys), None)
    if session is None or session.number != number:
        raise refused("no_session", number=str(number))
    context = connection.context(msg)

    async def clear() -> None:
        """Clear the session, as the user who asked for it."""
        await hass.services.async_call(
            DOMAIN,
            "clear_session",
            {
                ATTR_CONFIG_ENTRY_ID: stand.entry.entry_id,
                ATTR_NUMBER: number,
                ATTR_SESSION_ID: session_id,
            },
            blocking=True,
            context=context,
        )

    connection.send_result(msg["id"], {"until": seating.seat(session, clear)})


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/undo_seat",
        vol.Optional(ATTR_DEVICE_ID): str,
        vol.Required(ATTR_SESSION_ID): str,
    }
)
@_for_transmitter(POLICY_CONTROL)
def _undo_seat(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any], stand: HostStand
) -> None:
    """Keep a session that was to be cleared."""
    if stand.seating is None or not stand.seating.undo(msg[ATTR_SESSION_ID]):
        raise refused("nothing_to_undo")
    connection.send_result(msg["id"])


@websocket_command({vol.Required("type"): f"{DOMAIN}/manager", vol.Optional(ATTR_DEVICE_ID): str})
@_for_transmitter(POLICY_READ)
def _manager(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any], stand: HostStand
) -> None:
    """Answer with the manager's figures, once they are read from the log."""
    coordinator, title = stand.coordinator, stand.entry.title
    if coordinator is None:
        raise refused("not_loaded", title=title)

    async def answer() -> None:
        try:
            found = await manager(hass, coordinator)
        except LogClosedError as err:
            _send_refusal(connection, msg, log_failure(err, title))
        else:
            connection.send_result(msg["id"], found)

    hass.async_create_task(answer(), f"{title} manager")
