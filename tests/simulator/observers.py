"""Who observes /v1/notify (RFC 7641), and what they have still to be told."""

import asyncio
from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiocoap import Message
from aiocoap.numbers.codes import Code

from .exchanges import Exchanges, Outcome
from .faults import Faults
from .link import Address, Timers
from .replies import Reply, message_of

# "Three in a row unacknowledged and the client is removed."
STRIKES = 3

# What waits behind an unacknowledged notification; the oldest falls out first.
QUEUED = 32

# Observe values have 24 bits.
OBSERVE_MODULUS = 1 << 24


@dataclass(frozen=True)
class _Notice:
    body: bytes
    is_ping: bool
    sequence: int
    """Its Observe value."""


@dataclass(eq=False)
class _Observer:
    remote: Address
    token: bytes
    ping_timer: TimerHandle | None = None
    sequence: int = 0
    missed_pings: int = 0
    in_flight: int | None = None
    """Message ID of the notification that is not acknowledged yet: one at a time."""
    queue: deque[_Notice] = field(default_factory=lambda: deque(maxlen=QUEUED))

    def next_sequence(self) -> int:
        self.sequence = (self.sequence + 1) % OBSERVE_MODULUS
        return self.sequence


class Observers:
    """The list of observers, each with its own pace.

    A notification is one datagram of its own, never in blocks.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        timers: Timers,
        *,
        ping: Callable[[], bytes],
        ping_interval: float,
        pings_at_once: bool,
        limit: int | None,
        faults: Faults,
    ) -> None:
        """Take how a ping's body is made, the seconds between two, and the most observers."""
        self._faults = faults
        self._exchanges = exchanges
        self._timers = timers
        self._ping = ping
        self._ping_interval = ping_interval
        self._pings_at_once = pings_at_once
        self._limit = limit
        self._observers: dict[tuple[Address, bytes], _Observer] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._observers)

    def register(self, remote: Address, token: bytes) -> int | None:
        """Add an observer, or go on with it, and return its Observe value.

        None means that there is no room.
        """
        observer = self._observers.get((remote, token))
        if observer is None:
            if self._limit is not None and len(self) >= self._limit:
                return None
            observer = self._observers[remote, token] = _Observer(remote, token)
            if self._pings_at_once:
                asyncio.get_running_loop().call_soon(self._ping_is_due, observer)
            else:
                self._schedule_ping(observer)
        return observer.next_sequence()

    def remove(self, remote: Address, token: bytes) -> None:
        """Drop an observer, if it is one."""
        if observer := self._observers.pop((remote, token), None):
            if observer.ping_timer is not None:
                self._timers.cancel(observer.ping_timer)
            if observer.in_flight is not None:
                self._exchanges.abandon(remote, observer.in_flight)

    def forget(self) -> None:
        """Drop all of them without a word."""
        for remote, token in list(self._observers):
            self.remove(remote, token)

    def notify(self, body: bytes) -> None:
        """Tell every observer."""
        for observer in list(self._observers.values()):
            self._enqueue(observer, body, is_ping=False)

    def _schedule_ping(self, observer: _Observer) -> None:
        observer.ping_timer = self._timers.call_later(
            self._ping_interval, lambda: self._ping_is_due(observer)
        )

    def _ping_is_due(self, observer: _Observer) -> None:
        if (observer.remote, observer.token) not in self._observers:
            return
        if observer.missed_pings >= STRIKES:
            self.remove(observer.remote, observer.token)
            return
        observer.missed_pings += 1
        self._schedule_ping(observer)
        self._enqueue(observer, self._ping(), is_ping=True)

    def _enqueue(self, observer: _Observer, body: bytes, *, is_ping: bool) -> None:
        observer.queue.append(_Notice(body, is_ping, observer.next_sequence()))
        self._send_next(observer)

    def _send_next(self, observer: _Observer) -> None:
        if observer.in_flight is not None or not observer.queue:
            return
        queue = observer.queue
        notice = queue.pop() if self._faults.latest_first else queue.popleft()
        message: Message = message_of(Reply(Code.CONTENT, notice.body))
        message.token = observer.token
        message.opt.observe = notice.sequence
        observer.in_flight = self._exchanges.send_confirmable(
            message, observer.remote, partial(self._sent, observer, notice)
        )

    def _sent(self, observer: _Observer, notice: _Notice, outcome: Outcome) -> None:
        observer.in_flight = None
        if outcome is Outcome.RESET:
            self.remove(observer.remote, observer.token)
            return
        if outcome is Outcome.ACKNOWLEDGED and notice.is_ping:
            observer.missed_pings = 0
        self._send_next(observer)
