"""What a request says, read from its message."""

from dataclasses import dataclass
from typing import Self

from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.optionnumbers import OptionNumber

from .blocks import LARGEST_SZX, Block
from .link import Address
from .replies import RefusedError

# The critical options this server acts on; Uri-Host and Uri-Port may say anything, since
# there is one unit only.
KNOWN_CRITICAL_OPTIONS = {
    OptionNumber.URI_HOST,
    OptionNumber.URI_PORT,
    OptionNumber.URI_PATH,
    OptionNumber.URI_QUERY,
    OptionNumber.ACCEPT,
    OptionNumber.BLOCK2,
}


@dataclass
class Asked:
    """One request, however often it was sent."""

    remote: Address
    code: str
    """GET, POST, PUT, DELETE."""
    path: tuple[str, ...]
    query: tuple[str, ...]
    etags: tuple[bytes, ...]
    block2: tuple[int, bool, int] | None
    observe: int | None
    payload: bytes
    mid: int
    size: int
    """Of the datagram, in bytes."""
    answered: str | None = None
    """The code of the answer, as 2.05; None if none was given."""

    @classmethod
    def of(cls, request: Message, remote: Address, size: int) -> Self:
        """Record a request that came in a datagram of that size."""
        return cls(
            remote=remote,
            code=str(request.code),
            path=request.opt.uri_path,
            query=request.opt.uri_query,
            etags=request.opt.etags,
            block2=request.opt.block2 and tuple(request.opt.block2),
            observe=request.opt.observe,
            payload=request.payload,
            mid=request.mid,
            size=size,
        )


def unknown_critical_options(request: Message) -> list[int]:
    """Return the numbers of the options that forbid to answer as if they were not there."""
    numbers = {option.number for option in request.opt.option_list()}
    return sorted(int(n) for n in numbers - KNOWN_CRITICAL_OPTIONS if n.is_critical())


def asked_block(request: Message) -> Block:
    """Return which block is asked for. Raises RefusedError if there can be no such block."""
    if request.opt.block2 is None:
        return Block()
    number, _, szx = request.opt.block2
    if szx > LARGEST_SZX or (number and request.code != Code.GET):
        raise RefusedError(Code.BAD_REQUEST, "no such block")
    return Block(number, szx, asked=True)
