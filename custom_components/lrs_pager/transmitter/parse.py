"""JSON to messages. The unit's JSON is read here and nowhere else.

An answer without `responseTypes`, or with other payloads than the one that was requested, raises
MalformedError. Any other value that can't be read is None; a session without identity or time is
left out and counted, so that it never takes the others with it.
"""

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
import json
import re
from typing import Any, NamedTuple, Self

import orjson

from .exceptions import MalformedError
from .messages import Envelope, Message, Session, Settings, Statistics

# Characters of a label that are kept. No limit is documented; the longest message that any LRS
# pager shows is 200 characters.
MAX_LABEL = 200
# Characters of a name, a version or an enumeration's value: all known ones are far shorter.
MAX_NAME = 40
# Characters of a uuid: "urn:uuid:" and one take 45. A longer one would have to be cut, and might be
# taken for another's then, so that it is none.
MAX_UUID = 200

# Numbers above this are not counters, sizes or seconds of anything real: the vendor's fields
# would be 32 bits at the most, as its numbers are written by an embedded unit.
MAX_INTEGER = 2**32

# Seconds: no guest waits for a week.
MAX_GOAL = 7 * 24 * 3600

# A clock that lost its battery may show any year since those that computers count from, and one
# set by hand any other. Beyond these it is no clock, and arithmetic with it would overflow.
FIRST_YEAR, LAST_YEAR = 1970, 2199

# Where clocks begin to count: that of Unix, and the chips that keep time in such devices.
CLOCK_ZEROS = (datetime(1970, 1, 1), datetime(2000, 1, 1))  # noqa: DTZ001  # as the unit's times


# ------------------------------------------------------------------------------ JSON


def _latin_1(err: UnicodeError) -> tuple[str, int]:
    """Read as Latin-1 what is not UTF-8: pager displays use it, so labels may arrive in it."""
    assert isinstance(err, UnicodeDecodeError)
    return err.object[err.start : err.end].decode("latin-1"), err.end


codecs.register_error("lrs_pager.latin_1", _latin_1)


def _load(payload: bytes) -> Any:
    """Parse JSON, even if a label in it is not valid. Raises MalformedError."""
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
    """Put a text on one line, without characters that turn its direction or can't be shown."""
    if not text.isprintable():  # nor is half a surrogate pair
        text = "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)
    return text.strip(f" {_JOINERS}")


def _name(value: Any, in_case: Callable[[str], str], limit: int = MAX_NAME) -> str | None:
    """Read a name, put in one case before it is cut to a limit, as that may make it longer."""
    return _text(in_case(value), limit) if isinstance(value, str) else None


# ---------------------------------------------------------------------------- values


def _integer(value: Any, low: int = 0, high: int = MAX_INTEGER) -> int | None:
    """Read a whole number: an integer, a float, or either as text. None if it makes no sense."""
    if type(value) is not int:
        if not isinstance(value, (float, str)):
            return None
        try:
            number = float(value)
        except ValueError:
            return None
        if not number.is_integer():  # nor is infinity, or what is not a number
            return None
        value = int(number)
    return value if low <= value <= high else None


def _number(value: Any) -> float | None:
    """Read a figure. None if it makes no sense."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= MAX_INTEGER else None


def _time(value: Any) -> datetime | None:
    """Read a time: ISO 8601, to the second and without a zone. None if it makes no sense.

    No firmware is known to send fractions or a zone. If one does, they are left out: what
    counts is that all its times are read alike, as clock.py measures the unit's clock by them.
    """
    try:
        time = datetime.fromisoformat(value)
    except TypeError, ValueError:
        return None
    if time.microsecond or time.tzinfo:
        time = time.replace(microsecond=0, tzinfo=None)
    return time if FIRST_YEAR <= time.year <= LAST_YEAR else None


# What the types of JSON are called.
_TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "list",
    dict: "object",
}


def _fields(where: str, *records: Any) -> set[tuple[str, str, str]]:
    """Return the fields of objects, as `Message` has them. where: the payload in which they are."""
    found = {
        (name, type(value))
        for record in records
        if isinstance(record, dict)
        for name, value in record.items()
    }
    return {(where, name, _TYPES[type_]) for name, type_ in found}


# -------------------------------------------------------------------------- envelope


def _envelope(answer: Any) -> Envelope:
    """Read an envelope. Raises MalformedError if it has no `responseTypes`."""
    if not isinstance(answer, dict):
        raise MalformedError("body", "not an object")
    types = answer.get("responseTypes")
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
        raise MalformedError("responseTypes", "missing or of the wrong type")
    return Envelope(
        response_types=tuple(types),
        sequence=_integer(answer.get("globalSessionSequence")),
        timestamp=_time(answer.get("timestamp")),
        device_name=_text(answer.get("deviceName"), MAX_NAME),
        firmware_version=_text(answer.get("firmwareVersion"), MAX_NAME),
    )


# -------------------------------------------------------------------------- sessions


def _stamp(value: Any, unreadable: list[Any]) -> datetime | None:
    """Read a time of a session. One that is there and can't be read is added to unreadable."""
    if value is None or value == "":
        return None
    time = _time(value)
    if time is None:
        unreadable.append(value)
    return time


