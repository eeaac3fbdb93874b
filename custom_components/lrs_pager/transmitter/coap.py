"""CoAP exchanges with one endpoint (RFC 7252).

The only file that imports aiocoap: its untyped values, its error tree and its traps
end here. What it takes care of, so that nobody else has to:

- A request that has ended, however it ended, is never sent again later. aiocoap goes on
  retransmitting what its caller has given up (chrysn/aiocoap#363), so its context is shut
  down with every request that gets no answer, and a new one is made for the next.
- One exchange at a time (NSTART = 1), and each bounded in time, also where the unit
  acknowledges a request and then never answers it. A command does not wait behind a read that
  gets no answer, and is not sent at all if it would be late.
- An observation whose unit has rebooted, moved or forgotten us looks alive for ever
  (chrysn/aiocoap#241): whoever observes ends it by cancelling. Its end closes its socket, so that
  a unit which goes on notifying is told (by ICMP) that nobody listens; a cancelled observation of
  aiocoap would go on acknowledging.
- A kernel without IPv6, where aiocoap's main transport can't be made.
- Datagrams over 4 KiB, which that transport cuts without a word.
- Names: resolved anew after every failure, and each address tried, but by reads alone: a name may
  have the addresses of two units.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
import ipaddress
import logging
import math
import socket
import sys
from typing import Any, Never, Protocol

import aiocoap
import aiocoap.error
from aiocoap.numbers.constants import TransportTuning

# Imported here and not when the first context is made: that would read files in the event loop.
import aiocoap.transports.simple6
import aiocoap.transports.udp6
from aiocoap.util import hostportjoin

from .behaviour import Behaviour, Exchange
from .datagrams import hear_answers_alone
from .exceptions import (
    ClosedError,
    MalformedError,
    NotResolvedError,
    NotSentError,
    RefusedError,
    RejectedError,
    TimedOutError,
    TransmitterError,
    UnreachableError,
)

# The port that RFC 7252 assigns to CoAP, and the vendor's samples use.
DEFAULT_PORT = 5683

# Seconds that one exchange may take, all retransmissions included. A unit on the same network
# answers in milliseconds; 12 s leave room for five to six transmissions, and tell the user
# that the unit is gone well before the next poll is due. A command waits no longer for its turn,
# either: whoever gave it has given up by then, and may have given it again.
EXCHANGE_TIMEOUT = 12.0

# Seconds to resolve the name of a host of which an address is known that has answered.
KNOWN_HOST_TIMEOUT = 1.0

# Seconds before the first retransmission, until the unit's own speed is known. RFC 7252 (4.8.1)
# has 2 s, for the Internet. On a local network half a second is long, and a lost datagram is
# then made good four times sooner.
INITIAL_ACK_TIMEOUT = 0.5

# For commands, RFC 7252's least: a page is no read, and a unit that is slow to send it on the
# air must not be urged. Two retransmissions are over by 4.5 s and given up by 10.5 s, before
# EXCHANGE_TIMEOUT: what the caller was told has failed is never sent again.
COMMAND_ACK_TIMEOUT = 1.0
COMMAND_MAX_RETRANSMIT = 2

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

# 2.03 Valid: the body that the client holds is still right (RFC 7252, 5.9.1.3).
VALID = "2.03"

# aiocoap's udp6 reads at most 4,096 bytes of a datagram. A payload within 64 bytes of that, the
# most that header, token and the options of an answer take here, was probably cut.
SUSPICIOUS_PAYLOAD = 4096 - 64

# aiocoap reports a peer's faults as warnings and errors. They reach our callers as exceptions,
# and the user as one log line, so its own lines are off; "enable debug logging" turns them on
# (manifest.json names this logger). They hold addresses and sizes, never payloads. "Disable debug
# logging" leaves the logger without a level of its own, which alone would let warnings through.
COAP_LOGGER = "lrs_pager.coap"
logging.getLogger(COAP_LOGGER).addFilter(
    lambda _: logging.getLogger(COAP_LOGGER).level != logging.NOTSET
)


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

    code: "2.05". etag, block: the ETag and Block2 options; None without them.
    asked, answered: the event loop's time (seconds) around the exchange; the unit wrote its answer
    at some moment between the two. is_repeated: whether the request was sent before, and perhaps
    answered, so that the unit may have met it twice.
    """

    code: str
    payload: bytes
    etag: bytes | None
    block: Block | None
    asked: float
    answered: float
    is_repeated: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the code is 2.xx, whichever: the vendor documents hardly any."""
        return self.code.startswith("2.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request message. path: "/v1/sessions". query: "name=value" items. payload: JSON.

    deadline: until when (the event loop's time) its turn may come; after that it is not sent. Reads
    without an answer make way for a request that has one, as every command has.
    """

    method: Method
    path: str
    query: Sequence[str] = ()
    etag: bytes | None = None
    block: Block | None = None
    payload: bytes = b""
    deadline: float = math.inf

    @property
    def is_command(self) -> bool:
        """Whether it does something, so that it must not be sent a second time."""
        return self.method is not Method.GET


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """When something is sent on an observation's socket, so that the way back stays open.

    first: seconds after the observation's beginning. interval: seconds from one message to the
    next; None if there is just one. Through a NAT, notifications arrive only as long as the NAT
    remembers the last packet that went the other way.
    """

    first: float
    interval: float | None = None


