"""What it costs to say how long the wait is: 11."""

from collections.abc import AsyncIterator
from itertools import islice
import statistics
import time

from tests.simulator.restaurant import Restaurant, lines, log

from .measure import Row, duration
from .product import new_quoter, wait, waits_of

# Nights of a simulated restaurant: more than enough for the 1,500 guests that are remembered.
NIGHTS, QUICK_NIGHTS = 90, 45
# Parties that wait, as on a bad Saturday, and times that is asked.
WAITING, ASKED = 30, 300
# The classes of party sizes.
SIZES = (2, 4, 6)

# Goals in seconds: for the quotes of all classes, and for any single step of a replay.
MOST, LONGEST_BLOCK = 0.005, 0.010


async def quotes(*, quick: bool) -> AsyncIterator[Row]:
    """11. The quotes for all sizes, a guest who comes, and beginning from a log.

    1,500 earlier guests of a simulated restaurant, and 30 parties who wait. CPU time of the quotes
    of all three classes, and of each step in which the log is replayed: a session that is taken in,
    and a guest who comes or is paged.
    """
    known = waits_of(lines(log(Restaurant(), QUICK_NIGHTS if quick else NIGHTS, seed=1)))
    quoter, took = new_quoter(), []
    steps = quoter.replay(known)
    began = time.process_time()
    while list(islice(steps, 1)):
        took.append(time.process_time() - began)
        began = time.process_time()
    last = max(each.created for each in known)
    for number in range(WAITING):
        quoter.arrived(wait(f"waits {number}", last + 60 * number, SIZES[number % 3]))
    now, asked = last + 60 * WAITING, []
    for _ in range(ASKED):
        began = time.process_time()
        found = [quoter.quote(now, size) for size in SIZES]
        asked.append(time.process_time() - began)
    assert all(each.high for each in found), found
    median = statistics.median(asked)
    yield Row(
        what=f"11. the quotes for three sizes, {WAITING} parties waiting",
        ours=f"{duration(median)} (p99 {duration(statistics.quantiles(asked, n=100)[98])})",
        goal_text="≤ 5 ms",
        is_met=median <= MOST,
    )
    yield Row(
        what=f"11. the longest step in a replay of {len(known):,} sessions",
        ours=f"{duration(max(took))} (median {duration(statistics.median(took))})",
        goal_text="≤ 10 ms",
        is_met=max(took) <= LONGEST_BLOCK,
    )
    yield Row(what=f"11. the replay of {len(known):,} sessions", ours=duration(sum(took)))
