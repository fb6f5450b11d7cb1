"""What happens to an image stream when images were imported into it, or could not be.

Every import is recorded, also one that finds what is there already; the fold shows a client only what changed.
Keeps: a stream that shows no change keeps its resourceVersion; one that does says when it was last checked. A tag that
was imported has the generation of the import, and so has the spec that it came of.
Source: spec: image-api 9.6, 4.8. Elsewhere: fetching (`importer/`), images (`commands/import_images.py`).
"""

from __future__ import annotations

import msgspec

from service.api.image_v1 import TagEventCondition, TagImportPolicy, TagReference, TagReferencePolicy
from service.api.meta_v1 import ObjectReference
from service.domain.draft import Draft
from service.domain.events import Cause, ImageStreamChanged, Item, TagImaged, TagImportFailed, TagSet, TagStatusWritten
from service.domain.imagestream import ImageStream, has_condition
from service.domain.stream_changes import tell_heirs
from service.domain.tracking import follow

CHECKED = "openshift.io/image.dockerRepositoryCheck"
IMPORT_SUCCESS = "ImportSuccess"


class Source(msgspec.Struct, frozen=True):
    """Where a tag is imported from, and on which terms."""

    tag: str
    name: str
    """A pull spec, as it was written"""
    import_policy: TagImportPolicy
    reference_policy: TagReferencePolicy


class Imported(msgspec.Struct, frozen=True):
    source: Source
    image: str
    reference: str
    """The pull spec of the image, by digest"""


class NotImported(msgspec.Struct, frozen=True):
    source: Source
    reason: str
    message: str
    makes_spec: bool
    """Whether a tag that is not there yet begins with this failure: not so for the tags of a repository."""


def record_import(draft: Draft, outcomes: list[Imported | NotImported], now: str) -> None:
    """The stream is there (`ensure_stream`), maybe since just now."""
    stream = draft.existing
    generation = stream.generation + (draft.before is not None)
    scratch = Draft(draft.namespace, draft.name, stream)
    for outcome in outcomes:
        if isinstance(outcome, Imported):
            _imported(scratch, outcome, generation, now)
        else:
            _not_imported(scratch, outcome, generation, now)
    if scratch.existing is not stream or CHECKED not in (stream.header.metadata.annotations or {}):
        draft.emit(_checked(stream, scratch.existing.generation, now))
    for event in scratch.events:
        draft.emit(event)
    tell_heirs(draft)


def _imported(draft: Draft, outcome: Imported, generation: int, now: str) -> None:
    source = outcome.source
    tag = draft.tag(source.tag)
    spec, head = (tag.spec, tag.head) if tag else (None, None)
    is_news = (
        tag is None
        or spec is None
        or spec.generation is None
        or head is None
        or (head.docker_image_reference, head.image) != (outcome.reference, outcome.image)
        or spec.generation > head.generation
    )
    if is_news or spec is None:
        spec = _spec_from(source, spec, generation)
    spec = msgspec.structs.replace(spec, import_policy=source.import_policy)
    _set_spec(draft, spec, generation)
    at = generation if is_news or head is None else head.generation
    draft.emit(TagImaged(source.tag, Item(now, outcome.reference, outcome.image, at), Cause("Import")))
    after = draft.existing.tags[source.tag]
    if after.conditions:
        draft.emit(TagStatusWritten(source.tag, tuple(after.items)))
    if is_news:
        follow(draft, [source.tag])


def _not_imported(draft: Draft, outcome: NotImported, generation: int, now: str) -> None:
    source = outcome.source
    tag = draft.tag(source.tag)
    spec = tag.spec if tag else None
    condition = TagEventCondition(
        type=IMPORT_SUCCESS,
        status="False",
        last_transition_time=now,
        reason=outcome.reason,
        message=outcome.message,
        generation=generation,
    )
    if tag is not None and spec is not None:
        if not has_condition(tag, condition):
            _set_spec(draft, msgspec.structs.replace(spec, generation=generation), generation)
    elif outcome.makes_spec:
        _set_spec(draft, _spec_from(source, None, generation), generation)
    draft.emit(TagImportFailed(source.tag, condition))


def _spec_from(source: Source, spec: TagReference | None, generation: int) -> TagReference:
    """Of a tag that is imported for the first time, or from elsewhere: it keeps whatever else it says."""
    origin = ObjectReference(kind="DockerImage", name=source.name)
    if spec is None:
        return TagReference(
            name=source.tag,
            from_=origin,
            generation=generation,
            import_policy=source.import_policy,
            reference_policy=source.reference_policy,
        )
    policy = spec.reference_policy if spec.reference_policy.type else source.reference_policy
    return msgspec.structs.replace(spec, from_=origin, generation=generation, reference_policy=policy)


def _set_spec(draft: Draft, spec: TagReference, generation: int) -> None:
    tag = draft.tag(spec.name)
    old = tag.spec if tag else None
    if spec == old:
        return
    if old is not None and spec.import_policy.import_mode != old.import_policy.import_mode:
        spec = msgspec.structs.replace(spec, generation=generation)
    draft.emit(TagSet(spec.name, spec, generation))


def _checked(stream: ImageStream, generation: int, now: str) -> ImageStreamChanged:
    metadata = stream.header.metadata
    annotations = {**(metadata.annotations or {}), CHECKED: now}
    metadata = msgspec.structs.replace(metadata, annotations=annotations, generation=generation)
    return ImageStreamChanged(msgspec.structs.replace(stream.header, metadata=metadata))
