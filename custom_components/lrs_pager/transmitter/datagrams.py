"""Which datagrams the CoAP library gets to read: answers of hosts to which it has sent something.

Its main transport hears anyone in the network, and some of what is no message makes it raise in the
event loop, which logs kilobytes each time.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

# The methods of the transports udp6 and simple6 that take a datagram, and of udp6, an ICMP error.
RECEIVERS = ("datagram_msg_received", "_received_datagram", "datagram_errqueue_received")


def hear_answers_alone(context: Any) -> Any:
    """Have a context of aiocoap, just made, drop in silence all but answers; return it."""
    for requests in context.request_interfaces:
        messages = requests.token_interface
        messages.dispatch_message = _without_requests(messages.dispatch_message)
        transport = messages.message_interface
        peers: set[Any] = set()
        transport.send = _noting(peers, transport.send)
        for name in RECEIVERS:
            if receive := getattr(transport, name, None):
                setattr(transport, name, _guarded(peers, receive))
    return context


def _noting(peers: set[Any], send: Callable[[Any], None]) -> Callable[[Any], None]:
    """Send messages, and note to whom. simple6 has a socket for each host, which hears it alone."""

    def note_and_send(message: Any) -> None:
        if address := getattr(message.remote, "sockaddr", None):
            peers.add(address[:2])
        send(message)

    return note_and_send


def _guarded(peers: set[Any], receive: Callable[..., None]) -> Callable[..., None]:
    """Receive what comes from peers; drop what can't be read, as if it were lost on the way."""

    def receive_or_drop(*args: Any) -> None:
        address = args[-1]  # in udp6
        if isinstance(address, tuple) and address[:2] not in peers:
            return
        with suppress(Exception):
            receive(*args)

    return receive_or_drop


def _without_requests(dispatch: Callable[[Any], None]) -> Callable[[Any], None]:
    """Leave out requests: nobody has any for us, and aiocoap would remember each for minutes."""

    def dispatch_or_drop(message: Any) -> None:
        if not message.code.is_request():
            dispatch(message)

    return dispatch_or_drop
