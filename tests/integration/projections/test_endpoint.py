"""A projecting process tells how it is: metrics, and readiness that fails when a projection has stopped."""

from __future__ import annotations

import asyncpg
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Counter

from projections.endpoint import Endpoint
from service.eventstore.database import open_pool
from service.runtime.config import ListenAddress
from service.runtime.listening import free_loopback_port


async def test_ready_until_a_projection_stops(database: str) -> None:
    metrics = CollectorRegistry()
    Counter("probe", "For this test.", registry=metrics).inc()
    port = free_loopback_port()
    url = f"http://127.0.0.1:{port}"
    async with open_pool(database, "test", size_limit=2) as pool, ClientSession() as client:
        runner = await Endpoint(pool, metrics).serve(ListenAddress("127.0.0.1", port))
        try:
            async with client.get(f"{url}/metrics") as answer:
                assert "probe_total 1.0" in await answer.text()
            async with client.get(f"{url}/readyz") as answer:
                assert answer.status == 200
            connection = await asyncpg.connect(database)
            await connection.execute(
                "INSERT INTO projections (name, version, stopped_by) VALUES ('imagestreams', 1, 'event 7 is odd')"
                " ON CONFLICT (name) DO UPDATE SET stopped_by = excluded.stopped_by"
            )
            await connection.close()
            async with client.get(f"{url}/readyz") as answer:
                assert answer.status == 503
                assert "event 7 is odd" in await answer.text()
        finally:
            await runner.cleanup()
