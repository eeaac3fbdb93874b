"""What the user is told of: in Repairs what can be mended, in notifications what can't."""

from datetime import datetime
from typing import Final

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .describe import words

# The issues' ids, which the entry's id follows; also their keys in translations.
# The session log could not be read, and was set aside.
LOG_SET_ASIDE: Final = "log_set_aside"
# The session log can't be written.
LOG_NOT_SAVED: Final = "log_not_saved"
# The unit's clock is off.
CLOCK_OFF: Final = "clock_off"
# The history has sessions, or times of sessions, that can't be read.
UNREADABLE: Final = "unreadable"
# Changes are not pushed, though the unit said they would be.
PUSH_SILENT: Final = "push_silent"
# An unknown transmitter answers, or ours has forgotten all; another one that has an entry answers.
ANOTHER_UNIT: Final = "another_unit"
SWAPPED: Final = "swapped"

ISSUES: Final = (
    LOG_SET_ASIDE,
    LOG_NOT_SAVED,
    CLOCK_OFF,
    PUSH_SILENT,
    UNREADABLE,
    ANOTHER_UNIT,
    SWAPPED,
)

# What earlier versions told of in Repairs, and keep there: a notification says it now.
FORMER_ISSUES: Final = ("sessions_missed",)

# The ids of entries of which the user says that their own transmitter answers, whatever it tells.
ACCEPTED: HassKey[set[str]] = HassKey(f"{DOMAIN}_accepted")


@callback
def raise_issue(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue: str,
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    is_fixable: bool = False,
    is_persistent: bool = False,
    data: dict[str, str | int | float | None] | None = None,
    **placeholders: str,
) -> None:
    """Tell of an issue of a transmitter, once.

    data: kept with it, beside the entry's id. placeholders: of its text, beside the title.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{issue}_{entry.entry_id}",
        data={"entry_id": entry.entry_id, **(data or {})},
        is_fixable=is_fixable,
        is_persistent=is_persistent,
        severity=severity,
        translation_key=issue,
        translation_placeholders={"title": entry.title, **placeholders},
    )


@callback
def withdraw_issue(hass: HomeAssistant, entry: ConfigEntry, issue: str) -> None:
    """Take an issue back, if there is one."""
    ir.async_delete_issue(hass, DOMAIN, f"{issue}_{entry.entry_id}")


async def tell_of_missed(hass: HomeAssistant, entry: ConfigEntry, start: float, end: float) -> None:
    """Tell that sessions may have been missed between two instants (POSIX seconds).

    This is a notification, as nobody can mend it; there is one for each span.
    """
    said = await words(hass, "common")
    values = {"title": entry.title, "start": _local(start), "end": _local(end)}
    LOGGER.info("Sessions may have been missed between %(start)s and %(end)s", values)
    title, text = (
        said[f"component.{DOMAIN}.common.notice_missed_{part}"].format(**values)
        for part in ("title", "text")
    )
    persistent_notification.async_create(
        hass, text, title, f"{DOMAIN}_missed_{entry.entry_id}_{start:.0f}"
    )


def _local(instant: float) -> str:
    """Write an instant by the local clock, as translated texts have no format of times."""
    at: datetime = dt_util.as_local(dt_util.utc_from_timestamp(instant))
    return f"{at:%Y-%m-%d %H:%M}"


@callback
def tell_of_log(hass: HomeAssistant, entry: ConfigEntry, set_aside: str) -> None:
    """Tell that the log could not be read. set_aside: the name of the file that has it now."""
    LOGGER.error("The session log could not be read; it was set aside")
    # One of an earlier file may have been ignored, which would hide this one.
    withdraw_issue(hass, entry, LOG_SET_ASIDE)
    raise_issue(
        hass,
        entry,
        LOG_SET_ASIDE,
        severity=ir.IssueSeverity.ERROR,
        is_persistent=True,
        file=set_aside,
    )


@callback
def tell_of_disk(hass: HomeAssistant, entry: ConfigEntry, error: str | None) -> None:
    """Tell that the log can't be saved; take it back (error: None) when it can be again."""
    if error is None:
        LOGGER.info("The session log is saved again")
        withdraw_issue(hass, entry, LOG_NOT_SAVED)
    else:
        LOGGER.error("The session log could not be saved: %s", error)
        raise_issue(hass, entry, LOG_NOT_SAVED, severity=ir.IssueSeverity.ERROR, error=error)


@callback
def tell_of_clock(hass: HomeAssistant, entry: ConfigEntry, *, is_off: bool) -> None:
    """Tell that the unit's clock is off; take it back when it is right."""
    if is_off:
        raise_issue(hass, entry, CLOCK_OFF, is_fixable=True)
    else:
        withdraw_issue(hass, entry, CLOCK_OFF)


@callback
def tell_of_push(hass: HomeAssistant, entry: ConfigEntry, *, is_silent: bool) -> None:
    """Tell that changes are not pushed, though the unit said they would be, or take it back."""
    if is_silent:
        raise_issue(hass, entry, PUSH_SILENT)
    else:
        withdraw_issue(hass, entry, PUSH_SILENT)


@callback
def tell_of_another(hass: HomeAssistant, entry: ConfigEntry, name: str | None) -> None:
    """Tell that another transmitter answers. name: its title; None if it isn't known here."""
    if name is None:
        withdraw_issue(hass, entry, SWAPPED)
        raise_issue(hass, entry, ANOTHER_UNIT, severity=ir.IssueSeverity.ERROR, is_fixable=True)
    else:
        withdraw_issue(hass, entry, ANOTHER_UNIT)
        raise_issue(hass, entry, SWAPPED, severity=ir.IssueSeverity.ERROR, other=name)


@callback
def is_swapped(hass: HomeAssistant, *entries: ConfigEntry) -> bool:
    """Whether Repairs say that another known transmitter answers in place of one of these."""
    registry = ir.async_get(hass)
    return any(
        registry.async_get_issue(DOMAIN, f"{SWAPPED}_{entry.entry_id}")
        for entry in entries
        if not entry.disabled_by
    )


@callback
def accept(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take back that another transmitter answers: ours does, or the user says so."""
    hass.data.get(ACCEPTED, set()).discard(entry.entry_id)
    withdraw_issue(hass, entry, ANOTHER_UNIT)
    withdraw_issue(hass, entry, SWAPPED)


@callback
def tell_of_unreadable(hass: HomeAssistant, entry: ConfigEntry, count: int) -> None:
    """Tell that so many sessions, or times of sessions, can't be read; take it back with 0."""
    if count:
        raise_issue(hass, entry, UNREADABLE, count=str(count))
    else:
        withdraw_issue(hass, entry, UNREADABLE)
