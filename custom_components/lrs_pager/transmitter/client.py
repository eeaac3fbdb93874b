"""The T7470's API, version 1, as methods."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Never

import orjson

from . import blockwise, tail
from .coap import DEFAULT_PORT, Endpoint, Method, Request, Response
from .exceptions import ChangedError, MalformedError, RejectedError, TimedOutError
from .models import Told
from .parse import (
    Head,
    parse_any,
    parse_history,
    parse_sessions,
    parse_settings,
    parse_tail,
    salvage_history,
)

# The API's version is the first segment of every path.
HISTORY = "/v1/sessions/history"
SESSIONS = "/v1/sessions"
STATISTICS = "/v1/sessions/statistics"
SETTINGS = "/v1/settings"
NOTIFY = "/v1/notify"
PAGE = "/v1/page"

# Seconds that a body may take, however many blocks it has. 10,000 archived sessions are some
# 2,700 exchanges: under a minute where the network takes 20 ms for each.
TRANSFER_TIMEOUT = 120.0

# Bytes above which JSON is read in another thread: a millisecond's work on a slow machine.
THREAD_PARSE = 32 * 1024

# Seconds without any message after which an observation is dead. The unit pings every 30 s, and
# drops who misses three pings in a row; so do we, with some slack for the third.
SILENCE = 95.0

# Bytes that a request's body may have: what fits into one datagram without Block1, of which the
# vendor says nothing (RFC 7252, 4.6, has 1,024 for a payload of unknown path).
MAX_REQUEST = 1024

# Times in a row that what was added to the history could not be told, after which it is read whole
# without trying until it is asked for so: a unit that serves no block before those that precede it.
MAX_TAILS_FAILED = 3

# 2.03 Valid: the body that the client holds is still right (RFC 7252, 5.9.1.3).
VALID = "2.03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Told):
    """What the transmitter told in answer to a request, or by itself, and when.

    is_all: whether the sessions are all that are active, or archived, and not just some of them.
    is_complete: False if the list changed so often while it was read that sessions were left
    out; those that are there are right.
    etag: to ask with the next time. mark: where the history ended, to read on from the next time.
    asked, answered: our own clock, in UTC, around the moment at which the unit wrote its
    envelope; both are the time of arrival where nothing was asked.
    """

    is_all: bool
    is_complete: bool = True
    etag: bytes | None
    mark: tail.Mark | None = None
    asked: datetime
    answered: datetime


class Transmitter:
    """A T7470 at an address.

    Requests go out one at a time. Every method may raise UnreachableError, RejectedError and
    MalformedError. Nothing is sent before the first call.

    Commands are sent once: the same message may be repeated until the unit acknowledges it (RFC
    7252, 4.2), but no second message is made of it, and nothing is sent any more after the
    caller was told that it failed. TimedOutError then means that it may have been carried out, or
    not. Their answers may be without a payload, and then tell nothing.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Take the address: IPv4, IPv6 or a name."""
        self._endpoint = Endpoint(host, port)
        self._tails_failed = 0

    async def close(self) -> None:
        """Close for good: what is under way fails, and nothing is sent from now on."""
        await self._endpoint.close()

    # ----------------------------------------------------------------------- reading

    async def history(self, after: tail.Mark | None = None) -> Answer:
        """Get the archived sessions (GET /v1/sessions/history).

        after: the mark of an earlier answer. Only what was added since is returned then, if that
        can be told (`is_all` says whether it could).
        """
        if after is None:
            self._tails_failed = 0
        elif answer := await self._history_after(after):
            return answer
        answer = await self._get(HISTORY, parse_history, salvage_history)
        if answer is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def sessions(self, etag: bytes | None = None) -> Answer | None:
        """Get the active sessions, and the statistics (GET /v1/sessions).

        etag: of an earlier answer; None is returned if that answer is still right.
        """
        answer = await self._get(SESSIONS, parse_sessions, etag=etag)
        if answer is None and etag is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def settings(self) -> Answer:
        """Get the settings (GET /v1/settings)."""
        answer = await self._get(SETTINGS, parse_settings)
        if answer is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def observe(self, tell: Callable[[Answer], None]) -> Never:
        """Observe the unit (GET /v1/notify?action=get_sessions) until that ends; raise why.

        tell: called with the active sessions first, then with whatever changes: a session, the
        settings, or nothing (a ping). A message that can't be read tells nothing, and counts as
        skipped. RejectedError is also for a unit that answers but can't be observed.

        The first may be anything: what it looks like is not documented, and if the answer is lost,
        a message about a change takes its place. So it is never said to be complete.
        """
        is_first = True

        def receive(response: Response) -> None:
            nonlocal is_first
            if not response.is_success:
                return
            told = _read(response)
            is_list = is_first and "sessions" in told.envelope.response_types
            is_first = False
            tell(_answer(response, told, is_all=is_list, is_complete=not is_list))

        request = Request(method=Method.GET, path=NOTIFY, query=("action=get_sessions",))
        await self._endpoint.observe(request, SILENCE, receive)

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

        A pager that has one already keeps it: the unit then updates that. goal: in seconds; the
        unit has a default. Others: as of `Session`.
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
        """Change what is given of the session on a pager (PUT /v1/sessions?number=)."""
        return await self._change(number, _fields(goal, label, party_size))

    async def page_session(self, number: int, page_mode: str | None = None) -> Answer:
        """Page the guest (PUT, action page). page_mode: "Flash30Sec"; the unit has a default."""
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
        self, method: Method, path: str, body: dict[str, Any] | None = None, query: str = ""
    ) -> Answer:
        """Send a command, without what is None in its body."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        # orjson writes no space, no tab and no newline: the vendor warns of the last two.
        payload = orjson.dumps(given) if body is not None else b""
        if len(payload) > MAX_REQUEST:
            raise ValueError("too long for one datagram")
        response = await self._endpoint.exchange(
            Request(method=method, path=path, query=(query,) if query else (), payload=payload)
        )
        if not response.is_success:
            raise RejectedError(response.code, response.text)
        # It was carried out, which is what counts, also if what came of it can't be read.
        return _answer(response, _read(response), is_all=False)

    async def _history_after(self, mark: tail.Mark) -> Answer | None:
        """Get what the history has beyond a mark; None if that can't be told."""
        if self._tails_failed >= MAX_TAILS_FAILED:
            return None
        try:
            async with asyncio.timeout(TRANSFER_TIMEOUT):
                found = await tail.get(self._endpoint, HISTORY, mark)
            if found is not None:
                told = parse_tail(found.beginning, found.items)
                self._tails_failed = 0
                return _answer(found.first, told, is_all=False, mark=found.mark)
        except TimeoutError as err:
            raise TimedOutError("the answer took too long") from err
        except MalformedError:
            pass  # also if all of it is, which is then said
        self._tails_failed += 1
        return None

    async def _get(
        self,
        path: str,
        parse: Callable[[bytes], Told],
        salvage: Callable[[tuple[bytes, ...]], Told] | None = None,
        *,
        etag: bytes | None = None,
    ) -> Answer | None:
        """GET a list of sessions; a second time if it changed while its blocks were fetched.

        If it changed again, what can be salvaged is returned, or ChangedError raised. None is
        for a 2.03.
        """
        doubtful: Told | None = None
        try:
            async with asyncio.timeout(TRANSFER_TIMEOUT):
                for is_last in (False, True):
                    # Blocks of another size would put other halves together, if any were.
                    size = blockwise.BLOCK_SIZE // (2 if doubtful else 1)
                    try:
                        body = await blockwise.get(
                            self._endpoint, path, Head.of, etag=etag, size=size
                        )
                    except ChangedError:
                        if is_last:
                            raise
                        continue
                    if body.first.code == VALID:
                        return None
                    found = await _parse(body, parse, is_last=is_last)
                    if found and (_are_all_different(found) or _are_same(found, doubtful)):
                        mark = tail.Mark.of(body.payload) if path == HISTORY else None
                        return _answer(body.first, found, is_all=True, mark=mark)
                    doubtful = found
        except TimeoutError as err:
            raise TimedOutError("the answer took too long") from err
        if salvage is None:
            raise ChangedError
        return _answer(body.first, salvage(body.blocks), is_all=True, is_complete=False)


