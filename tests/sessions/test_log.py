"""The log is a set: whatever comes, in any order and any number of times."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
import itertools
from pathlib import Path
import threading
from typing import Any

import pytest

from custom_components.lrs_pager.sessions import log as log_module
from custom_components.lrs_pager.sessions.log import LogClosedError, SessionLog
from custom_components.lrs_pager.sessions.placing import place
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.store import Store
from custom_components.lrs_pager.transmitter import Session
from tests.sessions import CLOCK, NOON, NOON_AT, everything, opened, placed, session


async def merged(path: Path, *feeds: Iterable[Session]) -> list[PlacedSession]:
    """What is in a log after it was told these, at the start after that."""
    async with opened(path) as log:
        for feed in feeds:
            await log.merge(feed, placed)
    async with opened(path) as log:
        found = await everything(log)
    await SessionLog.remove(path)
    return found


async def test_a_session_counts_once_however_often_it_is_told(log: SessionLog) -> None:
    assert len(await log.merge([session(1), session(2)], placed)) == 2
    assert await log.merge([session(2), session(1), session(1)], placed) == []
    assert await log.count() == 2


async def test_the_order_of_the_answers_does_not_matter(path: Path) -> None:
    parts = [
        [session(1, clear_type=None), session(2)],
        [session(1, goal=None), session(3)],
        [session(1, party_size=4)],
        [session(1, uuid=None)],
        [],
    ]
    whole = await merged(path, *parts)
    assert [s.number for s in whole] == [3, 2, 1]
    assert (whole[2].clear_type, whole[2].goal, whole[2].party_size) == ("STOP", 300, 4)
    assert whole[2].uuid == "uuid-1"
    for order in itertools.permutations(parts):
        assert await merged(path, *order) == whole


async def test_a_wiped_or_shortened_history_takes_nothing_away(path: Path) -> None:
    found = await merged(path, [session(1), session(2), session(3)], [session(3)], [])
    assert [s.number for s in found] == [3, 2, 1]


async def test_ids_that_begin_again_at_one_are_other_sessions(path: Path) -> None:
    assert len(await merged(path, [session(1, id=1)], [session(2, id=1, uuid="other")])) == 2


async def test_without_uuids_a_session_is_its_id_and_its_creation(path: Path) -> None:
    bare = [session(n, uuid=None) for n in (1, 2)]
    found = await merged(path, bare, bare, [session(3, id=bare[0].id, uuid=None)])
    assert len(found) == 3


async def test_a_session_that_lost_its_uuid_once_is_still_the_same(path: Path) -> None:
    for order in itertools.permutations([[session(1)], [session(1, uuid=None)], [session(1)]]):
        assert [s.uuid for s in await merged(path, *order)] == ["uuid-1"]


async def test_a_session_without_its_uuid_is_recognised_among_others_with_its_id(
    path: Path,
) -> None:
    # After a reset ids began anew; the two of one id are of different creations.
    feeds = [[session(1)], [session(2, id=session(1).id)], [session(1, uuid=None)]]
    for order in itertools.permutations(feeds):
        assert len(await merged(path, *order)) == 2


@pytest.mark.parametrize(
    "other", [{"number": 77}, {"cleared": NOON.replace(tzinfo=None)}, {"notified": None}], ids=str
)
async def test_two_sessions_with_uuids_are_two_even_with_the_same_id_and_creation(
    path: Path, other: dict[str, Any]
) -> None:
    told = [session(1)], [replace(session(1), uuid="other", **other)]
    assert len(await merged(path, *told)) == 2


async def test_a_unit_that_makes_uuids_anew_when_it_boots_doubles_nothing(path: Path) -> None:
    told = [session(n) for n in range(1, 4)]
    anew = [replace(one, uuid=f"anew-{one.id}") for one in told]
    found = await merged(path, told, anew)
    assert [s.number for s in found] == [s.number for s in await merged(path, told)]
    # The one that is still known when the unit is asked the next time.
    assert {s.uuid for s in found} == {one.uuid for one in anew}


async def test_sessions_without_ids_are_told_apart_by_their_uuids(log: SessionLog) -> None:
    for told in (session(1, id=None), session(2, id=None), session(1, id=None)):
        await log.merge([told], placed)
    assert await log.count() == 2
    await log.merge([session(1, id=None, uuid="third", label="more")], placed)
    assert await log.count() == 3


async def test_what_becomes_known_later_is_added(log: SessionLog) -> None:
    # Among others, one of which ended in the second in which this one was paged.
    await log.merge([session(5), session(1, clear_type=None, cleared=None), session(9)], placed)
    ((before, after),) = await log.merge([session(1, clear_type="REMOVED")], placed)
    assert before is not None
    assert not before.is_removed
    assert after.is_removed
    assert after.ended_at == NOON_AT - 60
    assert [s.number for s in await everything(log)] == [9, 5, 1]
    assert await log.find(session(1)) == after


async def test_a_change_says_what_was_in_the_log_before(log: SessionLog) -> None:
    told = [session(1, party_size=None), session(1, party_size=2), session(1, party_size=2)]
    first, second = await log.merge(told, placed)
    assert first[0] is None
    assert second[0] == first[1]
    assert second[1].party_size == 2


async def test_a_session_keeps_the_instants_it_was_first_given(log: SessionLog) -> None:
    await log.merge([session(1)], placed)
    before = await everything(log)
    set_back = replace(CLOCK, at=NOON + timedelta(hours=3), ahead=-timedelta(days=3000))
    assert await log.merge([session(1)], lambda s, b: place(s, set_back, earlier=b)) == []
    assert await everything(log) == before


async def test_a_name_that_was_changed_or_taken_off_is_so_in_the_log(log: SessionLog) -> None:
    for name in ("Ortega", "Ortega y Gasset", None, "Ortega"):
        await log.merge([session(1, label=name), session(2)], placed)
        assert [s.label for s in await everything(log)] == [None, name]


async def test_sessions_that_are_placed_are_merged_as_seen_before(log: SessionLog) -> None:
    active = replace(placed(session(1)), cleared=None, cleared_at=None, response=None)
    assert await log.keep([active]) == [(None, active)]
    ended = replace(placed(session(1)), created_at=5)
    ((before, after),) = await log.keep([ended])
    assert before == active
    assert after == ended.seen_before(active)
    assert after.created_at == active.created_at
    assert await log.keep([ended]) == []


async def test_everything_that_is_known_of_a_session_is_there_at_the_next_start(
    path: Path,
) -> None:
    whole = PlacedSession(
        id=2**32,
        uuid='Zoë "Z" 🍕\0',
        number=999_999,
        party_size=9_999,
        goal=604_800,
        clear_type="AUTO",
        label="a'b;--\\\n",
        created="2018-03-15T08:44:13",
        notified="2018-03-15T08:49:13",
        cleared="noon",
        created_at=1521103453,
        notified_at=1521103753,
        cleared_at=-(10**12),
        wait=300,
        response=0,
        is_by_age=True,
        quoted=1_500,
        first_goal=600,
    )
    bare = PlacedSession(id=0, created="0001-01-01T00:00:00", created_at=0)
    async with opened(path) as log:
        await log.keep([whole, bare])
    async with opened(path) as log:
        assert await everything(log) == [whole, bare]
        assert (await log.find(whole), await log.find(bare)) == (whole, bare)


async def test_what_was_quoted_stays_with_the_session_whatever_is_told_of_it(
    path: Path,
) -> None:
    quoted = replace(
        placed(session(1)), cleared=None, cleared_at=None, quoted=1_500, first_goal=300
    )
    async with opened(path) as log:
        await log.keep([quoted])
        await log.merge([session(1, goal=900, party_size=5, label="Ortega")], placed)
        await log.keep([replace(placed(session(1, goal=900)), quoted=600, first_goal=900)])
    async with opened(path) as log:
        [kept] = await everything(log)
        assert (kept.quoted, kept.first_goal, kept.goal) == (1_500, 300, 900)


async def test_a_day_holds_its_first_second_and_not_the_next_days(log: SessionLog) -> None:
    await log.merge([session(n) for n in range(10)], placed)
    found = await log.between(NOON_AT - 5 * 60, NOON_AT - 2 * 60)
    assert [s.number for s in found] == [5, 4, 3]


async def test_the_first_and_the_last_session_are_known(log: SessionLog) -> None:
    assert await log.first_ended(0) is await log.latest() is None
    await log.merge([session(n) for n in (5, 1, 9, 3)], placed)
    oldest, latest = await log.find(session(9)), await log.latest()
    assert oldest is not None
    assert latest is not None
    assert await log.first_ended(0) == oldest.ended_at
    assert await log.first_ended(oldest.ended_at + 1) != oldest.ended_at
    assert latest.number == 1


async def test_a_session_without_an_end_ended_no_earlier_than_what_is_known(
    log: SessionLog,
) -> None:
    await log.merge([session(1, cleared=None)], placed)
    latest = await log.latest()
    assert latest is not None
    assert latest.ended_at == NOON_AT - 5 * 60


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_a_long_span_comes_in_batches_without_gaps_or_repeats(
    log: SessionLog, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(log_module, "BATCH", size)
    # Several ended in the same second, more than are in a batch.
    ends = [5, 6, 6, 6, 6, 7, 8, 8, 9, 9]
    await log.keep([PlacedSession(uuid=f"{i}", cleared_at=end) for i, end in enumerate(ends)])
    batches = [batch async for batch in log.batches(6, 9)]
    assert [s.uuid for batch in batches for s in batch] == [str(i) for i in range(1, 8)]
    assert all(0 < len(batch) <= size for batch in batches)
    assert [s.uuid async for batch in log.batches(9) for s in batch] == ["8", "9"]


async def test_the_pagers_that_were_in_use_since_are_known(log: SessionLog) -> None:
    unnumbered = replace(session(2), number=None)
    told = [session(1), unnumbered, session(3), session(3, id=1, uuid="other")]
    await log.merge(told, placed)
    ended = NOON_AT - 3 * 60
    assert await log.numbers(0) == await log.numbers(ended) == {1, 3}
    assert await log.numbers(ended + 1) == {1}
    assert await log.numbers(NOON_AT) == set()


async def test_what_is_worked_out_from_the_log_holds_until_it_changes(log: SessionLog) -> None:
    await log.merge([session(1)], placed)
    seen = log.changes
    await log.merge([session(1)], placed)
    await log.set("key", 1)
    await everything(log)
    assert log.changes == seen
    await log.merge([session(1, party_size=3)], placed)
    assert log.changes > seen


# ----------------------------------------------------------------------- our own clock is set


async def test_our_clock_is_set_and_what_followed_from_it_since_the_start_is_moved(
    path: Path,
) -> None:
    by_age = [replace(placed(session(n)), is_by_age=True) for n in (1, 2)]
    by_stamps = placed(session(3))
    async with opened(path) as log:
        await log.keep(by_age[:1])
    async with opened(path) as log:
        # Better known now, but first written before.
        await log.keep([replace(by_age[0], party_size=5)])
        await log.keep([by_age[1], by_stamps])
        seen = log.changes
        assert await log.shift(3600) == [(by_age[1], by_age[1].shifted(3600))]
        assert log.changes > seen
        assert await log.shift(-60) == [(by_age[1].shifted(3600), by_age[1].shifted(3540))]
    async with opened(path) as log:
        assert [s.number for s in await everything(log)] == [3, 1, 2]
        latest = await log.latest()
        assert latest is not None
        assert latest.cleared_at == NOON_AT - 120 + 3540
        assert latest.wait == 360
        # By now, they are of an earlier start.
        assert await log.shift(3600) == []


# --------------------------------------------------------------------------- values beside it


async def test_values_are_kept_with_the_log(path: Path) -> None:
    async with opened(path) as log:
        assert await log.get("cursor") is None
        await log.set("cursor", {"block": 17, "etag": "ab", "list": [1, 2.5, None, "é"]})
        await log.set("since", 5)
        await log.set("since", None)
    async with opened(path) as log:
        cursor = {"block": 17, "etag": "ab", "list": [1, 2.5, None, "é"]}
        assert await log.get("cursor") == cursor
        assert await log.get("since") is None


async def test_a_value_that_stays_the_same_costs_the_disk_nothing(
    log: SessionLog, path: Path
) -> None:
    wal = path.with_name(f"{path.name}-wal")
    await log.set("cursor", [1, 2])
    size = wal.stat().st_size
    await log.set("cursor", [1, 2])
    assert wal.stat().st_size == size
    await log.set("cursor", [1, 3])
    assert wal.stat().st_size > size


# ------------------------------------------------------------------------- the log's own thread


async def test_the_event_loop_goes_on_while_the_log_is_busy(log: SessionLog) -> None:
    go_on = threading.Event()

    def slow(told: Session, before: PlacedSession | None) -> PlacedSession:
        assert threading.current_thread() is not threading.main_thread()
        assert go_on.wait(10)
        return placed(told, before)

    merging = asyncio.ensure_future(log.merge([session(1)], slow))
    await asyncio.sleep(0.01)
    assert not merging.done()
    go_on.set()
    assert len(await merging) == 1


async def test_what_was_begun_is_done_to_its_end_and_in_order(log: SessionLog) -> None:
    go_on = threading.Event()

    def slow(told: Session, before: PlacedSession | None) -> PlacedSession:
        assert go_on.wait(10)
        return placed(told, before)

    first = asyncio.ensure_future(log.merge([session(1)], slow))
    second = asyncio.ensure_future(log.merge([session(2)], placed))
    third = asyncio.ensure_future(log.count())
    await asyncio.sleep(0.01)
    first.cancel()
    second.cancel()
    await asyncio.sleep(0.01)
    assert not third.done()
    go_on.set()
    assert await third == 2
    assert first.cancelled()
    assert second.cancelled()


async def test_closing_waits_for_what_is_under_way(path: Path) -> None:
    go_on = threading.Event()

    def slow(told: Session, before: PlacedSession | None) -> PlacedSession:
        assert go_on.wait(10)
        return placed(told, before)

    log = SessionLog(path)
    await log.open()
    merging = asyncio.ensure_future(log.merge([session(1)], slow))
    await asyncio.sleep(0.01)
    merging.cancel()
    closing = asyncio.ensure_future(log.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    await closing
    async with opened(path) as again:
        assert await again.count() == 1


async def test_closing_that_was_given_up_is_done_all_the_same(path: Path) -> None:
    go_on = threading.Event()

    def slow(told: Session, before: PlacedSession | None) -> PlacedSession:
        assert go_on.wait(10)
        return placed(told, before)

    log = SessionLog(path)
    await log.open()
    merging = asyncio.ensure_future(log.merge([session(1)], slow))
    await asyncio.sleep(0.01)
    closing = asyncio.ensure_future(log.close())
    await asyncio.sleep(0.01)
    closing.cancel()
    await asyncio.sleep(0.01)
    go_on.set()
    await merging
    async with opened(path) as again:
        assert await again.count() == 1


async def test_no_thread_is_left_of_a_log_that_was_closed_or_could_not_be_opened(
    tmp_path: Path,
) -> None:
    before = threading.active_count()
    async with opened(tmp_path / "log.db"):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(OSError, match="unable to open"):
        await SessionLog(tmp_path / "folder.db").open()
    assert threading.active_count() == before


async def test_opening_that_was_given_up_leaves_the_file_to_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    make = Store.__init__

    def slow(store: Store, path: Path, *, is_paused: bool) -> None:
        assert go_on.wait(10)
        make(store, path, is_paused=is_paused)

    monkeypatch.setattr(Store, "__init__", slow)
    opening = asyncio.ensure_future(SessionLog(path).open())
    await asyncio.sleep(0.01)
    opening.cancel()
    await asyncio.sleep(0.01)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with opened(path) as log:
        assert await log.count() == 0


@pytest.mark.parametrize("is_closing", [False, True])
async def test_a_log_that_is_removed_while_it_is_busy_does_not_come_back(
    path: Path, *, is_closing: bool
) -> None:
    go_on = threading.Event()
    log = SessionLog(path)
    await log.open()
    await log.merge([session(1, label="Ortega")], placed)
    jobs = [log._do(lambda _: go_on.wait(10)), log.set("contact", 1)]
    if is_closing:
        jobs.append(log.close())
    under_way = asyncio.gather(*jobs)
    await asyncio.sleep(0.01)
    removing = asyncio.ensure_future(SessionLog.remove(path))
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(removing, under_way)
    await log.close()
    assert list(path.parent.iterdir()) == []
    async with opened(path) as new:
        assert await new.count() == 0


async def test_a_log_that_is_closed_says_so(path: Path) -> None:
    async with opened(path) as log:
        pass
    with pytest.raises(LogClosedError):
        await log.count()
    await log.close()
