"""Repairs: set the unit's clock; take note of sessions that may have been missed."""

from typing import TYPE_CHECKING

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .coordinator import LrsPagerConfigEntry
from .errors import translation
from .issues import SESSIONS_MISSED
from .transmitter import TransmitterError

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult  # Home Assistant 2026.9


class SetClockFlow(RepairsFlow):
    """Set the unit's clock, and check that it took."""

    def __init__(self, entry: LrsPagerConfigEntry | None) -> None:
        """Take the transmitter's entry, if it is still there."""
        self._entry = entry

    async def async_step_init(self, _: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and set it."""
        if self._entry is None or self._entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        placeholders = {"title": self._entry.title}
        if user_input is not None:
            try:
                await self._entry.runtime_data.async_set_clock()
            except TransmitterError as err:
                errors["base"], of_error = translation(err)
                placeholders |= of_error
            except HomeAssistantError as err:
                errors["base"] = err.translation_key or "unknown"
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm", errors=errors, description_placeholders=placeholders
        )


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow for an issue that can be fixed."""
    if issue_id.startswith(SESSIONS_MISSED):
        return ConfirmRepairFlow()
    entry_id = (data or {}).get("entry_id")
    return SetClockFlow(hass.config_entries.async_get_entry(str(entry_id)))
