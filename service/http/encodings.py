"""The two ways objects become bytes: JSON, from which YAML and indented JSON are made too, and protobuf.

Keeps: what is expensive, the object itself, is encoded once (`item`); to stand on its own, in a list or in an event,
something is put around those bytes. Elsewhere: who keeps them (`presenter.py`), the shapes that only JSON has
(`tables.py`), the binary form (`api/protobuf/`). Source: spec: kube-api 2.1, 2.9, 2.12, 7.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Protocol, TypeAlias

import msgspec

from service.api.meta_v1 import ListMeta, Status
from service.api.protobuf.encoding import encode_list, encode_struct
from service.api.protobuf.envelope import watch_frame, wrap
from service.http.negotiation import JSON, PROTOBUF, STREAM
from service.http.tables import PartialObjectMetadata, PartialObjectMetadataList, Table

encode = msgspec.json.Encoder().encode


Named: TypeAlias = Status | PartialObjectMetadata | PartialObjectMetadataList | Table
"""What says itself what it is. A Table has no protobuf form, and is never negotiated as such."""


class Encoding(Protocol):
    media_type: str
    stream_type: str
    """The media type of a stream of events."""

    def item(self, value: msgspec.Struct) -> bytes:
        """An object without its kind and apiVersion, as in a list."""

    def whole(self, kind: str, api_version: str, item: bytes) -> bytes:
        """The object with them."""

    def named(self, value: Named) -> bytes: ...

    def list(self, kind: str, api_version: str, metadata: ListMeta, items: Iterable[bytes]) -> bytes: ...

    def event(self, event_type: str, whole: bytes) -> bytes:
        """One event of a watch, with its framing."""


class JsonEncoding:
    media_type = JSON
    stream_type = JSON

    def item(self, value: msgspec.Struct) -> bytes:
        return encode(value)

    def whole(self, kind: str, api_version: str, item: bytes) -> bytes:
        return _prefix(kind, api_version) + item[1:]

    def named(self, value: Named) -> bytes:
        return encode(value)

    def list(self, kind: str, api_version: str, metadata: ListMeta, items: Iterable[bytes]) -> bytes:
        return self.whole(kind, api_version, b'{"metadata":%b,"items":[%b]}' % (encode(metadata), b",".join(items)))

    def event(self, event_type: str, whole: bytes) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (event_type.encode(), whole)


@cache
def _prefix(kind: str, api_version: str) -> bytes:
    """There are as many as there are kinds."""
    return b'{"kind":%b,"apiVersion":%b,' % (encode(kind), encode(api_version))


class ProtobufEncoding:
    media_type = PROTOBUF
    stream_type = PROTOBUF + STREAM

    def item(self, value: msgspec.Struct) -> bytes:
        return encode_struct(value)

    def whole(self, kind: str, api_version: str, item: bytes) -> bytes:
        return wrap(api_version, kind, item)

    def named(self, value: Named) -> bytes:
        return wrap(value.api_version, value.kind, encode_struct(value))

    def list(self, kind: str, api_version: str, metadata: ListMeta, items: Iterable[bytes]) -> bytes:
        return wrap(api_version, kind, encode_list(metadata, items))

    def event(self, event_type: str, whole: bytes) -> bytes:
        return watch_frame(event_type, whole)


JSON_ENCODING: Encoding = JsonEncoding()
_PROTOBUF_ENCODING: Encoding = ProtobufEncoding()


def encoding_of(media_type: str) -> Encoding:
    """What an answer of this type is made of."""
    return _PROTOBUF_ENCODING if media_type == PROTOBUF else JSON_ENCODING
