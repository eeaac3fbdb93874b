"""A process of its own that takes orders over UDP: a server, or simulated transmitters."""

import asyncio
import json
from pathlib import Path
import socket
import subprocess
import sys
from typing import Any, Self

# Seconds to wait for an answer: making 100,000 sessions takes some.
PATIENCE = 60.0

# Bytes that an answer has at most.
LONGEST_ANSWER = 65_000

ROOT = Path(__file__).parents[1]


class Remote:
    """A module that prints its ports on standard output: those for CoAP, and last that for orders.

    It goes when its standard input ends, and so with whoever started it. An async context manager.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        """Name it; nothing is started yet."""
        self._command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        self.ports: list[int] = []

    async def __aenter__(self) -> Self:
        """Start it, and wait until it is there."""
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603  # nothing else goes on yet
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        line = await asyncio.to_thread(self._process.stdout.readline)
        *self.ports, control = map(int, line.split())
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(("127.0.0.1", control))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        self._socket.close()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()
        self._process.wait()

    @property
    def port(self) -> int:
        """The first one for CoAP."""
        return self.ports[0]

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def ask(self, **fields: Any) -> dict[str, Any]:
        """Send these fields as an order, and return the answer. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, json.dumps(fields).encode())
        async with asyncio.timeout(PATIENCE):
            answer = json.loads(await loop.sock_recv(self._socket, LONGEST_ANSWER))
        assert isinstance(answer, dict)
        return answer
