"""The session log of version 0.1: a file of JSON lines, which is taken over once.

The first line is a header with the format's version, each other line a session. A session has one
more line for each time that it became better known.
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

# SQLite has no greater integers, nor does any transmitter send one.
MAX_INTEGER: Final = 2**63 - 1


def read_old_log(path: Path) -> tuple[list[PlacedSession], list[bytes]]:
    """Read the sessions, each merged from all its lines, and the lines that can't be read.

    Raises ValueError if there is no header of version 1, and OSError.
    """
    data = path.read_bytes()
    # A last line that a power cut has cut off is left out; the transmitter still has its session.
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
    """Read a session. Raises ValueError, TypeError or AttributeError if its line is damaged."""
    values = {name: record.get(name) for name in _TYPES}
    for name, value in values.items():
        if not isinstance(value, _TYPES[name]):
            raise TypeError(name)
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            raise ValueError(name)
    # Only the stamp `created` was kept, so that durations have to follow from the instants.
    wait = _duration(values["created_at"], values["notified_at"])
    response = _duration(values["notified_at"], values["cleared_at"])
    session = PlacedSession(**values, wait=wait, response=response)
    if not session.keys:
        raise ValueError("no identity")
    return session


def _duration(start: int | None, end: int | None) -> int | None:
    """The seconds from one instant to another; None outside 0 to MAX_DURATION."""
    if start is None or end is None or not 0 <= end - start <= MAX_DURATION:
        return None
    return end - start
