"""Actions: start, change, page, end, list and sum up sessions; page without one; quote waits.

Also what a voice assistant answers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
import unicodedata

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util

from .const import DOMAIN, MAX_PARTY_SIZE
from .coordinator import LrsPagerCoordinator
from .describe import explanation, local_time, response
from .errors import command_failure, failure, log_failure, refused
from .fields import period, whole
from .intent import Request, Said, answer
from .manager import MOST_WEEKS, PATTERN_WEEKS, pagers, pattern, weeks_before
from .sessions.backtest import back_test
from .sessions.database import BEGINNING
from .sessions.log import LogClosedError
from .sessions.missed import missed_spans
from .sessions.pattern import METRICS
from .sessions.quote import Wait
from .sessions.session import PlacedSession
from .sessions.waits import wait_of
from .target import allowed_coordinator, known
from .transmitter import (
    MAX_GOAL,
    MAX_LABEL,
    MAX_NAME,
    Answer,
    NotSentError,
    RejectedError,
    Transmitter,
    TransmitterError,
    one_line,
)

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_NUMBER: Final = "number"
ATTR_SESSION_ID: Final = "session_id"
ATTR_LABEL: Final = "label"
ATTR_PARTY_SIZE: Final = "party_size"
ATTR_GOAL: Final = "goal"
ATTR_PAGE_MODE: Final = "page_mode"
ATTR_MESSAGE: Final = "message"
ATTR_SYSTEM_ID: Final = "system_id"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_METRIC: Final = "metric"
ATTR_WEEKS: Final = "weeks"
ATTR_FROM: Final = "from"
ATTR_TO: Final = "to"
ATTR_REQUEST: Final = "request"
ATTR_HEARD: Final = "heard"
ATTR_PLACE: Final = "place"
ATTR_LANGUAGE: Final = "language"
ATTR_SAY_NAMES: Final = "say_names"

# Pagers' numbers: guest pagers have 12 bits of them on the air, staff pagers may have longer ones.
MAX_NUMBER = 999_999

# The longest message that any LRS pager shows.
MAX_MESSAGE = 200

# System IDs have 8 bits on the air.
MAX_SYSTEM_ID = 255

# 4.04 Not Found: what a CoAP server says of something that isn't there.
NOT_FOUND = "4.04"

# Seconds by which a session's stamp may be older than the answer to the command that started it,
# beside the time that the answer took: stamps are cut to whole seconds, and a unit may be slow.
STAMP_SLACK = 3

type Fields = dict[vol.Marker, Any]


ENTRY: Fields = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
PAGER: Fields = {**ENTRY, vol.Required(ATTR_NUMBER): whole}
SESSION: Fields = {**PAGER, vol.Optional(ATTR_SESSION_ID): cv.string}
PAGE_MODE: Fields = {vol.Optional(ATTR_PAGE_MODE): cv.string}
# Times that are given are taken for one in between, as others have no local time in some zones.
EARLIEST: Final = round(datetime(1, 1, 3, tzinfo=UTC).timestamp())
LATEST: Final = round(datetime(9998, 1, 1, tzinfo=UTC).timestamp())

PARTY_SIZE: Final = vol.All(whole, vol.Range(min=1, max=MAX_PARTY_SIZE))
FIELDS: Fields = {
    vol.Optional(ATTR_LABEL): cv.string,
    vol.Optional(ATTR_PARTY_SIZE): PARTY_SIZE,
    vol.Optional(ATTR_GOAL): period,
}
PAGE: Fields = {
    **PAGER,
    **PAGE_MODE,
    vol.Optional(ATTR_MESSAGE): cv.string,
    vol.Optional(ATTR_SYSTEM_ID): vol.All(whole, vol.Range(min=0, max=MAX_SYSTEM_ID)),
}
PERIOD: Fields = {
    **ENTRY,
    vol.Optional(ATTR_START): cv.datetime,
    vol.Optional(ATTR_END): cv.datetime,
}
PATTERN: Fields = {
    **ENTRY,
    vol.Optional(ATTR_METRIC): vol.In(METRICS),
    vol.Optional(ATTR_WEEKS, default=PATTERN_WEEKS): vol.All(
        whole, vol.Range(min=1, max=MOST_WEEKS)
    ),
    vol.Optional(ATTR_FROM): cv.datetime,
    vol.Optional(ATTR_TO): cv.datetime,
}
ANSWER: Fields = {
    **ENTRY,
    vol.Required(ATTR_REQUEST): vol.Coerce(Request),
    vol.Optional(ATTR_HEARD, default=""): cv.string,
    vol.Optional(ATTR_PLACE, default=""): cv.string,
    vol.Optional(ATTR_LANGUAGE): cv.string,
    vol.Optional(ATTR_SAY_NAMES, default=False): cv.boolean,
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""

    def register(
        name: str,
        handle: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]],
        schema: Fields,
        responds: SupportsResponse,
    ) -> None:
        async def handle_while_open(call: ServiceCall) -> ServiceResponse:
            try:
                return await handle(call)
            except LogClosedError as err:
                title = (await _coordinator(call, POLICY_READ)).config_entry.title
                raise log_failure(err, title) from err

        hass.services.async_register(
            DOMAIN, name, handle_while_open, schema=vol.Schema(schema), supports_response=responds
        )

    optional, only, none = SupportsResponse.OPTIONAL, SupportsResponse.ONLY, SupportsResponse.NONE
    register("start_session", _start_session, {**PAGER, **FIELDS}, optional)
    register("update_session", _update_session, {**SESSION, **FIELDS}, optional)
    register("page_session", _page_session, {**SESSION, **PAGE_MODE}, optional)
    register("clear_session", _clear_session, SESSION, optional)
    register("remove_session", _remove_session, SESSION, optional)
    register("send_page", _send_page, PAGE, none)
    register("get_sessions", _get_sessions, ENTRY, only)
    register("get_history", _get_history, PERIOD, only)
    register("get_quote", _get_quote, {**ENTRY, vol.Required(ATTR_PARTY_SIZE): PARTY_SIZE}, only)
    register("evaluate_quotes", _evaluate_quotes, ENTRY, only)
    register("get_pattern", _get_pattern, PATTERN, only)
    register("get_pagers", _get_pagers, ENTRY, only)
    register("answer", _answer, ANSWER, only)


# ------------------------------------------------------------------------------ actions


async def _start_session(call: ServiceCall) -> ServiceResponse:
    """Give a pager to a guest."""
    coordinator, number, fields = await _coordinator(call), _number(call), _fields(call)
    unit = coordinator.transmitter.at_once()
    # If the pager is in use, the unit starts no session but changes the one that is there.
    async with _session_lock(coordinator, unit):
        if await _look(coordinator, unit, number, None):
            raise refused("already_active", number=str(number))
        command = partial(unit.start_session, number, **fields)
        try:
            answer = await coordinator.commands.send(command)
        except TransmitterError as err:
            raise command_failure(err) from err
    session = _told(coordinator, number, answer)
    if session and _was_there_before(coordinator, session, answer):
        raise _other_session_changed(number)
    return _response(session)


async def _update_session(call: ServiceCall) -> ServiceResponse:
    """Change the given fields of a session."""
    coordinator, number, fields = await _coordinator(call), _number(call), _fields(call)
    if not fields:
        raise refused("nothing_to_change")
    return await _change(
        call, coordinator, number, lambda unit: unit.update_session(number, **fields)
    )


async def _page_session(call: ServiceCall) -> ServiceResponse:
    """Page the guest."""
    coordinator, number, page_mode = await _coordinator(call), _number(call), _page_mode(call)
    changed = await _change(
        call, coordinator, number, lambda unit: unit.page_session(number, page_mode)
    )
    coordinator.commands.paged(number)
    return changed


async def _clear_session(call: ServiceCall) -> ServiceResponse:
    """End a session: the guest was served."""
    coordinator, number = await _coordinator(call), _number(call)
    return await _change(call, coordinator, number, lambda unit: unit.clear_session(number))


async def _remove_session(call: ServiceCall) -> ServiceResponse:
    """End a session: the guest is gone."""
    coordinator, number = await _coordinator(call), _number(call)
    return await _change(call, coordinator, number, lambda unit: unit.remove_session(number))


async def _send_page(call: ServiceCall) -> None:
    """Page without a session."""
    coordinator = await _coordinator(call)
    page = partial(
        coordinator.transmitter.at_once().send_page,
        _number(call),
        page_mode=_page_mode(call),
        message=_message(call),
        system_id=call.data.get(ATTR_SYSTEM_ID),
    )
    try:
        await coordinator.commands.identify()
        # It changes nothing that is shown, so that there is nothing to be read after it: the next
        # page of a script goes out at once.
        await page()
    except TransmitterError as err:
        raise command_failure(err) from err


async def _get_sessions(call: ServiceCall) -> ServiceResponse:
    """List the active sessions, as they are known."""
    coordinator = await _coordinator(call, POLICY_READ)
    data = known(coordinator)
    if data.active is None:
        raise refused("no_live_sessions")
    return {
        "sessions": [{**response(session), "late": session in data.late} for session in data.active]
    }


async def _get_history(call: ServiceCall) -> ServiceResponse:
    """List ended sessions of the log; today's if no time is given."""
    coordinator = await _coordinator(call, POLICY_READ)
    day = (await coordinator.async_snapshot()).day
    start, end = _instant(call, ATTR_START, day.start), _instant(call, ATTR_END, day.end)
    if start >= end:
        raise refused("end_before_start")
    sessions: list[Any] = []
    # Batch by batch: all of some years at once would hold up the event loop for seconds.
    async for batch in coordinator.log.batches(start, end):
        sessions += [response(session, is_over=True) for session in batch]
        await asyncio.sleep(0)
    return {"sessions": sessions}


