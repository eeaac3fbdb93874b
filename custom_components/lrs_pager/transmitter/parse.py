"""JSON to models. It is read here and nowhere else.

An envelope that can't be read is a MalformedError; a session that can't be read is left out and
counted, so that it never takes the others with it.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
import json
import re
from typing import Any

import orjson
import voluptuous as vol

from .exceptions import MalformedError
from .models import Envelope, Session, Settings, Statistics, Told

# Characters of a label that are kept. No limit is documented; the longest message that any LRS
# pager shows is 200 characters.
MAX_LABEL = 200
# Characters of a name, a version or an enumeration's value: all known ones are far shorter.
MAX_NAME = 40

# Numbers above this are not counters, sizes or seconds of anything real: the vendor's fields
# would be 32 bits at the most, as its numbers are written by an embedded unit.
MAX_INTEGER = 2**32

# Seconds: no guest waits for a week.
MAX_GOAL = 7 * 24 * 3600

# A clock that lost its battery may show any year since those that computers count from, and one
# set by hand any other. Beyond these it is no clock, and arithmetic with it would overflow.
FIRST_YEAR, LAST_YEAR = 1970, 2199


# ------------------------------------------------------------------------------ JSON


def _latin_1(err: UnicodeError) -> tuple[str, int]:
    """Read as Latin-1 what is not UTF-8: pager displays use it, so labels may arrive in it."""
    assert isinstance(err, UnicodeDecodeError)
    return err.object[err.start : err.end].decode("latin-1"), err.end


codecs.register_error("lrs_pager.latin_1", _latin_1)


def _load(payload: bytes) -> Any:
    """Parse JSON, also with a label in it that is not as it should be."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        # Slower, and takes more for JSON: half a surrogate pair, say, where a label was cut, or a
        # tab in one. What a unit written in C may leave around it is taken off.
        text = payload.decode("utf-8", "lrs_pager.latin_1").strip("\ufeff\0 \t\r\n")
        return json.loads(text, strict=False, parse_int=_any_integer)
    except (ValueError, RecursionError) as err:
        raise MalformedError("body", "not JSON, or cut off") from err


def _any_integer(digits: str) -> int | float:
    """Read a number as orjson does: one of more than 64 bits is a float, however long."""
    number = float(digits)
    return int(digits) if -(2**63) <= number < 2**64 else number


def _text(value: Any, limit: int) -> str | None:
    """Read a text for people: on one line, of so many characters at most; None if there is none."""
    if not isinstance(value, str):
        return None
    return one_line(value)[:limit].rstrip() or None


# Characters that join signs to one, or keep letters apart, in emoji and in names of many languages.
_JOINERS = "\u200c\u200d"


def one_line(text: str) -> str:
    """Put a text on one line, without what turns its direction or can't be shown."""
    if not text.isprintable():  # nor is half a surrogate pair
        text = "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)
    return text.strip(f" {_JOINERS}")


def _name(value: Any, in_case: Callable[[str], str]) -> str | None:
    """Read a name that is written in either case; it may be longer in the other."""
    return _text(in_case(value), MAX_NAME) if isinstance(value, str) else None


# -------------------------------------------------------------------------- envelope


def _integer(value: Any) -> int:
    """Read a count: an integer, a float that is whole, or either as text. Raises ValueError."""
    if type(value) is int:
        number = value
    elif isinstance(value, (float, str)) and float(value).is_integer():  # infinity is not
        number = int(float(value))
    else:
        raise ValueError("not a whole number")
    if not 0 <= number <= MAX_INTEGER:
        raise ValueError("out of range")
    return number


def _time(value: Any) -> datetime:
    """Read a time: ISO 8601, to the second and without a zone. Raises ValueError.

    No firmware is known to send fractions or a zone. If one does, they are left out: what
    counts is that all its times are read alike, as clock.py measures the unit's clock by them.
    """
    if not isinstance(value, str):
        raise ValueError("not a time")
    time = datetime.fromisoformat(value)
    if time.microsecond or time.tzinfo:
        time = time.replace(microsecond=0, tzinfo=None)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError("out of range")
    return time


_ENVELOPE = vol.Schema(
    {
        vol.Required("responseTypes"): [str],
        vol.Optional("globalSessionSequence", default=None): vol.Maybe(_integer),
        vol.Optional("timestamp", default=None): vol.Maybe(_time),
        vol.Optional("deviceName", default=None): vol.Maybe(str),
        vol.Optional("firmwareVersion", default=None): vol.Maybe(str),
    },
    extra=vol.ALLOW_EXTRA,
)


