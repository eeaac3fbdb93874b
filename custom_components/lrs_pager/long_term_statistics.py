"""Home Assistant's long-term statistics of a transmitter: one row per hour, kept for ever.

The recorder keeps such rows of sensors by itself, but only of what it saw in their states. These
are worked out from the session log (hourly.py), so that hours before the installation, or while
Home Assistant was down, are right too, and are corrected when something is learnt later.

One way for all of that: take the log's figures from some hour on, read the rows that are there,
write those that differ, and read again to see that they were kept. At the start that hour is the
log's oldest; later, the earliest in which something has changed.

Rows outlive the log, and the transmitter's entry: the graph of a year ago stays when either is
gone. They are deleted in Home Assistant's developer tools. This is the only file that knows the
recorder.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final, cast

from homeassistant.components.recorder.const import DOMAIN as RECORDER
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    async_update_statistics_metadata,
    get_metadata,
    statistic_during_period,
    statistics_during_period,
)
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import PERCENTAGE, UnitOfTime
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import DurationConverter, UnitlessRatioConverter

from .const import DOMAIN, LOGGER
from .sessions.figures import MASS_WITHIN, Endings
from .sessions.hourly import (
    COUNTS,
    GUESTS,
    HOUR,
    KEYS,
    LATE,
    LEFT,
    NO_SHOW,
    ON_TIME_RATE,
    SESSIONS,
    WAIT,
    Merged,
    Row,
    Rows,
    counted_hour,
    first_hour_of,
    merge,
    rows_of,
)
from .sessions.log import LogClosedError, SessionLog
from .sessions.session import PlacedSession

# From a change to its being written. As often as Home Assistant compiles its own statistics: no
# graph shows more, and a busy hour's rows are written a dozen times rather than once per guest.
DELAY: Final = timedelta(minutes=5)

# The same if a session has left an hour, as two hours may count it until that is written.
DELAY_IF_MOVED: Final = timedelta(seconds=5)

# Seconds for what is left to be written when the transmitter is unloaded. Home Assistant waits for
# ten; what is not written then is at the next start.
STOP_TIMEOUT: Final = 5

# Seconds that the recorder may take to come to our rows before a warning is logged. It takes
# minutes to purge a large database, or to update it to a new version of Home Assistant.
BUSY_AFTER: Final = 10 * 60

# The log's key for the hours from which a session has moved to another.
MOVED_KEY: Final = "moved_hours"

# Seconds of the log that are worked on at once: a week of a busy house is 2,000 sessions, some
# milliseconds' work, and no memory to speak of.
STRETCH: Final = 7 * 24 * HOUR

# Home Assistant's own words for statistics are English, too.
_NAMES: Final = {
    SESSIONS: "sessions",
    GUESTS: "guests",
    LATE: "late sessions",
    LEFT: "left before paged",
    NO_SHOW: "did not come",
    WAIT: "wait",
    ON_TIME_RATE: "on-time rate",
}

# Unit, and the class of units to which it can be converted.
_UNITS: Final[dict[str, tuple[str, str | None]]] = {
    SESSIONS: ("sessions", None),
    GUESTS: ("guests", None),
    LATE: ("sessions", None),
    LEFT: ("sessions", None),
    NO_SHOW: ("sessions", None),
    WAIT: (UnitOfTime.MINUTES, DurationConverter.UNIT_CLASS),
    ON_TIME_RATE: (PERCENTAGE, UnitlessRatioConverter.UNIT_CLASS),
}


class _MovedHours:
    """The hours from which a session has moved to another, until their rows are written.

    The log keeps them, too. After a kill, nothing else would show that such a row counts too much:
    rows of hours without sessions stay as they are.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.all: set[int] = set()
        self.log: SessionLog | None = None

    async def open(self, log: SessionLog) -> None:
        """Take the hours whose rows were not written before Home Assistant was killed."""
        kept = await log.get(MOVED_KEY)
        self.log = log
        self.all.update(hour for hour in kept or () if isinstance(hour, int))
        await self.keep()

    async def keep(self) -> None:
        """Have the log keep these hours."""
        if self.log is not None:
            with suppress(LogClosedError):
                await self.log.set(MOVED_KEY, sorted(self.all))

    async def written(self, hours: Collection[int]) -> None:
        """Forget hours whose rows are written."""
        if hours:
            self.all.difference_update(hours)
            await self.keep()


