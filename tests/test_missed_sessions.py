"""What the transmitter forgot before we could see it is never hidden."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
import re

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager.issues import raise_issue
from custom_components.lrs_pager.transmitter import Chunk, Cursor, Transmitter
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, serve_guest
from tests.simulator import Simulator, Unit
from tests.simulator.resources import HISTORY

pytestmark = [pytest.mark.polled, pytest.mark.usefixtures("midday")]


def notices(hass: HomeAssistant) -> list[str]:
    """What the user is told in notifications, from the oldest."""
    told = persistent_notification._async_get_or_create_notifications(hass).values()
    return [notice["message"] for notice in told]


def spans(hass: HomeAssistant) -> list[str]:
    """The spans that the user is told of, without their dates."""
    return [" ".join(re.findall(r"\d\d:\d\d", notice)) for notice in notices(hass)]


@pytest.fixture
def freezer(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> FrozenDateTimeFactory:
    """It is noon."""
    freezer.move_to(dt_util.now().replace(hour=12, minute=0, second=0, microsecond=0))
    return freezer


async def be_away(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)


async def come_back(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_what_may_have_been_missed_while_home_assistant_was_off_is_said_with_its_span(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    await be_away(hass, entry)
    freezer.tick(timedelta(hours=2))
    serve_guest(simulator.unit, minutes_ago=60)
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=20)
    serve_guest(simulator.unit, minutes_ago=5)
    await come_back(hass, entry)
    assert spans(hass) == ["12:00 13:40"]
    await poll(hass, entry)
    assert spans(hass) == ["12:00 13:40"]


async def test_a_span_begins_when_home_assistant_was_stopped_though_no_guest_came_before_that(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    for _ in range(3):
        freezer.tick(timedelta(minutes=1))
        await poll(hass, entry)
    await be_away(hass, entry)
    freezer.tick(timedelta(hours=2))
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=20)
    await come_back(hass, entry)
    assert spans(hass) == ["12:03 13:43"]


async def test_a_second_span_does_not_take_the_place_of_the_first(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    for _ in range(2):
        await be_away(hass, entry)
        freezer.tick(timedelta(hours=2))
        simulator.unit.wipe_history()
        serve_guest(simulator.unit, minutes_ago=5)
        await come_back(hass, entry)
    assert spans(hass) == ["12:00 13:55", "14:00 15:55"]


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_what_was_forgotten_while_the_transmitter_could_not_be_reached_is_said(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    simulator.faults.reset = True
    await poll(hass, entry)
    freezer.tick(timedelta(hours=1))
    await poll(hass, entry)
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=5)
    simulator.faults.reset = False
    await poll(hass, entry)
    assert spans(hass) == ["12:00 12:55"]


@pytest.mark.logs("Nothing listens on the transmitter's port")
async def test_what_is_told_before_the_history_is_read_hides_nothing(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    simulator.faults.reset = True
    await poll(hass, entry)
    freezer.tick(timedelta(hours=1))
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=5)
    simulator.unit.create(9)
    freezer.tick(timedelta(minutes=1))
    simulator.faults.reset = False
    # The answer to a command tells of its end before a poll does.
    clear = partial(entry.runtime_data.transmitter.clear_session, 9)
    await entry.runtime_data.commands.send(clear)
    await poll(hass, entry)
    assert await entry.runtime_data.log.count() == 3
    assert spans(hass) == ["12:00 12:55"]


async def test_a_history_that_changes_while_it_is_read_hides_nothing(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    unit = Unit(now=local_time)
    async with Simulator(unit=unit, still=False, max_observers=0) as simulator:
        serve_guest(unit, minutes_ago=10)
        entry = await set_up(simulator)
        await be_away(hass, entry)
        freezer.tick(timedelta(hours=2))
        unit.wipe_history()
        unit.history_limit = 20
        for _ in range(20):
            serve_guest(unit, minutes_ago=20)
        simulator.hooks[HISTORY, 3] = lambda: serve_guest(unit, minutes_ago=0)
        simulator.hooks[HISTORY, 5] = lambda: serve_guest(unit, minutes_ago=0)
        await come_back(hass, entry)
        history = entry.runtime_data.follower.poller.history
        assert history.failing_since is not None
        simulator.hooks.clear()
        await poll(hass, entry)
        assert history.failing_since is None
        assert spans(hass) == ["12:00 13:40"]


async def test_a_history_of_which_a_part_could_not_be_read_hides_nothing_once_it_is_read_on(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    await be_away(hass, entry)
    freezer.tick(timedelta(hours=2))
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=20)
    whole = Transmitter.history

    async def with_one_left_out(self: Transmitter, cursor: Cursor | None) -> AsyncIterator[Chunk]:
        async for chunk in whole(self, cursor):
            yield replace(chunk, is_complete=False)

    with monkeypatch.context() as patch:
        # That it is so takes hundreds of guests who leave meanwhile.
        patch.setattr(Transmitter, "history", with_one_left_out)
        await come_back(hass, entry)
    serve_guest(simulator.unit, minutes_ago=0)
    await poll(hass, entry)
    assert spans(hass) == []
    await entry.runtime_data.async_read_all()
    assert spans(hass) == ["12:00 13:40"]


@pytest.mark.logs("The history can't be read: answered 5.00")
async def test_what_was_forgotten_while_the_transmitter_answered_with_errors_is_said(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    simulator.faults.error_5_00 = True
    for _ in range(2):
        await poll(hass, entry)
        freezer.tick(timedelta(hours=1))
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=5)
    simulator.faults.error_5_00 = False
    await poll(hass, entry)
    assert spans(hass) == ["12:00 13:55"]


async def test_where_nothing_can_be_missing_nothing_is_said(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    # The first history of all; a wipe that we saw; a restart after that; a history that goes on.
    serve_guest(simulator.unit, minutes_ago=10)
    entry = await set_up()
    assert not spans(hass)
    simulator.unit.wipe_history()
    freezer.tick(timedelta(hours=9))
    await poll(hass, entry)
    serve_guest(simulator.unit, minutes_ago=0)
    await poll(hass, entry)
    assert await entry.runtime_data.log.count() == 2
    await be_away(hass, entry)
    freezer.tick(timedelta(hours=1))
    serve_guest(simulator.unit, minutes_ago=30)
    await come_back(hass, entry)
    assert await entry.runtime_data.log.count() == 3
    simulator.unit.wipe_history()
    await be_away(hass, entry)
    await come_back(hass, entry)
    assert not spans(hass)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "forgot its older sessions"),
        ("de", "seine älteren Vorgänge"),
        ("de-CH", "seine älteren Vorgänge"),
    ],
)
async def test_the_user_is_told_in_the_language_of_the_house(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    language: str,
    said: str,
) -> None:
    serve_guest(simulator.unit, minutes_ago=60)
    entry = await set_up()
    hass.config.language = language
    await be_away(hass, entry)
    freezer.tick(timedelta(hours=1))
    simulator.unit.wipe_history()
    serve_guest(simulator.unit, minutes_ago=5)
    await come_back(hass, entry)
    (notice,) = notices(hass)
    assert said in notice


async def test_what_an_earlier_version_said_of_it_in_repairs_is_gone(
    hass: HomeAssistant, set_up: SetUp, simulator: Simulator
) -> None:
    entry = await set_up()
    await be_away(hass, entry)
    raise_issue(hass, entry, "sessions_missed", is_fixable=True, is_persistent=True, spans="")
    await come_back(hass, entry)
    assert not ir.async_get(hass).issues
