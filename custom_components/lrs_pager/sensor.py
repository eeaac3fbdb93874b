"""Sensors: the last cleared session, and the business day in figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerConfigEntry, Snapshot
from .entity import LrsPagerEntity

# All sensors show the same snapshot; none asks the transmitter by itself.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class LrsPagerSensorDescription(SensorEntityDescription):
    """A sensor, as a view of the snapshot.

    value_fn: its state. attributes_fn: its attributes, if it has any.
    """

    value_fn: Callable[[Snapshot], datetime | float | None]
    attributes_fn: Callable[[Snapshot], Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class CountDescription(LrsPagerSensorDescription):
    """A count that begins at 0 with each business day; its unit is in translations."""

    state_class: SensorStateClass = SensorStateClass.TOTAL


@dataclass(frozen=True, kw_only=True)
class DurationDescription(LrsPagerSensorDescription):
    """A time in seconds, which people read in minutes."""

    device_class: SensorDeviceClass = SensorDeviceClass.DURATION
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str = UnitOfTime.SECONDS
    suggested_unit_of_measurement: str = UnitOfTime.MINUTES
    suggested_display_precision: int = 1


def _local(instant: int | None) -> datetime | None:
    """Return an instant as Home Assistant writes them."""
    return None if instant is None else dt_util.utc_from_timestamp(instant)


def _last_cleared_session(snapshot: Snapshot) -> Mapping[str, Any]:
    """Describe the last cleared session."""
    if (session := snapshot.last_cleared) is None:
        return {}
    return {
        "number": session.number,
        "clear_type": session.clear_type,
        "party_size": session.party_size,
        "label": session.label,
        "created": _local(session.created_at),
        "notified": _local(session.notified_at),
        "wait_seconds": session.wait,
    }


SENSORS: tuple[LrsPagerSensorDescription, ...] = (
    LrsPagerSensorDescription(
        key="last_cleared_session",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda data: _local(data.last_cleared.ended_at) if data.last_cleared else None,
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
    LrsPagerSensorDescription(
        key="on_time_rate",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
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
    _unrecorded_attributes = frozenset({"label"})

    entity_description: LrsPagerSensorDescription

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
        """When the count began: the start of the business day."""
        if self.state_class is not SensorStateClass.TOTAL:
            return None
        return _local(self.coordinator.data.day.start)
