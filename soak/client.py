"""Another CoAP client of the unit, as a second host's app is: by aiocoap, not by our code."""

import asyncio
import json
import logging
from typing import Any

from aiocoap import Context, Message
from aiocoap.error import Error
from aiocoap.numbers.codes import Code

# Seconds after which it gives up an action: a host would take the keypad then.
PATIENCE = 3.0

logging.getLogger("coap").setLevel(logging.CRITICAL)  # the unit has faults on purpose


class Client:
    """Starts, pages and ends sessions."""

    def __init__(self, host: str) -> None:
        """Take the unit's host; nothing is sent yet."""
        self._host = host
        self._under_way = 0

    async def act(self, port: int, what: str, number: int, **fields: Any) -> bool:
        """Have something done to the session on a pager; return whether the unit said so.

        what: "start" (with the unit's fields), "page", "clear" or "remove".
        """
        asyncio.get_running_loop().set_exception_handler(_ignore_late_answers)
        uri = f"coap://{self._host}:{port}/v1/sessions"
        if what == "start":
            message = Message(code=Code.POST, uri=uri, payload=_json(number=number, **fields))
        else:
            message = Message(
                code=Code.PUT, uri=f"{uri}?number={number}", payload=_json(action=what)
            )
        # A context of its own, as aiocoap goes on sending what its caller has given up, be it to
        # another unit that has the address by then (chrysn/aiocoap#363).
        context = await Context.create_client_context(transports=["udp6"])
        self._under_way += 1
        try:
            async with asyncio.timeout(PATIENCE):
                response = await context.request(message).response
        except Error, TimeoutError, OSError:
            return False
        finally:
            self._under_way -= 1
            await context.shutdown()
        return bool(response.code.is_successful())

    async def be_idle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.sleep(0.05)


def _ignore_late_answers(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Let pass what aiocoap raises for an answer to a request that was given up."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)


def _json(**fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()
