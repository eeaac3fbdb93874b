"""What a manager asks of the log: today against other days, the worst hours, broken pagers.

The log is read in batches, and figures are worked out in other threads, as both take a while.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import fmean
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerCoordinator, day_start_of
from .sessions.figures import MASS_WITHIN, Figures, figures_between
from .sessions.log import SessionLog
from .sessions.missed import missed_spans
from .sessions.pattern import LATELY, Pagers, Pattern, minutes
from .transmitter import BusinessDay

# Weeks that a pattern is made of if nothing else is asked for, and the most.
PATTERN_WEEKS: Final = 8
MOST_WEEKS: Final = 104

# No session is older; and some weeks before it, there is still a year that datetime knows.
FIRST: Final = datetime(1971, 1, 1, tzinfo=UTC)

# Weeks that today is compared with.
USUAL_WEEKS: Final = 4


async def pattern(hass: HomeAssistant, log: SessionLog, start: int, end: int) -> dict[str, Any]:
    """The figures by local weekday and hour of sessions that began from start on and before end.

    Both are POSIX seconds. left_out: the spans in which sessions may have been missed.
    """
    found = Pattern(start, end, dt_util.get_default_time_zone(), await missed_spans(log))
    async for _ in log.made_of_batches(found.add, start - MASS_WITHIN):
        pass
    cells = await hass.async_add_executor_job(found.cells)
    return {"cells": [cell.to_json() for cell in cells], "left_out": found.left_out}


async def pagers(coordinator: LrsPagerCoordinator) -> list[dict[str, Any]]:
    """The pagers of late, by number: as `Pagers.found`, with last_seen as text in local time."""
    now = dt_util.utcnow()
    lately = Pagers()
    async for _ in coordinator.log.made_of_batches(lately.add, _seconds(now - LATELY)):
        pass
    found = lately.found(coordinator.data.active or (), now.timestamp())
    return [
        pager | {"last_seen": dt_util.as_local(pager["last_seen"]).isoformat()} for pager in found
    ]


async def manager(hass: HomeAssistant, coordinator: LrsPagerCoordinator) -> dict[str, Any]:
    """What the manager's view shows, as JSON has it."""
    now = dt_util.utcnow()
    data = await coordinator.async_snapshot()
    usual, weeks = await _usual(coordinator, data.day, now)
    kept = await coordinator.quotes.kept()
    found = await pattern(
        hass, coordinator.log, weeks_before(now, PATTERN_WEEKS), _seconds(now) + 1
    )
    return {
        "entry_id": coordinator.config_entry.entry_id,
        "today": _day(data.today),
        "usual": usual,
        "weeks": weeks,
        "quotes_kept": kept.rate,
        "quote_error": kept.error,
        "pattern": {
            "weeks": PATTERN_WEEKS,
            "cells": found["cells"],
            "left_out": len(found["left_out"]),
        },
        "day_start": day_start_of(coordinator.config_entry),
    }


def weeks_before(instant: datetime, weeks: int) -> int:
    """The instant (POSIX seconds) so many weeks earlier at which local clocks showed the same.

    An instant before FIRST is taken for FIRST.
    """
    local = dt_util.as_local(max(instant, FIRST)).replace(tzinfo=None) - timedelta(weeks=weeks)
    return _seconds(local.replace(tzinfo=dt_util.get_default_time_zone()))


async def _usual(
    coordinator: LrsPagerCoordinator, day: BusinessDay, now: datetime
) -> tuple[dict[str, float | None] | None, int]:
    """The mean figures of this weekday in the last weeks, each up to the present time of day.

    None if there is no such day. Also return how many days there are: those without sessions, and
    those in which sessions may have been missed, are left out.
    """
    missed = await missed_spans(coordinator.log)
    found: list[Figures] = []
    for week in range(1, USUAL_WEEKS + 1):
        start, end, same_time = (
            weeks_before(at, week)
            for at in (
                dt_util.utc_from_timestamp(day.start),
                dt_util.utc_from_timestamp(day.end),
                now,
            )
        )
        if any(began < end and start < ended for began, ended in missed):
            continue
        if (first := await coordinator.log.first_ended(start)) is None or first >= end:
            continue
        sum_up = partial(figures_between, start=start, end=same_time)
        # A day is one batch, of all but the largest houses.
        around = await coordinator.log.between(start - MASS_WITHIN, same_time + MASS_WITHIN)
        found.append(await coordinator.hass.async_add_executor_job(sum_up, around))
    days = [_day(figures) for figures in found]
    return (
        {key: _mean([value for day in days if (value := day[key]) is not None]) for key in days[0]}
        if days
        else None,
        len(days),
    )


def _day(figures: Figures) -> dict[str, float | None]:
    """A day in figures; waits in minutes."""
    return {
        "sessions": figures.count,
        "guests": figures.guests,
        "average_wait": minutes(figures.average_wait),
        "wait_80": minutes(figures.long_wait),
        "late": figures.late,
        "left": figures.left,
        "no_show": figures.no_show,
    }


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None


def _seconds(instant: datetime) -> int:
    """An instant in POSIX seconds."""
    return int(instant.timestamp())
