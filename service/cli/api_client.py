"""The API as a command asks it: who and where from a kubeconfig, one object or a whole list at a time.

Keeps: a list is one exact moment, however many pages it has; every answer is bounded in time; what the server refuses
is a UserError with the server's own words, unless the caller asks for the status.
Elsewhere: writing such a file (`runtime/credentials.py`).
"""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
import yaml

from service.api.meta_v1 import ListMeta, Status
from service.runtime.user_error import UserError

T = TypeVar("T")

ANSWER_TIMEOUT_S = 120.0
PAGE_LIMIT_OBJECTS = 500


class _Cluster(msgspec.Struct, rename="kebab"):
    server: str
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False


class _User(msgspec.Struct):
    token: str = ""


class _Context(msgspec.Struct):
    cluster: str
    user: str


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: _Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: _User


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context


class _Kubeconfig(msgspec.Struct, rename={"current_context": "current-context"}):
    clusters: list[_NamedCluster]
    users: list[_NamedUser]
    contexts: list[_NamedContext]
    current_context: str


class _Page(msgspec.Struct):
    metadata: ListMeta
    items: list[msgspec.Raw]


class Refused(UserError):
    """The server's answer is a failure; `code` is its status code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ApiClient:
    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server.rstrip("/")

    async def list(self, path: str, kind: type[T]) -> list[T]:
        """All objects of a collection. Raises Refused, UserError."""
        objects: list[T] = []
        query = {"limit": str(PAGE_LIMIT_OBJECTS)}
        while True:
            page = msgspec.json.decode(await self._ask("GET", path, query=query), type=_Page)
            objects += [msgspec.json.decode(item, type=kind) for item in page.items]
            if not page.metadata.continue_:
                return objects
            query["continue"] = page.metadata.continue_

    async def get(self, path: str, kind: type[T]) -> T:
        """Raises Refused, UserError."""
        return msgspec.json.decode(await self._ask("GET", path), type=kind)

    async def put(self, path: str, value: object) -> None:
        """Raises Refused, UserError."""
        await self._ask("PUT", path, body=msgspec.json.encode(value))

    async def delete(self, path: str) -> None:
        """Raises Refused, UserError."""
        await self._ask("DELETE", path)

    async def _ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        try:
            async with self._session.request(method, self._server + path, params=query, data=body) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UserError(f"{self._server} does not answer: {error or type(error).__name__}") from error
        if response.ok:
            return answer
        try:
            message = msgspec.json.decode(answer, type=Status).message
        except msgspec.DecodeError:
            message = response.reason or ""
        raise Refused(response.status, f"{self._server} answers {response.status}: {message}")


@asynccontextmanager
async def api_client(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    """As the current context of the file says. Raises UserError when it cannot be used."""
    cluster, user = _read(kubeconfig)
    headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "tag-history"}
    if user.token:
        headers["Authorization"] = f"Bearer {user.token}"
    connector = aiohttp.TCPConnector(ssl=_trust(cluster, kubeconfig.parent))
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
        yield ApiClient(session, cluster.server)


def _read(kubeconfig: Path) -> tuple[_Cluster, _User]:
    try:
        config = msgspec.convert(yaml.safe_load(kubeconfig.read_text()), _Kubeconfig)
        context = {named.name: named.context for named in config.contexts}[config.current_context]
        clusters = {named.name: named.cluster for named in config.clusters}
        return clusters[context.cluster], {named.name: named.user for named in config.users}[context.user]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise UserError(f"cannot read the kubeconfig {kubeconfig}: {error}") from error
    except KeyError as error:
        raise UserError(f"the kubeconfig {kubeconfig} names {error} and does not have it") from error


def _trust(cluster: _Cluster, folder: Path) -> ssl.SSLContext | bool:
    if cluster.insecure_skip_tls_verify:
        return False
    try:
        if cluster.certificate_authority_data:
            return ssl.create_default_context(cadata=base64.b64decode(cluster.certificate_authority_data).decode())
        if cluster.certificate_authority:
            return ssl.create_default_context(cafile=str(folder / cluster.certificate_authority))
    except (OSError, ValueError, binascii.Error) as error:
        raise UserError(f"the kubeconfig's certificate authority cannot be used: {error}") from error
    return True
