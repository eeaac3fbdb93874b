"""The history is read once, and then what was added to it; whatever happens to it meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
import itertools
import json
import random
from typing import Any, override

import pytest

from custom_components.lrs_pager.transmitter import (
    ChangedError,
    Cursor,
    MalformedError,
    RejectedError,
    TimedOutError,
    Transmitter,
    blockwise,
)
from tests.conftest import serve_guest
from tests.simulator import HISTORY_EXAMPLE, Simulator, Unit
from tests.simulator.resources import HISTORY
from tests.transmitter import Read, read

# Sessions that make a history of many blocks, and of many chunks.
MANY = 60
CHUNKS = 1_000

# What a label may have in it that looks like JSON.
LABELS = [None, ']}"}],"session_history":[{"id":1}]}', "Zoë 🍕 \\", "{}[]", "x" * 200]


class Hooks(dict[Any, Any]):
    """Has something happen before each block of the history is served."""

    def __init__(self, happen: Callable[[], object]) -> None:
        super().__init__()
        self._happen = happen

    @override
    def get(self, key: Any, default: Any = None) -> Any:
        return self._happen if key[0] == HISTORY else default


class House:
    """A unit, and its client."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.unit = simulator.unit
        self.transmitter = Transmitter(simulator.host, simulator.port)
        self._number = 0

    def serve(self, sessions: int = 1, label: str | None = None) -> None:
        for _ in range(sessions):
            self._number += 1
            # A time of their own for each, as guests have.
            serve_guest(self.unit, minutes_ago=9_999 - self._number, label=label)

    def trim(self) -> None:
        """Have one guest served, for whose session the oldest makes room."""
        self.unit.history_limit = len(self.unit.history)
        self.serve()
        self.unit.history_limit = None

    def insert(self, at: int) -> None:
        """Have one guest served, whose session gets that place in the history."""
        self.serve()
        self.unit.history.insert(at, self.unit.history.pop())

    def happens_each(self, exchanges: int, happen: Callable[[], object], times: int = -1) -> None:
        """Have something happen before every so many blocks."""
        count = itertools.count(1)
        left = itertools.repeat(None) if times < 0 else iter([None] * times)

        def served() -> None:
            if next(count) % exchanges == 0:
                for _ in itertools.islice(left, 1):
                    happen()

        self.simulator.hooks = Hooks(served)

    async def read(self, cursor: Cursor | None = None) -> Read:
        self.simulator.requests.clear()
        found = await read(self.transmitter, cursor)
        self.check(found)
        return found

    def check(self, found: Read) -> None:
        """Whether all that was read is as the unit archived it, and none of it twice."""
        true = {s.uuid: (s.id, s.number, s.created, s.cleared, s.label) for s in self.unit.ledger}
        for s in found.sessions:
            *stamps, label = true[s.uuid]
            assert [s.id, s.number, s.created, s.cleared, s.label] == [
                *stamps,
                label and label[:200],
            ]
        assert len(set(found.ids)) == len(found.ids)

    @property
    def archived(self) -> list[int]:
        return [item["id"] for item in self.unit.history]

    @property
    def blocks(self) -> list[int]:
        """The blocks that were asked for."""
        return [request.block2[0] if request.block2 else 0 for request in self.simulator.requests]


async def houses(**options: Any) -> AsyncIterator[House]:
    unit = Unit(now=lambda: datetime(2026, 11, 23, 12))
    async with Simulator(unit=unit, **options) as simulator:
        house = House(simulator)
        yield house
        await house.transmitter.close()


