"""JSON to sessions: what a user is spared when the unit sends something odd."""

from datetime import datetime
import json
from typing import Any

import pytest

from custom_components.lrs_pager.transmitter import MalformedError, Session
from custom_components.lrs_pager.transmitter.messages import Statistics
from custom_components.lrs_pager.transmitter.parse import (
    Head,
    parse_history,
    parse_sessions,
)
from tests.parsers import LIST, parse_list
from tests.simulator import HISTORY_EXAMPLE

GOOD: dict[str, Any] = {
    "id": 11,
    "uuid": "15e958b7-bc83-4dd1-b4ae-d2bc27f39b3e",
    "number": 4,
    "goalInSeconds": 300,
    "created": "2018-03-15T08:44:13",
    "started": "2018-03-15T08:44:13",
    "notified": "2018-03-15T08:49:13",
    "cleared": "2018-03-15T11:45:18",
    "label": None,
    "clearType": "STOP",
}


def history(*records: Any, **envelope: Any) -> bytes:
    """An answer with these records; envelope keys given as None are null, as ... are left out."""
    answer: dict[str, Any] = {
        "responseTypes": ["session_history"],
        "globalSessionSequence": 116,
        "timestamp": "2018-03-15T11:45:29",
        "deviceName": "T7470",
        "firmwareVersion": "8.4.100.43",
        "session_history": list(records),
    } | envelope
    return json.dumps({k: v for k, v in answer.items() if v is not ...}).encode()


def only(**changes: Any) -> Session:
    """The one session of an answer, with these fields changed; ... leaves one out."""
    record = {k: v for k, v in (GOOD | changes).items() if v is not ...}
    answer = parse_history(history(record))
    assert (len(answer.sessions), answer.skipped) == (1, 0)
    return answer.sessions[0]


def test_the_vendors_own_example_is_read_field_by_field() -> None:
    answer = parse_history(HISTORY_EXAMPLE)
    assert answer.envelope.sequence == 116
    assert answer.envelope.timestamp == datetime(2018, 3, 15, 11, 45, 29)
    assert answer.envelope.device_name == "T7470"
    assert answer.envelope.firmware_version == "8.4.100.43"
    assert answer.skipped == 0
    assert answer.sessions[1] == Session(
        id=17,
        uuid="da4b66f6-af73-45ae-8ad0-c155a306832b",
        number=10,
        party_size=None,
        goal=300,
        created=datetime(2018, 3, 15, 8, 44, 35),
        notified=datetime(2018, 3, 15, 8, 49, 35),
        cleared=datetime(2018, 3, 15, 11, 45, 22),
        clear_type="REMOVED",
        label=None,
        state=None,
    )


def test_an_active_session_has_its_state_and_party() -> None:
    answer = parse_sessions(
        b'{"responseTypes":["sessions","statistics"],"statistics":{},"sessions":[{"id":734,'
        b'"sessionSequence":2051,"uuid":"6f0a5a5e-2f0b-4c57-9d3e-51b7c7e0a914","number":27,'
        b'"partySize":3,"goalInSeconds":900,"created":"2024-06-01T18:02:10",'
        b'"started":"2024-06-01T18:02:10","label":"Window seat","state":"paged"}]}'
    )
    assert answer.sessions[0].state == "paged"
    assert answer.sessions[0].party_size == 3
    assert answer.sessions[0].label == "Window seat"
    assert answer.envelope.timestamp is None


def test_statistics_are_figures_or_not_known() -> None:
    def read(statistics: Any) -> Any:
        return parse_sessions(
            history(responseTypes=["sessions"], sessions=[], statistics=statistics)
        ).statistics

    assert read({"guestsServed": 41, "percentLate": "12.5", "numSessions": 42.0}) == Statistics(
        guests_served=41,
        percent_late=12.5,
        percent_on_time=None,
        average_time_served=None,
        sessions_created=42,
    )
    nonsense = {"guestsServed": -1, "percentLate": [1], "averageTimeServed": "soon"}
    assert read(nonsense) == read({"percentOnTime": True, "numSessions": 1e300})
    assert read(None) is read([]) is None


