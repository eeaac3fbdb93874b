"""What is written to the log, and when names are taken off it."""

from pathlib import Path
import sqlite3
from typing import NoReturn

import pytest

from custom_components.lrs_pager.sessions.database import Database
from custom_components.lrs_pager.sessions.log import LogUnreadableError
from custom_components.lrs_pager.sync.writer import BLANK_INTERVAL, LogWriter
from tests.sessions import NOON_AT, opened, placed, session


async def test_a_bad_spot_on_the_disk_has_names_taken_off_no_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    now, times = NOON_AT + 60, []
    blank = Database.blank_names
    monkeypatch.setattr(Database, "blank_names", lambda *args: times.append(now) or blank(*args))
    async with opened(tmp_path / "log.db") as log:
        await log.merge([session(1)], placed)
        writer = LogWriter(log, now=lambda: now, names_kept=86_400, written=lambda _: None)
        monkeypatch.setattr(Database, "between", fail)
        for _ in range(90):
            with pytest.raises(LogUnreadableError):
                await log.latest()
            await writer.save()
            now += 60
    assert times == [NOON_AT + 60, NOON_AT + 60 + BLANK_INTERVAL]
