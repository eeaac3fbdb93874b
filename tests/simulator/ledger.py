"""What the unit has archived, kept where no wipe reaches it: the oracle of the tests.

Everything here is written in the slowest and most obvious way, on purpose: it is what
cleverer code is compared with.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from .session import Session


@dataclass(frozen=True)
class ArchivedSession:
    """One session that has ended. All times are naive and by the unit's own clock."""

    id: int
    uuid: str
    number: int
    party_size: int
    goal: int
    """Target wait in seconds."""
    created: datetime
    notified: datetime | None
    """When the guest was first paged; None when nobody ever paged them."""
    cleared: datetime
    label: str | None
    clear_type: str
    """STOP (cleared) or REMOVED."""

    @classmethod
    def of(cls, session: Session, clear_type: str, cleared: datetime) -> Self:
        """Record the session as it is now."""
        return cls(
            id=session.id,
            uuid=session.uuid,
            number=session.number,
            party_size=session.party_size,
            goal=session.goal,
            created=session.created,
            notified=session.notified,
            cleared=cleared,
            label=session.label,
            clear_type=clear_type,
        )

    @property
    def wait(self) -> int | None:
        """Whole seconds from created to notified, as the stamps say; None if never paged.

        Negative when the unit's clock was set back in between.
        """
        if self.notified is None:
            return None
        return int((self.notified - self.created).total_seconds())


@dataclass(frozen=True)
class DaySummary:
    """What a stretch of service amounts to. Waits are in seconds."""

    count: int
    """Sessions that ended, however they ended."""
    paged: int
    """Those of them that were ever paged; the three figures below are over these."""
    average_wait: float | None
    longest_wait: int | None
    on_time_rate: float | None
    """Per cent, 0 to 100, with a wait not above the goal."""
    removed: int
    """Those of count that ended as REMOVED, paged or not."""
    last_cleared: ArchivedSession | None
    """The latest to end; of two in the same second, the one archived later."""


class Ledger(list[ArchivedSession]):
    """Every session ever archived, in the order in which they were."""

    def cleared_between(self, start: datetime, end: datetime) -> list[ArchivedSession]:
        """Return the sessions that ended in [start, end), by the unit's clock."""
        return [session for session in self if start <= session.cleared < end]

    def day_summary(self, start: datetime, end: datetime) -> DaySummary:
        """Sum up the sessions that ended in [start, end); a figure over nothing is None."""
        ended = self.cleared_between(start, end)
        waits = []
        on_time = 0
        removed = 0
        last_cleared = None
        for session in ended:
            if session.wait is not None:
                waits.append(session.wait)
                if session.wait <= session.goal:
                    on_time += 1
            if session.clear_type == "REMOVED":
                removed += 1
            if last_cleared is None or session.cleared >= last_cleared.cleared:
                last_cleared = session
        return DaySummary(
            count=len(ended),
            paged=len(waits),
            average_wait=sum(waits) / len(waits) if waits else None,
            longest_wait=max(waits) if waits else None,
            on_time_rate=100 * on_time / len(waits) if waits else None,
            removed=removed,
            last_cleared=last_cleared,
        )
