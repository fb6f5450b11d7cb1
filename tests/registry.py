"""A remote registry in this process, which answers as its `Manners` say: politely, wrongly, slowly, or not at all.

It speaks the reading half of the distribution protocol over a real socket. The registry that images really come from
is Debian's (`docker_registry.py`); this one does what that never would.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import msgspec
from aiohttp import web

from tests.real_images import PushedImage


class Manners(msgspec.Struct):
    """How it behaves; a test changes it as it goes."""

    login: Literal["none", "basic", "bearer"] = "none"
    user: str = "u:p"
    tags_page: int = 1_000
    statuses: list[int] = []
    """What the next answers are instead, one after another; 0 cuts the connection"""
    hangs: bool = False
    lies: bool = False
    """Whether manifests and blobs have other bytes than their digests say"""
    bloat_bytes: int = 0
    """How much longer manifests are than they should be"""


class Registry:
    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.host = ""
        """With its port, as pull specs name it"""
        self.asked: Counter[str] = Counter()
        """How often each path was asked for"""
        self.was_asked = asyncio.Event()
        self._manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._tags: dict[str, list[str]] = {}
        self._blobs: dict[str, bytes] = {}

    def push(self, repository: str, image: PushedImage, *tags: str) -> None:
        self.put(repository, image.manifest.encode(), image.media_type, *tags)
        if image.config:
            self.put_blob(image.config.encode())

    def put(self, repository: str, manifest: bytes, media_type: str, *tags: str) -> str:
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        for reference in (digest, *tags):
            self._manifests[repository, reference] = (manifest, media_type)
        self._tags.setdefault(repository, []).extend(tags)
        return digest

    def put_blob(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._blobs[digest] = content
        return digest

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        self.was_asked.set()
        if self.manners.hangs:
            await asyncio.Event().wait()
        if self.manners.statuses:
            status = self.manners.statuses.pop(0)
            if status == 0:
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=status or 500)
        if request.path == "/token":
            return self._token(request)
        if not self._knows(request):
            return self._challenge(request)
        return self._answer(request)

    def _answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v2/")
        if not path:
            return web.json_response({})
        if path.endswith("/tags/list"):
            return self._page(request, path.removesuffix("/tags/list"))
        repository, kind, reference = (
            path.rpartition("/")[0].rpartition("/")[0],
            path.split("/")[-2],
            path.split("/")[-1],
        )
        if kind == "blobs" and reference in self._blobs:
            return web.Response(body=self._blobs[reference] + b" " * self.manners.lies)
        found = self._manifests.get((repository, reference))
        if found is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        body = found[0] + b" " * (self.manners.lies + self.manners.bloat_bytes)
        return web.Response(body=body, headers={"Content-Type": found[1]})

    def _page(self, request: web.Request, repository: str) -> web.Response:
        tags = self._tags.get(repository)
        if tags is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        start = int(request.query.get("after", "0"))
        end = start + self.manners.tags_page
        headers = {"Link": f'<{request.path}?after={end}>; rel="next"'} if end < len(tags) else {}
        return web.json_response({"name": repository, "tags": tags[start:end]}, headers=headers)

    def _token(self, request: web.Request) -> web.Response:
        header = request.headers.get("Authorization")
        if header is not None and header != self._basic():
            return web.json_response({"details": "incorrect username or password"}, status=401)
        rights = "secret" if header else "public"
        return web.json_response({"token": f"{rights} {request.query['scope']}"})

    def _knows(self, request: web.Request) -> bool:
        header = request.headers.get("Authorization", "")
        if self.manners.login == "basic":
            return header == self._basic()
        if self.manners.login == "bearer":
            path = request.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
            rights = "public" if path.startswith("public/") else "secret"
            return header in (f"Bearer {right} repository:{path}:pull" for right in {rights, "secret"})
        return True

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(self.manners.user.encode()).decode()

    def _challenge(self, request: web.Request) -> web.Response:
        challenge = 'Basic realm="r"'
        if self.manners.login == "bearer":
            challenge = f'Bearer realm="{request.scheme}://{self.host}/token",service="here"'
        answer = _error(401, "UNAUTHORIZED", "authentication required")
        answer.headers["WWW-Authenticate"] = challenge
        return answer


def _error(status: int, code: str, message: str) -> web.Response:
    return web.Response(status=status, text=json.dumps({"errors": [{"code": code, "message": message}]}))


@asynccontextmanager
async def remote_registry(
    manners: Manners | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Registry]:
    """On a free port of this machine; over TLS with a context."""
    registry = Registry(manners or Manners())
    runner = web.ServerRunner(web.Server(registry.handle), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        registry.host = f"127.0.0.1:{runner.addresses[0][1]}"
        yield registry
    finally:
        await runner.cleanup()
