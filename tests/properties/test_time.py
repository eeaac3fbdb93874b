"""Whatever clocks are set to, and when: what is known of guests is what the unit's stamps say.

A unit, whose clock is set, reset to 2000, drifts and may know of summer time; ours, which is set
in service and wrong at a start; and the true time, which neither of them has to show. All is real
but the network and the passing of time: what keeps up with the unit, the log's file, the picture
and the moments.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import floor
from pathlib import Path
import tempfile
from typing import Any, override
from zoneinfo import ZoneInfo

from hypothesis import example, given, strategies as st

from custom_components.lrs_pager.sessions.log import Change, Place, SessionLog
from custom_components.lrs_pager.sessions.session import LATE_AFTER, PlacedSession
from custom_components.lrs_pager.sessions.tracker import MAX_EVENT_AGE, SessionEvent, Step
from custom_components.lrs_pager.sync.follower import Follower, Ourselves
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.sync.picture import Picture, Snapshot
from custom_components.lrs_pager.sync.push import PushState
from custom_components.lrs_pager.sync.timers import Timers
from custom_components.lrs_pager.transmitter import (
    CLEARED,
    PAGED,
    REMOVED,
    STARTED,
    STOP,
    TOLERANCE,
    Answer,
    Chunk,
    Cursor,
    Envelope,
    Session,
    TimedOutError,
)
from custom_components.lrs_pager.transmitter.coap import Host
from tests.properties import fewer
from tests.virtual_time import run_in

HOUR, DAY = 3600, 24 * 3600

# Seconds by which the unit's clock is known at best: it shows whole ones.
READING = 1

# Seconds that a message takes.
LATENCY = 0.02

# An ordinary day, the nights on which clocks are changed, and a zone that has none of that.
BEGINNINGS = [
    (datetime(2026, 11, 23, 11, tzinfo=UTC), "Europe/Amsterdam"),
    (datetime(2026, 10, 24, 23, tzinfo=UTC), "Europe/Amsterdam"),
    (datetime(2026, 3, 28, 23, tzinfo=UTC), "Europe/Amsterdam"),
    (datetime(2026, 11, 23, 2, tzinfo=UTC), "Asia/Tokyo"),
]


def naive(time: datetime) -> float:
    """A naive time in seconds since 1970."""
    return time.replace(tzinfo=UTC).timestamp()


class Moment(Enum):
    """When something may happen while we are at work."""

    ASKED = "a question is on its way"
    ANSWERED = "an answer is on its way"
    WRITTEN = "the log is being written"


# The stamp that a step leaves.
STAMPS = {Step.STARTED: "created", Step.PAGED: "notified"}


@dataclass
class Guest:
    """A session as it truly was.

    session: as the unit tells it. marks: of each stamp, the unit's clock in seconds, without
    summer time, and how often it had been set. ended: when that was.
    """

    session: Session
    marks: dict[str, tuple[int, int]]
    ended: float | None = None
    is_paged_known: bool = False

    def is_doubtful(self, zone: ZoneInfo) -> bool:
        """Whether a stamp is of the hour that comes twice as clocks are put back."""
        session = self.session
        stamps = session.created, session.notified, session.cleared
        return any(
            stamp is not None
            and stamp.replace(tzinfo=zone).utcoffset()
            != stamp.replace(tzinfo=zone, fold=1).utcoffset()
            for stamp in stamps
        )

    def truth(self, start: str, end: str) -> int | None:
        """Seconds between two stamps; None if the unit's clock was set in between."""
        if start not in self.marks or end not in self.marks:
            return None
        (began, setting), (ended, last_setting) = self.marks[start], self.marks[end]
        return ended - began if setting == last_setting else None


