"""A Home Assistant of the test harness, without pytest; and a day of it in seconds."""

# First, or it warns of what the harness imports.
import homeassistant  # noqa: F401, I001

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
import selectors
import sys
import tempfile
import time
from typing import Any, override

import freezegun
from pytest_homeassistant_custom_component import patch_time
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from homeassistant import loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

# By its name alone: Home Assistant imports the integration, which is a part of its start.
DOMAIN = "lrs_pager"

# Seconds within which all that is waited for here happens.
PATIENCE = 30.0


@asynccontextmanager
async def home_assistant() -> AsyncIterator[HomeAssistant]:
    """A running Home Assistant in UTC, with a folder of its own, that finds this integration."""
    with tempfile.TemporaryDirectory() as folder:
        # As a start does it, for integrations that are put in there.
        (Path(folder) / "custom_components").mkdir()
        sys.path.insert(0, folder)
        async with async_test_home_assistant(config_dir=folder) as hass:
            await hass.config.async_set_time_zone("UTC")
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)
                sys.path.remove(folder)


def config_entry(port: int, domain: str = DOMAIN) -> MockConfigEntry:
    """What the config flow would make of a transmitter on this machine."""
    return MockConfigEntry(
        domain=domain,
        title=f"T7470 {port}",
        entry_id=f"01KLRSPAGER{port:015}",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: port},
    )


async def add(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up, and wait until all of it is there."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED, entry.reason


async def push_settled(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until it is known whether push works."""
    await until(lambda: entry.runtime_data.follower.push.state != "connecting")
    await hass.async_block_till_done()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, by looking often. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


# ------------------------------------------------------------------------ blocks of the loop


class Blocks:
    """The longest that one callback kept the event loop from all others, in seconds.

    wall: on the wall, with waiting for other threads and, on a busy machine, for other processes.
    cpu: the CPU time of that thread alone, of another callback it may be.
    """

    wall = 0.0
    cpu = 0.0


@contextmanager
def blocks_timed() -> Iterator[Blocks]:
    """Time each callback of the event loop."""
    found = Blocks()
    run = asyncio.Handle._run  # the one place that all pass through
    clock, cpu_clock = time.perf_counter, time.thread_time

    def timed(handle: asyncio.Handle) -> None:
        began, cpu = clock(), cpu_clock()
        run(handle)
        found.cpu = max(found.cpu, cpu_clock() - cpu)
        found.wall = max(found.wall, clock() - began)

    asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]
    try:
        yield found
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]


# ------------------------------------------------------------------------ a day in seconds


class SteeredLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while there is work, and jumps while there is none.

    Packets over loopback are there as soon as they are sent, so that nothing is skipped: the loop
    jumps to its next timer when no socket has anything and no thread is at work. Whatever is not
    told the time by the loop is told by freezegun, which jumps with it.
    """

    def __init__(self) -> None:
        """Begin at 0 seconds."""
        self.now = 0.0
        self.frozen: Any = None
        self.is_steered = True
        self._threads = 0
        super().__init__(_Selector(self))

    @override
    def time(self) -> float:
        return self.now

    def jump(self, seconds: float) -> None:
        """Let time go on."""
        self.now += seconds
        if self.frozen is not None:
            self.frozen.tick(timedelta(seconds=seconds))

    @property
    def is_busy(self) -> bool:
        """Whether a thread is at work."""
        return self._threads > 0

    @override
    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._threads -= 1


class _Selector(selectors.DefaultSelector):
    """Waits for sockets and threads, and for nothing else."""

    # Seconds to wait for a thread before it is looked for anew.
    LOOK = 0.05

    def __init__(self, loop: SteeredLoop) -> None:
        super().__init__()
        self._loop = loop

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if self._loop.is_busy or timeout is None or not self._loop.is_steered:
            return super().select(self.LOOK)
        if found := super().select(0):
            return found
        self._loop.jump(timeout)
        return []


def run_steered[T](start: datetime, work: Callable[[], Awaitable[T]]) -> T:
    """Run work in an event loop that is steered, from this moment on (UTC, naive)."""
    api: Any = freezegun.api
    # As in the harness: Home Assistant's own ways of telling the time are frozen, too.
    api.datetime_to_fakedatetime = patch_time.ha_datetime_to_fakedatetime
    api.FakeDatetime = patch_time.HAFakeDatetime
    api.FakeDate = patch_time.HAFakeDate
    with freezegun.freeze_time(start.replace(tzinfo=UTC)) as frozen:
        loop = SteeredLoop()
        loop.frozen = frozen

        async def main() -> T:
            try:
                return await work()
            finally:
                # Only threads are left to be ended, and they take real time.
                loop.is_steered = False

        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(main())