@pytest.mark.parametrize("empty", [[], None, ...])
def test_an_empty_history_may_be_written_in_any_way(empty: Any) -> None:
    answer = parse_history(history(session_history=empty))
    assert answer.sessions == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("responseTypes", ...),
        ("responseTypes", None),
        ("responseTypes", "session_history"),
        ("responseTypes", [1]),
        ("session_history", {}),
        ("session_history", "none"),
    ],
)
def test_an_envelope_that_cannot_be_read_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(MalformedError) as raised:
        parse_history(history(GOOD, **{field: value}))
    assert raised.value.field == field


def test_another_answer_is_not_taken_for_a_history() -> None:
    with pytest.raises(MalformedError) as raised:
        parse_history(history(responseTypes=["sessions"], session_history=...))
    assert raised.value.field == "responseTypes"


@pytest.mark.parametrize(
    ("field", "name", "odd"),
    [
        ("globalSessionSequence", "sequence", ["many", -1, True, 1.5]),
        (
            "timestamp",
            "timestamp",
            ["yesterday", "", 0, "2000-00-00T00:00:00", "9999-12-31T23:59:59"],
        ),
        ("deviceName", "device_name", [7470]),
        ("firmwareVersion", "firmware_version", [8.4, ["8"]]),
    ],
)
def test_what_an_envelope_lacks_or_says_oddly_is_not_known_and_costs_no_session(
    field: str, name: str, odd: list[Any]
) -> None:
    for value in (None, ..., *odd):
        answer = parse_history(history(GOOD, **{field: value}))
        assert getattr(answer.envelope, name) is None
        assert len(answer.sessions) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        HISTORY_EXAMPLE[:700],
        b"[]",
        b"null",
        b"7",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_answer_at_all_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_history(body)


@pytest.mark.parametrize(
    "record",
    [
        None,
        7,
        "session",
        [],
        {},
        {"id": 1},
        {"uuid": "u"},
        GOOD | {"uuid": None, "id": None},
        GOOD | {"uuid": "", "created": None, "started": None},
        GOOD | {"uuid": None, "id": "eleven"},
        GOOD | {"uuid": None, "id": -1},
        GOOD | {"uuid": "00000000-0000-0000-0000-000000000000", "id": float(2**60)},
        GOOD | dict.fromkeys(("created", "started", "notified", "cleared"), "soon"),
    ],
)
def test_one_bad_record_never_takes_the_others_with_it(record: Any) -> None:
    answer = parse_history(history(record, GOOD))
    assert [s.number for s in answer.sessions] == [4]
    assert answer.skipped == 1


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("cleared", "soon", "cleared"),
        ("cleared", 1521114318, "cleared"),
        ("cleared", "0001-01-01T00:00:00", "cleared"),
        ("notified", "2018-02-30T00:00:00", "notified"),
        ("notified", "0000-00-00T00:00:00", "notified"),
    ],
)
def test_a_time_that_cannot_be_read_is_none_and_is_counted(
    field: str, value: Any, name: str
) -> None:
    answer = parse_history(history(GOOD | {field: value}))
    assert getattr(answer.sessions[0], name) is None
    assert (answer.skipped, answer.unreadable_stamps) == (0, 1)
    assert parse_history(history(GOOD)).unreadable_stamps == 0


def test_of_two_names_for_its_beginning_a_session_has_the_one_that_can_be_read() -> None:
    read = only(created={"at": "2018-03-15T08:44:13"}, started="2018-03-15T08:44:13")
    assert read.created == datetime(2018, 3, 15, 8, 44, 13)


