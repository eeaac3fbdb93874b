"""What the user is told of under Settings, Repairs; repairs.py mends what can be mended."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN

# Their ids, which the entry's id follows; also their keys in translations.
# The session log could not be read, and was set aside.
LOG_SET_ASIDE: Final = "log_set_aside"
# The unit's clock is off.
CLOCK_OFF: Final = "clock_off"
# Changes are not pushed, though the unit said they would be.
PUSH_SILENT: Final = "push_silent"

ISSUES: Final = (LOG_SET_ASIDE, CLOCK_OFF, PUSH_SILENT)


@callback
def raise_issue(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue: str,
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    is_fixable: bool = False,
    is_persistent: bool = False,
    **placeholders: str,
) -> None:
    """Tell of an issue of a transmitter, once. placeholders: of its text, beside the title."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{issue}_{entry.entry_id}",
        data={"entry_id": entry.entry_id},
        is_fixable=is_fixable,
        is_persistent=is_persistent,
        severity=severity,
        translation_key=issue,
        translation_placeholders={"title": entry.title, **placeholders},
    )


@callback
def withdraw_issue(hass: HomeAssistant, entry: ConfigEntry, issue: str) -> None:
    """Take an issue back, if it was told of."""
    ir.async_delete_issue(hass, DOMAIN, f"{issue}_{entry.entry_id}")
