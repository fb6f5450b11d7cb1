"""What a spec tag may say, by the catalogue of errors."""

from __future__ import annotations

import pytest

from service.api.image_v1 import TagImportPolicy, TagReference, TagReferencePolicy
from service.api.meta_v1 import ObjectReference
from service.api.pull_specs import PullSpec
from service.domain.tag_validation import is_insecure, validate_tag_reference

KINDS = "Required value: valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'"


def tag(
    kind: str | None, name: str = "", policy: TagImportPolicy | None = None, reference: str = "Source"
) -> TagReference:
    return TagReference(
        name="t",
        from_=None if kind is None else ObjectReference(kind, name=name),
        import_policy=policy or TagImportPolicy(),
        reference_policy=TagReferencePolicy(reference),
    )


@pytest.mark.parametrize(
    "good",
    [
        tag(None),
        tag("DockerImage", "quay.io/a/b:v1", TagImportPolicy(scheduled=True, import_mode="Legacy")),
        tag("DockerImage", "quay.io/a/b@sha256:" + "a" * 64, TagImportPolicy(scheduled=True)),
        tag("ImageStreamTag", "anything:at:all", TagImportPolicy(import_mode="PreserveOriginal"), "Local"),
        tag("ImageStreamImage", "app@sha256:ab"),
    ],
)
def test_good_tags(good: TagReference) -> None:
    assert validate_tag_reference(good, "tag") == []


@pytest.mark.parametrize(
    ("bad", "errors"),
    [
        (tag("DockerImage"), ["P.from.name: Required value"]),
        (tag(""), ["P.from.name: Required value", f"P.from.kind: {KINDS}"]),
        (tag("Foo", "x"), [f"P.from.kind: {KINDS}"]),
        (tag("DockerImage", "!!"), ['P.from.name: Invalid value: "!!": invalid reference format']),
        (
            tag("ImageStreamTag", "a:b", TagImportPolicy(scheduled=True)),
            [
                "P.importPolicy.scheduled: Invalid value: true: only tags pointing to Docker repositories may be "
                "scheduled for background import"
            ],
        ),
        (
            tag("", "", TagImportPolicy(import_mode="Nope"), "Nope"),
            [
                "P.from.name: Required value",
                f"P.from.kind: {KINDS}",
                'P.referencePolicy.type: Invalid value: "Nope": valid values are "Source", "Local"',
                'P.importPolicy.importMode: Invalid value: "Nope": invalid import mode, valid modes are '
                "'', 'Legacy', 'PreserveOriginal'",
            ],
        ),
    ],
)
def test_bad_tags(bad: TagReference, errors: list[str]) -> None:
    assert [str(error) for error in validate_tag_reference(bad, "P")] == errors


def test_a_policy_keeps_registries_out_unless_they_may_be_insecure() -> None:
    def admit(spec: PullSpec, insecure: bool) -> str | None:
        return None if insecure else f'registry "{spec.registry}" not allowed'

    kept_out = tag("DockerImage", "evil.io/a/b")
    assert [str(error) for error in validate_tag_reference(kept_out, "tag", admit)] == [
        'tag.from.name: Forbidden: registry "evil.io" not allowed'
    ]
    assert validate_tag_reference(kept_out, "tag", admit, insecure_repository=True) == []
    assert validate_tag_reference(tag("DockerImage", "evil.io/a/b", TagImportPolicy(insecure=True)), "tag", admit) == []
    assert validate_tag_reference(tag("ImageStreamTag", "a:b"), "tag", admit) == []


def test_an_annotation_makes_a_repository_insecure() -> None:
    assert is_insecure({"openshift.io/image.insecureRepository": "true"})
    assert not is_insecure({"openshift.io/image.insecureRepository": "yes"})
    assert not is_insecure(None)
