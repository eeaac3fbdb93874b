"""Simulated transmitters, which take orders over UDP.

``python -m benchmarks.units COUNT HISTORY [OBSERVERS]``: so many, each with so many archived
sessions and with room for so many observers (for any number, if that is left out). In a process of
their own, so that the CPU time of Home Assistant's is its own.

Standard output tells their ports, and that for control. A datagram to the latter is a JSON object:
`serve` (so many guests, on each unit: created, paged and cleared), `seat`, `page` and `leave` (one
guest, on the unit of that index, `delay` seconds later). It is answered with what went over the
wire so far, and the moment (CLOCK_MONOTONIC) at which the last guest was paged.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
import itertools
import json
import sys
import time
from typing import Any, override

from benchmarks.bodies import APART, PAGERS, serve
from tests.simulator import Simulator, Unit


def utc() -> datetime:
    """The time of the units (naive), in the zone of the Home Assistants here."""
    return datetime.now(UTC).replace(tzinfo=None)


class Control(asyncio.DatagramProtocol):
    """Takes orders."""

    def __init__(self, simulators: list[Simulator]) -> None:
        """Take what to steer."""
        self._simulators = simulators
        self._paged: list[float] = []
        self._numbers = itertools.cycle(range(1, PAGERS + 1))

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        order = json.loads(data)
        for _ in range(order.get("serve", 0)):
            for simulator in self._simulators:
                number = next(self._numbers)
                simulator.unit.create(number, goal=600, party_size=2)
                simulator.unit.page(number)
                simulator.unit.clear(number)
        for name, act in (("seat", self._seat), ("page", self._page), ("leave", self._leave)):
            if name in order:
                unit = self._simulators[order[name]].unit
                asyncio.get_running_loop().call_later(order["delay"], act, unit)
        self._transport.sendto(json.dumps(self._told()).encode(), addr)

    def _seat(self, unit: Unit) -> None:
        unit.create(1, goal=600, party_size=2)

    def _leave(self, unit: Unit) -> None:
        unit.clear(1)

    def _page(self, unit: Unit) -> None:
        self._paged.append(time.monotonic())
        unit.page(1)

    def _told(self) -> dict[str, Any]:
        traffic = [simulator.traffic for simulator in self._simulators]
        return {
            "datagrams": sum(each.datagrams_in + each.datagrams_out for each in traffic),
            "bytes": sum(each.bytes_in + each.bytes_out for each in traffic),
            "requests": sum(len(simulator.requests) for simulator in self._simulators),
            "observers": sum(simulator.observers for simulator in self._simulators),
            "paged": self._paged[-1:],
        }


async def main(count: int, history: int, max_observers: int | None) -> None:
    """Serve until standard input ends."""
    async with AsyncExitStack() as stack:
        simulators = []
        for seed in range(count):
            unit = Unit(now=utc, seed=seed)
            serve(unit, history, utc() - APART * history)
            simulator = Simulator(unit=unit, max_observers=max_observers)
            simulators.append(await stack.enter_async_context(simulator))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Control(simulators), local_addr=("127.0.0.1", 0)
        )
        control = transport.get_extra_info("sockname")[1]
        print(*(simulator.port for simulator in simulators), control, flush=True)
        ended = asyncio.Event()
        loop.add_reader(sys.stdin, ended.set)
        await ended.wait()


if __name__ == "__main__":
    observers = int(sys.argv[3]) if len(sys.argv) > 3 else None
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), observers))
