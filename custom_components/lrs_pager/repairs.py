"""Repairs: set the unit's clock; say which transmitter answers."""

from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .coordinator import LrsPagerConfigEntry
from .errors import translation
from .issues import ACCEPTED, ANOTHER_UNIT
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


class AnotherUnitFlow(RepairsFlow):
    """Have the user say whether what answers is the same transmitter."""

    def __init__(self, entry: LrsPagerConfigEntry | None) -> None:
        """Take the transmitter's entry, if it is still there."""
        self._entry = entry

    @property
    def _is_there(self) -> bool:
        """Whether the transmitter was not removed."""
        entries = self.hass.config_entries
        return self._entry is not None and bool(entries.async_get_entry(self._entry.entry_id))

    async def async_step_init(self, _: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        if not self._is_there:
            return self.async_abort(reason="not_loaded")
        assert self._entry is not None
        return self.async_show_menu(
            step_id="init",
            menu_options=["same", "another"],
            description_placeholders={"title": self._entry.title},
        )

    async def async_step_same(self, _: dict[str, str] | None = None) -> RepairsFlowResult:
        """Go on with it, in the same log."""
        if not self._is_there:
            return self.async_abort(reason="not_loaded")
        assert self._entry is not None
        self.hass.data.setdefault(ACCEPTED, set()).add(self._entry.entry_id)
        self.hass.config_entries.async_schedule_reload(self._entry.entry_id)
        return self.async_create_entry(data={})

    async def async_step_another(self, _: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what to do; until then nothing is taken over."""
        assert self._entry is not None
        return self.async_abort(
            reason="another", description_placeholders={"title": self._entry.title}
        )


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow for an issue that can be fixed."""
    entry = hass.config_entries.async_get_entry(str((data or {}).get("entry_id")))
    return AnotherUnitFlow(entry) if issue_id.startswith(ANOTHER_UNIT) else SetClockFlow(entry)