class _Tuning(TransportTuning):  # type: ignore[misc]  # aiocoap is untyped
    """Confirmable, with our own time-outs; every notification is delivered."""

    reliability = True
    # aiocoap drops notifications whose Observe number is not above the last. The unit may count
    # as it likes: a notification is judged by its contents.
    OBSERVATION_RESET_TIME = -math.inf  # a clock that is set back by any time can't matter

    def __init__(self, ack_timeout: float, max_retransmit: int) -> None:
        self.ACK_TIMEOUT = ack_timeout
        self.MAX_RETRANSMIT = max_retransmit


class _Unconfirmed(TransportTuning):  # type: ignore[misc]  # aiocoap is untyped
    """Non-confirmable: sent once, and nothing fails if there is no answer.

    A confirmable request without an answer would end the observation, in aiocoap.
    """

    reliability = False


class _Address(aiocoap.transports.udp6.UDP6EndpointAddress):  # type: ignore[misc]
    """The address of one host, as `resolve` returns no groups.

    aiocoap works `is_multicast` out from the address's text three times for each message, which
    takes a tenth of a long transfer.
    """

    is_multicast = False


class _InterruptedError(TimeoutError):
    """A read made way for a request with a deadline; it is to be sent again."""


class _RoundTrips:
    """How long the last few exchanges took."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=ROUND_TRIPS_KEPT)

    def add(self, seconds: float) -> None:
        """Take in one that was answered."""
        self._seconds.append(seconds)

    @property
    def ack_timeout(self) -> float:
        """Seconds to the first retransmission of a read."""
        if not self._seconds:
            return INITIAL_ACK_TIMEOUT
        measured = ACK_TIMEOUT_FACTOR * min(self._seconds)
        return min(max(measured, MIN_ACK_TIMEOUT), MAX_ACK_TIMEOUT)


class _Turn:
    """Lets requests go out one at a time; reads without an answer make way for urgent ones."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        # Whether a read has the turn that makes way. A read with a deadline does not: two of them
        # would push each other out until both are too late.
        self._makes_way = False
        # The time-out of a read that waits for its answer, and whether an urgent request ended it.
        self._read_timeout: asyncio.Timeout | None = None
        self._is_interrupted = False

    @asynccontextmanager
    async def of(self, request: Request, patience: float) -> AsyncIterator[None]:
        """Wait until it is this request's turn, and have it.

        patience: seconds within which a read may be answered before it makes way for this request.
        Raises NotSentError if the turn does not come before the deadline.
        """
        is_urgent = request.deadline < math.inf
        if is_urgent:
            await self._take_until(request.deadline, patience)
        else:
            await self._lock.acquire()
        self._makes_way = not is_urgent
        try:
            yield
        finally:
            self._lock.release()

    async def _take_until(self, deadline: float, patience: float) -> None:
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def interrupt() -> None:
            nonlocal timer
            # A read whose time-out has expired by itself is about to give up its turn.
            if self._read_timeout is not None and not self._read_timeout.expired():
                self._is_interrupted = True
                self._read_timeout.reschedule(loop.time())
            # The reads that wait before this request may get no answer, either.
            timer = loop.call_later(patience, interrupt)

        if loop.time() >= deadline:
            raise NotSentError("it is too late")
        timer = loop.call_later(patience, interrupt)
        try:
            async with asyncio.timeout_at(deadline):
                await self._lock.acquire()
        except TimeoutError as err:
            raise NotSentError("its turn has not come in time") from err
        finally:
            timer.cancel()

    @asynccontextmanager
    async def limit(self, seconds: float | None) -> AsyncIterator[None]:
        """Bound what is awaited. To be entered by whoever has the turn.

        seconds: None for no limit.
        Raises TimeoutError, and _InterruptedError in a read's turn that is to make way.
        """
        try:
            async with asyncio.timeout(seconds) as timeout:
                self._read_timeout = timeout if self._makes_way else None
                yield
        except TimeoutError as err:
            if self._is_interrupted:
                raise _InterruptedError from err
            raise
        finally:
            self._read_timeout, self._is_interrupted = None, False


