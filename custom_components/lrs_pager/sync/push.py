"""Keeps one observation of a transmitter alive, and knows whether it is.

A transmitter that reboots forgets who observes it, and says nothing; one that moved, or has no
room for observers, or never heard of them, is asked again. Nothing depends on it: polls find what
push does not tell.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
import logging
import random

from ..transmitter import Answer, ClosedError, RejectedError, Transmitter, TransmitterError

# That of the integration: what a user turns on with "Enable debug logging".
LOGGER = logging.getLogger(__package__.rpartition(".")[0])

# Seconds from the end of an observation to the next try: a transmitter that rebooted may be back
# at once. Then twice as long each time ...
FIRST_DELAY = 1.0
# ... up to this: where push is not to be had, one small request in five minutes costs nothing.
MAX_DELAY = 300.0
# The part of a delay that is left to chance, so that many do not ask at the same moment.
JITTER = 0.5

# What a CoAP server answers that knows nothing of the resource: 4.04 Not Found, 4.05 Method Not
# Allowed. A success is for a resource that is there and can't be observed (RFC 7641, 4.1).
NOT_OFFERED = ("4.04", "4.05", "2.")


# Changes in a row that polls found and that should have been told, from which push is silent. One
# may cross a message that is under way.
MAX_MISSED_CHANGES = 3

# `responseTypes` of a keep-alive ping.
PING = ("ping",)


class PushState(StrEnum):
    """How it stands; the values are those of the entity's attribute."""

    # The first try is under way.
    CONNECTING = "connecting"
    # The transmitter has us on its list.
    LIVE = "live"
    # The transmitter does not offer it, or has no room for one more.
    NOT_OFFERED = "not_offered"
    # The transmitter says that something is wrong with it.
    REJECTED = "rejected"
    # No answer to the request.
    NO_ANSWER = "no_answer"
    # It was live, and ended: by silence, or by a message that it can't be delivered.
    LOST = "lost"


class Push:
    """The observation of one transmitter."""

    def __init__(
        self,
        transmitter: Transmitter,
        receive: Callable[[Answer], None],
        changed: Callable[[], None],
    ) -> None:
        """Nothing is sent before `run`.

        receive: called with each message. changed: called when `state` or `is_proved` changed, or
        `is_silent` by a message.
        """
        self._transmitter = transmitter
        self._receive = receive
        self._changed = changed
        self._again = asyncio.Event()
        self.state = PushState.CONNECTING
        # Whether a message came by itself since the transmitter put us on its list, which shows
        # that the way back is open too, and had the count of changes, which shows if one is missed.
        self.is_proved = False
        # Changes in a row that polls found and that should have been told.
        self.missed_changes = 0
        self._has_told = False

    @property
    def is_live(self) -> bool:
        """Whether changes are told as they happen, as far as we know."""
        return self.state is PushState.LIVE

    @property
    def is_silent(self) -> bool | None:
        """Whether changes are not told although the transmitter said that it would.

        None until either is known.
        """
        if self.missed_changes >= MAX_MISSED_CHANGES:
            return True
        return False if self._has_told else None

    def missed_change(self) -> None:
        """A poll has found a change that should have been told."""
        if self.is_proved:
            self.missed_changes += 1

    def try_again(self) -> None:
        """Wait no longer for the next try: there is a reason to think that it will work."""
        self._again.set()

    async def run(self) -> None:
        """Observe for as long as the transmitter is not closed."""
        delay = FIRST_DELAY
        while True:
            try:
                await self._transmitter.observe(self._tell)
            except ClosedError:
                return
            except TransmitterError as err:
                if self.is_proved:
                    delay = FIRST_DELAY
                self._note(_state_after(err, was_live=self.is_live), is_proved=False)
            self._again.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay * random.uniform(1 - JITTER, 1)):  # noqa: S311
                    await self._again.wait()
            delay = min(2 * delay, MAX_DELAY)

    def _tell(self, answer: Answer) -> None:
        """Pass a message on."""
        is_counted, was_silent = answer.envelope.sequence is not None, self.is_silent
        if not answer.is_all and answer.envelope.response_types != PING:
            self.missed_changes, self._has_told = 0, True
        self._note(PushState.LIVE, is_proved=self.is_proved or (self.is_live and is_counted))
        if was_silent != self.is_silent:
            self._changed()
        try:
            self._receive(answer)
        except Exception:  # the observation survives our faults
            LOGGER.exception("Unexpected error while a message of the transmitter was read")

    def _note(self, state: PushState, *, is_proved: bool) -> None:
        """Say so if anything is not as it was."""
        if (state, is_proved) != (self.state, self.is_proved):
            self.state, self.is_proved = state, is_proved
            self._changed()


def _state_after(err: TransmitterError, *, was_live: bool) -> PushState:
    """What the end of an observation means."""
    if was_live:
        return PushState.LOST
    if isinstance(err, RejectedError):
        return PushState.NOT_OFFERED if err.code.startswith(NOT_OFFERED) else PushState.REJECTED
    return PushState.NO_ANSWER
