"""Bodies and answers in protobuf: objects, lists, errors, options, watch events, discovery."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from service.api.image_v1 import ImageStream
from service.api.meta_v1 import ListMeta, ObjectMeta, Status
from service.api.protobuf.decoding import decode_message
from service.api.protobuf.encoding import encode_struct
from service.api.protobuf.envelope import Envelope, unwrap, wrap
from service.domain.errors import BadRequest, Expired, Unclassified
from service.domain.world import Collection
from service.http.bodies import decode_body, parse_delete_options
from service.http.discovery import Discovery
from service.http.documents import DocumentRequest
from service.http.encodings import encoding_of
from service.http.event_forms import ObjectEvents, PartialEvents
from service.http.forms import MEDIA_TYPES, Forms, encode_status
from service.http.negotiation import JSON, PROTOBUF, Negotiated
from service.http.presenter import Presenter
from service.resources.resource import Resource, Shown
from tests.unit.http.resources import IMAGE_STREAMS, RESOURCES


class ImageStreams(Resource[ImageStream]):
    info = IMAGE_STREAMS
    collection = Collection.IMAGE_STREAMS


RESOURCE = ImageStreams()
PRESENTER = Presenter({Collection.IMAGE_STREAMS: RESOURCE})
FORM = Negotiated(PROTOBUF)
BODY = base64.b64decode(
    "azhzAAokChVpbWFnZS5vcGVuc2hpZnQuaW8vdjESC0ltYWdlU3RyZWFtEikKBQoDcGIyEiASGgoBYRoVCgtEb2NrZXJJbWFnZRoGcS9wYjoxGgII"
    "AQ=="
)
"""As a client with nothing but the *.proto files would send it: what is empty is left out."""
STREAM = ImageStream(metadata=ObjectMeta(name="a", namespace="ns1", resource_version="7"))
VERSION = "image.openshift.io/v1"


def opened(body: bytes) -> tuple[str, str, Any]:
    envelope: Envelope = unwrap(body)
    return envelope.api_version, envelope.kind, decode_message(envelope.kind, envelope.raw)


def refusal(body: bytes) -> str:
    with pytest.raises(BadRequest) as refused:
        decode_body(RESOURCE, body, PROTOBUF, "Strict")
    return refused.value.message


def test_a_body_becomes_an_object() -> None:
    decoded = decode_body(RESOURCE, BODY, PROTOBUF, "Strict")
    assert decoded.value.metadata.name == "pb2"
    [tag] = decoded.value.spec.tags
    assert (tag.name, tag.from_ and tag.from_.name, tag.reference) == ("a", "q/pb:1", False)
    assert (decoded.warnings, decoded.managed_fields) == ([], None)


def test_a_body_need_not_say_what_it_is() -> None:
    assert decode_body(RESOURCE, wrap("", "", unwrap(BODY).raw), PROTOBUF, "Strict").value.metadata.name == "pb2"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty data (<empty>)"),
        (b"k8s\0", "empty body (6b387300)"),
        (b"k8s\0garbage", "proto: illegal wireType 7 (6b38730067617262616765)"),
        (
            b"garbage",
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (67617262616765)",
        ),
    ],
)
def test_a_body_that_cannot_be_opened(body: bytes, why: str) -> None:
    assert refusal(body) == f"the object provided is unrecognized (must be of type ImageStream): {why}"


def test_a_body_whose_message_makes_no_sense() -> None:
    handled = 'ImageStream in version "v1" cannot be handled as a ImageStream'
    assert refusal(wrap(VERSION, "ImageStream", b"\x0a\x05")) == f"{handled}: unexpected EOF"
    assert refusal(wrap(VERSION, "ImageStream", b"\x08\x01")).startswith(f"{handled}: proto: wrong wireType = 0")


def test_a_body_of_another_kind() -> None:
    assert refusal(wrap(VERSION, "Image", b"")) == (
        'Image in version "v1" cannot be handled as a ImageStream: converting (v1.Image) to (image.ImageStream): '
        "unknown conversion"
    )


def test_options_of_a_deletion() -> None:
    body = wrap("v1", "DeleteOptions", b"\x08\0\x22\nBackground\x2a\3All")
    assert parse_delete_options(body, PROTOBUF) == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
        "dryRun": ["All"],
    }
    with pytest.raises(Unclassified, match="empty body"):
        parse_delete_options(b"k8s\0", PROTOBUF)


def test_an_object_as_an_answer() -> None:
    answer = Forms(PRESENTER).object(STREAM, RESOURCE, FORM, 201)
    assert (answer.status, answer.headers["Content-Type"]) == (201, PROTOBUF)
    assert unwrap(answer.body) == Envelope(VERSION, "ImageStream", encode_struct(STREAM))
    shown = Forms(PRESENTER).shown(Shown(lambda: STREAM), RESOURCE, FORM, {})
    assert shown.body == answer.body


def test_the_metadata_of_an_object() -> None:
    form = Negotiated(PROTOBUF, "PartialObjectMetadata", "v1")
    api_version, kind, document = opened(Forms(PRESENTER).object(STREAM, RESOURCE, form, 200).body)
    assert (api_version, kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    assert document["metadata"]["name"] == "a"


def test_a_status_is_never_reshaped() -> None:
    form = Negotiated(PROTOBUF, "PartialObjectMetadata", "v1")
    answer = Forms(PRESENTER).object(Status(status="Success", code=201), RESOURCE, form, 201)
    api_version, kind, document = opened(answer.body)
    assert (api_version, kind, document["code"]) == ("v1", "Status", 201)


def test_an_error_is_told_in_protobuf_to_who_asked_for_it() -> None:
    status = Status(kind="Status", api_version="v1", status="Failure", message="no", code=400)
    body, content_type = encode_status(status, PROTOBUF, pretty=True)
    assert content_type == PROTOBUF
    assert opened(body)[2]["message"] == "no"


@pytest.mark.parametrize("media_type", [JSON, PROTOBUF])
def test_a_list_holds_its_items_as_they_were_encoded(media_type: str) -> None:
    encoding = encoding_of(media_type)
    body = encoding.list("ImageStreamList", VERSION, ListMeta(resource_version="9"), [encoding.item(STREAM)] * 2)
    assert body.count(encoding.item(STREAM)) == 2
    if media_type == PROTOBUF:
        _, kind, document = opened(body)
        assert (kind, document["metadata"]["resourceVersion"], len(document["items"])) == ("ImageStreamList", "9", 2)


def test_events_of_a_watch() -> None:
    events = ObjectEvents(PRESENTER, encoding_of(PROTOBUF))
    assert events.content_type == "application/vnd.kubernetes.protobuf;stream=watch"
    bookmark = events.encode_bookmark(Collection.IMAGE_STREAMS, 12, initial_end=False)
    assert int.from_bytes(bookmark[:4]) == len(bookmark) - 4
    assert bookmark[4:].startswith(b"\n\x08BOOKMARK")
    _, kind, document = opened(bookmark[bookmark.index(b"k8s\0") :])
    assert (kind, document["metadata"]["resourceVersion"]) == ("ImageStream", "12")
    error = events.encode_error(Expired("too old resource version: 5 (123)"))
    assert opened(error[error.index(b"k8s\0") :])[2]["code"] == 410


def test_events_of_other_forms_are_not_mixed_up() -> None:
    forms = [ObjectEvents(PRESENTER, encoding_of(media_type)).form for media_type in (JSON, PROTOBUF)]
    forms += [PartialEvents(PRESENTER, encoding_of(media_type), "v1").form for media_type in (JSON, PROTOBUF)]
    assert len(set(forms)) == len(forms)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/apis", "APIGroupList"),
        ("/apis/image.openshift.io", "APIGroup"),
        ("/apis/image.openshift.io/v1", "APIResourceList"),
    ],
)
def test_discovery(path: str, kind: str) -> None:
    answer = Discovery(RESOURCES, MEDIA_TYPES).answer(DocumentRequest("GET", path, accept=PROTOBUF))
    assert answer is not None
    assert answer.headers["Content-Type"] == PROTOBUF
    _, found, document = opened(answer.body)
    assert found == kind
    if kind == "APIResourceList":
        [streams] = [resource for resource in document["resources"] if resource["name"] == "imagestreams"]
        assert streams["verbs"] == list(IMAGE_STREAMS.verbs)
