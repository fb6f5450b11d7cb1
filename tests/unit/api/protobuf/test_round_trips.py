"""Whatever an object holds comes through protobuf unchanged, and any other implementation reads it as we wrote it."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.core_v1 import Namespace, Secret
from service.api.decoding import inspect, to_struct
from service.api.image_v1 import (
    Image,
    ImageSignature,
    ImageStream,
    ImageStreamImage,
    ImageStreamImport,
    ImageStreamLayers,
    ImageStreamMapping,
    ImageStreamTag,
    ImageStreamTagList,
    ImageTag,
)
from service.api.meta_v1 import DeleteOptions, Status
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.encoding import encode_message, encode_struct
from service.api.protobuf.generate import compiled, messages
from service.api.protobuf.instants import seconds_of, time_of
from tests.unit.api.protobuf.documents import TIMES, values

KINDS: list[type[msgspec.Struct]] = [
    DeleteOptions,
    Image,
    ImageSignature,
    ImageStream,
    ImageStreamImage,
    ImageStreamImport,
    ImageStreamLayers,
    ImageStreamMapping,
    ImageStreamTag,
    ImageStreamTagList,
    ImageTag,
    Namespace,
    Secret,
    Status,
]
thorough = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def other_implementation() -> dict[str, Any]:
    """Of every message its class in Google's library."""
    return {message.name: GetMessageClass(message) for message in messages(compiled())}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@thorough
@given(data=st.data())
def test_an_object_comes_through(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    encoded = encode_struct(value)
    document = decode_message(kind.__name__, encoded)
    assert to_struct(inspect(document, kind).document, kind) == value
    # Others write the entries of maps in an order of their own.
    written_again = other_implementation()[kind.__name__].FromString(encoded).SerializeToString()
    assert len(written_again) == len(encoded)
    assert decode_message(kind.__name__, written_again) == document


def test_an_empty_list_and_none_are_the_same() -> None:
    empty, none = {"tag": "a", "items": []}, {"tag": "a", "items": None}
    assert encode_message("NamedTagEventList", empty) == encode_message("NamedTagEventList", none) == b"\n\1a"


def test_what_is_no_pointer_is_written_with_nothing_in_it() -> None:
    assert encode_message("TagImportPolicy", {}) == b"\x08\0\x10\0\x1a\0"
    assert encode_message("TagEvent", {}) == b"\n\0\x12\0\x1a\0\x20\0"
    assert encode_message("Preconditions", {}) == b""
    assert encode_message("Preconditions", {"uid": ""}) == b"\n\0"


def test_maps_are_in_the_order_of_their_keys() -> None:
    one, other = {"labels": {"b": "1", "a": "2"}}, {"labels": {"a": "2", "b": "1"}}
    assert encode_message("ObjectMeta", one) == encode_message("ObjectMeta", other)


@given(TIMES)
def test_seconds_and_times(time: str) -> None:
    assert time_of(seconds_of(time)) == (None if time == "0001-01-01T00:00:00Z" else time)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-20T19:10:05Z", 1795201805),
        ("0000-12-31T23:59:59Z", -62135596801),
        ("10000-01-01T00:00:00Z", 253402300800),
    ],
)
def test_years_that_only_go_knows(time: str, seconds: int) -> None:
    assert seconds_of(time) == seconds
    assert time_of(seconds) == time
