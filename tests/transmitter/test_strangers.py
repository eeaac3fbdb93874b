"""Anyone in the network may send us datagrams. Nothing comes of them, and nothing is logged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
import logging
import random
import socket
from typing import Any, override

import pytest

from custom_components.lrs_pager.transmitter import Answer, Transmitter, coap
from tests.raw_unit import ACK, CON, RST, Message, RawUnit

URI_PATH, LOCATION_PATH = 11, 8


class Unit(RawUnit):
    """A unit that remembers from where it was asked."""

    def __init__(self) -> None:
        super().__init__(datetime.now)
        self.askers: dict[tuple[str, int], None] = {}

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.askers[addr] = None
        super().datagram_received(data, addr)

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """Send anything, as who has forged the unit's address."""
        assert self._transport
        self._transport.sendto(data, address)


@pytest.fixture
async def unit() -> AsyncIterator[Unit]:
    async with Unit() as unit:
        yield unit


@pytest.fixture(params=["udp6", "simple6"])
async def observed(request: pytest.FixtureRequest, unit: Unit) -> Any:
    """A transmitter that was asked and is observed: the transmitter, and what it told."""
    transmitter = Transmitter(unit.host, unit.port)
    transmitter._endpoint._transport = request.param
    told: asyncio.Queue[Answer] = asyncio.Queue()
    await transmitter.sessions()
    observing = asyncio.create_task(transmitter.observe(told.put_nowait))
    await told.get()
    assert len(unit.askers) == 2
    yield transmitter, told
    await transmitter.close()
    await asyncio.gather(observing, return_exceptions=True)


def datagrams(count: int) -> list[bytes]:
    """Messages of all kinds, options that are no text, random bytes."""
    chance = random.Random(4)
    return [
        chance.choice(
            [
                bytes.fromhex("50010001b2ff"),
                Message(CON, "2.05", number, b"", [(LOCATION_PATH, b"\x80")]).encode(),
                Message(ACK, "4.04", number, b"a", [(URI_PATH, b"\xff")]).encode(),
                Message(CON, "2.05", number, b"a").encode(),
                Message(CON, "0.01", number, b"a", [(URI_PATH, b"v1")]).encode(),
                Message(CON, "0.00", number).encode(),
                Message(RST, "0.00", number).encode(),
                Message(RST, "0.01", number).encode(),
                chance.randbytes(chance.randrange(60)),
            ]
        )
        for number in range(count)
    ]


@pytest.fixture
async def complaints() -> list[dict[str, Any]]:
    """What the event loop has to complain of."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def still_works(unit: Unit, transmitter: Transmitter, told: asyncio.Queue[Answer]) -> None:
    """Be told, and ask, on the sockets that were sent to: what came before was dealt with."""
    unit.ping()
    async with asyncio.timeout(5):
        await told.get()
    askers = len(unit.askers)
    await transmitter.sessions()
    assert len(unit.askers) == askers


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, but for what asyncio says of its work where it is debugged, as in tests."""
    return [record.getMessage() for record in caplog.records if record.name != "asyncio"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG])
async def test_a_strangers_datagrams_are_neither_answered_nor_logged(
    unit: Unit,
    observed: Any,
    complaints: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    level: int,
) -> None:
    askers = tuple(unit.askers)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        with caplog.at_level(level, coap.COAP_LOGGER):
            caplog.clear()
            for number, datagram in enumerate(datagrams(800)):
                with suppress(ConnectionRefusedError):  # of those before, where nobody hears them
                    stranger.sendto(datagram, askers[number % 2])
                await asyncio.sleep(0)
            assert logged(caplog) == complaints == []
        with pytest.raises((BlockingIOError, ConnectionRefusedError)):
            stranger.recv(100)
    await still_works(unit, *observed)
    assert complaints == []


async def test_who_forges_the_units_address_writes_nothing_into_the_log(
    unit: Unit, observed: Any, complaints: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    askers = tuple(unit.askers)
    caplog.clear()
    for number, datagram in enumerate(datagrams(800)):
        unit.send(datagram, askers[number % 2])
        await asyncio.sleep(0)
    await still_works(unit, *observed)
    assert logged(caplog) == complaints == []