@pytest.fixture(params=[True, False], ids=["still", "written anew for each block"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async for house in houses(still=request.param):
        house.serve(MANY)
        yield house


@pytest.fixture
async def moving() -> AsyncIterator[House]:
    """A unit that writes each block anew, and has a long history."""
    async for house in houses(still=False):
        house.serve(CHUNKS)
        yield house


# ----------------------------------------------------------------------------- all of it


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("max_szx", range(7))
@pytest.mark.parametrize("etag", [True, False])
async def test_a_long_history_comes_in_blocks_of_any_size(
    still: bool, max_szx: int, etag: bool
) -> None:
    async for house in houses(still=still, max_szx=max_szx, history_etag=etag):
        house.serve(30)
        found = await house.read()
        assert found.ids == house.archived
        assert found.is_complete
        assert found.is_from_beginning


@pytest.mark.parametrize("count", [1, 3, 12, 100, 200])
async def test_a_unit_that_sends_all_in_one_datagram_is_read_whole(count: int) -> None:
    async for house in houses(blockwise=False):
        house.serve(count)
        for _ in range(2):
            assert (await house.read()).ids == house.archived


async def test_an_empty_history_is_one_chunk_without_sessions(house: House) -> None:
    house.unit.wipe_history()
    found = await house.read()
    [chunk] = found.chunks
    assert chunk.sessions == ()
    assert chunk.cursor is None
    assert found.is_complete
    assert found.is_from_beginning


async def test_chunks_are_small_and_the_first_is_there_long_before_the_last(moving: House) -> None:
    moving.simulator.requests.clear()
    chunks = []
    asked = []
    async for chunk in moving.transmitter.history():
        chunks.append(chunk)
        asked.append(len(moving.simulator.requests))
    assert all(len(chunk.sessions) <= 100 for chunk in chunks)
    assert asked[0] < asked[-1] / 5
    assert Read(chunks).ids == moving.archived


async def test_a_long_history_costs_hardly_more_than_its_blocks(moving: House) -> None:
    await moving.read()
    blocks = max(moving.blocks) + 1
    await moving.read()
    assert len(moving.blocks) <= 1.04 * blocks


async def test_a_chunk_says_when_its_envelope_was_asked_for_by_the_loops_clock(
    house: House,
) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    found = await house.read()
    assert before <= found.chunks[0].asked <= found.chunks[0].answered <= loop.time()
    assert found.chunks[0].envelope.timestamp == house.unit.time()
    assert found.chunks[0].envelope.device_name == "T7470"


async def test_a_unit_that_lists_a_session_twice_is_read_whole(house: House) -> None:
    house.unit.history.insert(20, house.unit.history[7])
    found = await read(house.transmitter)
    assert found.ids == house.archived
    assert found.is_complete


@pytest.mark.parametrize("count", [1, MANY])
async def test_what_a_unit_writes_after_the_list_costs_no_session(count: int) -> None:
    async for house in houses():
        house.serve(count)
        rest = b',"responseTypes":["session_history"],"globalSessionSequence":7,"x":[{"id":99}]'
        body = b'{"session_history":' + json.dumps(house.unit.history).encode() + rest + b"}"
        house.simulator.canned[HISTORY] = body
        found = await house.read()
        assert found.ids == house.archived
        assert found.chunks[0].envelope.response_types == ("session_history",)
        assert found.chunks[0].envelope.sequence == (7 if count == 1 else None)


@pytest.mark.parametrize("at", [0, 30, MANY])
@pytest.mark.parametrize(
    "odd",
    [
        b"null",
        b"7",
        b'"a session"',
        b"[]",
        b"{}",
        b'{"id":999,"tags":[{"a":"}"},[1,2]],"created":"2026-11-23T12:00:00","uuid":{"x":1}}',
        b'{"id":999,"label":"a "quoted" word"}',
    ],
    ids=str,
)
async def test_what_is_no_session_costs_no_other(at: int, odd: bytes, house: House) -> None:
    records = [json.dumps(item).encode() for item in house.unit.history]
    records.insert(at, odd)
    house.simulator.canned[HISTORY] = (
        b'{"responseTypes":["session_history"],"globalSessionSequence":7,"session_history":['
        + b" ,\n".join(records)
        + b" ]}"
    )
    found = await read(house.transmitter)
    assert [id_ for id_ in found.ids if id_ != 999] == house.archived
    assert sum(chunk.skipped for chunk in found.chunks) + found.ids.count(999) == 1
    assert set((await read(house.transmitter, found.cursor)).ids) <= {999}


async def test_a_session_that_is_longer_than_a_segment_is_read(house: House) -> None:
    house.unit.history[30]["label"] = "long" * 20_000
    found = await read(house.transmitter)
    assert found.ids == house.archived
    house.unit.history[-1]["label"] = "long" * 20_000
    whole = await read(house.transmitter)
    house.serve()
    assert (await read(house.transmitter, whole.cursor)).ids == house.archived[-1:]


@pytest.mark.parametrize("blockwise", [True, False])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"responseTypes":["session_history"],"session_history":null}'], ids=str
)
async def test_a_history_without_a_list_is_empty_or_malformed_at_once(
    body: bytes, blockwise: bool
) -> None:
    async for house in houses(blockwise=blockwise):
        house.serve()
        cursor = (await house.read()).cursor
        house.simulator.canned[HISTORY] = body
        house.simulator.requests.clear()
        if b"null" in body:
            found = await read(house.transmitter, cursor)
            assert (found.ids, found.is_from_beginning, found.cursor) == ([], True, None)
        else:
            with pytest.raises(MalformedError):
                await read(house.transmitter, cursor)
        assert set(house.blocks) == {0}
        assert len(house.blocks) <= 2


