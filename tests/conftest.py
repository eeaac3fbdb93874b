"""What tests share: real packets over loopback, a simulated transmitter, a real set-up.

There are no mocks of the transmitter: the simulator speaks real CoAP, and what is tested is
what users run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.util import find_spec
import logging
import socket
from typing import Any

from aiohttp.web_urldispatcher import UrlDispatcher
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
import pytest_socket
from syrupy.assertion import SnapshotAssertion

# Before `hass` is made, or the harness's own custom_components would be the only ones.
import custom_components.lrs_pager
from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.sync.push import PushState
from custom_components.lrs_pager.transmitter import coap
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util
from tests.simulator import Simulator, Unit

assert custom_components.lrs_pager

# Browsers are driven with the newest Home Assistant alone.
collect_ignore = [] if find_spec("playwright") else ["browser"]


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow sockets to this machine, as the harness allows none.

    aiocoap's main transport sends from an IPv6 socket, also to 127.0.0.1. Of names, the harness
    resolves localhost alone; others are unknown, as they are to a user without DNS.
    """
    resolve_localhost = socket.getaddrinfo

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        try:
            return resolve_localhost(*args, **kwargs)
        except RuntimeError as err:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from err

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(
        ["127.0.0.1", "::1", "::ffff:127.0.0.1"], allow_unix_socket=True
    )
    yield
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a silent unit after half a second rather than twelve.

    For tests of what happens then; how long it takes is not what they are about.
    """
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.5)
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.1)


# ------------------------------------------------------------------ a simulated transmitter


def local_time() -> datetime:
    """What a clock on the wall shows, in Home Assistant's time zone."""
    return dt_util.now().replace(tzinfo=None)


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A transmitter with a right clock and nothing in its history.

    With the marker `polled`, it has no room for observers, so that polls are all there is. Else it
    pings at once, so that push is live without waiting.
    """
    room = 0 if request.node.get_closest_marker("polled") else None
    async with Simulator(
        unit=Unit(now=local_time), max_observers=room, pings_at_once=True
    ) as simulator:
        yield simulator


def serve_guest(
    unit: Unit,
    number: int = 7,
    *,
    minutes_ago: float = 1,
    wait: int = 300,
    response: int = 60,
    removed: bool = False,
    goal: int = 300,
    label: str | None = None,
    party_size: int = 2,
) -> None:
    """Have a guest come, be paged and leave; the session ended so many minutes ago."""
    ended = unit.now() - timedelta(minutes=minutes_ago)
    with unit.at(ended - timedelta(seconds=wait + response)):
        unit.create(number, goal=goal, label=label, party_size=party_size)
    with unit.at(ended - timedelta(seconds=response)):
        unit.page(number)
    with unit.at(ended):
        unit.remove(number) if removed else unit.clear(number)


# ------------------------------------------------------------------------- Home Assistant


@pytest.fixture
def all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the entities that are disabled at first, too."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.fixture
async def midday(hass: HomeAssistant) -> None:
    """Be where it is about noon now, for tests of the day's figures: at midnight, they begin anew.

    The clock goes on, as frozen time would hold up timers, push and the web server.
    """
    await hass.config.async_set_time_zone(f"Etc/GMT{dt_util.utcnow().hour - 12:+}")


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """A folder of its own for each test, as the session log is a file."""
    return hass_tmp_config_dir


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write snapshots as Home Assistant does."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest, _loopback: None) -> None:
    """Load this integration, in tests that have a Home Assistant.

    Home Assistant stops before sockets are forbidden again: it listens to the transmitter.
    """
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def _running_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the harness's web server be added to while it runs, as Home Assistant's own can be."""
    monkeypatch.setattr(UrlDispatcher, "freeze", lambda _: None)


# Turns of the event loop in which a transmitter that is well has answered.
TURNS = 2_000

PUSH_INTERVALS = (
    "read_delay",
    "ping",
    "ping_slack",
    "silence",
    "proof_age",
    "keep_alive",
    "keep_alive_again",
)


def quick_intervals(times: float, **others: float) -> Intervals:
    """Intervals at which push goes so many times as fast."""
    scaled = {name: getattr(Intervals(), name) / times for name in PUSH_INTERVALS}
    return replace(Intervals(), **scaled | others)


@pytest.fixture(autouse=True)
def _pings_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have push be live with the first ping, however soon that comes."""
    monkeypatch.setattr(coordinator, "INTERVALS", Intervals(proof_age=0))


# For units that ping each 0.15 s.
QUICK = quick_intervals(200, read_delay=0.1, ping_slack=0.5, silence=0.7)

type SetUp = Callable[..., Awaitable[MockConfigEntry]]


@pytest.fixture
async def set_up(hass: HomeAssistant, simulator: Simulator) -> SetUp:
    """Add a transmitter as the config flow would; the simulated one if no other is given."""

    async def set_up(
        simulator: Simulator = simulator,
        title: str = "T7470",
        mac: str | None = None,
        **options: int | None,
    ) -> MockConfigEntry:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=title,
            # As the first entry's, always the same, so that snapshots don't change.
            entry_id=f"01KLRSPAGER{simulator.port:015}" if title != "T7470" else "01KLRSPAGER",
            data={CONF_HOST: simulator.host, CONF_PORT: simulator.port},
            options=options,
            unique_id=mac,
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        # A test that ended before would leave the request to be told of changes on its way. Turns
        # of the event loop are counted, as time may stand still.
        under_way = [PushState.CONNECTING]
        if getattr(simulator, "pings_at_once", False):
            under_way.append(PushState.ACCEPTED)
        for _ in range(TURNS):
            if entry.state is not ConfigEntryState.LOADED or (
                entry.runtime_data.follower.push.state not in under_way
            ):
                break
            await asyncio.sleep(0)
        return entry

    return set_up


async def settle(hass: HomeAssistant) -> None:
    """Wait for all that is under way, but for listening to transmitters: that has no end."""
    while True:
        await hass.async_block_till_done()
        for _ in range(3):  # a timer that is due at once has its turn after us
            await asyncio.sleep(0)
        under_way = {
            task
            for entry in hass.config_entries.async_entries(DOMAIN)
            for task in entry._background_tasks
            if not task.get_name().endswith(" push")
        }
        if not under_way:
            return
        await asyncio.wait(under_way)


async def poll(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have the transmitter polled now, as the timer would."""
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


def sensor(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> State:
    """The state of an entry's sensor, by its translation key."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_{key}")
    assert entity_id, f"there is no {key}"
    state = hass.states.get(entity_id)
    assert state, f"{key} has no state"
    return state


OUR_LOGGERS = ("custom_components.lrs_pager", "lrs_pager")


@pytest.fixture(autouse=True)
def _no_unexpected_problems(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fail a test in which we log a warning or worse that it did not announce (marker `logs`)."""
    yield
    expected = request.node.get_closest_marker("logs")
    problems = [
        record.getMessage()
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.WARNING
        and (record.name.startswith(OUR_LOGGERS) or record.exc_info)
        and "has not been tested by Home Assistant" not in record.getMessage()
    ]
    wanted = list(expected.args) if expected else []
    assert len(problems) == len(wanted), problems
    for problem, text in zip(problems, wanted, strict=True):
        assert text in problem
