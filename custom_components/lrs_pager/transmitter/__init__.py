"""The LRS T7470 transmitter: its CoAP API, and the time it tells. No Home Assistant in here.

    messages    what a unit says, as dataclasses
    behaviour   what a unit was seen to do, for diagnostics
    datagrams   which datagrams aiocoap gets to read
    coap        one request and its response (the only file that imports aiocoap)
    blockwise   bodies of many blocks
    parse       JSON to messages
    history     the history's sessions, chunk by chunk, from where the last read ended
    client      the API's resources as methods of `Transmitter`
    clock       what instant a stamp of the unit means
    exceptions  what can go wrong

Each imports only from those above it (all may import exceptions). The rest of the
integration imports from here, not from the files.
"""

from .client import Answer, Transmitter
from .clock import SLACK, TOLERANCE, BusinessDay, Instants, UnitClock
from .coap import DEFAULT_PORT, KeepAlive, resolve
from .exceptions import (
    ChangedError,
    ClosedError,
    MalformedError,
    NotResolvedError,
    NotSentError,
    RefusedError,
    RejectedError,
    TimedOutError,
    TransmitterError,
    UnreachableError,
)
from .history import Chunk, Cursor
from .messages import (
    CLEARED,
    PAGED,
    REMOVED,
    STARTED,
    STOP,
    Envelope,
    Message,
    Session,
    Settings,
    Statistics,
)
from .parse import MAX_GOAL, MAX_LABEL, MAX_NAME, one_line

__all__ = [
    "CLEARED",
    "DEFAULT_PORT",
    "MAX_GOAL",
    "MAX_LABEL",
    "MAX_NAME",
    "PAGED",
    "REMOVED",
    "SLACK",
    "STARTED",
    "STOP",
    "TOLERANCE",
    "Answer",
    "BusinessDay",
    "ChangedError",
    "Chunk",
    "ClosedError",
    "Cursor",
    "Envelope",
    "Instants",
    "KeepAlive",
    "MalformedError",
    "Message",
    "NotResolvedError",
    "NotSentError",
    "RefusedError",
    "RejectedError",
    "Session",
    "Settings",
    "Statistics",
    "TimedOutError",
    "Transmitter",
    "TransmitterError",
    "UnitClock",
    "UnreachableError",
    "one_line",
    "resolve",
]
