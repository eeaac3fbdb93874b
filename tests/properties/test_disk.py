"""Whatever becomes of the log's file: it is read, and costs no more than what was damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import tempfile

from hypothesis import example, given, strategies as st

from custom_components.lrs_pager.sessions.log import SessionLog
from custom_components.lrs_pager.sessions.old_log import read_old_log
from custom_components.lrs_pager.sessions.session import PlacedSession
from tests.properties import anything, fewer, to_json
from tests.properties.test_log import placed
from tests.sessions import NOON_AT, everything, opened, placed as place, session

# As hypothesis would make them alike, and a damaged one might be another's then.
UUIDS = [f"{number:032x}" for number in range(10**35, 10**35 + 10**33, 10**32)]

sessions = st.lists(placed(st.sampled_from(UUIDS)), max_size=8, unique_by=lambda s: s.uuid)


@contextmanager
def new_path() -> Iterator[Path]:
    """Where a log is to be, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "lrs_pager.entry.db"


# Of SQLite; three tables, three indexes and some more.
PAGE = 2048
COUNT = 120


async def written(path: Path, sessions: list[PlacedSession], *, is_closed: bool) -> None:
    """A log with these sessions and others, as it is after the end or after a kill."""
    async with opened(path) as log:
        await log.merge([session(n, label=f"Guest {n}") for n in range(COUNT)], place)
        await log.keep(sessions)
        await log.set("key", {"cursor": [1, "2"]})
        await log.blank_names(NOON_AT - 60 * (COUNT - 20))
        if not is_closed:
            await log.pause()
            await log.merge([session(COUNT)], place)


