"""Whatever bytes come: sessions in range, or an error that says what can't be read."""

from datetime import datetime
from typing import Any

from hypothesis import example, given, strategies as st

from custom_components.lrs_pager.transmitter.messages import Session
from custom_components.lrs_pager.transmitter.parse import (
    LIST_END,
    Head,
    parse_history,
    split_list,
)
from tests.parsers import LIST, PARSERS, check, parse_list
from tests.properties import anything, scalars, shown, texts, to_json
from tests.simulator import HISTORY_EXAMPLE

SESSION: dict[str, Any] = {
    "id": 11,
    "uuid": "15e958b7-bc83-4dd1-b4ae-d2bc27f39b3e",
    "number": 4,
    "partySize": 2,
    "goalInSeconds": 300,
    "created": "2018-03-15T08:44:13",
    "started": "2018-03-15T08:44:13",
    "notified": "2018-03-15T08:49:13",
    "cleared": "2018-03-15T11:45:18",
    "label": "Window seat",
    "clearType": "STOP",
    "state": "cleared",
}

# An answer that each parser reads something of.
ANSWER: dict[str, Any] = {
    "responseTypes": ["session_history", "sessions", "settings", "statistics"],
    "globalSessionSequence": 116,
    "timestamp": "2018-03-15T11:45:29",
    "deviceName": "T7470",
    "firmwareVersion": "8.4.100.43",
    "session_history": [SESSION, SESSION | {"id": 12, "uuid": "12"}],
    "sessions": [SESSION | {"id": 13, "uuid": "13"}],
    "statistics": {
        "guestsServed": 41,
        "percentLate": 12.5,
        "percentOnTime": 87.5,
        "averageTimeServed": 421,
        "numSessions": 42,
    },
    "settings": {
        "datetime": "2018-03-15T11:45:29",
        "systemId": 12,
        "defaultTargetGoal": 900,
        "statisticsClearMark": 24,
    },
}


@st.composite
def changed(draw: st.DrawFn, tree: Any, most: int = 3) -> Any:
    """The tree with a few of its values exchanged, taken out, doubled or put elsewhere."""
    tree = _copy(tree)
    for _ in range(draw(st.integers(1, most))):
        places = list(_places(tree))
        if not places:
            break
        node, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["exchange", "remove", "double", "nest", "move"])):
            case "exchange":
                node[key] = draw(anything)
            case "remove":
                del node[key]
            case "double" if isinstance(node, list):
                node.append(_copy(node[key]))
            case "nest":
                node[key] = draw(st.sampled_from([[node[key]], {"id": node[key]}]))
            case _:
                other, elsewhere = draw(st.sampled_from(places))
                node[key] = _copy(other[elsewhere]) if elsewhere in _keys(other) else None
    return tree


def _keys(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node)
    return list(range(len(node))) if isinstance(node, list) else []


def _places(tree: Any) -> Any:
    """Every value in a tree, as what it is in and its key there."""
    for key in _keys(tree):
        yield tree, key
        yield from _places(tree[key])


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    return [_copy(value) for value in tree] if isinstance(tree, list) else tree


