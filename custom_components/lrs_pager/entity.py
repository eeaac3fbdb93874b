"""What all entities of a transmitter share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, MANUFACTURER, MODEL
from .coordinator import LrsPagerCoordinator
from .errors import command_failure
from .sync.picture import Snapshot
from .transmitter import TransmitterError


@dataclass(frozen=True, kw_only=True)
class LrsPagerDescription(EntityDescription):
    """What all descriptions of entities have.

    known_fn: whether what the entity shows is known, from the transmitter or the log; if not,
    the entity is unavailable, as with firmware that has the history alone.
    """

    known_fn: Callable[[Snapshot], bool] = lambda _: True


class LrsPagerEntity(CoordinatorEntity[LrsPagerCoordinator]):
    """An entity of a transmitter; its description's key is its name in translations and icons."""

    _attr_has_entity_name = True

    entity_description: LrsPagerDescription

    def __init__(self, coordinator: LrsPagerCoordinator, description: LrsPagerDescription) -> None:
        """Take the description."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{coordinator.config_entry.entry_id}_{description.key}"
        # The API tells no serial number, so the entry is the transmitter's identity. DHCP may have
        # told its MAC address.
        mac = coordinator.config_entry.unique_id
        self._attr_device_info = DeviceInfo(
            connections={(CONNECTION_NETWORK_MAC, mac)} if mac else set(),
            identifiers={(DOMAIN, coordinator.config_entry.entry_id)},
            name=coordinator.config_entry.title,
            manufacturer=MANUFACTURER,
            model=coordinator.data.device_name or MODEL,
            sw_version=coordinator.data.firmware_version,
        )

    @property
    @override
    def available(self) -> bool:
        """Whether there is something to show."""
        return super().available and self.entity_description.known_fn(self.coordinator.data)

    async def send(self, command: Awaitable[object]) -> None:
        """Wait for a command to the transmitter. Raises HomeAssistantError if it failed."""
        try:
            await command
        except TransmitterError as err:
            raise command_failure(err) from err

    @override
    async def async_update(self) -> None:
        """Update when the user asks for it: then everything is read."""
        await self.coordinator.async_read_all()
