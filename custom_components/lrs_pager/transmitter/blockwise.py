"""Bodies of more than one datagram (RFC 7959).

A transmitter writes its answer as a block is asked for, or once and keeps it; which of the two,
nobody knows. In the first case a session that ends in the middle of a transfer shifts the rest,
and the blocks no longer fit together: two halves of different sessions can make a third that
never was. RFC 7959 has ETags against that, which the vendor documents for one resource only. So
block 0 is read once more after the last block: if it is the same, but for the time of day, nothing
was put in or taken out in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import re

from .coap import Block, Endpoint, Method, Response
from .exceptions import ChangedError, MalformedError, RejectedError, TimedOutError

# The largest block that RFC 7959 allows over UDP. Asked for from the start, so that a unit that
# knows block-wise transfer does not answer with one datagram too large for the network.
BLOCK_SIZE = 1024

# Bytes that a body may have: some 30,000 archived sessions, more than a year of a busy house.
# What goes on for longer than that is not a history.
MAX_BODY = 8 * 1024 * 1024

# The parts of an envelope that change while sessions stay as they are: the time of day; and,
# when a guest is given a pager or is paged, the sequence, as long as it keeps its digits.
_TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"[^"]*"')
_SEQUENCE = re.compile(rb'"globalSessionSequence"\s*:\s*\d+')

# 4.02 Bad Option: what a unit answers that doesn't know the Block2 option (RFC 7252, 5.4.1).
BAD_OPTION = "4.02"


@dataclass(frozen=True, slots=True)
class Body:
    """What a GET brought.

    first: the response with block 0, which has the code, the ETag and the times.
    blocks: the payloads, in order.
    is_unchanged: block 0 and the ETag were the same at the end as at the beginning.
    is_in_place: block 0 was, but for its sequence: nothing moved, whatever else happened.
    """

    first: Response
    blocks: tuple[bytes, ...]
    is_unchanged: bool
    is_in_place: bool

    @property
    def payload(self) -> bytes:
        """The blocks, joined."""
        return self.blocks[0] if len(self.blocks) == 1 else b"".join(self.blocks)


async def get(
    endpoint: Endpoint,
    path: str,
    *,
    query: Sequence[str] = (),
    etag: bytes | None = None,
) -> Body:
    """GET a whole body.

    etag: of a body that the caller holds; the answer may then be 2.03, without a payload.
    Errors: RejectedError for any code but 2.xx, MalformedError, UnreachableError.
    """
    block: Block | None = Block(0, more=False, size=BLOCK_SIZE)
    first = await endpoint.exchange(Method.GET, path, query=query, etag=etag, block=block)
    if first.code == BAD_OPTION:
        first = await endpoint.exchange(Method.GET, path, query=query, etag=etag)
    _check(first)
    last = _check_block(first, 0)
    if not last.more:
        return Body(first, (first.payload,), is_unchanged=True, is_in_place=True)

    blocks, etags, received = [first.payload], {first.etag}, len(first.payload)
    while last.more:
        if received > MAX_BODY:
            raise MalformedError("Block2", "the body is too large")
        # The unit may choose smaller blocks than were asked for; we follow its choice.
        block = Block(received // last.size, more=False, size=last.size)
        response = await _next(endpoint, path, query, block)
        last = _check_block(response, received)
        blocks.append(response.payload)
        etags.add(response.etag)
        received += len(response.payload)

    again = await _next(endpoint, path, query, Block(0, more=False, size=len(first.payload)))
    etags.add(again.etag)
    before, after = (_TIMESTAMP.sub(b"", r.payload) for r in (first, again))
    return Body(
        first,
        tuple(blocks),
        is_unchanged=len(etags) == 1 and before == after,
        is_in_place=_SEQUENCE.sub(b"", before) == _SEQUENCE.sub(b"", after),
    )


async def _next(endpoint: Endpoint, path: str, query: Sequence[str], block: Block) -> Response:
    """A later block: asked for twice, before a long transfer is given up for one bad moment."""
    try:
        response = await endpoint.exchange(Method.GET, path, query=query, block=block)
    except TimedOutError:
        response = await endpoint.exchange(Method.GET, path, query=query, block=block)
    if not response.is_success:
        # The unit wrote the blocks before this one: it is the body that is not the same any more.
        raise ChangedError
    return response


def _check(response: Response) -> None:
    """Raise RejectedError unless the code is a success."""
    if not response.is_success:
        # Of an error's body only the beginning can be meant for people.
        raise RejectedError(response.code, response.payload[:200].decode("utf-8", "replace"))


def _check_block(response: Response, offset: int) -> Block:
    """Return what block this is. Raises MalformedError unless it is whole, and at this offset."""
    # Without the option, it is the whole body.
    block = response.block or Block(0, more=False, size=len(response.payload))
    if block.offset != offset:
        raise MalformedError("Block2", "not the block that was asked for")
    if len(response.payload) > block.size or (block.more and len(response.payload) < block.size):
        raise MalformedError("Block2", "a block of the wrong size")
    return block
