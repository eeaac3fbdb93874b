"""Whatever goes wrong: one table of faults, and one promise that is checked for each of them.

Guests come and go before, during and after each fault. The promise is `Scene.check`: nothing is
lost and nothing made up, what is shown is right (or, while that can't be, unavailable or late),
the log has one line each way, and after the end nothing lingers. The harness fails a test for
timers and tasks that are left, and for whatever reaches the event loop's exception handler.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum, auto
import json
import logging
from pathlib import Path
import resource
import shutil
import socket
import time
from typing import Any
from unittest.mock import Mock

from aiocoap import Context, Message
from aiocoap.numbers.codes import Code
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.repairs import AnotherUnitFlow
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sync import push
from custom_components.lrs_pager.transmitter import blockwise, coap
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from tests.conftest import OUR_LOGGERS, QUICK, SetUp, poll, sensor, serve_guest
from tests.sessions import everything
from tests.simulator import Simulator, Unit
from tests.simulator.unit import Change

# Noon in the harness's zone, US/Pacific, so that all of a test is on one day; time goes on.
pytestmark = pytest.mark.freeze_time("2026-11-23 20:00:00", tick=True)

HISTORY = ("v1", "sessions", "history")
SESSIONS = ("v1", "sessions")
NOTIFY = ("v1", "notify")
SETTINGS = ("v1", "settings")

WORDS = json.loads((Path(coordinator.__file__).parent / "translations" / "en.json").read_text())[
    "exceptions"
]

# Turns of five milliseconds in which what is pushed is shown, on the slowest computer.
PATIENCE = 1500


# --------------------------------------------------------------------------------- the scene


class Shown(Enum):
    """What entities show while a fault lasts."""

    RIGHT = auto()
    # The day's figures are right; the active sessions may be late, or unavailable.
    DAY = auto()
    # The active sessions are right; the day's figures may be behind.
    LIVE = auto()
    # The day's figures are those of the log, which may be behind; the active sessions are
    # unavailable.
    LOG = auto()
    # They are available and may be behind, as nobody can know better.
    LATE = auto()
    # They are unavailable.
    AWAY = auto()


class Stage(Enum):
    """How far a test has come."""

    BEFORE = auto()
    MEANWHILE = auto()
    AFTER = auto()
    RELOADED = auto()


class Scene:
    """A transmitter, a Home Assistant, and what truly happened, by a clock that is never wrong."""

    def __init__(
        self,
        hass: HomeAssistant,
        simulator: Simulator,
        fault: Fault,
        freezer: FrozenDateTimeFactory,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Have the unit's clock show the wall's time in `zone`, and its own skew."""
        self.hass = hass
        self.simulator = simulator
        self.unit = simulator.unit
        self.fault = fault
        self.freezer = freezer
        self.zone: tzinfo = dt_util.get_default_time_zone()
        self.entry: MockConfigEntry
        # What a file was that could not be read.
        self.unreadable: bytes | None = None
        self._monkeypatch = monkeypatch
        self._caplog = caplog
        # By session and step: POSIX seconds, cut to whole ones as the unit's stamps are.
        self._happened: dict[str, dict[str, int]] = {}
        # When that is which happens now, and when the unit last looked at its clock.
        self._moment: float | None = None
        self._looked_at = 0.0
        # What was in the log, and what was told, so far.
        self._count = 0
        self._logged: list[PlacedSession] = []
        self._told: list[tuple[str, str]] = []
        self.unit.now = self._now
        self.unit.listeners.append(self._note)

    # ------------------------------------------------------------------- what happens

    def _now(self) -> datetime:
        self._looked_at = time.time()
        return self._wall(self._looked_at)

    def _wall(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None)

    @contextmanager
    def _ago(self, seconds: float) -> Iterator[None]:
        self._moment = time.time() - seconds
        with self.unit.at(self._wall(self._moment)):
            yield
        self._moment = None

    def _note(self, change: Change) -> None:
        if change.session:
            steps = self._happened.setdefault(change.session.uuid, {})
            steps.setdefault(change.kind, int(self._moment or self._looked_at))

    def come(self, number: int, ago: float) -> None:
        """Give a pager to a guest."""
        with self._ago(ago):
            self.unit.create(number, goal=300, label=f"Müller {number}", party_size=2)

    def evening(self) -> None:
        """Have guests served, and others there, before anything goes wrong."""
        for number in range(1, 7):
            self.visit(number, ended=700 - 60 * number, removed=number == 3)
        for number in (11, 12, 13, 14):
            self.come(number, ago=400 + number)
        self.page(12, ago=90)

    def evening_goes_on(self) -> None:
        """Have all kinds of things happen, in the last minute, while something is wrong."""
        if self.fault.is_quiet:
            self.visit(21, ended=10)
            return
        self.page(11, ago=50)
        self.leave(11, ago=40)
        self.leave(12, ago=30)
        self.leave(14, ago=20, removed=True)
        # A message of long ago is not believed before the list was asked.
        self.visit(21, ended=10, waited=120 if self.fault.has_messages_alone else 300)
        self.come(15, ago=5)
        if 13 in self.unit.active:
            self.unit.update(13, party_size=4, label="Meier")
            self.unit.update(13, party_size=5, label="Maier")

    def evening_ends(self) -> None:
        """Have things happen once more."""
        self.page(13, ago=4)
        self.leave(15, ago=3)
        self.visit(22, ended=2)
        self.come(16, ago=1)

    def page(self, number: int, ago: float) -> None:
        """Page a guest, unless the unit has forgotten that there is one."""
        with self._ago(ago):
            if number in self.unit.active:
                self.unit.page(number)

    def leave(self, number: int, ago: float, *, removed: bool = False) -> None:
        """Have a guest's session end, unless the unit has forgotten it."""
        with self._ago(ago):
            if number in self.unit.active:
                self.unit.remove(number) if removed else self.unit.clear(number)

    def visit(self, number: int, ended: float, *, removed: bool = False, waited: int = 300) -> None:
        """Have a guest come, wait for so many seconds, and leave one minute later."""
        self.come(number, ended + 60 + waited)
        self.page(number, ended + 60)
        self.leave(number, ended, removed=removed)

    # ---------------------------------------------------------------- Home Assistant

    @property
    def path(self) -> Path:
        """The file of the session log."""
        return log_paths(self.hass, self.entry.entry_id)[0]

    @property
    def has_push(self) -> bool:
        """Whether the unit tells changes."""
        return self.simulator.max_observers is None

    @property
    def is_loaded(self) -> bool:
        return self.entry.state is ConfigEntryState.LOADED

    @contextmanager
    def patched(self, target: object, **values: object) -> Iterator[None]:
        """Have attributes of a module or class be others for a while."""
        with self._monkeypatch.context() as patch:
            for name, value in values.items():
                patch.setattr(target, name, value)
            yield

    async def act(self, what: str, number: int) -> None:
        """Have an action change a session; HomeAssistantError if it is refused."""
        data = {"number": number}
        await self.hass.services.async_call(DOMAIN, f"{what}_session", data, blocking=True)

    async def staff(self) -> None:
        """Have actions do to six pagers what others do, too; they may be refused, in words."""
        refusals = set()
        for what in ("start", "page", "clear"):
            for number in range(41, 47):
                try:
                    await self.act(what, number)
                except HomeAssistantError as err:
                    refusals.add(err.translation_key)
        assert refusals <= WORDS.keys()

    @asynccontextmanager
    async def unloaded(self) -> AsyncIterator[None]:
        """Do something while the integration does not run."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        yield
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    def listen(self) -> Callable[[], None]:
        """Listen to the steps that are told, as automations do."""
        entity_id = er.async_get(self.hass).async_get_entity_id(
            "event", DOMAIN, f"{self.entry.entry_id}_session"
        )
        assert entity_id

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            old, new = event.data["old_state"], event.data["new_state"]
            if new is None or new.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
                return
            # One that comes back from being unavailable shows its last event once more.
            told = (new.attributes["event_type"], new.attributes["session_id"])
            if old is None or old.state != STATE_UNAVAILABLE or told not in self._told:
                self._told.append(told)

        return async_track_state_change_event(self.hass, [entity_id], changed)

    # ------------------------------------------------------------------- the promise

    async def check(self, shown: Shown, stage: Stage) -> None:
        """Check all that must hold; wait for what is pushed, but not for a poll."""
        fault = self.fault
        if shown is Shown.AWAY:
            for key in ("daily_count", "last_cleared_session", "active_sessions"):
                assert sensor(self.hass, self.entry, key).state == STATE_UNAVAILABLE, key
        elif shown is Shown.LOG:
            for key in ("active_sessions", "waiting_sessions", "paged_sessions"):
                assert sensor(self.hass, self.entry, key).state == STATE_UNAVAILABLE, key
            count = len(await everything(self.entry.runtime_data.log))
            assert sensor(self.hass, self.entry, "daily_count").state == str(count)
            assert sensor(self.hass, self.entry, "last_cleared_session").state.startswith("20")
        elif shown is Shown.LATE:
            assert sensor(self.hass, self.entry, "daily_count").state.isdecimal()
        else:
            for _ in range(PATIENCE if self.has_push else 100):
                self._logged = await everything(self.entry.runtime_data.log)
                if not (differences := self._differences(shown, stage)):
                    break
                await asyncio.sleep(0.005)
            assert differences == {}
        if self.is_loaded:
            self._logged = await everything(self.entry.runtime_data.log)
            self._check_log()
        self._check_lines(stage)
        # What the user has to be told, and no more.
        issues = {issue_id for _, issue_id in ir.async_get(self.hass).issues}
        is_told = stage is Stage.MEANWHILE
        is_told |= shown is Shown.LATE and fault.needs_whole_history
        is_over = stage in (Stage.AFTER, Stage.RELOADED)
        issue = fault.issue if is_told else fault.issue_after if is_over else None
        assert issues == ({f"{issue}_{self.entry.entry_id}"} if issue else set())
        # What could not be read is still there.
        aside = [path.read_bytes() for path in self.path.parent.glob("*.unreadable.*")]
        assert aside == ([] if self.unreadable is None else [self.unreadable])

    def _check_log(self) -> None:
        """Nothing is made up, nothing is told twice, and nothing is lost that was there."""
        uuids, ids = ({getattr(s, key) for s in self.unit.ledger} for key in ("uuid", "id"))
        for session in self._logged:
            assert session.uuid in uuids or (session.uuid is None and session.id in ids)
        assert self._count <= len(self._logged) <= len(self.unit.ledger)
        self._count = len(self._logged)
        assert len(self._told) == len(set(self._told)), self._told

    def _lines(self, level: int) -> list[str]:
        """What we logged, from this level on."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.levelno >= level
            and record.name.startswith(OUR_LOGGERS)
            # Home Assistant's own, of an entry that it can't set up; older ones log it elsewhere.
            and "not ready yet" not in record.getMessage()
        ]

    @property
    def problems(self) -> list[str]:
        """What we logged that is not well."""
        return self._lines(logging.WARNING)

    def _check_lines(self, stage: Stage) -> None:
        """There is one line each way, and nothing unexpected from anybody."""
        fault, lines = self.fault, self._lines(logging.INFO)
        expected = {
            Stage.BEFORE: [],
            Stage.MEANWHILE: [fault.goes],
            Stage.AFTER: [fault.goes, fault.comes],
            Stage.RELOADED: [fault.goes, fault.comes],
        }[stage]
        texts = [text for text in expected if text]
        if fault.comes_and_goes:
            assert stage is Stage.MEANWHILE or not len(lines) % 2, lines
            texts = ([fault.goes or "", fault.comes or ""] * len(lines))[: len(lines)]
        assert len(lines) == len(texts), lines
        for line, text in zip(lines, texts, strict=True):
            assert text in line
        for record in self._caplog.records:
            if record.levelno >= logging.ERROR or record.exc_info:
                assert record.getMessage() in lines
                assert not record.exc_info

    def _differences(self, shown: Shown, stage: Stage) -> dict[str, tuple[Any, Any]]:
        """What is shown, in the log or on the disk beside what is so, where that is another."""
        if shown is Shown.LIVE:
            return {
                what: pair for what, pair in self._active_and_so().items() if pair[0] != pair[1]
            }
        pairs = {**self._logged_and_so(), **self._day_and_so()}
        if shown is not Shown.DAY:
            pairs |= self._active_and_so()
        if self.fault.is_saved_meanwhile or stage is not Stage.MEANWHILE:
            files = self.path.parent.glob(f"{self.path.name}*")
            data = b"".join(file.read_bytes() for file in files)
            pairs["not saved"] = [s for s in self.unit.ledger if s.uuid.encode() not in data], []
        return {what: (ours, so) for what, (ours, so) in pairs.items() if ours != so}

    @property
    def _ends(self) -> dict[str, int]:
        """When the sessions of the ledger truly ended."""
        steps = {"STOP": "cleared", "REMOVED": "removed"}
        return {s.uuid: self._happened[s.uuid][steps[s.clear_type]] for s in self.unit.ledger}

    @property
    def _waits(self) -> dict[str, int]:
        """How long those of them truly waited who were paged."""
        return {
            s.uuid: steps["paged"] - steps["created"]
            for s in self.unit.ledger
            if "paged" in (steps := self._happened[s.uuid])
        }

    def _logged_and_so(self) -> dict[str, tuple[Any, Any]]:
        fault, ends, waits = self.fault, self._ends, self._waits
        pairs: dict[str, tuple[Any, Any]] = {"log": (len(self._logged), len(ends))}
        logged = {session.uuid: session for session in self._logged}
        for session in self.unit.ledger:
            ours, number = logged.get(session.uuid), session.number
            if ours is None:
                pairs[f"{number}"] = None, session
                continue
            for name in ("id", "number", "goal", "label", "clear_type"):
                pairs[f"{name} of {number}"] = getattr(ours, name), getattr(session, name)
            wait = _about(waits.get(session.uuid), fault.wait_slack)
            pairs[f"wait of {number}"] = ours.wait, wait
            pairs[f"end of {number}"] = ours.ended_at, _about(ends[session.uuid], fault.slack)
        return pairs

    def _day_and_so(self) -> dict[str, tuple[Any, Any]]:
        fault, ends, waits = self.fault, self._ends, self._waits
        average = sum(waits.values()) / len(waits) / 60
        shown = self._state("average_wait")
        last = sensor(self.hass, self.entry, "last_cleared_session")
        latest = max(ends.values())
        # Of those that ended in the same second, it may be any.
        candidates = [
            s.number for s in self.unit.ledger if ends[s.uuid] >= latest - 2 * fault.slack
        ]
        number = last.attributes.get("number")
        ended = last.state
        if ended not in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            ended = datetime.fromisoformat(last.state).timestamp()
        return {
            "count": (self._state("daily_count"), str(len(ends))),
            "average wait": (
                float(shown) if shown.replace(".", "").isdecimal() else shown,
                _about(average, 0.001 + fault.wait_slack / 60),
            ),
            "last cleared": (number, number if number in candidates else candidates),
            "its end": (ended, _about(latest, 3 * fault.slack)),
        }

    def _active_and_so(self) -> dict[str, tuple[Any, Any]]:
        active = self.unit.active.values()
        paged = sum(session.notified is not None for session in active)
        listed = sensor(self.hass, self.entry, "active_sessions").attributes.get("sessions") or ()
        return {
            "active": (self._state("active_sessions"), str(len(active))),
            "waiting": (self._state("waiting_sessions"), str(len(active) - paged)),
            "paged": (self._state("paged_sessions"), str(paged)),
            "sessions": (
                {(s["number"], s["party_size"], s["state"], s["label"]) for s in listed},
                {(s.number, s.party_size, s.state, s.label) for s in active},
            ),
        }

    def _state(self, key: str) -> str:
        return sensor(self.hass, self.entry, key).state


