"""Serves the JavaScript module with the card and the panel, and registers the host stand's panel.

Where Home Assistant runs without its front end, neither is there; without a transmitter, pages
don't load the module, and there is no panel.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import (
    DOMAIN as FRONTEND_DOMAIN,
    add_extra_js_url,
    async_register_built_in_panel,
    async_remove_panel,
    remove_extra_js_url,
)

# Exported explicitly from 2026.11 on.
from homeassistant.components.http import StaticPathConfig  # type: ignore[attr-defined]
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_when_setup
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_SHOW_PANEL, DEFAULT_SHOW_PANEL, DOMAIN
from ..describe import words

MODULE: Final = Path(__file__).parents[1] / "www" / "lrs-pager.js"
MODULE_URL: Final = "/lrs_pager/lrs-pager.js"

PANEL_URL_PATH: Final = "lrs-pager"
PANEL_ELEMENT: Final = "lrs-pager-panel"
PANEL_ICON: Final = "mdi:account-clock"

# The version of the module that is served; subscribers are sent it.
MODULE_VERSION: HassKey[str] = HassKey(f"{DOMAIN}_module_version")


async def async_setup_frontend(hass: HomeAssistant) -> None:
    """Serve the module as soon as Home Assistant's front end is set up; call this once."""
    integration = await async_get_integration(hass, DOMAIN)
    digest = await hass.async_add_executor_job(lambda: sha256(MODULE.read_bytes()).hexdigest())
    hass.data[MODULE_VERSION] = f"{integration.version}-{digest[:8]}"
    # Not by the manifest's after_dependencies: what these require is installed whether they are set
    # up or not, and for the front end that is a hundred megabytes.
    async_when_setup(hass, FRONTEND_DOMAIN, _async_serve)


async def _async_serve(hass: HomeAssistant, _: str) -> None:
    """Serve the module, and have the panel while there is a transmitter."""
    # Without cache headers, browsers ask each time whether the file is still the same, which takes
    # milliseconds: some use their copy for the URL of another version, too.
    await hass.http.async_register_static_paths(
        [StaticPathConfig(MODULE_URL, str(MODULE), cache_headers=False)]
    )
    said = await words(hass, "common")
    panel = _Panel(
        hass,
        f"{MODULE_URL}?v={hass.data[MODULE_VERSION]}",
        said[f"component.{DOMAIN}.common.host_stand"],
    )

    @callback
    def follow(_: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            panel.update()

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, follow)
    panel.update()


class _Panel:
    """The host stand's panel, and the module on all pages.

    Both are there while a transmitter's entry is enabled, loaded or not: whoever looks at the panel
    would be thrown out if it was removed while an entry is reloaded.
    """

    def __init__(self, hass: HomeAssistant, url: str, title: str) -> None:
        """Register nothing yet. url: the module's; browsers run a module once for each URL."""
        self._hass = hass
        self._url = url
        self._title = title
        # Whether the panel is in the sidebar; None if there is no panel.
        self._is_in_sidebar: bool | None = None

    @callback
    def update(self) -> None:
        """Register, change or remove the panel if the entries now ask for it."""
        entries = self._hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
        shown = [entry.options.get(CONF_SHOW_PANEL, DEFAULT_SHOW_PANEL) for entry in entries]
        before, self._is_in_sidebar = self._is_in_sidebar, any(shown) if entries else None
        if self._is_in_sidebar is before:
            return
        if self._is_in_sidebar is None:
            async_remove_panel(self._hass, PANEL_URL_PATH, warn_if_unknown=False)
            remove_extra_js_url(self._hass, self._url)
            return
        if before is None:
            add_extra_js_url(self._hass, self._url)
        # Without a title, a panel is not in the sidebar, but its address works.
        async_register_built_in_panel(
            self._hass,
            "custom",
            sidebar_title=self._title if self._is_in_sidebar else None,
            sidebar_icon=PANEL_ICON if self._is_in_sidebar else None,
            frontend_url_path=PANEL_URL_PATH,
            config={
                "_panel_custom": {
                    "name": PANEL_ELEMENT,
                    "embed_iframe": False,
                    "trust_external": False,
                    "module_url": self._url,
                }
            },
            update=True,
        )
