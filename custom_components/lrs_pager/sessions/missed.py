"""Spans in which sessions may have been missed, as they are kept with the log.

A span (POSIX seconds) begins when the transmitter last answered, as far as that is known, or with
the log's last session if that is later; it ends with the oldest session that the transmitter still
had. The log has no session that ended in it, and figures leave it out.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from .log import SessionLog
from .session import PlacedSession

type Span = tuple[float, float]

# The key of the spans in the log.
MISSED: Final = "missed"

# How many spans are kept, the newest: they are rare, and nobody asks for them after years.
MOST: Final = 500


async def missed_spans(log: SessionLog) -> list[Span]:
    """The spans, from the oldest."""
    return _read(await log.get(MISSED))


async def keep_missed_spans(log: SessionLog, spans: Iterable[Span]) -> None:
    """Keep these spans in place of those that are kept."""
    await log.set(MISSED, sorted(spans)[-MOST:])


def is_seen(session: PlacedSession, spans: Collection[Span]) -> bool:
    """Whether no session can have been missed while this one was active."""
    began = session.ended_at if session.created_at is None else session.created_at
    return not any(start < session.ended_at and began < end for start, end in spans)


def _read(kept: Any) -> list[Span]:
    """The spans, from JSON; anything that is no span is left out."""
    spans = kept if isinstance(kept, list) else []
    return [
        (span[0], span[1])
        for span in spans
        if isinstance(span, list)
        and len(span) == 2  # noqa: PLR2004  # a beginning and an end
        and all(isinstance(instant, int | float) for instant in span)
    ]