async def test_a_list_that_begins_nowhere_near_the_beginning_is_none(house: House) -> None:
    house.simulator.canned[HISTORY] = b'{"responseTypes":["session_history"],"x":"%s"}' % (
        b"x" * 50_000
    )
    with pytest.raises(MalformedError) as raised:
        await read(house.transmitter)
    assert raised.value.field == "session_history"
    assert max(house.blocks) < 5


async def test_a_body_that_goes_on_after_its_list_is_not_read_to_its_end(house: House) -> None:
    house.simulator.faults.oversized = True
    found = await house.read()
    assert found.ids == house.archived
    assert len(house.blocks) < 100


async def test_an_item_without_end_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blockwise, "MAX_HELD", 100_000)
    house.simulator.canned[HISTORY] = (
        b'{"responseTypes":["session_history"],"session_history":[{"label":"%s"}]}' % (b"x" * 10**6)
    )
    with pytest.raises(MalformedError):
        await read(house.transmitter)
    assert len(house.blocks) < 200


# ------------------------------------------------------------------------- what was added


async def test_only_what_was_added_is_read(house: House) -> None:
    whole = await house.read()
    all_blocks = len(house.blocks)
    house.serve(2)
    added = await house.read(whole.cursor)
    assert not added.is_from_beginning
    assert added.is_complete
    assert added.ids == [MANY + 1, MANY + 2]
    assert added.chunks[0].envelope.sequence == house.unit.sequence
    assert len(house.blocks) <= 5 < all_blocks
    house.serve()
    assert (await house.read(added.cursor)).ids == [MANY + 3]


async def test_one_session_more_of_a_thousand_is_about_three_exchanges(moving: House) -> None:
    cursor = (await moving.read()).cursor
    exchanges = 0
    for _ in range(20):
        moving.serve()
        found = await moving.read(cursor)
        assert found.ids == moving.archived[-1:]
        assert len(moving.blocks) <= 4
        exchanges += len(moving.blocks)
        cursor = found.cursor
    assert exchanges <= 20 * 3.5


async def test_if_nothing_was_added_nothing_is_read(house: House) -> None:
    whole = await house.read()
    added = await house.read(whole.cursor)
    assert not added.is_from_beginning
    assert added.ids == []
    assert added.is_complete
    assert added.cursor
    assert whole.cursor
    assert added.cursor == replace(whole.cursor, is_in_order=False)


async def test_a_history_of_one_block_is_read_in_one_exchange() -> None:
    async for house in houses():
        house.serve()
        whole = await house.read()
        house.serve()
        assert (await house.read(whole.cursor)).ids == [2]
        assert house.blocks == [0]


