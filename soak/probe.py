"""A custom integration that scripts/soak installs beside ours: tells what the process holds."""

import _sqlite3
import asyncio
from collections import Counter
import ctypes
import gc
import mmap
from pathlib import Path
import re
import sys
import time

from aiohttp import web

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.helpers.typing import ConfigType

CONFIG_SCHEMA = cv.empty_config_schema("soak_probe")

# What becomes more with each guest, as it should: the log.
LOG = {"PlacedSession", "Session"}


class ProbeView(HomeAssistantView):
    """GET /api/soak_probe."""

    url = "/api/soak_probe"
    name = "api:soak_probe"

    async def get(self, request: web.Request) -> web.Response:
        """Tell what the process holds, once garbage is collected."""
        gc.collect()
        kinds: Counter[str] = Counter()
        for thing in gc.get_objects():
            # Not isinstance: some proxies answer to that by doing things.
            kind = type(thing)
            module = getattr(kind, "__module__", None)
            if not isinstance(module, str):
                continue
            if module.startswith("custom_components.lrs_pager"):
                kinds["log" if kind.__name__ in LOG else "ours"] += 1
            elif module.partition(".")[0] == "aiocoap":
                kinds["coap"] += 1
        resident, files = await request.app[KEY_HASS].async_add_executor_job(_of_process)
        return self.json(
            {
                "time": time.time(),
                "resident": resident,
                "memory": _allocated(),
                "database": _of_database(),
                "tasks": len(asyncio.all_tasks()),
                "files": files,
                "objects": len(gc.get_objects()),
                "blocks": sys.getallocatedblocks(),
                "ours": kinds["ours"],
                "coap": kinds["coap"],
            }
        )


def _allocated() -> int:
    """The bytes that are allocated by malloc (glibc), of all threads.

    What is resident is more, and breathes: pages of which a part is free. Small objects of Python's
    are in arenas of its own; of those, `blocks` tells.
    """
    libc = ctypes.CDLL(None)
    libc.open_memstream.restype = ctypes.c_void_p
    text, size = ctypes.c_char_p(), ctypes.c_size_t()
    file = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(size)))
    libc.malloc_info(0, file)
    libc.fclose(file)
    # The sums of all heaps come last.
    _, _, sums = (text.value or b"").rpartition(b"</heap>")
    libc.free(text)
    found = {name: int(of) for name, of in re.findall(rb'type="(\w+)".*? size="(\d+)"', sums)}
    return found[b"current"] + found[b"mmap"] - found[b"fast"] - found[b"rest"]


def _of_process() -> tuple[int, int]:
    """The bytes that are resident in memory, and how many files and sockets are open."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * mmap.PAGESIZE, len(list(Path("/proc/self/fd").iterdir()))


def _of_database() -> int:
    """The bytes that SQLite holds: above all its cache, which grows with the file, up to 16 MiB.

    0 where SQLite is a part of Python's program, and does not show the function.
    """
    try:
        function = ctypes.CDLL(getattr(_sqlite3, "__file__", None)).sqlite3_memory_used
    except AttributeError:
        return 0
    function.restype = ctypes.c_int64
    used: int = function()
    return used


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer the view."""
    hass.http.register_view(ProbeView())
    return True
