"""The blueprints for automations do what they say, each in a Home Assistant with a transmitter.

They are used as users use them: the file in its folder, an automation with `use_blueprint`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import re
import shutil
from typing import Any
from urllib.parse import parse_qs, urlsplit

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.long_term_statistics import DELAY
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.trigger import TRIGGERS
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml
from tests.conftest import SetUp, poll, serve_guest, settle
from tests.simulator import Simulator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "blueprints" / "automation" / "lrs_pager"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

SESSION = "event.t7470_session"
MAC = "00:11:ca:00:00:01"

# Milliseconds, of a clock that stands still but for them, in which anything that is to happen has
# happened.
PATIENCE = 60_000

type Until = Callable[[Callable[[], Any]], Awaitable[None]]
type Use = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def _custom_integrations(request: pytest.FixtureRequest, _loopback: None) -> None:
    """As everywhere; the recorder has to be there before Home Assistant starts."""
    if "with_recorder" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def with_recorder() -> None:
    """A Home Assistant with a database."""


@pytest.fixture(autouse=True)
def _noon(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """It is noon, so that closing time is later today whenever the tests are run."""
    freezer.move_to(dt_util.now().replace(hour=12, minute=0, second=0, microsecond=0))


@pytest.fixture
def until(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Until:
    """Wait for something to become so."""

    async def until(test: Callable[[], Any]) -> None:
        for _ in range(PATIENCE):
            if test():
                return
            freezer.tick(0.001)
            # Not until all is done: an automation that waits does so by this clock.
            await asyncio.sleep(0)
        raise AssertionError("it did not happen")

    return until


@pytest.fixture
async def use(hass: HomeAssistant) -> AsyncIterator[Use]:
    """Set up an automation from a blueprint, and leave none of its timers."""
    target = Path(hass.config.path("blueprints/automation/lrs_pager"))
    await hass.async_add_executor_job(shutil.copytree, FOLDER, target)

    async def use(name: str, **inputs: Any) -> None:
        config = {"use_blueprint": {"path": f"lrs_pager/{name}.yaml", "input": inputs}}
        assert await async_setup_component(hass, "automation", {"automation": config})
        await hass.async_block_till_done()
        [automation] = hass.states.async_all("automation")
        assert automation.state == "on", "the blueprint could not be used"

    yield use
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


@pytest.fixture
async def entry(until: Until, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """A transmitter that tells of changes, and shows no names in states."""
    return await live(until, set_up, monkeypatch)


async def live(
    until: Until, set_up: SetUp, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> MockConfigEntry:
    """Add a transmitter that tells of changes."""
    monkeypatch.setattr(coordinator, "INTERVALS", Intervals(read_delay=0.05, proof_age=0))
    entry = await set_up(**options)
    await until(lambda: entry.runtime_data.follower.push.is_live)
    return entry


def is_state(hass: HomeAssistant, key: str, state: str) -> Callable[[], bool]:
    """Whether a sensor shows this."""
    return lambda: hass.states.get(f"sensor.t7470_{key}").state == state


async def after(hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float) -> None:
    """Let time pass, and whatever is due happen."""
    await settle(hass)
    freezer.tick(timedelta(**time))
    for _ in range(3):
        async_fire_time_changed(hass)
        await settle(hass)


# -------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", NAMES)
def test_home_assistant_takes_the_blueprint_for_a_good_one(name: str) -> None:
    blueprint = Blueprint(
        load_yaml(FOLDER / f"{name}.yaml"), expected_domain="automation", schema=BLUEPRINT_SCHEMA
    )
    assert blueprint.validate() in (None, [])
    assert blueprint.metadata["source_url"].endswith(
        f"/main/blueprints/automation/lrs_pager/{name}.yaml"
    )
    for described in blueprint.inputs.values():
        assert described["name"]
        assert described["selector"]


def test_the_documentation_has_a_button_that_imports_each_blueprint() -> None:
    text = (ROOT / "docs" / "automations.md").read_text()
    links = re.findall(
        r"https://my\.home-assistant\.io/redirect/blueprint_import/\?\S+?(?=\))", text
    )
    imported = [parse_qs(urlsplit(link).query)["blueprint_url"] for link in links]
    sources = [load_yaml(FOLDER / f"{name}.yaml")["blueprint"]["source_url"] for name in NAMES]
    assert sorted(imported) == sorted([source] for source in sources)


# --------------------------------------------------------------------------- late_guest


async def test_the_phone_is_told_of_each_late_guest_once_and_so_is_what_else_is_chosen(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    told = async_capture_events(hass, "told")
    await use(
        "late_guest",
        transmitter=SESSION,
        notify=["notify.manager", "notify.chef"],
        actions=[{"event": "told", "event_data": {"text": "{{ message }}"}}],
    )
    for number in (7, 8):
        simulator.unit.create(number, goal=120 * (number - 6), label="Ortega")
    await until(is_state(hass, "waiting_sessions", "2"))
    for number in (7, 8):
        await after(hass, freezer, seconds=130)
        await until(lambda number=number: len(sent) == number - 6)
        assert sent[-1].data["entity_id"] == ["notify.manager", "notify.chef"]
        assert sent[-1].data["message"] == f"Pager {number} waits for longer than promised."
        assert told[-1].data["text"] == sent[-1].data["message"]
    await after(hass, freezer, seconds=300)
    assert (len(sent), len(told)) == (2, 2)


async def test_without_a_phone_the_chosen_actions_alone_are_run(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    told = async_capture_events(hass, "told")
    # The entity that stands for the transmitter need not be enabled.
    er.async_get(hass).async_update_entity(SESSION, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await use(
        "late_guest",
        transmitter=SESSION,
        message="Tisch {{ trigger.number }}!",
        actions=[{"event": "told", "event_data": {"text": "{{ message }}"}}],
    )
    simulator.unit.create(7, goal=120)
    await until(is_state(hass, "waiting_sessions", "1"))
    await after(hass, freezer, seconds=130)
    await until(lambda: told)
    assert told[0].data["text"] == "Tisch 7!"
    assert not sent


# ---------------------------------------------------------------------- announce_number


@pytest.mark.parametrize(
    ("shows_names", "says_name", "label", "said"),
    [
        (False, False, "Ortega", "Number 7, your table is ready."),
        (True, False, "Ortega", "Number 7, your table is ready."),
        # Chosen here, but not in the options.
        (False, True, "Ortega", "Number 7, your table is ready."),
        (True, True, None, "Number 7, your table is ready."),
        (True, True, "Ana-María O'Neill", "Number 7, Ana-María O'Neill, your table is ready."),
        # A name is no template, no markup, and no speech.
        (True, True, "{{ 6 * 7 }}", "Number 7, 6   7, your table is ready."),
        (True, True, "<break time=9s/>", "Number 7, break time 9s, your table is ready."),
        (True, True, "x" * 60, f"Number 7, {'x' * 40}, your table is ready."),
    ],
)
async def test_a_number_is_called_once_and_with_its_guests_name_only_if_that_was_chosen(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    use: Use,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    shows_names: bool,
    says_name: bool,
    label: str | None,
    said: str,
) -> None:
    await live(until, set_up, monkeypatch, show_names_in_states=shows_names)
    spoken = async_mock_service(hass, "tts", "speak")
    inputs = {"say_name": True} if says_name else {}
    await use(
        "announce_number",
        transmitter=SESSION,
        voice="tts.piper",
        speaker=["media_player.lobby"],
        **inputs,
    )
    simulator.unit.create(7, label=label)
    simulator.unit.page(7)
    await until(lambda: spoken)
    simulator.unit.page(7)  # again, which is not called
    simulator.unit.clear(7)
    await until(is_state(hass, "daily_count", "1"))
    assert [call.data["message"] for call in spoken] == [said]
    assert spoken[0].data["entity_id"] == ["tts.piper"]
    assert spoken[0].data["media_player_entity_id"] == ["media_player.lobby"]
    assert spoken[0].data["cache"] is (said == "Number 7, your table is ready.")


async def test_the_number_is_called_also_if_the_entity_with_the_name_is_disabled(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
) -> None:
    spoken = async_mock_service(hass, "tts", "speak")
    er.async_get(hass).async_update_entity(SESSION, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await use(
        "announce_number",
        transmitter=SESSION,
        voice="tts.piper",
        speaker=["media_player.lobby"],
        say_name=True,
    )
    simulator.unit.create(7, label="Ortega")
    simulator.unit.page(7)
    await until(lambda: spoken)
    assert spoken[0].data["message"] == "Number 7, your table is ready."


@pytest.mark.polled
async def test_nobody_is_called_by_the_name_of_the_next_guest(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, use: Use, until: Until
) -> None:
    guests = {7: "Ana", 8: "Bea", 9: "Cem"}
    for number, label in guests.items():
        simulator.unit.create(number, label=label)
    entry = await set_up(show_names_in_states=True)
    spoken = async_mock_service(hass, "tts", "speak")
    await use(
        "announce_number",
        transmitter=SESSION,
        voice="tts.piper",
        speaker=["media_player.lobby"],
        say_name=True,
    )
    for number in guests:
        simulator.unit.page(number)
    await entry.runtime_data.async_refresh()
    await until(lambda: len(spoken) == 3)
    for call, (number, label) in zip(spoken, guests.items(), strict=True):
        assert call.data["message"] in (
            f"Number {number}, your table is ready.",
            f"Number {number}, {label}, your table is ready.",
        )


# ---------------------------------------------------------------------- pagers_not_back


async def test_a_pager_that_is_out_too_long_is_told_of_and_at_closing_all_that_are_out(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await settle(hass)
    closing = dt_util.now().replace(hour=23, minute=0, second=0, microsecond=0)
    freezer.move_to(closing - timedelta(hours=2))
    await use(
        "pagers_not_back",
        transmitter=SESSION,
        active_sessions="sensor.t7470_active_sessions",
        out_for="00:30:00",
        notify=["notify.manager"],
    )
    unit = simulator.unit
    for number in (7, 8, 9):
        unit.create(number, label="Ortega")
    unit.page(7)
    unit.page(9)
    await until(is_state(hass, "paged_sessions", "2"))
    unit.clear(9)
    await until(is_state(hass, "active_sessions", "2"))
    await until(is_state(hass, "daily_count", "1"))
    await after(hass, freezer, minutes=31)
    await until(lambda: sent)
    assert [call.data["message"] for call in sent] == [
        "Pager 7 was paged long ago and is not back."
    ]
    freezer.move_to(closing)
    async_fire_time_changed(hass)
    await until(lambda: len(sent) == 2)
    assert sent[1].data["message"] == "Not back at closing time: 7, 8."
    # The next day, all are back.
    unit.clear(7)
    unit.clear(8)
    await until(is_state(hass, "daily_count", "3"))
    await settle(hass)
    freezer.move_to(closing + timedelta(days=1))
    async_fire_time_changed(hass)
    await settle(hass)
    assert len(sent) == 2


async def test_at_closing_it_is_told_if_nobody_knows_which_pagers_are_out(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    active = "sensor.t7470_active_sessions"
    er.async_get(hass).async_update_entity(active, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    await use(
        "pagers_not_back", transmitter=SESSION, active_sessions=active, notify=["notify.manager"]
    )
    await settle(hass)
    freezer.move_to(dt_util.now().replace(hour=23, minute=0, second=0, microsecond=0))
    async_fire_time_changed(hass)
    await until(lambda: sent)
    assert sent[0].data["message"] == (
        "Which pagers are not back can't be told: the transmitter does not answer."
    )


# ----------------------------------------------------------------------- closing_report


async def report(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    sent: list[Any],
    until: Until,
) -> str:
    """Have what is known written, and the report made."""
    await after(hass, freezer, seconds=DELAY.total_seconds() + 1)
    await async_wait_recording_done(hass)
    await settle(hass)
    freezer.move_to(dt_util.now().replace(hour=23, minute=30, second=0, microsecond=0))
    async_fire_time_changed(hass)
    await until(lambda: sent)
    return sent[0].data["message"]


@pytest.mark.polled
async def test_the_day_is_reported_against_the_last_four_same_weekdays(
    hass: HomeAssistant,
    with_recorder: None,
    simulator: Simulator,
    set_up: SetUp,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    freezer.move_to(dt_util.now().replace(hour=22, minute=30, second=0, microsecond=0))
    days = {
        # Days ago: the waits in minutes, and hours ago they ended.
        28: [(10, 1), (30, 2)],
        21: [(20, 1)],
        14: [],  # closed
        7: [(20, 1), (20, 1), (20, 1)],
        1: [(59, 1)],  # another weekday
        0: [(10, 1), (10, 1), (10, 1), (30, 3)],
    }
    for ago, guests in days.items():
        for number, (wait, hours) in enumerate(guests, 1):
            minutes_ago = ago * 1440 + hours * 60 + number
            serve_guest(simulator.unit, number, minutes_ago=minutes_ago, wait=wait * 60, goal=1500)
    # Before the house was open.
    serve_guest(simulator.unit, 1, minutes_ago=14 * 60, wait=600)
    entry = await set_up()
    await poll(hass, entry)
    await use(
        "closing_report",
        transmitter=entry.entry_id,
        opening="10:00:00",
        closing="23:30:00",
        notify=["notify.manager"],
    )
    assert await report(hass, freezer, sent, until) == (
        "4 parties, average wait 15 min, 1 late."
        " The last 3 same weekdays: 2 parties, 20 min, 0 late."
    )


@pytest.mark.polled
async def test_the_first_days_report_has_nothing_to_compare_with(
    hass: HomeAssistant,
    with_recorder: None,
    set_up: SetUp,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    freezer.move_to(dt_util.now().replace(hour=22, minute=30, second=0, microsecond=0))
    entry = await set_up()
    await use(
        "closing_report",
        transmitter=entry.entry_id,
        closing="23:30:00",
        notify=["notify.manager"],
    )
    assert await report(hass, freezer, sent, until) == "0 parties, average wait 0 min, 0 late."


@pytest.mark.polled
async def test_a_day_that_ends_after_midnight_is_reported_whole(
    hass: HomeAssistant,
    with_recorder: None,
    simulator: Simulator,
    set_up: SetUp,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    freezer.move_to(dt_util.now().replace(hour=1, minute=30, second=0, microsecond=0))
    for number, hours in enumerate((1, 4, 20), 1):
        serve_guest(simulator.unit, number, minutes_ago=hours * 60, wait=600, goal=900)
    entry = await set_up()
    await poll(hass, entry)
    await use(
        "closing_report",
        transmitter=entry.entry_id,
        opening="17:00:00",
        closing="02:00:00",
        notify=["notify.manager"],
    )
    await after(hass, freezer, seconds=DELAY.total_seconds() + 1)
    await async_wait_recording_done(hass)
    await settle(hass)
    freezer.move_to(dt_util.now().replace(hour=2, minute=0, second=0, microsecond=0))
    async_fire_time_changed(hass)
    await until(lambda: sent)
    assert sent[0].data["message"] == "2 parties, average wait 10 min, 0 late."


# --------------------------------------------------------------------------- busy_light


async def test_the_light_is_on_while_many_guests_wait(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
) -> None:
    on = async_mock_service(hass, "homeassistant", "turn_on")
    off = async_mock_service(hass, "homeassistant", "turn_off")
    await use(
        "busy_light",
        guests_waiting="sensor.t7470_guests_waiting",
        light={"entity_id": "light.kitchen"},
    )
    simulator.unit.create(7, party_size=6)
    await until(is_state(hass, "guests_waiting", "6"))
    assert not on
    simulator.unit.create(8, party_size=5)
    await until(lambda: on)
    assert on[0].data["entity_id"] == ["light.kitchen"]
    assert not off
    simulator.unit.page(7)
    await until(lambda: off)
    assert (len(on), len(off)) == (1, 1)


async def test_the_light_stays_as_it_is_while_the_sensor_tells_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, use: Use, until: Until
) -> None:
    on = async_mock_service(hass, "homeassistant", "turn_on")
    off = async_mock_service(hass, "homeassistant", "turn_off")
    guests = "sensor.t7470_guests_waiting"
    await use("busy_light", guests_waiting=guests, light={"entity_id": "light.kitchen"})
    simulator.unit.create(7, party_size=11)
    await until(lambda: on)
    er.async_get(hass).async_update_entity(guests, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert hass.states.get(guests) is None
    simulator.unit.clear(7)
    await until(is_state(hass, "active_sessions", "0"))
    assert (len(on), len(off)) == (1, 0)


# -------------------------------------------------------------------- page_not_answered


@pytest.mark.skipif("page_not_answered" not in TRIGGERS, reason="the trigger is not there yet")
async def test_a_guest_who_does_not_come_is_paged_once_more_and_then_the_manager_is_told(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await use("page_not_answered", transmitter=SESSION, notify=["notify.manager"])
    unit = simulator.unit
    for number in (7, 8):
        unit.create(number)
        unit.page(number)
    await until(is_state(hass, "paged_sessions", "2"))
    on_air = len(unit.pages)
    await after(hass, freezer, minutes=2)
    unit.clear(8)  # who has come
    await until(is_state(hass, "active_sessions", "1"))
    await after(hass, freezer, minutes=1, seconds=5)
    await until(lambda: len(unit.pages) > on_air)
    assert [page.number for page in unit.pages[on_air:]] == [7]
    assert not sent
    await after(hass, freezer, minutes=5, seconds=5)
    await until(lambda: sent)
    assert [call.data["message"] for call in sent] == ["Pager 7 was paged twice, and nobody came."]
    assert len(unit.pages) == on_air + 1


@pytest.mark.skipif("page_not_answered" not in TRIGGERS, reason="the trigger is not there yet")
async def test_a_guest_is_paged_again_by_a_transmitter_that_a_router_knows_too(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    use: Use,
    until: Until,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Home Assistant 2026.3 has one device for both, which is the router's in the first place."""
    router = MockConfigEntry(domain="router")
    router.add_to_hass(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=router.entry_id, connections={("mac", MAC)}, name="T7470"
    )
    await live(until, set_up, monkeypatch, mac=MAC)
    await use("page_not_answered", transmitter=SESSION)
    unit = simulator.unit
    unit.create(7)
    unit.page(7)
    await until(is_state(hass, "paged_sessions", "1"))
    on_air = len(unit.pages)
    await after(hass, freezer, minutes=3, seconds=5)
    await until(lambda: len(unit.pages) > on_air)
    assert [page.number for page in unit.pages[on_air:]] == [7]
