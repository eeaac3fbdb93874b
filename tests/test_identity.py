"""What answers at the address is the transmitter that the log is of, or the user is asked."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.issues import ANOTHER_UNIT, SWAPPED
from custom_components.lrs_pager.sessions.log import LogClosedError
from custom_components.lrs_pager.sync.identity import AnotherUnitError
from custom_components.lrs_pager.transmitter import Transmitter, coap
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.const import CONF_HOST, CONF_PORT, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest, settle
from tests.sessions import everything
from tests.simulator import Simulator, Unit

pytestmark = pytest.mark.usefixtures("midday")


class Wires:
    """Units, and the ports that they are at."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._running: dict[int, Simulator] = {}

    async def plug(self, unit: Unit, port: int = 0) -> Simulator:
        """Have a unit answer at a port, in place of what did."""
        await self.unplug(port)
        simulator = await self._stack.enter_async_context(Simulator(unit=unit, port=port))
        self._running[simulator.port] = simulator
        return simulator

    async def unplug(self, port: int) -> None:
        if old := self._running.pop(port, None):
            await old.stop()


@pytest.fixture
async def wires() -> AsyncIterator[Wires]:
    async with AsyncExitStack() as stack:
        yield Wires(stack)


def unit_with(count: int, *, seed: int, first_id: int | None = None) -> Unit:
    """A unit that has served that many guests."""
    unit = Unit(now=local_time, seed=seed)
    if first_id is not None:
        unit.next_id = first_id
    for number in range(1, count + 1):
        serve_guest(unit, number)
    return unit


def issue(hass: HomeAssistant, kind: str, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{kind}_{entry.entry_id}")


async def answer(hass: HomeAssistant, client: Any, entry: MockConfigEntry, choice: str) -> Any:
    """Open the repair, as a user does, and choose."""
    found = await (
        await client.post(
            "/api/repairs/issues/fix",
            json={"handler": DOMAIN, "issue_id": f"{ANOTHER_UNIT}_{entry.entry_id}"},
        )
    ).json()
    assert found["type"] == "menu"
    assert found["menu_options"] == ["same", "another"]
    url = f"/api/repairs/issues/fix/{found['flow_id']}"
    result = await (await client.post(url, json={"next_step_id": choice})).json()
    await hass.async_block_till_done()
    return result


MAC = "02:00:00:00:00:01"

GONE = "Error fetching T7470 data: Nothing listens"


class Two:
    """Two transmitters and their entries; the first has three sessions, the second forty."""

    titles = ("Front", "Back")
    counts = ("3", "40")

    def __init__(self, hass: HomeAssistant, wires: Wires) -> None:
        self._hass, self._wires = hass, wires
        self.units = unit_with(3, seed=1), unit_with(40, seed=2, first_id=5000)
        self.at: list[Simulator] = []
        self.entries: list[MockConfigEntry] = []

    async def add(self, set_up: SetUp) -> None:
        self.at = [await self._wires.plug(unit) for unit in self.units]
        self.entries = [
            await set_up(at, title=title) for at, title in zip(self.at, self.titles, strict=True)
        ]

    async def swap(self, *, back: bool = False) -> list[Simulator]:
        """Swap their addresses, or have them back. A poll of both finds nobody in between."""
        for at in self.at:
            await self._wires.unplug(at.port)
        for entry in self.entries:
            await poll(self._hass, entry)
        units = self.units if back else reversed(self.units)
        return [
            await self._wires.plug(unit, at.port) for unit, at in zip(units, self.at, strict=True)
        ]


@pytest.fixture
async def two(hass: HomeAssistant, set_up: SetUp, wires: Wires) -> Two:
    two = Two(hass, wires)
    await two.add(set_up)
    return two


BOTH_GONE = ("Error fetching Front data: Nothing", "Error fetching Back data: Nothing")


@pytest.mark.logs(*BOTH_GONE)
async def test_another_that_is_unloaded_while_it_is_asked_is_passed_over(
    hass: HomeAssistant, two: Two
) -> None:
    first, second = two.entries
    await second.runtime_data.log.close()
    await two.swap()
    await poll(hass, first)
    told = issue(hass, ANOTHER_UNIT, first)
    assert told
    assert issue(hass, SWAPPED, first) is None


@pytest.mark.logs(*BOTH_GONE)
async def test_two_that_swap_addresses_are_not_merged_and_the_user_is_told_which(
    hass: HomeAssistant, two: Two
) -> None:
    counts = tuple(sensor(hass, entry, "daily_count").state for entry in two.entries)
    assert counts == two.counts
    await two.swap()
    two.units[1].create(77, label="Nobody")
    for entry in two.entries:
        await poll(hass, entry)
    for entry, other, count in zip(two.entries, reversed(two.titles), counts, strict=True):
        told = issue(hass, SWAPPED, entry)
        assert told
        assert told.translation_placeholders == {"title": entry.title, "other": other}
        assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
        assert str(await entry.runtime_data.log.count()) == count
        assert not [s for s in entry.runtime_data.follower.tracker.active or () if s.number == 77]
    # As soon as each has its own again, all is as it was, and what came meanwhile is there.
    await two.swap(back=True)
    for entry, count in zip(two.entries, counts, strict=True):
        await poll(hass, entry)
        assert issue(hass, SWAPPED, entry) is None
        assert sensor(hass, entry, "daily_count").state == count
    assert sensor(hass, two.entries[1], "active_sessions").state == "1"


@pytest.mark.logs(*BOTH_GONE)
async def test_two_that_swapped_addresses_have_each_its_own_once_one_is_reconfigured(
    hass: HomeAssistant, two: Two
) -> None:
    """Nor does the other go on to be followed by the MAC address of what was at its address."""
    hass.config_entries.async_update_entry(two.entries[1], unique_id=MAC)
    await hass.config_entries.async_reload(two.entries[1].entry_id)

    def macs() -> set[tuple[str, str]]:
        [device] = dr.async_entries_for_config_entry(dr.async_get(hass), two.entries[1].entry_id)
        return device.connections

    assert macs() == {(dr.CONNECTION_NETWORK_MAC, MAC)}
    # As long as nothing is wrong, an address is another's.
    flow = await two.entries[0].start_reconfigure_flow(hass)
    address = {CONF_HOST: two.at[1].host, CONF_PORT: two.at[1].port}
    refused = await hass.config_entries.flow.async_configure(flow["flow_id"], address)
    assert refused["reason"] == "already_configured"
    await two.swap()
    for entry in two.entries:
        await poll(hass, entry)
        assert issue(hass, SWAPPED, entry)
    flow = await two.entries[0].start_reconfigure_flow(hass)
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], address)
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert [entry.data[CONF_PORT] for entry in two.entries] == [two.at[1].port, two.at[0].port]
    assert two.entries[1].unique_id is None
    assert macs() == set()
    for entry, count in zip(two.entries, two.counts, strict=True):
        await poll(hass, entry)
        assert issue(hass, SWAPPED, entry) is None
        assert sensor(hass, entry, "daily_count").state == count


