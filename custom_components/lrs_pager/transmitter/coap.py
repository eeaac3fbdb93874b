"""CoAP exchanges with one endpoint (RFC 7252).

The only file that imports aiocoap: its untyped values, its error tree and its traps
end here. What it takes care of, so that nobody else has to:

- A request that has ended, however it ended, is never sent again later. aiocoap goes on
  retransmitting what its caller has given up (chrysn/aiocoap#363), so its context is shut
  down with every request that gets no answer, and a new one is made for the next.
- One exchange at a time (NSTART = 1), and each bounded in time, also where the unit
  acknowledges a request and then never answers it.
- A kernel without IPv6, where aiocoap's main transport can't be made.
- Datagrams over 4 KiB, which that transport cuts without a word.
- Names: resolved anew after every failure, and each address tried.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
import ipaddress
import logging
import socket
import sys
from typing import Any

import aiocoap
import aiocoap.error
from aiocoap.numbers.constants import TransportTuning

# Imported here and not when the first context is made: that would read files in the event loop.
import aiocoap.transports.simple6
import aiocoap.transports.udp6
from aiocoap.util import hostportjoin

from .exceptions import (
    ClosedError,
    MalformedError,
    NotResolvedError,
    RefusedError,
    TimedOutError,
    TransmitterError,
    UnreachableError,
)

# The port that RFC 7252 assigns to CoAP, and the vendor's samples use.
DEFAULT_PORT = 5683

# Seconds that one exchange may take, all retransmissions included. A unit on the same network
# answers in milliseconds; 12 s leave room for five to six transmissions, and tell the user
# that the unit is gone well before the next poll is due.
EXCHANGE_TIMEOUT = 12.0

# Seconds before the first retransmission, until the unit's own speed is known. RFC 7252 (4.8.1)
# has 2 s, for the Internet. On a local network half a second is long, and a lost datagram is
# then made good four times sooner.
INITIAL_ACK_TIMEOUT = 0.5

# Once round trips were measured, RFC 7252 (4.8.1) lets ACK_TIMEOUT follow them: it is this many
# times the quickest of the last few, which ignores those that a lost datagram made slow ...
ACK_TIMEOUT_FACTOR = 4
ROUND_TRIPS_KEPT = 8
# ... but not less than this, as a small device may be busy for a moment ...
MIN_ACK_TIMEOUT = 0.2
# ... nor more than the RFC's own figure.
MAX_ACK_TIMEOUT = 2.0

# More than fit into EXCHANGE_TIMEOUT, which is what ends an exchange.
MAX_RETRANSMIT = 8

# aiocoap's udp6 reads at most 4,096 bytes of a datagram. A payload within 64 bytes of that, the
# most that header, token and the options of an answer take here, was probably cut.
SUSPICIOUS_PAYLOAD = 4096 - 64

# aiocoap reports a peer's faults as warnings and errors. They reach our callers as exceptions,
# and the user as one log line, so its own lines are off; "enable debug logging" turns them on
# (manifest.json names this logger). They hold addresses and sizes, never payloads.
COAP_LOGGER = "lrs_pager.coap"
logging.getLogger(COAP_LOGGER).setLevel(logging.CRITICAL + 1)


class Method(Enum):
    """Request methods (RFC 7252, 5.8)."""

    GET = aiocoap.GET
    POST = aiocoap.POST
    PUT = aiocoap.PUT
    DELETE = aiocoap.DELETE


@dataclass(frozen=True, slots=True)
class Block:
    """A Block2 option (RFC 7959).

    number: of the block, from 0. more: whether others follow. size: in bytes, 16 to 1024.
    """

    number: int
    more: bool
    size: int

    @property
    def offset(self) -> int:
        """Where in the body the block begins, in bytes."""
        return self.number * self.size


@dataclass(frozen=True, slots=True)
class Response:
    """One response message.

    code: "2.05". etag: the ETag option. block: the Block2 option.
    asked, answered: our own clock around the exchange, in UTC; the unit wrote its answer
    at some moment between the two.
    """

    code: str
    payload: bytes
    etag: bytes | None
    block: Block | None
    asked: datetime
    answered: datetime

    @property
    def is_success(self) -> bool:
        """Whether the code is any 2.xx: as the vendor states hardly any, none is insisted on."""
        return self.code.startswith("2.")


class _Tuning(TransportTuning):  # type: ignore[misc]  # aiocoap is untyped
    """Confirmable, with our own time-outs."""

    reliability = True
    MAX_RETRANSMIT = MAX_RETRANSMIT

    def __init__(self, ack_timeout: float) -> None:
        self.ACK_TIMEOUT = ack_timeout


class Endpoint:
    """The CoAP server at a host and port, as seen by one client.

    host: an IPv4 or IPv6 address, or a name. Nothing is opened before the first exchange.
    Errors of every method: UnreachableError and those below it, MalformedError.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Take the address; the network is not touched."""
        self._host = host
        self._port = port
        self._context: aiocoap.Context | None = None
        self._remote: Any = None  # the address that answered, for as long as the context lives
        # udp6 tells at once of a closed port and an unreachable host, and reads names anew;
        # it is written for Linux.
        self._transport = "udp6" if sys.platform == "linux" else "simple6"
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS_KEPT)
        self._turn = asyncio.Lock()
        self._closed = False

    async def close(self) -> None:
        """Close for good. An exchange under way fails; nothing is sent from now on."""
        self._closed = True
        await self._drop_context()

    async def exchange(
        self,
        method: Method,
        path: str,
        *,
        query: Sequence[str] = (),
        etag: bytes | None = None,
        block: Block | None = None,
    ) -> Response:
        """Send one confirmable request and return its response, whatever its code.

        path: "/v1/sessions". query: "name=value" items.
        """
        async with self._turn:

            def request(address: str | None) -> aiocoap.Message:
                message = aiocoap.Message(
                    code=method.value, transport_tuning=_Tuning(self._ack_timeout())
                )
                if address is None:
                    message.remote = self._remote
                else:
                    message.set_request_uri(
                        f"coap://{hostportjoin(address, self._port)}", set_uri_host=False
                    )
                message.opt.uri_path = tuple(path.strip("/").split("/"))
                message.opt.uri_query = tuple(query)
                if etag is not None:
                    message.opt.etags = [etag]
                if block is not None:
                    # 16 bytes are size exponent 0, 1024 are 6.
                    message.opt.block2 = (block.number, False, block.size.bit_length() - 5)
                return message

            response = await self._send(request)
            if (
                self._transport == "udp6"
                and response.block is None
                and len(response.payload) >= SUSPICIOUS_PAYLOAD
                and method is Method.GET
            ):
                self._transport = "simple6"
                await self._drop_context()
                response = await self._send(request)
            return response

    async def _send(self, request: Any) -> Response:
        """Send to the address that answered last, else to each that the host has."""
        if self._remote is not None:
            return await self._bounded(request(None))
        failure: UnreachableError | None = None
        for address in await resolve(self._host, self._port):
            try:
                return await self._bounded(request(address))
            except UnreachableError as err:
                failure = err
        raise failure or NotResolvedError("the host has no address")

    async def _bounded(self, message: aiocoap.Message) -> Response:
        """One request, one response; on anything else the context goes."""
        if self._closed:
            raise ClosedError("closed")
        loop = asyncio.get_running_loop()
        asked, began = datetime.now(UTC), loop.time()
        try:
            async with asyncio.timeout(EXCHANGE_TIMEOUT):
                if self._context is None:
                    self._context = await self._create_context()
                    if self._closed:  # in the meantime
                        raise ClosedError("closed")
                answer = await self._context.request(message, handle_blockwise=False).response
        except BaseException as err:
            await self._drop_context()
            if isinstance(err, Exception):
                raise _translated(err) from err
            raise
        self._round_trips.append(loop.time() - began)
        self._remote = answer.remote
        block2 = answer.opt.block2
        return Response(
            code=answer.code.dotted,
            payload=answer.payload,
            etag=answer.opt.etag,
            block=block2 and Block(block2.block_number, block2.more, block2.size),
            asked=asked,
            answered=datetime.now(UTC),
        )

    def _ack_timeout(self) -> float:
        """Seconds to the first retransmission."""
        if not self._round_trips:
            return INITIAL_ACK_TIMEOUT
        measured = ACK_TIMEOUT_FACTOR * min(self._round_trips)
        return min(max(measured, MIN_ACK_TIMEOUT), MAX_ACK_TIMEOUT)

    async def _create_context(self) -> aiocoap.Context:
        """Open a socket: 0.1 ms, as the transports were imported above."""
        with suppress(OSError):
            return await aiocoap.Context.create_client_context(
                loggername=COAP_LOGGER, transports=[self._transport]
            )
        # udp6 opens an IPv6 socket also for IPv4, which a kernel without IPv6 does not have.
        return await aiocoap.Context.create_client_context(
            loggername=COAP_LOGGER, transports=["simple6"]
        )

    async def _drop_context(self) -> None:
        """Close the socket, and with it all that aiocoap would still send or wait for."""
        context, self._context, self._remote = self._context, None, None
        if context is not None:
            await context.shutdown()


async def resolve(host: str, port: int = DEFAULT_PORT) -> list[str]:
    """Return the IP addresses of a host: IPv4 first, which is what the vendor's pages show.

    Raises NotResolvedError.
    """
    try:
        async with asyncio.timeout(EXCHANGE_TIMEOUT):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, ValueError) as err:  # TimeoutError is an OSError, UnicodeError a ValueError
        raise NotResolvedError("the host's name could not be resolved") from err
    addresses = []
    for _family, *_, sockaddr in sorted(found, key=lambda item: item[0] != socket.AF_INET):
        address, flow_and_zone = str(sockaddr[0]), sockaddr[2:]
        # A confirmable request to a group is not allowed (RFC 7252, 8.1).
        if not ipaddress.ip_address(address).is_multicast:
            # A link-local IPv6 address means nothing without its interface.
            zone = flow_and_zone[-1] if flow_and_zone else 0
            addresses.append(f"{address}%{socket.if_indextoname(zone)}" if zone else address)
    return list(dict.fromkeys(addresses))


def _translated(err: Exception) -> TransmitterError:
    """Our error for one of aiocoap's. Theirs never leave this file."""
    match err:
        case TransmitterError():
            return err
        case TimeoutError() | aiocoap.error.TimeoutError():
            return TimedOutError("no answer")
        case aiocoap.error.NetworkError() if isinstance(err.__cause__, ConnectionRefusedError):
            return RefusedError("nothing listens on the port")
        case aiocoap.error.MessageError():
            return RefusedError("the message was reset")
        case aiocoap.error.LibraryShutdown():
            return ClosedError("closed")
        case aiocoap.error.NetworkError() | OSError():
            # Also what aiocoap calls a ResolutionError: it is asked for addresses only, and has
            # that for those to which there is no route.
            return UnreachableError("the network does not reach the host")
        case _:
            return MalformedError("message", f"not a CoAP answer ({type(err).__name__})")
