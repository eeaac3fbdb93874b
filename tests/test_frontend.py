"""The host stand in the sidebar, and the module that browsers load.

The panel registry and the list of modules are Home Assistant's own; its wheel with the front end
itself is not needed for these.
"""

from hashlib import sha256
from pathlib import Path
import re
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.lrs_pager
from custom_components.lrs_pager.const import DOMAIN
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, DATA_PANELS, UrlManager
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import EVENT_COMPONENT_LOADED, EVENT_PANELS_UPDATED
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp
from tests.simulator import Simulator

MODULE = Path(custom_components.lrs_pager.__file__).parent / "www" / "lrs-pager.js"


class Browser:
    """What a browser gets to know of the front end's parts."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.updates = async_capture_events(hass, EVENT_PANELS_UPDATED)
        # What is told of the modules, to those who listen.
        self.told: list[tuple[str, str]] = []
        hass.data[DATA_EXTRA_MODULE_URL]._on_change = lambda *change: self.told.append(change)

    @property
    def panel(self) -> dict[str, Any] | None:
        panel = self.hass.data.get(DATA_PANELS, {}).get("lrs-pager")
        return panel and panel.to_response()

    @property
    def modules(self) -> set[str]:
        """The modules that each page loads."""
        return set(self.hass.data[DATA_EXTRA_MODULE_URL].urls)

    @property
    def has_nothing(self) -> bool:
        return self.panel is None and self.modules == {"/other.js"}


async def set_up_frontend(hass: HomeAssistant) -> None:
    """Have as much of Home Assistant's front end as there is without its wheel."""
    await async_get_integration(hass, "frontend")
    hass.data[DATA_EXTRA_MODULE_URL] = UrlManager(lambda *_: None, ["/other.js"])
    hass.config.components.add("frontend")
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": "frontend"})


@pytest.fixture
async def browser(hass: HomeAssistant) -> Browser:
    assert await async_setup_component(hass, "http", {})
    await set_up_frontend(hass)
    return Browser(hass)


async def test_the_host_stand_is_in_the_sidebar_for_everybody(
    browser: Browser, set_up: SetUp
) -> None:
    await set_up()
    panel = browser.panel
    assert panel
    assert panel["title"] == "Host stand"
    assert panel["icon"] == "mdi:account-clock"
    assert panel["component_name"] == "custom"
    assert not panel["require_admin"]
    assert panel["show_in_sidebar"]
    assert panel["config"]["_panel_custom"]["name"] == "lrs-pager-panel"
    assert set(panel["config"]) == {"_panel_custom"}
    assert len(browser.updates) == 1


async def test_the_panel_and_all_pages_load_the_same_module_of_this_very_version(
    browser: Browser, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    await set_up()
    panel = browser.panel
    assert panel
    url = panel["config"]["_panel_custom"]["module_url"]
    # A browser runs a module once for each URL.
    assert browser.modules == {"/other.js", url}
    digest = sha256(MODULE.read_bytes()).hexdigest()
    assert re.fullmatch(rf"/lrs_pager/lrs-pager\.js\?v=\d+\.\d+\.\d+-{digest[:8]}", url)
    client = await hass_client()
    response = await client.get(url)
    assert response.status == 200
    assert await response.read() == MODULE.read_bytes()
    assert "javascript" in response.headers["Content-Type"]
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize("language", ["de", "de-CH"])
async def test_the_title_is_in_the_language_of_the_server(
    hass: HomeAssistant,
    browser: Browser,
    set_up: SetUp,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    words = shutil.copytree(MODULE.parents[1] / "translations", tmp_path / "translations")
    (words / "de.json").write_text('{"common": {"host_stand": "Empfang"}}')
    integration = await async_get_integration(hass, DOMAIN)
    monkeypatch.setattr(integration, "file_path", tmp_path)
    hass.config.language = language
    await set_up()
    assert browser.panel
    assert browser.panel["title"] == "Empfang"


@pytest.mark.usefixtures("short_timeouts")
async def test_the_host_stand_is_there_while_a_transmitter_is_waited_for(
    browser: Browser, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.faults.silence = True
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert browser.panel


async def test_nobody_is_thrown_out_while_a_transmitter_is_reloaded(
    hass: HomeAssistant, browser: Browser, set_up: SetUp
) -> None:
    entry = await set_up()
    panel = hass.data[DATA_PANELS]["lrs-pager"]
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass.data[DATA_PANELS]["lrs-pager"] is panel
    assert len(browser.updates) == 1
    assert len(browser.modules) == 2


async def test_the_panel_goes_with_the_last_transmitter_and_comes_with_the_next(
    hass: HomeAssistant, browser: Browser, simulator: Simulator, set_up: SetUp
) -> None:
    async with Simulator(unit=simulator.unit) as second:
        entries = [await set_up(), await set_up(second, title="Garden")]
        await hass.config_entries.async_remove(entries[0].entry_id)
        assert browser.panel
        await hass.config_entries.async_remove(entries[1].entry_id)
        assert browser.has_nothing
        assert len(browser.updates) == 2
    await set_up()
    assert browser.panel
    assert len(browser.modules) == 2


async def test_the_panel_goes_when_all_transmitters_are_disabled_and_comes_when_one_is_enabled(
    hass: HomeAssistant, browser: Browser, set_up: SetUp
) -> None:
    entry = await set_up()
    # The user has no other than one that was found and is not wanted.
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="ignored").add_to_hass(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert browser.has_nothing
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert browser.panel
    assert len(browser.modules) == 2


async def test_the_panel_can_be_taken_out_of_the_sidebar_and_its_address_still_works(
    hass: HomeAssistant, browser: Browser, set_up: SetUp
) -> None:
    entry = await set_up()
    for is_shown in (False, True):
        form = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(form["flow_id"], {"show_panel": is_shown})
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
        panel = browser.panel
        assert panel
        assert panel["title"] == ("Host stand" if is_shown else None)
        assert panel["icon"] == ("mdi:account-clock" if is_shown else None)
        assert panel["config"]["_panel_custom"]["module_url"] in browser.modules
    assert len(browser.updates) == 3
    assert len(browser.told) == 1


async def test_one_transmitter_that_wants_the_panel_in_the_sidebar_is_enough(
    hass: HomeAssistant, browser: Browser, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up(show_panel=False)
    assert browser.panel
    assert browser.panel["title"] is None
    async with Simulator(unit=simulator.unit) as second:
        other = await set_up(second, title="Garden")
        assert browser.panel["title"] == "Host stand"
        await hass.config_entries.async_remove(other.entry_id)
    assert browser.panel["title"] is None


async def test_without_a_front_end_nothing_of_it_is_there_and_all_else_works(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert "frontend" not in hass.config.components
    assert DATA_PANELS not in hass.data
    assert DATA_EXTRA_MODULE_URL not in hass.data


async def test_a_front_end_that_is_set_up_later_gets_the_panel_too(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up()
    assert await async_setup_component(hass, "http", {})
    await set_up_frontend(hass)
    await hass.async_block_till_done()
    browser = Browser(hass)
    assert browser.panel
    assert len(browser.modules) == 2
