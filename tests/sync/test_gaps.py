"""Sessions that may have been missed: when that is said, and of what span."""

import pytest

from custom_components.lrs_pager.sync.gaps import GapWatch, HistoryPass


def seen(*sessions: tuple[int, int | None]) -> HistoryPass:
    """A pass in which sessions were seen: when each ended, and when it did as the log had it."""
    history = HistoryPass()
    for ended_at, known_at in sessions:
        history.see(ended_at, known_at)
    return history


def test_a_history_that_goes_back_to_what_the_log_had_hides_nothing() -> None:
    assert GapWatch(100).read_whole(seen((90, 90), (100, 100), (200, None))) is None


def test_a_history_that_begins_after_what_the_log_had_may_hide_something() -> None:
    assert GapWatch(100).read_whole(seen((150, None), (200, None))) == (100, 150)


def test_what_a_message_told_before_the_history_was_read_hides_nothing_of_what_was_missed() -> None:
    # It ended after we were away, so that the log's having it says nothing of the time before.
    assert GapWatch(100).read_whole(seen((150, 150), (200, None))) == (100, 150)


def test_an_empty_history_tells_no_span() -> None:
    assert GapWatch(100).read_whole(seen()) is None


def test_a_log_without_sessions_misses_none() -> None:
    assert GapWatch(None).read_whole(seen((150, None))) is None


def test_a_history_that_goes_on_from_where_it_was_read_hides_nothing() -> None:
    gaps = GapWatch(100)
    gaps.read_on()
    assert gaps.read_whole(seen((150, None))) is None


def test_an_outage_begins_with_the_last_answer_or_the_last_session() -> None:
    for latest, since in ((40, 60.0), (80, 80)):
        gaps = GapWatch(None)
        gaps.answered(60.0)
        gaps.lost(latest)
        gaps.lost(999)  # it goes on
        assert gaps.read_whole(seen((150, None))) == (since, 150)


def test_a_gap_is_told_once() -> None:
    gaps = GapWatch(100)
    assert gaps.read_whole(seen((150, None))) == (100, 150)
    assert gaps.read_whole(seen((150, None))) is None


@pytest.mark.parametrize("step", [-36_000, 3600])
def test_a_gap_follows_our_clock_when_that_is_set(step: int) -> None:
    gaps = GapWatch(100_000)
    gaps.shift(step)
    assert gaps.read_whole(seen((200_000, None))) == (100_000 + step, 200_000)
