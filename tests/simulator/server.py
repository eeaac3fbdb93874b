"""The CoAP server: a unit that can be reached over UDP.

Messages are encoded and decoded by aiocoap and handled here, so that faults can be put
anywhere and nothing outlives a stop.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from aiocoap import Message
from aiocoap.error import UnparsableMessage
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type

from .blocks import LARGEST_SZX, Block, Blocks
from .exchanges import Exchanges, Outcome, empty
from .faults import Faults
from .link import Address, Link, Timers, Traffic
from .observers import Observers
from .replies import JSON, RefusedError, Reply, error_reply, message_of
from .requests import Asked, asked_block, unknown_critical_options
from .resources import HISTORY, NOTIFY, SESSIONS, Resources, UriPath
from .unit import Change, Unit

# RFC 7252 reserves the token lengths above.
LONGEST_TOKEN = 8

# A log for tests, not a memory leak for a demo that runs for weeks.
REQUESTS_KEPT = 100_000


@dataclass(kw_only=True, eq=False)
class Simulator:
    """A transmitter on a UDP port: an async context manager, and startable again.

    Stopping imitates unplugging: the unit's state stays, its clients are forgotten.
    """

    unit: Unit = field(default_factory=Unit)
    faults: Faults = field(default_factory=Faults)
    """To be switched by its fields: replacing the object does nothing."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one; the same is taken again at the next start."""
    blockwise: bool = True
    """False: every body in one datagram, of up to 65,000 bytes."""
    still: bool = True
    """Whether a body stays as it was at its first block while a client fetches it. False:
    it is made anew for each block."""
    max_szx: int = LARGEST_SZX
    """The largest blocks it sends: 16 bytes for 0, doubling to 1024 for 6."""
    size2: bool = False
    """Whether the first block tells the length of the whole."""
    history_etag: bool = False
    """Whether the history has an ETag too, which is not documented."""
    exact_etag: bool = False
    """False: an ETag is the second of the last change, so it can hide a change. True: each
    change has its own."""
    ping_interval: float = 30.0
    """Seconds from one ping of an observer to the next, as documented."""
    pings_at_once: bool = False
    """Whether the first ping follows on the registration."""
    ack_timeout: float = 2.0
    """Seconds to the first retransmission of a notification; RFC 7252's default."""
    max_retransmit: int = 4
    """RFC 7252's default."""
    max_observers: int | None = None

    requests: list[Asked] = field(init=False, default_factory=list)
    """What was asked, once for each message however often it came."""
    canned: dict[UriPath, bytes | Callable[[], bytes]] = field(init=False, default_factory=dict)
    """Bodies to answer a GET of that path with, whatever its query, instead of the unit's."""
    most_at_once: int = field(init=False, default=0)
    """How many requests were ever unanswered at a time, under the fault `separate`."""
    hooks: dict[tuple[UriPath, int], Callable[[], None]] = field(init=False, default_factory=dict)
    """Called each time before that block of a GET of that path is served."""

    def __post_init__(self) -> None:
        """Put the layers on top of each other."""
        self._timers = Timers()
        self._link = Link(self.faults, self._timers, self._received)
        self._exchanges = Exchanges(
            self._send,
            self._timers,
            ack_timeout=self.ack_timeout,
            max_retransmit=self.max_retransmit,
        )
        self._resources = Resources(
            unit=self.unit, history_etag=self.history_etag, exact_etag=self.exact_etag
        )
        self._observers = Observers(
            self._exchanges,
            self._timers,
            ping=lambda: self.faults.spoil(self._resources.ping_message()),
            ping_interval=self.ping_interval,
            pings_at_once=self.pings_at_once,
            limit=self.max_observers,
            faults=self.faults,
        )
        self._blocks = Blocks(
            self.faults,
            blockwise=self.blockwise,
            still=self.still,
            max_szx=self.max_szx,
            size2=self.size2,
        )
        self._running = False
        self._open = 0

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        if not self._running:
            self.port = await self._link.open(self.host, self.port)
            self.unit.listeners.append(self._announce)
            self._running = True

    async def stop(self) -> None:
        """Hang up: no socket, timer or memory of a client is left."""
        if self._running:
            self._running = False
            self.unit.listeners.remove(self._announce)
            self._forget_clients()
            self._timers.cancel_all()
            await self._link.close()

    @property
    def traffic(self) -> Traffic:
        """What went over the wire so far."""
        return self._link.traffic

    @property
    def observers(self) -> int:
        """How many observers there are now."""
        return len(self._observers)

    @property
    def unacknowledged(self) -> int:
        """How many confirmable messages of its own it is still sending."""
        return len(self._exchanges)

    def forget_observers(self) -> None:
        """Drop all observers without telling them."""
        self._observers.forget()

    def _forget_clients(self) -> None:
        self._observers.forget()
        self._exchanges.forget()
        self._blocks.forget()

    def _announce(self, change: Change) -> None:
        if change.kind == "rebooted":
            self._forget_clients()
        elif change.session is None:
            self._observers.notify(self.faults.spoil(self._resources.settings_message()))
        else:
            message = self._resources.sessions_message(change.session)
            self._observers.notify(self.faults.spoil(message))

    # ----------------------------------------------------------- message layer

    def _send(self, message: Message, remote: Address) -> None:
        if not self.faults.silence:
            self._link.send(message.encode(), remote)

    def _received(self, data: bytes, remote: Address) -> None:
        if self.faults.silence:
            return
        try:
            message = Message.decode(data)
        except UnparsableMessage, ValueError:
            return
        if len(message.token) > LONGEST_TOKEN:
            return
        if message.mtype is Type.ACK:
            self._exchanges.settle(remote, message.mid, Outcome.ACKNOWLEDGED)
        elif message.mtype is Type.RST:
            self._exchanges.settle(remote, message.mid, Outcome.RESET)
        elif self.faults.reset:
            self._send(empty(Type.RST, message.mid), remote)
        elif not message.code.is_request():
            # A CoAP ping is an empty CON; whatever else is no request gets the same.
            if message.mtype is Type.CON:
                self._send(empty(Type.RST, message.mid), remote)
        elif not self._exchanges.answer_duplicate(message, remote):
            self._take_request(message, remote, len(data))

    def _take_request(self, request: Message, remote: Address, size: int) -> None:
        if request.opt.uri_path == SESSIONS and self.faults.deaf_to_sessions:
            return
        if request.opt.uri_path == HISTORY and self.faults.deaf_to_history:
            return
        if request.opt.uri_path == SESSIONS and self.faults.resets_sessions:
            self._send(empty(Type.RST, request.mid), remote)
            return
        asked = Asked.of(request, remote, size)
        self.requests.append(asked)
        del self.requests[:-REQUESTS_KEPT]
        confirmable = request.mtype is Type.CON
        if not confirmable and unknown_critical_options(request):
            return  # To be rejected in silence, says RFC 7252.
        response = self._respond(request, remote)
        acknowledgement = [empty(Type.ACK, request.mid)] if confirmable else []
        if self.faults.empty_ack:
            self._exchanges.answer(request, remote, acknowledgement)
            return
        asked.answered = response.code.dotted
        response.token = request.token
        if self.faults.wrong_token:
            response.token = bytes(byte ^ 0xFF for byte in request.token or b"?")
        if self.faults.separate:
            self._exchanges.answer(request, remote, acknowledgement)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
            later = partial(self._respond_later, response, remote, confirmable)
            self._timers.call_later(self.faults.separate_delay, later)
        elif confirmable:
            response.mtype, response.mid = Type.ACK, request.mid
            self._exchanges.answer(request, remote, [response])
        else:
            response.mtype, response.mid = Type.NON, self._exchanges.next_mid()
            self._exchanges.answer(request, remote, [response])

    def _respond_later(self, response: Message, remote: Address, confirmable: bool) -> None:
        self._open -= 1
        if confirmable:
            self._exchanges.send_confirmable(response, remote, lambda outcome: None)
        else:
            response.mtype, response.mid = Type.NON, self._exchanges.next_mid()
            self._send(response, remote)

    # ----------------------------------------------------------- request layer

    def _respond(self, request: Message, remote: Address) -> Message:
        """Return the response, still without message type, message ID and token."""
        try:
            self._refuse_unfit(request)
            block = asked_block(request)
            self.unit.catch_up()
            if request.code == Code.GET:
                return self._respond_to_get(request, remote, block)
            return message_of(self._reply(request))
        except RefusedError as refused:
            return message_of(error_reply(refused.code, str(refused)))

    def _refuse_unfit(self, request: Message) -> None:
        """Raise RefusedError for what is wrong before anybody looks at the resource."""
        errors = self.faults.errors
        if code := errors.get(request.opt.uri_path) or errors.get(()):
            kind, detail = map(int, code.split("."))
            raise RefusedError(Code(kind << 5 | detail), "out of order")
        if self.faults.error_5_00:
            raise RefusedError(Code.INTERNAL_SERVER_ERROR, "out of order")
        if self.faults.not_a_transmitter:
            raise RefusedError(Code.NOT_FOUND, "no such path")
        if self.faults.no_block_option and request.opt.block2 is not None:
            raise RefusedError(Code.BAD_OPTION, "Block2 is unknown")
        if unknown := unknown_critical_options(request):
            raise RefusedError(Code.BAD_OPTION, f"options {unknown} are unknown")
        if self.faults.history_only and (request.code, request.opt.uri_path) != (
            Code.GET,
            HISTORY,
        ):
            raise RefusedError(Code.NOT_FOUND, "no such path")
        if request.opt.accept not in (None, JSON):
            raise RefusedError(Code.NOT_ACCEPTABLE, "there is JSON only")
        if request.payload and request.opt.content_format not in (None, JSON):
            raise RefusedError(Code.UNSUPPORTED_CONTENT_FORMAT, "send JSON")

    def _respond_to_get(self, request: Message, remote: Address, block: Block) -> Message:
        path = request.opt.uri_path
        if hook := self.hooks.get((path, block.number)):
            hook()
        key = (remote, path, request.opt.uri_query)
        reply = self._blocks.frozen(key) if block.number else None
        if reply is None:
            reply = self._reply(request)
        if not block.number:
            self._blocks.freeze(key, reply)
            if self.faults.always_valid:
                return message_of(Reply(Code.VALID))
            if request.opt.etags and self.faults.etag_lies:
                return message_of(Reply(Code.VALID, etag=request.opt.etags[0]))
            if reply.etag in request.opt.etags:
                return message_of(Reply(Code.VALID, etag=reply.etag))
        message = self._blocks.serve(key, reply, block)
        if path == NOTIFY and not block.number and reply.code == Code.CONTENT:
            if request.opt.observe == 0:
                message.opt.observe = self._observers.register(remote, request.token)
            elif request.opt.observe == 1:
                self._observers.remove(remote, request.token)
        return message

    def _reply(self, request: Message) -> Reply:
        path = request.opt.uri_path
        canned = self.canned.get(path) if request.code == Code.GET else None
        if canned is not None:
            reply = Reply(Code.CONTENT, canned() if callable(canned) else canned)
        else:
            reply = self._resources.answer(
                request.code, path, request.opt.uri_query, request.payload
            )
        if reply.code.is_successful():
            reply = replace(reply, body=self.faults.spoil(reply.body))
        return replace(reply, etag=None) if self.faults.no_etag else reply
