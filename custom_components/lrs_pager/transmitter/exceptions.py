"""What can go wrong between us and a transmitter.

    TransmitterError
    ├── UnreachableError      no answer: the network, the address, or the unit is off
    │   ├── NotResolvedError  the host's name has no address
    │   ├── RefusedError      the host is there, but takes no message on the port
    │   ├── NotSentError      a request that has not been sent, and won't be
    │   ├── TimedOutError     silence; a command may or may not have been carried out
    │   └── ClosedError       we ended it ourselves
    ├── RejectedError         an answer, and it says no
    └── MalformedError        an answer that can't be read
        └── ChangedError      because it became another one while its blocks were read

Their texts name no host, no label and no other value from the wire: they are fit for a log.
"""


class TransmitterError(Exception):
    """A request to the transmitter failed."""


class UnreachableError(TransmitterError):
    """The transmitter gave no answer."""


class NotResolvedError(UnreachableError):
    """The host's name could not be resolved to an address."""


class RefusedError(UnreachableError):
    """The host answered that nothing listens on the port, or reset the message (RST)."""


class NotSentError(UnreachableError):
    """A request was not sent, and won't be.

    Its turn did not come in time, or nobody knows who would get it.
    """


class TimedOutError(UnreachableError):
    """The transmitter did not answer in time."""


class ClosedError(UnreachableError):
    """The client was closed, before the request or during it."""


class RejectedError(TransmitterError):
    """The transmitter answered with an error code.

    code: the CoAP response code as RFC 7252 writes it, "4.04".
    """

    def __init__(self, code: str) -> None:
        """Take the code."""
        super().__init__(f"answered {code}")
        self.code = code

    @property
    def is_unknown_resource(self) -> bool:
        """Whether the unit has no such resource, as older firmware lacks some.

        The codes are 4.04 Not Found and 4.05 Method Not Allowed.
        """
        return self.code in {"4.04", "4.05"}


class MalformedError(TransmitterError):
    """An answer can't be read.

    field: the name of what can't be read: in the API ("session_history"), in CoAP ("Block2",
    "code"), or "body" or "message" for the whole of it.
    """

    def __init__(self, field: str, reason: str) -> None:
        """Name the field and the reason, never the value."""
        super().__init__(f"{field}: {reason}")
        self.field = field


class ChangedError(MalformedError):
    """An answer's blocks don't belong together, as the unit's state changed between them."""

    def __init__(self) -> None:
        """Name the body as a whole."""
        super().__init__("body", "changed while it was read")
