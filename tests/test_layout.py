"""The rules of the house: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "custom_components" / "lrs_pager"
FILES = sorted(PRODUCT.rglob("*.py"))

# From what is built on to what builds on it: a file imports only from those before it.
TRANSMITTER_LAYERS = [
    "exceptions",
    "coap",
    "blockwise",
    "models",
    "parse",
    "tail",
    "client",
    "clock",
    "__init__",
]
LAYERS = [
    "transmitter",
    "const",
    "errors",
    "issues",
    "push",
    "unit_state",
    "session",
    "session_record",
    "session_log",
    "session_store",
    "hourly",
    "long_term_statistics",
    "session_tracker",
    "summary",
    "snapshot",
    "coordinator",
    "target",
    "seating",
    "host_stand",
    "frontend",
    "describe",
    "entity",
    "binary_sensor",
    "button",
    "event",
    "number",
    "sensor",
    "services",
    "websocket",
    "repairs",
    "trigger",
    "condition",
    "diagnostics",
    "config_flow",
    "__init__",
]


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """What a file imports: (0, "package.module"), and (1, "name") for "from .name import"."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)


def name(file: Path) -> str:
    return str(file.relative_to(PRODUCT))


@pytest.mark.parametrize("file", sorted((PRODUCT / "transmitter").glob("*.py")), ids=name)
def test_the_transmitter_knows_nothing_of_home_assistant(file: Path) -> None:
    for level, module in imports(file):
        assert level < 2, f"reaches up to {module}"
        assert module.partition(".")[0] not in {"homeassistant", "custom_components"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_only_one_file_knows_the_coap_library(file: Path) -> None:
    known = any(level == 0 and module.split(".")[0] == "aiocoap" for level, module in imports(file))
    assert known == (file == PRODUCT / "transmitter" / "coap.py")


@pytest.mark.parametrize("file", FILES, ids=name)
def test_only_one_file_knows_the_recorder(file: Path) -> None:
    known = any(
        module.startswith("homeassistant.components.recorder") for _, module in imports(file)
    )
    assert known == (file == PRODUCT / "long_term_statistics.py")


@pytest.mark.parametrize("file", sorted(PRODUCT.glob("*.py")), ids=name)
def test_each_file_builds_only_on_those_below_it(file: Path) -> None:
    below = LAYERS[: LAYERS.index(file.stem)]
    for level, module in imports(file):
        if level:
            assert module in below, f"{file.stem} imports {module}"


@pytest.mark.parametrize("file", sorted((PRODUCT / "transmitter").glob("*.py")), ids=name)
def test_each_file_of_the_transmitter_builds_only_on_those_below_it(file: Path) -> None:
    below = TRANSMITTER_LAYERS[: TRANSMITTER_LAYERS.index(file.stem)]
    for level, module in imports(file):
        if level:
            assert module in below, f"{file.stem} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_the_product_does_not_know_its_tests(file: Path) -> None:
    for _, module in imports(file):
        assert module.partition(".")[0] not in {"benchmarks", "demo", "fuzz", "soak", "tests"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_is_required_that_users_do_not_have(file: Path) -> None:
    """Home Assistant brings voluptuous (by name, at least) and orjson, the manifest aiocoap."""
    allowed = {"homeassistant", "aiocoap", "voluptuous", "orjson", *sys.stdlib_module_names}
    for level, module in imports(file):
        assert level or module.partition(".")[0] in allowed, module


def test_the_simulator_knows_nothing_of_the_product() -> None:
    for file in (ROOT / "tests" / "simulator").glob("*.py"):
        for _, module in imports(file):
            assert module.partition(".")[0] not in {"custom_components", "homeassistant"}