class Unit:
    """A unit, and what it answers."""

    def __init__(
        self, world: World, ahead: float, drift: float, *, keeps_summer_time: bool
    ) -> None:
        self.world = world
        self.ahead, self.drift = ahead, drift
        self.keeps_summer_time = keeps_summer_time and abs(ahead) < TOLERANCE.total_seconds()
        offset = datetime.fromtimestamp(world.true, world.zone).utcoffset()
        self.offset = (offset or timedelta()).total_seconds()
        self.settings_count = self.sequence = 0
        self.is_off = False
        self.host = Host("unit", 5683)
        self.guests: list[Guest] = []

    @property
    def seconds(self) -> float:
        """What its clock would show in winter in London."""
        return self.world.true + self.ahead

    def shows(self) -> datetime:
        if self.keeps_summer_time:
            time = datetime.fromtimestamp(self.seconds, self.world.zone).replace(tzinfo=None)
        else:
            time = datetime.fromtimestamp(self.seconds + self.offset, UTC).replace(tzinfo=None)
        return time.replace(microsecond=0)

    def set(self, ahead: float) -> None:
        self.ahead = ahead
        self.keeps_summer_time &= abs(ahead) < TOLERANCE.total_seconds()
        self.settings_count += 1

    def set_to_2000(self) -> None:
        self.keeps_summer_time = False
        self.set(self.ahead + naive(datetime(2000, 1, 1)) - naive(self.shows()))

    @property
    def active(self) -> list[Guest]:
        return [guest for guest in self.guests if guest.ended is None]

    def mark(self, guest: Guest, stamp: str) -> None:
        guest.marks[stamp] = floor(round(self.seconds, 6)), self.settings_count
        self.sequence += 1
        self.world.due[guest.session.uuid, stamp] += 1

    def envelope(self) -> Envelope:
        return Envelope(
            response_types=("sessions",),
            sequence=self.sequence,
            timestamp=self.shows(),
            device_name=None,
            firmware_version=None,
        )

    # ------------------------------------------------------------- as sync/ knows a transmitter

    async def _exchange(self) -> tuple[float, Envelope]:
        asked = self.world.loop
        self.world.passes(LATENCY)
        await self.world.happens(Moment.ASKED)
        if self.is_off:
            raise TimedOutError("off")
        envelope = self.envelope()
        await self.world.happens(Moment.ANSWERED)
        self.world.passes(LATENCY)
        return asked, envelope

    async def sessions(self, etag: bytes | None = None) -> Answer:
        asked, envelope = await self._exchange()
        return Answer(
            envelope=envelope,
            sessions=tuple(guest.session for guest in self.active),
            is_all=True,
            etag=None,
            asked=asked,
            answered=self.world.loop,
        )

    async def settings(self) -> Answer:
        asked, envelope = await self._exchange()
        return Answer(
            envelope=envelope, is_all=False, etag=None, asked=asked, answered=self.world.loop
        )

    async def history(self, cursor: Cursor | None = None) -> AsyncIterator[Chunk]:
        asked, envelope = await self._exchange()
        ended = [guest.session for guest in self.guests if guest.ended is not None]
        yield Chunk(
            envelope=envelope,
            sessions=tuple(replace(s, state=None, clear_type=s.clear_type) for s in ended),
            cursor=None,
            is_last=True,
            is_from_beginning=True,
            goes_on=False,
            is_complete=True,
            asked=asked,
            answered=self.world.loop,
        )


async def nowhere(_: object) -> None:
    """There is no other transmitter."""