async def test_a_unit_that_knows_no_blocks_is_read_on_too() -> None:
    async for house in houses(blockwise=False):
        house.serve(MANY)
        whole = await house.read()
        house.serve()
        assert (await house.read(whole.cursor)).ids == [MANY + 1]


async def test_the_oldest_may_make_room_for_the_latest(house: House) -> None:
    house.unit.history_limit = MANY
    cursor = (await house.read()).cursor
    for number in range(1, 2 * MANY):
        house.serve()
        added = await house.read(cursor)
        assert not added.is_from_beginning
        assert added.ids == [MANY + number]
        assert len(house.blocks) <= 6
        cursor = added.cursor


async def test_many_of_the_oldest_may_make_room_while_the_unit_is_away(moving: House) -> None:
    moving.unit.history_limit = CHUNKS
    cursor = (await moving.read()).cursor
    moving.serve(30)
    added = await moving.read(cursor)
    assert added.ids == moving.archived[-30:]
    assert len(moving.blocks) < 40


async def test_a_history_that_was_wiped_is_read_from_its_beginning(house: House) -> None:
    whole = await house.read()
    house.unit.wipe_history()
    found = await house.read(whole.cursor)
    assert found.is_from_beginning
    assert found.ids == []
    assert found.cursor is None
    for sessions in (1, MANY):
        house.serve(sessions)
        found = await house.read(whole.cursor)
        assert found.is_from_beginning
        assert found.ids == house.archived


@pytest.mark.parametrize("order", ["latest first", "by id", "by uuid"])
async def test_a_history_in_another_order_is_read_from_its_beginning(
    house: House, order: str
) -> None:
    whole = await house.read()
    match order:
        case "latest first":
            house.insert(0)
        case "by id":  # one that began before others which ended before it
            house.insert(-5)
        case "by uuid":
            house.serve()
            house.unit.history.sort(key=lambda item: item["uuid"])
    found = await house.read(whole.cursor)
    assert found.is_from_beginning
    assert found.ids == house.archived


async def test_sessions_that_end_in_the_same_long_label_are_all_read(house: House) -> None:
    house.serve(label="x" * 600)
    whole = await house.read()
    house.serve(3, label="x" * 600)
    added = await house.read(whole.cursor)
    assert added.ids == [MANY + 2, MANY + 3, MANY + 4]


async def test_an_error_of_the_unit_is_one_as_ever(house: House) -> None:
    whole = await house.read()
    house.simulator.faults.error_5_00 = True
    with pytest.raises(RejectedError):
        await read(house.transmitter, whole.cursor)


@pytest.mark.parametrize("szx", range(7))
@pytest.mark.parametrize("label", LABELS, ids=str)
async def test_whatever_happens_to_a_history_nothing_of_it_is_missed(
    szx: int, label: str | None
) -> None:
    """What is read, piece by piece, is what the unit has archived."""
    dice = random.Random(szx)
    async for house in houses(max_szx=szx, still=bool(szx % 2)):
        known: dict[str | None, int | None] = {}
        cursor = None
        for _ in range(12):
            house.serve(dice.randrange(4), label)
            match dice.randrange(8):
                case 0:
                    house.unit.reboot(restart_sequence=True, lose_history=dice.random() < 0.3)
                case 1:
                    house.unit.history_limit = max(4, len(house.unit.history))
                case 2:
                    house.unit.skew += timedelta(hours=dice.randrange(-9, 9))
                case 3 if house.unit.history_limit is None and (items := house.unit.history):
                    items.insert(dice.randrange(len(items)), items.pop())
            found = await house.read(cursor)
            known |= {session.uuid: session.id for session in found.sessions}
            assert {
                item["uuid"]: item["id"] for item in house.unit.history
            }.items() <= known.items()
            cursor = found.cursor
        assert len(known) <= len(house.unit.ledger)


# ------------------------------------------------------------------- reading on in the middle


