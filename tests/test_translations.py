"""The words of every language: all there, with the same values, and nothing left in English."""

from collections.abc import Iterator
import json
import re
from typing import Any

import pytest

from .test_words import ENGLISH, PRODUCT, leaves

FOLDER = PRODUCT / "translations"
LANGUAGES = ["de", "es", "fr", "it", "nl", "pl", "pt-BR", "sv"]

# The forms that a language has for numbers of things, beside those of English. Spanish, French,
# Italian and Portuguese have one for millions, too, for which the host stand takes `other`.
FORMS = {"pl": ["few", "many"]}

# Words that are the same in English: names, what is printed on the transmitter, and some more.
NAMES = {"T7470 ({host})", "Push", "{minutes} min", "{size}: {minutes} min"}
SAME = {
    "de": {"Host", "Live", "Name", "Normal", "optional", "Pager", "Port", "Start", "Status"},
    "es": {"Host", "No", "Normal"},
    "fr": {"Message", "minutes", "Options", "Port"},
    "it": {"Host", "No", "Pager"},
    "nl": {"Host", "Live", "Pager", "Pagers", "pagers", "Status"},
    "pl": {"Host", "Pager", "Port", "Status"},
    "pt-BR": {"Host", "Normal", "Pager", "Pagers", "pagers", "Status"},
    "sv": {"Live", "Normal", "Pager", "Pagers", "pagers", "Port", "Session", "Start", "Status"},
}


def words(language: str) -> dict[str, Any]:
    """All words of a language, as its file has them."""
    found: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return found


def expected(language: str) -> Iterator[str]:
    """The keys that a language's file has to have, in their order."""
    keys = [key for key, _ in leaves(ENGLISH)]
    for key in keys:
        yield key
        stem = key.removesuffix("_one")
        if f"{stem}_other" in keys:
            yield from (f"{stem}_{form}" for form in FORMS.get(language, []))


def test_each_language_is_tried_here() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {"en", *LANGUAGES}
    assert set(SAME) == set(LANGUAGES)


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_file_is_written_as_the_others_are(language: str) -> None:
    text = (FOLDER / f"{language}.json").read_text("utf-8")
    # A key that is there twice would be lost.
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_all_texts_in_the_order_of_the_english(language: str) -> None:
    assert [key for key, _ in leaves(words(language))] == list(expected(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_has_the_values_of_the_english(language: str) -> None:
    english = dict(leaves(ENGLISH))
    forms = "|".join(FORMS.get(language, ["other"]))

    def values(text: str) -> list[str]:
        return sorted(re.findall(r"{\w*}|[{}]", text))

    assert {
        key: text
        for key, text in leaves(words(language))
        if values(text) != values(english[re.sub(rf"_({forms})$", "_other", key)])
    } == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language: str) -> None:
    english = dict(leaves(ENGLISH))
    same = {text for key, text in leaves(words(language)) if text == english.get(key)}
    assert same - NAMES == SAME[language]


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_texts_are_plain_and_have_no_stray_spaces(language: str) -> None:
    # An apostrophe before a value would have browsers show its name: "l'{title}".
    wrong = re.compile(r"^\s|\s$|  |http|<|>|\t|'{")
    found = {key: text for key, text in leaves(words(language)) if wrong.search(text)}
    assert found == {}
    assert all(text for _, text in leaves(words(language)))


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_button_is_called_by_the_word_that_is_on_it(language: str) -> None:
    # As those do who speak to their tablet (WCAG 2.5.3).
    common = words(language)["common"]
    names = {key: name for key, name in common.items() if key.startswith("button_")}
    assert len(names) == 7
    for key, name in names.items():
        shown = " ".join(common[key.removeprefix("button_")].split())  # some don't break there
        assert shown.lower() in name.lower()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_field_has_the_same_name_in_each_action(language: str) -> None:
    actions = words(language)["services"].values()
    fields = {(f, w["name"]) for action in actions for f, w in action["fields"].items()}
    assert len(fields) == len({field for field, _ in fields})


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_what_tells_names_is_called_by_its_own_name(language: str) -> None:
    translated = words(language)
    entity = translated["entity"]
    text = translated["options"]["step"]["init"]["data_description"]["show_names_in_states"]
    assert entity["event"]["session"]["name"] in text
    assert entity["sensor"]["active_sessions"]["name"] in text
    assert entity["sensor"]["last_cleared_session"]["name"] in text
