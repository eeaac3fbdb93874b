"""One run, from onboarding to the last comparison."""

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
import json
import math
from pathlib import Path
import random
import re
import shutil
import signal
import socket
import time
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from demo.home_assistant import CONFIGURATION, HomeAssistant, HomeAssistantError
from tests.simulator import Change, Simulator, Unit

from .client import Client
from .clock import Clock
from .comparison import STATISTICS, Books, hourly, read_log, statistics_differences
from .manager import (
    Recount,
    file_differences,
    pager_differences,
    pattern_differences,
    quote_differences,
    read_quotes,
    spans_of,
    view_differences,
)
from .plan import LONGEST_ABSENCE, SHIFTS, SMALL_OFFSETS, After, Event, Shift, next_trouble, plan
from .service import MARK, Guest, Service, plan_shift, serve_hours
from .steps import Listener, Steps, Telling

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = "lrs_pager"
USER = PASSWORD = "soak"

# The manifest of what is installed beside ours; no file, lest somebody takes it for a part of ours.
PROBE = {
    "domain": "soak_probe",
    "name": "Soak probe",
    "codeowners": [],
    "dependencies": ["http"],
    "documentation": "https://www.example.com",
    "iot_class": "calculated",
    "version": "0.0.0",
}

# A zone with summer time, which ends in the first week.
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2026, 10, 19)

# Days of service that the unit has in its history when it is added.
DAYS_BEFORE = 2

# Sessions that the unit keeps, in days of service: it forgets all along, as real ones may.
DAYS_KEPT = 4

# Share of a day's sessions that come in an absence of hours.
ABSENCE = 0.25

# Figures of the day that are compared, and that users have to enable.
DISABLED_AT_FIRST = (
    *("average_response", "guests_served", "removed_today"),
    *("left_rate", "did_not_come_rate"),
)

# Minutes after which what happened is no news any more; see MAX_EVENT_AGE of sessions/tracker.py.
STALE_AFTER = timedelta(minutes=16)

# Seconds in which all comes right after a shift, if Home Assistant is asked to update (`_ask`). A
# read that the unit does not answer takes 12; Home Assistant passes on one question in 10.
SETTLE_TIMEOUT = 60
# ... and by itself: a unit that has forgotten us shows after 95 seconds of silence.
PATIENT_TIMEOUT = 180
# After the first difference, time-outs are this many times shorter: the rest only tells more of it.
HURRY = 4
# Seconds in which all mostly comes right without a question.
UNASKED = 4.0
# Seconds between two questions, and between two looks.
QUESTION_INTERVAL = 5.0
LOOK_INTERVAL = 0.5

# Seconds for an entry to be set up, also if the unit has a fault in between.
SET_UP_TIMEOUT = 120
# ... and for it to have had a list of the active sessions, which some faults keep from it for long.
LIST_TIMEOUT = 15

# Seconds for which a NAT lets in what follows a request: answers, but no pings.
NAT = 1.5

# Guests of another unit that was given the address.
STRANGERS = 12
# Above the ids of ours.
STRANGERS_IDS = 100_000
# Seconds for which it goes on to answer once Home Assistant knows that it is another.
SWAPPED = 0.7
# Far from all ids before: near ones would be taken for those of later guests of the same unit.
IDS_AFTER_RESET = 200_000

# Seconds in which the manager's figures come right, at the end.
MANAGER_TIMEOUT = 60

# Seconds in which the recorder gets all rows, at the end.
STATISTICS_TIMEOUT = 120

# Seconds that Home Assistant takes to start.
START = 7.0

# Seconds of a shift at least, however few minutes there are.
SHORTEST_SHIFT = 3.0
# Seconds that a shift takes beside its guests, as far as is known before the first.
OVERHEAD = 4.0

