"""Reading on from where the history ended the last time.

The API has no filter, so that each session that ends would cost a transfer of all others. But
blocks can be asked for by number, and the one known answer has its sessions in the order of their
ends. So only the first block is read, for the envelope, and those from about where the list ended
on. There the bytes must be found with which it ended, and with as much of the list before them as
there was: what follows them was added since. If that is not so (a history that was wiped, is sorted
otherwise, or can't be served from its middle), nothing is assumed, and all of it is to be read.
"""

from dataclasses import dataclass
import re
from typing import Self

from . import blockwise
from .coap import Endpoint, Response
from .exceptions import MalformedError, UnreachableError
from .parse import Head

# Bytes by which the end of a list is recognised: more than any session of the vendor's examples
# has (310), so that there is a whole one in them, with what makes it one of its kind.
MARK = 512

# How a history ends: its list is the last thing in it.
_END = re.compile(rb"\s*\]\s*\}\s*\Z")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a history ended.

    end: the last bytes of its list, up to the bracket. position: where in the body they end.
    length: of the list, in bytes. first: the first item.
    """

    end: bytes
    position: int
    length: int
    first: bytes

    @classmethod
    def of(cls, body: bytes) -> Self | None:
        """Take the mark of a whole history; None if its list is empty, or not the last thing."""
        head = Head.of(body[: blockwise.MAX_HEAD])
        # Not by the whole body, of which the pattern would try every space.
        end = _END.search(body, max(0, len(body) - MARK))
        if head is None or end is None or body[end.start() - 1 : end.start()] != b"}":
            return None
        begin = max(head.position, end.start() - MARK)
        return cls(body[begin : end.start()], end.start(), end.start() - head.position, head.first)


@dataclass(frozen=True, slots=True)
class Tail:
    """What a history has beyond a mark.

    first: the response with block 0. beginning: of the body, with the whole envelope.
    items: the JSON of the sessions that were added, with commas between. mark: as it is now.
    """

    first: Response
    beginning: bytes
    items: bytes
    mark: Mark


async def get(endpoint: Endpoint, path: str, mark: Mark) -> Tail | None:
    """GET what a history has beyond a mark; None if that can't be told.

    Errors: RejectedError, UnreachableError, as of the first block.
    """
    first = await blockwise.get_first(endpoint, path)
    size = first.block.size if first.block else len(first.payload)
    try:
        head, responses = await blockwise.get_head(endpoint, path, Head.of, size, first)
        if not isinstance(head, Head):
            return None
        beginning = b"".join(response.payload for response in responses)
        start, rest = 0, [first]
        if first.block and first.block.more:
            position = mark.position - len(mark.end)
            if head.first != mark.first:
                # The oldest may have made room for the latest, so that all moved up a little.
                position -= blockwise.BLOCK_SIZE
            start = max(0, position) // size * size
            rest = await blockwise.get_rest(endpoint, path, start, size)
        # The unit writes each block in one go. If anything changed between two, they may not
        # belong together.
        if len(rest) > 1 and (await blockwise.get_head(endpoint, path, Head.of, size))[0] != head:
            return None
    except MalformedError, UnreachableError:
        # It did answer for block 0. If it is gone since, that will be said of all of it.
        return None
    chunk = b"".join(response.payload for response in rest)
    # The first, if there are several: those of one long label may end alike.
    found = chunk.find(mark.end)
    end = _END.search(chunk, max(0, len(chunk) - MARK))
    if found < 0 or end is None:
        return None
    known = found + len(mark.end)
    # How much more there is before it than there was. Without a change at its beginning, nothing;
    # and less, if it was that the oldest made room. All else was added elsewhere.
    more = start + known - head.position - mark.length
    if more > 0 or (more == 0) != (head.first == mark.first):
        return None
    added = chunk[known : end.start()].strip()
    if added and not added.startswith(b","):
        return None
    begin = max(head.position - start, end.start() - MARK, 0)
    position = start + end.start()
    now = Mark(chunk[begin : end.start()], position, position - head.position, head.first)
    return Tail(first, beginning, added[1:], now)
