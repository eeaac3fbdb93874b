"""Guests who were seated: what waits, what is sent, what is undone and what failed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.lrs_pager.errors import refused
from custom_components.lrs_pager.host_stand.seating import NOTICE_TIME, UNDO_TIME, Notice, Seating
from custom_components.lrs_pager.sessions.session import PlacedSession
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.util import dt as dt_util

SMITH = PlacedSession(id=1, uuid="uuid-1", number=7, created="2026-11-23T12:00:00", created_at=1)
JONES = PlacedSession(id=2, uuid="uuid-2", number=8, created="2026-11-23T12:01:00", created_at=61)


class Desk:
    """Seating, and a transmitter that clears what it is told to."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        self.hass, self.freezer = hass, freezer
        self.shown = 0
        self.sent: list[int | None] = []
        self.failure: Exception | None = None
        # While this is set, the transmitter takes its time.
        self.answer: asyncio.Future[None] | None = None
        self.seating = Seating(hass, self._show)

    def _show(self) -> None:
        self.shown += 1

    def seat(self, session: PlacedSession = SMITH) -> float:
        async def clear() -> None:
            self.sent.append(session.number)
            if self.answer is not None:
                await self.answer
            if self.failure is not None:
                raise self.failure

        return self.seating.seat(session, clear)

    async def after(self, seconds: float) -> None:
        self.freezer.tick(seconds)
        async_fire_time_changed(self.hass)
        if self.answer is None:
            await self.hass.async_block_till_done()
        else:
            await asyncio.sleep(0)


