"""Conditions, as automations have them: a guest is late, guests are waiting."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.lrs_pager.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    condition,
    device_registry as dr,
    icon,
    translation,
)
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.conftest import SetUp, local_time, poll
from tests.simulator import Simulator, Unit
from tests.test_trigger import NOTHING

pytestmark = pytest.mark.polled

KEYS = {"guest_is_late", "guests_are_waiting"}

TARGET = "{entity_id: event.t7470_session}"

# Whether it is so, as an automation with that condition finds.
type Ask = Callable[[], Awaitable[bool]]
type Automate = Callable[..., Awaitable[Ask]]


@pytest.fixture
async def automate(hass: HomeAssistant) -> Automate:
    """Set up an automation with a condition."""

    async def automate(key: str, options: str = "{}", target: str = TARGET) -> Ask:
        config = f"""
            automation:
              - alias: Tell
                triggers:
                  - trigger: event
                    event_type: ask
                conditions:
                  - condition: lrs_pager.{key}
                    target: {target}
                    options: {options}
                actions:
                  - event: told
        """
        parsed = parse_yaml(config)
        assert await async_setup_component(hass, "automation", parsed)
        told = async_capture_events(hass, "told")

        async def ask() -> bool:
            told.clear()
            hass.bus.async_fire("ask")
            await hass.async_block_till_done()
            return bool(told)

        return ask

    return automate


async def test_a_guest_is_late_from_the_goal_until_being_paged(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
) -> None:
    simulator.unit.create(1, goal=300)
    entry = await set_up()
    is_late = await automate("guest_is_late")
    assert not await is_late()
    freezer.tick(timedelta(seconds=310))
    await poll(hass, entry)
    assert await is_late()
    simulator.unit.page(1)
    await poll(hass, entry)
    assert not await is_late()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{}", [False, True, True, True]),
        ("{at_least: 2}", [False, False, True, False]),
    ],
)
async def test_guests_are_waiting_until_they_are_paged(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    automate: Automate,
    options: str,
    expected: list[bool],
) -> None:
    unit = simulator.unit
    entry = await set_up()
    are_waiting = await automate("guests_are_waiting", options)
    found = [await are_waiting()]
    for act, number in ((unit.create, 1), (unit.create, 2), (unit.page, 1)):
        act(number)
        await poll(hass, entry)
        found.append(await are_waiting())
    assert found == expected


async def test_guests_of_all_transmitters_in_the_target_are_counted_and_of_no_others(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    async with Simulator(unit=Unit(now=local_time), max_observers=0) as terrace:
        simulator.unit.create(1)
        terrace.unit.create(2)
        entry = await set_up()
        other = await set_up(terrace, "Terrace")
        [device] = dr.async_entries_for_config_entry(dr.async_get(hass), other.entry_id)
        both = await automate(
            "guests_are_waiting",
            "{at_least: 2}",
            f"{{entity_id: event.t7470_session, device_id: {device.id}}}",
        )
        assert await both()
        terrace.unit.clear(2)
        simulator.unit.create(3)
        await poll(hass, entry)
        await poll(hass, other)
        assert await both()
        simulator.unit.clear(3)
        terrace.unit.create(4)
        await poll(hass, entry)
        assert not await both()
        await hass.config_entries.async_unload(other.entry_id)


@pytest.mark.logs("Error fetching T7470 data")
async def test_nobody_is_known_to_wait_while_the_transmitter_is_away_or_not_set_up(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, automate: Automate
) -> None:
    simulator.unit.create(1)
    are_waiting = await automate("guests_are_waiting")
    assert not await are_waiting()
    entry = await set_up()
    assert await are_waiting()
    simulator.faults.switch("reset", on=True)
    await poll(hass, entry)
    assert not await are_waiting()
    simulator.faults.switch("reset", on=False)
    await poll(hass, entry)
    assert await are_waiting()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await are_waiting()


@pytest.mark.parametrize("target", NOTHING)
async def test_a_condition_without_a_target_is_refused(
    hass: HomeAssistant, automate: Automate, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    await automate("guest_is_late", target=target)
    assert "Automation with alias 'Tell' failed to setup conditions" in caplog.text
    assert hass.states.is_state("automation.tell", "unavailable")


# ------------------------------------------------------------------------------ the editor


async def test_the_editor_lists_the_conditions_with_their_fields(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    assert await async_setup_component(hass, "automation", {})
    await set_up()
    found = {
        key: description
        for key, description in (await condition.async_get_all_descriptions(hass)).items()
        if key.startswith(f"{DOMAIN}.")
    }
    assert set(found) == {f"{DOMAIN}.{key}" for key in KEYS}
    for key, description in found.items():
        assert description
        assert description["target"]["entity"][0]["integration"] == DOMAIN
        assert set(description["fields"]) == ({"at_least"} if key.endswith("waiting") else set())


async def test_each_condition_and_each_field_has_words_and_an_icon(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up()
    words = await translation.async_get_translations(hass, "en", "conditions", {DOMAIN})
    icons = await icon.async_get_icons(hass, "conditions", {DOMAIN})
    assert set(icons[DOMAIN]) == KEYS
    prefix = f"component.{DOMAIN}.conditions"
    assert {key.split(".")[3] for key in words} == KEYS
    for key in KEYS:
        assert words[f"{prefix}.{key}.name"]
        assert words[f"{prefix}.{key}.description"]
    assert words[f"{prefix}.guests_are_waiting.fields.at_least.name"]
