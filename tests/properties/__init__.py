"""What holds whatever comes, from the wire, from the disk or from a user.

hypothesis makes it up: always the same, and little enough for every run of the tests; or as many
examples as the environment variable PROPERTIES says for each property, others each time.
"""

from datetime import datetime
import json
import os
from typing import Any

from hypothesis import settings, strategies as st

# Examples for each property, so that all of them take less than a minute on a slow machine.
EXAMPLES = 200

settings.register_profile("always", max_examples=EXAMPLES, derandomize=True, database=None)
settings.register_profile("many", max_examples=int(os.environ.get("PROPERTIES", EXAMPLES)))
# No property is about time, and machines are busy.
settings.register_profile(
    "here", settings.get_profile("many" if "PROPERTIES" in os.environ else "always"), deadline=None
)
settings.load_profile("here")


def fewer(times: int) -> settings:
    """Settings for a property of which an example takes so many times as long as others."""
    return settings(max_examples=max(settings.default.max_examples // times, 5))


# Any text, half surrogate pairs and control characters too.
texts = st.text(st.characters(exclude_categories=()))

# Texts that are odd in a way of their own.
odd_texts = st.sampled_from(
    [
        *("\u0130" * 40, "\u0390" * 40, "x" * 300, "\ud83d", "a\tb\n", "\0", "\u2028", " "),
        *("5", "-5", "1e5", "1e400", "nan", "0x10", "\u0665", "STOP", "removed", "sessions"),
        *("1970-01-01T00:00:00", "2199-12-31T24:00:00", "0001-01-01T00:00:00+23:59"),
        *("2026-11-23 12:00:00.5Z", "2018-W01-1", "2018-02-30", "9999-12-31T23:59:59-23:59"),
        *("00000000-0000-0000-0000-000000000000", '}{"id":1,"uuid":"x","created":"2020-01-01"}'),
    ]
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64, 10**30, 10**400]),
    st.floats(),
    texts,
    odd_texts,
)

# Anything that JSON can say, and NaN and infinity, which Python's has besides.
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

# What a clock may show that is one.
shown = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)).map(
    lambda time: time.replace(microsecond=0)
)


def to_json(tree: Any, *, is_ascii: bool = True) -> bytes:
    """Write JSON; half a surrogate pair is escaped, or makes bytes that are no UTF-8."""
    return json.dumps(tree, ensure_ascii=is_ascii).encode(errors="surrogatepass")