@pytest.fixture
def desk(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Desk:
    """The harness finds a timer that is left behind."""
    return Desk(hass, freezer)


async def test_a_seated_guest_is_cleared_once_when_the_time_is_up(desk: Desk) -> None:
    until = desk.seat()
    assert until == dt_util.utcnow().timestamp() + UNDO_TIME
    assert desk.seating.until(SMITH) == until
    await desk.after(UNDO_TIME - 0.6)
    assert desk.sent == []
    await desk.after(1)
    assert desk.sent == [7]
    assert desk.seating.until(SMITH) is desk.seating.notice(SMITH) is None
    await desk.after(NOTICE_TIME)
    assert desk.sent == [7]


async def test_a_second_tap_changes_nothing(desk: Desk) -> None:
    until = desk.seat()
    await desk.after(2)
    assert desk.seat() == until
    await desk.after(UNDO_TIME)
    await desk.after(UNDO_TIME)
    assert desk.sent == [7]


async def test_nothing_is_sent_after_undo(desk: Desk) -> None:
    desk.seat()
    desk.seat(JONES)
    assert desk.seating.undo("uuid-1")
    assert desk.seating.until(SMITH) is None
    await desk.after(UNDO_TIME + 1)
    assert desk.sent == [8]


async def test_a_guest_who_was_undone_can_be_seated_again(desk: Desk) -> None:
    desk.seat()
    await desk.after(UNDO_TIME - 1)
    desk.seating.undo("uuid-1")
    desk.seat()
    await desk.after(UNDO_TIME - 1)
    assert desk.sent == []
    await desk.after(2)
    assert desk.sent == [7]


async def test_there_is_nothing_to_undo_without_a_seat_nor_once_it_was_sent(desk: Desk) -> None:
    assert not desk.seating.undo("uuid-1")
    desk.answer = asyncio.get_running_loop().create_future()
    until = desk.seat()
    await desk.after(UNDO_TIME + 1)
    assert desk.sent == [7]
    assert not desk.seating.undo("uuid-1")
    # It is shown as seated until the transmitter has said so, and is not sent again.
    assert desk.seating.until(SMITH) == until == desk.seat()
    desk.answer.set_result(None)
    await desk.hass.async_block_till_done()
    assert desk.seating.until(SMITH) is None
    assert desk.sent == [7]


@pytest.mark.parametrize(
    "told", [replace(SMITH, uuid=None), replace(SMITH, id=None)], ids=["by creation", "by uuid"]
)
async def test_a_guest_stays_seated_when_the_session_is_told_with_less_of_its_identity(
    desk: Desk, told: PlacedSession
) -> None:
    until = desk.seat()
    desk.seating.see([told])
    assert desk.seating.until(told) == until
    assert desk.seat(told) == until
    assert desk.seating.undo(told.keys[0])


async def test_what_ended_meanwhile_is_not_sent_and_what_goes_on_is(desk: Desk) -> None:
    desk.seat()
    desk.seat(JONES)
    desk.seating.see([SMITH, JONES])
    desk.seating.see([JONES])
    assert desk.seating.until(SMITH) is None
    assert desk.seating.until(JONES) is not None
    await desk.after(UNDO_TIME + 1)
    assert desk.sent == [8]


FAILURES: list[tuple[Exception, Notice]] = [
    (refused("no_session", number="7"), Notice("no_session", {"number": "7"})),
    (Unauthorized(), Notice("not_cleared", {})),
    (
        HomeAssistantError(translation_domain="hue", translation_key="no_session"),
        Notice("not_cleared", {}),
    ),
    pytest.param(
        RuntimeError("a fault of ours"),
        Notice("not_cleared", {}),
        marks=pytest.mark.logs("Unexpected error while a session was cleared"),
    ),
]


@pytest.mark.parametrize(("failure", "notice"), FAILURES, ids=lambda value: type(value).__name__)
async def test_why_it_failed_is_shown_for_a_minute(
    desk: Desk, failure: Exception, notice: Notice
) -> None:
    desk.failure = failure
    desk.seat()
    shown = desk.shown
    await desk.after(UNDO_TIME + 1)
    assert desk.seating.notice(SMITH) == notice
    assert desk.seating.until(SMITH) is None
    assert desk.shown > shown
    await desk.after(NOTICE_TIME - 2)
    assert desk.seating.notice(SMITH) == notice
    shown = desk.shown
    await desk.after(3)
    assert desk.seating.notice(SMITH) is None
    assert desk.shown > shown
    assert desk.sent == [7]


FORGET: dict[str, Callable[[Desk], object]] = {
    "seated again": Desk.seat,
    "undone": lambda desk: desk.seating.undo("uuid-1"),
    "over": lambda desk: desk.seating.see([JONES]),
}


@pytest.mark.parametrize("forget", FORGET.values(), ids=FORGET)
async def test_why_it_failed_is_not_shown_any_more_when_something_else_happens(
    desk: Desk, forget: Callable[[Desk], object]
) -> None:
    desk.failure = refused("no_session", number="7")
    desk.seat()
    await desk.after(UNDO_TIME + 1)
    desk.failure = None
    forget(desk)
    assert desk.seating.notice(SMITH) is None
    desk.seating.stop()


async def test_a_second_try_can_succeed(desk: Desk) -> None:
    desk.failure = refused("no_session", number="7")
    desk.seat()
    await desk.after(UNDO_TIME + 1)
    desk.failure = None
    desk.seat()
    await desk.after(UNDO_TIME + 1)
    assert desk.sent == [7, 7]
    assert desk.seating.until(SMITH) is desk.seating.notice(SMITH) is None


async def test_nothing_is_sent_after_the_end(desk: Desk) -> None:
    desk.seat()
    desk.seating.stop()
    assert desk.seating.until(SMITH) is None
    await desk.after(UNDO_TIME + 1)
    assert desk.sent == []


async def test_what_was_under_way_at_the_end_leaves_nothing_behind(desk: Desk) -> None:
    desk.answer = asyncio.get_running_loop().create_future()
    desk.failure = refused("no_session", number="7")
    desk.seat()
    await desk.after(UNDO_TIME + 1)
    desk.seating.stop()
    shown = desk.shown
    desk.answer.set_result(None)
    await desk.hass.async_block_till_done()
    assert desk.seating.notice(SMITH) is None
    assert desk.shown == shown
