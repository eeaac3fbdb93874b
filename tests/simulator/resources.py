"""The paths of the API: what each request does to the unit, and the JSON it gets back.

Whatever a request holds that is not documented (another query, another field, another
type) is refused with 4.00: no client shall pass a test by luck.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
import json
from typing import Any

from aiocoap.numbers.codes import Code

from .replies import RefusedError, Reply, error_reply, to_json
from .session import NoSuchSessionError, Session, Wire, wire_time
from .unit import DEVICE_NAME, LastChange, Unit

type UriPath = tuple[str, ...]
type Query = dict[str, str]
type Handler = Callable[[Query, bytes], Reply]

SESSIONS: UriPath = ("v1", "sessions")
HISTORY: UriPath = ("v1", "sessions", "history")
STATISTICS: UriPath = ("v1", "sessions", "statistics")
SETTINGS: UriPath = ("v1", "settings")
NOTIFY: UriPath = ("v1", "notify")
PAGE: UriPath = ("v1", "page")

# What the query of each path may name.
QUERIES: dict[UriPath, frozenset[str]] = {
    SESSIONS: frozenset({"number"}),
    NOTIFY: frozenset({"action"}),
}

# Hours of a day, and the 24 that every example shows.
CLEAR_MARKS = range(25)


@dataclass(kw_only=True)
class Resources:
    """Answers requests from one unit."""

    unit: Unit
    history_etag: bool
    exact_etag: bool

    def __post_init__(self) -> None:
        """Lay out the paths."""
        self._table: dict[UriPath, dict[Code, Handler]] = {
            SESSIONS: {
                Code.GET: self._get_sessions,
                Code.POST: self._post_session,
                Code.PUT: self._put_session,
                Code.DELETE: self._delete_sessions,
            },
            HISTORY: {Code.GET: self._get_history, Code.DELETE: self._delete_history},
            STATISTICS: {Code.GET: self._get_statistics, Code.DELETE: self._delete_statistics},
            SETTINGS: {Code.GET: self._get_settings, Code.POST: self._post_settings},
            NOTIFY: {Code.GET: self._get_notify},
            PAGE: {Code.POST: self._post_page},
        }

    def answer(self, method: Code, path: UriPath, query: tuple[str, ...], payload: bytes) -> Reply:
        """Do what is asked and return the answer, which may be an error."""
        try:
            if (methods := self._table.get(path)) is None:
                raise RefusedError(Code.NOT_FOUND, "no such path")
            if (handler := methods.get(method)) is None:
                raise RefusedError(Code.METHOD_NOT_ALLOWED, "not a method of this path")
            return handler(_parse_query(query, QUERIES.get(path, frozenset())), payload)
        except RefusedError as refused:
            return error_reply(refused.code, str(refused))
        except NoSuchSessionError as missing:
            return error_reply(Code.NOT_FOUND, str(missing))

    # -------------------------------------------------------- what observers get

    def sessions_message(self, session: Session) -> bytes:
        """Return the notification of one changed session: no timestamp, name or firmware."""
        return to_json(
            {
                "responseTypes": ["sessions", "statistics"],
                "globalSessionSequence": self.unit.sequence,
                "sessions": [session.active_wire()],
                "statistics": self.unit.statistics(),
            }
        )

    def settings_message(self) -> bytes:
        """Return the notification of changed settings, the same as GET /v1/settings."""
        return self._envelope(settings=self.unit.settings())

    def ping_message(self) -> bytes:
        """Return the ping; the documented example is cut off after these two keys."""
        return to_json({"responseTypes": ["ping"], "globalSessionSequence": self.unit.sequence})

    # ----------------------------------------------------------------- sessions

    def _get_sessions(self, query: Query, payload: bytes) -> Reply:
        del payload
        if "number" in query:
            session = self.unit.session(_number(query))
            return Reply(Code.CONTENT, self._envelope(sessions=[session.active_wire()]))
        etag = self._etag(self.unit.sessions_changed)
        return Reply(Code.CONTENT, self._with_statistics(self.unit.active.values()), etag)

    def _post_session(self, query: Query, payload: bytes) -> Reply:
        if query:
            raise RefusedError(Code.BAD_REQUEST, "number goes into the body")
        asked = _parse_body(payload, {"number": _is_count, **SESSION_FIELDS})
        if "number" not in asked:
            raise RefusedError(Code.BAD_REQUEST, "number is missing")
        number = asked["number"]
        code = Code.CHANGED if number in self.unit.active else Code.CREATED
        session = self.unit.create(number, **_session_fields(asked))
        self._act(number, asked)
        return Reply(code, self._with_statistics([session]))

    def _put_session(self, query: Query, payload: bytes) -> Reply:
        number = _number(query)
        asked = _parse_body(payload, {**SESSION_FIELDS, "pageMode": _is_text})
        session = self.unit.session(number)
        if given := _session_fields(asked):
            self.unit.update(number, **given)
        self._act(number, asked)
        return Reply(Code.CHANGED, self._with_statistics([session]))

    def _act(self, number: int, asked: Wire) -> None:
        match asked.get("action"):
            case "page":
                self.unit.page(number, asked.get("pageMode"))
            case "clear":
                self.unit.clear(number)
            case "remove":
                self.unit.remove(number)

    def _delete_sessions(self, query: Query, payload: bytes) -> Reply:
        del payload
        if "number" in query:
            self.unit.remove(_number(query))
        else:
            self.unit.clear_all()
        return Reply(Code.DELETED)

    # --------------------------------------------------- history and statistics

    def _get_history(self, query: Query, payload: bytes) -> Reply:
        del query, payload
        etag = self._etag(self.unit.history_changed) if self.history_etag else None
        return Reply(Code.CONTENT, self._envelope(session_history=self.unit.history), etag)

    def _delete_history(self, query: Query, payload: bytes) -> Reply:
        del query, payload
        self.unit.wipe_history()
        return Reply(Code.DELETED)

    def _get_statistics(self, query: Query, payload: bytes) -> Reply:
        del query, payload
        return Reply(Code.CONTENT, self._envelope(statistics=self.unit.statistics()))

    def _delete_statistics(self, query: Query, payload: bytes) -> Reply:
        del query, payload
        self.unit.clear_statistics()
        return Reply(Code.DELETED)

    # ------------------------------------------------ settings, notify and page

    def _get_settings(self, query: Query, payload: bytes) -> Reply:
        del query, payload
        return Reply(Code.CONTENT, self.settings_message())

    def _post_settings(self, query: Query, payload: bytes) -> Reply:
        del query
        asked = _parse_body(
            payload,
            {
                "datetime": _is_time,
                "systemId": _is_count,
                "defaultTargetGoal": _is_count,
                "statisticsClearMark": lambda mark: _is_count(mark) and mark in CLEAR_MARKS,
            },
        )
        clock = datetime.fromisoformat(asked["datetime"]) if "datetime" in asked else None
        self.unit.set_settings(
            clock=clock,
            system_id=asked.get("systemId"),
            default_target_goal=asked.get("defaultTargetGoal"),
            statistics_clear_mark=asked.get("statisticsClearMark"),
        )
        return Reply(Code.CHANGED, self.settings_message())

    def _get_notify(self, query: Query, payload: bytes) -> Reply:
        del payload
        if query.get("action", "get_sessions") != "get_sessions":
            raise RefusedError(Code.BAD_REQUEST, "not an action")
        if not query:
            return Reply(Code.CONTENT)
        return Reply(Code.CONTENT, self._with_statistics(self.unit.active.values()))

    def _post_page(self, query: Query, payload: bytes) -> Reply:
        del query
        kinds = {"number": _is_count, "pageMode": _is_text, "message": _is_text}
        asked = _parse_body(payload, {**kinds, "systemId": _is_count})
        if "number" not in asked:
            raise RefusedError(Code.BAD_REQUEST, "number is missing")
        self.unit.send_page(
            asked["number"], asked.get("pageMode"), asked.get("message"), asked.get("systemId")
        )
        # The answer is not documented; clients must bear one without a body.
        return Reply(Code.CHANGED)

    # ------------------------------------------------------------------- shapes

    def _with_statistics(self, sessions: Iterable[Session]) -> bytes:
        return self._envelope(
            sessions=[session.active_wire() for session in sessions],
            statistics=self.unit.statistics(),
        )

    def _envelope(self, **payload: object) -> bytes:
        return to_json(
            {
                "responseTypes": list(payload),
                "globalSessionSequence": self.unit.sequence,
                "timestamp": wire_time(self.unit.time()),
                "deviceName": DEVICE_NAME,
                "firmwareVersion": self.unit.firmware_version,
                **payload,
            }
        )

    def _etag(self, changed: LastChange) -> bytes:
        """Return the second of the last change, or with exact_etag its number."""
        if self.exact_etag:
            return changed.count.to_bytes(4)
        seconds = int((changed.at - datetime.fromisoformat("1970-01-01")).total_seconds())
        return (seconds % (1 << 32)).to_bytes(4)


# ------------------------------------------------------------- reading requests


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    try:
        return bool(wire_time(datetime.fromisoformat(value)) == value)
    except TypeError, ValueError:
        return False


SESSION_FIELDS: dict[str, Callable[[Any], bool]] = {
    "goal": _is_count,
    "label": lambda label: label is None or _is_text(label),
    "partySize": _is_count,
    "action": lambda action: action in ("page", "clear", "remove"),
}


def _session_fields(asked: Wire) -> Any:
    names = {"goal": "goal", "label": "label", "partySize": "party_size"}
    return {names[key]: value for key, value in asked.items() if key in names}


def _parse_query(query: tuple[str, ...], allowed: frozenset[str]) -> Query:
    parsed = {}
    for pair in query:
        key, equals, value = pair.partition("=")
        if not equals or key not in allowed or key in parsed:
            raise RefusedError(Code.BAD_REQUEST, f"query {pair!r} is not documented here")
        parsed[key] = value
    return parsed


def _number(query: Query) -> int:
    number = query.get("number", "")
    if not (number.isascii() and number.isdigit()):
        raise RefusedError(Code.BAD_REQUEST, "number is missing or is none")
    return int(number)


def _parse_body(payload: bytes, allowed: dict[str, Callable[[Any], bool]]) -> Wire:
    if any(character in payload for character in b"\t\n\r"):
        raise RefusedError(Code.BAD_REQUEST, "the JSON must hold no tabs or newlines")
    try:
        body = json.loads(payload)
    except ValueError:
        raise RefusedError(Code.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(Code.BAD_REQUEST, "the body is not an object")
    for key, value in body.items():
        if key not in allowed or not allowed[key](value):
            raise RefusedError(Code.BAD_REQUEST, f"{key} is not documented here, or not so")
    return body
