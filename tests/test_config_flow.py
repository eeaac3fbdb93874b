"""The dialogs, over real packets."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.lrs_pager import config_flow
from custom_components.lrs_pager.address import read_address
from custom_components.lrs_pager.const import (
    CONF_DAY_START,
    CONF_KEEP_NAMES,
    CONF_SHOW_NAMES,
    CONF_SHOW_PANEL,
    DOMAIN,
)
from custom_components.lrs_pager.issues import tell_of_another
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_USER,
    ConfigEntryDisabler,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, local_time, poll, sensor, serve_guest
from tests.sessions import everything
from tests.simulator import Simulator, Unit

HISTORY = ("v1", "sessions", "history")


async def enter(hass: HomeAssistant, **address: Any) -> ConfigFlowResult:
    """Enter an address as a user does who adds a transmitter."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {}
    return await hass.config_entries.flow.async_configure(form["flow_id"], address)


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def address(simulator: Simulator) -> dict[str, Any]:
    return {CONF_HOST: simulator.host, CONF_PORT: simulator.port}


# ----------------------------------------------------------------------------- adding one


async def test_an_address_at_which_a_transmitter_answers_is_accepted(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    result = await enter(hass, **address(simulator))
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "T7470"
    assert result["data"] == address(simulator)
    assert hass.states.get("sensor.t7470_daily_count")


async def test_the_port_need_not_be_entered(hass: HomeAssistant) -> None:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    schema = form["data_schema"]
    assert schema is not None
    assert schema({CONF_HOST: "10.0.1.32"}) == {CONF_HOST: "10.0.1.32", CONF_PORT: 5683}


async def test_a_host_is_cleaned_of_what_people_enter_around_it(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    result = await enter(hass, host="  LocalHost ", port=simulator.port)
    assert result["data"][CONF_HOST] == "localhost"


async def test_an_ipv6_address_may_be_in_brackets(hass: HomeAssistant) -> None:
    async with Simulator(host="::1") as simulator:
        result = await enter(hass, host="[::1]", port=simulator.port)
        assert result["data"][CONF_HOST] == "::1"
        await hass.async_block_till_done()
        await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize(
    ("entered", "port", "meant"),
    [
        (" FE80::2%Eth0 ", 5683, ("fe80::2%Eth0", 5683)),
        ("[fd00::2]", 5683, ("fd00::2", 5683)),
        ("[fd00::2]:5700", 5683, ("fd00::2", 5700)),
        ("::1:5700", 5683, ("::1:5700", 5683)),  # an address, as far as anybody can tell
        ("Pager.LOCAL", 5683, ("pager.local", 5683)),
        ("coap://10.0.1.32", 5683, ("10.0.1.32", 5683)),
        ("CoAP://[FE80::2%eth0]:5683/v1/sessions", 5683, ("fe80::2%eth0", 5683)),
        ("coap://10.0.1.32:5700/", 5683, ("10.0.1.32", 5700)),
        ("10.0.1.32:5700", 5683, ("10.0.1.32", 5700)),
        ("10.0.1.32:5700", 5700, ("10.0.1.32", 5700)),
        ("10.0.1.32:", 5683, ("10.0.1.32", 5683)),
        ("//10.0.1.32", 5700, ("10.0.1.32", 5700)),
        # The port of a web page is not that of CoAP.
        ("http://10.0.1.32/", 5683, ("10.0.1.32", 5683)),
        ("https://pager.local:8443/index.html?x#y", 5683, ("pager.local", 5683)),
    ],
)
def test_an_address_is_what_was_meant(entered: str, port: int, meant: tuple[str, int]) -> None:
    assert read_address(entered, port, default_port=5683) == meant


@pytest.mark.parametrize(
    ("entered", "error"),
    [
        ("", "not_an_address"),
        ("   ", "not_an_address"),
        ("coap://", "not_an_address"),
        (":5683", "not_an_address"),
        ("me@10.0.1.32", "not_an_address"),
        ("10.0.1.32 5683", "not_an_address"),
        ("10.0.1.32:coap", "not_an_address"),
        ("10.0.1.32:0", "not_an_address"),
        ("10.0.1.32:65536", "not_an_address"),
        ("10.0.1.32:\N{ARABIC-INDIC DIGIT ONE}", "not_an_address"),
        ("[::1", "not_an_address"),
        ("a:b:c", "not_an_address"),
        ("10.0.1.32:5700", "two_ports"),
    ],
)
async def test_what_is_no_address_is_said_where_it_was_entered(
    hass: HomeAssistant, entered: str, error: str
) -> None:
    result = await enter(hass, host=entered, port=5701)
    assert result["errors"] == {CONF_HOST: error}


async def test_a_url_may_be_entered(hass: HomeAssistant, simulator: Simulator) -> None:
    result = await enter(hass, host=f"coap://{simulator.host}:{simulator.port}/v1", port=5683)
    await hass.async_block_till_done()
    assert result["result"].data == address(simulator)


async def test_a_second_transmitter_is_told_apart_by_its_title(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    await enter(hass, **address(simulator))
    async with Simulator() as second:
        result = await enter(hass, **address(second))
        assert result["title"] == "T7470 (2)"
        await hass.async_block_till_done()
        await hass.config_entries.async_unload(result["result"].entry_id)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST "])
async def test_the_same_transmitter_cannot_be_added_twice(
    hass: HomeAssistant, simulator: Simulator, host: str
) -> None:
    await enter(hass, **address(simulator))
    result = await enter(hass, host=host, port=simulator.port)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# ---------------------------------------------------------------------------- refusing one


async def refused(hass: HomeAssistant, simulator: Simulator, **entered: Any) -> dict[str, str]:
    """Enter an address; return the errors shown, after checking that a right one heals them."""
    result = await enter(hass, **(address(simulator) | entered))
    assert result["type"] is FlowResultType.FORM
    errors = result["errors"]
    assert errors
    async with Simulator() as healthy:
        result = await hass.config_entries.flow.async_configure(result["flow_id"], address(healthy))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        await hass.config_entries.async_unload(result["result"].entry_id)
    return errors


async def test_a_name_that_cannot_be_resolved(hass: HomeAssistant, simulator: Simulator) -> None:
    assert await refused(hass, simulator, host="pager.invalid") == {"base": "not_resolved"}


async def test_a_port_on_which_nothing_listens(hass: HomeAssistant, simulator: Simulator) -> None:
    await simulator.stop()
    assert await refused(hass, simulator) == {"base": "refused"}


@pytest.mark.usefixtures("short_timeouts")
async def test_an_address_from_which_no_answer_comes(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    simulator.faults.silence = True
    assert await refused(hass, simulator) == {"base": "timed_out"}


async def test_a_coap_device_that_has_no_such_resource(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    simulator.faults.not_a_transmitter = True
    assert await refused(hass, simulator) == {"base": "not_t7470"}


async def test_a_device_that_gives_another_name(hass: HomeAssistant, simulator: Simulator) -> None:
    simulator.canned[HISTORY] = b'{"responseTypes":["session_history"],"deviceName":"T9000"}'
    assert await refused(hass, simulator) == {"base": "not_t7470"}


async def test_an_answer_that_cannot_be_read(hass: HomeAssistant, simulator: Simulator) -> None:
    simulator.faults.malformed = True
    assert await refused(hass, simulator) == {"base": "malformed"}


async def test_an_answer_that_is_an_error(hass: HomeAssistant, simulator: Simulator) -> None:
    simulator.faults.error_5_00 = True
    assert await refused(hass, simulator) == {"base": "rejected"}


@pytest.mark.logs("Unexpected error")
async def test_an_error_of_our_own_does_not_end_the_dialog(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(config_flow, "Transmitter", None)
        form = await enter(hass, **address(simulator))
        assert form["errors"] == {"base": "unknown"}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address(simulator))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("port", [0, 65536, "coap"])
async def test_a_port_that_cannot_be(hass: HomeAssistant, simulator: Simulator, port: Any) -> None:
    with pytest.raises(InvalidData):
        await enter(hass, host=simulator.host, port=port)


async def test_what_was_entered_is_still_there_after_an_error(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    simulator.faults.malformed = True
    result = await enter(hass, **address(simulator))
    schema = result["data_schema"]
    assert schema is not None
    suggested = {str(key): key.description["suggested_value"] for key in schema.schema}
    assert suggested == address(simulator)


async def test_nothing_is_left_open_by_an_address_that_failed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    simulator.faults.malformed = True
    await enter(hass, **address(simulator))
    before = open_files()
    for _ in range(3):
        await enter(hass, **address(simulator))
    assert open_files() == before


async def test_two_open_dialogs_do_not_add_the_same_transmitter_twice(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    flows = [
        await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        for _ in range(2)
    ]
    results = [
        await hass.config_entries.flow.async_configure(flow["flow_id"], address(simulator))
        for flow in flows
    ]
    assert [r["type"] for r in results] == ["create_entry", "abort"]


# ----------------------------------------------------------------------------- changing one


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, **address: Any
) -> ConfigFlowResult:
    form = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address)
    await hass.async_block_till_done()
    return result


async def test_a_new_address_keeps_entities_and_log(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    serve_guest(simulator.unit)
    entry = await set_up()
    async with Simulator(unit=simulator.unit) as moved:
        serve_guest(moved.unit, 8)
        result = await reconfigure(hass, entry, **address(moved))
        assert result["reason"] == "reconfigure_successful"
        assert entry.data == address(moved)
        assert sensor(hass, entry, "daily_count").state == "2"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_new_address_that_was_ignored_is_the_entrys_and_ignored_no_more(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    async with Simulator(unit=simulator.unit) as moved:
        MockConfigEntry(
            domain=DOMAIN, source=SOURCE_IGNORE, unique_id="x", data=address(moved)
        ).add_to_hass(hass)
        result = await reconfigure(hass, entry, **address(moved))
        assert result["reason"] == "reconfigure_successful"
        assert hass.config_entries.async_entries(DOMAIN) == [entry]
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_present_address_may_be_entered_again(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    result = await reconfigure(hass, entry, **address(simulator))
    assert result["reason"] == "reconfigure_successful"


async def test_a_new_address_may_be_entered_as_a_url(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    result = await reconfigure(hass, entry, host=f"http://{simulator.host}/", port=simulator.port)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == address(simulator)


async def test_another_transmitters_address_is_refused(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    async with Simulator() as second:
        other = await set_up(second, title="T7470 (bar)")
        result = await reconfigure(hass, entry, **address(second))
        assert result["reason"] == "already_configured"
        assert entry.data == address(simulator)
        await hass.config_entries.async_unload(other.entry_id)


async def test_a_new_address_at_which_nobody_answers_changes_nothing(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    result = await reconfigure(hass, entry, host="pager.invalid", port=5683)
    assert result["errors"] == {"base": "not_resolved"}
    assert entry.data == address(simulator)


async def test_the_hour_at_which_a_day_begins_is_an_option(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["step_id"] == "init"
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(form["flow_id"], {CONF_DAY_START: 24})
    result = await hass.config_entries.options.async_configure(form["flow_id"], {CONF_DAY_START: 4})
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        CONF_DAY_START: 4,
        CONF_SHOW_PANEL: True,
        CONF_SHOW_NAMES: False,
        CONF_KEEP_NAMES: None,  # as it was left empty
    }
    start = sensor(hass, entry, "daily_count").attributes["last_reset"]
    assert start.endswith(("T12:00:00+00:00", "T11:00:00+00:00"))  # 4:00 in US/Pacific


async def test_names_may_be_kept_for_half_a_day(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    serve_guest(simulator.unit, 7, minutes_ago=11 * 60, label="Anna")
    serve_guest(simulator.unit, 8, minutes_ago=13 * 60, label="Zoë")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(form["flow_id"], {CONF_KEEP_NAMES: 0.5})
    await hass.async_block_till_done()
    await poll(hass, entry)
    found = await everything(entry.runtime_data.log)
    assert {session.number: session.label for session in found} == {7: "Anna", 8: None}


async def test_browsers_can_show_all_forms(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "config", {})
    entry = await set_up()
    client = await hass_client()
    for path, handler in (("flow", DOMAIN), ("options/flow", entry.entry_id)):
        url = f"/api/config/config_entries/{path}"
        answer = await client.post(url, json={"handler": handler})
        assert answer.status == HTTPStatus.OK, await answer.text()
        assert (await answer.json())["type"] == "form"


async def test_a_disabled_transmitter_exchanges_no_address(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=Unit(now=local_time), pings_at_once=True) as other:
        first, second = await set_up(title="First"), await set_up(other, title="Second")
        addresses = dict(first.data), dict(second.data)
        tell_of_another(hass, first, "Second")
        assert ir.async_get(hass).issues
        await hass.config_entries.async_set_disabled_by(first.entry_id, ConfigEntryDisabler.USER)
        await hass.async_block_till_done()
        # Nobody is told of who is not there.
        assert not ir.async_get(hass).issues
        tell_of_another(hass, first, "Second")
        result = await reconfigure(hass, second, **first.data)
        assert result["reason"] == "already_configured"
        assert (dict(first.data), dict(second.data)) == addresses
