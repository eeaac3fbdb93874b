"""The event entity: what happens to sessions, as it happens."""

from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.event import (
    EventEntity,
    EventEntityDescription,
    EventExtraStoredData,
)
from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from .describe import LABEL, event_attributes, name
from .entity import LrsPagerDescription, LrsPagerEntity
from .sessions.tracker import SessionEvent, Step

# Seconds.
MILLISECOND = 0.001

# Whether events have to be kept a millisecond apart. Home Assistant 2026.10 gives each a time of
# its own; 2026.3 does not.
NEEDS_GAPS = (MAJOR_VERSION, MINOR_VERSION) < (2026, 10)

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
    _unrecorded_attributes = frozenset({LABEL})

    entity_description: LrsPagerEventDescription

    def __init__(
        self, coordinator: LrsPagerCoordinator, description: LrsPagerEventDescription
    ) -> None:
        """Take the description; nothing has happened yet."""
        super().__init__(coordinator, description)
        self._news: list[SessionEvent] = []
        self._cancel_next: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.follower.events.listen(self._happened))

    @override
    async def async_get_last_event_data(self) -> EventExtraStoredData | None:
        """Return the latest step as Home Assistant kept it, without a name if none is shown now."""
        kept = await super().async_get_last_event_data()
        if kept and kept.last_event_attributes and not self.coordinator.data.shows_names:
            kept.last_event_attributes.pop(LABEL, None)
        return kept

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Leave no timer behind."""
        if self._cancel_next is not None:
            self._cancel_next()

    @callback
    def _happened(self, event: SessionEvent) -> None:
        """Tell of a step, after those that wait."""
        self._news.append(event)
        if self._cancel_next is None:
            self._tell(None)

    @callback
    def _tell(self, _: datetime | None) -> None:
        """Tell of all steps that wait.

        The state is the time in milliseconds: of two events in the same one, automations see only
        the first.
        """
        self._cancel_next = None
        while self._news and self.available:
            now = dt_util.utcnow().isoformat(timespec="milliseconds")
            if NEEDS_GAPS and self.state == now:
                self._cancel_next = async_call_later(self.hass, MILLISECOND, self._tell)
                return
            event = self._news.pop(0)
            attributes = event_attributes(event.session)
            attributes |= name(event.session, is_shown=self.coordinator.data.shows_names)
            self._trigger_event(event.step, attributes)
            self.async_write_ha_state()
