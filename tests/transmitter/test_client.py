"""The client against a simulated transmitter, over real CoAP."""

import _socket
import asyncio
import contextlib
import errno
import itertools
import json
from pathlib import Path
import socket
import threading
from typing import Any

import aiocoap
import aiocoap.error
import pytest

from custom_components.lrs_pager.transmitter import (
    MalformedError,
    NotResolvedError,
    RefusedError,
    RejectedError,
    TimedOutError,
    Transmitter,
    UnreachableError,
    blockwise,
    client,
    coap,
    resolve,
)
from custom_components.lrs_pager.transmitter.parse import parse_history
from tests.conftest import serve_guest
from tests.simulator import HISTORY_EXAMPLE, Network, Simulator, Unit

HISTORY = ("v1", "sessions", "history")


@pytest.fixture
async def transmitter(simulator: Simulator) -> Any:
    transmitter = Transmitter(simulator.host, simulator.port)
    yield transmitter
    await transmitter.close()


def serve_guests(unit: Unit, count: int) -> None:
    for number in range(1, count + 1):
        serve_guest(unit, number)


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def numbers(answer: client.Answer) -> list[int | None]:
    return [session.number for session in answer.sessions]


# ------------------------------------------------------------------------------ answers


async def test_the_vendors_example_arrives_as_it_was_sent(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.canned[HISTORY] = HISTORY_EXAMPLE
    answer = await transmitter.history()
    assert numbers(answer) == [4, 10]
    assert answer.envelope.sequence == 116
    assert answer.is_complete


async def test_an_empty_history_is_an_answer(transmitter: Transmitter) -> None:
    answer = await transmitter.history()
    assert answer.sessions == ()
    assert answer.is_complete


async def test_active_sessions_come_with_an_etag_that_spares_them_the_next_time(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.create(27, label="Window seat", party_size=3)
    answer = await transmitter.sessions()
    assert answer is not None
    assert numbers(answer) == [27]
    assert answer.etag
    assert await transmitter.sessions(answer.etag) is None
    assert [asked.answered for asked in simulator.requests] == ["2.05", "2.03"]


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("max_szx", [6, 4, 2])
@pytest.mark.parametrize("etag", [True, False])
async def test_long_histories_come_in_blocks_of_any_size(
    still: bool, max_szx: int, etag: bool
) -> None:
    unit = Unit()
    serve_guests(unit, 30)
    async with Simulator(unit=unit, still=still, max_szx=max_szx, history_etag=etag) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        answer = await transmitter.history()
        await transmitter.close()
    assert numbers(answer) == list(range(1, 31))
    assert answer.is_complete


@pytest.mark.parametrize("held", [None, b"1"])
async def test_a_unit_that_says_nothing_changed_is_believed_only_if_it_was_asked(
    held: bytes | None, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.always_valid = True
    if held:
        assert await transmitter.sessions(held) is None
    else:
        with pytest.raises(MalformedError):
            await transmitter.sessions()
    with pytest.raises(MalformedError):
        await transmitter.history()


async def test_long_answers_are_read_beside_the_event_loop(
    simulator: Simulator, transmitter: Transmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def parse(payload: bytes) -> Any:
        threads.append(threading.current_thread())
        return parse_history(payload)

    monkeypatch.setattr(client, "parse_history", parse)
    serve_guests(simulator.unit, 3)
    await transmitter.history()
    serve_guests(simulator.unit, 200)
    await transmitter.history()
    assert [t is threading.main_thread() for t in threads] == [True, False]


@pytest.mark.parametrize("count", [1, 3, 12, 100, 200])
async def test_a_unit_that_sends_all_in_one_datagram_is_read_whole(count: int) -> None:
    unit = Unit()
    serve_guests(unit, count)
    async with Simulator(unit=unit, blockwise=False) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        answers = [await transmitter.history(), await transmitter.history()]
        await transmitter.close()
    assert [len(answer.sessions) for answer in answers] == [count, count]


async def test_a_unit_that_does_not_know_block_options_is_asked_without() -> None:
    # 4.02 to a critical option that it doesn't know, as RFC 7252 wants it.
    async with Simulator(blockwise=False) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        simulator.faults.no_block_option = True
        answer = await transmitter.history()
        await transmitter.close()
    assert answer.is_complete


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_host_may_be_an_ipv4_or_ipv6_address_or_a_name(host: str) -> None:
    async with Simulator(host="::1" if host == "::1" else "127.0.0.1") as simulator:
        transmitter = Transmitter(host, simulator.port)
        assert (await transmitter.history()).is_complete
        await transmitter.close()


async def test_a_name_with_two_addresses_is_reached_at_the_one_that_answers(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    async def two(*_: object) -> list[str]:
        return ["::1", "127.0.0.1"]

    monkeypatch.setattr(coap, "resolve", two)
    transmitter = Transmitter("t7470.local", simulator.port)
    assert (await transmitter.history()).is_complete
    await transmitter.close()


async def test_a_link_local_address_keeps_its_interface() -> None:
    assert await resolve("fe80::1%lo") == ["fe80::1%lo"]


async def test_addresses_of_a_name_are_ipv4_first_and_no_groups() -> None:
    assert (await resolve("localhost"))[0] == "127.0.0.1"
    assert await resolve("224.0.1.187") == []


# ------------------------------------------------------------- a body that changes under way


def change_at(simulator: Simulator, block: int, times: int) -> None:
    """Archive one more session each time that this block is about to be served."""
    left = [times]

    def change() -> None:
        if left[0]:
            left[0] -= 1
            serve_guest(simulator.unit, 99)

    simulator.hooks[HISTORY, block] = change


@pytest.fixture(params=["etag", "no etag"])
async def changing(request: pytest.FixtureRequest) -> Any:
    """A unit that writes each block anew, with 30 sessions, and a client for it."""
    unit = Unit(history_limit=30)
    serve_guests(unit, 30)
    async with Simulator(
        unit=unit, still=False, history_etag=request.param == "etag", exact_etag=True
    ) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        yield simulator, transmitter
        await transmitter.close()


async def test_a_history_that_changed_under_way_is_fetched_again(
    changing: tuple[Simulator, Transmitter],
) -> None:
    simulator, transmitter = changing
    change_at(simulator, 4, times=1)
    answer = await transmitter.history()
    assert numbers(answer) == [*range(2, 31), 99]
    assert answer.is_complete


@pytest.mark.parametrize("max_szx", range(7))
async def test_a_trimmed_history_is_noticed_with_blocks_of_any_size(max_szx: int) -> None:
    # All of one length, so that a half of one and a half of another make good JSON.
    unit = Unit(history_limit=30, next_id=110, sequence=12341)
    for number in range(100, 130):
        serve_guest(unit, number)
    async with Simulator(unit=unit, still=False, max_szx=max_szx) as simulator:
        change_at(simulator, 4096 >> (max_szx + 4), times=1)
        transmitter = Transmitter(simulator.host, simulator.port)
        answer = await transmitter.history()
        await transmitter.close()
    assert answer.is_complete
    assert numbers(answer) == [*range(101, 130), 99]


async def test_what_else_changes_in_an_envelope_is_no_change_of_the_list(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 30)
    uptime = itertools.count(1000)
    records = json.dumps(simulator.unit.history).encode()
    simulator.canned[HISTORY] = lambda: (
        b'{"uptime":%d,"responseTypes":["session_history"],"session_history":%s}'
        % (next(uptime), records)
    )
    async with Simulator(still=False) as moving:
        moving.canned = simulator.canned
        transmitter = Transmitter(moving.host, moving.port)
        answer = await transmitter.history()
        await transmitter.close()
        first_blocks = [r for r in moving.requests if r.block2 == (0, False, 6)]
    assert answer.is_complete
    assert len(answer.sessions) == 30
    assert len(first_blocks) == 2  # fetched once, and its head compared


async def test_a_unit_that_lists_a_session_twice_is_read_whole(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 30)
    simulator.unit.history.insert(20, simulator.unit.history[7])
    answer = await transmitter.history()
    assert answer.is_complete
    assert len(answer.sessions) == 31


async def test_an_etag_that_changes_all_the_time_costs_time_and_no_session() -> None:
    unit = Unit()
    serve_guests(unit, 30)
    async with Simulator(unit=unit, still=False, history_etag=True, exact_etag=True) as simulator:
        for block in range(10):
            simulator.hooks[HISTORY, block] = lambda: unit.load_history([])
        transmitter = Transmitter(simulator.host, simulator.port)
        answer = await transmitter.history()
        await transmitter.close()
    assert answer.is_complete
    assert len(answer.sessions) == 30


async def test_no_session_is_made_of_two_halves_when_it_changes_again_and_again(
    changing: tuple[Simulator, Transmitter],
) -> None:
    simulator, transmitter = changing
    true = {s.uuid: (s.number, s.cleared) for s in simulator.unit.ledger}
    change_at(simulator, 4, times=100)
    answer = await transmitter.history()
    true |= {s.uuid: (s.number, s.cleared) for s in simulator.unit.ledger}
    assert not answer.is_complete
    assert len(answer.sessions) > 10
    assert {s.uuid: (s.number, s.cleared) for s in answer.sessions}.items() <= true.items()


async def test_a_guest_given_a_pager_under_way_costs_one_more_fetch_and_no_session(
    changing: tuple[Simulator, Transmitter],
) -> None:
    simulator, transmitter = changing
    pagers = iter(range(200, 300))
    simulator.hooks[HISTORY, 4] = lambda: simulator.unit.create(next(pagers)) and None
    answer = await transmitter.history()
    assert numbers(answer) == list(range(1, 31))
    assert answer.is_complete


async def test_active_sessions_that_change_again_and_again_are_not_made_up() -> None:
    async with Simulator(still=False, exact_etag=True) as simulator:
        for number in range(1, 20):
            simulator.unit.create(number)
        pagers = iter(range(1, 20))
        simulator.hooks[("v1", "sessions"), 2] = lambda: simulator.unit.clear(next(pagers)) and None
        transmitter = Transmitter(simulator.host, simulator.port)
        with pytest.raises(MalformedError):
            await transmitter.sessions()
        await transmitter.close()


async def test_a_list_whose_items_move_about_gives_no_wrong_session(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    # All of one length, so that a half of one and a half of another make good JSON.
    simulator.unit.next_id = 10
    for number in range(10, 40):
        serve_guest(simulator.unit, number)
    simulator.faults.body_changes = True
    true = {s.uuid: (s.id, s.number) for s in simulator.unit.ledger}
    answer = await transmitter.history()
    assert not answer.is_complete
    assert {s.uuid: (s.id, s.number) for s in answer.sessions}.items() <= true.items()


async def test_a_history_that_was_wiped_under_way_is_read_as_it_is_now(
    changing: tuple[Simulator, Transmitter],
) -> None:
    simulator, transmitter = changing
    simulator.hooks[HISTORY, 4] = simulator.unit.wipe_history
    answer = await transmitter.history()
    assert answer.sessions == ()


# ------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two words", "224.0.1.187"])
async def test_a_name_that_has_no_address_is_not_resolved(host: str) -> None:
    with pytest.raises(NotResolvedError):
        await Transmitter(host).history()


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "nul\0"])
async def test_what_is_no_name_at_all_is_not_resolved(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    with pytest.raises(NotResolvedError):
        await Transmitter(host).history()


async def test_a_closed_port_is_refused_at_once(simulator: Simulator) -> None:
    await simulator.stop()
    transmitter = Transmitter(simulator.host, simulator.port)
    with pytest.raises(RefusedError):
        await transmitter.history()


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", ["silence", "empty_ack", "wrong_token"])
async def test_waiting_for_an_answer_ends(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.switch(fault, on=True)
    with pytest.raises(TimedOutError):
        await transmitter.history()
    simulator.faults.switch(fault, on=False)
    assert (await transmitter.history()).is_complete


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (aiocoap.error.NetworkError("no route"), UnreachableError),
        (aiocoap.error.ResolutionError("no route"), UnreachableError),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), UnreachableError),
        (aiocoap.error.ConRetransmitsExceeded(), TimedOutError),
        (aiocoap.error.UnparsableMessage(), MalformedError),
        (AssertionError(), MalformedError),
    ],
)
async def test_whatever_the_coap_library_raises_becomes_an_error_of_ours(
    theirs: Exception,
    ours: type[Exception],
    simulator: Simulator,
    transmitter: Transmitter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Most of these can't be had over loopback.
    def request(*_: Any, **__: Any) -> None:
        raise theirs

    with monkeypatch.context() as patched:
        patched.setattr(aiocoap.Context, "request", request)
        with pytest.raises(ours):
            await transmitter.history()
    assert (await transmitter.history()).is_complete


async def test_a_unit_that_resets_the_connection_is_refusing(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.reset = True
    with pytest.raises(RefusedError):
        await transmitter.history()


async def test_an_error_code_is_told_with_its_text(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.history_only = True
    with pytest.raises(RejectedError) as raised:
        await transmitter.sessions()
    assert raised.value.code == "4.04"
    assert "error" in raised.value.text


@pytest.mark.parametrize(
    "fault",
    ["malformed", "truncated", "last_block_lost", "wrong_block_number", "short_block"],
)
async def test_a_broken_answer_is_malformed_and_the_next_may_be_right(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 20)
    simulator.faults.switch(fault, on=True)
    with pytest.raises(MalformedError):
        await transmitter.history()
    simulator.faults.switch(fault, on=False)
    assert len((await transmitter.history()).sessions) == 20


async def test_a_body_without_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator, transmitter: Transmitter
) -> None:
    monkeypatch.setattr(blockwise, "MAX_BODY", 50_000)
    serve_guests(simulator.unit, 10)
    simulator.faults.oversized = True
    with pytest.raises(MalformedError):
        await transmitter.history()


async def test_a_body_that_takes_for_ever_is_given_up(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator, transmitter: Transmitter
) -> None:
    monkeypatch.setattr(client, "TRANSFER_TIMEOUT", 0.3)
    serve_guests(simulator.unit, 30)
    simulator.faults.network = Network(delay=0.05)
    with pytest.raises(TimedOutError):
        await transmitter.history()


@pytest.mark.parametrize("fault", ["separate", "duplicate"])
async def test_answers_that_come_late_or_twice_are_answers(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 10)
    simulator.faults.switch(fault, on=True)
    assert len((await transmitter.history()).sessions) == 10


async def test_a_fifth_of_all_datagrams_may_be_lost(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 30)
    simulator.faults.network = Network(loss_in=0.2, loss_out=0.2, seed=3)
    assert len((await transmitter.history()).sessions) == 30


@pytest.mark.usefixtures("short_timeouts")
async def test_a_bad_moment_in_the_middle_of_a_long_history_does_not_cost_all_of_it(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 30)

    def fall_silent() -> None:
        simulator.hooks.clear()
        simulator.faults.silence = True
        asyncio.get_running_loop().call_later(0.6, setattr, simulator.faults, "silence", False)

    simulator.hooks[HISTORY, 4] = fall_silent
    assert len((await transmitter.history()).sessions) == 30
    assert len([r for r in simulator.requests if r.block2 == (0, False, 6)]) == 2  # and its check


# ------------------------------------------------------------------- aiocoap's traps, spared


@pytest.mark.usefixtures("short_timeouts")
async def test_a_request_that_was_given_up_is_never_sent_later(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    with pytest.raises(TimedOutError):
        await transmitter.history()
    simulator.faults.silence = False
    # The next retransmission of what was given up would have come within this time.
    await asyncio.sleep(1.5)
    assert simulator.requests == []


@pytest.mark.usefixtures("short_timeouts")
async def test_a_cancelled_request_is_never_sent_later(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    asking = asyncio.create_task(transmitter.history())
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    simulator.faults.silence = False
    await asyncio.sleep(0.5)
    assert simulator.requests == []


@pytest.mark.usefixtures("short_timeouts")
async def test_a_unit_that_is_back_is_asked_at_once_and_for_the_latest_only(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    for _ in range(3):
        with pytest.raises(TimedOutError):
            await transmitter.history()
    simulator.faults.silence = False
    await transmitter.history()
    assert len(simulator.requests) == 1


async def test_requests_wait_for_each_other(simulator: Simulator, transmitter: Transmitter) -> None:
    serve_guests(simulator.unit, 20)
    simulator.faults.separate = True
    simulator.faults.separate_delay = 0.01
    answers = await asyncio.gather(*(transmitter.history() for _ in range(5)))
    assert [len(answer.sessions) for answer in answers] == [20] * 5
    assert simulator.most_at_once == 1


async def test_a_machine_without_ipv6_can_talk_to_the_unit(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    real = socket.socket

    class NoIpv6(real):  # type: ignore[misc, valid-type]
        def __init__(self, family: int = -1, *args: Any, **kwargs: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *args, **kwargs)

    monkeypatch.setattr(socket, "socket", NoIpv6)
    transmitter = Transmitter(simulator.host, simulator.port)
    assert (await transmitter.history()).is_complete
    await transmitter.close()


@pytest.mark.parametrize("turns", range(25))
async def test_close_at_any_moment_of_a_first_request_is_the_end(
    turns: int, simulator: Simulator, transmitter: Transmitter
) -> None:
    before = open_files()
    asking = asyncio.ensure_future(transmitter.history())
    for _ in range(turns):
        await asyncio.sleep(0)
    await transmitter.close()
    with contextlib.suppress(UnreachableError):
        await asking
    asked = len(simulator.requests)
    await asyncio.sleep(0.05)
    assert len(simulator.requests) == asked
    assert open_files() == before


async def test_close_ends_what_is_under_way(simulator: Simulator, transmitter: Transmitter) -> None:
    simulator.faults.silence = True
    asking = asyncio.create_task(transmitter.history())
    await asyncio.sleep(0.05)
    await transmitter.close()
    with pytest.raises(UnreachableError):
        await asking


async def test_errors_say_nothing_of_hosts_or_guests(simulator: Simulator) -> None:
    serve_guest(simulator.unit, label="Ortega")
    simulator.faults.truncated = True
    transmitter = Transmitter(simulator.host, simulator.port)
    with pytest.raises(MalformedError) as raised:
        await transmitter.history()
    await transmitter.close()
    assert "Ortega" not in str(raised.value)
    with pytest.raises(NotResolvedError) as unresolved:
        await Transmitter("secret.invalid").history()
    assert "secret" not in str(unresolved.value)


def test_the_example_is_what_the_vendors_page_has() -> None:
    assert json.loads(HISTORY_EXAMPLE)["session_history"][1]["clearType"] == "REMOVED"
