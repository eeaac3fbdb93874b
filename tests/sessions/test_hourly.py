"""Hours in figures: whatever is forgotten, told late or told twice, rows stay right."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.lrs_pager.sessions.figures import MASS, MASS_WITHIN, Endings
from custom_components.lrs_pager.sessions.hourly import (
    CORRECTED,
    COUNTS,
    GUESTS,
    HOUR,
    KEYS,
    LATE,
    LEFT,
    MEASURES,
    NO_SHOW,
    ON_TIME_RATE,
    SESSIONS,
    WAIT,
    Row,
    Rows,
    counted_hour,
    first_hour_of,
    merge,
    rows_of,
)
from custom_components.lrs_pager.sessions.session import PlacedSession
import tests.properties  # noqa: F401  # its settings are for all properties

# A few hours in which much happens, so that sessions share them.
HOURS = 6
START = 500_000 * HOUR
END = START + HOURS * HOUR

PARTIES = st.none() | st.integers(0, 9)
GOALS = st.none() | st.integers(0, 1200)


@st.composite
def sessions(draw: st.DrawFn) -> PlacedSession:
    """A session that ended some time, of which more or less is known."""
    cleared = draw(st.integers(START, END - 1))
    notified = draw(st.none() | st.integers(cleared - HOUR, cleared))
    created = draw(st.none() | st.integers(cleared - 2 * HOUR, (notified or cleared) + 60))
    wait = None if created is None or notified is None else notified - created
    return PlacedSession(
        id=draw(st.integers(1, 10**6)),
        wait=wait if wait is not None and wait >= 0 else None,
        created_at=created,
        notified_at=notified,
        cleared_at=cleared if notified is None else draw(st.none() | st.just(cleared)),
        party_size=draw(PARTIES),
        goal=draw(GOALS),
        clear_type=draw(st.sampled_from(["STOP", "REMOVED"])),
    )


LOGS = st.lists(sessions(), max_size=20)


# ----------------------------------------------------- the slow and obvious way, on purpose


def is_late(wait: int, goal: int) -> bool:
    """Whether a guest was paged late: a unit that pages by itself at the goal does so in time."""
    return wait >= goal + 2


def is_slip(session: PlacedSession) -> bool:
    """Whether a number was mistyped and taken back within a minute."""
    return (
        session.clear_type == "REMOVED"
        and session.notified_at is None
        and session.created_at is not None
        and session.cleared_at is not None
        and 0 <= session.cleared_at - session.created_at < 60
    )


def ended_with_others(session: PlacedSession, removed: list[PlacedSession]) -> bool:
    """Whether three or more were taken off the list in some minute in which this one was."""
    ends = [one.ended_at for one in removed]
    return any(
        begin <= session.ended_at <= begin + MASS_WITHIN
        and sum(begin <= end <= begin + MASS_WITHIN for end in ends) >= MASS
        for begin in ends
    )


def counted(log: list[PlacedSession], hour: int) -> dict[str, float | None]:
    """The counts of an hour."""
    number = guests = late = left = no_show = 0
    knows_guests = knows_late = False
    removed = [s for s in log if s.clear_type == "REMOVED" and not is_slip(s)]
    for session in log:
        if not hour <= session.ended_at < hour + HOUR or is_slip(session):
            continue
        number += 1
        if session.clear_type == "REMOVED" and not ended_with_others(session, removed):
            left += session.notified_at is None
            no_show += session.notified_at is not None
        if session.party_size is not None:
            knows_guests = True
            guests += session.party_size
        if session.wait is None or not session.goal:
            continue
        knows_late = True
        late += is_late(session.wait, session.goal)
    return {
        SESSIONS: number or None,
        GUESTS: guests if knows_guests else None,
        LATE: late if knows_late else None,
        LEFT: left if number else None,
        NO_SHOW: no_show if number else None,
    }


def measured(log: list[PlacedSession], hour: int) -> tuple[list[float], list[bool]]:
    """The waits of an hour, in minutes, and whether those with a goal were on time."""
    waits, on_time = [], []
    for session in log:
        if not hour <= session.ended_at < hour + HOUR:
            continue
        if session.wait is None:
            continue
        waits.append(session.wait / 60)
        if session.goal:
            on_time.append(not is_late(session.wait, session.goal))
    return waits, on_time


def all_hours(log: list[PlacedSession]) -> list[int]:
    first = min((session.ended_at for session in log), default=START) // HOUR * HOUR
    return list(range(first, END, HOUR))


class Database:
    """Rows as they are kept: written over, never deleted."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, Row]] = {key: {} for key in KEYS}

    def total_before(self, key: str, hour: int) -> float:
        sums = [(at, row.sum) for at, row in self.rows[key].items() if at < hour]
        return max(sums)[1] or 0 if sums else 0

    def between(self, start: int, end: int) -> Rows:
        return {
            key: {hour: row for hour, row in rows.items() if start <= hour < end}
            for key, rows in self.rows.items()
        }

    def sync(
        self, log: list[PlacedSession], since: int = 0, moved: frozenset[int] = frozenset()
    ) -> int:
        """Bring it up to date from an hour on; return how many rows were written."""
        totals = {key: self.total_before(key, since) for key in COUNTS}
        recent = [session for session in log if session.ended_at >= since]
        merged = merge(rows_of(recent, Endings(log)), self.between(since, 10 * END), totals, moved)
        for key, rows in merged.rows.items():
            self.rows[key].update(rows)
        return sum(len(rows) for rows in merged.rows.values())

    def states(self, key: str) -> dict[int, float | None]:
        return {hour: row.state for hour, row in self.rows[key].items()}

    def has_sums_of_its_states(self) -> bool:
        for key in COUNTS:
            total = 0.0
            for _, row in sorted(self.rows[key].items()):
                total += row.state or 0
                if row.sum != total:
                    return False
        return True


