"""What quotes would have been worth: a log replayed, guest by guest.

Each quote rests only on guests who had left the line before. Beside the quotes stands what the
baselines (baselines.py) would have said to the same guests.

It runs on Python 3.11, without Home Assistant, as scripts/quotes does.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
import json
from statistics import fmean, median
from typing import Any, Final

from .baselines import DAY, NAMES
from .neighbours import Size
from .quote import PROMISED, Outcome, Quoter, Wait

# The name of the quotes beside those of the baselines.
OURS: Final = "ours"

# Days of guests who are learnt from before any quote is judged.
WARM_UP: Final = 28

# The transmitter's word for a session that was taken off the list.
_REMOVED = "REMOVED"

# The largest party size, and goal in seconds, that a line of JSON may have.
_MOST = 2**32

# A quote that exceeds the wait by more minutes than this makes guests go elsewhere for nothing.
_FAR_OVER = 15

_QUEUES_TO, _QUEUES = (2, 7), ("0-2", "3-7", "8+")

_SIZES: Final = {Size.SMALL: "1-2", Size.MEDIUM: "3-4", Size.LARGE: "5+", Size.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How good the figures for n guests were: minutes; for kept and over, percentages.

    mae, median_error, bias: of the expected wait less the actual one. said: the mean of the waits
    that were promised. kept: guests who waited for no longer than that; over: guests who waited
    for over 15 minutes less. pinball: the loss of the promised waits at the quantile 0.8.
    """

    n: int
    mae: float
    median_error: float
    bias: float
    kept: float
    over: float
    pinball: float
    said: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How good the quotes, and the baselines by name, were for the same guests."""

    ours: Measures
    baselines: dict[str, Measures]

    def as_dict(self) -> dict[str, Any]:
        """The measures of the quotes, with those of the baselines below them."""
        told = {name: _rounded(each) for name, each in self.baselines.items()}
        return {**_rounded(self.ours), "baselines": told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a back-test found of the guests who were paged after the warm-up.

    silent: how many guests had no forecast that could be quoted, by reason; the groups and
    gate_open are about the other guests. gate_open: the percentage of them who were shown a quote,
    None if there are none. auto_page_share: see Quoter, but in percent.
    """

    all: Group | None
    by_class: dict[str, Group]
    by_queue: dict[str, Group]
    by_week: dict[str, Group]
    silent: dict[str, int]
    gate_open: float | None
    auto_page_share: float | None

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it; if no guest counts, n is 0, and mae and kept are None."""
        total = self.all.as_dict() if self.all else {"n": 0, "mae": None, "kept": None}
        return {
            "baselines": {},
            **total,
            "silent": self.silent,
            "gate_open": self.gate_open,
            "auto_page_share": self.auto_page_share,
            **{
                name: {key: group.as_dict() for key, group in getattr(self, name).items()}
                for name in ("by_class", "by_queue", "by_week")
            },
        }


class BackTest:
    """A back-test that can be done little by little.

    quoter: has learnt from the log as far as it was replayed. outcomes: those of the guests who
    arrived after the warm-up and were paged.
    """

    def __init__(self, waits: Iterable[Wait], warm_up: float = WARM_UP) -> None:
        """Take the waits of a log. warm_up: the days from the first guest that are not judged."""
        self.waits = list(waits)
        self._start = min((wait.created for wait in self.waits), default=0.0)
        self._judged_from = self._start + warm_up * DAY
        self.quoter = Quoter()
        self.outcomes: list[Outcome] = []

    def steps(self) -> Iterator[None]:
        """Replay the log, a step of `Quoter.replay` for each item that is asked for."""
        for outcome in self.quoter.replay(self.waits):
            if outcome is not None and outcome.wait.created >= self._judged_from:
                self.outcomes.append(outcome)
            yield

    def report(self) -> Report:
        """Sum up the outcomes so far."""
        quoted: list[Outcome] = []
        silent: Counter[str] = Counter()
        for outcome in self.outcomes:
            if outcome.forecast and outcome.forecast.reason is None:
                quoted.append(outcome)
            else:
                silent[str(outcome.quote.reason)] += 1
        share = self.quoter.auto_page_share
        shown = sum(outcome.quote.reason is None for outcome in quoted)
        return Report(
            all=_group(quoted) if quoted else None,
            by_class=_groups(quoted, lambda one: _SIZES[one.size]),
            by_queue=_groups(quoted, _queue),
            by_week=_groups(quoted, self._week),
            silent=dict(silent),
            gate_open=round(100 * shown / len(quoted), 1) if quoted else None,
            auto_page_share=None if share is None else round(100 * share, 1),
        )

    def _week(self, outcome: Outcome) -> str:
        """The local date on which the week of a guest began; weeks are counted from the first."""
        week = (outcome.wait.created - self._start) // (7 * DAY)
        began = self._start + week * 7 * DAY + outcome.wait.offset
        return datetime.fromtimestamp(began, UTC).date().isoformat()


def back_test(waits: Iterable[Wait], warm_up: float = WARM_UP) -> Report:
    """Do a whole back-test, which takes about a millisecond for each guest."""
    test = BackTest(waits, warm_up)
    for _ in test.steps():
        pass
    return test.report()


# --------------------------------------------------------------------------- lines of JSON


def read_line(line: str, number: int) -> Wait | None:
    """Read a session as `get_history` returns it, in a line of JSON; None without a creation.

    created, notified, cleared: ISO 8601 with an offset. These, party_size, clear_type and
    goal_seconds may be null or left out. wait_seconds: null if the wait is not known. number: the
    line's. Raises ValueError, which says what is wrong.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    created, notified, cleared = (
        _instant(fields, name) for name in ("created", "notified", "cleared")
    )
    if created is None:
        return None
    # `get_history` returns null as the wait if the unit's clock was set during it.
    is_known = notified is None or fields.get("wait_seconds", 0) is not None
    offset = created.utcoffset()
    return Wait(
        key=str(number),
        created=created.timestamp(),
        paged=notified.timestamp() if notified else None,
        ended=cleared.timestamp() if cleared else None,
        is_removed=fields.get("clear_type") == _REMOVED,
        party_size=_count(fields, "party_size"),
        goal=_count(fields, "goal_seconds"),
        offset=offset.total_seconds() if offset else 0,
        is_reliable=is_known,
    )


def _instant(fields: dict[str, Any], name: str) -> datetime | None:
    text = fields.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{name} is no time")
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{name} has no offset")
    return instant


def _count(fields: dict[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= _MOST):
        raise ValueError(f"{name} is no number of that kind")
    return value


# ------------------------------------------------------------------------------ measuring


def _queue(outcome: Outcome) -> str:
    return _QUEUES[bisect_left(_QUEUES_TO, outcome.line.parties)]


def _groups(outcomes: Iterable[Outcome], key: Callable[[Outcome], str]) -> dict[str, Group]:
    found: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[key(outcome)].append(outcome)
    return {name: _group(found[name]) for name in sorted(found)}


def _group(outcomes: Sequence[Outcome]) -> Group:
    forecasts = [one.forecast for one in outcomes if one.forecast]
    waits = [one.minutes for one in outcomes]
    expected = [forecast.expected for forecast in forecasts]
    others = zip(*(one.baselines for one in outcomes), strict=True)
    return Group(
        ours=_measure(waits, expected, [float(forecast.high) for forecast in forecasts]),
        baselines={
            name: _measure(waits, figures, figures)
            for name, figures in zip(NAMES, others, strict=True)
        },
    )


def _measure(waits: Sequence[float], expected: Sequence[float], said: Sequence[float]) -> Measures:
    errors = [figure - wait for figure, wait in zip(expected, waits, strict=True)]
    over = [figure - wait for figure, wait in zip(said, waits, strict=True)]
    return Measures(
        n=len(waits),
        mae=fmean(map(abs, errors)),
        median_error=median(errors),
        bias=fmean(errors),
        kept=100 * fmean(each >= 0 for each in over),
        over=100 * fmean(each > _FAR_OVER for each in over),
        pinball=fmean(max((1 - PROMISED) * each, -PROMISED * each) for each in over),
        said=fmean(said),
    )


def _rounded(measures: Measures) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(measures).items()}
