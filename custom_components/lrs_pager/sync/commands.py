"""Commands to the transmitter: each is followed by a look at what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from ..sessions.log import LogClosedError
from ..transmitter import (
    Answer,
    ClosedError,
    MalformedError,
    NotSentError,
    RejectedError,
    TimedOutError,
    Transmitter,
    TransmitterError,
)
from .follower import Follower
from .identity import UnknownUnitError


class Commands:
    """Sends commands, and has the follower see what came of them.

    session_lock: to be held from a look at the active sessions to the end of the command that
    relies on it. paged_at: when each pager was paged last by us (POSIX seconds), by its number: the
    unit tells only of a session's first page.
    """

    def __init__(
        self,
        transmitter: Transmitter,
        follower: Follower,
        *,
        read_soon: Callable[[float], None],
        refresh: Callable[[], Awaitable[None]],
        save: Callable[[], Awaitable[None]],
        paged_at: dict[int, float],
    ) -> None:
        """Send nothing yet.

        read_soon: has the unit read in so many seconds. refresh: reads it, and returns when that
        is done. save: has the log keep what has ended, and the figures shown with it.
        """
        self._transmitter, self._follower = transmitter, follower
        self._read_soon, self._refresh, self._save = read_soon, refresh, save
        self.session_lock = asyncio.Lock()
        self.paged_at = paged_at

    async def identify(self) -> None:
        """Find out whether our transmitter answers, if that is not known and can be found out.

        Raises TransmitterError: AnotherUnitError if another answers, NotSentError after a time-out.
        """
        identity, history = self._follower.identity, self._follower.poller.history
        if identity.is_sure:
            return
        # Older firmware may have only one of the two; and it is no proof of another unit that an
        # answer or the log can't be read.
        unreadable = suppress(RejectedError, MalformedError, UnknownUnitError)
        try:
            if history.failing_since is None:
                with unreadable:
                    await history.identify(self._follower)
            if not identity.is_sure:  # the history is empty, or can't be read
                with unreadable:
                    if answer := await self._transmitter.at_once().sessions():
                        await self._follower.see_list(answer)
        except TimedOutError as err:
            raise NotSentError("no answer that shows who is there") from err
        except LogClosedError as err:
            raise ClosedError("closed") from err
        if identity.another:
            raise identity.another

    async def send(
        self, command: Callable[[], Awaitable[Answer]], *, to_end: bool = False
    ) -> Answer:
        """Send a command, wait for its answer, and show at once what came of it.

        command: called once it is known who answers. to_end: whether to wait until everything that
        the answer did not tell is read, be it a long history; else only until the active sessions
        are.
        Raises TransmitterError, and has the unit read soon: after a time-out, or if the caller is
        cancelled meanwhile, the command may have been carried out. After NotSentError or
        AnotherUnitError it was not sent, unless its own answer has shown that another answers.
        """
        poller = self._follower.poller
        try:
            await self.identify()
            answer = await command()
        except TransmitterError, asyncio.CancelledError:
            poller.doubt()
            self._read_soon(0)
            raise
        await self._receive(answer)
        if answer.sessions or answer.settings:
            return answer
        # It did not tell what came of it.
        poller.doubt()
        if to_end:
            await self._refresh()
        else:
            self._read_soon(0)
            with suppress(TransmitterError):
                await self.ask_sessions(self._transmitter)
        return answer

    async def ask_sessions(self, transmitter: Transmitter) -> None:
        """Ask which sessions are active, and no more: nobody waits for a long history.

        transmitter: ours, or the same `at_once`. Raises TransmitterError.
        """
        if answer := await transmitter.sessions():
            await self._receive(answer)

    async def _receive(self, answer: Answer) -> None:
        """Take in an answer, and have all shown that came of it. Raises AnotherUnitError."""
        self._follower.receive(answer)
        if not self._follower.is_sure:
            await self._refresh()  # which shows whose answer it is
            if another := self._follower.identity.another:
                raise another
        # A message may have told the same before; what came of that may not be shown yet, either.
        await self._save()

    def paged(self, number: int) -> None:
        """Take note that a pager has just been paged."""
        self.paged_at[number] = self._follower.clocks.now()

    def shift(self, seconds: int) -> None:
        """Our clock was set: move the times of pages."""
        for number in self.paged_at:
            self.paged_at[number] += seconds

    async def set_clock(self) -> bool:
        """Set the unit's clock to our local time; return whether it keeps that now.

        Raises TransmitterError.
        """

        def command() -> Awaitable[Answer]:
            # To the nearest second.
            now = self._follower.clocks.local_time() + timedelta(milliseconds=500)
            return self._transmitter.set_settings(clock=now.replace(microsecond=0))

        await self.send(command)
        self._follower.receive(await self._transmitter.settings())
        return self._follower.clocks.agrees
