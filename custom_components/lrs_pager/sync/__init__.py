"""Keeps up with one transmitter.

    follower   all that the transmitter says comes in here, and is merged in one order
    poller     decides what a poll reads, and when the next one is
    history    when the history is read again, and how: from where the last read ended
    identity   whether what answers is the transmitter whose sessions the log has
    state      whether what is known of the unit is current, so that it need not be asked
    push       keeps one observation alive
    clocks     the unit's clock and our own, each of which may be set
    facts      what the unit says of itself
    gaps       spans in which sessions may have been missed
    writer     writes to the session log, in order
    events     who is told what has just happened to sessions
    commands   commands to the transmitter, and a look at what came of them
    picture    the business day, its figures, and the snapshot that is shown
    timers     what comes by itself: late, out too long, the day's end
    quoting    how long the next guest will wait, as guests come and go
    soon       early reads, put together: there is one, at the earliest moment
    intervals  how often the transmitter is asked for what

Clocks and intervals are arguments everywhere, so that tests turn a clock by hand.
"""
