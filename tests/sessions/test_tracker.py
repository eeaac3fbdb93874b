"""Whatever is told of sessions, in whatever order and however often: each step is news once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import itertools
import random
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.database import Change, Database
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.tracker import (
    CLEAR_TYPE_WAIT,
    MAX_EVENT_AGE,
    News,
    SessionEvent,
    SessionTracker,
)
from custom_components.lrs_pager.transmitter import (
    CLEARED,
    PAGED,
    REMOVED,
    STARTED,
    STOP,
    TOLERANCE,
    Session,
    UnitClock,
)
from tests.sessions import in_memory

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = 60
HOUR = 3600


def clock(at: float, ahead: float = 0, setting: int = 0) -> UnitClock:
    """The unit's clock, so many seconds ahead of ours, at so many seconds after noon."""
    return UnitClock(
        zone=ZoneInfo("UTC"),
        ahead=timedelta(seconds=ahead),
        utc_offset=timedelta(),
        at=NOON + timedelta(seconds=at),
        agrees=abs(ahead) <= TOLERANCE.total_seconds(),
        setting=setting,
    )


def guest(
    number: int = 7,
    *,
    started: float = 0,
    paged: float | None = None,
    cleared: float | None = None,
    **changes: object,
) -> Session:
    """A session as a message or a list tells it; its times are in seconds after noon."""

    def stamp(seconds: float | None) -> datetime | None:
        if seconds is None:
            return None
        return (NOON + timedelta(seconds=seconds)).replace(tzinfo=None)

    state = STARTED if paged is None else PAGED
    session = Session(
        id=number,
        uuid=f"uuid-{number}",
        number=number,
        party_size=4,
        goal=300,
        created=stamp(started),
        notified=stamp(paged),
        cleared=stamp(cleared),
        clear_type=None,
        label="Müller",
        state=state if cleared is None else CLEARED,
    )
    return replace(session, **changes)  # type: ignore[arg-type]


def archived(session: Session, clear_type: str | None = STOP, **changes: object) -> Session:
    """The same as the history tells it: with its clearType, without state and party size."""
    return replace(session, clear_type=clear_type, state=None, party_size=None, **changes)


class Told:
    """A tracker, its log, and what was news so far."""

    def __init__(self, log: Database | None = None, *, begun: bool = True) -> None:
        """Begin; begun: with a unit on which nothing was going on at a quarter to noon."""
        self.log = in_memory(self) if log is None else log
        recent = self.log.between()
        began = _utc(-15 * MINUTE if begun else 0)
        self.tracker = SessionTracker(began, recent, recent[-1] if recent else None)
        self.news: list[str] = []
        self.sessions: list[PlacedSession] = []
        self.logged: list[PlacedSession] = []
        # What the unit's clock is ahead, and was at its last two settings.
        self.ahead = 0.0
        self._settings = [0.0]
        if begun:
            self.list(at=-15 * MINUTE)
            self.history(at=-15 * MINUTE)

    def clock(self, at: float) -> UnitClock:
        """The unit's clock."""
        if self.ahead != self._settings[-1]:
            self._settings.append(self.ahead)
        return clock(at, self.ahead, len(self._settings))

    def message(self, session: Session, at: float) -> News:
        """A message tells what has just changed."""
        return self._take(self.tracker.see([session], self.clock(at), _utc(at)), at)

    def list(self, *sessions: Session, at: float, asked: float | None = None) -> News:
        """A list has all active sessions."""
        asked = at - 1 if asked is None else asked
        return self._take(self.tracker.see(sessions, self.clock(at), _utc(at), _utc(asked)), at)

    def history(
        self,
        *sessions: Session,
        at: float,
        asked: float | None = None,
        before: tuple[UnitClock, int] | None = None,
        is_whole: bool = True,
    ) -> None:
        """The history is told; is_whole: to its end. before: the clock, as it was read before."""
        place = self.tracker.placing(self.clock(at), before, float("-inf"))
        changes = self.log.merge(sessions, place)
        self._take_changes(changes, at)
        self._take_events(self.tracker.see_logged(changes, _utc(at)))
        if is_whole:
            self._take_events(
                self.tracker.history_was_read(_utc(at - 1 if asked is None else asked))
            )

    def _take(self, news: News, at: float) -> News:
        changes = self.log.merge(
            news.ended, lambda session, before: session.seen_before(before) if before else session
        )
        self._take_changes(changes, at)
        self._take_events(news.events)
        return news

    def _take_changes(self, changes: Iterable[Change], at: float) -> None:
        self.tracker.remember(changes, _utc(at))
        self.logged += [session for _, session in changes]

    def _take_events(self, events: Iterable[SessionEvent]) -> None:
        for event in events:
            self.news.append(f"{event.step} {event.session.number}")
            self.sessions.append(event.session)

    @property
    def active(self) -> list[int | None] | None:
        """The pagers of the active sessions."""
        active = self.tracker.active
        return None if active is None else [session.number for session in active]

    @property
    def over(self) -> list[tuple[int | None, str | None]]:
        """The pagers and clearTypes in the log."""
        return [(session.number, session.clear_type) for session in self.log.between()]