async def read_some(house: House, chunks: int) -> Read:
    """Read so many chunks and no more, or until the unit is silent."""
    found = Read()
    with suppress(TimedOutError):
        async for chunk in house.transmitter.history():
            found.chunks.append(chunk)
            if len(found.chunks) == chunks:
                break
    return found


async def test_a_read_goes_on_after_any_of_its_chunks(moving: House) -> None:
    whole = await moving.read()
    for number, chunk in enumerate(whole.chunks, 1):
        rest = await moving.read(chunk.cursor)
        assert rest.sessions == Read(whole.chunks[number:]).sessions
        assert rest.is_from_beginning == (not chunk.is_last)
        assert rest.is_complete


async def test_a_read_goes_on_after_a_restart_and_no_name_is_kept_for_that() -> None:
    async for house in houses(still=False):
        house.serve(CHUNKS, label="Ortega")
        first = await read_some(house, 4)
        assert first.cursor
        kept = json.dumps(first.cursor.to_json())
        assert "Ortega" not in kept
        await house.transmitter.close()
        house.transmitter = Transmitter(house.simulator.host, house.simulator.port)
        house.serve(5)
        rest = await house.read(Cursor.from_json(json.loads(kept)))
        assert first.ids + rest.ids == house.archived
        assert rest.is_from_beginning


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        "cursor",
        {"offset": 5},
        {"offset": "5", "length": 1, "digest": "", "first": ""},
    ],
    ids=str,
)
def test_what_is_no_cursor_is_none(kept: Any) -> None:
    assert Cursor.from_json(kept) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": 10**9},
        {"offset": -5},
        {"length": -5},
        {"length": 10**9},
        {"digest": "0"},
        {"offset": 0, "length": 0},
    ],
    ids=str,
)
async def test_a_cursor_that_stands_for_nothing_is_one_to_begin_with(
    changes: dict[str, Any], house: House
) -> None:
    cursor = (await house.read()).cursor
    assert cursor
    found = await house.read(Cursor.from_json(cursor.to_json() | changes))
    assert found.is_from_beginning
    assert found.ids == house.archived


@pytest.mark.usefixtures("short_timeouts")
async def test_one_lost_poll_costs_no_read_of_what_was_read_before(moving: House) -> None:
    await moving.read()
    blocks = max(moving.blocks) + 1
    moving.simulator.requests.clear()

    def fall_silent() -> None:
        moving.simulator.faults.silence = True

    moving.simulator.hooks[HISTORY, blocks - 20] = fall_silent
    found = await read_some(moving, CHUNKS)
    moving.simulator.hooks.clear()
    moving.simulator.faults.silence = False
    moving.serve()
    before = len(moving.blocks)
    found.chunks += (await read(moving.transmitter, found.cursor)).chunks
    moving.check(found)
    assert found.ids == moving.archived
    assert found.is_from_beginning
    assert found.is_complete
    assert len(moving.blocks) - before < 64 + 20 + 10


@pytest.mark.usefixtures("short_timeouts")
async def test_a_bad_moment_in_the_middle_of_a_long_history_costs_no_more_than_a_segment(
    house: House,
) -> None:
    def fall_silent() -> None:
        house.simulator.hooks.clear()
        house.simulator.faults.silence = True
        asyncio.get_running_loop().call_later(
            0.6, setattr, house.simulator.faults, "silence", False
        )

    house.simulator.hooks[HISTORY, 4] = fall_silent
    found = await house.read()
    assert found.ids == house.archived
    assert house.blocks.count(0) == 3  # and when it was all there, once and twice


async def test_a_list_that_was_wiped_between_two_chunks_is_read_as_it_is_now(
    moving: House,
) -> None:
    ids = []
    async for chunk in moving.transmitter.history():
        if not ids:
            moving.unit.wipe_history()
            moving.serve(3)
        ids += [session.id for session in chunk.sessions]
    assert ids[-3:] == moving.archived


# ---------------------------------------------------------------- sessions that leave meanwhile


