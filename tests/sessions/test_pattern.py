"""When it breaks, and which pagers do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.missed import (
    MISSED,
    MOST,
    Span,
    keep_missed_spans,
    missed_spans,
)
from custom_components.lrs_pager.sessions.pattern import Pagers, Pattern
from custom_components.lrs_pager.sessions.session import PlacedSession

BERLIN = ZoneInfo("Europe/Berlin")

_ids = count()


def at(text: str, *, second_time: bool = False) -> int:
    """The instant of a time that clocks in Berlin show."""
    local = datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=int(second_time))
    return int(local.timestamp())


def session(
    created: int, wait: int | None = 600, response: int = 60, **fields: Any
) -> PlacedSession:
    """A session; wait: None if it was never paged."""
    ended = created + response + (wait or 0)
    return PlacedSession(
        uuid=str(next(_ids)),
        created_at=created,
        notified_at=None if wait is None else created + wait,
        cleared_at=ended,
        wait=wait,
        response=None if wait is None else response,
        **{"clear_type": "STOP", "number": 7} | fields,
    )


def cells(
    sessions: Iterable[PlacedSession], missed: Iterable[Span] = (), **period: str
) -> dict[tuple[int, int], dict[str, Any]]:
    """The cells, by weekday and hour; of all sessions if no period is given."""
    start, end = period.get("start", "2026-01-01"), period.get("end", "2027-01-01")
    pattern = Pattern(at(start), at(end), BERLIN, list(missed))
    pattern.add(sessions)
    told = [cell.to_json() for cell in pattern.cells()]
    return {(cell.pop("weekday"), cell.pop("hour")): cell for cell in told}


def test_an_hour_is_the_one_that_the_clock_on_the_wall_shows_in_summer_and_in_winter() -> None:
    found = cells(
        session(at(text))
        for text in (
            "2026-10-24 19:59:59",  # Saturday, the day before the clocks are put back
            "2026-10-31 19:00",
            "2026-03-28 19:30",
        )
    )
    assert {hour: cell["sessions"] for hour, cell in found.items()} == {(5, 19): 3}


def test_the_hour_that_there_is_twice_has_the_sessions_of_both() -> None:
    found = cells(
        [
            session(at("2026-10-25 01:59")),
            session(at("2026-10-25 02:30")),
            session(at("2026-10-25 02:30", second_time=True)),
            session(at("2026-10-25 03:00")),
            session(at("2026-03-29 03:00")),  # the second after 01:59:59
        ]
    )
    assert {hour: cell["sessions"] for hour, cell in found.items()} == {
        (6, 1): 1,
        (6, 2): 2,
        (6, 3): 2,
    }


def test_an_hour_is_summed_up() -> None:
    friday = at("2026-10-23 18:10")
    found = cells(
        [
            session(friday, wait=300, party_size=2, goal=300),
            session(friday + 60, wait=600, party_size=4, goal=300),
            session(friday + 120, wait=900, goal=900),
            session(friday + 180, wait=1200, goal=900, clear_type="REMOVED"),
            session(friday + 240, wait=1500),
            session(friday + 300, wait=None, response=2000, clear_type="REMOVED"),
            session(friday + 360, wait=None, response=30, clear_type="REMOVED"),  # a slip
        ]
    )
    assert found == {
        (4, 18): {
            "sessions": 6,
            "guests": 6,
            "median_wait": 15,
            "wait_80": 20,
            "late": 2,
            "left": 1,
            "no_show": 1,
        }
    }


def test_an_hour_in_which_there_was_nobody_but_a_slip_is_none() -> None:
    slip = session(at("2026-10-23 18:10"), wait=None, response=30, clear_type="REMOVED")
    assert cells([slip]) == {}


def test_a_period_is_of_the_sessions_that_began_in_it() -> None:
    sessions = [
        session(at("2026-10-23 17:59:59")),
        session(at("2026-10-23 18:00")),
        session(at("2026-10-23 19:59:59")),
        session(at("2026-10-23 20:00")),
    ]
    found = cells(sessions, start="2026-10-23 18:00", end="2026-10-23 20:00")
    assert list(found) == [(4, 18), (4, 19)]


def test_who_is_cleared_up_with_others_did_not_leave_whenever_they_came() -> None:
    # Who came before the period is taken off with two who came in it.
    sessions = [
        session(
            at(created),
            wait=None,
            response=at("2026-10-23 23:00") - at(created),
            clear_type="REMOVED",
        )
        for created in ("2026-10-23 19:30", "2026-10-23 20:10", "2026-10-23 21:10")
    ]
    found = cells(sessions, start="2026-10-23 20:00")
    assert {hour: (cell["sessions"], cell["left"]) for hour, cell in found.items()} == {
        (4, 20): (1, 0),
        (4, 21): (1, 0),
    }


def test_sessions_during_which_others_may_have_been_missed_are_left_out_and_that_is_told() -> None:
    missed = (float(at("2026-10-23 18:00")), float(at("2026-10-23 19:00")))
    sessions = [
        session(at("2026-10-23 17:30"), wait=600),
        session(at("2026-10-23 17:55"), wait=600),  # was there as it began
        session(at("2026-10-23 18:30"), wait=3600),  # came during it
        session(at("2026-10-23 19:01"), wait=600),
    ]
    assert {hour: c["sessions"] for hour, c in cells(sessions, [missed]).items()} == {
        (4, 17): 1,
        (4, 19): 1,
    }
    other = (float(at("2025-10-23 18:00")), float(at("2025-10-23 19:00")))
    pattern = Pattern(at("2026-01-01"), at("2027-01-01"), BERLIN, [other, missed])
    assert pattern.left_out == [missed]
    # Those that ended in it are left out of a period before it, too.
    before = {"start": "2026-10-23 16:00", "end": "2026-10-23 18:00"}
    assert {hour: c["sessions"] for hour, c in cells(sessions, [missed], **before).items()} == {
        (4, 17): 1
    }


async def test_spans_are_kept_with_the_log_and_damaged_ones_hide_no_others(log: SessionLog) -> None:
    assert await missed_spans(log) == []
    await keep_missed_spans(log, [(300.5, 400), (100, 200)])
    assert await missed_spans(log) == [(100, 200), (300.5, 400)]
    await log.set(MISSED, [[1, 2], "damaged", [3], [4, None], [5, 6]])
    assert await missed_spans(log) == [(1, 2), (5, 6)]
    await log.set(MISSED, "damaged")
    assert await missed_spans(log) == []
    await keep_missed_spans(log, [(n, n + 1) for n in range(MOST + 1)])
    assert await missed_spans(log) == [(n, n + 1) for n in range(1, MOST + 1)]


# ---------------------------------------------------------------------------------- pagers

NOW = at("2026-10-23 20:00")


def pagers(
    sessions: Iterable[PlacedSession], active: Iterable[PlacedSession] = ()
) -> dict[int, tuple[int, bool, int, int]]:
    """What is told of each pager: seconds since it was seen, out, sessions, unanswered."""
    found = Pagers()
    found.add(sessions)
    return {
        pager["number"]: (
            round((datetime.fromtimestamp(NOW, UTC) - pager["last_seen"]) / timedelta(seconds=1)),
            pager["out"],
            pager["sessions"],
            pager["unanswered"],
        )
        for pager in found.found(active, NOW)
    }


def test_a_pager_that_nobody_answers_stands_out() -> None:
    hours_ago = [NOW - hours * 3600 for hours in range(1, 8)]
    dead = [session(created, wait=600, response=900, number=3) for created in hours_ago[:2]]
    gone = [session(hours_ago[2], response=100, number=3, clear_type="REMOVED")]
    well = [session(created, response=180, number=4) for created in hours_ago]
    unpaged = [session(hours_ago[3], wait=None, response=900, number=5, clear_type="REMOVED")]
    assert pagers([*dead, *gone, *well, *unpaged]) == {
        3: (3600 - 1500, False, 3, 3),
        4: (3600 - 780, False, 7, 0),
        5: (4 * 3600 - 900, False, 1, 0),
    }


def test_a_page_that_goes_on_counts_from_three_minutes_on() -> None:
    def out(paged_ago: int | None, number: int) -> PlacedSession:
        paged = None if paged_ago is None else NOW - paged_ago
        return PlacedSession(
            uuid=str(number), number=number, created_at=NOW - 900, notified_at=paged
        )

    assert pagers([], [out(None, 1), out(180, 2), out(181, 3)]) == {
        1: (900, True, 1, 0),
        2: (180, True, 1, 0),
        3: (181, True, 1, 1),
    }


def test_pagers_that_are_cleared_up_together_at_closing_are_not_broken() -> None:
    closing = [
        session(NOW - 9000 - 10 * n, wait=600, response=7000 + 10 * n, number=n) for n in (1, 2, 3)
    ]
    assert {n: told[3] for n, told in pagers(closing).items()} == {1: 0, 2: 0, 3: 0}
    assert {n: told[3] for n, told in pagers(closing[:2]).items()} == {1: 1, 2: 1}


@pytest.mark.parametrize("number", [0, None])
def test_what_is_no_pager_is_not_listed(number: int | None) -> None:
    assert pagers([session(NOW - 3600, number=number)]) == {}