class Ours:
    """What keeps up with the unit, from one start to the next."""

    def __init__(self, world: World, log: SessionLog) -> None:
        self.world, self.log = world, log
        self.is_wanted = True
        self.timer: tuple[float, Callable[[], None]] | None = None
        self.snapshot: Snapshot | None = None
        self.follower = Follower(
            world.unit,  # type: ignore[arg-type]
            log,
            Ourselves(
                zone=lambda: world.zone,
                wall=lambda: world.true + world.ahead,
                steady=lambda: world.loop,
                intervals=Intervals(),
                day_start=0,
                names_kept=None,
                find_elsewhere=nowhere,
                is_accepted=False,
            ),
            self,
        )
        self.picture = Picture(day_start=0, shows_names=False)
        self.timers = Timers(
            now=self.follower.clocks.now,
            call_later=self.call_later,
            is_told=lambda: world.is_pushed,
            ask=lambda: self.read_soon(0),
            show=self.changed,
        )
        self.timers.watch(
            lambda session: None if session.is_paged else session.late_at,
            world.told_late,
            set(),
            is_first=True,
        )
        self.follower.events.listen(world.told_step)
        if world.is_pushed:
            self.follower.push.state = PushState.LIVE
            self.follower.push._observation.is_counted = True

    def call_later(self, delay: float, run: Callable[[], None]) -> Callable[[], None]:
        self.timer = self.world.loop + delay, run

        def cancel() -> None:
            self.timer = None

        return cancel

    # --------------------------------------------------------------- what the follower tells

    def changed(self) -> None:
        self.show()

    def push_changed(self) -> None:
        pass

    def read_soon(self, delay: float) -> None:
        self.is_wanted = True

    def written(self, changes: Sequence[Change]) -> None:
        pass

    def missed(self, start: float, end: float) -> None:
        self.world.missed.append((start, end))

    def stepped(self, seconds: int) -> None:
        self.picture.shift(seconds)
        self.show()

    # -------------------------------------------------------------------------- as it is shown

    def show(self) -> None:
        follower = self.follower
        clock = follower.unit_clock()
        self.snapshot = self.picture.take(
            clock,
            follower.now(),
            facts=follower.facts,
            active=follower.tracker.active_by(clock),
            last_cleared=follower.tracker.latest,
            clock_ahead=follower.clocks.ahead,
            push=follower.push.state,
            quotes=None,
        )
        if self.snapshot.active is not None:
            self.timers.look(self.snapshot, follower.tracker.tracked)

    async def settle(self) -> None:
        """Have read what is to be read, and show it."""
        follower = self.follower
        follower.now()
        for _ in range(4):
            if not self.is_wanted:
                break
            self.is_wanted = False
            await self.poll()
        await follower.save()
        day = self.picture.day(follower.unit_clock(), follower.now())
        await self.picture.sum_up(day, self.log)
        self.show()

    async def poll(self) -> None:
        try:
            await self.follower.read()
        except TimedOutError:
            return
        self.timers.asked()
        if self.follower.poller.after_read() is not None:
            self.world.passes(1)
            self.is_wanted = True


