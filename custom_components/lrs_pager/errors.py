"""A transmitter's errors, in the user's words.

The keys are those of `exceptions` in translations/ and, for the config flow, of `config.error`.
"""

from .transmitter import (
    MalformedError,
    NotResolvedError,
    RefusedError,
    RejectedError,
    TimedOutError,
    TransmitterError,
)


def translation(err: TransmitterError) -> tuple[str, dict[str, str]]:
    """Return the translation key for an error, and its placeholders."""
    match err:
        case NotResolvedError():
            return "not_resolved", {}
        case RefusedError():
            return "refused", {}
        case TimedOutError():
            return "timed_out", {}
        case RejectedError():
            return "rejected", {"code": err.code}
        case MalformedError():
            return "malformed", {"field": err.field}
        case _:
            return "unreachable", {}
