"""The number: the goal of sessions that are started without one."""

from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LrsPagerConfigEntry
from .entity import LrsPagerDescription, LrsPagerEntity

# Commands go to the transmitter one at a time; the client sees to that.
PARALLEL_UPDATES = 1

# Seconds. No guest is told to wait longer than a day; the unit's own limit is not documented.
LONGEST_GOAL = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class LrsPagerNumberDescription(LrsPagerDescription, NumberEntityDescription):
    """A number."""


DEFAULT_GOAL = LrsPagerNumberDescription(
    key="default_goal",
    device_class=NumberDeviceClass.DURATION,
    entity_category=EntityCategory.CONFIG,
    native_unit_of_measurement=UnitOfTime.SECONDS,
    native_min_value=1,
    native_max_value=LONGEST_GOAL,
    native_step=1,
    mode=NumberMode.BOX,
    known_fn=lambda data: data.settings is not None,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LrsPagerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the number of a transmitter."""
    async_add_entities([DefaultGoal(entry.runtime_data, DEFAULT_GOAL)])


class DefaultGoal(LrsPagerEntity, NumberEntity):
    """The unit's setting `defaultTargetGoal`."""

    entity_description: LrsPagerNumberDescription

    @property
    @override
    def native_value(self) -> float | None:
        """The goal in seconds."""
        settings = self.coordinator.data.settings
        return settings.default_target_goal if settings else None

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set it at the unit."""
        set_settings = self.coordinator.transmitter.at_once().set_settings
        command = partial(set_settings, default_target_goal=round(value))
        await self.send(self.coordinator.commands.send(command, to_end=True))
