"""Guests' names are where the user wants them, and for no longer."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.lrs_pager.const import (
    CONF_DAY_START,
    CONF_KEEP_NAMES,
    CONF_SHOW_NAMES,
    DOMAIN,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import restore_state
from homeassistant.helpers.json import json_bytes
from tests.conftest import SetUp, poll, sensor, serve_guest, settle
from tests.sessions import everything
from tests.simulator import Simulator
from tests.test_disk_issues import read_only

EVENT = "event.t7470_session"


async def until(happened: Callable[[], object]) -> None:
    """Wait for something to happen."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def step(hass: HomeAssistant) -> dict[str, Any]:
    """The latest step of a session, as the event entity shows it."""
    state = hass.states.get(EVENT)
    assert state
    return dict(state.attributes)


async def choose(hass: HomeAssistant, entry: MockConfigEntry, *, shows_names: bool) -> None:
    """Choose in the options whether names are shown."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_DAY_START: 0, CONF_SHOW_NAMES: shows_names}
    )
    await hass.async_block_till_done()
    await until(lambda: entry.runtime_data.follower.push.is_live)


def states(hass: HomeAssistant) -> str:
    """All that is shown."""
    return json_bytes([state.as_dict() for state in hass.states.async_all()]).decode()


def kept(hass: HomeAssistant) -> str:
    """What Home Assistant would write now, to show it after a restart."""
    stored = restore_state.async_get(hass).async_get_stored_states()
    return json_bytes([state.as_dict() for state in stored]).decode()


async def session(hass: HomeAssistant, simulator: Simulator, label: str) -> None:
    """Have a guest come and go, with another of the same name who stays."""
    unit = simulator.unit
    for number in (7, 8):
        unit.create(number, label=label)
    unit.page(7)
    unit.clear(7)
    await until(lambda: step(hass)["event_type"] == "cleared")
    assert step(hass)["number"] == 7


async def test_at_first_no_state_has_a_name(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, 4, label="Ortega")
    entry = await set_up()
    await until(lambda: entry.runtime_data.follower.push.is_live)
    await session(hass, simulator, "Ortega")
    assert "Ortega" not in states(hass)
    assert "Ortega" not in kept(hass)
    # Not even empty: who reads it is to see that it isn't there.
    assert "label" not in step(hass)
    assert "label" not in sensor(hass, entry, "last_cleared_session").attributes
    [active] = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert "label" not in active
    # Who may ask is told.
    for action, numbers in (
        ("get_sessions", {8: "Ortega"}),
        ("get_history", dict.fromkeys((4, 7), "Ortega")),
    ):
        found = await hass.services.async_call(
            DOMAIN, action, {}, blocking=True, return_response=True
        )
        assert {s["number"]: s["label"] for s in found["sessions"]} == numbers


async def test_names_are_shown_and_hidden_as_soon_as_the_user_says_so(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await until(lambda: entry.runtime_data.follower.push.is_live)
    await choose(hass, entry, shows_names=True)
    await session(hass, simulator, "Ortega")
    assert step(hass)["label"] == "Ortega"
    assert sensor(hass, entry, "last_cleared_session").attributes["label"] == "Ortega"
    [active] = sensor(hass, entry, "active_sessions").attributes["sessions"]
    assert active["label"] == "Ortega"
    assert "Ortega" in kept(hass)
    before = step(hass)
    await choose(hass, entry, shows_names=False)
    assert "Ortega" not in states(hass)
    assert "Ortega" not in kept(hass)
    # All else of the event is still there.
    assert step(hass) == {key: value for key, value in before.items() if key != "label"}
    await choose(hass, entry, shows_names=True)
    assert sensor(hass, entry, "last_cleared_session").attributes["label"] == "Ortega"


@pytest.mark.parametrize("shows_names", [True, False])
async def test_a_name_from_before_a_restart_is_shown_only_if_names_are(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, *, shows_names: bool
) -> None:
    # As of a version that had names in all states.
    attributes = {"number": 7, "label": "Ortega"}
    shown = State(EVENT, "2026-11-23T20:00:00.000+00:00", {"event_type": "paged", **attributes})
    extra = {"last_event_type": "paged", "last_event_attributes": attributes}
    mock_restore_cache_with_extra_data(hass, [(shown, extra)])
    await set_up(show_names_in_states=shows_names)
    assert step(hass)["number"] == 7
    assert ("label" in step(hass)) is shows_names
    assert ("Ortega" in states(hass)) is shows_names
    assert ("Ortega" in kept(hass)) is shows_names


# ----------------------------------------------------------------- names in the session log


def names_on_disk(hass: HomeAssistant, *names: str) -> set[str]:
    """Those of the names of which there is a copy in any file of the log."""
    files = Path(hass.config.path(".storage")).glob("lrs_pager.*")
    data = b"".join(file.read_bytes() for file in files)
    assert data
    return {name for name in names if name.encode() in data}


async def test_names_are_kept_for_a_week_and_no_copy_for_longer(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, 1, minutes_ago=8 * 1440, label="Achterberg")
    serve_guest(simulator.unit, 2, minutes_ago=6 * 1440, label="Seidensticker")
    entry = await set_up()
    log = entry.runtime_data.log
    assert names_on_disk(hass, "Achterberg", "Seidensticker") == {"Seidensticker"}
    assert [session.label for session in await everything(log)] == [None, "Seidensticker"]
    freezer.tick(timedelta(days=1, hours=1))
    await poll(hass, entry)
    assert names_on_disk(hass, "Achterberg", "Seidensticker") == set()
    assert [session.number for session in await everything(log)] == [1, 2]
    # The transmitter still tells them.
    await entry.runtime_data.async_read_all()
    await settle(hass)
    assert names_on_disk(hass, "Achterberg", "Seidensticker") == set()


@pytest.mark.logs("could not be saved: attempt to write a readonly database")
async def test_names_whose_time_came_while_the_disk_failed_are_gone_once_it_works_again(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=6 * 1440, label="Seidensticker")
    entry = await set_up()
    await read_only(entry)
    freezer.tick(timedelta(days=1, hours=1))
    await poll(hass, entry)
    assert names_on_disk(hass, "Seidensticker") == {"Seidensticker"}
    await read_only(entry, is_over=True)
    await poll(hass, entry)
    assert names_on_disk(hass, "Seidensticker") == set()


@pytest.mark.parametrize(
    ("days", "kept"), [(0, set()), (1, {"Tonight"}), (None, {"Tonight", "Achterberg"})]
)
async def test_how_long_names_are_kept_is_an_option(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, days: int | None, kept: set[str]
) -> None:
    serve_guest(simulator.unit, 1, minutes_ago=8 * 1440, label="Achterberg")
    serve_guest(simulator.unit, 2, label="Tonight")
    entry = await set_up(**{CONF_KEEP_NAMES: days})
    simulator.unit.create(3, label="Tonight")
    simulator.unit.clear(3)
    await poll(hass, entry)
    assert names_on_disk(hass, "Achterberg", "Tonight") == kept
    assert await entry.runtime_data.log.count() == 3
    # What is chosen later holds for what is there.
    hass.config_entries.async_update_entry(entry, options={CONF_KEEP_NAMES: 1})
    await hass.config_entries.async_reload(entry.entry_id)
    simulator.unit.create(4, label="Latest")
    simulator.unit.clear(4)
    await poll(hass, entry)
    assert names_on_disk(hass, "Achterberg", "Tonight", "Latest") == (kept & {"Tonight"}) | {
        "Latest"
    }
