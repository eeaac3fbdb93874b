"""Diagnostics: what helps to find a fault, and nothing of any guest."""

from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerConfigEntry
from .sessions.log import LogClosedError, SessionLog
from .sync.quoting import Board

# Seconds before now from which sessions are counted; and seconds from its goal within which a page
# is one at the goal.
PAGED_SINCE = 30 * 24 * 3600
AT_GOAL = 2

# The transmitter's address; guests' names; and what would let two files be matched.
TO_REDACT = {CONF_HOST, "label", "uuid"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: LrsPagerConfigEntry
) -> dict[str, Any]:
    """Return the diagnostics of a transmitter; of one that isn't set up, why that is."""
    if entry.state is not ConfigEntryState.LOADED:
        return {
            "entry": async_redact_data(
                {"data": dict(entry.data), "options": dict(entry.options)}, TO_REDACT
            ),
            "state": entry.state.value,
            # Older versions of Home Assistant keep the text alone.
            "reason": entry.error_reason_translation_key or entry.reason,
        }
    coordinator = entry.runtime_data
    data, follower = coordinator.data, coordinator.follower
    clocks, history = follower.clocks, follower.poller.history
    known = async_redact_data(
        {
            "entry": {"data": dict(entry.data), "options": dict(entry.options)},
            "is_reachable": coordinator.last_update_success,
            "last_error": str(coordinator.last_exception) if coordinator.last_exception else None,
            "active_sessions": {"is_readable": follower.poller.has_list},
            "history": history.to_show(),
            "push": {
                "state": follower.push.state,
                "is_proved": follower.push.is_proved,
                "poll_interval": str(coordinator.update_interval),
            },
            "clock": {"ahead": clocks.ahead, "agrees": clocks.agrees},
            "log": {"sessions": await _from_log(coordinator.log.count())},
            "snapshot": {
                **asdict(data),
                "quotes": _board(data.quotes),
                # A list, as async_redact_data does not look into tuples.
                "active": [asdict(session) for session in data.active or ()],
            },
        },
        TO_REDACT,
    )
    # How the unit really behaves, of which the vendor's pages say little. It has names of fields,
    # but no values, so that there is nothing to redact.
    protocol = coordinator.transmitter.behaviour.to_show()
    protocol["pages_at_goal"] = await _from_log(_pages_at_goal(coordinator.log))
    return {**known, "protocol": protocol}


async def _from_log[T](found: Awaitable[T]) -> T | str:
    """What is read from the log, or else why it can't be."""
    try:
        return await found
    except LogClosedError as err:
        return str(err)


def _board(board: Board | None) -> dict[str, Any] | None:
    """The quotes; of the guests who wait, to whom they are told, just how many they are."""
    return asdict(board) | {"about": len(board.about)} if board else None


async def _pages_at_goal(log: SessionLog) -> dict[str, int]:
    """How many sessions with a goal were paged of late, and how many of them just as it ran out.

    Does the unit page by itself then, as the vendor's examples suggest?
    """
    since = round(dt_util.utcnow().timestamp()) - PAGED_SINCE
    off = [
        abs(session.wait - session.goal)
        async for batch in log.batches(since)
        for session in batch
        if session.wait is not None and session.goal
    ]
    return {"paged": len(off), "at_goal": sum(seconds <= AT_GOAL for seconds in off)}
