"""What quotes are worth, on logs of simulated restaurants.

The limits on mean errors are those of an earlier trial (see `KNOWN`) and six in a hundred more.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
import json
from random import Random
from statistics import fmean, median

import pytest

from custom_components.lrs_pager.sessions.backtest import BackTest, Report, back_test, read_line
from custom_components.lrs_pager.sessions.quote import Outcome, Quoter, Reason, Wait
from tests.simulator.restaurant import LUNCH_AND_DINNER, Restaurant, lines, log

DAY = 24 * 3600

# A house, days of its log, days of warm-up, and the mean error in minutes that was reached in an
# earlier trial on another simulated restaurant; None where there was none.
KNOWN: dict[str, tuple[Restaurant, int, int, float | None]] = {
    "base": (Restaurant(), 49, 28, 8.4),
    "base, another year": (Restaurant(), 49, 28, 8.4),
    "largest first": (Restaurant(largest_first=True), 42, 21, 10.9),
    "nights differ": (Restaurant(night_spread=0.25, dine_spread=0.12), 42, 21, 9.5),
    "half the tables": (Restaurant(halved=(28, 42), patience=50), 49, 21, 10.9),
    "no party sizes": (Restaurant(no_sizes=True), 42, 21, 10.0),
    "lunch, too": (Restaurant(rush=LUNCH_AND_DINNER, opens=690, peak=33), 35, 21, None),
    "small": (Restaurant(tables=(2,) * 4 + (4,) * 5 + (6,), peak=14), 84, 28, None),
    "closes in a heap": (Restaurant(closing_clear=True, forgotten=0.01), 35, 21, 8.4),
}


def waits_of(house: Restaurant, days: int, seed: int) -> list[Wait]:
    """A log as it is read from lines of JSON."""
    found = [
        wait
        for number, line in enumerate(lines(log(house, days, seed)))
        if (wait := read_line(line, number))
    ]
    assert found
    return found


@cache
def reported(name: str) -> Report:
    house, days, warm_up, _ = KNOWN[name]
    return back_test(waits_of(house, days, seed=len(name)), warm_up)


def outcomes(waits: list[Wait], warm_up: float = 0) -> list[Outcome]:
    test = BackTest(waits, warm_up)
    for _ in test.steps():
        pass
    return test.outcomes


# ------------------------------------------------------------------------------- how good


@pytest.mark.parametrize("name", KNOWN)
def test_a_quote_beats_every_simple_way_and_is_kept_four_times_in_five(name: str) -> None:
    report = reported(name)
    assert report.all
    ours, known = report.all.ours, KNOWN[name][3]
    assert ours.n > 400
    assert ours.mae < min(each.mae for each in report.all.baselines.values())
    assert ours.pinball < min(each.pinball for each in report.all.baselines.values())
    assert 75 <= ours.kept <= 86
    assert known is None or ours.mae <= known * 1.06


def test_a_quote_is_as_good_in_the_first_week() -> None:
    measures = []
    for seed in range(6):
        report = back_test(waits_of(Restaurant(), 7, seed), 0)
        assert report.all
        assert report.silent["too_few_sessions"] >= 30
        measures.append(report.all)
    count = sum(each.ours.n for each in measures)
    assert count > 1000

    def mean(values: list[float]) -> float:
        return sum(each.ours.n * v for each, v in zip(measures, values, strict=True)) / count

    mae = mean([each.ours.mae for each in measures])
    assert mae <= 9.6 * 1.06
    for name in measures[0].baselines:
        assert mae < mean([each.baselines[name].mae for each in measures])
    assert 75 <= mean([each.ours.kept for each in measures]) <= 86


def test_each_class_of_sizes_is_kept_what_it_is_promised() -> None:
    by_class = reported("base").by_class
    assert list(by_class) == ["1-2", "3-4", "5+"]
    assert all(72 <= group.ours.kept <= 88 for group in by_class.values())
    # Large parties wait for the few large tables: nobody knows well for how long.
    assert by_class["5+"].ours.mae > 1.5 * by_class["1-2"].ours.mae
    assert list(reported("no party sizes").by_class) == ["unknown"]


# ------------------------------------------------------------------------------- the gate


def shown_by_week(house: Restaurant, days: int, seed: int = 1) -> dict[int, float]:
    """The share of guests who were told a quote, by week."""
    waits = waits_of(house, days, seed)
    start = min(wait.created for wait in waits)
    weeks = defaultdict(list)
    for outcome in outcomes(waits):
        week = int((outcome.wait.created - start) // (7 * DAY))
        weeks[week].append(outcome.quote.high is not None)
    return {week: fmean(shown) for week, shown in weeks.items()}


def test_no_quote_is_shown_while_the_unit_pages_by_itself_and_again_afterwards() -> None:
    shown = shown_by_week(Restaurant(goal=900, auto_page=(14, 28)), 49)
    assert shown[1] > 0.8
    assert shown[3] < 0.1
    assert shown[6] > 0.8


def test_quotes_that_closed_tables_made_too_long_are_hidden_until_they_are_right_again() -> None:
    shown = shown_by_week(Restaurant(halved=(14, 35)), 63)
    assert min(shown[5], shown[6]) < 0.6
    assert shown[8] > 0.8


def quoter_with_a_line(test: BackTest) -> tuple[Quoter, float]:
    """The quoter on the evening after, when six parties of one wait; and that moment."""
    now = max(wait.left_at or 0 for wait in test.waits) + 20 * 3600
    for number in range(6):
        wait = Wait(key=f"new {number}", created=now + 60 * number, party_size=1)
        test.quoter.arrived(wait)
    return test.quoter, now + 600


def test_where_all_sizes_are_entered_as_one_a_large_party_is_not_quoted_for() -> None:
    test = BackTest(waits_of(Restaurant(sizes_all_one=(0, 99)), 28, 1), 14)
    for _ in test.steps():
        pass
    ours = test.report().all
    # What is said is true of guests as they come ...
    assert ours
    assert 75 <= ours.ours.kept <= 86
    # ... but not of those who are known to be others.
    quoter, now = quoter_with_a_line(test)
    assert quoter.quote(now, 1).high is not None
    assert quoter.quote(now, 6).reason is Reason.NO_NEIGHBOURS


def test_once_sizes_are_entered_a_large_party_is_quoted_for_and_for_longer() -> None:
    test = BackTest(waits_of(Restaurant(sizes_all_one=(0, 28)), 42, 1), 14)
    for _ in test.steps():
        pass
    quoter, now = quoter_with_a_line(test)
    small, large = quoter.quote(now, 1).high, quoter.quote(now, 6).high
    assert small
    assert large
    assert large > small


def test_instead_of_a_quote_that_is_not_good_enough_the_best_simple_way_is_named() -> None:
    told = outcomes(waits_of(Restaurant(goal=900, auto_page=(0, 99)), 21, 1), 14)
    for outcome in told:
        assert outcome.quote.reason is Reason.GATE_NOT_PASSED
        assert outcome.quote.low is outcome.quote.high is None
    assert Counter(outcome.quote.instead for outcome in told).most_common(1)[0][0] == (
        "default_goal",
        15,
    )


def test_no_quote_is_shown_where_the_goal_that_the_host_sets_says_more() -> None:
    rng = Random(1)
    waits = []
    for wait in waits_of(Restaurant(), 14, 1):
        goal = rng.choice((300, 900, 1800))
        paged = wait.created + goal + rng.randint(-60, 60)
        waits.append(replace(wait, goal=goal, paged=paged, ended=paged + 60))
    told = [o for o in outcomes(waits, 10) if o.forecast]
    # Quotes are kept as promised, and yet they are not the best that can be said.
    assert 0.72 < fmean(o.minutes <= o.forecast.high for o in told if o.forecast) < 0.88
    assert {o.quote.reason for o in told} == {Reason.GATE_NOT_PASSED}
    assert all(o.wait.goal and o.quote.instead == ("default_goal", o.wait.goal / 60) for o in told)


# ------------------------------------------------------------------------- what is reported


def test_measures_are_those_of_a_slow_recount() -> None:
    waits = waits_of(Restaurant(), 14, 3)
    start = min(wait.created for wait in waits)
    told = [o for o in outcomes(waits, 7) if o.forecast and o.forecast.reason is None]
    paged = [wait for wait in waits if wait.paged is not None and wait.created >= start + 7 * DAY]
    assert sorted(o.wait.key for o in told) == sorted(wait.key for wait in paged)
    report = back_test(waits, 7)
    assert report.all
    forecasts = [(o.forecast.expected, o.forecast.high, o.minutes) for o in told if o.forecast]
    errors = [expected - wait for expected, _, wait in forecasts]
    ours = report.all.ours
    assert ours.n == len(told)
    assert ours.mae == pytest.approx(fmean(map(abs, errors)))
    assert ours.bias == pytest.approx(fmean(errors))
    assert ours.median_error == pytest.approx(median(errors))
    assert ours.kept == pytest.approx(100 * fmean(wait <= high for _, high, wait in forecasts))
    assert ours.over == pytest.approx(100 * fmean(high - wait > 15 for _, high, wait in forecasts))
    assert ours.pinball == pytest.approx(
        fmean(0.8 * (w - high) if w > high else 0.2 * (high - w) for _, high, w in forecasts)
    )
    # A simple way, without anything of the product's.
    minutes = [(wait.paged - wait.created) / 60 for wait in paged if wait.paged]
    goal = report.all.baselines["default_goal"]
    assert goal.mae == pytest.approx(fmean(abs(each - 15) for each in minutes))
    assert goal.kept == pytest.approx(100 * fmean(each <= 15 for each in minutes))


def test_the_simple_ways_say_what_they_are_called() -> None:
    told = sorted(outcomes(waits_of(Restaurant(), 10, 3)), key=lambda o: o.wait.paged or 0)
    assert len(told) > 300
    hours = 0
    for outcome in told[-100:]:
        now = outcome.wait.created
        before = [o for o in told if o.wait.paged and o.wait.paged <= now]
        minutes = [o.minutes for o in before]
        today = [o.minutes for o in before if o.wait.created // DAY == now // DAY]
        recent = [o.minutes for o in before[-30:] if now - (o.wait.paged or 0) <= 4 * 3600]
        same = [o for o in before if o.size == outcome.size]
        each = 6.0
        for number, o in enumerate(same, 1):
            each += max(1 / (number + 5), 1 / 60) * (o.minutes / (o.line.own_size + 1) - each)
        here = [
            o.minutes / (o.line.own_size + 1)
            for o in same
            if local_hour(o.wait) == local_hour(outcome.wait)
        ]
        hours += bool(here)
        assert outcome.baselines == pytest.approx(
            (
                15,
                fmean(today) if today else 15,
                fmean(recent) if recent else 15,
                minutes[-1],
                each * (outcome.line.own_size + 1),
                (fmean(here) if here else each) * (outcome.line.own_size + 1),
            )
        )
    assert hours > 50


def local_hour(wait: Wait) -> tuple[int, int]:
    """The weekday and the hour at which a guest came, by the clock on the wall."""
    moment = datetime.fromtimestamp(wait.created, timezone(timedelta(seconds=wait.offset)))
    return moment.weekday(), moment.hour


def test_groups_are_parts_of_the_whole() -> None:
    report = reported("base")
    assert report.all
    for groups in (report.by_class, report.by_queue, report.by_week):
        assert sum(group.ours.n for group in groups.values()) == report.all.ours.n
        mae = sum(group.ours.n * group.ours.mae for group in groups.values())
        assert mae / report.all.ours.n == pytest.approx(report.all.ours.mae)
    assert list(report.by_queue) == ["0-2", "3-7", "8+"]
    assert list(report.by_week) == ["2026-02-02", "2026-02-09", "2026-02-16"]


def test_weeks_are_named_by_the_date_on_the_wall() -> None:
    visits = lines(log(Restaurant(opens=8 * 60), 9, 1, zone=timezone(timedelta(hours=12))))
    waits = [wait for number, text in enumerate(visits) if (wait := read_line(text, number))]
    assert list(back_test(waits, 0).by_week) == ["2026-01-05", "2026-01-12"]


def test_a_log_of_the_warm_up_alone_is_reported_as_nobody() -> None:
    told = back_test(waits_of(Restaurant(), 3, 1)).as_dict()
    assert (told["n"], told["mae"], told["kept"], told["baselines"]) == (0, None, None, {})
    assert back_test([]).as_dict()["n"] == 0
    json.dumps(told)


# ------------------------------------------------------------------- the future is not known


def test_nothing_that_happens_later_changes_what_was_quoted() -> None:
    waits = waits_of(Restaurant(closing_clear=True), 24, 1)
    # In the rush of the last Saturday.
    now = min(wait.created for wait in waits) + 19 * DAY + 2 * 3600

    def until_now(wait: Wait) -> Wait:
        left = wait.left_at
        return wait if left is None or left <= now else replace(wait, paged=None, ended=None)

    known = [until_now(wait) for wait in waits if wait.created <= now]
    assert sum(wait.left_at is None for wait in known) > 3
    altered = [
        wait
        if wait.left_at is not None and wait.left_at <= now
        else replace(wait, paged=now + 60, ended=now + 90)
        for wait in waits
    ]

    def told(waits: list[Wait]) -> list[object]:
        return [
            (o.wait.key, o.quote, o.forecast and o.forecast.expected, o.baselines)
            for o in outcomes(waits)
            if o.wait.left_at is not None and o.wait.left_at <= now
        ]

    expected = told(waits)
    assert len(expected) > 500
    assert told(known) == told(altered) == expected


# ------------------------------------------------------------------------------- reading


def line(**fields: object) -> str:
    return json.dumps(
        {
            "created": "2026-03-06T18:00:00+01:00",
            "notified": "2026-03-06T18:20:00+01:00",
            "cleared": "2026-03-06T18:21:00+01:00",
            "party_size": 2,
            "clear_type": "STOP",
            **fields,
        }
    )


def test_a_line_is_read_as_get_history_returns_it() -> None:
    assert read_line(line(goal_seconds=900, wait_seconds=1200, label="Ito"), 7) == Wait(
        key="7",
        created=1772816400,
        paged=1772816400 + 1200,
        ended=1772816400 + 1260,
        is_removed=False,
        party_size=2,
        goal=900,
        offset=3600,
    )
    removed = read_line(line(notified=None, party_size=None, clear_type="REMOVED"), 7)
    assert removed
    assert removed.is_removed
    assert (removed.paged, removed.party_size) == (None, None)
    waiting = read_line(line(notified=None, cleared=None, clear_type=None), 7)
    assert waiting
    assert waiting.left_at is None
    assert read_line(line(created=None), 7) is None


def test_a_wait_that_the_log_does_not_know_is_not_reckoned_from_the_times() -> None:
    known, unknown = read_line(line(wait_seconds=1200), 1), read_line(line(wait_seconds=None), 1)
    assert known
    assert known.is_learnt_from
    assert unknown
    assert not unknown.is_learnt_from


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        "\N{BELL}",
        line(created="yesterday"),
        line(created="2026-03-06T18:00:00"),
        line(notified=5),
        line(cleared="2026-03-06"),
        line(party_size="two"),
        line(party_size=True),
        line(party_size=-1),
        line(goal_seconds=10**400),
        line(goal_seconds=1.5),
        '{"created": NaN}',
    ],
)
def test_a_line_that_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_line(text, 1)
