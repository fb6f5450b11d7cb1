"""/openapi/v3 and /openapi/v2: what the API looks like, for kubectl's explain, apply and validation, and for tools.

    /openapi/v3                     which documents there are, each with the hash of its content
    /openapi/v3/apis/⟨group⟩/⟨version⟩[?hash=⟨hash⟩]   one of them (/openapi/v3/api/v1 for the core group); under its
                                    hash it never changes
    /openapi/v2                     all of it as Swagger 2.0, in JSON or protobuf

Keeps: documents are made once, at start; a wrong hash is answered with the way to the right one.
Elsewhere: the content (`openapi_paths.py`, `openapi_schemas.py`, `openapi_v2.py`, `openapi_protobuf.py`).
Source: spec: kube-api 1.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec

from service.api.json_types import JsonObject
from service.api.resource_info import ResourceInfo
from service.http.accept import parse_accept
from service.http.answer import TEXT, Answer
from service.http.documents import DocumentRequest, hash_of
from service.http.negotiation import JSON
from service.http.openapi_paths import PathSettings, paths_of, structs_of
from service.http.openapi_protobuf import PROTOBUF_TYPES, encode_swagger
from service.http.openapi_schemas import Schemas, add_schemas, schema_name
from service.http.openapi_v2 import swagger
from service.http.query import first

V2 = "/openapi/v2"
V3 = "/openapi/v3"
UNHASHED = {"Cache-Control": "no-cache, private"}
LIFETIME = timedelta(days=365)


class _Document(msgspec.Struct, frozen=True):
    body: bytes
    hash: str
    media_types: tuple[str, ...] = (JSON,)
    """how clients may ask for it; the first is what they are told it is"""

    @property
    def etag(self) -> str:
        return f'"{self.hash}"'


class OpenApi:
    def __init__(self, resources: Sequence[ResourceInfo], settings: PathSettings, version: str) -> None:
        about: JsonObject = {"title": "tag-history", "version": version}
        documents = {
            "version": _described({"/version/": _plain_get("read which server this is", "version")}, {}, about)
        }
        for root, of_version in _by_version(resources).items():
            documents[root.strip("/")] = _version_document(root, of_version, settings, about)
        self._v3 = {path: _encoded(document) for path, document in documents.items()}
        v2 = swagger(documents.values(), about)
        in_protobuf = encode_swagger(v2)
        self._v2 = (_encoded(v2), _Document(in_protobuf, hash_of(in_protobuf), PROTOBUF_TYPES))
        index: JsonObject = {
            path: {"serverRelativeURL": _url(path, document.hash)} for path, document in self._v3.items()
        }
        self._index = _encoded({"paths": index})

    @property
    def paths(self) -> list[str]:
        return [V2, V3, *(f"{V3}/{path}" for path in self._v3)]

    def answer(self, request: DocumentRequest) -> Answer | None:
        route = request.route
        if route == V2:
            return _negotiated(request, self._v2, UNHASHED)
        if route == V3:
            # As the reference, which lets its server guess the type.
            return Answer(200, {**UNHASHED, "ETag": self._index.etag, "Content-Type": TEXT}, self._index.body)
        if route.startswith(f"{V3}/"):
            return self._part(request, route.removeprefix(f"{V3}/"))
        return None

    def _part(self, request: DocumentRequest, path: str) -> Answer:
        document = self._v3.get(path)
        if document is None:
            return Answer(404, UNHASHED)
        asked = first(request.query, "hash")
        if asked and asked != document.hash:
            where = _url(path, document.hash)
            headers = {"Location": where, "ETag": document.etag, "Vary": "Accept", "Content-Type": JSON}
            return Answer(301, {**UNHASHED, **headers})
        if not asked:
            return _negotiated(request, (document,), UNHASHED)
        expires = format_datetime(datetime.now(UTC) + LIFETIME, usegmt=True)
        return _negotiated(request, (document,), {"Cache-Control": "public, immutable", "Expires": expires})


def _url(path: str, content_hash: str) -> str:
    return f"{V3}/{path}?hash={content_hash}"


def _negotiated(request: DocumentRequest, forms: Sequence[_Document], headers: dict[str, str]) -> Answer:
    """The form of a document that the client likes best. v3 documents have one only: nobody here needs another."""
    headers = {**headers, "Vary": "Accept"}
    document = _preferred(request.accept or "*/*", forms)
    if document is None:
        return Answer(406, headers)
    headers["ETag"] = document.etag
    if request.has(document.etag):
        return Answer(304, headers)
    return Answer(200, {**headers, "Content-Type": document.media_types[0]}, document.body)


def _preferred(accept: str, forms: Sequence[_Document]) -> _Document | None:
    for clause in parse_accept(accept):
        for document in forms:
            if any(clause.covers(media_type) for media_type in document.media_types):
                return document
    return None


def _encoded(document: JsonObject) -> _Document:
    body = msgspec.json.encode(document)
    return _Document(body, hash_of(body))


def _by_version(resources: Sequence[ResourceInfo]) -> dict[str, list[ResourceInfo]]:
    versions: dict[str, list[ResourceInfo]] = {}
    for info in resources:
        versions.setdefault(info.root, []).append(info)
    return versions


def _version_document(
    root: str, resources: list[ResourceInfo], settings: PathSettings, about: JsonObject
) -> JsonObject:
    paths: JsonObject = {f"{root}/": _plain_get("list the resources of this group", root.strip("/"))}
    schemas: Schemas = {}
    for info in resources:
        paths |= paths_of(info, settings)
        for struct, kind in structs_of(info):
            add_schemas(struct, schemas)
            kinds = schemas[schema_name(struct)].setdefault("x-kubernetes-group-version-kind", [])
            if isinstance(kinds, list) and kind not in kinds:
                kinds.append(kind)
    return _described(paths, schemas, about)


def _described(paths: JsonObject, schemas: Schemas, about: JsonObject) -> JsonObject:
    return {
        "openapi": "3.0.0",
        "info": about,
        "paths": paths,
        "components": {"schemas": {name: schemas[name] for name in sorted(schemas)}},
    }


def _plain_get(what: str, operation: str) -> JsonObject:
    answer: JsonObject = {"description": "OK", "content": {JSON: {"schema": {"type": "object"}}}}
    return {"get": {"description": what, "operationId": f"get {operation}", "responses": {"200": answer}}}