class Host:
    """The addresses of a host, which may be those of several units.

    good: the address that answered last. is_silent: whether it was tried since, and did not answer.
    moved: called when another one has answered a read; until then, commands and observations are
    for the good one alone. is_anothers: to be set when another unit than the one that is meant was
    found at the good one; reads then try the others first.
    """

    def __init__(self, host: str, port: int) -> None:
        """Look nothing up yet."""
        self._name = host, port
        self.good: str | None = None
        self.moved: Callable[[], None] = lambda: None
        self.is_anothers = False
        self.is_silent = False

    def answered(self, address: str) -> None:
        """Take note of an answer."""
        has_moved = self.good not in (None, address)
        self.good, self.is_anothers, self.is_silent = address, False, False
        if has_moved:
            self.moved()

    async def addresses(self) -> list[str]:
        """The addresses that a read tries: the good one first, or last if it is another unit's.

        While the name can't be resolved, the good one alone, as the unit may well be there all the
        same; NotResolvedError if none has answered yet. That takes KNOWN_HOST_TIMEOUT; if the good
        one was silent, as long as `resolve` takes: the unit may have another address now.
        """
        good = self.good
        is_known = good is not None and not self.is_silent
        try:
            async with asyncio.timeout(KNOWN_HOST_TIMEOUT if is_known else None):
                addresses = await resolve(*self._name)
        except NotResolvedError, TimeoutError:
            if good is None:
                raise
            return [good]
        return sorted(addresses, key=lambda address: (address == good) is self.is_anothers)

    async def identified(self) -> list[str]:
        """The addresses that a command or an observation tries: the good one, if there is one."""
        return await self.addresses() if self.good is None else [self.good]


class Exchanges(Protocol):
    """What sends requests."""

    async def exchange(self, request: Request) -> Response:
        """See Endpoint."""


