"""Conditions for automations: is a guest late, are guests waiting?"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Unpack, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.condition import Condition, ConditionCheckParams, ConditionConfig
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import LrsPagerConfigEntry
from .fields import whole
from .sync.picture import Snapshot
from .target import TARGET, is_meant

# The option for how many parties have to wait.
CONF_AT_LEAST: Final = "at_least"


class LrsPagerCondition(Condition):
    """A condition on the transmitters of a target, all taken together.

    A transmitter that can't be reached counts as one without guests: its snapshot may be old.
    """

    # The options' schema. The editor sends options also where there are none to choose.
    options: ClassVar[dict[vol.Marker, Any]] = {}

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check what the user chose."""
        validated: ConfigType = vol.Schema(
            {**TARGET, vol.Required(CONF_OPTIONS, default=dict): cls.options}
        )(config)
        return validated

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take what the user chose."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._options = config.options or {}

    async def async_get_checker(self) -> Callable[..., bool]:
        """Return how to check: Home Assistant before 2026.5 asks for this."""
        return self._async_check

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Check the condition: Home Assistant asks for this since 2026.5."""
        return self.is_so(list(self._snapshots()))

    @abstractmethod
    def is_so(self, snapshots: list[Snapshot]) -> bool:
        """Whether the condition holds."""

    def _snapshots(self) -> Iterator[Snapshot]:
        """The snapshots of the target's transmitters that can be reached."""
        entries: list[LrsPagerConfigEntry] = self._hass.config_entries.async_entries(DOMAIN)
        for entry in entries:
            if (
                entry.state is ConfigEntryState.LOADED
                and entry.runtime_data.last_update_success
                and is_meant(self._hass, self._target, entry.entry_id)
            ):
                yield entry.runtime_data.data


class LateCondition(LrsPagerCondition):
    """A guest has been waiting for longer than the goal."""

    @override
    def is_so(self, snapshots: list[Snapshot]) -> bool:
        """Whether the condition holds."""
        return any(snapshot.late for snapshot in snapshots)


class WaitingCondition(LrsPagerCondition):
    """At least so many parties hold a pager and were not paged yet."""

    options: ClassVar[dict[vol.Marker, Any]] = {
        vol.Required(CONF_AT_LEAST, default=1): vol.All(whole, vol.Range(min=1))
    }

    @override
    def is_so(self, snapshots: list[Snapshot]) -> bool:
        """Whether the condition holds."""
        at_least: int = self._options[CONF_AT_LEAST]
        return sum(len(snapshot.waiting) for snapshot in snapshots) >= at_least


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "guest_is_late": LateCondition,
    "guests_are_waiting": WaitingCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