# -------------------------------------------------------------------------------- figures


@given(LOGS)
def test_an_hours_counts_are_of_the_sessions_that_ended_in_it(log: list[PlacedSession]) -> None:
    told = rows_of(log)
    for key in COUNTS:
        expected = {hour: counted(log, hour)[key] for hour in all_hours(log)}
        assert {hour: row.state for hour, row in told[key].items()} == {
            hour: state for hour, state in expected.items() if state is not None
        }


@given(LOGS)
def test_an_hours_measures_are_of_the_sessions_that_were_paged(log: list[PlacedSession]) -> None:
    told = rows_of(log)
    for hour in all_hours(log):
        waits, on_time = measured(log, hour)
        row = told[WAIT].get(hour)
        assert (row is None) == (not waits)
        if row:
            assert row.says(Row(mean=sum(waits) / len(waits), min=min(waits), max=max(waits)))
        row = told[ON_TIME_RATE].get(hour)
        assert (row is None) == (not on_time)
        if row:
            assert row.says(Row(mean=sum(100 for ok in on_time if ok) / len(on_time)))


def paged_after(wait: int, goal: int) -> PlacedSession:
    """A session of the first hour."""
    return PlacedSession(
        created_at=START, notified_at=START + wait, cleared_at=START + 90, wait=wait, goal=goal
    )


def test_an_hour_in_which_nobody_knows_the_party_sizes_has_no_guests_rather_than_none() -> None:
    session = paged_after(60, goal=9)
    told = rows_of([session])
    assert told[GUESTS] == {}
    assert told[SESSIONS] == {START: Row(state=1)}
    assert told[LATE] == {START: Row(state=1)}
    assert told[WAIT] == {START: Row(mean=1, min=1, max=1)}


@pytest.mark.parametrize(("wait", "late"), [(60, 0), (61, 0), (62, 1)])
def test_a_wait_of_exactly_the_goal_is_on_time(wait: int, late: int) -> None:
    told = rows_of([paged_after(wait, goal=60)])
    assert told[LATE] == {START: Row(state=late)}
    assert told[ON_TIME_RATE] == {START: Row(mean=0 if late else 100)}


# ---------------------------------------------------------------------------------- merging


@given(LOGS)
def test_what_is_written_at_first_is_the_log_with_running_totals(log: list[PlacedSession]) -> None:
    database = Database()
    database.sync(log)
    assert database.has_sums_of_its_states()
    for key in COUNTS:
        assert database.states(key) == {h: row.state for h, row in rows_of(log)[key].items()}
    for key in MEASURES:
        assert database.rows[key] == rows_of(log)[key]


@given(LOGS)
def test_what_is_there_is_not_written_again(log: list[PlacedSession]) -> None:
    database = Database()
    database.sync(log)
    assert database.sync(log) == 0
    for hour in all_hours(log):
        assert database.sync(log, hour) == 0


@given(st.lists(LOGS, max_size=5))
def test_a_log_that_grows_ends_up_as_if_it_had_been_read_at_once(
    parts: list[list[PlacedSession]],
) -> None:
    """Each time only from the earliest hour in which something is new, as while it runs."""
    database, log = Database(), []
    for part in parts:
        log += part
        if part:
            database.sync(log, min(first_hour_of(session) for session in part))
    at_once = Database()
    at_once.sync(log)
    assert database.rows == at_once.rows


@given(st.lists(st.tuples(LOGS, st.sets(st.integers(0, 19))), max_size=5))
def test_a_log_that_forgets_takes_nothing_back(
    turns: list[tuple[list[PlacedSession], set[int]]],
) -> None:
    database, log = Database(), []
    for part, forgotten in turns:
        before = {key: dict(database.rows[key]) for key in COUNTS}
        log = [s for number, s in enumerate(log) if number not in forgotten] + part
        database.sync(log)
        assert database.has_sums_of_its_states()
        for key in set(COUNTS) - set(CORRECTED):
            for hour, row in before[key].items():
                now = database.rows[key][hour]
                assert now.state >= row.state
                assert now.sum >= row.sum
            for hour, row in rows_of(log)[key].items():
                assert database.rows[key][hour].state >= row.state
        # All is told where the log knows as much of an hour as was ever known.
        for key in MEASURES:
            for hour, row in rows_of(log)[key].items():
                if rows_of(log)[SESSIONS][hour].state == database.states(SESSIONS)[hour]:
                    assert database.rows[key][hour] == row