async def _get_quote(call: ServiceCall) -> ServiceResponse:
    """Say how long a party that arrives now will wait."""
    coordinator = await _coordinator(call, POLICY_READ)
    known(coordinator)
    quote = await coordinator.quotes.ask(call.data[ATTR_PARTY_SIZE])
    return {
        "quote": quote.high,
        "from": quote.low,
        "parties_ahead": quote.parties_ahead,
        "based_on": quote.based_on,
        "reason": quote.reason and quote.reason.value,
        "explanation": await explanation(call.hass, quote),
    }


async def _evaluate_quotes(call: ServiceCall) -> ServiceResponse:
    """Say how good quotes would have been for the sessions of the log."""
    coordinator = await _coordinator(call, POLICY_READ)
    missed = await missed_spans(coordinator.log)
    zone = dt_util.get_default_time_zone()

    def waits_of(batch: list[PlacedSession]) -> list[Wait]:
        return [wait for session in batch if (wait := wait_of(session, zone, missed))]

    batches = coordinator.log.made_of_batches(waits_of, BEGINNING)
    waits = [wait async for batch in batches for wait in batch]
    report = await call.hass.async_add_executor_job(back_test, waits)
    return report.as_dict()


async def _get_pattern(call: ServiceCall) -> ServiceResponse:
    """Sum up the log by weekday and hour."""
    coordinator = await _coordinator(call, POLICY_READ)
    end = _instant(call, ATTR_TO, int(dt_util.utcnow().timestamp()) + 1)
    last = dt_util.utc_from_timestamp(end)
    start = _instant(call, ATTR_FROM, weeks_before(last, call.data[ATTR_WEEKS]))
    if start >= end:
        raise refused("end_before_start")
    if start < weeks_before(last, MOST_WEEKS):
        raise refused("period_too_long", most=str(MOST_WEEKS))
    found = await pattern(call.hass, coordinator.log, start, end)
    cells = found["cells"]
    if metric := call.data.get(ATTR_METRIC):
        cells = [
            {key: cell[key] for key in ("weekday", "hour", "sessions", metric)} for cell in cells
        ]
    return {
        "from": local_time(start),
        "to": local_time(end),
        "cells": cells,
        "left_out": [
            {"from": local_time(began), "to": local_time(ended)}
            for began, ended in found["left_out"]
        ],
    }


