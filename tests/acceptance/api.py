"""The API over HTTP as the tests ask it: a request, and everything of the answer.

Certificates are verified with the authority the instance tells clients to trust. Every request is bounded in time.
"""

from __future__ import annotations

import io
import json
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import yaml
from multidict import CIMultiDictProxy
from yarl import URL

from tests.engines import wait_until

GROUP = "/apis/image.openshift.io/v1"
API_VERSION = "image.openshift.io/v1"
ANSWER_TIMEOUT_S = 60.0
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Document = dict[str, Any]


class Entrance(NamedTuple):
    """How to come into an instance."""

    url: str
    kubeconfig: Path
    authority: Path
    tokens: Mapping[str, str]
    """by user"""

    @property
    def host(self) -> str:
        return URL(self.url).host or ""

    @property
    def port(self) -> int:
        return URL(self.url).port or 0

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))


def entrance_of(data_dir: Path) -> Entrance:
    """What `up` leaves in its folder for its users."""
    kubeconfig = data_dir / "kubeconfig"
    document = yaml.safe_load(kubeconfig.read_text())
    return Entrance(
        url=document["clusters"][0]["cluster"]["server"],
        kubeconfig=kubeconfig,
        authority=data_dir / "pki" / "ca.crt",
        tokens={user["name"]: user["user"]["token"] for user in document["users"]},
    )


class Answer(NamedTuple):
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def document(self) -> Document:
        document: Document = json.loads(self.body)
        return document

    def ok(self) -> Document:
        """The document of an answer that has to be a success."""
        assert 200 <= self.status < 300, f"{self.status}: {self.body[:1000]!r}"
        return self.document

    def refused(self, code: int, reason: str) -> Document:
        """The Status of an answer that has to be this refusal."""
        assert self.status == code, f"{self.status}: {self.body[:1000]!r}"
        status = self.document
        assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
        assert (status["code"], status.get("reason", "")) == (code, reason), status
        assert status["message"]
        return status


class Api:
    """One user at one instance."""

    def __init__(self, session: aiohttp.ClientSession, entrance: Entrance, user: str | None) -> None:
        self._session = session
        self._entrance = entrance
        self._tls = entrance.tls()
        self._headers = {"Authorization": f"Bearer {entrance.tokens[user]}"} if user else {}

    async def request(
        self,
        method: str,
        path: str,
        body: Document | list[Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: str | int,
    ) -> Answer:
        """Underscores in names of query parameters stay; the path is sent as it is."""
        async with self._session.request(
            method,
            URL(f"{self._entrance.url}{path}", encoded=True).update_query(query),
            data=None if body is None else io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode()),
            headers={"Content-Type": "application/json", **self._headers, **(headers or {})},
            ssl=self._tls,
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **query: str | int) -> Answer:
        return await self.request("GET", f"{GROUP}/{path}", **query)

    async def create(self, path: str, body: Document | bytes, **query: str | int) -> Answer:
        return await self.request("POST", f"{GROUP}/{path}", body, **query)

    async def replace(self, path: str, body: Document | bytes, **query: str | int) -> Answer:
        return await self.request("PUT", f"{GROUP}/{path}", body, **query)

    async def patch(
        self, path: str, body: Document | list[Any] | bytes, media_type: str = MERGE, **query: str | int
    ) -> Answer:
        return await self.request("PATCH", f"{GROUP}/{path}", body, {"Content-Type": media_type}, **query)

    async def delete(self, path: str, body: Document | bytes | None = None, **query: str | int) -> Answer:
        return await self.request("DELETE", f"{GROUP}/{path}", body, **query)

    async def head(self) -> int:
        """The position of the newest event in the log."""
        return int((await self.get("imagestreams", limit=1)).ok()["metadata"]["resourceVersion"])

    @asynccontextmanager
    async def watch(self, path: str, **query: str | int) -> AsyncIterator[AsyncIterator[Document]]:
        """The events of a watch; leaving the block closes the connection."""
        url = URL(f"{self._entrance.url}{GROUP}/{path}").update_query(watch="true", **query)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_TIMEOUT_S)
        async with self._session.get(url, headers=self._headers, ssl=self._tls, timeout=timeout) as response:
            assert response.status == 200, await response.text()
            yield _events(response)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Document]:
    async for line in response.content:
        yield json.loads(line)


@asynccontextmanager
async def api_of(
    entrance: Entrance, user: str | None = "admin", *, keep_connections: bool = True
) -> AsyncIterator[Api]:
    """`user` None comes without a token. Without kept connections, any worker may answer any request.

    No connection is left when the block has ended.
    """
    sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        opened = socket.socket(*address[:3])
        sockets.add(opened)
        return opened

    async def all_closed() -> bool:
        return all(opened.fileno() < 0 for opened in sockets)

    connector = aiohttp.TCPConnector(force_close=not keep_connections, limit=0, socket_factory=open_socket)
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**24) as session:
            yield Api(session, entrance, user)
    finally:
        # A session waits for the connections it has, not for those it has given up, which say good-bye as TLS wants it.
        await wait_until(all_closed)


def imagestream(name: str, *tags: Document, labels: Mapping[str, str] | None = None) -> Document:
    metadata: Document = {"name": name}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": API_VERSION, "kind": "ImageStream", "metadata": metadata, "spec": {"tags": list(tags)}}


def reference_tag(name: str, to: str) -> Document:
    """A tag that is a pull spec and nothing else, so it needs no registry."""
    return {"name": name, "from": {"kind": "DockerImage", "name": to}, "reference": True}
