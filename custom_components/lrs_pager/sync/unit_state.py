"""How far we know the unit's state, so that it need not be asked for what we know.

The unit has a running count of changes, which is in nearly all that it tells. As long as that goes
on by one with each message, nothing was missed; if it is where we know it, nothing has changed.
Nothing of Home Assistant in here; `now` is the event loop's clock, in seconds.
"""

from dataclasses import dataclass, replace

from ..transmitter import Answer
from .const import PUSH_POLL_INTERVAL, SETTINGS_INTERVAL

# Seconds that a unit's ETags may fail to tell apart: its clock has whole seconds; twice that.
ETAG_TICK = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A state of the unit.

    told: what tells it from others: the count; where the unit has none, its active sessions and
    its statistics. since: when it was first told. etag: of an answer that told it; etag_since:
    when that was got.
    """

    told: object
    since: float
    etag: bytes | None = None
    etag_since: float = 0.0


class UnitState:
    """The unit's state as it was last told."""

    def __init__(self) -> None:
        """Know nothing."""
        self._known: _Known | None = None
        # When a list was asked for that was answered, and when something seemed to be missing.
        self._asked_at = self._doubted_at = 0.0

    @property
    def told(self) -> object | None:
        """What tells the state from others: the count, if there is one; None if it isn't known."""
        return self._known and self._known.told

    def is_sure(self, now: float) -> bool:
        """Whether nothing was missed since a list was asked for, not longer ago than a poll."""
        is_recent = now - self._asked_at <= PUSH_POLL_INTERVAL.total_seconds()
        return self._known is not None and is_recent and self._asked_at > self._doubted_at

    def confirm(self, asked: float) -> None:
        """Take note that what is known was so when it was asked for."""
        self._asked_at = asked

    def doubt(self, now: float) -> None:
        """Take note that something may have been missed, be it while a list is under way."""
        self._doubted_at = now

    def forget(self) -> None:
        """Know nothing any more: whatever is told next is new."""
        self._known = None

    def etag(self, now: float) -> bytes | None:
        """The ETag of the active sessions, to ask with. It has its day: SETTINGS_INTERVAL."""
        if self._known is None or now - self._known.etag_since > SETTINGS_INTERVAL.total_seconds():
            return None
        return self._known.etag

    def see_list(self, answer: Answer, asked: float, now: float) -> bool:
        """Take in a list of the active sessions; return whether the state is new, or not known."""
        known = self._known
        if not answer.skipped:
            self.confirm(asked)
        told: object | None = answer.envelope.sequence
        if told is None and answer.statistics is not None:
            told = answer.sessions, answer.statistics
        if told is None:
            self._known = None
        elif known is None or told != known.told:
            self._known = _Known(told, now)
        elif now - known.since > ETAG_TICK:
            # ETags are said to be times: two changes within one tick would have the same. This one
            # came later than what it stands for, by more than a tick.
            self._known = replace(known, etag=answer.etag, etag_since=now)
            return False
        else:
            return False
        return True

    def see_message(self, answer: Answer, now: float) -> bool:
        """Take in a message, or the answer to a command; return if nothing was missed before it."""
        is_in_step = self._continues(answer)
        if not is_in_step:
            self.doubt(now)
        elif (sequence := answer.envelope.sequence) is not None and sequence != self.told:
            self._known = _Known(sequence, now)
        return is_in_step

    def _continues(self, answer: Answer) -> bool:
        """Whether a message goes on from where we are."""
        sequence = answer.envelope.sequence
        if answer.skipped or not answer.envelope.response_types:
            return False
        if sequence is None:
            return not answer.is_all
        # One change, one message. If one message tells several, or after a wrap or a reset, the
        # count is not the next one, and all is asked for anew.
        changes = 0 if answer.is_all else min(1, len(answer.sessions))
        return isinstance(self.told, int) and 0 <= sequence - self.told <= changes
