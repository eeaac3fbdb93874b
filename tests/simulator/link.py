"""The unit's network socket, with the state of the network in front of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import os
import socket

from .faults import Faults

type Address = tuple[str | int, ...]
"""An endpoint as the socket module has it: host, port, and two more for IPv6."""


class Timers:
    """Timers of the running loop that can all be cancelled, so that none outlives a stop."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: set[asyncio.TimerHandle] = set()

    def call_later(self, delay: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Call the action after that many seconds, unless cancelled."""

        def run() -> None:
            self._running.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(delay, run)
        self._running.add(timer)
        return timer

    def cancel(self, timer: asyncio.TimerHandle) -> None:
        """Cancel a timer, which may have fired already."""
        timer.cancel()
        self._running.discard(timer)

    def cancel_all(self) -> None:
        """Cancel all that have not fired."""
        while self._running:
            self._running.pop().cancel()


@dataclass
class Traffic:
    """What was sent either way, counted at the sender: lost datagrams count, copies do not."""

    datagrams_in: int = 0
    bytes_in: int = 0
    datagrams_out: int = 0
    bytes_out: int = 0


class Link(asyncio.DatagramProtocol):
    """One UDP socket. What arrives through the faults goes to received."""

    def __init__(
        self, faults: Faults, timers: Timers, received: Callable[[bytes, Address], None]
    ) -> None:
        """Open nothing yet."""
        self.traffic = Traffic()
        self._faults = faults
        self._timers = timers
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] | None = None

    async def open(self, host: str, port: int) -> int:
        """Bind and return the port, which is a free one for port 0. Raises OSError."""
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            # Without SO_REUSEPORT and SO_REUSEADDR, which would let two simulators share a
            # port and its requests without a word.
            sock.bind((host, port))
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        except OSError as err:
            sock.close()
            reason = os.strerror(err.errno) if err.errno else str(err)
            raise OSError(err.errno, f"cannot use UDP port {port} of {host}: {reason}") from err
        self._closed = loop.create_future()
        return int(sock.getsockname()[1])

    async def close(self) -> None:
        """Close the socket, and wait until it is."""
        if self._transport is not None and self._closed is not None:
            self._transport.abort()
            self._transport = None
            await self._closed

    def connection_lost(self, exc: Exception | None) -> None:
        """Take asyncio's word that the socket is closed."""
        del exc
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take what the socket has, and let the network's state decide what becomes of it."""
        self.traffic.datagrams_in += 1
        self.traffic.bytes_in += len(data)
        self._faults.network.goes_out(addr, self._now())
        self._carry(self._faults.network.loss_in, lambda: self._received(data, addr))

    def send(self, data: bytes, remote: Address) -> None:
        """Send, as far as the network's state lets it."""
        self.traffic.datagrams_out += 1
        self.traffic.bytes_out += len(data)
        if self._faults.network.comes_in(remote, self._now()):
            self._carry(self._faults.network.loss_out, lambda: self._put_out(data, remote))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _carry(self, loss: float, deliver: Callable[[], None]) -> None:
        for _ in range(2 if self._faults.duplicate else 1):
            delay = self._faults.network.carry(loss)
            if delay is None:
                continue
            if delay:
                self._timers.call_later(delay, deliver)
            else:
                deliver()

    def _put_out(self, data: bytes, remote: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(data, remote)
