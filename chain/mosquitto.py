"""Mosquitto, at which each Home Assistant publishes its changes."""

from collections import Counter
from pathlib import Path
import socket
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from .figures import Figures
from .page import block
from .prometheus import ENTITIES
from .server import Server

HEAD_OFFICE = "head_office"
PASSWORD = "password"

# Seconds in which a broker has sent all that it has retained, on loopback.
RETAINED_TIMEOUT = 2


class Mosquitto(Server):
    """The broker, where each restaurant may use its own topics alone."""

    package = "mosquitto"
    program = "mosquitto"
    user = "mosquitto"

    def __init__(self, folder: Path, restaurants: list[str]) -> None:
        """Take what all servers do; nothing is counted yet."""
        super().__init__(folder, restaurants)
        self.messages: Counter[str] = Counter()
        """Messages published since the start, by restaurant; what was retained is not counted."""
        self._listener: mqtt.Client | None = None

    def prepare(self) -> None:
        """Write what the page shows, and the users."""
        replaced = {
            "listener 1883": f"listener {self.port} 127.0.0.1",
            "/etc/mosquitto": str(self.folder),
            "/var/lib/mosquitto": str(self.folder),
        }
        self.write("mosquitto.conf", block("mosquitto.conf", replaced))
        self.write("acl", block("acl"))
        passwords = self.write("passwords", "")
        for user in (HEAD_OFFICE, *self.restaurants):
            self.run("mosquitto_passwd", "-b", passwords, user, PASSWORD)

    def command(self) -> list[str | Path]:
        """By its configuration."""
        return [self.found, "-c", self.folder / "mosquitto.conf"]

    async def answers(self) -> bool:
        """Whether it listens."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True

    def count(self) -> None:
        """Begin to count messages."""
        self._listener = self._subscribe("restaurants/#", self._count)

    def _count(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if not message.retain:
            self.messages[message.topic.split("/")[1]] += 1

    def _subscribe(self, topic: str, told: mqtt.CallbackOnMessage) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(HEAD_OFFICE, PASSWORD)
        client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        client.on_message = told
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        return client

    def retained(self, topic: str) -> dict[str, str]:
        """Subscribe for a moment; return what is retained, by topic."""
        found: dict[str, str] = {}
        client = self._subscribe(
            topic, lambda _client, _data, message: found.update({message.topic: _text(message)})
        )
        time.sleep(RETAINED_TIMEOUT)
        client.disconnect()
        client.loop_stop()
        return found

    async def figures(self) -> dict[str, Figures]:
        """Return what is retained at the topics that the page shows, by restaurant."""
        found = self.retained(block("MQTT: all figures").strip())
        return {
            name: Figures(
                **{
                    key: _number(found.get(f"restaurants/{name}/{id_.replace('.', '/')}/state"))
                    for key, id_ in ENTITIES.items()
                }
            )
            for name in {topic.split("/")[1] for topic in found}
        }

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, and the broker."""
        if self._listener is not None:
            self._listener.disconnect()
            self._listener.loop_stop()
        await super().__aexit__()


def _text(message: mqtt.MQTTMessage) -> str:
    payload: bytes = message.payload
    return payload.decode()


def _number(text: str | None) -> float | None:
    """Read a state; None if it is no number, as "unknown"."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