def _utc(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# -------------------------------------------------------------------------- step by step


def test_a_guest_s_visit_is_told_step_by_step() -> None:
    told = Told()
    told.message(guest(), at=0)
    assert told.news == ["started 7"]
    assert told.active == [7]
    told.message(guest(paged=200), at=200)
    assert told.news == ["started 7", "paged 7"]
    assert told.active == [7]
    told.message(guest(paged=200, cleared=260), at=260)
    assert told.active == []
    told.history(archived(guest(paged=200, cleared=260)), at=262)
    assert told.news == ["started 7", "paged 7", "cleared 7"]
    assert told.over == [(7, STOP)]


def test_a_session_taken_off_the_list_is_removed_and_not_cleared() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(cleared=60), at=60)
    assert told.news == ["started 7"]  # whether it was cleared or removed is not known yet
    told.history(archived(guest(cleared=60), REMOVED), at=62)
    assert told.news == ["started 7", "removed 7"]
    assert told.sessions[-1].clear_type == REMOVED


def test_a_session_that_is_over_is_in_the_log_before_the_history_has_it() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(paged=200, cleared=260), at=260)
    assert told.over == [(7, None)]
    assert [session.number for session in told.logged] == [7]


def test_the_history_is_wanted_only_to_learn_how_a_session_ended() -> None:
    told = Told()
    assert not told.tracker.wants_history
    told.message(guest(), at=0)
    told.message(guest(paged=10), at=10)
    assert not told.tracker.wants_history
    told.message(guest(paged=10, cleared=20), at=20)
    assert told.tracker.wants_history
    told.history(archived(guest(paged=10, cleared=20)), at=22)
    assert not told.tracker.wants_history


def test_the_history_is_wanted_for_a_session_that_is_no_longer_listed() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.list(at=30)
    assert told.tracker.wants_history
    assert told.active == []
    told.history(archived(guest(cleared=20)), at=31)
    assert not told.tracker.wants_history
    assert told.news == ["started 7", "cleared 7"]


def test_what_is_told_has_the_session_as_it_is_after_the_step() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(paged=200, label="Meier"), at=200)
    told.message(guest(paged=200, cleared=260, label="Meier"), at=260)
    told.history(archived(guest(paged=200, cleared=260, label="Meier")), at=262)
    started, paged, cleared = told.sessions
    assert (started.label, started.wait) == ("Müller", None)
    assert (paged.label, paged.wait, paged.response) == ("Meier", 200, None)
    assert (cleared.wait, cleared.response, cleared.clear_type) == (200, 60, STOP)


def test_a_change_of_name_party_or_goal_is_shown_but_is_no_step() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(label="Meier", party_size=6, goal=600), at=5)
    (session,) = told.tracker.active or ()
    assert (session.label, session.party_size, session.goal) == ("Meier", 6, 600)
    told.message(guest(label=None), at=9)
    (session,) = told.tracker.active or ()
    assert session.label is None
    assert told.news == ["started 7"]


def test_a_second_page_is_no_second_step() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(paged=10), at=10)
    told.message(guest(paged=15), at=15)
    assert told.news == ["started 7", "paged 7"]
    assert [session.wait for session in told.tracker.active or ()] == [10]


