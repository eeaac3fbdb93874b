"""What the fuzzer has found so far (scripts/fuzz), given to the parsers once more."""

from pathlib import Path

import pytest

from tests.parsers import check
from tests.simulator import HISTORY_EXAMPLE

CORPUS = sorted((Path(__file__).parents[1] / "fuzz" / "corpus").iterdir())


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_what_reached_other_code_is_still_an_answer_or_malformed(file: Path) -> None:
    list(check(file.read_bytes()))


def test_the_fuzzer_begins_with_what_a_unit_says() -> None:
    bodies = [file.read_bytes() for file in CORPUS]
    assert HISTORY_EXAMPLE in bodies
    read = [message for body in bodies for message in check(body)]
    assert any(message.sessions for message in read)
    assert any(message.settings for message in read)
    assert any(message.statistics for message in read)
