"""Buttons: set the unit's clock, clear all sessions, clear the unit's statistics."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from .entity import LrsPagerDescription, LrsPagerEntity

# Commands go to the transmitter one at a time; the client sees to that.
PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class LrsPagerButtonDescription(LrsPagerDescription, ButtonEntityDescription):
    """A button. press_fn: what it does at the transmitter."""

    press_fn: Callable[[LrsPagerCoordinator], Awaitable[object]]


BUTTONS = (
    # A mistake with these two can't be undone, so they are disabled at first.
    LrsPagerButtonDescription(
        key="clear_all_sessions",
        entity_registry_enabled_default=False,
        press_fn=lambda c: c.commands.send(c.transmitter.at_once().clear_sessions, to_end=True),
    ),
    LrsPagerButtonDescription(
        key="clear_statistics",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press_fn=lambda c: c.commands.send(c.transmitter.at_once().clear_statistics, to_end=True),
    ),
    LrsPagerButtonDescription(
        key="set_clock",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda c: c.async_set_clock(),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LrsPagerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of a transmitter."""
    async_add_entities(LrsPagerButton(entry.runtime_data, button) for button in BUTTONS)


class LrsPagerButton(LrsPagerEntity, ButtonEntity):
    """A command without parameters."""

    entity_description: LrsPagerButtonDescription

    @override
    async def async_press(self) -> None:
        """Send the command."""
        await self.send(self.entity_description.press_fn(self.coordinator))
