"""Sensors: the last cleared session, the business day in figures, who waits now, the unit's own."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerConfigEntry
from .describe import LABEL, active_attributes, name
from .entity import LrsPagerDescription, LrsPagerEntity
from .sessions.quote import Quote
from .sessions.session import PlacedSession
from .sync.picture import Snapshot
from .sync.quoting import PARTIES

# All sensors show the same snapshot; none asks the transmitter by itself.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class LrsPagerSensorDescription(LrsPagerDescription, SensorEntityDescription):
    """A sensor, as a view of the snapshot.

    value_fn: its state. attributes_fn: its attributes, if it has any.
    """

    value_fn: Callable[[Snapshot], datetime | float | None]
    attributes_fn: Callable[[Snapshot], Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class DayDescription(LrsPagerSensorDescription):
    """A figure of the business day, which the log has to tell."""

    known_fn: Callable[[Snapshot], bool] = lambda data: data.knows_today


@dataclass(frozen=True, kw_only=True)
class CountDescription(DayDescription):
    """A count that begins at 0 with each business day; its unit is in translations."""

    state_class: SensorStateClass = SensorStateClass.TOTAL


@dataclass(frozen=True, kw_only=True)
class RateDescription(DayDescription):
    """A share of the business day's sessions."""

    state_class: SensorStateClass = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str = PERCENTAGE
    suggested_display_precision: int = 0


@dataclass(frozen=True, kw_only=True)
class LiveDescription(LrsPagerSensorDescription):
    """Something about the sessions that are active now."""

    known_fn: Callable[[Snapshot], bool] = lambda data: data.active is not None


@dataclass(frozen=True, kw_only=True)
class LiveCountDescription(LiveDescription):
    """How many there are now; the unit is in translations."""

    state_class: SensorStateClass = SensorStateClass.MEASUREMENT


@dataclass(frozen=True, kw_only=True)
class UnitDescription(LrsPagerSensorDescription):
    """What the transmitter says of itself. Few need it: the log has better figures."""

    entity_category: EntityCategory = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False


@dataclass(frozen=True, kw_only=True)
class DurationDescription(DayDescription):
    """A time of the day's sessions in seconds, which people read in minutes."""

    device_class: SensorDeviceClass = SensorDeviceClass.DURATION
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str = UnitOfTime.SECONDS
    suggested_unit_of_measurement: str = UnitOfTime.MINUTES
    suggested_display_precision: int = 1


@dataclass(frozen=True, kw_only=True)
class QuoteDescription(LrsPagerSensorDescription):
    """A figure about quotes: such a sensor has them worked out while it is enabled."""

    suggested_display_precision: int = 0


def _time(instant: int | None) -> datetime | None:
    """Return an instant (POSIX seconds) as Home Assistant takes it."""
    return None if instant is None else dt_util.utc_from_timestamp(instant)


def _last_cleared_session(snapshot: Snapshot) -> Mapping[str, Any]:
    """Describe the last cleared session."""
    if (session := snapshot.last_cleared) is None:
        return {}
    return {
        "number": session.number,
        "clear_type": session.clear_type,
        "party_size": session.party_size,
        "created": _time(session.created_at),
        "notified": _time(session.notified_at),
        "wait_seconds": session.wait,
        **name(session, is_shown=snapshot.shows_names),
    }


def _active_sessions(snapshot: Snapshot) -> Mapping[str, Any]:
    """List the active sessions."""
    return {
        "sessions": [
            active_attributes(session, snapshot) | name(session, is_shown=snapshot.shows_names)
            for session in snapshot.active or ()
        ]
    }


def _pagers_not_back(snapshot: Snapshot) -> Mapping[str, Any]:
    """List the pagers of an earlier business day."""
    return {"numbers": sorted(s.number for s in snapshot.left_over if s.number is not None)}


def _guests(sessions: Collection[PlacedSession]) -> int:
    """Add up the guests; a party whose size is not known counts as one guest."""
    return sum(session.party_size or 1 for session in sessions)


def _quote(snapshot: Snapshot, size: str) -> int | None:
    """The minutes within which a party that comes now is paged; None if that can't be told."""
    return snapshot.quotes.quotes[size].high if snapshot.quotes else None


def _quote_attributes(snapshot: Snapshot, size: str) -> Mapping[str, Any]:
    """Describe a quote."""
    quote = snapshot.quotes.quotes[size] if snapshot.quotes else Quote()
    return {
        "from": quote.low,
        "parties_ahead": quote.parties_ahead,
        "based_on": quote.based_on,
        "reason": quote.reason and quote.reason.value,
    }


def _against_goal(snapshot: Snapshot) -> Mapping[str, Any]:
    """Say what percentage of guests was paged within their goal."""
    rate = snapshot.quotes.kept.goal_rate if snapshot.quotes else None
    return {"against_goal": None if rate is None else round(rate)}


def _has_statistics(snapshot: Snapshot) -> bool:
    return snapshot.statistics is not None


def _has_settings(snapshot: Snapshot) -> bool:
    return snapshot.settings is not None


