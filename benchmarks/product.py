"""The integration's own functions, as the benchmarks call them: the file to change with them.

Beside these, they use the transmitter's client, and the log, push and polls of a coordinator.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import itertools
from pathlib import Path
import tempfile
from zoneinfo import ZoneInfo

from custom_components.lrs_pager.sessions.backtest import read_line
from custom_components.lrs_pager.sessions.figures import Figures, figures
from custom_components.lrs_pager.sessions.log import Place, SessionLog
from custom_components.lrs_pager.sessions.placing import place
from custom_components.lrs_pager.sessions.quote import Quoter, Wait
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.transmitter import Session, Transmitter, UnitClock
from custom_components.lrs_pager.transmitter.parse import parse_history

# A zone with summer time, as most users' have.
ZONE = ZoneInfo("America/New_York")


def placing(timestamp: datetime | None) -> Place:
    """Return how to place sessions that were stamped by a unit whose clock shows this now."""
    assert timestamp
    now = datetime.now(UTC).replace(microsecond=0)
    local = now.astimezone(ZONE)
    clock = UnitClock(
        zone=ZONE,
        ahead=timestamp - local.replace(tzinfo=None),
        utc_offset=local.utcoffset() or timedelta(),
        at=now,
        agrees=False,
    )
    return lambda session, before: place(session, clock, earlier=before)


@asynccontextmanager
async def new_log(path: Path | None = None) -> AsyncIterator[SessionLog]:
    """An open log; in a folder of its own that goes with it, if there is no path."""
    with tempfile.TemporaryDirectory() as folder:
        log = SessionLog(path or Path(folder) / "lrs_pager.bench.db")
        await log.open()
        try:
            yield log
        finally:
            await log.close()


async def fetch_and_merge(transmitter: Transmitter) -> int:
    """Fetch the whole history, read it, and merge it into a new log; return its length."""
    async with new_log() as log:
        async for chunk in transmitter.history():
            await log.merge(chunk.sessions, placing(chunk.envelope.timestamp))
        return await log.count()


def read(body: bytes) -> tuple[tuple[Session, ...], Place]:
    """The sessions of a history as they are told, and how they are placed."""
    told = parse_history(body)
    return told.sessions, placing(told.envelope.timestamp)


def placed(body: bytes) -> list[PlacedSession]:
    """The sessions of a history, as the log has them."""
    sessions, place = read(body)
    return [place(session, None) for session in sessions]


async def fill(log: SessionLog, body: bytes) -> None:
    """Merge the sessions of a history into a log."""
    sessions, place = read(body)
    for part in itertools.batched(sessions, 1000, strict=False):
        await log.merge(part, place)


async def merge_and_sum_up(log: SessionLog, session: Session, place: Place) -> Figures:
    """Merge one session that has just ended, and sum up its day anew."""
    ((_, merged),) = await log.merge([session], place)
    day = merged.ended_at // 86_400 * 86_400
    return figures(await log.between(day, day + 86_400))


def lines(sessions: Iterable[PlacedSession]) -> list[dict[str, object]]:
    """Sessions as JSON objects, to be written by others."""
    names = PlacedSession.__dataclass_fields__
    return [{name: getattr(session, name) for name in names} for session in sessions]


def waits_of(lines: Iterable[str]) -> list[Wait]:
    """The waits of a log, as lines of JSON."""
    found = (read_line(line, number) for number, line in enumerate(lines))
    return [wait for wait in found if wait is not None]


def wait(key: str, created: float, party_size: int) -> Wait:
    """A guest who waits."""
    return Wait(key=key, created=created, party_size=party_size)


def new_quoter() -> Quoter:
    """A quoter that has learnt nothing yet."""
    return Quoter()
