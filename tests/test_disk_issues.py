"""Of a disk that fails, users are told where they look for what to do."""

from collections.abc import Awaitable, Callable

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.conftest import SetUp, poll, sensor, serve_guest
from tests.simulator import Simulator


def issue(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{name}_{entry.entry_id}")


async def pragma(entry: MockConfigEntry, name: str, value: int) -> None:
    """Have SQLite's file be as on a disk that fails."""
    log = entry.runtime_data.log
    await log._do(lambda store: store.disk._db._rows(f"PRAGMA {name} = {value}"))


async def full(entry: MockConfigEntry, *, is_over: bool = False) -> None:
    await pragma(entry, "max_page_count", 2**30 if is_over else 1)


async def read_only(entry: MockConfigEntry, *, is_over: bool = False) -> None:
    await pragma(entry, "query_only", 0 if is_over else 1)


# Bytes of a page of SQLite's.
PAGE = 4096

type Fails = Callable[..., Awaitable[None]]


async def guests_come(hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry) -> None:
    """So many that they need room on the disk."""
    for number in range(1, 200):
        serve_guest(simulator.unit, number, label="Ortega" * 20)
    await poll(hass, entry)


@pytest.mark.parametrize(
    ("fails", "error"),
    [
        pytest.param(fails, error, marks=pytest.mark.logs(f"could not be saved: {error}"))
        for fails, error in (
            (full, "database or disk is full"),
            (read_only, "attempt to write a readonly database"),
        )
    ],
    ids=["full", "read-only"],
)
@pytest.mark.usefixtures("midday")
async def test_users_are_told_of_a_disk_that_fails_until_it_works_again(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, fails: Fails, error: str
) -> None:
    entry = await set_up()
    await fails(entry)
    await guests_come(hass, simulator, entry)
    told = issue(hass, entry, "log_not_saved")
    assert told
    assert told.severity is ir.IssueSeverity.ERROR
    assert told.translation_placeholders == {"title": "T7470", "error": error}
    await fails(entry, is_over=True)
    serve_guest(simulator.unit)
    await poll(hass, entry)
    assert issue(hass, entry, "log_not_saved") is None
    assert sensor(hass, entry, "daily_count").state == "200"


@pytest.mark.logs("could not be saved: attempt to write a readonly database")
async def test_an_issue_of_the_disk_does_not_outlive_a_reload_that_mends_it(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    await read_only(entry)
    await guests_come(hass, simulator, entry)
    assert issue(hass, entry, "log_not_saved")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issue(hass, entry, "log_not_saved") is None


@pytest.mark.logs("The session log could not be read; it was set aside")
async def test_users_are_told_of_a_log_that_was_damaged_while_it_is_open(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 500):
        serve_guest(simulator.unit, number, minutes_ago=10 * 24 * 60)
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    path, _ = log_paths(hass, entry.entry_id)
    content = path.read_bytes()
    begin = content.find(simulator.unit.ledger[250].uuid.encode()) // PAGE * PAGE
    path.write_bytes(content[:begin] + bytes(PAGE) + content[begin + PAGE :])
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issue(hass, entry, "log_set_aside") is None
    await entry.runtime_data.log.between(0, 2**40)
    assert issue(hass, entry, "log_set_aside")


@pytest.mark.logs("The session log could not be read; it was set aside")
async def test_sessions_that_were_lost_with_a_damaged_log_are_read_again_at_once(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in range(1, 500):
        serve_guest(simulator.unit, number, minutes_ago=10 * 24 * 60)
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    path, _ = log_paths(hass, entry.entry_id)
    content = path.read_bytes()
    # The last half of the file, which a start does look at.
    path.write_bytes(content[: len(content) // 2 // PAGE * PAGE])
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issue(hass, entry, "log_set_aside")
    assert await entry.runtime_data.log.count() == 499
