"""The log on disk: what a kill, a full disk, a damaged or a newer file do to it."""

import asyncio
import errno
import json
import os
from pathlib import Path
import stat
import threading

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.conftest import SetUp, poll, sensor, serve_guest
from tests.simulator import Simulator

SESSIONS = [
    PlacedSession(
        id=number,
        uuid=f"uuid-{number}",
        number=number,
        goal=300,
        label="Müller" if number == 2 else None,
        clear_type="STOP",
        created="2026-11-23T12:00:00",
        created_at=1_795_431_600,
        cleared_at=1_795_431_600 + number,
    )
    for number in (1, 2, 3)
]


@pytest.fixture
def store(hass: HomeAssistant) -> SessionStore:
    return SessionStore(hass, "entry")


@pytest.fixture
def path(hass: HomeAssistant) -> Path:
    return Path(hass.config.path(".storage", "lrs_pager.entry"))


def log_of(sessions: list[PlacedSession]) -> SessionLog:
    log = SessionLog()
    log.restore(sessions)
    return log


async def loaded(hass: HomeAssistant) -> list[PlacedSession]:
    """What the next start finds."""
    return list((await SessionStore(hass, "entry").async_load()).log)


async def save(store: SessionStore, new: list[PlacedSession]) -> None:
    """Add sessions to what is there."""
    store.add(new)
    await store.async_save(log_of(SESSIONS[: SESSIONS.index(new[-1]) + 1]))


async def test_what_was_saved_is_there_at_the_next_start(
    hass: HomeAssistant, store: SessionStore
) -> None:
    assert len((await store.async_load()).log) == 0
    await save(store, SESSIONS[:1])
    await save(store, SESSIONS[1:])
    assert await loaded(hass) == SESSIONS


async def test_a_new_session_costs_the_disk_its_own_line_and_no_more(
    store: SessionStore, path: Path
) -> None:
    await store.async_load()
    await save(store, SESSIONS[:2])
    before, inode = path.read_bytes(), path.stat().st_ino
    await save(store, SESSIONS[2:])
    assert path.read_bytes().startswith(before)
    assert path.stat().st_ino == inode
    assert len(path.read_bytes()) - len(before) < 250


async def test_nobody_but_home_assistant_may_read_guests_names(
    store: SessionStore, path: Path
) -> None:
    await store.async_load()
    await save(store, SESSIONS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("cut", [1, 20, 100])
async def test_a_line_cut_off_by_a_power_cut_costs_nothing_but_itself(
    hass: HomeAssistant, store: SessionStore, path: Path, cut: int
) -> None:
    await store.async_load()
    await save(store, SESSIONS)
    path.write_bytes(path.read_bytes()[:-cut])
    again = SessionStore(hass, "entry")
    assert list((await again.async_load()).log) == SESSIONS[:2]
    await save(again, SESSIONS[2:])
    assert await loaded(hass) == SESSIONS


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00\x00",
        b"{}x",
        b"[]",
        b'{"uuid":"x","cleared_at":"1"}',
        b'{"uuid":["a"],"cleared_at":1}',
        b"\xff",
    ],
)
async def test_a_damaged_line_costs_nothing_but_itself(
    hass: HomeAssistant, store: SessionStore, path: Path, damage: bytes
) -> None:
    await store.async_load()
    await save(store, SESSIONS)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage, b"\n", lines[3]]))
    found = await SessionStore(hass, "entry").async_load()
    assert list(found.log) == [SESSIONS[0], SESSIONS[2]]
    assert found.damaged == 1
    # It is kept, in case that somebody can read it, and is told of once.
    aside = path.with_name(f"{path.name}.damaged")
    assert aside.read_bytes() == damage + b"\n"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    found = await SessionStore(hass, "entry").async_load()
    assert list(found.log) == [SESSIONS[0], SESSIONS[2]]
    assert found.damaged == 0


@pytest.mark.parametrize("refused", [(os, "fsync"), (Path, "replace")], ids=["write", "rename"])
async def test_a_damaged_line_on_a_full_disk_keeps_nobody_from_starting(
    hass: HomeAssistant,
    store: SessionStore,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: tuple[object, str],
) -> None:
    await store.async_load()
    await save(store, SESSIONS[:2])
    damaged = path.read_bytes() + b"\0\n"
    path.write_bytes(damaged)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(*refused, refuse)
        store = SessionStore(hass, "entry")
        found = await store.async_load()
    assert list(found.log) == SESSIONS[:2]
    assert path.read_bytes() == damaged
    await save(store, SESSIONS[2:])
    assert await loaded(hass) == SESSIONS
    assert path.with_name(f"{path.name}.damaged").read_bytes().splitlines()[-1] == b"\0"


