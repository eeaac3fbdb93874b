"""LRS Pager: the LRS T7470 guest-paging transmitter in Home Assistant.

Three wings know no Home Assistant, and each builds only on those before it:

    transmitter/  speaks to a transmitter: CoAP, JSON, its clock
    sessions/     what is known of sessions: each one, the log, figures
    sync/         keeps up with one transmitter: what to read and when, push, clocks, the picture

At the root, on top of them, are the files that Home Assistant wants, under its own names, and:

    target        which transmitter is meant, and who may use it
    address       what people enter as a transmitter's address
    fields        the numbers and periods that people give to actions, options and automations
    describe      sessions and quotes in the words of events, attributes and actions, and our
                  translations
    manager       what a manager asks of the log
    errors        exceptions in the user's words: of a transmitter, and of what can't be done
    issues        what the user is told of in Repairs, and in notifications

The coordinator wires the wings to Home Assistant. host_stand/ tells browsers what they show, and
serves them the script that shows it: www/, which is built from frontend/ of the repository.

A packet becomes a session, is placed in time, merged and logged, and is shown:

    transmitter/client -> sync/follower -> sessions/tracker (placing) -> sessions/log
                                        -> sync/picture -> coordinator -> entities, host stand

Sessions of the history are merged into the log first; the tracker then sees what that has changed.
"""

import asyncio

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator, log_paths
from .host_stand.export import async_setup_export
from .host_stand.frontend import async_setup_frontend
from .host_stand.stand import async_setup_host_stands
from .host_stand.websocket import async_setup_websocket
from .issues import ISSUES, LOG_SET_ASIDE, withdraw_issue
from .services import async_setup_services
from .sessions.log import SessionLog

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SENSOR,
]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what is there whether or not a transmitter can be reached."""
    async_setup_services(hass)
    await async_setup_frontend(hass)
    async_setup_export(hass)
    async_setup_host_stands(hass)
    async_setup_websocket(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> bool:
    """Set up a transmitter."""
    coordinator = LrsPagerCoordinator(hass, entry)
    try:
        await coordinator.async_config_entry_first_refresh()
    except ConfigEntryNotReady, asyncio.CancelledError:
        if coordinator.is_closed:  # Home Assistant is stopping
            return False
        raise
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    @callback
    def keep_device_current() -> None:
        """Follow an update of the firmware."""
        registry = dr.async_get(hass)
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
            registry.async_update_device(device.id, sw_version=coordinator.data.firmware_version)

    # A coordinator without listeners does not poll. The log must go on even if the user disables
    # every entity; this listener is always there.
    entry.async_on_unload(coordinator.async_add_listener(keep_device_current))
    coordinator.async_start_push()
    coordinator.long_term_statistics.async_start(coordinator.log)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> bool:
    """Unload a transmitter; its sockets and timers are closed as it goes."""
    if entry.disabled_by:
        # They would be told of who is not there. What was set aside stays there.
        for issue in set(ISSUES) - {LOG_SET_ASIDE}:
            withdraw_issue(hass, entry, issue)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> None:
    """Delete the log of a transmitter that the user has removed, and withdraw its issues.

    Its long-term statistics stay, as those of any sensor do: last January is last January.
    """
    path, _ = log_paths(hass, entry.entry_id)
    await SessionLog.remove(path)
    for issue in ISSUES:
        withdraw_issue(hass, entry, issue)