@dataclass
class World:
    """The true time, all clocks, and what happens.

    true: POSIX seconds. loop: the event loop's clock. ahead: by how much ours is. changes: when
    clocks were set, or what was known of them lost. flips: when the unit's clock began or ceased
    to agree with ours. missed: spans in which sessions may have been missed. meanwhile: what is to
    happen, and when. due, told: how often a step of a session was taken, and was told of.
    """

    true: float
    zone: ZoneInfo
    is_pushed: bool
    loop: float = 1000.0
    ahead: float = 0.0
    unit: Unit = field(init=False)
    ours: Ours = field(init=False)
    changes: list[float] = field(default_factory=list)
    flips: list[tuple[float, bool]] = field(default_factory=list)
    missed: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    # Sessions that were placed by our own clock while that was wrong, and lost track of.
    lost: set[str] = field(default_factory=set)
    meanwhile: list[tuple[Moment, Sequence[Any]]] = field(default_factory=list)
    due: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    told: Counter[tuple[str | None, str]] = field(default_factory=Counter)

    def passes(self, seconds: float) -> None:
        self.true += seconds
        self.loop += seconds
        self.unit.ahead += seconds * self.unit.drift

    def waited(self, guest: Guest) -> int | None:
        """How long a guest has been waiting, by the unit's clock."""
        created, setting = guest.marks["created"]
        if setting != self.unit.settings_count or guest.is_doubtful(self.zone):
            return None
        began = datetime.fromtimestamp(created - self.unit.ahead, self.zone)
        if began.utcoffset() != datetime.fromtimestamp(self.true, self.zone).utcoffset():
            return None  # the unit's clock may have been set to or from summer time
        return floor(round(self.unit.seconds, 6)) - created

    def guest(self, session: PlacedSession) -> Guest:
        return next(g for g in self.unit.guests if g.session.uuid == session.uuid)

    def told_step(self, event: SessionEvent) -> None:
        self.told[event.session.uuid, STAMPS.get(event.step, "cleared")] += 1

    def told_late(self, session: PlacedSession) -> None:
        self.see_late(session, "told")

    def see_late(self, session: PlacedSession, how: str) -> None:
        guest = self.guest(session)
        waited = self.waited(guest)
        assert session.goal is not None
        if waited is not None and waited < session.goal + LATE_AFTER - READING:
            self.wrong.append(f"{how} to be late after {waited} s, with a goal of {session.goal} s")

    # ----------------------------------------------------------------------- what happens

    async def do(self, what: str, *values: object) -> None:
        await getattr(self, what)(*values)
        await self.ours.settle()
        await self.look()

    async def happens(self, moment: Moment) -> None:
        """Have what is to happen at a moment do so."""
        while self.meanwhile and self.meanwhile[0][0] is moment:
            _, (name, *values) = self.meanwhile.pop(0)
            await getattr(self, name)(*values)

    async def turn(self, moment: Moment, what: Sequence[Any]) -> None:
        """Have something happen when we are next at work."""
        self.meanwhile.append((moment, what))

    async def wait(self, seconds: float) -> None:
        end = self.loop + seconds
        for _ in range(50):
            timer = self.ours.timer
            if timer is None or timer[0] > end:
                break
            self.passes(max(0.0, timer[0] - self.loop))
            self.ours.timer = None
            timer[1]()
            await self.ours.settle()
        if seconds >= HOUR:
            # Polls go on meanwhile.
            for _ in range(8):
                self.passes(max(0.0, (end - self.loop) / 2))
                self.ours.is_wanted = True
                await self.ours.settle()
        self.passes(max(0.0, end - self.loop))

    async def come(self, goal: int, *how: float | bool) -> None:
        number = len(self.unit.guests) + 1
        session = Session(
            id=number,
            uuid=f"uuid-{number}",
            number=number,
            party_size=2,
            goal=goal,
            created=self.unit.shows(),
            notified=None,
            cleared=None,
            clear_type=None,
            label=None,
            state=STARTED,
        )
        guest = Guest(session, {})
        self.unit.guests.append(guest)
        self.unit.mark(guest, "created")
        self.tell(guest, *how)

    async def page(self, which: int, *how: float | bool) -> None:
        waiting = [g for g in self.unit.active if g.session.notified is None]
        if waiting:
            guest = waiting[which % len(waiting)]
            guest.session = replace(guest.session, notified=self.unit.shows(), state=PAGED)
            self.unit.mark(guest, "notified")
            self.tell(guest, *how)

    async def leave(self, which: int, *how: float | bool) -> None:
        if self.unit.active:
            guest = self.unit.active[which % len(self.unit.active)]
            is_paged = guest.session.notified is not None
            guest.session = replace(guest.session, cleared=self.unit.shows(), state=CLEARED)
            self.unit.mark(guest, "cleared")
            guest.ended = self.true
            self.tell(guest, *how)
            guest.session = replace(
                guest.session, clear_type=STOP if is_paged else REMOVED, state=None
            )

    def tell(self, guest: Guest, delay: float, has_timestamp: bool) -> None:
        """Have a message of it arrive, so much later; without push, it never does."""
        if not self.is_pushed or self.unit.is_off:
            return
        envelope = self.unit.envelope()
        if not has_timestamp:
            envelope = replace(envelope, timestamp=None)
        self.passes(delay)
        self.ours.follower.receive(
            Answer(
                envelope=envelope,
                sessions=(guest.session,),
                is_all=False,
                is_asked=False,
                etag=None,
                asked=self.loop,
                answered=self.loop,
            )
        )

    async def poll(self) -> None:
        self.ours.is_wanted = True

    async def set_ours(self, ahead: float) -> None:
        self.changes.append(self.true)
        self.ahead = ahead

    async def sleep(self, seconds: float) -> None:
        self.changes.append(self.true)
        self.true += seconds
        self.unit.ahead += seconds * self.unit.drift

    async def set_unit(self, ahead: float) -> None:
        await self.catch_up()
        self.changes.append(self.true)
        self.unit.set(ahead)
        self.ours.is_wanted = True  # it tells that its settings have changed

    async def catch_up(self) -> None:
        """Have all known that was stamped before the unit's clock is set."""
        self.ours.is_wanted = True
        await self.ours.settle()

    async def reset_unit(self, seconds: float) -> None:
        """The power is off for a while, and the clock has no battery."""
        await self.catch_up()
        self.unit.is_off = True
        await self.wait(seconds)
        self.changes.append(self.true)
        self.unit.is_off = False
        self.unit.set_to_2000()
        self.ours.is_wanted = True

    async def restart(self, ahead: float) -> None:
        self.meanwhile.clear()  # what happened while nobody was there is no news
        await self.ours.follower.save()
        if self.ahead or ahead:
            self.lost |= {g.session.uuid or "" for g in self.unit.guests}
        self.changes.append(self.true)
        self.passes(5)
        self.ahead = ahead
        await self.start(self.ours.log)

    async def start(self, log: SessionLog) -> None:
        self.ours = Ours(self, log)
        await self.ours.follower.open()
        await self.ours.picture.open(log, self.ours.follower.now())

    # ----------------------------------------------------------------------- what then holds

    async def look(self) -> None:
        follower, snapshot = self.ours.follower, self.ours.snapshot
        assert snapshot is not None
        if not self.flips or self.flips[-1][1] != follower.clocks.agrees:
            self.flips.append((self.true, follower.clocks.agrees))
        for session in snapshot.late:
            self.see_late(session, "shown")
        late = {session.uuid for session in snapshot.late}
        for session in snapshot.waiting:
            waited = self.waited(self.guest(session))
            if waited is not None and session.goal is not None and session.uuid not in late:
                over = waited - session.goal - LATE_AFTER
                if over > READING:
                    self.wrong.append(f"not shown to be late, {over} s over the goal")
        assert not self.wrong, self.wrong
        await self.look_at_day(snapshot)

    async def look_at_day(self, snapshot: Snapshot) -> None:
        """No figure of a day has a session of another, and none of its own is left out."""
        if self.unit.is_off:
            return
        shows = self.unit.shows()
        midnight = naive(datetime(shows.year, shows.month, shows.day))
        begins = self.true - (naive(shows) - midnight)
        today = {s.uuid for s in await self.ours.log.between(snapshot.day.start, snapshot.day.end)}
        for guest in self.unit.guests:
            if guest.ended is None or guest.session.cleared is None:
                continue
            uuid = guest.session.uuid
            if uuid in today and guest.ended < begins - 12 * HOUR - HOUR - 400:
                raise AssertionError(f"{uuid} ended {begins - guest.ended} s before today")
            is_same = {count for _, count in guest.marks.values()} == {self.unit.settings_count}
            if not is_same or uuid in self.lost or not await self.ours.log.find(guest.session):
                continue
            # Where the clock begins or ceases to be taken for local time, minutes are doubtful.
            since_midnight = naive(guest.session.cleared) % DAY
            if min(since_midnight, DAY - since_midnight) <= TOLERANCE.total_seconds() + 5:
                continue
            is_today = guest.session.cleared.date() == shows.date()
            if is_today and self.ahead:
                continue  # while our clock is wrong, some may seem to be of another day
            assert (uuid in today) == is_today, (uuid, guest.session.cleared, shows, snapshot.day)

    async def look_at_all(self) -> None:
        """In the end, with our clock right."""
        for session in await self.ours.log.between(0, 2**40):
            guest = self.guest(session)
            assert guest.ended is not None, "in the log, and never ended"
            if guest.is_doubtful(self.zone):
                continue
            for name, start, end in (
                ("wait", "created", "notified"),
                ("response", "notified", "cleared"),
            ):
                truth, found = guest.truth(start, end), getattr(session, name)
                if truth is None:
                    assert found is None or 0 <= found <= DAY
                elif found is None:
                    # One who was not cleared at closing.
                    assert truth >= 3 * HOUR
                else:
                    assert found == truth, (name, found, truth)
            if session.uuid in self.lost:
                continue
            slack = TOLERANCE.total_seconds() + 5
            assert session.ended_at <= self.true + slack, "it ends in the future"
            if {setting for _, setting in guest.marks.values()} == {self.unit.settings_count}:
                assert abs(session.ended_at - guest.ended) <= slack, session.ended_at - guest.ended
        for (before, _), (then, _) in zip(self.flips[1:], self.flips[2:], strict=False):
            if then - before < DAY:
                assert any(before - 60 <= at <= then for at in self.changes), (
                    "the clock repair came and went within a day"
                )


