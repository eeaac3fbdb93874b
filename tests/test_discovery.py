"""What Home Assistant finds in the network: offered if it is a transmitter, and followed if known.

That transmitters announce themselves so, and have such MAC addresses, is from documents; it has
not been seen on one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from custom_components.lrs_pager import config_flow
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.transmitter import coap
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.loader import async_get_dhcp, async_get_zeroconf
from tests.conftest import SetUp, poll, sensor
from tests.simulator import Simulator

ENGLISH = json.loads((Path(config_flow.__file__).parent / "translations" / "en.json").read_text())
HISTORY = ("v1", "sessions", "history")

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
MAC, OTHER_MAC = "00:11:ca:12:34:56", "00:11:ca:65:43:21"


@pytest.fixture(autouse=True)
def _default_port(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    """Look for transmitters where the simulator is, and let there be another address."""
    monkeypatch.setattr(config_flow, "DEFAULT_PORT", simulator.port)
    hosts = [HERE, ELSEWHERE, "::1", f"::ffff:{HERE}", f"::ffff:{ELSEWHERE}"]
    pytest_socket.socket_allow_hosts(hosts, allow_unix_socket=True)


type Discover = Callable[..., Awaitable[ConfigFlowResult]]


async def zeroconf(
    hass: HomeAssistant, *hosts: str, service: str = "_lrsn._tcp.local."
) -> ConfigFlowResult:
    """Have a service announced, at its addresses from the latest to the oldest."""
    addresses = [ip_address(host) for host in hosts or [HERE]]
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_ZEROCONF},
        data=ZeroconfServiceInfo(
            ip_address=addresses[0],
            ip_addresses=addresses,
            port=3700,
            hostname="t7470.local.",
            type=service,
            name=f"T7470.{service}",
            properties={},
        ),
    )


async def dhcp(hass: HomeAssistant, host: str = HERE, mac: str = MAC) -> ConfigFlowResult:
    """Have a MAC address seen at an address."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_DHCP},
        data=DhcpServiceInfo(ip=host, hostname="t7470", macaddress=mac.replace(":", "")),
    )


both = pytest.mark.parametrize("discover", [zeroconf, dhcp])


def assert_aborted(result: ConfigFlowResult, reason: str) -> None:
    """Nothing is offered, for a reason that there are words for."""
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert reason in ENGLISH["config"]["abort"]


def offers(hass: HomeAssistant) -> list[dict[str, Any]]:
    """The contexts of what the user is offered."""
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [dict(flow["context"]) for flow in flows]


async def confirm(hass: HomeAssistant, offer: ConfigFlowResult) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(offer["flow_id"], {})
    await hass.async_block_till_done()
    return result


async def ignore(hass: HomeAssistant, offer: ConfigFlowResult) -> None:
    """Ignore an offer, as Home Assistant's page does."""
    context = next(
        flow["context"]
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["flow_id"] == offer["flow_id"]
    )
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": context["unique_id"], "title": "T7470 (ignored)"},
    )
    assert offers(hass) == []


async def add_by_hand(hass: HomeAssistant, **address: Any) -> ConfigFlowResult:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address)
    await hass.async_block_till_done()
    return result


