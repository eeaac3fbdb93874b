"""What is known of sessions. No Home Assistant is needed here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession, place
from custom_components.lrs_pager.transmitter import Session, UnitClock

# A process that merges sessions, to be killed.
KILLED = Path(__file__).with_name("killed.py")

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_AT = round(NOON.timestamp())
CLOCK = UnitClock(
    zone=ZoneInfo("UTC"), ahead=timedelta(), utc_offset=timedelta(), at=NOON, agrees=True
)


def session(number: int, **changes: Any) -> Session:
    """A session of ten minutes that ended as many minutes before noon as its number says."""
    cleared = NOON.replace(tzinfo=None) - timedelta(minutes=number)
    return replace(
        Session(
            id=1_000_000 - number,
            uuid=f"uuid-{number}",
            number=number,
            party_size=None,
            goal=300,
            created=cleared - timedelta(minutes=10),
            notified=cleared - timedelta(minutes=4),
            cleared=cleared,
            clear_type="STOP",
            label=None,
            state=None,
        ),
        **changes,
    )


def placed(told: Session, before: PlacedSession | None = None) -> PlacedSession:
    """Place a session as a unit with a right clock tells it."""
    return place(told, CLOCK, earlier=before)


@asynccontextmanager
async def opened(path: Path, *args: Any, **kwargs: Any) -> AsyncIterator[SessionLog]:
    """A log that is open, and is closed in the end."""
    log = SessionLog(path, *args, **kwargs)
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def everything(log: SessionLog) -> list[PlacedSession]:
    """All sessions of a log, from the oldest."""
    return [session async for batch in log.batches(-(2**62)) for session in batch]


def read_all(path: Path) -> bytes:
    """All bytes of a log's files, and of what is beside them."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
