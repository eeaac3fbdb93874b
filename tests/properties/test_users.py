"""Whatever users enter: it is done, or refused in their words; what is sent fits and is clean."""

import json
from pathlib import Path
import re
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest
import voluptuous as vol

from custom_components.lrs_pager.config_flow import OPTIONS
from custom_components.lrs_pager.const import CONF_DAY_START, DOMAIN
from custom_components.lrs_pager.services import MAX_NUMBER, MAX_SYSTEM_ID
from custom_components.lrs_pager.transmitter import MAX_GOAL, MAX_LABEL, Transmitter
from custom_components.lrs_pager.transmitter.client import MAX_REQUEST
from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.exceptions import HomeAssistantError
from tests.conftest import SetUp
from tests.properties import anything, fewer, odd_texts, scalars, texts
from tests.simulator import Simulator

PRODUCT = Path(__file__).parents[2] / "custom_components" / DOMAIN
WORDS = json.loads((PRODUCT / "translations" / "en.json").read_text())

NUMBERS = [0, 1, 7, 7.0, "7", "7.5", MAX_NUMBER, MAX_NUMBER + 1, 2**64, True, "nan", "1e400", -1]

# What each field of an action may look like, right or not.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "number": st.sampled_from(NUMBERS) | st.integers(1, 99),
    "session_id": st.sampled_from(["", "None", "1@2026-11-23T12:00:00", 7]) | texts,
    "label": texts | odd_texts | st.text("ü😀\t\n\r\0 ", max_size=250),
    "party_size": st.sampled_from([*NUMBERS, 9_999, 10_000]),
    "goal": st.sampled_from(
        [
            *(0, 1, 600, MAX_GOAL, MAX_GOAL + 1, 1e300, "00:10:00", "00:10", "99:99", -5, "x"),
            *({"minutes": 10}, {"hours": 1e300}, {"days": "x"}, {"weeks": 1}, {}),
        ]
    )
    | scalars,
    "page_mode": st.sampled_from(["Flash30Sec", "", "a\tb", "é", "x" * 41, "Vibe1\n"]) | texts,
    "message": texts | st.text("ü\t\n '\"\\", max_size=250) | st.text(max_size=250),
    "system_id": st.sampled_from([*NUMBERS, MAX_SYSTEM_ID, MAX_SYSTEM_ID + 1]),
    "start": st.sampled_from(["2026-11-23", "2026-11-23 12:00", "0001-01-01T00:00:00+23:00"])
    | texts,
    "end": st.sampled_from(["2026-11-24", "9999-12-31T23:59:59-23:00", 0, 5e300]) | texts,
}

