"""What a kill, a power cut, damage, a full disk and a backup do to the log's file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
import errno
import os
from pathlib import Path
import re
import resource
import shutil
import signal
import sqlite3
import stat
import sys
import tarfile

import pytest

from custom_components.lrs_pager.sessions import database, disk, log as log_module, schema
from custom_components.lrs_pager.sessions.log import (
    FutureVersionError,
    LogUnreadableError,
    SessionLog,
)
from custom_components.lrs_pager.sessions.session import PlacedSession
from tests.sessions import (
    KILLED,
    NOON_AT,
    everything,
    opened,
    placed,
    read_all,
    session,
    unreadable,
)

# SQLite's.
PAGE = 2048


async def filled(path: Path, count: int = 3) -> None:
    """Make a log with some sessions, the first of which ended last, and close it."""
    async with opened(path) as log:
        await log.merge([session(n, label=f"Guest {n}") for n in range(count)], placed)


async def filled_with(path: Path, numbers: list[int]) -> None:
    """Add sessions to a log."""
    async with opened(path) as log:
        await log.merge([session(n) for n in numbers], placed)


async def numbers(path: Path) -> list[int | None]:
    """The pagers of the sessions that a start finds, from the latest."""
    async with opened(path) as log:
        return [s.number for s in reversed(await everything(log))]


def with_suffix(path: Path, suffix: str) -> Path:
    """A file that SQLite puts beside another."""
    return path.with_name(path.name + suffix)


def copied(path: Path, to: Path) -> Path:
    """A copy of the files as they are, as after a power cut."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(path.parent, to)
    return to / path.name


# ----------------------------------------------------------------------------- kills, power cuts


