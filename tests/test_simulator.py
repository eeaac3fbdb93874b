"""What users of the simulator rely on, checked over real CoAP on the loopback interface."""

# The unit's times have no zone, so those here have none either.

import ast
import asyncio
from collections.abc import AsyncGenerator, Callable
import contextlib
from datetime import datetime, timedelta
import io
import json
from pathlib import Path
import signal
import socket
import sys
from typing import Any

import aiocoap
from aiocoap import Code, Context, Message
from aiocoap.error import ConRetransmitsExceeded, Error as CoapError, MessageError
from aiocoap.numbers.constants import TransportTuning
from aiocoap.numbers.types import Type
import pytest
import pytest_socket

from . import simulator
from .simulator import HISTORY_EXAMPLE, Faults, Floor, NoSuchSessionError, Simulator, Unit
from .simulator.__main__ import Console, parse_arguments, parse_span
from .simulator.resources import HISTORY

NOON = datetime(2024, 6, 1, 12, 0, 0)

# Longer than anything here takes, so that what never comes ends the test.
PATIENCE = 10

# What the documentation's examples hold, in the order in which they hold it.
ENVELOPE = ["responseTypes", "globalSessionSequence", "timestamp", "deviceName", "firmwareVersion"]
STATISTICS = ["guestsServed", "percentLate", "percentOnTime", "averageTimeServed", "numSessions"]
TIMES = ["goalInSeconds", "created", "started", "notified", "cleared"]


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        """Start at noon."""
        self.time = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def forward(self, seconds: int) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


class Quick(TransportTuning):
    """A client that gives up soon."""

    ACK_TIMEOUT = 0.02
    MAX_RETRANSMIT = 2


class Patient(TransportTuning):
    """A client that tries often, for networks that lose much."""

    ACK_TIMEOUT = 0.01
    ACK_RANDOM_FACTOR = 1.0
    MAX_RETRANSMIT = 10


class Client:
    """An aiocoap client of one simulator."""

    def __init__(self, context: Context, sim: Simulator) -> None:
        """Take the context and whom to ask."""
        self.context = context
        self.base = (
            f"coap://[{sim.host}]:{sim.port}"
            if ":" in sim.host
            else f"coap://{sim.host}:{sim.port}"
        )

    def message(self, code: Code, path: str, body: object = None, **options: Any) -> Message:
        """Return a request; a body that is not bytes goes as compact JSON."""
        message = Message(code=code, uri=self.base + path, **options)
        if body is not None:
            is_raw = isinstance(body, bytes)
            message.payload = body if is_raw else json.dumps(body, separators=(",", ":")).encode()
            message.opt.content_format = 50
        return message

    async def ask(self, code: Code, path: str, body: object = None, **options: Any) -> Message:
        """Send a request and return its response."""
        request = self.context.request(self.message(code, path, body, **options))
        async with asyncio.timeout(PATIENCE):
            return await request.response

    async def get(self, path: str, **options: Any) -> Any:
        """Return the JSON of a successful GET."""
        response = await self.ask(Code.GET, path, **options)
        assert response.code == Code.CONTENT
        assert response.opt.content_format == 50
        return json.loads(response.payload)


class RawClient(asyncio.DatagramProtocol):
    """A client without a message layer: it sends and sees single messages."""

    def __init__(self) -> None:
        """Have nothing received."""
        self.received: asyncio.Queue[Message] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Queue a message."""
        self.received.put_nowait(Message.decode(data))

    def send(
        self, code: Code, path: str = "", *, mtype: Type = Type.CON, mid: int = 1, **fields: Any
    ) -> None:
        """Send one message with the token "token"."""
        message = Message(code=code, payload=fields.pop("payload", b""), **fields)
        message.opt.uri_path = path.split("/") if path else ()
        message.mtype, message.mid = mtype, mid
        message.token = b"token" if code != Code.EMPTY else b""
        self.transport.sendto(message.encode())

    async def receive(self) -> Message:
        """Return the next message that arrives."""
        async with asyncio.timeout(PATIENCE):
            return await self.received.get()

    async def nothing_came(self) -> bool:
        """Return whether the answer to a ping is the next message that arrives."""
        self.send(Code.EMPTY, mid=0xFFFF)
        message = await self.receive()
        return bool(message.mtype is Type.RST and message.mid == 0xFFFF)


@pytest.fixture(autouse=True)
def loopback() -> None:
    """Open the loopback interface, in the form in which aiocoap writes it too."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(
        ["127.0.0.1", "::1", "::ffff:127.0.0.1"], allow_unix_socket=True
    )


@pytest.fixture
def clock() -> Clock:
    """Return a clock at noon."""
    return Clock()


@pytest.fixture
def unit(clock: Clock) -> Unit:
    """Return a new unit at noon."""
    return Unit(now=clock)


@pytest.fixture
async def context() -> AsyncGenerator[Context]:
    """Return an aiocoap client context."""
    context = await Context.create_client_context(transports=["udp6"])
    yield context
    await context.shutdown()


@pytest.fixture
async def sim(unit: Unit) -> AsyncGenerator[Simulator]:
    """Return a running simulator that retransmits soon."""
    async with Simulator(unit=unit, ack_timeout=0.05) as sim:
        yield sim


@pytest.fixture
def client(context: Context, sim: Simulator) -> Client:
    """Return a client of it."""
    return Client(context, sim)


@pytest.fixture
async def raw(sim: Simulator) -> AsyncGenerator[RawClient]:
    """Return a raw client of it."""
    async with raw_client(sim) as raw:
        yield raw


@contextlib.asynccontextmanager
async def raw_client(sim: Simulator) -> AsyncGenerator[RawClient]:
    """Open a raw client."""
    transport, raw = await asyncio.get_running_loop().create_datagram_endpoint(
        RawClient, remote_addr=(sim.host, sim.port)
    )
    yield raw
    transport.abort()
    await asyncio.sleep(0)


async def until(happened: Callable[[], object]) -> None:
    """Let the loop run until this holds."""
    async with asyncio.timeout(PATIENCE):
        # What is waited for has no event, and only the loop can bring it about.
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0)


def fill(unit: Unit, sessions: int) -> None:
    """Put that many sessions into the history."""
    for number in range(1, sessions + 1):
        unit.create(number)
        unit.page(number)
        unit.clear(number)


# ------------------------------------------------------------ the documented API


async def test_the_documented_example_is_served_word_for_word(
    sim: Simulator, client: Client
) -> None:
    sim.canned[HISTORY] = HISTORY_EXAMPLE
    response = await client.ask(Code.GET, "/v1/sessions/history")
    assert (response.code, response.payload) == (Code.CONTENT, HISTORY_EXAMPLE)


