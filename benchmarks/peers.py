"""The others: what a user could take instead, each with its makers' defaults."""

import asyncio
from pathlib import Path
import shutil
from typing import Self, override

import aiocoap
import orjson

HISTORY = "/v1/sessions/history"


class Peer:
    """Fetches the history and reads its JSON, no more: an async context manager."""

    name: str

    async def __aenter__(self) -> Self:
        """Get ready."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing behind."""

    async def fetch(self, port: int) -> int:
        """Fetch and read; return how many sessions there were. Raises some exception."""
        raise NotImplementedError


class Aiocoap(Peer):
    """``aiocoap`` with ``orjson.loads``: what an integration without a client would do."""

    name = "aiocoap + orjson"

    @override
    async def __aenter__(self) -> Self:
        self._context = await aiocoap.Context.create_client_context()
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        await self._context.shutdown()

    @override
    async def fetch(self, port: int) -> int:
        return len((await self.read(port, HISTORY))["session_history"])

    async def read(self, port: int, path: str) -> dict[str, list[object]]:
        """GET a path, and read its JSON."""
        request = aiocoap.Message(code=aiocoap.GET, uri=f"coap://127.0.0.1:{port}{path}")
        response = await self._context.request(request).response
        answer = orjson.loads(response.payload)
        assert isinstance(answer, dict)
        return answer


class CoapClient(Peer):
    """libcoap's ``coap-client`` into ``jq``, as a script has them: two processes for each fetch."""

    name = "coap-client + jq"

    @override
    async def fetch(self, port: int) -> int:
        program = coap_client()
        assert program
        shell = (
            f"{program} -m get coap://127.0.0.1:{port}{HISTORY} | jq '.session_history | length'"
        )
        process = await asyncio.create_subprocess_shell(
            shell, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        told, _ = await process.communicate()
        return int(told)


def coap_client() -> str | None:
    """The program of libcoap: Debian has one for each TLS library, and one without."""
    return shutil.which("coap-client-notls") or shutil.which("coap-client")


class NodeCoap(Peer):
    """node-coap, which the vendor's own example uses, in a process that stays."""

    name = "node-coap"

    # Where scripts/bench installs it.
    folder = Path(__file__).parent / "node"

    @override
    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(self.folder / "fetch.js"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self

    @override
    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()

    @override
    async def fetch(self, port: int) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{port} {HISTORY}\n".encode())
        _, count = (await self._process.stdout.readline()).split(maxsplit=1)
        return int(count)


def here() -> tuple[list[type[Peer]], list[str]]:
    """The peers that are installed, and a line for each that is not."""
    found: list[type[Peer]] = [Aiocoap]
    missing = []
    if coap_client() and shutil.which("jq"):
        found.append(CoapClient)
    else:
        missing.append("coap-client or jq is missing: apt-get install libcoap3-bin jq")
    if shutil.which("node") and (NodeCoap.folder / "node_modules" / "coap").is_dir():
        found.append(NodeCoap)
    else:
        missing.append("node-coap is missing: apt-get install nodejs npm, then scripts/bench")
    return found, missing
