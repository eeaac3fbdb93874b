"""Sessions of the log and of the live list, turned into what quote.py is told."""

from collections.abc import Collection
from datetime import datetime, tzinfo

from .quote import Wait
from .session import PlacedSession


def wait_of(
    session: PlacedSession, zone: tzinfo, missed: Collection[tuple[float, float]] = ()
) -> Wait | None:
    """Take a session as a wait; None if it is not known when it began.

    zone: the house's. missed: spans in which sessions may have been missed, POSIX seconds from and
    to: how long the line was then is not known.
    """
    created = session.created_at
    if created is None:
        return None
    # The wait is of the unit's own stamps; it is the truer one where instants follow from ages.
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
