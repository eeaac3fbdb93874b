"""What a transmitter holds, made by the simulated one: its JSON shapes, and no others."""

from datetime import datetime, timedelta
from functools import cache

from aiocoap.numbers.codes import Code

from tests.simulator import Unit
from tests.simulator.resources import HISTORY, SESSIONS, SETTINGS, Resources, UriPath
from tests.simulator.session import Wire

# When the first session ended, and how far apart they are: 270 a day, as in a busy house.
FIRST = datetime(2026, 1, 5, 11, 30)
APART = timedelta(seconds=320)

# Guest pagers in use; every so many sessions, one has a name, and one was taken off the list.
PAGERS = 40
LABELLED_EVERY = 3
REMOVED_EVERY = 20
PAGED_AFTER = timedelta(minutes=9)
ENDED_AFTER = timedelta(minutes=11)


def serve(unit: Unit, count: int, first: datetime = FIRST, apart: timedelta = APART) -> None:
    """Have so many guests come, be paged and leave, from that moment of the unit's clock on."""
    for index in range(count):
        number, ended = index % PAGERS + 1, first + index * apart
        with unit.at(ended - ENDED_AFTER):
            label = f"Guest {index}" if index % LABELLED_EVERY == 0 else None
            unit.create(number, goal=600, label=label, party_size=index % 6 + 1)
        with unit.at(ended - ENDED_AFTER + PAGED_AFTER):
            unit.page(number)
        with unit.at(ended):
            unit.remove(number) if index % REMOVED_EVERY == 0 else unit.clear(number)


@cache
def history(count: int) -> tuple[Wire, ...]:
    """So many archived sessions, as the unit sends them."""
    unit = Unit(now=lambda: FIRST)
    serve(unit, count)
    return tuple(unit.history)


def bodies(count: int) -> dict[UriPath, bytes]:
    """The answers of a unit with so many archived sessions and a quiet floor."""
    unit = Unit(now=lambda: FIRST + count * APART)
    unit.load_history(history(count))
    resources = Resources(unit=unit, history_etag=False, exact_etag=False)
    return {
        path: resources.answer(Code.GET, path, (), b"").body
        for path in (HISTORY, SESSIONS, SETTINGS)
    }
