"""One GET of a registry or its token service: bounded in bytes and tries, its failures in the words of the reference.

Keeps: a body over its limit is an error and is not read to its end; a try is repeated only after an answer, or a cut,
that says the registry is busy. Redirects are followed, as blobs often lie elsewhere; the Authorization header goes to
no other origin (aiohttp drops it).
Source: spec: image-api 9.2.8. Elsewhere: what is asked (`repository.py`), who we are (`login.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
import msgspec
from multidict import CIMultiDictProxy

from service.importer.failures import Missing, RegistryError, Unauthorized, network_failure

REDIRECTS_LIMIT = 5
CONNECTIONS_LIMIT = 64
CONNECTIONS_PER_HOST_LIMIT = 8
CONNECT_TIMEOUT_S = 15.0
ANSWER_TIMEOUT_S = 30.0
_MISSING_CODES = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND"})
_SHOWN_LIMIT_CHARACTERS = 256
TOO_MANY_REQUESTS, INTERNAL_ERROR = 429, 500


class Retries(msgspec.Struct, frozen=True):
    """Of one request; the pauses before them depend on what went wrong."""

    limit: int = 2
    after_too_many_s: float = 2.0
    after_failure_s: float = 5.0
    """Of the registry: any status from 500"""
    after_cut_s: float = 1.0
    """Of the connection"""

    def pause_s(self, status: int) -> float | None:
        """None if an answer with this status is final."""
        if status == TOO_MANY_REQUESTS:
            return self.after_too_many_s
        return self.after_failure_s if status >= INTERNAL_ERROR else None


class Answer(msgspec.Struct, frozen=True):
    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Problems(msgspec.Struct):
    errors: list[_Problem] = []
    details: str = ""


def registry_session() -> aiohttp.ClientSession:
    """The connections of a process to all registries; proxies are those of the environment."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_LIMIT, limit_per_host=CONNECTIONS_PER_HOST_LIMIT),
        timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,
    )


class Allowance:
    """How much an import may still read, from all registries together."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = self._left_bytes = limit_bytes

    def take(self, size_bytes: int) -> None:
        """Raises RegistryError if that is more than there is."""
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise RegistryError(f"the import reads more than {self._limit_bytes} bytes")


class Exchange:
    """With one registry, in one import."""

    def __init__(
        self, session: aiohttp.ClientSession, retries: Retries, allowance: Allowance, *, insecure: bool
    ) -> None:
        self._session = session
        self._retries = retries
        self._allowance = allowance
        self.insecure = insecure

    async def get(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Answer:
        """Whatever the status. Raises RegistryError where there is no answer."""
        tries_left = self._retries.limit
        while True:
            try:
                answer = await self._try(url, headers, limit_bytes)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                pause_s: float | None = self._retries.after_cut_s
                failure = network_failure(url, error)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise network_failure(url, error) from error
            else:
                pause_s = self._retries.pause_s(answer.status)
                if pause_s is None or not tries_left:
                    return answer
            if not tries_left or pause_s is None:
                raise failure
            tries_left -= 1
            await asyncio.sleep(pause_s)

    async def _try(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Answer:
        async with self._session.get(
            url, headers=headers, ssl=not self.insecure, max_redirects=REDIRECTS_LIMIT
        ) as response:
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                self._allowance.take(len(piece))
                if len(body) > limit_bytes:
                    raise RegistryError(f'Get "{url}": the answer is larger than {limit_bytes} bytes')
            return Answer(response.status, response.reason or "", response.headers, bytes(body))


def refusal_of(answer: Answer) -> RegistryError:
    """What a registry says with an answer that is no success."""
    try:
        told = msgspec.json.decode(answer.body, type=_Problems)
    except msgspec.MsgspecError:
        told = _Problems()
    problem = told.errors[0] if told.errors else None
    if problem is not None:
        text = f"{problem.code.lower().replace('_', ' ')}: {problem.message}"[:_SHOWN_LIMIT_CHARACTERS]
    elif answer.status == 401:
        text = f"unauthorized: {told.details or 'authentication required'}"[:_SHOWN_LIMIT_CHARACTERS]
    else:
        text = f"received unexpected HTTP status: {answer.status} {answer.reason}"
    if answer.status == 401:
        return Unauthorized(text)
    if answer.status == 404 and problem is not None and problem.code in _MISSING_CODES:
        return Missing(text)
    return RegistryError(text)