def _envelope(answer: Any) -> Envelope:
    """Read an envelope. Raises MalformedError with the field's name."""
    try:
        valid = _ENVELOPE(answer)
    except vol.MultipleInvalid as err:
        path = err.errors[0].path
        raise MalformedError(
            str(path[0]) if path else "body", "missing or of the wrong type"
        ) from err
    return Envelope(
        response_types=tuple(valid["responseTypes"]),
        sequence=valid["globalSessionSequence"],
        timestamp=valid["timestamp"],
        device_name=_text(valid["deviceName"], MAX_NAME),
        firmware_version=_text(valid["firmwareVersion"], MAX_NAME),
    )


# -------------------------------------------------------------------------- sessions


def _optional_integer(value: Any, low: int, high: int) -> int | None:
    """Read a number that a session can do without: None if it isn't there or makes no sense."""
    if value is None:
        return None
    if type(value) is not int:
        try:
            value = _integer(value)
        except ValueError:
            return None
    return value if low <= value <= high else None


def _optional_time(value: Any) -> datetime | None:
    """Read a time that may be missing; raises ValueError if it is there and is none."""
    return None if value is None or value == "" else _time(value)


def _session(record: Any) -> Session:
    """Read one session. Raises ValueError if it can't be told from others, or has no time."""
    if not isinstance(record, dict):
        raise ValueError("not an object")
    get = record.get
    uuid = get("uuid")
    # The vendor's table has the two as the same ("created ... same as started").
    created = _optional_time(get("created")) or _optional_time(get("started"))
    notified = _optional_time(get("notified"))
    cleared = _optional_time(get("cleared"))
    # The vendor's table calls it a number, its examples are strings.
    uuid = _name(str(uuid) if isinstance(uuid, int) else uuid, str.lower)
    if uuid and not uuid.strip("0-"):
        uuid = None  # the nil UUID: a field that the unit doesn't fill
    identity = _optional_integer(get("id"), 0, MAX_INTEGER)
    if not uuid and (identity is None or created is None):
        raise ValueError("no identity")
    if not (created or notified or cleared):
        raise ValueError("no time")
    return Session(
        id=identity,
        uuid=uuid,
        # Pager numbers are 12 bits on the air; staff and alpha pagers may have longer ones.
        number=_optional_integer(get("number"), 0, 999_999),
        party_size=_optional_integer(get("partySize"), 1, 9_999),
        goal=_optional_integer(get("goalInSeconds"), 0, MAX_GOAL),
        created=created,
        notified=notified,
        cleared=cleared,
        clear_type=_name(get("clearType"), str.upper),
        label=_text(get("label"), MAX_LABEL),
        state=_name(get("state"), str.lower),
    )


def _sessions(records: list[Any]) -> tuple[tuple[Session, ...], int]:
    """Read those that can be read, and count the others."""
    good, skipped = [], 0
    for record in records:
        try:
            good.append(_session(record))
        except ValueError:
            skipped += 1
    return tuple(good), skipped


