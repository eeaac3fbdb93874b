"""Voice: what is answered, in the language of who asked. Nothing here ends a session.

Home Assistant registers the intents below, for sentences that users write and for language models.
The blueprint for voice has sentences of its own, and takes its answers from the action `answer`.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from math import inf
import re
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import intent

from .const import DOMAIN, MAX_PARTY_SIZE
from .describe import explanation, nearest, words
from .errors import log_failure, refused
from .sessions.log import LogClosedError
from .sessions.session import PlacedSession
from .target import allowed_coordinator, known, named_entry_id

# The most pagers that an answer names: nobody keeps more in mind.
MOST_NAMED: Final = 10
# What is spoken of a guest's name: it is whatever somebody typed, and some voices obey markup.
MAX_SPOKEN_NAME: Final = 40
NOT_SPOKEN: Final = re.compile(r"[^\w .'-]")

# The largest number that is understood in words; in digits, all are.
MAX_WORD: Final = 999


class Request(StrEnum):
    """What can be asked for."""

    WAIT = "wait"
    WAITING = "waiting"
    LATE = "late"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said.

    language: a tag ("de-CH"). number: of guests, or of the pager, in digits or words. places: names
    of the transmitter or its area. entry_id: of the transmitter that is meant if no place is named.
    assistant: the one to which it has to be exposed; None if it need not be. say_names: whether
    guests' names are spoken.
    """

    request: Request
    language: str
    number: str = ""
    places: tuple[str, ...] = ()
    entry_id: str | None = None
    assistant: str | None = None
    say_names: bool = False


async def answer(hass: HomeAssistant, said: Said, context: Context) -> tuple[str, bool]:
    """Do what was said, as far as the user of the context may.

    Returns what to answer, in the nearest of LANGUAGES or else in English, and whether it was done.
    """
    language = nearest(said.language)
    try:
        return await _do(hass, said, language, context), True
    except Unauthorized:
        err: HomeAssistantError = refused("not_allowed")
    except HomeAssistantError as other:
        err = other
    refusals = await words(hass, "exceptions", language)
    text = refusals.get(f"component.{DOMAIN}.exceptions.{err.translation_key}.message", str(err))
    return text.format(**err.translation_placeholders or {}), False


async def _do(hass: HomeAssistant, said: Said, language: str, context: Context) -> str:
    """Do what was said, and return what to answer. Raises HomeAssistantError if that fails."""
    entry_id = said.entry_id
    if said.places or not entry_id:
        entry_id = named_entry_id(hass, said.places, said.assistant)
    translated = await words(hass, "common", language)

    def text(key: str, **values: object) -> str:
        return translated[f"component.{DOMAIN}.common.{key}"].format(**values)

    if said.request is Request.PAGE:
        number = await _number(hass, said.number, language)
        page = {"number": number, "config_entry_id": entry_id}
        await hass.services.async_call(DOMAIN, "page_session", page, blocking=True, context=context)
        return text("said_paged", number=number)

    coordinator = await allowed_coordinator(hass, entry_id, context, POLICY_READ)
    data = known(coordinator)
    if said.request is Request.WAIT:
        size = await _number(hass, said.number, language)
        if not 1 <= size <= MAX_PARTY_SIZE:
            raise refused("not_a_number", heard=said.number)
        try:
            quote = await coordinator.quotes.ask(size)
        except LogClosedError as err:
            raise log_failure(err, coordinator.config_entry.title) from err
        return await explanation(hass, quote, language)

    if data.active is None:
        raise refused("no_live_sessions")
    is_late = said.request is Request.LATE
    sessions = data.late if is_late else data.waiting
    if not sessions:
        return text("voice_nobody_late" if is_late else "nobody_waits")
    oldest_first = sorted(sessions, key=lambda session: session.created_at or inf)
    pagers = [_spoken(session, text("no_number"), said.say_names) for session in oldest_first]
    if len(pagers) > MOST_NAMED:
        pagers[MOST_NAMED:] = ["…"]
    key = "voice_late" if is_late else "voice_waiting"
    return text(key, count=len(sessions), pagers=", ".join(pagers))


