"""A watch as an HTTP response: headers at once, then frames straight onto the connection, then a clean end.

Frames come framed as chunks, so they pass by the response's own writer; its part is the headers, the last chunk, and
telling when the connection drains. Keeps: the end of the body is only written where everything before it was, in
order; a client that is gone, or reads nothing, has its connection aborted, so no buffer outlives its watch.
A half-closed connection counts as gone, as it does for the reference.
Elsewhere: what is sent and when (`watch/`), what an event looks like (the request's encoder).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from service.http.headers import CACHE_CONTROL, NOT_KEPT
from service.watch.frames import payloads_of
from service.watch.hub import Hub
from service.watch.request import WatchRequest

END_TIMEOUT_S = 30.0
"""How long a client may take to read the rest after its watch has ended."""
LOW_WATER_SHARE = 4
"""A connection that was full counts as drained when it holds no more than one in so many bytes of the limit."""
DRAIN_POLL_S = 0.1
"""Behind every notification that a connection has drained stands a look at it."""
NO_HEADERS: Mapping[str, str] = {}


async def serve_watch(
    request: web.Request, hub: Hub, watch: WatchRequest, headers: Mapping[str, str] = NO_HEADERS
) -> web.StreamResponse:
    """Serve a watch to its end, with these headers beside its own.

    Before the response begins, raises Unavailable or FuturePosition; after that, errors are events of the stream.
    """
    await hub.prepare(watch)
    with_type = CIMultiDict(headers)
    with_type["Content-Type"] = watch.encoder.content_type
    with_type.setdefault(CACHE_CONTROL, NOT_KEPT)
    response = web.StreamResponse(headers=with_type)
    try:
        writer = await response.prepare(request)
    except ConnectionError:
        # The client has gone before it was told anything.
        return response
    transport = request.transport
    if writer is None or transport is None:
        return response
    limit_bytes = hub.park_at_bytes
    low_bytes = limit_bytes // LOW_WATER_SHARE
    transport.set_write_buffer_limits(high=limit_bytes, low=low_bytes)
    sink = TransportSink(transport, writer, low_bytes, None if request.version >= HttpVersion11 else payloads_of)
    try:
        end = await hub.watch(watch, sink)
    except BaseException:
        # Whoever handles it must not find a connection on which to answer once more.
        transport.abort()
        raise
    if not (end.is_clean and await _finished(response, sink)):
        transport.abort()
    elif not transport.is_closing():
        transport.set_write_buffer_limits()
    return response


async def _finished(response: web.StreamResponse, sink: TransportSink) -> bool:
    """Write the end of the body. False if the client does not take it."""
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            await sink.drained()
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        return False
    return True


class TransportSink:
    """A connection as the watch room sees it. The first three are bound once: each is called for every event."""

    __slots__ = ("_drain", "_low_bytes", "_writer", "buffered_bytes", "closed", "write")

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        writer: AbstractStreamWriter,
        low_bytes: int,
        reframed: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """`reframed` turns chunks into what the connection speaks, where that is something else."""
        self.write: Callable[[bytes], None] = transport.write
        if reframed is not None:
            self.write = lambda frames: transport.write(reframed(frames))
        self.buffered_bytes: Callable[[], int] = transport.get_write_buffer_size
        self.closed: Callable[[], bool] = transport.is_closing
        self._writer = writer
        self._low_bytes = low_bytes
        self._drain: asyncio.Task[None] | None = None

    async def drained(self) -> None:
        while not self.closed() and self.buffered_bytes() > self._low_bytes:
            await self._notified()
            if not self.closed() and self.buffered_bytes() > self._low_bytes:
                await asyncio.sleep(DRAIN_POLL_S)

    async def _notified(self) -> None:
        """Until the connection says it has drained, or is lost.

        All waiters of a connection share one future, which must never be cancelled; so it gets a task of its own,
        which ends at the latest when the connection does.
        """
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._wait_for_connection(), name="watch/drain")
        await asyncio.shield(self._drain)

    async def _wait_for_connection(self) -> None:
        with suppress(ConnectionError):
            await self._writer.drain()
