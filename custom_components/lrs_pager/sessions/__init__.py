"""What is known of sessions.

session  a session, placed in time, with its durations
tracker  what happens to sessions: the one road for all that the transmitter tells
log      every session that has ended, on the disk
figures  what sessions come to: one definition of each figure
hourly   figures by the hour, as Home Assistant's statistics keep them
"""
