"""HTTP/1.1 as far as a load needs it: keep-alive, one request at a time on a connection, prebuilt bytes.

Keeps: an answer is complete before the next request is sent; anything but a plain answer with a Content-Length is an
error of the connection, never a hang. TLS is the real one, with the server's certificate verified.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import cast

import msgspec

from service.bench.helpers import BenchError, within

CONNECT_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 60.0
END_OF_HEAD = b"\r\n\r\n"
STATUS = slice(9, 12)
JSON = "application/json"

_content_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Target(msgspec.Struct, frozen=True):
    """Where a server listens, and as whom to come. Without an authority it is plain HTTP."""

    port: int
    token: str
    authority_pem: str | None = None

    def context(self) -> ssl.SSLContext | None:
        if self.authority_pem is None:
            return None
        return ssl.create_default_context(cadata=self.authority_pem)

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = JSON) -> bytes:
        head = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.token}",
            "User-Agent: tag-history-bench",
            f"Accept: {JSON}",
        ]
        if body:
            head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*head, "", ""]).encode() + body


class HttpConnection(asyncio.Protocol):
    """`on_answer(connection, status, body)` is called in the step in which an answer is complete."""

    def __init__(
        self,
        on_answer: Callable[[HttpConnection, int, bytes], None],
        on_lost: Callable[[Exception], None],
        number: int = 0,
    ) -> None:
        self.number = number
        self.sent_at_s = 0.0
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = write_side(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._on_lost(BenchError(f"the server closed a connection ({error or 'in good order'})"))

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        head_end = data.find(END_OF_HEAD)
        if head_end < 0:
            self._received = data
            return
        length = _content_length.search(data, 0, head_end)
        if length is None:
            self._on_lost(BenchError(f"an answer without a length: {data[:head_end].decode(errors='replace')}"))
            self.close()
            return
        body_at = head_end + len(END_OF_HEAD)
        if len(data) < body_at + int(length[1]):
            self._received = data
            return
        self._received = b""
        self._on_answer(self, int(data[STATUS]), data[body_at:])


def write_side(transport: asyncio.BaseTransport) -> asyncio.WriteTransport:
    """uvloop's transports are what they are called by behaviour, not by class."""
    return cast(asyncio.WriteTransport, transport)


async def connect(target: Target, connection: asyncio.Protocol, context: ssl.SSLContext | None) -> None:
    """Raises BenchError when nobody answers there."""
    loop = asyncio.get_running_loop()
    try:
        async with within(CONNECT_TIMEOUT_S, f"a connection to port {target.port}"):
            await loop.create_connection(lambda: connection, "127.0.0.1", target.port, ssl=context)
    except OSError as error:
        raise BenchError(f"cannot connect to port {target.port}: {error}") from error


class Client:
    """One connection for single requests, such as those that prepare a measure."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._connection = HttpConnection(self._answered, self._lost)

    async def connect(self) -> None:
        await connect(self.target, self._connection, self.target.context())

    def close(self) -> None:
        self._connection.close()

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, expect: int = 200, content_type: str = JSON
    ) -> bytes:
        """The body of the answer. Raises BenchError for any other status than the expected one."""
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send(self.target.request(method, path, body, content_type))
        async with within(ANSWER_TIMEOUT_S, f"{method} {path}"):
            status, answer = await self._answer
        if status != expect:
            raise BenchError(f"{method} {path} gave {status}: {answer[:500].decode(errors='replace')}")
        return answer

    def _answered(self, _: HttpConnection, status: int, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))

    def _lost(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
