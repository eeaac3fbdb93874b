"""A transmitter of another make: bytes on a UDP socket, and no more than tests ask of it.

It shares no code with the product or with the simulator, nor CoAP's (RFC 7252), so that what they
have in common by mistake is no common mistake here. Nothing happens by itself: a test changes a
session, and says whether and how that is told. Answers are never cut into blocks.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import itertools
import json
from typing import Any, Self, override

HISTORY = "v1/sessions/history"
SESSIONS = "v1/sessions"
SETTINGS = "v1/settings"
NOTIFY = "v1/notify"

# Types of messages.
CON, NON, ACK, RST = range(4)

# Options.
ETAG, OBSERVE, URI_PATH, URI_QUERY, BLOCK2 = 4, 6, 11, 15, 23

METHODS = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}

# What a session is on the wire.
type Session = dict[str, Any]


@dataclass
class Message:
    """A CoAP message. code: "2.05", also of requests ("0.01")."""

    kind: int
    code: str
    message_id: int
    token: bytes = b""
    options: list[tuple[int, bytes]] = field(default_factory=list)
    payload: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a datagram."""
        token_end = 4 + (data[0] & 0x0F)
        options, payload = _read_options(data[token_end:])
        return cls(
            kind=data[0] >> 4 & 0x03,
            code=f"{data[1] >> 5}.{data[1] & 0x1F:02}",
            message_id=int.from_bytes(data[2:4]),
            token=data[4:token_end],
            options=options,
            payload=payload,
        )

    def encode(self) -> bytes:
        """Write a datagram."""
        class_, detail = self.code.split(".")
        head = bytes([0x40 | self.kind << 4 | len(self.token), int(class_) << 5 | int(detail)])
        data = head + self.message_id.to_bytes(2) + self.token
        last = 0
        for number, value in sorted(self.options):
            # A delta of 13 to 268 takes a byte of its own; no value written here is so long.
            delta = number - last
            more = bytes([delta - 13]) if delta > 12 else b""
            data += bytes([min(delta, 13) << 4 | len(value)]) + more + value
            last = number
        return data + (b"\xff" + self.payload if self.payload else b"")

    def texts(self, number: int) -> list[str]:
        """The values of an option, as text."""
        return [value.decode() for option, value in self.options if option == number]


