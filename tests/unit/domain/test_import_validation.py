"""What an import may ask for."""

from __future__ import annotations

import pytest

from service.api.image_v1 import (
    ImageImportSpec,
    ImageStreamImport,
    ImageStreamImportSpec,
    RepositoryImportSpec,
    TagImportPolicy,
)
from service.api.meta_v1 import LocalObjectReference, ObjectMeta, ObjectReference
from service.domain.import_validation import validate_import


def docker(name: str) -> ObjectReference:
    return ObjectReference("DockerImage", name=name)


def errors(*images: ImageImportSpec, repository: ObjectReference | None = None, name: str = "app") -> list[str]:
    spec = ImageStreamImportSpec(
        images=list(images), repository=RepositoryImportSpec(repository) if repository else None
    )
    wanted = ImageStreamImport(metadata=ObjectMeta(name=name, namespace="ns"), spec=spec)
    return [str(error) for error in validate_import(wanted)]


def test_good_imports() -> None:
    assert (
        errors(ImageImportSpec(docker("a/b:c")), ImageImportSpec(docker("*")), repository=docker("quay.io/a/b")) == []
    )


def test_something_is_asked_for() -> None:
    assert errors() == ["spec.images: Invalid value: null: you must specify at least one image or a repository import"]


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (
            ImageImportSpec(ObjectReference("Foo", name="x")),
            'from.kind: Invalid value: "Foo": only DockerImage is supported',
        ),
        (ImageImportSpec(docker("")), "from.name: Required value"),
        (ImageImportSpec(docker("!!")), 'from.name: Invalid value: "!!": invalid reference format'),
        (
            ImageImportSpec(docker("a/b"), LocalObjectReference("")),
            'to.name: Invalid value: "": the name of the target tag must be specified',
        ),
        (
            ImageImportSpec(docker("a/b"), import_policy=TagImportPolicy(import_mode="Nope")),
            "importPolicy.importMode: Invalid value: \"Nope\": invalid import mode, valid modes are '', 'Legacy', "
            "'PreserveOriginal'",
        ),
    ],
)
def test_a_bad_image(image: ImageImportSpec, error: str) -> None:
    assert errors(image) == [f"spec.images[0].{error}"]


@pytest.mark.parametrize(
    ("repository", "error"),
    [
        (ObjectReference("Foo"), 'from.kind: Invalid value: "Foo": only DockerImage is supported'),
        (docker(""), "from.name: Required value: container image references require a name"),
        (docker("!!"), 'from.name: Invalid value: "!!": invalid reference format'),
        (docker("a:b"), 'from.name: Invalid value: "a:b": you must specify an image repository, not a tag or ID'),
    ],
)
def test_a_bad_repository(repository: ObjectReference, error: str) -> None:
    assert errors(repository=repository) == [f"spec.repository.{error}"]


def test_the_name_of_the_stream_is_judged_last() -> None:
    assert errors(ImageImportSpec(docker("!!")), name="BAD!") == [
        'spec.images[0].from.name: Invalid value: "!!": invalid reference format',
        'metadata.name: Invalid value: "BAD!": must match "[a-z0-9]+(?:[._-][a-z0-9]+)*"',
    ]
