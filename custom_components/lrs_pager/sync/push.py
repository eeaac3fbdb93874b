"""Keeps one observation of a transmitter alive, and knows whether it is.

A transmitter that reboots forgets who observes it, and says nothing, but its pings stop. Then we
register anew, which also asks what was missed. One that moved, or has no room for observers, or
knows of none, is asked again. Nothing depends on push: polls find what it does not tell.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
import logging
import random

from ..transmitter import (
    Answer,
    ClosedError,
    KeepAlive,
    RejectedError,
    Transmitter,
    TransmitterError,
)
from .intervals import Intervals

# That of the integration: what a user turns on with "Enable debug logging".
LOGGER = logging.getLogger(__package__.rpartition(".")[0])

# Seconds from the end of an observation to the next try: a transmitter that rebooted may be back
# at once. Then twice as long each time ...
FIRST_DELAY = 1.0
# ... up to this: where push is not to be had, one small request in five minutes costs nothing.
MAX_DELAY = 300.0
# The part of a delay that is left to chance, so that many do not ask at the same moment.
JITTER = 0.5

# The codes of a CoAP server that has no such resource: 4.04 Not Found, 4.05 Method Not Allowed. A
# success means that the resource is there and can't be observed (RFC 7641, 4.1).
NOT_OFFERED = ("4.04", "4.05", "2.")


# Push is silent once polls found this many changes in a row that should have been told. For a
# single one, the message may have been under way.
MAX_MISSED_CHANGES = 3

# Gaps between pings that are kept: the longest of them is how long the next ping may take.
GAPS_KEPT = 4

# `responseTypes` of a keep-alive ping.
PING = ("ping",)


class PushState(StrEnum):
    """How push stands; the values are those of the entity's attribute."""

    # The first try is under way.
    CONNECTING = "connecting"
    # The transmitter has us on its list; that its messages arrive is still to be seen.
    ACCEPTED = "accepted"
    # The transmitter has us on its list, and its messages arrive.
    LIVE = "live"
    # The transmitter had us on its list, and none of its messages arrived by itself.
    SILENT = "silent"
    # The transmitter does not offer it, or has no room for one more.
    NOT_OFFERED = "not_offered"
    # The transmitter answered the request with another error.
    REJECTED = "rejected"
    # No answer to the request.
    NO_ANSWER = "no_answer"
    # It was live, and the transmitter doesn't answer any more.
    LOST = "lost"