async def _get_pagers(call: ServiceCall) -> ServiceResponse:
    """List the pagers, and how often a page was not answered."""
    found: list[Any] = await pagers(await _coordinator(call, POLICY_READ))
    return {"pagers": found}


async def _answer(call: ServiceCall) -> ServiceResponse:
    """Do what was said to a voice assistant; return what to say, also if that went wrong."""
    place: str = call.data[ATTR_PLACE]
    said = Said(
        request=call.data[ATTR_REQUEST],
        language=call.data.get(ATTR_LANGUAGE) or call.hass.config.language,
        number=call.data[ATTR_HEARD],
        places=(place,) if place.strip() else (),
        entry_id=call.data.get(ATTR_CONFIG_ENTRY_ID),
        say_names=call.data[ATTR_SAY_NAMES],
    )
    speech, is_done = await answer(call.hass, said, call.context)
    return {"speech": speech, "done": is_done}


# --------------------------------------------------------------------------- in between


async def _coordinator(call: ServiceCall, policy: str = POLICY_CONTROL) -> LrsPagerCoordinator:
    """The transmitter that is meant, if the user who calls may use it; see target.py."""
    entry_id: str | None = call.data.get(ATTR_CONFIG_ENTRY_ID)
    return await allowed_coordinator(call.hass, entry_id, call.context, policy)


