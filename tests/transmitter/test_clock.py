"""What instant a time of the unit means: by hand, in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.transmitter import BusinessDay, Instants, Session, UnitClock
from tests.clocks import Reader, read

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def posix(text: str) -> int:
    return round(utc(text).timestamp())


class Reads:
    """The unit's clock, read again and again."""

    def __init__(self) -> None:
        self._reader = Reader(AMSTERDAM)

    def clock(self, shows: str, at: str, takes: float = 0) -> UnitClock:
        """It shows this when it is that in UTC; the answer takes some seconds."""
        shown = datetime.fromisoformat(shows)
        return self._reader.read(shown, utc(at), timedelta(seconds=takes))


def clock(shows: str, at: str) -> UnitClock:
    """The unit's clock, which shows this when it is that in UTC."""
    return Reads().clock(shows, at)


def session(cleared: str, notified: str | None = None, created: str | None = None) -> Session:
    """An archived session with these stamps of the unit."""
    return Session(
        id=1,
        uuid="u",
        number=7,
        party_size=None,
        goal=300,
        created=datetime.fromisoformat(created) if created else None,
        notified=datetime.fromisoformat(notified) if notified else None,
        cleared=datetime.fromisoformat(cleared),
        clear_type="STOP",
        label=None,
        state=None,
    )


# --------------------------------------------------------------------- a right clock


@pytest.mark.parametrize(
    ("shows", "agrees"),
    [
        ("2026-11-23T12:00:00", True),
        ("2026-11-23T12:05:00", True),
        ("2026-11-23T11:55:00", True),
        ("2026-11-23T12:05:02", False),
        ("2026-11-23T11:54:58", False),
        ("2026-11-23T13:00:00", False),
        ("2018-11-23T12:00:00", False),
    ],
)
def test_a_clock_counts_as_right_within_five_minutes(shows: str, agrees: bool) -> None:
    assert clock(shows, at="2026-11-23T11:00:00").agrees is agrees


def test_stamps_of_a_right_clock_are_local_time() -> None:
    right = clock("2026-11-23T12:00:00", at="2026-11-23T11:00:00")
    placed = right.place(
        session("2026-11-23T11:59:00", "2026-11-23T11:50:00", "2026-11-23T11:40:00")
    )
    assert placed == Instants(
        created=posix("2026-11-23T10:40:00"),
        notified=posix("2026-11-23T10:50:00"),
        cleared=posix("2026-11-23T10:59:00"),
    )


def test_a_wait_across_the_change_to_summer_time_is_as_long_as_the_guest_waited() -> None:
    # In Amsterdam, 29 March 2026: after 01:59:59 (UTC 00:59:59) comes 03:00:00.
    right = clock("2026-03-29T03:10:00", at="2026-03-29T01:10:00")
    placed = right.place(
        session("2026-03-29T03:09:00", "2026-03-29T03:05:00", "2026-03-29T01:55:00")
    )
    assert placed.created == posix("2026-03-29T00:55:00")
    assert placed.notified == posix("2026-03-29T01:05:00")


def test_a_wait_across_the_change_from_summer_time_is_as_long_as_the_guest_waited() -> None:
    # In Amsterdam, 25 October 2026: after 02:59:59 (UTC 00:59:59) comes 02:00:00 again.
    right = clock("2026-10-25T02:10:00", at="2026-10-25T01:10:00")
    placed = right.place(
        session("2026-10-25T02:09:00", "2026-10-25T02:05:00", "2026-10-25T02:55:00")
    )
    assert placed.created == posix("2026-10-25T00:55:00")
    assert placed.notified == posix("2026-10-25T01:05:00")
    assert placed.cleared == posix("2026-10-25T01:09:00")


def test_the_hour_that_comes_twice_is_told_apart_by_what_can_have_been() -> None:
    # 02:50 summer time; seen at once, it cannot be the 02:50 that is still to come.
    first = clock("2026-10-25T02:51:00", at="2026-10-25T00:51:00")
    assert first.place(session("2026-10-25T02:50:00")).cleared == posix("2026-10-25T00:50:00")
    # Created at 02:50 and cleared at 02:05: seen an hour later, it is still 15 minutes.
    later = clock("2026-10-25T03:30:00", at="2026-10-25T02:30:00")
    placed = later.place(session("2026-10-25T02:05:00", created="2026-10-25T02:50:00"))
    assert placed.cleared == posix("2026-10-25T01:05:00")
    assert placed.created == posix("2026-10-25T00:50:00")


# --------------------------------------------------------------------- a wrong clock