def _read_options(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Read the options of a message, and the payload that follows them."""
    options: list[tuple[int, bytes]] = []
    number = at = 0

    def extended(nibble: int) -> int:
        nonlocal at
        extra = {13: 1, 14: 2}.get(nibble, 0)
        at += extra
        return (0, 13, 269)[extra] + int.from_bytes(data[at - extra : at]) if extra else nibble

    while at < len(data) and data[at] != 0xFF:
        head = data[at]
        at += 1
        number += extended(head >> 4)
        length = extended(head & 0x0F)
        options.append((number, data[at : at + length]))
        at += length
    return options, data[at + 1 :]


def _body(told: object) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


class RawUnit(asyncio.DatagramProtocol):
    """A unit with one observer, on a free port of this machine."""

    host = "127.0.0.1"

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with no session and no history. now: what the unit's clock shows, naive."""
        self.port = 0
        self.active: list[Session] = []
        self.history: list[Session] = []
        # The count of changes; and whether pings have it.
        self.sequence = 100
        self.pings_count = True
        # What was asked, retransmissions included: ("GET", "v1/sessions").
        self.requests: list[tuple[str, str]] = []
        # Error codes, by path; and paths for which nothing comes back.
        self.errors: dict[str, str] = {}
        self.silent: set[str] = set()
        # The ETag of the active sessions, whatever happens to them.
        self.etag: bytes | None = None
        # What commands are answered with, once they were carried out.
        self.answer_to_commands = b""
        # Reads of the history that do not have it yet when a session has ended.
        self.history_lag = 0
        # Ids of active sessions that the list of them leaves out.
        self.unlisted: set[int] = set()
        # Done when somebody registers, whose answer is lost then: once.
        self.instead_of_registration: Callable[[], None] | None = None
        # How many confirmable notifications arrived.
        self.acknowledged = 0
        self._clock = now
        self._transport: asyncio.DatagramTransport | None = None
        self._observer: tuple[tuple[str, int], bytes] | None = None
        self._late: list[Session] = []
        self._ids = itertools.count(1)
        self._message_ids = itertools.count(1000)
        self._observe_numbers = itertools.count(5)

    async def __aenter__(self) -> Self:
        """Open the socket."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        assert self._transport
        self._transport.abort()

    # ----------------------------------------------------------------- what happens to sessions

    def start(self, number: int, *, ago: float = 0, goal: int = 600, **fields: Any) -> Session:
        """Start a session, or have started it so many seconds ago."""
        id_, at = next(self._ids), self._now(ago)
        session = {
            "id": id_,
            "uuid": f"uuid-{id_}",
            "number": number,
            "partySize": 2,
            "goalInSeconds": goal,
            "created": at,
            "started": at,
            "label": None,
            "state": "started",
        } | fields
        self.active.append(session)
        self.sequence += 1
        return session

    def page(self, *sessions: Session) -> None:
        """Page guests, all in one change."""
        self.sequence += 1
        for session in sessions:
            session |= {"notified": self._now(), "state": "paged"}

    def end(self, *sessions: Session, how: str = "STOP") -> None:
        """End sessions, all in one change; the history alone tells how."""
        self.sequence += 1
        for session in sessions:
            self.active.remove(session)
            session |= {"cleared": self._now(), "state": "cleared"}
            archived = {key: session[key] for key in session if key not in ("state", "partySize")}
            self._late.append(archived | {"clearType": how})

    # ------------------------------------------------------------------------ what is told of it

    def message(self, *sessions: Session, has_statistics: bool = True) -> bytes:
        """Write what a notification says of sessions, as they are now."""
        told: dict[str, Any] = {"sessions": sessions}
        if has_statistics:
            told["statistics"] = {}
        return _body({"responseTypes": list(told), "globalSessionSequence": self.sequence, **told})

    def tell(self, *sessions: Session) -> None:
        """Notify the observer of sessions."""
        self.notify(self.message(*sessions))

    def tell_settings(self) -> None:
        """Notify the observer of the settings."""
        self.notify(_body(self._envelope(settings={"datetime": self._now()})))

    def ping(self) -> None:
        """Notify the observer that there is nothing to notify of."""
        ping: dict[str, Any] = {"responseTypes": ["ping"]}
        if self.pings_count:
            ping["globalSessionSequence"] = self.sequence
        self.notify(_body(ping))

    def notify(
        self, payload: bytes, *, kind: int = CON, code: str = "2.05", is_cut: bool = False
    ) -> None:
        """Send a notification, if anybody registered. is_cut: whether it is the first block."""
        if self._observer is None:
            return
        address, token = self._observer
        options = [(OBSERVE, next(self._observe_numbers).to_bytes())]
        if is_cut:
            options.append((BLOCK2, b"\x0a"))  # number 0, more to come, 64 bytes
        self._send(Message(kind, code, next(self._message_ids), token, options, payload), address)

    def send_to_observer(self, data: bytes) -> None:
        """Send a datagram, be it no message."""
        assert self._transport
        assert self._observer
        self._transport.sendto(data, self._observer[0])

    def end_observation(self) -> None:
        """Tell the observer that it is none any more."""
        self.notify(b"", code="5.03")
        self._observer = None

    # ------------------------------------------------------------------------------ on the wire

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = Message.decode(data)
        if request.kind in (ACK, RST):
            self.acknowledged += request.kind == ACK
            return
        method = METHODS[int(request.code[2:])]
        path = "/".join(request.texts(URI_PATH))
        self.requests.append((method, path))
        if path in self.silent:
            return
        options: list[tuple[int, bytes]] = []
        if path in self.errors:
            code, payload = self.errors[path], b""
        elif method != "GET":
            code, payload = self._obey(method, request)
        elif path == NOTIFY:
            self._observer = addr, request.token
            if self.instead_of_registration is not None:
                happen, self.instead_of_registration = self.instead_of_registration, None
                happen()
                return
            options.append((OBSERVE, next(self._observe_numbers).to_bytes()))
            code, payload = "2.05", self._read(path)
        elif path == SESSIONS and self.etag is not None:
            options.append((ETAG, self.etag))
            is_known = (ETAG, self.etag) in request.options
            code, payload = ("2.03", b"") if is_known else ("2.05", self._read(path))
        else:
            code, payload = "2.05", self._read(path)
        self._send(Message(ACK, code, request.message_id, request.token, options, payload), addr)

    def _send(self, message: Message, address: tuple[str, int]) -> None:
        assert self._transport
        self._transport.sendto(message.encode(), address)

    def _read(self, path: str) -> bytes:
        """Answer a GET."""
        if path == HISTORY:
            if self._late and self.history_lag:
                self.history_lag -= 1
            else:
                self.history += self._late
                self._late = []
            return _body(self._envelope(session_history=self.history))
        if path == SETTINGS:
            return _body(self._envelope(settings={"datetime": self._now()}))
        listed = [session for session in self.active if session["id"] not in self.unlisted]
        return _body(self._envelope(sessions=listed, statistics={}))

    def _obey(self, method: str, request: Message) -> tuple[str, bytes]:
        """Carry out a command, and answer it."""
        body = json.loads(request.payload or b"{}")
        if method == "POST":
            self.start(body.pop("number"), **body)
        elif method == "DELETE":
            self.end(*self.active)
        else:
            [number] = (int(query.removeprefix("number=")) for query in request.texts(URI_QUERY))
            [session] = (session for session in self.active if session["number"] == number)
            {"page": self.page, "clear": self.end}[body["action"]](session)
        return "2.04", self.answer_to_commands

    def _envelope(self, **told: Any) -> dict[str, Any]:
        """Write an answer that tells this."""
        return {
            "responseTypes": list(told),
            "globalSessionSequence": self.sequence,
            "timestamp": self._now(),
            "deviceName": "T7470",
            "firmwareVersion": "9.9",
            **told,
        }

    def _now(self, ago: float = 0) -> str:
        """What the clock shows, or showed so many seconds ago."""
        return (self._clock() - timedelta(seconds=ago)).isoformat(timespec="seconds")