def test_a_guest_who_is_said_to_be_paged_without_a_time_is_paged_now() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(state=PAGED), at=90)
    told.message(guest(state=PAGED), at=95)
    assert told.news == ["started 7", "paged 7"]
    assert [session.wait for session in told.tracker.active or ()] == [90]
    # Until the unit says when that was.
    told.list(guest(paged=85), at=99)
    assert [session.wait for session in told.tracker.active or ()] == [85]
    assert told.news == ["started 7", "paged 7"]


def test_a_session_that_is_said_to_be_over_without_a_time_is_over() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(state=CLEARED), at=90)
    assert told.active == []
    assert told.over == [(7, None)]
    told.history(archived(guest(cleared=90)), at=92)
    assert told.news == ["started 7", "cleared 7"]
    assert told.over == [(7, STOP)]


def test_what_only_messages_tell_is_kept_when_the_history_leaves_it_out() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.list(at=30)  # that it is over was missed
    told.history(archived(guest(cleared=20)), at=31)
    assert [session.party_size for session in told.log.between()] == [4]


def test_the_active_sessions_are_told_from_the_oldest() -> None:
    told = Told()
    told.list(guest(3, started=-10), guest(1, started=-30), guest(2, started=-20), at=0)
    assert told.active == [1, 2, 3]
    told.message(guest(1, started=-30, paged=5), at=5)
    assert told.active == [1, 2, 3]


def test_a_session_is_found_while_it_is_active_and_when_it_is_over() -> None:
    told = Told()
    assert told.tracker.find(guest()) is None
    told.message(guest(), at=0)
    found = told.tracker.find(guest())
    assert found
    assert not found.is_paged
    told.message(guest(paged=10, cleared=20), at=20)
    found = told.tracker.find(guest())
    assert found
    assert found.cleared_at
    told.history(archived(guest(paged=10, cleared=20)), at=22)
    found = told.tracker.find(guest())
    assert found
    assert found.clear_type == STOP


# --------------------------------------------------------------------------- what it is


def test_two_guests_with_the_same_pager_are_two_sessions() -> None:
    told = Told()
    told.message(guest(7, uuid="first", id=1), at=0)
    told.message(guest(7, uuid="first", id=1, paged=10, cleared=20), at=20)
    told.message(guest(7, uuid="second", id=2, started=21), at=21)
    assert told.news == ["started 7", "paged 7", "started 7"]
    assert told.active == [7]
    told.history(archived(guest(7, uuid="first", id=1, paged=10, cleared=20)), at=22)
    assert told.active == [7]
    assert told.news[3:] == ["cleared 7"]


def test_a_pager_that_is_handed_out_anew_has_come_back_though_nobody_said_so() -> None:
    told = Told()
    told.message(replace(guest(1), number=7), at=1)
    told.message(replace(guest(2), number=8), at=2)
    told.message(replace(guest(3, started=60), number=7), at=60)
    assert [session.id for session in told.tracker.active or ()] == [2, 3]
    assert told.tracker.wants_history
    told.history(archived(replace(guest(1, cleared=50), number=7)), at=62)
    assert told.news[-1] == "cleared 7"


def test_a_message_that_says_how_a_session_ended_needs_no_history() -> None:
    told = Told()
    told.message(guest(), at=1)
    told.message(guest(cleared=60, clear_type=REMOVED), at=60)
    assert told.news == ["started 7", "removed 7"]
    assert not told.tracker.wants_history
    told.history(archived(guest(cleared=60), REMOVED), at=62)
    assert told.news == ["started 7", "removed 7"]


def test_a_list_of_which_some_can_not_be_read_ends_nobody() -> None:
    told = Told()
    told.message(guest(), at=1)
    told.tracker.see([], clock(30), _utc(30), _utc(29), is_whole=False)
    assert [session.number for session in told.tracker.active or ()] == [7]
    told.list(at=60)
    assert told.tracker.active == ()


def test_ids_that_begin_again_are_other_sessions() -> None:
    told = Told()
    told.message(guest(1, uuid="before"), at=0)
    told.message(replace(guest(2, uuid="after"), id=1), at=1)
    assert told.news == ["started 1", "started 2"]
    assert told.active == [1, 2]