def entry_at(host: str, port: int, mac: str | None = MAC, **more: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="T7470",
        unique_id=mac,
        data={CONF_HOST: host, CONF_PORT: port},
        **more,
    )


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def connections(hass: HomeAssistant, entry: MockConfigEntry) -> set[tuple[str, str]]:
    """What the device's page shows of its MAC address."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.connections


# -------------------------------------------------------------------------------- offering


async def test_home_assistant_looks_out_for_what_transmitters_are_said_to_announce(
    hass: HomeAssistant,
) -> None:
    types = await async_get_zeroconf(hass)
    for service in ("_lrsn._tcp.local.", "_lrsn-netpage._tcp.local."):
        assert {"domain": DOMAIN} in types[service]
    matchers = [matcher for matcher in await async_get_dhcp(hass) if matcher["domain"] == DOMAIN]
    assert {"domain": DOMAIN, "macaddress": "0011CA*"} in matchers
    assert {"domain": DOMAIN, "registered_devices": True} in matchers


@both
async def test_what_was_discovered_is_added_only_once_the_user_says_so(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    form = await discover(hass)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == {"host": HERE}
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await confirm(hass, form)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "T7470"
    assert result["data"] == {CONF_HOST: HERE, CONF_PORT: simulator.port}
    assert hass.states.get("sensor.t7470_daily_count")
    assert offers(hass) == []


async def test_a_transmitter_that_dhcp_told_of_is_known_by_its_mac_address(
    hass: HomeAssistant,
) -> None:
    entry = (await confirm(hass, await dhcp(hass)))["result"]
    assert entry.unique_id == MAC
    assert connections(hass, entry) == {("mac", MAC)}


async def test_an_address_is_never_a_transmitters_identity(hass: HomeAssistant) -> None:
    entry = (await confirm(hass, await zeroconf(hass)))["result"]
    assert entry.unique_id is None
    assert connections(hass, entry) == set()


async def test_a_transmitter_that_announces_two_services_at_once_is_offered_once(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    services = ["_lrsn._tcp.local.", "_lrsn-netpage._tcp.local."]
    results = await asyncio.gather(*(zeroconf(hass, service=service) for service in services))
    assert results[0]["type"] is FlowResultType.FORM
    assert_aborted(results[1], "already_in_progress")
    assert_aborted(await zeroconf(hass, service=services[1]), "already_in_progress")
    assert len(offers(hass)) == 1
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("order", [(zeroconf, dhcp), (dhcp, zeroconf)])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_transmitter_that_is_found_both_ways_is_offered_once_with_its_mac_address(
    hass: HomeAssistant, *, order: tuple[Discover, Discover], at_once: bool
) -> None:
    if at_once:
        await asyncio.gather(*(discover(hass) for discover in order))
    else:
        for discover in order:
            await discover(hass)
    (offer,) = offers(hass)
    assert offer["unique_id"] == MAC
    assert_aborted(await zeroconf(hass), "already_in_progress")
    assert_aborted(await dhcp(hass), "already_in_progress")


async def test_a_slow_answer_to_one_way_is_not_offered_beside_the_other(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.3)
    simulator.faults.silence = True
    slow = hass.async_create_task(zeroconf(hass))
    await asyncio.sleep(0.1)
    simulator.faults.silence = False
    await dhcp(hass)
    assert_aborted(await slow, "already_in_progress")
    (offer,) = offers(hass)
    assert offer["unique_id"] == MAC


async def test_two_transmitters_are_two_offers(hass: HomeAssistant, simulator: Simulator) -> None:
    async with Simulator(host=ELSEWHERE, port=simulator.port):
        first, second = await zeroconf(hass), await zeroconf(hass, ELSEWHERE)
        assert (await dhcp(hass, ELSEWHERE, OTHER_MAC))["type"] is FlowResultType.FORM
        assert len(offers(hass)) == 2
        assert first["flow_id"] != second["flow_id"]


async def test_a_transmitter_with_addresses_of_both_kinds_is_one(hass: HomeAssistant) -> None:
    form = await zeroconf(hass, "fd00::7470", "169.254.7.47", HERE)
    assert form["description_placeholders"] == {"host": HERE}


async def test_an_offer_follows_the_transmitter_to_another_address(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    async with Simulator(host=ELSEWHERE, port=simulator.port):
        await dhcp(hass, ELSEWHERE)
    await dhcp(hass)
    (offer,) = offers(hass)
    assert offer["title_placeholders"] == {"host": HERE}


async def test_of_two_that_had_the_same_address_the_latter_is_offered(
    hass: HomeAssistant,
) -> None:
    await dhcp(hass, mac=OTHER_MAC)
    entry = (await confirm(hass, await dhcp(hass)))["result"]
    assert entry.unique_id == MAC
    assert offers(hass) == []


# ------------------------------------------------------------------------------- refusing


@both
async def test_another_coap_device_is_not_offered(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    simulator.faults.not_a_transmitter = True
    assert_aborted(await discover(hass), "not_t7470")


@both
async def test_a_device_that_gives_another_name_is_not_offered(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    simulator.canned[HISTORY] = b'{"responseTypes":["session_history"],"deviceName":"T9000"}'
    assert_aborted(await discover(hass), "not_t7470")


@both
@pytest.mark.parametrize("fault", ["silence", "malformed", "error_5_00"])
@pytest.mark.usefixtures("short_timeouts")
async def test_what_does_not_answer_as_a_transmitter_does_is_not_offered(
    hass: HomeAssistant, simulator: Simulator, discover: Discover, fault: str
) -> None:
    setattr(simulator.faults, fault, True)
    assert_aborted(await discover(hass), "cannot_connect")


@both
async def test_a_device_without_coap_is_not_offered(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    await simulator.stop()
    assert_aborted(await discover(hass), "cannot_connect")


# ------------------------------------------------------------------ what the user has already


@pytest.mark.parametrize("host", [HERE, "localhost"])
@pytest.mark.parametrize("mac", [None, MAC])
async def test_a_transmitter_that_the_user_has_is_not_offered_nor_asked(
    hass: HomeAssistant,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    mac: str | None,
) -> None:
    await start(hass, entry_at(host, simulator.port, mac))
    monkeypatch.setattr(config_flow, "Transmitter", None)  # which asking would fall over
    assert_aborted(await zeroconf(hass), "already_configured")
    if mac:
        assert_aborted(await dhcp(hass), "already_configured")


async def test_a_transmitter_whose_address_changed_is_followed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at(ELSEWHERE, simulator.port))
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert_aborted(await dhcp(hass), "already_configured")
    await hass.async_block_till_done()
    assert entry.data == {CONF_HOST: HERE, CONF_PORT: simulator.port}
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.logs("Error fetching T7470 data")
async def test_sensors_live_on_at_the_new_address(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    async with Simulator(host=ELSEWHERE, port=simulator.port) as before:
        entry = await start(hass, entry_at(ELSEWHERE, before.port))
    await poll(hass, entry)
    assert sensor(hass, entry, "daily_count").state == "unavailable"
    await dhcp(hass)
    await hass.async_block_till_done()
    assert sensor(hass, entry, "daily_count").state == "0"


@pytest.mark.usefixtures("short_timeouts")
async def test_an_address_that_answers_is_not_given_up_for_one_that_does_not(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Routers tell of old addresses, too."""
    entry = await start(hass, entry_at(HERE, simulator.port))
    assert_aborted(await dhcp(hass, ELSEWHERE), "cannot_connect")
    assert entry.data[CONF_HOST] == HERE
    assert entry.state is ConfigEntryState.LOADED


