"""What ended sessions come to: one definition of each figure, for a day or an hour."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .session import PlacedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Some sessions in figures; None where there is nothing to take a figure from.

    count: the sessions, but for slips at the keypad. removed: those taken off the list. guests:
    sum of the party sizes that are known. Waits and responses in seconds, over the sessions for
    which they are known. rated: the paged sessions with a goal; late: those of them that were
    paged after it.
    """

    count: int
    removed: int
    guests: int | None
    average_wait: float | None
    shortest_wait: int | None
    longest_wait: int | None
    average_response: float | None
    rated: int
    late: int

    @property
    def on_time_rate(self) -> float | None:
        """Percent of the rated sessions that were not late."""
        return 100 * (self.rated - self.late) / self.rated if self.rated else None


def figures(sessions: Iterable[PlacedSession]) -> Figures:
    """Sum up ended sessions."""
    counted = [session for session in sessions if not session.is_slip]
    parties = [s.party_size for s in counted if s.party_size is not None]
    waits = [s.wait for s in counted if s.wait is not None]
    rated = [late for s in counted if (late := s.was_late) is not None]
    return Figures(
        count=len(counted),
        removed=sum(session.is_removed for session in counted),
        # The history of the one real answer that is known has no party sizes: "not known" there,
        # and not "nobody". On a day without sessions it was nobody.
        guests=sum(parties) if parties or not counted else None,
        average_wait=_mean(waits),
        shortest_wait=min(waits, default=None),
        longest_wait=max(waits, default=None),
        average_response=_mean([s.response for s in counted if s.response is not None]),
        rated=len(rated),
        late=sum(rated),
    )


def _mean(values: Collection[float]) -> float | None:
    """The mean, if there are values. Divided at the end: the same in whatever order they come."""
    return sum(values) / len(values) if values else None
