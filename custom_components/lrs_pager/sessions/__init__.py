"""What is known of sessions.

session      a session, placed in time, with its durations
placing      why it has these instants and durations
tracker      what happens to sessions: the one road for all that the transmitter tells
figures      counts, waits and rates of sessions: one definition of each figure
hourly       figures by the hour, as Home Assistant's statistics keep them
pattern      figures by weekday and hour, and by pager

log          every session that has ended, on the disk; made of the next six
disk         its file, whatever becomes of that
store        its sessions, in the file and in memory
database     the file as it is read and written: an SQLite database
schema       the format of the file
damage       what is saved of a damaged file
old_log      the file of version 0.1, which is taken over once
missed       spans in which sessions may be missing from the log

quote        how long the next guest will wait
neighbours   earlier guests who arrived when the line looked the same
baselines    simple ways to estimate the wait, to compare quotes with
waits        sessions as quote.py takes them
backtest     what quotes would have been worth, over a log
kept_quotes  whether guests were paged within the time that was quoted
"""
