"""Look for bytes from the wire that the parsers don't bear: coverage-guided, with atheris.

    python -m fuzz [SECONDS]            look for them
    python -m fuzz --replay FILE ...    try these inputs, and no others
    python -m fuzz --keep               add to the corpus what was found to reach more code

Each input is given to every parser (tests/parsers.py says what has to hold). fuzz/corpus/ is what
it begins with. Whatever reaches more code is collected in .fuzz/corpus/, and what a parser doesn't
bear is written to .fuzz/, with the line that tries it again.
"""

from contextlib import suppress
import json
from pathlib import Path
import random
import sys
from types import FunctionType, ModuleType
from typing import Any, Final

import atheris
from probatio.compat import install_as_voluptuous

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "fuzz" / "corpus"
FOUND = ROOT / ".fuzz" / "corpus"

# Of each input: several blocks of the largest size, and room for a dozen sessions.
MAX_LENGTH = 8192

# What takes this many seconds would hold up Home Assistant.
TIMEOUT = 5

# As Home Assistant does.
install_as_voluptuous()

# The package itself would bring Home Assistant, which its transmitter does without.
_PACKAGE = ModuleType("custom_components.lrs_pager")
_PACKAGE.__path__ = [str(ROOT / "custom_components" / "lrs_pager")]
sys.modules[_PACKAGE.__name__] = _PACKAGE

with atheris.instrument_imports(include=["custom_components.lrs_pager.transmitter.parse"]):
    from custom_components.lrs_pager.transmitter import parse
    from tests.parsers import check

# What values are exchanged for: each the edge of something, or of another type.
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, [], {}, "", " ", "\0", "\ud83d", "\u2028", "x" * 300, "\u0130" * 40),
    *(-1, 0, 1, 2**32, 2**32 + 1, 2**64, 10**400, 0.5, 1e300, float("nan"), float("inf")),
    *("5", "-5", "1e5", "nan", "00000000-0000-0000-0000-000000000000", "STOP", "sessions"),
    *("1970-01-01T00:00:00", "2199-12-31T24:00:00", "0001-01-01T00:00:00+23:59", "2018-02-30"),
    *("session_history", "settings", "statistics", "2026-11-23 12:00:00.5Z", "2018-W01-1"),
)


def try_one(data: bytes) -> None:
    """Give an input to every parser."""
    for _ in check(data):
        pass


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change an input: a value of its JSON, or, as often, some bytes.

    Bytes alone would make of hardly any JSON another one.
    """
    chance = random.Random(seed)  # noqa: S311
    if chance.random() < 1 / 2:
        with suppress(ValueError, RecursionError):
            tree = json.loads(data)
            _change(tree, chance)
            body = json.dumps(tree, ensure_ascii=chance.random() < 1 / 2).encode(
                errors="surrogatepass"
            )
            if len(body) <= max_size:
                return body
    return bytes(atheris.Mutate(data, max_size))


def _change(tree: Any, chance: random.Random) -> None:
    """Change a value somewhere in a tree: take it out, exchange it, or have it twice."""
    places: list[tuple[Any, Any]] = []
    rest = [tree]
    while rest:
        node = rest.pop()
        if isinstance(node, (dict, list)):
            keys = list(node) if isinstance(node, dict) else range(len(node))
            places += [(node, key) for key in keys]
            rest += [node[key] for key in keys]
    if not places:
        return
    node, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del node[key]
        case 1:
            # Another's: a label for a time, a session for a list.
            other, elsewhere = chance.choice(places)
            node[key] = json.loads(json.dumps(other[elsewhere]))
        case 2 if isinstance(node, list):
            node.append(json.loads(json.dumps(node[key])))
        case _:
            node[key] = chance.choice(ODD)


def keep() -> None:
    """Add to the corpus what goes a way through the parser that nothing smaller does."""
    known: set[Any] = set()
    ways: set[Any] = set()
    monitoring, tool = sys.monitoring, sys.monitoring.COVERAGE_ID
    monitoring.use_tool_id(tool, "fuzz")
    events = (monitoring.events.LINE, monitoring.events.BRANCH_LEFT, monitoring.events.BRANCH_RIGHT)
    for event in events:
        monitoring.register_callback(tool, event, lambda code, *at: ways.add((code, *at)))
    for value in (*vars(parse).values(), *vars(parse.Head).values()):
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType) and function.__module__ == parse.__name__:
            monitoring.set_local_events(tool, function.__code__, sum(events))
    found = sorted(FOUND.iterdir(), key=lambda file: file.stat().st_size)
    for file in (*CORPUS.iterdir(), *found):
        ways.clear()
        try_one(file.read_bytes())
        if not ways <= known and file.parent == FOUND:
            (CORPUS / file.name).write_bytes(file.read_bytes())
            print("kept", file.name)  # noqa: T201
        known |= ways


def _options() -> list[str]:
    """What libFuzzer is told, which takes options of the form -name=value, and folders."""
    FOUND.mkdir(parents=True, exist_ok=True)
    match sys.argv[1:]:
        case ["--replay", *files]:
            return files
        case [] | [_] as seconds:
            return [
                f"-max_total_time={int(*seconds or ['60'])}",
                f"-artifact_prefix={ROOT / '.fuzz'}/",
                str(FOUND),
                str(CORPUS),
            ]
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    if sys.argv[1:] == ["--keep"]:
        keep()
        sys.exit()
    options = [*_options(), f"-max_len={MAX_LENGTH}", f"-timeout={TIMEOUT}"]
    atheris.Setup([sys.argv[0], *options], try_one, custom_mutator=mutate)
    atheris.Fuzz()
