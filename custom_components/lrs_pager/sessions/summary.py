"""What a business day comes to: pure functions over sessions."""

from collections.abc import Collection
from dataclasses import dataclass

from .session import PlacedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The sessions of a day, in figures; None where there is nothing to take a figure from.

    count: all archived sessions. removed: those taken off the list. guests: sum of the party
    sizes that are known. Waits and responses in seconds, over the sessions that were paged;
    on_time_rate: percent of them with a wait of at most the goal.
    """

    count: int
    removed: int
    guests: int | None
    average_wait: float | None
    longest_wait: int | None
    average_response: float | None
    on_time_rate: float | None


def summarize(sessions: Collection[PlacedSession]) -> Summary:
    """Sum up sessions."""
    parties = [s.party_size for s in sessions if s.party_size is not None]
    waits = [wait for s in sessions if (wait := s.wait) is not None]
    responses = [response for s in sessions if (response := s.response) is not None]
    on_time = [s.wait <= s.goal for s in sessions if s.wait is not None and s.goal is not None]
    return Summary(
        count=len(sessions),
        removed=sum(s.is_removed for s in sessions),
        # The history of the one real answer that is known has no party sizes: "not known" there,
        # and not "nobody". On a day without sessions it was nobody.
        guests=sum(parties) if parties or not sessions else None,
        average_wait=_mean(waits),
        longest_wait=max(waits, default=None),
        average_response=_mean(responses),
        on_time_rate=_mean([100 * ok for ok in on_time]),
    )


def _mean(values: Collection[float]) -> float | None:
    """The mean, if there are values."""
    return sum(values) / len(values) if values else None