@st.composite
def near_answers(draw: st.DrawFn) -> bytes:
    """An answer that is nearly right: a few values are not, a key is there twice, bytes are off."""
    body = to_json(draw(changed(ANSWER)), is_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        key = draw(st.sampled_from([*ANSWER, *SESSION]))
        again = to_json({key: draw(anything)})[:-1] + b", "
        body = body.replace(b"{", again, draw(st.integers(1, 3)))
    for _ in range(draw(st.integers(0, 2))):
        at, byte = draw(st.integers(0, len(body))), draw(st.binary(max_size=2))
        body = body[:at] + byte + body[at + draw(st.integers(0, 2)) :]
    return body


def fields(record: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The record with other values in up to three of its fields, or without them."""
    values = scalars | st.just(...)
    changes = st.dictionaries(st.sampled_from(list(record)), values, min_size=1, max_size=3)
    return changes.map(
        lambda changes: {k: v for k, v in (record | changes).items() if v is not ...}
    )


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    list(check(body))


@given(anything)
def test_any_json_is_an_answer_or_malformed(tree: Any) -> None:
    list(check(to_json(tree)))


@given(near_answers())
def test_an_answer_that_is_nearly_right_is_read_or_malformed(body: bytes) -> None:
    list(check(body))


# One character is two in the other case: a name that was cut before was too long after.
@example(ANSWER, SESSION | {"uuid": "\u0130" * 200}, {}, {})
@example(ANSWER, SESSION | {"clearType": "\u0390" * 40}, {}, {})
@given(fields(ANSWER), fields(SESSION), fields(ANSWER["statistics"]), fields(ANSWER["settings"]))
def test_a_field_that_is_not_right_is_left_out_or_malformed(
    envelope: Any, session: Any, statistics: Any, settings: Any
) -> None:
    told = {"statistics": statistics, "settings": settings}
    told |= {"session_history": [session], "sessions": [session]}
    list(check(to_json(ANSWER | told)))
    list(check(to_json(envelope | told)))


def test_the_answer_that_is_changed_here_is_read_by_every_parser() -> None:
    assert len(list(check(to_json(ANSWER)))) == len(PARSERS)
    assert len(list(check(HISTORY_EXAMPLE))) == 3  # no sessions, no settings


@given(neighbours=st.lists(anything | changed(SESSION), max_size=4), is_ascii=st.booleans())
# Half a surrogate pair, in which orjson reads nothing at all; then also the neighbours' numbers
# are read by another parser.
@example(neighbours=["\ud83d", {"uuid": 10**30}], is_ascii=True)
@example(neighbours=["\ud83d"], is_ascii=False)
def test_a_good_session_is_never_lost_by_its_neighbours(
    neighbours: list[Any], is_ascii: bool
) -> None:
    good = [SESSION | {"id": number, "uuid": f"good-{number}"} for number in range(5)]
    records = [*good]
    for at, neighbour in enumerate(neighbours):
        records.insert(2 * at, neighbour)
    body = to_json(ANSWER | {"session_history": records}, is_ascii=is_ascii)
    expected = list(parse_history(to_json(ANSWER | {"session_history": good})).sessions)
    for parse in (parse_history, parse_list):
        message = parse(body)
        ours = [s for s in message.sessions if (s.uuid or "").startswith("good-")]
        assert ours == expected
        assert len(message.sessions) + message.skipped == len(records)


sessions = st.builds(
    lambda fields, label: SESSION | fields | {"label": label},
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.integers(0, 2**32),
            "uuid": st.uuids().map(str),
            "number": st.integers(0, 999_999),
            "created": shown.map(datetime.isoformat),
            "cleared": shown.map(datetime.isoformat),
            "clearType": st.sampled_from(["STOP", "REMOVED"]),
            "battery": texts,
        },
    ),
    st.none() | texts | st.text('{}[]",:\\ a'),
)


@given(st.lists(sessions, max_size=6), st.integers(0), st.booleans())
def test_of_a_list_that_is_cut_off_the_sessions_before_the_cut_are_read_and_no_others(
    records: list[dict[str, Any]], place: int, is_ascii: bool
) -> None:
    body = to_json(ANSWER | {LIST: records, "sessions": []}, is_ascii=is_ascii)
    whole = parse_list(body)
    assert whole.sessions == parse_history(body).sessions
    assert len(whole.sessions) == len(records)
    head = Head.of(body, LIST, is_all=True, is_enough=True)
    assert head
    items = split_list(body, head.start)
    assert items[-1].text == LIST_END
    # An item may begin where the one before it ends, whatever is read from there.
    cut = head.start + place % (len(body) - head.start)
    before = split_list(body[:cut], head.start)
    assert before == [item for item in items if item.end <= cut]
    after = split_list(body, before[-1].end if before else head.start)
    if not before or before[-1].text != LIST_END:
        assert before + after == items


@given(st.lists(sessions, max_size=3), st.integers(16, 1024))
def test_the_head_of_a_list_is_the_same_however_much_more_is_read(
    records: list[dict[str, Any]], size: int
) -> None:
    body = to_json(ANSWER | {LIST: records})
    heads = {
        Head.of(body[:end], LIST, is_all=end >= len(body), is_enough=False)
        for end in range(size, len(body) + size, size)
    } - {None}
    assert heads == {Head.of(body, LIST, is_all=True, is_enough=True)}


@given(sessions, sessions)
def test_sessions_are_read_alike_whatever_parser_it_takes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Half a surrogate pair somewhere has the whole answer read by the slower one."""

    def read(*records: Any) -> tuple[Session, ...]:
        return parse_history(to_json(ANSWER | {"session_history": records})).sessions

    assert read(one, other, "\ud83d") == read(one, other)