def _later(time: datetime | None, created: datetime | None) -> datetime | None:
    """Return the time of a step after the creation; None for a clock's zero, which means none."""
    is_zero = time in CLOCK_ZEROS and created is not None and created != time
    return None if is_zero else time


def _session(record: Any, unreadable: list[Any]) -> Session | None:
    """Read one session. None if it can't be told from others, or has no time that can be read.

    unreadable: as of `_stamp`.
    """
    if not isinstance(record, dict):
        return None
    get = record.get
    uuid = get("uuid")
    # The vendor's table has the two as the same ("created ... same as started").
    created = _stamp(get("created"), unreadable) or _stamp(get("started"), unreadable)
    notified = _later(_stamp(get("notified"), unreadable), created)
    cleared = _later(_stamp(get("cleared"), unreadable), created)
    # The vendor's table calls it a number, its examples are strings.
    uuid = _name(str(uuid) if type(uuid) is int else uuid, str.lower, MAX_UUID + 1)
    # The nil UUID is a field that the unit doesn't fill.
    if uuid and (len(uuid) > MAX_UUID or not uuid.strip("0-")):
        uuid = None
    identity = _integer(get("id"))
    # Ids may begin anew when a unit is reset; with the time, they tell a session from others.
    has_identity = uuid or (identity is not None and created)
    if not has_identity or not (created or notified or cleared):
        return None
    return Session(
        id=identity,
        uuid=uuid,
        # Pager numbers are 12 bits on the air; staff and alpha pagers may have longer ones.
        number=_integer(get("number"), 0, 999_999),
        party_size=_integer(get("partySize"), 1, 9_999),
        # What a goal of 0 means is not documented; surely not that every guest is late at once.
        goal=_integer(get("goalInSeconds"), 1, MAX_GOAL),
        created=created,
        notified=notified,
        cleared=cleared,
        clear_type=_name(get("clearType"), str.upper),
        label=_text(get("label"), MAX_LABEL),
        state=_name(get("state"), str.lower),
    )


class Sessions(NamedTuple):
    """Sessions that were read; the other fields are those of `Message`."""

    sessions: tuple[Session, ...]
    skipped: int
    unreadable_stamps: int
    fields: frozenset[tuple[str, str, str]]


def _sessions(records: list[Any], where: str) -> Sessions:
    """Read the sessions that can be read. where: the payload in which they are."""
    unreadable: list[Any] = []
    read = [_session(record, unreadable) for record in records]
    good = tuple(session for session in read if session is not None)
    fields = frozenset(_fields(where, *records))
    return Sessions(good, len(read) - len(good), len(unreadable), fields)


def _statistics(record: Any) -> Statistics | None:
    """Read statistics; None if there are none."""
    if not isinstance(record, dict):
        return None
    return Statistics(
        guests_served=_integer(record.get("guestsServed")),
        percent_late=_number(record.get("percentLate")),
        percent_on_time=_number(record.get("percentOnTime")),
        average_time_served=_number(record.get("averageTimeServed")),
        sessions_created=_integer(record.get("numSessions")),
    )


def _settings(record: Any) -> Settings | None:
    """Read settings; None if there are none."""
    if not isinstance(record, dict):
        return None
    return Settings(
        clock=_time(record.get("datetime")),
        system_id=_integer(record.get("systemId")),
        default_target_goal=_integer(record.get("defaultTargetGoal"), 0, MAX_GOAL),
        statistics_clear_mark=_integer(record.get("statisticsClearMark"), 0, 24),
    )


# -------------------------------------------------------------------- whole messages


def _message(answer: Any, envelope: Envelope, key: str) -> Message:
    """Read an answer whose sessions are under this key."""
    records = answer.get(key)
    # An empty list may well be left out, or null.
    if not isinstance(records, (list, type(None))):
        raise MalformedError(key, "not a list")
    statistics, settings = answer.get("statistics"), answer.get("settings")
    sessions = _sessions(records or [], key)
    return Message(
        envelope=envelope,
        statistics=_statistics(statistics),
        settings=_settings(settings),
        **sessions._replace(
            fields=sessions.fields.union(
                _fields("envelope", answer),
                _fields("statistics", statistics),
                _fields("settings", settings),
            )
        )._asdict(),
    )


