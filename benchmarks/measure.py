"""Rows of the table, and the pairs that they are taken from."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
import gc
import statistics
import time

type Run = Callable[[], Awaitable[object]]

HEAD = ["benchmark", "ours", "theirs", "ratio: median (spread)", "goal", "met"]

# From so many ratios on, the spread is told by quartiles; of fewer, by the least and the most.
MANY = 5


def ratio_text(value: float) -> str:
    """Write a ratio: with as many digits as tell something."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table.

    ours, theirs: with units. ratios: ours by theirs, one for each pair. goal: what the median of
    those may be at most; None if there is no goal. is_met: for goals that are no ratio.
    """

    what: str
    ours: str
    theirs: str = ""
    ratios: Sequence[float] = field(default=())
    goal: float | None = None
    goal_text: str = ""
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is met; nothing if there is none."""
        is_met = self.is_met
        if is_met is None and self.goal is not None and self.ratios:
            is_met = statistics.median(self.ratios) <= self.goal
        return {None: "", True: "yes", False: "MISSED"}[is_met]

    def cells(self) -> list[str]:
        """The columns, as of HEAD."""
        ratio = ""
        if self.ratios:
            ratio = f"**{ratio_text(statistics.median(self.ratios))}**"
            if len(self.ratios) > 1:
                # A busy machine makes some pair or other absurd: of many, the middle half is told.
                low, high = min(self.ratios), max(self.ratios)
                if len(self.ratios) >= MANY:
                    low, _, high = statistics.quantiles(self.ratios, method="inclusive")
                ratio += f" ({ratio_text(low)}..{ratio_text(high)}, n={len(self.ratios)})"
        goal = self.goal_text or (f"≤ {ratio_text(self.goal)}" if self.goal is not None else "")
        return [self.what, self.ours, self.theirs, ratio, goal, self.verdict]


def table(rows: Sequence[Row]) -> str:
    """Write rows as Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds on the wall, and of CPU in this process."""

    wall: float
    cpu: float


async def cost(run: Run) -> Cost:
    """Run once, with nothing left over from before."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await run()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def ratios(ours: Sequence[Cost], theirs: Sequence[Cost], what: str = "wall") -> list[float]:
    """Ours by theirs, pair by pair: of "wall" or of "cpu"."""
    return [getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs, strict=True)]


async def rounds(runs: Sequence[Run], count: int, *, warm_up: bool = True) -> list[list[Cost]]:
    """Run each in turn, round after round; return the costs of each. warm_up: a round before."""
    if warm_up:
        for run in runs:
            await run()
    costs: list[list[Cost]] = [[] for _ in runs]
    for _ in range(count):
        for run, found in zip(runs, costs, strict=True):
            found.append(await cost(run))
    return costs


def walls(costs: Sequence[Cost]) -> str:
    """The median time, in milliseconds or seconds."""
    return duration(statistics.median(each.wall for each in costs))


def duration(seconds: float) -> str:
    """Write a time."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.2g} µs"


def size(count: float) -> str:
    """Write a number of bytes."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.3g} B"
