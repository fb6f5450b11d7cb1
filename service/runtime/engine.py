"""An embedded engine: a database or message server that lives in the data folder and dies with us.

It writes its log to `logs/NAME.log` in that folder; the log is bounded (one older part is kept). When the engine does
not start, the last line of the log is the reason we show.
What is special to each engine is in `embedded_postgres.py` and `embedded_nats.py`.
"""

from __future__ import annotations

import abc
import asyncio
import os
import re
import shutil
from pathlib import Path
from signal import Signals

from service.runtime.processes import OwnedProcess, SupervisedProcess, spawn
from service.runtime.user_error import UserError

LOG_LIMIT_BYTES = 16 * 1024 * 1024
LOG_TAIL_BYTES = 4096
LOG_CHECK_INTERVAL_S = 30.0
READY_CHECK_INTERVAL_S = 0.02
COMPLAINT = re.compile(r"(?:FATAL:|PANIC:|error:|\[FTL\])\s+(.+)")


class EngineError(UserError):
    """An embedded engine cannot start, for a reason its log tells."""


class EngineLog:
    """A log file that an engine appends to, and that we cut when it is too long."""

    def __init__(self, path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._opened_at_byte = 0

    def open(self) -> int:
        """A descriptor for appending, to be closed by the caller."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        self.trim()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._opened_at_byte = os.fstat(descriptor).st_size
        return descriptor

    def trim(self) -> None:
        """Keep what there is as the one older part. The engine goes on appending, now at the beginning of the file."""
        if self.path.exists() and self.path.stat().st_size > self._limit_bytes:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            os.truncate(self.path, 0)

    def recent(self) -> str:
        """The end of what the engine wrote since the log was opened."""
        with self.path.open("rb") as file:
            file.seek(max(self._opened_at_byte, self.path.stat().st_size - LOG_TAIL_BYTES))
            return file.read().decode(errors="replace")

    def complaint(self) -> str:
        """What is wrong, without its time stamp: the last error, or the last line when there is none."""
        lines = [line.strip() for line in self.recent().splitlines() if line.strip()]
        complaints = [match[1] for match in map(COMPLAINT.search, lines) if match]
        return (complaints or lines or ["it said nothing"])[-1]


class Engine(SupervisedProcess):
    """A SupervisedProcess with a log and a question that tells whether it is ready."""

    title: str
    ready_timeout_s: float
    death_signal: Signals

    def __init__(self, name: str, data_dir: Path) -> None:
        super().__init__(name)
        self.data_dir = data_dir.absolute()
        self.log = EngineLog(self.data_dir / "logs" / f"{name}.log")

    @abc.abstractmethod
    async def _is_ready(self) -> bool:
        """Ask it once, in bounded time."""

    async def _run(self, program: list[str], identity: str = "same") -> OwnedProcess:
        log_fd = self.log.open()
        try:
            return await spawn(program, death_signal=self.death_signal, identity=identity, output_fd=log_fd)
        finally:
            os.close(log_fd)

    async def _until_ready(self, process: OwnedProcess) -> None:
        try:
            async with asyncio.timeout(self.ready_timeout_s):
                while process.alive:
                    if await self._is_ready():
                        return
                    await asyncio.sleep(READY_CHECK_INTERVAL_S)
        except TimeoutError:
            raise EngineError(f"{self.title} is not ready after {self.ready_timeout_s:.0f} s") from None
        raise EngineError(f"{self.title} does not start: {self.log.complaint()} (see {self.log.path})")

    async def _death(self) -> int:
        while True:
            try:
                return await self._started().exit_code(LOG_CHECK_INTERVAL_S)
            except TimeoutError:
                self.log.trim()
