"""What Home Assistant should have by the unit's ledger, and what it has; slow and obvious."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
from pathlib import Path
from typing import Any

from tests.simulator import ArchivedSession, Unit

from .clock import Clock

# Seconds by which an instant may be off in a session that came while the unit's clock was far off:
# the unit tells what it shows in whole seconds.
CLOCK_READING = 1

# Minutes. Home Assistant rounds what it converts; the unit's stamps are 0.017 minutes apart.
ROUNDING = 0.009

HOUR = 3600

STATISTICS = ("sessions", "guests", "late", "wait", "on_time_rate")


@dataclass(frozen=True)
class Expected:
    """A session as the log should have it: its line's fields, and how far instants may be off."""

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

    def sessions(self) -> list[Expected]:
        """All that the unit has archived. To be called before `off` changes."""
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
            "created_at": instant(archived.created),
            "notified_at": instant(archived.notified),
            "cleared_at": instant(archived.cleared),
        }
        present = {name: value for name, value in fields.items() if value is not None}
        return Expected(present, CLOCK_READING if self.off else 0)

    def log_differences(self, lines: dict[str, dict[str, Any]]) -> list[str]:
        """Compare with the log, by uuid."""
        wrong = []
        expected = {session.fields["uuid"]: session for session in self.sessions()}
        for uuid, session in expected.items():
            if (line := lines.get(uuid)) is None:
                wrong.append(f"not in the log: {session.fields}")
            elif not _is_same(session, line):
                wrong.append(f"in the log as {line}, should be {session.fields}")
        wrong += [f"in the log, and never was: {lines[uuid]}" for uuid in lines.keys() - expected]
        return wrong

    def figure_differences(self, states: dict[str, str]) -> list[str]:
        """Compare with the sensors, by translation key: those of the unit's day, and of now."""
        midnight = datetime.combine(self._unit.time().date(), datetime.min.time())
        start, end = (self._clock.instant(day) for day in (midnight, midnight + timedelta(days=1)))
        sessions = self.sessions()
        ended = [s for s in sessions if start <= s.fields["cleared_at"] < end]
        waits = [wait for s in ended if (wait := _wait(s.fields)) is not None]
        on_time = [wait <= s.fields["goal"] for s in ended if (wait := _wait(s.fields)) is not None]
        slack = ROUNDING + max((s.slack for s in ended), default=0) / 60
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

        compare("daily_count", len(ended))
        compare("average_wait", _mean([wait / 60 for wait in waits]), slack)
        compare("longest_wait", max(waits) / 60 if waits else None, slack)
        compare("on_time_rate", _mean([100.0 * ok for ok in on_time]), 1e-9)
        last = max(sessions, key=lambda session: session.fields["cleared_at"])
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
        # After some faults it is taken for a unit that does not tell them, for five minutes.
        if states["active_sessions"] not in {str(len(self._unit.active)), "unavailable"}:
            wrong.append(f"active_sessions is {states['active_sessions']}")
        return wrong


def _is_same(session: Expected, line: dict[str, Any]) -> bool:
    if session.fields.keys() != line.keys():
        return False
    return all(
        abs(line[name] - value) <= session.slack if name.endswith("_at") else line[name] == value
        for name, value in session.fields.items()
    )


def _wait(fields: dict[str, Any]) -> int | None:
    """Seconds from being given the pager to being paged."""
    if "notified_at" not in fields:
        return None
    wait: int = fields["notified_at"] - fields["created_at"]
    return wait


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def read_log(path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read the log's file: sessions by uuid, and what is wrong with it.

    A session may have several lines, each knowing more than the one before, none another thing.
    A line without an end is being written.
    """
    if not path.exists():
        return {}, []
    sessions: dict[str, dict[str, Any]] = {}
    wrong = []
    header, *lines = path.read_bytes().split(b"\n")[:-1] or [b"{}"]
    if json.loads(header).get("version") is None:
        wrong.append("the log has no header")
    for line in lines:
        try:
            fields = json.loads(line)
            known = sessions.setdefault(fields["uuid"], {})
        except ValueError, TypeError, KeyError:
            wrong.append(f"damaged line in the log: {line!r}")
            continue
        for name, value in fields.items():
            if known.setdefault(name, value) != value:
                wrong.append(f"two lines of {fields['uuid']} have different {name}")
    return sessions, wrong


# ----------------------------------------------------------------------- long-term statistics


def hourly(lines: Iterable[dict[str, Any]]) -> dict[str, dict[int, dict[str, float]]]:
    """Return each statistic's rows by hour (POSIX seconds), from the sessions of the log."""
    hours: dict[int, list[dict[str, Any]]] = {}
    for fields in lines:
        hours.setdefault(fields["cleared_at"] // HOUR * HOUR, []).append(fields)
    rows: dict[str, dict[int, dict[str, float]]] = {name: {} for name in STATISTICS}
    totals = dict.fromkeys(("sessions", "guests", "late"), 0)
    for hour, sessions in sorted(hours.items()):
        paged = [(wait, s["goal"]) for s in sessions if (wait := _wait(s)) is not None]
        late = sum(wait > goal for wait, goal in paged)
        counts = {"sessions": len(sessions), "guests": sum(s["party_size"] for s in sessions)}
        if paged:
            counts["late"] = late
            minutes = [wait / 60 for wait, _ in paged]
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
