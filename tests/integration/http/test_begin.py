"""An API process may begin before its database does, as after a power cut that took both."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

import pytest

from service.app import serve
from service.eventstore.schema import migrate
from service.runtime.config import ApiSettings, EngineSettings, ListenAddress, ServeSettings
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.engines import wait_until


async def test_it_waits_for_postgresql(
    postgres_server: EmbeddedPostgres, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate(postgres_server.dsn)
    await postgres_server.stop()
    ready, tell = os.pipe()
    settings = ServeSettings(
        engines=EngineSettings(postgres_server.dsn, nats_url),
        api=ApiSettings(),
        insecure_listen=ListenAddress("127.0.0.1", 0),
        ready_fd=tell,
    )
    serving = asyncio.create_task(serve(settings), name="serve")

    async def has_tried() -> bool:
        return "cannot begin yet" in caplog.text

    try:
        await wait_until(has_tried)
        await postgres_server.start()
        async with asyncio.timeout(60):
            assert await asyncio.to_thread(os.read, ready, 64)
    finally:
        os.close(ready)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
