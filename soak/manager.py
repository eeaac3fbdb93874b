"""What a manager asks, by the unit's ledger, and what Home Assistant answers; slow and obvious."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
import csv
from datetime import datetime, timedelta
import io
from math import ceil
from pathlib import Path
import sqlite3
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

from .comparison import copied, gone_of, is_late, is_slip, together

# Seconds within which a page should be answered, and days for which pagers are looked at.
ANSWERED_WITHIN = 180
LATELY = timedelta(days=28)

# Seconds of any day but the two on which clocks are changed.
DAY = 86_400

# Weeks that today is compared with.
USUAL_WEEKS = 4

# Of minutes and percents.
ROUNDING = 0.006

# A span in which sessions may have been missed: POSIX seconds.
type Span = tuple[float, float]


class Recount:
    """All sessions, as `Books.settled` returns them, in the manager's figures."""

    def __init__(self, sessions: list[dict[str, Any]], zone: ZoneInfo) -> None:
        """Take all that there were, and the house's time zone."""
        self._sessions = sessions
        self._gone = {fields["uuid"] for fields in gone_of(sessions)}
        self._zone = zone

    @property
    def gone(self) -> int:
        """How many left before they were paged, or did not come."""
        return len(self._gone)

    def day(self, start: float, end: float) -> dict[str, float | None]:
        """The figures of sessions that ended from start on and before end (POSIX seconds)."""
        ended = [fields for fields in self._sessions if start <= fields["cleared_at"] < end]
        waits = [fields["wait"] / 60 for fields in ended if "wait" in fields]
        found = self._figures(ended)
        del found["median_wait"]
        return found | {"average_wait": fmean(waits) if waits else None}

    def cells(
        self, spans: list[Span], until: float
    ) -> dict[tuple[int, int], dict[str, float | None]]:
        """The figures by local weekday and hour of the beginning, less what was in a span.

        until: when they began at the latest (POSIX seconds), as the unit's clock may be ahead.
        """
        hours: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for fields in self._sessions:
            began, ended = fields["created_at"], fields["cleared_at"]
            if began > until or any(began < end and start < ended for start, end in spans):
                continue
            local = datetime.fromtimestamp(began, self._zone)
            hours.setdefault((local.weekday(), local.hour), []).append(fields)
        cells = {hour: self._figures(sessions) for hour, sessions in hours.items()}
        return {hour: cell for hour, cell in cells.items() if cell["sessions"]}

    def today(self, midnight: datetime) -> dict[str, float | None]:
        """The day that began at a local midnight."""
        start = midnight.replace(tzinfo=self._zone).timestamp()
        return self.day(start, start + DAY)

    def usual(
        self, now: float, midnight: datetime, spans: list[Span]
    ) -> tuple[dict[str, float | None] | None, int]:
        """The mean of this weekday in the last weeks up to this time, and of how many days.

        midnight: the local one at which today began.
        """
        local = datetime.fromtimestamp(now, self._zone).replace(tzinfo=None)
        days = []
        for week in range(1, USUAL_WEEKS + 1):
            until = local - timedelta(weeks=week)
            begins = midnight - timedelta(weeks=week)
            start, end, same_time = (
                int(at.replace(tzinfo=self._zone).timestamp())
                for at in (begins, begins + timedelta(days=1), until)
            )
            has_any = any(start <= fields["cleared_at"] < end for fields in self._sessions)
            if has_any and not any(began < end and start < ended for began, ended in spans):
                days.append(self.day(start, same_time))
        if not days:
            return None, 0
        means: dict[str, float | None] = {}
        for key in days[0]:
            values = [value for day in days if (value := day[key]) is not None]
            means[key] = fmean(values) if values else None
        return means, len(days)

    def pagers(self, now: float) -> dict[int, dict[str, Any]]:
        """The pagers by number, when none is out."""
        lately = [
            fields
            for fields in self._sessions
            if fields["cleared_at"] >= now - LATELY.total_seconds() and not is_slip(fields)
        ]
        unanswered = [
            fields
            for fields in lately
            if "notified_at" in fields
            and (fields["clear_type"] == "REMOVED" or fields["response"] > ANSWERED_WITHIN)
        ]
        at_closing = together(unanswered)
        pagers: dict[int, dict[str, Any]] = {}
        for fields in lately:
            pager = pagers.setdefault(
                fields["number"], {"out": False, "last_seen": 0, "sessions": 0, "unanswered": 0}
            )
            pager["last_seen"] = max(pager["last_seen"], fields["cleared_at"])
            pager["sessions"] += 1
            is_unanswered = any(fields is each for each in unanswered)
            pager["unanswered"] += is_unanswered and fields["cleared_at"] not in at_closing
        return pagers

    def kept(self, quotes: Mapping[str, int | None]) -> dict[str, float | None]:
        """How quotes turned out. quotes: seconds, by uuid; None where nothing was quoted."""
        paged = [fields for fields in self._sessions if "wait" in fields]
        waits = [
            (fields["wait"], quoted)
            for fields in paged
            if (quoted := quotes.get(fields["uuid"])) is not None
        ]
        return {
            "quotes_kept": _percent([wait <= quoted for wait, quoted in waits]),
            "quote_error": fmean(abs(w - q) / 60 for w, q in waits) if waits else None,
            "against_goal": _percent([not is_late(fields) for fields in paged]),
        }

    def file(self, quotes: Mapping[str, int | None]) -> Counter[tuple[str, ...]]:
        """The lines of the file that is downloaded, in whatever order."""

        def local(instant: int | None) -> str:
            if instant is None:
                return ""
            return datetime.fromtimestamp(instant, self._zone).strftime("%Y-%m-%d %H:%M:%S")

        def minutes(seconds: int | None) -> str:
            return "" if seconds is None else str(round(seconds / 60, 2))

        return Counter(
            (
                str(fields["number"]),
                str(fields["party_size"]),
                minutes(fields["goal"]),
                local(fields["created_at"]),
                local(fields.get("notified_at")),
                local(fields["cleared_at"]),
                {"STOP": "cleared", "REMOVED": "removed"}[fields["clear_type"]],
                minutes(fields.get("wait")),
                minutes(fields.get("response")),
                minutes(quotes.get(fields["uuid"])),
            )
            for fields in self._sessions
        )

    def _figures(self, sessions: list[dict[str, Any]]) -> dict[str, float | None]:
        guests = [fields for fields in sessions if not is_slip(fields)]
        waits = sorted(fields["wait"] / 60 for fields in guests if "wait" in fields)
        gone = [fields for fields in guests if fields["uuid"] in self._gone]
        return {
            "sessions": len(guests),
            "guests": sum(fields["party_size"] for fields in guests),
            "median_wait": median(waits) if waits else None,
            # The shortest wait that at least four of five had no longer than.
            "wait_80": waits[ceil(0.8 * len(waits)) - 1] if waits else None,
            "late": sum("wait" in fields and is_late(fields) for fields in guests),
            "left": sum("notified_at" not in fields for fields in gone),
            "no_show": sum("notified_at" in fields for fields in gone),
        }


