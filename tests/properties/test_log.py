"""Whatever sessions come, in whatever order and however often: the log is their set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
import tempfile

from hypothesis import example, given, strategies as st

from custom_components.lrs_pager.sessions.figures import MASS_WITHIN, Figures, figures
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import (
    LATE_AFTER,
    SLIP,
    PlacedSession,
    SessionIndex,
)
from custom_components.lrs_pager.transmitter import REMOVED, Session
from tests.properties import fewer, shown, texts
from tests.sessions import NOON, NOON_AT, everything, opened, placed as place

DAY = 24 * 3600

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
counts = st.integers(0, 2**32)
# From 1970 to 2199, as the parser has it, and a day around for the zone.
instants = st.integers(-DAY, 7_258_118_400 + DAY)
durations = st.none() | st.integers(0, DAY)


@asynccontextmanager
async def new_log() -> AsyncIterator[SessionLog]:
    """A log in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder) / "lrs_pager.entry.db") as log:
            yield log


@st.composite
def placed(draw: st.DrawFn, uuids: st.SearchStrategy[str | None]) -> PlacedSession:
    """Any session that can be in a log: an identity and one instant, or more."""
    uuid = draw(uuids)
    stamps = st.none() | shown.map(datetime.isoformat)
    session = PlacedSession(
        uuid=uuid,
        id=draw(counts if uuid is None else st.none() | counts),
        created=draw(stamps if uuid else shown.map(datetime.isoformat)),
        notified=draw(stamps),
        cleared=draw(stamps),
        number=draw(st.none() | counts),
        party_size=draw(st.none() | counts),
        goal=draw(st.none() | counts),
        clear_type=draw(st.sampled_from([None, "STOP", "REMOVED"]) | names),
        # What comes of a message has no half characters.
        label=draw(st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)),
        created_at=draw(st.none() | instants),
        notified_at=draw(st.none() | instants),
        cleared_at=draw(st.none() | instants),
        wait=draw(durations),
        response=draw(durations),
        is_by_age=draw(st.booleans()),
        quoted=draw(durations),
        first_goal=draw(st.none() | counts),
    )
    if session.created_at is session.notified_at is session.cleared_at is None:
        session = replace(session, cleared_at=draw(instants))
    return session


uuids = (
    st.uuids().map(str)
    | st.uuids().map(lambda uuid: str(uuid).upper())
    | st.uuids().map(lambda uuid: uuid.hex)
    | names
)

# Each of another uuid: none of them is part of another.
distinct = st.lists(placed(uuids), max_size=12, unique_by=lambda session: session.uuid)


@given(distinct)
# Identities that are nearly the same, and texts that take a lot of room or none.
@example([PlacedSession(uuid=uuid, cleared_at=5) for uuid in ("a", "A", "a ", "1@2", "0", "\0")])
@example([PlacedSession(id=2**32, created="1970-01-01T00:00:00", created_at=0)])
@example([PlacedSession(uuid="\U0010ffff" * 40, label="\U0010ffff" * 200, cleared_at=-1)])
@example([PlacedSession(uuid="u", label="", clear_type="", number=0, goal=0, cleared_at=0)])
@fewer(2)
async def test_what_comes_out_of_the_log_is_what_was_put_in(sessions: list[PlacedSession]) -> None:
    async with new_log() as log:
        await log.keep(sessions)
        await log.close()
        await log.open()
        found = await everything(log)
        assert await log.count() == len(sessions)
        assert sorted(found, key=repr) == sorted(sessions, key=repr)
        assert [s.ended_at for s in found] == sorted(s.ended_at for s in sessions)
        for session in sessions:
            same = await log.find(session)
            assert same == session
            for field in fields(PlacedSession):
                assert type(getattr(same, field.name)) is type(getattr(session, field.name))
        assert await log.latest() == (found[-1] if found else None)
        assert await log.first_ended(-(2**62)) == (found[0].ended_at if found else None)


@given(distinct, st.data())
@fewer(2)
async def test_between_two_instants_are_those_that_ended_there(
    sessions: list[PlacedSession], data: st.DataObject
) -> None:
    ends = st.sampled_from([s.ended_at for s in sessions] or [0])
    start, end = (data.draw(ends) + data.draw(st.integers(-1, 1)) for _ in range(2))
    async with new_log() as log:
        await log.keep(sessions)
        expected = [s for s in await everything(log) if start <= s.ended_at < end]
        assert await log.between(start, end) == expected
        since = {s.number for s in sessions if s.ended_at >= start} - {None}
        assert await log.numbers(start) == since


# --------------------------------------------------------------------- as they are told