@pytest.mark.parametrize("after", [1, 10, 300])
async def test_a_kill_loses_nothing_that_was_merged(path: Path, after: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(KILLED), str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = []
    while len(said) <= after:
        said.append((await process.stdout.readline()).decode().strip())
    process.send_signal(signal.SIGKILL)
    said += (await process.stdout.read()).decode().split()
    await process.wait()
    assert said[0] == "open"
    merged = [int(number) for number in said[1:]]
    async with opened(path) as log:
        found = [s.number for s in reversed(await everything(log))]
        # One more may have been on its way.
        assert found in (merged, [*merged, len(merged)])
        assert await log.get("cursor") in (merged[-1], len(found) - 1)
        assert (await log.find(session(0))).label == "Guest 0"


async def test_a_power_cut_in_a_write_loses_that_write_alone(path: Path, tmp_path: Path) -> None:
    wal = with_suffix(path, "-wal")
    async with opened(path) as log:
        # Where the write-ahead log ended after each of some merges.
        ends = []
        for number in range(6):
            await log.merge([session(number)], placed)
            ends.append(wal.stat().st_size)
        for cut in range(ends[0], ends[-1], 700):
            copy = copied(path, tmp_path / "copy")
            os.truncate(with_suffix(copy, "-wal"), cut)
            whole = [number for number, end in enumerate(ends) if end <= cut]
            assert await numbers(copy) == whole
        for place in range(ends[2] + 5, ends[3], 1000):
            copy = copied(path, tmp_path / "copy")
            with with_suffix(copy, "-wal").open("r+b") as file:
                file.seek(place)
                file.write(b"torn")
            assert await numbers(copy) == [0, 1, 2]


async def test_a_power_cut_while_the_file_is_made_leaves_one_that_can_be_opened(
    path: Path, tmp_path: Path
) -> None:
    async with opened(path):
        size = with_suffix(path, "-wal").stat().st_size
        for cut in range(0, size, 500):
            copy = copied(path, tmp_path / "copy")
            os.truncate(with_suffix(copy, "-wal"), cut)
            await filled(copy, 2)
            assert await numbers(copy) == [0, 1]


# --------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize(
    "content",
    [b"\0" * 4096, b"not a database", b"SQLite format 3\0" + b"\xff" * 84, b"SQLite format 3\0"],
    ids=["zeros", "text", "header", "cut header"],
)
async def test_a_file_that_is_no_database_is_set_aside_and_not_overwritten(
    path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    log = SessionLog(path)
    found = await log.open()
    assert found.set_aside is not None
    assert found.set_aside.parent == path.parent
    assert found.set_aside.read_bytes() == content
    await log.merge([session(0)], placed)
    await log.close()
    assert await numbers(path) == [0]
    assert found.set_aside.read_bytes() == content


@pytest.mark.parametrize("version", [0, schema.VERSION])
async def test_a_database_of_something_else_is_set_aside(path: Path, version: int) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    content = path.read_bytes()
    log = SessionLog(path)
    found = await log.open()
    await log.close()
    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == content


@pytest.mark.parametrize("damaged", [b"party_sice", b"party_s\x80ze"])
async def test_a_file_whose_description_is_damaged_is_set_aside(path: Path, damaged: bytes) -> None:
    await filled(path)
    content = path.read_bytes()
    assert b"party_size INTEGER" in content
    path.write_bytes(content.replace(b"ended_at INTEGER", damaged[-8:] + b" INTEGER"))
    log = SessionLog(path)
    found = await log.open()
    assert found.set_aside is not None
    await log.merge([session(5)], placed)
    await log.close()
    assert 5 in await numbers(path)


def damage(path: Path, number: int) -> None:
    """Overwrite the page that has the session of a pager; nothing is seen of it at the start."""
    found = re.search(rb"uuid-%d.{,10}STOP" % number, path.read_bytes(), re.DOTALL)
    assert found
    with path.open("r+b") as file:
        file.seek(found.start() // PAGE * PAGE)
        file.write(b"\x07" * PAGE)


async def test_what_can_be_read_of_a_damaged_file_is_in_the_new_one(path: Path) -> None:
    count = 2_000
    await filled(path, count)
    damage(path, 1_000)
    told: list[Path] = []
    async with opened(path, set_aside=told.append) as log:
        assert await log.count() == count
        found = await everything(log)
        (aside,) = told
        assert aside.parent == path.parent
        lost = count - len(found)
        assert 0 < lost < 30
        assert [s.label for s in found] == [f"Guest {s.number}" for s in found]
        # The transmitter may still have those that were lost.
        assert len(await log.merge([session(n) for n in range(count)], placed)) >= lost
        assert await log.count() == count
    assert await numbers(path) == list(range(count))
    assert len(told) == 1


async def test_values_that_can_be_read_of_a_damaged_file_are_in_the_new_one(path: Path) -> None:
    await filled(path, 2_000)
    async with opened(path) as log:
        await log.set("long", "a" * 5_000)
        await log.set("damaged", "b" * 5_000)
        for number in range(20):  # each of which gets a row of its own
            await log.set("cursor", number)
        await log.blank_names(NOON_AT - 60 * 60)
    damage(path, 1_000)
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b"b" * 2_000) // PAGE * PAGE)
        file.write(b"\x07" * PAGE)
    told: list[Path] = []
    for _ in range(2):
        async with opened(path, set_aside=told.append) as log:
            assert await log.get("damaged") is None
            assert await log.get("long") == "a" * 5_000
            assert await log.get("cursor") == 19
            await everything(log)
            # The instant before which no session has a name is a value, too.
            await log.merge([session(1_000, label="Ortega")], placed)
            assert (await log.find(session(1_000))).label is None
    assert len(told) == 1


async def test_names_that_cannot_be_read_do_not_take_their_sessions_away(path: Path) -> None:
    await filled(path, 500)
    names = path.read_bytes().find(b"Guest 250") // PAGE * PAGE
    with path.open("r+b") as file:
        file.seek(names)
        file.write(b"\x07" * PAGE)
    async with opened(path) as log:
        found = await everything(log)
        assert [s.number for s in reversed(found)] == list(range(500))
        unnamed = [s.number for s in found if s.label is None]
        assert 250 in unnamed
        assert len(unnamed) < 200


async def test_a_file_that_was_cut_off_keeps_what_was_before_the_cut(path: Path) -> None:
    await filled(path, 2_000)
    os.truncate(path, path.stat().st_size // 2)
    log = SessionLog(path)
    found = await log.open()
    assert found.set_aside is not None
    kept = await log.count()
    assert 0 < kept < 2_000
    await log.close()
    assert len(await numbers(path)) == kept


async def test_a_merge_that_finds_damage_is_done_all_the_same(path: Path) -> None:
    await filled(path, 2_000)
    damage(path, 1_000)
    told: list[Path] = []
    async with opened(path, set_aside=told.append) as log:
        changes = await log.merge([session(n) for n in (500, 1_000, 2_000)], placed)
        assert len(told) == 1
        assert [after.number for before, after in changes if before is None] == [1_000, 2_000]
        assert await log.find(session(2_000)) is not None
    found = await numbers(path)
    assert found[500] == 500
    assert {1_000, 2_000} <= set(found)


async def test_a_session_of_which_only_the_index_knows_counts_as_damage(path: Path) -> None:
    await filled(path)
    damaged = sqlite3.connect(path, isolation_level=None)
    # Without its description, SQLite does not know of the index, and leaves it as it is.
    damaged.execute("PRAGMA writable_schema = ON")
    (kept,) = damaged.execute(
        "SELECT * FROM sqlite_schema WHERE name = 'sessions_by_end'"
    ).fetchall()
    damaged.execute("DELETE FROM sqlite_schema WHERE name = 'sessions_by_end'")
    damaged.close()
    damaged = sqlite3.connect(path, isolation_level=None)
    damaged.execute("DELETE FROM sessions WHERE number = 1")
    damaged.execute("PRAGMA writable_schema = ON")
    damaged.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", kept)
    damaged.close()
    told: list[Path] = []
    async with opened(path, set_aside=told.append) as log:
        assert [s.number for s in await everything(log)] == [2, 0]
        assert len(told) == 1


@pytest.mark.parametrize("value", ["CAST(x'ff' AS TEXT)", "7", "x'00'"])
async def test_a_value_that_no_session_has_counts_as_damage(path: Path, value: str) -> None:
    await filled(path)
    damaged = sqlite3.connect(path, isolation_level=None)
    # So that SQLite takes any.
    damaged.execute("PRAGMA writable_schema = ON")
    damaged.execute("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '')")
    damaged.execute("UPDATE sqlite_schema SET sql = replace(sql, 'type TEXT', 'type')")
    damaged.close()
    damaged = sqlite3.connect(path, isolation_level=None)
    damaged.execute(f"UPDATE sessions SET clear_type = {value} WHERE number = 1")  # noqa: S608
    damaged.close()
    told: list[Path] = []
    async with opened(path, set_aside=told.append) as log:
        assert [s.number for s in await everything(log)] == [2, 0]
        assert len(told) == 1


async def test_what_was_in_the_write_ahead_log_of_a_damaged_file_is_read_too(
    path: Path, tmp_path: Path
) -> None:
    await filled(path, 2_000)
    async with opened(path) as log:
        await log.merge([session(5_000)], placed)
        killed = copied(path, tmp_path / "killed")
    damage(killed, 1_000)
    before = [killed.read_bytes(), with_suffix(killed, "-wal").read_bytes()]
    told: list[Path] = []
    async with opened(killed, set_aside=told.append) as log:
        found = {s.number for s in await everything(log)}
    assert {0, 1_999, 5_000} <= found
    (aside,) = told
    assert [aside.read_bytes(), with_suffix(aside, "-wal").read_bytes()] == before


async def test_damage_on_a_disk_that_can_not_be_written_is_borne(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path, 2_000)
    damage(path, 1_000)

    def refuse(path: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    told: list[str | None] = []
    async with opened(path, failing=told.append) as log:
        with monkeypatch.context() as full:
            full.setattr(disk, "set_aside", refuse)
            changes = await log.merge([session(1_000), session(5_000)], placed)
            assert [before for before, _ in changes] == [None, None]
            assert told == ["Read-only file system"]
            # Nobody knows what the file has, which is neither two sessions nor no values.
            with pytest.raises(LogUnreadableError, match="Read-only file system"):
                await log.count()
            with pytest.raises(LogUnreadableError):
                await log.get("cursor")
        await log.merge([], placed)
        assert told[1:] == [None]
        assert 1_900 < await log.count() <= 2_001
    assert {0, 1_000, 5_000} <= set(await numbers(path))


async def test_what_cannot_be_kept_is_refused_and_costs_the_log_nothing(path: Path) -> None:
    told: list[Path | str | None] = []
    async with opened(path, failing=told.append, set_aside=told.append) as log:
        for number in ([], 2**63):
            wrong = replace(placed(session(2)), number=number)  # type: ignore[arg-type]
            with pytest.raises((sqlite3.ProgrammingError, OverflowError)):
                await log.keep([placed(session(1)), wrong])
        assert told == []
        assert await log.count() == 0
        await log.merge([session(1)], placed)
    assert await numbers(path) == [1]


async def test_our_clock_is_set_after_a_file_was_set_aside(path: Path) -> None:
    await filled(path, 2_000)
    damage(path, 1_000)
    by_age = replace(placed(session(5_000)), is_by_age=True)
    async with opened(path) as log:
        await everything(log)
        await log.keep([by_age])
        assert await log.shift(60) == [(by_age, by_age.shifted(60))]


async def test_values_that_were_damaged_are_none(path: Path) -> None:
    async with opened(path) as log:
        await log.set("cursor", 5)
        await log.blank_names(0)
    with sqlite3.connect(path) as damaged:
        damaged.execute("UPDATE state SET value = '{' || value")
    damaged.close()
    async with opened(path) as log:
        assert await log.get("cursor") is None
        await log.merge([session(1, label="Ortega")], placed)
        assert [s.label for s in await everything(log)] == ["Ortega"]


@pytest.mark.parametrize("has_wal", [False, True])
async def test_a_file_of_a_later_version_is_not_touched(path: Path, *, has_wal: bool) -> None:
    await filled(path)
    later = sqlite3.connect(path, isolation_level=None)
    later.execute("PRAGMA locking_mode = EXCLUSIVE")
    later.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    later.execute("DROP TABLE names")
    if has_wal:
        later.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
    later.close()
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    assert (with_suffix(path, "-wal") in before) == has_wal
    with pytest.raises(FutureVersionError):
        await SessionLog(path).open()
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


FIRST_VERSION = """
CREATE TABLE sessions (
  row INTEGER PRIMARY KEY,
  ended_at INTEGER NOT NULL,
  id INTEGER,
  uuid TEXT,
  number INTEGER,
  party_size INTEGER,
  goal INTEGER,
  clear_type TEXT,
  created TEXT,
  notified TEXT,
  cleared TEXT,
  created_at INTEGER,
  notified_at INTEGER,
  cleared_at INTEGER,
  wait INTEGER,
  response INTEGER,
  is_by_age INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_end ON sessions (ended_at, row, number);
CREATE INDEX sessions_by_uuid ON sessions (uuid);
CREATE INDEX sessions_by_id ON sessions (id);
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE names (session INTEGER PRIMARY KEY, label TEXT) STRICT;
INSERT INTO state VALUES ('cursor', '17');
PRAGMA user_version = 1;
"""


def filled_by_the_first_version(path: Path) -> list[PlacedSession]:
    """Make a log as it was before quotes were kept; return its sessions, the first the latest."""
    path.parent.mkdir()
    sessions = [placed(session(n, label=f"Guest {n}")) for n in range(3)]
    old = sqlite3.connect(path, isolation_level=None)
    old.executescript(FIRST_VERSION)
    columns = [name for _, name, *_ in old.execute("PRAGMA table_info(sessions)")]
    for row, each in enumerate(sessions, 1):
        values = [getattr(each, name) if name != "row" else row for name in columns]
        places = ", ".join("?" * len(columns))
        old.execute(f"INSERT INTO sessions VALUES ({places})", values)  # noqa: S608
        old.execute("INSERT INTO names VALUES (?, ?)", (row, each.label))
    old.close()
    return sessions


async def test_a_file_of_the_first_version_keeps_all_it_has_and_takes_quotes(path: Path) -> None:
    sessions = filled_by_the_first_version(path)
    async with opened(path) as log:
        assert list(reversed(await everything(log))) == sessions
        assert await log.get("cursor") == 17
        quoted = replace(placed(session(7)), quoted=1_200, first_goal=900)
        await log.keep([quoted])
        await log.merge([session(1, party_size=5)], placed)
    async with opened(path) as log:
        assert await log.find(session(7)) == quoted
        assert [s.party_size for s in await everything(log)] == [None, None, 5, None]


async def test_a_file_of_the_first_version_is_read_where_it_can_not_be_brought_up_to_date(
    path: Path,
) -> None:
    sessions = filled_by_the_first_version(path)
    with_suffix(path, "-wal").mkdir()  # so that SQLite can't make it
    log = SessionLog(path)
    await log.open()
    assert list(reversed(await everything(log))) == sessions
    await log.keep([replace(placed(session(7)), quoted=1_200)])
    with_suffix(path, "-wal").rmdir()
    await log.close()
    async with opened(path) as log:
        assert [s.quoted for s in await everything(log)] == [1_200, None, None, None]


async def test_a_damaged_file_of_the_first_version_is_read_as_far_as_it_goes(path: Path) -> None:
    sessions = filled_by_the_first_version(path)
    damaged = sqlite3.connect(path, isolation_level=None)
    damaged.execute("DROP TABLE state")
    damaged.close()
    log = SessionLog(path)
    assert (await log.open()).set_aside
    assert list(reversed(await everything(log))) == sessions
    await log.close()


async def test_a_file_of_an_earlier_version_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    monkeypatch.setattr(database, "VERSION", schema.VERSION + 2)
    monkeypatch.setitem(
        schema.MIGRATIONS, schema.VERSION, "UPDATE sessions SET number = number + 1"
    )
    last = "UPDATE sessions SET number = number * 10; UPDATE names SET label = label || '!'"
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION + 1, last)
    assert await numbers(path) == [10, 20, 30]
    # And once only.
    assert await numbers(path) == [10, 20, 30]
    async with opened(path) as log:
        assert (await log.find(session(0))).label == "Guest 0!"


async def test_an_upgrade_that_is_interrupted_goes_on_where_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    monkeypatch.setattr(database, "VERSION", schema.VERSION + 2)
    step = "UPDATE sessions SET number = number + 1"
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION, step)
    broken = "UPDATE names SET session = 1"
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION + 1, broken)
    for _ in range(2):
        with pytest.raises(sqlite3.IntegrityError):
            await SessionLog(path).open()
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION + 1, step)
    assert await numbers(path) == [2, 3, 4]


