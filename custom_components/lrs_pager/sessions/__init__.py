"""What is known of sessions.

session     a session, placed in time, with its durations
tracker     what happens to sessions: the one road for all that the transmitter tells
log         every session that has ended, on the disk
missed      spans in which some may be missing from it
figures     what sessions come to: one definition of each figure
hourly      figures by the hour, as Home Assistant's statistics keep them
pattern     figures by weekday and hour, and by pager
baselines   simple ways to say how long the wait is
neighbours  earlier guests who found a line like the one there is
quote       how long the next guest will wait, by what those waited
waits       sessions, as that takes them
backtest    what quotes would have been worth, over a log
kept        whether guests were paged within what they were told
"""
