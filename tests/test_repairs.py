"""The repair of the transmitter's clock, by the way that the dialog goes."""

from datetime import timedelta
from http import HTTPStatus
import json
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.issues import (
    ANOTHER_UNIT,
    LOG_SET_ASIDE,
    UNREADABLE,
    tell_of_log,
)
from custom_components.lrs_pager.repairs import AnotherUnitFlow, async_create_fix_flow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest
from tests.simulator import Simulator, Unit
from tests.test_services import (
    leave_commands_unanswered,
    listening,
    reject_commands,
    sent,
    until,
)

pytestmark = pytest.mark.usefixtures("midday")

FIX = "/api/repairs/issues/fix"
SETTINGS = ("v1", "settings")
ISSUES = json.loads(
    (Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations/en.json").read_text()
)["issues"]


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """The issue of the entry's clock."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"clock_off_{entry.entry_id}")


class Dialog:
    """The dialog that a user opens from the list of repairs."""

    def __init__(self, client: Any) -> None:
        """Take the client, which is logged in."""
        self._client = client
        self._url = FIX

    async def open(self, entry: MockConfigEntry) -> dict[str, Any]:
        """Choose the issue."""
        shown = await self._post(
            FIX, {"handler": DOMAIN, "issue_id": f"clock_off_{entry.entry_id}"}
        )
        self._url = f"{FIX}/{shown['flow_id']}"
        return shown

    async def submit(self) -> dict[str, Any]:
        """Press the button."""
        return await self._post(self._url, {})

    async def _post(self, url: str, data: dict[str, str]) -> dict[str, Any]:
        answer = await self._client.post(url, json=data)
        assert answer.status == HTTPStatus.OK
        found: dict[str, Any] = await answer.json()
        return found


@pytest.fixture
async def dialog(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Dialog:
    """Home Assistant with its repairs, and a user."""
    assert await async_setup_component(hass, "repairs", {})
    return Dialog(await hass_client())


def words(shown: dict[str, Any]) -> str:
    """The error in a form, as it is read; its placeholders are all there."""
    text: str = ISSUES["clock_off"]["fix_flow"]["error"][shown["errors"]["base"]]
    return text.format(**shown["description_placeholders"])


# ------------------------------------------------------------------------------ the issue


@pytest.mark.parametrize(
    ("minutes", "is_off"), [(0, False), (4.9, False), (-4.9, False), (5.1, True), (-5.1, True)]
)
async def test_a_clock_that_is_off_by_more_than_five_minutes_is_an_issue(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, minutes: float, is_off: bool
) -> None:
    simulator.unit.skew = timedelta(minutes=minutes)
    entry = await set_up()
    found = issue(hass, entry)
    assert bool(found) is is_off
    if found:
        assert (found.is_fixable, found.severity) == (True, ir.IssueSeverity.WARNING)
        assert found.translation_key == "clock_off"
        assert found.translation_placeholders == {"title": "T7470"}
        assert set(re.findall(r"{(\w+)}", ISSUES["clock_off"]["title"])) == {"title"}


@pytest.mark.polled
async def test_the_issue_comes_and_goes_by_itself_as_the_clock_does(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    assert not issue(hass, entry)
    for skew, is_off in ((60, True), (0, False), (-60, True), (4, False)):
        simulator.unit.skew = timedelta(minutes=skew)
        simulator.unit.create(abs(skew) + 1)  # so that there is something to tell
        await poll(hass, entry)
        assert bool(issue(hass, entry)) is is_off


async def test_the_issue_may_be_ignored_and_stays_so(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "repairs/ignore_issue",
            "domain": DOMAIN,
            "issue_id": f"clock_off_{entry.entry_id}",
            "ignore": True,
        }
    )
    assert (await client.receive_json())["success"]
    await poll(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.runtime_data.follower.push.state != "connecting")
    await client.send_json_auto_id({"type": "repairs/list_issues"})
    [found] = (await client.receive_json())["result"]["issues"]
    assert (found["domain"], found["ignored"], found["is_fixable"]) == (DOMAIN, True, True)


async def test_the_issue_goes_with_the_transmitter(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    assert issue(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not issue(hass, entry)


async def test_each_transmitter_has_an_issue_of_its_own(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog
) -> None:
    skew = timedelta(hours=1)
    simulator.unit.skew = skew
    async with Simulator(unit=Unit(now=local_time, skew=skew)) as other:
        entry, bar = await set_up(), await set_up(other, title="Bar")
        shown = await dialog.open(bar)
        assert shown["description_placeholders"] == {"title": "Bar"}
        await dialog.submit()
        assert issue(hass, entry)
        assert not issue(hass, bar)
        assert simulator.unit.skew == skew
        await hass.config_entries.async_unload(bar.entry_id)


# -------------------------------------------------------------------------------- the fix


@pytest.mark.parametrize("way", ["pushed", pytest.param("polled", marks=pytest.mark.polled)])
async def test_the_fix_sets_the_clock_and_the_issue_is_gone(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog, way: str
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    serve_guest(simulator.unit, wait=240)
    entry = await set_up()
    await listening(entry, way)
    shown = await dialog.open(entry)
    assert (shown["type"], shown["step_id"], shown["errors"]) == ("form", "confirm", {})
    assert shown["description_placeholders"] == {"title": "T7470"}
    # Not before the user says so.
    assert sent(simulator) == []
    assert (await dialog.submit())["type"] == "create_entry"
    [(code, path, query, payload)] = sent(simulator)
    assert (code, path, query) == ("POST", SETTINGS, ())
    assert list(json.loads(payload)) == ["datetime"]
    assert abs(simulator.unit.time() - local_time()) <= timedelta(seconds=2)
    assert not issue(hass, entry)
    assert abs(float(sensor(hass, entry, "clock_offset").state)) <= 1
    await poll(hass, entry)
    assert not issue(hass, entry)
    assert sensor(hass, entry, "average_wait").state == "4.0"


async def test_a_clock_that_does_not_take_it_is_told_and_can_be_tried_again(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    dialog: Dialog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    with monkeypatch.context() as patch:
        patch.setattr(simulator.unit, "set_clock", lambda shown: None)
        shown = await dialog.submit()
    assert (shown["type"], shown["step_id"]) == ("form", "confirm")
    assert shown["errors"] == {"base": "clock_not_set"}
    assert words(shown).endswith("shows another.")
    assert issue(hass, entry)
    assert (await dialog.submit())["type"] == "create_entry"
    assert not issue(hass, entry)


@pytest.mark.logs("Nothing listens")
@pytest.mark.polled
async def test_a_transmitter_that_cannot_be_reached_is_told_in_the_form(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    await simulator.stop()
    shown = await dialog.submit()
    assert shown["errors"] == {"base": "refused"}
    assert words(shown)
    await until(lambda: not entry.runtime_data.last_update_success)
    await simulator.start()
    assert (await dialog.submit())["type"] == "create_entry"
    assert not issue(hass, entry)


@pytest.mark.polled
@pytest.mark.usefixtures("short_timeouts")
async def test_a_transmitter_that_does_not_answer_is_told_in_the_form_and_asked_what_it_did(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    dialog: Dialog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    leave_commands_unanswered(simulator, monkeypatch)
    shown = await dialog.submit()
    assert shown["errors"] == {"base": "timed_out"}
    # It was set, which the next poll finds.
    await until(lambda: not issue(hass, entry))


async def test_a_refusal_is_told_in_the_form_with_its_code(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    dialog: Dialog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    reject_commands(simulator, monkeypatch)
    shown = await dialog.submit()
    assert shown["errors"] == {"base": "rejected"}
    assert "5.00" in words(shown)


async def test_a_clock_that_cannot_be_read_afterwards_is_told_in_the_form(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    simulator.canned[SETTINGS] = b"<html>"
    shown = await dialog.submit()
    assert shown["errors"] == {"base": "malformed"}
    assert "(body)" in words(shown)


async def test_a_transmitter_that_is_not_connected_ends_the_dialog(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    reasons = set()
    shown = await dialog.submit()
    assert shown["type"] == "abort"
    reasons.add(shown["reason"])
    # And it does not begin.
    shown = await dialog.open(entry)
    assert shown["type"] == "abort"
    reasons.add(shown["reason"])
    assert reasons == set(ISSUES["clock_off"]["fix_flow"]["abort"])
    assert sent(simulator) == []


async def test_a_transmitter_that_was_removed_meanwhile_ends_the_dialog(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, dialog: Dialog
) -> None:
    simulator.unit.skew = timedelta(hours=1)
    entry = await set_up()
    await dialog.open(entry)
    await hass.config_entries.async_remove(entry.entry_id)
    assert (await dialog.submit())["type"] == "abort"


async def test_a_transmitter_that_was_removed_meanwhile_is_none_to_choose(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    flow = await async_create_fix_flow(hass, ANOTHER_UNIT, {"entry_id": entry.entry_id})
    flow.hass, flow.flow_id, flow.handler = hass, "flow", DOMAIN
    assert isinstance(flow, AnotherUnitFlow)
    assert (await flow.async_step_init())["type"] == "menu"
    await hass.config_entries.async_remove(entry.entry_id)
    assert (await flow.async_step_same())["reason"] == "not_loaded"


@pytest.mark.logs("The session log could not be read", "The session log could not be read")
async def test_a_second_damaged_log_is_told_of_though_the_first_was_ignored(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    issue_id = f"{LOG_SET_ASIDE}_{entry.entry_id}"
    tell_of_log(hass, entry, "first")
    ir.async_ignore_issue(hass, DOMAIN, issue_id, ignore=True)
    tell_of_log(hass, entry, "second")
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue
    assert issue.translation_placeholders == {"title": "T7470", "file": "second"}
    assert issue.dismissed_version is None


# ----------------------------------------------------------------- what can't be read


@pytest.mark.logs("3 times or sessions of the history can't be read")
async def test_times_that_can_t_be_read_are_told_until_they_can(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    for number in (7, 8, 9):
        serve_guest(simulator.unit, number)
    simulator.faults.wrong = {"notified": "0000-00-00T00:00:00"}
    entry = await set_up()
    # The sessions are counted all the same.
    assert sensor(hass, entry, "daily_count").state == "3"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{UNREADABLE}_{entry.entry_id}")
    assert issue
    assert issue.translation_placeholders == {"title": "T7470", "count": "3"}
    # It is told once, and taken back.
    await poll(hass, entry)
    simulator.faults.wrong = {}
    entry.runtime_data.follower.poller.read_everything()
    await poll(hass, entry)
    assert not ir.async_get(hass).issues
