"""Triggers, as automations have them: what happens to sessions, late guests, pagers that stay out.

The automations are YAML, as a user's are.
"""

from collections.abc import Callable
from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.sync.intervals import Intervals
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    icon,
    translation,
    trigger,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
from tests.conftest import SetUp, local_time, poll, serve_guest, settle
from tests.simulator import Simulator, Unit

KEYS = {
    "session_started",
    "session_paged",
    "session_cleared",
    "session_removed",
    "guest_became_late",
    "pager_out_too_long",
    "page_not_answered",
}

TARGET = "{entity_id: event.t7470_session}"

# Targets that could never match anything.
NOTHING = ["{}", "{entity_id: []}", "{area_id: [], label_id: []}", "{area_id: \"{{ 'bar' }}\"}"]

# Faults in which nobody knows who is there.
AWAY = [
    pytest.param("reset", marks=pytest.mark.logs("Error fetching T7470 data")),
    pytest.param("error_5_00", marks=pytest.mark.logs("The history can't be read")),
]

PUSHED_AND_POLLED = pytest.mark.parametrize(
    "is_pushed", [True, pytest.param(False, marks=pytest.mark.polled)]
)

type Automate = Callable[..., Any]


@pytest.fixture
async def automate(hass: HomeAssistant) -> Automate:
    """Set up an automation; the list is what its action was told."""

    async def automate(
        key: str, options: str = "{}", target: str = TARGET
    ) -> list[Event[dict[str, Any]]]:
        told = async_capture_events(hass, "told")
        config = f"""
            automation:
              - alias: Tell
                mode: parallel
                triggers:
                  - trigger: lrs_pager.{key}
                    target: {target}
                    options: {options}
                actions:
                  - event: told
                    event_data:
                      number: "{{{{ trigger.number }}}}"
                      variables: "{{{{ trigger | tojson }}}}"
        """
        parsed = parse_yaml(config)
        assert await async_setup_component(hass, "automation", parsed)
        await hass.async_block_till_done()
        return told

    return automate


def numbers(told: list[Event[dict[str, Any]]]) -> list[int]:
    """The pagers that were told of."""
    return [event.data["number"] for event in told]


@pytest.fixture(autouse=True)
def _time_may_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an observation outlast the pings that are left out as time jumps."""
    intervals = Intervals(proof_age=0, ping=10**6, silence=10**7)
    monkeypatch.setattr(coordinator, "INTERVALS", intervals)


async def after(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass, and whatever is due happen: also what becomes due by that."""
    freezer.tick(timedelta(seconds=seconds))
    for _ in range(3):
        async_fire_time_changed(hass)
        await settle(hass)


async def until(hass: HomeAssistant, happened: Callable[[], object]) -> None:
    """Wait for something that the transmitter tells by itself; time may stand still."""
    while not happened():
        await hass.async_block_till_done()