async def test_a_long_history_is_read_to_its_end_while_guests_leave(moving: House) -> None:
    """30,000 sessions, 50 ms for each exchange and a guest every 10 s are 40 guests on the way.

    Here it is a thirtieth of all, with a session's three changes apart.
    """
    await moving.read()
    blocks = max(moving.blocks) + 1
    steps = itertools.cycle([moving.unit.create, moving.unit.page, moving.unit.clear])
    moving.happens_each(66, lambda: next(steps)(7))
    found = await moving.read()
    assert found.ids == moving.archived
    assert found.is_complete
    assert len(moving.unit.ledger) > CHUNKS
    assert len(moving.blocks) < 2 * blocks


async def test_a_full_history_is_read_to_its_end_while_guests_leave(moving: House) -> None:
    moving.happens_each(100, moving.trim)
    there = set(moving.archived)
    found = await moving.read()
    assert there & set(moving.archived) <= set(found.ids)
    assert set(moving.archived) - there <= set(found.ids)
    assert found.is_complete
    assert len(moving.unit.ledger) > CHUNKS
    assert len(moving.blocks) < 3 * CHUNKS * 256 / 1024


@pytest.mark.parametrize("max_szx", range(7))
@pytest.mark.parametrize("etag", ["etag", "no etag"])
@pytest.mark.parametrize("kind", ["append", "trim", "insert", "page"])
async def test_a_guest_who_leaves_at_any_moment_costs_no_session_and_makes_none_up(
    kind: str, etag: str, max_szx: int
) -> None:
    happen: dict[str, Callable[[House], object]] = {
        "append": House.serve,
        "trim": House.trim,
        "insert": lambda house: house.insert(5),
        "page": lambda house: house.unit.create(next(pagers)),
    }
    pagers = iter(range(200, 300))
    for when in (1, 2, 3, 5, 8):
        async for house in houses(
            still=False, max_szx=max_szx, history_etag=etag == "etag", exact_etag=True
        ):
            house.serve(12)
            there = set(house.archived)
            house.happens_each(when << 6 - max_szx, lambda: happen[kind](house), times=1)  # noqa: B023
            found = await house.read()
            assert there & set(house.archived) <= set(found.ids)
            assert found.is_complete


async def test_a_change_after_the_anchor_was_found_is_not_taken_in_two_halves(
    house: House,
) -> None:
    whole = await house.read()
    house.serve(8)  # more than a block
    last = max(house.blocks)

    def change() -> None:
        house.simulator.hooks.clear()
        house.trim()

    house.simulator.hooks[HISTORY, last + 1] = change
    found = await house.read(whole.cursor)
    assert not house.simulator.hooks
    assert found.ids == house.archived[-9:]


@pytest.mark.parametrize("etag", [True, False])
async def test_a_unit_that_changes_with_each_answer_costs_time_and_no_session(
    etag: bool,
) -> None:
    async for house in houses(still=False, history_etag=etag, exact_etag=True):
        house.serve(CHUNKS)
        house.happens_each(1, lambda: house.unit.load_history([]) if etag else house.unit._bump())  # noqa: B023
        found = await house.read()
        assert found.ids == house.archived
        assert found.is_complete
        assert len(house.blocks) < 2.5 * CHUNKS * 256 / 1024


async def test_a_unit_without_a_count_of_changes_is_read_right(moving: House) -> None:
    moving.simulator.faults.no_sequence = True
    moving.happens_each(100, moving.trim)
    there = set(moving.archived)
    found = await moving.read()
    assert there & set(moving.archived) <= set(found.ids)
    assert found.is_complete


async def test_a_list_whose_items_move_about_gives_no_wrong_session(house: House) -> None:
    house.simulator.faults.body_changes = True
    found = Read()
    with suppress(ChangedError):
        async for chunk in house.transmitter.history():
            house.check(Read([chunk]))
            found.chunks.append(chunk)
    # What moves from the front to the end may come twice.
    assert not found.is_complete or set(found.ids) == set(house.archived)


