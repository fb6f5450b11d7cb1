"""Every request's way in and out: id, who is it, limits, may they, dispatch, and the one place that answers errors.

Keeps the reference's order (spec: kube-api 1.1.6): who is it and may they, before anything is said about the path.
Every answer has an Audit-Id; no exception leaves but as a Status; nothing is answered twice.
Elsewhere: the handlers (`reading.py`, `writing.py`, `documents.py`), which error is which status (`status.py`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter

import msgspec
from aiohttp import web

from service.auth.authentication import Authenticator, websocket_credentials
from service.auth.authorization import Authorizer
from service.auth.impersonation import impersonated
from service.auth.users import User
from service.domain.errors import TagHistoryError
from service.http.answer import NOSNIFF, TEXT, Answer
from service.http.compression import compressed
from service.http.connections import refuse_long_head
from service.http.documents import DocumentRequest
from service.http.errors import RouteNotFound, TooManyRequests
from service.http.exchange import Exchange, text_of_header
from service.http.forms import encode_status
from service.http.headers import with_common_headers
from service.http.limits import InFlight, time_limit_s, within
from service.http.metrics import HttpMetrics
from service.http.negotiation import wants_pretty
from service.http.reading import Reading
from service.http.request_info import RequestInfo, parse_request
from service.http.routes import Routes
from service.http.status import failure
from service.http.websockets import is_websocket, offered_protocols
from service.http.writing import Writing
from service.merge.errors import MergeError
from service.resources.resource import AnyResource
from service.runtime.clock import utc_now
from service.runtime.logs import get_logger

REQUEST_ID_LIMIT_CHARACTERS = 128

log = get_logger("http")


class Trail(msgspec.Struct):
    """What is known of a request, however far it gets."""

    request_id: str
    warnings: list[str]
    verb: str = ""
    resource: str = ""
    """with its subresource; like the verb, only once it is known to be served"""


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
        in_flight: InFlight,
        metrics: HttpMetrics,
    ) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._routes = routes
        self._documents = tuple(documents)
        self._in_flight = in_flight
        self._metrics = metrics
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

    async def handle(self, request: web.Request) -> web.StreamResponse:
        began_s = perf_counter()
        trail = Trail(text_of_header(request, "Audit-Id", REQUEST_ID_LIMIT_CHARACTERS) or str(uuid.uuid4()), [])
        try:
            answer = await self._answer(request, trail)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a Status and we get the trace
            answer = _failed(request, error, trail.request_id)
        self._metrics.answered(trail.verb, trail.resource, answer.status, perf_counter() - began_s)
        if isinstance(answer, web.StreamResponse):
            return answer
        answer = await compressed(answer, request.headers.get("Accept-Encoding"))
        return _response(answer, trail)

    async def _answer(self, request: web.Request, trail: Trail) -> Answer | web.StreamResponse:
        refuse_long_head(request.raw_headers)
        info = parse_request(request.method, request.raw_path)
        limit_s = time_limit_s(info)
        user, impersonator = self._who(request, trail.warnings)
        exchange = Exchange(request, info, user, trail.request_id, utc_now(), trail.warnings, impersonator)
        with self._in_flight.one_more(info, user):
            self._authorizer.require(user, info.attributes)
            return await within(limit_s, self._dispatch(exchange, trail))

    def _who(self, request: web.Request, warnings: list[str]) -> tuple[User, str]:
        """The user of the request, and who acts as them. Raises Unauthorized, and what impersonation raises."""
        token = websocket_credentials(offered_protocols(request))[0] if is_websocket(request) else None
        found = self._authenticator.authenticate(request.headers.get("Authorization"), token)
        if found.warning:
            warnings.append(found.warning)
        acted = impersonated(found.user, request.headers.items(), self._authorizer)
        return (acted, found.user.name) if acted else (found.user, "")

    async def _dispatch(self, exchange: Exchange, trail: Trail) -> Answer | web.StreamResponse:
        info = exchange.info
        if not info.is_resource:
            return await self._document(exchange)
        resource, verb = self._routes.find(info)
        trail.verb, trail.resource = verb, f"{info.resource}/{info.subresource}".rstrip("/")
        if info.is_namespace:
            exchange.info = msgspec.structs.replace(info, namespace="")
        return await self._verbs[verb](exchange, resource)

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
    if isinstance(error, TooManyRequests):
        # As the reference, whose limits stand before everything that knows of a Status.
        return Answer(failed.code, {**failed.headers, "Content-Type": TEXT, **dict([NOSNIFF])}, f"{error}\n".encode())
    if not isinstance(error, TagHistoryError | MergeError):
        log.error("request failed", request_id=request_id, method=request.method, path=request.path, exc_info=error)
    body, content_type = encode_status(failed.status, request.headers.get("Accept"), _pretty(request))
    return Answer(failed.code, {**failed.headers, "Content-Type": content_type}, body)


def _pretty(request: web.Request) -> bool:
    info = RequestInfo(request.method, "", {k: list(request.query.getall(k)) for k in request.query}, "")
    return wants_pretty(info.query, request.headers.get("User-Agent"))


def _response(answer: Answer, trail: Trail) -> web.Response:
    headers = with_common_headers(answer.headers, trail.request_id, trail.warnings)
    return web.Response(status=answer.status, headers=headers, body=answer.body)
