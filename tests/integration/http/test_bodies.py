"""A body that is held back until somebody asks for it (RFC 9110 10.1.1)."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.integration.http.client import IMAGES, Client

BODY = json.dumps({"metadata": {"name": "web"}}).encode()


async def exchange(port: int, token: str) -> tuple[bytes, bytes]:
    """What the server says before the body is sent, and the first line of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"POST {IMAGES}/namespaces/team/imagestreams HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
        )
        async with asyncio.timeout(30):
            first = await reader.readline()
            if not first.startswith(b"HTTP/1.1 100"):
                return first, b""
            await reader.readline()
            writer.write(BODY)
            return first, await reader.readline()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("root-token", (b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 201 Created\r\n")),
        ("eve-token", (b"HTTP/1.1 403 Forbidden\r\n", b"")),
    ],
)
async def test_a_body_is_asked_for_when_it_is_wanted(client: Client, token: str, told: tuple[bytes, bytes]) -> None:
    assert await exchange(client.port, token) == told
