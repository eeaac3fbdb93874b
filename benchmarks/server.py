"""A CoAP server that is no bottleneck: ``python -m benchmarks.server``.

It answers GETs with bodies and blocks that were made beforehand (Block2, any block in any order,
piggy-backed), in a process of its own: one loop, no asyncio, some 10 microseconds for a request.
It can take its time over each answer, and lose datagrams either way by a seeded RNG, so that both
of a pair are dealt the same dice. It shares no code with any client.

Standard output tells its ports, once: the one for CoAP and the one for control. A datagram to the
latter is a JSON object, the fields of `Setting`; it is answered with the `Counts` since the last.
"""

from dataclasses import asdict, dataclass
import heapq
import json
import random
import select
import socket
import sys
import time

from benchmarks.bodies import bodies

# Message types (RFC 7252, 3), in the place that they have in the first byte.
CON, ACK = 0x40, 0x60

# Codes.
GET, CONTENT, BAD_REQUEST, NOT_FOUND = 0x01, 0x45, 0x80, 0x84

# Options.
URI_PATH, BLOCK2 = 11, 23
# The Content-Format option, 12, with 50: JSON.
CONTENT_FORMAT_JSON = b"\xc1\x32"

# The code for 1024 bytes, the largest blocks.
LARGEST_SZX = 6

# Bytes that any request has at most.
LONGEST_DATAGRAM = 2048

type Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """sessions: archived. delay: seconds to each answer. loss: share of datagrams, each way."""

    sessions: int = 100
    delay: float = 0.0
    loss: float = 0.0
    seed: int = 1


@dataclass(kw_only=True)
class Counts:
    """What came and went; lost datagrams count where they were sent."""

    requests: int = 0
    bytes_in: int = 0
    answers: int = 0
    bytes_out: int = 0
    lost: int = 0


def read_request(data: bytes) -> tuple[tuple[str, ...], int, int, bool]:
    """Return the path, the number and the size code of the block asked for, and if one was."""
    at, number = 4 + (data[0] & 0x0F), 0
    path: list[str] = []
    block, szx, is_asked = 0, LARGEST_SZX, False
    while at < len(data) and data[at] != 0xFF:
        delta, length = data[at] >> 4, data[at] & 0x0F
        at += 1
        if delta == 13:  # one more byte, as RFC 7252 has it
            delta += data[at]
            at += 1
        if length == 13:
            length += data[at]
            at += 1
        number += delta
        if number == URI_PATH:
            path.append(data[at : at + length].decode())
        elif number == BLOCK2:
            value = int.from_bytes(data[at : at + length])
            block, szx, is_asked = value >> 4, min(value & 7, LARGEST_SZX), True
            block <<= (value & 7) - szx
        at += length
    return tuple(path), block, szx, is_asked


def cut(body: bytes, szx: int) -> list[bytes]:
    """Return what follows the token in the answer with each block of a body."""
    size = 1 << (szx + 4)
    blocks = []
    for number, start in enumerate(range(0, len(body), size)):
        value = number << 4 | (8 if start + size < len(body) else 0) | szx
        option = value.to_bytes((value.bit_length() + 7) // 8)
        head = CONTENT_FORMAT_JSON + bytes([(BLOCK2 - 12) << 4 | len(option)]) + option
        blocks.append(head + b"\xff" + body[start : start + size])
    return blocks


class Server:
    """Two sockets and a loop."""

    def __init__(self) -> None:
        """Take free ports."""
        self._coap, self._control = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)
        )
        for sock in (self._coap, self._control):
            sock.bind(("127.0.0.1", 0))
        self._coap.setblocking(False)
        self.ports = self._coap.getsockname()[1], self._control.getsockname()[1]
        self._late: list[tuple[float, int, bytes, Address]] = []
        self._blocks: dict[tuple[int, tuple[str, ...], int], list[bytes]] = {}
        self._bodies: dict[int, dict[tuple[str, ...], bytes]] = {}
        self._set(Setting())

    def _set(self, setting: Setting) -> None:
        self._setting = setting
        self._counts = Counts()
        self._random = random.Random(setting.seed)  # simulated chance
        self._late.clear()
        if setting.sessions not in self._bodies:
            self._bodies[setting.sessions] = bodies(setting.sessions)

    def run(self) -> None:
        """Serve until standard input ends."""
        while True:
            wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
            ready, _, _ = select.select([self._coap, self._control, sys.stdin], [], [], wait)
            if sys.stdin in ready:
                return
            if self._control in ready:
                data, address = self._control.recvfrom(LONGEST_DATAGRAM)
                counts = self._counts
                self._set(Setting(**json.loads(data)))
                self._control.sendto(json.dumps(asdict(counts)).encode(), address)
            if self._coap in ready:
                self._take()
            now = time.monotonic()
            while self._late and self._late[0][0] <= now:
                _, _, answer, address = heapq.heappop(self._late)
                self._coap.sendto(answer, address)

    def _take(self) -> None:
        """Answer what is there, be it one request or many."""
        counts, setting = self._counts, self._setting
        while True:
            try:
                data, address = self._coap.recvfrom(LONGEST_DATAGRAM)
            except BlockingIOError:
                return
            counts.requests += 1
            counts.bytes_in += len(data)
            if setting.loss and self._random.random() < setting.loss:
                counts.lost += 1
                continue
            if not data[0] & 0x20 and data[1] == GET:  # neither an ACK nor a RST
                answer = self._answer(data)
                counts.answers += 1
                counts.bytes_out += len(answer)
                if setting.loss and self._random.random() < setting.loss:
                    counts.lost += 1
                elif setting.delay:
                    at = time.monotonic() + setting.delay
                    heapq.heappush(self._late, (at, counts.answers, answer, address))
                else:
                    self._coap.sendto(answer, address)

    def _answer(self, data: bytes) -> bytes:
        path, number, szx, is_asked = read_request(data)
        head = bytes([ACK | data[0] & 0x0F])
        id_and_token = data[2 : 4 + (data[0] & 0x0F)]
        key = self._setting.sessions, path, szx
        blocks = self._blocks.get(key)
        if blocks is None:
            body = self._bodies[self._setting.sessions].get(path)
            if body is None:
                return head + bytes([NOT_FOUND]) + id_and_token
            blocks = self._blocks[key] = cut(body, szx)
        if number >= len(blocks):
            return head + bytes([BAD_REQUEST]) + id_and_token
        tail = blocks[number]
        if len(blocks) == 1 and not is_asked:
            tail = CONTENT_FORMAT_JSON + tail[tail.index(b"\xff") :]
        return head + bytes([CONTENT]) + id_and_token + tail


if __name__ == "__main__":
    server = Server()
    print(*server.ports, flush=True)
    server.run()
