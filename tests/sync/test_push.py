"""Push: what it says of itself is so, and it comes back soon after whatever ends it.

A real observation of a simulated transmitter, in virtual time and at its documented pace.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.sync.push import PING, Push, PushState
from custom_components.lrs_pager.transmitter import Answer, Transmitter
from tests import virtual_time
from tests.simulator import Simulator


class Listener:
    """A push that runs, and what it told when."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.transmitter = Transmitter(simulator.host, simulator.port)
        loop = asyncio.get_running_loop()
        self.now = loop.time
        self.began = loop.time()
        self.told: list[tuple[float, Answer]] = []
        self.states: list[PushState] = []
        self.push = Push(
            self.transmitter, self.receive, self.changed, Intervals(), steady=loop.time
        )

    def receive(self, answer: Answer) -> None:
        self.told.append((self.now(), answer))

    def changed(self) -> None:
        if self.states[-1:] != [self.push.state]:
            self.states.append(self.push.state)

    @property
    def changes(self) -> list[int | None]:
        """The pagers of the sessions that were told, one by one."""
        return [s.number for _, told in self.told if not told.is_all for s in told.sessions]

    async def until(self, state: PushState, within: float) -> float:
        """Wait for a state; return how long that took."""
        began = self.now()
        async with asyncio.timeout(within):
            while self.push.state is not state:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        return self.now() - began


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[Listener]:
    async with Simulator(**options) as simulator:
        listener = Listener(simulator)
        task = asyncio.create_task(listener.push.run())
        try:
            yield listener
        finally:
            await listener.transmitter.close()
            with suppress(asyncio.CancelledError):
                await task


