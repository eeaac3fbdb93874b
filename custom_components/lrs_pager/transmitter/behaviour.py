"""What a unit does that the vendor does not document, for diagnostics.

No guest's data is kept here: only counts, times, and the names and types of fields. A field's name
is for the unit to choose: it is kept only if it looks like a name of the API, and only MAX_FIELDS
names are. Memory is bounded, whatever the unit sends.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
import re
from statistics import median
from typing import Any

from .messages import Message

# Round trips of each resource, and intervals between pings, of which the median is shown.
KEPT = 50

# The most fields that are noted, and what a name has to look like.
MAX_FIELDS = 100
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,31}")

# What stands for all other names.
OTHER = "(other)"

# What the vendor documents: the payloads, and the fields of each.
PAYLOADS = ("sessions", "session_history", "statistics", "settings", "ping")
_SESSION = (
    *("id", "uuid", "number", "partySize", "goalInSeconds", "created", "started", "notified"),
    *("cleared", "clearType", "label", "state"),
)
DOCUMENTED = {
    "envelope": (
        *("responseTypes", "globalSessionSequence", "timestamp", "deviceName", "firmwareVersion"),
    ),
    "sessions": (*_SESSION, "sessionSequence"),
    "session_history": _SESSION,
    "statistics": (
        *("guestsServed", "percentLate", "percentOnTime", "averageTimeServed", "numSessions"),
    ),
    "settings": ("datetime", "systemId", "defaultTargetGoal", "statisticsClearMark"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A response: its code, the size of its payload in bytes, and whether it has an ETag.

    asked: the number of the block that was requested. number, block_size: of the block that came.
    These are None without a Block2 option. seconds: of the round trip; None for a notification.
    """

    code: str
    size: int
    has_etag: bool
    asked: int | None = None
    number: int | None = None
    block_size: int | None = None
    seconds: float | None = None


@dataclass(slots=True)
class _Resource:
    """What was seen of one resource."""

    codes: Counter[str] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)  # the smallest and the largest
    block_sizes: set[int] = field(default_factory=set)
    largest_body: int = 0
    last_block: int = 0
    is_out_of_order: bool | None = None
    etags: int = 0
    round_trips: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    slowest: float = 0.0

    def see(self, seen: Exchange) -> None:
        """Take in a response."""
        self.codes[seen.code] += 1
        self.sizes = [min([*self.sizes, seen.size]), max([*self.sizes, seen.size])]
        self.etags += seen.has_etag
        if seen.seconds is not None:
            self.round_trips.append(seen.seconds)
            self.slowest = max(self.slowest, seen.seconds)
        number, is_skip = seen.number or 0, (seen.asked or 0) > self.last_block + 1
        if is_skip:
            self.is_out_of_order = seen.code.startswith("2.") and number == seen.asked
        self.last_block = number
        if seen.block_size is not None:
            self.block_sizes.add(seen.block_size)
        self.largest_body = max(self.largest_body, number * (seen.block_size or 0) + seen.size)

    def to_show(self) -> dict[str, Any]:
        """Return it for diagnostics; times in milliseconds."""
        return {
            "codes": dict(self.codes),
            "least_bytes": self.sizes[0],
            "most_bytes": self.sizes[1],
            "largest_body": self.largest_body,
            "block_sizes": sorted(self.block_sizes),
            "serves_blocks_out_of_order": self.is_out_of_order,
            "with_etag": self.etags,
            "round_trip_ms": {
                "median": round(1000 * median(self.round_trips), 1),
                "worst": round(1000 * self.slowest, 1),
            }
            if self.round_trips
            else None,
        }


class Behaviour:
    """What was seen of one unit since the integration was set up."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._resources: dict[str, _Resource] = {}
        # Of each kind: how many messages, how many with the count of changes, how many with a time.
        self._messages: dict[str, list[int]] = {}
        self._fields: dict[tuple[str, str], set[str]] = {}
        # Seconds between pings, and when the last came in this observation.
        self._pings: deque[float] = deque(maxlen=KEPT)
        self._ping_at: float | None = None
        # The last count of changes; the time and the id of the session that was created last.
        self._count: int | None = None
        self._newest: tuple[datetime, int] | None = None
        self._restarts = {"count": 0, "ids": 0}

    def exchange(self, resource: str, seen: Exchange) -> None:
        """Take in a response. resource: method and path, which are ours."""
        self._resources.setdefault(resource, _Resource()).see(seen)

    def registered(self) -> None:
        """An observation has begun: an earlier ping belonged to another one."""
        self._ping_at = None

    def message(self, told: Message, at: float | None = None) -> None:
        """Take in a message. at: the loop's time of a notification; None for an answer."""
        envelope = told.envelope
        types = {name if name in PAYLOADS else OTHER for name in envelope.response_types}
        kind = "+".join(sorted(types)) or "(empty)"
        kind = f"answer: {kind}" if at is None else f"notification: {kind}"
        counts = self._messages.setdefault(kind, [0, 0, 0])
        counts[0] += 1
        counts[1] += envelope.sequence is not None
        counts[2] += envelope.timestamp is not None
        for where, name, type_ in told.fields:
            if where != "envelope" or name not in PAYLOADS:
                self._note_field(where, name, type_)
        if at is not None and types == {"ping"}:
            if self._ping_at is not None:
                self._pings.append(at - self._ping_at)
            self._ping_at = at
        self._see_counts(told)

    def _note_field(self, where: str, name: str, type_: str) -> None:
        if not _NAME.fullmatch(name) or (
            len(self._fields) >= MAX_FIELDS and (where, name) not in self._fields
        ):
            name = OTHER
        self._fields.setdefault((where, name), set()).add(type_)

    def _see_counts(self, told: Message) -> None:
        """See whether the count of changes, or the ids of sessions, have begun anew."""
        count = told.envelope.sequence
        if count is not None:
            self._restarts["count"] += self._count is not None and count < self._count
            self._count = count
        created = [(s.created, s.id) for s in told.sessions if s.created and s.id is not None]
        for session in sorted(created):
            if self._newest is None or session[0] > self._newest[0]:
                self._restarts["ids"] += self._newest is not None and session[1] < self._newest[1]
                self._newest = session

    def to_show(self) -> dict[str, Any]:
        """Return it for diagnostics."""
        pings = sorted(self._pings)
        return {
            "resources": {name: seen.to_show() for name, seen in self._resources.items()},
            "messages": {
                kind: {"seen": seen, "with_count": counted, "with_timestamp": stamped}
                for kind, (seen, counted, stamped) in self._messages.items()
            },
            "pings": {"intervals": len(pings), "median_s": round(median(pings), 1)}
            | {"shortest_s": round(pings[0], 1), "longest_s": round(pings[-1], 1)}
            if pings
            else None,
            "restarts": dict(self._restarts),
            "fields": {where: self._fields_of(where, known) for where, known in DOCUMENTED.items()},
        }

    def _fields_of(self, where: str, documented: Iterable[str]) -> dict[str, Any]:
        seen = {name: sorted(types) for (at, name), types in self._fields.items() if at == where}
        return {
            "seen": {name: types for name, types in seen.items() if name in documented},
            "never_seen": [name for name in documented if name not in seen],
            "undocumented": {name: types for name, types in seen.items() if name not in documented},
        }
