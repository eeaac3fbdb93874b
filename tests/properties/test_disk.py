"""Whatever becomes of the log's file: it is read, and costs no more than what was damaged."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies as st

from custom_components.lrs_pager.session_store import Loaded, SessionStore
from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.session import PlacedSession
from homeassistant.core import HomeAssistant
from tests.properties import anything, fewer, to_json
from tests.properties.test_log import placed

# As hypothesis would make them alike, and a damaged one might be another's then.
UUIDS = [f"{number:032x}" for number in range(10**35, 10**35 + 10**33, 10**32)]

sessions = st.lists(placed(st.sampled_from(UUIDS)), max_size=8, unique_by=lambda s: s.uuid)

on_disk = settings(fewer(2), suppress_health_check=[HealthCheck.function_scoped_fixture])


def path_of(hass: HomeAssistant) -> Path:
    return Path(hass.config.path(".storage", "lrs_pager.entry"))


async def written(hass: HomeAssistant, sessions: list[PlacedSession]) -> bytes:
    """The file of a log with these sessions, one of which came later."""
    path_of(hass).unlink(missing_ok=True)
    store = SessionStore(hass, "entry")
    log = (await store.async_load()).log
    for part in (sessions[:-1], sessions[-1:]):
        log.restore(part)
        store.add(part)
        await store.async_save(log)
    return path_of(hass).read_bytes() if sessions else b""


async def loaded(hass: HomeAssistant, data: bytes) -> Loaded:
    """What the next start finds, and whether one more session can be saved then."""
    path_of(hass).parent.mkdir(exist_ok=True)
    path_of(hass).write_bytes(data)
    store = SessionStore(hass, "entry")
    found = await store.async_load()
    if found.set_aside is not None:
        # Nothing is lost: somebody may mend it.
        assert found.set_aside.read_bytes() == data
        assert len(found.log) == 0
        found.set_aside.unlink()
    await can_go_on(hass, store, found.log)
    return found


async def can_go_on(hass: HomeAssistant, store: SessionStore, log: SessionLog) -> None:
    """Save one more session, and find it and all others at the start after that."""
    sessions = [*log, new := PlacedSession(uuid="new", cleared_at=10**10)]
    log = SessionLog()
    log.restore(sessions)
    store.add([new])
    await store.async_save(log)
    again = await SessionStore(hass, "entry").async_load()
    assert as_set(again.log) == as_set(sessions)


def as_set(sessions: Any) -> list[PlacedSession]:
    return sorted(sessions, key=repr)


@given(sessions)
@on_disk
async def test_what_was_written_is_read(hass: HomeAssistant, sessions: list[PlacedSession]) -> None:
    data = await written(hass, sessions)
    if sessions:
        found = await loaded(hass, data)
        assert as_set(found.log) == as_set(sessions)
        assert found.damaged == 0
        assert found.set_aside is None


@given(sessions.filter(bool), st.data())
@on_disk
async def test_a_file_cut_anywhere_has_all_lines_before_the_cut(
    hass: HomeAssistant, sessions: list[PlacedSession], data: st.DataObject
) -> None:
    whole = await written(hass, sessions)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    found = await loaded(hass, cut)
    header, *lines = whole.splitlines(keepends=True)
    if not cut.startswith(header):
        assert found.set_aside is not None
        return
    assert found.set_aside is None
    left = cut.count(b"\n") - 1
    assert len(lines) == len(sessions)
    assert as_set(found.log) == as_set(sessions_of(lines[:left], sessions))


def sessions_of(lines: list[bytes], sessions: list[PlacedSession]) -> list[PlacedSession]:
    """The sessions on these lines, which have their uuids."""
    return [s for s in sessions if any(str(s.uuid).encode() in line for line in lines)]


garbage = (
    st.binary(max_size=30)
    | anything.map(to_json)
    | st.dictionaries(
        st.sampled_from(
            ["id", "uuid", "created", "created_at", "cleared_at", "label", "goal", "clear_type"]
        ),
        anything,
    ).map(to_json)
)


@given(sessions.filter(bool), garbage, st.data())
# Numbers that are none of a session's, and no identity.
@example(
    [PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"uuid":"u","cleared_at":%d}' % 2**63, None
)
@example(
    [PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"id":-1,"created":"","cleared_at":0}', None
)
@example([PlacedSession(uuid=UUIDS[0], cleared_at=5)], b"{}", None)
@example([PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"uuid":"u","id":true}', None)
@on_disk
async def test_a_line_of_garbage_costs_nothing_but_itself(
    hass: HomeAssistant,
    sessions: list[PlacedSession],
    garbage: bytes,
    data: st.DataObject | None,
) -> None:
    header, *lines = (await written(hass, sessions)).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines))) if data else 0
    is_instead = data is not None and data.draw(st.booleans())
    rest = lines[at + is_instead :]
    found = await loaded(hass, b"".join([header, *lines[:at], garbage, b"\n", *rest]))
    assert found.set_aside is None
    for session in sessions_of([*lines[:at], *rest], sessions):
        assert found.log.find(session) == session


@given(sessions.filter(bool), st.data())
@on_disk
async def test_a_bit_that_flips_costs_its_line_alone(
    hass: HomeAssistant, sessions: list[PlacedSession], data: st.DataObject
) -> None:
    header, *lines = (await written(hass, sessions)).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines)))
    damaged = bytearray([header, *lines][at])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    all_lines = [header, *lines]
    all_lines[at] = bytes(damaged)
    found = await loaded(hass, b"".join(all_lines))
    if found.set_aside is not None:
        assert at == 0
        return
    # The line after it, too, if the end of its line is gone.
    hurt = {at} if damaged.endswith(b"\n") else {at, at + 1}
    whole = [line for number, line in enumerate([header, *lines]) if number not in hurt]
    for session in sessions_of(whole, sessions):
        assert found.log.find(session) == session


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda b: b'{"version":1}\n' + b))
@on_disk
async def test_any_file_is_read_or_set_aside(hass: HomeAssistant, data: bytes) -> None:
    await loaded(hass, data)
