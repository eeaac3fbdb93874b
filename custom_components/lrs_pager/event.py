"""The event entity: what happens to sessions, as it happens."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LrsPagerConfigEntry
from .describe import event_attributes
from .entity import LrsPagerDescription, LrsPagerEntity
from .session_tracker import SessionEvent, Step

# It shows what the coordinator tells; it asks nothing.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class LrsPagerEventDescription(LrsPagerDescription, EventEntityDescription):
    """An event entity."""


SESSION = LrsPagerEventDescription(key="session", event_types=[step.value for step in Step])


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LrsPagerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entity of a transmitter."""
    async_add_entities([SessionEventEntity(entry.runtime_data, SESSION)])


class SessionEventEntity(LrsPagerEntity, EventEntity):
    """The latest step of any session."""

    # A guest's name is for who stands at the door now, not for the database.
    _unrecorded_attributes = frozenset({"label"})

    entity_description: LrsPagerEventDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_event_listener(self._happened))

    @callback
    def _happened(self, event: SessionEvent) -> None:
        """Tell of a step."""
        self._trigger_event(event.step, event_attributes(event.session))
        self.async_write_ha_state()
