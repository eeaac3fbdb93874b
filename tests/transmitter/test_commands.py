"""Commands to a simulated transmitter: what goes over the wire, and that it goes once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
import gc
import math
from typing import Any

import aiocoap
from aiocoap.numbers.codes import Code
import pytest

from custom_components.lrs_pager.transmitter import (
    CLEARED,
    MAX_GOAL,
    MAX_LABEL,
    PAGED,
    STARTED,
    Answer,
    ClosedError,
    MalformedError,
    NotSentError,
    RefusedError,
    RejectedError,
    Settings,
    TimedOutError,
    Transmitter,
    TransmitterError,
    coap,
)
from tests.conftest import serve_guest
from tests.simulator import Page, Simulator, Unit
from tests.simulator.link import Link
from tests.transmitter import read
from tests.virtual_time import run

type Command = Callable[[Transmitter], Awaitable[Answer]]

NEW_YEAR = datetime(2027, 1, 1, 0, 0, 5)


@pytest.fixture
async def transmitter(simulator: Simulator) -> Any:
    transmitter = Transmitter(simulator.host, simulator.port)
    yield transmitter
    await transmitter.close()


@pytest.fixture
def datagrams(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Whatever comes over the wire to any unit, also what it doesn't hear."""
    datagrams: list[bytes] = []
    take = Link.datagram_received

    def datagram_received(self: Link, data: bytes, addr: Any) -> None:
        datagrams.append(data)
        take(self, data, addr)

    monkeypatch.setattr(Link, "datagram_received", datagram_received)
    return datagrams


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a command again after 0.1 s, and give up before it were sent once more, after 0.3 s."""
    monkeypatch.setattr(coap, "COMMAND_ACK_TIMEOUT", 0.1)
    monkeypatch.setattr(coap._Tuning, "ACK_RANDOM_FACTOR", 1.0)
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.25)


async def when_it_would_have_been_sent_again() -> None:
    """Wait for longer than it takes until the third datagram of an impatient command."""
    await asyncio.sleep(0.3)


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110  # there is no event for all that is waited for
            await asyncio.sleep(0.001)


def message_ids(datagrams: list[bytes]) -> set[int]:
    return {aiocoap.Message.decode(data).mid for data in datagrams}


# --------------------------------------------------------------------------------- bytes

GET, POST, PUT, DELETE = 1, 2, 3, 4

# A message from its options on (RFC 7252, 3.1), written by hand. An option begins with how far
# its number is from the last one's (Uri-Path 11, Content-Format 12, Uri-Query 15) and its length.
SESSIONS = b"\xb2v1\x08sessions"
STATISTICS = SESSIONS + b"\x0astatistics"
SETTINGS = b"\xb2v1\x08settings"
PAGE = b"\xb2v1\x04page"
JSON = b"\x11\x32"  # 50
NUMBER = b"\x39number=27"

COMMANDS: list[tuple[Command, int, bytes]] = [
    (
        lambda unit: unit.start_session(27),
        POST,
        SESSIONS + JSON + b'\xff{"number":27}',
    ),
    (
        lambda unit: unit.start_session(27, goal=900, label="Window seat", party_size=3),
        POST,
        SESSIONS + JSON + b'\xff{"number":27,"goal":900,"label":"Window seat","partySize":3}',
    ),
    (
        lambda unit: unit.update_session(27, label="Jos\u00e9"),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"label":"Jos\xc3\xa9"}',
    ),
    (
        lambda unit: unit.update_session(27, goal=0, party_size=12),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"goal":0,"partySize":12}',
    ),
    (
        lambda unit: unit.page_session(27),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"action":"page"}',
    ),
    (
        lambda unit: unit.page_session(27, "Flash30Sec"),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"action":"page","pageMode":"Flash30Sec"}',
    ),
    (
        lambda unit: unit.clear_session(27),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"action":"clear"}',
    ),
    (
        lambda unit: unit.remove_session(27),
        PUT,
        SESSIONS + JSON + NUMBER + b'\xff{"action":"remove"}',
    ),
    (lambda unit: unit.clear_sessions(), DELETE, SESSIONS),
    (lambda unit: unit.clear_statistics(), DELETE, STATISTICS),
    (
        lambda unit: unit.set_settings(clock=NEW_YEAR),
        POST,
        SETTINGS + JSON + b'\xff{"datetime":"2027-01-01T00:00:05"}',
    ),
    (
        lambda unit: unit.set_settings(default_target_goal=600),
        POST,
        SETTINGS + JSON + b'\xff{"defaultTargetGoal":600}',
    ),
    (
        lambda unit: unit.send_page(27),
        POST,
        PAGE + JSON + b'\xff{"number":27}',
    ),
    (
        lambda unit: unit.send_page(27, page_mode="Vibe1", message="Table 4", system_id=2),
        POST,
        PAGE + JSON + b'\xff{"number":27,"pageMode":"Vibe1","message":"Table 4","systemId":2}',
    ),
]


@pytest.mark.parametrize(("command", "code", "rest"), COMMANDS)
async def test_a_command_is_one_message_with_the_documented_bytes_and_no_other(
    command: Command,
    code: int,
    rest: bytes,
    datagrams: list[bytes],
    simulator: Simulator,
    transmitter: Transmitter,
) -> None:
    simulator.unit.create(27)
    await command(transmitter)
    [datagram] = datagrams
    token_length = datagram[0] & 0x0F
    assert datagram[0] >> 4 == 0b0100, "not confirmable"
    assert datagram[1] == code
    assert datagram[4 + token_length :] == rest
    assert simulator.requests[0].answered in ("2.01", "2.02", "2.04")


async def test_settings_are_read_with_a_get(
    datagrams: list[bytes], transmitter: Transmitter
) -> None:
    await transmitter.settings()
    request = aiocoap.Message.decode(datagrams[0])
    assert (request.code, request.opt.uri_path) == (Code.GET, ("v1", "settings"))


async def test_only_clear_sessions_ever_deletes_sessions(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    # A DELETE for one session would clear all of them if its query were lost.
    deleting = set()
    for command, _, rest in COMMANDS:
        simulator.unit.create(27)
        datagrams.clear()
        await command(transmitter)
        request = aiocoap.Message.decode(datagrams[0])
        if request.code == Code.DELETE:
            assert not request.opt.uri_query
            deleting.add(rest)
    assert deleting == {SESSIONS, STATISTICS}


async def test_a_removal_that_lost_its_number_would_remove_nothing(
    simulator: Simulator, transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.unit.create(7)
    simulator.unit.create(8)
    message = coap.Endpoint._message

    def without_query(self: coap.Endpoint, *args: Any) -> Any:
        lost = message(self, *args)
        lost.opt.uri_query = ()
        return lost

    monkeypatch.setattr(coap.Endpoint, "_message", without_query)
    with pytest.raises(RejectedError):
        await transmitter.remove_session(7)
    assert set(simulator.unit.active) == {7, 8}


@pytest.mark.parametrize("number", [0, -1])
@pytest.mark.parametrize(
    "command",
    [
        Transmitter.start_session,
        Transmitter.update_session,
        Transmitter.page_session,
        Transmitter.clear_session,
        Transmitter.remove_session,
        Transmitter.send_page,
    ],
)
async def test_every_pager_at_once_is_no_pager(
    command: Any, number: int, datagrams: list[bytes], transmitter: Transmitter
) -> None:
    with pytest.raises(ValueError, match="one pager"):
        await command(transmitter, number)
    assert datagrams == []


async def test_what_fits_into_one_datagram_is_sent_and_nothing_longer(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    longest = "x" * (1024 - len('{"number":7,"message":""}'))
    await transmitter.send_page(7, message=longest)
    assert len(simulator.requests[0].payload) == 1024
    with pytest.raises(ValueError, match="too long"):
        await transmitter.send_page(7, message=longest + "x")
    with pytest.raises(ValueError, match="too long"):  # bytes count, not characters
        await transmitter.start_session(7, label="\u00e9" * 600)
    assert len(datagrams) == 1


async def test_the_longest_label_of_the_longest_characters_fits(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    longest = "\U0001f37d" * MAX_LABEL
    answer = await transmitter.start_session(27, goal=MAX_GOAL, label=longest, party_size=9999)
    assert answer.sessions[0].label == simulator.unit.active[27].label == longest


# -------------------------------------------------------------------------- what they do


async def test_a_session_is_started_with_what_is_given(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    answer = await transmitter.start_session(27, goal=900, label="Window seat", party_size=3)
    [session] = answer.sessions
    assert (session.number, session.goal, session.label) == (27, 900, "Window seat")
    assert (session.party_size, session.state) == (3, STARTED)
    assert session.uuid == simulator.unit.active[27].uuid
    assert answer.statistics
    assert answer.statistics.sessions_created == 1
    assert answer.envelope.sequence == 1
    assert answer.asked <= answer.answered
    assert not answer.is_all


async def test_a_session_is_started_with_the_units_default_goal(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.default_target_goal = 420
    [session] = (await transmitter.start_session(27)).sessions
    assert session.goal == 420


async def test_a_pager_that_has_a_session_keeps_it(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    [first] = (await transmitter.start_session(27, goal=900)).sessions
    [second] = (await transmitter.start_session(27, label="Ortega")).sessions
    assert second.uuid == first.uuid
    assert (second.goal, second.label) == (900, "Ortega")


async def test_an_update_changes_what_is_given_and_no_more(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.create(27, goal=900, label="Ortega", party_size=2)
    [session] = (await transmitter.update_session(27, party_size=5)).sessions
    assert (session.goal, session.label, session.party_size) == (900, "Ortega", 5)
    [session] = (await transmitter.update_session(27, goal=60, label="Kim")).sessions
    assert (session.goal, session.label, session.party_size) == (60, "Kim", 5)
    assert simulator.unit.pages == []


@pytest.mark.parametrize(("mode", "on_air"), [(None, "Flash30Sec"), ("Vibe1", "Vibe1")])
async def test_a_guest_is_paged(
    mode: str | None, on_air: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.create(27)
    answer = await transmitter.page_session(27, mode)
    [session] = answer.sessions
    assert session.state == PAGED
    assert session.notified == simulator.unit.active[27].notified
    assert answer.statistics
    assert answer.statistics.guests_served == 1
    assert [(page.number, page.mode) for page in simulator.unit.pages] == [(27, on_air)]


@pytest.mark.parametrize(
    ("command", "clear_type"),
    [(Transmitter.clear_session, "STOP"), (Transmitter.remove_session, "REMOVED")],
)
async def test_one_session_is_ended_and_the_others_go_on(
    command: Any, clear_type: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    for number in (7, 27, 270):
        simulator.unit.create(number)
    [session] = (await command(transmitter, 27)).sessions
    assert (session.number, session.state) == (27, CLEARED)
    assert [(s["number"], s["clearType"]) for s in simulator.unit.history] == [(27, clear_type)]
    assert set(simulator.unit.active) == {7, 270}


async def test_all_sessions_are_cleared(simulator: Simulator, transmitter: Transmitter) -> None:
    for number in (7, 27):
        simulator.unit.create(number)
    answer = await transmitter.clear_sessions()
    assert (answer.sessions, answer.is_all) == ((), False)  # the answer is without a payload
    assert simulator.unit.active == {}
    assert len(simulator.unit.history) == 2


async def test_statistics_begin_anew_and_sessions_stay(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guest(simulator.unit)
    simulator.unit.create(27)
    await transmitter.clear_statistics()
    assert simulator.unit.statistics()["numSessions"] == 0
    assert set(simulator.unit.active) == {27}
    assert len(simulator.unit.history) == 1


async def test_settings_are_told(simulator: Simulator, transmitter: Transmitter) -> None:
    simulator.unit.frozen_at = NEW_YEAR
    simulator.unit.system_id = 12
    answer = await transmitter.settings()
    assert answer.settings == Settings(
        clock=NEW_YEAR, system_id=12, default_target_goal=300, statistics_clear_mark=24
    )
    assert answer.envelope.timestamp == NEW_YEAR


async def test_settings_that_a_unit_says_are_known_are_malformed(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.always_valid = True
    with pytest.raises(MalformedError):
        await transmitter.settings()


async def test_the_units_clock_and_goal_are_set_and_told(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.frozen_at = datetime(2000, 1, 1)
    # A fraction would be no time that the vendor documents.
    answer = await transmitter.set_settings(clock=NEW_YEAR.replace(microsecond=999_999))
    assert answer.settings
    assert simulator.unit.time() == answer.settings.clock == NEW_YEAR
    answer = await transmitter.set_settings(default_target_goal=600)
    assert answer.settings
    assert (answer.settings.default_target_goal, answer.settings.clock) == (600, NEW_YEAR)
    assert simulator.unit.default_target_goal == 600


async def test_a_pager_without_a_session_is_paged(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.frozen_at = NEW_YEAR
    answer = await transmitter.send_page(27, page_mode="Vibe1", message="Table 4", system_id=2)
    assert answer.sessions == ()
    assert simulator.unit.pages == [Page(NEW_YEAR, 27, "Vibe1", "Table 4", 2)]
    assert simulator.unit.active == {}


# ---------------------------------------------------------------------------- answers


@pytest.mark.parametrize("fault", ["malformed", "truncated"])
async def test_a_command_whose_answer_can_not_be_read_has_been_carried_out(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.switch(fault, on=True)
    answer = await transmitter.start_session(27)
    assert set(simulator.unit.active) == {27}
    assert (answer.sessions, answer.statistics, answer.settings) == ((), None, None)
    assert answer.skipped == 1
    assert not answer.is_all


async def test_a_command_whose_answer_is_cut_on_its_way_is_not_sent_again(
    simulator: Simulator, transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A read would be, as more than 4 KiB of an answer don't arrive; a page would go out twice.
    monkeypatch.setattr(simulator.faults, "spoil", lambda body: body.ljust(5000) if body else body)
    simulator.unit.create(27)
    await transmitter.page_session(27)
    assert len(simulator.unit.pages) == 1


async def test_a_command_that_the_unit_refuses_is_told_with_its_code_and_not_repeated(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    with pytest.raises(RejectedError) as raised:
        await transmitter.page_session(27)  # which has no session
    assert raised.value.code == "4.04"
    simulator.faults.error_5_00 = True
    with pytest.raises(RejectedError) as raised:
        await transmitter.send_page(27)
    assert raised.value.code == "5.00"
    assert len(datagrams) == 2
    assert simulator.unit.pages == []


@pytest.mark.parametrize("fault", ["separate", "duplicate"])
async def test_a_page_whose_answer_comes_late_or_twice_is_one_page(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.create(27)
    simulator.faults.switch(fault, on=True)
    assert (await transmitter.page_session(27)).sessions[0].state == PAGED
    assert len(simulator.unit.pages) == 1
    assert len(simulator.requests) == 1


# ------------------------------------------------------------------------- once, or never


@pytest.mark.usefixtures("impatient")
async def test_a_page_whose_first_datagram_is_lost_is_the_same_message_again(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.network.loss_in = 1.0
    paging = asyncio.create_task(transmitter.send_page(27))
    await until(lambda: datagrams)
    simulator.faults.network.loss_in = 0.0
    await paging
    assert len(datagrams) >= 2
    assert len(message_ids(datagrams)) == len(set(datagrams)) == 1
    assert len(simulator.unit.pages) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_page_whose_answers_are_lost_is_sent_once_and_its_caller_told_of_the_doubt(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.network.loss_out = 1.0
    with pytest.raises(TimedOutError):
        await transmitter.send_page(27)
    assert len(datagrams) >= 2
    assert len(message_ids(datagrams)) == 1
    simulator.faults.network.loss_out = 0.0
    sent = len(datagrams)
    await when_it_would_have_been_sent_again()
    assert len(datagrams) == sent
    assert len(simulator.unit.pages) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["empty_ack", "wrong_token"])
async def test_a_page_that_is_acknowledged_and_never_answered_is_sent_once(
    fault: str, datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.switch(fault, on=True)
    with pytest.raises(TimedOutError):
        await transmitter.send_page(27)
    simulator.faults.switch(fault, on=False)
    await when_it_would_have_been_sent_again()
    assert len(datagrams) == 1
    assert len(simulator.unit.pages) == 1


@pytest.mark.usefixtures("impatient")
async def test_what_was_told_to_have_failed_is_never_sent_later(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    with pytest.raises(TimedOutError):
        await transmitter.send_page(27)
    assert len(datagrams) >= 2
    assert len(message_ids(datagrams)) == 1
    simulator.faults.silence = False
    sent = len(datagrams)
    await when_it_would_have_been_sent_again()
    assert len(datagrams) == sent
    assert simulator.unit.pages == []


@pytest.mark.usefixtures("impatient")
async def test_nothing_that_was_queued_behind_a_lost_page_is_sent_later(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    results = await asyncio.gather(
        transmitter.send_page(27),
        transmitter.start_session(28),
        transmitter.sessions(),
        transmitter.send_page(29),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [
        TimedOutError,
        NotSentError,
        TimedOutError,
        NotSentError,
    ]
    simulator.faults.silence = False
    sent = len(datagrams)
    await when_it_would_have_been_sent_again()
    assert len(datagrams) == sent
    await transmitter.send_page(30)
    assert [asked.code for asked in simulator.requests] == ["POST"]
    assert [page.number for page in simulator.unit.pages] == [30]


def test_reads_that_commands_need_do_not_keep_each_other_from_an_answer() -> None:
    async def main() -> None:
        async with Simulator(unit=Unit(now=datetime.now)) as simulator:
            transmitter = Transmitter(simulator.host, simulator.port)
            await transmitter.sessions()  # it is known to be quick ...
            simulator.faults.separate, simulator.faults.separate_delay = True, 1  # ... and is not
            reads = [transmitter.at_once().sessions() for _ in range(3)]
            assert all(await asyncio.gather(*reads))
            assert len(simulator.requests) == 4
            await transmitter.close()

    run(main)


def test_of_taps_at_a_silent_unit_none_is_sent_long_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each is given up after 7 s then, and sent for the last time 3 s after it was first sent.
    monkeypatch.setattr(coap._Tuning, "ACK_RANDOM_FACTOR", 1.0)

    async def main() -> None:
        async with Simulator(unit=Unit(now=datetime.now)) as simulator:
            transmitter = Transmitter(simulator.host, simulator.port)
            await transmitter.sessions()
            simulator.faults.silence = True
            taps = []
            for number, pause in enumerate((1, 0.5, 12.2), start=1):
                taps.append(asyncio.create_task(transmitter.send_page(number)))
                await asyncio.sleep(pause)
            # The third would have its turn now, more than 12 s after the tap.
            simulator.faults.silence = False
            results = await asyncio.gather(*taps, return_exceptions=True)
            assert [type(err) for err in results] == [TimedOutError, TimedOutError, NotSentError]
            await transmitter.send_page(4)
            await transmitter.close()
        assert [page.number for page in simulator.unit.pages] == [4]

    run(main)


def test_a_command_that_is_late_before_it_is_given_is_not_sent() -> None:
    async def main() -> None:
        async with Simulator(unit=Unit(now=datetime.now)) as simulator:
            transmitter = Transmitter(simulator.host, simulator.port)
            late, in_time = transmitter.at_once(), transmitter.at_once()
            await asyncio.sleep(coap.EXCHANGE_TIMEOUT - 1)
            await in_time.send_page(1)
            await asyncio.sleep(2)
            with pytest.raises(NotSentError):
                await late.send_page(2)
            await transmitter.send_page(3)
            await transmitter.close()
        assert [page.number for page in simulator.unit.pages] == [1, 3]

    run(main)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent_before", [0, 1, 2])
async def test_what_its_caller_gave_up_is_never_sent_later(
    sent_before: int, datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    commands = [
        asyncio.create_task(transmitter.send_page(27)),
        asyncio.create_task(transmitter.send_page(28)),  # waits for the first
    ]
    await until(lambda: len(datagrams) >= sent_before)
    for command in commands:
        command.cancel()
    results = await asyncio.gather(*commands, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2
    simulator.faults.silence = False
    sent = len(datagrams)
    await when_it_would_have_been_sent_again()
    assert len(datagrams) == sent
    await transmitter.send_page(29)
    assert [page.number for page in simulator.unit.pages] == [29]


@pytest.mark.parametrize("turns", range(20))
async def test_a_page_can_be_given_up_at_any_moment(
    turns: int, datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    tasks = len(asyncio.all_tasks())
    paging = asyncio.create_task(transmitter.send_page(27))
    for _ in range(turns):
        await asyncio.sleep(0)
    paging.cancel()
    with suppress(asyncio.CancelledError):
        await paging
    await until(lambda: len(asyncio.all_tasks()) == tasks)
    gc.collect()  # a socket that were left half open would be found now
    sent = len(datagrams)
    await transmitter.send_page(28)
    assert len(datagrams) <= sent + 2  # the first may have been on its way
    assert [page.number for page in simulator.unit.pages] in ([28], [27, 28])


@pytest.mark.usefixtures("impatient")
async def test_what_is_under_way_or_queued_at_the_close_is_never_sent_later(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    commands = [asyncio.create_task(transmitter.send_page(number)) for number in (27, 28)]
    await until(lambda: datagrams)
    await transmitter.close()
    results = await asyncio.gather(*commands, return_exceptions=True)
    assert [type(result) for result in results] == [ClosedError] * 2
    simulator.faults.silence = False
    await when_it_would_have_been_sent_again()
    with pytest.raises(ClosedError):
        await transmitter.send_page(29)
    assert len(datagrams) == 1
    assert simulator.unit.pages == []


def test_a_command_is_given_up_by_itself_before_its_caller_is_told() -> None:
    # RFC 7252, 4.8.2: MAX_TRANSMIT_WAIT, with its ACK_RANDOM_FACTOR.
    wait = coap.COMMAND_ACK_TIMEOUT * (2 ** (coap.COMMAND_MAX_RETRANSMIT + 1) - 1) * 1.5
    assert wait < coap.EXCHANGE_TIMEOUT


# ------------------------------------------------------------------------- two addresses


@pytest.fixture
async def other(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A second address of the same name, and port; who is there answers."""

    async def both(*_: object) -> list[str]:
        return ["127.0.0.1", "::1"]

    monkeypatch.setattr(coap, "resolve", both)
    async with Simulator(host="::1", port=simulator.port) as other:
        yield other


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["silence", "empty_ack"])
async def test_a_page_that_may_have_arrived_is_not_tried_at_another_address(
    fault: str, simulator: Simulator, other: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.switch(fault, on=True)
    with pytest.raises(TimedOutError):
        await transmitter.send_page(27)
    assert other.requests == []


async def test_a_page_goes_to_the_address_that_does_not_refuse_it(
    simulator: Simulator, other: Simulator, transmitter: Transmitter
) -> None:
    await simulator.stop()
    await transmitter.send_page(27)
    assert len(other.unit.pages) == 1


async def test_what_is_no_read_goes_to_no_address_but_the_one_that_answered_a_read_last(
    simulator: Simulator, other: Simulator, transmitter: Transmitter
) -> None:
    moves: list[str | None] = []
    transmitter.host.moved = lambda: moves.append(transmitter.host.good)
    await transmitter.sessions()
    await simulator.stop()
    for _ in range(2):
        with pytest.raises(RefusedError):
            await transmitter.send_page(27)
    with pytest.raises(RefusedError):
        await transmitter.observe(lambda _: None)
    assert (other.requests, moves) == ([], [])
    await transmitter.sessions()
    assert moves == ["::1"]
    await transmitter.send_page(28)
    assert [page.number for page in other.unit.pages] == [28]
    # The other is another unit, and ours is there again.
    await simulator.start()
    transmitter.host.is_anothers = True
    await transmitter.sessions()
    await transmitter.send_page(29)
    assert [page.number for page in simulator.unit.pages] == [29]
    assert moves == ["::1", "127.0.0.1"]


@pytest.mark.usefixtures("impatient")
async def test_a_page_that_is_refused_only_when_sent_again_may_have_arrived(
    datagrams: list[bytes], simulator: Simulator, other: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.network.loss_out = 1.0
    paging = asyncio.create_task(transmitter.send_page(27))
    await until(lambda: simulator.unit.pages)
    await simulator.stop()
    with pytest.raises(TimedOutError):
        await paging
    assert other.unit.pages == []


async def test_a_page_that_the_unit_resets_was_refused(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.reset = True
    with pytest.raises(RefusedError):
        await transmitter.send_page(27)
    assert simulator.unit.pages == []


# --------------------------------------------------------------------------- its turn


async def test_a_command_does_not_wait_for_the_end_of_a_long_history(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    for number in range(1, 31):
        serve_guest(simulator.unit, number)
    simulator.faults.network.delay = 0.01
    reading = asyncio.create_task(read(transmitter))
    await until(lambda: len(simulator.requests) == 2)
    await transmitter.send_page(27)
    assert not reading.done()
    answer = await reading
    assert (len(answer.sessions), answer.is_complete) == (30, True)
    order = [asked.code for asked in simulator.requests]
    assert order.index("POST") <= 3
    assert len(order) > 8


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a command wait a twentieth of a second for a read's answer."""
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.05)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("reads", [1, 3])
async def test_a_command_does_not_wait_for_reads_whose_answers_are_lost(
    reads: int, datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.deaf_to_sessions = True
    readings = [asyncio.create_task(transmitter.sessions()) for _ in range(reads)]
    await until(lambda: datagrams)
    await transmitter.send_page(27)
    assert len(simulator.unit.pages) == 1
    assert not any(reading.done() for reading in readings)
    simulator.faults.deaf_to_sessions = False
    # They made way, and are done again.
    assert all(await asyncio.gather(*readings))


@pytest.mark.usefixtures("quick")
async def test_commands_do_not_interrupt_each_other(
    datagrams: list[bytes], simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.separate = True
    simulator.faults.separate_delay = 0.2
    await asyncio.gather(*(transmitter.send_page(number) for number in (1, 2, 3)))
    assert [page.number for page in simulator.unit.pages] == [1, 2, 3]
    assert simulator.most_at_once == 1


@pytest.mark.usefixtures("quick")
async def test_a_history_that_makes_way_for_command_after_command_is_read_to_its_end(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    for number in range(1, 31):
        serve_guest(simulator.unit, number)
    simulator.faults.network.delay = 0.04  # longer than a command waits, there and back
    reading = asyncio.create_task(read(transmitter))
    for number in range(1, 6):
        await transmitter.send_page(number)
    assert len((await reading).sessions) == 30


@pytest.mark.parametrize("ends", ["timeout", "refused"])
async def test_a_command_that_comes_as_a_read_ends_is_sent_after_it(
    ends: str, simulator: Simulator, transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.1)
    patient = transmitter.at_once()
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.05 if ends == "timeout" else math.inf)
    simulator.faults.deaf_to_sessions = ends == "timeout"
    simulator.faults.resets_sessions = ends == "refused"
    shutdown = aiocoap.Context.shutdown

    async def slow(self: aiocoap.Context) -> None:
        await asyncio.sleep(0.15)
        await shutdown(self)

    with monkeypatch.context() as patched:
        patched.setattr(aiocoap.Context, "shutdown", slow)
        reading = asyncio.create_task(transmitter.sessions())
        await asyncio.sleep(0)
        await patient.send_page(27)
    with pytest.raises(TransmitterError):
        await reading
    assert len(simulator.unit.pages) == 1


async def test_errors_of_commands_say_nothing_of_guests(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.history_only = True
    with pytest.raises(RejectedError) as raised:
        await transmitter.start_session(27, label="Ortega")
    assert "Ortega" not in str(raised.value)
    with pytest.raises(ValueError, match="too long") as refused:
        await transmitter.start_session(27, label="Ortega" * 200)
    assert "Ortega" not in str(refused.value)


async def test_a_command_may_be_the_first_thing_that_is_ever_sent(simulator: Simulator) -> None:
    transmitter = Transmitter(simulator.host, simulator.port)
    await transmitter.send_page(27)
    await transmitter.close()
    assert simulator.traffic.datagrams_in == 1


async def test_a_command_that_interrupts_a_read_goes_to_the_address_that_answered(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(*_: object) -> list[str]:
        return ["127.0.0.1", "::1"]

    monkeypatch.setattr(coap, "resolve", both)
    monkeypatch.setattr(coap, "INITIAL_ACK_TIMEOUT", 0.05)
    monkeypatch.setattr(coap, "EXCHANGE_TIMEOUT", 0.5)
    simulator.faults.silence = True  # the name's first address is a dead one
    async with Simulator(host="::1", port=simulator.port) as other:
        transmitter = Transmitter("t7470.local", simulator.port)
        assert await transmitter.sessions()
        other.faults.deaf_to_sessions = True
        reading = asyncio.create_task(transmitter.sessions())
        await asyncio.sleep(0.01)
        try:
            await transmitter.send_page(27)
            assert len(other.unit.pages) == 1
        finally:
            reading.cancel()
            await transmitter.close()
