"""Guests' names that are not to be kept any more: nothing of them is left on the disk."""

import os
from pathlib import Path
import random

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from tests.sessions import NOON_AT, everything, opened, placed, read_all, session


def name(number: int, version: int = 0) -> str:
    """A name that is nowhere else; some are so long that SQLite gives them pages of their own."""
    return f"<{number}.{version}>" + "Ortega y Gasset " * (200 if number % 50 == 0 else 1)


def names_in(path: Path) -> set[str]:
    """The names of which anything is in any file."""
    data = read_all(path)
    return {
        f"{number}.{version}"
        for number in range(400)
        for version in range(3)
        if f"<{number}.{version}>".encode() in data
    }


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_left_of_names_that_were_blanked(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    told = [(number, version) for number in range(400) for version in range(3)]
    chance.shuffle(told)
    async with opened(path) as log:
        # In any order, and each changed twice, so that SQLite moves them from page to page.
        for number, version in told:
            await log.merge([session(number, label=name(number, version))], placed)
        expected = {s.number: s.label for s in await everything(log)}
        assert await log.blank_names(NOON_AT - 200 * 60) == 199
        kept = {number: label for number, label in expected.items() if number <= 200}
        assert {s.number: s.label for s in await everything(log) if s.label} == kept
        shown = {label[1 : label.index(">")] for label in kept.values() if label}
        assert names_in(path) == shown
        assert (path.parent / f"{path.name}-wal").stat().st_size == 0
    assert names_in(path) == shown


async def test_a_name_that_was_taken_off_is_gone_when_its_time_has_come(path: Path) -> None:
    chance = random.Random(5)
    told = list(range(400))
    async with opened(path) as log:
        for version in (0, 1, None):
            chance.shuffle(told)
            for number in told:
                label = None if version is None else name(number, version)
                await log.merge([session(number, label=label)], placed)
        assert await log.blank_names(NOON_AT + 1) == 0
        assert names_in(path) == set()


async def test_a_session_that_is_told_again_gets_no_name_again(path: Path) -> None:
    told = [session(n, label=f"Guest {n}") for n in (1, 2)]
    async with opened(path) as log:
        await log.merge(told, placed)
        assert await log.blank_names(NOON_AT - 60) == 1
        assert await log.merge(told, placed) == []
    async with opened(path) as log:
        assert await log.merge(told, placed) == []
        ((_, after),) = await log.merge([session(3, label="Guest 3")], placed)
        assert after.label is None
        assert [s.label for s in await everything(log)] == [None, None, "Guest 1"]
        # The user chooses to keep them for longer.
        await log.blank_names(0)
        await log.merge(told, placed)
        assert [s.label for s in await everything(log)] == [None, "Guest 2", "Guest 1"]


async def test_blanking_changes_the_log_only_if_there_are_names(log: SessionLog) -> None:
    await log.merge([session(1, label="Ortega"), session(2)], placed)
    seen = log.changes
    assert await log.blank_names(0) == 0
    assert log.changes == seen
    assert await log.blank_names(NOON_AT) == 1
    assert log.changes > seen


async def test_files_that_were_set_aside_go_with_the_names_in_them(path: Path) -> None:
    async with opened(path) as log:
        await log.merge([session(1, label="Ortega")], placed)
    os.truncate(path, path.stat().st_size - 3_000)
    old = path.with_suffix("")
    old.write_bytes(b"Ortega\n")
    log = SessionLog(path, old)
    await log.open()
    for number, kind in enumerate(("unreadable.20260101T000000.000000Z", "damaged")):
        old.with_name(f"{old.name}.{kind}").write_bytes(f"Ortega {number}".encode())
    beside = [file for file in path.parent.iterdir() if not file.name.startswith(f"{path.name}-")]
    assert len(beside) == 5
    await log.blank_names(NOON_AT)
    assert b"Ortega" in read_all(path)
    for file in beside:
        os.utime(file, (NOON_AT - 10, NOON_AT - 10))
    await log.blank_names(NOON_AT)
    assert b"Ortega" not in read_all(path)
    await log.close()
    assert list(path.parent.iterdir()) == [path]
