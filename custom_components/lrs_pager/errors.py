"""Errors in the user's words: a transmitter's, and those of requests that can't be met.

The keys are those of `exceptions` in translations/ and, for the config flow, of `config.error`.
"""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .sessions.log import LogClosedError, LogUnreadableError
from .sync.identity import AnotherUnitError, UnknownUnitError
from .transmitter import (
    MalformedError,
    NotResolvedError,
    NotSentError,
    RefusedError,
    RejectedError,
    TimedOutError,
    TransmitterError,
)


def translation(err: TransmitterError) -> tuple[str, dict[str, str]]:
    """Return the translation key for an error, and its placeholders."""
    match err:
        case AnotherUnitError():
            return "another_unit", {}
        case UnknownUnitError():
            return "log_not_loaded", {"error": str(err)}
        case NotResolvedError():
            return "not_resolved", {}
        case RefusedError():
            return "refused", {}
        case TimedOutError() | NotSentError():
            return "timed_out", {}
        case RejectedError():
            return "rejected", {"code": err.code}
        case MalformedError():
            return "malformed", {"field": err.field}
        case _:
            return "unreachable", {}


def failure[E: HomeAssistantError](kind: type[E], err: TransmitterError) -> E:
    """Return an exception of Home Assistant's that says what went wrong."""
    key, placeholders = translation(err)
    return kind(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def command_failure(err: TransmitterError) -> HomeAssistantError:
    """Return the exception for a command that failed, or may have."""
    if isinstance(err, TimedOutError):
        return HomeAssistantError(translation_domain=DOMAIN, translation_key="maybe_done")
    return failure(HomeAssistantError, err)


def log_failure(err: LogClosedError, title: str) -> ServiceValidationError:
    """Return the exception for a log that can't be used. title: of its entry."""
    if isinstance(err, LogUnreadableError):
        return refused("log_not_loaded", error=str(err))
    return refused("not_loaded", title=title)  # it has been unloaded meanwhile


def refused(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the exception for a request that can't be met; nothing was changed by it.

    key: of `exceptions` in translations/. placeholders: of its text.
    """
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )
