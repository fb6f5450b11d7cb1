"""How generations count (spec: image-api 4.2): each row of the table of client changes, on a stream of three tags."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from service.api.image_v1 import ImageStream, ImageStreamSpec, TagImportPolicy, TagReference, TagReferencePolicy
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.domain import served
from service.domain.draft import Draft
from service.domain.events import TagSet
from service.domain.imagestream import apply
from service.domain.served import Registry
from service.domain.stream_changes import create, replace
from service.domain.tag_resolution import Surroundings

REGISTRY = Registry("registry:5000")


def around(now: str = "2026-01-01T00:00:00Z") -> Surroundings:
    return Surroundings(now, REGISTRY, lambda namespace, name: None, lambda namespace, name: True)


def docker_tag(name: str) -> TagReference:
    return TagReference(
        name=name,
        from_=ObjectReference(kind="DockerImage", name=f"quay.io/a/b:{name}"),
        import_policy=TagImportPolicy(import_mode="Legacy"),
        reference_policy=TagReferencePolicy(type="Source"),
    )


@pytest.fixture
def stream() -> Draft:
    draft = Draft("ns", "app", None)
    metadata = ObjectMeta(name="app", namespace="ns", uid="u", creation_timestamp="2026-01-01T00:00:00Z")
    spec = ImageStreamSpec(tags=[docker_tag("a"), docker_tag("b"), docker_tag("c")])
    assert create(draft, ImageStream(metadata=metadata, spec=spec), around()) == []
    return draft


def changed(stream: Draft, change: Callable[[ImageStream], object]) -> tuple[int, dict[str, int | None]]:
    """Generation of the stream and of each tag after a client's replacement."""
    current = served.imagestream(stream.existing, REGISTRY)
    wanted = msgspec.json.decode(msgspec.json.encode(current), type=ImageStream)
    change(wanted)
    draft = Draft("ns", "app", stream.existing)
    assert replace(draft, wanted, around("2026-01-02T00:00:00Z")) == []
    after = served.imagestream(draft.existing, REGISTRY)
    return after.metadata.generation, {tag.name: tag.generation for tag in after.spec.tags}


def test_a_new_stream_and_its_tags_begin_at_one(stream: Draft) -> None:
    assert changed(stream, lambda wanted: None) == (1, {"a": 1, "b": 1, "c": 1})


def set_tag(**fields: object) -> Callable[[ImageStream], object]:
    def change(wanted: ImageStream) -> None:
        wanted.spec.tags[0] = msgspec.structs.replace(wanted.spec.tags[0], **fields)

    return change


ELSEWHERE = ObjectReference(kind="DockerImage", name="quay.io/a/other:1")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(set_tag(from_=ELSEWHERE), id="from.name"),
        pytest.param(set_tag(reference=True), id="reference"),
        pytest.param(set_tag(import_policy=TagImportPolicy(import_mode="PreserveOriginal")), id="importMode"),
        pytest.param(set_tag(generation=0), id="generation 0, the wish to import again"),
    ],
)
def test_a_tag_that_points_elsewhere_takes_the_new_generation(
    stream: Draft, change: Callable[[ImageStream], object]
) -> None:
    assert changed(stream, change) == (2, {"a": 2, "b": 1, "c": 1})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(set_tag(import_policy=TagImportPolicy(import_mode="Legacy", scheduled=True)), id="scheduled"),
        pytest.param(set_tag(import_policy=TagImportPolicy(import_mode="Legacy", insecure=True)), id="insecure"),
        pytest.param(set_tag(reference_policy=TagReferencePolicy(type="Local")), id="referencePolicy"),
        pytest.param(set_tag(annotations={"a": "b"}), id="annotations of the tag"),
        pytest.param(set_tag(from_=None), id="from removed"),
        pytest.param(lambda wanted: setattr(wanted.spec.lookup_policy, "local", True), id="lookupPolicy"),
        pytest.param(lambda wanted: setattr(wanted.spec, "docker_image_repository", "q/a"), id="dockerImageRepository"),
    ],
)
def test_other_changes_of_the_spec_count_only_for_the_stream(
    stream: Draft, change: Callable[[ImageStream], object]
) -> None:
    assert changed(stream, change) == (2, {"a": 1, "b": 1, "c": 1})


@pytest.mark.parametrize("generation", [None, -1, 1, 50])
def test_any_other_generation_a_client_sends_means_keep(stream: Draft, generation: int | None) -> None:
    assert changed(stream, set_tag(generation=generation)) == (1, {"a": 1, "b": 1, "c": 1})


def test_metadata_alone_counts_nothing(stream: Draft) -> None:
    assert changed(stream, lambda wanted: setattr(wanted.metadata, "labels", {"l": "v"}))[0] == 1


def test_a_tag_that_is_new_takes_the_new_generation_whatever_was_sent(stream: Draft) -> None:
    new = msgspec.structs.replace(docker_tag("new"), generation=9)
    assert changed(stream, lambda wanted: wanted.spec.tags.append(new)) == (2, {"a": 1, "b": 1, "c": 1, "new": 2})


def test_a_tag_that_is_dropped_counts_for_the_stream(stream: Draft) -> None:
    assert changed(stream, lambda wanted: wanted.spec.tags.pop(0)) == (2, {"b": 1, "c": 1})


def test_the_tags_that_stay_show_the_new_generation_at_their_own_position(stream: Draft) -> None:
    before = stream.existing
    spec = docker_tag("elsewhere")
    after = apply(before, "ns", "app", TagSet("c", msgspec.structs.replace(spec, name="c"), 2), 100)
    assert after is not None
    shown = {name: served.imagetag(tag, None, REGISTRY).metadata for name, tag in after.tags.items()}
    assert {name: metadata.generation for name, metadata in shown.items()} == {"a": 2, "b": 2, "c": 2}
    positions = {name: tag.changed for name, tag in after.tags.items()}
    assert positions == {"a": before.tags["a"].changed, "b": before.tags["b"].changed, "c": 100}
    assert after.tags["a"].header is after.tags["b"].header, "what was shared is shared"
    assert before.tags["a"].header.metadata.generation == 1, "states are never changed in place"