@pytest.mark.parametrize("first", ["uuid-7", None])
def test_a_session_is_the_same_with_and_without_its_uuid(first: str | None) -> None:
    second = None if first else "uuid-7"
    told = Told()
    told.message(guest(uuid=first), at=0)
    told.message(guest(uuid=second, paged=10), at=10)
    told.list(guest(uuid=first, paged=10), at=12)
    told.message(guest(uuid=second, paged=10, cleared=20), at=20)
    told.history(archived(guest(uuid=first, paged=10, cleared=20)), at=22)
    told.list(at=30)
    assert told.news == ["started 7", "paged 7", "cleared 7"]
    assert told.active == []
    assert told.over == [(7, STOP)]


def test_sessions_without_uuids_are_told_apart_by_id_and_creation() -> None:
    told = Told()
    told.message(guest(1, uuid=None), at=0)
    told.message(guest(2, uuid=None), at=0)
    told.message(guest(1, uuid=None, started=5), at=5)
    assert told.news == ["started 1", "started 2", "started 1"]
    told.list(guest(1, uuid=None), guest(2, uuid=None), guest(1, uuid=None, started=5), at=9)
    assert len(told.news) == 3


# ---------------------------------------------------------------- any order, any number


def visit() -> list[tuple[str, tuple[Session, ...]]]:
    """All that a unit tells of a visit, in order."""
    whole = guest(paged=60, cleared=90)
    return [
        ("message", (guest(),)),
        ("list", (guest(),)),
        ("message", (guest(paged=60),)),
        ("list", (guest(paged=60),)),
        ("message", (whole,)),
        ("list", ()),
        ("history", (archived(whole, REMOVED),)),
    ]


def feed(told: Told, parts: Iterable[tuple[str, tuple[Session, ...]]], at: float = 100) -> None:
    """Have it told in that order, each two seconds after the other."""
    for kind, sessions in parts:
        at += 2
        if kind == "message":
            told.message(*sessions, at=at)
        elif kind == "list":
            told.list(*sessions, at=at)
        else:
            told.history(*sessions, at=at)


WHOLE_VISIT = ["started 7", "paged 7", "removed 7"]


def test_whatever_the_order_each_step_is_told_once_and_in_order() -> None:
    in_order = Told()
    feed(in_order, visit())
    assert in_order.news == WHOLE_VISIT
    for parts in itertools.permutations(visit()):
        told = Told()
        feed(told, parts)
        assert told.news == WHOLE_VISIT, parts
        assert told.log.between() == in_order.log.between(), parts
        assert told.active == [], parts


def test_what_is_told_again_is_no_news() -> None:
    for parts in itertools.permutations(visit()):
        told = Told()
        feed(told, [part for part in parts for _ in range(2)])
        known = told.log.between()
        logged = len(told.logged)
        feed(told, reversed(parts), at=140)
        assert told.news == WHOLE_VISIT, parts
        assert told.log.between() == known, parts
        assert len(told.logged) == logged, parts  # nothing to write to the disk either
        assert told.active == [], parts


def test_whatever_messages_are_lost_lists_and_history_make_good() -> None:
    parts = visit()
    messages = [part for part in parts if part[0] == "message"]
    for count in range(len(messages) + 1):
        for lost in itertools.combinations(messages, count):
            told = Told()
            feed(told, [part for part in parts if part not in lost])
            assert told.news == WHOLE_VISIT, lost


def test_a_message_that_comes_late_does_not_bring_a_guest_back() -> None:
    told = Told()
    feed(told, visit())
    told.message(guest(), at=130)
    told.message(guest(paged=60), at=131)
    assert told.active == []
    assert not told.tracker.wants_history
    assert told.news == WHOLE_VISIT


def test_a_message_that_comes_late_does_not_undo_what_a_later_one_has_told() -> None:
    told = Told()
    told.message(guest(), at=1)
    corrected: dict[str, object] = {"party_size": 5, "goal": 600, "label": None}
    told.message(guest(paged=60, cleared=120, **corrected), at=121)
    told.message(guest(paged=60, clear_type=REMOVED), at=122)
    told.list(guest(paged=60), at=123, asked=119)
    (session,) = told.log.between()
    corrected["clear_type"] = None
    assert {name: getattr(session, name) for name in corrected} == corrected


def test_a_message_that_comes_late_tells_what_later_ones_have_left_out() -> None:
    told = Told()
    told.history(archived(guest(paged=60, cleared=120, goal=None)), at=121)
    told.message(guest(paged=60), at=122)
    (session,) = told.log.between()
    assert (session.party_size, session.goal, session.clear_type) == (4, 300, STOP)


