"""Observing a simulated transmitter: everything is told, in order, and its end is noticed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
import gc
import itertools
import json
from pathlib import Path
import time
from types import SimpleNamespace
from typing import Any

import aiocoap
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
import pytest

from custom_components.lrs_pager.transmitter import (
    CLEARED,
    PAGED,
    STARTED,
    Answer,
    ClosedError,
    NotResolvedError,
    RefusedError,
    RejectedError,
    TimedOutError,
    Transmitter,
    TransmitterError,
    UnreachableError,
    coap,
)
from tests.simulator import Simulator, Unit, observers
from tests.transmitter import read

NOTIFY = ("v1", "notify")
PING = b'{"responseTypes":["ping"],"globalSessionSequence":7}'


@pytest.fixture
async def simulator() -> Any:
    """A unit whose first ping comes when it should, after half a minute."""
    async with Simulator(unit=Unit()) as simulator:
        yield simulator


@pytest.fixture
async def transmitter(simulator: Simulator) -> Any:
    transmitter = Transmitter(simulator.host, simulator.port)
    yield transmitter
    await transmitter.close()


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110  # there is no event for all that is waited for
            await asyncio.sleep(0.001)


class Observation:
    """An observation under way, and what it told so far."""

    def __init__(self, transmitter: Transmitter) -> None:
        self.told: list[Answer] = []
        self._task = asyncio.create_task(transmitter.observe(self.told.append))

    @property
    def is_over(self) -> bool:
        return self._task.done()

    @property
    def numbers(self) -> list[int | None]:
        """The pagers of all sessions that were told, in order."""
        return [session.number for answer in self.told for session in answer.sessions]

    async def has_told(self, count: int) -> Answer:
        """Wait until that many messages were told, and return the last of them."""
        await until(lambda: len(self.told) >= count or self.is_over)
        assert not self.is_over, self._task
        assert len(self.told) == count
        return self.told[-1]

    async def end(self) -> BaseException:
        """Wait for the end and return why it came."""
        await asyncio.wait([self._task], timeout=10)
        error = self._task.exception()
        assert error
        return error

    async def cancel(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError, TransmitterError):
            await self._task


@pytest.fixture
async def observe() -> Any:
    """Start observations that end with the test."""
    started = []

    def observe(transmitter: Transmitter) -> Observation:
        started.append(Observation(transmitter))
        return started[-1]

    yield observe
    for observation in started:
        await observation.cancel()


type Observe = Callable[[Transmitter], Observation]


class RawUnit(asyncio.DatagramProtocol):
    """What says to an observer whatever a test wants, as the simulated unit would not."""

    def __init__(self, first: bytes) -> None:
        """Take the body of the answer to a registration."""
        self._first = first
        self._mids = itertools.count(1)
        self._transport: Any = None
        self._observer: Any = None
        self._token = b""
        self.is_deaf = False
        self.heard: list[aiocoap.Message] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        message = aiocoap.Message.decode(data)
        self.heard.append(message)
        if message.code == Code.GET and not self.is_deaf:
            self._observer, self._token = addr, message.token
            self._say(Code.CONTENT, self._first, Type.ACK, message.mid, observe=1)
        elif message.code.is_request() and message.code != Code.GET:
            answer = aiocoap.Message(code=Code.CHANGED)
            answer.mtype, answer.mid, answer.token = Type.ACK, message.mid, message.token
            self._transport.sendto(answer.encode(), addr)

    def notify(
        self, body: bytes, *, observe: int | None = 1, code: Code = Code.CONTENT, **options: Any
    ) -> None:
        """Send a confirmable notification, once."""
        self._say(code, body, Type.CON, next(self._mids), observe=observe, **options)

    def _say(self, code: Code, body: bytes, mtype: Type, mid: int, **options: Any) -> None:
        message = aiocoap.Message(code=code, payload=body)
        message.mtype, message.mid, message.token = mtype, mid, self._token
        for name, value in options.items():
            setattr(message.opt, name, value)
        self._transport.sendto(message.encode(), self._observer)

    @property
    def acknowledged(self) -> list[int]:
        """The message IDs of what was acknowledged, in order."""
        return [message.mid for message in self.heard if message.mtype is Type.ACK]


@pytest.fixture
async def raw() -> Any:
    """A raw unit, and a client for it."""
    loop = asyncio.get_running_loop()
    transport, unit = await loop.create_datagram_endpoint(
        lambda: RawUnit(PING), local_addr=("127.0.0.1", 0)
    )
    transmitter = Transmitter("127.0.0.1", transport.get_extra_info("sockname")[1])
    yield unit, transmitter
    await transmitter.close()
    transport.abort()


type Raw = tuple[RawUnit, Transmitter]


def message_about(number: int) -> bytes:
    """A notification of one session."""
    session = {"id": number, "number": number, "created": "2027-01-01T12:00:00"}
    return json.dumps({"responseTypes": ["sessions"], "sessions": [session]}).encode()


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


# --------------------------------------------------------------------------- what is told


async def test_the_active_sessions_are_told_first_and_then_each_change(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    for number in (7, 8):
        simulator.unit.create(number)
    observation = observe(transmitter)
    first = await observation.has_told(1)
    assert [session.number for session in first.sessions] == [7, 8]
    assert first.is_all
    assert first.statistics
    assert first.envelope.sequence == 2
    assert first.asked <= first.answered
    # Whatever is not held fast is gone from here on.
    gc.collect()

    steps: list[tuple[Callable[[], object], int, str]] = [
        (lambda: simulator.unit.create(27, label="Ortega"), 27, STARTED),
        (lambda: simulator.unit.page(7), 7, PAGED),
        (lambda: simulator.unit.clear(7), 7, CLEARED),
        (lambda: simulator.unit.remove(8), 8, CLEARED),
    ]
    for count, (change, number, state) in enumerate(steps, start=2):
        change()
        answer = await observation.has_told(count)
        [session] = answer.sessions
        assert (session.number, session.state) == (number, state)
        assert answer.statistics
        assert answer.envelope.sequence == count + 1
        assert answer.asked <= answer.answered
        assert not answer.is_all


async def test_a_unit_without_active_sessions_tells_that_there_are_none(
    transmitter: Transmitter, observe: Observe
) -> None:
    first = await observe(transmitter).has_told(1)
    assert (first.sessions, first.is_all, first.skipped) == ((), True, 0)


async def test_the_registration_is_the_documented_one(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    await observe(transmitter).has_told(1)
    [asked] = simulator.requests
    assert (asked.code, asked.path, asked.query) == ("GET", NOTIFY, ("action=get_sessions",))
    assert (asked.observe, asked.block2, asked.payload) == (0, None, b"")


async def test_settings_and_pings_are_told(transmitter: Transmitter, observe: Observe) -> None:
    async with Simulator(ping_interval=0.1) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        observation = observe(transmitter)
        await observation.has_told(1)
        simulator.unit.set_settings(default_target_goal=600)
        told = await observation.has_told(2)
        assert told.settings
        assert told.settings.default_target_goal == 600
        assert told.envelope.response_types == ("settings",)
        ping = await observation.has_told(3)
        assert ping.envelope.response_types == ("ping",)
        assert (ping.sessions, ping.settings, ping.skipped) == ((), None, 0)
        assert not ping.is_all
        await transmitter.close()


async def test_every_one_of_many_changes_at_once_is_told_in_order(
    simulator: Simulator,
    transmitter: Transmitter,
    observe: Observe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observers, "QUEUED", 1000)
    observation = observe(transmitter)
    await observation.has_told(1)
    for number in range(1, 201):
        simulator.unit.create(number)
    await observation.has_told(201)
    assert observation.numbers == list(range(1, 201))


async def test_notifications_that_do_not_wait_for_each_other_are_all_told_in_order(
    raw: Raw, observe: Observe
) -> None:
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    for number in range(1, 101):
        unit.notify(message_about(number), observe=number)
    await observation.has_told(101)
    assert observation.numbers == list(range(1, 101))
    await until(lambda: len(unit.acknowledged) == 100)


async def test_a_unit_may_count_its_notifications_as_it_likes(raw: Raw, observe: Observe) -> None:
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    for number, count in enumerate([5, 5, 4, 0, 0, 2**24 - 1, 1], start=1):
        unit.notify(message_about(number), observe=count)
        await observation.has_told(number + 1)
    assert observation.numbers == list(range(1, 8))


async def test_a_computer_whose_clock_is_set_back_is_told_on(
    raw: Raw, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    earlier = SimpleNamespace(time=lambda: time.time() - 3600)
    monkeypatch.setattr("aiocoap.protocol.time", earlier)
    unit.notify(message_about(7))
    await observation.has_told(2)


async def test_a_lost_notification_is_told_when_it_comes_again(observe: Observe) -> None:
    async with Simulator(ack_timeout=0.02) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        observation = observe(transmitter)
        await observation.has_told(1)
        simulator.faults.network.loss_out = 1.0
        simulator.unit.create(7)
        simulator.unit.page(7)
        simulator.faults.network.loss_out = 0.0
        await observation.has_told(3)
        assert [told.sessions[0].state for told in observation.told[1:]] == [STARTED, PAGED]
        await transmitter.close()


# ------------------------------------------------------------------------- what can't be read


async def test_a_first_answer_of_many_blocks_is_not_taken_for_all_there_is(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    for number in range(1, 31):
        simulator.unit.create(number)
    observation = observe(transmitter)
    first = await observation.has_told(1)
    assert (first.sessions, first.is_all, first.skipped) == ((), False, 0)
    simulator.unit.page(7)
    assert [s.number for s in (await observation.has_told(2)).sessions] == [7]
    answer = await transmitter.sessions()  # as it is to be asked for
    assert answer
    assert len(answer.sessions) == 30


async def test_a_first_answer_that_is_cut_on_its_way_is_not_taken_for_all_there_is(
    observe: Observe,
) -> None:
    async with Simulator(blockwise=False) as simulator:
        for number in range(1, 31):
            simulator.unit.create(number)
        transmitter = Transmitter(simulator.host, simulator.port)
        observation = observe(transmitter)
        first = await observation.has_told(1)
        assert (first.sessions, first.is_all, first.skipped) == ((), False, 1)
        simulator.unit.page(7)
        await observation.has_told(2)
        await transmitter.close()


@pytest.mark.parametrize("body", [b"", PING, b"<html>"])
async def test_a_first_answer_without_sessions_is_not_taken_for_all_there_is(
    body: bytes, simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.canned[NOTIFY] = body
    simulator.unit.create(7)
    observation = observe(transmitter)
    first = await observation.has_told(1)
    assert (first.sessions, first.is_all) == ((), False)
    simulator.unit.create(8)
    assert not (await observation.has_told(2)).is_all  # nor is a second


@pytest.mark.parametrize("fault", ["malformed", "truncated"])
async def test_a_notification_that_can_not_be_read_is_counted_and_the_next_may_be_right(
    fault: str, simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    observation = observe(transmitter)
    await observation.has_told(1)
    simulator.faults.switch(fault, on=True)
    simulator.unit.create(7)
    told = await observation.has_told(2)
    assert (told.sessions, told.statistics, told.skipped) == ((), None, 1)
    simulator.faults.switch(fault, on=False)
    simulator.unit.create(8)
    told = await observation.has_told(3)
    assert ([session.number for session in told.sessions], told.skipped) == ([8], 0)


async def test_a_notification_in_blocks_tells_nothing_and_the_next_may(
    raw: Raw, observe: Observe
) -> None:
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    unit.notify(message_about(7)[:16], observe=2, block2=(0, True, 0))
    assert (await observation.has_told(2)).sessions == ()
    unit.notify(message_about(8), observe=3)
    await observation.has_told(3)
    assert observation.numbers == [8]


# ------------------------------------------------------------------------------- its end


async def test_pings_keep_an_observation_alive_at_both_ends(observe: Observe) -> None:
    async with Simulator(ping_interval=0.1) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        observation = observe(transmitter)
        # More pings than may be missed.
        await observation.has_told(1 + 10)
        assert simulator.observers == 1
        await until(lambda: not simulator.unacknowledged)
        await transmitter.close()


@pytest.mark.parametrize("transport", ["udp6", "simple6"])
@pytest.mark.parametrize("end", ["cancel", "close"])
async def test_an_observation_that_is_ended_acknowledges_nothing_so_that_the_unit_drops_it(
    end: str, transport: str, observe: Observe
) -> None:
    async with Simulator(ping_interval=0.05, ack_timeout=0.02) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        transmitter._endpoint._transport = transport
        files, tasks = open_files(), len(asyncio.all_tasks())
        observation = observe(transmitter)
        await until(lambda: len(observation.told) > 2)
        await until(lambda: not simulator.unacknowledged)
        if end == "cancel":
            await observation.cancel()
        else:
            await transmitter.close()
            assert isinstance(await observation.end(), ClosedError)
        heard, told = simulator.traffic.datagrams_in, len(observation.told)
        assert open_files() == files
        assert len(asyncio.all_tasks()) == tasks
        simulator.unit.create(7)
        assert simulator.observers == 1
        await until(lambda: not simulator.observers)
        assert simulator.traffic.datagrams_in == heard
        assert len(observation.told) == told
        await transmitter.close()


@pytest.mark.parametrize("end", ["cancel", "close"])
@pytest.mark.parametrize("turns", range(20))
async def test_an_observation_can_be_ended_at_any_moment_of_its_beginning(
    turns: int, end: str, simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    files, tasks = open_files(), len(asyncio.all_tasks())
    observation = observe(transmitter)
    for _ in range(turns):
        await asyncio.sleep(0)
    if end == "cancel":
        await observation.cancel()
    else:
        await transmitter.close()
        assert isinstance(await observation.end(), UnreachableError)
    gc.collect()
    heard = simulator.traffic.datagrams_in
    simulator.unit.create(7)
    await asyncio.sleep(0.02)
    assert simulator.traffic.datagrams_in == heard
    assert open_files() == files
    await until(lambda: len(asyncio.all_tasks()) == tasks)


async def test_an_observation_that_waits_for_its_turn_ends_at_the_close(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.faults.silence = True
    reading = asyncio.create_task(read(transmitter))
    await until(lambda: simulator.traffic.datagrams_in)
    observation = observe(transmitter)
    await asyncio.sleep(0.01)
    await transmitter.close()
    assert isinstance(await observation.end(), UnreachableError)
    with pytest.raises(UnreachableError):
        await reading


async def test_a_closed_transmitter_is_not_observed(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    await transmitter.close()
    assert isinstance(await observe(transmitter).end(), ClosedError)
    assert simulator.traffic.datagrams_in == 0


async def test_a_unit_that_knows_no_notifications_says_so(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.faults.history_only = True
    observation = observe(transmitter)
    error = await observation.end()
    assert isinstance(error, RejectedError)
    assert error.code == "4.04"
    assert observation.told == []


async def test_a_unit_that_has_no_room_for_an_observer_is_not_observed(observe: Observe) -> None:
    async with Simulator(max_observers=0) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        error = await observe(transmitter).end()
        assert isinstance(error, RejectedError)
        assert error.code == "2.05"
        await transmitter.close()


@pytest.mark.parametrize("count", [None, 2])
async def test_an_error_among_notifications_ends_the_observation(
    count: int | None, raw: Raw, observe: Observe
) -> None:
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    unit.notify(b"", code=Code.NOT_FOUND, observe=count)
    error = await observation.end()
    assert isinstance(error, RejectedError)
    assert error.code == "4.04"
    assert len(observation.told) == 1


async def test_a_last_notification_is_told_before_the_observation_ends(
    raw: Raw, observe: Observe
) -> None:
    # RFC 7641, 3.2: one without the Observe option is the last.
    unit, transmitter = raw
    observation = observe(transmitter)
    await observation.has_told(1)
    unit.notify(message_about(7), observe=None)
    assert type(await observation.end()) is UnreachableError
    assert observation.numbers == [7]


# ---------------------------------------------------------------------- its registration


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", ["silence", "empty_ack", "wrong_token"])
async def test_waiting_for_a_registration_ends(
    fault: str, simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.faults.switch(fault, on=True)
    observation = observe(transmitter)
    assert isinstance(await observation.end(), TimedOutError)
    simulator.faults.switch(fault, on=False)
    asked = len(simulator.requests)
    await asyncio.sleep(0.5)
    assert len(simulator.requests) == asked  # it is not sent later


async def test_a_closed_port_can_not_be_observed(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    await simulator.stop()
    assert isinstance(await observe(transmitter).end(), RefusedError)


async def test_a_unit_that_resets_a_registration_is_refusing(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.faults.reset = True
    assert isinstance(await observe(transmitter).end(), RefusedError)


async def test_a_name_that_has_no_address_can_not_be_observed(observe: Observe) -> None:
    assert isinstance(await observe(Transmitter("no-such-host.invalid")).end(), NotResolvedError)


async def test_a_name_with_two_addresses_is_observed_at_the_one_that_answers(
    simulator: Simulator, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def two(*_: object) -> list[str]:
        return ["::1", "127.0.0.1"]

    monkeypatch.setattr(coap, "resolve", two)
    transmitter = Transmitter("t7470.local", simulator.port)
    observation = observe(transmitter)
    await observation.has_told(1)
    simulator.unit.create(7)
    await observation.has_told(2)
    await transmitter.close()


async def test_an_observation_ends_once_another_address_answers(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    observation = observe(transmitter)
    await observation.has_told(1)
    transmitter.host.answered("::1")
    simulator.unit.create(7)
    assert isinstance(await observation.end(), UnreachableError)
    assert len(observation.told) == 1


async def test_a_registration_waits_for_its_turn(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    simulator.faults.separate = True
    reading = asyncio.gather(*(read(transmitter) for _ in range(3)))
    observation = observe(transmitter)
    await observation.has_told(1)
    await reading
    assert simulator.most_at_once == 1


async def test_a_command_does_not_wait_for_a_registration_that_is_lost(
    raw: Raw, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.05)
    unit, transmitter = raw
    unit.is_deaf = True  # to all but commands
    observation = observe(transmitter)
    await until(lambda: unit.heard)
    await transmitter.send_page(7)
    # It made way, and is done again.
    unit.is_deaf = False
    await observation.has_told(1)
    assert len(transmitter._endpoint._observers) == 1, "the first socket is still open"


# -------------------------------------------------------------------------- beside requests


async def test_requests_are_answered_while_all_is_told(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    observation = observe(transmitter)
    await observation.has_told(1)
    for number in range(1, 21):
        simulator.unit.create(number)
        await transmitter.page_session(number)
        assert await transmitter.sessions()
    await observation.has_told(41)
    assert observation.numbers == [number for number in range(1, 21) for _ in range(2)]
    assert simulator.observers == 1


@pytest.mark.usefixtures("short_timeouts")
async def test_a_request_that_fails_does_not_end_the_observation(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    observation = observe(transmitter)
    await observation.has_told(1)
    simulator.faults.deaf_to_sessions = True
    with pytest.raises(TimedOutError):
        await transmitter.sessions()
    simulator.faults.deaf_to_sessions = False
    simulator.faults.resets_sessions = True
    with pytest.raises(RefusedError):
        await transmitter.sessions()
    simulator.unit.create(7)
    await observation.has_told(2)
    assert simulator.observers == 1


async def test_an_observation_that_ends_does_not_end_a_request(
    simulator: Simulator, transmitter: Transmitter, observe: Observe
) -> None:
    observation = observe(transmitter)
    await observation.has_told(1)
    simulator.faults.separate = True
    simulator.faults.separate_delay = 0.5
    reading = asyncio.create_task(read(transmitter))
    await until(lambda: simulator.most_at_once)
    await observation.cancel()
    assert not reading.done()
    assert (await reading).is_complete


async def test_a_unit_whose_clock_is_wrong_is_observed_all_the_same(observe: Observe) -> None:
    async with Simulator(unit=Unit(frozen_at=datetime(2000, 1, 1))) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        observation = observe(transmitter)
        assert (await observation.has_told(1)).envelope.timestamp == datetime(2000, 1, 1)
        simulator.unit.create(7)
        assert (await observation.has_told(2)).sessions[0].created == datetime(2000, 1, 1)
        await transmitter.close()
