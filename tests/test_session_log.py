"""The log is a set: whatever comes, in any order and any number of times."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import itertools
from zoneinfo import ZoneInfo

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.summary import summarize
from custom_components.lrs_pager.transmitter import Session, UnitClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLOCK = UnitClock.measure(NOON.replace(tzinfo=None), NOON, NOON, ZoneInfo("UTC"))


def session(number: int, **changes: object) -> Session:
    """A session of ten minutes that ended as many minutes before noon as its number says."""
    cleared = NOON.replace(tzinfo=None) - timedelta(minutes=number)
    return replace(
        Session(
            id=100 - number,
            uuid=f"uuid-{number}",
            number=number,
            party_size=None,
            goal=300,
            created=cleared - timedelta(minutes=10),
            notified=cleared - timedelta(minutes=4),
            cleared=cleared,
            clear_type="STOP",
            label=None,
            state=None,
        ),
        **changes,
    )


def logged(log: SessionLog) -> list[PlacedSession]:
    return sorted(log, key=lambda s: s.keys)


def absorbed(*feeds: Iterable[Session]) -> SessionLog:
    log = SessionLog()
    for feed in feeds:
        log.absorb(feed, CLOCK)
    return log


def test_a_session_counts_once_however_often_it_is_told() -> None:
    log = SessionLog()
    assert len(log.absorb([session(1), session(2)], CLOCK)) == 2
    assert log.absorb([session(2), session(1), session(1)], CLOCK) == []
    assert len(log) == 2


def test_the_order_of_the_answers_does_not_matter() -> None:
    parts = [
        [session(1, clear_type=None), session(2)],
        [session(1, label=None), session(3)],
        [session(1, party_size=4)],
        [session(1, uuid=None)],
        [],
    ]
    whole = logged(absorbed(*parts))
    assert len(whole) == 3
    for order in itertools.permutations(parts):
        assert logged(absorbed(*order)) == whole


def test_a_wiped_or_shortened_history_takes_nothing_away() -> None:
    log = absorbed([session(1), session(2), session(3)], [session(3)], [])
    assert [s.number for s in log] == [3, 2, 1]


def test_ids_that_begin_again_at_one_are_other_sessions() -> None:
    log = absorbed([session(1, id=1)], [session(2, id=1, uuid="other")])
    assert len(log) == 2


def test_without_uuids_a_session_is_its_id_and_its_creation() -> None:
    bare = [session(n, uuid=None) for n in (1, 2)]
    log = absorbed(bare, bare, [session(3, id=bare[0].id, uuid=None)])
    assert len(log) == 3


def test_a_session_that_lost_its_uuid_once_is_still_the_same() -> None:
    for order in itertools.permutations([[session(1)], [session(1, uuid=None)], [session(1)]]):
        log = absorbed(*order)
        assert [s.uuid for s in log] == ["uuid-1"]


def test_a_session_without_its_uuid_is_recognised_among_others_with_its_id() -> None:
    # After a reset ids began anew; the two of id 99 are of different creations.
    feeds = [[session(1)], [session(2, id=99)], [session(1, uuid=None)]]
    for order in itertools.permutations(feeds):
        assert len(absorbed(*order)) == 2


def test_two_sessions_with_uuids_are_two_even_with_the_same_id_and_creation() -> None:
    assert len(absorbed([session(1)], [session(1, uuid="other")])) == 2


def test_what_becomes_known_later_is_added() -> None:
    # Among others, one of which seems to have ended in the same second.
    log = absorbed([session(5), session(1, clear_type=None, cleared=None), session(9)])
    ((before, changed),) = log.absorb([session(1, clear_type="REMOVED")], CLOCK)
    assert before is not None
    assert not before.is_removed
    assert changed.is_removed
    assert changed.ended_at == round(NOON.timestamp()) - 60
    assert [s.number for s in log] == [9, 5, 1]


def test_a_session_keeps_the_instant_it_was_first_given() -> None:
    log = absorbed([session(1)])
    before = logged(log)
    later = NOON + timedelta(hours=3)
    set_back = UnitClock.measure(datetime(2018, 1, 1), later, later, ZoneInfo("UTC"), CLOCK)
    assert log.absorb([session(1)], set_back) == []
    assert logged(log) == before


def test_a_session_without_an_end_ended_no_earlier_than_what_is_known() -> None:
    log = absorbed([session(1, cleared=None)])
    assert log.latest is not None
    assert log.latest.ended_at == round(NOON.timestamp()) - 5 * 60
    assert log.latest.response is None


def test_a_day_holds_its_first_second_and_not_the_next_days() -> None:
    log = absorbed([session(n) for n in range(10)])
    noon = round(NOON.timestamp())
    assert [s.number for s in log.between(noon - 5 * 60, noon - 2 * 60)] == [5, 4, 3]


def test_the_log_is_bounded_and_forgets_the_oldest() -> None:
    log = SessionLog(limit=3)
    log.absorb([session(n) for n in (5, 1, 3, 4)], CLOCK)
    assert [s.number for s in log] == [4, 3, 1]
    # A transmitter with more than that does not have them logged anew with each poll.
    assert log.absorb([session(5), session(9)], CLOCK) == []
    ((before, added),) = log.absorb([session(2)], CLOCK)
    assert before is None
    assert added.number == 2
    assert [s.number for s in log] == [3, 2, 1]


def test_sessions_that_share_an_id_and_a_creation_go_one_by_one() -> None:
    log = SessionLog(limit=2)
    twins = [session(9), session(9, uuid="twin", cleared=session(8).cleared)]
    log.absorb([*twins, session(3)], CLOCK)
    assert [s.uuid for s in log] == ["twin", "uuid-3"]
    log.absorb([session(2)], CLOCK)
    assert [s.uuid for s in log] == ["uuid-3", "uuid-2"]


def test_what_was_logged_is_found_again_after_a_restart() -> None:
    before = absorbed([session(1), session(2, uuid=None), session(3, clear_type=None)])
    after = SessionLog()
    after.restore(before)
    assert logged(after) == logged(before)
    assert after.absorb([session(1), session(2), session(3)], CLOCK) != []
    assert len(after) == 3


def test_lines_of_the_disk_that_say_the_same_again_are_one_session() -> None:
    known, more = (next(iter(absorbed([s]))) for s in (session(1, clear_type=None), session(1)))
    log = SessionLog()
    log.restore([known, more, known, more])
    assert list(log) == [more]


def test_sessions_without_ids_are_told_apart_by_their_uuids() -> None:
    log = absorbed([session(1, id=None)], [session(2, id=None)], [session(1, id=None)])
    assert len(log) == 2
    log.absorb([session(1, id=None, uuid="third", label="more")], CLOCK)
    assert len(log) == 3


# ---------------------------------------------------------------------------- summary


def entry(**fields: int | str) -> PlacedSession:
    return PlacedSession(uuid="u", **fields)  # type: ignore[arg-type]


def test_a_day_without_sessions_has_no_waits_and_no_guests() -> None:
    day = summarize([])
    assert (day.count, day.removed, day.guests) == (0, 0, 0)
    assert day.average_wait is day.longest_wait is day.average_response is day.on_time_rate is None


def test_a_day_is_summed_up() -> None:
    day = summarize(
        [
            entry(created_at=100, notified_at=400, cleared_at=460, goal=300, party_size=2),
            entry(created_at=100, notified_at=500, cleared_at=700, goal=300, clear_type="REMOVED"),
            entry(created_at=100, cleared_at=900, goal=300, clear_type="REMOVED"),  # never paged
            entry(created_at=100, notified_at=150, party_size=5),  # no end, no goal
        ]
    )
    assert day.count == 4
    assert day.removed == 2
    assert day.guests == 7
    assert day.average_wait == (300 + 400 + 50) / 3
    assert day.longest_wait == 400
    assert day.average_response == (60 + 200) / 2
    assert day.on_time_rate == 50


def test_party_sizes_that_no_session_has_are_not_zero_guests() -> None:
    assert summarize([entry(created_at=100, cleared_at=200)]).guests is None


def test_a_wait_that_cannot_be_is_none() -> None:
    day = summarize(
        [
            entry(created_at=500, notified_at=400),  # the clock was put back in between
            entry(created_at=100, notified_at=100 + 8 * 365 * 86400),  # or on, by years
            entry(created_at=100, notified_at=160),
        ]
    )
    assert day.count == 3
    assert day.average_wait == day.longest_wait == 60


def test_the_pagers_that_were_in_use_since_are_known() -> None:
    unnumbered = replace(session(2), number=None)
    log = absorbed([session(1), unnumbered, session(3), session(3, uuid="other")])
    ended = int(NOON.timestamp()) - 3 * 60
    assert log.numbers(0) == log.numbers(ended) == {1, 3}
    assert log.numbers(ended + 1) == {1}
    assert log.numbers(int(NOON.timestamp())) == set()


def test_the_pagers_are_those_that_the_sessions_have() -> None:
    pagers = [1, 255, 256, 999_999, 2**31 - 1, -5]
    # The last is a number that no pager has: it is in the log, and is not looked for.
    numbers = [*pagers, 2**40]
    log = absorbed(replace(session(i), number=number) for i, number in enumerate(numbers))
    assert {s.number for s in log} == set(numbers)
    assert log.numbers(0) == set(pagers)