def _one(number: int) -> int:
    """Return a pager's number. Raises ValueError for 0, which is every pager there is."""
    if number < 1:
        raise ValueError("not the number of one pager")
    return number


def _read(response: Response) -> Told:
    """Read a notification, or the answer to a command; nothing is told if it can't be read."""
    try:
        # The first block of several is none of its own. Nothing is lost: all is asked for then.
        return parse_any(b"" if response.block and response.block.more else response.payload)
    except MalformedError:
        return replace(parse_any(b""), skipped=1)


def _fields(goal: int | None, label: str | None, party_size: int | None) -> dict[str, Any]:
    return {"goal": goal, "label": label, "partySize": party_size}


async def _parse(
    body: blockwise.Body, parse: Callable[[bytes], Told], *, is_last: bool
) -> Told | None:
    """Parse a body if it is of one piece, as far as can be seen; else None.

    is_last: whether to put up with a session that was added at the list's end, or a guest who
    was paged, while it was read. If the list's first item stayed where it was, nothing moved.
    """
    before, after = body.head, body.head_after
    is_in_place = (
        isinstance(before, Head) and isinstance(after, Head) and before.first == after.first
    )
    if not body.is_unchanged and not (is_last and is_in_place):
        return None
    try:
        if sum(map(len, body.blocks)) > THREAD_PARSE:
            return await asyncio.to_thread(parse, body.payload)
        return parse(body.payload)
    except MalformedError:
        if body.is_unchanged:
            raise
        return None


def _answer(
    response: Response,
    told: Told,
    *,
    is_all: bool,
    is_complete: bool = True,
    mark: tail.Mark | None = None,
) -> Answer:
    """Put together what was told, and when."""
    return Answer(
        **{field.name: getattr(told, field.name) for field in fields(Told)},
        is_all=is_all,
        is_complete=is_complete,
        etag=response.etag,
        mark=mark,
        asked=response.asked,
        answered=response.answered,
    )


def _are_all_different(found: Told) -> bool:
    """Whether no session is told twice, as it is where halves of two were put together."""
    identities = {(s.uuid, s.id, s.created) for s in found.sessions}
    return len(identities) == len(found.sessions)


def _are_same(found: Told, doubtful: Told | None) -> bool:
    """Whether a list that tells a session twice does so however it is cut."""
    return doubtful is not None and found.sessions == doubtful.sessions
