"""One Home Assistant process of one's own, driven as a user does: onboarding, flows, states.

Everything goes over its REST and WebSocket APIs, as the browser's requests do; nothing of
Home Assistant is imported here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import ctypes
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, Self

import aiohttp

# What a user meets without having configured anything, less what needs the Internet.
CONFIGURATION = """\
history:
logbook:
recorder:
  commit_interval: 1
logger:
  default: warning
"""

# For automations that are made in the browser, which go into a file of their own.
AUTOMATIONS = "automation: !include automations.yaml\n"

# Seconds for a first start on a slow machine. A warm one takes 3 to 5.
START_TIMEOUT = 180

# Seconds in which Home Assistant writes its database and stores, and goes; it takes 2 to 5.
STOP_TIMEOUT = 60


# What scripts/setup has installed for the demo.
_HASS = Path(__file__).parents[1] / ".venv" / "demo" / "bin" / "hass"


# What every start logs: a word on custom integrations in general, and cameras' system libraries
# that are not needed here.
_NOISE = re.compile(r"has not been tested by Home Assistant|haffmpeg|libturbojpeg")


class HomeAssistantError(RuntimeError):
    """Home Assistant said no, or is not there (any more)."""


class HomeAssistant:
    """A Home Assistant whose state is in one folder.

    config: that folder; it is made, and kept from one start to the next.
    integration: the folder to install under custom_components, anew at each start.
    environment: variables for it beside those that are there.
    hass: the program; that of the demo, if not given.
    """

    def __init__(
        self,
        config: Path,
        integration: Path,
        port: int,
        host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        hass: Path = _HASS,
    ) -> None:
        """Take what it is to be; nothing is started or written."""
        self._hass = hass
        self.config = config
        self.integration = integration
        self.url = f"http://{host}:{port}"
        self._environment = dict(environment or {})
        self._host, self._port = host, port
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._session: aiohttp.ClientSession | None = None
        self.token: str | None = None  # of the user who logged in

    async def __aenter__(self) -> Self:
        """Start, and wait until it answers."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    # ----------------------------------------------------------------- process

    @property
    def log(self) -> Path:
        """What it printed, of all starts."""
        return self.config / "home-assistant.out"

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Install the integration, start, and wait until HTTP answers."""
        self._prepare()
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: ASYNC220  # it is started in milliseconds
                [self._hass, "--config", self.config, "--log-no-color"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.config,
                env={
                    name: value
                    for name, value in os.environ.items()
                    # These would have it compile 2,000 modules at each start, or find others.
                    if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME"}
                }
                | {"PATH": f"{self._hass.parent}{os.pathsep}{os.environ['PATH']}"}
                | self._environment,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # no threads yet
            )
        await self.wait(self._answers, START_TIMEOUT, "Home Assistant to answer")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the process and what it started; drop the connections."""
        # Another task may make a request meanwhile.
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it may have left behind

    def _prepare(self) -> None:
        """Lay out the folder: once, but for the integration and the port."""
        storage = self.config / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        if not (conf := self.config / "configuration.yaml").exists():
            conf.write_text(CONFIGURATION + AUTOMATIONS)
            (self.config / "automations.yaml").write_text("[]\n")
        installed = self.config / "custom_components" / self.integration.name
        shutil.rmtree(installed, ignore_errors=True)
        shutil.copytree(self.integration, installed, ignore=shutil.ignore_patterns("__pycache__"))
        now = datetime.now(UTC).isoformat()
        # Since 2026.7 address and port are not configuration but state.
        _seed(
            storage / "http",
            3,
            {
                "stable": {
                    "server_host": [self._host],
                    "server_port": self._port,
                    "cors_allowed_origins": [],
                    "login_attempts_threshold": -1,
                    "ip_ban_enabled": True,
                    "ssl_profile": "intermediate_v6",
                    "use_x_frame_options": True,
                    "created_at": now,
                    "error": None,
                    "error_message": None,
                },
                "pending": None,
                "yaml_migration_done": True,
            },
        )
        # The onboarding's location page would set up weather and radio, which need the Internet.
        if not (storage / "onboarding").exists():
            _seed(storage / "onboarding", 4, {"done": ["core_config"]})
        # So does the Marketplace, which fetches its catalog.
        if not (storage / "core.config_entries").exists():
            marketplace = {
                "created_at": now,
                "modified_at": now,
                "data": {},
                "options": {},
                "disabled_by": "user",
                "discovery_keys": {},
                "domain": "marketplace",
                "entry_id": "01J00000000000000000000000",
                "version": 1,
                "minor_version": 1,
                "pref_disable_new_entities": False,
                "pref_disable_polling": False,
                "source": "system",
                "subentries": [],
                "title": "Marketplace",
                "unique_id": None,
            }
            _seed(storage / "core.config_entries", 1, {"entries": [marketplace]}, minor_version=5)

    async def gone(self) -> None:
        """Wait until the process has ended."""
        while self._process is not None and self._process.poll() is None:
            await asyncio.sleep(1)

    def problems(self) -> list[str]:
        """What it logged since this start at WARNING and above, but for what every start has."""
        text = self.log.read_bytes()[self._log_start :].decode(errors="replace")
        records = re.split(r"^(?=\d{4}-\d\d-\d\d )", text, flags=re.MULTILINE)
        return [
            record.strip()
            for record in records
            if re.search(r" (WARNING|ERROR|CRITICAL) \(", record) and not _NOISE.search(record)
        ]

    # ---------------------------------------------------------------- requests

    async def wait[T](self, test: Callable[[], Awaitable[T]], timeout: float, what: str) -> T:
        """Try until something true is returned. Raises HomeAssistantError at the end of time."""
        end = time.monotonic() + timeout
        while True:
            if self._process is None or self._process.poll() is not None:
                raise HomeAssistantError(f"Home Assistant has ended; see {self.log}")
            if result := await test():
                return result
            if time.monotonic() > end:
                raise HomeAssistantError(f"Waited {timeout:.0f} s for {what}; see {self.log}")
            await asyncio.sleep(0.2)

    async def rest(self, method: str, path: str, data: Any = None, **kwargs: Any) -> Any:
        """One REST request; returns its JSON. Raises HomeAssistantError for a 4xx or 5xx."""
        if self._session is None:
            # A connection for each request: what Home Assistant holds is not to depend on ours.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._session.request(
            method, self.url + path, json=data, headers=headers, **kwargs
        ) as response:
            text = await response.text()
            if not response.ok:
                raise HomeAssistantError(f"{method} {path}: {response.status} {text}")
            return json.loads(text) if "json" in response.content_type else text

    async def command(self, kind: str, **data: Any) -> Any:
        """One WebSocket command; returns its result."""
        assert self._session
        async with self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as ws:
            await ws.receive_json()
            await ws.send_json({"type": "auth", "access_token": self.token})
            await ws.receive_json()
            await ws.send_json({"id": 1, "type": kind, **data})
            answer = await ws.receive_json()
        if not answer["success"]:
            raise HomeAssistantError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def version(self) -> str:
        """Which Home Assistant this is."""
        process = await asyncio.create_subprocess_exec(
            self._hass, "--version", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return (await process.communicate())[0].decode().strip()

    async def _answers(self) -> bool:
        try:
            await self.rest("GET", "/manifest.json")
        except aiohttp.ClientError:
            return False
        return True

    # ------------------------------------------------------------- as the user

    async def log_in(self, user: str, password: str, time_zone: str) -> None:
        """Log in; at the first start, go through the onboarding before that."""
        client = f"{self.url}/"
        done: dict[str, bool] = {}
        # Once it is over and Home Assistant was started again, the path is no more.
        with contextlib.suppress(HomeAssistantError):
            steps = await self.rest("GET", "/api/onboarding")
            done = {step["step"]: step["done"] for step in steps}
        if done.get("user", True):
            code = await self._log_in_code(user, password)
            await self._authorize(code)
        else:
            account = {
                "client_id": client,
                "name": user.capitalize(),
                "username": user,
                "password": password,
                "language": "en",
            }
            result = await self.rest("POST", "/api/onboarding/users", account)
            await self._authorize(result["auth_code"])
            await self.command(
                "config/core/update",
                location_name="Demo",
                time_zone=time_zone,
                country="US",
                unit_system="metric",
                language="en",
            )
            await self.rest("POST", "/api/onboarding/analytics", {})
            result = await self.rest(
                "POST",
                "/api/onboarding/integration",
                {"client_id": client, "redirect_uri": client},
            )
            await self._authorize(result["auth_code"])
        await self.wait(self._is_running, START_TIMEOUT, "Home Assistant to have started")

    async def open_on(self, panel: str) -> None:
        """Have the user's browser open on this panel rather than on the overview."""
        value = {"default_panel": panel}
        await self.command("frontend/set_user_data", key="core", value=value)

    async def add_user(self, name: str, group: str) -> str:
        """Add a user with a password; return an access token. group: "system-users", say."""
        created = await self.command("config/auth/create", name=name, group_ids=[group])
        await self.command(
            "config/auth_provider/homeassistant/create",
            user_id=created["user"]["id"],
            username=name.lower(),
            password=name,
        )
        return await self._token(await self._log_in_code(name.lower(), name))

    async def _log_in_code(self, user: str, password: str) -> str:
        """Log in; returns a code to get a token for."""
        client = f"{self.url}/"
        flow = await self.rest(
            "POST",
            "/auth/login_flow",
            {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client},
        )
        result = await self.rest(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            {"client_id": client, "username": user, "password": password},
        )
        if result["type"] != "create_entry":
            raise HomeAssistantError(f"login: {result.get('errors')}")
        return str(result["result"])

    async def _authorize(self, code: str) -> None:
        """Be the user whom a code is for."""
        self.token = None
        self.token = await self._token(code)

    async def _token(self, code: str) -> str:
        """Get an access token for a code."""
        assert self._session
        form = {"grant_type": "authorization_code", "code": code, "client_id": f"{self.url}/"}
        async with self._session.post(f"{self.url}/auth/token", data=form) as response:
            return str((await response.json())["access_token"])

    async def _is_running(self) -> bool:
        state: bool = (await self.rest("GET", "/api/core/state"))["state"] == "RUNNING"
        return state

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """The config entries of an integration."""
        found: list[dict[str, Any]] = await self.command("config_entries/get", domain=domain)
        return found

    async def flow(self, domain: str, data: dict[str, Any], entry_id: str = "") -> dict[str, Any]:
        """Fill in the first form of a config flow (of a reconfigure flow, with an entry_id)."""
        start: dict[str, Any] = {"handler": domain, "show_advanced_options": False}
        if entry_id:
            start["entry_id"] = entry_id
        step = await self.rest("POST", "/api/config/config_entries/flow", start)
        result: dict[str, Any] = await self.rest(
            "POST", f"/api/config/config_entries/flow/{step['flow_id']}", data
        )
        return result

    async def states(self, entry_id: str) -> dict[str, dict[str, Any]]:
        """The states of an entry's enabled entities, by their translation key."""
        by_id = {state["entity_id"]: state for state in await self.rest("GET", "/api/states")}
        registry = await self.command("config/entity_registry/list")
        return {
            entity["translation_key"]: by_id[entity["entity_id"]]
            for entity in registry
            if entity["config_entry_id"] == entry_id and entity["entity_id"] in by_id
        }


def _seed(path: Path, version: int, data: dict[str, Any], minor_version: int = 1) -> None:
    """Write one of Home Assistant's stores."""
    store = {"version": version, "minor_version": minor_version, "key": path.name, "data": data}
    path.write_text(json.dumps(store))


def die_with_parent() -> None:
    """In the child, on Linux: be stopped when the parent goes, however it goes."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