async def _change(
    call: ServiceCall,
    coordinator: LrsPagerCoordinator,
    number: int,
    give: Callable[[Transmitter], Awaitable[Answer]],
) -> ServiceResponse:
    """Send a command for the session on a pager, and return that session.

    give: gives the command to the transmitter, which does not send it if it would be late. If the
    call has a session_id, the command is not sent for another session.
    """
    session_id: str | None = call.data.get(ATTR_SESSION_ID)
    unit = coordinator.transmitter.at_once()
    command = partial(give, unit)
    if session_id is None:
        return _response(await _send(coordinator, number, command))
    async with _session_lock(coordinator, unit):
        session = await _look(coordinator, unit, number, session_id)
        if session is None:
            raise refused("no_session", number=str(number))
        if session_id not in session.keys:
            raise refused("other_session", number=str(number))
        session = await _send(coordinator, number, command)
    if session and session_id not in session.keys:
        raise _other_session_changed(number)
    return _response(session)


@asynccontextmanager
async def _session_lock(coordinator: LrsPagerCoordinator, unit: Transmitter) -> AsyncIterator[None]:
    """Hold session_lock for a command.

    Raises HomeAssistantError if the command's deadline passes before.
    """
    lock = coordinator.commands.session_lock
    try:
        async with asyncio.timeout_at(unit.deadline):
            await lock.acquire()
    except TimeoutError as err:
        raise failure(HomeAssistantError, NotSentError("others wait before it")) from err
    try:
        yield
    finally:
        lock.release()


async def _send(
    coordinator: LrsPagerCoordinator, number: int, command: Callable[[], Awaitable[Answer]]
) -> PlacedSession | None:
    """Send a command for the session on a pager; see `_told`."""
    try:
        answer = await coordinator.commands.send(command)
    except TransmitterError as err:
        # Where the unit tells no active sessions, 4.04 may mean that it lacks the command.
        is_told = coordinator.data.active is not None
        if is_told and isinstance(err, RejectedError) and err.code == NOT_FOUND:
            raise refused("no_session", number=str(number)) from err
        raise command_failure(err) from err
    if "sessions" in answer.envelope.response_types and not answer.sessions and not answer.skipped:
        raise refused("no_session", number=str(number))
    return _told(coordinator, number, answer)


async def _look(
    coordinator: LrsPagerCoordinator, unit: Transmitter, number: int, session_id: str | None
) -> PlacedSession | None:
    """The active session on a pager; None if there is none. To be called with session_lock held.

    unit: what the list is requested of. session_id: that of the session that should be there; None
    if there should be none. Then, if none is known and push tells all changes, the unit isn't
    asked.
    Raises HomeAssistantError if the unit can't be asked. If its firmware has no list of the active
    sessions, what is known is returned; with a session_id, ServiceValidationError is raised unless
    push is live.
    """
    is_free = session_id is None and _active(coordinator, number) is None
    if is_free and coordinator.follower.poller.knows_active:
        return None
    try:
        await coordinator.commands.ask_sessions(unit)
    except TransmitterError as err:
        if not (isinstance(err, RejectedError) and err.is_unknown_resource):
            raise failure(HomeAssistantError, err) from err
        if session_id is not None and not coordinator.follower.push.is_live:
            raise refused("no_live_sessions") from err
    return _active(coordinator, number)


