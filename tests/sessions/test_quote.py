"""How long the next guest will wait."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from itertools import pairwise
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest

from custom_components.lrs_pager.sessions.backtest import read_line
from custom_components.lrs_pager.sessions.neighbours import Curve, Size
from custom_components.lrs_pager.sessions.quote import LONGEST, Quoter, Reason, Wait, _Gate
from custom_components.lrs_pager.sessions.session import PlacedSession
from custom_components.lrs_pager.sessions.waits import wait_of
from tests.simulator.restaurant import Restaurant, lines, log

DAY = 24 * 3600


@cache
def usual() -> list[Wait]:
    """Three weeks of a restaurant."""
    visits = lines(log(Restaurant(), 21, 1))
    found = (read_line(text, number) for number, text in enumerate(visits))
    return [wait for wait in found if wait]


def told(waits: Iterable[Wait], quoter: Quoter | None = None) -> Quoter:
    quoter = quoter or Quoter()
    for _ in quoter.replay(waits):
        pass
    return quoter


@cache
def _told_of_the_usual() -> Quoter:
    return told(usual())


def after_the_usual(waits: Iterable[Wait] = ()) -> Quoter:
    """Who knows three weeks, and is told of more."""
    return told(waits, deepcopy(_told_of_the_usual()))


def evening(waits: list[Wait]) -> float:
    """The evening after a log ends."""
    return max(wait.created for wait in waits) + 20 * 3600


def queue(now: float, parties: int = 6, size: int | None = 2) -> list[Wait]:
    """Guests who wait, one for each of the minutes before."""
    return [
        Wait(key=f"waits {number}", created=now - 60 * number, party_size=size)
        for number in range(1, parties + 1)
    ]


# ---------------------------------------------------------------------------------- what is said


def test_a_quote_is_a_range_in_fives_that_grows_with_the_line() -> None:
    now = evening(usual())
    quotes = [after_the_usual(queue(now, parties)).quote(now, 2) for parties in (1, 4, 12)]
    for quote in quotes:
        assert quote.reason is None
        assert quote.low is not None
        assert quote.high is not None
        assert 5 <= quote.low <= quote.high
        assert quote.low % 5 == quote.high % 5 == 0
        assert quote.based_on >= 8
    assert [quote.parties_ahead for quote in quotes] == [1, 4, 12]
    assert all((a.high or 0) < (b.high or 0) for a, b in pairwise(quotes))


def test_a_quote_is_never_less_than_five_minutes() -> None:
    at_once = [
        replace(w, paged=w.created + 60 + n % 20) if w.paged else w for n, w in enumerate(usual())
    ]
    now = evening(at_once)
    quoter = told([*at_once, *queue(now, 1)])
    forecast = quoter._line["waits 1"].forecast
    assert forecast
    assert forecast.expected < 2
    assert (forecast.low, forecast.high) == (5, 5)


def test_a_quote_says_how_many_are_ahead_and_how_many_of_the_own_size() -> None:
    now = evening(usual())
    line = queue(now, 5)
    line[0] = replace(line[0], party_size=4)
    quoter = after_the_usual(line)
    found = {size: quoter.quote(now, size) for size in (1, 2, 3, 4, 5, 12)}
    assert {quote.parties_ahead for quote in found.values()} == {5}
    assert [quote.ahead_in_size for quote in found.values()] == [4, 4, 1, 1, 0, 0]


def test_where_nobody_waits_there_is_no_line_and_no_quote_of_zero() -> None:
    quote = after_the_usual().quote(evening(usual()), 2)
    assert (quote.low, quote.high, quote.reason) == (None, None, Reason.NO_LINE)
    assert Quoter().quote(0, None).reason is Reason.NO_LINE


def test_there_is_no_quote_before_there_are_enough_sessions() -> None:
    paged = sorted((wait for wait in usual() if wait.paged), key=lambda wait: wait.paged or 0)
    reasons = {}
    for known in (0, 5, 29, 300):
        now = evening(paged[: known + 1])
        quoter = told([*paged[:known], *queue(now)])
        reasons[known] = {
            quoter.quote(now, 2).reason,
            *(
                quote.reason
                for number in range(1, 7)
                if (quote := quoter.quoted(f"waits {number}"))
            ),
        }
    few = {Reason.TOO_FEW_SESSIONS}
    assert reasons == {0: few, 5: few, 29: few, 300: {None}}


def test_there_is_no_quote_for_a_line_unlike_any_that_was_seen() -> None:
    now = evening(usual())
    quote = after_the_usual(queue(now, 500)).quote(now, 2)
    assert (quote.high, quote.reason) == (None, Reason.NO_NEIGHBOURS)
    assert quote.parties_ahead == LONGEST / 60


def test_where_party_sizes_are_not_given_all_are_one_class() -> None:
    waits = [replace(wait, party_size=None) for wait in usual()]
    now = evening(waits)
    quoter = told([*waits, *queue(now, size=None)])
    quotes = {quoter.quote(now, size) for size in (None, 1, 4, 9)}
    assert len(quotes) == 1
    assert quotes.pop().high is not None
    assert [Size.of(size) for size in (None, 0, 1, 2, 3, 4, 5, 99)] == [3, 3, 0, 0, 1, 1, 2, 2]


def test_who_waits_is_told_how_much_longer_and_four_in_five_times_it_is_kept() -> None:
    waits = usual()
    quoter, kept, abouts = Quoter(), [], []
    ordered = sorted(
        [(wait.created, 1, wait) for wait in waits]
        + [(wait.left_at, 0, wait) for wait in waits if wait.left_at is not None],
        key=lambda event: event[:2],
    )
    waiting: dict[str, Wait] = {}
    asked = set()
    for at, is_arrival, wait in ordered:
        for key, other in waiting.items():
            if key not in asked and at - other.created >= 1200 and other.paged:
                asked.add(key)
                if remaining := quoter.remaining(key, at):
                    assert 1 <= remaining.low <= remaining.about <= remaining.high
                    more = (other.paged - at) / 60
                    kept.append(more <= remaining.high)
                    abouts.append(more <= remaining.about)
        if is_arrival:
            quoter.arrived(wait)
            waiting[wait.key] = wait
        else:
            quoter.left(wait)
            waiting.pop(wait.key, None)
    assert len(kept) > 200
    assert 0.72 <= fmean(kept) <= 0.88
    assert 0.4 <= fmean(abouts) <= 0.6


def test_nothing_is_said_of_who_does_not_wait_or_has_waited_for_longer_than_anybody() -> None:
    now = evening(usual())
    quoter = after_the_usual(queue(now))
    assert quoter.remaining("waits 1", now) is not None
    assert quoter.remaining("waits 1", now + 3.9 * 3600) is None
    assert quoter.remaining("nobody", now) is None
    assert quoter.quoted("nobody") is None
    quoter.left(Wait(key="waits 1", created=now - 60, paged=now))
    assert quoter.remaining("waits 1", now) is None
    assert told(queue(now)).remaining("waits 1", now) is None


def test_where_guests_wait_for_longer_than_they_used_to_tonight_quotes_are_longer() -> None:
    now = evening(usual())
    late = [
        Wait(key=f"late {n}", created=now - 7000, paged=now - 60 * n, party_size=2)
        for n in range(40)
    ]
    line = queue(now, 4)
    tonight = after_the_usual([*late, *line]).quote(now, 2)
    # Three hours later that is over; what was learnt from these guests stays.
    later = now + 3 * 3600
    usual_again = after_the_usual([*late, *queue(later, 4)]).quote(later, 2)
    assert usual_again.high is not None
    assert tonight.high is not None
    assert tonight.high > usual_again.high


def test_who_waits_for_longer_than_expected_already_makes_quotes_longer() -> None:
    now = evening(usual())
    quoter = after_the_usual(queue(now, 6))
    line = quoter._line.values()
    assert quoter._pace.at(now, line) == pytest.approx(1, abs=0.01)
    assert quoter._pace.at(now + 3600, line) > 1.05


# ------------------------------------------------------------------------------ what is known


def test_the_line_that_a_guest_finds_is_that_of_the_log() -> None:
    checked = 0
    for outcome in told_of(usual()):
        now = outcome.wait.created
        there = [
            wait
            for wait in usual()
            if (wait.created, wait.key) != (now, outcome.wait.key)
            and wait.created < now
            and (wait.left_at is None or wait.left_at > now)
        ]
        same = [wait for wait in usual() if wait.created == now]
        if len(same) > 1:
            continue  # which of them was first is not in the log
        checked += 1
        assert outcome.line.parties == len(there)
        assert outcome.line.own_size == sum(
            Size.of(wait.party_size) == Size.of(outcome.wait.party_size) for wait in there
        )
        longest = max((now - wait.created for wait in there), default=0)
        assert outcome.line.minutes == longest / 60
    assert checked > 700


def told_of(waits: list[Wait]) -> list:
    return [outcome for outcome in Quoter().replay(waits) if outcome]


def test_it_comes_to_the_same_whether_it_is_replayed_or_told_live() -> None:
    waits = usual()
    now = evening(waits)
    split = min(wait.created for wait in waits) + 18 * DAY + 2 * 3600

    def as_of_then(wait: Wait) -> Wait:
        left = wait.left_at
        return wait if left is None or left <= split else replace(wait, paged=None, ended=None)

    live = told(as_of_then(wait) for wait in waits if wait.created <= split)
    later = [(wait.created, 1, wait) for wait in waits if wait.created > split]
    later += [(wait.left_at, 0, wait) for wait in waits if wait.left_at and wait.left_at > split]
    for at, is_arrival, wait in sorted(later, key=lambda event: event[:2]):
        # To be asked, and told of what is known already, changes nothing.
        live.quote(at, 4)
        if is_arrival:
            live.arrived(replace(wait, paged=None, ended=None))
            live.arrived(replace(wait, paged=None, ended=None))
        else:
            live.left(wait)
            assert live.left(wait) is None
    rebuilt = after_the_usual()
    for quoter in (live, rebuilt):
        for wait in queue(now)[::-1]:
            quoter.arrived(wait)
    for size in (1, 3, 6):
        assert live.quote(now, size) == rebuilt.quote(now, size)
        assert live.quote(now, size).high is not None
    for number in range(1, 7):
        assert live.quoted(f"waits {number}") == rebuilt.quoted(f"waits {number}")
        assert live.remaining(f"waits {number}", now) == rebuilt.remaining(f"waits {number}", now)


def test_who_is_paged_in_the_second_of_coming_is_not_left_in_the_line() -> None:
    at_once = Wait(key="at once", created=DAY, paged=DAY)
    assert told([at_once, *queue(DAY, 3)]).quote(DAY + 60, 2).parties_ahead == 3


def test_a_replay_can_be_left_off_and_gone_on_with_after_each_step() -> None:
    waits, quoter = queue(DAY, 4), Quoter()
    found = [quoter.quote(DAY, 2).parties_ahead for _ in quoter.replay(waits)]
    assert found == [0, 0, 0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("ended", "is_learnt"),
    [
        ([{"is_removed": True}], True),
        ([{"is_removed": True}, {"is_removed": True}], True),
        # Cleared at closing, one after the other.
        ([{"is_removed": True}, {"is_removed": True}, {"is_removed": True}], False),
        # Cleared without a page: it may have been forgotten.
        ([{}], False),
        # A slip at the keypad.
        ([{"is_removed": True, "created": 30}], False),
        # The length is not known, or the line was not.
        ([{"is_removed": True, "is_reliable": False}], False),
        ([{"paged": 0.0, "is_reliable": False}], False),
        # Nobody waits for so long.
        ([{"paged": 0.0, "created": LONGEST + 1}], False),
        ([{"paged": 0.0, "created": LONGEST - 1}], True),
        # The clock was set back.
        ([{"paged": 0.0, "created": -60}], False),
        # Never ended.
        ([{"ended": None}], False),
    ],
)
def test_only_what_tells_how_long_guests_wait_is_learnt_from(
    ended: list[dict], is_learnt: bool
) -> None:
    """created: seconds before it ended."""
    waits = []
    last = max(wait.created for wait in usual()) + 6 * 3600
    for number, fields in enumerate(ended):
        at = last + 20 * number
        given = {
            "key": f"one {number}",
            "ended": at,
            "party_size": 2,
            **fields,
            "created": at - fields.get("created", 3 * 3600),
        }
        if "paged" in fields:
            given["paged"] = at
        waits.append(Wait(**given))
    before, after = after_the_usual(), after_the_usual(waits)
    now = evening(usual())
    before.quote(now, 2)
    after.quote(now, 2)
    assert (list(before._neighbours._waits) != list(after._neighbours._waits)) == is_learnt


@pytest.mark.parametrize(
    ("later", "is_learnt"), [({"is_removed": True}, True), ({}, False), ({"paged": 9e9}, False)]
)
def test_that_a_guest_was_removed_may_be_told_a_bit_after_the_end(
    later: dict, *, is_learnt: bool
) -> None:
    now = evening(usual())
    came = Wait(key="one", created=now, party_size=2)
    ended = replace(came, ended=now + 1_800)
    quoter = after_the_usual()
    quoter.quote(now, 2)
    before = list(quoter._neighbours._waits)
    quoter.arrived(came)
    for told in (ended, replace(ended, **later)):
        assert quoter.left(told) is None
    quoter.quote(now + 3_600, 2)
    assert (list(quoter._neighbours._waits) != before) == is_learnt


def test_a_pager_that_nobody_clears_is_no_party_in_the_line_on_the_next_day() -> None:
    now = evening(usual())
    quoter = after_the_usual([Wait(key="forgotten", created=now, party_size=2)])
    assert quoter.quote(now + LONGEST, 2).parties_ahead == 1
    assert quoter.quote(now + LONGEST + 1, 2).reason is Reason.NO_LINE


def test_a_guest_whom_the_clock_of_the_unit_puts_ahead_is_in_the_line() -> None:
    now = evening(usual())
    quoter = after_the_usual([Wait(key="ahead", created=now + 90, party_size=2)])
    quote = quoter.quote(now, 2)
    assert (quote.parties_ahead, quote.reason) == (1, None)
    assert quoter.remaining("ahead", now) is not None


def test_pages_that_our_clock_put_ahead_count_no_more_the_farther_they_are() -> None:
    now = evening(usual())

    def high(days: int) -> int | None:
        later = now + days * 24 * 3600
        late = [
            Wait(key=f"late {n}", created=later, paged=later + 6_000, party_size=2)
            for n in range(10)
        ]
        return told(queue(now), after_the_usual(late)).quote(now, 2).high

    assert high(1) is not None
    assert high(1) == high(8)
    assert high(90) is not None


def test_a_unit_that_pages_by_itself_is_found_out() -> None:
    by_hand = [replace(wait, goal=900) for wait in usual()]
    by_itself = [
        replace(wait, paged=min(wait.paged, wait.created + 901)) if wait.paged else wait
        for wait in by_hand
    ]
    assert after_the_usual().auto_page_share is None
    assert not after_the_usual().is_auto_paged
    quoter = told(by_hand)
    assert quoter.auto_page_share is not None
    assert quoter.auto_page_share < 0.05
    assert not quoter.is_auto_paged
    a_second_later = [replace(w, paged=w.created + 903) if w.paged else w for w in by_hand]
    assert told(a_second_later).auto_page_share == 0
    quoter = told(by_itself)
    recent = [wait for wait in sorted(by_itself, key=lambda w: w.paged or 0) if wait.paged][-200:]
    expected = fmean(abs((wait.seconds or 0) - 900) <= 2 for wait in recent)
    assert quoter.auto_page_share == pytest.approx(expected)
    assert quoter.is_auto_paged


def test_the_gate_needs_some_quotes_to_judge_by_and_takes_less_chance_with_more() -> None:
    now = evening(usual())
    forecast = after_the_usual(queue(now))._line["waits 1"].forecast
    assert forecast
    gate, opened = _Gate(), []
    for _ in range(200):
        # Right, and so never broken: with many that is no chance, but too long a quote.
        gate.add(forecast.expected, forecast, [99.0] * 6)
        opened.append(gate.is_open)
    assert not any(opened[:19])
    assert opened[19]
    assert not opened[199]


# ----------------------------------------------------------------------------- Kaplan and Meier


def test_who_gave_up_counts_as_one_who_would_have_waited_longer() -> None:
    # Of three, one is paged after 10; of the two, one gives up; the last is paged after 30.
    curve = Curve([(30, True, 1), (10, True, 1), (20, False, 1)])
    assert [curve.share(minutes) for minutes in (9, 10, 29, 30)] == pytest.approx(
        [0, 1 / 3] * 1 + [1 / 3, 1]
    )
    assert [curve.quantile(share) for share in (0, 0.33, 0.34, 1)] == [10, 10, 30, 30]
    assert Curve([(10, True, 1), (30, True, 3)]).share(10) == pytest.approx(1 / 4)
    assert Curve([(40, False, 1), (10, True, 1)]).quantile(0.8) == 40


# ------------------------------------------------------------------------------ from the log


def test_a_session_of_the_log_is_a_wait() -> None:
    zone = ZoneInfo("Europe/Berlin")
    session = PlacedSession(
        uuid="a",
        created_at=1_782_000_000,
        notified_at=1_782_001_000,
        cleared_at=1_782_001_060,
        wait=990,
        party_size=4,
        goal=900,
        clear_type="STOP",
    )
    assert wait_of(session, zone) == Wait(
        key="a",
        created=1_782_000_000,
        paged=1_782_000_990,
        ended=1_782_001_060,
        party_size=4,
        goal=900,
        offset=7200,
    )
    assert wait_of(replace(session, created_at=None), zone) is None
    # The clock was set before the page.
    unknown = wait_of(replace(session, wait=None), zone)
    assert unknown
    assert (unknown.paged, unknown.is_reliable) == (1_782_001_000, False)
    removed = wait_of(replace(session, notified_at=None, wait=None, clear_type="REMOVED"), zone)
    assert removed
    assert (removed.is_removed, removed.is_learnt_from, removed.seconds) == (True, True, 1060)


@pytest.mark.parametrize(
    ("start", "end", "is_reliable"),
    [(-50, 0, True), (-50, 1, False), (500, 600, False), (989, 5000, False), (990, 5000, True)],
)
def test_a_wait_while_sessions_may_have_been_missed_is_not_reliable(
    start: int, end: int, is_reliable: bool
) -> None:
    created = 1_782_000_000
    session = PlacedSession(uuid="a", created_at=created, notified_at=created + 990, wait=990)
    wait = wait_of(session, ZoneInfo("UTC"), [(created + start, created + end)])
    assert wait
    assert wait.is_reliable == is_reliable
    assert wait_of(replace(session, wait=None, notified_at=None), ZoneInfo("UTC"), [(0, 1e9)])
