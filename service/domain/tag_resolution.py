"""From what a spec tag says (`from`) to what it points at: the resolution of new and changed tags.

A DockerImage waits for an import, unless it is a bare reference; an ImageStreamTag or ImageStreamImage is looked up now
and copied once. Sources in other namespaces need the caller's right to pull from them.
Keeps: all wrong tags of a request are reported at once. Source: spec: image-api 4.3-4.5.
Elsewhere: following a tag of the same stream when it moves later (`tracking.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from service.api.image_v1 import TagReference
from service.domain.draft import Draft
from service.domain.events import Cause, Item, TagImaged
from service.domain.field_errors import ErrorType, FieldError, invalid, not_found
from service.domain.image_policy import ImagePolicy
from service.domain.imagestream import ImageStream, Tag
from service.domain.references import TAG_SOURCE_FORM, image_matches, split_tag_source
from service.domain.served import Registry


class Surroundings(msgspec.Struct, frozen=True):
    """What a decision may look at beside the stream it is about."""

    now: str
    """RFC 3339, UTC, whole seconds"""
    registry: Registry
    find_stream: Callable[[str, str], ImageStream | None]
    may_pull: Callable[[str, str], bool]
    """Whether the caller may get imagestreams/layers of (namespace, name)"""
    policy: ImagePolicy = ImagePolicy()


class Source(msgspec.Struct, frozen=True):
    namespace: str
    stream: str
    reference: str
    """A tag name or an image id"""


def reference_changed(new: TagReference, old: TagReference, namespace: str) -> bool:
    """Whether a tag points elsewhere than before, so that it is resolved again (spec: image-api 4.3)."""
    if new.from_ is None or not (new.from_.kind or new.from_.name):
        return False
    if old.from_ is None:
        return True
    return (
        (new.from_.namespace or namespace) != (old.from_.namespace or namespace)
        or new.from_.name != old.from_.name
        or new.reference != old.reference
        or new.import_policy.import_mode != old.import_policy.import_mode
    )


def resolve(draft: Draft, names: list[str], around: Surroundings) -> list[FieldError]:
    """Resolve these spec tags of the draft, emitting TagImaged for those that point at an image now."""
    errors: list[FieldError] = []
    denied = _denied(draft, names, around, errors)
    for name in names:
        tag = draft.tag(name)
        if tag is None or tag.spec is None or tag.spec.from_ is None or name in denied:
            continue
        if tag.spec.from_.kind == "DockerImage" and tag.spec.from_.name:
            if tag.spec.reference:
                item = Item(around.now, tag.spec.from_.name, "", draft.existing.generation)
                draft.emit(TagImaged(name, item, Cause("Reference")))
            continue
        error = _resolve_one(draft, tag, tag.spec, around)
        if error is not None:
            errors.append(error)
    return errors


def _denied(draft: Draft, names: list[str], around: Surroundings, errors: list[FieldError]) -> set[str]:
    """The tags whose source lies in a namespace that the caller may not pull from."""
    denied: set[str] = set()
    for name in names:
        tag = draft.tag(name)
        if tag is None or tag.spec is None or tag.spec.from_ is None:
            continue
        if tag.spec.from_.namespace in ("", draft.namespace):
            continue
        source = source_of(tag.spec, draft.namespace, draft.name)
        if source is None:
            errors.append(invalid(f"spec.tags[{name}].from.name", tag.spec.from_.name, TAG_SOURCE_FORM))
            denied.add(name)
        elif not around.may_pull(source.namespace, source.stream):
            where = f'{source.namespace}/{source.stream}: "" ""'
            errors.append(FieldError(ErrorType.FORBIDDEN, f"spec.tags[{name}].from", where))
            denied.add(name)
    return denied


def source_of(spec: TagReference, namespace: str, stream: str) -> Source | None:
    """The stream and the tag or image a reference names; None if it names none."""
    if spec.from_ is None:
        return None
    parts = split_tag_source(spec.from_.kind, spec.from_.name, stream)
    return Source(spec.from_.namespace or namespace, *parts) if parts else None


def _resolve_one(draft: Draft, tag: Tag, spec: TagReference, around: Surroundings) -> FieldError | None:
    field = f"spec.tags[{tag.name}].from.name"
    source = source_of(spec, draft.namespace, draft.name)
    given = spec.from_.name if spec.from_ else ""
    if source is None:
        return invalid(field, given, TAG_SOURCE_FORM)
    same_stream = (source.namespace, source.stream) == (draft.namespace, draft.name)
    stream = draft.existing if same_stream else around.find_stream(source.namespace, source.stream)
    if stream is None:
        return not_found(field, given)
    generation = draft.existing.generation
    if spec.from_ and spec.from_.kind == "ImageStreamTag":
        source_tag = stream.tags.get(source.reference or "latest")
        head = source_tag.head if source_tag else None
        if source_tag is None or head is None:
            return None
        if same_stream and head.generation != generation:
            stamped = Item(head.created, head.docker_image_reference, head.image, generation)
            draft.emit(TagImaged(source_tag.name, stamped, Cause("Stamp", draft.namespace, draft.name, tag.name)))
        cause = Cause("Tag", source.namespace, source.stream, source_tag.name)
        item = Item(head.created, head.docker_image_reference, head.image, generation)
    else:
        found = find_image(stream, source.reference)
        if isinstance(found, str):
            return invalid(field, given, f"error generating tag event: {found}")
        cause = Cause("Tag", source.namespace, source.stream, f"@{found.image}")
        item = Item(around.now, found.docker_image_reference, found.image, generation)
    if not spec.reference:
        reference = _relocated(item, stream, draft, around.registry)
        item = Item(item.created, reference, item.image, item.generation)
    draft.emit(TagImaged(tag.name, item, cause))
    return None


def find_image(stream: ImageStream, image_id: str) -> Item | str:
    """The history entry of the one image that an id names by prefix, or the sentence that says why there is none."""
    found: dict[str, Item] = {}
    for tag in stream.tags.values():
        for item in tag.items:
            if item.image and image_matches(item.image, image_id):
                found.setdefault(item.image, item)
    if not found:
        return f'imagestreamimage.image.openshift.io "{image_id}" not found'
    if len(found) > 1:
        return f'imagestreamimage.image.openshift.io "{image_id}" not found: multiple images match the prefix'
    return next(iter(found.values()))


def _relocated(item: Item, source: ImageStream, draft: Draft, registry: Registry) -> str:
    """The pull spec through this stream's repository if it pointed at the source's (spec: image-api 4.4.7)."""
    if not registry.internal_hostname or not item.image:
        return item.docker_image_reference
    repository = registry.repository(source.namespace, source.name)
    if item.docker_image_reference.partition("@")[0] != repository:
        return item.docker_image_reference
    return f"{registry.repository(draft.namespace, draft.name)}@{item.image}"
