"""What all entities of a transmitter share."""

from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, MANUFACTURER, MODEL
from .coordinator import LrsPagerCoordinator


class LrsPagerEntity(CoordinatorEntity[LrsPagerCoordinator]):
    """An entity of a transmitter; its description's key is its name in translations and icons."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: LrsPagerCoordinator, description: EntityDescription) -> None:
        """Take the description."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{coordinator.config_entry.entry_id}_{description.key}"
        # The API tells no serial number, so the entry is the transmitter's identity.
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.config_entry.entry_id)},
            name=coordinator.config_entry.title,
            manufacturer=MANUFACTURER,
            model=coordinator.data.device_name or MODEL,
            sw_version=coordinator.data.firmware_version,
        )

    @override
    async def async_update(self) -> None:
        """Update when the user asks for it: then everything is read."""
        await self.coordinator.async_read_all()
