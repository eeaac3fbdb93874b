"""Nothing is lost in packing."""

from dataclasses import replace

import pytest

from custom_components.lrs_pager.sessions.record import ended_at, pack, unpack
from custom_components.lrs_pager.sessions.session import PlacedSession

USUAL = PlacedSession(
    id=17,
    uuid="da4b66f6-af73-45ae-8ad0-c155a306832b",
    number=10,
    party_size=4,
    goal=300,
    clear_type="STOP",
    label=None,
    created="2018-03-15T08:44:13",
    created_at=1521103453,
    notified_at=1521103753,
    cleared_at=1521114318,
)

# What else a unit may tell, or a file hold that was edited by hand.
ODD = [
    {},
    {"label": 'Zoë "Z" 🍕, party of 2\\'},
    {"clear_type": None},
    {"clear_type": "REMOVED"},
    {"clear_type": "AUTO"},
    {"uuid": None},
    {"uuid": "2"},
    {"uuid": "DA4B66F6-AF73-45AE-8AD0-C155A306832B"},
    {"uuid": "da4b66f6af7345ae8ad0c155a306832b"},
    {"uuid": "00000000-0000-0000-0000-000000000000"},
    {"uuid": "not-a-uuid-but-as-long-as-one-is-----"},
    {"created": None},
    {"created": "0001-01-01T00:00:00"},
    {"created": "2199-12-31T23:59:59"},
    {"created": "2018-03-15T08:44:13.5"},
    {"created": "2018-03-15T08:44:13+02:00"},
    {"created": "2018-03-15"},
    {"created": "noon"},
    {"id": 0, "number": 0, "goal": 0, "created_at": 0, "notified_at": 0, "cleared_at": 0},
    {"id": 2**32, "number": 999_999, "goal": 604_800, "party_size": 9_999},
    {"party_size": 2**15},
    {"number": 2**31, "cleared_at": -(10**12)},
    {"id": 2**63},
    {"number": None, "party_size": None, "goal": None},
    {"created_at": None, "notified_at": None},
    {"cleared_at": None},
    {"cleared_at": None, "notified_at": None},
    {"cleared_at": None, "notified_at": None, "created_at": None},
]


@pytest.mark.parametrize("changes", ODD, ids=str)
def test_a_session_comes_back_as_it_was(changes: dict[str, object]) -> None:
    session = replace(USUAL, **changes)
    record = pack(session)
    assert unpack(record) == session
    assert ended_at(record) == session.ended_at
