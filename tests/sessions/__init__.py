"""What is known of sessions. No Home Assistant is needed here."""

from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
from typing import Any
import weakref
from zoneinfo import ZoneInfo

from custom_components.lrs_pager.sessions.database import Database
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.placing import place
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.store import Store
from custom_components.lrs_pager.transmitter import Session, UnitClock
from tests.simulator.restaurant import Visit

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


def in_memory(owner: object) -> Database:
    """A log's database without a file, for as long as its owner is there."""
    database = Database(None)
    weakref.finalize(owner, database.close)
    return database


@asynccontextmanager
async def opened(path: Path, *args: Any, **kwargs: Any) -> AsyncIterator[SessionLog]:
    """A log that is open, and is closed in the end."""
    log = SessionLog(path, *args, **kwargs)
    await log.open()
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def unreadable(log: SessionLog) -> AsyncIterator[None]:
    """A disk that gives an I/O error for whatever is read of a log's files."""
    files = list(log._path.parent.glob(f"{log._path.name}*"))
    with ExitStack() as stack:

        def break_disk(store: Store) -> None:
            # SQLite is to have nothing in its cache, and no job is to come in between.
            store.disk._db._rows("PRAGMA shrink_memory")
            for descriptor in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
                with suppress(OSError):  # the listing's own is closed
                    held = os.fstat(descriptor)
                    for file in files:
                        if os.path.samestat(held, file.stat()):
                            # What is open for writing alone can't be read.
                            kept, other = os.dup(descriptor), os.open(file, os.O_WRONLY)
                            stack.callback(os.close, kept)
                            stack.callback(os.dup2, kept, descriptor)
                            os.dup2(other, descriptor)
                            os.close(other)

        await log._do(break_disk)
        yield


async def everything(log: SessionLog) -> list[PlacedSession]:
    """All sessions of a log, from the oldest."""
    return [session async for batch in log.batches(-(2**62)) for session in batch]


def read_all(path: Path) -> bytes:
    """All bytes of a log's files, and of what is beside them."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


def visited(visits: Iterable[Visit], ends_at: float | None = None) -> list[PlacedSession]:
    """The sessions of a simulated restaurant, as a log has them.

    ends_at: when the last of them began (POSIX seconds); None if they stay where they are.
    """
    visits = list(visits)
    later = round(ends_at - visits[-1].created.timestamp()) if ends_at is not None else 0

    def instant(moment: datetime | None) -> int | None:
        return None if moment is None else round(moment.timestamp()) + later

    return [
        PlacedSession(
            uuid=f"visit-{number}",
            number=1 + number % 60,
            party_size=visit.party_size,
            goal=visit.goal,
            clear_type=visit.clear_type,
            created_at=instant(visit.created),
            notified_at=instant(visit.notified),
            cleared_at=instant(visit.cleared),
            wait=None if visit.minutes is None else round(60 * visit.minutes),
        )
        for number, visit in enumerate(visits)
    ]
