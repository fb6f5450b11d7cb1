"""A repository of a remote registry, by the distribution protocol: its tags, its manifests, its blobs.

Keeps: whatever is fetched by a digest has it; TLS is given up only where the import says so, and only if it fails.
Source: spec: image-api 9.2; the OCI distribution specification 1.1.
Elsewhere: single requests (`exchange.py`), who we are (`login.py`), what manifests mean (`manifests.py`).
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urljoin

import msgspec

from service.api.pull_specs import DOCKER_HUB_HOSTS, InvalidPullSpec, PullSpec, is_digest
from service.domain.image_digests import digest_like
from service.domain.media_types import (
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1_MANIFEST,
    SCHEMA1_SIGNED_MANIFEST,
    SCHEMA2_LIST,
    SCHEMA2_MANIFEST,
)
from service.importer.credentials import Credentials
from service.importer.exchange import Answer, Exchange, refusal_of
from service.importer.failures import RegistryError
from service.importer.login import Challenge, authorization, challenges_of

MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024
CONFIG_LIMIT_BYTES = 4 * 1024 * 1024
TAGS_PAGE_LIMIT_BYTES = 4 * 1024 * 1024
TAGS_LIMIT = 100_000
PROBE_LIMIT_BYTES = 64 * 1024
_HUB_SERVER = "registry-1.docker.io"
_ACCEPTED = ", ".join(
    (SCHEMA2_MANIFEST, SCHEMA2_LIST, OCI_MANIFEST, OCI_INDEX, SCHEMA1_SIGNED_MANIFEST, SCHEMA1_MANIFEST)
)
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class Content(msgspec.Struct, frozen=True):
    """A manifest as the registry has it."""

    body: bytes
    media_type: str


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


class Repository:
    """One repository, as one import sees it. `spec` has client defaults."""

    def __init__(self, exchange: Exchange, spec: PullSpec, credentials: Credentials | None) -> None:
        self._exchange = exchange
        self._host = _HUB_SERVER if spec.registry in DOCKER_HUB_HOSTS else spec.registry
        self._path = "/".join(part for part in (spec.namespace, spec.name) if part)
        self._credentials = credentials
        self._opening = asyncio.Lock()
        self._base = ""
        self._failure: RegistryError | None = None
        self._authorization = ""

    async def tags(self) -> list[str]:
        """Every tag, in the registry's order. Raises RegistryError."""
        found: list[str] = []
        path = "tags/list"
        while path:
            answer = await self._get(path, limit_bytes=TAGS_PAGE_LIMIT_BYTES)
            try:
                found += msgspec.json.decode(answer.body, type=_Tags).tags or []
            except msgspec.MsgspecError as error:
                raise RegistryError(f'Get "{self._url(path)}": {error}') from None
            if len(found) > TAGS_LIMIT:
                raise RegistryError(f'Get "{self._url(path)}": there are more than {TAGS_LIMIT} tags')
            path = self._next_page(path, answer)
        return found

    async def manifest(self, reference: str) -> Content:
        """By a tag or a digest. Raises RegistryError."""
        answer = await self._get(f"manifests/{reference}", accept=_ACCEPTED, limit_bytes=MANIFEST_LIMIT_BYTES)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return Content(answer.body, media_type)

    async def config(self, digest: str) -> bytes:
        """Raises RegistryError."""
        if not is_digest(digest):
            raise RegistryError(f'the manifest names no config: "{digest}"')
        answer = await self._get(f"blobs/{digest}", limit_bytes=CONFIG_LIMIT_BYTES)
        verify(answer.body, digest)
        return answer.body

    async def _get(self, path: str, *, accept: str = "", limit_bytes: int) -> Answer:
        await self._open(path)
        answer = await self._ask(path, accept, limit_bytes)
        if answer.status == 401 and not self._authorization:
            # There are registries whose first page is open to all.
            await self._log_in(path, challenges_of(answer))
            answer = await self._ask(path, accept, limit_bytes)
        if not answer.is_success:
            raise refusal_of(answer)
        return answer

    async def _ask(self, path: str, accept: str, limit_bytes: int) -> Answer:
        headers = {"Accept": accept} if accept else {}
        if self._authorization:
            headers["Authorization"] = self._authorization
        return await self._exchange.get(self._url(path), headers, limit_bytes)

    async def _open(self, path: str) -> None:
        """Find out, once, how the registry is asked; `path` is what is asked for first. Raises RegistryError."""
        async with self._opening:
            if self._failure is None and not self._base:
                try:
                    answer = await self._probe()
                    if answer.status == 401:
                        await self._log_in(path, challenges_of(answer))
                except RegistryError as error:
                    self._failure = error
            if self._failure is not None:
                raise self._failure

    async def _probe(self) -> Answer:
        """The first page of the API, over TLS or, where that fails and an import may do without, not."""
        schemes = ("https", "http") if self._exchange.insecure else ("https",)
        for scheme in schemes:
            self._base = f"{scheme}://{self._host}"
            try:
                answer = await self._exchange.get(f"{self._base}/v2/", {}, PROBE_LIMIT_BYTES)
            except RegistryError:
                if scheme == schemes[-1]:
                    raise
            else:
                break
        known = answer.is_success or answer.status in (401, 403) or "Docker-Distribution-API-Version" in answer.headers
        if not known:
            raise refusal_of(answer)
        return answer

    async def _log_in(self, path: str, challenges: list[Challenge]) -> None:
        self._authorization = await authorization(
            self._exchange, challenges, self._credentials, self._path, self._url(path)
        )

    def _url(self, path: str) -> str:
        return f"{self._base}/v2/{self._path}/{path}"

    def _next_page(self, path: str, answer: Answer) -> str:
        """The pages of this repository only: a link elsewhere would be shown our token."""
        match = _NEXT.search(answer.headers.get("Link", ""))
        if match is None:
            return ""
        following = urljoin(self._url(path), match[1])
        here = self._url("")
        return following.removeprefix(here) if following.startswith(here) and following != self._url(path) else ""


def verify(body: bytes, digest: str) -> None:
    """Raises RegistryError if the bytes have another digest."""
    try:
        actual = digest_like(digest, body)
    except InvalidPullSpec as error:
        raise RegistryError(str(error)) from None
    if actual != digest:
        raise RegistryError(
            f"content integrity error: the content retrieved with digest {digest} does not match the digest "
            f"calculated from the content {actual}"
        )
