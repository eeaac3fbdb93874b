"""Keeps up with one transmitter.

    follower   all that the transmitter says comes in here, and is merged in one order
    reader     decides what to read, and when
    history    reads the history: on from where it was read before, once a day all of it
    state      how far we know the unit's state, so that it need not be asked for what we know
    push       keeps one observation alive
    clocks     the unit's clock and our own, each of which may be set
    facts      what the unit says of itself
    gaps       spans in which sessions may have been missed
    writer     writes to the session log, in order
    events     who is told what has just happened to sessions
    commands   commands to the transmitter, and a look at what came of them
    picture    the business day, its figures, and the snapshot that is shown
    quotes     how long the next guest will wait, as guests come and go
    moments    moments that come by themselves: late, out too long, the day's end
    soon       one early read at a time
    intervals  how often what is asked for

Clocks and intervals are arguments everywhere, so that tests turn a clock by hand.
"""
