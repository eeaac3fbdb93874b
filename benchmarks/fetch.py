"""The history over the network: 1 and 2."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
import statistics
import time

from custom_components.lrs_pager.transmitter import Transmitter, TransmitterError

from .measure import Row, Run, duration, ratio_text, ratios, rounds, walls
from .peers import Aiocoap, Peer, here
from .product import fetch_and_merge
from .remote import Remote

# Goals against aiocoap + orjson alone, by number of sessions.
GOALS = {100: 1.05, 1_000: 1.05, 10_000: 0.75}

# Rounds, and rounds with --quick, by number of sessions and milliseconds to each answer: many where
# they are short, one where a transfer takes a minute.
ROUNDS = {
    (100, 0): (31, 15),
    (1_000, 0): (15, 9),
    (10_000, 0): (7, 3),
    (100, 5): (9, 5),
    (1_000, 5): (3, 1),
    (10_000, 5): (1, 0),
    (100, 20): (5, 2),
    (1_000, 20): (2, 0),
    (10_000, 20): (1, 0),
}


async def fetch(*, quick: bool) -> AsyncIterator[Row]:
    """1. Fetch, parse and merge the history.

    What users wait for after the integration is added, and what keeps the loop busy later. Ours
    does more than the others: it reads every field, checks that the list did not change while it
    was read, places stamps in time and merges into a log; they fetch and read the JSON, no more.
    Against a raw server, with 0, 5 and 20 ms to each answer. aiocoap and ours in this process,
    node-coap in one that stays, coap-client and jq started for each fetch, as a script would.
    The goal is against aiocoap + orjson: hardly slower for a small history, faster for a long one;
    what is waited for on the wire is the same for all, who have one request under way at a time.
    CPU is that of this process, so that it is told for aiocoap alone.
    """
    kinds, _ = here()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Remote("server"))
        peers = [await stack.enter_async_context(kind()) for kind in kinds]
        for (sessions, delay), counts in ROUNDS.items():
            if not (count := counts[quick]):
                continue
            await server.ask(sessions=sessions, delay=delay / 1000)
            # A transfer of a minute is all waiting, which is the same for all peers.
            against = peers[:1] if count == 1 else peers
            async for row in _rows(server.port, against, sessions, delay, count):
                yield row


async def _rows(
    port: int, peers: Sequence[Peer], sessions: int, delay: int, count: int
) -> AsyncIterator[Row]:
    """Compare with each peer; aiocoap is the first of them."""
    transmitter = Transmitter("127.0.0.1", port)

    async def ours() -> None:
        assert await fetch_and_merge(transmitter) == sessions

    async def theirs(peer: Peer) -> None:
        assert await peer.fetch(port) == sessions

    runs: list[Run] = [ours, *(partial(theirs, peer) for peer in peers)]
    our_costs, *costs = await rounds(runs, count, warm_up=count > 1)
    await transmitter.close()
    for peer, found in zip(peers, costs, strict=True):
        what = f"1. fetch + parse + merge {sessions:,}, {delay} ms, against {peer.name}"
        is_goal = isinstance(peer, Aiocoap)
        if is_goal:
            cpu = statistics.median(ratios(our_costs, found, "cpu"))
            what += f" (CPU {ratio_text(cpu)})"
        yield Row(
            what=what,
            ours=walls(our_costs),
            theirs=walls(found),
            ratios=ratios(our_costs, found),
            goal=GOALS[sessions] if is_goal else None,
        )


# Sessions, share of datagrams lost, runs side by side. aiocoap waits 2 to 3 s for the first
# retransmission: a transfer of 1,000 with 20 % would be ten minutes.
LOSSES = ((100, 0.05, 12), (100, 0.2, 12), (1_000, 0.05, 4))
QUICK_LOSSES = ((100, 0.05, 8),)


async def loss(*, quick: bool) -> AsyncIterator[Row]:
    """2. Fetch, parse and merge over a network that loses datagrams.

    Restaurants' networks do. A server loses a share of them either way, by the same seeded dice for
    both of a pair. What takes time is waiting, not work, so all pairs run at once, each with a
    server of its own. Against aiocoap with its defaults (RFC 7252's, for the Internet): at most a
    third of the time, and no failure.
    """
    for sessions, share, count in QUICK_LOSSES if quick else LOSSES:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(Remote("server")) for _ in range(count)]
            results: dict[bool, list[float | None]] = {}
            for is_ours in (True, False):
                for seed, server in enumerate(servers):
                    await server.ask(sessions=sessions, loss=share, seed=seed)
                results[is_ours] = await asyncio.gather(
                    *(_timed(server.port, sessions, is_ours=is_ours) for server in servers)
                )
        ours, theirs = ([took for took in results[key] if took] for key in (True, False))
        failed = [f"{count - len(took)} of {count} failed" for took in (ours, theirs)]
        both = [a / b for a, b in zip(results[True], results[False], strict=True) if a and b]
        yield Row(
            what=f"2. the same, {sessions:,} sessions, {share:.0%} of datagrams lost each way",
            ours=f"{duration(statistics.median(ours))}, {failed[0]}" if ours else failed[0],
            theirs=f"{duration(statistics.median(theirs))}, {failed[1]}" if theirs else failed[1],
            ratios=both,
            goal_text="≤ 0.33, none fails",
            is_met=bool(both) and statistics.median(both) <= 1 / 3 and len(ours) == count,
        )


async def _timed(port: int, sessions: int, *, is_ours: bool) -> float | None:
    """How many seconds a fetch took; None if it failed."""
    began = time.perf_counter()
    try:
        if is_ours:
            transmitter = Transmitter("127.0.0.1", port)
            try:
                assert await fetch_and_merge(transmitter) == sessions
            finally:
                await transmitter.close()
        else:
            async with Aiocoap() as peer:
                assert await peer.fetch(port) == sessions
    except TransmitterError, OSError, TimeoutError:
        return None
    except Exception as err:
        # aiocoap's errors have no common base that is exported.
        if type(err).__module__.startswith("aiocoap"):
            return None
        raise
    return time.perf_counter() - began
