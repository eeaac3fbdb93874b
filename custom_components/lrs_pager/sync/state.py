"""Whether what is known of the unit is current, so that it need not be asked.

The unit has a running count of changes, which is in nearly all that it says. As long as that goes
on by one with each message, nothing was missed; if it is where we know it, nothing has changed.
"""

from dataclasses import dataclass, replace

from ..transmitter import Answer

# Seconds between two changes that may have the same ETag: the unit's clock has whole seconds; twice
# that.
ETAG_TICK = 2.0

# More changes than there are between two polls.
MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class _Known:
    """A state of the unit.

    token: what tells it from others: the count of changes; where the unit has none, its active
    sessions and its statistics. since: when it was first seen. etag: of an answer with it;
    etag_since: when that was got.
    """

    token: object
    since: float
    etag: bytes | None = None
    etag_since: float = 0.0


class UnitState:
    """The unit's state as it was last told. `now` and `asked` are seconds of the loop's clock."""

    def __init__(self, *, sure_for: float, etag_age: float) -> None:
        """Know nothing.

        sure_for: seconds for which a list without a gap in the count after it is to be relied on.
        etag_age: seconds after which an ETag is not asked with any more, as it is a time of the
        unit's clock, which may have been set.
        """
        self._sure_for, self._etag_age = sure_for, etag_age
        self._known: _Known | None = None
        # The last count, and when it was first told; also of a state that is not known any more.
        self._count: tuple[int, float] | None = None
        # Whether another address has answered since the last list.
        self._has_moved = False
        # When the last list was requested that was answered; when there was a doubt last; and when
        # something seemed to be missing last.
        self._asked_at = self._doubted_at = self._missed_at = float("-inf")

    @property
    def token(self) -> object | None:
        """What tells the state from others; None if it isn't known."""
        return self._known and self._known.token

    def is_sure(self, now: float) -> bool:
        """Whether a list was requested of late, and nothing was missed since."""
        is_recent = now - self._asked_at <= self._sure_for
        return self._known is not None and is_recent and self._asked_at > self._doubted_at

    @property
    def has_gap(self) -> bool:
        """Whether something seems to have been missed since a list was asked for.

        A unit that never had a list tells by messages alone what there is to know.
        """
        return float("-inf") < self._asked_at <= self._missed_at

    def confirm(self, asked: float) -> None:
        """Take note that what is known was so when a list was requested, at `asked`."""
        self._asked_at = asked

    def doubt(self, now: float, *, is_missed: bool = True) -> None:
        """Have the unit asked for a list, another than one that is under way.

        is_missed: whether that is because something seems to have been missed.
        """
        self._doubted_at = now
        if is_missed:
            self._missed_at = now

    def forget(self) -> None:
        """Know nothing any more: whatever is told next is new."""
        self._known = None

    def moved(self) -> None:
        """Another address answers: a count may be another unit's, however near it is."""
        self._has_moved = True

    def etag(self, now: float) -> bytes | None:
        """The ETag of the active sessions, to ask with."""
        if self._known is None or now - self._known.etag_since > self._etag_age:
            return None
        return self._known.etag

    def is_far_from(self, answer: Answer) -> bool:
        """Whether an answer has a count that ours can't have come to, unless the unit has booted.

        It is lower, or higher by more than what happens between two polls; or it is of another
        address.
        """
        if self._has_moved:
            return True
        sequence = answer.envelope.sequence
        if self._count is None or sequence is None:
            return False
        count, since = self._count
        # An answer that was requested before our count was told may have been overtaken.
        return since <= answer.asked and not 0 <= sequence - count <= MOST_CHANGES

    def see_list(self, answer: Answer, now: float) -> bool:
        """Take in a list of the active sessions; return whether the state is new, or not known."""
        known = self._known
        self._has_moved = False
        if not answer.skipped:
            self.confirm(answer.asked)
        token: object | None = answer.envelope.sequence
        if token is None and answer.statistics is not None:
            token = answer.sessions, answer.statistics
        if token is None:
            self._known = None
        elif known is None or token != known.token:
            self._know(token, now)
        else:
            # ETags are one-second timestamps, so an ETag is trusted only if it was issued more
            # than a tick after the last change.
            if now - known.since > ETAG_TICK:
                self._known = replace(known, etag=answer.etag, etag_since=now)
            return False
        return True

    def see_message(self, answer: Answer, now: float) -> bool:
        """Take in a notification, or an answer; return whether nothing was missed before it."""
        is_in_step = self._continues(answer)
        if not is_in_step:
            self.doubt(now)
        elif (sequence := answer.envelope.sequence) is not None and sequence != self.token:
            self._know(sequence, now)
        return is_in_step

    def _know(self, token: object, now: float) -> None:
        """Know a state from now on."""
        self._known = _Known(token, now)
        if isinstance(token, int):
            self._count = token, now

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
        return isinstance(self.token, int) and 0 <= sequence - self.token <= changes
