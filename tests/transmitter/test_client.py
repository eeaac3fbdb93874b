"""The client against a simulated transmitter, over real CoAP."""

import _socket
import asyncio
import contextlib
from datetime import datetime
import errno
from functools import partial
import json
import os
from pathlib import Path
import socket
import threading
from typing import Any, Never

import aiocoap
import aiocoap.error
import pytest

from custom_components.lrs_pager.transmitter import (
    Answer,
    MalformedError,
    NotResolvedError,
    RefusedError,
    RejectedError,
    TimedOutError,
    Transmitter,
    UnreachableError,
    coap,
    resolve,
)
from tests.conftest import serve_guest
from tests.simulator import HISTORY_EXAMPLE, Network, Simulator, Unit
from tests.transmitter import read
from tests.virtual_time import run

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


# ------------------------------------------------------------------------------ answers


async def test_the_vendors_example_arrives_as_it_was_sent(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.canned[HISTORY] = HISTORY_EXAMPLE
    answer = await read(transmitter)
    assert answer.numbers == [4, 10]
    assert answer.chunks[0].envelope.sequence == 116
    assert answer.is_complete


async def test_active_sessions_come_with_an_etag_that_spares_them_the_next_time(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.unit.create(27, label="Window seat", party_size=3)
    answer = await transmitter.sessions()
    assert answer is not None
    assert [session.number for session in answer.sessions] == [27]
    assert answer.etag
    assert await transmitter.sessions(answer.etag) is None
    assert [asked.answered for asked in simulator.requests] == ["2.05", "2.03"]


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
        await read(transmitter)


async def test_a_unit_that_does_not_know_block_options_is_asked_without() -> None:
    # 4.02 to a critical option that it doesn't know, as RFC 7252 wants it.
    async with Simulator(blockwise=False) as simulator:
        transmitter = Transmitter(simulator.host, simulator.port)
        simulator.faults.no_block_option = True
        answer = await read(transmitter)
        await transmitter.close()
    assert answer.is_complete


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_host_may_be_an_ipv4_or_ipv6_address_or_a_name(host: str) -> None:
    async with Simulator(host="::1" if host == "::1" else "127.0.0.1") as simulator:
        transmitter = Transmitter(host, simulator.port)
        assert (await read(transmitter)).is_complete
        await transmitter.close()


async def test_a_name_with_two_addresses_is_reached_at_the_one_that_answers(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    async def two(*_: object) -> list[str]:
        return ["::1", "127.0.0.1"]

    monkeypatch.setattr(coap, "resolve", two)
    transmitter = Transmitter("t7470.local", simulator.port)
    assert (await read(transmitter)).is_complete
    await transmitter.close()


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("is_slow", [False, True], ids=["refuses", "is silent"])
async def test_while_the_name_server_is_away_the_unit_is_asked_where_it_answered_last(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, *, is_slow: bool
) -> None:
    transmitter = Transmitter("localhost", simulator.port)
    told: asyncio.Queue[Answer] = asyncio.Queue()
    observing = asyncio.create_task(transmitter.observe(told.put_nowait))
    await told.get()
    is_over = threading.Event()
    look_up = socket.getaddrinfo

    def away(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "localhost":  # an address, for which nobody is asked
            return look_up(host, *args, **kwargs)
        if is_slow:
            is_over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", away)
    monkeypatch.setattr(coap, "KNOWN_HOST_TIMEOUT", 0.05)
    # The first request since it was seen that the unit is there; and one after a lost one.
    assert await transmitter.sessions()
    simulator.faults.switch("silence", on=True)
    with pytest.raises(TimedOutError):
        await transmitter.sessions()
    simulator.faults.switch("silence", on=False)
    await transmitter.send_page(7)
    assert await transmitter.sessions()
    is_over.set()
    await transmitter.close()
    await asyncio.gather(observing, return_exceptions=True)


def test_a_unit_that_has_another_address_is_found_however_slow_the_name_server_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = ["127.0.0.1"]

    async def slow(*_: object) -> list[str]:
        await asyncio.sleep(5)
        return addresses

    async def main() -> None:
        async with Simulator(unit=Unit(now=datetime.now)) as simulator:
            transmitter = Transmitter("t7470.local", simulator.port)
            assert await transmitter.sessions()
            await simulator.stop()
            with pytest.raises(RefusedError):
                await transmitter.sessions()
            # It is there again, and a command does not wait until the name is resolved.
            await simulator.start()
            reading = asyncio.create_task(transmitter.sessions())
            await asyncio.sleep(1)
            await transmitter.send_page(7)
            assert not reading.done()
            assert await reading
            await simulator.stop()
            with pytest.raises(RefusedError):
                await transmitter.sessions()
            addresses[:] = ["::1"]
            async with Simulator(unit=simulator.unit, host="::1", port=simulator.port):
                assert await transmitter.sessions()
            await transmitter.close()

    monkeypatch.setattr(coap, "resolve", slow)
    run(main)


async def test_a_link_local_address_keeps_its_interface() -> None:
    assert await resolve("fe80::1%lo") == ["fe80::1%lo"]


async def test_addresses_of_a_name_are_ipv4_first_and_no_groups() -> None:
    assert (await resolve("localhost"))[0] == "127.0.0.1"
    assert await resolve("224.0.1.187") == []


async def test_an_address_whose_interface_has_gone_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(_: int) -> Never:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    monkeypatch.setattr(socket, "if_indextoname", gone)
    with pytest.raises(NotResolvedError):
        await Transmitter("fe80::1%lo").sessions()


# ------------------------------------------------------------- a list that changes meanwhile


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


# ------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two words", "224.0.1.187"])
async def test_a_name_that_has_no_address_is_not_resolved(host: str) -> None:
    with pytest.raises(NotResolvedError):
        await read(Transmitter(host))


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "nul\0"])
async def test_what_is_no_name_at_all_is_not_resolved(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    with pytest.raises(NotResolvedError):
        await read(Transmitter(host))


async def test_a_closed_port_is_refused_at_once(simulator: Simulator) -> None:
    await simulator.stop()
    transmitter = Transmitter(simulator.host, simulator.port)
    with pytest.raises(RefusedError):
        await read(transmitter)


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", ["silence", "empty_ack", "wrong_token"])
async def test_waiting_for_an_answer_ends(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.switch(fault, on=True)
    with pytest.raises(TimedOutError):
        await read(transmitter)
    simulator.faults.switch(fault, on=False)
    assert (await read(transmitter)).is_complete


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
            await read(transmitter)
    assert (await read(transmitter)).is_complete


async def test_a_unit_that_resets_the_connection_is_refusing(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.reset = True
    with pytest.raises(RefusedError):
        await read(transmitter)


@pytest.mark.parametrize(
    ("code", "is_unknown"), [("4.04", True), ("4.05", True), ("4.00", False), ("5.03", False)]
)
async def test_an_error_code_says_whether_the_unit_knows_the_resource(
    code: str, is_unknown: bool, simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.errors[()] = code
    for ask in (transmitter.sessions, transmitter.probe, partial(read, transmitter)):
        with pytest.raises(RejectedError) as raised:
            await ask()
        assert raised.value.code == code
        assert raised.value.is_unknown_resource is is_unknown


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
        await read(transmitter)
    simulator.faults.switch(fault, on=False)
    assert len((await read(transmitter)).sessions) == 20


@pytest.mark.parametrize("fault", ["separate", "duplicate"])
async def test_answers_that_come_late_or_twice_are_answers(
    fault: str, simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 10)
    simulator.faults.switch(fault, on=True)
    assert len((await read(transmitter)).sessions) == 10


async def test_a_fifth_of_all_datagrams_may_be_lost(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    serve_guests(simulator.unit, 30)
    simulator.faults.network = Network(loss_in=0.2, loss_out=0.2, seed=3)
    assert len((await read(transmitter)).sessions) == 30


# ------------------------------------------------------------------- aiocoap's traps, spared


@pytest.mark.usefixtures("short_timeouts")
async def test_a_request_that_was_given_up_is_never_sent_later(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    with pytest.raises(TimedOutError):
        await read(transmitter)
    simulator.faults.silence = False
    # The next retransmission of what was given up would have come within this time.
    await asyncio.sleep(1.5)
    assert simulator.requests == []


@pytest.mark.usefixtures("short_timeouts")
async def test_a_cancelled_request_is_never_sent_later(
    simulator: Simulator, transmitter: Transmitter
) -> None:
    simulator.faults.silence = True
    asking = asyncio.create_task(read(transmitter))
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
            await read(transmitter)
    simulator.faults.silence = False
    await read(transmitter)
    assert len(simulator.requests) == 1


async def test_requests_wait_for_each_other(simulator: Simulator, transmitter: Transmitter) -> None:
    serve_guests(simulator.unit, 20)
    simulator.faults.separate = True
    simulator.faults.separate_delay = 0.01
    answers = await asyncio.gather(*(read(transmitter) for _ in range(5)))
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
    assert (await read(transmitter)).is_complete
    await transmitter.close()


@pytest.mark.parametrize("turns", range(25))
async def test_close_at_any_moment_of_a_first_request_is_the_end(
    turns: int, simulator: Simulator, transmitter: Transmitter
) -> None:
    before = open_files()
    asking = asyncio.ensure_future(read(transmitter))
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
    asking = asyncio.create_task(read(transmitter))
    await asyncio.sleep(0.05)
    await transmitter.close()
    with pytest.raises(UnreachableError):
        await asking


async def test_errors_say_nothing_of_hosts_or_guests(simulator: Simulator) -> None:
    serve_guest(simulator.unit, label="Ortega")
    simulator.faults.truncated = True
    transmitter = Transmitter(simulator.host, simulator.port)
    with pytest.raises(MalformedError) as raised:
        await read(transmitter)
    await transmitter.close()
    assert "Ortega" not in str(raised.value)
    with pytest.raises(NotResolvedError) as unresolved:
        await read(Transmitter("secret.invalid"))
    assert "secret" not in str(unresolved.value)


def test_the_example_is_what_the_vendors_page_has() -> None:
    assert json.loads(HISTORY_EXAMPLE)["session_history"][1]["clearType"] == "REMOVED"
