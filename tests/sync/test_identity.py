"""Whose history it is, however it comes in parts."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sync.identity import AnotherUnitError, Compared, Identity
from custom_components.lrs_pager.transmitter import Chunk, Session
from custom_components.lrs_pager.transmitter.parse import NO_ENVELOPE
from tests.sessions import placed
from tests.sessions.test_tracker import archived, guest


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SessionLog]:
    """A log that knows a guest."""
    log = SessionLog(tmp_path / "lrs_pager.test.db")
    await log.open()
    await log.keep([placed(archived(guest(7, paged=60, cleared=120)))])
    yield log
    await log.close()


async def nowhere(_: Sequence[Session]) -> None:
    """No other transmitter is known."""


def part(*sessions: Session, is_last: bool) -> Chunk:
    """A part of a history that does not go on from where it was read before."""
    return Chunk(
        envelope=NO_ENVELOPE,
        sessions=sessions,
        cursor=None,
        is_last=is_last,
        is_from_beginning=True,
        goes_on=False,
        is_complete=True,
        asked=0.0,
        answered=0.0,
    )


async def test_a_history_of_others_is_theirs_also_if_its_last_part_is_empty(
    log: SessionLog,
) -> None:
    identity, so_far = Identity(log, nowhere), Compared()
    other = archived(guest(90_000, paged=60, cleared=120))
    assert not await identity.see_history(part(other, is_last=False), so_far, None)
    with pytest.raises(AnotherUnitError):
        await identity.see_history(part(is_last=True), so_far, None)
    assert identity.another


async def test_an_empty_history_is_nobody_elses(log: SessionLog) -> None:
    identity = Identity(log, nowhere)
    other = archived(guest(90_000, paged=60, cleared=120))
    with pytest.raises(AnotherUnitError):
        await identity.see_history(part(other, is_last=True), Compared(), None)
    assert await identity.see_history(part(is_last=True), Compared(), None)
    assert identity.another is None
    assert not identity.is_sure
