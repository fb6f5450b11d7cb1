"""Own other programs: start them, keep them running, end them, and leave none behind.

Invariant: a program started here dies with this process, even when this process is killed with SIGKILL (see
`launcher.py`); it is in a session of its own, so that Ctrl-C in a terminal reaches only this process, which then ends
its programs in order.

Which programs these are is elsewhere: `engine.py` (PostgreSQL, NATS) and `roles.py` (our own roles).
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, Signals

from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff
from service.runtime.user_error import UserError

LAUNCHER = Path(__file__).with_name("launcher.py")
STEADY_AFTER_S = 30.0

log = get_logger("processes")


class OwnedProcess:
    """A program we started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def exit_code(self, timeout_s: float | None = None) -> int:
        """Wait for its end. Negative for a signal. Raises TimeoutError."""
        return await asyncio.wait_for(self._process.wait(), timeout_s)

    def send(self, signal: Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.alive:
            # Not by the Process object, which would reap a dead program and so lose its exit code.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    async def end(self, steps: Sequence[tuple[Signals, float]]) -> int:
        """Send each signal and give it its seconds; SIGKILL when none of them helped. Returns the exit code."""
        for signal, timeout_s in steps:
            self.send(signal)
            try:
                return await self.exit_code(timeout_s)
            except TimeoutError:
                log.warning("process does not end", pid=self.pid, signal=signal.name, waited_s=timeout_s)
        self.send(SIGKILL)
        return await self.exit_code()


async def spawn(
    program: Sequence[str],
    *,
    death_signal: Signals,
    identity: str = "same",
    environment: Mapping[str, str] | None = None,
    output_fd: int = asyncio.subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> OwnedProcess:
    """Start a program that gets `death_signal` when we die. Only for the main thread: its end counts as our death."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), identity, *program),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output_fd,
        stderr=output_fd,
        env=environment,
        pass_fds=pass_fds,
        start_new_session=True,
    )
    return OwnedProcess(process)


class SupervisedProcess(abc.ABC):
    """A program that should run until it is told to stop: whoever runs `supervise` starts it again when it dies.

    `start`, `stop`, `restart` and `kill` may be called at any time, also while `supervise` runs.
    """

    stop_steps: Sequence[tuple[Signals, float]]
    """The signals that end it, politest first, each with the seconds it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: OwnedProcess | None = None
        self._wanted = False
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process id of the program. Raises RuntimeError when it was never started."""
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive

    async def start(self) -> None:
        """Return once the program is ready. Raises UserError when it cannot be."""
        async with self._changing:
            self._wanted = True
            await self._bring_up()

    async def stop(self) -> None:
        async with self._changing:
            self._wanted = False
            await self._take_down()

    async def restart(self) -> None:
        async with self._changing:
            await self._take_down()
            self._wanted = True
            await self._bring_up()

    async def kill(self) -> None:
        """SIGKILL, as a crash would: nothing is flushed. It stays dead unless somebody supervises or starts it."""
        process = self._started()
        process.send(SIGKILL)
        await process.exit_code()

    def signal(self, signal: Signals) -> None:
        self._started().send(signal)

    async def supervise(self) -> None:
        """Start the program again whenever it dies unasked; ends after `stop`."""
        backoff = Backoff()
        loop = asyncio.get_running_loop()
        while self._wanted:
            since = loop.time()
            code = await self._death()
            if loop.time() - since > STEADY_AFTER_S:
                backoff.reset()
            async with self._changing:
                if not self._wanted or self.running:
                    continue
            log.error("process died, starting it again", process=self.name, exit_code=code)
            await asyncio.sleep(backoff.next_delay_s())
            await self._revive()

    @abc.abstractmethod
    async def _spawn(self) -> OwnedProcess: ...

    @abc.abstractmethod
    async def _until_ready(self, process: OwnedProcess) -> None:
        """Return when the program does its work. Raises UserError when it ended or takes too long."""

    def _started(self) -> OwnedProcess:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    async def _bring_up(self) -> None:
        self._process = process = await self._spawn()
        log.info("started", process=self.name, pid=process.pid)
        try:
            await self._until_ready(process)
        except BaseException:  # a cancelled start must not leave a process behind either
            await process.end(self.stop_steps)
            raise

    async def _take_down(self) -> None:
        if self._process is not None:
            await self._process.end(self.stop_steps)

    async def _death(self) -> int:
        """Wait for the end of the program, asked for or not; returns its exit code."""
        return await self._started().exit_code()

    async def _revive(self) -> None:
        async with self._changing:
            if not self._wanted or self.running:
                return
            try:
                await self._bring_up()
            except (UserError, OSError) as error:
                log.error("process does not start", process=self.name, error=error)
