"""Tables and partial objects: the shapes, whatever the cells."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from service.api.image_v1 import Image, ImageStream
from service.api.json_types import JsonObject
from service.api.meta_v1 import ListMeta, ObjectMeta
from service.api.resource_info import ResourceInfo
from service.domain.errors import BadRequest
from service.http.query import parse_query
from service.http.tables import Include, TableWriter, include_of, partial_list, partial_object, wrong_shape
from service.resources.table_columns import IMAGE, columns_of

INFO = ResourceInfo("image.openshift.io", "v1", "images", "image", "Image", False, ("get", "list"), Image)
IMAGES = [
    Image(metadata=ObjectMeta(name=name, resource_version="5"), docker_image_reference=f"q/{name}") for name in "ab"
]
NOW = "2026-01-01T00:00:00Z"


def wire(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def writer(include: Include = Include.METADATA, version: str = "v1") -> TableWriter:
    return TableWriter(INFO, IMAGE, version, include)


def test_a_table_names_its_columns_with_every_key_and_has_a_row_per_object() -> None:
    table = wire(writer().table(IMAGES, ListMeta(resource_version="9", continue_="c", remaining_item_count=3), NOW))
    assert list(table) == ["kind", "apiVersion", "metadata", "columnDefinitions", "rows"]
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert table["metadata"] == {"resourceVersion": "9", "continue": "c", "remainingItemCount": 3}
    assert table["columnDefinitions"][1] == {
        "name": "Image Reference",
        "type": "string",
        "format": "",
        "description": "dockerImageReference is the string that can be used to pull this image.",
        "priority": 0,
    }
    assert [row["cells"] for row in table["rows"]] == [["a", "q/a"], ["b", "q/b"]]


def test_a_table_of_one_object_has_its_version() -> None:
    assert wire(writer().table_of_one(IMAGES[0], NOW))["metadata"] == {"resourceVersion": "5"}


PARTIAL: JsonObject = {
    "kind": "PartialObjectMetadata",
    "apiVersion": "meta.k8s.io/v1",
    "metadata": {"name": "a", "resourceVersion": "5"},
}


def test_what_a_row_carries_of_its_object() -> None:
    def carried(include: Include) -> Any:
        return wire(writer(include).table_of_one(IMAGES[0], NOW))["rows"][0]["object"]

    assert carried(Include.METADATA) == PARTIAL
    assert carried(Include.NONE) is None
    whole = carried(Include.OBJECT)
    assert (whole["kind"], whole["apiVersion"]) == ("Image", "image.openshift.io/v1")
    assert whole["dockerImageReference"] == "q/a"


def test_the_older_version_of_a_table_has_older_rows() -> None:
    table = wire(writer(version="v1beta1").table_of_one(IMAGES[0], NOW))
    assert table["apiVersion"] == table["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"


def test_a_watch_names_the_columns_once_and_its_bookmark_keeps_its_mark() -> None:
    table = wire(writer(Include.NONE).bookmark(Image(metadata=ObjectMeta(annotations={"a": "b"})), NOW, headed=False))
    assert table["columnDefinitions"] is None
    assert table["rows"][0]["cells"] == ["", ""]
    assert table["rows"][0]["object"]["metadata"] == {"annotations": {"a": "b"}}


@pytest.mark.parametrize(
    ("text", "include"),
    [
        ("", Include.METADATA),
        ("includeObject=", Include.METADATA),
        ("includeObject=Object", Include.OBJECT),
        ("includeObject=None", Include.NONE),
    ],
)
def test_what_is_to_be_included(text: str, include: Include) -> None:
    assert include_of(parse_query(text)) is include


def test_what_cannot_be_included() -> None:
    with pytest.raises(BadRequest) as wrong:
        include_of(parse_query("includeObject=Bad"))
    assert wrong.value.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "Bad": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


def test_partial_objects_are_their_metadata() -> None:
    assert wire(partial_object(IMAGES[0], "v1")) == PARTIAL
    listed = wire(partial_list(IMAGES[:1], ListMeta(resource_version="9"), "v1"))
    assert listed == {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "9"},
        "items": [PARTIAL],
    }


@pytest.mark.parametrize(
    ("kind", "is_list", "why"),
    [
        (
            "PartialObjectMetadata",
            True,
            "you requested PartialObjectMetadata, but the requested object is a list (*image.ImageStreamList)",
        ),
        (
            "PartialObjectMetadataList",
            False,
            "you requested PartialObjectMetadataList, but the requested object is not a list (*image.ImageStreamList)",
        ),
        ("PartialObjectMetadata", False, None),
        ("PartialObjectMetadataList", True, None),
        ("Table", True, None),
    ],
)
def test_a_list_is_no_object_and_an_object_no_list(kind: str, is_list: bool, why: str | None) -> None:
    refusal = wrong_shape(kind, is_list=is_list, go_type="*image.ImageStreamList")
    assert (refusal.message if refusal else None) == why


def test_which_kinds_have_tables() -> None:
    stream = msgspec.structs.replace(INFO, kind="ImageStream", struct=ImageStream)
    assert columns_of(stream) is not None
    assert columns_of(msgspec.structs.replace(INFO, kind="ImageStreamLayers")) is None
    assert columns_of(msgspec.structs.replace(INFO, group="other.io")) is None