@st.composite
def visits(draw: st.DrawFn) -> list[Session]:
    """Some archived sessions, all that is true of each of them, from the last two days."""
    sessions = []
    for number in range(draw(st.integers(1, 6))):
        # Those of one id are of different creations.
        ago = 600 + number + 6 * draw(st.integers(0, DAY // 3))
        created = NOON.replace(tzinfo=None) - timedelta(seconds=ago)
        wait, response = draw(st.none() | st.integers(0, 400)), draw(st.integers(0, 200))
        notified = None if wait is None else created + timedelta(seconds=wait)
        sessions.append(
            Session(
                # In the way of a unit whose ids began again.
                id=draw(st.integers(1, 3)),
                uuid=f"uuid-{number}",
                number=draw(st.none() | st.integers(1, 99)),
                party_size=draw(st.none() | st.integers(1, 20)),
                goal=draw(st.none() | st.integers(0, 600)),
                created=created,
                notified=notified,
                cleared=(notified or created) + timedelta(seconds=response),
                clear_type=draw(st.sampled_from([None, "STOP", "REMOVED"])),
                label=draw(
                    st.none() | texts.map(lambda text: text.encode(errors="replace").decode())
                ),
                state=None,
            )
        )
    return sessions


# What an answer may leave out of a session without making it another. Without a label, it has none.
LEFT_OUT = ("number", "party_size", "goal", "notified", "cleared", "clear_type", "uuid")

views = st.lists(
    st.tuples(st.integers(0, 5), st.sets(st.sampled_from(LEFT_OUT), max_size=4)), max_size=12
)


@given(visits(), views, st.data())
@fewer(2)
async def test_the_log_is_the_same_set_in_whatever_order_and_however_often_it_is_told(
    truth: list[Session], views: list[tuple[int, set[str]]], data: st.DataObject
) -> None:
    told = [
        replace(truth[which % len(truth)], **dict.fromkeys(left_out)) for which, left_out in views
    ]
    async with new_log() as log:
        await log.merge(told, place)
        once = await everything(log)
    async with new_log() as log:
        changed = 0
        for session in data.draw(st.permutations(told + told)):
            match data.draw(st.integers(0, 5)):
                case 0:  # a restart
                    await log.close()
                    await log.open()
                case 1:
                    await log.pause()
                case 2:
                    await log.resume()
            changed += len(await log.merge([session], place))
        # Where several ended in the same second, they may come in any order.
        assert sorted(await everything(log), key=repr) == sorted(once, key=repr)
        assert await log.merge(told, place) == []
        assert await log.count() <= changed <= len(told)
        assert await log.keep(data.draw(st.permutations(once))) == []
        for session in told:
            found = await log.find(session)
            assert found is not None
            assert found.created == (session.created.isoformat() if session.created else None)
            for name in LEFT_OUT[:3]:
                assert getattr(session, name) in (None, getattr(found, name))


@given(visits(), views, st.data())
@fewer(2)
async def test_a_disk_that_fails_now_and_then_makes_no_difference(
    truth: list[Session], views: list[tuple[int, set[str]]], data: st.DataObject
) -> None:
    told = [
        replace(truth[which % len(truth)], **dict.fromkeys(left_out)) for which, left_out in views
    ]
    async with new_log() as well, new_log() as ill:
        for session in told:
            fails = data.draw(st.booleans())
            # SQLite itself refuses.
            await ill._do(
                lambda store, fails=fails: store.disk._db._rows(f"PRAGMA query_only = {fails}")
            )
            assert await ill.merge([session], place) == await well.merge([session], place)
            assert ill.is_failing == fails
            assert await ill.find(session) == await well.find(session)
            assert await ill.count() == await well.count()
            for log in (ill, well):
                await log.set("told", session.number)
            assert await ill.get("told") == session.number
            assert as_set(await everything(ill)) == as_set(await everything(well))
            assert await ill.numbers(NOON_AT - DAY) == await well.numbers(NOON_AT - DAY)
            latest = [await log.latest() for log in (ill, well)]
            assert len({found and found.ended_at for found in latest}) == 1
            assert await ill.first_ended(-(2**62)) == await well.first_ended(-(2**62))
        assert as_set(await ill.between(0, NOON_AT)) == as_set(await well.between(0, NOON_AT))
        await ill._do(lambda store: store.disk._db._rows("PRAGMA query_only = 0"))
        await ill.close()
        await ill.open()
        assert as_set(await everything(ill)) == as_set(await everything(well))
        assert await ill.get("told") == await well.get("told")


def as_set(sessions: list[PlacedSession]) -> list[PlacedSession]:
    return sorted(sessions, key=repr)


# Few of each, so that they share them.
alike = st.builds(
    PlacedSession,
    uuid=st.sampled_from(["a", "b", "c"]),
    id=st.sampled_from([None, 1, 2]),
    created=st.sampled_from([None, "2020"]),
    number=st.sampled_from([None, 7]),
    label=st.sampled_from([None, "x"]),
    cleared_at=st.integers(0, 3),
) | st.builds(
    PlacedSession,
    id=st.sampled_from([1, 2]),
    created=st.just("2020"),
    goal=st.sampled_from([None, 5]),
    created_at=st.integers(0, 3),
)


@given(st.lists(st.lists(alike, max_size=4), max_size=8), st.data())
@fewer(2)
async def test_the_log_is_a_simple_set_by_the_rule_of_the_index(
    feeds: list[list[PlacedSession]], data: st.DataObject
) -> None:
    expected: list[PlacedSession] = []
    async with new_log() as log:
        for feed in feeds:
            changes = []
            for session in feed:
                before = SessionIndex(expected).find(session)
                after = session.seen_before(before) if before else session
                if before is None:
                    expected.append(after)
                else:
                    at = next(i for i, known in enumerate(expected) if known is before)
                    expected[at] = after
                if after != before:
                    changes.append((before, after))
            assert await log.keep(feed) == changes
            if data.draw(st.booleans()):
                await log.close()
                await log.open()
            assert await everything(log) == sorted(expected, key=lambda session: session.ended_at)
            for session in (*expected, *feed):
                assert await log.find(session) == SessionIndex(expected).find(session)


@given(visits(), st.integers(-2 * DAY, DAY), st.integers(0, 3 * DAY))
def test_a_days_figures_are_those_of_its_sessions(
    truth: list[Session], start: int, length: int
) -> None:
    start += NOON_AT
    end = start + length
    shown = figures(s for s in map(place, truth) if start <= s.ended_at < end)
    assert shown == slow_figures(truth, start, end)


def slow_figures(truth: list[Session], start: int, end: int) -> Figures:
    """The figures, from what the unit told, with a clock that is right and in UTC."""
    count = removed = guests = parties = 0
    waits: list[int] = []
    responses: list[int] = []
    late: list[bool] = []
    paged = left = no_show = 0
    gone: list[tuple[float, bool]] = []
    for session in truth:
        assert session.created
        assert session.cleared
        if not start <= session.cleared.replace(tzinfo=UTC).timestamp() < end:
            continue
        stay = (session.cleared - session.created).seconds
        if session.clear_type == REMOVED and session.notified is None and stay < SLIP:
            continue
        count += 1
        if session.clear_type == REMOVED:
            removed += 1
            gone.append((session.cleared.timestamp(), session.notified is not None))
        if session.party_size is not None:
            guests += session.party_size
            parties += 1
        if session.notified is not None:
            paged += 1
            waits.append((session.notified - session.created).seconds)
            responses.append((session.cleared - session.notified).seconds)
            if session.goal:
                late.append(waits[-1] >= session.goal + LATE_AFTER)
    for at, was_paged in gone:
        # The minutes in which it ended; each begins with the end of one.
        minutes = [begin for begin, _ in gone if 0 <= at - begin <= MASS_WITHIN]
        if all(sum(0 <= end - begin <= MASS_WITHIN for end, _ in gone) < 3 for begin in minutes):
            left += not was_paged
            no_show += was_paged
    return Figures(
        count=count,
        removed=removed,
        guests=None if count and not parties else guests,
        average_wait=sum(waits) / len(waits) if waits else None,
        shortest_wait=min(waits, default=None),
        longest_wait=max(waits, default=None),
        median_wait=median(waits) if waits else None,
        long_wait=next(
            (w for w in sorted(waits) if sum(x <= w for x in waits) >= 0.8 * len(waits)), None
        ),
        average_response=sum(responses) / len(responses) if responses else None,
        rated=len(late),
        late=sum(late),
        paged=paged,
        left=left,
        no_show=no_show,
    )


@given(st.lists(st.tuples(st.booleans(), alike), max_size=12))
def test_an_index_finds_what_was_added_and_not_removed(
    steps: list[tuple[bool, PlacedSession]],
) -> None:
    index, there = SessionIndex(), list[PlacedSession]()
    for is_added, session in steps:
        found = index.find(session)
        assert found is None or found in there
        if session.uuid:
            assert (found is None) <= (session.uuid not in {one.uuid for one in there})
        if is_added and found is None:
            index.add(session)
            there.append(session)
        elif found is not None:
            index.remove(found)
            there.remove(found)
