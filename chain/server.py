"""One server program, as Debian packages it, with its data in a folder of its own."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import time
from typing import Any, ClassVar, Self

from demo.home_assistant import die_with_parent

# Seconds in which a server answers after its start, and goes after a signal.
START_TIMEOUT = 60
STOP_TIMEOUT = 30

# Where Debian has server programs that are in no user's PATH.
_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"


class ServerError(RuntimeError):
    """A server is not installed, does not start, or does not take what it is told."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """A server on loopback. Subclasses say how it is set up, started, and known to answer.

    package: Debian's. program: its name, or a glob for where Debian has it. user: who the program
    is to run as if we are root, where it refuses to be root; the package has made that user.
    how_to_stop: the signal upon which it writes its data and goes.
    """

    package: ClassVar[str]
    program: ClassVar[str]
    user: ClassVar[str | None] = None
    how_to_stop: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, restaurants: list[str]) -> None:
        """Take where its data is to be, and who will use it. Raises ServerError: not installed."""
        self.found = self._find(self.program)
        self.restaurants = restaurants
        self.folder = folder
        self.port = free_port()
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        """Start it, and wait until it answers."""
        self.folder.mkdir()
        if self._other_user:
            shutil.chown(self.folder, self._other_user)
        try:
            self.prepare()
            await self._start()
            await self.set_up()
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await asyncio.to_thread(self._stop)

    # ------------------------------------------------------------- for subclasses

    def prepare(self) -> None:
        """Write its configuration into its folder; it is not running yet."""

    def command(self) -> list[str | Path]:
        """Return the program and its arguments."""
        raise NotImplementedError

    async def answers(self) -> bool:
        """Whether it answers. OSError means that it does not."""
        raise NotImplementedError

    async def set_up(self) -> None:
        """Do what an administrator does once, with the server running."""

    def write(self, name: str, text: str) -> Path:
        """Write a file that the server may read, and others may not; return its path."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        if self._other_user:
            shutil.chown(path, self._other_user)
        return path

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run another program of the package to its end, as the server's user."""
        done = subprocess.run(
            [self._find(program), *arguments],
            cwd=self.folder,
            capture_output=True,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise ServerError(f"{program} failed: {done.stderr.decode(errors='replace')}")

    # -------------------------------------------------------------------- process

    @property
    def _other_user(self) -> str | None:
        return self.user if os.geteuid() == 0 else None

    def _as_user(self) -> dict[str, Any]:
        user = self._other_user
        return {"user": user, "group": user, "extra_groups": []} if user else {}

    def _find(self, program: str) -> str:
        if "/" in program:
            root = Path("/")
            # The newest, where there are several.
            paths = sorted(root.glob(program.lstrip("/")), key=lambda path: (len(str(path)), path))
            found = str(paths[-1]) if paths else None
        else:
            found = shutil.which(program, path=_PATH)
        if found is None:
            raise ServerError(f"{self.package} is not here. Debian: apt-get install {self.package}")
        return found

    async def _start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509  # no threads that matter to it
                **self._as_user(),
            )
        await self.wait(self.answers, START_TIMEOUT, "an answer")

    async def wait(self, test: Callable[[], Awaitable[bool]], timeout: float, what: str) -> None:
        """Try until that is so. Raises ServerError at the end of time, or if the server ends."""
        end = time.monotonic() + timeout
        while True:
            with contextlib.suppress(OSError):
                if await test():
                    return
            if self._process is None or self._process.poll() is not None:
                last = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
                raise ServerError(f"{self.package} has ended: {last}")
            if time.monotonic() > end:
                raise ServerError(f"Waited {timeout:.0f} s for {what} of {self.package}")
            await asyncio.sleep(0.2)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(self.how_to_stop)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
