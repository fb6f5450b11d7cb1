"""What a table says of tags: rows as they were recorded, and the Tags cell at its edges."""

from __future__ import annotations

import pytest

from service.api.image_v1 import (
    Image,
    ImageStream,
    ImageStreamImage,
    ImageStreamSpec,
    ImageStreamStatus,
    ImageStreamTag,
    ImageTag,
    NamedTagEventList,
    TagEvent,
    TagEventCondition,
    TagImportPolicy,
    TagReference,
)
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.resources.table_columns import IMAGE_STREAM, IMAGE_STREAM_IMAGE, IMAGE_STREAM_TAG, IMAGE_TAG
from service.resources.tag_cells import image_tag_row, tags_cell

NOW = "2026-01-03T00:00:00Z"
DAY_1, DAY_2 = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
DIGEST = "sha256:11e6feac7e5d496b7e4a1ae2683f93b169e76daafe4d1bdb4ff762795ead76b8"


def status_tag(name: str, created: str | None = DAY_1) -> NamedTagEventList:
    return NamedTagEventList(tag=name, items=[TagEvent(created, "q/a", DIGEST, 1)] if created else None)


@pytest.mark.parametrize(
    ("names", "cell"),
    [
        ([], ""),
        (["b", "a"], "a,b"),
        (["x" * 60], "x" * 60),
        (["x" * 60, "y"], f"{'x' * 60} + 1 more..."),
        (["a" * 19, "b" * 19], f"{'a' * 19},{'b' * 19}"),
        (["a" * 19, "b" * 19, "c"], f"{'a' * 19},{'b' * 19} + 1 more..."),
        (["a" * 25, "b" * 20], f"{'a' * 25},{'b' * 20}"),
        (["a" * 25, "b" * 24], f"{'a' * 25} + 1 more..."),
        (["a" * 25, "b" * 23], f"{'a' * 25},{'b' * 23}"),
        (["a" * 30, "b" * 12], f"{'a' * 30} + 1 more..."),
    ],
)
def test_as_many_tags_as_fit(names: list[str], cell: str) -> None:
    assert tags_cell([status_tag(name) for name in names]) == cell


def test_the_newest_tag_comes_first_and_one_without_images_last() -> None:
    tags = [status_tag("none", None), status_tag("old", DAY_1), status_tag("b", DAY_2), status_tag("a", DAY_2)]
    assert tags_cell(tags) == "a,b,old,none"


def wanted(
    kind: str, name: str, namespace: str = "", generation: int = 1, reference: bool = False, scheduled: bool = False
) -> TagReference:
    origin = ObjectReference(kind=kind, name=name, namespace=namespace)
    return TagReference(
        name="t",
        from_=origin,
        generation=generation,
        reference=reference,
        import_policy=TagImportPolicy(scheduled=scheduled),
    )


def events(*generations: int, image: str = DIGEST) -> NamedTagEventList:
    return NamedTagEventList(tag="t", items=[TagEvent(DAY_1, "quay.io/r/r:1", image, g) for g in generations])


def condition(status: str, time: str) -> NamedTagEventList:
    failed = TagEventCondition("ImportSuccess", status, time, "NotFound", "gone", 1)
    return NamedTagEventList(tag="t", items=None, conditions=[failed])


AGO = "2 days ago"


@pytest.mark.parametrize(
    ("spec", "status", "row"),
    [
        (None, None, ("", "", None, "")),
        (wanted("DockerImage", "a/b:c", reference=True), None, ("Ref", "a/b:c", None, "")),
        (wanted("DockerImage", "a/b:c", reference=True, scheduled=True), None, ("Scheduled", "a/b:c", None, "")),
        (None, events(1), ("Push", f"image/{DIGEST}", 1, AGO)),
        (wanted("DockerImage", "q/a:1"), events(1), ("Tag", f"image/{DIGEST}", 1, AGO)),
        (wanted("DockerImage", "q/a:1", generation=2), events(1), ("Tag", "Importing", 1, AGO)),
        (wanted("DockerImage", "q/a:1"), events(3, 1), ("Push", f"image/{DIGEST}", 2, AGO)),
        (wanted("DockerImage", "q/a:1", reference=True), events(1, image=""), ("Ref", "quay.io/r/r:1", 1, AGO)),
        (wanted("ImageStreamImage", f"s@{DIGEST}"), None, ("Tag", f"image/{DIGEST}", None, "")),
        (wanted("ImageStreamImage", "s"), events(1), ("Tag", "InvalidRefName", 1, AGO)),
        (wanted("ImageStreamTag", "s:t"), None, ("Tag", "istag/s:t", None, "")),
        (wanted("ImageStreamTag", "s:t", "ns2"), None, ("Tag", "istag ns2/s:t", None, "")),
        (wanted("ImageStreamTag", "b"), None, ("Track", "istag/b", None, "")),
        (wanted("ImageStreamTag", "b"), events(3, 1), ("Track", f"image/{DIGEST}", 2, AGO)),
        (wanted("Pod", "b"), None, ("Tag", "InvalidRefKind", None, "")),
        (
            wanted("DockerImage", "q/a:1"),
            condition("False", DAY_2),
            ("Tag", "ImportFailed (NotFound)", None, "24 hours ago"),
        ),
        (wanted("DockerImage", "q/a:1"), condition("True", DAY_2), ("Tag", "q/a:1", None, "24 hours ago")),
    ],
)
def test_the_row_of_an_image_tag(
    spec: TagReference | None, status: NamedTagEventList | None, row: tuple[str, str, int | None, str]
) -> None:
    assert image_tag_row(ImageTag(spec=spec, status=status), NOW) == row


def test_the_cells_of_each_kind() -> None:
    image = Image(metadata=ObjectMeta(name=DIGEST), docker_image_reference="q/a")
    meta = ObjectMeta(name="n", creation_timestamp=DAY_1)
    stream = ImageStream(metadata=meta, status=ImageStreamStatus("host/n", tags=[status_tag("t")]))
    assert IMAGE_STREAM.cells(stream, NOW) == ["n", "host/n", "t", AGO]
    assert IMAGE_STREAM_TAG.cells(ImageStreamTag(metadata=meta, image=image), NOW) == ["n", "q/a", AGO, DIGEST]
    assert IMAGE_TAG.cells(ImageTag(metadata=meta), NOW) == ["n", "", "", None, ""]
    assert IMAGE_STREAM_IMAGE.cells(ImageStreamImage(metadata=meta, image=image), NOW) == ["n", AGO, "q/a", DIGEST]


def test_the_repository_of_a_stream_is_the_most_public_one() -> None:
    spec = ImageStreamSpec(docker_image_repository="spec")
    public = ImageStream(spec=spec, status=ImageStreamStatus("internal", public_docker_image_repository="public"))
    assert IMAGE_STREAM.cells(public, NOW)[1] == "public"
    assert IMAGE_STREAM.cells(ImageStream(spec=spec, status=ImageStreamStatus("internal")), NOW)[1] == "spec"


def test_a_bookmark_has_cells_too() -> None:
    """The empty object stands for where a watch is."""
    assert IMAGE_STREAM.cells(ImageStream(), NOW) == ["", "", "", ""]
    assert IMAGE_TAG.cells(ImageTag(), NOW) == ["", "", "", None, ""]
