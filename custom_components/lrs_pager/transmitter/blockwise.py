"""Bodies of more than one datagram (RFC 7959).

A transmitter writes its answer as each block is asked for, or once and keeps it; which of the two,
nobody knows. In the first case a session that ends in the middle of a transfer shifts the rest,
and the blocks no longer fit together: two halves of different sessions can make a third that
never was. RFC 7959 has ETags against that, which the vendor documents for one resource only. So
the head of the body is read once more after the last block, and compared.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .coap import Block, Endpoint, Method, Request, Response
from .exceptions import ChangedError, MalformedError, RejectedError, TimedOutError

# The largest block that RFC 7959 allows over UDP. Asked for from the start, so that a unit that
# knows block-wise transfer does not answer with one datagram too large for the network.
BLOCK_SIZE = 1024

# Bytes that a body may have: some 30,000 archived sessions, more than a year of a busy house.
# What goes on for longer than that is not a history.
MAX_BODY = 8 * 1024 * 1024

# 4.02 Bad Option: what a unit answers that doesn't know the Block2 option (RFC 7252, 5.4.1).
BAD_OPTION = "4.02"

# Bytes in which a head is looked for: an envelope is under 200, a session under 500.
MAX_HEAD = 4 * 1024

# Tells the head of a body: what has to be the same at the beginning and at the end of a transfer.
# Called with ever more of the body until it returns something.
type Head = Callable[[bytes], object | None]


@dataclass(frozen=True, slots=True)
class Body:
    """What a GET brought.

    first: the response with block 0, which has the code, the ETag and the times.
    blocks: the payloads, in order.
    has_one_etag: whether all blocks had the same, or none.
    head, head_after: of the body, as told by its first blocks and by those read once more at
    the end; both None where there was but one block, or no head.
    """

    first: Response
    blocks: tuple[bytes, ...]
    has_one_etag: bool = True
    head: object | None = None
    head_after: object | None = None

    @property
    def payload(self) -> bytes:
        """The blocks, joined."""
        return self.blocks[0] if len(self.blocks) == 1 else b"".join(self.blocks)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing speaks for a change during the transfer."""
        return self.has_one_etag and self.head == self.head_after


async def get(
    endpoint: Endpoint,
    path: str,
    head: Head,
    *,
    etag: bytes | None = None,
    size: int = BLOCK_SIZE,
) -> Body:
    """GET a whole body.

    etag: of a body that the caller holds; the answer may then be 2.03, without a payload.
    size: of the blocks to ask for, in bytes.
    Errors: RejectedError for any code but 2.xx, MalformedError, UnreachableError.
    """
    first = await get_first(endpoint, path, etag=etag, size=size)
    if first.block is None or not first.block.more:
        return Body(first, (first.payload,))
    # The unit may choose smaller blocks than were asked for; we follow its choice.
    size = first.block.size
    responses = [first, *await get_rest(endpoint, path, size, size)]
    blocks = tuple(response.payload for response in responses)
    before = head(b"".join(blocks[: -(-MAX_HEAD // size)]))
    # Once more from the beginning, as far as the head goes.
    after, again = await get_head(endpoint, path, head, size)
    etags = {response.etag for response in (*responses, *again)}
    return Body(first, blocks, len(etags) == 1, before, after)


async def get_first(
    endpoint: Endpoint, path: str, *, etag: bytes | None = None, size: int = BLOCK_SIZE
) -> Response:
    """GET block 0; the whole body from a unit that knows no blocks. Errors: as of `get`."""
    request = Request(method=Method.GET, path=path, etag=etag)
    response = await endpoint.exchange(replace(request, block=Block(0, more=False, size=size)))
    if response.code == BAD_OPTION:
        response = await endpoint.exchange(request)
    if not response.is_success:
        raise RejectedError(response.code, response.text)
    _check_block(response, 0)
    return response


async def get_rest(endpoint: Endpoint, path: str, start: int, size: int) -> list[Response]:
    """GET all blocks from an offset on. start: in bytes, a multiple of size.

    Errors: ChangedError if it is not there (any more), MalformedError, UnreachableError.
    """
    responses: list[Response] = []
    received, more = start, True
    while more:
        if received > MAX_BODY:
            raise MalformedError("Block2", "the body is too large")
        block = Block(received // size, more=False, size=size)
        response = await _next(endpoint, path, block)
        more = _check_block(response, received).more
        responses.append(response)
        received += len(response.payload)
    return responses


async def get_head(
    endpoint: Endpoint, path: str, head: Head, size: int, first: Response | None = None
) -> tuple[object | None, list[Response]]:
    """GET as much of the beginning of a body as has its head: the head, and the blocks.

    first: block 0, if it was got already. The head is None if there is none within MAX_HEAD.
    Errors: as of `get_rest`.
    """
    responses: list[Response] = []
    beginning = b""
    while True:
        block = Block(len(responses), more=False, size=size)
        response = first if first and not responses else await _next(endpoint, path, block)
        responses.append(response)
        beginning += response.payload
        found = head(beginning)
        is_last = not (response.block and response.block.more) or len(response.payload) < size
        if found is not None or is_last or len(beginning) >= MAX_HEAD:
            return found, responses


async def _next(endpoint: Endpoint, path: str, block: Block) -> Response:
    """A later block: asked for twice, before a long transfer is given up for one bad moment."""
    request = Request(method=Method.GET, path=path, block=block)
    try:
        response = await endpoint.exchange(request)
    except TimedOutError:
        response = await endpoint.exchange(request)
    if not response.is_success:
        # The unit wrote the blocks before this one: it is the body that is not the same any more.
        raise ChangedError
    return response


def _check_block(response: Response, offset: int) -> Block:
    """Return what block this is. Raises MalformedError unless it is whole, and at this offset."""
    # Without the option, it is the whole body.
    block = response.block or Block(0, more=False, size=len(response.payload))
    if block.offset != offset:
        raise MalformedError("Block2", "not the block that was asked for")
    if len(response.payload) > block.size or (block.more and len(response.payload) < block.size):
        raise MalformedError("Block2", "a block of the wrong size")
    return block