@pytest.mark.parametrize(
    "shows",
    [
        "2026-11-23T13:00:00",  # an hour ahead
        "2026-11-23T11:00:00",  # an hour behind
        "2026-11-24T12:00:00",  # a day ahead
        "2018-03-15T11:45:29",  # eight years behind
        "2034-07-01T00:00:05",  # eight years ahead
        "1970-01-01T00:10:00",  # after a battery's end
    ],
)
def test_stamps_of_a_wrong_clock_are_as_old_as_it_says(shows: str) -> None:
    wrong = clock(shows, at="2026-11-23T11:00:00")
    stamp = (datetime.fromisoformat(shows) - timedelta(seconds=420)).isoformat()
    age = posix("2026-11-23T11:00:00") - (wrong.place(session(stamp)).cleared or 0)
    assert age in (420, 421)  # as the unit's stamps are cut to seconds


def test_a_unit_that_knows_no_summer_time_is_right_all_the_same() -> None:
    # It agreed at 01:50; at 03:10 local time, it shows 02:10.
    reads = Reads()
    assert reads.clock("2026-03-29T01:50:00", at="2026-03-29T00:50:00").agrees
    after = reads.clock("2026-03-29T02:10:00", at="2026-03-29T01:10:00")
    placed = after.place(
        session("2026-03-29T02:09:00", "2026-03-29T02:05:00", "2026-03-29T01:55:00")
    )
    assert placed.created == posix("2026-03-29T00:55:00")
    assert placed.notified == posix("2026-03-29T01:05:00")


def test_a_session_from_the_future_has_just_ended_and_waited_as_long() -> None:
    # The clock was a day ahead when it stamped, and was put right before anybody asked.
    right = clock("2026-11-23T12:00:00", at="2026-11-23T11:00:00")
    placed = right.place(
        session("2026-11-24T11:58:00", "2026-11-24T11:55:00", "2026-11-24T11:45:00")
    )
    assert placed.cleared == posix("2026-11-23T11:00:00")
    assert placed.notified == posix("2026-11-23T10:57:00")
    assert placed.created == posix("2026-11-23T10:47:00")


@pytest.mark.parametrize(
    ("showed", "shows", "stamp"),
    [
        ("2018-03-15T08:00:00", "2026-11-23T12:00:30", "2018-03-15T08:00:10"),  # put right
        ("2026-11-23T12:00:00", "2018-03-15T08:00:30", "2026-11-23T12:00:10"),  # reset
        ("2026-11-23T11:00:00", "2026-11-23T12:00:30", "2026-11-23T11:00:10"),  # an hour on
        ("2026-11-23T13:00:00", "2026-11-23T12:00:30", "2026-11-23T13:00:10"),  # an hour back
    ],
)
def test_a_session_stamped_just_before_the_clock_was_set_is_not_misplaced(
    showed: str, shows: str, stamp: str
) -> None:
    reads = Reads()
    before = reads.clock(showed, at="2026-11-23T11:00:00")
    after = reads.clock(shows, at="2026-11-23T11:00:30")
    placed = after.place(session(stamp), (before, posix("2026-11-23T11:00:00")))
    assert placed.cleared is not None
    assert abs(placed.cleared - posix("2026-11-23T11:00:10")) <= 1


def test_a_session_stamped_just_after_the_clock_was_set_is_not_misplaced() -> None:
    reads = Reads()
    before = reads.clock("2018-03-15T08:00:00", at="2026-11-23T11:00:00")
    after = reads.clock("2026-11-23T12:00:30", at="2026-11-23T11:00:30")
    placed = after.place(session("2026-11-23T12:00:20"), (before, posix("2026-11-23T11:00:00")))
    assert placed.cleared == posix("2026-11-23T11:00:20")


def test_an_old_session_that_was_not_seen_before_keeps_its_own_time() -> None:
    reads = Reads()
    before = reads.clock("2026-11-23T12:00:00", at="2026-11-23T11:00:00")
    after = reads.clock("2026-11-23T12:00:30", at="2026-11-23T11:00:30")
    placed = after.place(session("2026-11-20T09:00:00"), (before, posix("2026-11-23T11:00:00")))
    assert placed.cleared == posix("2026-11-20T08:00:00")


# ------------------------------------------------------------------- a steady measure


def test_slow_answers_do_not_make_a_steady_clock_waver() -> None:
    reads = Reads()
    measured = reads.clock("2018-03-15T11:45:29", at="2026-11-23T11:00:00")
    first = measured.instant(datetime(2018, 3, 15, 11, 45), 0)
    for seconds, takes in [(30, 0.1), (60, 3.0), (90, 0.9), (120, 11.5), (150, 0.0)]:
        shows = datetime(2018, 3, 15, 11, 45, 29) + timedelta(seconds=seconds)
        at = (utc("2026-11-23T11:00:00") + timedelta(seconds=seconds)).replace(tzinfo=None)
        measured = reads.clock(shows.isoformat(), at.isoformat(), takes=takes)
        assert measured.instant(datetime(2018, 3, 15, 11, 45), 0) == first