async def test_what_can_never_be_read_alike_is_left_out_and_said_to_be() -> None:
    """With each block, half of the history makes room for others."""
    async for house in houses(still=False):
        house.serve(100)

        def make_room(house: House = house) -> None:
            for _ in range(50):
                house.trim()

        house.happens_each(1, make_room, times=400)
        found = await house.read()
        assert len(found.ids) > 100
        assert not found.is_complete
        assert not found.chunks[0].is_complete
        assert found.chunks[0].cursor
        assert not found.chunks[0].cursor.is_complete


async def test_a_history_that_is_never_the_same_is_given_up() -> None:
    async for house in houses(still=False, max_szx=2):
        house.serve(MANY)
        dice = random.Random(1)
        house.happens_each(1, lambda: (dice.shuffle(house.unit.history), house.unit._bump()))  # noqa: B023
        with pytest.raises(ChangedError):
            await house.read()


# --------------------------------------------------------- units that serve blocks in order alone


async def test_a_unit_that_serves_blocks_in_their_order_alone_is_asked_for_others_once(
    house: House,
) -> None:
    house.simulator.faults.in_order_only = True
    cursor = (await house.read()).cursor
    tried = []
    for number in range(1, 6):
        house.serve()
        found = await house.read(cursor)
        assert found.ids in ([MANY + number], list(range(1, MANY + number + 1)))
        tried.append(house.blocks[1] != 1)
        cursor = found.cursor and Cursor.from_json(found.cursor.to_json())
    assert tried == [True, False, False, False, False]
    assert [block for block in house.blocks if block] == [*range(1, max(house.blocks) + 1)]


@pytest.mark.parametrize("fault", ["in_order_only", "next_block_whatever"])
@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("sequence", [True, False])
async def test_a_long_history_in_order_is_read_to_its_end_and_no_session_twice(
    fault: str, still: bool, sequence: bool
) -> None:
    async for house in houses(still=still):
        house.serve(500)
        house.simulator.faults.switch(fault, on=True)
        house.simulator.faults.no_sequence = not sequence
        house.happens_each(60, house.serve, times=1)
        found = await house.read()
        assert found.ids == house.archived
        assert len(found.ids) == 501
        assert found.is_complete
        assert found.cursor
        assert found.cursor.is_in_order
        house.serve()
        assert (await house.read(found.cursor)).ids == house.archived[-1:]


@pytest.mark.usefixtures("short_timeouts")
async def test_a_unit_that_is_silent_when_asked_for_a_block_out_of_order_is_read_in_order(
    house: House,
) -> None:
    whole = await house.read()
    served = 0

    def serve(number: int) -> None:
        nonlocal served
        house.simulator.faults.empty_ack = number not in (0, served + 1)
        if not house.simulator.faults.empty_ack:
            served = number

    for number in range(MANY):
        house.simulator.hooks[HISTORY, number] = lambda number=number: serve(number)
    house.serve()
    found = await house.read(whole.cursor)
    assert found.ids == house.archived
    assert found.cursor
    assert found.cursor.is_in_order


async def test_a_unit_that_learns_to_serve_any_block_is_found_out(house: House) -> None:
    house.simulator.faults.in_order_only = True
    house.serve(500)
    found = await house.read()
    assert found.cursor
    assert found.cursor.is_in_order
    house.simulator.faults.in_order_only = False
    cursor = (await house.read()).cursor
    house.serve()
    assert (await house.read(cursor)).ids == house.archived[-1:]
    assert len(house.blocks) <= 5


@pytest.mark.parametrize("fault", ["in_order_only", "next_block_whatever"])
async def test_a_unit_whose_new_firmware_serves_blocks_in_their_order_alone_is_found_out(
    fault: str, moving: House
) -> None:
    cursor = (await moving.read()).cursor
    assert cursor
    assert cursor.is_in_order is False
    moving.simulator.faults.switch(fault, on=True)
    moving.serve()
    found = await moving.read(cursor)
    assert found.ids == moving.archived
    assert found.cursor
    assert found.cursor.is_in_order
    moving.serve()
    assert (await moving.read(found.cursor)).ids == moving.archived[-1:]


