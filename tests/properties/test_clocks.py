"""Whatever a clock shows, in whatever zone: instants that make sense, days without gaps."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from custom_components.lrs_pager.sessions.placing import place
from custom_components.lrs_pager.transmitter import TOLERANCE, Session
from tests.clocks import Reader, read
from tests.properties import shown

# With half an hour of summer time, with a change at midnight, with hours far from UTC, with days
# that were left out or came twice, with winter time that is put back, and without anything.
ZONES = [
    *("UTC", "Europe/Amsterdam", "Europe/Dublin", "US/Pacific", "Australia/Lord_Howe"),
    *("America/Havana", "Asia/Beirut", "Africa/Cairo", "America/Santiago", "Asia/Kathmandu"),
    *("Pacific/Kiritimati", "Pacific/Apia", "Pacific/Chatham", "Etc/GMT+12", "Africa/Casablanca"),
]
zones = st.sampled_from(ZONES).map(ZoneInfo)


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """The days on which a zone's clocks were changed, in UTC."""
    days = [datetime(2005, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(9_000)]
    return [
        day
        for day, following in pairwise(days)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset()
    ]


def moments(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Our own clock, in UTC: some time, or when clocks are changed."""
    some = st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))
    if not changes(zone):
        return some
    around = st.timedeltas(timedelta(hours=-8), timedelta(hours=32))
    return some | st.builds(datetime.__add__, st.sampled_from(changes(zone)), around)


# A zone, and a moment in it.
ours = zones.flatmap(lambda zone: st.tuples(moments(zone), st.just(zone)))
delays = st.timedeltas(timedelta(), timedelta(seconds=12))
offsets = st.timedeltas(timedelta(days=-9000), timedelta(days=9000))
# A clock that is right, nearly so, or an hour off.
small = st.integers(-7200, 7200).map(lambda seconds: timedelta(seconds=seconds))
hours = st.integers(0, 23)

stamps = st.none() | shown


def session(created: datetime | None, notified: datetime | None, cleared: datetime) -> Session:
    return Session(
        id=1,
        uuid="u",
        number=7,
        party_size=None,
        goal=300,
        created=created,
        notified=notified,
        cleared=cleared,
        clear_type=None,
        label=None,
        state=None,
    )


def posix(time: datetime) -> int:
    return round(time.timestamp())


@given(shown, ours, delays, st.lists(st.tuples(shown, delays), max_size=2), hours)
def test_whatever_the_clock_shows_sessions_are_placed_and_the_day_goes_on(
    shows: datetime,
    ours: tuple[datetime, ZoneInfo],
    delay: timedelta,
    later: list[tuple[datetime, timedelta]],
    day_start: int,
) -> None:
    at, zone = ours
    reader = Reader(zone)
    clock = reader.read(shows, at, delay)
    for then, takes in later:
        before = (clock, posix(clock.at))
        clock = reader.read(then, clock.at, takes)
        placed = place(session(None, shows, then), clock, before=before)
        assert placed.cleared_at is not None
        # Nothing that was told ended after it was told.
        assert placed.ended_at <= posix(clock.at) + TOLERANCE.total_seconds() + 5
    day = clock.business_day(clock.at, day_start)
    assert day.start < day.end
    assert day.turns.tzinfo is UTC


@given(ours, offsets | small, st.lists(st.tuples(delays, delays), min_size=1, max_size=6))
def test_a_clock_is_measured_as_well_as_the_network_allows(
    ours: tuple[datetime, ZoneInfo],
    ahead: timedelta,
    answers: list[tuple[timedelta, timedelta]],
) -> None:
    """A clock that runs beside ours, and shows whole seconds; each answer takes its time."""
    at, zone = ours
    reader = Reader(zone)
    for there, back in answers:
        shows = ((at + there).replace(tzinfo=None) + ahead).replace(microsecond=0)
        clock = reader.read(shows, at, there + back)
        # A stamp of what it shows now is of now.
        found = clock.place_alone(session(None, None, shows)).cleared
        assert found is not None
        off = abs(found - (at + there).timestamp())
        if clock.agrees:
            # By its own reading, which is as good as ours.
            off = max(0, off - TOLERANCE.total_seconds())
        assert off <= (there + back).total_seconds() + 2
        at += there + back + timedelta(seconds=30)


@given(ours, hours, small, st.integers(1, 10))
def test_days_adjoin_and_have_their_hours(
    ours: tuple[datetime, ZoneInfo], day_start: int, ahead: timedelta, days: int
) -> None:
    """Also those on which the clocks are changed."""
    at, zone = ours
    at = at.replace(microsecond=0)
    clock = read(at.astimezone(zone).replace(tzinfo=None) + ahead, at, zone)
    # By one measure: a clock that is right goes on to be.
    first = day = clock.business_day(at, day_start)
    assert day.start <= clock.latest < day.end  # of its own reading
    for _ in range(days):
        following = clock.business_day(day.turns, day_start)
        assert following.start == day.end
        assert following.date - day.date >= timedelta(days=1)
        if clock.agrees:
            assert 22 * 3600 <= day.end - day.start <= 26 * 3600
        else:
            assert day.end - day.start == 24 * 3600
        day = following
    assert (day.date - first.date).days in (days, days + 1)  # one that a zone left out


@given(
    st.sampled_from([(datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25)]),
    st.integers(0, 24 * 3600 - 1),
)
def test_the_days_on_which_clocks_change_have_23_and_25_hours(
    day: tuple[datetime, int], second: int
) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    at = (day[0] + timedelta(seconds=second)).replace(tzinfo=zone).astimezone(UTC)
    clock = read(at.astimezone(zone).replace(tzinfo=None), at, zone)
    found = clock.business_day(at, 0)
    assert found.date == day[0].date()
    assert found.end - found.start == day[1] * 3600


@given(
    ours,
    st.integers(0, 3600),
    st.integers(0, 3600),
    small,
    st.integers(0, 4 * 3600),
)
def test_a_visit_takes_as_long_as_the_unit_says_whenever_it_is_told(
    ours: tuple[datetime, ZoneInfo], wait: int, response: int, ahead: timedelta, since: int
) -> None:
    """By a right clock over a change of the clocks, too, as it is put on or back with ours."""
    at, zone = ours
    created = at.replace(microsecond=0)
    ends = created + timedelta(seconds=wait + response)
    told = ends + timedelta(seconds=since)

    def reads(time: datetime) -> datetime:
        """What a unit with our own clock shows, or one that knows of no change."""
        if abs(ahead) <= TOLERANCE:
            return time.astimezone(zone).replace(tzinfo=None) + ahead
        offset = told.astimezone(zone).utcoffset()
        assert offset is not None
        return time.replace(tzinfo=None) + offset + ahead

    clock = read(reads(told), told, zone)
    paged = created + timedelta(seconds=wait)
    placed = clock.place(session(reads(created), reads(paged), reads(ends)))
    assert placed.created is not None
    assert placed.notified is not None
    assert placed.cleared is not None
    # An hour that comes twice is told apart by what can have been, not by what was.
    is_doubtful = any(
        reads(time).replace(tzinfo=zone, fold=0).utcoffset()
        != reads(time).replace(tzinfo=zone, fold=1).utcoffset()
        for time in (created, paged, ends)
    )
    if not (clock.agrees and is_doubtful):
        assert placed.notified - placed.created == wait
        assert placed.cleared - placed.notified == response
    assert placed.created <= placed.notified + 7200
    assert placed.last <= posix(told) + TOLERANCE.total_seconds() + 5