# ----------------------------------------------------------------------------- a disk that fails


@contextmanager
def full_disk(path: Path, room: int = 0) -> Iterator[None]:
    """No file can get longer than the write-ahead log is, and some room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = with_suffix(path, "-wal").stat().st_size + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_told_once_and_everything_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []
    log = SessionLog(path, failing=told.append)
    await log.open()
    await log.merge([session(1), session(2)], placed)
    await log.set("cursor", 1)
    assert not log.is_failing
    with full_disk(path):
        for number in (3, 4):
            ((before, _),) = await log.merge([session(number)], placed)
            assert before is None
        await log.set("cursor", 2)
        ((_, better),) = await log.merge([session(1, party_size=5)], placed)
        assert await log.merge([session(n) for n in (2, 3, 4)], placed) == []
        assert log.is_failing
        assert told == ["disk I/O error"]
        # All that reads sees it.
        assert await log.count() == 4
        for size in (1_000, 1):
            monkeypatch.setattr(log_module, "BATCH", size)
            assert [s.number for s in await everything(log)] == [4, 3, 2, 1]
        assert [s.number for s in await log.between(0, better.ended_at)] == [4, 3, 2]
        assert await log.latest() == await log.find(session(1)) == better
        [oldest, *_] = await everything(log)
        assert await log.first_ended(0) == oldest.ended_at
        assert await log.numbers(oldest.ended_at + 1) == {1, 2, 3}
        assert await log.get("cursor") == 2
    assert await log.merge([session(5)], placed)
    assert not log.is_failing
    assert told == ["disk I/O error", None]
    # What is known better since then stays so.
    await log.merge([session(3, party_size=9)], placed)
    await log.merge([session(5, party_size=9)], placed)
    assert [s.party_size for s in await everything(log)] == [9, None, 9, None, 5]
    await log.close()
    async with opened(path) as log:
        assert [s.number for s in await everything(log)] == [5, 4, 3, 2, 1]
        assert await log.find(session(1)) == better
        assert await log.get("cursor") == 2


async def test_what_can_be_read_of_a_damaged_file_waits_until_there_is_room_for_it(
    path: Path,
) -> None:
    await filled(path, 2_000)
    damage(path, 1_000)
    aside: list[Path] = []
    async with opened(path, set_aside=aside.append) as log:
        with full_disk(path, room=60_000):
            for _ in range(2):
                await log.merge([session(1_000)], placed)
                assert log.is_failing
        assert not aside
        await log.merge([session(5_000)], placed)
        assert not log.is_failing
        assert len(aside) == 1
        assert 1_900 < await log.count() <= 2_001
    assert {0, 1_000, 1_999, 5_000} <= set(await numbers(path))


async def test_what_a_full_disk_refused_is_written_all_at_once(path: Path, tmp_path: Path) -> None:
    async with opened(path) as log:
        await log.merge([session(0)], placed)
        with full_disk(path):
            await log.merge([session(n) for n in range(1, 600)], placed)
            await log.set("cursor", 1)
        # There is room again, but not for all of it.
        with full_disk(path, room=100_000):
            await log.merge([], placed)
            assert log.is_failing
            assert await log.count() == 600
        async with opened(copied(path, tmp_path / "killed")) as killed:
            assert await killed.count() == 1
            assert await killed.get("cursor") is None
    assert await numbers(path) == list(range(600))


async def test_what_a_full_disk_refused_is_written_at_the_end_if_there_is_room(path: Path) -> None:
    async with opened(path) as log:
        with full_disk(path):
            await log.merge([session(1)], placed)
    assert await numbers(path) == [1]


async def test_what_is_told_while_the_file_can_not_be_read_does_not_make_it_forget(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(db: database.Database, query: str, *values: object) -> list[tuple[object, ...]]:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    known = replace(placed(session(1, party_size=4)), quoted=1_200, first_goal=900)
    told = replace(known, party_size=None, quoted=None, first_goal=None)
    async with opened(path) as log:
        await log.keep([known])
        with monkeypatch.context() as failing:
            failing.setattr(database.Database, "_rows", refuse)
            assert await log.keep([told]) == [(None, told)]
            with pytest.raises(LogUnreadableError):
                await log.find(known)
        # It can be read again, but not be written.
        with full_disk(path):
            assert await log.find(known) == known
            better = replace(told, label="Ortega")
            ((before, after),) = await log.keep([better])
            assert (before, after) == (known, replace(known, label="Ortega"))
        with monkeypatch.context() as failing:
            failing.setattr(database.Database, "_rows", refuse)
            await log.keep([replace(told, party_size=5)])
        await log.keep([])
        assert not log.is_failing
    async with opened(path) as log:
        assert await log.find(known) == replace(known, party_size=5)


async def test_a_log_that_can_not_be_read_is_no_empty_one(path: Path) -> None:
    told: list[str | None] = []
    async with opened(path, failing=told.append) as log:
        await log.merge([session(n) for n in range(3)], placed)
        await log.set("cursor", 1)
        async with unreadable(log):
            for read in (
                log.find(placed(session(1))),
                log.between(0, 2**40),
                everything(log),
                log.latest(),
                log.newest(5),
                log.knows_any([session(1)]),
                log.first_ended(0),
                log.count(),
                log.numbers(0),
                log.get("cursor"),
            ):
                with pytest.raises(LogUnreadableError, match="disk I/O error"):
                    await read
            assert told == ["disk I/O error"]
            # All that is written is kept meanwhile, and looked up in itself.
            assert len(await log.merge([session(5)], placed)) == 1
            assert await log.merge([session(5)], placed) == []
            await log.set("cursor", 2)
            assert await log.get("cursor") == 2
            assert await log.blank_names(0) is None
            with pytest.raises(LogUnreadableError):
                await everything(log)
            await log.pause()
        await log.resume()
        assert [s.number for s in await everything(log)] == [5, 2, 1, 0]
        await log.keep([])
        assert told == ["disk I/O error", None]
    async with opened(path) as log:
        assert [s.number for s in await everything(log)] == [5, 2, 1, 0]
        assert await log.get("cursor") == 2


async def test_a_bad_spot_on_the_disk_is_told_of_once_though_all_else_is_well(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(db: database.Database, *args: int) -> list[PlacedSession]:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    told: list[str | None] = []
    async with opened(path, failing=told.append) as log:
        with monkeypatch.context() as bad:
            bad.setattr(database.Database, "between", refuse)
            for number in range(3):
                with pytest.raises(LogUnreadableError):
                    await log.latest()
                await log.merge([session(number)], placed)
                assert await log.count() == number + 1
            assert told == ["disk I/O error"]
        await log.merge([], placed)
        assert told == ["disk I/O error", None]


async def test_what_can_not_be_read_while_it_is_opened_is_not_taken_for_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    os.truncate(path, path.stat().st_size - PAGE)

    def refuse(path: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as read_only:
        read_only.setattr(disk, "set_aside", refuse)
        async with opened(path) as log:
            with pytest.raises(LogUnreadableError, match="Read-only file system"):
                await log.latest()
    path.unlink()
    path.symlink_to(path)  # so that nobody can tell whether there is a file
    with pytest.raises(OSError, match="symbolic links"):
        await SessionLog(path).open()


async def test_a_file_that_can_not_be_opened_again_is_not_taken_for_an_empty_one(
    path: Path, tmp_path: Path
) -> None:
    await filled(path)
    with_suffix(path, "-wal").mkdir()  # so that SQLite can't make it
    async with opened(path) as log:
        assert await log.count() == 3
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(path)
        assert len(await log.merge([session(5)], placed)) == 1
        with pytest.raises(LogUnreadableError):
            await log.count()
        path.unlink()
        (tmp_path / "elsewhere").rename(path)
        with_suffix(path, "-wal").rmdir()
        await log.merge([], placed)
        assert await log.count() == 4
    assert await numbers(path) == [0, 1, 2, 5]


async def test_our_clock_is_set_while_the_disk_is_full(path: Path) -> None:
    old, new, newer = (placed(session(n)) for n in (1, 2, 3))
    by_age = [replace(s, is_by_age=True) for s in (old, new, newer)]
    async with opened(path) as log:
        await log.keep(by_age[:1])
    async with opened(path) as log:
        await log.keep(by_age[1:2])
        with full_disk(path):
            await log.keep([by_age[2], placed(session(4))])
            await log.merge([session(1, label="x"), session(2, label="x")], placed)
            changes = await log.shift(60)
            assert {after.number for _, after in changes} == {2, 3}
            assert all(after == before.shifted(60) for before, after in changes if before)
    async with opened(path) as log:
        ends = [s.ended_at for s in reversed(await everything(log))]
        assert sorted(ends) == sorted(
            [old.ended_at, new.ended_at + 60, newer.ended_at + 60, placed(session(4)).ended_at]
        )


async def test_a_disk_that_can_not_be_written_at_the_start_is_read(path: Path) -> None:
    await filled(path)
    with_suffix(path, "-wal").mkdir()  # so that SQLite can't make it
    told: list[str | None] = []
    log = SessionLog(path, failing=told.append)
    await log.open()
    assert told == ["unable to open database file"]
    assert [s.number for s in await everything(log)] == [2, 1, 0]
    await log.merge([session(5)], placed)
    assert await log.merge([session(5), session(1, label="Guest 1")], placed) == []
    assert await log.count() == 4
    with_suffix(path, "-wal").rmdir()
    await log.merge([], placed)
    assert len(told) == 2
    await log.close()
    assert await numbers(path) == [0, 1, 2, 5]


async def test_without_any_place_on_the_disk_the_log_is_in_memory(tmp_path: Path) -> None:
    (tmp_path / "storage").write_bytes(b"")
    path = tmp_path / "storage" / "lrs_pager.entry.db"
    told: list[str | None] = []
    log = SessionLog(path, failing=told.append)
    await log.open()
    assert len(told) == 1
    await log.merge([session(1)], placed)
    assert await log.count() == 1
    (tmp_path / "storage").unlink()
    (tmp_path / "storage").mkdir()
    await log.merge([session(2)], placed)
    assert len(told) == 2
    await log.close()
    assert await numbers(path) == [1, 2]


async def test_a_file_that_another_process_has_is_not_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    monkeypatch.setattr(database, "LOCK_TIMEOUT", 0.1)
    async with opened(path):
        with pytest.raises(OSError, match="locked"):
            await SessionLog(path).open()
    assert await numbers(path) == [0, 1, 2]


async def test_a_file_that_somebody_deleted_is_written_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_to = database.Database.copy_to

    def private(db: database.Database, to: Path) -> None:
        assert stat.S_IMODE(to.stat().st_mode) == 0o600
        copy_to(db, to)

    monkeypatch.setattr(database.Database, "copy_to", private)
    # In another order than SQLite would write them in.
    for number in range(0, 300, 3):
        await filled_with(path, [number, 299 - number])
    count = 200
    async with opened(path) as log:
        for number in (1_000, 1_001):
            await log.merge([session(n, label="x" * 50) for n in range(0, 300, 7)], placed)
            count = await log.count()
            path.unlink()
            await log.merge([session(number)], placed)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert len(await everything(log)) == await log.count() == count + 1
            assert not log.is_failing
    assert len(await numbers(path)) == count + 1
    with sqlite3.connect(path) as whole:
        assert whole.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    whole.close()


# ----------------------------------------------------------------------- access, other file systems


async def test_the_file_is_kept_as_safely_as_sqlite_can(log: SessionLog) -> None:
    settings = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: what is committed survives a power cut
        "secure_delete": 1,
        "temp_store": 2,  # MEMORY: no temporary files
        "cell_size_check": 1,
    }
    for name, value in settings.items():
        found = await log._do(lambda store, name=name: store.disk._db._rows(f"PRAGMA {name}"))
        assert found == [(value,)], name


async def test_nobody_but_home_assistant_may_read_guests_names(path: Path) -> None:
    umask = os.umask(0)
    try:
        async with opened(path) as log:
            await log.merge([session(1, label="Ortega")], placed)
            files = list(path.parent.iterdir())
            assert with_suffix(path, "-wal") in files
            for file in files:
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        # As after somebody copied it by hand.
        path.chmod(0o644)
        async with opened(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(umask)


@asynccontextmanager
async def without_wal(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SessionLog]:
    """A log on a file system on which SQLite has no write-ahead log, as it can't lock files."""
    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(
            database.sqlite3,
            "connect",
            lambda name, **kwargs: connect(f"{name}?nolock=1", **kwargs),
        )
        async with opened(path) as log:
            yield log


