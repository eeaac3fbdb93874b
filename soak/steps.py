"""Each step of each session: when it happened, whether it has to be told, and how often it was."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
import time
from typing import Any

import aiohttp

from tests.simulator import Change, Unit

# What the event entity calls them, by what the unit calls them.
STEPS = {"created": "started", "paged": "paged", "cleared": "cleared", "removed": "removed"}

# Seconds within which Home Assistant can't tell when a step was: stamps have whole seconds.
STAMPS = 2

# States that are no event.
NO_EVENT = {"unavailable", "unknown"}


class Telling(Enum):
    """Whether a step is to be announced."""

    DUE = "exactly once"
    # It was told right before Home Assistant went: stamps can't tell that from after it came back.
    AGAIN = "once or twice"
    # Home Assistant was not there, or went before it could tell.
    FREE = "at most once"
    # It was over for more than 15 minutes when Home Assistant could learn of it.
    STALE = "never"


@dataclass
class Step:
    """A step of a session. at: of this process's monotonic clock."""

    uuid: str
    name: str
    telling: Telling
    at: float
    told: list[float] = field(default_factory=list)


class Steps:
    """All steps, as the unit takes them and as Home Assistant tells them."""

    def __init__(self, unit: Unit) -> None:
        """Begin to listen to the unit."""
        self.telling = Telling.DUE
        self.all: dict[tuple[str, str], Step] = {}
        self._untold: dict[tuple[str, str], Step] = {}
        self._last: dict[str, int] = {}  # the place of the last step told, by session
        self._wrong: list[str] = []
        unit.listeners.append(self._happened)

    def _happened(self, change: Change) -> None:
        name, session = STEPS.get(change.kind), change.session
        if name is None or session is None or (session.uuid, name) in self.all:
            return  # one who is paged again was paged before
        step = Step(session.uuid, name, self.telling, time.monotonic())
        self.all[step.uuid, name] = step
        if step.telling is Telling.DUE:
            self._untold[step.uuid, name] = step

    def tell(self, uuid: str, name: str) -> None:
        """Take note of an announcement."""
        self._untold.pop((uuid, name), None)
        if (step := self.all.get((uuid, name))) is None:
            self._wrong.append(f"{name} of {uuid} was told, and never happened")
            return
        step.told.append(time.monotonic())
        place = min(list(STEPS.values()).index(name), 2)
        if place <= self._last.get(uuid, -1) and len(step.told) == 1:
            self._wrong.append(f"{name} of {uuid} was told after a later step")
        self._last[uuid] = max(place, self._last.get(uuid, -1))

    @property
    def untold(self) -> list[Step]:
        """The steps that are due and were not told yet."""
        return list(self._untold.values())

    def give_up(self) -> None:
        """Wait no longer for what is untold; it stays a difference."""
        self._untold.clear()

    def begin_absence(self) -> None:
        """Home Assistant goes: what it has not told by now, and what happens now, it need not."""
        now = time.monotonic()
        for step in self.all.values():
            if step.telling is Telling.DUE and step.told and now - step.at < STAMPS:
                step.telling = Telling.AGAIN
        for step in self._untold.values():
            step.telling = Telling.FREE
        self._untold.clear()
        self.telling = Telling.FREE

    def end_absence(self) -> None:
        """Home Assistant is back, and we hear it."""
        self.telling = Telling.DUE

    def count(self, telling: Telling) -> int:
        """How many steps are to be told so."""
        return sum(step.telling is telling for step in self.all.values())

    def differences(self) -> list[str]:
        """Say what was not told as it has to be."""
        wrong = list(self._wrong)
        for step in self.all.values():
            times = len(step.told)
            fits = {
                Telling.DUE: times == 1,
                Telling.AGAIN: times in {1, 2},
                Telling.FREE: times <= 1,
                Telling.STALE: times == 0,
            }
            if not fits[step.telling]:
                wrong.append(
                    f"{step.name} of {step.uuid}, at {step.at:.1f}, should be told "
                    f"{step.telling.value}, and was at {[round(at, 1) for at in step.told]}"
                )
        return wrong


class Listener:
    """Hears what the event entity tells, by the WebSocket, over all restarts."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        """Hear nothing yet. tell: called with a session's id and the name of its step."""
        self._tell = tell
        self._heard: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.entity_id = ""

    async def listen(self, url: str, token: str) -> None:
        """Listen until Home Assistant goes; returns when it has begun. Raises ClientError."""
        await self.stop()
        session = aiohttp.ClientSession()
        try:
            ws = await session.ws_connect(f"{url}/api/websocket", max_msg_size=0)
            await ws.receive_json()
            await ws.send_json({"type": "auth", "access_token": token})
            await ws.receive_json()
            await ws.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
            if not (await ws.receive_json())["success"]:
                raise aiohttp.ClientError("no events to be had")
        except BaseException:
            await session.close()
            raise
        self._task = asyncio.create_task(self._hear(session, ws))

    async def stop(self) -> None:
        """Stop listening; what was not read yet is lost."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _hear(
        self, session: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse
    ) -> None:
        async with session:
            async for message in ws:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                answers: Any = message.json()
                for answer in answers if isinstance(answers, list) else [answers]:
                    if answer["type"] == "event":
                        self._take(answer["event"]["data"])

    def _take(self, data: dict[str, Any]) -> None:
        state = data["new_state"]
        if data["entity_id"] != self.entity_id or state is None or state["state"] in NO_EVENT:
            return
        # The state is the event's time, each its own: one that is heard again was restored, or
        # became available again.
        if state["state"] not in self._heard:
            self._heard.add(state["state"])
            attributes = state["attributes"]
            self._tell(attributes["session_id"], attributes["event_type"])
