"""Pause the session logs during a backup, so that it holds whole copies of them."""

import asyncio
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .sessions.disk import BACKUP_TIMEOUT

# Seconds that a backup waits for the jobs that a log is busy with.
PAUSE_TIMEOUT: Final = 30

# While a backup is under way: the loop's time at which it is taken for done at the latest.
_UNTIL: HassKey[float] = HassKey(f"{DOMAIN}_backup_until")


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Have the files of all session logs stay as they are."""
    hass.data[_UNTIL] = hass.loop.time() + BACKUP_TIMEOUT
    await asyncio.gather(*map(_pause, hass.config_entries.async_loaded_entries(DOMAIN)))


async def async_post_backup(hass: HomeAssistant) -> None:
    """Let the session logs write to their files again."""
    hass.data.pop(_UNTIL, None)
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    await asyncio.gather(*(entry.runtime_data.log.resume() for entry in entries))


@callback
def is_under_way(hass: HomeAssistant) -> bool:
    """Whether a backup is under way: a log that is opened now is to leave its file as it is."""
    return hass.loop.time() < hass.data.get(_UNTIL, 0)


async def _pause(entry: ConfigEntry) -> None:
    try:
        async with asyncio.timeout(PAUSE_TIMEOUT):
            await entry.runtime_data.log.pause()
    except TimeoutError:
        LOGGER.warning(
            "The session log of %s is busy; its copy in the backup may be damaged", entry.title
        )
