"""A running `tag-history up`, seen from outside as an operator sees it: its processes, its files, its database.

`up` keeps the roles and engines running; beside them runs a second `project`, so that there is a standby to take over.
Keeps: everything started here is dead at the end, also what was stopped with SIGSTOP.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import asyncpg

from service.runtime.roles import role_environment
from tests.engines import command_line, descendants, is_running, until_gone, wait_until
from tests.faults.plan import REGISTRY_HOSTNAME
from tests.faults.wire import Answer, Endpoint, Lost, asked

READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 90.0
HEALED_TIMEOUT_S = 90.0
ENGINE_VARIABLES = ("TAG_HISTORY_POSTGRES_DSN", "TAG_HISTORY_NATS_URL")


class NotHealed(Exception):
    """The service does not come back although nothing is in its way any more."""


class Instance:
    def __init__(self, folder: Path, workers: int, output: BinaryIO) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        """Where the engines are, as roles are told."""
        self._workers = workers
        self._output = output
        self._endpoint: Endpoint | None = None
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    @property
    def endpoint(self) -> Endpoint:
        """The same for as long as the instance lives, however often it is started."""
        assert self._endpoint is not None
        return self._endpoint

    async def start(self) -> None:
        """Return when it is ready."""
        port = self._endpoint.port if self._endpoint else 0
        up = self._processes["up"] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "service.cli", "up"),
            *("--data-dir", str(self.folder), "--listen", f"127.0.0.1:{port}", "--workers", str(self._workers)),
            *("--internal-registry-hostname", REGISTRY_HOSTNAME),
            env=role_environment({}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._output,
        )
        assert up.stdout is not None
        async with asyncio.timeout(READY_TIMEOUT_S):
            line = (await up.stdout.readline()).decode()
        assert line.startswith("ready "), self.log.read_text()[-2_000:]
        self._endpoint = _endpoint(self.folder, line.split(" ")[1])
        self.environment = _engine_environment(up.pid)
        await self.start_standby()

    async def start_standby(self) -> None:
        """A `project` that nobody supervises, unless it is there; it knows the engines of the last start."""
        if self.pids("standby"):
            return
        self._processes["standby"] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "service.cli", "project"),
            env=role_environment(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
        )

    async def die(self) -> None:
        """Everything at once, without a warning, as if the machine had been reset."""
        owned = descendants(self._processes["up"].pid)
        for process in self._processes.values():
            if process.returncode is None:
                _send(process.pid, signal.SIGCONT)
                _send(process.pid, signal.SIGKILL)
            await process.wait()
        await until_gone(owned)

    @property
    def dsn(self) -> str:
        return self.environment["TAG_HISTORY_POSTGRES_DSN"]

    @property
    def log(self) -> Path:
        """What all roles write to standard error."""
        return self.folder / "up.log"

    def pids(self, target: str) -> list[int]:
        """Of the processes that are called `up`, `serve`, `project`, `standby`, `postgres` (the postmaster), `nats`."""
        match target:
            case "up" | "standby":
                process = self._processes.get(target)
                return [process.pid] if process is not None and process.returncode is None else []
            case "serve" | "project":
                below = [pid for up in self.pids("up") for pid in descendants(up)]
                return [pid for pid in below if f" service.cli {target} " in command_line(pid)]
            case "postgres":
                return _noted(self.folder / "postgres" / "postmaster.pid")
            case "nats":
                return _noted(self.folder / "nats" / "nats.pid")
        raise ValueError(target)

    def tree(self, pid: int) -> list[int]:
        """The process and all under it."""
        return [pid, *descendants(pid)]

    @contextmanager
    def supervisor_frozen(self) -> Iterator[None]:
        """Nothing that dies inside is started again before the end."""
        supervisors = self.pids("up")
        for pid in supervisors:
            _send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in supervisors:
                _send(pid, signal.SIGCONT)

    def wipe_jetstream(self) -> None:
        """Only while nats-server is dead."""
        shutil.rmtree(self.folder / "jetstream", ignore_errors=True)

    async def ask(self, target: str) -> Answer:
        """Raises Lost."""
        return await asked(self.endpoint, target)

    async def until_healed(self) -> None:
        """Until every API process is there and answers, the log can be read and the views have caught up.

        Raises NotHealed.
        """
        try:
            await wait_until(self._is_well, HEALED_TIMEOUT_S)
        except TimeoutError:
            raise NotHealed(f"not well {HEALED_TIMEOUT_S:.0f} s after the last fault") from None

    async def _is_well(self) -> bool:
        try:
            # Several connections, so that each API process is likely to be asked.
            answers = [await self.ask("/readyz") for _ in range(4)]
            answers.append(await self.ask("/apis/image.openshift.io/v1/imagestreams?limit=1"))
            head, views = await self.positions()
        except (Lost, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return all(answer.code == 200 for answer in answers) and head - views < 500

    async def positions(self) -> tuple[int, int]:
        """Of the log's newest event, and up to which all views are true."""
        connection = await asyncpg.connect(self.dsn, timeout=5, command_timeout=5)
        try:
            head = await connection.fetchval("SELECT coalesce(max(position), 0) FROM events")
            views = await connection.fetchval("SELECT coalesce(min(position), 0) FROM projections")
        finally:
            connection.terminate()
        return head, views

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a `tag-history` command against this instance's engines. Returns its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "service.cli", *arguments),
            env=role_environment(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def stop(self) -> int:
        """As Ctrl-C does. Returns the exit code once nothing that belonged to it runs."""
        up = self._processes["up"]
        owned = descendants(up.pid)
        _send(up.pid, signal.SIGINT)
        async with asyncio.timeout(STOP_TIMEOUT_S):
            code = await up.wait()
        await until_gone(owned)
        return code

    def let_all_go_on(self) -> None:
        """Whatever was stopped: what does not run cannot die."""
        for pid in [pid for target in ("postgres", "nats", "serve", "project") for pid in self.pids(target)]:
            for member in self.tree(pid):
                _send(member, signal.SIGCONT)


@asynccontextmanager
async def running_instance(folder: Path, workers: int) -> AsyncIterator[Instance]:
    """An instance in an empty folder, ready, with a standby."""
    with (folder / "up.log").open("ab") as output:
        instance = Instance(folder, workers, output)
        try:
            await instance.start()
            yield instance
        finally:
            instance.let_all_go_on()
            await instance.die()


def _endpoint(folder: Path, url: str) -> Endpoint:
    place = urlsplit(url)
    context = ssl.create_default_context(cafile=str(folder / "pki" / "ca.crt"))
    token = (folder / "tokens.csv").read_text().split(",", 1)[0]
    assert place.hostname is not None
    assert place.port is not None
    return Endpoint(place.hostname, place.port, context, token)


def _engine_environment(up_pid: int) -> dict[str, str]:
    """How `up` tells its roles where the engines are."""
    for pid in descendants(up_pid):
        if " service.cli serve " in command_line(pid):
            pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            variables = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            return {name: variables[name] for name in ENGINE_VARIABLES}
    raise RuntimeError("`up` runs no API process")


def _noted(note: Path) -> list[int]:
    with suppress(FileNotFoundError, ValueError):
        pid = int(note.read_text().split("\n", 1)[0])
        return [pid] if is_running(pid) else []
    return []


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
