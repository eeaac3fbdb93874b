"""A restaurant: guests, a simulated transmitter, and a real Home Assistant that tells of them."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
import signal
import sys
from typing import Any, Self

from demo.home_assistant import HomeAssistant, HomeAssistantError
from soak.clock import Clock
from tests.simulator import Floor, Simulator, Unit

from .page import SHOWN, block
from .server import free_port

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = "lrs_pager"
USER = PASSWORD = "chain"

# Seconds between two looks at what is due on the floor, and for all that a start brings.
TICK = 0.1
SET_UP_TIMEOUT = 120

# The first pager that the floor does not hand out.
FIRST_FREE = 101

# What a Home Assistant has beside what the page shows.
CONFIGURATION = "history:\nlogbook:\nlogger:\n  default: warning\n"

# The blocks of configuration.yaml that are there from the first start on, and those that need what
# is set up in the interface before.
FROM_THE_START = (
    "configuration.yaml: what no sensor tells",
    "configuration.yaml: PostgreSQL",
    "configuration.yaml: Prometheus",
)
ONCE_SET_UP = ("configuration.yaml: InfluxDB", "configuration.yaml: MQTT")


class Restaurant:
    """One restaurant, which opens when it is entered and closes when it is left.

    ports: of the servers on this computer, by Debian's package. opened: since when it has served
    guests, naive local time of the clock.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        clock: Clock,
        opened: datetime,
        seed: int,
        ports: dict[str, int],
    ) -> None:
        """Serve all guests up to now; nothing is started yet."""
        self.name = name
        self._clock = clock
        self._ports = ports
        self._config = folder
        self.unit = Unit(now=clock.now, seed=seed, history_party_size=True)
        self._floor = Floor(self.unit, seed, opened)
        self._floor.advance(clock.now())
        self._simulator = Simulator(unit=self.unit)
        self.home = HomeAssistant(
            folder,
            ROOT / "custom_components" / DOMAIN,
            free_port(),
            environment=clock.environment,
            hass=Path(sys.executable).with_name("hass"),
        )
        self._token = ""
        self._entry_id = ""
        self._serving: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Serve guests, and have Home Assistant set up and running."""
        try:
            await self._stack.enter_async_context(self._simulator)
            self._stack.push_async_callback(self.home.stop)
            self._serving = asyncio.create_task(self._serve())
            await self._set_up()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all."""
        self.take_no_more()
        await self._stack.aclose()

    # --------------------------------------------------------------------- guests

    async def _serve(self) -> None:
        while True:
            self._floor.advance(self._clock.now())
            self.unit.catch_up()
            await asyncio.sleep(TICK)

    def take_no_more(self) -> None:
        """Let nothing more happen at the door: who waits goes on waiting."""
        if self._serving is not None:
            self._serving.cancel()

    async def rush(self, sessions: int) -> None:
        """Serve so many guests, in seconds rather than minutes; one thing happens each second."""
        steps = [
            (second, act, FIRST_FREE + index)
            for index in range(sessions)
            for second, act in (
                (3 * index, self.unit.create),
                (3 * index + 4, self.unit.page),
                (3 * index + 8, self.unit.clear),
            )
        ]
        for _, act, number in sorted(steps, key=lambda step: step[0]):
            act(number)
            await asyncio.sleep(1)

    # ------------------------------------------------------------- Home Assistant

    async def _set_up(self) -> None:
        """Go through onboarding, add what a user adds, write what the page shows, and restart."""
        home = self.home
        self._configure(FROM_THE_START)
        await home.start()
        await home.log_in(USER, PASSWORD, self._clock.zone.key)
        # The user's own token is good for half an hour, and hours pass quickly here.
        self._token = home.token = await self._lasting_token()
        address = {"host": self._simulator.host, "port": self._simulator.port}
        self._entry_id = await self._add(DOMAIN, address)
        await self._add_mqtt()
        await self._add_influxdb()
        self._configure(FROM_THE_START + ONCE_SET_UP)
        await home.stop()
        await self.come_back()

    async def come_back(self) -> None:
        """Start Home Assistant again; return when its sensors have values."""
        await self.home.start()
        self.home.token = self._token

        async def has_values() -> bool:
            with suppress(HomeAssistantError, KeyError):
                state = (await self.states())["sensor.t7470_waiting_sessions"]
                return state not in {"unavailable", "unknown"}
            return False

        await self.home.wait(has_values, SET_UP_TIMEOUT, "the sensors")

    async def states(self) -> dict[str, str]:
        """The states, by entity id."""
        return {
            state["entity_id"]: state["state"]
            for state in await self.home.rest("GET", "/api/states")
        }

    async def speak(self, language: str) -> None:
        """Set Home Assistant to another language; it tells in it from the next start on."""
        await self.home.command("config/core/update", language=language)

    async def lose_power(self) -> None:
        """End Home Assistant as a power cut does."""
        await self.home.stop(signal.SIGKILL)

    async def token_for_prometheus(self) -> str:
        """Return a lasting token of a user of its own, who is no administrator."""
        home = self.home
        try:
            home.token = await home.add_user("Prometheus", "system-users")
            return await self._lasting_token()
        finally:
            home.token = self._token

    @property
    def address(self) -> str:
        """Home Assistant's, as host and port."""
        return self.home.url.removeprefix("http://")

    async def _lasting_token(self) -> str:
        token: str = await self.home.command(
            "auth/long_lived_access_token", client_name="chain", lifespan=3650
        )
        return token

    def _configure(self, names: tuple[str, ...]) -> None:
        """Write configuration.yaml of these blocks of the page."""
        text = CONFIGURATION + "".join(map(block, names))
        text = text.replace("db.example.com", f"127.0.0.1:{self._ports['postgresql']}")
        self._config.mkdir(parents=True, exist_ok=True)
        (self._config / "configuration.yaml").write_text(text.replace(SHOWN, self.name))

    async def _add(self, domain: str, *forms: dict[str, Any]) -> str:
        """Add an integration, form by form, as a user does; return its entry's id."""
        path = "/api/config/config_entries/flow"
        step = await self.home.rest("POST", path, {"handler": domain})
        for form in forms:
            step = await self.home.rest("POST", f"{path}/{step['flow_id']}", form)
        if step["type"] != "create_entry":
            raise HomeAssistantError(f"{domain} was not added: {step}")
        return str(step["result"]["entry_id"])

    async def _add_mqtt(self) -> None:
        """Connect to the broker; tell there, and there alone, whether we are there."""
        entry_id = await self._add(
            "mqtt",
            {
                "broker": "127.0.0.1",
                "port": self._ports["mosquitto"],
                "protocol": "5",
                "username": self.name,
                "password": "password",
                "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
            },
        )
        path = "/api/config/config_entries/options/flow"
        step = await self.home.rest("POST", path, {"handler": entry_id})
        status = f"restaurants/{self.name}/status"
        options: dict[str, Any] = {"discovery": False}
        for message, payload in (("birth", "online"), ("will", "offline")):
            options |= {
                f"{message}_enable": True,
                f"{message}_topic": status,
                f"{message}_payload": payload,
                f"{message}_retain": True,
            }
        step = await self.home.rest("POST", f"{path}/{step['flow_id']}", options)
        if step["type"] != "create_entry":
            raise HomeAssistantError(f"MQTT's options were not taken: {step}")

    async def _add_influxdb(self) -> None:
        await self._add(
            "influxdb",
            {"next_step_id": "configure_v1"},
            {
                "url": f"http://127.0.0.1:{self._ports['influxdb']}",
                "verify_ssl": False,
                "database": "chain",
                "username": self.name,
                "password": "password",
            },
        )
