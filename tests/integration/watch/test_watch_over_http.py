"""A watch on the wire: real sockets, plain and TLS, on both event loops."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from aiohttp import web

from service.domain.errors import Unavailable
from service.domain.world import Collection
from service.http.watch_stream import serve_watch
from service.runtime.certificates import ensure_certificates
from service.watch.request import WatchLimits, WatchRequest
from service.watch.ring import RingLimits
from service.watch.scope import Scope
from tests.engines import wait_until
from tests.unit.watch.chronicle import Chronicle, relabelled, stream_created
from tests.unit.watch.room import JsonEncoder, Room

STREAMS = Scope(Collection.IMAGE_STREAMS)
SOCKET_BUFFER_BYTES = 16 * 1024
PADDING = "x" * 8_000
"""Makes events large, so that a few hundred of them fill every buffer on the way."""

Run = Callable[[Coroutine[Any, Any, None]], None]
Tls = tuple[ssl.SSLContext, ssl.SSLContext]
"""The server's side and the client's."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(work: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(work)

    return run


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> Tls | None:
    if request.param == "plain":
        return None
    certificates = ensure_certificates(tmp_path / "certificates", [])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates.tls.cert_file, certificates.tls.private_key_file)
    return server, ssl.create_default_context(cadata=certificates.authority_pem.decode())


