"""Real engines and whole instances for the tests: quick to make, and gone afterwards, however the run ends.

One PostgreSQL per pytest process (without fsync, the only engine that may) holds a template database made from
schema.sql; each test copies it. nats-server starts in a few hundredths of a second, so each test has its own.
Everything started here dies with the pytest process, even when that is killed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, Signals

import asyncpg

from service.eventstore.schema import migrate
from service.runtime.embedded_postgres import EmbeddedPostgres
from service.runtime.roles import role_environment

TEMPLATE = "template_tag_history"
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0

_numbers = itertools.count(1)


class TestDatabases:
    """Databases with our schema on one PostgreSQL, each for one test."""

    __test__ = False

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    async def make_template(self) -> None:
        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self._postgres.dsn_of(TEMPLATE))

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The DSN of an empty log; the database is dropped at the end, whoever is still connected."""
        name = f"test_{next(_numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield self._postgres.dsn_of(name)
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._postgres.dsn_of("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class Instance:
    """A `tag-history` command as a process of its own, with what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def line(self) -> str:
        """The next line of its standard output; empty when it ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_TIMEOUT_S):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def errors(self) -> str:
        """All it wrote to standard error. Waits for its end."""
        assert self._process.stderr is not None
        async with asyncio.timeout(STOP_TIMEOUT_S):
            return (await self._process.stderr.read()).decode()

    async def stop(self, signal: Signals = SIGINT) -> int:
        """Send the signal, wait for its end and return the exit code."""
        if self._process.returncode is None:
            # Not by the Process object, which would reap a dead program and so lose its exit code.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)
        async with asyncio.timeout(STOP_TIMEOUT_S):
            # Drains the pipes, so that a process that writes a lot can end.
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def running(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Instance]:
    """`tag-history ARGUMENTS`, killed at the end, with all it started, unless it has ended by then."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "service.cli", *map(str, arguments)),
        env=role_environment(environment or {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    instance = Instance(process)
    try:
        yield instance
    finally:
        if process.returncode is None:
            owned = descendants(process.pid)
            await instance.stop(SIGKILL)
            await until_gone(owned)


def descendants(pid: int) -> list[int]:
    """Every living process under this one."""
    found: list[int] = []
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for number in map(int, child.read_text().split()):
            found += [number, *descendants(number)]
    return found


def is_running(pid: int) -> bool:
    """Whether the process is there and not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def command_line(pid: int) -> str:
    """What anybody can see of a process: its arguments. Empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def user_of(pid: int) -> int:
    """The user id that a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


async def wait_until(condition: Callable[[], Awaitable[bool]], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Ask again and again, for what sends no event. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        for pause_s in itertools.repeat(0.02):
            if await condition():
                return
            await asyncio.sleep(pause_s)


async def until_gone(pids: list[int]) -> None:
    """Wait until none of the processes runs. Raises TimeoutError."""

    async def gone() -> bool:
        return not any(is_running(pid) for pid in pids)

    await wait_until(gone)