def _percent(values: list[bool]) -> float | None:
    return 100 * sum(values) / len(values) if values else None


def _differ(shown: Any, value: float | None) -> bool:
    """Whether a figure is shown as another."""
    if value is None or shown is None:
        return shown is not value
    return not -ROUNDING <= shown - value <= ROUNDING


def _compare(
    what: str, shown: Mapping[str, Any], expected: Mapping[str, float | None]
) -> list[str]:
    """Compare figures by name; all that are expected, and no more are there."""
    wrong = [
        f"{key} of {what} is {shown.get(key)}, should be {value}"
        for key, value in expected.items()
        if _differ(shown.get(key), value)
    ]
    return wrong + [f"{what} has {key}" for key in shown.keys() - expected.keys()]


def _compare_cells(
    what: str,
    cells: list[dict[str, Any]],
    expected: dict[tuple[int, int], dict[str, float | None]],
) -> list[str]:
    wrong = []
    shown = {(cell["weekday"], cell["hour"]): cell for cell in cells}
    for hour in shown.keys() | expected.keys():
        cell = {k: v for k, v in shown.get(hour, {}).items() if k not in {"weekday", "hour"}}
        wrong += _compare(f"{hour} in {what}", cell, expected.get(hour, {}))
    return wrong


def pattern_differences(
    recount: Recount, answer: dict[str, Any], now: float, *, spans: range
) -> list[str]:
    """Compare with what get_pattern returns. spans: how many there may be."""
    found = spans_of(answer)
    wrong = _compare_cells("get_pattern", answer["cells"], recount.cells(found, now))
    if len(found) not in spans:
        wrong.append(f"{len(found)} spans are left out, should be {spans}")
    return wrong


