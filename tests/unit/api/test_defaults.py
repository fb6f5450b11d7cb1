"""What a decoded object means where its author said nothing."""

from __future__ import annotations

from service.api.defaults import (
    default_image,
    default_imagestream,
    default_imagestreamimport,
    default_imagestreammapping,
    default_imagestreamtag,
    default_imagetag,
)
from service.api.image_v1 import (
    Image,
    ImageImportSpec,
    ImageStream,
    ImageStreamImport,
    ImageStreamImportSpec,
    ImageStreamMapping,
    ImageStreamSpec,
    ImageStreamStatus,
    ImageStreamTag,
    ImageTag,
    NamedTagEventList,
    RepositoryImportSpec,
    TagEvent,
    TagImportPolicy,
    TagReference,
    TagReferencePolicy,
)
from service.api.meta_v1 import LocalObjectReference, ObjectReference

SKELETON = {
    "kind": "DockerImage",
    "apiVersion": "image.openshift.io/1.0",
    "Id": "",
    "Created": None,
    "ContainerConfig": {},
}


def policies(tag: TagReference | None) -> tuple[str, str]:
    assert tag is not None
    return tag.import_policy.import_mode, tag.reference_policy.type


def test_tags_get_the_servers_import_mode_and_point_to_their_source() -> None:
    chosen = TagReference(
        name="chosen",
        import_policy=TagImportPolicy(import_mode="Legacy"),
        reference_policy=TagReferencePolicy("Local"),
    )
    stream = ImageStream(spec=ImageStreamSpec(tags=[TagReference(name="plain"), chosen]))
    tags = {tag.name: tag for tag in default_imagestream(stream, "PreserveOriginal").spec.tags}
    assert policies(tags["plain"]) == ("PreserveOriginal", "Source")
    assert policies(tags["chosen"]) == ("Legacy", "Local")


def test_tags_are_unique_by_name_and_sorted_and_the_last_of_equals_counts() -> None:
    tags = [TagReference(name="b"), TagReference(name="a"), TagReference(name="b", reference=True)]
    histories = [NamedTagEventList("z", [TagEvent(image="i")]), NamedTagEventList("y", []), NamedTagEventList("z", [])]
    stream = default_imagestream(
        ImageStream(spec=ImageStreamSpec(tags=tags), status=ImageStreamStatus(tags=histories)), "Legacy"
    )
    assert [(tag.name, tag.reference) for tag in stream.spec.tags] == [("a", False), ("b", True)]
    assert [(history.tag, history.items) for history in stream.status.tags] == [("y", None), ("z", None)]


def test_a_single_tag_gets_the_same_defaults() -> None:
    assert policies(default_imagestreamtag(ImageStreamTag(tag=TagReference()), "Legacy").tag) == ("Legacy", "Source")
    assert default_imagestreamtag(ImageStreamTag(), "Legacy").tag is None
    tag = default_imagetag(ImageTag(spec=TagReference(), status=NamedTagEventList("t", []), image=Image()), "Legacy")
    assert policies(tag.spec) == ("Legacy", "Source")
    assert tag.status == NamedTagEventList("t", None)
    assert tag.image is not None
    assert tag.image.docker_image_metadata == SKELETON


def test_an_image_without_metadata_gets_the_skeleton() -> None:
    for image in (default_image(Image()), default_imagestreammapping(ImageStreamMapping()).image):
        assert image.docker_image_metadata == SKELETON
        assert image.docker_image_metadata_version == "1.0"


def test_an_import_goes_to_the_tag_it_comes_from_if_it_names_one() -> None:
    def imported(name: str, to: LocalObjectReference | None = None) -> LocalObjectReference | None:
        wanted = ImageStreamImport(
            spec=ImageStreamImportSpec(images=[ImageImportSpec(ObjectReference("DockerImage", name=name), to)])
        )
        return default_imagestreamimport(wanted, "Legacy").spec.images[0].to

    assert imported("quay.io/a/b:v1") == LocalObjectReference("v1")
    assert imported("quay.io/a/b:v1", LocalObjectReference("mine")) == LocalObjectReference("mine")
    assert imported("quay.io/a/b") is None
    assert imported("quay.io/a/b@sha256:" + "a" * 64) is None
    assert imported("!!") is None


def test_imports_get_the_same_policies_as_tags() -> None:
    wanted = ImageStreamImport(
        spec=ImageStreamImportSpec(images=[ImageImportSpec()], repository=RepositoryImportSpec())
    )
    spec = default_imagestreamimport(wanted, "PreserveOriginal").spec
    assert spec.repository is not None
    for item in (spec.images[0], spec.repository):
        assert (item.import_policy.import_mode, item.reference_policy.type) == ("PreserveOriginal", "Source")
