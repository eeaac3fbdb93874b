"""A session as bytes: what the log keeps in memory, in a sixth of the room that an object takes.

What nearly all sessions have is in a fixed form of 67 bytes. What does not fit in there, such as a
label, or a uuid that is none, follows as JSON; so every session can be packed, and comes back as
it was.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter, itemgetter
import struct
from typing import Any, Final

import orjson

from ..transmitter import REMOVED, STOP
from .session import PlacedSession

# The numbers of a session, and for each the lowest of its size: that stands for None, as no
# session has it.
_NUMBERS: Final = {
    "created_at": -(2**63),
    "notified_at": -(2**63),
    "cleared_at": -(2**63),
    "id": -(2**63),
    "number": -(2**31),
    "goal": -(2**31),
    "party_size": -(2**15),
}
_NO_NUMBERS: Final = tuple(_NUMBERS.values())
_NO_INSTANT: Final = _NUMBERS["cleared_at"]
_numbers_of: Final = attrgetter(*_NUMBERS)

# The fixed form: these; `created` in seconds of the unit's wall clock since 1970; clear_type; uuid.
_FIXED: Final = struct.Struct("<4q2ihqB16s")
# The instants, with which it begins.
_INSTANTS: Final = struct.Struct("<3q")
# Where in it the pager's number is.
_NUMBER: Final = slice(32, 36)
_number_of: Final = itemgetter(_NUMBER)

# What stands for None in the others; the second is the nil UUID.
_NO_CREATED: Final = -(2**63)
_NO_UUID: Final = bytes(16)

# A clear type's number is its place in here; others follow as JSON.
_CLEAR_TYPES: Final = (None, STOP, REMOVED)

# What `created` is counted from, and by.
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # the unit's times have no zone
_SECOND: Final = timedelta(seconds=1)

# Records that are kept unpacked as well: a few busy days, which are asked for at every change.
_UNPACKED: Final = 2_000
# Uuids that are kept as bytes as well: each is asked for three times in a row.
_UUIDS: Final = 4


def pack(session: PlacedSession) -> bytes:
    """Pack a session."""
    rest: dict[str, Any] = {}
    created, uuid, clear_type = _NO_CREATED, _NO_UUID, 0
    if session.created is not None and (created := _seconds(session.created)) == _NO_CREATED:
        rest["created"] = session.created
    if session.uuid is not None and (uuid := uuid_bytes(session.uuid)) == _NO_UUID:
        rest["uuid"] = session.uuid
    if session.clear_type in _CLEAR_TYPES:
        clear_type = _CLEAR_TYPES.index(session.clear_type)
    else:
        rest["clear_type"] = session.clear_type
    if session.label is not None:
        rest["label"] = session.label
    numbers = [
        none if number is None else number
        for number, none in zip(_numbers_of(session), _NO_NUMBERS, strict=True)
    ]
    try:
        fixed = _FIXED.pack(*numbers, created, clear_type, uuid)
    except struct.error:  # one is larger than any that a unit tells
        for index, (name, none) in enumerate(_NUMBERS.items()):
            if not none <= numbers[index] < -none:
                rest[name], numbers[index] = numbers[index], none
        fixed = _FIXED.pack(*numbers, created, clear_type, uuid)
    return fixed + orjson.dumps(rest) if rest else fixed


@lru_cache(_UNPACKED)
def unpack(record: bytes) -> PlacedSession:
    """Unpack a session."""
    *numbers, created, clear_type, uuid = _FIXED.unpack_from(record)
    session = PlacedSession(
        uuid=None if uuid == _NO_UUID else _uuid_text(uuid),
        clear_type=_CLEAR_TYPES[clear_type],
        created=None if created == _NO_CREATED else (_EPOCH + created * _SECOND).isoformat(),
        **{
            name: None if number == none else number
            for (name, none), number in zip(_NUMBERS.items(), numbers, strict=True)
        },
    )
    if len(record) > _FIXED.size:
        session = replace(session, **orjson.loads(record[_FIXED.size :]))
    return session


def ended_at(record: bytes) -> int:
    """PlacedSession.ended_at, without unpacking the rest."""
    for instant in reversed(_INSTANTS.unpack_from(record)):
        if instant and instant != _NO_INSTANT:
            return int(instant)
    return 0


def numbers(records: Iterable[bytes]) -> set[int]:
    """The pagers of sessions, without unpacking the rest: a hundred thousand in some milliseconds.

    A number that has no room in the fixed form, as no pager has, is left out.
    """
    found = {int.from_bytes(raw, "little", signed=True) for raw in set(map(_number_of, records))}
    return found - {_NUMBERS["number"]}


@lru_cache(_UUIDS)
def uuid_bytes(text: str) -> bytes:
    """A uuid's 16 bytes; all are zero if it is none, or not in lower case."""
    try:
        raw = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return _NO_UUID
    return raw if len(raw) == len(_NO_UUID) and _uuid_text(raw) == text else _NO_UUID


def _uuid_text(raw: bytes) -> str:
    """The usual way to write a uuid."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _seconds(created: str) -> int:
    """A stamp in seconds; _NO_CREATED if it is none, or not as `stamp` writes it."""
    try:
        seconds = (datetime.fromisoformat(created) - _EPOCH) // _SECOND
        is_same = (_EPOCH + seconds * _SECOND).isoformat() == created
    except ValueError, TypeError, OverflowError:
        return _NO_CREATED
    return seconds if is_same else _NO_CREATED