def in_virtual_time(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        virtual_time.run(test)  # type: ignore[arg-type]

    run.__name__ = test.__name__
    return run


@in_virtual_time
async def test_it_is_live_from_the_first_ping_on_and_stays_so() -> None:
    async with listening() as listener:
        await listener.until(PushState.ACCEPTED, 1)
        # A change soon after the registration shows nothing: a NAT would let it in, too.
        listener.simulator.unit.create(7)
        await asyncio.sleep(28)
        assert listener.changes == [7]
        assert not listener.push.is_live
        await listener.until(PushState.LIVE, 3)
        await asyncio.sleep(4 * 3600)
        assert listener.states == [PushState.ACCEPTED, PushState.LIVE]
        assert listener.simulator.observers == 1


@in_virtual_time
async def test_after_a_reboot_it_is_live_again_within_45_seconds() -> None:
    for asleep in (0, 7, 13, 29):
        async with listening() as listener:
            await listener.until(PushState.LIVE, 40)
            await asyncio.sleep(120 + asleep)
            listener.simulator.unit.reboot()
            told, rebooted = len(listener.told), listener.now()
            await asyncio.sleep(2)
            listener.simulator.unit.create(7)
            # It is seen by the list that the registration brings ...
            while not (seen := [at for at, a in listener.told[told:] if a.is_all]):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
            assert seen[0] - rebooted < 40
            # ... and what happens from now on is told.
            await asyncio.sleep(45 - (listener.now() - rebooted))
            assert listener.push.is_live
            listener.simulator.unit.create(8)
            await asyncio.sleep(1)
            assert listener.changes == [8]
            assert listener.states == [PushState.ACCEPTED, PushState.LIVE]


@in_virtual_time
async def test_a_missed_ping_costs_one_small_exchange() -> None:
    async with listening() as listener:
        await listener.until(PushState.LIVE, 40)
        await asyncio.sleep(70)
        before = len(listener.simulator.requests)
        listener.simulator.forget_observers()
        await asyncio.sleep(36)
        assert listener.simulator.observers == 1
        assert len(listener.simulator.requests) - before == 1


@in_virtual_time
async def test_a_unit_that_is_off_is_said_to_be_lost_and_comes_back() -> None:
    async with listening() as listener:
        await listener.until(PushState.LIVE, 40)
        listener.simulator.faults.silence = True
        assert await listener.until(PushState.LOST, 60) >= 30
        await asyncio.sleep(3600)
        listener.simulator.faults.silence = False
        listener.push.try_again()
        await listener.until(PushState.ACCEPTED, 15)
        await listener.until(PushState.LIVE, 35)


@in_virtual_time
async def test_behind_a_nat_as_docker_has_it_messages_arrive_and_it_is_live() -> None:
    async with listening() as listener:
        listener.simulator.faults.network.nat = 29.5
        listener.simulator.faults.network.nat_stream = 120
        await listener.until(PushState.LIVE, 70)
        await asyncio.sleep(9 * 60)
        listener.simulator.unit.create(7)
        await asyncio.sleep(1)
        assert listener.changes == [7]
        assert listener.states == [PushState.ACCEPTED, PushState.SILENT, PushState.LIVE]


@in_virtual_time
async def test_behind_a_nat_that_forgets_soon_it_is_kept_awake() -> None:
    async with listening() as listener:
        listener.simulator.faults.network.nat = 20
        # What happens until then, polls have to find.
        await listener.until(PushState.SILENT, 40)
        await listener.until(PushState.LIVE, 110)
        for _ in range(60):
            await asyncio.sleep(60)
            assert listener.push.is_live
        listener.simulator.unit.create(7)
        await asyncio.sleep(1)
        assert listener.changes == [7]


@in_virtual_time
async def test_behind_what_lets_nothing_in_it_is_never_live_and_says_so_once() -> None:
    async with listening() as listener:
        listener.simulator.faults.network.nat = 1
        await asyncio.sleep(3600)
        assert listener.states == [PushState.ACCEPTED, PushState.SILENT]
        # Whoever finds changes by polls says so; whether it was just registered or not.
        for _ in range(3):
            listener.push.missed_change()
            await asyncio.sleep(30)
        assert listener.push.is_silent


@in_virtual_time
async def test_pings_alone_don_t_make_up_for_changes_that_are_not_told() -> None:
    async with listening() as listener:
        await listener.until(PushState.LIVE, 40)
        for _ in range(3):
            await asyncio.sleep(30)
            assert not listener.push.is_silent
            listener.push.missed_change()
        assert listener.push.is_silent
        await asyncio.sleep(60)
        assert listener.push.is_silent
        # A change that is told does.
        listener.simulator.unit.create(7)
        await asyncio.sleep(1)
        assert not listener.push.is_silent


@in_virtual_time
async def test_it_is_tried_again_soon_whether_messages_have_a_count_or_not() -> None:
    async with listening() as listener:
        listener.simulator.faults.no_sequence = True
        for _ in range(8):
            await listener.until(PushState.LIVE, 40)
            await asyncio.sleep(120)
            listener.simulator.faults.silence = True
            await listener.until(PushState.LOST, 60)
            listener.simulator.faults.silence = False
            # Twice the first delay, at most, and what is left of a request.
            await listener.until(PushState.ACCEPTED, 15)


@in_virtual_time
async def test_a_unit_that_pings_once_a_minute_is_given_a_minute() -> None:
    async with listening(ping_interval=60) as listener:
        await listener.until(PushState.LIVE, 140)
        told = len(listener.told)
        await asyncio.sleep(3600)
        assert listener.push.is_live
        # Pings are all that came: it was not registered anew.
        assert not any(answer.is_all for _, answer in listener.told[told:])
        assert listener.simulator.observers == 1


@in_virtual_time
async def test_who_asks_for_another_try_during_one_gets_it() -> None:
    async with listening() as listener:
        listener.simulator.faults.silence = True
        await asyncio.sleep(600)
        assert listener.push.state is PushState.NO_ANSWER
        # It waits for minutes now. A try begins, and during that ...
        listener.push.try_again()
        await asyncio.sleep(1)
        listener.push.try_again()
        await asyncio.sleep(12)
        listener.simulator.faults.silence = False
        await listener.until(PushState.ACCEPTED, 12)


@in_virtual_time
async def test_a_ping_that_follows_on_the_registration_shows_nothing() -> None:
    async with listening(pings_at_once=True) as listener:
        await asyncio.sleep(25)
        assert [answer.envelope.response_types for _, answer in listener.told][1:] == [PING]
        assert listener.states == [PushState.ACCEPTED]
        await listener.until(PushState.LIVE, 10)


@in_virtual_time
async def test_a_change_that_was_not_told_has_us_register_anew_at_once() -> None:
    async with listening() as listener:
        await listener.until(PushState.LIVE, 40)
        listener.simulator.forget_observers()
        listener.push.missed_change()
        await asyncio.sleep(1)
        assert listener.simulator.observers == 1
        listener.simulator.unit.create(7)
        await asyncio.sleep(1)
        assert listener.changes == [7]


def test_a_ping_is_nothing_but_a_ping() -> None:
    assert PING == ("ping",)
