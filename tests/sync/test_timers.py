"""Timers that come by themselves, for a clock that is turned by hand."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

import pytest

from custom_components.lrs_pager.sessions.figures import figures
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sync.picture import Snapshot
from custom_components.lrs_pager.sync.push import PushState
from custom_components.lrs_pager.sync.timers import Timers
from custom_components.lrs_pager.transmitter import BusinessDay

DAY = 24 * 3600
NOON = 1_795_000_000.0


def guest(number: int, *, waited: float = 0, goal: int | None = 900) -> PlacedSession:
    return PlacedSession(
        uuid=f"uuid-{number}", number=number, goal=goal, created_at=round(NOON - waited)
    )


def late_at(session: PlacedSession) -> float | None:
    return None if session.is_paged else session.late_at


class Door:
    """Who waits at the door, and what comes of it."""

    def __init__(self, *, is_told: bool = True) -> None:
        self.now = NOON
        self.is_told = is_told
        self.guests: list[PlacedSession] = []
        self.asked = self.shown = 0
        self.told: list[int | None] = []
        self.timer: tuple[float, Callable[[], None]] | None = None
        self.timers = Timers(
            now=lambda: self.now,
            call_later=self.call_later,
            is_told=lambda: self.is_told,
            ask=self.ask,
            show=self.show,
        )

    def call_later(self, delay: float, run: Callable[[], None]) -> Callable[[], None]:
        self.timer = (self.now + delay, run)

        def cancel() -> None:
            self.timer = None

        return cancel

    def ask(self) -> None:
        self.asked += 1

    def show(self) -> None:
        self.shown += 1
        self.look()

    def look(self, guests: Iterable[PlacedSession] | None = None) -> None:
        if guests is not None:
            self.guests = list(guests)
        ends = datetime.fromtimestamp(NOON + DAY / 2, UTC)
        snapshot = Snapshot(
            now=self.now,
            day=BusinessDay(date(2026, 11, 18), round(NOON - DAY / 2), round(NOON + DAY / 2), ends),
            last_reset=round(NOON - DAY / 2),
            today=figures(()),
            last_cleared=None,
            active=tuple(self.guests),
            statistics=None,
            settings=None,
            clock_ahead=0,
            push=PushState.LIVE,
            device_name=None,
            firmware_version=None,
            shows_names=False,
        )
        self.timers.look(snapshot, self.guests)

    def answered(self, guests: Iterable[PlacedSession] | None = None) -> None:
        """The transmitter was asked."""
        self.timers.asked()
        self.look(guests)

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timer is not None and self.timer[0] <= end:
            self.now, run = self.timer
            self.timer = None
            run()
        self.now = end

    def watch(self, done: set[str] | None = None, *, is_first: bool = True) -> Callable[[], None]:
        return self.timers.watch(
            late_at,
            lambda session: self.told.append(session.number),
            set() if done is None else done,
            is_first=is_first,
        )


def test_each_guest_who_becomes_late_is_told_once_to_the_second() -> None:
    door = Door()
    door.watch()
    door.look([guest(7, waited=895), guest(8, waited=890)])
    door.passes(6.9)
    assert door.told == []
    door.passes(0.1)
    assert door.told == [7]
    door.passes(60)
    assert door.told == [7, 8]
    door.look()
    assert door.told == [7, 8]


def test_nobody_is_forgotten_whose_moment_is_a_bit_later_than_its_timer() -> None:
    """Our clock was put back a little since that was set; and a poll finds nothing to show."""
    door = Door(is_told=False)
    door.watch()
    door.look([guest(7, waited=895)])
    door.passes(6)  # the goal has come
    assert (door.asked, door.told) == (1, [])
    assert door.timer is not None
    _, run = door.timer
    door.now, door.timer = NOON + 6.7, None
    run()
    assert (door.asked, door.told) == (2, [])
    door.passes(0.3)
    assert door.asked == 3
    door.answered()
    assert door.told == [7]


def test_those_who_are_late_already_are_not_told_to_a_new_automation() -> None:
    door = Door()
    door.look([guest(7, waited=2000)])
    door.watch()
    door.passes(60)
    assert door.told == []


def test_a_reload_repeats_nobody_and_forgets_nobody() -> None:
    done: set[str] = set()
    before = Door()
    before.watch(done)
    before.look([guest(7, waited=2000)])
    after = Door()
    after.look([guest(7, waited=2000), guest(8, waited=905)])
    after.watch(done, is_first=False)
    assert after.told == [8]


def test_a_new_goal_makes_nobody_late_twice() -> None:
    door = Door()
    door.watch()
    door.look([guest(7, waited=895)])
    door.passes(10)
    door.look([guest(7, waited=895, goal=1000)])
    door.passes(200)
    assert door.told == [7]


def test_without_push_n_automations_are_one_question_and_nobody_is_told_before_the_answer() -> None:
    door = Door(is_told=False)
    for _ in range(5):
        door.watch()
    door.answered([guest(7, waited=895)])
    door.passes(5)
    assert door.asked == 1  # at the goal
    door.answered()
    door.passes(2)
    assert (door.asked, door.told) == (2, [])
    door.answered()
    assert door.told == [7] * 5
    assert door.asked == 2


def test_a_guest_who_was_paged_meanwhile_is_not_late() -> None:
    door = Door(is_told=False)
    door.watch()
    door.answered([guest(7, waited=895)])
    door.passes(10)
    door.answered([])
    assert door.told == []


def test_a_goal_that_runs_out_and_the_end_of_the_day_are_shown() -> None:
    door = Door()
    door.look([guest(7, waited=800)])
    door.passes(100)
    assert door.shown == 1
    door.passes(2)
    assert door.shown == 2
    door.passes(DAY)
    assert door.shown == 3


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_step_of_our_clock_leaves_the_timer_right(step: float) -> None:
    door = Door()
    door.watch()
    door.look([guest(7, waited=800)])
    door.now += step
    door.look([guest(7, waited=800).shifted(round(step))])
    door.passes(101)
    assert door.told == []
    door.passes(1)
    assert door.told == [7]


def test_a_pager_that_was_not_cleared_yesterday_is_nobodys_moment() -> None:
    door = Door()
    door.watch()
    door.look([guest(7, waited=DAY / 2 + 60, goal=DAY // 2 + 100)])
    door.passes(200)
    assert door.told == []


def test_nobody_is_told_after_it_was_ended() -> None:
    door = Door()
    end = door.watch()
    door.look([guest(7, waited=895)])
    end()
    door.passes(60)
    assert door.told == []
    door.timers.stop()
    assert door.timer is None
