"""An early read: one at a time, at the earliest moment that was asked for."""

from collections.abc import Callable

from custom_components.lrs_pager.sync.soon import AGAIN, Soon


class Clock:
    """A clock that is turned by hand, and who is to be called when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.runs: list[float] = []
        self.is_done = True
        self.soon = Soon(steady=lambda: self.now, call_later=self.call_later, run=self.run)

    def call_later(self, delay: float, run: Callable[[], None]) -> Callable[[], None]:
        item = (self.now + delay, run)
        self.waiting.append(item)
        return lambda: self.waiting.remove(item)

    def run(self) -> Callable[[], bool]:
        self.runs.append(self.now)
        return lambda: self.is_done

    def turn(self, to: float) -> None:
        while due := sorted((item for item in self.waiting if item[0] <= to), key=lambda i: i[0]):
            item = due[0]
            self.waiting.remove(item)
            self.now = item[0]
            item[1]()
        self.now = to


def test_it_runs_once_at_the_earliest_moment_that_was_asked_for() -> None:
    clock = Clock()
    for delay in (5, 2, 9):
        clock.soon.ask(delay)
    clock.turn(20)
    assert clock.runs == [2]


def test_what_is_asked_for_while_it_runs_has_it_run_once_more() -> None:
    clock = Clock()
    clock.is_done = False
    clock.soon.ask(0)
    clock.turn(1)
    for _ in range(3):
        clock.soon.ask(0)
    clock.turn(10)
    assert clock.runs == [0]
    clock.is_done = True
    clock.turn(10 + AGAIN)
    clock.turn(60)
    assert len(clock.runs) == 2


def test_it_does_not_run_when_it_was_done_in_another_way_or_all_is_over() -> None:
    clock = Clock()
    clock.soon.ask(5)
    clock.soon.cancel()
    clock.turn(10)
    clock.soon.ask(5)
    clock.soon.close()
    clock.soon.ask(1)
    clock.turn(30)
    assert clock.runs == []
    assert clock.waiting == []
