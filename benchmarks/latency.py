"""From a message to the state: 5."""

import asyncio
from collections.abc import AsyncIterator, Callable
import statistics
import time

import aiocoap

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import entity_registry as er

from .hass import DOMAIN, add, config_entry, home_assistant, push_settled, until
from .measure import Row, duration
from .remote import Remote

# The sensors that change with a page, and with nothing that is read later.
COUNTS = ("waiting_sessions", "paged_sessions")
# Pages, each told to ours and to theirs in turn.
PAGES, QUICK_PAGES = 400, 100
# Seconds from the order to the page: the answer to the order is over by then.
DELAY = 0.004
# The goal: seconds that ours may take beyond an observer that does nothing, in the median.
BEYOND = 0.010


async def latency(*, quick: bool) -> AsyncIterator[Row]:
    """5. From a page on the transmitter to the state in Home Assistant.

    What automations wait for. Two simulated units in another process: one that Home Assistant
    observes, one that an empty aiocoap observer does, which reads the clock and no more. Guests are
    paged on one and the other in turn; time runs from just before the unit writes its message (one
    clock for all processes) to the first of the sensors' states that changes: how many guests wait,
    and how many are paged. The goal is 10 ms beyond the empty observer.
    """
    ours: list[float] = []
    theirs: list[float] = []
    async with Remote("units", "2", "270") as units, home_assistant() as hass:
        entry = config_entry(units.ports[0])
        await add(hass, entry)
        await push_settled(hass, entry)
        context = await aiocoap.Context.create_client_context()
        observing = context.request(
            aiocoap.Message(
                code=aiocoap.GET,
                uri=f"coap://127.0.0.1:{units.ports[1]}/v1/notify?action=get_sessions",
                observe=0,
            )
        )
        await observing.response
        ear = asyncio.create_task(_listen(observing, theirs.append))

        registry = er.async_get(hass)
        counts = {
            registry.async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_{key}")
            for key in COUNTS
        }
        assert None not in counts

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            if event.data["entity_id"] in counts:
                ours.append(time.monotonic())

        hass.bus.async_listen(EVENT_STATE_CHANGED, changed)
        took: tuple[list[float], list[float]] = ([], [])
        for _ in range(QUICK_PAGES if quick else PAGES):
            for index, heard in enumerate((ours, theirs)):
                took[index].append(await _page(units, index, heard))
        ear.cancel()
        await context.shutdown()
    medians = [statistics.median(each) for each in took]
    tails = [statistics.quantiles(each, n=100)[98] for each in took]
    yield Row(
        what="5. from a page to the state, against an empty observer (median, p99)",
        ours=f"{duration(medians[0])}, {duration(tails[0])}",
        theirs=f"{duration(medians[1])}, {duration(tails[1])}",
        ratios=[medians[0] / medians[1]],
        goal_text="≤ 10 ms more in the median",
        is_met=medians[0] - medians[1] <= BEYOND,
    )


async def _listen(observing: aiocoap.protocol.Request, heard: Callable[[float], None]) -> None:
    """Observe, and do nothing about it."""
    async for _ in observing.observation:
        heard(time.monotonic())


async def _page(units: Remote, index: int, heard: list[float]) -> float:
    """Have a guest seated, paged and gone; return the seconds until the page was heard of."""
    for step in ("seat", "page", "leave"):
        # Until all that the step before led to is over.
        await asyncio.sleep(DELAY)
        heard.clear()
        await units.ask(**{step: index, "delay": DELAY})
        await until(lambda: bool(heard))
        if step == "page":
            first = heard[0]
    (paged,) = (await units.ask())["paged"]
    assert isinstance(paged, float)
    assert first > paged
    return first - paged
