"""What a reference to an image may say: the rules of a spec tag, wherever it is written.

Keeps: the errors come in the order of the reference. A registry that policy keeps out is a wrong field like any other:
the policy is a function (`AdmitReference`), asked only about references that parse.
Source: spec: image-api 12, 11.4.2. Elsewhere: whether what a tag names is there (`tag_resolution.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from service.api.image_v1 import TagImportPolicy, TagReference
from service.api.pull_specs import InvalidPullSpec, PullSpec, parse_pull_spec
from service.domain.field_errors import FieldError, forbidden, invalid, required

AdmitReference: TypeAlias = Callable[[PullSpec, bool], str | None]
"""(pull spec, whether its registry may be insecure) → why it is kept out, or None."""

INSECURE_ANNOTATION = "openshift.io/image.insecureRepository"
IMPORT_MODES = ("Legacy", "PreserveOriginal")
REFERENCE_POLICIES = ("Source", "Local")
_UNSCHEDULABLE = "only tags pointing to Docker repositories may be scheduled for background import"
_KINDS = "valid values are 'DockerImage', 'ImageStreamImage', 'ImageStreamTag'"


def admit_every(_spec: PullSpec, _insecure: bool) -> str | None:
    """The policy of a server that has none."""
    return None


def validate_tag_reference(
    tag: TagReference,
    field: str,
    admit: AdmitReference = admit_every,
    insecure_repository: bool = False,
) -> list[FieldError]:
    """`field` is `spec.tags[<tag>]`, `tag` or `spec`."""
    errors = _source_errors(tag, field, admit, insecure_repository) if tag.from_ is not None else []
    if tag.reference_policy.type not in REFERENCE_POLICIES:
        wrong = 'valid values are "Source", "Local"'
        errors.append(invalid(f"{field}.referencePolicy.type", tag.reference_policy.type, wrong))
    return errors + validate_import_policy(tag.import_policy, f"{field}.importPolicy")


def validate_import_policy(policy: TagImportPolicy, field: str) -> list[FieldError]:
    if policy.import_mode in ("", *IMPORT_MODES):
        return []
    wrong = "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'"
    return [invalid(f"{field}.importMode", policy.import_mode, wrong)]


def validate_reference(
    text: str, field: str, admit: AdmitReference = admit_every, insecure: bool = False
) -> list[FieldError]:
    """A pull spec that has to parse and to be let in."""
    try:
        spec = parse_pull_spec(text)
    except InvalidPullSpec as error:
        return [invalid(field, text, str(error))]
    refusal = admit(spec, insecure)
    return [forbidden(field, refusal)] if refusal is not None else []


def is_insecure(annotations: dict[str, str] | None) -> bool:
    """Whether the owner of these annotations may talk to its registry without TLS."""
    return (annotations or {}).get(INSECURE_ANNOTATION) == "true"


def _source_errors(tag: TagReference, field: str, admit: AdmitReference, insecure_repository: bool) -> list[FieldError]:
    source = tag.from_
    if source is None:
        return []
    errors = [] if source.name else [required(f"{field}.from.name")]
    if source.kind == "DockerImage":
        if source.name:
            insecure = tag.import_policy.insecure or insecure_repository
            errors += validate_reference(source.name, f"{field}.from.name", admit, insecure)
    elif source.kind in ("ImageStreamTag", "ImageStreamImage"):
        if tag.import_policy.scheduled:
            errors.append(invalid(f"{field}.importPolicy.scheduled", True, _UNSCHEDULABLE))
    else:
        errors.append(required(f"{field}.from.kind", _KINDS))
    return errors
