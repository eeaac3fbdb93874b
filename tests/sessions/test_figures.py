"""What a day, or an hour, comes to."""

from typing import Any

from custom_components.lrs_pager.sessions.figures import figures
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