def taken_off(second: int) -> PlacedSession:
    """A session that was taken off the list in the first hour, or after it."""
    at = START + HOUR + second
    return PlacedSession(uuid=str(second), created_at=at - 600, cleared_at=at, clear_type="REMOVED")


def test_who_turns_out_to_have_been_cleared_up_with_others_is_not_counted_as_gone() -> None:
    database = Database()
    log = [taken_off(-20), taken_off(-10)]
    database.sync(log)
    assert database.states(LEFT) == {START: 2}
    # The third is of the next hour.
    log.append(taken_off(30))
    database.sync(log, first_hour_of(log[-1]))
    assert database.states(LEFT) == {START: 0, START + HOUR: 0}
    assert database.states(SESSIONS) == {START: 2, START + HOUR: 1}
    assert database.has_sums_of_its_states()


def test_who_turns_out_not_to_have_been_late_is_not_counted_as_late() -> None:
    database = Database()
    log = [replace(taken_off(-20), wait=400, goal=goal) for goal in (300, 350)]
    database.sync(log)
    assert database.states(LATE) == {START: 2}
    database.sync([log[0], replace(log[1], goal=600)])
    assert database.states(LATE) == {START: 1}
    assert database.has_sums_of_its_states()


def test_who_is_gone_stays_counted_when_the_log_forgets() -> None:
    database = Database()
    database.sync([taken_off(-1200), taken_off(-600)])
    database.sync([taken_off(-600)])
    assert database.states(LEFT) == {START: 2}


def test_who_turns_out_to_be_a_slip_at_the_keypad_is_not_counted_any_more() -> None:
    ended = PlacedSession(uuid="1", created_at=START, cleared_at=START + 30)
    slip = replace(ended, clear_type="REMOVED")
    database = Database()
    database.sync([ended])
    assert database.states(SESSIONS) == {START: 1}
    counted = counted_hour(ended)
    assert counted == START
    assert counted_hour(slip) is None
    database.sync([slip], moved=frozenset({counted}))
    assert database.states(SESSIONS) == {START: 0}


@given(LOGS, st.data())
def test_a_session_that_moves_into_another_hour_is_counted_once(
    log: list[PlacedSession], data: st.DataObject
) -> None:
    database = Database()
    database.sync(log)
    moving = data.draw(st.sets(st.sampled_from(range(len(log))))) if log else set()
    moved = set()
    for number in moving:
        later = replace(log[number], cleared_at=data.draw(st.integers(START, END - 1)))
        counted = counted_hour(log[number])
        if counted is not None and counted != counted_hour(later):
            moved.add(counted)
        log[number] = later
    database.sync(log, moved=frozenset(moved))
    assert database.has_sums_of_its_states()
    told = rows_of(log)
    by_hour = defaultdict(lambda: Row(state=0), told[SESSIONS])
    for hour, state in database.states(SESSIONS).items():
        assert state == by_hour[hour].state
    for key in MEASURES:
        for hour in moved:
            assert database.rows[key].get(hour, Row()) == told[key].get(hour, Row())
    # Once it is written, it is not known any more where sessions have moved; nor need it be.
    assert database.sync(log) == 0


@given(LOGS, LOGS, st.integers(1, HOURS))
def test_it_makes_no_difference_how_many_hours_are_worked_on_at_once(
    written: list[PlacedSession], log: list[PlacedSession], stretch: int
) -> None:
    at_once, by_and_by = Database(), Database()
    for database in (at_once, by_and_by):
        database.sync(written)
    at_once.sync(log)
    start = min(all_hours([*written, *log]), default=START)
    totals = dict.fromkeys(COUNTS, 0.0)
    while start < END:
        end = start + stretch * HOUR
        some = [session for session in log if start <= session.ended_at < end]
        merged = merge(rows_of(some), by_and_by.between(start, end), totals)
        totals, start = merged.totals, end
        for key, rows in merged.rows.items():
            by_and_by.rows[key].update(rows)
    assert by_and_by.rows == at_once.rows


def test_a_row_differs_by_more_than_a_database_may_round() -> None:
    row = Row(mean=1 / 3, min=0.1, max=2)
    assert row.says(Row(mean=0.333333333333333, min=0.1, max=2))
    assert not row.says(Row(mean=0.3334, min=0.1, max=2))
    assert not row.says(Row(mean=1 / 3, min=0.1))
    assert not Row(state=0, sum=0).says(Row())
