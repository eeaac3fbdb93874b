"""The transmitter's client; and what these tests read of a history."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from custom_components.lrs_pager.transmitter import Chunk, Cursor, Session, Transmitter


@dataclass
class Read:
    """What came of a read of the history."""

    chunks: list[Chunk] = field(default_factory=list)

    @property
    def sessions(self) -> Sequence[Session]:
        return [session for chunk in self.chunks for session in chunk.sessions]

    @property
    def ids(self) -> list[int | None]:
        return [session.id for session in self.sessions]

    @property
    def numbers(self) -> list[int | None]:
        return [session.number for session in self.sessions]

    @property
    def cursor(self) -> Cursor | None:
        return self.chunks[-1].cursor

    @property
    def is_from_beginning(self) -> bool:
        return self.chunks[-1].is_from_beginning

    @property
    def is_complete(self) -> bool:
        return self.chunks[-1].is_last and self.chunks[-1].is_complete


async def read(transmitter: Transmitter, cursor: Cursor | None = None) -> Read:
    """Read the history to its end."""
    found = Read([chunk async for chunk in transmitter.history(cursor)])
    assert [chunk.is_last for chunk in found.chunks] == [False] * (len(found.chunks) - 1) + [True]
    return found
