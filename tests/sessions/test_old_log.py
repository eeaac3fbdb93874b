"""The log of version 0.1, JSON lines, is taken over once, and nothing of it is lost."""

import asyncio
from dataclasses import replace
import json
from pathlib import Path
import signal
import stat
import sys

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from tests.sessions import KILLED, everything, opened, placed, read_all, session
from tests.sessions.test_disk import full_disk

HEADER = b'{"version":1,"key":"lrs_pager.entry"}\n'

# As version 0.1 wrote them.
LINES = [
    line.encode() + b"\n"
    for line in (
        """{"id":1,"uuid":"uuid-1","number":1,"goal":300,"clear_type":"STOP",\
"created":"2026-11-23T12:00:00","created_at":1795431600,"notified_at":1795431900,\
"cleared_at":1795431990}""",
        """{"id":2,"uuid":"uuid-2","number":2,"label":"Müller",\
"created":"2026-11-23T12:00:00","created_at":1795431600,"cleared_at":1795432000}""",
        """{"id":3,"created":"2026-11-23T12:00:01","created_at":1795431601}""",
        # The first and the third one told once more.
        """{"id":1,"uuid":"uuid-1","number":1,"party_size":4,"clear_type":"STOP",\
"created":"2026-11-23T12:00:00","created_at":1795431600,"notified_at":1795431900,\
"cleared_at":1795431990}""",
        """{"id":3,"uuid":"uuid-3","created":"2026-11-23T12:00:01","cleared_at":1795432100}""",
    )
]

SESSIONS = [
    PlacedSession(
        id=1,
        uuid="uuid-1",
        number=1,
        party_size=4,
        goal=300,
        clear_type="STOP",
        created="2026-11-23T12:00:00",
        created_at=1795431600,
        notified_at=1795431900,
        cleared_at=1795431990,
        wait=300,
        response=90,
    ),
    PlacedSession(
        id=2,
        uuid="uuid-2",
        number=2,
        label="Müller",
        created="2026-11-23T12:00:00",
        created_at=1795431600,
        cleared_at=1795432000,
    ),
    PlacedSession(
        id=3,
        uuid="uuid-3",
        created="2026-11-23T12:00:01",
        created_at=1795431601,
        cleared_at=1795432100,
    ),
]


@pytest.fixture
def old(path: Path) -> Path:
    """Where version 0.1 has its log."""
    path.parent.mkdir()
    return path.with_suffix("")


async def test_the_log_of_version_0_1_is_taken_over_once(path: Path, old: Path) -> None:
    old.write_bytes(HEADER + b"".join(LINES))
    log = SessionLog(path, old)
    found = await log.open()
    assert (found.set_aside, found.damaged) == (None, 0)
    assert await everything(log) == SESSIONS
    assert not old.exists()
    await log.close()
    async with opened(path, old) as log:
        assert await everything(log) == SESSIONS


async def test_without_a_log_of_version_0_1_there_is_nothing_to_take_over(
    path: Path, old: Path
) -> None:
    async with opened(path, old) as log:
        assert await log.count() == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_wait_that_cannot_have_been_is_none(path: Path, old: Path) -> None:
    instants = [(500, 400, 450), (0, 24 * 3600 + 1, 24 * 3600 + 1), (0, 24 * 3600, 0)]
    old.write_bytes(HEADER)
    with old.open("ab") as file:
        for number, at in enumerate(instants):
            fields = zip(("created_at", "notified_at", "cleared_at"), at, strict=True)
            file.write(json.dumps({"uuid": f"{number}", **dict(fields)}).encode() + b"\n")
    async with opened(path, old) as log:
        found = {s.uuid: (s.wait, s.response) for s in await everything(log)}
    assert found == {"0": (None, 50), "1": (None, 0), "2": (24 * 3600, None)}


