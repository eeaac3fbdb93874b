"""A pretend LRS T7470 transmitter that speaks real CoAP, made from the vendor's pages only.

It shares no code with the integration, so that each can be checked against the other.
From the restaurant to the wire:

    floor       guests who come, wait, are paged and leave, day and night
    unit        the transmitter: clock, settings, sessions, history, statistics
      session     a session and its JSON
      statistics  its own counts
      ledger      what the unit has ever archived, and sums over it: the tests' oracle
    requests    what a request says
    resources   the API's paths: what requests do to the unit
    replies     what it says in return, in JSON
    blocks      replies in blocks
    observers   who is notified, and pinged every 30 seconds
    exchanges   message IDs, duplicates, retransmission
    link        the UDP socket
    server      Simulator: all of these on one port
    faults      what can be made to go wrong in any of them

Beside these, and without a unit:

    restaurant  tables, parties and reservations: logs of months whose waits have causes

Run it with ``python -m tests.simulator``.
"""

from pathlib import Path

from .faults import Faults, Network
from .floor import Floor
from .ledger import ArchivedSession, DaySummary, Ledger
from .requests import Asked
from .restaurant import NEVER_QUIET, Restaurant, plan_night
from .server import Simulator
from .session import NoSuchSessionError, Page, Session
from .unit import Change, Unit

__all__ = [
    "HISTORY_EXAMPLE",
    "NEVER_QUIET",
    "ArchivedSession",
    "Asked",
    "Change",
    "DaySummary",
    "Faults",
    "Floor",
    "Ledger",
    "Network",
    "NoSuchSessionError",
    "Page",
    "Restaurant",
    "Session",
    "Simulator",
    "Unit",
    "plan_night",
]

# The example response of GET /v1/sessions/history, word for word: the one thing that a real
# unit is known to have said.
HISTORY_EXAMPLE = Path(__file__).with_name("history_example.json").read_bytes()