waits = st.sampled_from([1, 20, 100, 299, 301, 600, 1200, HOUR, 5 * HOUR, 11 * HOUR, DAY])
# Seconds that a message takes, and whether the unit's time is in it.
told = (st.sampled_from([0, 0, 0, 3, 40]), st.booleans())
which = st.integers(0, 3)
offs = [0, 2, -2, 90, -90, 299, -299, 301, 420, -420, 1500, HOUR, -HOUR, -10 * HOUR]

steps = st.one_of(
    st.tuples(st.just("wait"), waits),
    st.tuples(st.just("come"), st.sampled_from([30, 300, 900]), *told),
    st.tuples(st.just("come"), st.sampled_from([30, 300, 900]), *told),
    st.tuples(st.just("page"), which, *told),
    st.tuples(st.just("leave"), which, *told),
    st.tuples(st.just("poll")),
    st.tuples(st.just("set_ours"), st.sampled_from(offs)),
    st.tuples(st.just("set_ours"), st.just(0)),
    st.tuples(st.just("sleep"), st.sampled_from([60, HOUR, 9 * HOUR])),
    st.tuples(st.just("set_unit"), st.sampled_from([*offs, -9 * 365 * DAY])),
    st.tuples(st.just("reset_unit"), st.sampled_from([5, HOUR, 14 * HOUR])),
    st.tuples(st.just("restart"), st.sampled_from([0, 0, -10 * HOUR, HOUR])),
)