async def test_a_unit_in_the_examples_place_says_the_same(context: Context) -> None:
    example = json.loads(HISTORY_EXAMPLE)
    unit = Unit(frozen_at=datetime(2018, 3, 15, 8, 44, 13), sequence=110, next_id=11)
    unit.create(4)
    unit.next_id = 17
    unit.set_clock(datetime(2018, 3, 15, 8, 44, 35))
    unit.create(10)
    unit.set_clock(datetime(2018, 3, 15, 8, 49, 13))
    unit.page(4)
    unit.set_clock(datetime(2018, 3, 15, 8, 49, 35))
    unit.page(10)
    unit.set_clock(datetime(2018, 3, 15, 11, 45, 18))
    unit.clear(4)
    unit.set_clock(datetime(2018, 3, 15, 11, 45, 22))
    unit.remove(10)
    unit.set_clock(datetime(2018, 3, 15, 11, 45, 29))
    async with Simulator(unit=unit) as sim:
        said = await Client(context, sim).get("/v1/sessions/history")
    for item, documented in zip(said["session_history"], example["session_history"], strict=True):
        item["uuid"] = documented["uuid"]
    # As texts, so that the order of the keys counts too.
    assert json.dumps(said) == json.dumps(example)


async def test_active_sessions_have_a_state_and_no_clear_type(unit: Unit, client: Client) -> None:
    unit.create(7, party_size=3, label="Müller", goal=900)
    unit.create(8)
    unit.page(8)
    body = await client.get("/v1/sessions")
    assert list(body) == [*ENVELOPE, "sessions", "statistics"]
    assert body["responseTypes"] == ["sessions", "statistics"]
    assert list(body["statistics"]) == STATISTICS
    started, paged = body["sessions"]
    assert started == {
        "id": 1,
        "sessionSequence": 1,
        "uuid": unit.session(7).uuid,
        "number": 7,
        "partySize": 3,
        "goalInSeconds": 900,
        "created": "2024-06-01T12:00:00",
        "started": "2024-06-01T12:00:00",
        "label": "Müller",
        "state": "started",
    }
    assert paged["state"] == "paged"
    assert paged["notified"] == "2024-06-01T12:00:00"
    assert paged["label"] is None
    assert (paged["partySize"], paged["goalInSeconds"]) == (1, 300)


async def test_one_session_comes_without_statistics(unit: Unit, client: Client) -> None:
    unit.create(7)
    unit.create(8)
    body = await client.get("/v1/sessions?number=8")
    assert list(body) == [*ENVELOPE, "sessions"]
    assert [session["number"] for session in body["sessions"]] == [8]


@pytest.mark.parametrize(
    ("party_size", "keys"),
    [
        (False, ["id", "uuid", "number", *TIMES, "label", "clearType"]),
        (True, ["id", "uuid", "number", "partySize", *TIMES, "label", "clearType"]),
    ],
)
async def test_history_items_have_a_clear_type_and_no_state(
    unit: Unit, client: Client, party_size: bool, keys: list[str]
) -> None:
    unit.history_party_size = party_size
    unit.create(7)
    unit.page(7)
    unit.clear(7)
    unit.create(8)
    unit.remove(8)
    cleared, removed = (await client.get("/v1/sessions/history"))["session_history"]
    assert list(cleared) == keys
    assert cleared["clearType"] == "STOP"
    assert list(removed) == [key for key in keys if key != "notified"]
    assert removed["clearType"] == "REMOVED"


async def test_a_session_can_be_led_from_create_to_clear(
    clock: Clock, unit: Unit, client: Client
) -> None:
    created = await client.ask(
        Code.POST, "/v1/sessions", {"number": 27, "goal": 900, "label": "Window", "partySize": 3}
    )
    assert created.code == Code.CREATED
    assert list(json.loads(created.payload)) == [*ENVELOPE, "sessions", "statistics"]
    clock.forward(700)
    paged = await client.ask(
        Code.PUT, "/v1/sessions?number=27", {"action": "page", "pageMode": "Flash5Min"}
    )
    assert paged.code == Code.CHANGED
    assert json.loads(paged.payload)["sessions"][0]["notified"] == "2024-06-01T12:11:40"
    assert [(page.number, page.mode) for page in unit.pages] == [(27, "Flash5Min")]
    clock.forward(60)
    cleared = json.loads(
        (await client.ask(Code.PUT, "/v1/sessions?number=27", {"action": "clear"})).payload
    )
    assert cleared["sessions"][0]["state"] == "cleared"
    assert cleared["statistics"] == {
        "guestsServed": 1,
        "percentLate": 0,
        "percentOnTime": 100,
        "averageTimeServed": 700,
        "numSessions": 1,
    }
    assert (await client.get("/v1/sessions"))["sessions"] == []
    assert unit.sequence == 3


async def test_posting_to_a_pager_in_use_updates_its_session(unit: Unit, client: Client) -> None:
    unit.create(27, label="Window", party_size=3)
    response = await client.ask(Code.POST, "/v1/sessions", {"number": 27, "label": None})
    assert response.code == Code.CHANGED
    assert (len(unit.active), unit.session(27).label, unit.session(27).party_size) == (1, None, 3)


async def test_an_action_can_come_with_the_creation(unit: Unit, client: Client) -> None:
    await client.ask(Code.POST, "/v1/sessions", {"number": 27, "action": "page"})
    assert unit.session(27).state == "paged"


async def test_putting_changes_what_is_given_before_it_acts(unit: Unit, client: Client) -> None:
    unit.create(27, label="Window")
    changes = {"goal": 60, "partySize": 2, "action": "remove"}
    response = await client.ask(Code.PUT, "/v1/sessions?number=27", changes)
    assert json.loads(response.payload)["sessions"][0]["state"] == "cleared"
    (record,) = unit.ledger
    assert (record.goal, record.party_size, record.label) == (60, 2, "Window")
    assert (record.clear_type, unit.sequence) == ("REMOVED", 3)


async def test_deleting_removes_one_and_clears_all(unit: Unit, client: Client) -> None:
    for number in (1, 2, 3):
        unit.create(number)
    one = await client.ask(Code.DELETE, "/v1/sessions?number=2")
    assert (one.code, one.payload) == (Code.DELETED, b"")
    assert sorted(unit.active) == [1, 3]
    assert (await client.ask(Code.DELETE, "/v1/sessions")).code == Code.DELETED
    ended = [(item["number"], item["clearType"]) for item in unit.history]
    assert ended == [(2, "REMOVED"), (1, "STOP"), (3, "STOP")]


async def test_history_and_statistics_can_be_deleted(unit: Unit, client: Client) -> None:
    fill(unit, 2)
    statistics = await client.get("/v1/sessions/statistics")
    assert list(statistics) == [*ENVELOPE, "statistics"]
    assert statistics["statistics"]["numSessions"] == 2
    for path in ("/v1/sessions/history", "/v1/sessions/statistics"):
        response = await client.ask(Code.DELETE, path)
        assert (response.code, response.payload) == (Code.DELETED, b"")
    assert (await client.get("/v1/sessions/history"))["session_history"] == []
    assert set((await client.get("/v1/sessions/statistics"))["statistics"].values()) == {0}
    assert len(unit.ledger) == 2
    assert unit.sequence == 6


