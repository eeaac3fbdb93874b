"""A guest's session as the unit keeps it, and the JSON objects it becomes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

type Wire = dict[str, Any]
"""A JSON object as the unit sends it."""


def wire_time(moment: datetime) -> str:
    """Return the moment as the unit writes it: YYYY-MM-DDTHH:MM:SS, without a zone."""
    return moment.isoformat(timespec="seconds")


class NoSuchSessionError(LookupError):
    """No session is active on that pager number."""


class SessionFields(TypedDict, total=False):
    """What a client may give a session; goal is in seconds."""

    goal: int
    label: str | None
    party_size: int


@dataclass(kw_only=True, eq=False)
class Session:
    """One guest's session, while it is active."""

    id: int
    uuid: str
    number: int
    goal: int
    created: datetime
    party_size: int = 1
    label: str | None = None
    sequence: int = 0
    notified: datetime | None = None
    cleared: datetime | None = None

    @property
    def state(self) -> str:
        """Return started, paged or cleared."""
        if self.cleared is not None:
            return "cleared"
        return "started" if self.notified is None else "paged"

    def active_wire(self) -> Wire:
        """Return the object of active sessions and of notifications: no clearType."""
        wire: Wire = {
            "id": self.id,
            "sessionSequence": self.sequence,
            "uuid": self.uuid,
            "number": self.number,
            "partySize": self.party_size,
            **self._times(),
            "label": self.label,
            "state": self.state,
        }
        return wire

    def history_wire(self, clear_type: str, *, party_size: bool) -> Wire:
        """Return the object of the history: no sessionSequence and no state.

        The field table lists partySize and the example omits it, so party_size decides.
        """
        wire: Wire = {"id": self.id, "uuid": self.uuid, "number": self.number}
        if party_size:
            wire["partySize"] = self.party_size
        return wire | self._times() | {"label": self.label, "clearType": clear_type}

    def _times(self) -> Wire:
        created = wire_time(self.created)
        times: Wire = {"goalInSeconds": self.goal, "created": created, "started": created}
        if self.notified is not None:
            times["notified"] = wire_time(self.notified)
        if self.cleared is not None:
            times["cleared"] = wire_time(self.cleared)
        return times


@dataclass(frozen=True)
class Page:
    """One page that went on air, at a time by the unit's clock."""

    at: datetime
    number: int
    mode: str
    message: str | None
    system_id: int