async def test_a_transmitter_that_is_still_starting_is_followed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """It asks for its address before it speaks CoAP, and not again soon."""
    await simulator.stop()
    entry = await start(hass, entry_at(ELSEWHERE, simulator.port))
    assert_aborted(await dhcp(hass), "already_configured")
    await hass.async_block_till_done()
    assert entry.data[CONF_HOST] == HERE


async def test_a_port_that_the_user_entered_stays_with_a_changed_address(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_flow, "DEFAULT_PORT", 5683)
    entry = await start(hass, entry_at(ELSEWHERE, simulator.port))
    assert_aborted(await dhcp(hass), "already_configured")
    await hass.async_block_till_done()
    assert entry.data == {CONF_HOST: HERE, CONF_PORT: simulator.port}
    assert entry.state is ConfigEntryState.LOADED


async def test_a_name_that_the_user_entered_stays(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at("localhost", simulator.port))
    assert_aborted(await dhcp(hass), "already_configured")
    assert entry.data[CONF_HOST] == "localhost"


async def test_a_transmitter_that_was_added_by_hand_gets_its_mac_address(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    entry = await set_up()
    assert entry.unique_id is None
    assert_aborted(await dhcp(hass), "already_configured")
    await hass.async_block_till_done()
    assert entry.unique_id == MAC
    assert connections(hass, entry) == {("mac", MAC)}
    await simulator.stop()
    async with Simulator(host=ELSEWHERE, port=simulator.port):
        await dhcp(hass, ELSEWHERE)
        await hass.async_block_till_done()
        assert entry.data[CONF_HOST] == ELSEWHERE
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("fault", ["not_a_transmitter", "silence"])
@pytest.mark.usefixtures("short_timeouts")
async def test_a_mac_address_is_believed_only_if_a_transmitter_answers(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, fault: str
) -> None:
    """Something else may have got the address of one that is switched off."""
    entry = await set_up()
    setattr(simulator.faults, fault, True)
    assert (await dhcp(hass))["type"] is FlowResultType.ABORT
    assert entry.unique_id is None


async def test_a_transmitter_keeps_its_mac_address_when_another_is_seen_at_its_address(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at(HERE, simulator.port))
    assert_aborted(await dhcp(hass, mac=OTHER_MAC), "already_configured")
    await hass.async_block_till_done()
    assert entry.unique_id == MAC


async def test_a_transmitter_that_the_user_disabled_stays_so(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = entry_at(ELSEWHERE, simulator.port, disabled_by=ConfigEntryDisabler.USER)
    await start(hass, entry)
    assert_aborted(await dhcp(hass), "already_configured")
    assert_aborted(await zeroconf(hass), "already_configured")
    await hass.async_block_till_done()
    assert entry.data[CONF_HOST] == HERE
    assert entry.state is ConfigEntryState.NOT_LOADED


async def test_an_offer_at_the_new_address_is_withdrawn_when_the_transmitter_is_known(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    await start(hass, entry_at(ELSEWHERE, simulator.port))
    await zeroconf(hass)
    assert len(offers(hass)) == 1
    await dhcp(hass)
    await hass.async_block_till_done()
    assert offers(hass) == []


@both
async def test_a_transmitter_that_is_added_while_it_is_looked_at_is_not_offered(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    entry = entry_at(HERE, simulator.port, None)
    simulator.hooks[HISTORY, 0] = lambda: entry.add_to_hass(hass)
    result = await discover(hass)
    simulator.hooks.clear()
    assert_aborted(result, "already_configured")
    await hass.async_block_till_done()
    assert entry.unique_id == (MAC if discover is dhcp else None)


async def test_a_transmitter_that_is_removed_while_it_is_followed_is_offered(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at(ELSEWHERE, simulator.port))

    def remove() -> None:
        simulator.hooks.clear()
        hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))

    simulator.hooks[HISTORY, 0] = remove
    assert (await dhcp(hass))["type"] is FlowResultType.FORM


# ---------------------------------------------------------------------- what the user ignores


@pytest.mark.parametrize("first", [zeroconf, dhcp])
@both
async def test_what_the_user_ignores_is_not_offered_again_in_either_way(
    hass: HomeAssistant, simulator: Simulator, first: Discover, discover: Discover
) -> None:
    await ignore(hass, await first(hass))
    assert_aborted(await discover(hass), "already_configured")
    assert_aborted(await zeroconf(hass), "already_configured")
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.source == SOURCE_IGNORE


@pytest.mark.parametrize("first", [zeroconf, dhcp])
async def test_what_the_user_ignores_is_ignored_at_another_address_too(
    hass: HomeAssistant, simulator: Simulator, first: Discover
) -> None:
    await ignore(hass, await first(hass))
    await dhcp(hass)
    await simulator.stop()
    async with Simulator(host=ELSEWHERE, port=simulator.port) as moved:
        assert_aborted(await dhcp(hass, ELSEWHERE), "already_configured")
        assert_aborted(await zeroconf(hass, ELSEWHERE), "already_configured")
        assert moved.requests == []


@both
async def test_another_transmitter_is_offered_all_the_same(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    """Also beside what was ignored without an address, as Home Assistant itself does it."""
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="x").add_to_hass(hass)
    await ignore(hass, await discover(hass))
    async with Simulator(host=ELSEWHERE, port=simulator.port):
        assert (await zeroconf(hass, ELSEWHERE))["type"] is FlowResultType.FORM
        assert (await dhcp(hass, ELSEWHERE, OTHER_MAC))["type"] is FlowResultType.FORM


async def test_what_is_ignored_without_an_address_stays_ignored(
    hass: HomeAssistant,
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=MAC).add_to_hass(hass)
    assert_aborted(await dhcp(hass), "already_configured")
    assert_aborted(await zeroconf(hass), "already_configured")


@both
async def test_what_was_ignored_can_be_added_by_hand_and_is_not_ignored_then(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    await ignore(hass, await discover(hass))
    result = await add_by_hand(hass, host=HERE, port=simulator.port)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hass.config_entries.async_entries(DOMAIN) == [result["result"]]
    await dhcp(hass)
    await hass.async_block_till_done()
    assert result["result"].unique_id == MAC


# --------------------------------------------------------------------- while an offer is open


@both
async def test_an_offer_can_be_confirmed_again_when_the_transmitter_answers_again(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    form = await discover(hass)
    await simulator.stop()
    form = await confirm(hass, form)
    assert form["errors"] == {"base": "refused"}
    assert form["description_placeholders"] == {"host": HERE}
    await simulator.start()
    assert (await confirm(hass, form))["type"] is FlowResultType.CREATE_ENTRY


@both
@pytest.mark.parametrize("host", [HERE, "localhost"])
async def test_an_offer_is_withdrawn_when_the_user_adds_the_transmitter_by_hand(
    hass: HomeAssistant, simulator: Simulator, discover: Discover, host: str
) -> None:
    await discover(hass)
    result = await add_by_hand(hass, host=host, port=simulator.port)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == (MAC if discover is dhcp else None)
    assert offers(hass) == []


async def test_an_offer_is_kept_when_the_user_adds_another_transmitter(
    hass: HomeAssistant,
) -> None:
    await dhcp(hass)
    async with Simulator() as second:
        result = await add_by_hand(hass, host=second.host, port=second.port)
        assert result["result"].unique_id is None
        assert len(offers(hass)) == 1
        await hass.config_entries.async_unload(result["result"].entry_id)


@both
async def test_an_offer_that_is_confirmed_too_late_adds_nothing(
    hass: HomeAssistant, simulator: Simulator, discover: Discover
) -> None:
    form = await discover(hass)
    entry_at(HERE, simulator.port, None).add_to_hass(hass)
    assert_aborted(await confirm(hass, form), "already_configured")


async def test_a_transmitter_is_not_replaced_by_an_offer_of_the_same(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    form = await dhcp(hass)
    entry = entry_at(ELSEWHERE, simulator.port)
    entry.add_to_hass(hass)
    assert_aborted(await confirm(hass, form), "already_configured")
    assert hass.config_entries.async_entries(DOMAIN) == [entry]


# -------------------------------------------------------------------------------- reconfigure


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry, **address: Any) -> None:
    form = await entry.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_a_transmitter_that_is_reconfigured_where_it_is_keeps_its_mac_address(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at(HERE, simulator.port))
    await reconfigure(hass, entry, host=HERE, port=simulator.port)
    assert entry.unique_id == MAC
    assert connections(hass, entry) == {("mac", MAC)}


async def test_a_replacement_does_not_inherit_the_mac_address(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Or the entry would follow the unit that was replaced, wherever it is used next."""
    async with Simulator(host=ELSEWHERE, port=simulator.port) as replaced:
        entry = await start(hass, entry_at(ELSEWHERE, replaced.port))
        await reconfigure(hass, entry, host=HERE, port=simulator.port)
        assert entry.unique_id is None
        assert connections(hass, entry) == set()
        assert (await dhcp(hass, ELSEWHERE))["type"] is FlowResultType.FORM
        assert entry.data[CONF_HOST] == HERE


async def test_a_replacement_leaves_the_mac_address_to_other_integrations(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Home Assistant 2026.3 has one device for the unit and for what the router knows of it."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    router = MockConfigEntry(domain="router")
    router.add_to_hass(hass)
    devices.async_get_or_create(config_entry_id=router.entry_id, connections={("mac", MAC)})
    entry = await start(hass, entry_at(HERE, simulator.port))
    [before] = dr.async_entries_for_config_entry(devices, entry.entry_id)
    devices.async_update_device(before.id, name_by_user="Host stand")
    count = entities.async_get_entity_id("sensor", DOMAIN, f"{entry.entry_id}_daily_count")
    assert count
    entities.async_update_entity(count, name="Guests")
    async with Simulator(host=ELSEWHERE, port=simulator.port) as replacement:
        await reconfigure(hass, entry, host=ELSEWHERE, port=replacement.port)
        [of_router] = dr.async_entries_for_config_entry(devices, router.entry_id)
        assert of_router.connections == {("mac", MAC)}
        assert connections(hass, entry) == set()
        [device] = dr.async_entries_for_config_entry(devices, entry.entry_id)
        assert device.id != of_router.id
        entity = entities.async_get(count)
        assert entity
        assert (entity.name, entity.device_id) == ("Guests", device.id)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_replacement_that_was_offered_takes_its_own_mac_address_along(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    entry = await start(hass, entry_at(ELSEWHERE, simulator.port))
    await dhcp(hass, mac=OTHER_MAC)
    await reconfigure(hass, entry, host=HERE, port=simulator.port)
    assert entry.unique_id == OTHER_MAC
    assert connections(hass, entry) == {("mac", OTHER_MAC)}
    assert offers(hass) == []
