"""The API as the tests ask it, and the log behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import asyncpg

IMAGES = "/apis/image.openshift.io/v1"
NAMESPACES = "/api/v1/namespaces"
ANSWER_TIMEOUT_S = 30.0


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def ok(self, status: int = 200) -> Any:
        assert self.status == status, self.body
        return self.document

    def refused(self, status: int, reason: str) -> str:
        """The message of a refusal."""
        found = self.document
        assert (self.status, found["kind"], found.get("reason", "")) == (status, "Status", reason), found
        message: str = found["message"]
        return message


class Client:
    def __init__(self, session: aiohttp.ClientSession, port: int, dsn: str) -> None:
        self.port = port
        self._session = session
        self._dsn = dsn

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        user: str | None = "root",
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> Answer:
        sent = {"Content-Type": media_type, **credentials(user), **(headers or {})}
        data = None if body is None else json.dumps(body)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            async with self._session.request(method, path, data=data, headers=sent) as response:
                return Answer(response.status, response.headers, await response.read())

    async def create_stream(self, namespace: str, name: str, **metadata: Any) -> Answer:
        body = {"metadata": {"name": name, **metadata}}
        return await self.ask("POST", f"{IMAGES}/namespaces/{namespace}/imagestreams", body)

    async def namespaces(self) -> list[str]:
        return [item["metadata"]["name"] for item in (await self.ask("GET", NAMESPACES)).ok()["items"]]

    @asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[AsyncIterator[Any]]:
        """The events of a watch; each is waited for no longer than an answer."""
        async with self._session.get(path, headers=credentials("root")) as response:
            assert response.status == 200

            async def events() -> AsyncIterator[Any]:
                while True:
                    async with asyncio.timeout(ANSWER_TIMEOUT_S):
                        line = await response.content.readline()
                    if not line:
                        return
                    yield json.loads(line)

            yield events()

    @asynccontextmanager
    async def socket(
        self,
        path: str,
        user: str | None = "root",
        protocols: tuple[str, ...] = (),
        origin: str | None = "https://console.example",
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        sent = {**credentials(user), **(headers or {})}
        async with self._session.ws_connect(path, headers=sent, protocols=protocols, origin=origin) as socket:
            yield socket

    async def logged(self) -> list[tuple[str, str, Any]]:
        """Type, name of the aggregate and metadata of every event in the log."""
        connection = await asyncpg.connect(self._dsn)
        try:
            rows = await connection.fetch("SELECT type, name, metadata FROM events ORDER BY position")
        finally:
            await connection.close()
        return [(type_name, name, json.loads(metadata)) for type_name, name, metadata in rows]


def credentials(user: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {user}-token"} if user else {}
