"""What goes around a message: the envelope that says what it is, and the frames of a watch.

    body   "k8s\\0" Unknown{typeMeta{apiVersion, kind}, raw = the message}
    event  length in four bytes, WatchEvent{type, object{raw = a whole body}}

Keeps: the fields of Unknown that nobody uses are written, empty, as the reference does.
Source: spec: kube-api 2.1.1, 2.1.2, 7.2.2.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from service.api.json_types import JsonObject
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.encoding import encode_message, tag_of
from service.api.protobuf.wire import MalformedMessage, delimited

MAGIC = b"k8s\0"
LENGTH_BYTES = 4

_TYPE_META, _RAW = tag_of("Unknown", "typeMeta"), tag_of("Unknown", "raw")
_REST = tag_of("Unknown", "contentEncoding") + b"\0" + tag_of("Unknown", "contentType") + b"\0"
_EVENT_TYPE, _EVENT_OBJECT = tag_of("WatchEvent", "type"), tag_of("WatchEvent", "object")
_OBJECT_RAW = tag_of("RawExtension", "raw")


class Envelope(msgspec.Struct, frozen=True):
    api_version: str
    kind: str
    raw: bytes
    """The message."""


def wrap(api_version: str, kind: str, message: bytes) -> bytes:
    """The body of an answer."""
    type_meta = encode_message("TypeMeta", {"apiVersion": api_version, "kind": kind})
    return MAGIC + delimited(_TYPE_META, type_meta) + delimited(_RAW, message) + _REST


def wrap_document(document: JsonObject) -> bytes:
    """The body of a document that says its kind."""
    kind = str(document["kind"])
    return wrap(str(document.get("apiVersion", "")), kind, encode_message(kind, document))


def unwrap(body: bytes) -> Envelope:
    """What a body says it holds. Raises MalformedMessage."""
    if not body:
        raise MalformedMessage("empty data")
    if not body.startswith(MAGIC):
        raise MalformedMessage(
            f"provided data does not appear to be a protobuf message, expected prefix [{' '.join(map(str, MAGIC))}]"
        )
    if body == MAGIC:
        raise MalformedMessage("empty body")
    unknown: Any = decode_message("Unknown", body[len(MAGIC) :])
    type_meta = unknown.get("typeMeta", {})
    raw = base64.b64decode(unknown.get("raw", ""))
    return Envelope(type_meta.get("apiVersion", ""), type_meta.get("kind", ""), raw)


def watch_frame(event_type: str, body: bytes) -> bytes:
    """One event of a watch; `body` is its object in an envelope."""
    event = delimited(_EVENT_TYPE, event_type.encode()) + delimited(_EVENT_OBJECT, delimited(_OBJECT_RAW, body))
    return len(event).to_bytes(LENGTH_BYTES) + event