# The actions, with their fields.
ACTIONS = {
    "start_session": ("number", "label", "party_size", "goal"),
    "update_session": ("number", "session_id", "label", "party_size", "goal"),
    "page_session": ("number", "session_id", "page_mode"),
    "clear_session": ("number", "session_id"),
    "remove_session": ("number", "session_id"),
    "send_page": ("number", "page_mode", "message", "system_id"),
    "get_sessions": (),
    "get_history": ("start", "end"),
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An action with data: most of it right, or of any type, or not of that action."""
    action, names = draw(st.sampled_from(list(ACTIONS.items())))
    data = {name: draw(FIELDS[name]) for name in names if name == "number" or draw(st.booleans())}
    if draw(st.integers(0, 4)) == 0:
        data[draw(st.sampled_from(list(FIELDS)))] = draw(anything)
    return action, data


def with_hass(times: int) -> settings:
    """For properties of which each example has the same Home Assistant."""
    return settings(fewer(times), suppress_health_check=[HealthCheck.function_scoped_fixture])


def check_words(err: HomeAssistantError) -> None:
    """Whether an error has words for the user, with all that is to be put into them."""
    assert err.translation_domain == DOMAIN
    assert err.translation_key
    words = WORDS["exceptions"][err.translation_key]["message"]
    assert set(re.findall(r"{(\w+)}", words)) == set(err.translation_placeholders or {})


async def result(hass: HomeAssistant, action: str, data: dict[str, Any]) -> object:
    """What comes of an action; None if it is refused, in words."""
    try:
        return await hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=action != "send_page"
        )
    except vol.Invalid:
        return None  # Home Assistant says what is wrong with the data
    except HomeAssistantError as err:
        check_words(err)
        return None


@given(calls())
# The wrong pager, and a period of time that is none.
@example(("page_session", {"number": "7.5"}))
@example(("start_session", {"number": 7, "goal": 1e300}))
@with_hass(2)
async def test_whatever_an_action_is_given_it_is_done_or_refused_in_words(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, call: tuple[str, dict[str, Any]]
) -> None:
    if not hass.config_entries.async_entries(DOMAIN):
        await set_up()
    simulator.requests.clear()
    await result(hass, *call)
    for request in simulator.requests:
        assert len(request.payload) <= MAX_REQUEST
        assert not set(request.payload) & set(b"\t\r\n\0")
        if request.code != "GET":
            sent = json.loads(request.payload)
            number = sent.get("number") or request.query[0].removeprefix("number=")
            # Never 0, which is every pager; nor another than was asked for.
            assert 1 <= int(number) == float(call[1]["number"]) <= MAX_NUMBER
            assert len(sent.get("label", "")) <= MAX_LABEL
            assert 1 <= sent.get("goal", 1) <= MAX_GOAL
            assert str(sent.get("label", "")).isprintable()


clean = st.text(st.characters(codec="utf-8"), max_size=300)


@given(
    st.integers(1, MAX_NUMBER), clean, clean, st.none() | st.integers(0, 2**32), st.integers(0, 255)
)
@with_hass(2)
async def test_whatever_text_is_sent_fits_into_a_datagram_or_is_refused(
    simulator: Simulator, number: int, label: str, message: str, goal: int | None, system_id: int
) -> None:
    transmitter = Transmitter(simulator.host, simulator.port)
    simulator.requests.clear()
    try:
        await transmitter.start_session(number, goal=goal, label=label, party_size=2)
        await transmitter.update_session(number, label=label)
        await transmitter.send_page(number, message=message, system_id=system_id)
        await transmitter.remove_session(number)
    except ValueError:
        assert max(len(text.encode()) for text in (label, message)) > MAX_REQUEST / 6 - 100
    finally:
        await transmitter.close()
    for request in simulator.requests:
        assert len(request.payload) <= MAX_REQUEST
        assert not set(request.payload) & set(b"\t\r\n\0")


hosts = texts | st.sampled_from(
    [
        *("127.0.0.1", " [::1] ", "localhost", "::", "255.255.255.255", "224.0.1.187"),
        *("127.0.0.1:5683", "coap://127.0.0.1", "::1%lo", "::1%", "%", "[", "]", "[]", ".", "a..b"),
        *("x" * 300, ("x" * 64) + ".local", "ü.local", "xn--", "\0", "127.0.0.1\0", "1", "0x7f.1"),
    ]
)
ports = st.sampled_from([1, 65535, 0, 65536, 1.5, -1, "9"]) | scalars


@pytest.mark.usefixtures("short_timeouts", "_loopback")
@given(hosts, ports)
@with_hass(4)
async def test_whatever_address_is_entered_the_form_says_what_is_wrong_with_it(
    hass: HomeAssistant, host: str, port: Any
) -> None:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    try:
        shown = await hass.config_entries.flow.async_configure(
            form["flow_id"], {CONF_HOST: host, CONF_PORT: port}
        )
    except InvalidData:
        pass
    else:
        assert shown["type"] is FlowResultType.FORM
        assert shown["errors"]
        for key in shown["errors"].values():
            assert key in WORDS["config"]["error"]
            assert key != "unknown"
    hass.config_entries.flow.async_abort(form["flow_id"])


@given(anything)
@example(float("nan"))
@example(23.9)
def test_whatever_hour_is_entered_it_is_an_hour_or_refused(entered: Any) -> None:
    try:
        options = OPTIONS({CONF_DAY_START: entered})
    except vol.Invalid:
        return
    assert type(options[CONF_DAY_START]) is int
    assert 0 <= options[CONF_DAY_START] <= 23