class Endpoint:
    """The CoAP server at a host and port, as seen by one client.

    host: an IPv4 or IPv6 address, or a name. Nothing is opened before the first exchange.
    Errors of every method: UnreachableError and those below it, MalformedError.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Take the address; the network is not touched."""
        self.behaviour = Behaviour()
        self._port = port
        self.host = Host(host, port)
        self._context: aiocoap.Context | None = None
        self._remote: Any = None  # the address that answered, for as long as the context lives
        # udp6 tells at once of a closed port and of an unreachable host; it is written for Linux.
        self._transport = "udp6" if sys.platform == "linux" else "simple6"
        self._round_trips = _RoundTrips()
        self._turn = _Turn()
        self._observers: set[aiocoap.Context] = set()
        self._closed = False

    async def close(self) -> None:
        """Close for good. An exchange under way fails; nothing is sent from now on."""
        self._closed = True
        await self._drop_context()
        while self._observers:
            await self._observers.pop().shutdown()

    async def exchange(self, request: Request) -> Response:
        """Send one confirmable request and return its response, whatever its code."""
        is_repeated = False
        while True:
            try:
                async with self._turn.of(request, self._round_trips.ack_timeout):
                    response = await self._send(request)
                    if self._transport == "udp6" and _may_be_cut(request, response):
                        self._transport = "simple6"
                        await self._drop_context()
                        is_repeated = True
                        response = await self._send(request)
            except _InterruptedError:
                is_repeated = True
            else:
                return replace(response, is_repeated=True) if is_repeated else response

    async def _send(self, request: Request) -> Response:
        """Send to the address that answered last, else to each that the host has."""
        host = self.host
        if self._remote is not None and not host.is_anothers:
            return await self._bounded(request, None)
        failure: UnreachableError | None = None
        async with self._turn.limit(None):  # a command does not wait for the name, either
            addresses = await (host.identified() if request.is_command else host.addresses())
        for address in addresses:
            try:
                response = await self._bounded(request, address)
            except UnreachableError as err:
                failure = err
                if request.is_command and not isinstance(err, RefusedError):
                    raise  # it may have arrived
            else:
                host.answered(address)
                return response if failure is None else replace(response, is_repeated=True)
        raise failure or NotResolvedError("the host has no address")

    async def _bounded(self, request: Request, address: str | None) -> Response:
        """Send one request and return its response; whatever goes wrong, drop the context."""
        if self._closed:
            raise ClosedError("closed")
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            async with self._turn.limit(EXCHANGE_TIMEOUT):
                if self._context is None:
                    self._context = await _open_context(self._transport)
                    if self._closed:  # in the meantime
                        raise ClosedError("closed")
                message = self._message(request, address)
                answer = await _answer_to(self._context.request(message, handle_blockwise=False))
        except BaseException as err:
            await self._drop_context()
            if isinstance(err, _InterruptedError) or not isinstance(err, Exception):
                raise
            failure = _translated(err)
            self.host.is_silent |= isinstance(failure, UnreachableError)
            is_late = loop.time() - asked >= COMMAND_ACK_TIMEOUT
            if request.is_command and is_late and isinstance(failure, RefusedError):
                # A retransmission was refused; what was sent before it may have arrived.
                failure = TimedOutError("no answer, and then refused")
            raise failure from err
        if address is not None:
            self._remote = _unicast(answer.remote)
        response = _response(answer, asked)
        self._round_trips.add(response.answered - asked)
        self.behaviour.exchange(*_seen(request, response, is_answer=True))
        return response

    def _message(self, request: Request, address: str | None) -> aiocoap.Message:
        """Write a request for aiocoap: to an address, or to the one that answered last."""
        if request.is_command:
            tuning = _Tuning(COMMAND_ACK_TIMEOUT, COMMAND_MAX_RETRANSMIT)
        else:
            tuning = _Tuning(self._round_trips.ack_timeout, MAX_RETRANSMIT)
        message = _message(request, tuning)
        if address is None:
            message.remote = self._remote
        else:
            message.remote = aiocoap.message.UndecidedRemote(
                "coap", hostportjoin(address, self._port)
            )
        return message

    async def observe(
        self,
        request: Request,
        tell: Callable[[Response], None],
        small: Request,
        keep_alive: KeepAlive | None,
    ) -> Never:
        """Observe a resource (RFC 7641) until that ends, and raise why it did.

        Silence does not end it: a caller that waits no longer cancels it. tell: called with the
        answer to the registration and with each notification, in the order in which they arrive.
        small: the request that keeps the way back open. keep_alive: when it is sent; None: never.
        Further errors: RejectedError; its code is a success if the resource can't be observed.
        """
        if self._closed:
            raise ClosedError("closed")
        loop = asyncio.get_running_loop()
        context = None
        try:
            while True:
                # A socket of its own: an exchange that fails closes the one that exchanges have.
                context = await _open_context(self._transport)
                self._observers.add(context)
                if self._closed:  # in the meantime
                    raise ClosedError("closed")
                with suppress(_InterruptedError):
                    async with self._turn.of(request, self._round_trips.ack_timeout):
                        asked = loop.time()
                        # Without a reference to it, aiocoap would end the observation.
                        _asking, inbox, first = await self._register(context, request)
                        address = self.host.good
                        break
                await self._leave(context)
            if not first.code.is_successful() or first.opt.observe is None:
                raise RejectedError(first.code.dotted)
            self.behaviour.registered()
            registered = _response(first, asked)
            self.behaviour.exchange(*_seen(request, registered, is_answer=True))
            tell(registered)
            keeper = _Keeper(context, first.remote, small, keep_alive)
            while not isinstance(received := await keeper.wait_for(inbox), Exception):
                if not received.code.is_successful():
                    raise RejectedError(received.code.dotted)
                if self.host.good != address:
                    raise UnreachableError("the unit answers at another address now")
                notification = _response(received, loop.time())
                self.behaviour.exchange(*_seen(request, notification, is_answer=False))
                tell(notification)
            if isinstance(
                received, (aiocoap.error.NotObservable, aiocoap.error.ObservationCancelled)
            ):
                raise UnreachableError("the unit ended the observation")
            raise received
        except Exception as err:
            raise _translated(err) from err
        finally:
            await self._leave(context)

    async def _leave(self, context: aiocoap.Context | None) -> None:
        """Close an observation's socket, if it has one."""
        if context is not None and context in self._observers:  # which close() empties
            self._observers.remove(context)
            await context.shutdown()

    async def _register(
        self, context: aiocoap.Context, request: Request
    ) -> tuple[Any, asyncio.Queue[aiocoap.Message | Exception], aiocoap.Message]:
        """Send the registration; return aiocoap's request, the inbox of notifications, the answer.

        aiocoap's iterator over notifications holds one: a second that arrives before the first was
        taken replaces it. Hence its callbacks, though they are deprecated.
        Raises _InterruptedError if it made way for a command.
        """
        failure: Exception | None = None
        async with self._turn.limit(None):
            addresses = await self.host.identified()
        for address in addresses:
            message = self._message(request, address)
            message.opt.observe = 0
            try:
                async with self._turn.limit(EXCHANGE_TIMEOUT):
                    asking = context.request(message, handle_blockwise=False)
                    inbox: asyncio.Queue[aiocoap.Message | Exception] = asyncio.Queue()
                    # Before the answer is there, so that no notification is missed.
                    asking.observation.register_callback(
                        inbox.put_nowait, _suppress_deprecation=True
                    )
                    asking.observation.register_errback(
                        inbox.put_nowait, _suppress_deprecation=True
                    )
                    answer = await _answer_to(asking)
                    self.host.answered(address)
                    return asking, inbox, answer
            except _InterruptedError:
                raise
            except Exception as err:  # noqa: BLE001  # whatever it is, another address may answer
                failure = err
        raise failure or NotResolvedError("the host has no address")

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
            with suppress(OSError):  # the interface may have gone in between
                addresses.append(f"{address}%{socket.if_indextoname(zone)}" if zone else address)
    return list(dict.fromkeys(addresses))