class Evening:
    """Thirty guests of an evening, as the unit knows it."""

    def __init__(self, rng: random.Random) -> None:
        """Have them come, be paged (most of them) and leave."""
        self.changes: list[tuple[float, Session]] = []
        self.ends: dict[int, str] = {}
        self.expected: list[str] = []
        for number in range(1, 31):
            start = rng.randrange(600)
            paged = start + rng.randrange(1, 200) if rng.random() < 0.9 else None
            end = (paged or start) + rng.randrange(1, 100)
            self.changes.append((start, guest(number, started=start)))
            self.expected.append(f"started {number}")
            if paged:
                self.changes.append((paged, guest(number, started=start, paged=paged)))
                self.expected.append(f"paged {number}")
            whole = guest(number, started=start, paged=paged, cleared=end)
            self.changes.append((end, whole))
            self.ends[number] = rng.choice((STOP, REMOVED))
            how = "removed" if self.ends[number] == REMOVED else "cleared"
            self.expected.append(f"{how} {number}")
        self.changes.sort(key=lambda change: change[0])

    def active(self, at: float) -> list[Session]:
        """The list, as the unit would write it then."""
        known = {session.number: session for when, session in self.changes if when <= at}
        return [session for session in known.values() if session.cleared is None]

    def history(self, at: float) -> list[Session]:
        """The history, as the unit would write it then."""
        return [
            archived(session, self.ends[session.number or 0])
            for when, session in self.changes
            if when <= at and session.cleared
        ]


@pytest.mark.parametrize("seed", range(25))
def test_a_busy_evening_over_a_bad_network_is_told_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    evening, told = Evening(rng), Told()
    arrivals: list[tuple[float, Session | None]] = []
    for when, session in evening.changes:
        while rng.random() < 0.6:  # so that it is lost, or comes once or more often
            arrivals.append((when + rng.random() * 20, session))
    last = evening.changes[-1][0] + 40
    arrivals += [(at, None) for at in range(7, int(last), 23)]
    for at, session in sorted([*arrivals, (last, None)], key=lambda arrival: arrival[0]):
        if session:
            told.message(session, at=at)
            continue
        # A poll. The unit wrote its answers at some time before they came.
        told.list(*evening.active(at - rng.random() * 2), at=at, asked=at - 2)
        told.history(*evening.history(at + 1), at=at + 1, asked=at)
    for number in evening.ends:
        steps, expected = (
            [step for step in steps if step.endswith(f" {number}")]
            for steps in (told.news, evening.expected)
        )
        assert steps == expected
    assert told.active == []
    assert sorted(told.over) == sorted(evening.ends.items())


# -------------------------------------------------------------------------- no news


def test_nothing_is_known_of_active_sessions_before_they_are_told() -> None:
    told = Told(begun=False)
    assert told.active is None
    told.history(at=0)
    assert told.active is None
    told.list(at=1)
    assert told.active == []


def test_what_was_so_at_the_beginning_is_no_news() -> None:
    told = Told(begun=False)
    told.list(guest(1, started=-60), guest(2, started=-60, paged=-30), at=0)
    told.history(archived(guest(3, started=-60, cleared=-30)), at=1)
    assert told.news == []
    assert told.active == [1, 2]
    assert told.over == [(3, STOP)]
    told.message(guest(1, started=-60, paged=10), at=10)
    told.message(guest(2, started=-60, paged=-30, cleared=11), at=11)
    told.history(archived(guest(2, started=-60, paged=-30, cleared=11)), at=12)
    assert told.news == ["paged 1", "cleared 2"]


def test_what_the_first_list_left_out_is_no_news_when_the_next_one_has_it() -> None:
    told = Told(begun=False)
    told.list(guest(1, started=-60), at=0)
    told.list(guest(1, started=-60), guest(2, started=-60, paged=-30), guest(3, started=3), at=5)
    assert told.news == ["started 3"]
    assert told.active == [1, 2, 3]


def test_a_message_before_the_first_list_tells_what_has_happened_since_the_beginning() -> None:
    told = Told(begun=False)
    told.message(guest(7, started=-60, paged=10), at=10)
    assert told.news == ["paged 7"]
    told.list(guest(7, started=-60, paged=10), guest(8, started=-60), at=12)
    assert told.news == ["paged 7"]


