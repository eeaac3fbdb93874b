"""Triggers for automations: what happens to sessions, and what does not happen in time."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Final, override

import voluptuous as vol

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID, CONF_FOR, CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig
from homeassistant.helpers.typing import ConfigType

from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from .describe import event_attributes
from .fields import period
from .sessions.figures import ANSWERED_WITHIN
from .sessions.session import PlacedSession
from .sessions.tracker import SessionEvent, Step
from .sync.timers import Moment
from .target import TARGET, async_follow, device_of, is_meant

# The option for the step from which it is counted how long a pager is out; its values are those
# of the event entity.
CONF_SINCE: Final = "since"
SINCE: Final = (Step.STARTED.value, Step.PAGED.value)

# How long a page has to be unanswered, unless the user chooses another time.
DEFAULT_FOR: Final = timedelta(seconds=ANSWERED_WITHIN)

type Tell = Callable[[PlacedSession], None]


class LrsPagerTrigger(Trigger):
    """Follows the transmitters of a target, whenever they are set up, through reloads.

    It listens to the coordinator rather than to entities: those can be disabled, and the state of
    a binary sensor has no room for a second late guest.
    """

    # The options' schema. The editor sends options also where there are none to choose.
    options: ClassVar[dict[vol.Marker, Any]] = {}

    # What happened, for the logbook.
    happened: ClassVar[str]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check the target and the options."""
        validated: ConfigType = vol.Schema(
            {**TARGET, vol.Required(CONF_OPTIONS, default=dict): cls.options}
        )(config)
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what the user chose."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        # Home Assistant 2026.3 gives none, and knows no type for it.
        did_not_trigger: object = None,
    ) -> CALLBACK_TYPE:
        """Begin to watch, and to run the action."""

        @callback
        def watch(entry: LrsPagerConfigEntry) -> CALLBACK_TYPE:
            return self._watch(
                entry.runtime_data, lambda session: self._tell(run_action, entry, session)
            )

        return async_follow(self._hass, watch)

    @abstractmethod
    def _watch(self, coordinator: LrsPagerCoordinator, tell: Tell) -> CALLBACK_TYPE:
        """Begin to watch a transmitter; return a function that ends that."""

    @callback
    def _tell(
        self, run_action: TriggerActionRunner, entry: LrsPagerConfigEntry, session: PlacedSession
    ) -> None:
        """Run the action for a session, if its transmitter is meant."""
        if not is_meant(self._hass, self._target, entry.entry_id):
            return
        device = device_of(self._hass, entry.entry_id)
        # A guest's name is not among the variables: Home Assistant keeps them with the traces of
        # automations, which it writes to the disk.
        variables = event_attributes(session)
        variables[ATTR_DEVICE_ID] = device.id if device else None
        # Actions want this one. It can't be found by the device, which may be another entry's, too.
        variables[ATTR_CONFIG_ENTRY_ID] = entry.entry_id
        # The logbook shows this, and the recorder keeps it.
        run_action(variables, f"pager {session.number}: {self.happened} ({entry.title})")


# ----------------------------------------------------------------------- steps of sessions


class StepTrigger(LrsPagerTrigger):
    """A step of any session, as the event entity tells it."""

    step: ClassVar[Step]

    @override
    def _watch(self, coordinator: LrsPagerCoordinator, tell: Tell) -> CALLBACK_TYPE:
        @callback
        def happened(event: SessionEvent) -> None:
            if event.step is self.step:
                tell(event.session)

        return coordinator.follower.events.listen(happened)


class StartedTrigger(StepTrigger):
    """A guest got a pager."""

    step = Step.STARTED
    happened = "session started"


class PagedTrigger(StepTrigger):
    """A guest was paged."""

    step = Step.PAGED
    happened = "guest paged"


class ClearedTrigger(StepTrigger):
    """A session was cleared."""

    step = Step.CLEARED
    happened = "session cleared"


class RemovedTrigger(StepTrigger):
    """A session was taken off the list."""

    step = Step.REMOVED
    happened = "session removed"


# --------------------------------------------------------------- moments of active sessions


class MomentTrigger(LrsPagerTrigger):
    """A moment that comes for an active session if nothing happens to it before.

    The action runs once for each session: not for one whose moment was past when the automation
    was set up, and not again after a reload.
    """

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what the user chose."""
        super().__init__(hass, config)
        # By transmitter, the keys of the active sessions for which the action does not run again.
        self._done: dict[str, set[str]] = {}

    @abstractmethod
    def moment(self, session: PlacedSession) -> float | None:
        """The moment (POSIX seconds); None if none comes as the session is now."""

    @override
    def _watch(self, coordinator: LrsPagerCoordinator, tell: Tell) -> CALLBACK_TYPE:
        return self._watch_for(self.moment, coordinator, tell)

    def _watch_for(
        self, moment: Moment, coordinator: LrsPagerCoordinator, tell: Tell
    ) -> CALLBACK_TYPE:
        entry_id = coordinator.config_entry.entry_id
        is_first = entry_id not in self._done
        done = self._done.setdefault(entry_id, set())
        return coordinator.timers.watch(moment, tell, done, is_first=is_first)


class LateTrigger(MomentTrigger):
    """A guest has been waiting for longer than the goal."""

    happened = "guest became late"

    @override
    def moment(self, session: PlacedSession) -> float | None:
        """When the binary sensor shows it."""
        return None if session.is_paged else session.late_at


class OutTrigger(MomentTrigger):
    """A pager has been out for some time."""

    options: ClassVar[dict[vol.Marker, Any]] = {
        vol.Required(CONF_FOR): period,
        vol.Required(CONF_SINCE, default=SINCE[0]): vol.In(SINCE),
    }
    happened = "pager out too long"

    @override
    def moment(self, session: PlacedSession) -> float | None:
        """When the time is up."""
        is_since_paged = self._options[CONF_SINCE] == Step.PAGED
        start = session.notified_at if is_since_paged else session.created_at
        duration: timedelta = self._options[CONF_FOR]
        return None if start is None else start + duration.total_seconds()


class NotAnsweredTrigger(MomentTrigger):
    """A guest was paged, and the session has not ended some time after the last page.

    The unit tells when a guest was first paged; of later pages, those that we sent are known.
    """

    options: ClassVar[dict[vol.Marker, Any]] = {
        vol.Required(CONF_FOR, default=DEFAULT_FOR): period,
    }
    happened = "page not answered"

    @override
    def moment(self, session: PlacedSession, paged_again: float = 0) -> float | None:
        """When the time is up. paged_again: when we paged the pager last (POSIX seconds), or 0."""
        duration: timedelta = self._options[CONF_FOR]
        start = session.notified_at
        return None if start is None else max(start, paged_again) + duration.total_seconds()

    @override
    def _watch(self, coordinator: LrsPagerCoordinator, tell: Tell) -> CALLBACK_TYPE:
        paged_at = coordinator.commands.paged_at
        return self._watch_for(
            lambda session: self.moment(session, paged_at.get(session.number or 0, 0)),
            coordinator,
            tell,
        )


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "session_started": StartedTrigger,
    "session_paged": PagedTrigger,
    "session_cleared": ClearedTrigger,
    "session_removed": RemovedTrigger,
    "guest_became_late": LateTrigger,
    "pager_out_too_long": OutTrigger,
    "page_not_answered": NotAnsweredTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
