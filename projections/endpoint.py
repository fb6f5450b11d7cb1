"""What a projecting process tells over plain HTTP: `/metrics`, `/livez`, and `/readyz`, not ready if one has stopped.

Keeps: nothing is served but these, to whoever can reach the address; it is meant for a scraper on a private network.
Elsewhere: the metrics (`status.py`), the API (`service/http/`).
"""

from __future__ import annotations

from aiohttp import web
from asyncpg import Pool
from prometheus_client import CollectorRegistry

from projections.status import read_standings
from service.domain.errors import Unavailable
from service.eventstore.database import translated_errors
from service.runtime.config import ListenAddress
from service.runtime.listening import open_listening_sockets
from service.runtime.metrics import expose


class Endpoint:
    def __init__(self, pool: Pool, metrics: CollectorRegistry) -> None:
        self._pool = pool
        self._metrics = metrics

    async def serve(self, address: ListenAddress) -> web.AppRunner:
        """Serve until the runner is cleaned up. Raises UserError when the address cannot be had."""
        application = web.Application()
        application.router.add_get("/metrics", self._scrape)
        application.router.add_get("/livez", self._live)
        application.router.add_get("/readyz", self._ready)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        await web.SockSite(runner, open_listening_sockets(address, 1)[0]).start()
        return runner

    async def _scrape(self, request: web.Request) -> web.Response:
        body, content_type = expose(self._metrics, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _live(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _ready(self, request: web.Request) -> web.Response:
        """Whether the views can be told how they are, and all of them go on."""
        try:
            with translated_errors():
                standings = await read_standings(self._pool)
        except Unavailable:
            return web.Response(status=503, text="PostgreSQL is away")
        stopped = [f"{s.name} stopped at position {s.position}: {s.stopped_by}" for s in standings if s.stopped_by]
        return web.Response(status=503, text="\n".join(stopped)) if stopped else web.Response(text="ok")
