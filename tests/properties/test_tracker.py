"""Whatever is told of guests, in whatever order: each step is news once, and the log is right.

A unit, its guests and its clock on one side; on the other what arrives of all that it says. In
between, messages are lost, late or there twice, lists and histories are of a moment ago, Home
Assistant is restarted, and the unit's clock is set.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.tracker import (
    CLEAR_TYPE_WAIT,
    RECENT,
    News,
    SessionEvent,
    SessionTracker,
    Step,
)
from custom_components.lrs_pager.sync.clocks import Clocks
from custom_components.lrs_pager.transmitter import CLEARED, PAGED, STARTED, Session, UnitClock
from tests.properties import fewer
from tests.sessions import in_memory

ORDER = [Step.STARTED, Step.PAGED, Step.CLEARED]

# Ten minutes before clocks are put back, an ordinary noon, and two hours that are left out.
BEGINNINGS = [
    (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "Europe/Amsterdam"),
    (datetime(2026, 11, 23, 12, tzinfo=UTC), "US/Pacific"),
    (datetime(2026, 3, 29, 0, 50, tzinfo=UTC), "Europe/Amsterdam"),
]


class Restaurant(RuleBasedStateMachine):
    """A unit, and what becomes of what it tells."""

    told = Bundle("told")

    @initialize(
        beginning=st.sampled_from(BEGINNINGS),
        ahead=st.sampled_from([0, 0, 3, 240, -3600, 86400 * 900]),
    )
    def begin(self, beginning: tuple[datetime, str], ahead: int) -> None:
        """Begin with a unit on which nothing was going on."""
        self.now, zone = beginning
        self.zone = ZoneInfo(zone)
        self.ahead = timedelta(seconds=ahead)
        self.keeps_summer_time = abs(ahead) < 300
        self.offset = self.now.astimezone(self.zone).utcoffset() or timedelta()
        self.runs = 1
        self.sessions: dict[int, Session] = {}
        self.happened: dict[int, datetime] = {}
        self.history: list[Session] = []
        self.log = in_memory(self)
        self.clocks = self.new_clocks()
        self.tracker = SessionTracker(self.now)
        self.news: dict[str, list[Step]] = defaultdict(list)
        self.instants: dict[tuple[str, str], int] = {}
        self.read()

    # ------------------------------------------------------------------ what happens there

    def shows(self) -> datetime:
        """What the unit's clock shows."""
        if self.keeps_summer_time:
            time = (self.now + self.ahead).astimezone(self.zone).replace(tzinfo=None)
        else:
            time = self.now.replace(tzinfo=None) + self.offset + self.ahead
        return time.replace(microsecond=0)

    @rule(seconds=st.integers(1, 240), millis=st.integers(0, 999))
    def wait(self, seconds: int, millis: int) -> None:
        """Nothing happens for a while."""
        self.now += timedelta(seconds=seconds, milliseconds=millis)

    @rule(target=told, goal=st.none() | st.integers(0, 600), label=st.none() | st.text())
    def start(self, goal: int | None, label: str | None) -> Any:
        """A guest comes."""
        number = len(self.happened) + 1
        self.happened[number] = self.now
        return self._tell(
            Session(
                id=number,
                uuid=f"uuid-{number}",
                number=number,
                party_size=2,
                goal=goal,
                created=self.shows(),
                notified=None,
                cleared=None,
                clear_type=None,
                label=label,
                state=STARTED,
            )
        )

    @precondition(lambda self: self.sessions)
    @rule(target=told, data=st.data())
    def page(self, data: st.DataObject) -> Any:
        """A guest is paged, perhaps once more."""
        session = data.draw(st.sampled_from(list(self.sessions.values())))
        return self._tell(replace(session, notified=self.shows(), state=PAGED))

    @precondition(lambda self: self.sessions)
    @rule(target=told, data=st.data(), clear_type=st.sampled_from(["STOP", "REMOVED"]))
    def end(self, data: st.DataObject, clear_type: str) -> Any:
        """A guest leaves."""
        session = data.draw(st.sampled_from(list(self.sessions.values())))
        ended = replace(session, cleared=self.shows(), state=CLEARED)
        assert session.id
        del self.sessions[session.id]
        self.history.append(replace(ended, state=None, party_size=None, clear_type=clear_type))
        return self.runs, ended

    def _tell(self, session: Session) -> Any:
        assert session.id
        known = self.sessions.get(session.id)
        if known and known.notified:  # a second page keeps the first's time
            session = replace(session, notified=known.notified)
        self.sessions[session.id] = session
        return self.runs, session

    @precondition(lambda self: not self.sessions)
    @rule(ahead=st.integers(-7200, 7200) | st.sampled_from([0, -86400 * 900]))
    def set_clock(self, ahead: int) -> None:
        """The unit's clock is set while no guest is there; and read, as a poll would."""
        self.settle()
        self.ahead = timedelta(seconds=ahead)
        self.keeps_summer_time = abs(ahead) < 300
        self.offset = self.now.astimezone(self.zone).utcoffset() or timedelta()
        self.read()

    # ------------------------------------------------------------------- what arrives of it

    def new_clocks(self) -> Clocks:
        """Our side of both clocks, as Home Assistant starts."""
        return Clocks(
            zone=lambda: self.zone,
            wall=lambda: self.now.timestamp(),  # noqa: PLW0108  # now changes
            steady=self.steady,
            stepped=lambda _: None,
        )

    def steady(self) -> float:
        """The loop's clock."""
        return (self.now - BEGINNINGS[0][0]).total_seconds() + 1e8

    def unit_clock(self) -> UnitClock:
        """The unit's clock, as far as it is known."""
        return self.clocks.unit(self.steady())

    def read(self, delay: float = 0.01) -> None:
        """Read the unit's clock off an answer that takes so many seconds."""
        shows, asked = self.shows(), self.steady()
        self.now += timedelta(seconds=delay)
        self.clocks.read(shows, asked, self.steady())

    @rule(sent=told, times=st.integers(1, 2))
    def message(self, sent: tuple[int, Session], times: int) -> None:
        """A message arrives: just now, late, or twice."""
        run, session = sent
        for _ in range(times if run == self.runs else 0):
            self._take(self.tracker.see([session], self.unit_clock(), self.now))

    @rule(delay=st.floats(0, 11), has_newcomer=st.booleans())
    def list_active(self, delay: float, has_newcomer: bool) -> None:
        """A poll asks for the active sessions; a guest may come while the list is under way."""
        sessions, asked = list(self.sessions.values()), self.now
        if has_newcomer:
            self.now += timedelta(milliseconds=1)
            self.message(self.start(None, None), 1)
        before = {session.uuid for session in self.tracker.active or ()}
        self.read(delay)
        self._take(self.tracker.see(sessions, self.unit_clock(), self.now, asked))
        if has_newcomer:
            newcomer = f"uuid-{len(self.happened)}"
            after = {session.uuid for session in self.tracker.active or ()}
            assert newcomer in after or newcomer not in before

    @rule(delay=st.floats(0, 11), data=st.data())
    def list_history(self, delay: float, data: st.DataObject) -> None:
        """A poll asks for the history; it has its sessions in any order."""
        sessions, asked = data.draw(st.permutations(self.history)), self.now
        self.read(delay)
        self._take_history(sessions, asked)

    @rule()
    def restart(self) -> None:
        """Home Assistant is restarted; what was logged is on the disk."""
        logged = self.log.between()
        recent = self.log.between(round(self.now.timestamp()) - RECENT)
        self.clocks = self.new_clocks()
        self.tracker = SessionTracker(self.now, recent, logged[-1] if logged else None)
        over = {session.uuid for session in logged}
        # Of sessions that were active, the instants are read anew.
        self.instants = {key: at for key, at in self.instants.items() if key[0] in over}
        # What is under way does not find us any more, and all is read before anything is told.
        self.runs += 1
        self.poll()

    def _take(self, news: News) -> None:
        changes = self.log.merge(
            news.ended, lambda session, before: session.seen_before(before) if before else session
        )
        self.tracker.remember(changes, self.now)
        self._take_events(news.events)

    def _take_history(self, sessions: Iterable[Session], asked: datetime) -> None:
        place = self.tracker.placing(self.unit_clock(), None, float("-inf"))
        changes = self.log.merge(sessions, place)
        self.tracker.remember(changes, self.now)
        self._take_events(self.tracker.see_logged(changes, self.now))
        self._take_events(self.tracker.history_was_read(asked))

    def _take_events(self, events: Iterable[SessionEvent]) -> None:
        for event in events:
            assert event.session.uuid
            self.news[event.session.uuid].append(event.step)

    # ----------------------------------------------------------------------- what then holds

    @invariant()
    def each_step_is_announced_once_and_in_order(self) -> None:
        """However often it is told."""
        for steps in self.news.values():
            ranks = [ORDER.index(Step.CLEARED if s is Step.REMOVED else s) for s in steps]
            assert ranks == sorted(set(ranks)), steps

    @invariant()
    def an_instant_once_given_stays(self) -> None:
        """Whatever is told later, with whatever clock."""
        known: list[PlacedSession] = [*self.log.between(), *self.tracker.tracked]
        for session in known:
            for name in ("created_at", "notified_at", "cleared_at"):
                at = getattr(session, name)
                if at is not None:
                    assert session.uuid
                    assert self.instants.setdefault((session.uuid, name), at) == at

    @invariant()
    def nobody_is_invented(self) -> None:
        """What is in the log did end, and was there once."""
        ended = {session.uuid for session in self.history}
        logged = [session.uuid for session in self.log.between()]
        assert set(logged) <= ended
        assert len(set(logged)) == len(logged)

    def settle(self) -> None:
        """Have all told once more, after the time that the history may take."""
        for _ in range(2):
            self.now += CLEAR_TYPE_WAIT
            self.poll()

    def poll(self) -> None:
        """Have all told."""
        asked = self.now
        self.read()
        sessions = self.sessions.values()
        self._take(self.tracker.see(sessions, self.unit_clock(), self.now, asked))
        asked = self.now
        self.read()
        self._take_history(self.history, asked)

    def teardown(self) -> None:
        """In the end all is known as it was."""
        if not hasattr(self, "now"):
            return
        self.settle()
        self.each_step_is_announced_once_and_in_order()
        self.an_instant_once_given_stays()
        active = self.tracker.active or ()
        assert {s.uuid for s in active} == {s.uuid for s in self.sessions.values()}
        assert {s.uuid: s.clear_type for s in self.log.between()} == {
            s.uuid: s.clear_type for s in self.history
        }
        assert not self.tracker.wants_history
        for session in self.history:
            logged = self.log.find(session)
            assert logged is not None
            assert (logged.notified_at is None) == (session.notified is None)


# An example is fifty things that happen.
Restaurant.TestCase.settings = settings(fewer(3), stateful_step_count=50)
TestRestaurant = Restaurant.TestCase
