"""Whatever sessions come, in whatever order and however often: the log is their set."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, strategies as st

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession, SessionIndex
from custom_components.lrs_pager.sessions.summary import Summary, summarize
from custom_components.lrs_pager.transmitter import REMOVED, Session, UnitClock
from tests.properties import shown, texts

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLOCK = UnitClock.measure(NOON.replace(tzinfo=None), NOON, NOON, ZoneInfo("UTC"))
DAY = 24 * 3600

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
counts = st.integers(0, 2**32)
# From 1970 to 2199, as the parser has it, and a day around for the zone.
instants = st.integers(-DAY, 7_258_118_400 + DAY)


@st.composite
def placed(draw: st.DrawFn, uuids: st.SearchStrategy[str | None]) -> PlacedSession:
    """Any session that can be in a log: an identity and one instant, or more."""
    uuid = draw(uuids)
    session = PlacedSession(
        uuid=uuid,
        id=draw(counts if uuid is None else st.none() | counts),
        created=draw((st.none() if uuid else st.nothing()) | shown.map(datetime.isoformat)),
        number=draw(st.none() | counts),
        party_size=draw(st.none() | counts),
        goal=draw(st.none() | counts),
        clear_type=draw(st.sampled_from([None, "STOP", "REMOVED"]) | names),
        # What comes of a message has no half characters.
        label=draw(st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)),
        created_at=draw(st.none() | instants),
        notified_at=draw(st.none() | instants),
        cleared_at=draw(st.none() | instants),
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
def test_what_comes_out_of_the_log_is_what_was_put_in(sessions: list[PlacedSession]) -> None:
    log = SessionLog()
    log.restore(sessions)
    assert len(log) == len(sessions)
    assert sorted(log, key=repr) == sorted(sessions, key=repr)
    assert [s.ended_at for s in log] == sorted(s.ended_at for s in sessions)
    for session in sessions:
        assert log.find(session) == session
        assert all(
            type(getattr(log.find(session), field.name)) is type(getattr(session, field.name))
            for field in fields(PlacedSession)
        )
    if sessions:
        assert log.latest == list(log)[-1]
    else:
        assert log.latest is None


@given(distinct, st.data())
def test_between_two_instants_are_those_that_ended_there(
    sessions: list[PlacedSession], data: st.DataObject
) -> None:
    ends = st.sampled_from([s.ended_at for s in sessions] or [0])
    start, end = (data.draw(ends) + data.draw(st.integers(-1, 1)) for _ in range(2))
    log = SessionLog()
    log.restore(sessions)
    assert log.between(start, end) == [s for s in log if start <= s.ended_at < end]


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
                label=draw(st.none() | texts),
                state=None,
            )
        )
    return sessions


# What an answer may leave out of a session without making it another.
LEFT_OUT = ("number", "party_size", "goal", "notified", "cleared", "clear_type", "label", "uuid")

views = st.lists(
    st.tuples(st.integers(0, 5), st.sets(st.sampled_from(LEFT_OUT), max_size=4)), max_size=12
)


@given(visits(), views, st.data())
def test_the_log_is_the_same_set_in_whatever_order_and_however_often_it_is_told(
    truth: list[Session], views: list[tuple[int, set[str]]], data: st.DataObject
) -> None:
    told = [
        replace(truth[which % len(truth)], **dict.fromkeys(left_out)) for which, left_out in views
    ]
    once = SessionLog()
    once.absorb(told, CLOCK)
    log = SessionLog()
    changed = 0
    for session in data.draw(st.permutations(told + told)):
        changed += len(log.absorb([session], CLOCK))
    # Where several ended in the same second, they may come in any order.
    assert sorted(log, key=repr) == sorted(once, key=repr)
    assert log.absorb(told, CLOCK) == []
    assert len(log) <= changed <= len(told)
    again = SessionLog()
    again.restore(data.draw(st.permutations([*log, *once])))
    assert sorted(again, key=repr) == sorted(log, key=repr)
    for session in told:
        found = log.find(session)
        assert found is not None
        assert found.created == (session.created.isoformat() if session.created else None)
        for name in LEFT_OUT[:3]:
            assert getattr(session, name) in (None, getattr(found, name))


@given(visits(), st.integers(-2 * DAY, DAY), st.integers(0, 3 * DAY))
def test_a_days_figures_are_those_of_its_sessions(
    truth: list[Session], start: int, length: int
) -> None:
    log = SessionLog()
    log.absorb(truth, CLOCK)
    start += round(NOON.timestamp())
    shown = summarize(log.between(start, start + length))
    assert shown == slow_summary(truth, start, start + length)


def slow_summary(truth: list[Session], start: int, end: int) -> Summary:
    """The figures, from what the unit told, with a clock that is right and in UTC."""
    count = removed = guests = parties = 0
    waits, responses, on_time = [], [], []
    for session in truth:
        assert session.created
        assert session.cleared
        if not start <= session.cleared.replace(tzinfo=UTC).timestamp() < end:
            continue
        count += 1
        if session.clear_type == REMOVED:
            removed += 1
        if session.party_size is not None:
            guests += session.party_size
            parties += 1
        if session.notified is not None:
            waits.append((session.notified - session.created).seconds)
            responses.append((session.cleared - session.notified).seconds)
            if session.goal is not None:
                on_time.append(100 if waits[-1] <= session.goal else 0)
    return Summary(
        count=count,
        removed=removed,
        guests=None if count and not parties else guests,
        average_wait=sum(waits) / len(waits) if waits else None,
        longest_wait=max(waits) if waits else None,
        average_response=sum(responses) / len(responses) if responses else None,
        on_time_rate=sum(on_time) / len(on_time) if on_time else None,
    )


@given(distinct, st.integers(1, 5), st.data())
def test_of_more_sessions_than_are_kept_the_oldest_go(
    sessions: list[PlacedSession], limit: int, data: st.DataObject
) -> None:
    log = SessionLog(limit)
    for part in _parts(sessions, data):
        log.restore(part)
    kept = sorted(session.ended_at for session in sessions)[-limit:]
    assert [session.ended_at for session in log] == kept
    for session in sessions:
        assert log.find(session) in (session, None)
        assert (log.find(session) is None) == (session not in log)


def _parts(sessions: list[PlacedSession], data: st.DataObject) -> list[list[PlacedSession]]:
    """Cut a list into some."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sessions)), max_size=4)))
    return [sessions[a:b] for a, b in zip([0, *cuts], [*cuts, len(sessions)], strict=True)]


