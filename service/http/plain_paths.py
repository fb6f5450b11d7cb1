"""Every path that is no resource, in the order in which they are tried: discovery, OpenAPI, version, health, metrics.

Keeps: the last one knows every path, and lists those there are. Elsewhere: each of them, in a module of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry

from service.api.resource_info import ResourceInfo
from service.http.answer import Answer
from service.http.discovery import Discovery
from service.http.documents import DocumentRequest, Index
from service.http.forms import MEDIA_TYPES
from service.http.health import PING, Check, Health
from service.http.negotiation import Offer
from service.http.openapi import OpenApi
from service.http.openapi_paths import PathSettings
from service.http.patches import PATCH_TYPES
from service.http.version import Version, version_document
from service.runtime.metrics import expose

METRICS = "/metrics"
STREAM_TYPES = Offer(MEDIA_TYPES).streams

PlainPath = Callable[[DocumentRequest], Awaitable[Answer | None]]


def plain_paths(infos: Sequence[ResourceInfo], ready: Sequence[Check], metrics: CollectorRegistry) -> list[PlainPath]:
    """`ready` are the checks behind /readyz; being alive needs none but that we answer."""
    discovery = Discovery(infos, MEDIA_TYPES)
    release = version("tag-history")
    openapi = OpenApi(infos, PathSettings(MEDIA_TYPES, STREAM_TYPES, PATCH_TYPES), release)
    running = Version(version_document(release))
    health = Health({"/healthz": [PING], "/livez": [PING], "/readyz": [PING, *ready]})
    index = Index([*discovery.paths, *openapi.paths, *health.paths, "/version", METRICS])

    def scrape(request: DocumentRequest) -> Answer | None:
        if request.path != METRICS:
            return None
        request.only_get()
        body, content_type = expose(metrics, request.accept or "")
        return Answer(200, {"Content-Type": content_type}, body)

    at_once = (discovery.answer, openapi.answer, running.answer, scrape)
    return [*(_awaitable(answer) for answer in at_once), health.answer, _awaitable(index.answer)]


def _awaitable(answer: Callable[[DocumentRequest], Answer | None]) -> PlainPath:
    async def awaited(request: DocumentRequest) -> Answer | None:
        return answer(request)

    return awaited