def test_a_clock_that_shows_the_same_second_as_ours_is_exactly_right() -> None:
    for fraction in ("00", "00.400", "00.999"):
        assert clock("2026-11-23T12:00:00", at=f"2026-11-23T11:00:{fraction}").ahead == timedelta()


# ------------------------------------------------------------------------ business day


def day(shows: str, at: str, day_start: int = 0) -> BusinessDay:
    return clock(shows, at).business_day(utc(at), day_start)


@pytest.mark.parametrize(
    ("shows", "at", "start", "end"),
    [
        # Winter, summer, and the two days on which clocks change: 24, 24, 23 and 25 hours.
        ("2026-11-23T12:00", "2026-11-23T11:00", "2026-11-22T23:00", "2026-11-23T23:00"),
        ("2026-07-01T12:00", "2026-07-01T10:00", "2026-06-30T22:00", "2026-07-01T22:00"),
        ("2026-03-29T12:00", "2026-03-29T10:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("2026-10-25T12:00", "2026-10-25T11:00", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_local_time(
    shows: str, at: str, start: str, end: str
) -> None:
    found = day(shows, at)
    assert (found.start, found.end) == (posix(start), posix(end))
    assert found.turns == utc(end)


@pytest.mark.parametrize(
    ("shows", "at", "start"),
    [
        ("2026-11-23T03:59:59", "2026-11-23T02:59:59", "2026-11-22T03:00:00"),
        ("2026-11-23T04:00:00", "2026-11-23T03:00:00", "2026-11-23T03:00:00"),
        # The nights in which clocks change.
        ("2026-03-29T03:30:00", "2026-03-29T01:30:00", "2026-03-28T03:00:00"),
        ("2026-03-29T04:30:00", "2026-03-29T02:30:00", "2026-03-29T02:00:00"),
        ("2026-10-25T03:30:00", "2026-10-25T02:30:00", "2026-10-24T02:00:00"),
        ("2026-10-25T04:30:00", "2026-10-25T03:30:00", "2026-10-25T03:00:00"),
    ],
)
def test_a_business_day_may_begin_at_four(shows: str, at: str, start: str) -> None:
    assert day(shows, at, day_start=4).start == posix(start)


def test_a_day_that_begins_in_the_hour_that_is_left_out_begins_after_it() -> None:
    assert day("2026-03-29T12:00:00", "2026-03-29T10:00:00", 2).start == posix(
        "2026-03-29T01:00:00"
    )


def test_a_day_that_begins_in_the_hour_that_comes_twice_begins_once() -> None:
    begins = posix("2026-10-25T00:00:00")
    assert day("2026-10-25T02:30:00", "2026-10-25T00:30:00", 2).start == begins
    assert day("2026-10-25T02:30:00", "2026-10-25T01:30:00", 2).start == begins


@pytest.mark.parametrize("seconds", [0, 30, 298, -30])
def test_a_day_that_begins_as_clocks_are_put_on_begins_when_that_clock_says_so(
    seconds: int,
) -> None:
    # At three, before which an hour is left out, by a clock that is a little off.
    at = utc("2026-03-28T20:00:00")
    shows = (at + timedelta(hours=1, seconds=seconds)).replace(tzinfo=None)
    measured = read(shows, at, AMSTERDAM)
    before = measured.business_day(at, 3)
    assert before.turns == utc("2026-03-29T01:00:00") - timedelta(seconds=seconds)
    assert measured.business_day(before.turns, 3).start == before.end
    just_before = before.turns - timedelta(seconds=1)
    assert measured.business_day(just_before, 3) == before


def test_the_day_is_the_one_that_the_units_clock_is_in() -> None:
    # At 23:58 ours, the unit's clock is two minutes past midnight, and counts as right.
    found = day("2026-11-24T00:02:00", at="2026-11-23T22:58:00")
    assert found.start == posix("2026-11-23T23:00:00")
    # At 23:58 ours, with the unit four minutes behind: the day turns when it says so.
    found = day("2026-11-23T23:54:00", at="2026-11-23T22:58:00")
    assert found.turns == utc("2026-11-23T23:04:00")


@pytest.mark.parametrize(
    "shows", ["2026-11-23T13:00:00", "2026-11-24T12:00:00", "2018-03-15T11:45:29"]
)
def test_with_a_wrong_clock_the_day_is_since_the_units_own_midnight(shows: str) -> None:
    time = datetime.fromisoformat(shows)
    since_midnight = round((time - time.replace(hour=0, minute=0, second=0)).total_seconds())
    found = day(shows, at="2026-11-23T11:00:00")
    age = posix("2026-11-23T11:00:00") - found.start
    assert age in (since_midnight, since_midnight + 1)
    assert found.end - found.start == 24 * 3600
    assert round(found.turns.timestamp()) == found.end
