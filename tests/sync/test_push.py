"""One observation of a transmitter, kept alive: over real packets, without Home Assistant."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest

from custom_components.lrs_pager.sync import push
from custom_components.lrs_pager.sync.push import Push
from custom_components.lrs_pager.transmitter import Transmitter, coap
from tests.raw_unit import NOTIFY, RawUnit


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.001)


async def test_a_reason_to_try_again_that_comes_during_a_try_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.3)
    monkeypatch.setattr(push, "FIRST_DELAY", 60)
    async with RawUnit(datetime.now) as unit:
        transmitter = Transmitter(unit.host, unit.port)
        observation = Push(transmitter, lambda _: None, lambda: None)
        unit.silent.add(NOTIFY)
        running = asyncio.create_task(observation.run())
        await until(lambda: unit.requests)
        # That try is lost; but the unit is back, as a poll was answered.
        unit.silent.clear()
        observation.try_again()
        await until(lambda: observation.is_live)
        await transmitter.close()
        await running
