"""HTTP/1.1 over one TLS connection, down to the bytes: nothing is sent twice behind the caller's back, a body is read
when the caller wants to, and a connection is dropped in the middle of anything.

Keeps: a request is sent at most once. Whoever loses the connection learns whether any of it may have been sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 25.0
"""Longer than the service takes to say that it does not know (15 s) or that there is nothing new (3 s)."""
READ_AHEAD_BYTES = 256 * 1024


class Lost(Exception):
    """The connection could not be made, broke, or stayed silent."""

    def __init__(self, why: str, *, was_sent: bool) -> None:
        super().__init__(why)
        self.was_sent = was_sent


class Endpoint(msgspec.Struct, frozen=True):
    host: str
    port: int
    context: ssl.SSLContext
    token: str


class Answer(msgspec.Struct, frozen=True):
    code: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def retry_after_s(self) -> float | None:
        value = self.headers.get("retry-after")
        return float(value) if value is not None else None


class Connection:
    """One at a time; made anew whenever it is needed and not there."""

    def __init__(self, endpoint: Endpoint, receive_buffer_bytes: int | None = None) -> None:
        self._endpoint = endpoint
        self._receive_buffer_bytes = receive_buffer_bytes
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def drop(self) -> None:
        """Without a word to the server."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Raises Lost."""
        reader, writer = await self._connected()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                writer.write(self._head(method, target, len(body), headers or {}) + body)
                await writer.drain()
                answer = await _head_of_answer(reader)
                chunks = [chunk async for chunk in _body(reader, answer)]
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            self.drop()
            raise Lost(f"{method} {target}: {error!r}", was_sent=True) from error
        except asyncio.CancelledError:
            self.drop()
            raise
        if answer.headers.get("connection") == "close":
            self.drop()
        return msgspec.structs.replace(answer, body=b"".join(chunks))

    async def open_stream(self, target: str) -> tuple[Answer, AsyncIterator[bytes]]:
        """The head of the answer to a GET, and the body as it comes. Raises Lost, while it is read too."""
        reader, writer = await self._connected()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                writer.write(self._head("GET", target, 0, {}))
                await writer.drain()
                answer = await _head_of_answer(reader)
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            self.drop()
            raise Lost(f"GET {target}: {error!r}", was_sent=True) from error
        return answer, self._stream(reader, answer)

    async def _stream(self, reader: asyncio.StreamReader, answer: Answer) -> AsyncIterator[bytes]:
        try:
            async for chunk in _body(reader, answer):
                yield chunk
        except (OSError, EOFError, ValueError) as error:
            self.drop()
            raise Lost(f"while reading: {error!r}", was_sent=True) from error

    def _head(self, method: str, target: str, length: int, headers: dict[str, str]) -> bytes:
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self._endpoint.host}:{self._endpoint.port}",
            f"Authorization: Bearer {self._endpoint.token}",
            "Accept: application/json",
            "User-Agent: faults",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if length or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and not self._streams[1].is_closing() and not self._streams[0].at_eof():
            return self._streams
        self.drop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._streams = await self._connect()
        except (OSError, TimeoutError) as error:
            raise Lost(f"cannot connect: {error!r}", was_sent=False) from error
        return self._streams

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        endpoint = self._endpoint
        opened = socket.socket()
        try:
            opened.setblocking(False)
            if self._receive_buffer_bytes is not None:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
            await asyncio.get_running_loop().sock_connect(opened, (endpoint.host, endpoint.port))
        except BaseException:
            opened.close()
            raise
        # From here on the socket is the transport's, which closes it whatever happens.
        return await asyncio.open_connection(
            sock=opened,
            ssl=endpoint.context,
            server_hostname=endpoint.host,
            limit=self._receive_buffer_bytes or READ_AHEAD_BYTES,
        )


async def _head_of_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(int(head[0].split(" ")[1]), headers)


async def _body(reader: asyncio.StreamReader, answer: Answer) -> AsyncIterator[bytes]:
    if answer.headers.get("transfer-encoding") != "chunked":
        yield await reader.readexactly(int(answer.headers.get("content-length", "0")))
        return
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        chunk = await reader.readexactly(size + 2)
        if not size:
            return
        yield chunk[:-2]


async def lines_of(body: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The whole lines of a body, as many at a time as arrive together. What is cut off is no line."""
    rest = b""
    async for chunk in body:
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines


async def asked(endpoint: Endpoint, target: str) -> Answer:
    """One GET over a connection of its own. Raises Lost."""
    connection = Connection(endpoint)
    try:
        return await connection.request("GET", target)
    finally:
        with suppress(OSError):
            connection.drop()