def spans_of(answer: dict[str, Any]) -> list[Span]:
    """The spans that get_pattern left out."""
    return [
        (
            datetime.fromisoformat(span["from"]).timestamp(),
            datetime.fromisoformat(span["to"]).timestamp(),
        )
        for span in answer["left_out"]
    ]


def pager_differences(recount: Recount, answer: dict[str, Any], now: float) -> list[str]:
    """Compare with what get_pagers returns."""
    shown = {
        pager["number"]: pager | {"last_seen": datetime.fromisoformat(pager["last_seen"])}
        for pager in answer["pagers"]
    }
    expected = recount.pagers(now)
    wrong = []
    for number in shown.keys() | expected.keys():
        pager = {k: v for k, v in shown.get(number, {}).items() if k != "number"}
        if pager:
            pager["last_seen"] = pager["last_seen"].timestamp()
        wrong += _compare(f"pager {number}", pager, expected.get(number, {}))
    return wrong


def view_differences(
    recount: Recount, view: dict[str, Any], now: float, midnight: datetime, spans: list[Span]
) -> list[str]:
    """Compare with what the manager's view is told. midnight: when today began, by the unit."""
    wrong = _compare("today", view["today"], recount.today(midnight))
    usual, weeks = recount.usual(now, midnight, spans)
    wrong += _compare("the usual day", view["usual"] or {}, usual or {})
    if view["weeks"] != weeks:
        wrong.append(f"the usual day is of {view['weeks']} weeks, should be {weeks}")
    return wrong + _compare_cells("the view", view["pattern"]["cells"], recount.cells(spans, now))


def quote_differences(
    recount: Recount, quotes: Mapping[str, int | None], states: Mapping[str, Any]
) -> list[str]:
    """Compare with the sensors of quotes, by translation key."""
    expected = recount.kept(quotes)
    shown: dict[str, float | None] = {}
    for key in ("quotes_kept", "quote_error"):
        try:
            shown[key] = float(states[key]["state"])
        except ValueError:
            shown[key] = None
    shown["against_goal"] = states["quotes_kept"]["attributes"]["against_goal"]
    if expected["against_goal"] is not None:
        expected["against_goal"] = round(expected["against_goal"])
    return _compare("quotes", shown, expected)


def file_differences(recount: Recount, quotes: Mapping[str, int | None], text: str) -> list[str]:
    """Compare with the file that is downloaded."""
    rows = Counter(map(tuple, list(csv.reader(io.StringIO(text)))[1:]))
    expected = recount.file(quotes)
    return [f"in the file: {row}" for row in (rows - expected).elements()] + [
        f"not in the file: {row}" for row in (expected - rows).elements()
    ]


def read_quotes(path: Path) -> dict[str, int | None]:
    """Read off the log's file what was quoted to each session, by uuid: the unit has no quotes."""
    with copied(path) as copy, closing(sqlite3.connect(copy)) as connection:
        return dict(connection.execute("SELECT uuid, quoted FROM sessions"))
