"""Whatever datagrams a unit answers with: an answer, or an error that users are told in words."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, override

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.lrs_pager.transmitter import (
    Answer,
    Chunk,
    Transmitter,
    TransmitterError,
    coap,
)
from tests.properties import fewer
from tests.raw_unit import ACK, BLOCK2, CON, ETAG, NON, OBSERVE, Message
from tests.simulator import HISTORY_EXAMPLE

# What is made of the right answer, which has a token and a message ID that nobody can guess.
type Change = Callable[[Message], bytes]

LOCATION_PATH = 8

PING = b'{"responseTypes":["ping"]}'

# Options that mean something here, that mean something elsewhere, and of which nobody knows. Those
# that are text (Uri-Host, Location-Path) may be none.
options = st.tuples(
    st.sampled_from([1, 3, ETAG, OBSERVE, LOCATION_PATH, 12, 14, 17, BLOCK2, 27, 28, 60, 65, 200]),
    st.binary(max_size=9),
)
kinds = st.sampled_from([ACK, CON, NON, 3])
codes = st.builds("{}.{:02}".format, st.integers(0, 7), st.integers(0, 31))


@st.composite
def messages(draw: st.DrawFn) -> Change:
    """A message that is one, with other parts than it should have."""
    parts = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "kind": kinds,
                "code": codes | st.sampled_from(["2.05", "2.03", "2.31", "4.02", "0.00", "0.01"]),
                "token": st.binary(max_size=8),
                "options": st.lists(options, max_size=4),
                "payload": st.binary(max_size=40) | st.just(HISTORY_EXAMPLE),
            },
        )
    )
    return lambda answer: replace(answer, **parts).encode()


@st.composite
def garbled(draw: st.DrawFn) -> Change:
    """A message of which some bytes are others, are lost or are too many."""
    edits = draw(
        st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 2), st.binary(max_size=2)), max_size=3
        )
    )
    end = draw(st.none() | st.integers(0, 40))

    def change(answer: Message) -> bytes:
        data = answer.encode()
        for at, lost, put in edits:
            data = data[:at] + put + data[at + lost :]
        return data[:end]

    return change


changes = messages() | garbled() | st.binary(max_size=40).map(lambda data: lambda _: data)


class Unit(asyncio.DatagramProtocol):
    """Answers each request as it is told to."""

    def __init__(self, *answers: Change) -> None:
        """Take what each request is answered with, all of it."""
        self.answers = answers
        self.payload = HISTORY_EXAMPLE
        self.options: list[tuple[int, bytes]] = []
        self.asked: tuple[bytes, Any] = b"", None
        self.transport: asyncio.DatagramTransport

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        request = Message.decode(data)
        if request.kind == CON:
            self.asked = request.token, addr
            answer = Message(
                ACK, "2.05", request.message_id, request.token, self.options, self.payload
            )
            for change in self.answers:
                self.transport.sendto(change(answer), addr)

    def notify(self, number: int, change: Change = Message.encode) -> None:
        """Send a notification, the n-th."""
        token, addr = self.asked
        notification = Message(CON, "2.05", number, token, [(OBSERVE, bytes([number]))], PING)
        self.transport.sendto(change(notification), addr)


@asynccontextmanager
async def running(unit: Unit) -> Any:
    """A client of the unit; the loop must have nothing to complain of."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    unit.transport, _ = await loop.create_datagram_endpoint(lambda: unit, ("127.0.0.1", 0))
    transmitter = Transmitter(*unit.transport.get_extra_info("sockname"))
    try:
        yield transmitter
    finally:
        await transmitter.close()
        unit.transport.abort()
        await asyncio.sleep(0)
        loop.set_exception_handler(None)
    assert complaints == []


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of these are no answers; how long they are waited for is not what this is about."""
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.05)
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.02)
    monkeypatch.setattr(coap, "COMMAND_ACK_TIMEOUT", 0.02)


over_udp = settings(fewer(4), suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.usefixtures("_impatient")
@given(changes, st.sampled_from([(), (Message.encode,)]))
@over_udp
async def test_whatever_a_unit_answers_it_is_an_answer_or_an_error(
    change: Change, after: tuple[Change, ...]
) -> None:
    async with running(Unit(change, *after)) as transmitter:
        with suppress(TransmitterError):
            assert all([isinstance(chunk, Chunk) async for chunk in transmitter.history()])
        for ask in (transmitter.sessions, transmitter.settings, transmitter.clear_sessions):
            with suppress(TransmitterError):
                assert isinstance(await ask(), Answer)


@given(st.lists(changes, min_size=1, max_size=3))
@over_udp
async def test_whatever_comes_as_a_notification_the_next_is_told_or_the_observation_ends(
    told: list[Change],
) -> None:
    unit = Unit(Message.encode)
    unit.payload, unit.options = PING, [(OBSERVE, b"\x01")]
    answers: asyncio.Queue[Answer] = asyncio.Queue()
    async with running(unit) as transmitter:
        observation = asyncio.create_task(transmitter.observe(answers.put_nowait))
        await answers.get()
        for number, change in enumerate(told, 2):
            unit.notify(number, change)
        # To the same socket, after those: when this is told, they were dealt with.
        sent = 9
        while not observation.done():
            unit.notify(sent)
            waiting = asyncio.create_task(answers.get())
            await asyncio.wait({waiting, observation}, return_when="FIRST_COMPLETED")
            waiting.cancel()
            if waiting.done():
                break
        observation.cancel()
        [end] = await asyncio.gather(observation, return_exceptions=True)
        assert isinstance(end, (TransmitterError, asyncio.CancelledError))