# What is done by a pager's number alone.
ACTIONS = {
    "page_session": {"number": 20},
    "clear_session": {"number": 20},
    "start_session": {"number": 21},
    "send_page": {"number": 20},
}


@pytest.mark.logs(*BOTH_GONE)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("is_met", [False, True])
async def test_an_action_waits_until_it_is_known_who_answers(
    hass: HomeAssistant, two: Two, action: str, is_met: bool
) -> None:
    """is_met: whether a poll has found out before."""
    for unit in two.units:
        unit.create(20)
    await poll(hass, two.entries[0])

    async def act() -> None:
        data = {**ACTIONS[action], "config_entry_id": two.entries[0].entry_id}
        await hass.services.async_call(DOMAIN, action, data, blocking=True)

    [there, _] = await two.swap()
    if is_met:
        await poll(hass, two.entries[0])
    with pytest.raises(HomeAssistantError, match="Another transmitter answers"):
        await act()
    assert {asked.code for asked in there.requests} == {"GET"}
    # Ours is back, and no poll has found that out.
    [ours, _] = await two.swap(back=True)
    await act()
    assert {asked.code for asked in ours.requests} > {"GET"}


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter answers")
@pytest.mark.parametrize("is_busy", [False, True])
async def test_of_a_name_with_the_addresses_of_two_ours_alone_is_used(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    is_busy: bool,
) -> None:
    """is_busy: whether guests wait at the other, too, and its count is near ours."""

    async def both(*_: object) -> list[str]:
        return ["127.0.0.1", "::1"]

    monkeypatch.setattr(coap, "resolve", both)
    for number in (1, 2, 3):
        serve_guest(simulator.unit, number)
    other = unit_with(3, seed=2, first_id=90_000)
    async with Simulator(unit=other, host="::1", port=simulator.port, max_observers=0) as wrong:
        entry = await set_up()
        await simulator.stop()  # it reboots
        if is_busy:
            other.create(77)
        for _ in range(2):
            with pytest.raises(HomeAssistantError):
                await hass.services.async_call(DOMAIN, "send_page", {"number": 77}, blocking=True)
        await poll(hass, entry)
        assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
        assert not entry.runtime_data.follower.tracker.active
        assert {asked.code for asked in wrong.requests} == {"GET"}
        await simulator.start()
        await poll(hass, entry)
        assert sensor(hass, entry, "daily_count").state == "3"
        await hass.services.async_call(DOMAIN, "send_page", {"number": 7}, blocking=True)
        assert [page.number for page in simulator.unit.pages][-1] == 7
        assert {asked.code for asked in wrong.requests} == {"GET"}


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: The transmitter does not")
async def test_an_action_is_not_sent_to_who_does_not_answer_and_need_not_be_ours(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, short_timeouts: None
) -> None:
    entry = await set_up()
    simulator.faults.silence = True
    await poll(hass, entry)
    with pytest.raises(HomeAssistantError) as err:
        await hass.services.async_call(DOMAIN, "send_page", {"number": 20}, blocking=True)
    assert err.value.translation_key == "timed_out"
    with pytest.raises(HomeAssistantError) as err:
        await hass.services.async_call(DOMAIN, "page_session", {"number": 20}, blocking=True)
    assert err.value.translation_key == "timed_out"
    assert {asked.code for asked in simulator.requests} == {"GET"}


