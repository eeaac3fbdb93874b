"""Home Assistant's backups hold session logs that are whole."""

import asyncio
from collections.abc import AsyncIterator
import io
from pathlib import Path
import tarfile
import threading
from types import SimpleNamespace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager import backup
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.transmitter import Session
from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, poll, sensor, serve_guest
from tests.sessions import everything, opened, placed, session
from tests.simulator import Simulator


def path_of(hass: HomeAssistant, name: str) -> Path:
    return Path(hass.config.path(".storage", f"lrs_pager.{name}.db"))


@pytest.fixture
async def logs(hass: HomeAssistant) -> AsyncIterator[list[SessionLog]]:
    """The logs of two transmitters that are set up; a third is not."""
    MockConfigEntry(domain="lrs_pager").add_to_hass(hass)
    async with opened(path_of(hass, "a")) as first, opened(path_of(hass, "b")) as second:
        for log, title in ((first, "Front door"), (second, "Terrace")):
            entry = MockConfigEntry(domain="lrs_pager", title=title, state=ConfigEntryState.LOADED)
            entry.runtime_data = SimpleNamespace(log=log)
            entry.add_to_hass(hass)
            await log.merge([session(0)], placed)
        yield [first, second]


async def test_a_backup_made_while_guests_come_and_go_can_be_restored(
    hass: HomeAssistant, logs: list[SessionLog], tmp_path: Path
) -> None:
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    hass.data[DATA_MANAGER].platforms["lrs_pager"] = backup
    is_done = False

    async def guests() -> int:
        number = 1
        while not is_done:
            for log in logs:
                await log.merge([session(number)], placed)
            number += 1
        return number

    coming = asyncio.ensure_future(guests())
    await asyncio.sleep(0.2)
    await hass.services.async_call("backup", "create", blocking=True)
    await asyncio.sleep(0.2)
    is_done = True
    count = await coming
    (archive,) = Path(hass.config.path("backups")).glob("*.tar")
    with tarfile.open(archive) as outer:
        (name,) = [name for name in outer.getnames() if name.endswith("homeassistant.tar.gz")]
        inner = outer.extractfile(name)
        assert inner is not None
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as data:
            data.extractall(tmp_path / "elsewhere", filter="data")
    for name in ("a", "b"):
        restored = tmp_path / "elsewhere" / "data" / ".storage" / path_of(hass, name).name
        async with opened(restored) as log:
            found = [s.number for s in reversed(await everything(log))]
        assert found == list(range(len(found)))
        assert 1 < len(found) < count
    for log in logs:
        assert await log.count() == count


async def test_files_stay_as_they_are_from_the_beginning_to_the_end_of_a_backup(
    hass: HomeAssistant, logs: list[SessionLog]
) -> None:
    await backup.async_pre_backup(hass)
    files = [path_of(hass, "a"), path_of(hass, "b")]
    before = [file.read_bytes() for file in files]
    for log in logs:
        await log.merge([session(n) for n in range(2_000)], placed)
    assert [file.read_bytes() for file in files] == before
    await backup.async_post_backup(hass)
    for file, content in zip(files, before, strict=True):
        assert file.read_bytes() != content


@pytest.mark.logs("The session log of Terrace is busy")
async def test_a_log_that_is_busy_holds_no_backup_up(
    hass: HomeAssistant, logs: list[SessionLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAUSE_TIMEOUT", 0.05)
    go_on = threading.Event()

    def slow(told: Session, before: PlacedSession | None) -> PlacedSession:
        assert go_on.wait(10)
        return placed(told, before)

    merging = asyncio.ensure_future(logs[1].merge([session(1)], slow))
    await asyncio.sleep(0)
    await backup.async_pre_backup(hass)
    assert not merging.done()
    go_on.set()
    await backup.async_post_backup(hass)
    await merging
    await logs[1].merge([session(2)], placed)
    assert await logs[1].count() == 3


async def test_a_log_that_was_closed_meanwhile_needs_no_backup_of_ours(
    hass: HomeAssistant, logs: list[SessionLog]
) -> None:
    await logs[0].close()
    await backup.async_pre_backup(hass)
    await logs[1].merge([session(1)], placed)
    await logs[1].close()
    await backup.async_post_backup(hass)


async def test_a_transmitter_that_is_reloaded_during_a_backup_leaves_its_file_as_it_is(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    path = path_of(hass, entry.entry_id)
    serve_guest(simulator.unit, 3)
    await poll(hass, entry)
    await backup.async_pre_backup(hass)
    before = path.read_bytes()
    for number in (4, 5):
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        serve_guest(simulator.unit, number)
        await poll(hass, entry)
        assert path.read_bytes() == before
    await backup.async_post_backup(hass)
    assert path.read_bytes() != before
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert sensor(hass, entry, "daily_count").state == "3"
    before = path.read_bytes()
    serve_guest(simulator.unit, 6)
    await poll(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    assert path.read_bytes() != before
