"""What a request is answered with, before it is cut into blocks and put on the wire."""

from dataclasses import dataclass
import json

from aiocoap import Message
from aiocoap.numbers.codes import Code

from .session import Wire

# CoAP's number for application/json.
JSON = 50


@dataclass(frozen=True)
class Reply:
    """An answer; a body is always JSON."""

    code: Code
    body: bytes = b""
    etag: bytes | None = None


def to_json(data: Wire) -> bytes:
    """Return compact UTF-8 JSON, keys in the order given."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def error_reply(code: Code, reason: str) -> Reply:
    """Return an error with a JSON body, as the vendor's samples expect one."""
    return Reply(code, to_json({"error": reason}))


class RefusedError(Exception):
    """A request that is answered with an error code and a reason."""

    def __init__(self, code: Code, reason: str) -> None:
        """Take the code and what the JSON body is to say."""
        super().__init__(reason)
        self.code = code


def message_of(reply: Reply, payload: bytes | None = None) -> Message:
    """Return a message around the reply's body, or around this part of it."""
    message = Message(code=reply.code, payload=reply.body if payload is None else payload)
    message.opt.etag = reply.etag
    if message.payload:
        message.opt.content_format = JSON
    return message