@pytest.mark.logs(GONE, "The history can't be read")
@pytest.mark.parametrize("is_deaf", [False, True])
async def test_actions_are_done_though_the_history_that_would_show_who_answers_can_t_be_read(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, short_timeouts: None, is_deaf: bool
) -> None:
    at = await wires.plug(unit_with(3, seed=1))
    entry = await set_up(at)
    at.faults.reset = True
    await poll(hass, entry)
    at.faults.reset = False
    at.faults.deaf_to_history = is_deaf
    if not is_deaf:
        at.faults.errors["v1", "sessions", "history"] = "5.00"
    at.unit.create(10)
    if is_deaf:
        await poll(hass, entry)  # which shows that it answers all the same
    await hass.services.async_call(DOMAIN, "page_session", {"number": 10}, blocking=True)
    assert at.unit.active[10].notified


@pytest.mark.logs(GONE)
async def test_an_action_waits_for_the_active_sessions_where_the_history_is_empty(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1, first_id=5000))
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = Unit(now=local_time, seed=2)
    other.create(20)
    there = await wires.plug(other, at.port)
    with pytest.raises(HomeAssistantError, match="Another transmitter answers"):
        await hass.services.async_call(DOMAIN, "page_session", {"number": 20}, blocking=True)
    assert {asked.code for asked in there.requests} == {"GET"}