async def live(
    beginning: tuple[datetime, str],
    ahead: float,
    drift: float,
    happenings: Sequence[tuple[object, ...]],
    *,
    keeps_summer_time: bool,
    is_pushed: bool,
) -> None:
    """Live through it, and look at every step of it."""
    world = World(beginning[0].timestamp() + 0.3, ZoneInfo(beginning[1]), is_pushed)
    world.unit = Unit(world, ahead, drift, keeps_summer_time=keeps_summer_time)
    with tempfile.TemporaryDirectory() as folder:
        log = SessionLog(Path(folder) / "lrs_pager.time.db")
        await log.open()
        try:
            await world.start(log)
            await world.do("poll")
            for name, *values in happenings:
                await world.do(str(name), *values)
            await world.do("set_ours", 0)
            for _ in range(2):
                await world.do("wait", 61)
                await world.do("poll")
            await world.look_at_all()
        finally:
            await log.close()


@fewer(2)
@given(
    st.sampled_from(BEGINNINGS),
    st.sampled_from([0, 3, -200, 200, 299.5, -299.5, 240, -240, HOUR, -3 * HOUR, 400 * DAY]),
    st.sampled_from([0, 2 / DAY, -2 / DAY]),
    st.lists(steps, max_size=16),
    st.booleans(),
    st.booleans(),
)
def test_what_is_known_of_guests_is_what_the_units_stamps_say_whatever_clocks_are_set_to(
    beginning: tuple[datetime, str],
    ahead: float,
    drift: float,
    happenings: list[tuple[object, ...]],
    keeps_summer_time: bool,
    is_pushed: bool,
) -> None:
    run_in(
        asyncio.new_event_loop(),
        live(
            beginning,
            ahead,
            drift,
            happenings,
            keeps_summer_time=keeps_summer_time,
            is_pushed=is_pushed,
        ),
    )


