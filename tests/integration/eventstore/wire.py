"""A wire between an appender and PostgreSQL that a test can cut, or stop, at the moment that hurts most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit


class Wire:
    """Between clients of `dsn` and the server. While `answers_flow` is clear, answers are held back."""

    def __init__(self, server_dsn: str) -> None:
        self.answers_flow = asyncio.Event()
        self.answers_flow.set()
        self.answer_held = asyncio.Event()
        """An answer has come from the server and was held back."""
        self.requests = 0
        """How many times clients have sent something."""
        self.dsn = ""
        self._target = urlsplit(server_dsn)
        self._writers: set[asyncio.StreamWriter] = set()

    async def cut(self) -> None:
        """Break every connection; whatever was held back is lost."""
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        self._writers |= {writer, server_writer}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, server_writer, are_answers=False))
                tasks.create_task(self._pass_on(server_reader, writer, are_answers=True))
        except* OSError:
            pass
        finally:
            self._writers -= {writer, server_writer}
            writer.transport.abort()
            server_writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._target.query).get("host")
        if folder:
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(self._target.hostname, self._target.port)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, are_answers: bool) -> None:
        while data := await reader.read(65_536):
            if are_answers:
                await self._hold_back()
            else:
                self.requests += 1
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def _hold_back(self) -> None:
        if not self.answers_flow.is_set():
            self.answer_held.set()
            await self.answers_flow.wait()


@asynccontextmanager
async def wire_to(server_dsn: str) -> AsyncIterator[Wire]:
    wire = Wire(server_dsn)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = urlsplit(server_dsn)
    login = target.netloc.rpartition("@")[0]
    wire.dsn = f"postgresql://{login}@127.0.0.1:{port}{target.path}"
    try:
        yield wire
    finally:
        server.close()
        wire.answers_flow.set()
        await wire.cut()
        await asyncio.sleep(0.01)