async def live(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until changes are pushed."""
    await until(hass, lambda: entry.runtime_data.follower.push.is_live)
    await settle(hass)


# ---------------------------------------------------------------------- steps of sessions


@pytest.mark.parametrize(
    ("key", "act"),
    [
        ("session_started", lambda unit: unit.create(8, party_size=3)),
        ("session_paged", lambda unit: unit.page(7)),
        ("session_cleared", lambda unit: unit.clear(7)),
        ("session_removed", lambda unit: unit.remove(7)),
    ],
)
async def test_an_automation_runs_when_a_session_takes_a_step_and_at_no_other_step(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    key: str,
    act: Callable[[Unit], object],
) -> None:
    unit = simulator.unit
    unit.create(7)
    entry = await set_up()
    await live(hass, entry)
    told = await automate(key)
    seen = async_capture_events(hass, "state_changed")
    act(unit)
    await until(hass, lambda: told)
    assert numbers(told) == [8 if key == "session_started" else 7]
    for step in (unit.create, unit.page, unit.clear, unit.create, unit.remove):
        step(9)
    await until(
        hass, lambda: sum(event.data["entity_id"] == "event.t7470_session" for event in seen) == 6
    )
    assert numbers(told)[1:] == [9] * (2 if key == "session_started" else 1)


@pytest.mark.polled
async def test_the_action_learns_of_the_session_and_its_transmitter_but_not_the_guests_name(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    unit = simulator.unit
    unit.history_party_size = True
    entry = await set_up(show_names_in_states=True)
    told = await automate("session_cleared")
    logbook = async_capture_events(hass, "automation_triggered")
    serve_guest(unit, 7, wait=250, goal=900, party_size=4, label="Ortega")
    await poll(hass, entry)
    [event] = told
    variables = json.loads(event.data["variables"])
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert variables.pop("session_id")
    assert variables == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": "lrs_pager.session_cleared",
        "description": "pager 7: session cleared (T7470)",
        "number": 7,
        "party_size": 4,
        "goal_seconds": 900,
        "wait_seconds": 250,
        "clear_type": "STOP",
        "device_id": device.id,
        "config_entry_id": entry.entry_id,
    }
    assert logbook[0].data["source"] == "pager 7: session cleared (T7470)"
    state = hass.states.get("event.t7470_session")
    assert state
    assert state.attributes["label"] == "Ortega"


@pytest.mark.polled
async def test_each_of_several_sessions_that_end_together_runs_the_automation(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    unit = simulator.unit
    for number in (1, 2, 3):
        unit.create(number)
    entry = await set_up()
    told = await automate("session_cleared")
    unit.clear_all()
    await poll(hass, entry)
    assert sorted(numbers(told)) == [1, 2, 3]


# ------------------------------------------------------------------------------- targets


@pytest.mark.polled
@pytest.mark.parametrize("kind", ["entity_id", "device_id", "area_id"])
async def test_of_two_transmitters_an_automation_follows_the_one_that_is_its_target(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate, kind: str
) -> None:
    entry = await set_up()
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    area = ar.async_get(hass).async_create("Front desk")
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    ids = {
        "entity_id": "event.t7470_session",
        "device_id": device.id,
        "area_id": area.id,
    }
    told = await automate("session_started", target=f"{{{kind}: {ids[kind]}}}")
    async with Simulator(unit=Unit(now=local_time), max_observers=0) as terrace:
        other = await set_up(terrace, "Terrace")
        simulator.unit.create(1)
        terrace.unit.create(2)
        await poll(hass, entry)
        await poll(hass, other)
        assert numbers(told) == [1]
        await hass.config_entries.async_unload(other.entry_id)


@pytest.mark.polled
async def test_a_transmitter_that_moves_to_an_area_is_followed_from_then_on(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    entry = await set_up()
    area = ar.async_get(hass).async_create("Front desk")
    told = await automate("session_started", target=f"{{area_id: {area.id}}}")
    simulator.unit.create(1)
    await poll(hass, entry)
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    simulator.unit.create(2)
    await poll(hass, entry)
    assert numbers(told) == [2]


@pytest.mark.polled
async def test_a_device_is_followed_with_all_its_entities_disabled(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    entry = await set_up()
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_update_entity(entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.config_entries.async_reload(entry.entry_id)
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    told = await automate("session_started", target=f"{{device_id: {device.id}}}")
    simulator.unit.create(1)
    await poll(hass, entry)
    assert numbers(told) == [1]


@pytest.mark.parametrize("target", NOTHING)
async def test_a_trigger_without_a_target_is_refused_as_home_assistants_own_are(
    hass: HomeAssistant, automate: Automate, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    await automate("session_started", target=target)
    assert "Automation with alias 'Tell' failed to setup triggers" in caplog.text
    # It is still there, for the user to choose one.
    assert hass.states.is_state("automation.tell", "unavailable")


@pytest.mark.polled
async def test_an_empty_list_beside_what_was_chosen_does_no_harm(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    entry = await set_up()
    target = "{entity_id: event.t7470_session, area_id: []}"
    told = await automate("session_started", target=target)
    simulator.unit.create(1)
    await poll(hass, entry)
    assert numbers(told) == [1]


# ------------------------------------------------------------- set-up, reload, removal


@pytest.mark.polled
async def test_an_automation_may_be_there_before_its_transmitter_and_lives_through_reloads(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    told = await automate("session_started")
    entry = await set_up()
    simulator.unit.create(1)
    await poll(hass, entry)
    assert numbers(told) == [1]
    await hass.config_entries.async_reload(entry.entry_id)
    simulator.unit.create(2)
    await poll(hass, entry)
    assert numbers(told) == [1, 2]
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    simulator.unit.create(3)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    simulator.unit.create(4)
    await poll(hass, entry)
    assert numbers(told) == [1, 2, 4]
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


@pytest.mark.polled
@pytest.mark.parametrize("key", ["session_started", "guest_became_late", "pager_out_too_long"])
async def test_an_automation_that_is_switched_off_runs_no_more(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    key: str,
) -> None:
    entry = await set_up()
    options = "{for: {minutes: 5}}" if key == "pager_out_too_long" else "{}"
    told = await automate(key, options)
    simulator.unit.create(1, goal=300)
    await poll(hass, entry)
    told.clear()
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.tell"}, blocking=True
    )
    simulator.unit.create(2, goal=300)
    await after(hass, freezer, 400)
    assert not told


# --------------------------------------------------------------- pages that are not answered


@PUSHED_AND_POLLED
async def test_each_page_that_is_not_answered_in_time_runs_the_automation_once(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    *,
    is_pushed: bool,
) -> None:
    unit = simulator.unit
    for number in (1, 2, 3, 4):
        unit.create(number)
    entry = await set_up()
    if is_pushed:
        await live(hass, entry)
    told = await automate("page_not_answered")
    for number in (1, 2, 3):
        unit.page(number)
    await poll(hass, entry)
    await after(hass, freezer, 175)
    unit.clear(2)
    unit.remove(3)
    if is_pushed:  # then the transmitter is not asked first, while the message may be under way
        await poll(hass, entry)
    assert not told
    await after(hass, freezer, 6)
    assert numbers(told) == [1]
    await after(hass, freezer, 600)
    assert numbers(told) == [1]


@pytest.mark.polled
async def test_a_page_that_we_sent_again_is_given_its_own_time(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    for number in (1, 2):
        simulator.unit.create(number)
        simulator.unit.page(number)
    await set_up()
    told = await automate("page_not_answered", "{for: {minutes: 5}}")
    await after(hass, freezer, 200)
    await hass.services.async_call(DOMAIN, "page_session", {"number": 2}, blocking=True)
    await after(hass, freezer, 101)
    assert numbers(told) == [1]
    await after(hass, freezer, 195)
    assert numbers(told) == [1]
    await after(hass, freezer, 10)
    assert numbers(told) == [1, 2]


@pytest.mark.polled
async def test_a_page_that_we_sent_again_keeps_its_own_time_over_a_reload(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1)
    simulator.unit.page(1)
    entry = await set_up()
    told = await automate("page_not_answered", "{for: {minutes: 5}}")
    await after(hass, freezer, 200)
    await hass.services.async_call(DOMAIN, "page_session", {"number": 1}, blocking=True)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await after(hass, freezer, 110)
    assert not told
    await after(hass, freezer, 195)
    assert numbers(told) == [1]


@pytest.mark.parametrize("duration", ["1000000000000000", "{hours: 1.0e+30}", "-5"])
async def test_a_time_that_is_none_is_refused_and_spoils_no_other_automation(
    hass: HomeAssistant,
    set_up: SetUp,
    automate: Automate,
    caplog: pytest.LogCaptureFixture,
    duration: str,
) -> None:
    await set_up()
    await automate("pager_out_too_long", f"{{for: {duration}}}")
    assert "Unknown error calling automation config validator" not in caplog.text
    assert "failed to setup triggers" in caplog.text or "could not be validated" in caplog.text


@pytest.mark.polled
async def test_a_page_that_we_sent_again_keeps_its_own_time_when_our_clock_is_set(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator.unit.create(1)
    simulator.unit.page(1)
    entry = await set_up()
    told = await automate("page_not_answered", "{for: {minutes: 5}}")
    await after(hass, freezer, 200)
    await hass.services.async_call(DOMAIN, "page_session", {"number": 1}, blocking=True)
    clocks = entry.runtime_data.follower.clocks
    monkeypatch.setattr(clocks, "_wall", lambda: dt_util.utcnow().timestamp() + 3600)
    await poll(hass, entry)
    await after(hass, freezer, 110)
    await poll(hass, entry)
    assert not told
    await after(hass, freezer, 195)
    await poll(hass, entry)
    assert numbers(told) == [1]


# ---------------------------------------------------------------------------- late guests


@pytest.mark.polled
async def test_a_guest_who_was_paged_since_the_last_poll_is_not_late_when_an_answer_comes(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    simulator.unit.create(2, goal=3000)
    entry = await set_up()
    told = await automate("guest_became_late")
    for _ in range(2):
        await poll(hass, entry)
    simulator.unit.page(1)
    freezer.tick(timedelta(seconds=303))
    await hass.services.async_call(DOMAIN, "page_session", {"number": 2}, blocking=True)
    await after(hass, freezer, 1)
    await poll(hass, entry)
    assert not told


@PUSHED_AND_POLLED
async def test_each_guest_who_becomes_late_runs_the_automation_once_also_while_another_is_late(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    *,
    is_pushed: bool,
) -> None:
    unit = simulator.unit
    unit.create(1, goal=300)
    unit.create(2, goal=420)
    unit.create(3, goal=600)
    entry = await set_up()
    if is_pushed:
        await live(hass, entry)
    told = await automate("guest_became_late")
    await after(hass, freezer, 299)
    assert not told
    await after(hass, freezer, 4)
    assert numbers(told) == [1]
    await after(hass, freezer, 60)
    assert numbers(told) == [1]
    await after(hass, freezer, 60)
    assert numbers(told) == [1, 2]
    unit.page(3)
    await poll(hass, entry)
    await after(hass, freezer, 600)
    assert numbers(told) == [1, 2]


@pytest.mark.polled
async def test_a_guest_who_was_paged_just_in_time_is_not_late(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    await set_up()
    told = await automate("guest_became_late")
    freezer.tick(299)
    simulator.unit.page(1)  # no poll has seen this
    await after(hass, freezer, 30)
    assert not told


@pytest.mark.polled
async def test_a_guest_who_is_late_once_is_not_late_again_for_a_new_goal(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    entry = await set_up()
    told = await automate("guest_became_late")
    await after(hass, freezer, 310)
    simulator.unit.update(1, goal=600)
    await poll(hass, entry)
    await after(hass, freezer, 310)
    assert hass.states.is_state("binary_sensor.t7470_late", "on")
    assert numbers(told) == [1]


@pytest.mark.polled
async def test_who_is_late_already_when_the_automation_is_set_up_does_not_run_it(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    entry = await set_up()
    await after(hass, freezer, 310)
    told = await automate("guest_became_late")
    await poll(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, entry)
    assert not told


@pytest.mark.polled
async def test_a_reload_repeats_no_late_guest_and_forgets_none(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    simulator.unit.create(2, goal=400)
    simulator.unit.create(3, goal=500)
    entry = await set_up()
    told = await automate("guest_became_late")
    await after(hass, freezer, 310)
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(100)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert numbers(told) == [1, 2]
    await after(hass, freezer, 100)
    assert numbers(told) == [1, 2, 3]


@pytest.mark.polled
@pytest.mark.parametrize("fault", AWAY)
async def test_who_becomes_late_while_the_transmitter_is_away_is_told_when_it_is_back(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    simulator.unit.create(1, goal=300)
    entry = await set_up()
    told = await automate("guest_became_late")
    simulator.faults.switch(fault, on=True)
    await after(hass, freezer, 310)
    assert not told
    simulator.faults.switch(fault, on=False)
    await poll(hass, entry)
    await settle(hass)
    assert numbers(told) == [1]


# --------------------------------------------------------------------- pagers that stay out


@PUSHED_AND_POLLED
@pytest.mark.parametrize("duration", ["'00:45:00'", "{minutes: 45}", "2700"])
async def test_a_pager_that_is_out_for_long_runs_the_automation_once_at_that_moment(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    *,
    duration: str,
    is_pushed: bool,
) -> None:
    unit = simulator.unit
    unit.create(1)
    unit.create(2)
    entry = await set_up()
    if is_pushed:
        await live(hass, entry)
    told = await automate("pager_out_too_long", f"{{for: {duration}}}")
    await after(hass, freezer, 600)
    unit.page(1)
    unit.create(3)
    await poll(hass, entry)
    await after(hass, freezer, 2096)
    assert not told
    unit.clear(2)  # in time, but no poll has seen it if that is all there is
    await after(hass, freezer, 1.5)
    if is_pushed:
        await until(hass, lambda: len(entry.runtime_data.data.active) == 2)
    await after(hass, freezer, 3)
    assert numbers(told) == [1]
    await after(hass, freezer, 600)
    assert numbers(told) == [1, 3]
    await after(hass, freezer, 6000)
    assert numbers(told) == [1, 3]


@pytest.mark.polled
async def test_the_time_may_be_counted_from_the_page(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1)
    simulator.unit.create(2)
    entry = await set_up()
    told = await automate("pager_out_too_long", "{for: '00:10:00', since: paged}")
    await after(hass, freezer, 1200)
    simulator.unit.page(1)
    await poll(hass, entry)
    await after(hass, freezer, 599)
    assert not told
    await after(hass, freezer, 3)
    assert numbers(told) == [1]


@pytest.mark.polled
async def test_pagers_that_were_out_too_long_before_do_not_run_it_at_set_up_or_reload(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1)
    entry = await set_up()
    await after(hass, freezer, 600)
    simulator.unit.create(2)
    await poll(hass, entry)
    told = await automate("pager_out_too_long", "{for: 300}")
    await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, entry)
    assert not told
    await after(hass, freezer, 301)
    assert numbers(told) == [2]
    await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, entry)
    assert numbers(told) == [2]


@pytest.mark.polled
@pytest.mark.parametrize("fault", AWAY)
async def test_a_pager_that_may_be_back_is_not_told_of_before_the_transmitter_is_back(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    fault: str,
) -> None:
    simulator.unit.create(1)
    simulator.unit.create(2)
    entry = await set_up()
    told = await automate("pager_out_too_long", "{for: 300}")
    simulator.faults.switch(fault, on=True)
    await after(hass, freezer, 310)
    assert not told
    simulator.faults.switch(fault, on=False)
    simulator.unit.clear(2)
    await poll(hass, entry)
    await settle(hass)
    assert numbers(told) == [1]


# ------------------------------------------------------------------------------ the editor


async def test_the_editor_lists_the_triggers_with_their_fields(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    assert await async_setup_component(hass, "automation", {})
    await set_up()
    found = {
        key: description
        for key, description in (await trigger.async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    assert set(found) == {f"{DOMAIN}.{key}" for key in KEYS}
    for key, description in found.items():
        assert description
        assert description["target"]["entity"][0]["integration"] == DOMAIN
        fields = {"pager_out_too_long": {"for", "since"}, "page_not_answered": {"for"}}
        assert set(description["fields"]) == fields.get(key.removeprefix(f"{DOMAIN}."), set())


async def test_each_trigger_and_each_field_has_words_and_an_icon(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up()
    words = await translation.async_get_translations(hass, "en", "triggers", {DOMAIN})
    choices = await translation.async_get_translations(hass, "en", "selector", {DOMAIN})
    icons = await icon.async_get_icons(hass, "triggers", {DOMAIN})
    assert set(icons[DOMAIN]) == KEYS
    prefix = f"component.{DOMAIN}.triggers"
    assert {key.split(".")[3] for key in words} == KEYS
    for key in KEYS:
        assert words[f"{prefix}.{key}.name"]
        assert words[f"{prefix}.{key}.description"]
    for field in ("for", "since"):
        assert words[f"{prefix}.pager_out_too_long.fields.{field}.name"]
    assert words[f"{prefix}.page_not_answered.fields.for.name"]
    for choice in ("started", "paged"):
        assert choices[f"component.{DOMAIN}.selector.since.options.{choice}"]
