"""The T7470's API, version 1, as methods."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import blockwise
from .coap import DEFAULT_PORT, Endpoint
from .exceptions import ChangedError, MalformedError, TimedOutError
from .models import Envelope, Session, Sessions, parse_history, parse_sessions, salvage_history

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
        body = await self._get(HISTORY)
        return await _read(body, parse_history, salvage_history)

    async def sessions(self, etag: bytes | None = None) -> Answer | None:
        """Get the active sessions (GET /v1/sessions).

        etag: of an earlier answer; None is returned if that answer is still right.
        """
        body = await self._get(SESSIONS, etag=etag)
        if body.first.code == VALID:
            return None
        return await _read(body, parse_sessions)

    async def _get(self, path: str, *, etag: bytes | None = None) -> blockwise.Body:
        """GET a body; a second time if it changed while its blocks were fetched."""
        try:
            async with asyncio.timeout(TRANSFER_TIMEOUT):
                try:
                    body = await blockwise.get(self._endpoint, path, etag=etag)
                    if body.is_unchanged:
                        return body
                except ChangedError:
                    pass
                return await blockwise.get(self._endpoint, path, etag=etag)
        except TimeoutError as err:
            raise TimedOutError("the answer took too long") from err


async def _read(
    body: blockwise.Body,
    parse: Callable[[bytes], Sessions],
    salvage: Callable[[tuple[bytes, ...]], Sessions] | None = None,
) -> Answer:
    """Parse a body; if it is not of one piece, save what is certain."""

    def read() -> tuple[Sessions, bool]:
        # A body in which nothing moved is right if it is JSON, though a session may have been
        # added at its end while it was read. One that tells a session twice was not so still.
        if body.is_in_place:
            try:
                found = parse(body.payload)
            except MalformedError:
                if body.is_unchanged:
                    raise
            else:
                if len(body.blocks) == 1 or _are_different(found.sessions):
                    return found, True
        if salvage is None:
            raise ChangedError
        return salvage(body.blocks), False

    if sum(map(len, body.blocks)) > THREAD_PARSE:
        found, is_complete = await asyncio.to_thread(read)
    else:
        found, is_complete = read()
    return Answer(
        envelope=found.envelope,
        sessions=found.sessions,
        skipped=found.skipped,
        is_complete=is_complete,
        etag=body.first.etag,
        asked=body.first.asked,
        answered=body.first.answered,
    )


def _are_different(sessions: tuple[Session, ...]) -> bool:
    """Whether no session is there twice."""
    return len({s.uuid or (s.id, s.created) for s in sessions}) == len(sessions)
