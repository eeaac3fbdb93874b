"""The earlier guests who found the lines most like a given one, and how long they waited."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from math import exp, log
from typing import Final, Self

from .baselines import DAY

# The weight of each difference between two lines (the last: another class of sizes); the age in
# seconds at which a guest counts a third.
_PARTIES, _OWN_SIZE, _MINUTES, _OTHER_SIZE = 2.0, 1.4, 0.7, 1.0
_AGE = 60 * DAY

# How many guests are remembered, and how many of them, the most alike, are taken.
_REMEMBERED, _NEIGHBOURS = 1_500, 150

# There is a quote only if the neighbours weigh as much as _FEWEST guests, and if _NEAR of them are
# within _FURTHEST. With less, minutes for each party did as well in simulated restaurants.
_FEWEST, _NEAR, _FURTHEST = 8, 20, 4.0

# The largest party of each class of sizes, but for the last class.
_SIZES_TO: Final = (2, 4)


class Size(IntEnum):
    """A class of party sizes."""

    SMALL = 0
    MEDIUM = 1
    LARGE = 2
    UNKNOWN = 3

    @classmethod
    def of(cls, party_size: int | None) -> Self:
        """The class of a party size; UNKNOWN for None or 0."""
        if not party_size:
            return cls.UNKNOWN
        return cls(bisect_left(_SIZES_TO, party_size))


@dataclass(frozen=True, slots=True)
class Line:
    """What a guest finds: parties, those of the same size, minutes that the first has waited."""

    parties: int
    own_size: int
    minutes: float

    @property
    def place(self) -> tuple[float, float, float]:
        """Coordinates in which lines that are alike are near each other."""
        return (
            log(1 + self.parties) * _PARTIES,
            log(1 + self.own_size) * _OWN_SIZE,
            log(1 + self.minutes) * _MINUTES,
        )


class Curve:
    """A Kaplan-Meier estimate of the share of guests who are paged within so many minutes."""

    __slots__ = ("_last", "_shares", "_times")

    def __init__(self, waits: Iterable[tuple[float, bool, float]]) -> None:
        """Take (minutes, whether paged rather than given up, weight) of one guest or more."""
        known = sorted(waits)
        at_risk = sum(weight for *_, weight in known)
        waiting = 1.0
        self._times: list[float] = []
        self._shares: list[float] = []
        self._last = known[-1][0]
        for minutes, is_paged, weight in known:
            if is_paged and at_risk > 0:
                waiting *= max(0.0, 1 - weight / at_risk)
                self._times.append(minutes)
                self._shares.append(1 - waiting)
            at_risk -= weight

    def quantile(self, share: float) -> float:
        """The minutes within which a share was paged; the longest wait if fewer ever were."""
        index = bisect_left(self._shares, share - 1e-12)
        return self._times[index] if index < len(self._times) else self._last

    def share(self, minutes: float) -> float:
        """The share that was paged within so many minutes."""
        index = bisect_right(self._times, minutes)
        return self._shares[index - 1] if index else 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """How long the neighbours of a guest waited.

    weight: how many guests of equal weight would tell as much. are_near: whether the neighbours are
    enough, and near enough, for a quote.
    """

    curve: Curve
    weight: float
    are_near: bool


class Neighbours:
    """The newest guests who left the line."""

    def __init__(self) -> None:
        """Begin without any."""
        # In columns: the place of the line they found, their class of sizes, when they came (in
        # units of _AGE), and (minutes, whether paged rather than given up).
        self._places: tuple[deque[float], ...] = tuple(deque(maxlen=_REMEMBERED) for _ in range(3))
        self._sizes: deque[Size] = deque(maxlen=_REMEMBERED)
        self._ages: deque[float] = deque(maxlen=_REMEMBERED)
        self._waits: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)

    def add(self, size: Size, line: Line, created: float, wait: tuple[float, bool]) -> None:
        """Remember a guest. created: POSIX seconds. wait: minutes, and whether a page ended it."""
        for column, coordinate in zip(self._places, line.place, strict=True):
            column.append(coordinate)
        self._sizes.append(size)
        self._ages.append(created / _AGE)
        self._waits.append(wait)

    def class_of(self, party_size: int | None) -> Size:
        """The class of a party size; UNKNOWN for all if most parties have none."""
        if 2 * self._sizes.count(Size.UNKNOWN) > len(self._sizes):
            return Size.UNKNOWN
        return Size.of(party_size)

    def of(self, size: Size, line: Line) -> Found:
        """Find the neighbours of a guest; one guest at least must have been added."""
        a, b, c = line.place
        # The longer ago a guest came, the further away. Today's date would add the same to all.
        distances = [
            abs(a - x) + abs(b - y) + abs(c - z) + (0 if size is other else _OTHER_SIZE) - age
            for x, y, z, other, age in zip(*self._places, self._sizes, self._ages, strict=True)
        ]
        nearest = sorted(range(len(distances)), key=distances.__getitem__)[:_NEIGHBOURS]
        least = distances[nearest[0]]
        weights = [exp(least - distances[index]) for index in nearest]
        weight = sum(weights) ** 2 / sum(each * each for each in weights)
        apart = sorted(distances[index] + self._ages[index] for index in nearest)
        return Found(
            Curve((*self._waits[i], each) for i, each in zip(nearest, weights, strict=True)),
            weight,
            weight >= _FEWEST
            and len(apart) >= _NEAR
            and apart[_NEAR - 1] <= _FURTHEST
            and size in self._sizes,
        )
