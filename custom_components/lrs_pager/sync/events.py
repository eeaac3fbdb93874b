"""Who is told what has just happened to sessions."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ..sessions.tracker import SessionEvent
from .push import LOGGER

type EventListener = Callable[[SessionEvent], None]


class Events:
    """What has happened and was not told yet, and who is told of it."""

    def __init__(self) -> None:
        """Begin without either."""
        self._events: list[SessionEvent] = []
        self._listeners: list[EventListener] = []

    def __bool__(self) -> bool:
        """Whether something has happened that was not told yet."""
        return bool(self._events)

    def add(self, events: Iterable[SessionEvent]) -> None:
        """Have events told with the next `tell`."""
        self._events += events

    def listen(self, listener: EventListener) -> Callable[[], None]:
        """Have each step of each session told to a listener; return how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def shift(self, seconds: int) -> None:
        """Our clock was set: move what was not told yet."""
        by = timedelta(seconds=seconds)
        self._events = [replace(event, at=event.at + by) for event in self._events]

    def tell(self, oldest: datetime) -> None:
        """Tell what has happened, but for what we learnt before `oldest` (our clock, UTC)."""
        events, self._events = self._events, []
        for event in events:
            for listener in tuple(self._listeners) if event.at >= oldest else ():
                try:
                    listener(event)
                except Exception:  # noqa: BLE001  # the others are to hear of it all the same
                    LOGGER.exception("Unexpected error while a session's step was told")