def _active(coordinator: LrsPagerCoordinator, number: int) -> PlacedSession | None:
    """The active session on a pager, as far as is known."""
    active = coordinator.follower.tracker.active or ()
    return next((session for session in active if session.number == number), None)


def _told(coordinator: LrsPagerCoordinator, number: int, answer: Answer) -> PlacedSession | None:
    """The session that a command was for, as it is known after it; None if it is not known."""
    for session in answer.sessions:
        if session.number == number and (placed := coordinator.follower.tracker.find(session)):
            return placed
    # The answer did not tell it; the active sessions were read after it.
    return _active(coordinator, number) if coordinator.last_update_success else None


def _was_there_before(
    coordinator: LrsPagerCoordinator, session: PlacedSession, answer: Answer
) -> bool:
    """Whether a session began before the command that should have started it was sent.

    By the unit's own clock. False if its time or that of the session's creation is not known.
    """
    now = answer.envelope.timestamp
    clocks = coordinator.follower.clocks
    if now is None and clocks.is_known:
        now = clocks.unit(answer.answered).time_at(clocks.at(answer.answered))
    if now is None or session.created is None:
        return False
    age = (now - datetime.fromisoformat(session.created)).total_seconds()
    return age > answer.answered - answer.asked + STAMP_SLACK


def _other_session_changed(number: int) -> HomeAssistantError:
    """The exception for a command that the unit may have carried out for another session."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="other_session_changed",
        translation_placeholders={"number": str(number)},
    )


def _response(session: PlacedSession | None) -> ServiceResponse:
    """What an action returns of its session."""
    return {"session": response(session) if session else None}


def _number(call: ServiceCall) -> int:
    """The number of one pager."""
    number: int = call.data[ATTR_NUMBER]
    if number == 0:
        raise refused("every_pager")
    if not 1 <= number <= MAX_NUMBER:
        raise refused("number_out_of_range", most=str(MAX_NUMBER))
    return number


def _fields(call: ServiceCall) -> dict[str, Any]:
    """The fields of a session that are given; the goal in seconds."""
    fields = {name: call.data[name] for name in (ATTR_LABEL, ATTR_PARTY_SIZE) if name in call.data}
    if ATTR_LABEL in fields:
        fields[ATTR_LABEL] = _clean(fields[ATTR_LABEL])
        if len(fields[ATTR_LABEL]) > MAX_LABEL:
            raise refused("text_too_long", field=ATTR_LABEL, most=str(MAX_LABEL))
    if ATTR_GOAL in call.data:
        fields[ATTR_GOAL] = round(call.data[ATTR_GOAL].total_seconds())
        if not 1 <= fields[ATTR_GOAL] <= MAX_GOAL:
            raise refused("goal_out_of_range")
    return fields


def _page_mode(call: ServiceCall) -> str | None:
    """The name of a page mode. Five are known; others are for the unit to know."""
    mode: str | None = call.data.get(ATTR_PAGE_MODE)
    if mode is not None and not (mode.isascii() and mode.isalnum() and len(mode) <= MAX_NAME):
        raise refused("page_mode_invalid")
    return mode


def _message(call: ServiceCall) -> str | None:
    """A text for a pager's display; a blank one is none."""
    message = _clean(call.data.get(ATTR_MESSAGE, ""))
    if not message:
        return None
    if len(message) > MAX_MESSAGE:
        raise refused("text_too_long", field=ATTR_MESSAGE, most=str(MAX_MESSAGE))
    try:
        # Pagers' displays have the characters of ISO 8859-1. A message that arrives in pieces is
        # worse than one that is refused.
        message.encode("latin-1")
    except UnicodeEncodeError as err:
        raise refused("message_not_showable") from err
    return message


def _clean(text: str) -> str:
    """Put a text on one line, as the unit takes no tabs and newlines.

    Letters are put together with their accents, as far as there is one character for both.
    """
    return " ".join(one_line(unicodedata.normalize("NFC", text)).split())


def _instant(call: ServiceCall, name: str, default: int) -> int:
    """A time that is given, in POSIX seconds; without a zone, it is Home Assistant's local time."""
    if (time := call.data.get(name)) is None:
        return default
    assert isinstance(time, datetime)
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt_util.get_default_time_zone())
    return min(max(round(time.timestamp()), EARLIEST), LATEST)