# What our log lines say at WARNING and above while a unit has faults, and actions fail ...
EXPECTED_LINES = (
    "Error fetching T7470 data",
    "Error during service call to lrs_pager",
    "The history can't be read",
    "times or sessions of the history can't be read",
    # Home Assistant times this by its wall clock, which was set in between.
    "Updating state for ",
)
# ... and what Home Assistant says, with a traceback, of any action that fails after its caller,
# here the soak, has hung up.
HUNG_UP = "HomeAssistantError exception in shielded future"

# Differences of one kind that are shown.
SHOWN = 5


def say(text: str) -> None:
    """Tell how far things are."""
    print(text, flush=True)  # noqa: T201  # it is a program


def _configuration() -> str:
    """What a user has, with the lines of docs/actions.md that keep names out of the database."""
    recorder = "recorder:\n  exclude:\n    event_types: [call_service]\n"
    return CONFIGURATION.replace("recorder:\n", recorder) + "soak_probe:\n"


def minutes(span: timedelta) -> str:
    """Write a span that may be negative."""
    return f"{span.total_seconds() / 60:+g} min"


def free_port() -> int:
    """Return a TCP port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True)
class Sample:
    """What the process held at a checkpoint. life: which process, from 0. day: of service."""

    life: int
    day: float
    held: dict[str, float]


class Soak:
    """One run."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        """Lay out the folder; nothing is started yet."""
        self._args = args
        self._rng = random.Random(f"{args.seed} guests")
        self._trouble_rng = random.Random(f"{args.seed} faults")
        self._clock = Clock(folder, ZONE)
        self._config = folder / "config"
        probe = self._config / "custom_components" / "soak_probe"
        probe.mkdir(parents=True)
        (probe / "manifest.json").write_text(json.dumps(PROBE))
        shutil.copy(Path(__file__).with_name("probe.py"), probe / "__init__.py")
        (self._config / "configuration.yaml").write_text(_configuration())
        self._clock.set_to(datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(hours=12))
        self.unit = Unit(
            now=self._clock.now,
            seed=args.seed,
            history_limit=DAYS_KEPT * args.sessions_per_day,
            history_party_size=True,
        )
        self._simulator = Simulator(unit=self.unit)
        self._faults = self._simulator.faults
        self._faults.network.seed = args.seed
        self.steps = Steps(self.unit)
        self._listener = Listener(self.steps.tell)
        self._client = Client(self._simulator.host)
        self._books = Books(self.unit, self._clock)
        self._home = HomeAssistant(
            self._config, args.integration, free_port(), environment=self._clock.environment
        )
        self._token = ""
        self._entry_id = ""
        self._entities: dict[str, str] = {}
        self.life = 0
        self.done: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.wrong: list[str] = []
        self._seen: set[str] = set()  # differences that need not be waited for again
        self._has_failed = False
        self.checkpoints = self.unaided = 0
        self.observed: list[bool] = []  # at each change in service, whether the unit told it
        self.unit.listeners.append(self._look_who_observes)
        self.actions: Counter[bool] = Counter()
        self.others: Counter[bool] = Counter()  # what another client did
        self._is_swapped = False
        # Spans in which the unit may have forgotten sessions that nobody saw.
        self._spans = 0
        self.diary: list[str] = []  # when what went wrong, by this process's monotonic clock

    # ------------------------------------------------------------- Home Assistant

    @property
    def log_file(self) -> Path:
        """The session log."""
        return self._config / ".storage" / f"{DOMAIN}.{self._entry_id}.db"

    async def run(self) -> None:
        """Run all of it."""
        args = self._args
        self.steps.telling = Telling.STALE
        start = self._clock.now()
        serve_hours(
            self.unit,
            self._rng,
            start - timedelta(days=DAYS_BEFORE),
            start - timedelta(hours=1),
            DAYS_BEFORE * args.sessions_per_day,
        )
        try:
            async with self._simulator:
                say("Starting Home Assistant")
                await self._home.start()
                say(f"Home Assistant {await self._home.version()}; adding the transmitter")
                await self._add()
                say(f"{len(self.unit.ledger)} sessions were before")
                await self._checkpoint("start")
                self.steps.telling = Telling.DUE
                await self._serve_days()
                if not args.no_statistics:
                    await self._compare_statistics()
                await self._compare_history()
                await self._compare_manager()
        finally:
            await self._listener.stop()
            await self._home.stop()
        self.wrong += self.steps.differences()
        self._look_for_names()
        self._look_at_lines()

    def _note(self, text: str) -> None:
        self.diary.append(f"{time.monotonic():.2f} {self._clock.now():%a %H:%M:%S} {text}")

    def _look_who_observes(self, _: Change) -> None:
        if self.steps.telling is Telling.DUE:
            self.observed.append(self._simulator.observers > 0)

    async def _add(self) -> None:
        """Go through onboarding, and add the transmitter as a user does."""
        home = self._home
        await home.log_in(USER, PASSWORD, ZONE.key)
        # The user's own token is good for half an hour, and hours pass quickly here.
        self._token = await home.command(
            "auth/long_lived_access_token", client_name="soak", lifespan=3650
        )
        home.token = self._token
        shown = (await home.rest("GET", "/api/soak_probe"))["time"]
        if abs(shown - self._clock.posix()) > 1:
            raise HomeAssistantError("Home Assistant does not go by the clock that it was given")
        address = {"host": self._simulator.host, "port": self._simulator.port}
        result = await home.flow(DOMAIN, address)
        if result["type"] != "create_entry":
            raise HomeAssistantError(f"The transmitter was not added: {result.get('errors')}")
        self._entry_id = result["result"]["entry_id"]
        # Home Assistant reloads the entry half a minute after the last was enabled.
        for entity in await home.command("config/entity_registry/list"):
            if entity["platform"] == DOMAIN and entity["translation_key"] in DISABLED_AT_FIRST:
                await home.command(
                    "config/entity_registry/update",
                    entity_id=entity["entity_id"],
                    disabled_by=None,
                )

        async def has_entities() -> bool:
            states = await home.states(self._entry_id)
            self._entities = {key: state["entity_id"] for key, state in states.items()}
            return states.keys() >= {"session", "daily_count", *DISABLED_AT_FIRST}

        await home.wait(has_entities, SET_UP_TIMEOUT, "the entities")
        self._listener.entity_id = self._entities["session"]
        await self._listener.listen(home.url, self._token)
        storage = self._config / ".storage"

        async def is_kept() -> bool:
            return all(
                path.exists() and text in path.read_text()
                for path, text in (
                    (storage / "core.config_entries", self._entry_id),
                    (storage / "core.entity_registry", self._entities["session"]),
                    (storage / "auth", "long_lived_access_token"),
                )
            )

        # Home Assistant itself forgets them if it is killed before that.
        await home.wait(is_kept, SET_UP_TIMEOUT, "the entry on the disk")

    async def _come_back(self) -> None:
        """Start Home Assistant again; return when the entry is set up and we hear its events."""
        home = self._home
        await home.start()
        home.token = self._token

        async def listens() -> bool:
            with suppress(aiohttp.ClientError, KeyError, TypeError):
                await self._listener.listen(home.url, self._token)
                return True
            return False

        await home.wait(listens, SET_UP_TIMEOUT, "the WebSocket")
        await self._loaded()
        self.life += 1

    async def _loaded(self) -> None:
        """Wait until the entry is set up; if the unit did not answer, have it tried again."""
        list_by = time.monotonic() + LIST_TIMEOUT

        async def is_loaded() -> bool:
            with suppress(HomeAssistantError):
                (entry,) = await self._home.entries(DOMAIN)
                if entry["state"] == "setup_retry":
                    await self._reload_now()
                elif entry["state"] == "loaded":
                    states = await self._states()
                    # Until it had a list of those who are there, it can't know who comes.
                    keys = ["daily_count", "active_sessions"][: 1 + (time.monotonic() < list_by)]
                    return not any(states[key] in {"unavailable", "unknown"} for key in keys)
            return False

        await self._home.wait(is_loaded, SET_UP_TIMEOUT, "the entry")

    async def _reload_now(self) -> None:
        path = f"/api/config/config_entries/entry/{self._entry_id}/reload"
        await self._home.rest("POST", path)

    async def _states(self) -> dict[str, str]:
        """The entities' states."""
        by_id = {state["entity_id"]: state for state in await self._home.rest("GET", "/api/states")}
        return {
            key: by_id[entity_id]["state"] if entity_id in by_id else "missing"
            for key, entity_id in self._entities.items()
        }

    async def _act(self, what: str, number: int, guest: Guest) -> bool:
        """Have Home Assistant do something with the session on a pager."""
        data: dict[str, Any] = {"number": number}
        if what == "start":
            data |= {"party_size": guest.party_size, "goal": guest.goal}
            data |= {"label": guest.label} if guest.label else {}
        is_done = False
        with suppress(HomeAssistantError, aiohttp.ClientError, TimeoutError, AssertionError):
            await self._home.rest("POST", f"/api/services/{DOMAIN}/{what}_session", data)
            is_done = True
        self.actions[is_done] += 1
        return is_done

    async def _act_elsewhere(self, what: str, number: int, guest: Guest) -> bool:
        """Have another client do something with the session on a pager."""
        if self._is_swapped:
            return False  # whose pager that would be is not for us to tell
        fields: dict[str, Any] = {}
        if what == "start":
            fields = {"partySize": guest.party_size, "goal": guest.goal, "label": guest.label}
        is_done = await self._client.act(self._simulator.port, what, number, **fields)
        self.others[is_done] += 1
        return is_done

    @asynccontextmanager
    async def _absence(self) -> AsyncIterator[None]:
        """Home Assistant, or the entry, goes and comes."""
        self.steps.begin_absence()
        yield
        self.steps.end_absence()

    # -------------------------------------------------------------------- service

    async def _serve_days(self) -> None:
        args = self._args
        shifts = plan(
            random.Random(f"{args.seed} plan"),
            FIRST_DAY,
            args.days,
            max(1, args.days // 3) if args.kills is None else args.kills,
            is_calm=args.calm,
        )
        end = time.monotonic() + 60 * args.minutes
        overhead = OVERHEAD
        for number, shift in enumerate(shifts):
            left = (end - time.monotonic()) / (len(shifts) - number)
            seconds = max(SHORTEST_SHIFT, left - overhead)
            began = time.monotonic()
            await self._serve(shift, seconds)
            took = time.monotonic() - began
            if shift.is_free:
                overhead += (took - seconds - overhead) / 4
            say(
                f"day {shift.day + 1:2} {shift.middle:%a %H:%M}  {len(self.unit.ledger):5} "
                f"sessions, {took:5.1f} s  {shift.event or ''}"
                f"{f' clock {shift.offset}' if shift.offset else ''}"
                f"{f' our clock {minutes(shift.step)}' if shift.step else ''}"
                f"{f', then {shift.after}' if shift.after else ''}"
            )

    async def _serve(self, shift: Shift, seconds: float) -> None:
        """Serve a shift, with what goes wrong in it and after it, and a checkpoint."""
        if shift.event in {Event.KILL, Event.RESTART}:
            seconds += START  # so that there is service before and after
        self._clock.set_to(shift.middle - timedelta(seconds=seconds / 2))
        if shift.offset is not None:
            self.done["unit's clock far off for a shift"] += 1
            await self._set_clock(shift.offset, is_far_off=True)
        if shift.step is not None:
            # Where the clocks seem to part, instants follow from what the unit's shows.
            self._books.are_parted = True
        if shift.is_behind_nat:
            self.done["shifts behind a NAT that lets nothing in"] += 1
        self._faults.network.nat = NAT if shift.is_behind_nat else None
        many = round(shift.guests * self._args.sessions_per_day / SHIFTS)
        guests = plan_shift(self._rng, many, seconds)
        service = Service(self.unit, self._act, self._act_elsewhere)
        serving = asyncio.create_task(service.serve(guests))
        troubles = asyncio.create_task(self._make_trouble(seconds))
        happening = asyncio.create_task(self._happen(shift, seconds))
        try:
            await asyncio.gather(serving, troubles, happening)
        finally:
            for task in (serving, troubles, happening):
                task.cancel()
        await self._checkpoint(
            f"{shift.middle}",
            (shift.middle.date() - FIRST_DAY).days + shift.middle.hour / 24,
            is_patient=shift.is_patient,
        )
        self._books.sessions()
        self._books.are_parted = False
        if shift.offset is not None:
            await self._set_clock(timedelta())
        if shift.after is not None:
            self.done[shift.after] += 1
            await self._do_after(shift.after)

    async def _set_clock(self, offset: timedelta, *, is_far_off: bool = False) -> None:
        """Set the unit's clock while no guest is there; wait until Home Assistant has noticed.

        The unit sends a message of each change of its settings; one that was lost is asked for.
        """
        self._books.sessions()
        self._books.off = offset if is_far_off else timedelta()
        self.unit.skew = offset
        self.unit.set_settings()

        end = time.monotonic() + SETTLE_TIMEOUT
        # The sensor has whole seconds, read off stamps of whole seconds.
        while abs(await self._shown_offset() - offset.total_seconds()) > 1:
            if time.monotonic() > end:
                self.wrong.append(f"the unit's clock was set to {offset}, and that is not noticed")
                break
            await self._ask()
            await asyncio.sleep(LOOK_INTERVAL)

    async def _shown_offset(self) -> float:
        """What the sensor of the unit's clock shows, in seconds."""
        with suppress(ValueError):
            return float((await self._states())["clock_offset"])
        return math.inf

    async def _make_trouble(self, seconds: float) -> None:
        """Make one trouble after the other."""
        end = time.monotonic() + seconds
        while not self._args.calm and time.monotonic() < end:
            trouble = next_trouble(self._trouble_rng)
            await asyncio.sleep(trouble.calm)
            self.done[trouble.name] += 1
            network = self._faults.network
            network.loss_in, network.loss_out = trouble.loss_in, trouble.loss_out
            network.delay, network.jitter = trouble.delay, trouble.jitter
            is_fault = trouble.name in self._faults.names()
            if is_fault:
                self._faults.switch(trouble.name, on=True)
            self._note(f"{trouble}")
            try:
                await asyncio.sleep(trouble.seconds)
            finally:
                self._note(f"{trouble.name} is over")
                network.loss_in = network.loss_out = network.delay = network.jitter = 0
                if is_fault:
                    self._faults.switch(trouble.name, on=False)

    async def _happen(self, shift: Shift, seconds: float) -> None:
        """Have something happen in the middle of it all."""
        if shift.event is None and shift.step is None:
            return
        await asyncio.sleep(self._trouble_rng.uniform(0.3, 0.6) * seconds)
        if shift.event is not None:
            self.done[shift.event] += 1
            self._note(shift.event)
        match shift.event:
            case None:
                self.done["Home Assistant's clock set in service"] += 1
                off_for = self._trouble_rng.uniform(0.1, 0.4) * seconds
                await self._have_clock_off(shift.step, off_for)
            case Event.KILL | Event.RESTART as event:
                async with self._absence():
                    kill = event is Event.KILL
                    await self._home.stop(signal.SIGKILL if kill else signal.SIGTERM)
                    self._clock.set_home_ahead(shift.step or timedelta())
                    await self._come_back()
                if shift.step is not None:
                    self.done["Home Assistant's clock off at its start"] += 1
                    await self._have_clock_off(shift.step, self._trouble_rng.uniform(1, 4))
            case Event.RELOAD:
                await self._reload()
            case Event.SWAP:
                await self._swap()
            case event:
                await self._happen_to_unit(event)

    async def _happen_to_unit(self, event: Event) -> None:
        """Have something happen to the unit alone."""
        match event:
            case Event.REBOOT:
                self.unit.reboot(restart_sequence=self._trouble_rng.random() < 0.5)  # noqa: PLR2004
            case Event.FORGET:
                self._simulator.forget_observers()
            case Event.BOOT:
                await self._simulator.stop()
                await asyncio.sleep(self._trouble_rng.uniform(1, 3))
                self.unit.reboot(
                    restart_sequence=True,
                    restart_ids=self._trouble_rng.random() < 0.5,  # noqa: PLR2004
                )
                await self._simulator.start()
            case Event.UNPLUG:
                await self._simulator.stop()
                await asyncio.sleep(self._trouble_rng.uniform(0.5, 4))
                await self._simulator.start()

    async def _have_clock_off(self, step: timedelta | None, seconds: float) -> None:
        """Have Home Assistant's own clock be off for a while, and put right again."""
        self._note(f"Home Assistant's clock {step and minutes(step)}")
        self._clock.set_home_ahead(step or timedelta())
        try:
            await asyncio.sleep(seconds)
        finally:
            self._clock.set_home_ahead(timedelta())
            self._note("Home Assistant's clock is right")

    async def _reload(self) -> None:
        async with self._absence():
            await self._reload_now()
            await self._loaded()

    async def _swap(self) -> None:
        """Have another unit answer at the address, until the user is told and says so."""
        other = Unit(now=self._clock.now, seed=self._args.seed + 1, next_id=STRANGERS_IDS)
        now = self._clock.now()
        serve_hours(other, self._rng, now - timedelta(hours=3), now, STRANGERS)
        other.create(1)
        await self._simulator.stop()
        try:
            async with Simulator(unit=other, port=self._simulator.port) as there:
                self._is_swapped = True
                await self._answer("another")
                await self._client.be_idle()
                # Until Home Assistant knows, an action is done at whoever answers.
                before = len(there.requests)
                await asyncio.sleep(SWAPPED)
                codes = {asked.code for asked in there.requests[before:]}
        finally:
            self._is_swapped = False
            await self._simulator.start()
        if codes - {"GET"}:
            self.wrong.append(f"another unit was sent {codes}")

    async def _reset(self) -> None:
        """Have the unit forget all and serve others for hours; the user says that it is ours."""
        await self._simulator.stop()
        self.unit.reboot(lose_history=True, lose_active=True, restart_sequence=True)
        self.unit.next_id = IDS_AFTER_RESET
        self._pass_hours()
        await self._simulator.start()
        async with self._absence():
            await self._answer("same")
            await self._loaded()
        self._spans += 1
        await self._checkpoint("reset")

    async def _answer(self, choice: str) -> None:
        """Wait for the question whether another unit answers, and choose, as a user does."""
        issue_id = f"another_unit_{self._entry_id}"

        async def is_asked() -> bool:
            with suppress(HomeAssistantError, aiohttp.ClientError):
                await self._ask()
                found = await self._home.command("repairs/list_issues")
                return any(issue["issue_id"] == issue_id for issue in found["issues"])
            return False

        try:
            await self._home.wait(is_asked, SETTLE_TIMEOUT, "the question who answers")
        except HomeAssistantError as err:
            self.wrong.append(f"{err}")
            return
        path = "/api/repairs/issues/fix"
        flow = await self._home.rest("POST", path, {"handler": DOMAIN, "issue_id": issue_id})
        await self._home.rest("POST", f"{path}/{flow['flow_id']}", {"next_step_id": choice})
        self._note(f"the user says: {choice}")

    async def _do_after(self, after: After) -> None:
        self._note(after)
        match after:
            case After.WIPE:
                self.unit.wipe_history()
            case After.SET_CLOCK:
                await self._set_clock(self._trouble_rng.choice(SMALL_OFFSETS))
            case After.RELOAD:
                await self._reload()
            case After.HOURS_DOWN:
                async with self._absence():
                    await self._home.stop()
                    self._pass_hours()
                    await self._come_back()
                await self._checkpoint("hours down")
            case After.HOURS_UNPLUGGED:
                await self._simulator.stop()
                self._pass_hours()
                await self._simulator.start()
                await self._checkpoint("hours unplugged")
            case After.RESET:
                await self._reset()

    def _pass_hours(self) -> None:
        """Let hours pass in which guests come that Home Assistant knows nothing of."""
        before, self.steps.telling = self.steps.telling, Telling.STALE
        start = self._clock.now()
        hours = timedelta(hours=self._trouble_rng.uniform(2, LONGEST_ABSENCE))
        guests = round(ABSENCE * self._args.sessions_per_day)
        self._clock.set_to(start + hours)
        serve_hours(self.unit, self._rng, start, start + hours - STALE_AFTER, guests)
        self.steps.telling = before

    # ----------------------------------------------------------------- comparisons

    async def _ask(self) -> None:
        """Ask for everything to be read, as a user may."""
        with suppress(HomeAssistantError, aiohttp.ClientError):
            await self._home.rest(
                "POST",
                "/api/services/homeassistant/update_entity",
                {"entity_id": self._entities["daily_count"]},
            )

    async def _wrong_now(self) -> list[str]:
        """What is not as it should be at this moment."""
        lines, damage = await asyncio.to_thread(read_log, self.log_file)
        wrong = damage + self._books.log_differences(lines)
        if not wrong and not self._books.off:
            wrong += self._books.figure_differences(await self._states(), lines)
        return wrong

    async def _checkpoint(self, name: str, day: float = 0, *, is_patient: bool = False) -> None:
        """Wait until all is as it should be, and say what is not at the end of time."""
        began = time.monotonic()
        timeout = PATIENT_TIMEOUT if is_patient else SETTLE_TIMEOUT
        end = began + (timeout / HURRY if self._has_failed else timeout)
        asked_at = began + UNASKED - QUESTION_INTERVAL
        is_unaided = True
        while True:
            wrong = [line for line in await self._wrong_now() if line not in self._seen]
            untold = self.steps.untold
            if not wrong and not untold:
                break
            now = time.monotonic()
            if now > end:
                self._seen.update(wrong)
                self.wrong += [f"at {name}: {line}" for line in wrong]
                # What is untold is a difference at the end.
                say("\n".join([*wrong, *map(str, untold)][:SHOWN]))
                self.steps.give_up()
                self._has_failed = True
                break
            if not is_patient and now - asked_at > QUESTION_INTERVAL:
                asked_at, is_unaided = now, False
                await self._ask()
            await asyncio.sleep(LOOK_INTERVAL)
        self._note(f"checkpoint {name}")
        self.checkpoints += 1
        self.unaided += is_unaided
        held = await self._home.rest("GET", "/api/soak_probe")
        held["memory"] -= held["database"]
        self.samples.append(Sample(self.life, day, held))

    async def _compare_history(self) -> None:
        """Compare with what the action get_history returns."""
        answer = await self._answer_of(
            "get_history", start="2000-01-01 00:00:00", end="2100-01-01 00:00:00"
        )
        told = [session["session_id"] for session in answer["service_response"]["sessions"]]
        ids = [session.uuid for session in self.unit.ledger]
        if sorted(told) != sorted(ids):
            self.wrong.append(f"get_history returns {len(told)} sessions, should be {len(ids)}")

    async def _compare_manager(self) -> None:
        """Compare the manager's figures, as soon as they can be right."""
        await self._reload()
        lines, _ = read_log(self.log_file)
        recount = Recount(self._books.settled(lines), ZONE)
        quotes = read_quotes(self.log_file)
        # A wipe may add one: if the unit was away before any session of its new history was known.
        spans = range(self._spans, self._spans + self.done[After.WIPE] + 1)
        end = time.monotonic() + MANAGER_TIMEOUT
        while True:
            now = self._clock.posix()
            # Its clock may show yesterday still.
            midnight = datetime.combine(self.unit.time().date(), datetime.min.time())
            pattern = (await self._answer_of("get_pattern", weeks=52))["service_response"]
            pagers = (await self._answer_of("get_pagers"))["service_response"]
            view = await self._home.command(f"{DOMAIN}/manager")
            file = await self._home.rest("GET", f"/api/{DOMAIN}/{self._entry_id}/sessions.csv")
            wrong = [
                *pattern_differences(recount, pattern, now, spans=spans),
                *pager_differences(recount, pagers, now),
                *view_differences(recount, view, now, midnight, spans_of(pattern)),
                *quote_differences(recount, quotes, await self._home.states(self._entry_id)),
                *file_differences(recount, quotes, file),
            ]
            if not wrong or time.monotonic() > end:
                break
            await asyncio.sleep(1)
        self.done["hours of the week compared"] = len(pattern["cells"])
        self.done["quotes compared"] = sum(quoted is not None for quoted in quotes.values())
        self.done["guests who left, or did not come"] = recount.gone
        self.wrong += wrong

    async def _answer_of(self, action: str, **data: Any) -> Any:
        """What an action returns."""
        return await self._home.rest(
            "POST", f"/api/services/{DOMAIN}/{action}?return_response", data
        )

    async def _compare_statistics(self) -> None:
        """Have all rows written, which an unload does, and compare them."""
        await self._reload()
        lines, _ = read_log(self.log_file)
        expected = hourly(self._books.settled(lines))
        ids = {name: f"{DOMAIN}:{self._entry_id.lower()}_{name}" for name in STATISTICS}
        end = time.monotonic() + STATISTICS_TIMEOUT
        while True:
            rows = await self._home.command(
                "recorder/statistics_during_period",
                start_time="2000-01-01T00:00:00+00:00",
                period="hour",
                statistic_ids=list(ids.values()),
                types=["state", "sum", "mean", "min", "max"],
            )
            wrong = statistics_differences(expected, {n: rows.get(i, []) for n, i in ids.items()})
            if not wrong or time.monotonic() > end:
                break
            await asyncio.sleep(1)
        self.done["hours of statistics compared"] = len(expected["sessions"])
        self.wrong += wrong

    def _look_for_names(self) -> None:
        """See that no guest's name is where none may be: in no file but the session log."""
        for path in self._config.rglob("*"):
            if path.name.startswith(self.log_file.name) or not path.is_file():
                continue
            if MARK.encode() in path.read_bytes():
                self.wrong.append(f"a guest's name is in {path.relative_to(self._config)}")

    def _look_at_lines(self) -> None:
        """See that nothing of ours has raised where it should not."""
        text = self._home.log.read_text(errors="replace")
        for record in re.split(r"^(?=\d{4}-\d\d-\d\d )", text, flags=re.MULTILINE):
            head = record.partition("\n")[0]
            is_ours = DOMAIN in record or "aiocoap" in record
            is_bad = re.search(r" (WARNING|ERROR|CRITICAL) \(", head)
            if not is_ours or not is_bad or "has not been tested" in head or HUNG_UP in head:
                continue
            if "Traceback" in record or not any(line in head for line in EXPECTED_LINES):
                self.wrong.append(f"in Home Assistant's log: {record[:2000]}")
            else:
                self.done["lines in Home Assistant's log that say so"] += 1