def test_before_the_first_list_a_start_whose_message_was_lost_is_told_with_the_next_step() -> None:
    told = Told(begun=False)
    told.message(guest(7, started=5, paged=10), at=10)
    assert told.news == ["started 7", "paged 7"]


def test_before_the_first_list_a_page_of_earlier_is_not_told_when_the_session_is_updated() -> None:
    told = Told(begun=False)
    told.message(guest(7, started=-60, paged=-30, goal=600), at=10)
    assert told.news == []


def test_a_session_that_ended_while_the_first_history_was_read_is_news() -> None:
    told = Told(begun=False)
    told.list(guest(started=-60), at=0)
    told.history(archived(guest(started=-60, cleared=1)), at=2)
    assert told.news == ["cleared 7"]


def test_what_a_first_history_left_out_is_no_news_when_it_comes() -> None:
    told = Told(begun=False)
    told.list(at=0)
    told.history(archived(guest(1, cleared=-10, started=-60)), at=1, is_whole=False)
    told.history(
        archived(guest(1, cleared=-10, started=-60)),
        archived(guest(2, cleared=-10, started=-60)),
        at=2,
    )
    assert told.news == []
    told.history(archived(guest(3, started=3, cleared=4)), at=5)
    assert told.news == ["started 3", "cleared 3"]


def test_what_is_in_the_log_is_no_news_when_more_is_told_of_it() -> None:
    before = Told()
    before.message(guest(cleared=10), at=10)
    assert before.over == [(7, None)]
    told = Told(before.log, begun=False)
    told.list(at=20)
    told.history(at=20)
    told.message(guest(cleared=10), at=21)
    told.history(archived(guest(cleared=10), REMOVED), at=22)
    assert told.news == []
    assert told.over == [(7, REMOVED)]
    assert [session.clear_type for session in told.logged] == [REMOVED]


def test_a_message_adds_to_the_log_what_the_history_left_out() -> None:
    told = Told()
    told.history(archived(guest(cleared=10)), at=11)
    assert [session.party_size for session in told.log.between()] == [None]
    told.message(guest(cleared=10), at=12)
    assert [session.party_size for session in told.log.between()] == [4]
    assert [session.party_size for session in told.logged] == [None, 4]
    assert told.news == ["started 7", "cleared 7"]


def test_a_session_that_came_and_went_unseen_is_told_from_the_history() -> None:
    told = Told()
    told.list(at=300)
    told.history(archived(guest(paged=100, cleared=160), REMOVED), at=301)
    assert told.news == ["started 7", "paged 7", "removed 7"]


def test_what_happened_too_long_ago_is_in_the_log_but_is_no_news() -> None:
    told = Told()
    told.message(guest(1), at=0)
    later = HOUR
    told.list(guest(2, started=10, paged=20), at=later)
    told.history(
        archived(guest(1, paged=10, cleared=60)),
        archived(guest(3, started=10, paged=20, cleared=30)),
        at=later,
    )
    assert told.news == ["started 1"]
    assert told.active == [2]
    assert told.over == [(3, STOP), (1, STOP)]


def test_of_a_session_found_late_the_recent_steps_are_news() -> None:
    told = Told()
    limit = MAX_EVENT_AGE.total_seconds()
    told.list(guest(1, started=0, paged=10), guest(2, started=0, paged=11), at=limit + 10.5)
    assert told.news == ["paged 2"]
    told.history(archived(guest(3, started=10, paged=11, cleared=12)), at=limit + 11.5)
    assert told.news == ["paged 2", "cleared 3"]


def test_a_session_that_was_said_to_be_over_is_told_however_late_the_history_comes() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(cleared=10), at=10)
    told.history(archived(guest(cleared=10), REMOVED), at=HOUR)
    assert told.news == ["started 7", "removed 7"]


def test_a_session_that_went_missing_long_ago_is_no_news_when_the_history_has_it() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.list(at=HOUR)
    told.history(archived(guest(cleared=10), REMOVED), at=HOUR + 1)
    assert told.news == ["started 7"]
    assert told.over == [(7, REMOVED)]


# -------------------------------------------------------------------- missing, and patience


