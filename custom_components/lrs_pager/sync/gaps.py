"""Watches for spans in which sessions may have ended that nobody counted.

A transmitter may forget sessions while it can't be asked for them. If its history, read from the
beginning afterwards, goes back to a session that the log had before, nothing is missing.
"""

from dataclasses import dataclass
from typing import Final, Self

from ..sessions.log import SessionLog
from ..sessions.missed import Span, keep_missed_spans, missed_spans

# The log's key for [time, was_away]: if was_away, sessions may be missing since that time; if not,
# it is that of the last contact.
CONTACT_KEY: Final = "contact"

# That time is written once in so many seconds, to spare the disk. If Home Assistant is killed, a
# gap begins too early by as much, and by a poll's interval.
KEEP_INTERVAL: Final = 600


@dataclass(slots=True)
class HistoryPass:
    """What was seen of the history in one pass from its beginning (POSIX seconds).

    oldest: when the first of its sessions ended. oldest_known: when the first of those did that the
    log had before. None if there was none.
    """

    oldest: int | None = None
    oldest_known: int | None = None

    def see(self, ended_at: int, known_at: int | None) -> None:
        """Take in a session; known_at: when it ended as the log had it, None if it did not."""
        self.oldest = ended_at if self.oldest is None else min(self.oldest, ended_at)
        if known_at is not None:
            known = self.oldest_known
            self.oldest_known = known_at if known is None else min(known, known_at)


class GapWatch:
    """Knows since when sessions may be missing. All times are POSIX seconds."""

    def __init__(self, since: float | None) -> None:
        """Begin. since: all that had ended by then is in the log; None if that has no session."""
        # Since when the unit may have forgotten sessions that we did not see; None if it could be
        # asked all the time.
        self._away_since = since
        # Whether that instant is from before a restart: it then stays when our clock is set.
        self._is_restored = True
        self.answered_at: float | None = None
        self._kept: tuple[float, bool] | None = None

    @classmethod
    async def open(cls, log: SessionLog, latest: int | None, now: float) -> Self:
        """Go on where it was before a restart.

        latest: when the last session of the log ended; None if there is none. now: our clock. A
        last contact in the future is left out, as our clock was wrong then, or is now.
        """
        match latest, await log.get(CONTACT_KEY):
            case int(), [int() | float() as at, bool() as was_away] if at <= now:
                # Sessions that were told of since it was away do not show that none is missing.
                return cls(at if was_away else max(at, latest))
        return cls(latest)

    async def keep(self, log: SessionLog, *, is_last: bool) -> None:
        """Have the log keep the last contact. is_last: whether we are about to stop."""
        at = self.answered_at if self._away_since is None else self._away_since
        if at is None:
            return
        is_away = self._away_since is not None
        before, was_away = self._kept or (0.0, None)
        if is_last or is_away is not was_away or abs(at - before) >= KEEP_INTERVAL:
            await log.set(CONTACT_KEY, [at, is_away])
            self._kept = at, is_away

    def answered(self, at: float) -> None:
        """The unit has answered."""
        self.answered_at = at

    def lost(self, latest: int | None) -> None:
        """The unit did not answer, or its answers do not tell which sessions have ended.

        latest: when the last session of the log ended, now.
        """
        if self._away_since is None and self.answered_at is not None:
            self._away_since, self._is_restored = max(self.answered_at, latest or 0), False

    def read_on(self) -> None:
        """The history goes on from where it was read before: nothing is missing."""
        self._away_since = None

    def read_whole(self, seen: HistoryPass) -> Span | None:
        """The history was read from its beginning to its end.

        Returns the span in which sessions may be missing; None if there is none.
        """
        since, self._away_since = self._away_since, None
        if since is None or seen.oldest is None:
            return None
        if seen.oldest_known is not None and seen.oldest_known <= since:
            return None
        return (since, seen.oldest) if since < seen.oldest else None

    async def keep_missed(self, log: SessionLog, seen: HistoryPass) -> Span | None:
        """As `read_whole`; have the log keep the span, too.

        If that raises LogUnreadableError, nothing was changed.
        """
        spans = await missed_spans(log)
        if span := self.read_whole(seen):
            await keep_missed_spans(log, [*spans, span])
        return span

    def shift(self, seconds: int) -> None:
        """Our clock was set."""
        if self._away_since is not None and not self._is_restored:
            self._away_since += seconds
        if self.answered_at is not None:
            self.answered_at += seconds
