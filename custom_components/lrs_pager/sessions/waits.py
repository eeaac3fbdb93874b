"""Turns sessions of the log and of the live list into the waits that quote.py takes."""

from collections.abc import Collection
from datetime import datetime, tzinfo

from .quote import Wait
from .session import PlacedSession


def wait_of(
    session: PlacedSession, zone: tzinfo, missed: Collection[tuple[float, float]] = ()
) -> Wait | None:
    """The wait of a session; None if it is not known when it began.

    zone: of local time. missed: spans (POSIX seconds) in which sessions may have been missed, so
    that the length of the line is not known.
    """
    created = session.created_at
    if created is None:
        return None
    # The wait follows from the unit's own stamps, and is more exact than instants by age.
    paged = created + session.wait if session.wait is not None else session.notified_at
    left = paged or session.cleared_at
    is_seen = not any(start < (left or end) and created < end for start, end in missed)
    offset = datetime.fromtimestamp(created, zone).utcoffset()
    return Wait(
        key=session.keys[0],
        created=created,
        paged=paged,
        ended=session.cleared_at,
        is_removed=session.is_removed,
        party_size=session.party_size,
        goal=session.goal,
        offset=offset.total_seconds() if offset else 0,
        is_reliable=is_seen and (session.wait is not None or not session.is_paged),
    )