@pytest.mark.logs(GONE)
async def test_no_command_is_sent_to_another_transmitter(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1, first_id=5000))
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = await wires.plug(unit_with(5, seed=2), at.port)
    other.unit.create(7)
    await poll(hass, entry)
    page = partial(entry.runtime_data.transmitter.page_session, 7)
    with pytest.raises(AnotherUnitError):
        await entry.runtime_data.commands.send(page)
    assert {asked.code for asked in other.requests} == {"GET"}


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter")
@pytest.mark.parametrize("ahead", [7, 5000, None])
@pytest.mark.parametrize("active", [(), (20,)])
async def test_another_that_answers_from_one_poll_to_the_next_is_not_merged(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, active: tuple[int, ...], ahead: int | None
) -> None:
    """Its count of changes is ahead of ours by so many; None: there is no count."""
    ours, other = unit_with(3, seed=1, first_id=5000), unit_with(5, seed=2)
    for number in active:
        ours.create(number)
    other.create(21)
    other.sequence = ours.sequence + (ahead or 0)
    at = await wires.plug(ours)
    at.faults.no_sequence = ahead is None
    entry = await set_up(at)
    there = await wires.plug(other, at.port)
    there.faults.no_sequence = ahead is None
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 3
    if (
        active or ahead == 5000
    ):  # else it might have been the next guest of ours, for all that is known
        seen = {session.number for session in entry.runtime_data.follower.tracker.active or ()}
        assert seen == set(active)
    # Ours is back.
    await wires.plug(ours, at.port)
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "3"
    assert sensor(hass, entry, "active_sessions").state == str(len(active))
    assert issue(hass, ANOTHER_UNIT, entry) is None


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter")
async def test_another_is_not_merged_either_when_the_user_has_all_read_anew(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1, first_id=5000))
    entry = await set_up(at)
    await wires.plug(unit_with(5, seed=2), at.port)
    await entry.runtime_data.async_read_all()
    await settle(hass)
    assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 3


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter")
async def test_nothing_is_done_at_another_that_no_poll_has_met(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    ours, other = unit_with(3, seed=1, first_id=5000), unit_with(5, seed=2)
    for unit in (ours, other):
        unit.create(20)
    at = await wires.plug(ours)
    entry = await set_up(at)
    there = await wires.plug(other, at.port)
    session_id = next(iter(ours.active.values())).uuid
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            DOMAIN, "page_session", {"number": 20, "session_id": session_id}, blocking=True
        )
    assert {asked.code for asked in there.requests} == {"GET"}
    assert issue(hass, ANOTHER_UNIT, entry)


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter")
@pytest.mark.parametrize("is_anew", [True, False])
async def test_sessions_stay_where_they_were_if_it_has_forgotten_all_while_the_computer_slept(
    hass: HomeAssistant,
    set_up: SetUp,
    wires: Wires,
    monkeypatch: pytest.MonkeyPatch,
    is_anew: bool,
) -> None:
    unit = unit_with(3, seed=1, first_id=5000)
    unit.skew = timedelta(days=-900)
    for number in (4, 5):
        serve_guest(unit, number)
    entry = await set_up(await wires.plug(unit))
    before = {
        session.uuid: session.ended_at for session in await everything(entry.runtime_data.log)
    }
    assert len(before) == 5
    unit.reboot(lose_history=True, restart_ids=True, restart_sequence=True)
    serve_guest(unit, 6)
    # The loop's clock stood still for three hours.
    slept = timedelta(hours=3)
    unit.now = lambda: local_time() + slept
    clocks = entry.runtime_data.follower.clocks
    monkeypatch.setattr(
        clocks, "_wall", lambda: dt_util.utcnow().timestamp() + slept.total_seconds()
    )
    if is_anew:
        await entry.runtime_data.async_read_all()
    else:
        await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    logged = await everything(entry.runtime_data.log)
    assert {session.uuid: session.ended_at for session in logged} == before


