"""Binary sensors: is a guest late, and are changes pushed?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import (  # type: ignore[attr-defined]
    # Home Assistant 2026.10 forgot to say that it exports this.
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LrsPagerConfigEntry
from .entity import LrsPagerDescription, LrsPagerEntity
from .sync.picture import Snapshot
from .sync.push import PushState

# All show the same snapshot; none asks the transmitter by itself.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class LrsPagerBinarySensorDescription(LrsPagerDescription, BinarySensorEntityDescription):
    """A binary sensor, as a view of the snapshot.

    value_fn: whether it is on. attributes_fn: its attributes.
    """

    value_fn: Callable[[Snapshot], bool]
    attributes_fn: Callable[[Snapshot], Mapping[str, Any]]


LATE = LrsPagerBinarySensorDescription(
    key="late",
    device_class=BinarySensorDeviceClass.PROBLEM,
    known_fn=lambda data: data.active is not None,
    value_fn=lambda data: bool(data.late),
    attributes_fn=lambda data: {"numbers": [session.number for session in data.late]},
)

PUSH = LrsPagerBinarySensorDescription(
    key="push",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda data: data.push is PushState.LIVE,
    attributes_fn=lambda data: {"status": data.push.value},
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LrsPagerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of a transmitter."""
    coordinator = entry.runtime_data
    async_add_entities(
        [LrsPagerBinarySensor(coordinator, LATE), PushBinarySensor(coordinator, PUSH)]
    )


class LrsPagerBinarySensor(LrsPagerEntity, BinarySensorEntity):
    """A view of the snapshot."""

    entity_description: LrsPagerBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool:
        """Whether it is on."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """The attributes."""
        return self.entity_description.attributes_fn(self.coordinator.data)


class PushBinarySensor(LrsPagerBinarySensor):
    """Whether changes are pushed. This is known also while the transmitter can't be reached."""

    @property
    @override
    def available(self) -> bool:
        """Always."""
        return True
