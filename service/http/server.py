"""Every request's way in and out: id, authentication, authorization, dispatch, and the one place that answers errors.

Keeps the reference's order (spec: kube-api 1.1.6): who is it and may they, before anything is said about the path.
Every answer has an Audit-Id; no exception leaves but as a Status; nothing is answered twice.
Elsewhere: the handlers (`reading.py`, `writing.py`, `documents.py`), which error is which status (`status.py`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from service.auth.authentication import Authenticator
from service.auth.authorization import Authorizer
from service.domain.errors import TagHistoryError, Unfinished
from service.http.answer import Answer
from service.http.bodies import BODY_LIMIT_BYTES
from service.http.compression import compressed
from service.http.documents import DocumentRequest
from service.http.errors import RouteNotFound
from service.http.exchange import Exchange, text_of_header
from service.http.forms import encode_status
from service.http.negotiation import wants_pretty
from service.http.options import request_timeout_seconds
from service.http.reading import Reading
from service.http.request_info import RequestInfo, parse_request
from service.http.routes import Routes
from service.http.status import failure
from service.http.writing import Writing
from service.merge.errors import MergeError
from service.resources.resource import AnyResource
from service.runtime.clock import utc_now
from service.runtime.logs import get_logger

HEADER_LIMIT_BYTES = 64 * 1024
REQUEST_ID_LIMIT_CHARACTERS = 128
REQUEST_TIMEOUT_S = 60.0
"""How long any request but a watch may take, its body included."""
WARNING_LIMIT_CHARACTERS = 4096

log = get_logger("http")

Verb = Callable[[Exchange, AnyResource], Awaitable[Answer | web.StreamResponse]]
Document = Callable[[DocumentRequest], Awaitable[Answer | None]]
"""Answers paths that are no resource; None for those it does not know."""


class Server:
    def __init__(
        self,
        authenticator: Authenticator,
        authorizer: Authorizer,
        routes: Routes,
        reading: Reading,
        writing: Writing,
        documents: Iterable[Document],
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._routes = routes
        self._documents = tuple(documents)
        self._verbs: dict[str, Verb] = {
            "get": reading.get,
            "list": reading.list,
            "watch": reading.watch,
            "create": writing.create,
            "update": writing.update,
            "patch": writing.patch,
            "delete": writing.delete,
            "deletecollection": writing.delete_collection,
        }

    def application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def handle(self, request: web.Request) -> web.StreamResponse:
        request_id = text_of_header(request, "Audit-Id", REQUEST_ID_LIMIT_CHARACTERS) or str(uuid.uuid4())
        warnings: list[str] = []
        try:
            answer = await self._answer(request, request_id, warnings)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a Status and we get the trace
            answer = _failed(request, error, request_id)
        if isinstance(answer, web.StreamResponse):
            return answer
        answer = await compressed(answer, request.headers.get("Accept-Encoding"))
        return _response(answer, request_id, warnings)

    async def _answer(self, request: web.Request, request_id: str, warnings: list[str]) -> Answer | web.StreamResponse:
        info = parse_request(request.method, request.raw_path)
        found = self._authenticator.authenticate(request.headers.get("Authorization"))
        if found.warning:
            warnings.append(found.warning)
        self._authorizer.require(found.user, info.attributes)
        now = utc_now()
        exchange = Exchange(request, info, found.user, request_id, now, warnings)
        if not info.is_resource:
            return await self._document(exchange)
        resource, verb = self._routes.find(info)
        if info.is_namespace:
            exchange.info = msgspec.structs.replace(info, namespace="")
        handle = self._verbs[verb]
        if verb == "watch":
            return await handle(exchange, resource)
        # A write that is cut off may still come to pass: what was sent to the log is not taken back.
        try:
            async with asyncio.timeout(request_timeout_seconds(info.query, REQUEST_TIMEOUT_S)) as deadline:
                return await handle(exchange, resource)
        except TimeoutError:
            if deadline.expired():
                raise Unfinished from None
            raise

    async def _document(self, exchange: Exchange) -> Answer:
        headers = exchange.request.headers
        asked = DocumentRequest(
            method=exchange.info.method,
            path=exchange.info.path,
            query=exchange.info.query,
            accept=headers.get("Accept"),
            if_none_match=headers.get("If-None-Match"),
            pretty=wants_pretty(exchange.info.query, headers.get("User-Agent")),
        )
        for document in self._documents:
            answer = await document(asked)
            if answer is not None:
                return answer
        raise RouteNotFound


def _failed(request: web.Request, error: Exception, request_id: str) -> Answer:
    failed = failure(error)
    if not isinstance(error, TagHistoryError | MergeError):
        log.error("request failed", request_id=request_id, method=request.method, path=request.path, exc_info=error)
    body, content_type = encode_status(failed.status, request.headers.get("Accept"), _pretty(request))
    return Answer(failed.code, {**failed.headers, "Content-Type": content_type}, body)


def _pretty(request: web.Request) -> bool:
    info = RequestInfo(request.method, "", {k: list(request.query.getall(k)) for k in request.query}, "")
    return wants_pretty(info.query, request.headers.get("User-Agent"))


def _response(answer: Answer, request_id: str, warnings: list[str]) -> web.Response:
    headers = CIMultiDict(answer.headers)
    headers["Audit-Id"] = request_id
    headers.setdefault("Cache-Control", "no-store")
    for warning in _told(warnings):
        headers.add("Warning", warning)
    return web.Response(status=answer.status, headers=headers, body=answer.body)


def _told(warnings: list[str]) -> list[str]:
    """Each text once, as a Warning header; a text that cannot stand in a header is left out (spec: kube-api 8.3)."""
    told = []
    for text in dict.fromkeys(warnings):
        if not text.isprintable():
            continue
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        told.append(f'299 - "{quoted}"')
    return told