@pytest.mark.parametrize("cut", [1, 20, 60])
async def test_a_line_cut_off_by_a_power_cut_costs_nothing_but_itself(
    path: Path, old: Path, cut: int
) -> None:
    old.write_bytes((HEADER + b"".join(LINES))[:-cut])
    log = SessionLog(path, old)
    assert (await log.open()).damaged == 0
    assert [s.uuid for s in await everything(log)] == [None, "uuid-1", "uuid-2"]
    await log.close()


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x00",
        b"{}x",
        b"[]",
        b"{}",
        b'{"uuid":"x","cleared_at":"1"}',
        b'{"uuid":["a"],"cleared_at":1}',
        b'{"uuid":"x","cleared_at":9223372036854775808}',
        b'{"uuid":"x","id":-9223372036854775808}',
        b"\xff",
    ],
)
async def test_a_damaged_line_is_set_aside_and_costs_nothing_but_itself(
    path: Path, old: Path, line: bytes
) -> None:
    old.write_bytes(HEADER + b"".join(LINES[:2]) + line + b"\n" + b"".join(LINES[2:]))
    log = SessionLog(path, old)
    found = await log.open()
    assert (found.set_aside, found.damaged) == (None, 1)
    assert await everything(log) == SESSIONS
    await log.close()
    aside = path.with_name(f"{path.name}.damaged")
    assert aside.read_bytes() == line + b"\n"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    log = SessionLog(path, old)
    assert (await log.open()).damaged == 0
    await log.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 4096,
        b"not JSON\n",
        b"[]\n",
        b'{"key":"lrs_pager.entry"}\n',
        b'{"version":2,"key":"lrs_pager.entry"}\n{"uuid":"from the future"}\n',
        b'{"version":"1"}\n',
        b'{"version":1}',
    ],
)
async def test_a_file_that_cannot_be_read_is_set_aside(
    path: Path, old: Path, content: bytes
) -> None:
    old.write_bytes(content)
    log = SessionLog(path, old)
    found = await log.open()
    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == content
    assert not old.exists()
    await log.merge([session(1)], placed)
    await log.close()
    async with opened(path, old) as log:
        assert await log.count() == 1


async def test_a_kill_while_it_is_taken_over_has_it_taken_over_again(path: Path, old: Path) -> None:
    lines = [
        json.dumps({"uuid": f"{number}", "cleared_at": number}).encode() + b"\n"
        for number in range(20_000)
    ]
    old.write_bytes(HEADER + b"".join(lines))
    kept = old.read_bytes()
    process = await asyncio.create_subprocess_exec(sys.executable, str(KILLED), str(path), str(old))
    wal = path.with_name(f"{path.name}-wal")
    # The file has its tables by then, and the sessions are on their way.
    while not wal.exists() or wal.stat().st_size < 10_000:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert old.read_bytes() == kept
    async with opened(path) as log:
        assert await log.count() == 0
    async with opened(path, old) as log:
        assert await log.count() == 20_000
    assert not old.exists()


async def test_what_became_known_meanwhile_stays_if_it_is_taken_over_again(
    path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.write_bytes(HEADER + b"".join(LINES))
    with monkeypatch.context() as killed:
        # The process was killed before it could do this.
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        async with opened(path, old) as log:
            await log.blank_names(2**40)
            await log.keep([replace(SESSIONS[2], number=9)])
    async with opened(path, old) as log:
        assert [s.label for s in await everything(log)] == [None, None, None]
        assert [s.number for s in await everything(log)] == [1, 2, 9]
    assert "Müller".encode() not in read_all(path)


async def test_on_a_full_disk_it_is_read_and_taken_over_at_the_next_start(
    path: Path, old: Path
) -> None:
    old.write_bytes(HEADER + b"damaged\n" + b"".join(LINES))
    async with opened(path):
        # As the next start finds it.
        wal = path.with_name(f"{path.name}-wal")
        copy = {file: file.read_bytes() for file in (path, wal)}
    for file, content in copy.items():
        file.write_bytes(content)
    log = SessionLog(path, old)
    with full_disk(path):
        assert (await log.open()).damaged == 1
        assert await everything(log) == SESSIONS
        assert old.exists()
    await log.close()
    async with opened(path, old) as log:
        assert await everything(log) == SESSIONS
    assert not old.exists()
    assert path.with_name(f"{path.name}.damaged").read_bytes() == b"damaged\n"