def _optional_number(value: Any) -> float | None:
    """Read a figure; None if it isn't there, or makes no sense."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= MAX_INTEGER else None


def _statistics(record: Any) -> Statistics | None:
    """Read statistics; None if there are none."""
    if not isinstance(record, dict):
        return None
    return Statistics(
        guests_served=_optional_integer(record.get("guestsServed"), 0, MAX_INTEGER),
        percent_late=_optional_number(record.get("percentLate")),
        percent_on_time=_optional_number(record.get("percentOnTime")),
        average_time_served=_optional_number(record.get("averageTimeServed")),
        sessions_created=_optional_integer(record.get("numSessions"), 0, MAX_INTEGER),
    )


def _settings(record: Any) -> Settings | None:
    """Read settings; None if there are none."""
    if not isinstance(record, dict):
        return None
    try:
        clock = _optional_time(record.get("datetime"))
    except ValueError:
        clock = None
    return Settings(
        clock=clock,
        system_id=_optional_integer(record.get("systemId"), 0, MAX_INTEGER),
        default_target_goal=_optional_integer(record.get("defaultTargetGoal"), 0, MAX_GOAL),
        statistics_clear_mark=_optional_integer(record.get("statisticsClearMark"), 0, 24),
    )


# --------------------------------------------------------------------------- answers


def _told(answer: Any, envelope: Envelope, key: str) -> Told:
    """Read what an answer tells; its sessions are under this key."""
    records = answer.get(key)
    # An empty list may well be left out, or null.
    if not isinstance(records, (list, type(None))):
        raise MalformedError(key, "not a list")
    sessions, skipped = _sessions(records or [])
    return Told(
        envelope=envelope,
        sessions=sessions,
        statistics=_statistics(answer.get("statistics")),
        settings=_settings(answer.get("settings")),
        skipped=skipped,
    )


def _parse(payload: bytes, key: str, payload_key: str) -> Told:
    """Read an answer that has to have this payload."""
    answer = _load(payload)
    envelope = _envelope(answer)
    if (
        answer.get(payload_key) is None
        and envelope.response_types
        and payload_key not in envelope.response_types
    ):
        raise MalformedError("responseTypes", f"no {payload_key}")
    return _told(answer, envelope, key)


def parse_history(payload: bytes) -> Told:
    """Read the answer to GET /v1/sessions/history. Raises MalformedError."""
    return _parse(payload, "session_history", "session_history")


def parse_sessions(payload: bytes) -> Told:
    """Read the answer to GET /v1/sessions. Raises MalformedError."""
    return _parse(payload, "sessions", "sessions")


def parse_settings(payload: bytes) -> Told:
    """Read the answer to GET or POST /v1/settings. Raises MalformedError."""
    return _parse(payload, "sessions", "settings")


def parse_any(payload: bytes) -> Told:
    """Read a notification, or the answer to a command. Raises MalformedError.

    A command may be answered without a payload: then nothing is told.
    """
    if not payload:
        return Told(envelope=NOTHING)
    answer = _load(payload)
    return _told(answer, _envelope(answer), "sessions")


# The envelope of what has none.
NOTHING = Envelope(
    response_types=(), sequence=None, timestamp=None, device_name=None, firmware_version=None
)


# ------------------------------------------------------------------- parts of answers

# The value of globalSessionSequence.
_SEQUENCE = re.compile(rb'"globalSessionSequence"\s*:\s*("?\d+)\b')
# Where the list of sessions begins, and its first item (or its end).
_FIRST = re.compile(rb'"(?:session_history|sessions)"\s*:\s*\[\s*(\{.*?\}|\])', re.DOTALL)
# Where the list of archived sessions begins.
_HISTORY_BEGINS = re.compile(rb'"session_history"\s*:\s*\[')
# One session: an object without objects in it. Its strings are matched whole, so that a brace
# in a label neither begins nor ends anything.
_RECORD = re.compile(rb'\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}')


def parse_tail(beginning: bytes, items: bytes) -> Told:
    """Read a history's envelope, and some of its sessions. Raises MalformedError.

    beginning: of the body. items: the JSON of sessions, with commas between.
    """
    records = _load(b"[" + items + b"]")
    if not isinstance(records, list):
        raise MalformedError("session_history", "not a list")
    sessions, skipped = _sessions(records)
    return Told(envelope=_envelope_of(beginning), sessions=sessions, skipped=skipped)


def _envelope_of(beginning: bytes) -> Envelope:
    """Read the envelope off the beginning of a history. Raises MalformedError."""
    if not (begin := _HISTORY_BEGINS.search(beginning)):
        raise MalformedError("session_history", "changed while it was read")
    return _envelope(_load(beginning[: begin.end()] + b"]}"))


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a list of sessions, as bytes.

    sequence: of changes to sessions; None if the unit tells it elsewhere. first: the list's first
    item; as long as that stays, nothing was taken out before the others or put there. position:
    where that begins.
    """

    sequence: bytes | None
    first: bytes
    position: int

    @classmethod
    def of(cls, beginning: bytes) -> Head | None:
        """Find the head in the beginning of a body; None if it takes more of it."""
        if not (first := _FIRST.search(beginning)):
            return None
        sequence = _SEQUENCE.search(beginning, 0, first.start())
        return cls(sequence[1] if sequence else None, first[1], first.start(1))


def salvage_history(blocks: tuple[bytes, ...]) -> Told:
    """Read what is certain in a history that changed while it was transferred.

    The unit writes each block in one go, so that a session which lies in one block is as the
    unit meant it. Those across two blocks may be of two halves, and are left for next time.
    Raises MalformedError if there is no envelope.
    """
    envelope = _envelope_of(b"".join(blocks))
    sessions: list[Session] = []
    for block in blocks:
        for record in _RECORD.findall(block):
            try:
                sessions.append(_session(_load(record)))
            except MalformedError, ValueError:
                continue
    return Told(envelope=envelope, sessions=tuple(sessions))
