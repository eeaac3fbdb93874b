"""What Home Assistant should have by the unit's ledger, and what it has; slow and obvious."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
import shutil
import sqlite3
import tempfile
from typing import Any

from tests.simulator import ArchivedSession, Unit

from .clock import Clock

# Seconds by which an instant may be off in a session that came while the unit's clock or Home
# Assistant's was far off: the unit tells what it shows in whole seconds.
CLOCK_READING = 1

# The log keeps names for a week, unless another time is set, and drops them within a day after
# that; some hours before a week, as Home Assistant's clock may have been ahead.
NAMES_KEPT = timedelta(days=7, hours=-4)
NAMES_DROPPED = timedelta(days=8)

# Seconds within which a session that was never paged and is removed is no guest, and seconds past
# its goal from which one is late: as the README says.
SLIP = 60
LATE_AFTER = 2

# Minutes. Home Assistant rounds what it converts; the unit's stamps are 0.017 minutes apart.
ROUNDING = 0.009

# So many removed within so many seconds are cleared up at closing.
MASS = 3
MASS_WITHIN = 60

HOUR = 3600

STATISTICS = ("sessions", "guests", "late", "left", "no_show", "wait", "on_time_rate")


@dataclass(frozen=True)
class Expected:
    """A session as the log should have it: its row's fields, and how far instants may be off."""

    fields: dict[str, Any]
    slack: int