class Push:
    """The observation of one transmitter.

    A ping shows that messages get through if we had sent nothing for some time before: a NAT lets
    in what follows soon on a request, and nothing later. That is a fact about the network, so it
    still holds for the next observation.
    """

    def __init__(
        self,
        transmitter: Transmitter,
        receive: Callable[[Answer], None],
        changed: Callable[[], None],
        intervals: Intervals,
        steady: Callable[[], float],
    ) -> None:
        """Nothing is sent before `run`.

        receive: called with each message. changed: called when `state`, `is_proved` or `is_silent`
        changed. steady: the loop's clock.
        """
        self._transmitter = transmitter
        self._receive, self._changed = receive, changed
        self._intervals, self._steady = intervals, steady
        self._again = asyncio.Event()
        self.state = PushState.CONNECTING
        # Changes in a row that polls found and that should have been told; None until one was told
        # or missed.
        self.missed_changes: int | None = None
        # Seconds between pings, the latest last.
        self.ping_gaps: deque[float] = deque(maxlen=GAPS_KEPT)
        # Observations that were accepted and ended without a ping.
        self._unheard = 0
        # Whether a ping has shown that messages get through, and no observation has failed since.
        self._is_open = False
        self._observation = _Observation()

    @property
    def is_live(self) -> bool:
        """Whether changes are told as they happen, as far as we know."""
        return self.state is PushState.LIVE

    @property
    def is_proved(self) -> bool:
        """Whether messages arrive, with the count of changes, which shows if one is missing."""
        return self.is_live and self._observation.is_counted

    @property
    def is_silent(self) -> bool | None:
        """Whether changes are not told although the transmitter said that it would.

        None as long as that can't be said.
        """
        if not self.missed_changes:
            return None if self.missed_changes is None else False
        return True if self.missed_changes >= MAX_MISSED_CHANGES else None

    def missed_change(self) -> None:
        """A poll has found a change that should have been told."""
        if self._observation.began is None and self.state is not PushState.SILENT:
            return
        self.missed_changes = (self.missed_changes or 0) + 1
        if self.missed_changes == 1 and self._observation.is_heard:
            # The transmitter may have forgotten us, as it does when it reboots.
            self._observation.end(self._steady())

    def try_again(self) -> None:
        """Wait no longer for the next try: there is a reason to think that it will work."""
        self._again.set()

    async def run(self) -> None:
        """Observe for as long as the transmitter is not closed."""
        delay = FIRST_DELAY
        while True:
            # A `try_again` from now on counts, even while this try waits for its answer.
            self._again.clear()
            keep_alive = self._keep_alive
            self._observation = observation = _Observation(keep_alive)
            failure = None
            try:
                async with asyncio.timeout(None) as observation.limit:
                    await self._transmitter.observe(self._tell, keep_alive)
            except ClosedError:
                return
            except TransmitterError as err:
                failure = err
            except TimeoutError:
                pass  # a ping is late, or a change was missed
            is_heard = observation.is_heard
            if is_heard:
                delay = FIRST_DELAY
            elif observation.began is not None:
                self._unheard += 1
            if failure is None and is_heard:
                continue  # at once: to register is one small request, and asks what was missed
            self._ended(failure)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay * random.uniform(1 - JITTER, 1)):  # noqa: S311
                    await self._again.wait()
            delay = min(2 * delay, MAX_DELAY)

    @property
    def _keep_alive(self) -> KeepAlive | None:
        """What the next observation needs so that messages arrive, as far as was seen."""
        if not self._unheard:
            return None
        intervals = self._intervals
        again = intervals.keep_alive_again if self._unheard > 1 else None
        return KeepAlive(first=intervals.keep_alive, interval=again)

    def _ended(self, failure: TransmitterError | None) -> None:
        """An observation has ended. failure: why; None if no ping came in time."""
        before, was_live = self._shown, self.is_live
        self._is_open = False
        self._observation = _Observation()
        self.state = (
            PushState.SILENT if failure is None else _state_after(failure, was_live=was_live)
        )
        if self.state is PushState.NOT_OFFERED:
            self.missed_changes = 0
        self._note_change(before)

    def _tell(self, answer: Answer) -> None:
        """Pass a message on."""
        before = self._shown
        now, observation, intervals = self._steady(), self._observation, self._intervals
        is_ping = answer.envelope.response_types == PING
        if observation.began is None:
            observation.began = observation.heard_at = now
        else:
            observation.is_counted |= answer.envelope.sequence is not None
        if is_ping and observation.quiet_for(now) >= intervals.proof_age:
            self.ping_gaps.append(now - observation.heard_at)
            self._is_open = observation.is_heard = True
        if is_ping:
            observation.heard_at = now
        observation.end(now + self._patience)
        if self._is_open:
            self.state = PushState.LIVE
        elif self.state is not PushState.SILENT:
            self.state = PushState.ACCEPTED
        if self.is_live and not answer.is_all and not is_ping:
            self.missed_changes = 0
        self._note_change(before)
        try:
            self._receive(answer)
        except Exception:  # the observation survives our faults
            LOGGER.exception("Unexpected error while a message of the transmitter was read")

    @property
    def _patience(self) -> float:
        """Seconds without a message after which the observation is over."""
        intervals = self._intervals
        if not self.ping_gaps and self._unheard > 1:
            return intervals.silence
        return min(
            max(intervals.ping, *self.ping_gaps, 0) + intervals.ping_slack, intervals.silence
        )

    @property
    def _shown(self) -> tuple[object, ...]:
        return self.state, self.is_proved, self.is_silent

    def _note_change(self, before: tuple[object, ...]) -> None:
        """Call `changed` if anything that is shown is not as it was."""
        if self._shown != before:
            self._changed()


@dataclass(slots=True)
class _Observation:
    """One observation, by the loop's clock.

    keep_alive: how its socket is kept open. began: when it was accepted. heard_at: then, or when
    the last ping came. is_heard: whether a ping has shown that the way back is open. is_counted:
    whether messages that come by themselves have the count of changes. limit: ends it.
    """

    keep_alive: KeepAlive | None = None
    began: float | None = None
    heard_at: float = 0.0
    is_heard: bool = False
    is_counted: bool = False
    limit: asyncio.Timeout | None = None

    def quiet_for(self, now: float) -> float:
        """Seconds since we sent something that was no mere acknowledgement."""
        since = now - (now if self.began is None else self.began)
        if self.keep_alive is not None and since >= self.keep_alive.first:
            since -= self.keep_alive.first
            if self.keep_alive.interval is not None:
                since %= self.keep_alive.interval
        return since

    def end(self, at: float) -> None:
        """Have it end at a time of the loop's clock, unless that is put off."""
        if self.limit is not None and not self.limit.expired():
            self.limit.reschedule(at)


def _state_after(err: TransmitterError, *, was_live: bool) -> PushState:
    """What the end of an observation means."""
    if was_live:
        return PushState.LOST
    if isinstance(err, RejectedError):
        return PushState.NOT_OFFERED if err.code.startswith(NOT_OFFERED) else PushState.REJECTED
    return PushState.NO_ANSWER