class Site:
    """A room behind HTTP, with socket buffers so small that a client's reading is felt at once."""

    def __init__(self, limits: WatchLimits | None = None, tls: Tls | None = None, ring: int = 10_000) -> None:
        self.chronicle = Chronicle()
        self.chronicle.append(stream_created("n", "x"))
        self.room = Room(self.chronicle, RingLimits(changes=ring), limits or WatchLimits(), begin=1)
        self._tls = tls
        self._port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Site]:
        application = web.Application()
        application.router.add_get("/watch", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        listening.bind(("127.0.0.1", 0))
        self._port = listening.getsockname()[1]
        await web.SockSite(runner, listening, ssl_context=self._tls[0] if self._tls else None).start()
        async with self.room.open():
            try:
                yield self
            finally:
                self.room.hub.drain()
                await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        wanted = WatchRequest(
            STREAMS,
            JsonEncoder(),
            float(request.query.get("timeoutSeconds", 1e6)),
            int(request.query.get("resourceVersion", 0)) if "unset" not in request.query else None,
            bookmarks="bookmarks" in request.query,
        )
        try:
            return await serve_watch(request, self.room.hub, wanted, {"Audit-Id": "7"})
        except Unavailable:
            return web.Response(status=503)

    @asynccontextmanager
    async def client(self, query: str = "resourceVersion=1", version: str = "1.1") -> AsyncIterator[Client]:
        connected = socket.socket()
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", self._port))
        reader, writer = await asyncio.open_connection(
            sock=connected,
            ssl=self._tls[1] if self._tls else None,
            server_hostname="localhost" if self._tls else None,
            limit=SOCKET_BUFFER_BYTES,
        )
        client = Client(reader, writer)
        await client.ask(query, version)
        try:
            yield client
        finally:
            writer.transport.abort()

    async def change(self, count: int, padding: str = "") -> None:
        """Change the one stream so many times, and wait until the cache has it."""
        for _ in range(count):
            stream = self.chronicle.world.streams["n", "x"]
            self.chronicle.append(relabelled(stream, {"padding": padding})[0])
        self.room.feed()
        await self.room.cache.wait_for(len(self.chronicle.events))

    def gauge(self, name: str) -> float:
        found: float = getattr(self.room.hub._metrics, name)._value.get()
        return found

    async def until(self, name: str, value: float) -> None:
        async def reached() -> bool:
            return self.gauge(name) == value

        await wait_until(reached)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = ""

    async def ask(self, query: str, version: str = "1.1") -> None:
        self.writer.write(f"GET /watch?{query} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
        self.head = (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def chunk(self) -> bytes:
        """One chunk of the body; empty at its end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def events(self, count: int) -> list[tuple[str, int]]:
        """Type and resourceVersion of the next events, each of which is one chunk and one line."""
        found = []
        for _ in range(count):
            line = await self.chunk()
            assert line.endswith(b"\n")
            assert line.count(b"\n") == 1
            event = msgspec.json.decode(line)
            found.append((event["type"], int(event["object"]["metadata"]["resourceVersion"])))
        return found


def test_headers_come_at_once_and_each_event_as_a_line_and_a_chunk(run: Run, tls: Tls | None) -> None:
    async def story() -> None:
        async with Site(tls=tls).open() as site, site.client() as client:
            assert client.head.startswith("HTTP/1.1 200 ")
            for line in (
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
                "Cache-Control: no-store",
                "Audit-Id: 7",
            ):
                assert line in client.head.split("\r\n")
            await site.change(3)
            assert await client.events(3) == [("MODIFIED", 2), ("MODIFIED", 3), ("MODIFIED", 4)]

    run(story())


def test_when_its_time_is_over_the_body_ends_and_the_connection_serves_the_next(run: Run, tls: Tls | None) -> None:
    async def story() -> None:
        async with Site(tls=tls).open() as site, site.client("timeoutSeconds=0.2") as client:
            assert await client.events(1) == [("ADDED", 1)]
            assert await client.chunk() == b""
            await client.ask("unset&bookmarks")
            assert await client.events(2) == [("ADDED", 1), ("BOOKMARK", 1)]

    run(story())


def test_a_server_that_stops_ends_the_body(run: Run, tls: Tls | None) -> None:
    async def story() -> None:
        async with Site(tls=tls).open() as site, site.client() as client:
            await site.change(1)
            site.room.hub.drain()
            assert await client.events(1) == [("MODIFIED", 2)]
            assert await client.chunk() == b""

    run(story())


def test_what_can_be_refused_is_refused_before_the_stream_begins(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(self: Chronicle) -> int:
        raise Unavailable("PostgreSQL is away")

    async def story() -> None:
        monkeypatch.setattr(Chronicle, "read", away)
        async with Site().open() as site, site.client("unset") as client:
            assert client.head.startswith("HTTP/1.1 503 ")

    run(story())


def test_a_client_of_http_1_0_gets_plain_lines_until_the_connection_closes(run: Run) -> None:
    async def story() -> None:
        async with Site().open() as site, site.client("timeoutSeconds=0.3", version="1.0") as client:
            assert "chunked" not in client.head
            await site.change(2)
            body = await client.reader.read()
            types = [msgspec.json.decode(line)["type"] for line in body.splitlines()]
            assert types == ["ADDED", "MODIFIED", "MODIFIED"]

    run(story())


@pytest.mark.parametrize("ring", [10_000, 5])
def test_a_client_that_does_not_read_is_parked_and_then_misses_nothing(run: Run, tls: Tls | None, ring: int) -> None:
    """Nobody else is slowed, the server holds a bounded number of bytes for it, and it resumes without a seam."""

    async def story() -> None:
        limits = WatchLimits(park_at_bytes=64 * 1024, replay_patience_s=0.1)
        async with Site(limits, tls, ring).open() as site, site.client() as lazy, site.client() as quick:
            reading = asyncio.create_task(quick.events(300))
            for _ in range(10):
                await site.change(30, PADDING)
            everything = [("MODIFIED", position) for position in range(2, 302)]
            assert await reading == everything
            await site.until("parked", 1)
            assert await lazy.events(300) == everything
            await site.until("parked", 0)
            await site.change(1)
            assert await lazy.events(1) == [("MODIFIED", 302)]
            assert await quick.events(1) == [("MODIFIED", 302)]

    run(story())


def test_a_client_that_never_reads_is_given_up_and_its_connection_dropped(run: Run, tls: Tls | None) -> None:
    async def story() -> None:
        limits = WatchLimits(park_at_bytes=64 * 1024, stall_timeout_s=0.2)
        async with Site(limits, tls).open() as site, site.client() as dead:
            await site.change(100, PADDING)
            await site.until("stalled", 1)
            await site.until("watchers", 0)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await dead.events(100)

    run(story())


@pytest.mark.parametrize("parked", [False, True], ids=["idle", "parked"])
@pytest.mark.parametrize("abrupt", [False, True], ids=["closes", "resets"])
def test_a_client_that_leaves_ends_its_watch(run: Run, tls: Tls | None, abrupt: bool, parked: bool) -> None:
    async def story() -> None:
        limits = WatchLimits(park_at_bytes=64 * 1024, replay_patience_s=0.1)
        async with Site(limits, tls).open() as site, site.client() as client:
            await site.until("watchers", 1)
            if parked:
                await site.change(100, PADDING)
                await site.until("parked", 1)
            if abrupt:
                client.writer.transport.abort()
            else:
                client.writer.close()
            await site.until("watchers", 0)

    run(story())


def test_a_half_closed_connection_counts_as_left(run: Run) -> None:
    async def story() -> None:
        async with Site().open() as site, site.client() as client:
            await site.until("watchers", 1)
            client.writer.write_eof()
            await site.until("watchers", 0)
            assert await client.reader.read() == b""

    run(story())


def test_a_thousand_bytes_of_chatter_from_the_client_change_nothing(run: Run) -> None:
    async def story() -> None:
        async with Site().open() as site, site.client() as client:
            client.writer.write(b"GET /watch?resourceVersion=1 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
            await site.change(2)
            assert await client.events(2) == [("MODIFIED", 2), ("MODIFIED", 3)]

    run(story())
