"""Limits of images and image streams (spec: image-api 8.3, 11.5), and the quantities they are written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.image_v1 import TagReference
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.domain.draft import Draft
from service.domain.events import Cause, Header, ImageStreamCreated, Item, TagImaged, TagSet, TagUnset
from service.domain.image_limits import NO_LIMITS, Limits, image_excess, stream_excess
from service.domain.imagestream import ImageStream
from service.domain.quantity import Quantity


@pytest.mark.parametrize(
    ("text", "printed", "value"),
    [
        ("0", "0", 0),
        ("500", "500", 500),
        ("1024", "1024", 1024),
        ("1Ki", "1Ki", 1024),
        ("1024Mi", "1Gi", 2**30),
        ("1.5Gi", "1536Mi", 3 * 2**29),
        ("0.5Ki", "512", 512),
        ("1000k", "1M", 10**6),
        ("1500M", "1500M", 15 * 10**8),
        ("1e9", "1G", 10**9),
        ("+3E", "3E", 3 * 10**18),
    ],
)
def test_a_quantity_is_read_and_printed(text: str, printed: str, value: int) -> None:
    quantity = Quantity.parse(text)
    assert (str(quantity), quantity.value) == (printed, value)


@pytest.mark.parametrize("text", ["", "1 Gi", "1GB", "Gi", "1ki", "--1", "1e999", "nan", "١"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        Quantity.parse(text)


@given(st.integers(0, 2**63 - 1))
def test_sizes_print_without_loss(size_bytes: int) -> None:
    assert Quantity.parse(str(Quantity.of_bytes(size_bytes))).value == size_bytes


def test_the_first_limit_that_an_image_exceeds_is_named() -> None:
    limits = NO_LIMITS.and_storage(Quantity.parse("1Gi")).and_storage(Quantity.parse("1Ki"))
    assert image_excess(limits, 1024) is None
    assert image_excess(limits, 1025) == (
        "requested usage of storage exceeds the maximum limit per openshift.io/Image (1025 > 1Ki)"
    )
    assert image_excess(NO_LIMITS, 2**62) is None


def stream(specs: dict[str, TagReference], moves: list[tuple[str, str]]) -> ImageStream:
    draft = Draft("ns", "app", None)
    draft.emit(ImageStreamCreated(Header(ObjectMeta(uid="u", generation=1))))
    for name, spec in specs.items():
        draft.emit(TagSet(name, spec, 1))
    for n, (tag, image) in enumerate(moves):
        draft.emit(TagImaged(tag, Item("2026-01-01T00:00:00Z", f"r/{n}", image, 1), Cause("Mapping")))
    return draft.existing


def spec(kind: str, name: str, namespace: str = "") -> TagReference:
    return TagReference(from_=ObjectReference(kind=kind, name=name, namespace=namespace))


TWO = Limits(images=Quantity.parse("2"), image_tags=Quantity.parse("2"))


def test_images_are_counted_once_over_all_histories() -> None:
    before = stream({}, [("a", "one"), ("b", "two"), ("a", "one")])
    assert stream_excess(TWO, None, before) is None
    after = stream({}, [("a", "one"), ("b", "two"), ("a", "three")])
    assert stream_excess(TWO, before, after) == (
        "requested usage of openshift.io/images exceeds the maximum limit per openshift.io/ImageStream (3 > 2)"
    )


def test_what_names_the_same_source_is_counted_once() -> None:
    same = {
        "a": spec("DockerImage", "busybox"),
        "b": spec("DockerImage", "docker.io/library/busybox:latest"),
        "c": spec("ImageStreamTag", "other:1"),
        "d": spec("ImageStreamTag", "other:1", "ns"),
        "e": spec("ImageStreamTag", "a"),
        "f": TagReference(),
    }
    assert stream_excess(TWO, None, stream(same, [])) is None
    excess = stream_excess(TWO, None, stream({**same, "g": spec("DockerImage", "busybox:2")}, []))
    assert excess is not None
    assert "openshift.io/image-tags" in excess


def test_both_excesses_are_told() -> None:
    specs = {name: spec("DockerImage", f"quay.io/a/{name}") for name in "abc"}
    excess = stream_excess(TWO, None, stream(specs, [("a", "1"), ("b", "2"), ("c", "3")]))
    assert excess is not None
    assert excess.startswith("[requested usage of openshift.io/images")
    assert "openshift.io/image-tags exceeds the maximum limit per openshift.io/ImageStream (3 > 2)]" in excess


def test_a_stream_over_its_limit_can_still_be_changed_unless_it_names_something_new() -> None:
    over = stream({name: spec("DockerImage", f"quay.io/a/{name}") for name in "abcd"}, [])
    draft = Draft("ns", "app", over)
    draft.emit(TagUnset("a", 2))
    assert stream_excess(TWO, over, draft.existing) is None
    draft.emit(TagSet("a", spec("DockerImage", "quay.io/a/new"), 3))
    assert stream_excess(TWO, over, draft.existing) is not None
