"""Triggers for automations: what happens to sessions, a late guest, a pager that stays out."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, override

import voluptuous as vol

from homeassistant.const import ATTR_DEVICE_ID, CONF_FOR, CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .coordinator import LrsPagerConfigEntry, LrsPagerCoordinator
from .describe import event_attributes
from .sessions.session import LATE_AFTER, PlacedSession
from .sessions.tracker import SessionEvent, Step
from .target import TARGET, async_follow, device_of, is_meant

# The option for what the time of a pager that is out is counted from, and its values: the words
# of the event entity for the two steps of a session that can be.
CONF_SINCE: Final = "since"
SINCE: Final = (Step.STARTED.value, Step.PAGED.value)

type Tell = Callable[[PlacedSession], None]


class LrsPagerTrigger(Trigger):
    """Follows the transmitters of a target, whenever they are set up, through reloads.

    It builds on what the coordinator tells rather than on entities: those can be disabled, and
    the state of a binary sensor has no room for a second late guest.
    """

    # The options' schema. The editor sends options also where there are none to choose.
    options: ClassVar[dict[vol.Marker, Any]] = {}

    # What happened, for the logbook.
    happened: ClassVar[str]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check what the user chose."""
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
        """Begin to watch a transmitter; return how to end it."""

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

        return coordinator.async_add_event_listener(happened)


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

    Told once for each session: not of those for which it had come when the automation was set
    up, and not again after a reload.
    """

    # Whether the coordinator shows a snapshot at that moment by itself.
    is_shown: ClassVar[bool] = False

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what the user chose."""
        super().__init__(hass, config)
        # The keys of the active sessions that are done with, by transmitter.
        self._done: dict[str, set[str]] = {}

    @abstractmethod
    def moment(self, session: PlacedSession) -> float | None:
        """When that is (POSIX seconds); None if it doesn't come as things are."""

    @override
    def _watch(self, coordinator: LrsPagerCoordinator, tell: Tell) -> CALLBACK_TYPE:
        watch = Watch(self._hass, coordinator, self.moment, tell, self._done)
        watch.has_timer = not self.is_shown
        watch.start()
        return watch.stop


class Watch:
    """Watches the active sessions of a transmitter for their moments."""

    has_timer = True

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: LrsPagerCoordinator,
        moment: Callable[[PlacedSession], float | None],
        tell: Tell,
        done: dict[str, set[str]],
    ) -> None:
        """Take what there is to know; see MomentTrigger."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._moment = moment
        self._tell = tell
        self._done = done
        self._is_asking = False
        self._unset_timer: CALLBACK_TYPE | None = None
        self._stop_looking: CALLBACK_TYPE | None = None

    def start(self) -> None:
        """Look now, and whenever there is something new to see."""
        self._stop_looking = self._coordinator.async_add_listener(self._look)
        self._look()

    @callback
    def stop(self) -> None:
        """Look no more."""
        if self._stop_looking is not None:
            self._stop_looking()
            self._stop_looking = None
        self._stop_timer()

    @callback
    def _look(self) -> None:
        """See whose moment has come; if it may be known late that it had not, ask first."""
        if self._coordinator.data.active is None or not self._coordinator.last_update_success:
            return
        is_first = self._entry.entry_id not in self._done
        if is_first or self._coordinator.push.is_live or not self._new():
            self._note(is_told=not is_first)
        elif not self._is_asking:
            self._entry.async_create_background_task(
                self._hass, self._ask(), f"{self._coordinator.name} look"
            )
        self._set_timer()

    async def _ask(self) -> None:
        """Poll, as a session may be over since the last poll."""
        self._is_asking = True
        try:
            await self._coordinator.async_refresh()
        finally:
            self._is_asking = False
        # What is known of a transmitter that can't be reached may be over. When it is back, there
        # is another look.
        if self._stop_looking is not None and self._coordinator.last_update_success:
            self._note()

    def _new(self) -> list[PlacedSession]:
        """Return the active sessions whose moment has come, but for those done with."""
        now = dt_util.utcnow().timestamp()
        done = self._done.get(self._entry.entry_id, set())
        return [
            session
            for session in self._coordinator.data.active or ()
            if (moment := self._moment(session)) is not None
            and moment <= now
            and done.isdisjoint(session.keys)
        ]

    @callback
    def _note(self, *, is_told: bool = True) -> None:
        """Tell of what is new, and be done with it."""
        new, tracked = self._new(), self._coordinator.tracker.tracked
        done = self._done.get(self._entry.entry_id, set())
        # By all keys, as a session may be told with its uuid or without it; and until it is done
        # with, lest a new goal make it late again.
        self._done[self._entry.entry_id] = {
            key
            for session in tracked
            if session in new or not done.isdisjoint(session.keys)
            for key in session.keys
        }
        if is_told:
            for session in new:
                self._tell(session)

    @callback
    def _set_timer(self) -> None:
        """Look again at the next moment."""
        self._stop_timer()
        now = dt_util.utcnow().timestamp()
        moments = [self._moment(session) for session in self._coordinator.data.active or ()]
        ahead = [moment for moment in moments if moment is not None and moment > now]
        if self.has_timer and ahead:
            self._unset_timer = async_track_point_in_utc_time(
                self._hass, self._it_is_time, dt_util.utc_from_timestamp(min(ahead))
            )

    @callback
    def _stop_timer(self) -> None:
        if self._unset_timer is not None:
            self._unset_timer()
            self._unset_timer = None

    @callback
    def _it_is_time(self, _: datetime) -> None:
        self._unset_timer = None
        self._look()


class LateTrigger(MomentTrigger):
    """A guest has been waiting for longer than the goal."""

    happened = "guest became late"
    is_shown = True

    @override
    def moment(self, session: PlacedSession) -> float | None:
        """When the binary sensor shows it."""
        if session.is_paged or session.goal_at is None:
            return None
        return session.goal_at + LATE_AFTER


class OutTrigger(MomentTrigger):
    """A pager has been out for some time."""

    options: ClassVar[dict[vol.Marker, Any]] = {
        vol.Required(CONF_FOR): cv.positive_time_period,
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


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "session_started": StartedTrigger,
    "session_paged": PagedTrigger,
    "session_cleared": ClearedTrigger,
    "session_removed": RemovedTrigger,
    "guest_became_late": LateTrigger,
    "pager_out_too_long": OutTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