async def test_lines_that_are_not_needed_any_more_are_not_kept_for_ever(
    hass: HomeAssistant, store: SessionStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_store, "WASTE", 5)
    await store.async_load()
    for _ in range(30):
        await save(store, SESSIONS)
        assert len(path.read_text().splitlines()) <= 3 + 5 + 3 + 1
    await loaded(hass)
    assert len(path.read_text().splitlines()) <= 3 + 5 + 1
    assert await loaded(hass) == SESSIONS


async def test_a_reload_in_the_middle_of_a_save_loses_nothing(
    hass: HomeAssistant, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.async_load()
    await save(store, SESSIONS[:1])
    writing, go_on = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        writing.set()
        go_on.wait(5)

    monkeypatch.setattr(session_store.os, "fsync", slow)
    saving = asyncio.ensure_future(save(store, SESSIONS[1:2]))
    await asyncio.to_thread(writing.wait, 5)
    saving.cancel()
    closing = asyncio.ensure_future(store.async_close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    await closing
    again = SessionStore(hass, "entry")
    await again.async_load()
    await save(again, SESSIONS[2:])
    assert await loaded(hass) == SESSIONS


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 4096,
        b"not JSON\n",
        b"[]\n",
        b'{"key":"lrs_pager.entry"}\n',
        b'{"version":2,"key":"lrs_pager.entry"}\n{"uuid":"from the future"}\n',
        b'{"version":"1"}\n',
        b'{"version":1}',
    ],
)
async def test_a_file_that_cannot_be_read_is_set_aside_and_not_overwritten(
    hass: HomeAssistant, store: SessionStore, path: Path, content: bytes
) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    found = await store.async_load()
    assert len(found.log) == 0
    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == content
    await save(store, SESSIONS)
    assert await loaded(hass) == SESSIONS
    assert found.set_aside.read_bytes() == content
    await store.async_remove()
    assert list(path.parent.glob("lrs_pager.entry*")) == []  # guests' names are in both


async def test_an_older_file_is_brought_up_to_date(
    hass: HomeAssistant, store: SessionStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.async_load()
    await save(store, SESSIONS)
    monkeypatch.setattr(session_store, "VERSION", 3)
    monkeypatch.setitem(
        session_store.MIGRATIONS, 1, lambda line: line | {"label": line["uuid"].upper()}
    )
    monkeypatch.setitem(
        session_store.MIGRATIONS, 2, lambda line: line | {"label": line["label"] + "!"}
    )
    assert [s.label for s in await loaded(hass)] == ["UUID-1!", "UUID-2!", "UUID-3!"]
    # And once only.
    assert json.loads(path.read_text().splitlines()[0])["version"] == 3
    assert [s.label for s in await loaded(hass)] == ["UUID-1!", "UUID-2!", "UUID-3!"]


# ------------------------------------------------------------------- in a whole integration


@pytest.mark.polled
async def test_what_a_poll_tells_is_on_the_disk_before_anybody_is_shown_it(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    serve_guest(simulator.unit)
    writing, go_on = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        writing.set()
        go_on.wait(5)

    monkeypatch.setattr(session_store.os, "fsync", slow)
    polling = asyncio.ensure_future(poll(hass, entry))
    await asyncio.to_thread(writing.wait, 5)
    assert sensor(hass, entry, "daily_count").state == "0"
    go_on.set()
    await polling
    assert sensor(hass, entry, "daily_count").state == "1"


@pytest.mark.logs("The session log could not be read; it was set aside")
async def test_the_user_is_told_of_a_log_that_was_set_aside(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    path = Path(hass.config.path(".storage", f"lrs_pager.{entry.entry_id}"))
    await hass.config_entries.async_unload(entry.entry_id)
    path.write_bytes(b"\x00" * 100)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    issue = issue_registry.async_get_issue("lrs_pager", f"log_set_aside_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    aside = path.with_name(issue.translation_placeholders["file"])
    assert aside.read_bytes() == b"\x00" * 100
    # What the transmitter still holds is logged anew.
    assert sensor(hass, entry, "daily_count").state == "1"
    await hass.config_entries.async_remove(entry.entry_id)
    assert not aside.exists()
    assert issue_registry.async_get_issue("lrs_pager", issue.issue_id) is None


@pytest.mark.polled
async def test_a_log_that_somebody_deleted_is_written_anew(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    path = Path(hass.config.path(".storage", f"lrs_pager.{entry.entry_id}"))
    path.unlink()
    for _ in range(2):
        serve_guest(simulator.unit)
        await poll(hass, entry)
    assert len(path.read_text().splitlines()) == 4
