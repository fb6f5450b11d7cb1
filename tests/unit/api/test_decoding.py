"""Documents become objects; what Go refuses is refused in its words, what it ignores is named."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api import image_v1, meta_v1
from service.api.decoding import DecodeError, findings, inspect, parse_json, to_struct, type_meta
from service.api.image_v1 import (
    Image,
    ImageSignature,
    ImageStream,
    ImageStreamImport,
    ImageStreamMapping,
    ImageStreamTag,
)
from service.api.meta_v1 import DeleteOptions
from service.api.shapes import fields_of

TYPES: list[type[msgspec.Struct]] = [
    Image,
    ImageSignature,
    ImageStream,
    ImageStreamImport,
    ImageStreamMapping,
    ImageStreamTag,
    image_v1.ImageTag,
    DeleteOptions,
]
FIELD_NAMES = sorted(
    name
    for module in (image_v1, meta_v1)
    for struct in vars(module).values()
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
    for name in fields_of(struct)
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["2024-01-01T00:00:00Z", "AQI="])
)
documents: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELD_NAMES), inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=400)
@given(documents, st.sampled_from(TYPES))
def test_any_document_becomes_an_object_or_a_refusal(document: Any, struct: type[msgspec.Struct]) -> None:
    parsed = parse_json(json.dumps(document).encode())
    try:
        inspection = inspect(parsed.document, struct)
    except DecodeError:
        return
    decoded = to_struct(inspection.document, struct)
    assert msgspec.json.decode(msgspec.json.encode(decoded), type=struct) == decoded
    again = inspect(inspection.document, struct)
    assert again.document == inspection.document
    assert again.unknown == []


@pytest.mark.parametrize(
    ("document", "struct", "refusal"),
    [
        ({"spec": "x"}, ImageStream, "string into Go struct field ImageStream.spec of type v1.ImageStreamSpec"),
        (
            {"spec": {"tags": "x"}},
            ImageStream,
            "string into Go struct field ImageStreamSpec.spec.tags of type []v1.TagReference",
        ),
        (
            {"spec": {"tags": ["x"]}},
            ImageStream,
            "string into Go struct field ImageStreamSpec.spec.tags of type v1.TagReference",
        ),
        ({"metadata": {"name": 1}}, ImageStream, "number into Go struct field ObjectMeta.metadata.name of type string"),
        (
            {"metadata": {"labels": {"a": 1}}},
            ImageStream,
            "number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"metadata": {"labels": []}},
            ImageStream,
            "array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            {"metadata": {"uid": True}},
            ImageStream,
            "bool into Go struct field ObjectMeta.metadata.uid of type types.UID",
        ),
        (
            {"metadata": {"finalizers": [{}]}},
            ImageStream,
            "object into Go struct field ObjectMeta.metadata.finalizers of type string",
        ),
        (
            {"spec": {"lookupPolicy": {"local": "x"}}},
            ImageStream,
            "string into Go struct field ImageLookupPolicy.spec.lookupPolicy.local of type bool",
        ),
        (
            {"spec": {"tags": [{"generation": "1"}]}},
            ImageStream,
            "string into Go struct field TagReference.spec.tags.generation of type int64",
        ),
        (
            {"metadata": {"creationTimestamp": 5}},
            ImageStream,
            "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            {"spec": {"tags": [{"importPolicy": {"importMode": 1}}]}},
            ImageStream,
            "number into Go struct field TagImportPolicy.spec.tags.importPolicy.importMode of type v1.ImportModeType",
        ),
        (
            {"image": {"dockerImageLayers": [{"size": 1 << 63}]}},
            ImageStreamMapping,
            "number 9223372036854775808 into Go struct field ImageLayer.image.dockerImageLayers.size of type int64",
        ),
        ({"content": {}}, ImageSignature, "object into Go struct field ImageSignature.content of type []uint8"),
        ([], ImageStream, "array into Go value of type v1.ImageStream"),
    ],
)
def test_a_wrong_type_is_refused_in_gos_words(document: Any, struct: type[msgspec.Struct], refusal: str) -> None:
    with pytest.raises(DecodeError) as raised:
        inspect(document, struct)
    assert str(raised.value) == f"json: cannot unmarshal {refusal}"


@pytest.mark.parametrize("spelling", ["1.5", "1.0", "1e3", "99999999999999999999"])
def test_a_number_that_is_no_int64_is_shown_as_it_was_written(spelling: str) -> None:
    document = parse_json(f'{{"metadata":{{"generation":{spelling}}}}}'.encode()).document
    with pytest.raises(DecodeError, match=f"cannot unmarshal number {spelling} into Go struct field ObjectMeta"):
        inspect(document, ImageStream)


def test_go_goes_on_after_a_wrong_type_and_reports_the_first_unless_a_time_is_wrong() -> None:
    wrong: dict[str, Any] = {"metadata": {"name": 1, "namespace": []}}
    with pytest.raises(DecodeError, match=r"metadata\.name"):
        inspect(wrong, ImageStream)
    wrong["metadata"]["creationTimestamp"] = "now"
    with pytest.raises(DecodeError, match='parsing time "now"'):
        inspect(wrong, ImageStream)


def test_a_bad_signature_content_is_refused_at_its_offset() -> None:
    with pytest.raises(DecodeError, match=r"^illegal base64 data at input byte 0$"):
        inspect({"content": "!!"}, ImageSignature)


def test_metadata_that_is_no_object_fails_after_everything_else() -> None:
    with pytest.raises(
        DecodeError, match=r"^couldn't get version/kind; json parse error: json: cannot unmarshal string"
    ):
        inspect({"dockerImageMetadata": "x"}, Image)
    with pytest.raises(DecodeError, match="dockerImageReference"):
        inspect({"dockerImageMetadata": "x", "dockerImageReference": 1}, Image)


def test_null_is_nothing_but_keeps_the_keys_of_maps_and_the_places_of_lists() -> None:
    document: Any = {
        "metadata": {"name": None, "labels": {"b": "1", "a": None}, "finalizers": [None, "x/y"]},
        "spec": {"tags": [None, {"name": "t", "from": None, "generation": None}]},
        "status": None,
    }
    assert inspect(document, ImageStream).document == {
        "metadata": {"labels": {"a": "", "b": "1"}, "finalizers": ["", "x/y"]},
        "spec": {"tags": [{}, {"name": "t"}]},
    }


def test_what_would_not_be_written_is_nothing_either() -> None:
    document: Any = {"metadata": {"labels": {}, "finalizers": []}, "spec": {"tags": [{"annotations": {}}]}}
    assert inspect(document, ImageStream).document == {"metadata": {}, "spec": {"tags": [{"annotations": {}}]}}


def test_times_and_maps_come_out_canonically() -> None:
    document: Any = {"metadata": {"creationTimestamp": "2024-01-01T01:00:00.5+01:00", "labels": {"b": "", "a": ""}}}
    metadata = inspect(document, ImageStream).document["metadata"]
    assert json.dumps(metadata) == '{"creationTimestamp": "2024-01-01T00:00:00Z", "labels": {"a": "", "b": ""}}'


def test_a_document_that_needs_no_change_is_not_copied() -> None:
    document: Any = {"metadata": {"name": "n"}, "dockerImageMetadata": {"anything": [None, {"x": 1.5}]}}
    assert inspect(document, Image).document is document


def test_the_inside_of_free_form_values_is_left_alone_but_can_be_encoded() -> None:
    document = parse_json(b'{"dockerImageMetadata":{"x":[1.50,null],"y":{"z":1e3}}}').document
    inspected = inspect(document, Image)
    assert inspected.unknown == []
    assert b'{"x":[1.5,null],"y":{"z":1000.0}}' in msgspec.json.encode(to_struct(inspected.document, Image))


def test_unknown_fields_are_named_with_their_path_case_included() -> None:
    document: Any = {
        "spec": {"tags": [{"bogus": 1}, {"from": {"foo": 2}}], "LookupPolicy": {}},
        "metadata": {"labels": {"anything": "goes"}, "managedFields": [{"fieldsV1": {"f:x": {}}, "zip": 0}]},
        "extra": None,
    }
    inspection = inspect(document, ImageStream)
    assert inspection.unknown == [
        "spec.tags[0].bogus",
        "spec.tags[1].from.foo",
        "spec.LookupPolicy",
        "metadata.managedFields[0].zip",
        "extra",
    ]
    assert "extra" not in inspection.document


def test_findings_come_in_the_order_of_the_body_and_not_from_where_go_does_not_look() -> None:
    body = (
        b'{"metadata":{"labels":{"a":"1","a":"2"},"foo":1,"foo":2},'
        b'"nope":{"x":1,"x":2},"dockerImageMetadata":{"x":1,"x":2},"metadata":{}}'
    )
    parsed = parse_json(body)
    assert findings(parsed, inspect(parsed.document, Image), Image) == [
        'duplicate field "metadata.labels.a"',
        'unknown field "metadata.foo"',
        'unknown field "nope"',
        'duplicate field "metadata"',
    ]


def test_findings_are_bounded() -> None:
    document: Any = {f"x{i}": 0 for i in range(1000)}
    assert len(inspect(document, ImageStream).unknown) == 100


@pytest.mark.parametrize(
    ("document", "meta"),
    [
        (None, ("", "")),
        ({"apiVersion": "v1", "kind": "Image"}, ("v1", "Image")),
        ({"APIVERSION": "v1", "Kind": None}, ("v1", "")),
    ],
)
def test_kind_and_version_are_read_before_the_type_is_known(document: Any, meta: tuple[str, str]) -> None:
    assert type_meta(document) == meta


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        ([], 'array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string '),
        ({"kind": 1}, "number into Go struct field .kind of type string"),
    ],
)
def test_a_body_without_a_readable_kind_is_refused(document: Any, refusal: str) -> None:
    with pytest.raises(DecodeError) as raised:
        type_meta(document)
    assert str(raised.value).startswith(f"json: cannot unmarshal {refusal}")
