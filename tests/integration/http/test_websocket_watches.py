"""Watches as WebSockets, against aiohttp's client."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest

from tests.engines import wait_until
from tests.integration.http.client import ANSWER_TIMEOUT_S, IMAGES, Client

STREAMS = f"{IMAGES}/namespaces/team/imagestreams"
WATCH = f"{STREAMS}?watch=true"
PROTOBUF = "application/vnd.kubernetes.protobuf"


async def event(socket: aiohttp.ClientWebSocketResponse) -> Any:
    message = await socket.receive(ANSWER_TIMEOUT_S)
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return json.loads(message.data)


def token(user: str) -> str:
    encoded = base64.urlsafe_b64encode(f"{user}-token".encode()).decode().rstrip("=")
    return f"base64url.bearer.authorization.k8s.io.{encoded}"


async def test_each_event_is_a_message(client: Client) -> None:
    (await client.create_stream("team", "a")).ok(201)
    async with client.socket(WATCH) as socket:
        assert socket.protocol is None
        first = await event(socket)
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "a")
        await socket.send_str("nobody listens")
        await asyncio.gather(*(client.create_stream("team", f"b{number}") for number in range(20)))
        told = [await event(socket) for _ in range(20)]
    assert {e["object"]["metadata"]["name"] for e in told} == {f"b{number}" for number in range(20)}
    positions = [int(e["object"]["metadata"]["resourceVersion"]) for e in told]
    assert positions == sorted(set(positions))


async def test_protobuf_travels_in_binary_messages(client: Client) -> None:
    (await client.create_stream("team", "a")).ok(201)
    async with client.socket(WATCH, headers={"Accept": PROTOBUF}) as socket:
        message = await socket.receive(ANSWER_TIMEOUT_S)
    assert message.type is aiohttp.WSMsgType.BINARY
    assert message.data.startswith(b"\n\x05ADDED\x12")
    assert b"k8s\0" in message.data


async def test_the_end_of_a_watch_is_a_clean_end(client: Client) -> None:
    async with client.socket(f"{WATCH}&timeoutSeconds=1") as socket:
        message = await socket.receive(ANSWER_TIMEOUT_S)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.OK)


async def test_the_answer_says_which_request_it_is(client: Client) -> None:
    async with client.socket(WATCH, headers={"Audit-Id": "id-7"}) as socket:
        headers = socket._response.headers
        assert (headers["Audit-Id"], headers["Cache-Control"]) == ("id-7", "no-store")


async def test_a_token_may_come_as_a_subprotocol_and_is_not_sent_back(client: Client) -> None:
    async with client.socket(WATCH, user=None, protocols=(token("ann"), "k8s.example")) as socket:
        assert socket.protocol == "k8s.example"
        assert "k8s.io" not in str(socket._response.headers)
        (await client.create_stream("team", "a")).ok(201)
        assert (await event(socket))["type"] == "ADDED"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"origin": None}, 403),
        ({"origin": "somewhere"}, 403),
        ({"protocols": ("a.example", "b.example")}, 400),
        ({"headers": {"Sec-WebSocket-Version": "8"}}, 400),
        ({"user": None}, 403),
        ({"user": "eve"}, 403),
        ({"user": None, "protocols": (token("nobody"), "k8s.example")}, 401),
        ({"user": None, "protocols": (token("ann"),)}, 401),
        ({"user": None, "protocols": (token("ann"), token("root"), "k8s.example")}, 401),
    ],
)
async def test_who_is_refused_before_the_handshake(client: Client, wanted: dict[str, Any], status: int) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with client.socket(WATCH, **wanted):
            raise AssertionError("the handshake went through")
    assert raised.value.status == status


async def test_a_token_among_subprotocols_is_for_websockets_only(client: Client) -> None:
    headers = {"Sec-WebSocket-Protocol": f"{token('root')}, k8s.example"}
    refused = await client.ask("GET", STREAMS, user=None, headers=headers)
    assert 'User "system:anonymous" cannot list' in refused.refused(403, "Forbidden")


async def test_a_client_that_leaves_takes_its_watch_along(client: Client) -> None:
    """The gauge of watches is the server's own."""

    async def watches() -> float:
        text = (await client.ask("GET", "/metrics")).body.decode()
        lines = [line for line in text.splitlines() if line.startswith("taghistory_watchers ")]
        return float(lines[0].split()[1])

    async def none() -> bool:
        return await watches() == 0

    async with client.socket(WATCH):
        assert await watches() == 1
    await wait_until(none)