# Few of each, so that they share them.
alike = st.builds(
    PlacedSession,
    uuid=st.sampled_from(["a", "b", "c"]),
    id=st.sampled_from([None, 1, 2]),
    created=st.sampled_from([None, "2020"]),
    cleared_at=st.integers(0, 3),
)


@given(st.lists(alike, max_size=8), st.integers(1, 4))
def test_sessions_that_share_an_id_are_found_as_long_as_they_are_kept(
    sessions: list[PlacedSession], limit: int
) -> None:
    log = SessionLog(limit)
    for session in sessions:
        log.restore([session])
        kept = list(log)
        assert len(log) == len(kept) <= limit
        assert len({session.uuid for session in kept}) == len(kept)
        for one in kept:
            assert log.find(one) == one


@given(st.lists(st.tuples(st.booleans(), alike), max_size=12))
def test_an_index_finds_what_was_added_and_not_removed(
    steps: list[tuple[bool, PlacedSession]],
) -> None:
    index, there = SessionIndex(), list[PlacedSession]()
    for is_added, session in steps:
        found = index.find(session)
        assert found is None or found in there
        assert (found is None) <= (session.uuid not in {one.uuid for one in there})
        if is_added and found is None:
            index.add(session)
            there.append(session)
        elif found is not None:
            index.remove(found)
            there.remove(found)
