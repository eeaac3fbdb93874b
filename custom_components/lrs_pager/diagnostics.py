"""Diagnostics: what helps to find a fault, and nothing of any guest."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .coordinator import LrsPagerConfigEntry

# Where the transmitter is; who the guests are; and what would let two files be matched.
TO_REDACT = {CONF_HOST, "label", "uuid"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: LrsPagerConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a transmitter."""
    coordinator = entry.runtime_data
    follower = coordinator.follower
    clocks, history = follower.clocks, follower.reader.history
    return async_redact_data(
        {
            "entry": {"data": dict(entry.data), "options": dict(entry.options)},
            "is_reachable": coordinator.last_update_success,
            "last_error": str(coordinator.last_exception) if coordinator.last_exception else None,
            "history": history.to_show(),
            "push": {
                "state": follower.push.state,
                "is_proved": follower.push.is_proved,
                "poll_interval": str(coordinator.update_interval),
            },
            "clock": {"ahead": clocks.ahead, "agrees": clocks.agrees},
            "log": {"sessions": await coordinator.log.count()},
            "snapshot": {
                **asdict(coordinator.data),
                # A list, as nothing is taken out of tuples.
                "active": [asdict(session) for session in coordinator.data.active or ()],
            },
        },
        TO_REDACT,
    )
