"""Bytes on a TLS connection, as clients send them that follow no library's rules: broken, slow, or never reading.

Keeps: every step is bounded in time. The TLS engine is separate from the socket, so that a test can close one
direction of the connection, write garbage below TLS, or leave what was received unread.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from tests.acceptance.api import Entrance

STEP_TIMEOUT_S = 30.0
CHUNK_BYTES = 65536

T = TypeVar("T")


def request_of(
    entrance: Entrance, method: str, target: str, *headers: bytes, body: bytes = b"", user: str | None = "admin"
) -> bytes:
    """The bytes of a request; the length of its body is for the headers to say."""
    lines = [f"{method} {target} HTTP/1.1".encode(), f"Host: {entrance.host}:{entrance.port}".encode(), *headers]
    if user is not None:
        lines.append(f"Authorization: Bearer {entrance.tokens[user]}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Wire:
    """One TLS connection."""

    def __init__(self, entrance: Entrance, connection: socket.socket) -> None:
        self._socket = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = entrance.tls().wrap_bio(self._incoming, self._outgoing, server_hostname=entrance.host)

    async def handshake(self) -> None:
        await self._do(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        """Raises ConnectionError if the other side has reset the connection."""
        await self._do(lambda: self._tls.write(data))

    async def send_unencrypted(self, data: bytes) -> None:
        """Bytes below TLS, which are no TLS to the other side."""
        async with asyncio.timeout(STEP_TIMEOUT_S):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """The next bytes; b"" when the other side has ended, or reset, the connection."""
        try:
            return await self._do(lambda: self._tls.read(CHUNK_BYTES))
        except (ssl.SSLError, ConnectionError):
            return b""

    async def receive_all(self) -> bytes:
        """Everything up to the end of the connection."""
        received = b""
        while part := await self.receive():
            received += part
        return received

    async def receive_until(self, end: bytes) -> bytes:
        received = b""
        while end not in received:
            part = await self.receive()
            assert part, received[-1000:]
            received += part
        return received

    async def receive_unencrypted(self) -> bytes:
        """What comes below TLS up to the end of the connection."""
        received = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(STEP_TIMEOUT_S):
                while part := await asyncio.get_running_loop().sock_recv(self._socket, CHUNK_BYTES):
                    received += part
        return received

    def half_close(self) -> None:
        """Say that nothing more comes, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    async def _do(self, step: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(STEP_TIMEOUT_S):
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    await loop.sock_sendall(self._socket, self._outgoing.read())
                    data = await loop.sock_recv(self._socket, CHUNK_BYTES)
                    if data:
                        self._incoming.write(data)
                    else:
                        self._incoming.write_eof()
                else:
                    await loop.sock_sendall(self._socket, self._outgoing.read())
                    return result


@asynccontextmanager
async def wire_to(
    entrance: Entrance, *, receive_buffer_bytes: int | None = None, handshake: bool = True
) -> AsyncIterator[Wire]:
    """A connection, reset at the end of the block. A small receive buffer fills up soon if nobody reads."""
    with socket.socket() as connection:
        connection.setblocking(False)
        if receive_buffer_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        async with asyncio.timeout(STEP_TIMEOUT_S):
            await asyncio.get_running_loop().sock_connect(connection, (entrance.host, entrance.port))
        wire = Wire(entrance, connection)
        if handshake:
            await wire.handshake()
        yield wire


def status_of(answer: bytes) -> int:
    """The status code of the first answer in these bytes; 0 if there is none."""
    words = answer.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0
