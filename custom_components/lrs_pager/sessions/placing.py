"""Why a session has the instants and the durations that it has.

The transmitter stamps sessions with its own clock, which may be set at any time, as may our own. A
duration is the difference of two stamps of one setting of the unit's clock. An instant is what a
stamp means by that clock as it was when the stamp was first told (see transmitter/clock.py), and
stays from then on.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ..transmitter import SLACK, Instants, Session, UnitClock
from .session import LEFT_OVER_AFTER, MAX_DURATION, PlacedSession, iso


def place(
    session: Session,
    clock: UnitClock,
    *,
    day_start: int = 0,
    before: tuple[UnitClock, int] | None = None,
    earlier: PlacedSession | None = None,
    is_same_setting: bool | None = None,
) -> PlacedSession:
    """Place a session that the unit has told.

    clock: the unit's, as it is now. day_start: the hour at which a business day begins, 0 to 23.
    before: an earlier reading of the clock, and when that was; see UnitClock.place. earlier: the
    session as it was known before. is_same_setting: whether the unit's clock has kept its setting
    since the session began; None if that is not known.
    """
    new = unplaced(session, earlier)
    start = _start(session, earlier) if is_same_setting and earlier else None
    instants = Instants(None, None, None)
    if new:
        instants = _after(*start, new) if start else clock.place(new, before)
    placed = PlacedSession(
        id=session.id,
        uuid=session.uuid,
        number=session.number,
        party_size=session.party_size,
        goal=session.goal,
        clear_type=session.clear_type,
        label=session.label,
        created=iso(session.created),
        notified=iso(session.notified),
        cleared=iso(session.cleared),
        created_at=instants.created,
        notified_at=instants.notified,
        cleared_at=instants.cleared,
        is_by_age=not clock.agrees,
    )
    if earlier is not None:
        placed = placed.seen_before(earlier)
        if new and not start:
            # The session's last instant decides, as it gives the day and the order in the log.
            placed = replace(placed, is_by_age=not clock.agrees)

    duration = partial(_duration, clock, is_same_setting=is_same_setting)
    wait, response = placed.wait, placed.response
    if wait is None:
        wait = duration(
            (session.created, session.notified), (placed.created_at, placed.notified_at)
        )
        if wait is not None and _is_over_closing(session.created, wait, day_start):
            wait = None
    if response is None:
        response = duration(
            (session.notified, session.cleared), (placed.notified_at, placed.cleared_at)
        )
    return replace(placed, wait=wait, response=response)


def _duration(
    clock: UnitClock,
    stamps: tuple[datetime | None, datetime | None],
    instants: tuple[int | None, int | None],
    *,
    is_same_setting: bool | None,
) -> int | None:
    """The seconds between two stamps; between their instants if the clock was set in between.

    None if an instant is not known, or outside 0 to MAX_DURATION.
    """
    start, end = stamps
    began, ended = instants
    if began is None or ended is None:
        return None
    seconds = ended - began
    if start and end and is_same_setting:
        seconds = round((end - start).total_seconds())
    elif start and end and is_same_setting is None:
        seconds = clock.span(start, end)
    return seconds if 0 <= seconds <= MAX_DURATION else None


def by_our_clock(session: PlacedSession, clock: UnitClock) -> PlacedSession:
    """A session with its instants by our own clock as it is set now.

    How long a guest has been waiting follows from the unit's clock, which stamped the session and
    must not have been set since; ours may have been. clock: the unit's, as it is now.
    """

    def ours(stamp: str | None, instant: int | None) -> int | None:
        if stamp is None or instant is None:
            return instant
        found = clock.by_ours(datetime.fromisoformat(stamp))
        # A stamp in the future is of another setting after all.
        return found if found <= clock.at.timestamp() + SLACK else instant

    return replace(
        session,
        created_at=ours(session.created, session.created_at),
        notified_at=ours(session.notified, session.notified_at),
        cleared_at=ours(session.cleared, session.cleared_at),
    )


def unplaced(session: Session, earlier: PlacedSession | None) -> Session | None:
    """The session with only those stamps that have no instant yet; None if all have one.

    notified_at counts only if it follows from a stamp (see PlacedSession.paged).
    """
    if earlier is not None:
        session = replace(
            session,
            created=session.created if earlier.created_at is None else None,
            notified=session.notified if earlier.notified is None else None,
            cleared=session.cleared if earlier.cleared_at is None else None,
        )
    return session if session.created or session.notified or session.cleared else None


def _start(session: Session, earlier: PlacedSession) -> tuple[datetime, int] | None:
    """A stamp that was placed before, and its instant; None if there is none.

    Later stamps of the same setting are placed by it, so that it makes no difference whether our
    own clock was set in between.
    """
    paged_at = earlier.notified_at if earlier.notified else None
    placed = (session.created, earlier.created_at), (session.notified, paged_at)
    for stamp, instant in placed:
        if stamp is not None and instant is not None:
            return stamp, instant
    return None


def _after(stamp: datetime, instant: int, new: Session) -> Instants:
    """Place stamps by the instant of another stamp of the same setting of the unit's clock."""
    return Instants(
        *[
            None if time is None else instant + round((time - stamp).total_seconds())
            for time in (new.created, new.notified, new.cleared)
        ]
    )


def _is_over_closing(start: datetime | None, wait: int, day_start: int) -> bool:
    """Whether a wait went over the start of a business day: nobody cleared the pager at closing.

    start: the unit's stamp of its beginning. wait: seconds.
    """
    if start is None or wait < LEFT_OVER_AFTER:
        return False
    first = start - timedelta(hours=day_start)
    return (first + timedelta(seconds=wait)).date() != first.date()
