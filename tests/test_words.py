"""Words, icons and manifests fit the code, and each other.

Home Assistant's own validator (hassfest) is not on PyPI; the workflow runs it. What it would
refuse is checked here as far as it concerns us.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
from typing import Any

import pytest
import yaml

from custom_components.lrs_pager.const import DOMAIN
from custom_components.lrs_pager.errors import translation
from custom_components.lrs_pager.sensor import SENSORS
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
MANIFEST = json.loads((PRODUCT / "manifest.json").read_text())


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """All texts of translations, with where they are."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def test_each_sensor_has_a_name_and_an_icon_and_no_others_have() -> None:
    keys = {sensor.key for sensor in SENSORS}
    assert set(ENGLISH["entity"]["sensor"]) == keys
    assert set(ICONS["entity"]["sensor"]) == keys


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
    for words in (ENGLISH["exceptions"][key]["message"], ENGLISH["config"]["error"][key]):
        assert set(re.findall(r"{(\w+)}", words)) == set(placeholders)


def test_there_are_no_words_for_errors_that_do_not_exist() -> None:
    keys = {translation(error)[0] for error in all_errors()}
    assert set(ENGLISH["exceptions"]) == keys | {"log_not_loaded"}
    assert set(ENGLISH["config"]["error"]) == keys | {"not_t7470", "unknown"}


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
