"""The wall clocks of Home Assistant and of the transmitter, which can be set."""

from datetime import datetime, timedelta
import mmap
from pathlib import Path
import struct
import subprocess
import time
from zoneinfo import ZoneInfo

_SOURCE = Path(__file__).with_name("wall_clock.c")

# The form of the file that Home Assistant's process has mapped: nanoseconds.
_AHEAD = struct.Struct("<q")
_NANOSECONDS = 1_000_000_000


class Clock:
    """A wall clock in a time zone, by which two processes go: this one and Home Assistant.

    It runs as the computer's does, and is ahead of that by what `set_to` made it. Home Assistant's
    may be off it (`set_home_ahead`). No other clock is touched, so that timers and time-outs take
    the time that they take.
    """

    def __init__(self, folder: Path, zone: ZoneInfo) -> None:
        """Compile into that folder the library with which Home Assistant is to be started."""
        self.zone = zone
        library, file = folder / "wall_clock.so", folder / "wall_clock"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", library, _SOURCE, "-ldl"], check=True
        )
        file.write_bytes(_AHEAD.pack(0))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _AHEAD.size)
        self.environment = {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(file)}
        self._ahead = 0
        self.home_ahead = timedelta()

    def set_to(self, shown: datetime) -> None:
        """Have it show this naive local time from now on, in both processes."""
        posix = shown.replace(tzinfo=self.zone).timestamp()
        self._ahead = round(posix * _NANOSECONDS) - time.time_ns()
        self._write()

    def set_home_ahead(self, ahead: timedelta) -> None:
        """Have Home Assistant's own clock be off by so much from now on."""
        self.home_ahead = ahead
        self._write()

    def _write(self) -> None:
        ahead = self._ahead + round(self.home_ahead.total_seconds()) * _NANOSECONDS
        self._map[:] = _AHEAD.pack(ahead)

    def posix(self) -> float:
        """Return what it shows, in POSIX seconds."""
        return (time.time_ns() + self._ahead) / _NANOSECONDS

    def now(self) -> datetime:
        """Return what it shows, naive local time."""
        return datetime.fromtimestamp(self.posix(), self.zone).replace(tzinfo=None)

    def instant(self, stamp: datetime) -> int:
        """Return the POSIX seconds of a naive local time; there is no service when it is two."""
        return round(stamp.replace(tzinfo=self.zone).timestamp())
