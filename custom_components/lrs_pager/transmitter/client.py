"""The T7470's API, version 1, as methods."""

import asyncio
from collections.abc import AsyncIterator, Callable
from copy import copy
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Never

import orjson

from . import blockwise, coap
from .coap import DEFAULT_PORT, VALID, Endpoint, Exchanges, KeepAlive, Method, Request, Response
from .exceptions import ChangedError, MalformedError, RejectedError
from .history import Chunk, Cursor, Reader, open_history
from .messages import Envelope, Message
from .parse import parse_any, parse_sessions, parse_settings

# The API's version is the first segment of every path. The history's path is in history.py.
SESSIONS = "/v1/sessions"
STATISTICS = "/v1/sessions/statistics"
SETTINGS = "/v1/settings"
NOTIFY = "/v1/notify"
PAGE = "/v1/page"

# Bytes above which JSON is read in another thread: a millisecond's work on a slow machine.
THREAD_PARSE = 32 * 1024

# Bytes that a request's body may have, as it has to fit into one datagram: the vendor documents no
# Block1. RFC 7252 (4.6) has 1,024 for a path of unknown MTU.
MAX_REQUEST = 1024

# Reads of a body before it is given up, as it changed during each.
MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Message):
    """An answer of the transmitter, or a notification, and when it came.

    is_all: whether the sessions are all the active ones, and not just some of them.
    is_complete: False if that list may lack some, as in the first message of an observation.
    is_asked: False for a notification, which may have been under way for long.
    etag: for the next request; None if the answer has none.
    asked, answered: the event loop's time (seconds) around the moment at which the unit wrote the
    envelope; both are the time of arrival of a notification.
    """

    is_all: bool
    is_complete: bool = True
    is_asked: bool = True
    etag: bytes | None
    asked: float
    answered: float


class _Hurried:
    """Sends all requests with one deadline: see Request."""

    def __init__(self, endpoint: Endpoint, deadline: float) -> None:
        """Take what sends them, and the deadline."""
        self._endpoint, self._deadline = endpoint, deadline

    async def exchange(self, request: Request) -> Response:
        """See Endpoint."""
        return await self._endpoint.exchange(replace(request, deadline=self._deadline))