def test_a_session_that_is_missing_and_comes_back_was_there_all_the_time() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.list(at=10)
    assert told.active == []
    told.history(at=11)
    told.list(guest(), at=20)
    assert told.active == [7]
    assert not told.tracker.wants_history
    told.list(at=30)
    told.message(guest(paged=40), at=40)
    assert told.active == [7]
    assert told.news == ["started 7", "paged 7"]


def test_a_session_that_began_while_the_list_was_under_way_is_not_missing() -> None:
    told = Told()
    told.message(guest(1), at=0)
    told.message(guest(2, started=10), at=10)
    told.list(at=12, asked=9)
    assert told.active == [2]
    told.list(at=14, asked=13)
    assert told.active == []


def test_a_session_that_is_over_by_no_account_is_dropped_in_the_end() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.list(at=10)
    patience = CLEAR_TYPE_WAIT.total_seconds()
    told.history(at=10 + patience, asked=10 + patience - 0.1)
    assert told.tracker.wants_history
    told.history(at=10 + patience, asked=10 + patience)
    assert not told.tracker.wants_history
    assert told.news == ["started 7"]
    assert told.over == []


def test_a_session_that_the_history_never_had_is_cleared_in_the_end() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(paged=5, cleared=10), at=10)
    patience = CLEAR_TYPE_WAIT.total_seconds()
    told.history(at=10 + patience, asked=10 + patience - 0.1)
    assert told.news == ["started 7", "paged 7"]
    told.history(at=10 + patience, asked=10 + patience)
    assert told.news == ["started 7", "paged 7", "cleared 7"]
    assert told.sessions[-1].clear_type is None
    assert not told.tracker.wants_history
    # And if the history has it after all, that is no second end.
    told.history(archived(guest(paged=5, cleared=10), REMOVED), at=99)
    assert told.news == ["started 7", "paged 7", "cleared 7"]
    assert told.over == [(7, REMOVED)]


def test_a_history_without_clear_types_ends_sessions_too() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.message(guest(cleared=10), at=10)
    told.history(archived(guest(cleared=10), None), at=12)
    told.history(archived(guest(cleared=10), None), at=10 + 2 * CLEAR_TYPE_WAIT.total_seconds())
    assert told.news == ["started 7", "cleared 7"]


# ------------------------------------------------------------------------------ clocks


@pytest.mark.parametrize("ahead", [-HOUR, HOUR, -26 * 365 * 24 * HOUR])
def test_a_clock_that_is_off_changes_no_step(ahead: int) -> None:
    told = Told(begun=False)
    told.ahead = ahead
    told.list(at=-100)
    told.history(at=-99)
    visit = guest(started=ahead, paged=ahead + 60, cleared=ahead + 90)
    told.message(replace(visit, notified=None, cleared=None, state=STARTED), at=0)
    told.message(replace(visit, cleared=None, state=PAGED), at=60)
    told.message(visit, at=90)
    told.history(archived(visit), at=91)
    assert told.news == ["started 7", "paged 7", "cleared 7"]
    (session,) = told.log.between()
    assert session.created_at == NOON.timestamp()
    assert session.wait == 60


def test_a_step_that_does_not_fit_the_clock_waits_until_that_is_read_again() -> None:
    told = Told()
    # The unit's clock was put forward by an hour, and a message doesn't say so.
    news = told.message(guest(started=HOUR), at=0)
    assert news.is_doubtful
    assert told.news == []
    assert told.active == []
    told.ahead = HOUR
    assert not told.list(guest(started=HOUR), at=1).is_doubtful
    assert told.news == ["started 7"]
    assert told.sessions[0].created_at == NOON.timestamp()


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_an_end_that_does_not_fit_the_clock_waits_for_the_history(off: int) -> None:
    told = Told()
    told.message(guest(), at=0)
    assert told.message(guest(cleared=off + 10), at=10).is_doubtful
    assert told.active == []
    assert told.over == []
    assert told.tracker.wants_history
    told.ahead = off
    told.history(archived(guest(cleared=off + 10), REMOVED), at=11)
    assert told.news == ["started 7", "removed 7"]


def test_an_end_is_doubted_though_the_step_before_it_fits() -> None:
    told = Told()
    told.message(guest(), at=0)
    # That the guest was paged was missed; then the clock was put back.
    assert told.message(guest(paged=5, cleared=10 - HOUR), at=10).is_doubtful
    assert told.over == []


