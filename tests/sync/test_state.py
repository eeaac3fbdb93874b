"""When the unit need not be asked for what messages have told."""

from dataclasses import replace
from datetime import datetime

from custom_components.lrs_pager.sync.state import UnitState
from custom_components.lrs_pager.transmitter import Answer, Envelope, Session

SURE_FOR = 300

SESSION = Session(
    id=1,
    uuid="15e958b7-bc83-4dd1-b4ae-d2bc27f39b3e",
    number=4,
    party_size=None,
    goal=300,
    created=datetime(2026, 11, 23, 12),
    notified=None,
    cleared=None,
    clear_type=None,
    label=None,
    state=None,
)


def told(sequence: int, asked: float | None = None) -> Answer:
    """A message about one session; or, if it was asked for, a list of one."""
    return Answer(
        envelope=Envelope(
            response_types=("sessions",),
            sequence=sequence,
            timestamp=None,
            device_name=None,
            firmware_version=None,
        ),
        sessions=(SESSION,),
        is_all=asked is not None,
        etag=None,
        asked=asked or 0,
        answered=(asked or 0) + 1,
    )


def new() -> UnitState:
    """A unit of which nothing is known."""
    return UnitState(sure_for=SURE_FOR, etag_age=3600)


def state() -> UnitState:
    """A unit that was asked at 10, and answered at 11."""
    state = new()
    assert state.see_list(told(7, asked=10), 11)
    return state


def test_while_one_message_follows_the_other_nothing_need_be_asked() -> None:
    unit = state()
    assert unit.see_message(told(8), 12)
    assert unit.see_message(told(9), 13)
    assert unit.see_message(told(9), 13)  # a second time
    assert unit.is_sure(14)


def test_after_a_gap_the_list_is_asked_for() -> None:
    unit = state()
    assert not unit.see_message(told(9), 12)
    assert not unit.is_sure(13)
    unit.see_list(told(9, asked=14), 15)
    assert unit.is_sure(15)


def test_a_list_that_was_under_way_does_not_close_a_gap_that_was_seen_meanwhile() -> None:
    unit = state()
    assert not unit.see_message(told(10), 21)
    unit.see_list(told(7, asked=20), 22)
    assert not unit.is_sure(23)


def test_a_list_with_sessions_that_cannot_be_read_leaves_a_doubt() -> None:
    unit = state()
    unit.doubt(12)
    unit.see_list(replace(told(7, asked=13), skipped=1), 14)
    assert not unit.is_sure(15)


def test_what_was_not_asked_for_in_a_long_time_is_asked_for() -> None:
    unit = state()
    assert unit.is_sure(10 + SURE_FOR)
    assert not unit.is_sure(10 + SURE_FOR + 1)


def test_an_etag_is_asked_with_once_it_is_older_than_its_clock_s_tick_and_while_it_is_fresh() -> (
    None
):
    unit = new()
    tagged = replace(told(7, asked=10), etag=b"tag")
    unit.see_list(tagged, 10)
    unit.see_list(tagged, 11)
    assert unit.etag(12) is None
    unit.see_list(tagged, 13)
    assert unit.etag(14) == b"tag"
    assert unit.etag(13 + 3601) is None
    unit.see_message(told(8), 15)
    assert unit.etag(16) is None


def test_what_is_not_known_is_not_sure() -> None:
    unit = state()
    unit.forget()
    assert not unit.is_sure(12)
    assert not new().is_sure(1)


def test_a_count_that_does_not_go_on_may_be_another_units() -> None:
    unit = state()
    for sequence, is_far in ((7, False), (8, False), (107, False), (108, True), (6, True)):
        assert unit.is_far_from(told(sequence, asked=20)) is is_far
    # Also if a list could not be read since.
    unit.forget()
    assert unit.is_far_from(told(6, asked=20))
    # It was asked for before 7 was told.
    assert not unit.is_far_from(told(6, asked=10.5))
    assert not new().is_far_from(told(6, asked=20))
