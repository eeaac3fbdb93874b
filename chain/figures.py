"""What a head office asks of each restaurant, and the right answer: the ledger's."""

from dataclasses import dataclass
from datetime import datetime

from tests.simulator import ArchivedSession, Unit

# Seconds past its goal from which a session is late: as docs/figures.md says.
LATE_AFTER = 2

# Minutes. Home Assistant rounds what it converts from seconds.
ROUNDING = 0.009


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A restaurant's business day so far. A figure that a server does not know is None."""

    sessions: float | None
    """Sessions that have ended."""
    late: float | None
    """Those of them that were paged late."""
    mean_wait: float | None
    """Minutes from started to paged, by session, over those of them that were paged."""
    waiting: float | None
    """Sessions that are active now and not paged yet."""


def of_ledger(unit: Unit, start: datetime) -> Figures:
    """Return the figures by what the unit itself did since a time of its clock."""
    ended = [session for session in unit.ledger if session.cleared >= start]
    waits = waits_of(ended)
    return Figures(
        sessions=len(ended),
        late=sum(is_late(session) for session in ended),
        mean_wait=sum(waits) / len(waits) if waits else None,
        waiting=sum(session.notified is None for session in unit.active.values()),
    )


def waits_of(sessions: list[ArchivedSession]) -> list[float]:
    """Return the waits of those that were paged, in minutes."""
    return [session.wait / 60 for session in sessions if session.wait is not None]


def is_late(session: ArchivedSession) -> bool:
    """Whether the guest was paged late."""
    return session.wait is not None and session.wait >= session.goal + LATE_AFTER


def is_same(one: float | None, other: float | None, slack: float = ROUNDING) -> bool:
    """Whether two figures are equal, but for rounding."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= slack


def differences(right: dict[str, Figures], told: dict[str, Figures]) -> list[str]:
    """Say which restaurants' figures are told otherwise than they are, by restaurant."""
    wrong = []
    for name, figures in right.items():
        if (answer := told.get(name)) is None:
            wrong.append(f"{name}: nothing")
            continue
        for figure, value in vars(figures).items():
            if not is_same(value, vars(answer)[figure]):
                wrong.append(f"{name}: {figure} is {vars(answer)[figure]}, should be {value}")
    return wrong + [f"{name}: there is no such restaurant" for name in told.keys() - right.keys()]