def test_an_end_that_does_not_fit_is_an_end_also_of_a_session_that_had_no_uuid() -> None:
    told = Told()
    told.message(guest(uuid=None), at=0)
    assert told.message(guest(cleared=HOUR), at=10).is_doubtful
    assert told.active == []
    assert told.tracker.wants_history


def test_an_end_that_does_not_fit_of_an_unknown_session_is_left_to_the_history() -> None:
    told = Told()
    assert told.message(guest(started=HOUR, cleared=HOUR + 5), at=10).is_doubtful
    assert told.active == []
    assert not told.tracker.wants_history
    told.ahead = HOUR
    told.history(archived(guest(started=HOUR, cleared=HOUR + 5)), at=11)
    assert told.news == ["started 7", "cleared 7"]


@pytest.mark.parametrize("off", [-TOLERANCE, TOLERANCE])
def test_a_step_fits_within_what_a_clock_may_be_off(off: timedelta) -> None:
    seconds = off.total_seconds()
    told = Told()
    assert not told.message(guest(1, started=seconds), at=0).is_doubtful
    beyond = seconds + (1 if seconds > 0 else -1)
    assert told.message(guest(2, started=beyond), at=0).is_doubtful
    assert told.news == ["started 1"]


def test_a_message_that_tells_no_step_is_not_doubted() -> None:
    told = Told()
    told.message(guest(), at=0)
    news = told.message(guest(label="Meier"), at=HOUR)
    assert not news.is_doubtful
    assert [session.label for session in told.tracker.active or ()] == ["Meier"]
    # Nor one that tells a time which was left out before.
    told.message(guest(8, paged=10, created=None), at=10)
    assert not told.message(guest(8, paged=10), at=HOUR).is_doubtful


def test_lists_are_not_doubted_whatever_their_age() -> None:
    told = Told()
    assert not told.list(guest(started=-2 * HOUR), at=0).is_doubtful
    assert told.active == [7]
    assert told.news == []


def test_a_session_keeps_its_times_when_the_clock_is_set() -> None:
    told = Told()
    told.message(guest(), at=0)
    told.ahead = HOUR
    told.list(guest(), at=60)
    told.message(guest(paged=HOUR + 90), at=90)
    assert [session.wait for session in told.tracker.active or ()] == [90]
    assert told.news == ["started 7", "paged 7"]


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
@pytest.mark.parametrize("is_pushed", [True, False])
def test_guests_who_wait_while_the_clock_is_set_are_paged_and_cleared_as_ever(
    ahead: int, *, is_pushed: bool
) -> None:
    told = Told(begun=False)
    told.ahead = ahead
    told.list(guest(started=ahead - 60), at=0)
    told.history(at=0)
    told.ahead = 0
    paged = guest(started=ahead - 60, paged=60)
    cleared = guest(started=ahead - 60, paged=60, cleared=90)
    if is_pushed:
        told.message(paged, at=60)
        told.message(cleared, at=90)
    else:
        told.list(paged, at=60)
        told.list(at=90)
    told.history(archived(cleared, REMOVED), at=91)
    assert told.news == ["paged 7", "removed 7"]
    (session,) = told.log.between()
    assert (session.wait, session.response) == (120, 30)
    assert session.cleared_at == _at(90)


def test_a_session_that_was_archived_before_the_clock_was_set_is_placed_by_the_old_clock() -> None:
    told = Told()
    told.ahead = 3 * HOUR
    told.history(archived(guest(started=10, cleared=20)), at=60, before=(clock(0), _at(0)))
    assert told.news == ["started 7", "cleared 7"]
    assert [session.cleared_at for session in told.log.between()] == [_at(20)]


def _at(seconds: int) -> int:
    return round(NOON.timestamp()) + seconds


# -------------------------------------------------------------------------- history only


def test_where_the_history_is_all_there_is_its_sessions_end_and_no_more() -> None:
    told = Told(begun=False)
    told.history(archived(guest(1, started=-60, cleared=-30)), at=0)
    told.history(
        archived(guest(1, started=-60, cleared=-30)),
        archived(guest(2, started=1, paged=2, cleared=10)),
        archived(guest(3, started=1, cleared=11), REMOVED),
        at=30,
    )
    assert told.news == ["cleared 2", "removed 3"]
    assert told.active is None
    assert told.over == [(1, STOP), (2, STOP), (3, REMOVED)]
