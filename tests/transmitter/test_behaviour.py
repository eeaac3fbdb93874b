"""What a unit is seen to do, for the diagnostics of the first who has one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
import json
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.lrs_pager.transmitter import (
    Answer,
    MalformedError,
    RejectedError,
    Transmitter,
)
from custom_components.lrs_pager.transmitter.behaviour import KEPT, MAX_FIELDS, Behaviour, Exchange
from custom_components.lrs_pager.transmitter.messages import Message
from custom_components.lrs_pager.transmitter.parse import parse_any, parse_history
from tests.conftest import serve_guest
from tests.properties import fewer
from tests.raw_unit import SESSIONS, RawUnit
from tests.simulator import Simulator
from tests.transmitter import read


@pytest.fixture
async def transmitter(simulator: Simulator) -> AsyncIterator[Transmitter]:
    transmitter = Transmitter(simulator.host, simulator.port)
    yield transmitter
    await transmitter.close()


def shown(transmitter: Transmitter) -> Any:
    """What is shown, as it is in the file."""
    return json.loads(json.dumps(transmitter.behaviour.to_show()))


def message(**told: Any) -> Message:
    return parse_any(json.dumps({"responseTypes": list(told), **told}).encode())


async def test_codes_sizes_blocks_and_round_trips_are_told_of_each_resource(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    for number in range(1, 41):
        serve_guest(simulator.unit, number)
    told = await read(transmitter)
    await read(transmitter, told.cursor)
    answer = await transmitter.sessions()
    assert answer
    await transmitter.sessions(answer.etag)
    with pytest.raises(RejectedError):
        await transmitter.clear_session(7)
    resources = shown(transmitter)["resources"]
    assert set(resources) == {"GET /v1/sessions/history", "GET /v1/sessions", "PUT /v1/sessions"}
    history = resources["GET /v1/sessions/history"]
    assert set(history["codes"]) == {"2.05"}
    assert history["block_sizes"] == [1024]
    assert history["serves_blocks_out_of_order"] is True
    assert history["largest_body"] > 40 * 200
    assert history["most_bytes"] == 1024
    assert 0 < history["round_trip_ms"]["median"] <= history["round_trip_ms"]["worst"]
    assert resources["GET /v1/sessions"]["codes"] == {"2.05": 1, "2.03": 1}
    assert resources["GET /v1/sessions"]["with_etag"] == 2
    assert resources["GET /v1/sessions"]["serves_blocks_out_of_order"] is None
    assert resources["GET /v1/sessions"]["least_bytes"] == 0
    assert resources["PUT /v1/sessions"]["codes"] == {"4.04": 1}


async def test_a_unit_that_serves_blocks_in_their_order_alone_is_seen_to(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.in_order_only = True
    for number in range(1, 41):
        serve_guest(simulator.unit, number)
    told = await read(transmitter)
    await read(transmitter, told.cursor)
    history = shown(transmitter)["resources"]["GET /v1/sessions/history"]
    assert history["serves_blocks_out_of_order"] is False


async def test_what_comes_by_itself_is_told_with_the_interval_of_pings() -> None:
    async with RawUnit(datetime.now) as unit:
        transmitter = Transmitter(unit.host, unit.port)
        told: asyncio.Queue[Answer] = asyncio.Queue()
        observing = asyncio.create_task(transmitter.observe(told.put_nowait))
        await told.get()
        for _ in range(3):
            unit.ping()
            await told.get()
        unit.tell(unit.start(7))
        await told.get()
        await transmitter.close()
        await asyncio.gather(observing, return_exceptions=True)
    seen = shown(transmitter)
    assert seen["pings"]["intervals"] == 2
    assert seen["messages"]["notification: ping"] == {
        "seen": 3,
        "with_count": 3,
        "with_timestamp": 0,
    }
    assert seen["messages"]["notification: sessions+statistics"]["seen"] == 1
    assert seen["messages"]["answer: sessions+statistics"]["with_timestamp"] == 1
    assert seen["resources"]["GET /v1/notify (notifications)"]["codes"] == {"2.05": 4}
    assert seen["resources"]["GET /v1/notify (notifications)"]["round_trip_ms"] is None


def test_the_time_from_one_observation_to_the_next_is_no_interval_of_pings() -> None:
    behaviour = Behaviour()
    for at in (0, 30, 60):
        behaviour.message(message(ping=None), at)
    behaviour.registered()
    for at in (1000, 1030.04):
        behaviour.message(message(ping=None), at)
    assert behaviour.to_show()["pings"] == {
        "intervals": 3,
        "median_s": 30,
        "shortest_s": 30,
        "longest_s": 30,
    }


def test_counts_and_ids_that_begin_anew_are_counted() -> None:
    behaviour, day = Behaviour(), datetime(2026, 11, 23)

    def told(count: int, *ids: int) -> Message:
        sessions = [
            {"id": id_, "created": (day + timedelta(hours=count, minutes=id_)).isoformat()}
            for id_ in ids
        ]
        return message(sessions=sessions, globalSessionSequence=count)

    for seen in (told(1, 10), told(2, 11, 12), told(1, 10), told(2, 11, 12)):
        behaviour.message(seen)
    assert behaviour.to_show()["restarts"] == {"count": 1, "ids": 0}
    behaviour.message(told(50, 1))
    behaviour.message(told(51, 2))
    assert behaviour.to_show()["restarts"] == {"count": 1, "ids": 1}


def test_fields_are_told_by_name_and_type_with_those_never_seen_and_those_unheard_of() -> None:
    behaviour = Behaviour()
    behaviour.message(
        message(
            sessions=[{"id": 1, "label": None, "vip": True}, {"id": "2", "label": "Ortega"}],
            settings={"systemId": 3},
            battery=0.5,
        )
    )
    fields = behaviour.to_show()["fields"]
    assert fields["sessions"]["seen"] == {"id": ["number", "string"], "label": ["null", "string"]}
    assert fields["sessions"]["undocumented"] == {"vip": ["boolean"]}
    assert "uuid" in fields["sessions"]["never_seen"]
    assert "label" not in fields["sessions"]["never_seen"]
    assert fields["settings"]["seen"] == {"systemId": ["number"]}
    assert fields["envelope"]["undocumented"] == {"battery": ["number"]}
    assert fields["session_history"]["seen"] == {}


# JSON of any shape, in which every text is a guest's name.
NAME = "Ortega y Gasset ñ"
names = st.sampled_from([NAME, f"{NAME}\n", f'"{NAME}":1', NAME * 40])
fields = st.sampled_from(
    [
        *("responseTypes", "sessions", "session_history", "statistics", "settings", "ping"),
        *("id", "uuid", "label", "state", "clearType", "deviceName", "firmwareVersion", "created"),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields | names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(fields | names, values))
@example({"responseTypes": [NAME], "sessions": [{NAME: NAME}], NAME: 1})
@fewer(1)
def test_no_guests_name_is_in_it_wherever_the_unit_puts_it(told: dict[str, Any]) -> None:
    behaviour = Behaviour()
    for parse in (parse_any, parse_history):
        for at in (None, 1.0):
            try:
                seen = parse(json.dumps({"responseTypes": ["sessions"]} | told).encode())
            except MalformedError:
                continue
            behaviour.message(seen, at)
    assert "Ortega" not in json.dumps(behaviour.to_show(), ensure_ascii=False)


def test_it_has_no_more_room_than_it_needs_whatever_the_unit_sends() -> None:
    behaviour = Behaviour()
    for number in range(10 * MAX_FIELDS):
        behaviour.message(message(sessions=[{f"f{number}": number}], **{f"g{number}": 1}), number)
        behaviour.message(message(ping=None), number)
        behaviour.exchange(
            "GET /v1/sessions", Exchange(code="2.05", size=number, has_etag=False, seconds=1)
        )
    assert len(behaviour._fields) <= MAX_FIELDS + 5
    assert len(behaviour._messages) < 20
    assert len(behaviour._pings) == KEPT
    assert len(behaviour._resources["GET /v1/sessions"].round_trips) == KEPT
    assert behaviour.to_show()["fields"]["sessions"]["undocumented"]["(other)"] == ["number"]


async def test_what_an_error_says_is_not_kept(transmitter: Transmitter) -> None:
    async with RawUnit(datetime.now) as unit:
        unit.errors[SESSIONS] = "5.00"
        asked = Transmitter(unit.host, unit.port)
        with pytest.raises(RejectedError):
            await asked.sessions()
        await asked.close()
    assert shown(asked)["resources"]["GET /v1/sessions"]["codes"] == {"5.00": 1}
