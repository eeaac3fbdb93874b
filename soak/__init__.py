"""A fortnight of service in minutes, between a real Home Assistant and the simulated transmitter.

Files, each building on those before it:

    clock, wall_clock.c   the wall clocks of both sides, which can be set
    service               the guests, and who serves them: keypad, action, both at once, or
    client                another CoAP client
    plan                  the shifts, and what goes wrong in which
    steps                 what happened to each session, and what was told of it
    comparison            the unit's ledger against the log, the sensors, the statistics
    manager               the same against what a manager is told
    probe                 what Home Assistant's process holds: an integration installed beside ours
    run                   one run, from onboarding to the last comparison
    __main__              the command line, and the report

How days become minutes. Both sides go by one wall clock, of Europe/Berlin in the fortnight in which
summer time ends. It runs at its normal speed; between two shifts, when all guests have gone and all
is compared, it is set ahead by hours, as if both computers had slept. No other clock is touched:
time-outs, retransmissions, pings and polls take the seconds that they take. A faster clock was not
taken, as it would make other time-outs of them, and a real-time clock without leaps has no days.

What is real: Home Assistant as users run it, its disk, database and restarts; `kill -9`; each
datagram; the time between two. What is not: the transmitter; the network, which is this computer's
with losses and delays put in; the closed hours; and how long guests stay, a few seconds rather than
half an hour (but for those of the days before, and of absences of hours, which are as in life). A
day's 270 sessions are three shifts of some seconds, with more at a time than any house has.

What has to be equal, at a checkpoint after each shift and at the end:

- Log: each session that the unit archived is in the file once, with all its fields and instants as
  the unit has them, and nothing else is. To the second; while the unit's clock is too far off to be
  taken as it is, to one second, as the unit tells what it shows in whole seconds.
- Sensors: all figures of the business day, also those that users have to enable.
- Events: each step is told once, and after the steps before it. But a step that Home Assistant had
  not told when it (or the entry) was stopped, or that happened until it was back, need not be told;
  one of the two seconds before it may be told twice, as stamps and clocks are of whole seconds; and
  one that it can only learn of more than 15 minutes late is not told.
- Long-term statistics: each hour's rows follow from the ledger.
- What a manager is told, at the end: get_pattern, get_pagers, the Manager view, how quotes were
  kept, and the file of all sessions. What was quoted is read off the log, as the unit knows none;
  guests who wait for seconds are quoted nothing, so that it is their goals that are compared.
- Nothing of another unit that answers at the address for a while is in any of these, and once that
  is known, it is sent no command. Where the unit has forgotten all, and the user has said that it
  is ours, the pattern leaves out a span; it may leave out another where the history was wiped.
- No guest's name is in the database or in Home Assistant's log; nothing of ours has raised.
- Memory, tasks, open files and objects of the last process do not grow, but for the log itself.

Days on which a NAT lets in nothing that the unit sends by itself are compared as all others are.

The unit forgets: its history holds four days, and is wiped now and then when all is read; once all
is lost. It is never made to forget what Home Assistant had no chance to see. Its clock is set while
no guest is there, and noticed before the next comes: what a session is worth that has stamps of two
clocks is for tests/properties/test_time.py. Home Assistant's own clock is set with guests at the
door, by minutes forward and back; and is hours off at some of its starts, as that of a computer
without a battery is, until it is put right. All waits are compared to the second all the same, and
all else when it is right again.
"""