@pytest.mark.parametrize(
    "field", ["number", "partySize", "goalInSeconds", "label", "clearType", "state", "notified"]
)
@pytest.mark.parametrize("value", [None, ...])
def test_a_session_may_lack_what_is_not_its_identity(field: str, value: Any) -> None:
    assert only(**{field: value}).uuid == GOOD["uuid"]


@pytest.mark.parametrize("value", [None, ...])
def test_a_session_may_lack_its_end_or_its_beginning(value: Any) -> None:
    assert only(cleared=value).cleared is None
    assert only(created=value).created == datetime(2018, 3, 15, 8, 44, 13)  # as "started" says
    assert only(created=value, started=value).created is None


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("number", "27", 27),
        ("number", 27.0, 27),
        ("number", "twenty", None),
        ("number", True, None),
        ("number", -3, None),
        ("number", [27], None),
        ("party_size", 3, 3),
        ("party_size", 0, None),
        ("party_size", 10**12, None),
        ("party_size", "inf", None),
        ("goal", "900", 900),
        ("goal", 0, None),
        ("goal", -1, None),
        ("goal", 1e300, None),
    ],
)
def test_numbers_may_come_as_text_and_nonsense_is_not_known(
    field: str, value: Any, read: int | None
) -> None:
    names = {"number": "number", "party_size": "partySize", "goal": "goalInSeconds"}
    assert getattr(only(**{names[field]: value}), field) == read


def test_a_uuid_is_text_whatever_the_vendors_table_says() -> None:
    assert only(uuid=4711).uuid == "4711"
    assert only(uuid=GOOD["uuid"].upper()).uuid == GOOD["uuid"]


def test_a_uuid_that_the_unit_does_not_fill_is_none() -> None:
    for uuid in ("00000000-0000-0000-0000-000000000000", 0, "", " ", None, False, True):
        assert only(uuid=uuid).uuid is None


def test_a_uuid_is_read_whole_or_not_at_all_as_its_beginning_may_be_anothers() -> None:
    urn = f"urn:uuid:{GOOD['uuid']}"
    assert only(uuid=urn).uuid == urn
    assert only(uuid="a" * 200).uuid == "a" * 200
    assert only(uuid="a" * 201).uuid is None


def test_an_id_that_makes_no_sense_is_not_needed_beside_a_uuid() -> None:
    for identity in ("eleven", -1, None, [11], False, True):
        assert only(id=identity).id is None


def test_an_empty_time_is_one_that_is_not_there() -> None:
    assert only(notified="").notified is None


def test_what_a_unit_written_in_c_leaves_around_its_answer_is_taken_off() -> None:
    for body in (b"\xef\xbb\xbf" + HISTORY_EXAMPLE, HISTORY_EXAMPLE + b"\0\r\n\0"):
        assert len(parse_history(body).sessions) == 2


def test_enumerations_are_read_in_any_case_and_unknown_values_kept() -> None:
    assert only(clearType="removed").clear_type == "REMOVED"
    assert only(clearType="Timeout").clear_type == "TIMEOUT"
    assert only(clearType=5).clear_type is None
    assert only(state="PAGED").state == "paged"


def test_extra_fields_are_ignored() -> None:
    assert only(battery=7, nested={"a": [1, {"b": 2}]}).number == 4


