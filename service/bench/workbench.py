"""What is measured: our roles as processes, on engines of the bench's own.

One PostgreSQL (fsync on) serves the whole run; each system has its own database and its own nats-server, so what one
measure leaves behind is not in the way of the next. Each API process has its own ports, so a client can choose one.
Keeps: everything started here ends with the block that started it, and with this process.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import asyncpg
import msgspec

from service.bench.load.http_client import Target
from service.cli.options import LOG_LEVEL_VARIABLE, engine_environment
from service.eventstore.schema import migrate
from service.runtime.certificates import Certificates, ensure_certificates
from service.runtime.config import EngineSettings, ListenAddress
from service.runtime.credentials import ensure_rbac_file, ensure_token_file
from service.runtime.data_dir import DataDir
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from service.runtime.listening import open_listening_sockets
from service.runtime.roles import RoleProcess

ANY_PORT = ListenAddress("127.0.0.1", 0)
REGISTRY = "registry.bench.svc:5000"


class Worker(msgspec.Struct, frozen=True):
    """One API process."""

    role: RoleProcess
    secure: Target
    plain: Target

    @property
    def pid(self) -> int:
        return self.role.pid


class System(msgspec.Struct, frozen=True):
    """Everything of one `tag-history up`, with its own database."""

    engines: EngineSettings
    workers: tuple[Worker, ...]
    project: RoleProcess
    jetstream: Path

    @property
    def dsn(self) -> str:
        return self.engines.postgres_dsn


class Workbench:
    """The engine that all systems share, and what clients need to come in."""

    def __init__(self, data_dir: DataDir, postgres: EmbeddedPostgres, certificates: Certificates) -> None:
        self.data_dir = data_dir
        self.certificates = certificates
        self._postgres = postgres
        self._numbers = itertools.count(1)
        self._token = data_dir.tokens.read_text().partition(",")[0]

    async def database(self) -> str:
        """The DSN of a new one with our schema."""
        name = f"bench_{next(self._numbers)}"
        connection = await asyncpg.connect(self._postgres.dsn)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        dsn = self._postgres.dsn_of(name)
        await migrate(dsn)
        return dsn

    @asynccontextmanager
    async def system(self, *, workers: int = 1, projecting: bool = True) -> AsyncIterator[System]:
        """Everything is ready when the block begins, but for what projects if it is not asked for."""
        async with AsyncExitStack() as stack:
            nats = EmbeddedNats(self._new_folder("nats"))
            stack.push_async_callback(nats.stop)
            await nats.start()
            engines = EngineSettings(postgres_dsn=await self.database(), nats_url=nats.url)
            environment = command_environment(engines)
            project = RoleProcess("project", ["project"], environment)
            stack.push_async_callback(project.stop)
            if projecting:
                await project.start()
            serving = [await self._worker(stack, environment, number) for number in range(workers)]
            yield System(engines, tuple(serving), project, nats.store)

    async def _worker(self, stack: AsyncExitStack, environment: Mapping[str, str], number: int) -> Worker:
        secure, plain = (stack.enter_context(closing(open_listening_sockets(ANY_PORT, 1)[0])) for _ in range(2))
        tls = self.certificates.tls
        flags = {
            "--listen-fd": secure.fileno(),
            "--insecure-listen-fd": plain.fileno(),
            "--tls-cert-file": tls.cert_file,
            "--tls-private-key-file": tls.private_key_file,
            "--token-auth-file": self.data_dir.tokens,
            "--rbac-file": self.data_dir.rbac,
            "--internal-registry-hostname": REGISTRY,
        }
        arguments = ["serve", *(f"{flag}={value}" for flag, value in flags.items())]
        role = RoleProcess(f"serve-{number + 1}", arguments, environment, [secure.fileno(), plain.fileno()])
        stack.push_async_callback(role.stop)
        await role.start()
        return Worker(
            role,
            secure=self.target(secure.getsockname()[1], secure=True),
            plain=self.target(plain.getsockname()[1], secure=False),
        )

    def target(self, port: int, *, secure: bool) -> Target:
        """How to come in at a port, of ours or of a limit that serves with our certificate."""
        return Target(port, self._token, self.certificates.authority_pem.decode() if secure else None)

    def _new_folder(self, name: str) -> Path:
        folder = self.data_dir.path / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        return folder


def command_environment(engines: EngineSettings) -> dict[str, str]:
    """For a command of ours on these engines. It tells nothing but warnings, unless it is asked to."""
    return engine_environment(engines) | {LOG_LEVEL_VARIABLE: os.environ.get(LOG_LEVEL_VARIABLE, "warning")}


@asynccontextmanager
async def workbench() -> AsyncIterator[Workbench]:
    """Engines in a temporary folder (TMPDIR says where), which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tag-history-bench-"))
    try:
        data_dir = DataDir(folder)
        ensure_token_file(data_dir.tokens)
        ensure_rbac_file(data_dir.rbac)
        certificates = ensure_certificates(data_dir.pki, [ANY_PORT.host])
        postgres = EmbeddedPostgres(folder)
        try:
            await postgres.start()
            yield Workbench(data_dir, postgres, certificates)
        finally:
            await postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
