"""The soak (scripts/soak) is worth what its comparisons are: that they find what is wrong."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import random
import shutil
import subprocess
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from soak.__main__ import slope
from soak.clock import Clock
from soak.comparison import (
    STATISTICS,
    Books,
    gone_of,
    hourly,
    read_log,
    statistics_differences,
)
from soak.manager import (
    Recount,
    file_differences,
    pager_differences,
    pattern_differences,
    quote_differences,
    view_differences,
)
from soak.plan import ABSENCES, LONGEST_ABSENCE, NAT_DAYS, After, Event, plan
from soak.steps import Steps, Telling
from tests.conftest import serve_guest
from tests.simulator import Unit

NOON = datetime(2026, 10, 25, 12)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("The soak's clock needs Linux and a C compiler")
    clock = Clock(tmp_path, ZoneInfo("Europe/Berlin"))
    clock.set_to(NOON)
    return clock


@pytest.fixture
def unit(clock: Clock) -> Unit:
    """A unit that has served two guests."""
    unit = Unit(now=lambda: NOON)
    serve_guest(unit, 4, minutes_ago=90, wait=302, goal=300)
    serve_guest(unit, 5, minutes_ago=30, removed=True, label="Ortega")
    return unit


@pytest.fixture
def lines(unit: Unit, clock: Clock) -> dict[str, dict[str, Any]]:
    """The log as it should be."""
    return {s.fields["uuid"]: dict(s.fields) for s in Books(unit, clock).sessions()}


def test_another_process_goes_by_the_clock_that_is_set(clock: Clock) -> None:
    code = "import time; start = time.monotonic(); print(time.time(), start)"
    for shown in (datetime(2031, 1, 1), datetime(2001, 1, 1)):
        clock.set_to(shown)
        printed = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], env=clock.environment, capture_output=True, check=True
        ).stdout.split()
        assert abs(float(printed[0]) - clock.instant(shown)) < 60
        # No other clock is touched.
        assert abs(float(printed[1]) - time.monotonic()) < 60


def test_home_assistants_own_clock_can_be_off(clock: Clock) -> None:
    clock.set_home_ahead(timedelta(hours=-10))
    printed = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        env=clock.environment,
        capture_output=True,
        check=True,
    ).stdout
    assert abs(float(printed) + 36_000 - clock.posix()) < 60
    clock.set_to(NOON)  # and stays so as time goes on
    assert clock.home_ahead == timedelta(hours=-10)


def test_a_right_log_has_no_differences(
    unit: Unit, clock: Clock, lines: dict[str, dict[str, Any]]
) -> None:
    assert Books(unit, clock).log_differences(lines) == []


@pytest.mark.parametrize("field", ["number", "goal", "cleared_at", "clear_type", "party_size"])
def test_any_field_that_is_wrong_or_missing_in_the_log_is_found(
    unit: Unit, clock: Clock, lines: dict[str, dict[str, Any]], field: str
) -> None:
    line = next(iter(lines.values()))
    line[field] = 1
    assert len(Books(unit, clock).log_differences(lines)) == 1
    del line[field]
    assert len(Books(unit, clock).log_differences(lines)) == 1


def test_a_session_too_few_or_too_many_in_the_log_is_found(
    unit: Unit, clock: Clock, lines: dict[str, dict[str, Any]]
) -> None:
    uuid, line = lines.popitem()
    assert len(Books(unit, clock).log_differences(lines)) == 1
    lines |= {uuid: line, "another": {}}
    assert len(Books(unit, clock).log_differences(lines)) == 1


async def test_the_log_is_read_while_it_is_written_and_damage_is_found(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    assert read_log(file) == ({}, [])
    log = SessionLog(file)
    await log.open()
    await log.keep([PlacedSession(uuid="a", number=4, cleared_at=5, label="Ortega")])
    assert read_log(file) == (
        {"a": {"uuid": "a", "number": 4, "cleared_at": 5, "label": "Ortega"}},
        [],
    )
    await log.close()
    file.write_bytes(b"x" + file.read_bytes()[1:])
    sessions, wrong = read_log(file)
    assert not sessions
    assert len(wrong) == 1


def test_a_sensor_that_is_wrong_is_found(
    unit: Unit, clock: Clock, lines: dict[str, dict[str, Any]]
) -> None:
    states = {
        "daily_count": "2",
        "guests_served": "4",
        "removed_today": "1",
        "left_today": "0",
        "did_not_come_today": "1",
        "left_rate": "0.0",
        "did_not_come_rate": "50.0",
        "average_response": "1.0",
        "average_wait": str(301 / 60),
        "longest_wait": str(302 / 60),
        "on_time_rate": "50.0",
        "last_cleared_session": "2026-10-25T10:30:00+00:00",
        "active_sessions": "0",
        "pagers_not_back": "0",
    }
    books = Books(unit, clock)
    assert books.figure_differences(states, lines) == []
    for key in states:
        for state in ("unavailable", "7", "unknown"):
            is_live = key in {"active_sessions", "pagers_not_back"}
            if not (is_live and state == "unavailable"):
                wrong = books.figure_differences(states | {key: state}, lines)
                assert len(wrong) == 1, (key, state)


def test_a_session_whose_instant_may_be_off_is_of_the_day_that_the_log_says(clock: Clock) -> None:
    now = datetime(2026, 10, 26, 0, 0, 20)
    unit = Unit(now=lambda: now, skew=timedelta(seconds=-60))
    books = Books(unit, clock)
    books.are_parted = True
    serve_guest(unit, 4, minutes_ago=0)  # by its own clock before midnight
    lines = {s.fields["uuid"]: dict(s.fields) for s in books.sessions()}
    (line,) = lines.values()
    line["cleared_at"] += 60
    now += timedelta(minutes=2)
    states = {
        "daily_count": "1",
        "guests_served": "2",
        "removed_today": "0",
        "left_today": "0",
        "did_not_come_today": "0",
        "left_rate": "0.0",
        "did_not_come_rate": "0.0",
        "average_response": "1.0",
        "average_wait": "5.0",
        "longest_wait": "5.0",
        "on_time_rate": "100.0",
        "last_cleared_session": "2026-10-25T23:00:20+00:00",
        "active_sessions": "0",
        "pagers_not_back": "0",
    }
    assert books.log_differences(lines) == []
    assert books.figure_differences(states, lines) == []


def test_a_row_of_statistics_that_is_wrong_is_found(lines: dict[str, dict[str, Any]]) -> None:
    expected = hourly(list(lines.values()))
    assert expected.keys() == set(STATISTICS)
    assert [row["sum"] for row in expected["sessions"].values()] == [1, 2]
    assert [row["state"] for row in expected["late"].values()] == [1, 0]

    def found() -> dict[str, list[dict[str, Any]]]:
        return {
            name: [{"start": hour * 1000} | row for hour, row in rows.items()]
            for name, rows in expected.items()
        }

    assert statistics_differences(expected, found()) == []
    for name in STATISTICS:
        for key in expected[name][next(iter(expected[name]))]:
            rows = found()
            rows[name][0][key] += 0.01
            assert len(statistics_differences(expected, rows)) == 1
        rows = found()
        rows[name].pop()
        assert len(statistics_differences(expected, rows)) == 1
    rows = found()
    rows["sessions"].append({"start": 0, "state": 3, "sum": 3})
    assert len(statistics_differences(expected, rows)) == 1


class TestSteps:
    """What was told of a guest who came, was paged and left."""

    @pytest.fixture
    def unit(self) -> Unit:
        return Unit(now=lambda: NOON)

    def live(self, unit: Unit) -> tuple[str, tuple[str, ...]]:
        serve_guest(unit, 4)
        return unit.ledger[-1].uuid, ("started", "paged", "cleared")

    def test_each_step_is_to_be_told_once(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, names = self.live(unit)
        assert len(steps.untold) == 3
        for name in names:
            steps.tell(uuid, name)
        assert not steps.untold
        assert steps.differences() == []
        steps.tell(uuid, "paged")
        assert len(steps.differences()) == 1

    def test_an_untold_step_is_found(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, names = self.live(unit)
        for name in names[1:]:
            steps.tell(uuid, name)
        assert [step.name for step in steps.untold] == ["started"]
        assert len(steps.differences()) == 1

    def test_a_step_after_a_later_one_is_found(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, names = self.live(unit)
        for name in names[::-1]:
            steps.tell(uuid, name)
        assert len(steps.differences()) == 2

    def test_a_step_that_never_was_is_found(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, names = self.live(unit)
        for name in names:
            steps.tell(uuid, name)
        steps.tell(uuid, "removed")
        assert len(steps.differences()) == 1

    def test_in_an_absence_a_step_may_be_told_once_or_not(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, _ = self.live(unit)
        steps.begin_absence()
        other, _ = self.live(unit)
        assert not steps.untold
        assert steps.differences() == []
        for each in (uuid, other):
            steps.tell(each, "cleared")
        assert steps.differences() == []
        steps.tell(other, "cleared")
        assert len(steps.differences()) == 1
        steps.end_absence()
        self.live(unit)
        assert len(steps.untold) == 3

    def test_in_the_seconds_before_an_absence_a_step_may_be_told_twice(self, unit: Unit) -> None:
        steps = Steps(unit)
        uuid, names = self.live(unit)
        for name in names:
            steps.tell(uuid, name)
        steps.begin_absence()
        for count in (0, 1):
            steps.tell(uuid, "cleared")
            assert len(steps.differences()) == count

    def test_what_is_long_over_is_not_to_be_told(self, unit: Unit) -> None:
        steps = Steps(unit)
        steps.telling = Telling.STALE
        uuid, _ = self.live(unit)
        assert steps.differences() == []
        steps.tell(uuid, "cleared")
        assert len(steps.differences()) == 1


class TestManager:
    """What a manager is told of two guests, one of whom did not come: by hand."""

    NOW = datetime(2026, 10, 25, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()

    # 09:24 to 10:30 and 10:24 to 10:30, on the Sunday on which the clocks were changed.
    FIRST = {  # noqa: RUF012
        "sessions": 1,
        "guests": 2,
        "median_wait": 302 / 60,
        "wait_80": 302 / 60,
        "late": 1,
        "left": 0,
        "no_show": 0,
    }
    SECOND = FIRST | {"median_wait": 5, "wait_80": 5, "late": 0, "no_show": 1}
    CELLS = [  # noqa: RUF012
        {"weekday": 6, "hour": 10, **FIRST},
        {"weekday": 6, "hour": 11, **SECOND},
    ]

    @pytest.fixture
    def recount(self, unit: Unit, clock: Clock) -> Recount:
        return Recount(Books(unit, clock).settled({}), clock.zone)

    def wrong_by_one(self, cells: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """The same cells with one figure wrong, or with one cell less or more."""
        for key in cells[0]:
            yield [cells[0] | {key: 5}, *cells[1:]]
        yield cells[1:]
        yield [*cells, cells[0] | {"weekday": 1}]

    def test_any_figure_of_the_pattern_that_is_wrong_is_found(self, recount: Recount) -> None:
        answer = {"cells": self.CELLS, "left_out": []}
        assert pattern_differences(recount, answer, self.NOW, spans=range(1)) == []
        assert len(pattern_differences(recount, answer, self.NOW, spans=range(1, 2))) == 1
        for cells in self.wrong_by_one(self.CELLS):
            assert pattern_differences(recount, answer | {"cells": cells}, self.NOW, spans=range(1))

    def test_guests_of_a_span_that_is_left_out_are_not_in_the_pattern(
        self, recount: Recount
    ) -> None:
        span = {"from": "2026-10-25T11:25:00+01:00", "to": "2026-10-25T11:26:00+01:00"}
        answer = {"cells": self.CELLS[:1], "left_out": [span]}
        assert pattern_differences(recount, answer, self.NOW, spans=range(1, 2)) == []
        assert pattern_differences(
            recount, answer | {"cells": self.CELLS}, self.NOW, spans=range(1, 2)
        )

    def test_a_pager_that_is_wrong_is_found(self, recount: Recount) -> None:
        pagers = [
            {
                "number": number,
                "last_seen": f"2026-10-25T{ended}:00+01:00",
                "out": False,
                "sessions": 1,
                "unanswered": unanswered,
            }
            for number, ended, unanswered in ((4, "10:30", 0), (5, "11:30", 1))
        ]
        assert pager_differences(recount, {"pagers": pagers}, self.NOW) == []
        for wrong in (
            {"out": True},
            {"sessions": 2},
            {"unanswered": 5},
            {"number": 9},
            {"last_seen": "2026-10-25T10:31:00+01:00"},
        ):
            shown = {"pagers": [pagers[0] | wrong, pagers[1]]}
            assert pager_differences(recount, shown, self.NOW)

    def test_a_figure_of_the_view_that_is_wrong_is_found(self, recount: Recount) -> None:
        today = {
            "sessions": 2,
            "guests": 4,
            "average_wait": 301 / 60,
            "wait_80": 302 / 60,
            "late": 1,
            "left": 0,
            "no_show": 1,
        }
        view = {"today": today, "usual": None, "weeks": 0, "pattern": {"cells": self.CELLS}}
        midnight = datetime(2026, 10, 25)
        began = self.NOW - 13 * 3600  # the clocks were put back in between
        assert view_differences(recount, view, self.NOW, midnight, []) == []
        for key in today:
            shown = view | {"today": today | {key: 9}}
            assert len(view_differences(recount, shown, self.NOW, midnight, [])) == 1
        # The unit's clock is slow, and shows that day still.
        assert view_differences(recount, view, began + 25 * 3600 + 11, midnight, []) == []
        # A week later at eleven, the first of them had been there.
        week = 7 * 86_400
        usual = today | {key: self.FIRST[key] for key in self.FIRST if key in today}
        usual["average_wait"] = 302 / 60
        later = view | {
            "today": dict.fromkeys(today, None)
            | {"sessions": 0, "guests": 0, "late": 0}
            | {"left": 0, "no_show": 0},
            "usual": usual,
            "weeks": 1,
        }
        at = (self.NOW + week - 3600, midnight + timedelta(weeks=1))
        assert view_differences(recount, later, *at, []) == []
        assert len(view_differences(recount, later | {"weeks": 2}, *at, [])) == 1
        for key in usual:
            shown = later | {"usual": usual | {key: 9}}
            assert len(view_differences(recount, shown, *at, [])) == 1
        # If sessions may have been missed on that day, it is not compared with.
        is_out = later | {"usual": None, "weeks": 0, "pattern": {"cells": []}}
        assert view_differences(recount, is_out, *at, [(began, self.NOW)]) == []

    def test_a_figure_of_the_quotes_that_is_wrong_is_found(
        self, recount: Recount, lines: dict[str, dict[str, Any]]
    ) -> None:
        quotes = dict(zip(lines, (240, 420), strict=True))
        states: dict[str, Any] = {
            "quotes_kept": {"state": "50.0", "attributes": {"against_goal": 50}},
            "quote_error": {"state": str((62 + 120) / 2 / 60)},
        }
        assert quote_differences(recount, quotes, states) == []
        for key, value in (
            ("quotes_kept", {"state": "51", "attributes": {"against_goal": 50}}),
            ("quotes_kept", {"state": "50.0", "attributes": {"against_goal": 51}}),
            ("quote_error", {"state": "unknown"}),
        ):
            assert len(quote_differences(recount, quotes, states | {key: value})) == 1

    def test_a_cell_of_the_file_that_is_wrong_is_found(
        self, recount: Recount, lines: dict[str, dict[str, Any]]
    ) -> None:
        quotes = dict(zip(lines, (None, 420), strict=True))
        day, minutes = "2026-10-25", "5.0,1.0,7.0"
        rows = [
            f"4,2,5.0,{day} 10:23:58,{day} 10:29:00,{day} 10:30:00,cleared,5.03,1.0,",
            f"5,2,5.0,{day} 11:24:00,{day} 11:29:00,{day} 11:30:00,removed,{minutes}",
        ]
        assert file_differences(recount, quotes, "\r\n".join(["head", *rows])) == []
        assert len(file_differences(recount, quotes, "\r\n".join(["head", rows[0]]))) == 1
        for number, cell in enumerate(rows[1].split(",")):
            cells = rows[1].split(",")
            cells[number] = f"{cell}1"
            text = "\r\n".join(["head", rows[0], ",".join(cells)])
            assert len(file_differences(recount, quotes, text)) == 2


def test_guests_who_are_taken_off_at_closing_have_not_left() -> None:
    def removed(*ends: int) -> list[dict[str, Any]]:
        fields = {"clear_type": "REMOVED", "created_at": 0, "notified_at": 1}
        return [fields | {"cleared_at": 1000 + end} for end in ends]

    for ends, gone in (
        ((0, 60), 2),
        ((0, 30, 60), 0),
        ((0, 30, 61), 3),
        ((0, 30, 60, 90), 0),
        ((0, 30, 60, 91), 1),
    ):
        assert len(gone_of(removed(*ends))) == gone, ends


def test_while_the_units_clock_is_far_off_an_instant_may_be_a_second_off(clock: Clock) -> None:
    offset = timedelta(hours=-3)
    unit = Unit(now=lambda: NOON)
    books = Books(unit, clock)
    serve_guest(unit, 4, minutes_ago=30)
    books.sessions()
    unit.skew = books.off = offset
    serve_guest(unit, 5, minutes_ago=20)
    lines = {s.fields["uuid"]: dict(s.fields) for s in books.sessions()}
    right, off = lines.values()
    assert off["cleared_at"] - right["cleared_at"] == 600
    off["cleared_at"] += 1
    assert books.log_differences(lines) == []
    off["cleared_at"] += 1
    assert len(books.log_differences(lines)) == 1
    off["cleared_at"] -= 2
    right["cleared_at"] += 1
    assert len(books.log_differences(lines)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_time_goes_forward_and_everything_happens_in_a_fortnight(seed: int) -> None:
    shifts = plan(random.Random(seed), date(2026, 10, 19), 14, 4, is_calm=False)
    assert len(shifts) == 42
    for shift, following in pairwise(shifts):
        absence = shift.after in ABSENCES
        end = shift.middle + timedelta(hours=LONGEST_ABSENCE if absence else 0)
        assert end < following.middle
    assert {shift.event for shift in shifts} == {None, *Event}
    assert {shift.after for shift in shifts} == {None, *After}
    assert sum(shift.event is Event.KILL for shift in shifts) == 4
    assert any(shift.offset for shift in shifts)
    # Home Assistant's own clock, too: at some of its starts, and in service.
    assert {shift.event for shift in shifts if shift.step} >= {None}
    assert any(shift.step and shift.event in {Event.KILL, Event.RESTART} for shift in shifts)
    assert sum(shift.is_patient for shift in shifts) == 1
    behind_nat = [shift.day for shift in shifts if shift.is_behind_nat]
    assert behind_nat
    assert behind_nat[-1] - behind_nat[0] < NAT_DAYS
    # The unit boots while more guests come than usual.
    assert all(shift.middle.hour == 13 for shift in shifts if shift.event is Event.BOOT)
    assert all((shift.guests > 1) is (shift.event is Event.BOOT) for shift in shifts)


def test_what_grows_has_a_slope() -> None:
    assert slope([1, 2, 3, 4], [5, 8, 11, 14]) == 3
    assert slope([1, 2, 3, 4], [5, 6, 6, 5]) == 0
    assert slope([1, 2, 3, 4, 5, 6], [5, 6, 7, 8, 9000, 10]) == 1
