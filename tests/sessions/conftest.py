"""A file for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from tests.sessions import opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is. Its folder is made with it."""
    return tmp_path / "storage" / "lrs_pager.entry.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SessionLog]:
    """An open log."""
    async with opened(path) as log:
        yield log