class Books:
    """The unit's ledger, in Home Assistant's terms."""

    def __init__(self, unit: Unit, clock: Clock) -> None:
        """Nothing is archived yet."""
        self._unit = unit
        self._clock = clock
        self._sessions: list[Expected] = []
        # How far the unit's clock is off, if that is too far to take its times as they are.
        self.off = timedelta()
        # Whether Home Assistant's own clock is off at times.
        self.are_parted = False

    def sessions(self) -> list[Expected]:
        """All that the unit has archived. Call it before `off` or `are_parted` changes."""
        for archived in self._unit.ledger[len(self._sessions) :]:
            self._sessions.append(self._expected(archived))
        return self._sessions

    def _expected(self, archived: ArchivedSession) -> Expected:
        def instant(stamp: datetime | None) -> int | None:
            return None if stamp is None else self._clock.instant(stamp - self.off)

        fields = {
            "id": archived.id,
            "uuid": archived.uuid,
            "number": archived.number,
            "party_size": archived.party_size,
            "goal": archived.goal,
            "clear_type": archived.clear_type,
            "label": archived.label,
            "created": archived.created.isoformat(),
            "notified": archived.notified and archived.notified.isoformat(),
            "cleared": archived.cleared.isoformat(),
            "created_at": instant(archived.created),
            "notified_at": instant(archived.notified),
            "cleared_at": instant(archived.cleared),
            # By the unit's own stamps, whatever any clock is set to.
            "wait": archived.wait,
            "response": archived.notified
            and int((archived.cleared - archived.notified).total_seconds()),
        }
        present = {name: value for name, value in fields.items() if value is not None}
        if self.are_parted:
            # A clock that is minutes off is believed, unless Home Assistant's own is off as well.
            return Expected(present, CLOCK_READING + round(abs(self._unit.skew).total_seconds()))
        return Expected(present, CLOCK_READING if self.off else 0)

    def settled(self, lines: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """All sessions' fields; instants that may be off are those of lines: the log, by uuid."""
        found = []
        for session in self.sessions():
            line = lines.get(session.fields["uuid"], {}) if session.slack else {}
            instants = {name: line[name] for name in line if name.endswith("_at")}
            found.append(session.fields | instants)
        return found

    def log_differences(self, lines: dict[str, dict[str, Any]]) -> list[str]:
        """Compare with the log. lines: its rows, by uuid."""
        wrong = []
        now = self._clock.posix()
        expected = {session.fields["uuid"]: session for session in self.sessions()}
        for uuid, session in expected.items():
            if (line := lines.get(uuid)) is None:
                wrong.append(f"not in the log: {session.fields}")
            elif not _is_same(session, line, now):
                wrong.append(f"in the log as {line}, should be {session.fields}")
        wrong += [f"in the log, and never was: {lines[uuid]}" for uuid in lines.keys() - expected]
        return wrong

    def figure_differences(
        self, states: dict[str, str], lines: dict[str, dict[str, Any]]
    ) -> list[str]:
        """Compare with the sensors, by translation key: those of the unit's day, and of now.

        lines: of the log, in which there are no differences.
        """
        midnight = datetime.combine(self._unit.time().date(), datetime.min.time())
        start, end = (self._clock.instant(day) for day in (midnight, midnight + timedelta(days=1)))
        settled = self.settled(lines)
        ended = [s for s in settled if start <= s["cleared_at"] < end and not is_slip(s)]
        paged = [fields for fields in ended if "wait" in fields]
        waits = [fields["wait"] for fields in paged]
        on_time = [not is_late(fields) for fields in paged]
        wrong = []

        def compare(key: str, value: float | None, slack: float = 0) -> None:
            state = states[key]
            if value is None:
                fits = state == "unknown"
            else:
                try:
                    fits = abs(float(state) - value) <= slack
                except ValueError:
                    fits = False
            if not fits:
                wrong.append(f"{key} is {state}, should be {value}")

        gone = {fields["uuid"] for fields in gone_of(settled)}
        left = [f["uuid"] in gone and "notified_at" not in f for f in ended]
        did_not_come = [fields["uuid"] in gone for fields in paged]
        compare("daily_count", len(ended))
        compare("guests_served", sum(fields["party_size"] for fields in ended))
        compare("removed_today", sum(fields["clear_type"] == "REMOVED" for fields in ended))
        compare("left_today", sum(left))
        compare("did_not_come_today", sum(did_not_come))
        compare("left_rate", _mean([100.0 * each for each in left]), 1e-9)
        compare("did_not_come_rate", _mean([100.0 * each for each in did_not_come]), 1e-9)
        compare("average_wait", _mean([wait / 60 for wait in waits]), ROUNDING)
        compare("average_response", _mean([f["response"] / 60 for f in paged]), ROUNDING)
        compare("longest_wait", max(waits) / 60 if waits else None, ROUNDING)
        compare("on_time_rate", _mean([100.0 * ok for ok in on_time]), 1e-9)
        last = max(self.sessions(), key=lambda session: session.fields["cleared_at"])
        shown = states["last_cleared_session"]
        try:
            is_last = (
                abs(datetime.fromisoformat(shown).timestamp() - last.fields["cleared_at"])
                <= last.slack
            )
        except ValueError:
            is_last = False
        if not is_last:
            wrong.append(f"last_cleared_session is {shown}, should be {last.fields['cleared_at']}")
        # After some faults the unit is taken for one without a list of them, for five minutes.
        for key, count in (("active_sessions", len(self._unit.active)), ("pagers_not_back", 0)):
            if states[key] not in {str(count), "unavailable"}:
                wrong.append(f"{key} is {states[key]}, should be {count}")
        return wrong


def _is_same(session: Expected, line: dict[str, Any], now: float) -> bool:
    fields = dict(session.fields)
    age = timedelta(seconds=now - fields["cleared_at"])
    if age > NAMES_DROPPED or (age > NAMES_KEPT and "label" not in line):
        fields.pop("label", None)
    if fields.keys() != line.keys():
        return False
    return all(
        abs(line[name] - value) <= session.slack if name.endswith("_at") else line[name] == value
        for name, value in fields.items()
    )


def is_slip(fields: dict[str, Any]) -> bool:
    """Whether a number was mistyped and taken back: that is no guest."""
    is_short = fields["cleared_at"] - fields["created_at"] < SLIP
    return fields["clear_type"] == "REMOVED" and "notified_at" not in fields and is_short


def gone_of(sessions: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose guests left, or did not come: removed, but for slips and those at closing.

    sessions: also those that ended a minute before and after.
    """
    removed = [s for s in sessions if s["clear_type"] == "REMOVED" and not is_slip(s)]
    at_closing = together(removed)
    return [s for s in removed if s["cleared_at"] not in at_closing]


def together(sessions: list[dict[str, Any]]) -> set[int]:
    """When those sessions ended of which MASS or more did so within MASS_WITHIN seconds."""
    ends = [fields["cleared_at"] for fields in sessions]
    found: set[int] = set()
    for first in ends:
        mass = [end for end in ends if first <= end <= first + MASS_WITHIN]
        if len(mass) >= MASS:
            found.update(mass)
    return found


def is_late(fields: dict[str, Any]) -> bool:
    """Whether a guest who was paged was paged late."""
    late: bool = fields["wait"] >= fields["goal"] + LATE_AFTER
    return late


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


# The fields that are compared: all but those of the log's own book-keeping.
COLUMNS = (
    *("id", "uuid", "number", "party_size", "goal", "clear_type", "label"),
    *("created", "notified", "cleared", "created_at", "notified_at", "cleared_at"),
    *("wait", "response"),
)


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy of the log's file, with the write-ahead log, as a backup takes it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for part in ("", "-wal"):
            if (file := path.with_name(path.name + part)).exists():
                shutil.copy(file, copy.with_name(copy.name + part))
        yield copy


def read_log(path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read the log's file: sessions by uuid, and what is wrong with it.

    Home Assistant alone may have the file open. So it is copied, with the write-ahead log, as a
    backup does; a copy that was taken while that log was moved into the file may be damaged, and
    the next one is not.
    """
    sessions: dict[str, dict[str, Any]] = {}
    wrong = []
    with copied(path) as copy:
        if not copy.exists():
            return {}, []
        try:
            with closing(sqlite3.connect(copy)) as connection:
                ((check,),) = connection.execute("PRAGMA integrity_check(1)")
                if check != "ok":
                    wrong.append(f"the log is damaged: {check}")
                rows = connection.execute(
                    f"SELECT {', '.join(COLUMNS)} "  # noqa: S608  # our own names
                    "FROM sessions LEFT JOIN names ON session = row"
                ).fetchall()
        except sqlite3.DatabaseError as err:
            return {}, [f"the log is damaged: {err}"]
    for row in rows:
        fields = {
            name: value for name, value in zip(COLUMNS, row, strict=True) if value is not None
        }
        if fields.get("uuid") in sessions:
            wrong.append(f"{fields['uuid']} is in the log twice")
        sessions[fields.get("uuid", "")] = fields
    return sessions, wrong


# ----------------------------------------------------------------------- long-term statistics


def hourly(lines: Collection[dict[str, Any]]) -> dict[str, dict[int, dict[str, float]]]:
    """Return each statistic's rows by hour (POSIX seconds), from all sessions."""
    gone = {fields["uuid"] for fields in gone_of(lines)}
    hours: dict[int, list[dict[str, Any]]] = {}
    for fields in lines:
        hours.setdefault(fields["cleared_at"] // HOUR * HOUR, []).append(fields)
    rows: dict[str, dict[int, dict[str, float]]] = {name: {} for name in STATISTICS}
    totals = dict.fromkeys(("sessions", "guests", "late", "left", "no_show"), 0)
    for hour, ended in sorted(hours.items()):
        sessions = [fields for fields in ended if not is_slip(fields)]
        if not sessions:
            continue
        paged = [fields for fields in sessions if "wait" in fields]
        late = sum(map(is_late, paged))
        lost = [fields for fields in sessions if fields["uuid"] in gone]
        counts = {
            "sessions": len(sessions),
            "guests": sum(s["party_size"] for s in sessions),
            "left": sum("notified_at" not in s for s in lost),
            "no_show": sum("notified_at" in s for s in lost),
        }
        if paged:
            counts["late"] = late
            minutes = [fields["wait"] / 60 for fields in paged]
            rows["wait"][hour] = {
                "mean": sum(minutes) / len(minutes),
                "min": min(minutes),
                "max": max(minutes),
            }
            rows["on_time_rate"][hour] = {"mean": 100 * (len(paged) - late) / len(paged)}
        for name, value in counts.items():
            totals[name] += value
            rows[name][hour] = {"state": value, "sum": totals[name]}
    return rows


def statistics_differences(
    expected: dict[str, dict[int, dict[str, float]]], found: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """Compare with the recorder's rows, by statistic; an hour of nothing may have a row, too."""
    wrong = []
    for name, rows in expected.items():
        there = {row["start"] // 1000: row for row in found.get(name, [])}
        for hour, row in rows.items():
            shown = {key: there.get(hour, {}).get(key) for key in row}
            if any(value is None or abs(value - row[key]) > 1e-6 for key, value in shown.items()):  # noqa: PLR2004
                at = datetime.fromtimestamp(hour).astimezone().isoformat()
                wrong.append(f"{name} of {at} is {shown}, should be {row}")
        wrong += [
            f"{name} has {there[hour]}, and nothing was then"
            for hour in there.keys() - rows.keys()
            if there[hour].get("state")
        ]
    return wrong
