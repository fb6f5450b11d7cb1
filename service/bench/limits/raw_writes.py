"""The limit of watching: the same frames written to the same number of connections, from one process, and nothing else.

In each turn of the event loop every transport that holds little gets a few frames, write by write; the kernel gets them
at once. Nobody waits for anybody. Over TLS it is with our own certificate.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence

import msgspec

from service.bench.helpers import Link, Ready
from service.bench.load.http_client import write_side
from service.runtime.config import TlsSettings

JOB_TIMEOUT_S = 3600.0
BACKLOG_CONNECTIONS = 4096
HELD_LIMIT_BYTES = 64 * 1024
PAUSE_S = 0.001


class WriteFor(msgspec.Struct, frozen=True):
    seconds: float


class Wrote(msgspec.Struct, frozen=True):
    """All that was written has left the process."""

    cpu: float
    """Share of a processor that it took."""


class _Accepted(asyncio.Protocol):
    def __init__(self, transports: list[asyncio.WriteTransport]) -> None:
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transports.append(write_side(transport))


async def raw_writes_job(link: Link, frames: Sequence[bytes], tls: TlsSettings | None) -> None:
    """Write to whoever has connected, whenever told to."""
    transports: list[asyncio.WriteTransport] = []
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(tls.cert_file, tls.private_key_file)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Accepted(transports), "127.0.0.1", 0, ssl=context, backlog=BACKLOG_CONNECTIONS
    )
    link.send(Ready(server.sockets[0].getsockname()[1]))
    while True:
        order = await link.receive(WriteFor, JOB_TIMEOUT_S)
        link.send(Wrote(await _write(transports, frames, order.seconds)))


async def _write(transports: Sequence[asyncio.WriteTransport], frames: Sequence[bytes], seconds: float) -> float:
    """Returns the share of a processor that it took."""
    begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
    while time.perf_counter() < begin_s + seconds:
        roomy = [transport for transport in transports if transport.get_write_buffer_size() < HELD_LIMIT_BYTES]
        for transport in roomy:
            for frame in frames:
                transport.write(frame)
        await asyncio.sleep(0 if roomy else PAUSE_S)
    while any(t.get_write_buffer_size() for t in transports):  # noqa: ASYNC110 - nobody tells of all of them
        await asyncio.sleep(PAUSE_S)
    return (time.process_time() - begin_cpu_s) / (time.perf_counter() - begin_s)
