"""The HTTP side of a listening socket: how long a request's head may be and may take, and the answer to what is none.

Keeps: whoever sends something that cannot be read as HTTP gets a Status like everybody else, with an Audit-Id, and the
connection is closed, because nothing is known of where the next request would begin.
Elsewhere: everything that was read as a request (`server.py`). Source: spec: kube-api 10.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain
from typing import cast

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from service.domain.errors import Unfinished
from service.http.bodies import BODY_LIMIT_BYTES
from service.http.errors import MalformedRequest, ProtocolError, RequestHeadTooLarge
from service.http.forms import encode_status
from service.http.headers import with_common_headers
from service.http.status import failure
from service.runtime.logs import get_logger

LINE_LIMIT_BYTES = 16 * 1024
"""Of the request line, and so of a URL."""
HEADER_LIMIT_BYTES = 32 * 1024
"""Of one header."""
HEADERS_LIMIT = 128
HEAD_LIMIT_BYTES = 1024 * 1024
"""Of all headers together."""
IDLE_TIMEOUT_S = 90.0
"""How long a connection may go without a request, whether nothing came or not all of a head; as in the reference."""
_TOO_MANY_HEADERS = "Too many headers received"
"""What aiohttp says of more; it has no class of its own for that."""

log = get_logger("http")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refuse_long_head(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises RequestHeadTooLarge for headers that are each short enough, and too long together."""
    if sum(map(len, chain.from_iterable(headers))) > HEAD_LIMIT_BYTES:
        raise RequestHeadTooLarge


class Connections(web.Server):
    """Everybody who is connected; each request is answered by the one handler."""

    def __init__(self, handler: Handler, idle_timeout_s: float = IDLE_TIMEOUT_S) -> None:
        self._event_loop = asyncio.get_running_loop()
        self._idle_timeout_s = idle_timeout_s
        # It is given what `_request` makes.
        handle = cast(Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], handler)
        super().__init__(handle, request_factory=self._request, loop=self._event_loop)

    def __call__(self) -> web.RequestHandler:
        return Connection(
            self,
            loop=self._event_loop,
            keepalive_timeout=self._idle_timeout_s,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own default for a server that keeps none
            max_line_size=LINE_LIMIT_BYTES,
            max_field_size=HEADER_LIMIT_BYTES,
            max_headers=HEADERS_LIMIT,
        )

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.Request:
        return web.Request(message, payload, protocol, writer, task, self._event_loop, client_max_size=BODY_LIMIT_BYTES)


class Connection(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be read, or was read and then failed outside of our handler's care.

        aiohttp asks for it, and says why. Raises ConnectionError where an answer has begun: nothing can follow it.
        """
        if request.writer.output_size > 0:
            raise ConnectionError("cannot answer a second time")
        request_id = str(uuid.uuid4())
        if isinstance(exc, HttpProcessingError):
            log.info("no request", request_id=request_id, source_address=request.remote, error=exc)
            failed = failure(_error(exc))
        else:
            log.error("request failed", request_id=request_id, exc_info=exc)
            failed = failure(exc or Unfinished())
        body, content_type = encode_status(failed.status, None, False)
        headers = with_common_headers({**failed.headers, "Content-Type": content_type}, request_id, ())
        response = web.Response(status=failed.code, headers=headers, body=body)
        response.force_close()
        return response


def _error(exc: HttpProcessingError) -> ProtocolError:
    if isinstance(exc, LineTooLong) or exc.message == _TOO_MANY_HEADERS:
        return RequestHeadTooLarge()
    return MalformedRequest("this is no HTTP request")
