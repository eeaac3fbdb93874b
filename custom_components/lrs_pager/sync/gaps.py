"""Watches for spans in which sessions may have ended that nobody counted.

A transmitter may forget sessions while it can't be asked for them. If its history, read from the
beginning afterwards, goes back to a session that the log had before, nothing is missing.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class HistoryPass:
    """What was seen of the history in one pass from its beginning (POSIX seconds).

    oldest: when the first of its sessions ended. oldest_known: the first that the log had.
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

    def __init__(self, latest: int | None) -> None:
        """Begin. latest: when the last session of the log ended; None if there is none."""
        # Since when the unit may have forgotten sessions that we did not see; None if it could be
        # asked all the time.
        self._away_since: float | None = latest
        self.answered_at: float | None = None

    def answered(self, at: float) -> None:
        """The unit has answered."""
        self.answered_at = at

    def lost(self, latest: int | None) -> None:
        """The unit did not answer. latest: as above, now."""
        if self._away_since is None and self.answered_at is not None:
            self._away_since = max(self.answered_at, latest or 0)

    def read_on(self) -> None:
        """The history goes on from where it was read before: nothing is missing."""
        self._away_since = None

    def read_whole(self, seen: HistoryPass) -> tuple[float, float] | None:
        """The history was read from its beginning to its end; return the span that is missing."""
        since, self._away_since = self._away_since, None
        if since is None or seen.oldest is None:
            return None
        if seen.oldest_known is not None and seen.oldest_known <= since:
            return None
        return (since, seen.oldest) if since < seen.oldest else None

    def shift(self, seconds: int) -> None:
        """Our clock was set."""
        if self._away_since is not None:
            self._away_since += seconds
        if self.answered_at is not None:
            self.answered_at += seconds
