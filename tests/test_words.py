"""Words, icons and manifests fit the code, and each other.

Home Assistant's own validator (hassfest) is not on PyPI; the workflow runs it. What it would
refuse is checked here as far as it concerns us.
"""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
from typing import Any

import pytest
import yaml

from custom_components.lrs_pager import PLATFORMS, binary_sensor, button, event, number, sensor
from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.errors import command_failure, translation
from custom_components.lrs_pager.issues import (
    ISSUES,
    LOG_NOT_SAVED,
    LOG_SET_ASIDE,
    SWAPPED,
    UNREADABLE,
)
from custom_components.lrs_pager.sync.identity import AnotherUnitError, UnknownUnitError
from custom_components.lrs_pager.transmitter import (
    MalformedError,
    RejectedError,
    TransmitterError,
)
from homeassistant.const import __version__ as home_assistant_version

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "custom_components" / DOMAIN
ENGLISH = json.loads((PRODUCT / "translations" / "en.json").read_text())
ICONS = json.loads((PRODUCT / "icons.json").read_text())
ACTIONS = yaml.safe_load((PRODUCT / "services.yaml").read_text())
MANIFEST = json.loads((PRODUCT / "manifest.json").read_text())


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """All texts of translations, with where they are."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


ENTITIES = {
    "binary_sensor": (binary_sensor.LATE, binary_sensor.PUSH),
    "button": button.BUTTONS,
    "event": (event.SESSION,),
    "number": (number.DEFAULT_GOAL,),
    "sensor": sensor.SENSORS,
}


def test_each_entity_has_a_name_and_an_icon_and_no_others_have() -> None:
    expected = {platform: {e.key for e in entities} for platform, entities in ENTITIES.items()}
    assert set(ENTITIES) == set(PLATFORMS)
    for described in (ENGLISH["entity"], ICONS["entity"]):
        assert {platform: set(keys) for platform, keys in described.items()} == expected
    for platform, keys in expected.items():
        for key in keys:
            assert ENGLISH["entity"][platform][key]["name"]
            assert ICONS["entity"][platform][key]["default"].startswith("mdi:")


@pytest.mark.parametrize("platform", ENTITIES)
def test_no_description_of_an_entity_is_forgotten_here(platform: str) -> None:
    module = globals()[platform]
    kind = next(  # the description that is the platform's own
        kind
        for name, kind in vars(module).items()
        if re.fullmatch(r"LrsPager\w+Description", name) and kind.__module__ == module.__name__
    )
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    found += [e for value in vars(module).values() if isinstance(value, tuple) for e in value]
    assert {e.key for e in found} == {e.key for e in ENTITIES[platform]}


# -------------------------------------------------------------------------------- actions


def test_each_action_has_a_name_a_description_and_an_icon_and_no_others_have() -> None:
    assert set(ENGLISH["services"]) == set(ICONS["services"]) == set(ACTIONS)
    for name, action in ACTIONS.items():
        words = ENGLISH["services"][name]
        assert set(words) == {"name", "description", "fields"}, name
        assert set(words["fields"]) == set(action["fields"]), name
        for field, described in words["fields"].items():
            assert set(described) == {"name", "description"}, (name, field)


def test_the_same_field_has_the_same_name_in_each_action() -> None:
    names: dict[str, set[str]] = {}
    for action in ENGLISH["services"].values():
        for field, words in action["fields"].items():
            names.setdefault(field, set()).add(words["name"])
    assert {field for field, found in names.items() if len(found) > 1} == set()


def test_the_options_of_a_field_have_words() -> None:
    for action in ACTIONS.values():
        for name, field in action["fields"].items():
            if not (select := field["selector"].get("select")):
                continue
            if key := select.get("translation_key"):
                assert key == name
                assert list(ENGLISH["selector"][key]["options"]) == select["options"]
            else:
                # The vendor's values have capital letters, which translation keys can't have.
                assert name == "page_mode"
                assert all(set(option) == {"value", "label"} for option in select["options"])
    assert "page_mode" not in ENGLISH["selector"]


# --------------------------------------------------------------------------------- errors


def raised() -> dict[str, set[str]]:
    """The errors that the code raises by their keys, with what their words are given."""
    found: dict[str, set[str]] = {}
    for file in PRODUCT.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if not isinstance(call, ast.Call):
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            name = getattr(call.func, "id", "")
            if name == "refused" and call.args and isinstance(call.args[0], ast.Constant):
                found.setdefault(str(call.args[0].value), set()).update(str(k) for k in given)
            elif isinstance(key := given.get("translation_key"), ast.Constant):
                placeholders = given.get("translation_placeholders", ast.Dict([], []))
                assert isinstance(placeholders, ast.Dict)
                keys = {str(k.value) for k in placeholders.keys if isinstance(k, ast.Constant)}
                found.setdefault(str(key.value), set()).update(keys)
    return found


def all_errors(error: type[TransmitterError] = TransmitterError) -> Iterator[TransmitterError]:
    """One of each kind of error."""
    if error is RejectedError:
        yield RejectedError("4.04")
    elif error is MalformedError:
        yield MalformedError("body", "cut off")
    else:
        yield error("text")
    for kind in error.__subclasses__():
        if kind.__name__ != "ChangedError":  # a MalformedError, without arguments
            yield from all_errors(kind)


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_each_error_has_words_for_the_log_and_for_the_form(error: TransmitterError) -> None:
    key, placeholders = translation(error)
    found = [ENGLISH["exceptions"][key]["message"]]
    # A form, which knows of no transmitter yet and has no log, can't meet these.
    if not isinstance(error, AnotherUnitError | UnknownUnitError):
        found.append(ENGLISH["config"]["error"][key])
    for words in found:
        assert set(re.findall(r"{(\w+)}", words)) == set(placeholders)


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_each_error_has_words_for_commands_and_for_the_repair(error: TransmitterError) -> None:
    failure = command_failure(error)
    assert failure.translation_key
    words = ENGLISH["exceptions"][failure.translation_key]["message"]
    assert set(re.findall(r"{(\w+)}", words)) == set(failure.translation_placeholders or {})
    if isinstance(error, UnknownUnitError):
        return  # a command that meets it is sent all the same
    key, placeholders = translation(error)
    words = ENGLISH["issues"]["clock_off"]["fix_flow"]["error"][key]
    assert set(re.findall(r"{(\w+)}", words)) == set(placeholders)


@pytest.mark.parametrize(("key", "given"), raised().items(), ids=raised())
def test_each_error_that_is_raised_has_words_for_what_it_is_given(
    key: str, given: set[str]
) -> None:
    words = ENGLISH["exceptions"][key]["message"]
    assert set(re.findall(r"{(\w+)}", words)) == given


def test_there_are_no_words_for_errors_that_do_not_exist() -> None:
    keys = {translation(error)[0] for error in all_errors()}
    assert len(raised()) > 15
    assert set(ENGLISH["exceptions"]) == keys | set(raised())
    of_dialogs = {"not_an_address", "not_t7470", "two_ports", "unknown"}
    keys.remove("log_not_loaded")
    assert set(ENGLISH["config"]["error"]) == keys - {"another_unit"} | of_dialogs
    repair = ENGLISH["issues"]["clock_off"]["fix_flow"]
    assert set(repair["error"]) == keys | {"clock_not_set", "unknown"}
    assert set(repair["abort"]) == {"not_loaded"}


def test_each_issue_has_words_and_no_others_have() -> None:
    assert set(ENGLISH["issues"]) == set(ISSUES)
    for key, words in ENGLISH["issues"].items():
        # What can be fixed is described where it is fixed.
        assert set(words) in ({"title", "description"}, {"title", "fix_flow"}), key
        found = {name for _, text in leaves(words) for name in re.findall(r"{(\w+)}", text)}
        assert found - {"code", "field"} == {"title"} | (
            {
                LOG_SET_ASIDE: {"file"},
                LOG_NOT_SAVED: {"error"},
                SWAPPED: {"other"},
                UNREADABLE: {"count"},
            }.get(key, set())
        )


@pytest.mark.parametrize(
    "step", ["config.step.user", "config.step.reconfigure", "options.step.init"]
)
def test_every_field_of_a_form_is_described(step: str) -> None:
    form = ENGLISH
    for key in step.split("."):
        form = form[key]
    assert set(form["data"]) == set(form["data_description"])


@pytest.mark.parametrize(("where", "text"), leaves(ENGLISH), ids=lambda value: str(value)[:60])
def test_a_text_is_as_home_assistant_wants_it(where: str, text: str) -> None:
    assert text == text.strip()
    assert "http" not in text
    assert "<" not in text
    assert not re.search(r"'{\w+}'", text)
    assert re.fullmatch(r"[a-z0-9_.-]+", where)


def test_the_manifest_is_as_home_assistant_wants_it() -> None:
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert MANIFEST["domain"] == DOMAIN == PRODUCT.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])


def test_hacs_asks_for_the_oldest_home_assistant_that_is_tested() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    floor = hacs["homeassistant"]
    oldest = (ROOT / "requirements" / "oldest.txt").read_text()
    assert f"({floor.rpartition('.')[0]}." in oldest
    as_numbers = [tuple(map(int, v.split(".")[:2])) for v in (home_assistant_version, floor)]
    assert as_numbers[0] >= as_numbers[1]


@pytest.mark.parametrize(("file", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icon_is_a_square_of_the_right_size(file: str, size: int) -> None:
    png = (PRODUCT / "brand" / file).read_bytes()
    assert struct.unpack(">II", png[16:24]) == (size, size)


def test_the_quality_scale_gives_a_reason_for_every_rule_that_does_not_apply() -> None:
    rules = yaml.safe_load((PRODUCT / "quality_scale.yaml").read_text())["rules"]
    assert len(rules) == 54
    for rule, status in rules.items():
        if status != "done":
            assert status["status"] in {"exempt", "todo"}, rule
            assert status["comment"], rule
