"""What a transmitter says, as frozen dataclasses; parse.py reads them.

Times are the unit's own wall clock, without a zone: clock.py knows what instants they mean. The
field names are the vendor's, in Python's spelling; `goalInSeconds` is `goal`, in seconds.
"""

from dataclasses import dataclass, field
from datetime import datetime

# How a session ended (clearType): by a normal clear, or taken off the list.
STOP = "STOP"
REMOVED = "REMOVED"

# Where a session is (state).
STARTED = "started"
PAGED = "paged"
CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every answer carries around its payload.

    response_types: the keys under which the payload is. sequence: globalSessionSequence, a running
    count of session changes. timestamp: the unit's clock. device_name: "T7470", the kind of
    transmitter. firmware_version: "8.4.100.43". All but the first are None if the unit leaves them
    out, or if they make no sense.
    """

    response_types: tuple[str, ...]
    sequence: int | None
    timestamp: datetime | None
    device_name: str | None
    firmware_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A guest with a pager, from being given it (created) to giving it back (cleared).

    uuid is there, or id and created; and one time at least. Anything else may be None.
    number: of the pager. goal: seconds the guest should wait at most, 1 at least. notified: when
    paged. clear_type: STOP, REMOVED or what else the unit says, in capitals; only history has it.
    state: STARTED, PAGED, CLEARED or what else the unit says, in small letters; not in history.

    sessionSequence is left out: an example has 65535 in it beside a count of changes of 116, so
    that it orders nothing.
    """

    id: int | None
    uuid: str | None
    number: int | None
    party_size: int | None
    goal: int | None
    created: datetime | None
    notified: datetime | None
    cleared: datetime | None
    clear_type: str | None
    label: str | None
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The unit's own statistics, since they were last cleared; None for what it leaves out.

    guests_served: sessions paged. percent_late, percent_on_time: of those, 0 to 100.
    average_time_served: seconds before paging. sessions_created: numSessions.
    """

    guests_served: int | None
    percent_late: float | None
    percent_on_time: float | None
    average_time_served: float | None
    sessions_created: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The unit's settings; None for what it leaves out.

    clock: what its clock shows. system_id: its pagers must have the same. default_target_goal:
    seconds, for sessions that are started without a goal. statistics_clear_mark: the hour at
    which statistics are cleared, 0 to 24; what 24 means is not documented.
    """

    clock: datetime | None
    system_id: int | None
    default_target_goal: int | None
    statistics_clear_mark: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the unit: an answer, or a notification.

    sessions: active or archived ones. statistics, settings: None if the message has none.
    skipped: how many sessions were left out, as they have no identity or no time that can be read;
    1 for a message that can't be read at all. unreadable_stamps: how many times of sessions can't
    be read, also of sessions that were left out.
    fields: the fields of the message, be they read or not: the payload in which each is, its name
    as the unit has it, and the type of its value in JSON.
    """

    envelope: Envelope
    sessions: tuple[Session, ...] = ()
    statistics: Statistics | None = None
    settings: Settings | None = None
    skipped: int = 0
    unreadable_stamps: int = 0
    fields: frozenset[tuple[str, str, str]] = field(default=frozenset(), compare=False, repr=False)
