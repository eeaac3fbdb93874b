"""CoAP's message layer (RFC 7252, section 4): message IDs, duplicates, retransmission."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
import math

from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type

from .link import Address, Timers

# EXCHANGE_LIFETIME of RFC 7252: for so long a message ID names one message only, in seconds.
EXCHANGE_LIFETIME = 247

# More exchanges than any client has under way; what is older is forgotten before its time.
REMEMBERED = 512

MID_MODULUS = 0x10000

type Send = Callable[[Message, Address], None]


class Outcome(Enum):
    """How the sending of a confirmable message ended."""

    ACKNOWLEDGED = auto()
    RESET = auto()
    GAVE_UP = auto()


@dataclass
class _Unacknowledged:
    message: Message
    done: Callable[[Outcome], None]
    timer: asyncio.TimerHandle


class Exchanges:
    """What has to be remembered of the messages that came and went."""

    def __init__(
        self, send: Send, timers: Timers, *, ack_timeout: float, max_retransmit: int
    ) -> None:
        """Take how to send, and RFC 7252's two parameters (seconds, count)."""
        self._send = send
        self._timers = timers
        self._ack_timeout = ack_timeout
        self._max_retransmit = max_retransmit
        self._mid = 0
        self._answers: OrderedDict[tuple[Address, int], tuple[float, list[Message]]]
        self._answers = OrderedDict()
        self._unacknowledged: dict[tuple[Address, int], _Unacknowledged] = {}

    def __len__(self) -> int:
        """Return how many confirmable messages are on their way."""
        return len(self._unacknowledged)

    def next_mid(self) -> int:
        """Return a message ID for a message of the unit's own."""
        self._mid = (self._mid + 1) % MID_MODULUS
        return self._mid

    def answer(self, request: Message, remote: Address, answers: list[Message]) -> None:
        """Send these in answer, and again whenever the request comes again."""
        now = asyncio.get_running_loop().time()
        self._answers[remote, request.mid] = (now, answers)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        for message in answers:
            self._send(message, remote)

    def answer_duplicate(self, request: Message, remote: Address) -> bool:
        """Answer as the last time if this request came before, and return whether it did."""
        answered_at, answers = self._answers.get((remote, request.mid), (-math.inf, []))
        if asyncio.get_running_loop().time() - answered_at > EXCHANGE_LIFETIME:
            return False
        for message in answers:
            self._send(message, remote)
        return True

    def send_confirmable(
        self, message: Message, remote: Address, done: Callable[[Outcome], None]
    ) -> int:
        """Send until acknowledged, reset or given up. Returns the message ID."""
        message.mtype = Type.CON
        message.mid = self.next_mid()
        self._transmit(message, remote, done, 0)
        return int(message.mid)

    def _transmit(
        self, message: Message, remote: Address, done: Callable[[Outcome], None], tries: int
    ) -> None:
        if tries > self._max_retransmit:
            self.settle(remote, message.mid, Outcome.GAVE_UP)
            return
        # The random factor of RFC 7252 is left out, so that runs repeat.
        timer = self._timers.call_later(
            self._ack_timeout * 2**tries,
            lambda: self._transmit(message, remote, done, tries + 1),
        )
        self._unacknowledged[remote, message.mid] = _Unacknowledged(message, done, timer)
        self._send(message, remote)

    def settle(self, remote: Address, mid: int, outcome: Outcome) -> None:
        """End the sending of a message, if it is under way, and tell its sender."""
        if ended := self._unacknowledged.pop((remote, mid), None):
            self._timers.cancel(ended.timer)
            ended.done(outcome)

    def abandon(self, remote: Address, mid: int) -> None:
        """End the sending of a message and tell nobody."""
        if ended := self._unacknowledged.pop((remote, mid), None):
            self._timers.cancel(ended.timer)

    def forget(self) -> None:
        """Forget everything, as a restart does."""
        self._answers.clear()
        for remote, mid in list(self._unacknowledged):
            self.abandon(remote, mid)


def empty(mtype: Type, mid: int) -> Message:
    """Return a message that is nothing but an ACK or a RST."""
    message = Message(code=Code.EMPTY)
    message.mtype = mtype
    message.mid = mid
    return message