class Transmitter:
    """A T7470 at an address.

    Requests go out one at a time. Every method may raise UnreachableError, RejectedError and
    MalformedError. Nothing is sent before the first call.

    A command is sent once: its message may be retransmitted until the unit acknowledges it (RFC
    7252, 4.2), but there is no second message, and nothing is sent after an error was raised.
    TimedOutError means that it may or may not have been carried out; NotSentError, that its turn
    did not come in time: see `at_once`. The answer may have no payload, and then says nothing.
    ValueError: a pager's number below 1, or too long a body.

    host: see Host. exchanges: what sends its requests. deadline: until when (the loop's time) they
    may have their turn. None: reads have as long as they need, and a command has EXCHANGE_TIMEOUT
    seconds from when it was given.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Take the address: IPv4, IPv6 or a name."""
        self._endpoint = Endpoint(host, port)
        self.exchanges: Exchanges = self._endpoint
        self.behaviour, self.host = self._endpoint.behaviour, self._endpoint.host
        self.deadline: float | None = None

    def at_once(self) -> Transmitter:
        """The same transmitter, for commands that are given now, and for reads that they need.

        Their turn may come for EXCHANGE_TIMEOUT seconds from now, whatever comes before them: a
        guest must not be buzzed for a tap of long ago.
        """
        hurried = copy(self)
        hurried.deadline = deadline = _deadline()
        hurried.exchanges = _Hurried(self._endpoint, deadline)
        return hurried

    async def close(self) -> None:
        """Close for good: what is under way fails, and nothing is sent from now on."""
        await self._endpoint.close()

    # ----------------------------------------------------------------------- reading

    async def history(self, cursor: Cursor | None = None) -> AsyncIterator[Chunk]:
        """Get the archived sessions (GET /v1/sessions/history), chunk by chunk.

        cursor: of an earlier chunk, be it of a read that failed. If its record is where it should
        be, only the sessions after it are returned; else all are. No session is returned twice,
        unless the unit lists it twice, or wipes or sorts its list meanwhile: then the read begins
        again, and its chunks say `is_from_beginning`.
        A session that is added meanwhile is returned if it is added at the list's end.
        Raises TimedOutError when two requests for a block had no answer, and ChangedError when a
        part of the history changed each time it was read. Its length has no limit.
        """
        async for chunk in Reader(self.exchanges).read(cursor):
            self.behaviour.message(chunk)
            yield chunk

    async def probe(self) -> Envelope:
        """Get the history's envelope, to see what the unit is.

        That takes one exchange, or a few if the blocks are too small for the envelope.
        """
        body = await open_history(self.exchanges)
        assert body.head is not None  # as open_history returned it
        return body.head.envelope

    async def sessions(self, etag: bytes | None = None) -> Answer | None:
        """Get the active sessions, and the statistics (GET /v1/sessions).

        etag: of an earlier answer; None is returned if that answer is still valid.
        """
        answer = await self._get(SESSIONS, parse_sessions, "sessions", etag)
        if answer is None and etag is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def settings(self) -> Answer:
        """Get the settings (GET /v1/settings)."""
        answer = await self._get(SETTINGS, parse_settings, "settings")
        if answer is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return replace(answer, is_all=False)  # it has no list of sessions

    async def observe(
        self, tell: Callable[[Answer], None], keep_alive: KeepAlive | None = None
    ) -> Never:
        """Observe the unit (GET /v1/notify?action=get_sessions) until that ends; raise why.

        Silence does not end it: a caller that waits no longer cancels it. tell: called with the
        active sessions first, then with whatever changes: a session, the settings, or nothing (a
        ping). A message that can't be read is told as an empty one with `skipped` 1. keep_alive:
        see KeepAlive. RejectedError is also for a unit that answers but can't be observed.

        The first message may be anything: it is not documented, and if the answer is lost, a
        notification takes its place. So a list in it is never said to be complete.
        """
        is_first = True

        def receive(response: Response) -> None:
            nonlocal is_first
            if not response.is_success:
                return
            told = _read(response)
            is_asked, is_first = is_first, False
            self.behaviour.message(told, None if is_asked else response.answered)
            is_list = is_asked and "sessions" in told.envelope.response_types
            answer = _answer(response, told, is_all=is_list)
            tell(replace(answer, is_complete=not is_list, is_asked=is_asked))

        request = Request(method=Method.GET, path=NOTIFY, query=("action=get_sessions",))
        await self._endpoint.observe(
            request, receive, Request(method=Method.GET, path=SETTINGS), keep_alive
        )

    # ---------------------------------------------------------------------- commands

    async def start_session(
        self,
        number: int,
        *,
        goal: int | None = None,
        label: str | None = None,
        party_size: int | None = None,
    ) -> Answer:
        """Start a session on a pager (POST /v1/sessions).

        If the pager has a session already, the unit updates that. goal: in seconds; None for the
        unit's default. label, party_size: as of `Session`.
        """
        return await self._command(
            Method.POST,
            SESSIONS,
            {"number": _one(number), **_fields(goal, label, party_size)},
        )

    async def update_session(
        self,
        number: int,
        *,
        goal: int | None = None,
        label: str | None = None,
        party_size: int | None = None,
    ) -> Answer:
        """Change the given fields of the session on a pager (PUT /v1/sessions?number=)."""
        return await self._change(number, _fields(goal, label, party_size))

    async def page_session(self, number: int, page_mode: str | None = None) -> Answer:
        """Page the guest (PUT, action page). page_mode: "Flash30Sec"; None for the default."""
        body = {"action": "page", "pageMode": page_mode}
        return await self._change(number, body)

    async def clear_session(self, number: int) -> Answer:
        """Clear the session on a pager: the guest was served (PUT, action clear)."""
        return await self._change(number, {"action": "clear"})

    async def remove_session(self, number: int) -> Answer:
        """Take the session on a pager off the list (PUT, action remove).

        The API has DELETE /v1/sessions?number= for the same. That is never sent: without its query,
        lost on the way or by a mistake in code, it would clear every session there is.
        """
        return await self._change(number, {"action": "remove"})

    async def clear_sessions(self) -> Answer:
        """Clear all active sessions (DELETE /v1/sessions)."""
        return await self._command(Method.DELETE, SESSIONS)

    async def clear_statistics(self) -> Answer:
        """Have the unit's statistics begin anew (DELETE /v1/sessions/statistics)."""
        return await self._command(Method.DELETE, STATISTICS)

    async def set_settings(
        self, *, clock: datetime | None = None, default_target_goal: int | None = None
    ) -> Answer:
        """Set the unit's clock (naive, as it should show it) or its default goal in seconds."""
        time = clock and clock.replace(tzinfo=None).isoformat(timespec="seconds")
        body = {"datetime": time, "defaultTargetGoal": default_target_goal}
        return await self._command(Method.POST, SETTINGS, body)

    async def send_page(
        self,
        number: int,
        *,
        page_mode: str | None = None,
        message: str | None = None,
        system_id: int | None = None,
    ) -> Answer:
        """Page a pager without a session (POST /v1/page).

        message: for pagers with a display. system_id: of another system's pagers. Success means
        that the unit accepted it; pagers don't answer.
        """
        body = {"number": _one(number), "pageMode": page_mode}
        return await self._command(
            Method.POST, PAGE, body | {"message": message, "systemId": system_id}
        )

    # ---------------------------------------------------------------------- in between

    async def _change(self, number: int, body: dict[str, Any]) -> Answer:
        """PUT to the session on a pager."""
        return await self._command(Method.PUT, SESSIONS, body, f"number={_one(number)}")

    async def _command(
        self, method: Method, path: str, body: dict[str, Any] | None = None, *query: str
    ) -> Answer:
        """Send a command; fields of its body that are None are left out."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        # orjson writes no space, no tab and no newline: the vendor warns of the last two.
        payload = orjson.dumps(given) if body is not None else b""
        if len(payload) > MAX_REQUEST:
            raise ValueError("too long for one datagram")
        response = await self.exchanges.exchange(
            Request(method=method, path=path, query=query, payload=payload, deadline=_deadline())
        )
        if not response.is_success:
            raise RejectedError(response.code)
        # The command was carried out, which is what counts, even if its answer can't be read.
        told = _read(response)
        self.behaviour.message(told)
        return _answer(response, told, is_all=False)

    async def _get(
        self, path: str, parse: Callable[[bytes], Message], key: str, etag: bytes | None = None
    ) -> Answer | None:
        """GET a body, with its list (if any) under a key; None for a 2.03.

        If its blocks may not belong together, it is read again, until they do or two reads have the
        same sessions. Raises ChangedError after MAX_TRIES reads.
        """
        before: Message | None = None
        for _ in range(MAX_TRIES):
            try:
                body, is_certain = await blockwise.get(self.exchanges, path, key, etag)
            except ChangedError:
                continue
            if body.first.code == VALID:
                return None
            try:
                message = await _parse(parse, bytes(body.text))
            except MalformedError:
                if is_certain:
                    raise
                continue
            if is_certain or (before is not None and message.sessions == before.sessions):
                self.behaviour.message(message)
                return _answer(body.first, message, is_all=True)
            before = message
        raise ChangedError


def _deadline() -> float:
    """When a command that is given now is not sent any more."""
    return asyncio.get_running_loop().time() + coap.EXCHANGE_TIMEOUT


def _one(number: int) -> int:
    """Return a pager's number. Raises ValueError for 0, which is every pager there is."""
    if number < 1:
        raise ValueError("not the number of one pager")
    return number


def _read(response: Response) -> Message:
    """Read a notification, or the answer to a command; one that can't be read counts as skipped."""
    try:
        # The first block of several can't be read by itself. An empty message makes callers read
        # the list.
        return parse_any(b"" if response.block and response.block.more else response.payload)
    except MalformedError:
        return replace(parse_any(b""), skipped=1)


def _fields(goal: int | None, label: str | None, party_size: int | None) -> dict[str, Any]:
    return {"goal": goal, "label": label, "partySize": party_size}


async def _parse(parse: Callable[[bytes], Message], payload: bytes) -> Message:
    if len(payload) > THREAD_PARSE:
        return await asyncio.to_thread(parse, payload)
    return parse(payload)


def _answer(response: Response, message: Message, *, is_all: bool) -> Answer:
    return Answer(
        **{field.name: getattr(message, field.name) for field in fields(Message)},
        is_all=is_all,
        etag=response.etag,
        asked=response.asked,
        answered=response.answered,
    )