async def test_settings_are_read_and_set_and_the_clock_runs_on(
    clock: Clock, client: Client
) -> None:
    assert list((await client.get("/v1/settings"))["settings"].items()) == [
        ("datetime", "2024-06-01T12:00:00"),
        ("systemId", 0),
        ("defaultTargetGoal", 300),
        ("statisticsClearMark", 24),
    ]
    wanted = {"datetime": "2030-01-02T03:04:05", "systemId": 9, "defaultTargetGoal": 600}
    response = await client.ask(Code.POST, "/v1/settings", wanted)
    assert response.code == Code.CHANGED
    assert json.loads(response.payload)["timestamp"] == "2030-01-02T03:04:05"
    clock.forward(10)
    settings = (await client.get("/v1/settings"))["settings"]
    assert settings == wanted | {"datetime": "2030-01-02T03:04:15", "statisticsClearMark": 24}


async def test_a_page_needs_no_session(unit: Unit, client: Client) -> None:
    unit.staff_pagers = {90}
    unit.system_id = 5
    for body in ({"number": 27}, {"number": 90, "message": "Table 4", "systemId": 6}):
        assert (await client.ask(Code.POST, "/v1/page", body)).code == Code.CHANGED
    assert [(page.number, page.mode, page.message, page.system_id) for page in unit.pages] == [
        (27, "Flash30Sec", None, 5),
        (90, "Vibe1", "Table 4", 6),
    ]
    assert unit.sequence == 0


@pytest.mark.parametrize(
    ("code", "path", "body", "answer"),
    [
        (Code.GET, "/v1/session", None, Code.NOT_FOUND),
        (Code.GET, "/v1/sessions?number=5", None, Code.NOT_FOUND),
        (Code.PUT, "/v1/sessions?number=5", {"action": "page"}, Code.NOT_FOUND),
        (Code.DELETE, "/v1/sessions?number=5", None, Code.NOT_FOUND),
        (Code.PUT, "/v1/settings", {}, Code.METHOD_NOT_ALLOWED),
        (Code.POST, "/v1/sessions/history", {}, Code.METHOD_NOT_ALLOWED),
        (Code.GET, "/v1/sessions?number=x", None, Code.BAD_REQUEST),
        (Code.DELETE, "/v1/sessions?numer=1", None, Code.BAD_REQUEST),
        (Code.GET, "/v1/notify?action=other", None, Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", b"{number:5}", Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", b'{"number":\n5}', Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", [], Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions?number=5", {"goal": 60}, Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", {}, Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", {"number": True}, Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", {"number": 5, "goalInSeconds": 5}, Code.BAD_REQUEST),
        (Code.POST, "/v1/sessions", {"number": 5, "action": "stop"}, Code.BAD_REQUEST),
        (Code.PUT, "/v1/sessions?number=1", {"number": 1}, Code.BAD_REQUEST),
        (Code.PUT, "/v1/sessions", {"action": "page"}, Code.BAD_REQUEST),
        (Code.POST, "/v1/settings", {"datetime": "2024-06-01T12:00:00Z"}, Code.BAD_REQUEST),
        (Code.POST, "/v1/settings", {"datetime": 20240601}, Code.BAD_REQUEST),
        (Code.POST, "/v1/settings", {"statisticsClearMark": 25}, Code.BAD_REQUEST),
        (Code.POST, "/v1/page", {"message": "hello"}, Code.BAD_REQUEST),
    ],
)
async def test_what_is_not_documented_is_refused_with_a_reason_and_changes_nothing(
    unit: Unit, client: Client, *, code: Code, path: str, body: object, answer: Code
) -> None:
    unit.create(1)
    response = await client.ask(code, path, body)
    assert response.code == answer
    assert json.loads(response.payload)["error"]
    assert (list(unit.active), unit.sequence, unit.pages) == ([1], 1, [])


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"block1": (0, True, 6)}, Code.BAD_OPTION),
        ({"if_none_match": True}, Code.BAD_OPTION),
        ({"accept": 0}, Code.NOT_ACCEPTABLE),
        ({"content_format": 0}, Code.UNSUPPORTED_CONTENT_FORMAT),
        ({"no_response": 0, "uri_host": "pager.local"}, Code.CHANGED),
    ],
)
async def test_options_it_cannot_obey_are_refused(
    raw: RawClient, options: dict[str, Any], answer: Code
) -> None:
    raw.send(Code.POST, "v1/page", payload=b'{"number":5}', **options)
    assert (await raw.receive()).code == answer


# -------------------------------------------------------------- clock and reboot


async def test_the_clock_can_be_wrong_set_or_stopped(clock: Clock) -> None:
    wrong = Unit(now=clock, skew=timedelta(hours=-3))
    assert wrong.time() == datetime(2024, 6, 1, 9)
    wrong.set_clock(datetime(2020, 1, 1))
    clock.forward(5)
    assert wrong.time() == datetime(2020, 1, 1, 0, 0, 5)
    stopped = Unit(now=clock, frozen_at=datetime(2018, 1, 1, 0, 0, 0, 999))
    clock.forward(5)
    assert stopped.time() == datetime(2018, 1, 1)


def test_a_unit_that_pages_by_itself_does_so_at_the_goal(clock: Clock) -> None:
    unit = Unit(now=clock, auto_page=True, skew=timedelta(hours=1))
    unit.create(1, goal=600)
    unit.create(2, goal=300)
    clock.forward(599)
    unit.catch_up()
    assert [(page.number, page.at) for page in unit.pages] == [(2, datetime(2024, 6, 1, 13, 5))]
    clock.forward(100)
    unit.catch_up()
    assert unit.session(1).notified == datetime(2024, 6, 1, 13, 10)


def test_statistics_start_anew_at_the_clear_mark(clock: Clock, unit: Unit) -> None:
    unit.set_settings(statistics_clear_mark=13)
    unit.create(1)
    clock.forward(3599)
    unit.catch_up()
    assert unit.statistics()["numSessions"] == 1
    clock.forward(1)
    unit.catch_up()
    assert unit.statistics()["numSessions"] == 0


def test_counters_wrap_like_16_bits(clock: Clock) -> None:
    unit = Unit(now=clock, sequence=65535)
    assert unit.create(1).sequence == 0


def test_the_oldest_fall_out_of_a_history_with_a_limit(unit: Unit) -> None:
    unit.history_limit = 2
    fill(unit, 3)
    assert [item["number"] for item in unit.history] == [2, 3]
    assert len(unit.ledger) == 3


