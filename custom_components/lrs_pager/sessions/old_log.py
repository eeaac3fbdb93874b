"""The session log of version 0.1: a file of JSON lines, which is taken over once.

The first line is a header with the format's version, each other a session. A session that became
better known has a line for each time.
"""

from pathlib import Path
from typing import Any, Final, get_type_hints

import orjson

from .session import MAX_DURATION, PlacedSession, SessionIndex

# The types of a line's fields.
_NAMES: Final = (
    *("id", "uuid", "number", "party_size", "goal", "clear_type", "label", "created"),
    *("created_at", "notified_at", "cleared_at"),
)
_TYPES: Final = {name: get_type_hints(PlacedSession)[name] for name in _NAMES}

# SQLite has no greater numbers, and no transmitter has.
MAX_INTEGER: Final = 2**63 - 1


def read_old_log(path: Path) -> tuple[list[PlacedSession], list[bytes]]:
    """Read the sessions, each as it was told last, and the lines that can't be read.

    Raises ValueError if the file can't be read at all, and OSError.
    """
    data = path.read_bytes()
    # A line that was cut off by a power cut is left out; the transmitter still has its session.
    header, *lines = data[: data.rfind(b"\n") + 1].splitlines() or [b""]
    try:
        is_ours = orjson.loads(header)["version"] == 1
    except (ValueError, TypeError, KeyError) as err:
        raise ValueError("no header") from err
    if not is_ours:
        raise ValueError("unknown version")
    index = SessionIndex()
    sessions: dict[str, PlacedSession] = {}
    damaged = []
    for line in lines:
        try:
            session = _session(orjson.loads(line))
        except ValueError, TypeError, KeyError, AttributeError:
            damaged.append(line)
            continue
        if known := index.find(session):
            index.remove(known)
            del sessions[known.keys[0]]
            session = session.seen_before(known)
        index.add(session)
        sessions[session.keys[0]] = session
    return list(sessions.values()), damaged


def _session(record: Any) -> PlacedSession:
    """Read a session from its line. Raises some exception if that is damaged."""
    values = {name: record.get(name) for name in _TYPES}
    for name, value in values.items():
        if not isinstance(value, _TYPES[name]):
            raise TypeError(name)
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            raise ValueError(name)
    # Of the stamps, only the first was kept: durations follow from the instants.
    wait = _duration(values["created_at"], values["notified_at"])
    response = _duration(values["notified_at"], values["cleared_at"])
    session = PlacedSession(**values, wait=wait, response=response)
    if not session.keys:
        raise ValueError("no identity")
    return session


def _duration(start: int | None, end: int | None) -> int | None:
    """The seconds from one instant to another; None if that is no duration."""
    if start is None or end is None or not 0 <= end - start <= MAX_DURATION:
        return None
    return end - start
