"""The configuration of docs/chain.md, word for word but for names and addresses.

Each block of code there has a first line that is a comment, and names it. The page shows the
restaurant in Berlin; what stands there for its name and for addresses is replaced.
"""

from collections.abc import Mapping
from pathlib import Path
import re

PAGE = Path(__file__).parents[1] / "docs" / "chain.md"

# The restaurant that the page shows.
SHOWN = "berlin"

_BLOCK = re.compile(r"^ *```\w+\n *(?:#|--) ([^\n]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def block(name: str, replaced: Mapping[str, str] | None = None) -> str:
    """Return the block of that name, with all that is to be replaced, in that order.

    Raises KeyError if there is no such block, or not one alone, or if something that is to be
    replaced is not in it: the page has changed then, and the script has not.
    """
    texts = [text for title, text in _BLOCK.findall(PAGE.read_text()) if title == name]
    if len(texts) != 1:
        raise KeyError(f"{PAGE.name} has {len(texts)} blocks {name!r}")
    text: str = texts[0]
    for old, new in (replaced or {}).items():
        if old not in text:
            raise KeyError(f"{name!r} of {PAGE.name} has no {old!r}")
        text = text.replace(old, new)
    return text


def names() -> list[str]:
    """Return the names of all blocks, in order."""
    return [title for title, _ in _BLOCK.findall(PAGE.read_text())]