def test_a_reboot_loses_what_it_is_told_to(unit: Unit) -> None:
    fill(unit, 1)
    unit.create(9)
    unit.reboot()
    assert (unit.sequence, len(unit.history), list(unit.active)) == (4, 1, [9])
    unit.reboot(restart_sequence=True)
    assert (unit.sequence, unit.session(9).sequence) == (0, 65535)
    unit.reboot(lose_history=True, lose_active=True, restart_ids=True)
    assert (unit.history, unit.active) == ([], {})
    assert unit.create(1).id == 1
    with pytest.raises(NoSuchSessionError):
        unit.page(9)


@pytest.mark.parametrize("bumps", [False, True])
def test_a_wipe_is_a_change_of_the_sequence_only_if_asked_for(unit: Unit, bumps: bool) -> None:
    unit.wipe_bumps_sequence = bumps
    fill(unit, 1)
    unit.wipe_history()
    assert (unit.history, unit.sequence) == ([], 3 + bumps)


async def test_given_items_are_served_as_they_are(unit: Unit, client: Client) -> None:
    odd = [{"id": "x", "surprise": None}, *json.loads(HISTORY_EXAMPLE)["session_history"]]
    unit.load_history(odd)
    assert (await client.get("/v1/sessions/history"))["session_history"] == odd
    assert unit.ledger == []


