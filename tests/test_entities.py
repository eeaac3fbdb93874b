"""What all entities look like: names, units, classes, categories, attributes."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import snapshot_platform
from syrupy.assertion import SnapshotAssertion

from custom_components import lrs_pager
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.conftest import SetUp, serve_guest, settle
from tests.simulator import Simulator

NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)  # in the harness's zone, US/Pacific


@pytest.mark.newest
@pytest.mark.parametrize("platform", lrs_pager.PLATFORMS)
async def test_all_entities_look_like_this(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    snapshot: SnapshotAssertion,
    platform: Platform,
) -> None:
    freezer.move_to(NOON)
    unit = simulator.unit
    unit.history_party_size = True
    serve_guest(unit, 4, minutes_ago=90, wait=250, party_size=3)
    serve_guest(unit, 9, minutes_ago=30, wait=400, response=120, party_size=4)
    serve_guest(unit, 7, minutes_ago=1, label="Ortega", removed=True, response=600)
    for number, minutes_ago in ((5, 20), (6, 4), (8, 9)):
        with unit.at(unit.now() - timedelta(minutes=minutes_ago)):
            unit.create(number, goal=900, party_size=number, label=f"Guest {number}")
    with unit.at(unit.now() - timedelta(minutes=1)):
        unit.page(8)
    with patch.object(lrs_pager, "PLATFORMS", [platform]):
        entry = await set_up()
        registry = er.async_get(hass)
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            registry.async_update_entity(entity.entity_id, disabled_by=None)
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        while not entry.runtime_data.follower.push.is_live:
            await hass.async_block_till_done()
        await settle(hass)
        await snapshot_platform(hass, registry, snapshot, entry.entry_id)
        await hass.config_entries.async_unload(entry.entry_id)