def _spoken(session: PlacedSession, no_number: str, say_names: bool) -> str:
    """Name a session: its pager and, if that is wanted, its guest."""
    number = no_number if session.number is None else str(session.number)
    label = (session.label or "") if say_names else ""
    return f"{number} {NOT_SPOKEN.sub(' ', label)[:MAX_SPOKEN_NAME].strip()}".strip()


# ------------------------------------------------------------------ what was heard


async def _number(hass: HomeAssistant, heard: str, language: str) -> int:
    """Return the number that was heard. All of the text has to be it, or the wrong guest is paged.

    Raises ServiceValidationError if it is none.
    """
    if digits := re.fullmatch(r"\s*(\d{1,9})(\.0)?\s*", heard):  # ranges of sentences have floats
        return int(digits[1])
    try:
        numbers = await hass.async_add_executor_job(_number_words, language)
    except ImportError:  # `conversation` is not set up
        numbers = {}
    if (number := numbers.get(_letters(heard))) is None:
        raise refused("not_a_number", heard=heard)
    return number


@cache
def _number_words(language: str) -> dict[str, int]:
    """Return the numbers that are understood in words, by their letters. Takes up to half a second.

    Raises ImportError without the package, which comes with Home Assistant's `conversation`.
    """
    engine = import_module("unicode_rbnf").RbnfEngine.for_language(language.partition("-")[0])
    return {
        _letters(word): number
        for number in range(1, MAX_WORD + 1)
        for word in engine.format_number(number).text_by_ruleset.values()
    }


def _letters(text: str) -> str:
    """The letters and digits of a text, as some write the words of a number together."""
    return "".join(filter(str.isalnum, text.casefold()))


# ---------------------------------------------------------------------------- intents


class LrsPagerIntent(intent.IntentHandler):
    """An intent for transmitters of which *Active sessions* is exposed. It tells no names.

    number: describes the number that is said with it; None if there is none.
    """

    platforms = {Platform.SENSOR}  # noqa: RUF012  # as Home Assistant has it

    def __init__(self, request: Request, name: str, description: str, number: str | None) -> None:
        """Take the request, its name, and its description for language models."""
        self.request = request
        self.intent_type = name
        self.description = description
        self._number = number

    @property
    @override
    def slot_schema(self) -> dict[vol.Marker, Any]:
        """What may be said with it."""
        schema: dict[vol.Marker, Any] = {
            vol.Optional("name", description="Name of the transmitter"): intent.non_empty_string,
            vol.Optional("area", description="Area of the transmitter"): intent.non_empty_string,
        }
        if self._number:
            schema[vol.Required("number", description=self._number)] = intent.non_empty_string
        return schema

    @override
    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Do what was said, and answer."""
        slots = self.async_validate_slots(intent_obj.slots)
        said = Said(
            request=self.request,
            language=intent_obj.language,
            number=slots["number"]["value"] if self._number else "",
            places=tuple(slots[name]["value"] for name in ("name", "area") if name in slots),
            assistant=intent_obj.assistant,
        )
        text, is_done = await answer(intent_obj.hass, said, intent_obj.context)
        response = intent_obj.create_response()
        if is_done:
            response.async_set_speech(text)
        else:
            response.async_set_error(intent.IntentResponseErrorCode.FAILED_TO_HANDLE, text)
        return response


INTENTS: Final = (
    LrsPagerIntent(
        Request.WAIT,
        "LrsPagerGetWait",
        "Says how long a party that arrives at the restaurant's door now will wait",
        "How many guests are in the party",
    ),
    LrsPagerIntent(
        Request.WAITING,
        "LrsPagerGetWaiting",
        "Says how many parties wait at the restaurant's door, and their pagers' numbers",
        None,
    ),
    LrsPagerIntent(
        Request.LATE,
        "LrsPagerGetLate",
        "Says which pagers' guests wait for longer than they were promised",
        None,
    ),
    LrsPagerIntent(
        Request.PAGE,
        "LrsPagerPageGuest",
        "Pages the guest who holds a pager, so that they come to their table",
        "The number of the pager",
    ),
)


async def async_setup_intents(hass: HomeAssistant) -> None:
    """Register the intents; Home Assistant calls this."""
    for handler in INTENTS:
        intent.async_register(hass, handler)