@pytest.mark.polled
@pytest.mark.logs(GONE)
async def test_what_another_tells_of_itself_after_the_computer_slept_is_not_taken_for_ours(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = unit_with(0, seed=1)
    unit.skew = timedelta(hours=3)
    serve_guest(unit, 1)
    at = await wires.plug(unit)
    entry = await set_up(at)
    follower = entry.runtime_data.follower
    [before] = await everything(entry.runtime_data.log)
    await wires.unplug(at.port)
    await poll(hass, entry)
    # The loop's clock stood still for two hours.
    slept = timedelta(hours=2)
    another = unit_with(40, seed=2, first_id=5000)
    another.firmware_version = "1.0"
    unit.now = another.now = lambda: local_time() + slept
    monkeypatch.setattr(
        follower.clocks, "_wall", lambda: dt_util.utcnow().timestamp() + slept.total_seconds()
    )
    follower.now()  # it seems that our clock was set
    there = await wires.plug(another)
    transmitter = Transmitter(there.host, there.port)
    answer = await transmitter.sessions()
    await transmitter.close()
    assert answer
    # Another has the address now, and answers to our registration.
    follower.receive(answer)
    assert follower.facts.firmware_version == unit.firmware_version
    await wires.plug(unit, at.port)
    await poll(hass, entry)
    [after] = await everything(entry.runtime_data.log)
    assert after.ended_at == before.ended_at
    assert follower.clocks.ahead == 3 * 3600


@pytest.mark.polled
@pytest.mark.logs("Error fetching T7470 data: Another transmitter")
@pytest.mark.parametrize("action", ["page", "clear"])
async def test_what_another_answers_to_an_action_is_not_merged_and_the_user_is_told(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, action: str
) -> None:
    ours, other = unit_with(3, seed=1, first_id=5000), unit_with(5, seed=2)
    other.create(20)
    other.sequence += 5000
    at = await wires.plug(ours)
    entry = await set_up(at)
    await wires.plug(other, at.port)
    with pytest.raises(HomeAssistantError, match="Another transmitter answers"):
        await hass.services.async_call(DOMAIN, f"{action}_session", {"number": 20}, blocking=True)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    assert entry.runtime_data.follower.tracker.active == ()
    assert await entry.runtime_data.log.count() == 3


@pytest.fixture
async def in_doubt(hass: HomeAssistant, set_up: SetUp, wires: Wires) -> Any:
    """An entry at whose address a unit answers that has none of its sessions."""
    assert await async_setup_component(hass, REPAIRS, {})
    at = await wires.plug(unit_with(3, seed=1, first_id=5000))
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    forgetful = await wires.plug(unit_with(2, seed=2), at.port)
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == STATE_UNAVAILABLE
    assert await entry.runtime_data.log.count() == 3
    assert issue(hass, ANOTHER_UNIT, entry)
    return entry, forgetful


@pytest.mark.logs(GONE, GONE)
async def test_the_user_says_that_it_forgot_and_it_goes_on(
    hass: HomeAssistant, in_doubt: Any, hass_client: Callable[[], Any]
) -> None:
    entry, simulator = in_doubt
    result = await answer(hass, await hass_client(), entry, "same")
    assert result["type"] == "create_entry"
    await settle(hass)
    assert sensor(hass, entry, "daily_count").state == "5"
    assert issue(hass, ANOTHER_UNIT, entry) is None
    # It stays known, also after the next outage.
    simulator.faults.reset = True
    await poll(hass, entry)
    simulator.faults.reset = False
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "5"


@pytest.mark.logs(GONE)
async def test_the_user_says_that_it_is_another_and_nothing_of_it_is_taken_over(
    hass: HomeAssistant, in_doubt: Any, hass_client: Callable[[], Any]
) -> None:
    entry, _ = in_doubt
    result = await answer(hass, await hass_client(), entry, "another")
    assert (result["type"], result["reason"]) == ("abort", "another")
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 3


@pytest.mark.logs(GONE)
async def test_a_doubt_at_set_up_is_resolved_as_well(
    hass: HomeAssistant, in_doubt: Any, hass_client: Callable[[], Any]
) -> None:
    entry, _ = in_doubt
    await hass.config_entries.async_reload(entry.entry_id)
    assert issue(hass, ANOTHER_UNIT, entry)
    await answer(hass, await hass_client(), entry, "same")
    await settle(hass)
    assert sensor(hass, entry, "daily_count").state == "5"


@pytest.mark.logs(GONE)
@pytest.mark.parametrize("forgets", ["nothing", "history", "all but ids"])
async def test_a_transmitter_that_was_off_is_known_again(
    forgets: str, hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    unit = unit_with(3, seed=1, first_id=5000)
    at = await wires.plug(unit)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    match forgets:
        case "history":
            unit.reboot(lose_history=True)
        case "all but ids":
            unit.reboot(lose_history=True, lose_active=True)
    serve_guest(unit, 9)
    await wires.plug(unit, at.port)
    unit.create(10)
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "4"
    assert sensor(hass, entry, "active_sessions").state == "1"
    assert issue(hass, ANOTHER_UNIT, entry) is None


@pytest.mark.logs(GONE)
async def test_a_transmitter_whose_ids_have_begun_again_and_that_is_wiped_then_is_known(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    unit = unit_with(3, seed=1, first_id=5000)
    unit.reboot(restart_ids=True)
    for number in (4, 5):
        serve_guest(unit, number)
    at = await wires.plug(unit)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    unit.wipe_history()
    serve_guest(unit, 6)
    await wires.plug(unit, at.port)
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "6"
    assert issue(hass, ANOTHER_UNIT, entry) is None


@pytest.mark.logs(GONE, "The history can't be read")
async def test_a_history_that_can_t_be_read_hides_nobody(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1))
    entry = await set_up(at)
    at.faults.reset = True
    await poll(hass, entry)
    at.faults.reset = False
    at.faults.errors[("v1", "sessions", "history")] = "5.00"
    at.unit.create(10)
    await poll(hass, entry)
    assert sensor(hass, entry, "active_sessions").state == "1"
    assert sensor(hass, entry, "daily_count").state == "3"


async def test_who_came_before_others_left_is_no_stranger_after_a_restart(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    unit = unit_with(3, seed=1)
    unit.create(10)
    for number in (11, 12):
        serve_guest(unit, number)
    entry = await set_up(await wires.plug(unit))
    unit.wipe_history()
    await hass.config_entries.async_reload(entry.entry_id)
    assert sensor(hass, entry, "active_sessions").state == "1"
    assert sensor(hass, entry, "daily_count").state == "5"


@pytest.mark.logs(GONE)
async def test_a_transmitter_whose_ids_are_like_ours_is_another_all_the_same(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1))
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = Unit(now=local_time, seed=2)
    for number in (21, 22):
        serve_guest(other, number)
    await wires.plug(other, at.port)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 3


def serve_guests(unit: Unit, *minutes_ago: float) -> None:
    """Have guests come and leave, who left so many minutes ago each."""
    for number, minutes in enumerate(minutes_ago, 30):
        serve_guest(unit, number, minutes_ago=minutes)


@pytest.mark.logs(GONE)
@pytest.mark.parametrize(
    "theirs",
    [
        (300,),
        # The last is like the next guest of ours.
        (300, 1),
        # So are the first hundred, which come by themselves, and are older than all of ours.
        (*range(1500, 1400, -1), 300, 1),
    ],
)
async def test_a_transmitter_whose_ids_go_on_from_ours_is_another_if_it_served_others_meanwhile(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, theirs: tuple[float, ...]
) -> None:
    ours = Unit(now=local_time, seed=1)
    serve_guests(ours, 600, 5)
    at = await wires.plug(ours)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = Unit(now=local_time, seed=2, next_id=ours.next_id)
    serve_guests(other, *theirs)
    await wires.plug(other, at.port)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 2
    # Ours is back.
    await wires.plug(ours, at.port)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry) is None
    assert sensor(hass, entry, "active_sessions").state == "0"


@pytest.mark.logs(GONE)
@pytest.mark.parametrize(
    ("skew", "is_set_right"),
    [
        # It came before others whom we know, and left when nobody looked.
        (timedelta(), True),
        # Its clock was not set when it was on again.
        (timedelta(days=-900), True),
        # Nobody had put it on for the summer until later.
        (timedelta(hours=-1), True),
        # It is not set yet.
        (timedelta(hours=-5), False),
    ],
)
async def test_a_transmitter_that_has_lost_its_history_is_known_whatever_its_clock_showed(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, skew: timedelta, is_set_right: bool
) -> None:
    unit = Unit(now=local_time, seed=1)
    serve_guests(unit, 600)
    with unit.at(local_time() - timedelta(minutes=400)):
        unit.create(50)
    serve_guests(unit, 5)
    at = await wires.plug(unit)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    unit.wipe_history()
    unit.skew = skew
    unit.clear(50)
    if is_set_right:
        unit.skew = timedelta()
    await wires.plug(unit, at.port)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry) is None
    assert await entry.runtime_data.log.count() == 3


@pytest.mark.logs("The history can't be read", GONE)
@pytest.mark.polled
async def test_a_history_that_could_not_be_read_before_an_outage_shows_who_answers_after_it(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    at = await wires.plug(unit_with(3, seed=1))
    entry = await set_up(at)
    at.faults.errors["v1", "sessions", "history"] = "5.00"
    serve_guest(at.unit)
    await poll(hass, entry)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = unit_with(40, seed=2, first_id=5000)
    other.create(20)
    there = await wires.plug(other, at.port)
    with pytest.raises(HomeAssistantError, match="Another transmitter answers"):
        await hass.services.async_call(DOMAIN, "page_session", {"number": 20}, blocking=True)
    assert {asked.code for asked in there.requests} == {"GET"}


@pytest.mark.polled
@pytest.mark.logs(GONE)
@pytest.mark.parametrize("is_polled", [True, False])
async def test_a_strangers_guests_are_not_taken_for_ours_while_its_history_can_t_be_read(
    hass: HomeAssistant, set_up: SetUp, wires: Wires, is_polled: bool
) -> None:
    ours = unit_with(3, seed=1)
    at = await wires.plug(ours)
    entry = await set_up(at)
    tracker = entry.runtime_data.follower.tracker
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = unit_with(3, seed=2, first_id=90_000)
    other.create(20)
    there = await wires.plug(other, at.port)
    there.faults.errors["v1", "sessions", "history"] = "5.00"
    if is_polled:
        await poll(hass, entry)
        assert issue(hass, ANOTHER_UNIT, entry)
        assert sensor(hass, entry, "active_sessions").state == STATE_UNAVAILABLE
    with pytest.raises(HomeAssistantError, match="Another transmitter answers"):
        await hass.services.async_call(DOMAIN, "page_session", {"number": 20}, blocking=True)
    await settle(hass)
    assert {asked.code for asked in there.requests} == {"GET"}
    assert issue(hass, ANOTHER_UNIT, entry)
    assert tracker.active == ()
    # Ours is back.
    ours.create(30)
    await wires.plug(ours, at.port)
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry) is None
    assert sensor(hass, entry, "active_sessions").state == "1"


