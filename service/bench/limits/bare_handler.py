"""The limit of GET: an aiohttp handler that returns the same bytes, over the same TLS, and does nothing else."""

from __future__ import annotations

import ssl
from pathlib import Path

from aiohttp import web

from service.bench.helpers import Link, Ready


async def bare_handler_job(link: Link, body: bytes, cert_file: Path, key_file: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"})

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert_file, key_file)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    link.send(Ready(runner.addresses[0][1]))
    await link.closed()
