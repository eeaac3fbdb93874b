"""The session log on disk.

One file per transmitter in Home Assistant's `.storage`: JSON lines, the first a header with the
format's version, each other a session. A new session is a line at the end, on the disk (fsync)
before a poll shows it, and within about a second after a message does (the transmitter has it,
too); so a kill or a power cut loses nothing, and a memory card is written 300 bytes per guest
rather than the whole log. Home Assistant's own `Store` has one JSON object and writes it whole each
time, which is right for settings and wrong for a log.

A line that was cut off by a power cut is left out; the transmitter still has its session. What else
can't be read, be it a line or all of it, is set aside under another name, never overwritten. The
file is written whole when it begins, and when it has too many lines that are not needed any more.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedRandom, BufferedWriter
import os
from pathlib import Path
from typing import Any, Final, get_type_hints

import orjson

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR

from .const import DOMAIN, LOGGER
from .sessions.log import SessionLog
from .sessions.session import PlacedSession

# The format of a line. To change it: count VERSION up, and put the function that turns a line
# of the version before into one of this version under that version's number.
VERSION: Final = 1
MIGRATIONS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

# Lines that are not needed any more (of sessions that became better known, or too old) before
# the file is written anew: a few days' of a busy house, and no more than that of guests' names.
WASTE: Final = 1_000

# The types of a line's fields.
_TYPES: Final = get_type_hints(PlacedSession)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was on the disk.

    damaged: lines that can't be read, and are in a file beside it now. set_aside: where a file is
    now that can't be read at all.
    """

    log: SessionLog
    damaged: int = 0
    set_aside: Path | None = None


