"""The unit's clock and our own, each set at any time: which of them it was, and what follows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sync.clocks import Clocks

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = 3600
DAY = 24 * HOUR


class Turned:
    """Two clocks that are turned by hand, and the loop's, which goes on by itself."""

    def __init__(self, zone: str = "UTC") -> None:
        self.zone = ZoneInfo(zone)
        self.loop = 1000.0  # what the loop's clock shows
        self.true = NOON.timestamp()
        self.ours_ahead = 0.0
        self.unit_ahead = 0.0
        self.steps: list[int] = []
        self.clocks = Clocks(
            zone=lambda: self.zone,
            wall=lambda: self.true + self.ours_ahead,
            steady=lambda: self.loop,
            stepped=self.steps.append,
        )

    def passes(self, seconds: float) -> None:
        """Time passes, for all clocks."""
        self.true += seconds
        self.loop += seconds

    def sleeps(self, seconds: float) -> None:
        """The computer sleeps: the loop's clock stands still."""
        self.true += seconds

    def read(self, took: float = 0.0) -> None:
        """The unit tells its time."""
        asked = self.loop
        self.passes(took)
        shown = datetime.fromtimestamp(self.true + self.unit_ahead, UTC).astimezone(self.zone)
        shown = shown.replace(tzinfo=None, microsecond=0)
        self.clocks.read(shown, asked, self.loop)

    @property
    def setting(self) -> int:
        return self.clocks.unit(self.loop).setting


def test_a_unit_that_is_never_set_has_one_setting_however_it_drifts_and_answers() -> None:
    turned = Turned()
    turned.read()
    for minute in range(2 * 24 * 60):
        turned.passes(60)
        turned.unit_ahead += 2 / (24 * 60)  # two seconds a day
        turned.read(took=minute % 7 / 2)
    assert turned.setting == 1
    assert turned.clocks.ahead in {4, 5}
    assert turned.steps == []


def test_that_our_clock_was_set_makes_no_unit_doubtful_that_never_told_its_time() -> None:
    turned = Turned()
    turned.ours_ahead = HOUR
    assert not turned.clocks.unit(turned.loop).is_stale
    assert turned.steps == [HOUR]
    turned.read()
    assert turned.clocks.ahead == -HOUR


@pytest.mark.parametrize("by", [3, -3, 90, -HOUR, 10 * HOUR, -26 * 365 * DAY])
def test_a_unit_that_was_set_has_another_setting(by: float) -> None:
    turned = Turned()
    turned.read()
    before = turned.setting
    turned.passes(30)
    turned.unit_ahead += by
    turned.read()
    assert turned.setting == before + 1
    assert turned.clocks.ahead == by
    assert turned.steps == []


@pytest.mark.parametrize("by", [2, -2, 90, -HOUR, 10 * HOUR])
def test_our_own_clock_that_was_set_is_noticed_at_the_next_look_and_the_unit_is_not_blamed(
    by: float,
) -> None:
    turned = Turned()
    turned.read()
    turned.passes(30)
    turned.ours_ahead += by
    assert turned.clocks.now() == turned.true + by
    assert turned.steps == [by]
    turned.read()
    assert turned.setting == 1
    assert turned.clocks.ahead == -by
    assert turned.steps == [by]


def test_a_computer_that_slept_has_set_no_clock() -> None:
    turned = Turned()
    turned.read()
    turned.passes(30)
    turned.sleeps(HOUR)
    turned.read()
    assert turned.setting == 1
    assert turned.clocks.ahead == 0
    # What was moved at the first look is moved back once the unit has shown that it went on.
    assert turned.steps == [HOUR, -HOUR]


def test_both_clocks_set_at_once_are_told_apart() -> None:
    turned = Turned()
    turned.read()
    turned.passes(30)
    turned.ours_ahead += 600
    turned.unit_ahead -= 90
    turned.read()
    assert turned.steps == [600]
    assert turned.setting == 2
    assert turned.clocks.ahead == -690


def test_the_time_of_a_moment_follows_our_clock_when_that_is_put_right() -> None:
    turned = Turned()
    turned.ours_ahead = -10 * HOUR
    turned.clocks.now()
    moment = turned.loop
    turned.passes(60)
    turned.ours_ahead = 0
    assert turned.clocks.at(moment) == NOON


def test_a_clock_that_drifts_past_five_minutes_is_off_once_and_right_once() -> None:
    turned = Turned()
    turned.unit_ahead = 299
    turned.read()
    states = [turned.clocks.agrees]
    for step in (*[1] * 4, *[-1, 1] * 30, *[-1] * 80):
        turned.passes(HOUR)
        turned.unit_ahead += step
        turned.read()
        if states[-1] != turned.clocks.agrees:
            states.append(turned.clocks.agrees)
    assert states == [True, False, True]


def test_a_slow_answer_moves_nothing() -> None:
    turned = Turned()
    turned.unit_ahead = 17
    turned.read()
    turned.passes(30)
    turned.read(took=12)
    assert turned.clocks.ahead == 17


def test_until_the_unit_has_told_its_time_it_is_taken_for_local_time() -> None:
    turned = Turned("Europe/Berlin")
    clock = turned.clocks.unit(turned.loop)
    assert clock.agrees
    assert turned.clocks.ahead is None
    assert clock.time_at(NOON) == datetime(2026, 11, 23, 13)


@pytest.mark.parametrize("follows", [True, False])
def test_summer_time_makes_the_reading_stale_until_the_unit_has_told_what_it_did(
    *, follows: bool
) -> None:
    turned = Turned("Europe/Berlin")
    turned.true = datetime(2026, 10, 25, 0, 50, tzinfo=UTC).timestamp()  # ten minutes before
    turned.clocks.now()
    turned.steps.clear()
    turned.read()
    assert not turned.clocks.unit(turned.loop).is_stale
    turned.passes(1200)
    assert turned.clocks.unit(turned.loop).is_stale
    if not follows:
        turned.unit_ahead = HOUR  # it shows summer time still, which local time is not any more
    turned.read()
    clock = turned.clocks.unit(turned.loop)
    assert not clock.is_stale
    assert clock.agrees is follows
    assert clock.setting == (2 if follows else 1)
    assert turned.steps == []


def test_the_clock_of_a_moment_is_not_before_it_was_read() -> None:
    turned = Turned()
    turned.read()
    read_at = turned.clocks.at(turned.loop)
    assert turned.clocks.unit(turned.loop - 5).at == read_at
    assert turned.clocks.unit(turned.loop + 5).at == read_at + timedelta(seconds=5)
