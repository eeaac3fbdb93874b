"""Reads the history in chunks, from where the last read ended, though it changes meanwhile.

The API has no filter, so that each session that ends would cost a transfer of all others. But
blocks can be requested by number, and the one known answer has its sessions in the order of their
ends. So a read goes on after the last record that is known, which is recognised by its bytes.

A long history changes while it is read. So it is read in segments, and its beginning is read again
after each: if that is the same, the blocks in between belong together. If not, the segment is read
again, from the last record that is certain. Records that were read twice alike are certain, too.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import batched, takewhile
from typing import Any, Self

from .blockwise import CONTEXT, MAX_HELD, Body
from .coap import VALID, Exchanges
from .exceptions import ChangedError, MalformedError, TimedOutError
from .messages import Message
from .parse import LIST_END, Head, Item, digest, parse_history, parse_items, split_list

PATH = "/v1/sessions/history"
LIST = "session_history"

# Sessions in a chunk: a millisecond's work on a slow machine.
CHUNK = 100

# Blocks in a segment: at first, so that the first chunk comes soon, and after a change; and at
# most, after segments without a change.
SEGMENT, MAX_SEGMENT = 32, 64

# If blocks are small, the beginning is several of them. A segment is at least as long as this many
# beginnings.
MIN_BEGINNINGS = 8

# After MAX_TRIES reads of a segment without progress, the records that are within one block are
# taken; after as many more, the history is given up. So it is after MAX_RESTARTS new beginnings,
# each because the record to go on after could not be found.
MAX_TRIES = 3
MAX_RESTARTS = 3

# How far from its place a record is looked for, in bytes: the unit may have dropped its oldest few,
# or some thirty while it could not be reached.
DISTANCES = (1024, 10 * 1024)

# A longer mark (in bytes) is looked for in its place alone, as each place takes a digest.
MAX_SOUGHT = 4 * 1024


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a read of the history is to go on: after one of its records.

    offset: where the record ends, in bytes from the beginning of the list. length: in bytes, of the
    mark by which the record is recognised: its own bytes, and some of the list before them. digest:
    of the mark. first: the digest of the list's first record.
    is_in_order: whether the unit serves blocks only in their order; None if that is not known.
    is_midway: whether it is in the middle of a pass that began with the list's first record.
    is_complete: whether nothing was left out of that pass so far.
    """

    offset: int
    length: int
    digest: str
    first: str
    is_in_order: bool | None = None
    is_midway: bool = False
    is_complete: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the fields, for JSON. No guest's name is in them."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Any) -> Self | None:
        """Make a cursor of what `to_json` returned; None if it is anything else."""
        try:
            cursor = cls(**fields)
        except TypeError:
            return None
        numbers = cursor.length, cursor.offset
        is_one = all(type(number) is int for number in numbers) and 0 < numbers[0] <= numbers[1]
        return cursor if is_one else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(Message):
    """Some sessions of the history, in its order.

    cursor: where to go on after these sessions; None if no record was read yet. is_last: whether
    the history ends with them. is_from_beginning: whether this read, with those that it goes on
    from, covers the history from its first record. goes_on: whether the record was found after
    which this read was to go on. is_complete: False if a record was left out of the pass, as the
    history changed each time that it was read.
    envelope: as of a moment before these sessions were read. asked, answered: the event loop's time
    (seconds) around the exchange that brought the envelope.
    """

    cursor: Cursor | None
    is_last: bool
    is_from_beginning: bool
    goes_on: bool
    is_complete: bool
    asked: float
    answered: float


async def open_history(endpoint: Exchanges) -> Body:
    """GET the beginning of the history, with its head. Errors: as of `Body.open`."""
    body = await Body.open(endpoint, PATH, LIST)
    if body.first.code == VALID:
        raise MalformedError("code", "2.03, though nothing was held")
    if body.head is None:
        if body.has_more:
            raise MalformedError(LIST, "not found")
        # An empty list may be left out, or null.
        envelope = parse_history(body.beginning).envelope
        body.head = Head(envelope.sequence, digest(LIST_END), envelope=envelope, start=0)
        body.beginning = LIST_END
    return body


@dataclass(slots=True)
class _SoFar:
    """What is known of a pass so far; the fields are those of Chunk."""

    is_from_beginning: bool = True
    goes_on: bool = False
    is_complete: bool = True