class WatchedLog(SessionLog):
    """A log that takes its time to write."""

    def __init__(self, path: Path, world: World) -> None:
        super().__init__(path)
        self._world = world

    @override
    async def merge(self, sessions: Iterable[Session], place: Place) -> list[Change]:
        changes = await super().merge(sessions, place)
        await self._world.happens(Moment.WRITTEN)
        return changes

    @override
    async def shift(self, seconds: int) -> list[Change]:
        changes = await super().shift(seconds)
        await self._world.happens(Moment.WRITTEN)
        return changes

    @override
    async def keep(self, sessions: Iterable[PlacedSession]) -> list[Change]:
        changes = await super().keep(sessions)
        await self._world.happens(Moment.WRITTEN)
        return changes


async def tell(ahead: float, happenings: Sequence[tuple[Any, ...]], *, is_pushed: bool) -> None:
    """Live through it, with a poll or two after each step, and compare what was told."""
    began, zone = BEGINNINGS[0]
    world = World(began.timestamp() + 0.3, ZoneInfo(zone), is_pushed)
    world.unit = Unit(world, ahead, 0, keeps_summer_time=True)
    with tempfile.TemporaryDirectory() as folder:
        log = WatchedLog(Path(folder) / "lrs_pager.told.db", world)
        await log.open()
        try:
            await world.start(log)
            for name, *values in [("poll",), *happenings]:
                await getattr(world, name)(*values)
                for _ in range(3):
                    await world.catch_up()
                    follower = world.ours.follower
                    follower.events.tell(follower.now() - MAX_EVENT_AGE)
                    world.passes(1)
                assert world.told == world.due, (name, *values)
        finally:
            await log.close()


# Seconds that a message takes while something else is under way.
soon = (st.sampled_from([0, 0.3]), st.booleans())
ours = st.sampled_from([0, 0, 1500, -1500, -400, 240, -90, HOUR, 3 * HOUR, -10 * HOUR])
meanwhile = st.one_of(
    st.tuples(st.just("come"), st.sampled_from([30, 300, 900]), *soon),
    st.tuples(st.just("page"), which, *soon),
    st.tuples(st.just("leave"), which, *soon),
    st.tuples(st.just("set_ours"), ours),
)
steps_in_service = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 100, 299, 301, 600])),
    st.tuples(st.just("come"), st.sampled_from([30, 300, 900]), *told),
    st.tuples(st.just("come"), st.sampled_from([30, 300, 900]), *told),
    st.tuples(st.just("page"), which, *told),
    st.tuples(st.just("leave"), which, *told),
    st.tuples(st.just("set_ours"), ours),
    st.tuples(st.just("turn"), st.sampled_from(Moment), meanwhile),
    st.tuples(st.just("restart"), ours),
)


@fewer(2)
@given(st.sampled_from([0, 45, -170]), st.lists(steps_in_service, max_size=18), st.booleans())
@example(
    0,
    [
        ("come", 30, 0, False),
        ("turn", Moment.WRITTEN, ("set_ours", 1500)),
        ("leave", 0, 0, False),
    ],
    True,
)
def test_each_step_is_told_once_whenever_our_clock_is_set(
    ahead: float, happenings: list[tuple[Any, ...]], is_pushed: bool
) -> None:
    run_in(asyncio.new_event_loop(), tell(ahead, happenings, is_pushed=is_pushed))