def _about(value: float | None, slack: float) -> Any:
    """Something that equals a number as far as that is known."""
    return value if value is None else pytest.approx(value, abs=slack)


async def until(happened: Callable[[], object]) -> None:
    """Wait for it; who calls this checks then whether it happened."""
    for _ in range(PATIENCE):
        if happened():
            return
        await asyncio.sleep(0.005)


def descriptors() -> int:
    """How many files and sockets are open in this process."""
    return len(list(Path("/dev/fd").iterdir()))


# -------------------------------------------------------------------------------- the faults

type Lasts = Callable[[Scene], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row of the table.

    lasts: a context manager in which the fault is there. meanwhile: what is shown then.
    goes, comes: of the log line when it begins, and when it is over; all there are.
    """

    name: str
    lasts: Lasts
    meanwhile: Shown = Shown.RIGHT
    goes: str | None = None
    comes: str | None = None
    # Lines each time that the integration is started, rather than once.
    # Whether it may come and go by chance while it lasts, with a line each time.
    comes_and_goes: bool = False
    # Whether all is right with the first poll after it; else, once something happens.
    is_right_at_once: bool = True
    # Whether it is right only when all of the history is read again, as once a day.
    needs_whole_history: bool = False
    # Whether the unit would be taken for another if it forgot its history, too.
    is_known_by_history: bool = False
    # Of the repair that the user is told of, and of one when it is over.
    issue: str | None = None
    issue_after: str | None = None
    # Whether sessions are on the disk as soon as they are shown.
    is_saved_meanwhile: bool = True
    # Seconds by which instants, and waits, may be off after it.
    slack: int = 0
    wait_slack: int = 0
    # Where the two make a difference.
    modes: tuple[str, ...] = ("push", "polls")
    # Whether nothing happens meanwhile but what polls don't see.
    is_quiet: bool = False
    # Whether there are messages that tell what happens meanwhile, and nothing else does.
    has_messages_alone: bool = False
    # Whether it takes a poll to see what happens meanwhile.
    needs_poll: bool = True
    # When it is, if not at noon.
    at: datetime | None = None
    # Of the simulator.
    options: dict[str, Any] = field(default_factory=dict)


def away(name: str, lasts: Lasts, says: str, **fields: Any) -> Fault:
    """A fault that takes the transmitter away."""
    return Fault(
        name=name,
        lasts=lasts,
        meanwhile=Shown.AWAY,
        goes=f"Error fetching T7470 data: {says}",
        comes="Fetching T7470 data recovered",
        **fields,
    )


def without_history(name: str, lasts: Lasts, says: str, **fields: Any) -> Fault:
    """A fault that takes nothing away but what the history alone can tell."""
    return Fault(
        name=name,
        lasts=lasts,
        meanwhile=Shown.LIVE,
        goes=f"The history can't be read: {says}",
        comes="The history can be read again",
        **fields,
    )


def with_nothing_read(name: str, lasts: Lasts, says: str, *, pushed: Shown) -> Iterator[Fault]:
    """A fault in which the transmitter answers, but nothing that it is asked for can be read.

    pushed: what is shown if there is push.
    """
    for mode, meanwhile in (("push", pushed), ("polls", Shown.LOG)):
        yield replace(
            without_history(name, lasts, says),
            meanwhile=meanwhile,
            modes=(mode,),
            has_messages_alone=meanwhile is Shown.LIVE,
        )


def switched(*names: str) -> Lasts:
    """A fault of the simulator's."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        for name in names:
            scene.simulator.faults.switch(name, on=True)
        yield
        for name in names:
            scene.simulator.faults.switch(name, on=False)

    return lasts


def impatiently(inner: Lasts, patience: float = 0.1) -> Lasts:
    """Have what is not answered be given up soon, as long as a fault lasts."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        with scene.patched(coap, EXCHANGE_TIMEOUT=patience, INITIAL_ACK_TIMEOUT=0.03):
            async with inner(scene):
                yield

    return lasts


def for_minutes(inner: Lasts) -> Lasts:
    """Have five minutes go by at once, after which a question without an answer is asked again."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        poller = scene.entry.runtime_data.follower.poller
        with scene.patched(poller, _intervals=replace(poller._intervals, history=0)):
            async with inner(scene):
                yield

    return lasts


@asynccontextmanager
async def unplugged(scene: Scene) -> AsyncIterator[None]:
    await scene.simulator.stop()
    yield
    await scene.simulator.start()


@asynccontextmanager
async def nameless(scene: Scene) -> AsyncIterator[None]:
    unknown = Mock(side_effect=socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with scene.patched(socket, getaddrinfo=unknown):
        yield


@asynccontextmanager
async def unplugged_and_nameless(scene: Scene) -> AsyncIterator[None]:
    async with unplugged(scene), nameless(scene):
        yield


def rejecting(code: str, *path: str) -> Lasts:
    """A code in answer to all that is asked of a path, or of every path."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        scene.simulator.faults.errors[path] = code
        if path == NOTIFY:
            scene.simulator.forget_observers()
        yield
        scene.simulator.faults.errors.clear()

    return lasts


def wrong(name: str, value: object) -> Lasts:
    """A field with this value, wherever it is."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        scene.simulator.faults.wrong[name] = value
        yield
        scene.simulator.faults.wrong.clear()

    return lasts


def lossy(loss: float, *, patience: float = coap.EXCHANGE_TIMEOUT) -> Lasts:
    """A network that loses a share of all datagrams, either way; they are sent again quickly.

    patience: seconds after which an exchange is given up.
    """

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        network = scene.simulator.faults.network
        network.loss_in = network.loss_out = loss
        with scene.patched(
            coap,
            EXCHANGE_TIMEOUT=patience,
            INITIAL_ACK_TIMEOUT=0.05,
            MIN_ACK_TIMEOUT=0.02,
            MAX_ACK_TIMEOUT=0.05,
        ):
            yield
        network.loss_in = network.loss_out = 0

    return lasts


@asynccontextmanager
async def slow(scene: Scene) -> AsyncIterator[None]:
    """Three seconds for each datagram, but time is twenty times as fast."""
    network = scene.simulator.faults.network
    network.delay = 0.15
    with scene.patched(
        coap,
        EXCHANGE_TIMEOUT=0.6,
        INITIAL_ACK_TIMEOUT=0.025,
        MIN_ACK_TIMEOUT=0.01,
        MAX_ACK_TIMEOUT=0.1,
    ):
        yield
    network.delay = 0


@asynccontextmanager
async def behind_nat(scene: Scene) -> AsyncIterator[None]:
    """What the unit sends by itself never arrives, as its pings come later than this remembers."""
    network = scene.simulator.faults.network
    network.nat = scene.simulator.ping_interval / 2
    yield
    network.nat = None


@asynccontextmanager
async def two_clients(scene: Scene) -> AsyncIterator[None]:
    """Another client starts, pages and ends sessions at the same time as our actions do."""
    context = await Context.create_client_context(transports=["udp6"])
    uri = f"coap://{scene.simulator.host}:{scene.simulator.port}/v1/sessions"

    async def send(code: Code, number: int, **body: object) -> None:
        if code is Code.POST:
            body["number"] = number
        query = f"?number={number}" if code is not Code.POST else ""
        payload = json.dumps(body).encode() if body else b""
        await context.request(Message(code=code, uri=uri + query, payload=payload)).response

    async def client() -> None:
        for number in range(41, 47):
            await asyncio.sleep(0.02)
            await send(Code.POST, number, partySize=3, goal=300)
        for number in (*range(41, 47), 13):
            await asyncio.sleep(0.02)
            await send(Code.PUT, number, action="page")
        for number in (42, 44):
            await send(Code.PUT, number, action="clear")
        for number in (43, 45):
            await send(Code.DELETE, number)

    try:
        await asyncio.gather(client(), scene.staff())
        yield
        await asyncio.gather(client(), scene.staff())
    finally:
        await context.shutdown()


@asynccontextmanager
async def at_the_keypad(scene: Scene) -> AsyncIterator[None]:
    """The keypad is used for the same pagers as actions are, at the same time."""

    async def keypad() -> None:
        for step in (scene.unit.create, scene.unit.page, scene.unit.clear):
            for number in range(41, 47):
                await asyncio.sleep(0.02)
                with suppress(LookupError):
                    step(number)

    await asyncio.gather(keypad(), scene.staff())
    yield
    await asyncio.gather(keypad(), scene.staff())


@asynccontextmanager
async def jittery(scene: Scene) -> AsyncIterator[None]:
    """Datagrams that come twice, and overtake each other."""
    faults = scene.simulator.faults
    faults.duplicate = faults.latest_first = True
    faults.network.jitter = 0.02
    yield
    faults.duplicate = faults.latest_first = False
    faults.network.jitter = 0


@asynccontextmanager
async def endless(scene: Scene) -> AsyncIterator[None]:
    with scene.patched(blockwise, MAX_HELD=32 * 1024):
        async with switched("oversized")(scene):
            yield


@asynccontextmanager
async def wiped(scene: Scene) -> AsyncIterator[None]:
    scene.unit.wipe_history()
    yield
    scene.unit.wipe_history()


@asynccontextmanager
async def shortened(scene: Scene) -> AsyncIterator[None]:
    scene.unit.history_limit = 4
    del scene.unit.history[:4]
    yield
    del scene.unit.history[:2]


@asynccontextmanager
async def ids_restarted(scene: Scene) -> AsyncIterator[None]:
    scene.unit.next_id = 1
    yield
    scene.unit.next_id = 1


def rebooted(**lost: bool) -> Lasts:
    """A reboot, and another when this is over; the unit always forgets who observes it."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        scene.unit.reboot(**lost)
        yield
        scene.unit.reboot(**lost)

    return lasts


def powered_off(**lost: bool) -> Lasts:
    """The unit boots while a guest comes, and again when this is over."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        for number in (17, 18):
            await scene.simulator.stop()
            scene.unit.reboot(**lost)
            scene.come(number, ago=1)
            await scene.simulator.start()
            if number == 17:
                yield

    return lasts


@asynccontextmanager
async def reset(scene: Scene) -> AsyncIterator[None]:
    """The unit has forgotten all there was, until the user says that it is the same."""
    scene.freezer.tick(60)
    scene.unit.reboot(restart_sequence=True, restart_ids=True, lose_active=True, lose_history=True)
    yield
    flow = AnotherUnitFlow(scene.entry)
    flow.hass = scene.hass
    await flow.async_step_same()
    await scene.hass.async_block_till_done()


@asynccontextmanager
async def swapped(scene: Scene) -> AsyncIterator[None]:
    """Another unit answers at the address, which two units may have been given in turn."""
    other = Unit(now=scene.unit.now, seed=2, next_id=5000)
    for number in (7, 8, 9):
        serve_guest(other, number)
    other.create(13, label="Nobody")
    await scene.simulator.stop()
    async with Simulator(
        unit=other,
        port=scene.simulator.port,
        ping_interval=scene.simulator.ping_interval,
        max_observers=scene.simulator.max_observers,
    ) as there:
        yield
        # No guest is paged by a unit that is not theirs.
        with pytest.raises(HomeAssistantError):
            await scene.act("page", 13)
        assert {asked.code for asked in there.requests} == {"GET"}
    await scene.simulator.start()


def jumped(by: timedelta) -> Lasts:
    """The unit's clock is set, and set right again; guests leave right before, unseen by polls."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        scene.visit(31, ended=0)
        scene.unit.skew += by
        yield
        scene.visit(32, ended=0)
        scene.unit.skew -= by

    return lasts


def changed_clocks(*, follows: bool) -> Lasts:
    """The clocks change, and the unit's with them or not before this is over."""

    @asynccontextmanager
    async def lasts(scene: Scene) -> AsyncIterator[None]:
        before = dt_util.now().utcoffset()
        assert before is not None
        if not follows:
            scene.zone = timezone(before)
        scene.freezer.move_to(dt_util.utcnow() + timedelta(minutes=20))
        assert dt_util.now().utcoffset() != before
        yield
        scene.zone = dt_util.get_default_time_zone()

    return lasts


# ------------------------------------------------------------------------------- of the disk


@asynccontextmanager
async def file_limit(scene: Scene) -> AsyncIterator[None]:
    """No file may be written to beyond its first bytes: the kernel says so, whoever we are."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@asynccontextmanager
async def file_in_the_way_at_start(scene: Scene) -> AsyncIterator[None]:
    async with scene.unloaded():
        elsewhere = scene.path.rename(scene.path.with_name("elsewhere"))
        scene.path.mkdir()
    assert scene.entry.state is ConfigEntryState.SETUP_RETRY
    yield
    scene.path.rmdir()
    elsewhere.rename(scene.path)
    await scene.hass.config_entries.async_reload(scene.entry.entry_id)
    await scene.hass.async_block_till_done()


@asynccontextmanager
async def folder_removed(scene: Scene) -> AsyncIterator[None]:
    shutil.rmtree(scene.path.parent)
    yield


@asynccontextmanager
async def zeroed(scene: Scene) -> AsyncIterator[None]:
    """The file is damaged while Home Assistant is off."""
    async with scene.unloaded():
        scene.unreadable = bytes(scene.path.stat().st_size)
        scene.path.write_bytes(scene.unreadable)
    yield


# -------------------------------------------------------------------------------- the table

NO_ANSWER = "The transmitter does not answer"
REFUSED = "Nothing listens on the transmitter's port"


ANOTHER = "Another transmitter answers at this address"


def unreadable(field: str) -> str:
    return f"The transmitter's answer cannot be read ({field})"


CODES = ("4.00", "4.04", "4.05", "5.00", "5.03")
SPRING, AUTUMN = datetime(2026, 3, 8, 9, 50, tzinfo=UTC), datetime(2026, 11, 1, 8, 50, tzinfo=UTC)
OBJECT = {"what": "is this?"}

FAULTS = [
    # Nothing comes back, or no more than a no.
    away("silence", impatiently(switched("silence")), NO_ANSWER),
    away("empty ACKs", impatiently(switched("empty_ack")), NO_ANSWER),
    away("wrong tokens", impatiently(switched("wrong_token")), NO_ANSWER),
    away("unplugged", unplugged, REFUSED),
    away("resets", switched("reset"), REFUSED),
    away(
        "unplugged, and its name is lost",
        unplugged_and_nameless,
        REFUSED,  # the address that answered last is still asked
        options={"host": "localhost"},
    ),
    # An address that answers needs no name.
    Fault(name="its name is lost", lasts=nameless, options={"host": "localhost"}),
    Fault(
        name="silence on sessions",
        lasts=for_minutes(impatiently(switched("deaf_to_sessions"), patience=0.5)),
        meanwhile=Shown.DAY,
        modes=("polls",),
    ),
    # Codes.
    *(
        fault
        for code in CODES
        # Who is told of changes goes on being told.
        for fault in with_nothing_read(
            f"{code} on all", rejecting(code), f"answered {code}", pushed=Shown.LIVE
        )
    ),
    *(
        without_history(f"{code} on the history", rejecting(code, *HISTORY), f"answered {code}")
        for code in CODES
    ),
    *(
        Fault(
            name=f"{code} on sessions",
            lasts=for_minutes(rejecting(code, *SESSIONS)),
            meanwhile=Shown.DAY,
        )
        for code in CODES
    ),
    *(
        Fault(name=f"{code} on {place}", lasts=rejecting(code, *path))
        for place, path in (("settings", SETTINGS), ("notify", NOTIFY))
        for code in ("4.04", "5.03")
    ),
    # Bodies.
    *with_nothing_read("malformed", switched("malformed"), "body: ", pushed=Shown.LOG),
    *with_nothing_read(
        "truncated", switched("truncated"), "session_history: cut off", pushed=Shown.LOG
    ),
    *with_nothing_read("not UTF-8", switched("not_utf8"), "body: ", pushed=Shown.LOG),
    Fault(name="Latin-1", lasts=switched("latin_1")),
    Fault(name="endless", lasts=for_minutes(endless), meanwhile=Shown.LATE),
    # Blocks.
    without_history("wrong block numbers", switched("wrong_block_number"), "Block2: not the block"),
    without_history("short blocks", switched("short_block"), "Block2: a block of the wrong size"),
    without_history("last block lost", switched("last_block_lost"), "session_history: cut off"),
    Fault(
        name="a body that changes between blocks",
        lasts=switched("body_changes"),
        meanwhile=Shown.LATE,
    ),
    # The message layer.
    Fault(name="separate answers", lasts=switched("separate")),
    Fault(name="twice, and out of order", lasts=jittery),
    Fault(name="a delay of three seconds", lasts=slow),
    Fault(name="a loss of 5 %", lasts=lossy(0.05)),
    Fault(name="a loss of 20 %", lasts=lossy(0.2)),
    Fault(
        name="a loss of 50 %",
        lasts=lossy(0.5, patience=1.2),
        meanwhile=Shown.LATE,
        goes=f"Error fetching T7470 data: {NO_ANSWER}",
        comes="Fetching T7470 data recovered",
        comes_and_goes=True,
    ),
    # What nobody asked for is not let in; polls see what it would have told.
    Fault(name="a NAT", lasts=behind_nat),
    # ETags.
    Fault(name="ETags that lie", lasts=switched("etag_lies"), meanwhile=Shown.LATE),
    Fault(name="no ETags", lasts=switched("no_etag")),
    *with_nothing_read("always 2.03", switched("always_valid"), "code: ", pushed=Shown.LIVE),
    # Wrong types: of the envelope ...
    *with_nothing_read(
        "wrong responseTypes",
        wrong("responseTypes", OBJECT),
        "responseTypes: ",
        pushed=Shown.LOG,
    ),
    without_history(
        "wrong session_history",
        wrong("session_history", OBJECT),
        "session_history: ",
    ),
    *(
        Fault(name=f"wrong {name}", lasts=wrong(name, OBJECT))
        for name in ("globalSessionSequence", "timestamp", "deviceName", "firmwareVersion")
    ),
    Fault(
        name="wrong sessions",
        lasts=for_minutes(wrong("sessions", OBJECT)),
        meanwhile=Shown.DAY,
    ),
    *(Fault(name=f"wrong {name}", lasts=wrong(name, 7)) for name in ("statistics", "settings")),
    # ... and of sessions.
    *(
        Fault(
            name=f"wrong {name}",
            lasts=wrong(name, OBJECT),
            meanwhile=Shown.LATE,
            # What is not known of a session is read with the next history.
            is_right_at_once=False,
        )
        for name in ("id", "uuid", "number", "goalInSeconds", "label", "clearType")
    ),
    *(
        Fault(
            name=f"wrong {name}",
            lasts=wrong(name, OBJECT),
            meanwhile=Shown.LATE,
            is_right_at_once=False,
            needs_whole_history=True,
            goes="times or sessions of the history can't be read",
            issue="unreadable",
        )
        for name in ("created", "notified", "cleared")
    ),
    Fault(name="wrong partySize", lasts=wrong("partySize", OBJECT), meanwhile=Shown.LATE),
    *(
        Fault(name=f"wrong {name}", lasts=wrong(name, OBJECT))
        for name in ("sessionSequence", "started", "state")
    ),
    # The unit forgets.
    Fault(name="history wiped", lasts=wiped),
    Fault(name="the oldest are gone", lasts=shortened),
    Fault(name="ids begin again", lasts=ids_restarted, is_known_by_history=True),
    Fault(name="reboot", lasts=rebooted()),
    Fault(name="reboot, another sequence", lasts=rebooted(restart_sequence=True)),
    Fault(name="reboot without active sessions", lasts=rebooted(lose_active=True)),
    # The user says that it is the same.
    Fault(
        name="reset, and it is the same",
        lasts=reset,
        meanwhile=Shown.AWAY,
        goes=f"Error fetching T7470 data: {ANOTHER}",
        issue="another_unit",
        # Nobody can know whether it had served others before it forgot them.
        comes="Sessions may have been missed",
        is_known_by_history=True,
    ),
    Fault(
        name="reboot at noon",
        lasts=powered_off(restart_sequence=True),
        needs_poll=False,
        modes=("push",),
    ),
    # Another unit answers, which is nobody's that is known.
    away(
        "swapped units",
        swapped,
        ANOTHER,
        issue="another_unit",
    ),
    # Others do things, too.
    Fault(name="two clients", lasts=two_clients),
    Fault(name="keypad and actions at once", lasts=at_the_keypad),
    # Its clock.
    *(
        Fault(
            name=f"clock {'+' if by > timedelta() else '-'} {abs(by)}",
            lasts=jumped(by),
            # Within five minutes its stamps are taken as they are.
            slack=2 if abs(by) > timedelta(minutes=5) else 122,
            wait_slack=2 if abs(by) > timedelta(minutes=5) else 122,
            issue="clock_off" if abs(by) > timedelta(minutes=5) else None,
        )
        for span in (
            timedelta(minutes=2),
            timedelta(minutes=20),
            timedelta(hours=3),
            timedelta(730),
        )
        for by in (span, -span)
    ),
    *(
        Fault(
            name=f"clocks change in {season}, {'and' if follows else 'but not'} the unit's",
            lasts=changed_clocks(follows=follows),
            at=night,
            slack=0 if follows else 2,
            wait_slack=0 if follows else 2,
            issue=None if follows else "clock_off",
        )
        for season, night in (("spring", SPRING), ("autumn", AUTUMN))
        for follows in (True, False)
    ),
    # The disk; more of it is in tests/sessions/test_disk.py.
    Fault(
        name="files may not grow",
        lasts=file_limit,
        goes="The session log could not be saved: ",
        comes="The session log is saved again",
        issue="log_not_saved",
        is_saved_meanwhile=False,
    ),
    Fault(
        name="the log can't be opened at start",
        lasts=file_in_the_way_at_start,
        meanwhile=Shown.AWAY,
        modes=("polls",),
    ),
    Fault(name="the folder is removed", lasts=folder_removed),
    Fault(
        name="the file is all zeros",
        lasts=zeroed,
        goes="The session log could not be read; it was set aside",
        issue="log_set_aside",
        issue_after="log_set_aside",
        modes=("polls",),
    ),
]


def rows() -> Iterator[Any]:
    """Each fault, with push and without where that makes a difference."""
    for fault in FAULTS:
        marks = []
        if not fault.comes_and_goes and fault.goes:
            marks.append(pytest.mark.logs(fault.goes))
        for mode in fault.modes:
            yield pytest.param(fault, mode, id=f"{fault.name}-{mode}", marks=marks)


# --------------------------------------------------------------------------------- the test


@pytest.fixture
async def simulator(fault: Fault, mode: str) -> AsyncIterator[Simulator]:
    """The transmitter of a row, which pings more often than seconds of silence are short."""
    room = 0 if mode == "polls" else None
    options = {"ping_interval": 0.15, "ack_timeout": 0.2, "max_observers": room} | fault.options
    async with Simulator(unit=Unit(), **options) as simulator:
        yield simulator


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what push takes seconds to minutes for take a part of a second."""
    monkeypatch.setattr(coordinator, "INTERVALS", replace(QUICK, read_delay=0.05))
    monkeypatch.setattr(push, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(push, "MAX_DELAY", 0.1)


@pytest.fixture
async def scene(
    hass: HomeAssistant,
    simulator: Simulator,
    quick: None,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
) -> Scene:
    """Set the scene."""
    caplog.set_level(logging.INFO)
    if fault.at is not None:
        freezer.move_to(fault.at)
    return Scene(hass, simulator, fault, freezer, monkeypatch, caplog)


@pytest.mark.parametrize(("fault", "mode"), rows())
async def test_whatever_goes_wrong_nothing_is_lost_and_all_is_right_again(
    hass: HomeAssistant, scene: Scene, set_up: SetUp, fault: Fault, request: pytest.FixtureRequest
) -> None:
    tasks, before = asyncio.all_tasks(), descriptors()
    scene.evening()
    entry = scene.entry = await set_up(show_names_in_states=True)
    stop_listening = scene.listen()
    if scene.has_push:
        await until(lambda: entry.runtime_data.follower.push.is_live)
        scene.unit.update(13, party_size=3)
        await until(lambda: entry.runtime_data.follower.push.is_proved)
        assert entry.runtime_data.follower.push.is_proved
    await scene.check(Shown.RIGHT, Stage.BEFORE)

    async with fault.lasts(scene):
        scene.evening_goes_on()
        for _ in range(3):
            if scene.is_loaded and fault.needs_poll:
                await poll(hass, entry)
            await scene.check(fault.meanwhile, Stage.MEANWHILE)

    # It is over.
    if fault.needs_poll:
        await poll(hass, entry)
    await scene.check(Shown.RIGHT if fault.is_right_at_once else Shown.LATE, Stage.AFTER)
    if scene.has_push:
        await until(lambda: entry.runtime_data.follower.push.is_live and scene.simulator.observers)
    scene.evening_ends()
    if fault.needs_whole_history:
        entry.runtime_data.follower.poller.read_everything()
    if fault.needs_whole_history or not scene.has_push:
        await poll(hass, entry)
    await scene.check(Shown.RIGHT, Stage.AFTER)

    # From now on, what is on the disk is all there is.
    stop_listening()
    if not fault.is_known_by_history:
        scene.unit.wipe_history()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await scene.check(Shown.RIGHT, Stage.RELOADED)

    # Nothing lingers.
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    await until(lambda: asyncio.all_tasks() <= tasks)
    assert asyncio.all_tasks() <= tasks
    assert descriptors() == before
    if fault.comes_and_goes:
        request.node.add_marker(pytest.mark.logs(*scene.problems))
