"""Bodies of more than one datagram (RFC 7959), block by block.

A transmitter writes each block when it is asked for it, or writes its answer once and keeps it;
which of the two is not documented. In the first case a session that ends during a transfer moves
the rest of the body, and the blocks before and after that don't fit together: halves of two
sessions can make a third that never was. RFC 7959 has ETags against that, which the vendor
documents for one resource only. So the beginning of the body is read again after the last block,
and its head compared.
"""

from dataclasses import replace
from typing import Self

from .coap import Block, Exchanges, Method, Request, Response
from .exceptions import ChangedError, MalformedError, RejectedError, TimedOutError
from .parse import Head

# The largest block that RFC 7959 allows over UDP. Asked for from the start, so that a unit that
# knows block-wise transfer does not answer with one datagram too large for the network.
BLOCK_SIZE = 1024

# Bytes of a body that are held at once.
MAX_HELD = 8 * 1024 * 1024

# Bytes of the list that are kept before the text: about two sessions.
CONTEXT = 512

# Bytes of a body in which its head is looked for: an envelope is under 200, a session under 500.
MAX_HEAD = 4 * 1024

# 4.02 Bad Option: what a unit answers that doesn't know the Block2 option (RFC 7252, 5.4.1).
BAD_OPTION = "4.02"


class Body:
    """A body, or a part of it, that grows block by block.

    first: the response with block 0, which has the code, the ETag and the times. size: of the
    blocks, in bytes. head: of the body's list; None if it has none. beginning: the first blocks, as
    many as have the head. is_all: whether the beginning is the whole body.
    text: the part of the body that is held. offset: where in the body the text begins. before: the
    list's bytes before the text, CONTEXT at most. has_more: whether blocks follow the text.
    joined_from: the offset from which on, at the text's beginning or before it, all bytes have to
    be of one state of the unit. is_doubtful: whether a block was requested twice: a unit that
    serves the next block, whichever is requested, has then left one out.
    """

    def __init__(self, endpoint: Exchanges, path: str, first: Response) -> None:
        """Take block 0. Raises MalformedError."""
        self._source, self.first = (endpoint, path), first
        block = _check(first, 0)
        self.size = block.size or BLOCK_SIZE
        self.has_more = block.more
        self.head: Head | None = None
        self.beginning, self.is_all = first.payload, not block.more
        self.text = bytearray(first.payload)
        self.offset = self.joined_from = 0
        self.before = b""
        self.is_doubtful = False

    @classmethod
    async def open(
        cls, endpoint: Exchanges, path: str, key: str, etag: bytes | None = None
    ) -> Self:
        """GET the beginning of a body; all of it from a unit that knows no blocks.

        key: of the body's list. etag: of a body that the caller holds; the answer may then be 2.03,
        without a payload. Errors: RejectedError for any code but 2.xx, ChangedError,
        MalformedError, UnreachableError.
        """
        request = Request(method=Method.GET, path=path, etag=etag)
        first = await endpoint.exchange(
            replace(request, block=Block(0, more=False, size=BLOCK_SIZE))
        )
        if first.code == BAD_OPTION:
            first = await endpoint.exchange(request)
        if not first.is_success:
            raise RejectedError(first.code)
        body = cls(endpoint, path, first)
        while True:
            body.beginning, body.is_all = bytes(body.text), not body.has_more
            is_enough = body.is_all or len(body.text) >= MAX_HEAD
            try:
                body.head = Head.of(body.beginning, key, is_all=body.is_all, is_enough=is_enough)
            except MalformedError as err:
                if body.is_in_one_block:
                    raise
                raise ChangedError from err
            if body.head or is_enough:
                return body
            await body.extend()

    def begin_at(self, offset: int) -> None:
        """Have the text begin at an offset; at that of its block if `beginning` ends before."""
        self.text = bytearray(self.beginning[offset:])
        self.offset = offset if self.text else offset // self.size * self.size
        self.has_more = not self.is_all
        self.joined_from, self.before = self.offset, b""

    @property
    def end(self) -> int:
        """Where in the body the text ends."""
        return self.offset + len(self.text)

    @property
    def is_in_one_block(self) -> bool:
        """Whether the text is certain to be of one block, which the unit wrote in one go."""
        last = max(self.end - 1, self.joined_from)
        return self.joined_from // self.size == last // self.size and not self.is_doubtful

    def is_as_in(self, other: Body) -> bool:
        """Whether it is certain that nothing changed between two bodies.

        The unit's count of changes shows it. An ETag alone does not: the vendor's are times, which
        hide a second change within their resolution.
        """
        if self.is_doubtful or other.is_doubtful or not self.head or self.head.sequence is None:
            return False
        return (self.first.etag, self.head) == (other.first.etag, other.head)

    async def extend(self) -> None:
        """GET the next block.

        After a time-out it is requested once more, lest one bad moment end a long transfer.
        Errors: ChangedError if the unit rejects it, MalformedError, UnreachableError.
        """
        if len(self.text) >= MAX_HELD:
            raise MalformedError("Block2", "the body is too large")
        block = Block(self.end // self.size, more=False, size=self.size)
        endpoint, path = self._source
        request = Request(method=Method.GET, path=path, block=block)
        try:
            response = await endpoint.exchange(request)
        except TimedOutError:
            self.is_doubtful = True
            response = await endpoint.exchange(request)
        self.is_doubtful |= response.is_repeated
        if not response.is_success:
            # The unit wrote the blocks before this one: the body is not the same any more.
            raise ChangedError
        self.has_more = _check(response, self.end).more
        self.text += response.payload

    def drop(self, length: int, *, joined: int = 0) -> None:
        """Drop the text's first bytes. joined: how many of them have to be of the text's state."""
        self.offset += length
        self.before = (self.before + self.text[:length])[-CONTEXT:]
        del self.text[:length]
        self.joined_from = self.offset - joined


async def get(endpoint: Exchanges, path: str, key: str, etag: bytes | None) -> tuple[Body, bool]:
    """GET a whole body; return also whether its blocks are certain to be of one state of the unit.

    etag, errors: as of `Body.open`.
    """
    body = await Body.open(endpoint, path, key, etag)
    while body.has_more:
        await body.extend()
    return body, body.is_in_one_block or (await Body.open(endpoint, path, key)).is_as_in(body)


def _check(response: Response, offset: int) -> Block:
    """Return what block this is. Raises MalformedError unless it is whole, and at this offset."""
    # Without the option, it is the whole body.
    block = response.block or Block(0, more=False, size=len(response.payload))
    if block.offset != offset:
        raise MalformedError("Block2", "not the block that was asked for")
    if len(response.payload) > block.size or (block.more and len(response.payload) < block.size):
        raise MalformedError("Block2", "a block of the wrong size")
    return block