@pytest.mark.parametrize(
    ("label", "read"),
    [
        ("Müller", "Müller"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("  ", None),
        ("", None),
        (7, None),
        ("x" * 5000, "x" * 200),
    ],
)
def test_a_label_is_one_line_of_text(label: Any, read: str | None) -> None:
    assert only(label=label).label == read


def test_a_text_that_was_cut_does_not_end_in_a_blank() -> None:
    assert only(label="x" * 199 + " y").label == "x" * 199


def test_a_name_is_no_longer_than_its_limit_whatever_its_case() -> None:
    # One character of these is two or three in the other case.
    assert only(uuid="\u0130" * 101).uuid is None
    assert only(clearType="\u0390" * 40).clear_type == "\u0399\u0308\u0301" * 13 + "\u0399"
    assert only(state="\u0130" * 40).state == "i\u0307" * 20


@pytest.mark.parametrize("control", ["\t", "\n", "\0", "\x1f"])
def test_a_label_with_a_control_character_as_it_is_costs_nothing_but_itself(control: str) -> None:
    # JSON wants them escaped; a unit that copies what was typed may not see to that.
    body = history(GOOD | {"label": "two@words"}, GOOD | {"uuid": "b"})
    answer = parse_history(body.replace(b"@", control.encode()))
    assert [s.label for s in answer.sessions] == ["two words", None]


def test_a_number_too_long_to_be_one_costs_nothing_but_itself() -> None:
    body = history(GOOD | {"number": 987}, GOOD | {"uuid": "b"})
    answer = parse_history(body.replace(b"987", b"9" * 5_000))
    assert [s.number for s in answer.sessions] == [None, 4]


def test_a_label_in_another_encoding_costs_nothing_but_itself() -> None:
    body = history(GOOD | {"label": "M@ller"}, GOOD | {"uuid": "b", "label": "Grün"})
    answer = parse_history(body.replace(b"@", b"\xfc").replace(b"\\u00fc", "ü".encode()))
    assert [s.label for s in answer.sessions] == ["Müller", "Grün"]


def test_a_label_with_half_a_character_costs_nothing_but_itself() -> None:
    answer = parse_history(history(GOOD | {"label": "smile @"}).replace(b"@", b"\\ud83d"))
    assert answer.sessions[0].label == "smile"
    answer.sessions[0].label.encode()


def test_times_with_fractions_or_a_zone_are_read_by_the_second() -> None:
    for text in ("2018-03-15T11:45:18.999", "2018-03-15T11:45:18Z", "2018-03-15 11:45:18"):
        assert only(cleared=text).cleared == datetime(2018, 3, 15, 11, 45, 18)


def test_a_brace_in_a_label_does_not_make_a_session() -> None:
    label = '}{"id":99,"uuid":"fake","created":"2018-03-15T08:44:13"}'
    body = history(GOOD | {"label": label}, {"id": 1}, GOOD | {"uuid": "x", "cleared": "soon"})
    assert [s.uuid for s in parse_list(body).sessions] == [GOOD["uuid"], "x"]


@pytest.mark.parametrize("size", [16, 64, 300, 1024])
def test_the_head_of_a_list_is_the_same_as_long_as_its_first_session_is(size: int) -> None:
    def head(body: bytes) -> Head | None:
        """As a client sees it, block by block."""
        for end in range(size, len(body) + size, size):
            is_all = end >= len(body)
            if found := Head.of(body[:end], LIST, is_all=is_all, is_enough=is_all):
                return found
        return None

    body = history(GOOD, GOOD | {"id": 12})
    assert head(body) is not None
    assert head(body) == head(body.replace(b":29", b":30"))  # the time of day
    assert head(body) == head(history(GOOD, GOOD | {"id": 12}, uptime=7))
    assert head(body) != head(history(GOOD, GOOD | {"id": 12}, globalSessionSequence=117))
    assert head(body) != head(history(GOOD | {"id": 12}, GOOD))
    assert head(body) != head(history())


def test_a_list_without_a_beginning_is_malformed() -> None:
    with pytest.raises(MalformedError):
        parse_list(b'{"id":1}...')


@pytest.mark.parametrize("zero", ["1970-01-01T00:00:00", "2000-01-01T00:00:00"])
def test_the_zero_of_a_clock_is_no_time_of_a_step(zero: str) -> None:
    session = only(notified=zero, cleared=zero)
    assert session.created
    assert session.notified is session.cleared is None
    # But a unit whose clock begins there may well have a session in its first second.
    first = only(created=zero, notified=zero, cleared=zero)
    assert first.created == first.notified == first.cleared
