"""Sessions that may have been missed: when that is said, and of what span."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sync.gaps import CONTACT_KEY, GapWatch, HistoryPass


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
    gaps = GapWatch(None)
    gaps.answered(100_000)
    gaps.lost(None)
    gaps.shift(step)
    assert gaps.read_whole(seen((200_000, None))) == (100_000 + step, 200_000)


@pytest.mark.parametrize("step", [-36_000, 3600])
def test_a_gap_that_began_before_a_restart_does_not_follow_a_clock_that_is_set_after_it(
    step: int,
) -> None:
    gaps = GapWatch(100_000)
    gaps.shift(step)
    assert gaps.read_whole(seen((200_000, None))) == (100_000, 200_000)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SessionLog]:
    """An open log."""
    log = SessionLog(tmp_path / "lrs_pager.test.db")
    await log.open()
    yield log
    await log.close()


@pytest.mark.parametrize(
    ("latest", "now", "since"),
    [(40, 900, 700.0), (40, 699, 40), (800, 900, 800)],
    ids=["later than the last session", "in the future", "earlier than the last session"],
)
async def test_after_a_restart_a_gap_begins_when_the_unit_was_heard_last_or_with_the_last_session(
    log: SessionLog, latest: int, now: float, since: float
) -> None:
    gaps = GapWatch(None)
    gaps.answered(100.0)
    await gaps.keep(log, is_last=False)
    gaps.answered(700.0)
    await gaps.keep(log, is_last=True)
    after = await GapWatch.open(log, latest, now)
    assert after.read_whole(seen((950, None))) == (since, 950)


@pytest.mark.parametrize("latest", [40, 650], ids=["before", "since"])
async def test_a_unit_that_was_gone_when_we_were_stopped_may_have_forgotten_what_was_since_then(
    log: SessionLog, latest: int
) -> None:
    gaps = GapWatch(None)
    gaps.answered(100.0)
    gaps.lost(40)
    gaps.answered(700.0)  # its history was not read
    await gaps.keep(log, is_last=True)
    after = await GapWatch.open(log, latest, 900)
    assert after.read_whole(seen((950, None))) == (100, 950)


async def test_a_log_without_sessions_misses_none_after_a_restart_either(log: SessionLog) -> None:
    gaps = GapWatch(None)
    gaps.answered(100.0)
    await gaps.keep(log, is_last=True)
    after = await GapWatch.open(log, None, 900)
    assert after.read_whole(seen((950, None))) is None


async def test_if_we_are_killed_a_gap_begins_minutes_too_early_as_the_disk_is_spared(
    log: SessionLog,
) -> None:
    gaps = GapWatch(None)
    found = []
    for minute in range(31):
        gaps.answered(60.0 * minute)
        await gaps.keep(log, is_last=False)
        found.append(await log.get(CONTACT_KEY))
    assert [at for at, is_away in found[::10]] == [0, 600, 1200, 1800]
    assert found[29] == [1200, False]


async def test_a_gap_that_was_just_found_or_closed_is_known_after_a_kill(log: SessionLog) -> None:
    gaps = GapWatch(None)
    gaps.answered(100.0)
    await gaps.keep(log, is_last=False)
    gaps.lost(40)
    await gaps.keep(log, is_last=False)
    assert await log.get(CONTACT_KEY) == [100, True]
    gaps.read_on()
    await gaps.keep(log, is_last=False)
    assert await log.get(CONTACT_KEY) == [100, False]