async def can_go_on(path: Path) -> list[PlacedSession]:
    """Do all that can be done with a log; return what it had at the start."""
    told: list[Path] = []
    log = SessionLog(path, set_aside=told.append)
    await log.open()
    found = await everything(log)
    new = PlacedSession(uuid="new", cleared_at=10**10)
    for one in found:
        await log.find(one)
    await log.merge([session(n) for n in range(COUNT)], place)
    await log.keep([new])
    await log.shift(5)
    await log.get("key")
    await log.set("key", 1)
    await log.blank_names(10**9)
    await log.numbers(0)
    before = await everything(log)
    assert await log.count() == len(before) >= COUNT + 1
    assert await log.latest() == before[-1]
    assert not log.is_failing
    await log.close()
    async with opened(path) as again:
        assert await everything(again) == before
        assert await again.find(new) == new
    return found


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, int, bytes]]:
    """Things that become of a file: where, in thousandths of it, and what is there then."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(["write", "write", "cut", "append"]),
                st.integers(0, 999),
                st.binary(min_size=1, max_size=40) | st.sampled_from([b"\0" * PAGE, b"\xff" * 9]),
            ),
            min_size=1,
            max_size=4,
        )
    )


def damage(path: Path, damages: list[tuple[str, int, bytes]]) -> None:
    data = bytearray(path.read_bytes())
    for kind, where, what in damages:
        at = len(data) * where // 1000
        if kind == "write":
            data[at : at + len(what)] = what[: len(data) - at]
        elif kind == "cut":
            del data[at:]
        else:
            data += what
    path.write_bytes(data)


@given(sessions, damages(), damages() | st.just([]), st.booleans())
@fewer(4)
async def test_any_damage_is_borne(
    sessions: list[PlacedSession],
    of_file: list[tuple[str, int, bytes]],
    of_wal: list[tuple[str, int, bytes]],
    is_closed: bool,
) -> None:
    with new_path() as path:
        await written(path, sessions, is_closed=is_closed)
        damage(path, of_file)
        wal = path.with_name(f"{path.name}-wal")
        if wal.exists():
            damage(wal, of_wal)
        await can_go_on(path)


@given(st.data(), st.sampled_from([b"\0", b"\7", b"\xff", None]))
@fewer(4)
async def test_pages_that_are_lost_take_away_what_was_on_them_and_invent_nothing(
    data: st.DataObject, filling: bytes | None
) -> None:
    with new_path() as path:
        await written(path, [], is_closed=True)
        async with opened(path) as log:
            truth = await everything(log)
        content = bytearray(path.read_bytes())
        pages = st.integers(0, len(content) // PAGE - 1)
        for page in data.draw(st.lists(pages, min_size=1, max_size=2)):
            # As a disk does that mistakes one page for another.
            other = data.draw(pages) * PAGE
            filled = content[other : other + PAGE] if filling is None else filling * PAGE
            content[page * PAGE : (page + 1) * PAGE] = filled
        path.write_bytes(content)
        nameless = {s.uuid: s.label for s in truth}
        for found in await can_go_on(path):
            assert found.label in (None, nameless[found.uuid])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda b: b"SQLite format 3\0" + b))
@fewer(4)
async def test_any_file_is_read_or_set_aside(content: bytes) -> None:
    with new_path() as path:
        path.write_bytes(content)
        log = SessionLog(path)
        opened = await log.open()
        await log.close()
        if opened.set_aside:
            assert opened.set_aside.read_bytes() == content
        assert await can_go_on(path) == []


# ---------------------------------------------------------------------- the log of version 0.1

HEADER = b'{"version":1,"key":"lrs_pager.entry"}\n'

# What it kept.
FIELDS = (
    *("id", "uuid", "number", "party_size", "goal", "clear_type", "label", "created"),
    *("created_at", "notified_at", "cleared_at"),
)


def lines_of(sessions: list[PlacedSession]) -> list[bytes]:
    """Write sessions as version 0.1 did."""
    records = [{name: getattr(session, name) for name in FIELDS} for session in sessions]
    return [
        to_json({name: value for name, value in record.items() if value is not None}) + b"\n"
        for record in records
    ]


def read(data: bytes) -> tuple[list[PlacedSession], list[bytes]]:
    with new_path() as path:
        path.write_bytes(data)
        return read_old_log(path)


def known(sessions: list[PlacedSession]) -> list[tuple[object, ...]]:
    """What version 0.1 knew of sessions."""
    return sorted((tuple(getattr(s, name) for name in FIELDS) for s in sessions), key=repr)


@given(sessions, st.data())
def test_an_old_log_cut_anywhere_has_all_lines_before_the_cut(
    sessions: list[PlacedSession], data: st.DataObject
) -> None:
    lines = lines_of(sessions)
    whole = HEADER + b"".join(lines)
    assert known(read(whole)[0]) == known(sessions)
    cut = whole[: data.draw(st.integers(len(HEADER), len(whole)))]
    found, damaged = read(cut)
    assert known(found) == known(sessions[: cut.count(b"\n") - 1])
    assert damaged == []


garbage = (
    st.binary(max_size=30)
    | anything.map(to_json)
    | st.dictionaries(st.sampled_from(FIELDS), anything).map(to_json)
)


@given(sessions, garbage, st.data())
# Numbers that are none of a session's, and no identity.
@example(
    [PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"uuid":"u","cleared_at":%d}' % 2**63, None
)
@example(
    [PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"id":-1,"created":"","cleared_at":0}', None
)
@example([PlacedSession(uuid=UUIDS[0], cleared_at=5)], b"{}", None)
@example([PlacedSession(uuid=UUIDS[0], cleared_at=5)], b'{"uuid":"u","id":true}', None)
@fewer(2)
async def test_a_line_of_garbage_costs_nothing_but_itself(
    sessions: list[PlacedSession], garbage: bytes, data: st.DataObject | None
) -> None:
    lines = lines_of(sessions)
    at = data.draw(st.integers(0, len(lines))) if data else 0
    with new_path() as path:
        old = path.with_suffix("")
        old.write_bytes(HEADER + b"".join([*lines[:at], garbage, b"\n", *lines[at:]]))
        async with opened(path, old) as log:
            found = {s.uuid: s for s in await everything(log)}
        assert not old.exists()
    for one in sessions:
        assert known([found[one.uuid]]) == known([one])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda b: b'{"version":1}\n' + b))
@fewer(2)
async def test_any_old_file_is_read_or_set_aside(content: bytes) -> None:
    with new_path() as path:
        old = path.with_suffix("")
        old.write_bytes(content)
        log = SessionLog(path, old)
        found = await log.open()
        if found.set_aside is not None:
            assert found.set_aside.read_bytes() == content
        assert await log.count() >= 0
        await log.close()
        assert not old.exists()
