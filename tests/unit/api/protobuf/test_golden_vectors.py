"""What a Go server wrote is read, and written again byte for byte, as documents and as Structs."""

from __future__ import annotations

import pytest

from service.api import core_v1, image_v1, meta_v1
from service.api.decoding import inspect, to_struct
from service.api.meta_v1 import ListMeta, Wire
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.encoding import encode_list, encode_message, encode_struct
from service.api.protobuf.envelope import unwrap, watch_frame, wrap, wrap_document
from tests.unit.api.protobuf.vectors import BODIES, STATUSES, WATCH_EVENT, vector


@pytest.mark.parametrize("name", [*BODIES, *STATUSES])
def test_a_body_is_written_as_it_was_read(name: str) -> None:
    body = vector(name)
    envelope = unwrap(body)
    document = decode_message(envelope.kind, envelope.raw)
    assert wrap(envelope.api_version, envelope.kind, encode_message(envelope.kind, document)) == body
    assert wrap_document({"kind": envelope.kind, "apiVersion": envelope.api_version, **document}) == body


@pytest.mark.parametrize("name", ["ImageStream", "ImageStreamLayers", "ImageStreamTagList", "SecretList", *STATUSES])
def test_the_struct_of_a_body_makes_the_same_body(name: str) -> None:
    envelope = unwrap(vector(name))
    module = next(module for module in (image_v1, core_v1, meta_v1) if hasattr(module, envelope.kind))
    struct: type[Wire] = getattr(module, envelope.kind)
    value = to_struct(inspect(decode_message(envelope.kind, envelope.raw), struct).document, struct)
    assert encode_struct(value) == envelope.raw


def test_what_a_body_says() -> None:
    envelope = unwrap(vector("Status-of-a-failure"))
    assert (envelope.api_version, envelope.kind) == ("v1", "Status")
    assert decode_message(envelope.kind, envelope.raw) == {
        "metadata": {"selfLink": "", "resourceVersion": "", "continue": ""},
        "status": "Failure",
        "message": 'imagestreams.image.openshift.io "nosuch" not found',
        "reason": "NotFound",
        "details": {
            "name": "nosuch",
            "group": "image.openshift.io",
            "kind": "imagestreams",
            "retryAfterSeconds": 0,
            "uid": "",
        },
        "code": 404,
    }


def test_a_list_is_put_together_from_encoded_items() -> None:
    envelope = unwrap(vector("ImageStreamTagList"))
    listed = to_struct(decode_message(envelope.kind, envelope.raw), image_v1.ImageStreamTagList)
    assert encode_list(ListMeta(), map(encode_struct, listed.items)) == envelope.raw


def test_a_watch_event_has_its_length_before_it_and_a_whole_body_in_it() -> None:
    frame = vector(WATCH_EVENT)
    body = frame[frame.index(b"k8s\0") :]
    assert unwrap(body).kind == "ImageStream"
    assert watch_frame("ADDED", body) == frame
