"""A role of our own as a process: `python -m service.cli ROLE …`, kept running by `up`.

The role inherits its listening sockets by number, gets secrets through its environment (a command line is visible to
everybody on the machine), and tells that it is ready by writing to a pipe (`--ready-fd`).
Invariant: it sees no TAG_HISTORY_ variable but the ones given here, so settings of `up` cannot leak into it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM

from service.runtime.processes import OwnedProcess, SupervisedProcess, spawn
from service.runtime.user_error import UserError

READY_TIMEOUT_S = 300.0
DRAIN_TIMEOUT_S = 20.0
ENVIRONMENT_PREFIX = "TAG_HISTORY_"
SOURCE_FOLDER = Path(__file__).parents[2]
STDERR_FD = 2


class RoleProcess(SupervisedProcess):
    stop_steps = ((SIGTERM, DRAIN_TIMEOUT_S),)

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], inherited_fds: Sequence[int] = ()
    ) -> None:
        super().__init__(name)
        self._arguments = arguments
        self._environment = environment
        self._inherited_fds = inherited_fds
        self._ready_fd = -1

    async def _spawn(self) -> OwnedProcess:
        self._ready_fd, told_fd = os.pipe()
        try:
            return await spawn(
                # -P: the folder we are called from may hold a package of the same name.
                [sys.executable, "-P", "-m", "service.cli", *self._arguments, "--ready-fd", str(told_fd)],
                death_signal=SIGKILL,
                environment=role_environment(self._environment),
                # Only `up` writes to standard output.
                output_fd=STDERR_FD,
                pass_fds=(*self._inherited_fds, told_fd),
            )
        except BaseException:
            os.close(self._ready_fd)
            raise
        finally:
            os.close(told_fd)

    async def _until_ready(self, process: OwnedProcess) -> None:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                word = await _first_word(self._ready_fd)
        except TimeoutError:
            raise UserError(f"{self.name} is not ready after {READY_TIMEOUT_S:.0f} s") from None
        finally:
            os.close(self._ready_fd)
        if not word:
            code = await process.end(self.stop_steps)
            raise UserError(f"{self.name} ended before it was ready (exit code {code})")


def role_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Our environment without our settings, with those that are given, and with the code that we run ourselves."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    search_path = [str(SOURCE_FOLDER), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(search_path)} | dict(given)


async def _first_word(descriptor: int) -> bytes:
    """What is first written to the pipe; nothing when its other end was closed without a word."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, 64)
