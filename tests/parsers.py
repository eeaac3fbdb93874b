"""What holds for whatever the parsers are given: for tests/properties, and for fuzz/."""

from collections.abc import Callable, Iterator
from datetime import datetime

from custom_components.lrs_pager.transmitter import MAX_GOAL, MAX_LABEL, MAX_NAME, MalformedError
from custom_components.lrs_pager.transmitter.messages import (
    Envelope,
    Message,
    Session,
    Settings,
    Statistics,
)
from custom_components.lrs_pager.transmitter.parse import (
    LIST_END,
    MAX_INTEGER,
    MAX_UUID,
    Head,
    parse_any,
    parse_history,
    parse_items,
    parse_sessions,
    parse_settings,
    split_list,
)

type Parser = Callable[[bytes], Message]

# The key of the history's list.
LIST = "session_history"


def check(body: bytes) -> Iterator[Message]:
    """Give a body to each parser; yield what those read that could.

    Fails if one raises anything but MalformedError, or reads what can't be.
    """
    for parse in PARSERS:
        try:
            message = parse(body)
        except MalformedError as err:
            _check_text(str(err))
        else:
            _check_message(message)
            yield message


def parse_list(body: bytes) -> Message:
    """Read a history as far as it is there, item by item. Raises MalformedError."""
    head = Head.of(body, LIST, is_all=False, is_enough=True)
    if head is None:
        raise MalformedError(LIST, "not a list")
    items = [item for item in split_list(body, head.start) if item.text != LIST_END]
    return Message(envelope=head.envelope, **parse_items(items)._asdict())


# Each reads a body.
PARSERS: tuple[Parser, ...] = (
    parse_history,
    parse_list,
    parse_sessions,
    parse_settings,
    parse_any,
)


def _check_text(text: str) -> None:
    """Whether an error is fit for a log: the names of fields, and nothing from the wire."""
    assert text.isascii()
    assert len(text) < 80


def _check_message(message: Message) -> None:
    _check_envelope(message.envelope)
    for session in message.sessions:
        _check_session(session)
    assert message.skipped >= 0
    assert message.unreadable_stamps >= 0
    if message.statistics is not None:
        _check_statistics(message.statistics)
    if message.settings is not None:
        _check_settings(message.settings)


def _check_envelope(envelope: Envelope) -> None:
    assert all(isinstance(name, str) for name in envelope.response_types)
    _is_integer(envelope.sequence, 0, MAX_INTEGER)
    _is_time(envelope.timestamp)
    _is_text(envelope.device_name, MAX_NAME)
    _is_text(envelope.firmware_version, MAX_NAME)


def _check_session(session: Session) -> None:
    assert session.uuid or (session.id is not None and session.created)
    assert session.created or session.notified or session.cleared
    _is_integer(session.id, 0, MAX_INTEGER)
    _is_integer(session.number, 0, 999_999)
    _is_integer(session.party_size, 1, 9_999)
    _is_integer(session.goal, 1, MAX_GOAL)
    for time in (session.created, session.notified, session.cleared):
        _is_time(time)
    _is_text(session.uuid, MAX_UUID)
    for name in (session.clear_type, session.state):
        _is_text(name, MAX_NAME)
    _is_text(session.label, MAX_LABEL)


def _check_statistics(statistics: Statistics) -> None:
    _is_integer(statistics.guests_served, 0, MAX_INTEGER)
    _is_integer(statistics.sessions_created, 0, MAX_INTEGER)
    for figure in (
        statistics.percent_late,
        statistics.percent_on_time,
        statistics.average_time_served,
    ):
        assert figure is None or (type(figure) is float and 0 <= figure <= MAX_INTEGER)


def _check_settings(settings: Settings) -> None:
    _is_time(settings.clock)
    _is_integer(settings.system_id, 0, MAX_INTEGER)
    _is_integer(settings.default_target_goal, 0, MAX_GOAL)
    _is_integer(settings.statistics_clear_mark, 0, 24)


def _is_integer(value: object, low: int, high: int) -> None:
    """Whether it is a number in range, and not a bool."""
    assert value is None or (type(value) is int and low <= value <= high)


def _is_time(value: object) -> None:
    """Whether arithmetic over centuries can be done with it."""
    assert value is None or (
        type(value) is datetime
        and value.tzinfo is None
        and value.microsecond == 0
        and 1970 <= value.year <= 2199
    )


def _is_text(value: object, limit: int) -> None:
    """Whether it can be shown and stored: on one line, not too long, of whole characters."""
    assert value is None or (
        type(value) is str and 0 < len(value) <= limit and value.isprintable() and value.strip()
    )
