"""The limits as clients meet them: too many at a time, too slow, too long a head."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from service.auth.authentication import Authenticator
from service.auth.authorization import Authorizer
from service.auth.builtin_roles import BUILTIN
from service.auth.rbac_index import RbacIndex
from service.auth.reloading import Fixed
from service.auth.tokens import parse_token_file
from service.http.answer import Answer, text_answer
from service.http.connections import (
    HEAD_LIMIT_BYTES,
    HEADER_LIMIT_BYTES,
    HEADERS_LIMIT,
    IDLE_TIMEOUT_S,
    LINE_LIMIT_BYTES,
    Connections,
)
from service.http.documents import DocumentRequest
from service.http.limits import InFlight
from service.http.metrics import HttpMetrics
from service.http.routes import Routes
from service.http.server import Server

TOKENS = "root-token,root,u-root,system:masters\nann-token,ann,u-ann\n"
LONG_HEADER = b"X: " + b"y" * (HEADER_LIMIT_BYTES - 1024) + b"\r\n"
LONG_TOGETHER = LONG_HEADER * (HEAD_LIMIT_BYTES // len(LONG_HEADER) + 1)
NO_VERBS = cast(Any, SimpleNamespace(**dict.fromkeys(("get", "list", "watch", "create", "update", "patch"))))
NO_VERBS.delete = NO_VERBS.delete_collection = None


class Slow:
    """A path, `/healthz`, that is answered when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()

    async def answer(self, request: DocumentRequest) -> Answer | None:
        self.asked.release()
        await self.go_on.wait()
        return text_answer(200, "ok")


@asynccontextmanager
async def serving(
    slow: Slow,
    in_flight: InFlight | None = None,
    registry: CollectorRegistry | None = None,
    idle_timeout_s: float = IDLE_TIMEOUT_S,
) -> AsyncIterator[int]:
    """The port of a server that has this one path."""
    server = Server(
        Authenticator(Fixed(parse_token_file(TOKENS)), anonymous=True),
        Authorizer(Fixed(RbacIndex(BUILTIN))),
        Routes([]),
        NO_VERBS,
        NO_VERBS,
        [slow.answer],
        in_flight or InFlight(),
        HttpMetrics(registry or CollectorRegistry()),
    )
    runner = web.ServerRunner(Connections(server.handle, idle_timeout_s), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        slow.go_on.set()
        await runner.cleanup()


async def ask(
    session: aiohttp.ClientSession, port: int, user: str = "ann", query: str = ""
) -> tuple[aiohttp.ClientResponse, str]:
    headers = {"Authorization": f"Bearer {user}-token"}
    async with session.get(f"http://127.0.0.1:{port}/healthz{query}", headers=headers) as response:
        return response, await response.text()


async def test_one_too_many_is_told_to_come_back() -> None:
    slow = Slow()
    async with serving(slow, InFlight(reads_limit=2)) as port, aiohttp.ClientSession() as session:
        first = [asyncio.create_task(ask(session, port)) for _ in range(2)]
        for _ in first:
            await slow.asked.acquire()
        refused, text = await ask(session, port)
        assert (refused.status, text) == (429, "Too many requests, please try again later.\n")
        assert (refused.headers["Retry-After"], refused.content_type) == ("1", "text/plain")
        assert refused.headers["Audit-Id"]
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.headers["Server"] == "tag-history"
        administrator = asyncio.create_task(ask(session, port, "root"))
        await slow.asked.acquire()
        slow.go_on.set()
        assert [(await task)[0].status for task in (*first, administrator)] == [200] * 3
        assert (await ask(session, port))[0].status == 200


async def test_a_request_that_takes_too_long_is_told_so() -> None:
    async with serving(Slow()) as port, aiohttp.ClientSession() as session:
        response, text = await ask(session, port, query="?timeout=20ms")
        status = json.loads(text)
        assert (response.status, status["reason"], status["code"]) == (504, "Timeout", 504)
        assert status["message"].startswith("Timeout: request did not complete within requested timeout")
        assert response.headers["Audit-Id"]
        response, text = await ask(session, port, query="?timeout=soon")
        assert (response.status, json.loads(text)["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"GET /healthz?" + b"a" * LINE_LIMIT_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (HEADER_LIMIT_BYTES + 1) + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * (HEADERS_LIMIT + 1) + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + LONG_TOGETHER + b"\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
async def test_what_cannot_be_read_is_answered_once_and_the_connection_closed(head: bytes, code: int) -> None:
    async with serving(Slow()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head)
            async with asyncio.timeout(30):
                answer = await reader.read()
        finally:
            writer.close()
        told, _, body = answer.partition(b"\r\n\r\n")
        assert told.split(b" ")[1] == str(code).encode()
        names = {line.split(b":")[0] for line in told.split(b"\r\n")[1:]}
        assert {b"Audit-Id", b"Cache-Control", b"Content-Type"} <= names
        assert b"aiohttp" not in told
        status = json.loads(body)
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
@pytest.mark.parametrize("before", [b"", b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_connection_without_a_request_is_closed_in_time(before: bytes, begun: bytes) -> None:
    async with serving(Slow(), idle_timeout_s=0.05) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(before)
            if before:
                await reader.readuntil(b"\r\n\r\n")
            writer.write(begun)
            async with asyncio.timeout(30):
                rest = await reader.read()
        finally:
            writer.close()
        assert b"HTTP/1.1" not in rest, "there is nothing to answer"


async def test_a_request_may_take_longer_than_a_connection_may_idle() -> None:
    slow = Slow()
    async with serving(slow, idle_timeout_s=0.05) as port, aiohttp.ClientSession() as session:
        asked = asyncio.create_task(ask(session, port))
        await slow.asked.acquire()
        # Long enough to have been closed, were it idle: that would send no event.
        await asyncio.sleep(0.2)
        slow.go_on.set()
        assert (await asked)[0].status == 200


async def test_counts_and_times_what_it_answers() -> None:
    slow, registry = Slow(), CollectorRegistry()
    slow.go_on.set()
    async with serving(slow, registry=registry) as port, aiohttp.ClientSession() as session:
        await ask(session, port)
        await ask(session, port, user="nobody")
    labels = {"verb": "", "resource": ""}
    assert registry.get_sample_value("taghistory_http_requests_total", {**labels, "code": "200"}) == 1
    assert registry.get_sample_value("taghistory_http_requests_total", {**labels, "code": "401"}) == 1
    assert registry.get_sample_value("taghistory_http_request_seconds_count", labels) == 2
