"""An event loop whose clock goes on by itself whenever nothing is left to do.

Sockets are real. What would take hours takes as long as it is worked at.
"""

import asyncio
from collections.abc import Callable, Coroutine
import selectors
import socket
from typing import Any, override

# Real seconds in which a datagram that was sent has arrived. It mostly has as it is sent, but not
# while the computer is busy.
ARRIVED = 0.001


class _Selector(selectors.DefaultSelector):
    """Waits for nothing but datagrams that are under way: the clock goes on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    @override
    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select(None)
        ready = super().select(min(timeout, ARRIVED))
        if not ready:
            self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self) -> None:
        """Begin at a time of its own."""
        self._virtual = _Selector()
        super().__init__(self._virtual)

    @override
    def time(self) -> float:
        """The clock (seconds)."""
        return self._virtual.now

    @override
    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Resolve at once: while another thread does it, the clock would go on."""
        return socket.getaddrinfo(host, port, **options)


def run[T](main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end, in virtual time."""
    return run_in(VirtualTimeLoop(), main())


def run_in[T](loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a loop of its own that is closed then.

    Unlike asyncio.run, which leaves none, this leaves the thread's event loop as it is.
    """
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
