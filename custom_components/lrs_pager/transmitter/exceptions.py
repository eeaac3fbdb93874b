"""What can go wrong between us and a transmitter.

    TransmitterError
    ├── UnreachableError      no answer: the network, the address, or the unit is off
    │   ├── NotResolvedError  the host's name has no address
    │   ├── RefusedError      the host is there, but nothing listens on the port
    │   ├── TimedOutError     silence; a command may or may not have been carried out
    │   └── ClosedError       we ended it ourselves
    ├── RejectedError         an answer, and it says no
    └── MalformedError        an answer that can't be read
        └── ChangedError      because it became another one while its blocks were fetched

Their texts name no host, no label and no other value from the wire: they are fit for a log.
"""


class TransmitterError(Exception):
    """A request to the transmitter failed."""


class UnreachableError(TransmitterError):
    """The transmitter gave no answer."""


class NotResolvedError(UnreachableError):
    """The host's name could not be resolved to an address."""


class RefusedError(UnreachableError):
    """The host answered that nothing listens on the port."""


class TimedOutError(UnreachableError):
    """The transmitter did not answer in time."""


class ClosedError(UnreachableError):
    """The client was closed, before the request or during it."""


class RejectedError(TransmitterError):
    """The transmitter answered with an error code.

    code: the CoAP response code as RFC 7252 writes it, "4.04".
    text: what the body said, if anything. It is the unit's own text: not for logs.
    """

    def __init__(self, code: str, text: str = "") -> None:
        """Keep code and text apart, so that callers can choose what to show."""
        super().__init__(f"answered {code}")
        self.code = code
        self.text = text


class MalformedError(TransmitterError):
    """An answer can't be read.

    field: the name of what can't be read, as the API names it ("session_history").
    """

    def __init__(self, field: str, reason: str) -> None:
        """Name the field and the reason, never the value."""
        super().__init__(f"{field}: {reason}")
        self.field = field


class ChangedError(MalformedError):
    """An answer's later blocks are gone, as the unit's state changed in the middle of it."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("body", "changed while it was read")