@pytest.mark.polled
@pytest.mark.logs(GONE, "The history can't be read", "Error fetching T7470 data: Another")
async def test_a_history_shows_a_stranger_also_if_its_guests_ids_went_on_from_ours_before(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    ours = Unit(now=local_time, seed=1)
    serve_guests(ours, 600, 5)
    at = await wires.plug(ours)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    other = Unit(now=local_time, seed=2, next_id=ours.next_id)
    serve_guests(other, 300)
    other.create(20)
    there = await wires.plug(other, at.port)
    there.faults.errors["v1", "sessions", "history"] = "5.00"
    for _ in range(2):
        await poll(hass, entry)
        assert issue(hass, ANOTHER_UNIT, entry) is None
    there.faults.errors.clear()
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry)
    assert await entry.runtime_data.log.count() == 2


@pytest.mark.polled
@pytest.mark.logs(GONE, "The history can't be read")
async def test_the_user_may_say_that_it_is_ours_also_while_its_history_can_t_be_read(
    hass: HomeAssistant,
    set_up: SetUp,
    wires: Wires,
    hass_client: Callable[[], Any],
) -> None:
    assert await async_setup_component(hass, REPAIRS, {})
    at = await wires.plug(unit_with(3, seed=1))
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    forgetful = unit_with(3, seed=2, first_id=90_000)
    forgetful.create(20)
    there = await wires.plug(forgetful, at.port)
    there.faults.errors["v1", "sessions", "history"] = "5.00"
    await poll(hass, entry)
    await answer(hass, await hass_client(), entry, "same")
    await settle(hass)
    assert sensor(hass, entry, "active_sessions").state == "1"
    there.faults.errors.clear()
    await poll(hass, entry)
    assert issue(hass, ANOTHER_UNIT, entry) is None
    assert await entry.runtime_data.log.count() == 6


@pytest.mark.logs(GONE)
@pytest.mark.polled
async def test_actions_are_done_again_when_nobody_elses_guests_are_there(
    hass: HomeAssistant, set_up: SetUp, wires: Wires
) -> None:
    ours = unit_with(3, seed=1)
    at = await wires.plug(ours)
    entry = await set_up(at)
    await wires.unplug(at.port)
    await poll(hass, entry)
    await wires.plug(unit_with(40, seed=2, first_id=5000), at.port)
    await poll(hass, entry)
    await wires.unplug(at.port)
    await poll(hass, entry)
    ours.wipe_history()
    await wires.plug(ours, at.port)
    await poll(hass, entry)
    await hass.services.async_call(DOMAIN, "start_session", {"number": 20}, blocking=True)
    assert set(ours.active) == {20}


async def test_an_action_that_a_reload_overtakes_is_refused_in_the_users_words(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    entry.runtime_data.follower.read_everything()
    simulator.unit.create(20)
    log = entry.runtime_data.log
    knows_any = log.knows_any

    async def closed(sessions: Any) -> bool:
        monkeypatch.setattr(log, "knows_any", knows_any)
        raise LogClosedError

    monkeypatch.setattr(log, "knows_any", closed)
    with pytest.raises(HomeAssistantError) as err:
        await hass.services.async_call(DOMAIN, "page_session", {"number": 20}, blocking=True)
    assert err.value.translation_domain == DOMAIN
    assert not simulator.unit.active[20].notified
