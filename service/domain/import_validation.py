"""What an ImageStreamImport may ask for: at least one image or a repository, all of it in registries.

Keeps: the errors come in the order of the reference, the metadata last.
Source: spec: image-api 12. Elsewhere: the tags that an import leaves in the stream (`tag_validation.py`).
"""

from __future__ import annotations

from service.api.image_v1 import ImageImportSpec, ImageStreamImport, RepositoryImportSpec
from service.api.pull_specs import InvalidPullSpec, parse_pull_spec
from service.domain.field_errors import FieldError, invalid, required
from service.domain.object_meta import stream_name_problems, validate_new
from service.domain.tag_validation import validate_import_policy, validate_reference

ANY_NAME = "*"
"""Old clients look for streams with it; it is let through, and then fails to import."""
_ONLY_DOCKER_IMAGE = "only DockerImage is supported"


def validate_import(wanted: ImageStreamImport) -> list[FieldError]:
    errors = []
    for i, image in enumerate(wanted.spec.images):
        errors += _image_errors(image, f"spec.images[{i}]")
    if wanted.spec.repository is not None:
        errors += _repository_errors(wanted.spec.repository, "spec.repository")
    elif not wanted.spec.images:
        wrong = "you must specify at least one image or a repository import"
        errors.append(invalid("spec.images", None, wrong))
    return errors + validate_new(wanted.metadata, name_rule=stream_name_problems)


def _image_errors(image: ImageImportSpec, field: str) -> list[FieldError]:
    errors = []
    if image.from_.kind != "DockerImage":
        errors.append(invalid(f"{field}.from.kind", image.from_.kind, _ONLY_DOCKER_IMAGE))
    else:
        if image.to is not None and not image.to.name:
            errors.append(invalid(f"{field}.to.name", "", "the name of the target tag must be specified"))
        if image.from_.name == ANY_NAME:
            return errors
        if image.from_.name:
            errors += validate_reference(image.from_.name, f"{field}.from.name")
        else:
            errors.append(required(f"{field}.from.name"))
    return errors + validate_import_policy(image.import_policy, f"{field}.importPolicy")


def _repository_errors(repository: RepositoryImportSpec, field: str) -> list[FieldError]:
    name = repository.from_.name
    errors = []
    if repository.from_.kind != "DockerImage":
        errors.append(invalid(f"{field}.from.kind", repository.from_.kind, _ONLY_DOCKER_IMAGE))
    elif not name:
        errors.append(required(f"{field}.from.name", "container image references require a name"))
    else:
        try:
            spec = parse_pull_spec(name)
        except InvalidPullSpec as error:
            errors.append(invalid(f"{field}.from.name", name, str(error)))
        else:
            if spec.tag or spec.id:
                wrong = "you must specify an image repository, not a tag or ID"
                errors.append(invalid(f"{field}.from.name", name, wrong))
    return errors + validate_import_policy(repository.import_policy, f"{field}.importPolicy")