class LongTermStatistics:
    """Keeps a transmitter's rows equal to the figures of its log.

    `note` is told of each change of the log, also before `async_start`.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Read and write nothing yet."""
        self._hass = hass
        self._entry = entry
        self._ids = {key: statistic_id(entry.entry_id, key) for key in KEYS}
        self._title = entry.title
        self._log: SessionLog | None = None
        # The first hour whose rows may differ from the log; None if none do.
        self._since: int | None = None
        self._moved = _MovedHours()
        self._changes = 0
        self._is_failing = False
        self._one_at_a_time = asyncio.Lock()
        self._cancel_timer: CALLBACK_TYPE | None = None

    @callback
    def note(self, before: PlacedSession | None, after: PlacedSession) -> None:
        """Take note that a session of the log is new (before: None), or is known better."""
        hour, delay = first_hour_of(after), DELAY
        if before is not None:
            hour = min(hour, first_hour_of(before))
            if (counted := counted_hour(before)) not in {None, counted_hour(after)}:
                if counted not in self._moved.all:
                    self._moved.all.add(counted)
                    self._start(self._moved.keep())
                delay = DELAY_IF_MOVED
        self._note(hour, delay)

    @callback
    def async_start(self, log: SessionLog) -> None:
        """Write what is missing once Home Assistant has started, and what changes from then on."""
        if RECORDER not in self._hass.config.components:
            return

        @callback
        def begin(_: HomeAssistant) -> None:
            # The recorder works off its queue from now on.
            self._log = log
            self._sync_now()

        @callback
        def rename(_: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
            if entry is self._entry and entry.title != self._title:
                self._title = entry.title
                self._note(_this_hour())

        self._entry.async_on_unload(async_at_started(self._hass, begin))
        self._entry.async_on_unload(
            async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, rename)
        )

    async def async_stop(self) -> None:
        """Write what is left; call it when nothing can change any more."""
        self._unschedule()
        log, self._log = self._log, None
        if log is None or self._since is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT), self._one_at_a_time:
                await self._write(log, self._since, frozenset(self._moved.all))
        except Exception as err:  # noqa: BLE001  # see _sync
            LOGGER.debug("Long-term statistics are written at the next start: %r", err)

    @callback
    def _note(self, hour: int, delay: timedelta = DELAY) -> None:
        """Have the rows from an hour on written, after a delay."""
        self._changes += 1
        self._since = hour if self._since is None else min(self._since, hour)
        if delay < DELAY:
            self._unschedule()
        self._schedule(delay)

    @callback
    def _schedule(self, delay: timedelta) -> None:
        if self._log is not None and self._cancel_timer is None:
            self._cancel_timer = async_call_later(self._hass, delay, self._sync_now)

    @callback
    def _unschedule(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    @callback
    def _sync_now(self, _: datetime | None = None) -> None:
        self._unschedule()
        if self._one_at_a_time.locked():
            # While the recorder stands still, one task waits for it, rather than ever more.
            self._schedule(DELAY_IF_MOVED if self._moved.all else DELAY)
            return
        self._start(self._sync())

    @callback
    def _start(self, job: Coroutine[Any, Any, None]) -> None:
        name = f"{self._entry.title} statistics"
        self._entry.async_create_background_task(self._hass, job, name)

    async def _sync(self) -> None:
        """Write what is to be written, and see that it was kept."""
        async with self._one_at_a_time:
            try:
                is_kept = await self._write_all()
            except LogClosedError:
                # The disk fails; or else we are stopped: what is left is written at the next start.
                self._schedule(DELAY)
            except Exception as err:  # noqa: BLE001  # whatever ails the database, pagers go on
                self._tell(err)
            else:
                self._tell(None if is_kept else "it did not keep what was written")

    async def _write_all(self) -> bool:
        """Write; return False if rows still differ after that, though the log has not changed."""
        if (log := self._log) is not None and self._moved.log is None:
            oldest = await log.first_ended(0)
            await self._moved.open(log)
            # Even without a session, the entry's title may be new.
            first = _this_hour() if oldest is None else oldest // HOUR * HOUR
            self._since = first if self._since is None else min(self._since, first)
        for _ in range(2):
            if self._log is None or self._since is None:
                return True
            changes, moved = self._changes, frozenset(self._moved.all)
            is_all = not await self._write(self._log, self._since, moved)
            if changes != self._changes:
                return True  # a timer is set for the change
            if is_all:
                self._since = None
                await self._moved.written(moved)
                return True
        return False

    def _tell(self, problem: object | None) -> None:
        """Log once that it does not work, and once that it does again."""
        if problem is not None and not self._is_failing:
            LOGGER.warning("The recorder does not take long-term statistics: %s", problem)
        elif problem is None and self._is_failing:
            LOGGER.info("The recorder takes long-term statistics again")
        self._is_failing = problem is not None

    # --------------------------------------------------------------------- the rows

    async def _write(self, log: SessionLog, since: int, moved: frozenset[int]) -> bool:
        """Write the rows from an hour on that differ; return whether there were some."""
        await self._settled()
        recorder = get_instance(self._hass)
        # The recorder gives no total up to an hour to come; there is such an hour if the
        # transmitter's clock is ahead.
        start = min(since, _this_hour())
        metadata, totals = await recorder.async_add_executor_job(self._read_written, start)
        renamed = {
            key
            for key, name_and_all in _metadata(self._title, self._ids).items()
            if key in metadata and metadata[key]["name"] != name_and_all["name"]
        }
        has_written = False
        while True:
            end = start + STRETCH
            around = await log.between(start - MASS_WITHIN, end + MASS_WITHIN)
            following = await log.first_ended(end)
            # After the log's last session there may be rows of sessions that it forgot.
            merged = await recorder.async_add_executor_job(
                self._merge, around, start, None if following is None else end, totals, moved
            )
            if writes := {key: rows for key, rows in merged.rows.items() if rows or key in renamed}:
                renamed -= writes.keys()
                has_written = True
                for key, rows in writes.items():
                    async_add_external_statistics(
                        self._hass, _metadata(self._title, self._ids)[key], _statistic_data(rows)
                    )
            if following is None:
                return has_written
            if writes:
                # Only one stretch at a time is queued before what else happens in the house: the
                # first time, all of them may take the recorder minutes.
                await self._settled()
            totals, start = merged.totals, end
            if following >= end + STRETCH:
                # Skip years without sessions, as between those of a clock that was not set and now.
                start = following // HOUR * HOUR
                _, totals = await recorder.async_add_executor_job(self._read_written, start)

    async def _settled(self) -> None:
        """Wait until the recorder has done all it was given, by one more task that changes nothing.

        Its own commit future can't be waited for: it has none while it is at its last task.
        """
        done = asyncio.Event()

        def on_done() -> None:
            self._hass.loop.call_soon_threadsafe(done.set)

        async_update_statistics_metadata(self._hass, self._ids[SESSIONS], on_done=on_done)
        try:
            async with asyncio.timeout(BUSY_AFTER):
                await done.wait()
        except TimeoutError:
            self._tell(f"it has been busy for {BUSY_AFTER // 60} minutes")
            await done.wait()

    # ----------------------------------------------- in the recorder's executor: it reads

    def _read_written(self, before: int) -> tuple[dict[str, StatisticMetaData], dict[str, float]]:
        """What the recorder has: the metadata, and the counts' totals before an hour."""
        found = get_metadata(self._hass, statistic_ids=set(self._ids.values()))
        metadata = {key: found[id_][1] for key, id_ in self._ids.items() if id_ in found}
        end = dt_util.utc_from_timestamp(before)
        totals = {
            key: statistic_during_period(
                self._hass, None, end, self._ids[key], {"change"}, None
            ).get("change")
            or 0.0
            for key in COUNTS
        }
        return metadata, totals

    def _read_rows(self, start: int, end: int | None) -> Rows:
        """The rows of some hours."""
        found = statistics_during_period(
            self._hass,
            dt_util.utc_from_timestamp(start),
            None if end is None else dt_util.utc_from_timestamp(end),
            set(self._ids.values()),
            "hour",
            None,
            {"state", "sum", "mean", "min", "max"},
        )
        return {
            key: {round(row["start"]): _row(row) for row in found.get(id_, ())}
            for key, id_ in self._ids.items()
        }

    def _merge(
        self,
        around: Collection[PlacedSession],
        start: int,
        end: int | None,
        totals: Mapping[str, float],
        moved: frozenset[int],
    ) -> Merged:
        """Bring the log's sessions of a stretch together with the rows that are there."""
        sessions = [session for session in around if start <= session.ended_at < start + STRETCH]
        told = rows_of(sessions, Endings(around))
        return merge(told, self._read_rows(start, end), totals, moved)


def _metadata(title: str, ids: Mapping[str, str]) -> dict[str, StatisticMetaData]:
    """The metadata of each statistic, by its key, as the recorder takes them. ids: by key."""
    return {
        key: StatisticMetaData(
            source=DOMAIN,
            statistic_id=ids[key],
            name=f"{title} {_NAMES[key]}",
            unit_of_measurement=unit,
            unit_class=unit_class,
            has_sum=key in COUNTS,
            mean_type=StatisticMeanType.NONE if key in COUNTS else StatisticMeanType.ARITHMETIC,
        )
        for key, (unit, unit_class) in _UNITS.items()
    }


def _row(row: StatisticsRow) -> Row:
    """Take over a row that the recorder returned."""
    return Row(
        state=row.get("state"),
        sum=row.get("sum"),
        mean=row.get("mean"),
        min=row.get("min"),
        max=row.get("max"),
    )


def statistic_id(entry_id: str, key: str) -> str:
    """The id of a transmitter's statistic."""
    return f"{DOMAIN}:{entry_id.lower()}_{key}"


def _this_hour() -> int:
    return int(dt_util.utcnow().timestamp()) // HOUR * HOUR


def _statistic_data(rows: Mapping[int, Row]) -> list[StatisticData]:
    """Rows as the recorder takes them."""
    return [
        cast(
            "StatisticData",
            {"start": dt_util.utc_from_timestamp(hour)}
            | {name: value for name, value in asdict(row).items() if value is not None},
        )
        for hour, row in sorted(rows.items())
    ]
