"""The integration's own functions, as the benchmarks use them: the one file to change with them."""

from collections.abc import Iterable
from datetime import UTC, datetime
import itertools
from zoneinfo import ZoneInfo

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.summary import Summary, summarize
from custom_components.lrs_pager.transmitter import Answer, Session, Transmitter, UnitClock
from custom_components.lrs_pager.transmitter.parse import parse_history

# A zone with summer time, as most users' have.
ZONE = ZoneInfo("America/New_York")


def clock_of(answer: Answer) -> UnitClock:
    """The unit's clock, as of an answer."""
    timestamp = answer.envelope.timestamp
    assert timestamp
    return UnitClock.measure(timestamp, answer.asked, answer.answered, ZONE)


async def fetch_and_merge(transmitter: Transmitter) -> int:
    """Fetch the whole history, read it, and merge it into an empty log; return its length."""
    answer = await transmitter.history()
    log = SessionLog()
    log.absorb(answer.sessions, clock_of(answer))
    return len(log)


def placed(body: bytes) -> list[PlacedSession]:
    """The sessions of a history, as the log has them."""
    return list(log_of(body))


def read(body: bytes) -> tuple[tuple[Session, ...], UnitClock]:
    """The sessions of a history as they are told, and the clock that stamped them."""
    told = parse_history(body)
    assert told.envelope.timestamp
    now = datetime.now(UTC)
    return told.sessions, UnitClock.measure(told.envelope.timestamp, now, now, ZONE)


def log_of(body: bytes) -> SessionLog:
    """A log with the sessions of a history."""
    log = SessionLog()
    # In parts, so that what was read is not all held at once.
    sessions, clock = read(body)
    for part in itertools.batched(sessions, 1000, strict=False):
        log.absorb(part, clock)
    return log


def merge_and_sum_up(log: SessionLog, session: Session, clock: UnitClock) -> Summary:
    """Merge one session that has just ended, and sum up its day anew."""
    ((_, merged),) = log.absorb([session], clock)
    day = merged.ended_at // 86_400 * 86_400
    return summarize(log.between(day, day + 86_400))


def lines(sessions: Iterable[PlacedSession]) -> list[dict[str, object]]:
    """Sessions as JSON objects, to be written by others."""
    names = PlacedSession.__dataclass_fields__
    return [{name: getattr(session, name) for name in names} for session in sessions]
