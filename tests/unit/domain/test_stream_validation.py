"""What an image stream may say, and what a write of its status may add."""

from __future__ import annotations

from service.api.image_v1 import (
    ImageStream,
    ImageStreamSpec,
    ImageStreamStatus,
    NamedTagEventList,
    TagEvent,
    TagImportPolicy,
    TagReference,
    TagReferencePolicy,
)
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.api.pull_specs import PullSpec
from service.domain.stream_validation import validate_status, validate_stream


def stream(
    name: str = "app", repository: str = "", tags: list[TagReference] | None = None, **histories: list[str]
) -> ImageStream:
    status = [
        NamedTagEventList(tag, [TagEvent(docker_image_reference=reference) for reference in references])
        for tag, references in histories.items()
    ]
    return ImageStream(
        metadata=ObjectMeta(name=name, namespace="ns"),
        spec=ImageStreamSpec(docker_image_repository=repository, tags=tags or []),
        status=ImageStreamStatus(tags=status),
    )


def errors(wanted: ImageStream) -> list[str]:
    return [str(error) for error in validate_stream(wanted)]


def test_a_good_stream() -> None:
    tag = TagReference(
        name="t", from_=ObjectReference("DockerImage", name="a/b"), reference_policy=TagReferencePolicy("Source")
    )
    assert errors(stream(repository="quay.io/a/b", tags=[tag], t=["a/b@sha256:" + "a" * 64])) == []


def test_all_errors_come_at_once_and_in_order() -> None:
    bad = TagReference(
        name="a", from_=ObjectReference("DockerImage", name="!!"), reference_policy=TagReferencePolicy("Local")
    )
    assert errors(stream("T19", "a:b", [bad], x=["", "ok", "!!"])) == [
        'metadata.name: Invalid value: "T19": must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"',
        'spec.dockerImageRepository: Invalid value: "a:b": the repository name may not contain a tag',
        'spec.tags[a].from.name: Invalid value: "!!": invalid reference format',
        "status.tags[x].items[0].dockerImageReference: Required value",
        'status.tags[x].items[2].dockerImageReference: Invalid value: "!!": invalid reference format',
    ]


def test_a_repository_has_neither_tag_nor_id() -> None:
    digest = "sha256:" + "a" * 64
    assert errors(stream(repository=f"a/b:c@{digest}")) == [
        f'spec.dockerImageRepository: Invalid value: "a/b:c@{digest}": the repository name may not contain a tag',
        f'spec.dockerImageRepository: Invalid value: "a/b:c@{digest}": the repository name may not contain an ID',
    ]
    assert errors(stream(repository="a-|b")) == [
        'spec.dockerImageRepository: Invalid value: "a-|b": invalid reference format'
    ]


def test_namespace_and_name_fit_into_a_pull_spec() -> None:
    assert errors(stream("a" * 252)) == []
    (error,) = errors(stream("a" * 253))
    assert error.endswith(": 'namespace/name' cannot be longer than 255 characters")


def kept_out(spec: PullSpec, insecure: bool) -> str | None:
    return None if insecure or spec.registry != "evil.io" else "not allowed"


def test_a_policy_is_asked_about_every_reference() -> None:
    tag = TagReference(
        name="t", from_=ObjectReference("DockerImage", name="evil.io/a"), reference_policy=TagReferencePolicy("Source")
    )
    wanted = stream(repository="evil.io/a", tags=[tag], t=["evil.io/a", "good.io/a"])
    assert [str(error) for error in validate_stream(wanted, kept_out)] == [
        "spec.dockerImageRepository: Forbidden: not allowed",
        "spec.tags[t].from.name: Forbidden: not allowed",
        "status.tags[t].items[0].dockerImageReference: Forbidden: not allowed",
    ]
    tag.import_policy = TagImportPolicy(insecure=True)
    assert [error.field for error in validate_stream(wanted, kept_out)] == ["spec.dockerImageRepository"]
    wanted.metadata.annotations = {"openshift.io/image.insecureRepository": "true"}
    assert validate_stream(wanted, kept_out) == []


def test_a_write_of_the_status_is_judged_by_what_it_adds() -> None:
    old = stream(t=["!!old", "evil.io/old"])
    new = stream(t=["!!new", "!!old", "evil.io/old", "evil.io/new", ""], u=["!!new"])
    assert [str(error) for error in validate_status(new, old, kept_out)] == [
        'status.tags[t].items[0].dockerImageReference: Invalid value: "!!new": invalid reference format',
        'status.tags[u].items[0].dockerImageReference: Invalid value: "!!new": invalid reference format',
        "status.tags[t].items[3].dockerImageReference: Forbidden: not allowed",
        'status.tags[t].items[4].dockerImageReference: Invalid value: "": '
        "repository name must have at least one component",
    ]
    assert validate_status(stream(), old) == []
