"""The transmitters that a trigger or a condition is about: those of its target."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

# Every trigger and condition of Home Assistant's own wants a target, and the editor shows one
# without as broken; so does ours. An empty one would be as silent as a wrong one.
TARGET: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_TARGET): vol.All(cv.TARGET_FIELDS, vol.Length(min=1))
}


def is_meant(hass: HomeAssistant, target: TargetSelection, entry_id: str) -> bool:
    """Whether the transmitter is in the target: its device or any entity, an area, a label ...

    Asked when something happens rather than kept: areas and labels change, and devices and
    entities may not be there yet when an automation is set up.
    """
    found = async_extract_referenced_entity_ids(hass, target, expand_group=False)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    return any(device.id in found.referenced_devices for device in devices) or any(
        entity.entity_id in found.referenced | found.indirectly_referenced for entity in entities
    )