class _Keeper:
    """Keeps the way back to an observation's socket open."""

    def __init__(
        self, context: aiocoap.Context, remote: Any, request: Request, when: KeepAlive | None
    ) -> None:
        """request: what is sent; its answer is not looked at. when: None for never."""
        self._context, self._remote, self._request = context, remote, request
        self._interval = None if when is None else when.interval
        self._at = None if when is None else asyncio.get_running_loop().time() + when.first
        self._asking: aiocoap.protocol.Request | None = None

    async def wait_for(
        self, inbox: asyncio.Queue[aiocoap.Message | Exception]
    ) -> aiocoap.Message | Exception:
        """Wait for the next notification or error, and send meanwhile what is due."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._at):
                    return await inbox.get()
            self._send()
            now = asyncio.get_running_loop().time()
            self._at = None if self._interval is None else now + self._interval

    def _send(self) -> None:
        if self._asking is not None:
            self._asking.response.cancel()
        message = _message(self._request, _Unconfirmed())
        message.remote = self._remote
        self._asking = self._context.request(message, handle_blockwise=False)
        # asyncio would log that there was no answer.
        self._asking.response.add_done_callback(
            lambda answer: answer.cancelled() or answer.exception()
        )


async def _open_context(transport: str) -> aiocoap.Context:
    """Open a socket that hears answers alone: 0.1 ms, as transports are imported above.

    transport: aiocoap's name for it. udp6 opens an IPv6 socket also for IPv4; a kernel without IPv6
    has none, and gets simple6.
    """
    create = partial(aiocoap.Context.create_client_context, loggername=COAP_LOGGER)
    try:
        context = await create(transports=[transport])
    except OSError:
        context = await create(transports=["simple6"])
    return hear_answers_alone(context)


async def _answer_to(asking: aiocoap.protocol.Request) -> aiocoap.Message:
    """Wait for the answer, or whatever aiocoap raises instead.

    Its future is never cancelled: an answer that arrives in the same moment would meet a cancelled
    future, and raise into the event loop, which logs that.
    """
    arrived = asyncio.get_running_loop().create_future()

    def wake(response: asyncio.Future[aiocoap.Message]) -> None:
        # If the caller was cancelled, nobody else asks for the error, and asyncio would log it.
        _ = response.cancelled() or response.exception()
        if not arrived.done():
            arrived.set_result(None)

    asking.response.add_done_callback(wake)
    await arrived
    return asking.response.result()


def _message(request: Request, tuning: TransportTuning) -> aiocoap.Message:
    """Write a request for aiocoap, to nobody yet."""
    message = aiocoap.Message(
        code=request.method.value, payload=request.payload, transport_tuning=tuning
    )
    message.opt.uri_path = tuple(request.path.strip("/").split("/"))
    message.opt.uri_query = tuple(request.query)
    if request.etag is not None:
        message.opt.etags = [request.etag]
    if request.block is not None:
        # 16 bytes are size exponent 0, 1024 are 6.
        exponent = request.block.size.bit_length() - 5
        message.opt.block2 = (request.block.number, False, exponent)
    if request.payload:
        message.opt.content_format = aiocoap.ContentFormat.JSON
    return message


def _unicast(remote: Any) -> Any:
    """The address that answered, for the requests that follow."""
    if type(remote) is not aiocoap.transports.udp6.UDP6EndpointAddress:
        return remote
    return _Address(remote.sockaddr, remote.interface, pktinfo=remote.pktinfo)


def _response(message: aiocoap.Message, asked: float) -> Response:
    """Read a response of aiocoap's."""
    block2 = message.opt.block2
    return Response(
        code=message.code.dotted,
        payload=message.payload,
        etag=message.opt.etag,
        block=block2 and Block(block2.block_number, block2.more, block2.size),
        asked=asked,
        answered=asyncio.get_running_loop().time(),
    )


def _may_be_cut(request: Request, response: Response) -> bool:
    """Whether a response may be longer than what arrived, and may be asked for again."""
    is_large = response.block is None and len(response.payload) >= SUSPICIOUS_PAYLOAD
    return is_large and not request.is_command


def _seen(request: Request, response: Response, *, is_answer: bool) -> tuple[str, Exchange]:
    """What `Behaviour.exchange` takes of a response: the resource, and the exchange."""
    block = response.block
    name = f"{request.method.name} {request.path}"
    return name if is_answer else f"{name} (notifications)", Exchange(
        code=response.code,
        size=len(response.payload),
        has_etag=response.etag is not None,
        asked=request.block.number if request.block else None,
        number=block.number if block else None,
        block_size=block.size if block else None,
        seconds=response.answered - response.asked if is_answer else None,
    )


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
            # Also aiocoap's ResolutionError: as it is given addresses only, it raises that if there
            # is no route to one.
            return UnreachableError("the network does not reach the host")
        case _:
            return MalformedError("message", f"not a CoAP answer ({type(err).__name__})")