def _parse(payload: bytes, key: str, payload_key: str) -> Message:
    """Read an answer that has to have a payload. key: of sessions. payload_key: of the payload."""
    answer = _load(payload)
    envelope = _envelope(answer)
    if (
        answer.get(payload_key) is None
        and envelope.response_types
        and payload_key not in envelope.response_types
    ):
        raise MalformedError("responseTypes", f"no {payload_key}")
    return _message(answer, envelope, key)


def parse_history(payload: bytes) -> Message:
    """Read the answer to GET /v1/sessions/history. Raises MalformedError."""
    return _parse(payload, "session_history", "session_history")


def parse_sessions(payload: bytes) -> Message:
    """Read the answer to GET /v1/sessions. Raises MalformedError."""
    return _parse(payload, "sessions", "sessions")


def parse_settings(payload: bytes) -> Message:
    """Read the answer to GET /v1/settings. Raises MalformedError."""
    return _parse(payload, "sessions", "settings")


def parse_any(payload: bytes) -> Message:
    """Read a notification, or the answer to a command. Raises MalformedError.

    A command may be answered without a payload: the message is then empty.
    """
    if not payload:
        return Message(envelope=NO_ENVELOPE)
    answer = _load(payload)
    return _message(answer, _envelope(answer), "sessions")


# The envelope of a message that has none.
NO_ENVELOPE = Envelope(
    response_types=(), sequence=None, timestamp=None, device_name=None, firmware_version=None
)


# ------------------------------------------------------------------- parts of messages

# An item of a list that is an object without objects in it, as sessions are, or the list's end; and
# what stands before either. Strings are matched whole, so that a brace in a label neither begins
# nor ends anything. No part is tried twice, however long it is.
_ITEM = re.compile(rb'[\s,]*+(\{[^{}"]*+(?>"[^"\\]*+(?>\\.[^"\\]*+)*+"[^{}"]*+)*+\}|\])', re.DOTALL)
_SEPARATOR = re.compile(r"[\s,]*+")
_DECODER = json.JSONDecoder(strict=False, parse_int=_any_integer)

# The text of the item that stands for a list's end.
LIST_END = b"]"


class Item(NamedTuple):
    """An item of a list: its JSON, and where that ends in the text in which it was found."""

    text: bytes
    end: int


def split_list(text: bytes, at: int = 0) -> list[Item]:
    """Split a JSON list, of which the text has all or a part, into its items.

    at: where in the text an item may begin. An item that is cut off is left out. If the list's end
    is there, the last item is LIST_END.
    """
    items: list[Item] = []
    characters = text.decode("latin-1")  # one for each byte
    while not items or items[-1].text != LIST_END:
        if found := _ITEM.match(text, at):
            at = found.end()
            items.append(Item(found[1], at))
            continue
        separator = _SEPARATOR.match(characters, at)
        begin = separator.end() if separator else at
        try:
            _, at = _DECODER.raw_decode(characters, begin)
        except ValueError, RecursionError:
            break
        if at == len(text):
            break  # a number may go on
        items.append(Item(text[begin:at], at))
    return items


def parse_items(items: Iterable[Item]) -> Sessions:
    """Read items of the history's list of sessions, without its end."""
    texts = [item.text for item in items]
    try:
        return _sessions(_load(b"[" + b",".join(texts) + b"]"), "session_history")
    except MalformedError:
        return _sessions([_load_or_none(text) for text in texts], "session_history")


def _load_or_none(text: bytes) -> Any:
    """Parse JSON; None if it is not JSON."""
    try:
        return _load(text)
    except MalformedError:
        return None


def digest(text: bytes) -> str:
    """Return a hash to recognise an item by; the item has a guest's name, and is not kept."""
    return blake2b(text, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer with a list. It stays equal for as long as the list does not change.

    sequence: the envelope's count of changes. first: the digest of the list's first item: as long
    as that stays, no item was removed or put before the others.
    envelope: without the fields that the unit writes after the list. start: where in the body the
    list's items begin. The two are not compared.
    """

    sequence: int | None
    first: str
    envelope: Envelope = field(compare=False)
    start: int = field(compare=False)

    @classmethod
    def of(cls, beginning: bytes, key: str, *, is_all: bool, is_enough: bool) -> Self | None:
        """Find the head in the beginning of a body; None if that has no list, or too little of it.

        key: of the list. is_all: whether this is all of the body. is_enough: whether no more of it
        will be read, so that a first item that is cut off has to do. Raises MalformedError.
        """
        if not (begins := re.search(rb'"%s"\s*:\s*\[' % key.encode(), beginning)):
            return None
        start = begins.end()
        items = split_list(beginning, start)
        if not items and not is_enough:
            return None
        answer = _load(beginning if is_all else beginning[:start] + b"]}")
        if isinstance(answer, dict) and not is_all:
            # The unit may write this field after the list.
            answer.setdefault("responseTypes", [key])
        envelope = _envelope(answer)
        first = items[0].text if items else beginning[start:]
        return cls(envelope.sequence, digest(first), envelope, start)
