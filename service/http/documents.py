"""Paths that are no resource: the request as their handlers see it, and documents as answers.

Keeps: a handler gives None for a path it does not know, so that handlers can be asked in turn; the last one, `index`,
knows them all, and lists what there is.
Elsewhere: the handlers (`discovery.py`, `version.py`, `openapi.py`, `health.py`).
Source: spec: kube-api 1.1.5, 1.1.7-8, 2.9.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from service.api.json_types import Json, JsonObject
from service.api.protobuf.envelope import wrap_document
from service.api.yaml_writing import dump_yaml
from service.http.answer import Answer
from service.http.errors import MethodNotAllowed
from service.http.negotiation import JSON, PROTOBUF, YAML, Negotiated
from service.http.query import NOTHING, Query

INDENTED = Negotiated(JSON, pretty=True)


class DocumentRequest(msgspec.Struct, frozen=True):
    method: str
    path: str
    """decoded"""
    query: Query = NOTHING
    accept: str | None = None
    if_none_match: str | None = None
    pretty: bool = False
    """what the request asks for outside Accept"""

    @property
    def route(self) -> str:
        """The path without slashes at its ends."""
        return "/" + self.path.strip("/")

    def only_get(self) -> None:
        if self.method != "GET":
            raise MethodNotAllowed

    def has(self, etag: str) -> bool:
        """Whether the client holds what we would send."""
        held = {tag.strip().removeprefix("W/") for tag in (self.if_none_match or "").split(",")}
        return etag in held or "*" in held


def document_answer(document: JsonObject, form: Negotiated, headers: dict[str, str] | None = None) -> Answer:
    """Compact JSON ends with a newline, indented JSON does not. In protobuf goes only what says its kind."""
    if form.media_type == YAML:
        body = dump_yaml(document).encode()
    elif form.media_type == PROTOBUF:
        body = wrap_document(document)
    elif form.pretty:
        body = msgspec.json.format(msgspec.json.encode(document), indent=2)
    else:
        body = msgspec.json.encode(document) + b"\n"
    return Answer(200, {"Content-Type": form.content_type, **(headers or {})}, body)


def hash_of(body: bytes) -> str:
    """What names a document's content: upper-case hexadecimal SHA-512."""
    return hashlib.sha512(body).hexdigest().upper()


class Index:
    """`/` and every path nobody else knows: the list of paths there are."""

    def __init__(self, paths: Iterable[str]) -> None:
        listed: list[Json] = [*sorted(paths)]
        self._answer = document_answer({"paths": listed}, INDENTED)

    def answer(self, request: DocumentRequest) -> Answer:
        return self._answer if request.path == "/" else msgspec.structs.replace(self._answer, status=404)