class SessionStore:
    """The file of one config entry.

    Methods but async_save raise OSError where the disk fails. What they do is done to its end, one
    after the other, even if who waits for it is cancelled.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; it is not touched."""
        self._hass = hass
        self._key = f"{DOMAIN}.{entry_id}"
        self._path = Path(hass.config.path(STORAGE_DIR, self._key))
        # What is known to be whole: bytes beyond were left by a write that failed.
        self._size = self._lines = 0
        self._job: asyncio.Future[Any] | None = None
        self._unsaved: list[PlacedSession] = []
        self._saving = asyncio.Lock()
        self._has_failed = False

    async def async_load(self) -> Loaded:
        """Read all sessions; a file that can't be read is set aside."""
        return await self._do(self._load)

    def add(self, sessions: Iterable[PlacedSession]) -> None:
        """Have sessions of the log written with the next save."""
        self._unsaved += sessions

    @property
    def is_behind(self) -> bool:
        """Whether there is something to save."""
        return bool(self._unsaved)

    async def async_save(self, log: SessionLog) -> None:
        """Write what was added; when this returns, it is on the disk.

        What the disk refuses is kept for the next save; the log says so once each way.
        """
        async with self._saving:
            if not self._unsaved:
                return
            count = len(self._unsaved)
            # Each as it was told last.
            sessions = tuple({session.keys[0]: session for session in self._unsaved}.values())
            try:
                await self._do(self._append, sessions, log)
            except OSError as err:
                if not self._has_failed:
                    LOGGER.error("The session log could not be saved: %s", err.strerror)
                self._has_failed = True
                return
            del self._unsaved[:count]
            if self._has_failed:
                LOGGER.info("The session log is saved again")
            self._has_failed = False

    async def async_remove(self) -> None:
        """Delete the file, and those that were set aside."""
        await self._do(self._remove)

    async def async_close(self) -> None:
        """Wait for what is being done: whoever comes next finds the file whole."""
        if self._job is not None:
            await asyncio.wait({self._job})

    async def _do[*Ts, T](self, job: Callable[[*Ts], T], *args: *Ts) -> T:
        """Have a job done by a thread, after the one before."""
        while self._job is not None and not self._job.done():
            await asyncio.wait({self._job})
        # Home Assistant would cancel a job of its own at shutdown, and not the thread: the next
        # job would not wait for it.
        future = self._job = self._hass.loop.run_in_executor(None, job, *args)
        return await asyncio.shield(future)

    def _load(self) -> Loaded:
        log = SessionLog()
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return Loaded(log)
        whole = data[: data.rfind(b"\n") + 1]
        header, *lines = whole.splitlines() or [b""]
        try:
            version = orjson.loads(header)["version"]
            if not 1 <= version <= VERSION:
                raise ValueError(f"version {version}")
        except ValueError, TypeError, KeyError:
            return Loaded(log, set_aside=self._set_aside())
        sessions, damaged = [], []
        for line in lines:
            try:
                sessions.append(_session(line, version))
            except ValueError, TypeError, KeyError, AttributeError:
                damaged.append(line)
        log.restore(sessions)
        self._size, self._lines = len(whole), len(lines)
        try:
            if damaged:
                self._set_lines_aside(damaged)
            if damaged or version < VERSION or self._is_wasteful(log):
                self._rewrite(log)
        except OSError:
            if version < VERSION:
                raise  # lines of two versions don't go into one file
            # The file is as it was, and is good for more lines; the next start tries again.
        return Loaded(log, damaged=len(damaged))

    def _is_wasteful(self, log: SessionLog) -> bool:
        return self._lines - len(log) > WASTE

    def _set_lines_aside(self, lines: Iterable[bytes]) -> None:
        """Add lines to a file of those that can't be read."""
        aside = self._beside("damaged")
        with aside.open("ab") as file:
            aside.chmod(0o600)  # as below
            file.write(b"".join(line + b"\n" for line in lines))
            _sync(file)

    def _set_aside(self) -> Path:
        """Rename the file, so that a new one can be begun."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return self._path.rename(self._beside(f"unreadable.{now}"))

    def _beside(self, name: str) -> Path:
        """A file that belongs to this one."""
        return self._path.with_name(f"{self._path.name}.{name}")

    def _append(self, sessions: Sequence[PlacedSession], log: SessionLog) -> None:
        if not self._size or self._is_wasteful(log) or not self._path.exists():
            self._rewrite(log)
            return
        data = _lines(sessions)
        with self._path.open("r+b") as file:
            file.seek(self._size)
            file.truncate()
            file.write(data)
            _sync(file)
        self._size += len(data)
        self._lines += len(sessions)

    def _rewrite(self, log: SessionLog) -> None:
        """Write the file anew: all of it, or it stays as it was."""
        sessions = list(log)  # at once: the event loop may go on adding
        data = orjson.dumps({"version": VERSION, "key": self._key}) + b"\n" + _lines(sessions)
        new = self._beside("new")
        new.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("wb") as file:
                # Labels are guests' names: nobody but Home Assistant needs to read them.
                new.chmod(0o600)
                file.write(data)
                _sync(file)
            new.replace(self._path)
        finally:
            new.unlink(missing_ok=True)
        self._size, self._lines = len(data), len(sessions)
        # The new name of it, too.
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _remove(self) -> None:
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            path.unlink(missing_ok=True)


def _session(line: bytes, version: int) -> PlacedSession:
    """Read a line. Raises some exception if it is damaged."""
    record = orjson.loads(line)
    for step in range(version, VERSION):
        record = MIGRATIONS[step](record)
    fields = {name: record.get(name) for name in _TYPES}
    for name, value in fields.items():
        if not isinstance(value, _TYPES[name]):
            raise TypeError(name)
    session = PlacedSession(**fields)
    if not session.keys:
        raise ValueError("no identity")
    return session


def _lines(sessions: Iterable[PlacedSession]) -> bytes:
    """Write sessions as lines; what is not known is left out."""
    return b"".join(
        orjson.dumps(
            {name: value for name in _TYPES if (value := getattr(session, name)) is not None}
        )
        + b"\n"
        for session in sessions
    )


def _sync(file: BufferedWriter | BufferedRandom) -> None:
    """Have what was written put on the disk itself."""
    file.flush()
    os.fsync(file.fileno())