async def test_without_a_write_ahead_log_everything_is_kept_as_well(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_wal(path, monkeypatch) as log:
        await log.merge([session(1, label="Ortega"), session(2)], placed)
        assert not with_suffix(path, "-wal").exists()
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert await numbers(copied(path, path.parent.parent / "cut")) == [1, 2]
        assert await log.blank_names(2**40) == 1
        assert b"Ortega" not in read_all(path)
    async with without_wal(path, monkeypatch) as log:
        assert [s.number for s in await everything(log)] == [2, 1]


# -------------------------------------------------------------------------------------- backups


def backed_up(path: Path, to: Path, *, wal_first: bool) -> Path:
    """Copy as a backup does: into an archive, one file after the other, and out of that."""
    parts = sorted(path.parent.iterdir(), reverse=wal_first)
    with tarfile.open(to / "backup.tar", "w") as archive:
        for part in parts:
            archive.add(part, arcname=part.name)
    with tarfile.open(to / "backup.tar") as archive:
        archive.extractall(to / "restored", filter="data")
    return to / "restored" / path.name


@pytest.mark.parametrize("wal_first", [False, True])
async def test_a_backup_made_while_sessions_come_in_is_whole(
    path: Path, tmp_path: Path, *, wal_first: bool
) -> None:
    async with opened(path) as log:
        await log.merge([session(n, label="Guest") for n in range(1_000)], placed)
        await log.pause()
        before = path.read_bytes()
        alone = tmp_path / "alone" / path.name
        alone.parent.mkdir()
        alone.write_bytes(before)
        assert len(await numbers(alone)) == 1_000
        is_done = False

        async def guests() -> int:
            """Come and go, so that the write-ahead log gets longer than it ever does."""
            number = 1_000
            while not is_done or number < 1_500:
                await log.merge([session(number)], placed)
                number += 1
            return number

        coming = asyncio.ensure_future(guests())
        await asyncio.sleep(0.1)
        restored = await asyncio.to_thread(backed_up, path, tmp_path, wal_first=wal_first)
        is_done = True
        count = await coming
        # What came meanwhile is on the disk, but not in the file that is copied.
        assert path.read_bytes() == before
        assert await numbers(copied(path, tmp_path / "cut")) == list(range(count))
        await log.resume()
        await log.merge([session(count)], placed)
        assert path.read_bytes() != before
        found = await numbers(restored)
        assert found == list(range(len(found)))
        assert len(found) >= 1_000
    assert await numbers(path) == list(range(count + 1))


async def test_a_backup_that_begins_on_a_full_disk_is_whole_though_there_is_room_later(
    path: Path,
) -> None:
    await filled(path)
    async with opened(path) as log:
        await log.merge([session(n) for n in range(100)], placed)
        with full_disk(path, room=-with_suffix(path, "-wal").stat().st_size):
            await log.pause()
        before = path.read_bytes()
        await log.merge([session(200)], placed)
        assert path.read_bytes() == before
        assert not log.is_failing


async def test_a_backup_without_a_write_ahead_log_holds_writes_back(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_wal(path, monkeypatch) as log:
        await log.merge([session(1)], placed)
        await log.pause()
        before = path.read_bytes()
        await log.merge([session(2)], placed)
        await log.set("cursor", 5)
        assert await log.count() == 2
        assert await log.get("cursor") == 5
        assert not log.is_failing
        assert path.read_bytes() == before
        await log.resume()
        assert await numbers(copied(path, tmp_path / "cut")) == [1, 2]
        await log.pause()
        await log.merge([session(3)], placed)
    # The end came before the backup's.
    async with without_wal(path, monkeypatch) as log:
        assert await log.count() == 3
        assert await log.get("cursor") == 5


async def test_a_log_that_is_closed_in_a_backup_leaves_the_files_where_they_are(
    path: Path,
) -> None:
    async with opened(path) as log:
        await log.merge([session(1)], placed)
        await log.pause()
        await log.merge([session(2)], placed)
        files = {file: file.stat().st_size for file in path.parent.iterdir()}
    assert {file: file.stat().st_size for file in path.parent.iterdir()} == files
    assert await numbers(path) == [1, 2]


async def test_a_backup_of_which_nobody_says_the_end_ends_some_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "BACKUP_TIMEOUT", 0.01)
    async with opened(path) as log:
        await log.pause()
        await log.merge([session(1)], placed)
        before = path.read_bytes()
        await asyncio.sleep(0.02)
        await log.merge([session(2)], placed)
        assert path.read_bytes() != before
        await log.resume()


async def test_names_that_are_blanked_in_a_backup_are_gone_after_it(path: Path) -> None:
    async with opened(path) as log:
        await log.merge([session(1, label="Ortega")], placed)
        await log.pause()
        files = {file: file.stat().st_size for file in path.parent.iterdir()}
        assert await log.blank_names(2**40) == 1
        for file, size in files.items():
            assert file.stat().st_size >= size
        assert b"Ortega" in read_all(path)
        await log.resume()
        assert b"Ortega" not in read_all(path)


# -------------------------------------------------------------------------------------- removal


async def test_nothing_is_left_of_a_log_that_is_removed(path: Path) -> None:
    await filled(path)
    os.truncate(path, 5_000)
    await filled(path)
    assert len(list(path.parent.iterdir())) > 1
    path.with_suffix("").write_bytes(b"version 0.1")
    path.with_suffix(".damaged").write_bytes(b"version 0.1")
    other = path.with_name("lrs_pager.entry2.db")
    await filled(other)
    await SessionLog.remove(path)
    assert list(path.parent.iterdir()) == [other]
    await SessionLog.remove(path)
