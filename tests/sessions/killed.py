"""A process that merges sessions one by one, and says of each that it was merged.

It is to be killed while it does so. Arguments: the log's file, and for `take-over` that of
version 0.1.
"""

import asyncio
from pathlib import Path
import sys
import types

ROOT = Path(__file__).parents[2]


async def main() -> None:
    """Merge for ever."""
    from custom_components.lrs_pager.sessions.log import SessionLog  # noqa: PLC0415
    from tests.sessions import placed, session  # noqa: PLC0415

    assert "homeassistant" not in sys.modules
    log = SessionLog(*map(Path, sys.argv[1:]))
    await log.open()
    print("open", flush=True)  # noqa: T201
    for number in range(100_000):
        await log.merge([session(number, label=f"Guest {number}")], placed)
        await log.set("cursor", number)
        print(number, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    # The package, but not its __init__.py: that starts all of Home Assistant.
    package = types.ModuleType("custom_components.lrs_pager")
    package.__path__ = [str(ROOT / "custom_components" / "lrs_pager")]
    sys.modules[package.__name__] = package
    asyncio.run(main())