# ---------------------------------------------------------------------- the floor


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another(clock: Clock) -> None:
    def day(seed: int, steps: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        unit = Unit(now=clock, seed=seed)
        floor = Floor(unit, seed, NOON)
        for step in range(1, steps + 1):
            floor.advance(NOON + timedelta(days=1) * step / steps)
        return unit.history, unit.statistics()

    assert day(1, steps=1) == day(1, steps=1000)
    assert day(1, steps=1) != day(2, steps=1)


def test_a_day_behind_it_has_all_that_a_floor_knows(clock: Clock) -> None:
    unit = Unit(now=clock)
    numbers: set[int] = set()

    def at_most_one_session_on_a_pager(change: simulator.Change) -> None:
        assert change.session is not None
        if change.kind == "created":
            assert change.session.number not in numbers
            numbers.add(change.session.number)
        elif change.kind in ("cleared", "removed"):
            numbers.remove(change.session.number)

    unit.listeners.append(at_most_one_session_on_a_pager)
    Floor(unit, 1, NOON - timedelta(days=1)).advance(NOON)
    summary = unit.ledger.day_summary(NOON - timedelta(days=1), NOON)
    assert 150 <= summary.count <= 200
    assert summary.count == len(unit.history)
    assert 0 < summary.removed < summary.count / 4
    assert summary.on_time_rate is not None
    assert 50 < summary.on_time_rate < 95
    assert summary.last_cleared == unit.ledger[-1]
    assert any(session.notified is None for session in unit.ledger)
    assert any(session.label for session in unit.ledger)
    assert any(session.label is None for session in unit.ledger)
    hours = [session.created.hour for session in unit.ledger]
    evening, afternoon, night = (
        sum(start <= hour < start + 3 for hour in hours) for start in (18, 14, 2)
    )
    assert evening > 2 * afternoon > 2 * night > 0
    times = [session.cleared for session in unit.ledger]
    assert times == sorted(times)
    assert len(set(times)) > len(times) / 2


def test_a_floor_stamps_with_the_units_clock(clock: Clock) -> None:
    right, wrong = Unit(now=clock), Unit(now=clock, skew=timedelta(hours=-3))
    for unit in (right, wrong):
        Floor(unit, 1, NOON - timedelta(hours=6)).advance(NOON)
    pairs = list(zip(right.ledger, wrong.ledger, strict=True))
    assert pairs
    for true, off in pairs:
        assert true.cleared - off.cleared == timedelta(hours=3)
        assert true.wait == off.wait


def test_a_floor_leaves_alone_what_others_do(clock: Clock) -> None:
    unit = Unit(now=clock)
    floor = Floor(unit, 1, NOON)
    for number in range(1, 40):
        unit.create(number, label="not theirs")
    floor.advance(NOON + timedelta(hours=1))
    assert {session.number for session in unit.ledger} == {40}
    unit.clear_all()
    floor.advance(NOON + timedelta(hours=2))
    assert len({session.uuid for session in unit.ledger}) == len(unit.ledger)


async def test_the_ledger_equals_what_the_history_says(clock: Clock, context: Context) -> None:
    unit = Unit(now=clock, history_party_size=True)
    Floor(unit, 1, NOON - timedelta(days=1)).advance(NOON)
    async with Simulator(unit=unit) as sim:
        items = (await Client(context, sim).get("/v1/sessions/history"))["session_history"]
    assert len(items) == len(unit.ledger)
    for item, record in zip(items, unit.ledger, strict=True):
        assert item["uuid"] == record.uuid
        assert (item["number"], item["partySize"]) == (record.number, record.party_size)
        assert (item["label"], item["clearType"]) == (record.label, record.clear_type)
        assert datetime.fromisoformat(item["created"]) == record.created
        assert datetime.fromisoformat(item["cleared"]) == record.cleared
        notified = item.get("notified")
        assert (notified and datetime.fromisoformat(notified)) == record.notified
        assert item["goalInSeconds"] == record.goal


def test_the_ledger_sums_up_by_hand(clock: Clock, unit: Unit) -> None:
    for number, wait, end in ((1, 100, unit.clear), (2, 400, unit.clear), (3, None, unit.remove)):
        unit.create(number, goal=300)
        if wait is not None:
            clock.forward(wait)
            unit.page(number)
        end(number)
    summary = unit.ledger.day_summary(NOON, clock.time + timedelta(seconds=1))
    assert (summary.count, summary.paged, summary.removed) == (3, 2, 1)
    assert (summary.average_wait, summary.longest_wait) == (250, 400)
    assert summary.on_time_rate == 50
    assert summary.last_cleared is not None
    assert summary.last_cleared.number == 3
    assert unit.ledger.cleared_between(NOON, clock.time) == unit.ledger[:1]
    nothing = unit.ledger.day_summary(NOON, NOON)
    assert (nothing.count, nothing.average_wait, nothing.last_cleared) == (0, None, None)


# ---------------------------------------------------------------------------- ETag


async def test_an_unchanged_list_is_answered_with_2_03(
    clock: Clock, unit: Unit, client: Client
) -> None:
    unit.create(1)
    first = await client.ask(Code.GET, "/v1/sessions")
    again = await client.ask(Code.GET, "/v1/sessions", etags=[b"other", first.opt.etag])
    assert (again.code, again.payload, again.opt.etag) == (Code.VALID, b"", first.opt.etag)
    clock.forward(1)
    unit.page(1)
    changed = await client.ask(Code.GET, "/v1/sessions", etags=[first.opt.etag])
    assert changed.code == Code.CONTENT
    assert changed.opt.etag != first.opt.etag


@pytest.mark.parametrize(("exact", "answer"), [(False, Code.VALID), (True, Code.CONTENT)])
async def test_two_changes_in_one_second_are_told_apart_by_exact_etags_only(
    unit: Unit, context: Context, exact: bool, answer: Code
) -> None:
    async with Simulator(unit=unit, exact_etag=exact) as sim:
        client = Client(context, sim)
        first = await client.ask(Code.GET, "/v1/sessions")
        unit.create(1)
        assert (await client.ask(Code.GET, "/v1/sessions", etags=[first.opt.etag])).code == answer


@pytest.mark.parametrize("history_etag", [False, True])
async def test_the_history_has_an_etag_only_if_asked_for(
    unit: Unit, context: Context, history_etag: bool
) -> None:
    async with Simulator(unit=unit, history_etag=history_etag) as sim:
        response = await Client(context, sim).ask(Code.GET, "/v1/sessions/history")
    assert (response.opt.etag is not None) is history_etag


# ---------------------------------------------------------------------- block-wise


@pytest.mark.parametrize("szx", [0, 2, 6])
async def test_a_history_comes_in_blocks_of_the_size_the_client_asks_for(
    unit: Unit, sim: Simulator, client: Client, szx: int
) -> None:
    fill(unit, 10)
    body = await client.get("/v1/sessions/history", block2=(0, False, szx))
    assert len(body["session_history"]) == 10
    size = len(json.dumps(body, separators=(",", ":")))
    assert len(sim.requests) == -(-size // (16 << szx))
    assert [asked.block2[0] for asked in sim.requests if asked.block2] == [
        *range(len(sim.requests))
    ]


async def test_a_server_can_insist_on_small_blocks_and_tell_the_size(
    unit: Unit, context: Context
) -> None:
    fill(unit, 10)
    async with Simulator(unit=unit, max_szx=2, size2=True) as sim, raw_client(sim) as raw:
        raw.send(Code.GET, "v1/sessions/history")
        first = await raw.receive()
        assert tuple(first.opt.block2) == (0, True, 2)
        assert len(first.payload) == 64
        raw.send(Code.GET, "v1/sessions/history", mid=2, block2=(1, False, 6))
        translated = await raw.receive()
        assert tuple(translated.opt.block2) == (16, True, 2)
        whole = await Client(context, sim).ask(Code.GET, "/v1/sessions/history")
        assert first.opt.size2 == len(whole.payload)


async def test_a_block_behind_the_end_is_refused(raw: RawClient) -> None:
    raw.send(Code.GET, "v1/settings", block2=(9, False, 6))
    assert (await raw.receive()).code == Code.BAD_REQUEST
    raw.send(Code.GET, "v1/settings", mid=2, block2=(0, False, 7))
    assert (await raw.receive()).code == Code.BAD_REQUEST


async def test_a_server_without_blocks_sends_one_big_datagram(unit: Unit) -> None:
    fill(unit, 200)
    async with Simulator(unit=unit, blockwise=False) as sim, raw_client(sim) as raw:
        raw.send(Code.GET, "v1/sessions/history", block2=(0, False, 6))
        response = await raw.receive()
        assert response.opt.block2 is None
        assert len(json.loads(response.payload)["session_history"]) == 200
        fill(unit, 200)
        raw.send(Code.GET, "v1/sessions/history", mid=2)
        assert (await raw.receive()).code == Code.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("still", [True, False])
async def test_a_body_is_kept_still_during_a_transfer_only_if_asked_for(
    unit: Unit, context: Context, still: bool
) -> None:
    fill(unit, 10)
    async with Simulator(unit=unit, still=still) as sim:
        client = Client(context, sim)
        before = await client.ask(Code.GET, "/v1/sessions/history")
        sim.hooks[HISTORY, 2] = unit.wipe_history
        after = await client.ask(Code.GET, "/v1/sessions/history")
    assert unit.history == []
    if still:
        assert (after.code, after.payload) == (before.code, before.payload)
    else:
        # There is no third block any more.
        assert after.code == Code.BAD_REQUEST


# ------------------------------------------------------------------- message layer


async def test_a_request_that_comes_twice_is_done_once_and_answered_twice(
    unit: Unit, sim: Simulator, raw: RawClient
) -> None:
    for _ in range(2):
        raw.send(Code.POST, "v1/page", payload=b'{"number":5}')
    answers = [await raw.receive(), await raw.receive()]
    assert {(answer.mtype, answer.mid, answer.token) for answer in answers} == {
        (Type.ACK, 1, b"token")
    }
    assert (len(unit.pages), len(sim.requests)) == (1, 1)
    raw.send(Code.POST, "v1/page", payload=b'{"number":5}', mid=2)
    await raw.receive()
    assert len(unit.pages) == 2


async def test_answers_come_in_the_kind_of_the_request(raw: RawClient) -> None:
    raw.send(Code.GET, "v1/settings", mtype=Type.NON)
    assert (await raw.receive()).mtype is Type.NON
    raw.send(Code.GET, "v1/settings", mtype=Type.NON, mid=2, if_none_match=True)
    assert await raw.nothing_came()
    raw.send(Code.EMPTY, mid=77)
    pong = await raw.receive()
    assert (pong.mtype, pong.mid, pong.code) == (Type.RST, 77, Code.EMPTY)
    raw.send(Code.CONTENT, mid=78)
    assert (await raw.receive()).mtype is Type.RST


async def test_what_is_no_coap_is_ignored(raw: RawClient) -> None:
    for garbage in (b"", b"\x40", b"\xff\xff\xff\xff", b"\x40\x01\x00\x01\xd1", b"hello"):
        raw.transport.sendto(garbage)
    raw.transport.sendto(b"\x40\x01\x00\x01\xb1\xff")
    raw.transport.sendto(b"\x4f\x01\x00\x01" + bytes(15))
    assert await raw.nothing_came()


async def test_all_that_is_asked_is_on_record(sim: Simulator, client: Client) -> None:
    await client.ask(Code.POST, "/v1/page", {"number": 5})
    await client.ask(Code.GET, "/v1/notify?action=get_sessions", observe=1, etags=[b"e"])
    page, notify = sim.requests
    assert (page.code, page.path, page.payload) == ("POST", ("v1", "page"), b'{"number":5}')
    assert page.answered == "2.04"
    assert (notify.code, notify.query, notify.etags) == ("GET", ("action=get_sessions",), (b"e",))
    assert (notify.observe, notify.block2, notify.answered) == (1, None, "2.05")
    assert sim.traffic.datagrams_in == sim.traffic.datagrams_out == 2
    assert sim.traffic.bytes_in == page.size + notify.size


# ------------------------------------------------------------------------- observe


async def observe(raw: RawClient, query: str = "") -> Message:
    """Register with a raw client and return the answer."""
    raw.send(Code.GET, "v1/notify", observe=0, uri_query=[query] if query else [])
    return await raw.receive()


def acknowledge(raw: RawClient, message: Message, mtype: Type = Type.ACK) -> None:
    """Answer a notification with an ACK, or with a RST."""
    raw.send(Code.EMPTY, mtype=mtype, mid=message.mid)


async def test_an_observer_is_told_of_every_change(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    request = client.context.request(client.message(Code.GET, "/v1/notify", observe=0))
    first = await request.response
    assert (first.code, first.payload) == (Code.CONTENT, b"")
    assert first.opt.observe is not None
    notifications = aiter(request.observation)

    async def told_of(change: Callable[[], object]) -> Any:
        change()
        async with asyncio.timeout(PATIENCE):
            notification = await anext(notifications)
        assert notification.opt.content_format == 50
        return json.loads(notification.payload)

    created = await told_of(lambda: unit.create(5, label="Chen"))
    # The documented example has neither timestamp nor deviceName nor firmwareVersion.
    assert list(created) == ["responseTypes", "globalSessionSequence", "sessions", "statistics"]
    assert created["responseTypes"] == ["sessions", "statistics"]
    assert created["globalSessionSequence"] == created["sessions"][0]["sessionSequence"] == 1
    assert (await told_of(lambda: unit.page(5)))["sessions"][0]["state"] == "paged"
    cleared = (await told_of(lambda: unit.clear(5)))["sessions"][0]
    assert (cleared["state"], "cleared" in cleared, "clearType" in cleared) == (
        "cleared",
        True,
        False,
    )
    settings = await told_of(lambda: unit.set_settings(default_target_goal=600))
    assert list(settings) == [*ENVELOPE, "settings"]
    await until(lambda: not sim.unacknowledged)
    assert sim.observers == 1


async def test_an_observer_can_start_with_the_sessions(unit: Unit, raw: RawClient) -> None:
    unit.create(5)
    body = json.loads((await observe(raw, "action=get_sessions")).payload)
    assert [session["number"] for session in body["sessions"]] == [5]


async def test_many_sessions_at_the_start_come_in_blocks(unit: Unit, context: Context) -> None:
    for number in range(1, 11):
        unit.create(number)
    async with Simulator(unit=unit) as sim:
        client = Client(context, sim)
        path = "/v1/notify?action=get_sessions"
        request = context.request(client.message(Code.GET, path, observe=0))
        first = await request.response
        assert len(json.loads(first.payload)["sessions"]) == 10
        assert sim.observers == 1
        unit.page(3)
        async with asyncio.timeout(PATIENCE):
            notification = await anext(aiter(request.observation))
    assert json.loads(notification.payload)["sessions"][0]["number"] == 3


async def test_observers_are_pinged_and_three_misses_end_it(unit: Unit) -> None:
    async with (
        Simulator(unit=unit, ping_interval=0.03, ack_timeout=0.01, max_retransmit=0) as sim,
        raw_client(sim) as raw,
    ):
        answer = await observe(raw)
        pings = [await raw.receive() for _ in range(3)]
        assert sim.observers == 1
        await until(lambda: not sim.observers)
        assert await raw.nothing_came()
    for ping in pings:
        assert ping.mtype is Type.CON
        assert json.loads(ping.payload) == {"responseTypes": ["ping"], "globalSessionSequence": 0}
    values = [answer.opt.observe, *(ping.opt.observe for ping in pings)]
    assert values == sorted(set(values))


async def test_who_acknowledges_pings_stays(unit: Unit) -> None:
    async with Simulator(unit=unit, ping_interval=0.1, ack_timeout=10) as sim:
        async with raw_client(sim) as raw:
            await observe(raw)
            for _ in range(5):
                acknowledge(raw, await raw.receive())
            assert sim.observers == 1
        await until(lambda: not sim.observers)


async def test_an_unacknowledged_notification_comes_again_and_holds_up_the_next(
    unit: Unit, sim: Simulator, raw: RawClient
) -> None:
    await observe(raw)
    unit.create(1)
    unit.create(2)
    first, again = await raw.receive(), await raw.receive()
    assert (first.mid, first.payload) == (again.mid, again.payload)
    acknowledge(raw, first)
    while (second := await raw.receive()).mid == first.mid:
        pass
    assert json.loads(second.payload)["sessions"][0]["number"] == 2
    assert second.opt.observe > first.opt.observe
    acknowledge(raw, second, Type.RST)
    await until(lambda: not sim.observers)


async def test_a_notification_is_given_up_after_its_retransmissions(unit: Unit) -> None:
    async with (
        Simulator(unit=unit, ack_timeout=0.01, max_retransmit=2) as sim,
        raw_client(sim) as raw,
    ):
        await observe(raw)
        unit.create(1)
        unit.create(2)
        mids = [(await raw.receive()).mid for _ in range(6)]
        assert len(set(mids)) == 2
        assert (mids.count(mids[0]), mids.count(mids[-1])) == (3, 3)
        assert sim.observers == 1


async def test_observers_can_leave_be_forgotten_or_find_no_room(unit: Unit) -> None:
    async with (
        Simulator(unit=unit, max_observers=1) as sim,
        raw_client(sim) as raw,
        raw_client(sim) as second,
    ):
        assert (await observe(raw)).opt.observe is not None
        assert (await observe(second)).opt.observe is None
        raw.send(Code.GET, "v1/notify", mid=2, observe=1)
        assert (await raw.receive()).opt.observe is None
        assert sim.observers == 0
        unit.create(1)
        assert await raw.nothing_came()
        raw.send(Code.GET, "v1/notify", mid=3, observe=0)
        assert (await raw.receive()).opt.observe is not None
        unit.reboot()
        assert sim.observers == 0
        unit.page(1)
        assert await raw.nothing_came()


# -------------------------------------------------------------------------- faults


async def test_silence_is_silent_and_ends(sim: Simulator, client: Client) -> None:
    sim.faults.silence = True
    with pytest.raises(ConRetransmitsExceeded):
        await client.ask(Code.GET, "/v1/settings", transport_tuning=Quick())
    assert sim.traffic.datagrams_in == 3
    assert (sim.traffic.datagrams_out, sim.requests) == (0, [])
    sim.faults.silence = False
    assert await client.get("/v1/settings")


async def test_a_reset_is_a_reset(sim: Simulator, client: Client) -> None:
    sim.faults.reset = True
    with pytest.raises(MessageError):
        await client.ask(Code.GET, "/v1/settings")


async def test_out_of_order_is_5_00_and_does_nothing(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    sim.faults.error_5_00 = True
    response = await client.ask(Code.POST, "/v1/page", {"number": 5})
    assert response.code == Code.INTERNAL_SERVER_ERROR
    assert json.loads(response.payload)["error"]
    assert unit.pages == []


async def test_one_resource_or_all_can_be_out_of_order(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    sim.faults.errors["v1", "page"] = "5.03"
    response = await client.ask(Code.POST, "/v1/page", {"number": 5})
    assert response.code == Code.SERVICE_UNAVAILABLE
    assert json.loads(response.payload)["error"]
    assert await client.get("/v1/settings")
    sim.faults.errors[()] = "4.05"
    assert (await client.ask(Code.GET, "/v1/settings")).code == Code.METHOD_NOT_ALLOWED
    assert (await client.ask(Code.POST, "/v1/page", {"number": 5})).code.dotted == "5.03"
    assert unit.pages == []


async def test_old_firmware_knows_nothing_but_the_history(sim: Simulator, client: Client) -> None:
    sim.faults.history_only = True
    assert await client.get("/v1/sessions/history")
    for code, path in (
        (Code.GET, "/v1/sessions"),
        (Code.GET, "/v1/settings"),
        (Code.DELETE, "/v1/sessions/history"),
    ):
        assert (await client.ask(code, path)).code == Code.NOT_FOUND


async def test_an_empty_acknowledgement_is_all_there_is(
    unit: Unit, sim: Simulator, raw: RawClient
) -> None:
    sim.faults.empty_ack = True
    raw.send(Code.POST, "v1/page", payload=b'{"number":5}')
    acknowledgement = await raw.receive()
    assert (acknowledgement.mtype, acknowledgement.code) == (Type.ACK, Code.EMPTY)
    assert await raw.nothing_came()
    assert (len(unit.pages), sim.requests[0].answered) == (1, None)


async def test_a_separate_response_comes_until_it_is_acknowledged(
    sim: Simulator, client: Client, raw: RawClient
) -> None:
    sim.faults.separate = True
    sim.faults.separate_delay = 0.01
    assert await client.get("/v1/settings")
    raw.send(Code.GET, "v1/settings", mid=7)
    acknowledgement, response, again = [await raw.receive() for _ in range(3)]
    assert (acknowledgement.mtype, acknowledgement.mid) == (Type.ACK, 7)
    assert (response.mtype, response.token, response.code) == (Type.CON, b"token", Code.CONTENT)
    assert again.mid == response.mid
    assert sim.unacknowledged == 1
    before = sim.traffic.datagrams_in
    acknowledge(raw, again)
    await until(lambda: sim.traffic.datagrams_in > before)
    assert sim.unacknowledged == 0
    raw.send(Code.GET, "v1/settings", mid=8, mtype=Type.NON)
    while (late := await raw.receive()).mtype is not Type.NON:
        pass
    assert late.token == b"token"


async def test_a_wrong_token_is_nobodys_answer(sim: Simulator, raw: RawClient) -> None:
    sim.faults.wrong_token = True
    raw.send(Code.GET, "v1/settings")
    response = await raw.receive()
    assert response.token != b"token"
    assert len(response.token) == len(b"token")


@pytest.mark.parametrize("fault", ["malformed", "truncated", "last_block_lost"])
async def test_spoilt_bodies_arrive_and_are_no_json(
    unit: Unit, sim: Simulator, client: Client, fault: str
) -> None:
    fill(unit, 20)
    whole = (await client.ask(Code.GET, "/v1/sessions/history")).payload
    sim.faults.switch(fault, on=True)
    response = await client.ask(Code.GET, "/v1/sessions/history")
    assert response.code == Code.CONTENT
    assert 0 < len(response.payload) < len(whole)
    assert whole.startswith(response.payload) is (fault != "malformed")
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.payload)


@pytest.mark.parametrize("fault", ["malformed", "truncated"])
async def test_notifications_are_spoilt_too(
    unit: Unit, sim: Simulator, raw: RawClient, fault: str
) -> None:
    await observe(raw)
    sim.faults.switch(fault, on=True)
    unit.create(1)
    with pytest.raises(json.JSONDecodeError):
        json.loads((await raw.receive()).payload)


async def test_text_can_be_in_another_encoding_or_in_none(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    unit.create(1, label="Müller")
    whole = (await client.ask(Code.GET, "/v1/sessions")).payload
    sim.faults.latin_1 = True
    latin_1 = (await client.ask(Code.GET, "/v1/sessions")).payload
    assert latin_1.decode("latin-1") == whole.decode()
    sim.faults.latin_1 = False
    sim.faults.not_utf8 = True
    assert (await client.ask(Code.GET, "/v1/sessions")).payload.endswith(whole)
    for body in (latin_1, (await client.ask(Code.GET, "/v1/sessions")).payload):
        with pytest.raises(UnicodeDecodeError):
            body.decode()


async def test_a_field_can_have_a_wrong_value_wherever_it_is(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    unit.create(1)
    right = await client.get("/v1/sessions")
    sim.faults.wrong = {"timestamp": 7, "number": {}}
    wrong = await client.get("/v1/sessions")
    assert (wrong["timestamp"], wrong["sessions"][0]["number"]) == (7, {})
    wrong["timestamp"], wrong["sessions"][0]["number"] = right["timestamp"], 1
    assert wrong == right


async def test_the_latest_notification_can_overtake_those_that_wait(
    unit: Unit, sim: Simulator, raw: RawClient
) -> None:
    await observe(raw)
    sim.faults.latest_first = True
    for number in range(1, 5):
        unit.create(number)
    told = []
    for _ in range(4):
        message = await raw.receive()
        acknowledge(raw, message)
        told.append((json.loads(message.payload)["sessions"][0]["number"], message.opt.observe))
    numbers, observed = zip(*told, strict=True)
    assert numbers == (1, 4, 3, 2)
    # It is the network that is to blame: they were numbered in the right order.
    assert sorted(observed) == [observed[0], *reversed(observed[1:])]


@pytest.mark.parametrize("fault", ["wrong_block_number", "short_block"])
async def test_blocks_that_do_not_fit_are_noticed(
    unit: Unit, sim: Simulator, client: Client, fault: str
) -> None:
    fill(unit, 20)
    sim.faults.switch(fault, on=True)
    # aiocoap has no better word than AssertionError for a first block that is too short.
    with pytest.raises((CoapError, AssertionError)):
        await client.ask(Code.GET, "/v1/sessions/history")


async def test_an_oversized_body_never_ends(
    unit: Unit, sim: Simulator, client: Client, raw: RawClient
) -> None:
    fill(unit, 1)
    sim.faults.oversized = True
    for mid, number in enumerate((0, 1, 5000)):
        raw.send(Code.GET, "v1/sessions/history", mid=mid, block2=(number, False, 6))
        response = await raw.receive()
        assert tuple(response.opt.block2) == (number, True, 6)
        assert len(response.payload) == 1024


async def test_a_body_that_changes_between_blocks_is_spliced(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    fill(unit, 40)
    whole = (await client.ask(Code.GET, "/v1/sessions/history")).payload
    sim.faults.body_changes = True
    spliced = (await client.ask(Code.GET, "/v1/sessions/history")).payload
    assert len(spliced) == len(whole)
    assert spliced[:1024] == whole[:1024]
    assert spliced[1024:2048] != whole[1024:2048]


async def test_a_body_that_changes_between_blocks_changes_its_etag(unit: Unit) -> None:
    fill(unit, 40)
    async with (
        Simulator(unit=unit, history_etag=True, faults=Faults(body_changes=True)) as sim,
        raw_client(sim) as raw,
    ):
        etags = set()
        for number in range(3):
            raw.send(Code.GET, "v1/sessions/history", mid=number, block2=(number, False, 6))
            etags.add((await raw.receive()).opt.etag)
        assert len(etags) == 3


async def test_etags_can_lie_or_be_missing(
    clock: Clock, unit: Unit, sim: Simulator, client: Client
) -> None:
    sim.faults.etag_lies = True
    response = await client.ask(Code.GET, "/v1/sessions", etags=[b"made up"])
    assert (response.code, response.opt.etag) == (Code.VALID, b"made up")
    sim.faults.etag_lies = False
    sim.faults.no_etag = True
    response = await client.ask(Code.GET, "/v1/sessions", etags=[b"made up"])
    assert (response.code, response.opt.etag) == (Code.CONTENT, None)


async def test_duplicated_datagrams_do_nothing_twice(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    sim.faults.duplicate = True
    for number in range(1, 4):
        assert (await client.ask(Code.POST, "/v1/page", {"number": number})).code == Code.CHANGED
    assert [page.number for page in unit.pages] == [1, 2, 3]


async def test_losses_repeat_with_their_seed() -> None:
    def pattern(seed: int) -> list[float | None]:
        network = simulator.Network(seed=seed, delay=0.1, jitter=0.1)
        return [network.carry(0.3) for _ in range(50)]

    assert pattern(1) == pattern(1) != pattern(2)
    assert 5 < pattern(1).count(None) < 25
    assert all(0.1 <= delay <= 0.2 for delay in pattern(1) if delay is not None)


async def test_a_lossy_slow_network_is_survived_with_retransmissions(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    fill(unit, 20)
    sim.faults.network.loss_in = sim.faults.network.loss_out = 0.2
    sim.faults.network.delay, sim.faults.network.jitter = 0.001, 0.002
    body = await client.get("/v1/sessions/history", transport_tuning=Patient())
    assert len(body["session_history"]) == 20
    assert sim.traffic.datagrams_in > len(sim.requests)


# -------------------------------------------------------------- starting and ending


async def test_nothing_is_left_after_a_stop(unit: Unit) -> None:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks()
    async with Simulator(unit=unit, faults=Faults(separate=True)) as sim, raw_client(sim) as raw:
        await observe(raw)
        sim.faults.network.delay = 60
        raw.send(Code.GET, "v1/settings", mid=2)
        await until(lambda: sim.traffic.datagrams_in == 2)
        unit.create(1)
    assert sim.observers == 0
    assert unit.listeners == []
    assert asyncio.all_tasks() == tasks
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []  # type: ignore[attr-defined]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((sim.host, sim.port))


async def test_a_unit_can_be_unplugged_and_comes_back_on_its_port(
    unit: Unit, sim: Simulator, client: Client
) -> None:
    fill(unit, 1)
    port = sim.port
    await sim.stop()
    await sim.stop()
    with pytest.raises(aiocoap.error.NetworkError):
        await client.ask(Code.GET, "/v1/settings")
    await sim.start()
    assert sim.port == port
    assert len((await client.get("/v1/sessions/history"))["session_history"]) == 1


async def test_a_taken_port_is_a_clear_error(sim: Simulator) -> None:
    with pytest.raises(OSError, match=f"cannot use UDP port {sim.port} of 127.0.0.1"):
        await Simulator(port=sim.port).start()
    process = await run_program("--port", str(sim.port))
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().startswith(f"cannot use UDP port {sim.port} of 127.0.0.1: ")


async def test_ipv6_works_too(unit: Unit, context: Context) -> None:
    async with Simulator(unit=unit, host="::1") as sim:
        assert await Client(context, sim).get("/v1/settings")


# --------------------------------------------------------------------- the program


async def run_program(
    *arguments: str, stdin: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Start the simulator as a program of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulator", *arguments),
        cwd=Path(__file__).parents[1],
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ask_program(process: asyncio.subprocess.Process, context: Context, path: str) -> Any:
    """Wait until it listens, and return the JSON of a GET."""
    assert process.stdout is not None
    async with asyncio.timeout(6 * PATIENCE):
        listening = (await process.stdout.readline()).decode()
        assert "in the history" in listening
        uri = f"coap://127.0.0.1:{listening.split()[4]}{path}"
        return json.loads((await context.request(Message(code=Code.GET, uri=uri)).response).payload)


async def test_the_program_has_a_day_behind_it_and_obeys_typed_lines(context: Context) -> None:
    process = await run_program(
        *("--port", "0", "--skew", "-3h", "--speed", "600"), stdin=asyncio.subprocess.PIPE
    )
    body = await ask_program(process, context, "/v1/sessions/history")
    assert len(body["session_history"]) > 100
    output, errors = await process.communicate(b"wipe\nnonsense\nquit\n")
    assert process.returncode == 0, errors
    assert b"'nonsense' is not understood" in output


async def test_the_program_needs_no_input_and_ends_with_0_on_ctrl_c(context: Context) -> None:
    process = await run_program("--port", "0", "--days-behind", "0", "--history-only")
    assert "error" in await ask_program(process, context, "/v1/settings")
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_typed_lines_switch_faults(unit: Unit) -> None:
    sim = Simulator(unit=unit)
    stopped: list[bool] = []
    console = Console(sim, lambda: stopped.append(True))
    fill(unit, 1)
    for line in ("silence on", "wipe", "reboot", "skew -1h30m", "loss 0.5", "delay 2", "quit", ""):
        assert console.obey(line) in ("ok", "")
    assert sim.faults.silence
    assert (unit.history, unit.sequence, unit.skew) == ([], 0, timedelta(minutes=-90))
    assert (sim.faults.network.loss_in, sim.faults.network.loss_out) == (0.5, 0.5)
    assert sim.faults.network.delay == 2
    assert stopped == [True]
    console.obey("silence off")
    assert not sim.faults.silence
    assert "silence" in console.obey("help")
    for line in ("gremlins on", "skew soon", "loss much", "dance"):
        assert console.obey(line) != "ok"


def test_spans_and_arguments_are_read() -> None:
    assert parse_span("90") == parse_span("1m30s") == timedelta(seconds=90)
    assert parse_arguments(["--skew", "-3h"]).skew == timedelta(hours=-3)
    assert parse_arguments(["--time-zone", "Europe/Berlin"]).time_zone.key == "Europe/Berlin"
    for arguments in (["--time-zone", "Mars/Phobos"], ["--skew", "x"], ["--fault", "x"]):
        with pytest.raises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            parse_arguments(arguments)


def test_the_simulator_imports_nothing_of_the_integration() -> None:
    for path in Path(simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    modules = [name.name for name in names]
                case ast.ImportFrom(module=module, level=0 | 2 as level):
                    assert level == 0, path
                    modules = [module or ""]
                case _:
                    continue
            for module in modules:
                assert module.split(".")[0] not in ("custom_components", "homeassistant"), path
