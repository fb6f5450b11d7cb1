"""What an image stream may say: its name, its repository, its spec tags, and the references in its history.

Keeps: the errors come in the order of the reference; tags, whose order it draws at random, in the stream's order.
Source: spec: image-api 12, 4.10.3, 11.4.2.
Elsewhere: the tags themselves (`tag_validation.py`), whether what they name is there (`tag_resolution.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from service.api.image_v1 import ImageStream
from service.api.pull_specs import NAME_LIMIT_CHARACTERS, InvalidPullSpec, parse_pull_spec
from service.domain.field_errors import FieldError, forbidden, invalid, required
from service.domain.object_meta import stream_name_problems, validate_new
from service.domain.storable import validate_key
from service.domain.tag_validation import (
    AdmitReference,
    admit_every,
    is_insecure,
    validate_reference,
    validate_tag_reference,
)


def validate_stream(stream: ImageStream, admit: AdmitReference = admit_every) -> list[FieldError]:
    """Every write of the main resource checks the whole stream, status included."""
    insecure = is_insecure(stream.metadata.annotations)
    errors = validate_new(stream.metadata, name_rule=stream_name_problems)
    if len(f"{stream.metadata.namespace}/{stream.metadata.name}".encode()) > NAME_LIMIT_CHARACTERS:
        wrong = f"'namespace/name' cannot be longer than {NAME_LIMIT_CHARACTERS} characters"
        errors.append(invalid("metadata.name", stream.metadata.name, wrong))
    if stream.spec.docker_image_repository:
        errors += _repository_errors(stream.spec.docker_image_repository, admit, insecure)
    for tag in stream.spec.tags:
        errors += validate_key(tag.name, f"spec.tags[{tag.name}].name")
        errors += validate_tag_reference(tag, f"spec.tags[{tag.name}]", admit, insecure)
    errors += _history_key_errors(stream)
    for reference, field, insecure_tag in _status_references(stream):
        if reference:
            errors += validate_reference(reference, field, admit, insecure_tag)
        else:
            errors.append(required(field))
    return errors


def validate_status(new: ImageStream, old: ImageStream, admit: AdmitReference = admit_every) -> list[FieldError]:
    """A write of /status: only references that were not there before are looked at, so that anything can be removed."""
    known = {reference for reference, _, _ in _status_references(old)}
    added: dict[str, list[tuple[str, bool]]] = {}
    for reference, field, insecure in _status_references(new):
        if reference not in known:
            added.setdefault(reference, []).append((field, insecure))
    errors = _history_key_errors(new)
    for reference, places in added.items():
        # One tag that may be insecure lets the reference pass for all of them.
        insecure = any(insecure for _, insecure in places)
        for field, _ in places:
            errors += validate_reference(reference, field, admit, insecure)
    return errors


def _repository_errors(repository: str, admit: AdmitReference, insecure: bool) -> list[FieldError]:
    field = "spec.dockerImageRepository"
    try:
        spec = parse_pull_spec(repository)
    except InvalidPullSpec as error:
        return [invalid(field, repository, str(error))]
    errors = []
    if spec.tag:
        errors.append(invalid(field, repository, "the repository name may not contain a tag"))
    if spec.id:
        errors.append(invalid(field, repository, "the repository name may not contain an ID"))
    refusal = None if errors else admit(spec, insecure)
    return errors if refusal is None else [forbidden(field, refusal)]


def _history_key_errors(stream: ImageStream) -> list[FieldError]:
    errors = []
    for history in stream.status.tags:
        field = f"status.tags[{history.tag}]"
        errors += validate_key(history.tag, f"{field}.tag")
        for i, item in enumerate(history.items or ()):
            errors += validate_key(item.image, f"{field}.items[{i}].image")
    return errors


def _status_references(stream: ImageStream) -> Iterator[tuple[str, str, bool]]:
    """(reference, field, whether it may be insecure) of every history item."""
    insecure = is_insecure(stream.metadata.annotations)
    insecure_tags = {tag.name for tag in stream.spec.tags if tag.import_policy.insecure}
    for history in stream.status.tags:
        for i, item in enumerate(history.items or ()):
            field = f"status.tags[{history.tag}].items[{i}].dockerImageReference"
            yield item.docker_image_reference, field, insecure or history.tag in insecure_tags
