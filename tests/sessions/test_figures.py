"""What a day, or an hour, comes to."""

from typing import Any

import pytest

from custom_components.lrs_pager.sessions.figures import figures, figures_between
from custom_components.lrs_pager.sessions.session import PlacedSession


def ended(**fields: int | str) -> PlacedSession:
    return PlacedSession(uuid="u", **fields)  # type: ignore[arg-type]


def test_a_day_without_sessions_has_no_waits_and_no_guests() -> None:
    day = figures([])
    assert (day.count, day.removed, day.guests) == (0, 0, 0)
    assert day.average_wait is day.longest_wait is day.average_response is day.on_time_rate is None


def test_a_day_is_summed_up() -> None:
    day = figures(
        [
            ended(created_at=100, wait=300, response=60, goal=300, party_size=2),
            ended(created_at=100, wait=400, response=200, goal=300, clear_type="REMOVED"),
            ended(created_at=100, cleared_at=900, goal=300, clear_type="REMOVED"),  # never paged
            ended(created_at=100, wait=50, party_size=5),  # no end, no goal
        ]
    )
    assert day.count == 4
    assert day.removed == 2
    assert day.guests == 7
    assert day.average_wait == (300 + 400 + 50) / 3
    assert (day.shortest_wait, day.longest_wait) == (50, 400)
    assert day.average_response == (60 + 200) / 2
    assert (day.rated, day.late) == (2, 1)
    assert day.on_time_rate == 50


def test_party_sizes_that_no_session_has_are_not_zero_guests() -> None:
    assert figures([ended(created_at=100, cleared_at=200)]).guests is None


def test_a_number_that_was_mistyped_and_taken_back_is_no_guest() -> None:
    def count(**changes: Any) -> int:
        removed = {"created_at": 100, "cleared_at": 159, "clear_type": "REMOVED"}
        return figures([ended(**removed | changes)]).count

    assert count() == 0
    assert count(cleared_at=160) == 1
    assert count(notified_at=110) == 1
    assert count(clear_type="STOP") == 1
    assert count(clear_type=None) == 1


def removed(at: int, *, paged: bool = False, number: int = 7) -> PlacedSession:
    """A session that was taken off the list at an instant, after ten minutes."""
    return PlacedSession(
        uuid=f"{number} {at}",
        number=number,
        created_at=at - 600,
        notified_at=at - 300 if paged else None,
        cleared_at=at,
        clear_type="REMOVED",
    )


def test_who_leaves_before_the_page_and_who_does_not_come_after_it_are_told_apart() -> None:
    seated = ended(created_at=100, notified_at=400, cleared_at=500, clear_type="STOP")
    seated_at_once = ended(created_at=100, cleared_at=500, clear_type="STOP")
    slip = ended(created_at=4000, cleared_at=4030, clear_type="REMOVED")
    day = figures([removed(1000), removed(2000, paged=True), seated, seated_at_once, slip])
    assert (day.count, day.paged, day.left, day.no_show) == (4, 2, 1, 1)
    assert day.left_rate == 25
    assert day.no_show_rate == 50


def test_a_day_on_which_nobody_came_has_no_rates() -> None:
    assert figures([]).left_rate is figures([]).no_show_rate is None
    assert figures([removed(1000)]).no_show_rate is None


@pytest.mark.parametrize(
    ("ends", "left"),
    [((0, 30), 2), ((0, 30, 60), 0), ((0, 30, 61), 3), ((0, 61, 90, 121, 300), 2), ((9, 9, 9), 0)],
)
def test_three_who_are_taken_off_within_a_minute_are_cleared_up_at_closing(
    ends: tuple[int, ...], left: int
) -> None:
    day = [removed(1000 + end, number=number) for number, end in enumerate(ends)]
    assert figures(day).left == left
    assert figures(day).count == len(ends)


def test_guests_who_are_seated_in_the_same_minute_hide_no_guest_who_left() -> None:
    seated = [
        ended(created_at=100, notified_at=400, cleared_at=1000 + n, clear_type="STOP")
        for n in range(5)
    ]
    assert figures([removed(1000), *seated]).left == 1


def test_what_was_cleared_up_over_the_end_of_a_day_is_of_neither_day() -> None:
    around = [removed(1000 + second, number=second) for second in (-20, 10, 30)]
    assert figures_between(around, 0, 1000).left == 0
    assert figures_between(around, 1000, 2000).left == 0
    assert figures_between(around, 1000, 2000).count == 2


def test_four_of_five_waits_are_within_the_long_wait() -> None:
    day = figures([ended(created_at=n, wait=wait) for n, wait in enumerate((50, 10, 40, 20, 30))])
    assert (day.median_wait, day.long_wait) == (30, 40)
    assert figures([ended(created_at=1, wait=10), ended(created_at=2, wait=20)]).long_wait == 20


def test_a_goal_of_0_as_it_is_in_old_logs_is_none() -> None:
    session = ended(created_at=100, wait=300, goal=0)
    assert session.late_at is session.goal_at is None
    day = figures([session])
    assert (day.rated, day.late, day.on_time_rate) == (0, 0, None)
