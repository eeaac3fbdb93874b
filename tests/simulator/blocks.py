"""Bodies in blocks (RFC 7959, Block2 only: what clients send always fits)."""

from collections import OrderedDict
from dataclasses import dataclass, replace

from aiocoap import Message
from aiocoap.numbers.codes import Code

from .faults import Faults, turned
from .replies import RefusedError, Reply, error_reply, message_of

# 64 KB less what IP, UDP and CoAP with a few options take.
LARGEST_DATAGRAM_BODY = 65_000

# Enough for the clients of a test or a house; a small device would keep fewer.
FROZEN_BODIES = 32

# The code for 1024 bytes, the largest there is over UDP.
LARGEST_SZX = 6


@dataclass(frozen=True)
class Block:
    """Which block a request asks for. Without Block2, number 0 of any size."""

    number: int = 0
    szx: int = LARGEST_SZX
    asked: bool = False

    @property
    def start(self) -> int:
        """The offset in bytes."""
        return self.number << (self.szx + 4)

    def at_most(self, szx: int) -> Block:
        """Return the same place in blocks of at most that size."""
        smaller = min(self.szx, szx)
        return replace(self, szx=smaller, number=self.number << (self.szx - smaller))


type BodyKey = tuple[object, ...]
"""Whose transfer it is: the client's endpoint, the path and the query."""


class Blocks:
    """Cuts replies, and keeps a body still while one client fetches it."""

    def __init__(
        self, faults: Faults, *, blockwise: bool, still: bool, max_szx: int, size2: bool
    ) -> None:
        """Take the server's options, which Simulator describes."""
        self._faults = faults
        self._blockwise = blockwise
        self._still = still
        self._max_szx = max_szx
        self._size2 = size2
        self._frozen: OrderedDict[BodyKey, Reply] = OrderedDict()
        self._turned = 0
        # The block that was served last, by path and query: a small device has one such for all.
        self._last: dict[BodyKey, int] = {}

    def serve(self, key: BodyKey, reply: Reply, block: Block) -> Message:
        """Return the message with a block of a reply. Raises RefusedError if it is not its turn."""
        block = block.at_most(self._max_szx)
        resource = key[1:]
        following = self._last.get(resource, -1) + 1
        self._last[resource] = block.number
        if block.number not in (0, following):
            if self._faults.in_order_only:
                raise RefusedError(Code.REQUEST_ENTITY_INCOMPLETE, "not the next block")
            if self._faults.next_block_whatever:
                self._last[resource] = following
                message = self.cut(reply, replace(block, number=following))
                if message.opt.block2:
                    message.opt.block2 = (block.number, *message.opt.block2[1:])
                return message
        return self.cut(reply, block)

    def frozen(self, key: BodyKey) -> Reply | None:
        """Return the reply whose first block that client was given, if it is kept."""
        return self._frozen.get(key)

    def freeze(self, key: BodyKey, reply: Reply) -> None:
        """Keep a reply for the blocks after the first."""
        if self._still and self._blockwise:
            self._frozen[key] = reply
            self._frozen.move_to_end(key)
            if len(self._frozen) > FROZEN_BODIES:
                self._frozen.popitem(last=False)

    def forget(self) -> None:
        """Drop all that is kept."""
        self._frozen.clear()
        self._last.clear()

    def cut(self, reply: Reply, block: Block) -> Message:
        """Return the message that carries this block of the reply."""
        block = block.at_most(self._max_szx)
        faults = self._faults
        if faults.body_changes:
            etag = reply.etag and reply.etag + self._turned.to_bytes(4)
            reply = replace(reply, body=turned(reply.body, self._turned), etag=etag)
            self._turned += 1
        if not self._blockwise:
            if len(reply.body) > LARGEST_DATAGRAM_BODY:
                reply = error_reply(Code.INTERNAL_SERVER_ERROR, "too long for a datagram")
            return message_of(reply)
        size = 1 << (block.szx + 4)
        whole = len(reply.body)
        payload = reply.body[block.start : block.start + size]
        if faults.oversized and reply.code == Code.CONTENT and reply.body:
            # Spaces after a JSON text are still JSON, so only the client's patience ends it.
            payload = payload.ljust(size)
            whole = block.start + 3 * size
        if whole <= size and not block.asked:
            return message_of(reply)
        if block.number and block.start >= whole:
            return message_of(error_reply(Code.BAD_REQUEST, "no such block"))
        more = block.start + size < whole
        if faults.last_block_lost:
            more = block.start + 2 * size < whole
        if faults.short_block and more:
            payload = payload[: size // 2]
        message = message_of(reply, payload)
        number = block.number + (1 if faults.wrong_block_number and block.number else 0)
        message.opt.block2 = (number, more, block.szx)
        if self._size2 and not block.number:
            message.opt.size2 = whole
        return message
