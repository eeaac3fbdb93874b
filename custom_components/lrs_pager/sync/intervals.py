"""How often a transmitter is asked for what, each with its reason. All are seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """The intervals of one transmitter."""

    # A guest's session takes minutes, so half a minute is soon enough for what the history tells,
    # and one small request per 30 s is nothing even to an embedded unit.
    poll: float = 30

    # While the transmitter tells changes as they happen, a poll is there to notice if it does not.
    # Its pings tell that each 30 s, so that one small request in five minutes is plenty.
    push_poll: float = 5 * 60

    # A session's change shows in the list of active sessions, which a poll asks for first. In case
    # it doesn't (the unit's ETags have the resolution of its clock), what was added to the history
    # is read once in this time all the same, but for transmitters that are known to tell every
    # change, by message and by count.
    history: float = 5 * 60

    # The whole history, in case that a session was added elsewhere than at its end, unseen, or was
    # changed. A busy fortnight is half a megabyte, too much to ask for more often without need.
    whole_history: float = 24 * 3600

    # Settings are told when they change, where there is push. Where there is not, nobody minds an
    # hour for what is set once. An ETag is used for no longer, either: the unit's are times of its
    # own clock, which may have been set.
    settings: float = 3600

    # From the end of a session to the read of the history that tells how it ended: sessions that
    # end together, as at closing time, take one read. After a gap in the notifications the read
    # waits as long, as the missing one may be under way.
    read_delay: float = 1

    # The unit pings its observers every 30 s (documented). One that is 5 s late was lost twice, or
    # the unit has rebooted and forgotten its observers: to register anew costs one small request.
    ping: float = 30
    ping_slack: float = 5

    # The longest that a ping may take. The unit drops observers who miss three pings in a row; so
    # do we where pings come less often than documented, or none has come yet.
    silence: float = 95

    # How long we must have sent nothing for a ping to show that messages get through. A NAT lets in
    # for a while what follows a request, so that an earlier ping shows nothing of later ones.
    proof_age: float = 10

    # Where no ping arrives. Linux's NAT, as of Docker, forgets a flow after 30 s, just when the
    # first ping is due; after two minutes, if packets went both ways for more than 2 s. One request
    # 5 s after the registration sees to that.
    keep_alive: float = 5

    # Where that is not enough: other NATs forget sooner, whatever went through. With these seconds,
    # one of the first two pings comes late enough after what was sent.
    keep_alive_again: float = 14
