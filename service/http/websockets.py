"""A watch as a WebSocket, at the URL it has as an HTTP response: one message per event, text for JSON, else binary.

Keeps: events go straight onto the connection, each as one message, in order; what a client sends is read and dropped,
so that its pings are answered and its going is noticed. A page of another site gets no further than its Origin header,
which has to be there. A token among the subprotocols is never echoed.
Elsewhere: the token (`auth/authentication.py`), what is sent and when (`watch/`). Source: spec: kube-api 7.2.4.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict

from service.auth.authentication import websocket_credentials
from service.domain.errors import BadRequest
from service.http.errors import OriginMissing
from service.http.negotiation import JSON
from service.http.watch_stream import LOW_WATER_SHARE, TransportSink
from service.watch.frames import each_payload
from service.watch.hub import Hub
from service.watch.request import WatchRequest
from service.watch.watcher import End

PROTOCOLS: Final = "Sec-WebSocket-Protocol"
VERSION: Final = "13"
KEY_BYTES: Final = 16
HEARTBEAT_S: Final = 30.0
"""How often a client that is silent is asked whether it is there."""
CLOSE_TIMEOUT_S: Final = 10.0
"""How long a client may take to agree that this is the end."""
MESSAGE_LIMIT_BYTES: Final = 64 * 1024
"""Of what a client sends, though nobody reads it."""
TEXT_FRAME, BINARY_FRAME = 0x81, 0x82
"""A whole message in one frame (RFC 6455 5.2)."""
BINARY_FRAMING_BYTES: Final = 4
"""The length before a binary event, which a message does not need."""


def is_websocket(request: web.Request) -> bool:
    headers = request.headers
    if request.method != "GET" or headers.get("Upgrade", "").lower() != "websocket":
        return False
    return "upgrade" in {token.strip().lower() for token in headers.get("Connection", "").split(",")}


def offered_protocols(request: web.Request) -> str:
    return ", ".join(request.headers.getall(PROTOCOLS, []))


async def serve_socket(
    request: web.Request, hub: Hub, watch: WatchRequest, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Serve a watch to its end, with these headers in the answer to the handshake.

    Before that, raises BadRequest, OriginMissing, Unavailable or FuturePosition.
    """
    protocol = _accepted(request)
    await hub.prepare(watch)
    socket = web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT_S,
        heartbeat=HEARTBEAT_S,
        protocols=[protocol] if protocol else (),
        compress=False,
        max_msg_size=MESSAGE_LIMIT_BYTES,
    )
    socket.headers.extend(headers)
    writer = await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    is_text = watch.encoder.content_type == JSON
    limit_bytes = hub.park_at_bytes
    low_bytes = limit_bytes // LOW_WATER_SHARE
    transport.set_write_buffer_limits(high=limit_bytes, low=low_bytes)
    sink = TransportSink(transport, writer, low_bytes, lambda frames: messages(frames, is_text=is_text))
    try:
        end = await _until_either_ends(hub, watch, sink, socket)
    except BaseException:
        transport.abort()
        raise
    if end is None or end.is_clean:
        await socket.close()
    else:
        transport.abort()
    return socket


def messages(frames: bytes, *, is_text: bool) -> bytes:
    """The events of one or more frames, each as a message on the wire."""
    if is_text:
        return b"".join(_message(TEXT_FRAME, payload) for payload in each_payload(frames))
    return b"".join(_message(BINARY_FRAME, payload[BINARY_FRAMING_BYTES:]) for payload in each_payload(frames))


def _message(first_byte: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((first_byte, size))
    elif size < 1 << 16:
        head = bytes((first_byte, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first_byte, 127)) + size.to_bytes(8, "big")
    return head + payload


def _accepted(request: web.Request) -> str | None:
    """The subprotocol to answer with, if there is one. Raises BadRequest, OriginMissing."""
    headers = request.headers
    if headers.get("Sec-WebSocket-Version") != VERSION:
        raise BadRequest(f"the WebSocket version must be {VERSION}")
    if not _is_key(headers.get("Sec-WebSocket-Key", "")):
        raise BadRequest("Sec-WebSocket-Key must be 16 bytes in base64")
    if not _is_url(headers.get("Origin", "")):
        raise OriginMissing
    _, protocols = websocket_credentials(offered_protocols(request))
    if len(protocols) > 1:
        raise BadRequest("offer one WebSocket subprotocol, or none")
    return protocols[0] if protocols else None


def _is_key(text: str) -> bool:
    try:
        return len(b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


async def _until_either_ends(
    hub: Hub, watch: WatchRequest, sink: TransportSink, socket: web.WebSocketResponse
) -> End | None:
    """How the watch ended; None if the client left first."""
    serving = asyncio.create_task(hub.watch(watch, sink), name="websocket/serve")
    reading = asyncio.create_task(_read_on(socket), name="websocket/read")
    try:
        await asyncio.wait((serving, reading), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            return serving.result()
        reading.result()
        return None
    finally:
        for task in (serving, reading):
            task.cancel()
        # Not by awaiting each in turn: whoever passes over their cancellation passes over our own.
        await asyncio.gather(serving, reading, return_exceptions=True)


async def _read_on(socket: web.WebSocketResponse) -> None:
    """Read what the client sends, for nothing, until it leaves."""
    async for _ in socket:
        pass