SENSORS: tuple[LrsPagerSensorDescription, ...] = (
    LrsPagerSensorDescription(
        key="last_cleared_session",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: _time(data.last_cleared.ended_at) if data.last_cleared else None,
        attributes_fn=_last_cleared_session,
    ),
    CountDescription(
        key="daily_count",
        value_fn=lambda data: data.today.count,
    ),
    DurationDescription(
        key="average_wait",
        value_fn=lambda data: data.today.average_wait,
    ),
    DurationDescription(
        key="longest_wait",
        value_fn=lambda data: data.today.longest_wait,
    ),
    RateDescription(
        key="on_time_rate",
        value_fn=lambda data: data.today.on_time_rate,
    ),
    DurationDescription(
        key="average_response",
        entity_registry_enabled_default=False,
        value_fn=lambda data: data.today.average_response,
    ),
    CountDescription(
        key="guests_served",
        entity_registry_enabled_default=False,
        value_fn=lambda data: data.today.guests,
    ),
    CountDescription(
        key="removed_today",
        entity_registry_enabled_default=False,
        value_fn=lambda data: data.today.removed,
    ),
    CountDescription(
        key="left_today",
        value_fn=lambda data: data.today.left,
    ),
    CountDescription(
        key="did_not_come_today",
        value_fn=lambda data: data.today.no_show,
    ),
    RateDescription(
        key="left_rate",
        entity_registry_enabled_default=False,
        value_fn=lambda data: data.today.left_rate,
    ),
    RateDescription(
        key="did_not_come_rate",
        entity_registry_enabled_default=False,
        value_fn=lambda data: data.today.no_show_rate,
    ),
    LiveCountDescription(
        key="active_sessions",
        value_fn=lambda data: len(data.active or ()),
        attributes_fn=_active_sessions,
    ),
    LiveCountDescription(
        key="waiting_sessions",
        value_fn=lambda data: len(data.waiting),
    ),
    LiveCountDescription(
        key="paged_sessions",
        value_fn=lambda data: len(data.paged),
    ),
    LiveCountDescription(
        key="pagers_not_back",
        value_fn=lambda data: len(data.left_over),
        attributes_fn=_pagers_not_back,
    ),
    LiveCountDescription(
        key="guests_waiting",
        value_fn=lambda data: _guests(data.waiting),
    ),
    # These two change with each guest, and each change would be a line of the device's activity.
    LiveDescription(
        key="longest_current_wait",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=lambda data: _time(
            min((s.created_at for s in data.waiting if s.created_at is not None), default=None)
        ),
    ),
    LiveDescription(
        key="next_goal",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=lambda data: _time(data.next_goal),
    ),
    *(
        QuoteDescription(
            key=f"quote_{size}",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.MINUTES,
            value_fn=partial(_quote, size=size),
            attributes_fn=partial(_quote_attributes, size=size),
        )
        for size in PARTIES
    ),
    QuoteDescription(
        key="quotes_kept",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        value_fn=lambda data: data.quotes.kept.rate if data.quotes else None,
        attributes_fn=_against_goal,
    ),
    QuoteDescription(
        key="quote_error",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_display_precision=1,
        value_fn=lambda data: data.quotes.kept.error if data.quotes else None,
    ),
    UnitDescription(
        key="unit_guests_served",
        state_class=SensorStateClass.TOTAL_INCREASING,
        known_fn=_has_statistics,
        value_fn=lambda data: data.statistics.guests_served if data.statistics else None,
    ),
    UnitDescription(
        key="unit_percent_on_time",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        known_fn=_has_statistics,
        value_fn=lambda data: data.statistics.percent_on_time if data.statistics else None,
    ),
    UnitDescription(
        key="unit_average_time_served",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_display_precision=1,
        known_fn=_has_statistics,
        value_fn=lambda data: data.statistics.average_time_served if data.statistics else None,
    ),
    UnitDescription(
        key="unit_sessions_created",
        state_class=SensorStateClass.TOTAL_INCREASING,
        known_fn=_has_statistics,
        value_fn=lambda data: data.statistics.sessions_created if data.statistics else None,
    ),
    UnitDescription(
        key="clock_offset",
        entity_registry_enabled_default=True,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        value_fn=lambda data: data.clock_ahead,
    ),
    UnitDescription(
        key="system_id",
        entity_registry_enabled_default=True,
        known_fn=_has_settings,
        value_fn=lambda data: data.settings.system_id if data.settings else None,
    ),
    UnitDescription(
        key="statistics_clear_mark",
        entity_registry_enabled_default=True,
        known_fn=_has_settings,
        value_fn=lambda data: data.settings.statistics_clear_mark if data.settings else None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LrsPagerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a transmitter."""
    async_add_entities(LrsPagerSensor(entry.runtime_data, sensor) for sensor in SENSORS)


class LrsPagerSensor(LrsPagerEntity, SensorEntity):
    """A view of the snapshot."""

    # A guest's name is for who stands at the door now, not for the database.
    _unrecorded_attributes = frozenset({LABEL, "sessions"})

    entity_description: LrsPagerSensorDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Have quotes worked out while this sensor is there, if it shows them."""
        await super().async_added_to_hass()
        if isinstance(self.entity_description, QuoteDescription):
            self.async_on_remove(self.coordinator.quotes.watch())

    @property
    @override
    def native_value(self) -> datetime | float | None:
        """The state."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """The attributes, if there are any."""
        if self.entity_description.attributes_fn is None:
            return None
        return self.entity_description.attributes_fn(self.coordinator.data)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """When the count began anew: at the start of the business day."""
        if self.state_class is not SensorStateClass.TOTAL:
            return None
        return _time(self.coordinator.data.last_reset)
