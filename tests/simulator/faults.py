"""What can be made to go wrong, each switchable while the simulator runs.

Faults of the unit itself are methods of Unit: wipe_history, reboot, set_clock.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, fields
import json
import random
import re
from typing import Any


@dataclass
class _Flow:
    """What a NAT knows of a client's socket: since when, and when something passed last."""

    began: float
    passed: float


@dataclass
class Network:
    """The state of the network in between, from an RNG of its own so that runs repeat."""

    loss_in: float = 0.0
    """The share of datagrams to the unit that never arrive, 0 to 1."""
    loss_out: float = 0.0
    """The share of datagrams from the unit that never arrive."""
    delay: float = 0.0
    """Seconds each datagram takes, either way."""
    jitter: float = 0.0
    """Up to this many seconds more, at random, so that datagrams may overtake each other."""
    nat: float | None = None
    """Seconds for which a NAT before the clients remembers a flow that is idle, as Linux does."""
    nat_stream: float = 0.0
    """The same, once packets went both ways for longer than nat_stream_after."""
    nat_stream_after: float = 2.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Start the dice."""
        self._random = random.Random(self.seed)
        self._flows: dict[Hashable, _Flow] = {}

    def goes_out(self, client: Hashable, now: float) -> None:
        """Take note of a datagram from a client to the unit."""
        if self.nat is not None and self._idle_since(client, now) is None:
            self._flows[client] = _Flow(began=now, passed=now)
        self._passes(client, now)

    def comes_in(self, client: Hashable, now: float) -> bool:
        """Return whether a datagram from the unit gets to a client."""
        return self.nat is None or self._passes(client, now)

    def _passes(self, client: Hashable, now: float) -> bool:
        if self._idle_since(client, now) is None:
            return False
        self._flows[client].passed = now
        return True

    def _idle_since(self, client: Hashable, now: float) -> float | None:
        flow = self._flows.get(client)
        if flow is None or self.nat is None:
            return None
        is_stream = flow.passed - flow.began > self.nat_stream_after
        limit = max(self.nat, self.nat_stream) if is_stream else self.nat
        return flow.passed if now - flow.passed <= limit else None

    def carry(self, loss: float) -> float | None:
        """Return the seconds that one datagram takes, or None if it is lost."""
        if self._random.random() < loss:
            return None
        return self.delay + self._random.random() * self.jitter


@dataclass
class Faults:
    """All off at first. What spoils bodies spoils those of success, notifications too."""

    silence: bool = False
    """Hears nothing and says nothing, as if unplugged."""
    reset: bool = False
    """RST to everything that comes."""
    error_5_00: bool = False
    """Every answer is 5.00, and nothing is done."""
    history_only: bool = False
    """Old firmware: whatever is not GET /v1/sessions/history is 4.04."""
    not_a_transmitter: bool = False
    """Some other CoAP device: whatever is asked for is 4.04."""
    empty_ack: bool = False
    """Does what it is asked and acknowledges it, but never answers."""
    separate: bool = False
    """An empty ACK first, the answer as a CON of its own after separate_delay."""
    separate_delay: float = 0.05
    """Seconds."""
    wrong_token: bool = False
    errors: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Codes ("5.03") by path: whatever is asked of it gets that, and nothing is done. The path ()
    stands for every path."""
    malformed: bool = False
    """The body is no JSON."""
    not_utf8: bool = False
    """The body begins with a byte that is in no UTF-8 text."""
    latin_1: bool = False
    """The body is in Latin-1, as far as its letters are: é is one byte, which is no UTF-8."""
    wrong: dict[str, Any] = field(default_factory=dict)
    """Values by the name of a field, which has that one wherever it is in a body."""
    truncated: bool = False
    """The body ends after two thirds."""
    last_block_lost: bool = False
    """The last block but one says that it is the last."""
    wrong_block_number: bool = False
    """Blocks after the first carry the number of their successor."""
    short_block: bool = False
    """Blocks with more to come are half as long as their size says."""
    no_block_option: bool = False
    """Knows nothing of Block2, a critical option: 4.02 to every request that has it."""
    oversized: bool = False
    """A body that goes on for ever in full blocks."""
    body_changes: bool = False
    """With each block that is served, every list in the body turns by one item."""
    in_order_only: bool = False
    """4.08 to whoever asks for another block than the first, or the one after the last."""
    next_block_whatever: bool = False
    """Serves the block after the last whichever is asked for, as if it were that one."""
    etag_lies: bool = False
    """2.03 to whatever ETag the client has."""
    deaf_to_sessions: bool = False
    """Ignores requests for /v1/sessions."""
    deaf_to_history: bool = False
    """Ignores requests for /v1/sessions/history."""
    resets_sessions: bool = False
    """RST to requests for /v1/sessions."""
    no_sequence: bool = False
    """The envelope has no globalSessionSequence."""
    always_valid: bool = False
    """2.03 to every GET, whether or not the client has an ETag."""
    no_etag: bool = False
    latest_first: bool = False
    """Of the notifications that wait to be sent, the latest goes first."""
    duplicate: bool = False
    """Every datagram arrives twice, in both directions."""
    network: Network = field(default_factory=Network)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the faults that are on or off."""
        return [each.name for each in fields(cls) if each.type is bool]

    def switch(self, name: str, *, on: bool) -> None:
        """Switch a fault by name. Raises ValueError if there is none of that name."""
        if name not in self.names():
            raise ValueError(f"no fault named {name!r}; there are {', '.join(self.names())}")
        setattr(self, name, on)

    def spoil(self, body: bytes) -> bytes:
        """Return what is sent in place of this body."""
        if not body:
            return body
        if self.wrong:
            body = _with_values(body, self.wrong)
        if self.no_sequence:
            body = re.sub(rb'"globalSessionSequence":\d+,', b"", body)
        if self.malformed:
            return b"<html><body>It works!</body></html>"
        if self.not_utf8:
            return b"\xff" + body
        if self.latin_1:
            return body.decode().encode("latin-1", "replace")
        if self.truncated:
            return body[: len(body) * 2 // 3]
        return body


def _with_values(body: bytes, values: dict[str, Any]) -> bytes:
    """Return the JSON text with these values in place of what fields of these names have."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: values.get(key, replaced(item)) for key, item in value.items()}
        return [replaced(item) for item in value] if isinstance(value, list) else value

    return json.dumps(
        replaced(json.loads(body)), separators=(",", ":"), ensure_ascii=False
    ).encode()


def turned(body: bytes, by: int) -> bytes:
    """Return the JSON object with that many items moved from the front to the end of its lists.

    The length stays, and so does a body that is no JSON object.
    """
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if not isinstance(data, dict):
        return body
    for key, value in data.items():
        if isinstance(value, list) and value and key != "responseTypes":
            cut = by % len(value)
            data[key] = value[cut:] + value[:cut]
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
