"""Which transmitters an automation's target, an action, a voice or a dashboard means.

Also who may use one, and how to follow one through reloads.
"""

from collections.abc import Callable, Collection
import re
from typing import Any, Final

import voluptuous as vol

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_CONTROL
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_TARGET, Platform
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.helpers.template import is_template_string

from .const import DOMAIN
from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from .errors import refused
from .sync.picture import Snapshot


def _some_target(target: dict[str, list[str]]) -> dict[str, list[str]]:
    """Check that a target has some ID. Raises Invalid.

    An empty one would silently match nothing, and so would a template, as none is rendered here.
    """
    ids = [found for some in target.values() for found in some]
    if not ids:
        raise vol.Invalid("no target is chosen")
    if any(is_template_string(found) for found in ids):
        raise vol.Invalid("templates can't be used in this target")
    return target


# All triggers and conditions of Home Assistant's own require a target, and the editor shows those
# without as broken; so ours require one, too.
TARGET: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_TARGET): vol.All(cv.TARGET_FIELDS, _some_target)
}

# The entity whose permissions are those of its transmitter: it lists the active sessions.
PERMISSION_ENTITY: Final = "active_sessions"


def is_meant(hass: HomeAssistant, target: TargetSelection, entry_id: str) -> bool:
    """Whether the transmitter is in the target: its device or any entity, an area, a label ...

    Looked up whenever something happens: areas and labels change, and devices and entities may
    not be there yet when an automation is set up.
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
    entries = exposed_entries(hass, None)
    if entry_id is not None:
        entries = [entry for entry in entries if entry.entry_id == entry_id]
    entry = _only(entries)
    if entry.state is not ConfigEntryState.LOADED:
        raise refused("not_loaded", title=entry.title)
    return entry


def named_entry_id(hass: HomeAssistant, names: Collection[str], assistant: str | None) -> str:
    """Return the ID of the entry that was named by voice, by names which all are its own.

    names: of the transmitter or its area as spoken, with words like "the". Without any, the only
    entry is meant. assistant: the one to which the transmitter has to be exposed; None if it need
    not be. Disabled entries don't count.
    Raises ServiceValidationError if there is none, or if there are several.
    """
    entries = exposed_entries(hass, assistant)
    if not exposed_entries(hass, None):
        raise refused("no_transmitter")
    if not entries:
        raise refused("not_exposed")
    named = entries
    for name in names:
        of_this_name = _named(hass, entries, name)
        named = [entry for entry in named if entry in of_this_name]
    if len(named) == 1:
        return named[0].entry_id
    called = ", ".join(_names(hass, entry)[0] for entry in named or entries)
    if named:
        raise refused("which_of_these", names=called)
    raise refused("not_called_so", name=" ".join(names), names=called)


def exposed_entries(hass: HomeAssistant, assistant: str | None) -> list[LrsPagerConfigEntry]:
    """Return the entries that an assistant may use: those with an exposed PERMISSION_ENTITY.

    assistant: None for all entries. Disabled ones don't count.
    """
    entries: list[LrsPagerConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    return [
        entry
        for entry in entries
        if assistant is None
        or (
            (entity_id := permission_entity_id(hass, entry.entry_id))
            and async_should_expose(hass, assistant, entity_id)
        )
    ]


def _named(
    hass: HomeAssistant, entries: list[LrsPagerConfigEntry], spoken: str
) -> list[LrsPagerConfigEntry]:
    """Return the entries that a spoken name may mean; several if it is ambiguous."""
    heard = _words(spoken)
    own = {entry.entry_id: [_words(name) for name in _names(hass, entry)] for entry in entries}
    said = {
        entry_id: max((name for name in names if name in heard), key=len, default="")
        for entry_id, names in own.items()
    }
    # "The terrace bar" is another one than the bar.
    meant = {
        name
        for name in said.values()
        if name and not any(name != longer and name in longer for longer in said.values())
    }
    # What follows a name may be the rest of another, as in "T7470 two".
    begun = tuple(name for name in meant if heard.partition(name)[2])
    return [
        entry
        for entry in entries
        if said[entry.entry_id] in meant
        or any(name.startswith(begun) for name in own[entry.entry_id])
    ]


def _words(text: str) -> str:
    """The words of a text, with a space on both sides of each: nobody says what is between them."""
    return f" {' '.join(re.findall(r'\w+', text.casefold()))} "


def _names(hass: HomeAssistant, entry: LrsPagerConfigEntry) -> list[str]:
    """The names of a transmitter, its user's first, and those of its area."""
    names: list[str | None] = [entry.title]
    if device := device_of(hass, entry.entry_id):
        names = [device.name_by_user, entry.title, device.name]
        if device.area_id and (area := ar.async_get(hass).async_get_area(device.area_id)):
            names += [area.name, area.id, *area.aliases]
    return [name for name in names if name]


def _only(entries: list[LrsPagerConfigEntry]) -> LrsPagerConfigEntry:
    """Return the only entry. Raises ServiceValidationError if there is none, or several."""
    if not entries:
        raise refused("no_transmitter")
    if len(entries) > 1:
        raise refused("which_transmitter")
    return entries[0]


async def allowed_coordinator(
    hass: HomeAssistant, entry_id: str | None, context: Context, policy: str = POLICY_CONTROL
) -> LrsPagerCoordinator:
    """Return the coordinator of the transmitter that is meant; see `chosen_entry`.

    policy: what the user of the context has to be allowed. Without a user, all is allowed.
    Raises Unauthorized, or UnknownUser; and what `chosen_entry` raises.
    """
    entry = chosen_entry(hass, entry_id)
    if user_id := context.user_id:
        user = await hass.auth.async_get_user(user_id)
        if user is None:
            raise UnknownUser(context=context, user_id=user_id, permission=policy)
        if not is_allowed(hass, user, entry.entry_id, policy):
            raise Unauthorized(
                context=context,
                user_id=user_id,
                config_entry_id=entry.entry_id,
                perm_category=CAT_ENTITIES,
                permission=policy,
            )
    return entry.runtime_data


def known(coordinator: LrsPagerCoordinator) -> Snapshot:
    """Return a transmitter's snapshot. Raises ServiceValidationError if it doesn't answer."""
    if not coordinator.last_update_success:
        raise refused("not_loaded", title=coordinator.config_entry.title)
    return coordinator.data


def permission_entity_id(hass: HomeAssistant, entry_id: str) -> str | None:
    """Return the ID of a transmitter's PERMISSION_ENTITY; None if there is none yet."""
    return er.async_get(hass).async_get_entity_id(
        Platform.SENSOR, DOMAIN, f"{entry_id}_{PERMISSION_ENTITY}"
    )


def is_allowed(hass: HomeAssistant, user: User, entry_id: str, policy: str) -> bool:
    """Whether the user's permissions allow this for the transmitter's entities.

    policy: POLICY_READ or POLICY_CONTROL of homeassistant.auth.permissions.const.
    """
    entity_id = permission_entity_id(hass, entry_id)
    if entity_id is None:
        # It was never set up completely: only who may use everything may use this.
        return user.permissions.access_all_entities(policy)
    return user.permissions.check_entity(entity_id, policy)


@callback
def async_follow(
    hass: HomeAssistant, watch: Callable[[LrsPagerConfigEntry], CALLBACK_TYPE]
) -> CALLBACK_TYPE:
    """Watch each transmitter while it is loaded, through reloads.

    watch: called with an entry whenever that is loaded; returns a function that ends the watch,
    which is called when the entry is unloaded. Return a function that ends all.
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
