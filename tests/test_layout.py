"""The rules of the house: who may import whom."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
import sys

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "custom_components" / "lrs_pager"
FILES = sorted(PRODUCT.rglob("*.py"))

# The wings, from what is built on to what builds on it, and the root on top of them.
WINGS = ["transmitter", "sessions", "sync"]

# Of one class: its lines, and what it assigns on itself.
MOST_LINES = 250
MOST_ATTRIBUTES = 12


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


@pytest.mark.parametrize("file", [f for f in FILES if f.parent.name in WINGS], ids=name)
def test_a_wing_knows_nothing_of_home_assistant_and_builds_on_those_before_it(file: Path) -> None:
    below = WINGS[: WINGS.index(file.parent.name)]
    for level, module in imports(file):
        top = module.partition(".")[0]
        assert level <= 2, f"reaches out of the integration: {module}"
        assert level > 0 or top not in {"homeassistant", "custom_components"}, module
        assert level < 2 or top in below, f"imports {module}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_class_has_more_than_can_be_kept_in_mind(file: Path) -> None:
    for found in ast.walk(ast.parse(file.read_text())):
        if isinstance(found, ast.ClassDef):
            attributes = {
                node.attr
                for node in ast.walk(found)
                if isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
            }
            assert (found.end_lineno or 0) - found.lineno < MOST_LINES, found.name
            assert len(attributes) <= MOST_ATTRIBUTES, (found.name, sorted(attributes))


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


@pytest.mark.parametrize("wing", ["transmitter", "sessions", "sync"])
def test_each_file_of_a_wing_has_its_line_in_the_wings_docstring(wing: str) -> None:
    docstring = ast.get_docstring(ast.parse((PRODUCT / wing / "__init__.py").read_text())) or ""
    told = {line.split()[0] for line in docstring.splitlines() if "  " in line}
    for file in (PRODUCT / wing).glob("[!_]*.py"):
        assert file.stem in told


def test_no_file_builds_on_one_that_builds_on_it() -> None:
    graph: dict[str, set[str]] = {}
    for file in FILES:
        parts = file.relative_to(PRODUCT).with_suffix("").parts
        for level, module in imports(file):
            if level:
                found = (*parts[:-level], *module.split("."))
                graph.setdefault("/".join(parts), set()).add("/".join(found))
    assert len(graph) > 30
    # Raises CycleError.
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("file", FILES, ids=name)
def test_the_product_does_not_know_its_tests(file: Path) -> None:
    for _, module in imports(file):
        assert module.partition(".")[0] not in {"benchmarks", "demo", "fuzz", "soak", "tests"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_is_required_that_users_do_not_have(file: Path) -> None:
    """Home Assistant brings voluptuous (by name, at least), aiohttp, orjson; we bring aiocoap."""
    allowed = {
        "homeassistant",
        "aiocoap",
        "aiohttp",
        "voluptuous",
        "orjson",
        *sys.stdlib_module_names,
    }
    for level, module in imports(file):
        assert level or module.partition(".")[0] in allowed, module


def test_the_simulator_knows_nothing_of_the_product() -> None:
    for file in (ROOT / "tests" / "simulator").glob("*.py"):
        for _, module in imports(file):
            assert module.partition(".")[0] not in {"custom_components", "homeassistant"}
