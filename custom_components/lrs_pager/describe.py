"""Sessions and quotes in the words of events, attributes and responses, and our translations."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
from homeassistant.util.language import matches

from .const import DOMAIN, LANGUAGES
from .sessions.quote import Quote
from .sessions.session import PlacedSession
from .sync.picture import Snapshot
from .transmitter import CLEARED, PAGED, STARTED

# The attribute that has a guest's name.
LABEL: Final = "label"


def nearest(language: str) -> str:
    """Return the nearest of LANGUAGES to a tag ("de-CH"); English if none is near."""
    return next(iter(matches(language, LANGUAGES)), LANGUAGES[0])


async def words(hass: HomeAssistant, category: str, language: str | None = None) -> dict[str, str]:
    """Return a category of our translations, in the nearest of our languages.

    language: a tag; if it is None, that of Home Assistant, whose own look-up would give English
    for a region that has no file.
    """
    tag = nearest(language or hass.config.language)
    return await async_get_translations(hass, tag, category, {DOMAIN})


def local_time(instant: float | None) -> str | None:
    """Return an instant (POSIX seconds) as text, in Home Assistant's time zone."""
    if instant is None:
        return None
    return dt_util.as_local(dt_util.utc_from_timestamp(instant)).isoformat()


def _state(session: PlacedSession, *, is_over: bool = False) -> str:
    """Return a session's state. is_over: whether it is known to have ended, as one of the log."""
    if is_over or session.cleared_at is not None or session.clear_type is not None:
        return CLEARED
    return PAGED if session.is_paged else STARTED


def name(session: PlacedSession, *, is_shown: bool) -> dict[str, Any]:
    """The attribute with a session's label; none at all unless the user wants it shown."""
    return {LABEL: session.label} if is_shown else {}


def event_attributes(session: PlacedSession) -> dict[str, Any]:
    """Describe a session as an event does, but for its label."""
    return {
        "number": session.number,
        "party_size": session.party_size,
        "goal_seconds": session.goal,
        "wait_seconds": session.wait,
        "clear_type": session.clear_type,
        "session_id": session.keys[0],
    }


def active_attributes(session: PlacedSession, data: Snapshot) -> dict[str, Any]:
    """Describe an active session as the list of a dashboard does, but for its label."""
    return {
        "number": session.number,
        "party_size": session.party_size,
        "state": _state(session),
        "since": local_time(session.notified_at if session.is_paged else session.created_at),
        "goal_seconds": session.goal,
        "late": session in data.late,
        "not_cleared": session in data.left_over,
    }


def response(session: PlacedSession, *, is_over: bool = False) -> dict[str, Any]:
    """Describe a session as actions return it. is_over: whether it is of the log."""
    return {
        "session_id": session.keys[0],
        "number": session.number,
        LABEL: session.label,
        "party_size": session.party_size,
        "goal_seconds": session.goal,
        "state": _state(session, is_over=is_over),
        "created": local_time(session.created_at),
        "notified": local_time(session.notified_at),
        "cleared": local_time(session.cleared_at),
        "clear_type": session.clear_type,
        "wait_seconds": session.wait,
        "response_seconds": session.response,
    }


async def explanation(hass: HomeAssistant, quote: Quote, language: str | None = None) -> str:
    """Put a quote, or why there is none, in words that a host can say to a guest.

    language: see `words`.
    """
    said = await words(hass, "common", language)
    is_range = quote.low is not None and quote.low != quote.high
    kind = quote.reason or ("range" if is_range else "single")
    return said[f"component.{DOMAIN}.common.explanation_{kind}"].format(
        low=quote.low,
        high=quote.high,
        parties=quote.parties_ahead,
        instead=quote.instead[1] if quote.instead else None,
    )
