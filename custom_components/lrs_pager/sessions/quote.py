"""How long the next guest will wait: as long as earlier guests who found the same line.

A line is described by how many parties wait, how many of them are of the guest's size, and for how
long the first of them has waited. The waits of the earlier guests who found lines most like it make
a distribution, in which those who gave up count as having waited for longer than they did. While
little is known, it is drawn towards so many minutes for each party; it is scaled by the pace of the
last two hours; and the quote is the time within which four of five guests are paged. The next
quotes are shifted by whether four of five really were.

`Quoter` is told of guests as they come and go, by the live list or by a log that is replayed: the
same code quotes and is measured by a back-test. It is pure: no clock, no disk. It runs on Python
3.11, as scripts/quotes does.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log
from operator import itemgetter
from typing import Final

from .baselines import DAY, HOUR, NAMES, Baselines
from .neighbours import Curve, Line, Neighbours, Size

# The shares of guests who are paged within the upper and the lower end of a quote.
PROMISED: Final = 0.8
LOWER: Final = 0.25

# Seconds after which a guest who waits is taken for a pager that nobody cleared.
LONGEST: Final = 4 * HOUR

# Seconds within which a session that is removed without a page is a slip at the keypad.
SLIP: Final = 60

# This many sessions that end without a page within so many seconds were cleared up at closing.
MASS: Final = 3
MASS_WITHIN: Final = 60

# The paged guests that must be known to make a forecast, and to quote it.
_FIRST_FORECAST, _FIRST_QUOTE = 10, 30

# The number of paged guests at which minutes for each party count as much as the neighbours.
_STARTED = 60

# The pace: the seconds that it is taken over; the age in minutes at which a page counts a third;
# the weight of the assumption that it is as always.
_PACE_OVER, _PACE_FADES, _PACE_WEIGHT = 2 * HOUR, 45, 40

# How far one page shifts the promised quantile, the limits of the shift, and of the quantile.
_STEP, _LEAST_SHIFT, _MOST_SHIFT, _MOST_QUANTILE = 0.02, -0.2, 0.18, 0.98

# The gate: how many paged guests it looks at, the fewest it needs, and how far the share of kept
# quotes may be from PROMISED.
_GATE, _GATE_NEEDS, _GATE_WIDTH = 200, 20, 0.08

# The unit pages by itself if this share of guests is paged within two seconds of their goal. By
# chance it is one in two hundred.
_AUTO_WITHIN, _AUTO_SHARE = 2, 0.2


class Reason(StrEnum):
    """Why there is no quote.

    Quoter never gives NO_LIVE_LIST and AUTO_PAGE: its caller does.
    """

    NO_LINE = "no_line"
    TOO_FEW_SESSIONS = "too_few_sessions"
    NO_NEIGHBOURS = "no_neighbours"
    GATE_NOT_PASSED = "gate_not_passed"
    AUTO_PAGE = "auto_page"
    NO_LIVE_LIST = "no_live_list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A guest's wait. Instants are POSIX seconds.

    key: the session's identity. paged: when the guest was first paged. ended: when the session
    ended, in whatever way; is_removed: whether it was taken off the list. goal: seconds. offset: by
    how many seconds local time was ahead of UTC. is_reliable: False if the length of the wait is
    not known, as the clock was set, or if other sessions may have been missed during it: the guest
    then counts in the line, but nothing is learnt from the wait.
    """

    key: str
    created: float
    paged: float | None = None
    ended: float | None = None
    is_removed: bool = False
    party_size: int | None = None
    goal: float | None = None
    offset: float = 0
    is_reliable: bool = True

    @property
    def left_at(self) -> float | None:
        """When the guest left the line, by the page or the session's end; None if still waiting."""
        return self.ended if self.paged is None else self.paged

    @property
    def seconds(self) -> float | None:
        """How long the guest was in the line; None if still waiting."""
        return None if self.left_at is None else self.left_at - self.created

    @property
    def is_learnt_from(self) -> bool:
        """Whether the wait tells how long guests wait.

        One that ended without a page does only if the session was removed: otherwise the host may
        have forgotten to page.
        """
        seconds = self.seconds
        if seconds is None or not self.is_reliable or not 0 <= seconds <= LONGEST:
            return False
        return self.paged is not None or (self.is_removed and seconds >= SLIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What can be told to a guest who arrives.

    low, high: minutes, in fives; None if there is a reason why not. Four of five guests are paged
    within high. parties_ahead: parties that wait; ahead_in_size: those of them of the guest's class
    of sizes. based_on: how many earlier guests the quote rests on. instead: with GATE_NOT_PASSED,
    the name of the baseline that did best lately, and its figure in minutes, in fives.
    """

    low: int | None = None
    high: int | None = None
    parties_ahead: int = 0
    ahead_in_size: int = 0
    based_on: int = 0
    reason: Reason | None = None
    instead: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """How many minutes more a guest will wait: a range, and the middle."""

    low: int
    about: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The wait of a guest, as it was forecast on arrival.

    middle: the median of `curve`, which is of the neighbours' waits. start: the factor for it while
    little is known; the pace comes on top. expected, low, high: with both factors, the median and
    the range, in fives. All are minutes. based_on: how many guests of equal weight would tell as
    much. reason: why there is no quote by it; None if there may be one.
    """

    line: Line
    size: Size
    curve: Curve
    middle: float
    start: float
    expected: float
    low: int
    high: int
    based_on: float
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A guest who was paged, and what was forecast on arrival.

    minutes: the actual wait. baselines: their figures in minutes, in the order of
    `baselines.NAMES`. quote: what was shown on arrival.
    """

    wait: Wait
    minutes: float
    size: Size
    line: Line
    forecast: Forecast | None
    baselines: tuple[float, ...]
    quote: Quote


@dataclass(slots=True)
class _Guest:
    """A guest in the line, with the line, the forecast and the quote on arrival."""

    wait: Wait
    size: Size
    line: Line
    forecast: Forecast | None
    baselines: tuple[float, ...]
    quote: Quote


class _Pace:
    """By which factor waits are longer than the middle of their forecasts, of late."""

    def __init__(self) -> None:
        # (When paged, logarithm of the wait over the middle of its forecast.)
        self._paged: deque[tuple[float, float]] = deque()

    def add(self, at: float, minutes: float, forecast: Forecast) -> None:
        """Add a guest who was paged. at: when (POSIX seconds). minutes: the wait."""
        self._paged.append((at, log(max(minutes, 0.5) / forecast.middle)))

    def at(self, now: float, line: Iterable[_Guest]) -> float:
        """The factor by which forecasts are to be multiplied.

        It follows from the guests who were paged, and from those in the line who have waited for
        longer than the middle of their forecast already.
        """
        while self._paged and now - self._paged[0][0] > _PACE_OVER:
            self._paged.popleft()
        total, weight = 0.0, float(_PACE_WEIGHT)
        for paged, slower in self._paged:
            # An instant that was placed by the unit's clock may be ahead of now.
            part = exp(-max(0.0, now - paged) / 60 / _PACE_FADES)
            total += part * slower
            weight += part
        for guest in line:
            elapsed = (now - guest.wait.created) / 60
            if guest.forecast and elapsed > guest.forecast.middle:
                total += log(elapsed / guest.forecast.middle)
                weight += 1
        return exp(total / weight)


@dataclass(slots=True)
class _Gate:
    """Whether quotes of late were better than all baselines, and kept as often as promised."""

    errors: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=_GATE))
    kept: deque[bool] = field(default_factory=lambda: deque(maxlen=_GATE))
    is_open: bool = False
    best: int = 0

    @property
    def is_judged(self) -> bool:
        """Whether there are enough quotes to judge by."""
        return len(self.kept) >= _GATE_NEEDS

    def add(self, minutes: float, forecast: Forecast, baselines: Sequence[float]) -> None:
        """Add what came of a quote. minutes: the actual wait."""
        figures = (forecast.expected, *baselines)
        self.errors.append(tuple(abs(minutes - figure) for figure in figures))
        self.kept.append(minutes <= forecast.high)
        ours, *others = map(sum, zip(*self.errors, strict=True))
        count = len(self.kept)
        # The share of fewer guests differs more by chance.
        width = _GATE_WIDTH * max(1.0, (_GATE / count) ** 0.5)
        self.best = others.index(min(others))
        is_kept = abs(sum(self.kept) / count - PROMISED) <= width
        self.is_open = self.is_judged and ours < others[self.best] and is_kept


class Quoter:
    """Quotes waits, and learns from them.

    It has to be told of every guest, in the order of time: by `arrived`, then `left`; or by
    `replay` of many. `now` (POSIX seconds) must not be before the last of these.
    """

    def __init__(self) -> None:
        """Begin without any guests."""
        self._line: dict[str, _Guest] = {}
        self._neighbours = Neighbours()
        # Guests who left without a page in the last minute: (when, guest; None if they were cleared
        # up together).
        self._unpaged: deque[tuple[float, _Guest | None]] = deque()
        self._pace = _Pace()
        self._shift = dict.fromkeys(Size, 0.0)
        self._baselines = Baselines()
        self._gate = _Gate()
        self._at_goal: deque[bool] = deque(maxlen=_GATE)
        self._paged = 0
        self._goal: float | None = None

    # ------------------------------------------------------------------------ who comes and goes

    def arrived(self, wait: Wait) -> None:
        """A guest stands in line. The wait of one who does so already is replaced."""
        now = wait.created
        if guest := self._line.get(wait.key):
            guest.wait = wait
            return
        self._settle(now)
        if wait.goal is not None:
            self._goal = wait.goal / 60
        size = self._neighbours.class_of(wait.party_size)
        line = self._found(now, size)
        local = now + wait.offset
        baselines = self._baselines.figures(now, local, size, line.own_size, self._goal)
        forecast = self._forecast(now, size, line)
        quote = self._answer(line, forecast, baselines)
        self._line[wait.key] = _Guest(wait, size, line, forecast, baselines, quote)

    def left(self, wait: Wait) -> Outcome | None:
        """A guest left the line: was paged, or the session ended.

        Return the outcome if the guest was paged and something is learnt from the wait. Guests who
        are not in the line, as they were paged before, are passed over; but the wait of one who
        left without a page in the last minute is replaced, as it may say whether it was removed.
        """
        if wait.left_at is None:
            return None
        if (guest := self._line.pop(wait.key, None)) is None:
            _know_better(wait, self._unpaged)
            return None
        now = max(wait.left_at, wait.created)
        self._settle(now)
        guest.wait = wait
        if wait.paged is None:
            self._unpaged.append((now, guest))
            return None
        return self._learn_page(guest, now) if wait.is_learnt_from else None

    def replay(self, waits: Iterable[Wait]) -> Iterator[Outcome | None]:
        """Be told of many guests, those of the past and those who wait, in whatever order.

        Each item that is asked for does one step, of a millisecond or two: first one for each wait,
        then one for each who arrives or leaves. The item is the outcome, if the step has one.
        """
        # In the same second, guests leave before others arrive, but nobody before arriving. Each
        # day is sorted by itself, as sorting the log of years would be one long step.
        days: defaultdict[int, list[tuple[float, int, Wait]]] = defaultdict(list)
        for wait in waits:
            days[int(wait.created // DAY)].append((wait.created, 1, wait))
            if (left := wait.left_at) is not None:
                order, left = (0, left) if left > wait.created else (2, wait.created)
                days[int(left // DAY)].append((left, order, wait))
            yield None
        for day in sorted(days):
            for _, order, wait in sorted(days.pop(day), key=itemgetter(0, 1)):
                if order == 1:
                    self.arrived(wait)
                    yield None
                else:
                    yield self.left(wait)

    # --------------------------------------------------------------------------- what is told

    def quote(self, now: float, party_size: int | None, offset: float = 0) -> Quote:
        """Quote for a guest who arrives now. offset: as of `Wait`."""
        self._settle(now)
        size = self._neighbours.class_of(party_size)
        line = self._found(now, size)
        if not line.parties:
            return Quote(reason=Reason.NO_LINE)
        figures = self._baselines.figures(now, now + offset, size, line.own_size, self._goal)
        return self._answer(line, self._forecast(now, size, line), figures)

    def quoted(self, key: str) -> Quote | None:
        """The quote that a waiting guest had on arrival; None if there is no such guest."""
        guest = self._line.get(key)
        return guest.quote if guest else None

    def remaining(self, key: str, now: float) -> Remaining | None:
        """How much longer a waiting guest will wait.

        This follows from the distribution of the quote, given the time so far. None if there was no
        quote, or if the guest has waited for longer than all guests in it.
        """
        guest = self._line.get(key)
        if guest is None or guest.quote.high is None or (forecast := guest.forecast) is None:
            return None
        scale = forecast.start * self._pace.at(now, self._line.values())
        elapsed = (now - guest.wait.created) / 60
        passed = forecast.curve.share(elapsed / scale)

        def more(share: float) -> int:
            minutes = scale * forecast.curve.quantile(passed + (1 - passed) * share)
            return max(1, round(minutes - elapsed))

        if scale * forecast.curve.quantile(1) <= elapsed:
            return None
        return Remaining(low=more(LOWER), about=more(0.5), high=more(self._promise(guest.size)))

    @property
    def auto_page_share(self) -> float | None:
        """The share of the last guests with a goal who were paged within two seconds of it.

        None before there are enough such guests.
        """
        if len(self._at_goal) < _FIRST_QUOTE:
            return None
        return sum(self._at_goal) / len(self._at_goal)

    @property
    def is_auto_paged(self) -> bool:
        """Whether the unit pages by itself when a goal runs out: waits are then not real ones."""
        return (self.auto_page_share or 0) >= _AUTO_SHARE

    # ----------------------------------------------------------------------------- in between

    def _found(self, now: float, size: Size) -> Line:
        """The line that a guest of a class of sizes finds."""
        # An instant that was placed by the unit's clock may be a little ahead of now.
        first = min((guest.wait.created for guest in self._line.values()), default=now)
        return Line(
            len(self._line),
            sum(guest.size == size for guest in self._line.values()),
            max(0.0, now - first) / 60,
        )

    def _promise(self, size: Size) -> float:
        """The quantile that is quoted, of a class of sizes."""
        return min(_MOST_QUANTILE, PROMISED + self._shift[size])

    def _forecast(self, now: float, size: Size, line: Line) -> Forecast | None:
        """Forecast the wait of a guest who finds that line; None before enough is known."""
        if self._paged < _FIRST_FORECAST:
            return None
        found = self._neighbours.of(size, line)
        curve = found.curve
        reason = None
        if self._paged < _FIRST_QUOTE:
            reason = Reason.TOO_FEW_SESSIONS
        elif not found.are_near:
            reason = Reason.NO_NEIGHBOURS
        middle = max(curve.quantile(0.5), 0.5)
        known = self._paged / (self._paged + _STARTED)
        by_parties = self._baselines.for_parties(size, line.own_size)
        start = (known * middle + (1 - known) * by_parties) / middle
        scale = start * self._pace.at(now, self._line.values())
        return Forecast(
            line=line,
            size=size,
            curve=curve,
            middle=middle,
            start=start,
            expected=scale * middle,
            low=_in_fives(scale * curve.quantile(LOWER)),
            high=_in_fives(scale * curve.quantile(self._promise(size))),
            based_on=found.weight,
            reason=reason,
        )

    def _answer(self, line: Line, forecast: Forecast | None, baselines: Sequence[float]) -> Quote:
        """The quote that a forecast gives, or why there is none."""
        reason = forecast.reason if forecast else Reason.TOO_FEW_SESSIONS
        instead = None
        if reason is None and not self._gate.is_judged:
            reason = Reason.TOO_FEW_SESSIONS
        elif reason is None and not self._gate.is_open:
            reason = Reason.GATE_NOT_PASSED
            best = self._gate.best
            instead = NAMES[best], _in_fives(baselines[best])
        is_told = forecast is not None and reason is None
        return Quote(
            low=forecast.low if forecast and is_told else None,
            high=forecast.high if forecast and is_told else None,
            parties_ahead=line.parties,
            ahead_in_size=line.own_size,
            based_on=round(forecast.based_on) if forecast else 0,
            reason=reason,
            instead=instead,
        )

    def _learn_page(self, guest: _Guest, now: float) -> Outcome:
        """Learn from a guest who was paged."""
        wait, size, forecast = guest.wait, guest.size, guest.forecast
        minutes = (now - wait.created) / 60
        if forecast:
            self._pace.add(now, minutes, forecast)
            is_broken = minutes > forecast.high
            shift = self._shift[size] + _STEP * (is_broken - (1 - PROMISED))
            self._shift[size] = min(_MOST_SHIFT, max(_LEAST_SHIFT, shift))
            if forecast.reason is not Reason.NO_NEIGHBOURS:
                self._gate.add(minutes, forecast, guest.baselines)
        if wait.goal is not None:
            self._at_goal.append(abs(now - wait.created - wait.goal) <= _AUTO_WITHIN)
        self._paged += 1
        local = wait.created + wait.offset
        self._baselines.paged(now, local, size, guest.line.own_size, minutes)
        self._neighbours.add(size, guest.line, wait.created, (minutes, True))
        return Outcome(
            wait=wait,
            minutes=minutes,
            size=size,
            line=guest.line,
            forecast=forecast,
            baselines=guest.baselines,
            quote=guest.quote,
        )

    def _settle(self, now: float) -> None:
        """Take note that time has passed.

        Pagers that nobody cleared are no longer guests. Guests who left without a page are learnt
        from as soon as it is known that they were not cleared up together.
        """
        for key in [k for k, guest in self._line.items() if now - guest.wait.created > LONGEST]:
            del self._line[key]
        unpaged = self._unpaged
        while unpaged and now - unpaged[0][0] > MASS_WITHIN:
            first = unpaged[0][0]
            together = sum(left - first <= MASS_WITHIN for left, _ in unpaged)
            if together >= MASS:
                for index in range(together):
                    unpaged[index] = unpaged[index][0], None
            left, guest = unpaged.popleft()
            if guest is not None and guest.wait.is_learnt_from:
                created = guest.wait.created
                minutes = (left - created) / 60
                self._neighbours.add(guest.size, guest.line, created, (minutes, False))


def _know_better(wait: Wait, unpaged: Iterable[tuple[float, _Guest | None]]) -> None:
    """Replace the wait of a guest who left without a page: how the session ended is known now."""
    for _, guest in unpaged:
        if guest and guest.wait.key == wait.key and wait.paged is None:
            guest.wait = wait


def _in_fives(minutes: float) -> int:
    """Round minutes to fives, and to 5 at least."""
    return max(5, 5 * round(minutes / 5))