@pytest.mark.parametrize("fault", ["in_order_only", "next_block_whatever"])
async def test_a_unit_that_serves_blocks_in_their_order_alone_now_and_then_gives_no_wrong_session(
    fault: str, moving: House
) -> None:
    chance = random.Random(1)
    faults = moving.simulator.faults
    cursor = (await moving.read()).cursor
    for _ in range(40):
        faults.switch(fault, on=chance.random() < 0.5)
        turns = {chance.randrange(60) for _ in range(chance.randint(1, 3))}
        exchanges = itertools.count()

        def turn(turns: set[int] = turns, exchanges: Any = exchanges) -> None:
            if next(exchanges) in turns:
                faults.switch(fault, on=not getattr(faults, fault))

        moving.happens_each(1, turn)
        moving.serve(chance.randint(0, 2))
        with suppress(ChangedError):
            found = await moving.read(chance.choice([None, cursor]))
            assert found.ids[-1:] in ([], moving.archived[-1:])
            cursor = found.cursor or cursor


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("at", [1, 5, 20, 31, 40, 63, 64, 70])
async def test_a_block_whose_answer_was_lost_is_not_left_out_where_the_next_is_served_instead(
    at: int, moving: House
) -> None:
    faults = moving.simulator.faults
    faults.next_block_whatever = True

    def lose() -> None:
        moving.simulator.hooks.clear()
        faults.network.loss_out = 1
        asyncio.get_running_loop().call_later(0.4, setattr, faults.network, "loss_out", 0)

    moving.simulator.hooks[HISTORY, at] = lose
    assert (await moving.read()).ids == moving.archived


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("at", [5, 20, 40])
async def test_a_block_that_made_way_for_a_command_is_not_left_out_where_the_next_is_served_instead(
    at: int, moving: House
) -> None:
    faults = moving.simulator.faults
    faults.next_block_whatever = True
    commands: list[asyncio.Task[object]] = []

    def lose() -> None:
        moving.simulator.hooks.clear()
        faults.network.loss_out = 1
        loop = asyncio.get_running_loop()
        loop.call_later(0.35, setattr, faults.network, "loss_out", 0)
        commands.append(loop.create_task(moving.transmitter.send_page(7)))

    moving.simulator.hooks[HISTORY, at] = lose
    assert (await moving.read()).ids == moving.archived
    await asyncio.wait(commands)
    with suppress(TimedOutError):
        await commands[0]


# ------------------------------------------------------------------------------ the probe


@pytest.mark.parametrize("still", [True, False])
async def test_what_a_unit_is_takes_one_exchange_however_long_its_history_is(still: bool) -> None:
    async for house in houses(still=still):
        for _ in range(2):
            house.simulator.requests.clear()
            envelope = await house.transmitter.probe()
            assert envelope.device_name == "T7470"
            assert envelope.sequence == house.unit.sequence
            assert house.blocks == [0]
            house.serve(MANY)


@pytest.mark.parametrize("max_szx", range(7))
@pytest.mark.parametrize("history", [HISTORY_EXAMPLE, None], ids=["the example", "empty"])
async def test_what_a_unit_is_can_be_told_with_blocks_of_any_size(
    max_szx: int, history: bytes | None
) -> None:
    async for house in houses(max_szx=max_szx, still=False):
        if history:
            house.simulator.canned[HISTORY] = history
        envelope = await house.transmitter.probe()
        assert envelope.device_name == "T7470"
        assert envelope.firmware_version == "8.4.100.43"


@pytest.mark.parametrize("fault", ["malformed", "not_utf8", "always_valid"])
async def test_what_is_no_history_is_no_transmitter(fault: str, house: House) -> None:
    house.simulator.faults.switch(fault, on=True)
    with pytest.raises(MalformedError):
        await house.transmitter.probe()