class Reader:
    """One pass over the history."""

    def __init__(self, endpoint: Exchanges) -> None:
        """Read nothing yet."""
        self._endpoint = endpoint
        # What was read and not yielded yet.
        self._body: Body
        # The record before its text; None at the list's first. The cursor is for later reads. The
        # anchor is for this one: its mark is the record alone, as others may be put before that.
        self._cursor: Cursor | None = None
        self._anchor: Cursor | None = None
        self._is_in_order: bool | None = None
        self._so_far = _SoFar()
        self._segment = SEGMENT
        # Hashes: of the items that were yielded last, and of those that were read last and not
        # yielded.
        self._recent: set[int] = set()
        self._before: list[int | None] = []
        # Segments since one had an item that is certain; and times that the anchor was not found.
        self._tries = self._restarts = 0

    async def read(self, cursor: Cursor | None) -> AsyncIterator[Chunk]:
        """Read on after a cursor, or from the beginning. As `Transmitter.history`."""
        await self._begin()
        if cursor is not None:
            self._is_in_order = cursor.is_in_order
            if await self._go_to(cursor, is_anywhere=cursor.is_midway):
                self._so_far = _SoFar(
                    is_from_beginning=cursor.is_midway, goes_on=True, is_complete=cursor.is_complete
                )
            else:
                await self._begin()
        while True:
            items, is_certain, latest = await self._read_segment()
            items = self._take(items, latest, is_certain=is_certain)
            for chunk in self._chunks(items):
                yield chunk
            if items and items[-1].text == LIST_END:
                return
            if items:
                self._segment = min(2 * self._segment, MAX_SEGMENT) if is_certain else SEGMENT
            # Once the beginning was read again, the unit may go on from there, whatever block is
            # requested. So the anchor is looked for, even if nothing changed.
            if latest is not None and not (is_certain and self._anchor is None):
                await self._resume(latest, has_moved=not is_certain)

    async def _open(self) -> Body:
        """GET the beginning; again if it changed while its blocks were read."""
        for _ in range(MAX_TRIES - 1):
            with suppress(ChangedError):
                return await open_history(self._endpoint)
        return await open_history(self._endpoint)

    async def _begin(self) -> None:
        """Begin with the list's first record."""
        self._body = await self._open()
        self._body.begin_at(self._head.start)
        self._cursor = self._anchor = None
        self._so_far = _SoFar()

    @property
    def _head(self) -> Head:
        assert self._body.head is not None  # as open_history returned it
        return self._body.head

    async def _read_segment(self) -> tuple[list[Item], bool, Body | None]:
        """GET a segment, from the anchor on.

        Returns its items; whether they are certain to be of one state of the unit; and the
        beginning as it was read after them, None if that was not needed.
        """
        body, is_refused = self._body, False
        length = max(self._segment * body.size, MIN_BEGINNINGS * len(body.beginning))
        while True:
            try:
                while body.has_more and len(body.text) < length:
                    await body.extend()
            except ChangedError:
                is_refused = True
            items = split_list(bytes(body.text))
            is_end = bool(items) and items[-1].text == LIST_END
            if is_end or is_refused or not body.has_more or (items and not self._is_in_order):
                break
            length = 2 * len(body.text)
        if body.is_in_one_block and not is_refused:
            return items, True, None
        latest = await self._open()
        return items, latest.is_as_in(body) and not is_refused, latest

    def _take(self, items: list[Item], latest: Body | None, *, is_certain: bool) -> list[Item]:
        """Return those of a segment's items that are certain.

        latest, is_certain: as `_read_segment` returned them.
        Raises MalformedError if the list is cut off, ChangedError after 2 * MAX_TRIES tries.
        """
        if is_certain and not items:
            raise MalformedError(LIST, "cut off")
        certain = items if is_certain else items[: _count_alike(items, self._before)]
        # Where records were removed before them, halves of two may have been read as one item, and
        # twice alike. An item within one block is right, as the unit writes a block in one go.
        has_moved = latest and latest.head and latest.head.first != self._head.first
        self._before = [
            None if has_moved and not self._is_in_one_block(item) else hash(item.text)
            for item in items[len(certain) :]
        ]
        self._tries += 1
        if not certain and self._tries >= MAX_TRIES:
            self._so_far.is_complete = False
            whole = [item for item in items if self._is_in_one_block(item)]
            # A piece of a label may look like an item.
            certain = [item for item in whole if parse_items([item]).sessions]
            if not certain and self._tries >= 2 * MAX_TRIES:
                raise ChangedError
        return certain

    def _is_in_one_block(self, item: Item) -> bool:
        """Whether an item is in one block, and was not yielded before."""
        end, size = self._body.offset + item.end, self._body.size
        begin = end - len(item.text)
        return begin // size == (end - 1) // size and hash(item.text) not in self._recent

    def _chunks(self, items: Sequence[Item]) -> Iterator[Chunk]:
        """Yield items as chunks, and have the text begin after them."""
        if not items:
            return
        body, head = self._body, self._head
        ends = items[-1].text == LIST_END
        batches = list(batched(items[: len(items) - ends], CHUNK, strict=False)) or [()]
        for number, batch in enumerate(batches, 1):
            is_last = ends and number == len(batches)
            # An item that is no object is no session, and makes no mark.
            for text, end in [item for item in batch if item.text.startswith(b"{")][-1:]:
                offset = body.offset + end - head.start
                mark = (body.before + body.text[:end])[-max(CONTEXT, len(text)) :]
                self._cursor = Cursor(offset, len(mark), digest(mark), head.first)
                self._anchor = Cursor(offset, len(text), digest(text), head.first)
            yield Chunk(
                envelope=head.envelope,
                **parse_items(batch)._asdict(),
                cursor=self._kept(is_last=is_last),
                is_last=is_last,
                is_from_beginning=self._so_far.is_from_beginning,
                goes_on=self._so_far.goes_on,
                is_complete=self._so_far.is_complete,
                asked=body.first.asked,
                answered=body.first.answered,
            )
        self._recent = {hash(item.text) for item in items}
        self._tries = 0
        body.drop(items[-1].end)

    def _kept(self, *, is_last: bool) -> Cursor | None:
        """Return the cursor with what is known of the unit and of the pass."""
        return self._cursor and replace(
            self._cursor,
            is_in_order=self._is_in_order,
            is_midway=self._so_far.is_from_beginning and not is_last,
            is_complete=self._so_far.is_complete or is_last,
        )

    async def _resume(self, latest: Body, *, has_moved: bool) -> None:
        """Go on after the anchor, by the latest beginning. has_moved: whether the anchor may have.

        Raises ChangedError if the anchor was lost more than MAX_RESTARTS times.
        """
        self._body = latest
        latest.begin_at(self._head.start)
        if self._anchor is None or await self._go_to(self._anchor, is_anywhere=has_moved):
            return
        for _ in range(MAX_TRIES):
            self._body = await self._open()
            if await self._go_to(self._anchor, is_anywhere=True):
                return
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise ChangedError
        self._is_in_order = None  # the record is gone; the unit may serve blocks in any order
        await self._begin()

    async def _go_to(self, anchor: Cursor, *, is_anywhere: bool) -> bool:
        """Have the text begin after the record of a cursor; return whether it is where it may be.

        is_anywhere: whether it may be farther from the list's beginning than it was, as others were
        put before it. Those are left to the next pass.
        """
        body, head = self._body, self._head
        place = head.start + anchor.offset
        is_same = head.first == anchor.first
        distances: tuple[int, ...] = (0, *DISTANCES) if is_same else DISTANCES
        if anchor.length > MAX_SOUGHT or (is_same and not is_anywhere):
            distances = (0,)
        elif self._is_in_order:
            distances = (MAX_HELD,)  # each would take a transfer from the beginning
        is_found, distance = False, 0
        for distance in distances:
            if is_found := await self._find(anchor, place - distance, place + distance):
                break
        offset = body.offset - head.start
        is_in_place = is_found and is_same and offset == anchor.offset
        # Whether the record's block is not just the one after the beginning. If the record was in
        # its place, but was found only by reading from farther ahead, blocks come in order alone.
        block = (place - anchor.length) // body.size * body.size
        is_out_of_order = block > len(body.beginning)
        if not self._is_in_order and is_out_of_order and is_found == is_in_place:
            is_in_order = not is_found or distance > 0
            # A unit that served blocks out of order has new firmware, or the record is gone.
            is_doubtful = is_in_order and self._is_in_order is False
            self._is_in_order = None if is_doubtful else is_in_order
        if not is_found:
            return False
        self._anchor = replace(anchor, offset=offset, first=head.first)
        self._cursor = replace(self._cursor or anchor, offset=offset, first=head.first)
        # Where the list's first record was removed, others moved up; else none moved.
        return is_anywhere or is_in_place or offset < anchor.offset

    async def _find(self, anchor: Cursor, begin: int, last: int) -> bool:
        """Have the text begin after the record of a cursor; return whether that was found.

        begin, last: the first and the last offset in the body at which the record may end.
        """
        body, start = self._body, self._head.start
        begin = max(begin, start + anchor.length)
        body.begin_at(start if self._is_in_order else begin - anchor.length)
        at = begin - body.offset
        try:
            while body.offset + at <= last:
                if at > len(body.text):
                    if not body.has_more:
                        break
                    await body.extend()
                elif digest(bytes(body.text[at - anchor.length : at])) == anchor.digest:
                    body.drop(at, joined=anchor.length)
                    return True
                else:
                    at = body.text.find(b"}", at) + 1 or len(body.text) + 1
        except MalformedError:
            pass  # there is no such block, or another was served
        except TimedOutError:
            if self._is_in_order is not None:
                raise
        return False


def _count_alike(items: Sequence[Item], before: Sequence[int | None]) -> int:
    """Count the items, from the first on, that are as in the read before.

    before: the hashes of that read, the first of which may be of items that were removed since;
    None for an item that is not certain even if it was read twice alike.
    """
    hashes = [hash(item.text) for item in items]
    if not hashes or hashes[0] not in before:
        return 0
    pairs = zip(hashes, before[before.index(hashes[0]) :], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
