"""What was added to the history is read without the rest, or else all of it is."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
import random

from aiocoap.numbers.codes import Code
import pytest

from custom_components.lrs_pager.transmitter import (
    Answer,
    MalformedError,
    Mark,
    RejectedError,
    Transmitter,
)
from custom_components.lrs_pager.transmitter.tail import MARK
from tests.conftest import serve_guest
from tests.simulator import Simulator, Unit
from tests.simulator.replies import RefusedError
from tests.simulator.resources import HISTORY

# Sessions that make a history of many blocks.
MANY = 60


class House:
    """A unit, and its client."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.unit = simulator.unit
        self.transmitter = Transmitter(simulator.host, simulator.port)

    def serve(self, sessions: int = 1, label: str | None = None) -> None:
        for _ in range(sessions):
            serve_guest(self.unit, minutes_ago=0, label=label)

    async def read(self, after: Mark | None = None) -> Answer:
        self.simulator.requests.clear()
        return await self.transmitter.history(after)

    @property
    def blocks(self) -> list[int]:
        """The blocks that were asked for."""
        return [request.block2[0] if request.block2 else 0 for request in self.simulator.requests]


def ids(answer: Answer) -> list[int | None]:
    return [session.id for session in answer.sessions]


@pytest.fixture(params=[True, False], ids=["still", "written anew for each block"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    unit = Unit(now=lambda: datetime(2026, 11, 23, 12))
    async with Simulator(unit=unit, still=request.param) as simulator:
        house = House(simulator)
        house.serve(MANY)
        yield house
        await house.transmitter.close()


async def test_only_what_was_added_is_read(house: House) -> None:
    whole = await house.read()
    assert whole.is_all
    all_blocks = len(house.blocks)
    house.serve(2)
    added = await house.read(whole.mark)
    assert not added.is_all
    assert added.is_complete
    assert ids(added) == [MANY + 1, MANY + 2]
    assert added.envelope.sequence == house.unit.sequence
    assert added.envelope.timestamp == house.unit.time()
    assert len(house.blocks) <= 5 < all_blocks
    house.serve()
    assert ids(await house.read(added.mark)) == [MANY + 3]


async def test_if_nothing_was_added_nothing_is_told(house: House) -> None:
    whole = await house.read()
    added = await house.read(whole.mark)
    assert not added.is_all
    assert added.sessions == ()
    assert added.mark == whole.mark


async def test_a_history_of_one_block_is_read_in_one_exchange() -> None:
    async with Simulator() as simulator:
        house = House(simulator)
        house.serve()
        whole = await house.read()
        house.serve()
        added = await house.read(whole.mark)
        assert ids(added) == [2]
        assert house.blocks == [0]
        await house.transmitter.close()


async def test_the_oldest_may_make_room_for_the_latest(house: House) -> None:
    house.unit.history_limit = MANY
    whole = await house.read()
    for number in range(1, 2 * MANY):
        house.serve()
        added = await house.read(whole.mark)
        assert not added.is_all
        assert ids(added) == [MANY + number]
        whole = added


async def test_a_history_that_was_wiped_is_read_whole(house: House) -> None:
    whole = await house.read()
    house.unit.wipe_history()
    answer = await house.read(whole.mark)
    assert answer.is_all
    assert answer.sessions == ()
    assert answer.mark is None
    house.serve(MANY)
    answer = await house.read(whole.mark)
    assert answer.is_all
    assert len(answer.sessions) == MANY


@pytest.mark.parametrize("order", ["latest first", "by id", "by uuid"])
async def test_a_history_in_another_order_is_read_whole(house: House, order: str) -> None:
    whole = await house.read()
    house.serve()
    match order:
        case "latest first":
            house.unit.history.insert(0, house.unit.history.pop())
        case "by id":  # one that began before others which ended before it
            house.unit.history.insert(-5, house.unit.history.pop())
        case "by uuid":
            house.unit.history.sort(key=lambda item: item["uuid"])
    answer = await house.read(whole.mark)
    assert answer.is_all
    assert MANY + 1 in ids(answer)


async def test_sessions_that_end_in_the_same_long_label_are_all_told(house: House) -> None:
    house.serve(label="x" * MARK)
    whole = await house.read()
    house.serve(3, label="x" * MARK)
    added = await house.read(whole.mark)
    assert ids(added)[-3:] == [MANY + 2, MANY + 3, MANY + 4]


async def test_a_change_in_the_middle_of_it_is_not_taken_in_two_halves(house: House) -> None:
    whole = await house.read()
    house.serve(8)  # more than a block
    house.unit.history_limit = len(house.unit.history)
    last = len(house.blocks) - 2

    def change() -> None:
        house.simulator.hooks.clear()
        house.serve()

    house.simulator.hooks[HISTORY, last + 1] = change
    answer = await house.read(whole.mark)
    assert not house.simulator.hooks
    assert ids(answer)[-8:] in (list(range(MANY + 1, MANY + 9)), list(range(MANY + 2, MANY + 10)))
    known = {item["uuid"]: item["id"] for item in house.unit.history}
    assert all(known[s.uuid] == s.id for s in answer.sessions if s.uuid in known)


async def test_a_unit_that_serves_blocks_in_their_order_alone_is_asked_thrice(
    house: House,
) -> None:
    served = 0

    def serve(number: int) -> None:
        nonlocal served
        if number not in (0, served + 1):
            raise RefusedError(Code.REQUEST_ENTITY_INCOMPLETE, "not the next block")
        served = number

    for number in range(MANY):
        house.simulator.hooks[HISTORY, number] = lambda number=number: serve(number)
    whole = await house.read()
    tried = []
    for number in range(1, 6):
        house.serve()
        answer = await house.read(whole.mark)
        assert answer.is_all
        assert len(answer.sessions) == MANY + number
        tried.append(house.blocks[1] != 1)
    assert tried == [True, True, True, False, False]


@pytest.mark.usefixtures("short_timeouts")
async def test_a_unit_that_is_silent_when_asked_for_a_block_out_of_turn_is_read_whole(
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
    answer = await house.read(whole.mark)
    assert answer.is_all
    assert len(answer.sessions) == MANY + 1


async def test_a_unit_that_knows_no_blocks_tells_all_at_once() -> None:
    async with Simulator(blockwise=False) as simulator:
        house = House(simulator)
        house.serve(MANY)
        whole = await house.read()
        house.serve()
        added = await house.read(whole.mark)
        assert ids(added) == [MANY + 1]
        await house.transmitter.close()


@pytest.mark.parametrize("blockwise", [True, False])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"responseTypes":["session_history"],"session_history":null}'], ids=str
)
async def test_a_history_without_a_list_is_asked_for_once_more_and_no_block_after_it(
    body: bytes, blockwise: bool
) -> None:
    async with Simulator(blockwise=blockwise) as simulator:
        house = House(simulator)
        house.serve()
        whole = await house.read()
        simulator.canned[HISTORY] = body
        with suppress(MalformedError):
            assert not (await house.read(whole.mark)).sessions
        assert house.blocks == [0, 0]
        await house.transmitter.close()


async def test_an_error_of_the_unit_is_one_as_ever(house: House) -> None:
    whole = await house.read()
    house.simulator.faults.error_5_00 = True
    with pytest.raises(RejectedError):
        await house.read(whole.mark)


@pytest.mark.parametrize("szx", range(7))
@pytest.mark.parametrize(
    "label", [None, ']}"}],"session_history":[{"id":1}]}', "Zoë 🍕 \\", "x" * 200], ids=str
)
async def test_whatever_happens_to_a_history_nothing_of_it_is_missed(
    szx: int, label: str | None
) -> None:
    """What is read, piece by piece, is what the unit has archived."""
    dice = random.Random(szx)
    async with Simulator(max_szx=szx, still=bool(szx % 2)) as simulator:
        house = House(simulator)
        known: dict[str | None, int | None] = {}
        mark = None
        for _ in range(12):
            house.serve(dice.randrange(4), label)
            match dice.randrange(8):
                case 0:
                    house.unit.reboot(restart_sequence=True, lose_history=dice.random() < 0.3)
                case 1:
                    house.unit.history_limit = max(4, len(house.unit.history))
                case 2:
                    house.unit.skew += timedelta(hours=dice.randrange(-9, 9))
                case 3 if house.unit.history_limit is None and (history := house.unit.history):
                    history.insert(dice.randrange(len(history)), history.pop())
            answer = await house.read(mark)
            known |= {session.uuid: session.id for session in answer.sessions}
            assert all(session.label == label for session in answer.sessions)
            assert {
                item["uuid"]: item["id"] for item in house.unit.history
            }.items() <= known.items()
            mark = answer.mark
        assert len(known) <= len(house.unit.ledger)
        await house.transmitter.close()
