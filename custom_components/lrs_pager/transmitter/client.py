"""The T7470's API, version 1, as methods."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import blockwise
from .coap import DEFAULT_PORT, Endpoint
from .exceptions import ChangedError, MalformedError, TimedOutError
from .models import (
    Envelope,
    Head,
    Session,
    Sessions,
    Statistics,
    parse_history,
    parse_sessions,
    salvage_history,
)

# The API's version is the first segment of every path.
HISTORY = "/v1/sessions/history"
SESSIONS = "/v1/sessions"

# Seconds that a body may take, however many blocks it has. 10,000 archived sessions are some
# 2,700 exchanges: under a minute where the network takes 20 ms for each.
TRANSFER_TIMEOUT = 120.0

# Bytes above which JSON is read in another thread: a millisecond's work on a slow machine.
THREAD_PARSE = 32 * 1024

# 2.03 Valid: the body that the client holds is still right (RFC 7252, 5.9.1.3).
VALID = "2.03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Sessions as the transmitter told them, and when.

    skipped: how many records could not be read.
    is_complete: False if the list changed so often while it was read that sessions were left
    out; those that are there are right.
    etag: to ask with the next time.
    asked, answered: our own clock, in UTC, around the moment at which the unit wrote its
    envelope.
    """

    envelope: Envelope
    sessions: tuple[Session, ...]
    statistics: Statistics | None
    skipped: int
    is_complete: bool
    etag: bytes | None
    asked: datetime
    answered: datetime


class Transmitter:
    """A T7470 at an address.

    Requests go out one at a time. Every method may raise UnreachableError, RejectedError and
    MalformedError. Nothing is sent before the first call.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Take the address: IPv4, IPv6 or a name."""
        self._endpoint = Endpoint(host, port)

    async def close(self) -> None:
        """Close for good: what is under way fails, and nothing is sent from now on."""
        await self._endpoint.close()

    async def history(self) -> Answer:
        """Get all archived sessions (GET /v1/sessions/history)."""
        answer = await self._get(HISTORY, parse_history, salvage_history)
        if answer is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def sessions(self, etag: bytes | None = None) -> Answer | None:
        """Get the active sessions (GET /v1/sessions).

        etag: of an earlier answer; None is returned if that answer is still right.
        """
        answer = await self._get(SESSIONS, parse_sessions, etag=etag)
        if answer is None and etag is None:
            raise MalformedError("code", "2.03, though nothing was held")
        return answer

    async def _get(
        self,
        path: str,
        parse: Callable[[bytes], Sessions],
        salvage: Callable[[tuple[bytes, ...]], Sessions] | None = None,
        *,
        etag: bytes | None = None,
    ) -> Answer | None:
        """GET a list of sessions; a second time if it changed while its blocks were fetched.

        If it changed again, what can be salvaged is returned, or ChangedError raised. None is
        for a 2.03.
        """
        doubtful: Sessions | None = None
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
                        return _answer(body, found, is_complete=True)
                    doubtful = found
        except TimeoutError as err:
            raise TimedOutError("the answer took too long") from err
        if salvage is None:
            raise ChangedError
        return _answer(body, salvage(body.blocks), is_complete=False)


async def _parse(
    body: blockwise.Body, parse: Callable[[bytes], Sessions], *, is_last: bool
) -> Sessions | None:
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


def _answer(body: blockwise.Body, found: Sessions, *, is_complete: bool) -> Answer:
    """Put together what was found, and when."""
    return Answer(
        envelope=found.envelope,
        sessions=found.sessions,
        statistics=found.statistics,
        skipped=found.skipped,
        is_complete=is_complete,
        etag=body.first.etag,
        asked=body.first.asked,
        answered=body.first.answered,
    )


def _are_all_different(found: Sessions) -> bool:
    """Whether no session is told twice, as it is where halves of two were put together."""
    identities = {(s.uuid, s.id, s.created) for s in found.sessions}
    return len(identities) == len(found.sessions)


def _are_same(found: Sessions, doubtful: Sessions | None) -> bool:
    """Whether a list that tells a session twice does so however it is cut."""
    return doubtful is not None and found.sessions == doubtful.sessions
