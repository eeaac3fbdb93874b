"""Which transmitters are meant: by an automation's target, an action or a dashboard.

Also who may use one, and how to follow one through reloads.
"""

from collections.abc import Callable
from typing import Any, Final

import voluptuous as vol

from homeassistant.auth.models import User
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_TARGET, Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .const import DOMAIN
from .coordinator import LrsPagerConfigEntry
from .errors import refused

# Every trigger and condition of Home Assistant's own wants a target, and the editor shows one
# without as broken; so does ours. An empty one would be as silent as a wrong one.
TARGET: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_TARGET): vol.All(cv.TARGET_FIELDS, vol.Length(min=1))
}

# The entity whose permissions are those of its transmitter: it lists the active sessions.
PERMISSION_ENTITY: Final = "active_sessions"


def is_meant(hass: HomeAssistant, target: TargetSelection, entry_id: str) -> bool:
    """Whether the transmitter is in the target: its device or any entity, an area, a label ...

    Asked when something happens rather than kept: areas and labels change, and devices and
    entities may not be there yet when an automation is set up.
    """
    found = async_extract_referenced_entity_ids(hass, target, expand_group=False)
    device = device_of(hass, entry_id)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    return (device is not None and device.id in found.referenced_devices) or any(
        entity.entity_id in found.referenced | found.indirectly_referenced for entity in entities
    )


def device_of(hass: HomeAssistant, entry_id: str) -> dr.DeviceEntry | None:
    """Return the device of a transmitter; None if it was never set up."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    return devices[0] if devices else None


def entry_of_device(hass: HomeAssistant, device_id: str | None) -> LrsPagerConfigEntry:
    """Return the entry of the transmitter with this device; without one, the only one there is.

    It need not be loaded. Disabled entries count where their device is named, and where there are
    no others. Raises ServiceValidationError if there is none, or if there are several.
    """
    entries: list[LrsPagerConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False
    )
    if device_id is None:
        return _only([entry for entry in entries if not entry.disabled_by] or entries)
    return _only(
        [
            entry
            for entry in entries
            if (device := device_of(hass, entry.entry_id)) and device.id == device_id
        ]
    )


def chosen_entry(hass: HomeAssistant, entry_id: str | None) -> LrsPagerConfigEntry:
    """Return the loaded entry with this id; without an id, the only one that there is.

    Disabled entries don't count. Raises ServiceValidationError if there is none, if there are
    several, or if it is not loaded.
    """
    entries: list[LrsPagerConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    if entry_id is not None:
        entries = [entry for entry in entries if entry.entry_id == entry_id]
    entry = _only(entries)
    if entry.state is not ConfigEntryState.LOADED:
        raise refused("not_loaded", title=entry.title)
    return entry


def _only(entries: list[LrsPagerConfigEntry]) -> LrsPagerConfigEntry:
    """Return the entry if it is one."""
    if not entries:
        raise refused("no_transmitter")
    if len(entries) > 1:
        raise refused("which_transmitter")
    return entries[0]


def is_allowed(hass: HomeAssistant, user: User, entry_id: str, policy: str) -> bool:
    """Whether the user's permissions allow this for the transmitter's entities.

    policy: POLICY_READ or POLICY_CONTROL of homeassistant.auth.permissions.const.
    """
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.SENSOR, DOMAIN, f"{entry_id}_{PERMISSION_ENTITY}"
    )
    if entity_id is None:
        # It was never set up completely: only who may use everything may use this.
        return user.permissions.access_all_entities(policy)
    return user.permissions.check_entity(entity_id, policy)


@callback
def async_follow(
    hass: HomeAssistant, watch: Callable[[LrsPagerConfigEntry], CALLBACK_TYPE]
) -> CALLBACK_TYPE:
    """Watch each transmitter while it is loaded, through reloads.

    watch: called with an entry whenever that is loaded; returns how to end it, which is called
    when the entry is unloaded. Returns how to end all.
    """
    watched: dict[str, CALLBACK_TYPE] = {}

    @callback
    def follow(_: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        if entry.state is not ConfigEntryState.LOADED:
            if stop := watched.pop(entry.entry_id, None):
                stop()
        elif entry.entry_id not in watched:
            watched[entry.entry_id] = watch(entry)

    stop_following = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, follow)
    for entry in hass.config_entries.async_entries(DOMAIN):
        follow(ConfigEntryChange.UPDATED, entry)

    @callback
    def end() -> None:
        stop_following()
        for stop in watched.values():
            stop()

    return end
