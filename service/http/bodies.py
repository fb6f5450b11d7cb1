"""A request body becomes an object of the route's kind, or a clear BadRequest; what looks odd becomes a warning.

Keeps: nothing is dropped in silence unless the client asked for that (fieldValidation=Ignore).
Elsewhere: the decoding itself (`api/decoding.py`, `api/yaml_documents.py`, `api/protobuf/`), patches (`patches.py`).
Source: spec: kube-api 4.1, 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from aiohttp import HttpVersion11, web

from service.api import image_v1
from service.api.decoding import DecodeError, Parsed, findings, inspect, parse_json, to_struct, type_meta
from service.api.json_types import Json, JsonObject
from service.api.meta_v1 import ApiObject, DeleteOptions, Wire
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.envelope import unwrap
from service.api.yaml_documents import parse_yaml, strict_error
from service.domain.errors import BadRequest, Unclassified
from service.http.errors import RequestEntityTooLarge
from service.http.negotiation import PROTOBUF, YAML
from service.resources.resource import Resource

T = TypeVar("T", bound=ApiObject)

BODY_LIMIT_BYTES = 3 * 1024 * 1024
SHOWN_BODY_BYTES = 30
NOT_SHOWN = "<contents not shown>"
"""In the place of an object that errors must not quote."""
LEGACY_VERSION = "v1"
"""The kinds of the group are also known without their group, from old days."""
SCHEME = 'scheme "pkg/runtime/scheme.go:110"'
KINDS = frozenset(name for name, value in vars(image_v1).items() if isinstance(value, type) and issubclass(value, Wire))


class Decoded(msgspec.Struct, Generic[T]):
    """An object from a body, and what the client should be warned of."""

    value: T
    document: JsonObject
    managed_fields: Json
    warnings: list[str]


async def read_body(request: web.Request) -> bytes:
    """The whole body.

    Raises RequestEntityTooLarge, without reading on, once it is beyond the bound; BadRequest if it breaks off, or is
    not in the encoding that its headers say.
    """
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise _too_large()
    await _invite(request)
    body = bytearray()
    try:
        async for part in request.content.iter_any():
            body += part
            if len(body) > BODY_LIMIT_BYTES:
                raise _too_large()
    except web.RequestPayloadError as wrong:
        raise BadRequest("unable to read the body of the request: it is not encoded as its headers say") from wrong
    except ConnectionError as lost:
        raise BadRequest("unable to read the body of the request: unexpected EOF") from lost
    return bytes(body)


async def _invite(request: web.Request) -> None:
    """Ask for a body that the client holds back until it knows that it is wanted (RFC 9110 10.1.1)."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The answer itself has not begun.
        request.writer.output_size = 0


def _too_large() -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT_BYTES}")


def parse_delete_options(body: bytes, media_type: str) -> Json:
    """The document of a body of options. Raises Unclassified, as the reference does for these."""
    try:
        opened = _open(body, media_type)
        document = opened.parse(DeleteOptions).document
    except DecodeError as error:
        raise Unclassified(str(error)) from error
    if media_type == PROTOBUF and isinstance(document, dict):
        return {"kind": opened.kind, "apiVersion": opened.api_version, **document}
    return document


def decode_body(resource: Resource[T], body: bytes, media_type: str, field_validation: str) -> Decoded[T]:
    """The object in the body, with defaults. Raises BadRequest."""
    info = resource.info
    try:
        opened = _open(body, media_type)
    except DecodeError as error:
        shown = NOT_SHOWN if resource.confidential else _shown(body)
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {info.kind}): {error} ({shown})"
        ) from error
    check_kind(opened.kind or info.kind, opened.api_version or info.group_version, info.kind, info.group_version)
    described = f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}'
    try:
        parsed = opened.parse(info.struct)
        inspection = inspect(parsed.document, info.struct)
        value = object_of(resource, inspection.document)
    except DecodeError as error:
        raise BadRequest(f"{described}: {error}") from error
    warnings = [] if field_validation == "Ignore" else findings(parsed, inspection, info.struct)
    if warnings and field_validation == "Strict":
        if parsed.repeated_lines:
            warnings = [strict_error(parsed.repeated_lines), *warnings[len(parsed.repeated_lines) :]]
        raise BadRequest(f"{described}: strict decoding error: {', '.join(warnings)}")
    return Decoded(value, inspection.document, sent_managed_fields(parsed.document), warnings)


def object_of(resource: Resource[T], document: JsonObject) -> T:
    """The object of an inspected document, with defaults. It goes on without kind and apiVersion, as stored ones do.

    Raises DecodeError.
    """
    value = to_struct(document, resource.struct)
    value.kind = value.api_version = ""
    return resource.default(value)


def sent_managed_fields(document: Json) -> Json:
    """The managed fields of a document as they were sent: an empty list ends the tracking, a missing one does not."""
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata.get("managedFields") if isinstance(metadata, dict) else None


def check_kind(kind: str, version: str, wanted_kind: str, wanted_version: str) -> None:
    """Refuse a body that says it is something else (spec: kube-api 4.1.2, 4.1.3)."""
    if (kind, version) == (wanted_kind, wanted_version):
        return
    short = version.rpartition("/")[2]
    described = f'{kind} in version "{short}" cannot be handled as a {wanted_kind}'
    if version not in (wanted_version, LEGACY_VERSION) or kind not in KINDS:
        raise BadRequest(f'{described}: no kind "{kind}" is registered for version "{version}" in {SCHEME}')
    if version != wanted_version:
        raise BadRequest(
            f"the API version in the data ({version}) does not match the expected API version ({wanted_version})"
        )
    raise BadRequest(f"{described}: converting ({short}.{kind}) to (image.{wanted_kind}): unknown conversion")


class _Opened(msgspec.Struct):
    """A body, as far as it can be read before its type is known."""

    api_version: str
    kind: str
    parse: Callable[[type[msgspec.Struct]], Parsed]
    """Raises DecodeError."""


def _open(body: bytes, media_type: str) -> _Opened:
    """Raises DecodeError."""
    if media_type == PROTOBUF:
        envelope = unwrap(body)
        raw = envelope.raw
        return _Opened(envelope.api_version, envelope.kind, lambda struct: Parsed(decode_message(struct.__name__, raw)))
    try:
        parsed = parse_yaml(body) if media_type == YAML else parse_json(body)
        api_version, kind = type_meta(parsed.document)
    except DecodeError as error:
        raise DecodeError(f"couldn't get version/kind; json parse error: {error}") from error
    return _Opened(api_version, kind, lambda struct: parsed)


def _shown(body: bytes) -> str:
    if not body:
        return "<empty>"
    start = body[:SHOWN_BODY_BYTES]
    text = start.decode(errors="replace") if body.startswith(b"{") else start.hex()
    return f"{text} ..." if len(body) > SHOWN_BODY_BYTES else text
