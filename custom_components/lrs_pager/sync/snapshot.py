"""What entities show: one immutable picture of a transmitter."""

from dataclasses import dataclass, field

from ..sessions.session import PlacedSession
from ..sessions.summary import Summary
from ..transmitter import BusinessDay, Settings, Statistics
from .push import PushState


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A transmitter at a moment.

    now: that moment (POSIX seconds), which is not compared. day: the business day that the unit's
    clock is in; today: its sessions, summed up. last_cleared: the session that ended last, of any
    day. active: the sessions of the guests who hold a pager, from the oldest; None if the unit does
    not tell them. statistics, settings: the unit's own, if it told them.
    clock_ahead: seconds by which the unit's clock is ahead of Home Assistant's; None if it didn't
    tell. push: how it stands with being told of changes. shows_names: whether labels are shown.
    """

    now: float = field(compare=False)
    day: BusinessDay
    today: Summary
    last_cleared: PlacedSession | None
    active: tuple[PlacedSession, ...] | None
    statistics: Statistics | None
    settings: Settings | None
    clock_ahead: int | None
    push: PushState
    shows_names: bool
    device_name: str | None
    firmware_version: str | None

    def shows_same_as(self, other: Snapshot | None) -> bool:
        """Whether there is no difference to see, though it may be of another moment."""
        return (
            other is not None
            and self == other
            and self.late == other.late
            and self.next_goal == other.next_goal
        )

    @property
    def waiting(self) -> tuple[PlacedSession, ...]:
        """The active sessions that were not paged yet."""
        return tuple(session for session in self.active or () if not session.is_paged)

    @property
    def paged(self) -> tuple[PlacedSession, ...]:
        """The active sessions that were paged: the pager is to come back."""
        return tuple(session for session in self.active or () if session.is_paged)

    @property
    def late(self) -> tuple[PlacedSession, ...]:
        """Those that wait for longer than their goal."""
        return tuple(session for session in self.waiting if session.is_late(self.now))

    @property
    def next_goal(self) -> int | None:
        """The next goal that will run out (POSIX seconds); None if there is none ahead."""
        goals = [session.goal_at for session in self.waiting if session.goal_at is not None]
        return min((goal for goal in goals if goal > self.now), default=None)
