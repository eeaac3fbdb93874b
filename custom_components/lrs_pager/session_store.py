"""The session log on disk.

One file per transmitter in Home Assistant's `.storage`: JSON lines, the first a header with the
format's version, each other a session. A new session is a line at the end, on the disk (fsync)
before anybody is shown it; so a kill or a power cut loses nothing, and a memory card is written
a few hundred bytes per guest rather than the whole log. Home Assistant's own `Store` has one
JSON object and writes it whole each time, which is right for settings and wrong for a log.

A line that was cut off by a power cut is left out; the transmitter still has its session.
What can't be read is set aside under another name, never overwritten.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from io import BufferedRandom, BufferedWriter
import os
from pathlib import Path
from typing import Any, Final

import orjson

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR

from .const import DOMAIN, LOGGER
from .session_log import LoggedSession

# The format of a line. To change it: count VERSION up, and put the function that turns a line
# of the version before into one of this version under that version's number.
VERSION: Final = 1
MIGRATIONS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

_FIELDS: Final = tuple(field.name for field in fields(LoggedSession))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was on the disk. set_aside: where a file that can't be read is now."""

    sessions: list[LoggedSession]
    lines: int
    set_aside: Path | None = None


class SessionStore:
    """The file of one config entry. Methods raise OSError where the disk fails."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file; it is not touched."""
        self._hass = hass
        self._key = f"{DOMAIN}.{entry_id}"
        self._path = Path(hass.config.path(STORAGE_DIR, self._key))
        # Bytes that are known to be whole lines: what is beyond was left by a write that failed.
        self._size = 0

    async def async_load(self) -> Loaded:
        """Read all sessions; a file that can't be read is set aside."""
        return await self._hass.async_add_executor_job(self._load)

    async def async_append(
        self, sessions: Iterable[LoggedSession], log: Iterable[LoggedSession]
    ) -> None:
        """Add sessions; when this returns, they are on the disk.

        log: all sessions, these among them, in case that there is no file to add to.
        """
        await self._hass.async_add_executor_job(self._append, sessions, log)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._hass.async_add_executor_job(lambda: self._path.unlink(missing_ok=True))

    def _load(self) -> Loaded:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return Loaded([], 0)
        whole = data[: data.rfind(b"\n") + 1]
        header, *lines = whole.split(b"\n")
        try:
            version = orjson.loads(header)["version"]
            if not 1 <= version <= VERSION:
                raise ValueError(f"version {version}")
        except ValueError, TypeError, KeyError:
            return Loaded([], 0, self._set_aside())
        self._size = len(whole)
        sessions = []
        for line in filter(None, lines):
            try:
                record = orjson.loads(line)
                for step in range(version, VERSION):
                    record = MIGRATIONS[step](record)
                sessions.append(LoggedSession(**{name: record.get(name) for name in _FIELDS}))
            except ValueError, AttributeError:
                LOGGER.warning("A damaged line of the session log was left out")
        if version < VERSION:
            self._rewrite(sessions)
        return Loaded(sessions, len(lines))

    def _set_aside(self) -> Path:
        """Rename the file, so that a new one can be begun."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return self._path.rename(self._path.with_name(f"{self._path.name}.unreadable.{now}"))

    def _append(self, sessions: Iterable[LoggedSession], log: Iterable[LoggedSession]) -> None:
        if not self._size or not self._path.exists():
            self._rewrite(log)
            return
        data = _lines(sessions)
        with self._path.open("r+b") as file:
            file.seek(self._size)
            file.truncate()
            file.write(data)
            _sync(file)
        self._size += len(data)

    def _rewrite(self, sessions: Iterable[LoggedSession]) -> None:
        """Write the file anew: all of it, or it stays as it was."""
        header = {"version": VERSION, "key": self._key}
        data = orjson.dumps(header) + b"\n" + _lines(sessions)
        new = self._path.with_name(f"{self._path.name}.new")
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
        self._size = len(data)


def _lines(sessions: Iterable[LoggedSession]) -> bytes:
    """Write sessions as lines; what is not known is left out."""
    return b"".join(
        orjson.dumps(
            {name: value for name in _FIELDS if (value := getattr(session, name)) is not None}
        )
        + b"\n"
        for session in sessions
    )


def _sync(file: BufferedWriter | BufferedRandom) -> None:
    """Have what was written put on the disk itself."""
    file.flush()
    os.fsync(file.fileno())
