"""Pause the session logs during a backup, so that it holds whole copies of them."""

import asyncio
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import DOMAIN, LOGGER

# Seconds that a backup waits for the jobs that a log is busy with.
PAUSE_TIMEOUT: Final = 30


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Have the files of all session logs stay as they are."""
    await asyncio.gather(*map(_pause, hass.config_entries.async_loaded_entries(DOMAIN)))


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the session logs write to their files again."""
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    await asyncio.gather(*(entry.runtime_data.log.resume() for entry in entries))


async def _pause(entry: ConfigEntry) -> None:
    try:
        async with asyncio.timeout(PAUSE_TIMEOUT):
            await entry.runtime_data.log.pause()
    except TimeoutError:
        LOGGER.warning(
            "The session log of %s is busy; its copy in the backup may be damaged", entry.title
        )
