"""Of a disk that fails, users are told where they look for what to do."""

from collections.abc import Awaitable, Callable
import errno
import os
from pathlib import Path
from typing import Any

from aiohttp import ClientError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.coordinator import log_paths
from custom_components.lrs_pager.diagnostics import async_get_config_entry_diagnostics
from custom_components.lrs_pager.sessions import disk
from custom_components.lrs_pager.sessions.missed import keep_missed_spans, missed_spans
from custom_components.lrs_pager.sync.picture import Picture
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, poll, sensor, serve_guest
from tests.sessions import unreadable
from tests.simulator import Simulator


def issue(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{name}_{entry.entry_id}")


def event_of(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    unique_id = f"{entry.entry_id}_session"
    found = er.async_get(hass).async_get_entity_id("event", DOMAIN, unique_id)
    assert found
    return found


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


FAILS = "could not be saved: disk I/O error"


async def response(hass: HomeAssistant, action: str, **data: int) -> dict[str, Any]:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


@pytest.mark.logs(FAILS)
@pytest.mark.usefixtures("midday")
async def test_a_log_that_can_not_be_read_leaves_the_figures_and_the_door_goes_on(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
) -> None:
    client = await hass_ws_client()
    for number in (1, 2):
        serve_guest(simulator.unit, number)
    simulator.unit.create(3)
    entry = await set_up()
    coordinator = entry.runtime_data
    async with unreadable(coordinator.log):
        serve_guest(simulator.unit, 4)
        simulator.unit.create(5)
        await poll(hass, entry)
        assert sensor(hass, entry, "daily_count").state == "2"
        assert sensor(hass, entry, "active_sessions").state == "2"
        assert issue(hass, entry, "log_not_saved")
        await response(hass, "page_session", number=5)
        assert sensor(hass, entry, "paged_sessions").state == "1"
        for action in (
            "get_history",
            "get_pattern",
            "get_pagers",
            "evaluate_quotes",
        ):
            with pytest.raises(HomeAssistantError) as refused:
                await response(hass, action)
            assert refused.value.translation_key == "log_not_loaded"
            assert refused.value.translation_placeholders == {"error": "disk I/O error"}
        await client.send_json_auto_id({"type": "lrs_pager/manager"})
        answer = await client.receive_json()
        assert answer["error"]["translation_key"] == "log_not_loaded"
        found = await async_get_config_entry_diagnostics(hass, entry)
        assert found["log"] == {"sessions": "disk I/O error"}
        # Of a day whose figures were never read, nothing is known.
        coordinator._picture = Picture(day_start=0, shows_names=False)
        await poll(hass, entry)
        assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
        assert sensor(hass, entry, "active_sessions").state == "2"
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "3"
    assert issue(hass, entry, "log_not_saved") is None
    assert len((await response(hass, "get_history"))["sessions"]) == 3


@pytest.mark.logs(FAILS, "The history can't be read: disk I/O error")
async def test_nobody_is_taken_for_another_unit_by_a_log_that_can_not_be_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit, 1)
    simulator.unit.create(3)
    entry = await set_up()
    follower = entry.runtime_data.follower
    async with unreadable(entry.runtime_data.log):
        # It answers again, and with it a history that does not go on.
        follower.read_everything()
        await response(hass, "page_session", number=3)
        assert sensor(hass, entry, "paged_sessions").state == "1"
        simulator.unit.create(5)
        await poll(hass, entry)
        assert not follower.is_sure
        assert sensor(hass, entry, "active_sessions").state == "2"
    await poll(hass, entry)
    assert follower.is_sure
    assert follower.identity.another is None


@pytest.mark.logs(FAILS)
async def test_nothing_is_told_twice_or_missed_as_the_log_can_not_be_read(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    follower = entry.runtime_data.follower
    serve_guest(simulator.unit, 1)
    await poll(hass, entry)
    told = hass.states.get(event_of(hass, entry))
    assert told
    assert told.attributes["number"] == 1
    follower.gaps.lost(None)
    kept = [(1.0, 2.0)]
    await keep_missed_spans(entry.runtime_data.log, kept)
    async with unreadable(entry.runtime_data.log):
        follower.poller.history.begin_anew()
        await poll(hass, entry)
        assert follower.poller.history.failing_since is None
        assert hass.states.get(event_of(hass, entry)) is told
    assert await missed_spans(entry.runtime_data.log) == kept
    follower.poller.history.begin_anew()
    await poll(hass, entry)
    assert await missed_spans(entry.runtime_data.log) == kept


@pytest.mark.logs(FAILS)
async def test_an_export_that_the_disk_breaks_off_is_no_whole_file(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "http", {})
    serve_guest(simulator.unit, 1)
    entry = await set_up()
    client = await hass_client()
    url = f"/api/{DOMAIN}/{entry.entry_id}/sessions.csv"
    async with unreadable(entry.runtime_data.log):
        with pytest.raises(ClientError):
            await (await client.get(url)).read()
    assert len((await (await client.get(url)).text()).splitlines()) == 2


@pytest.mark.logs("could not be saved: Read-only file system")
async def test_a_log_that_can_not_be_read_at_the_start_is_tried_again(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_guest(simulator.unit, 1)
    entry = await set_up()
    assert await hass.config_entries.async_unload(entry.entry_id)
    path, _ = log_paths(hass, entry.entry_id)
    damaged = path.read_bytes()[:-PAGE]
    path.write_bytes(damaged)

    def refuse(path: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(disk, "set_aside", refuse)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    words = "The session log could not be read from the disk: Read-only file system"
    assert entry.reason == words
    assert path.read_bytes() == damaged
