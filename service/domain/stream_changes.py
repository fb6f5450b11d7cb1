"""What happens when a client creates, replaces, or deletes an image stream, or writes its /status.

Keeps: generations as the reference counts them; a write that changes nothing yields no event; whoever changes what a
tag inherits (labels, annotations, lookup policy) says so for each tag, so that every object changes at a position of
its own. Source: spec: image-api 4.1-4.3, 4.10; ADR 0003.
Elsewhere: validation (`stream_validation.py`), resolution (`tag_resolution.py`), managed fields (the caller's).
"""

from __future__ import annotations

import msgspec

from service.api.image_v1 import ImageStream as ImageStreamObject
from service.api.image_v1 import NamedTagEventList, TagEventCondition, TagReference
from service.api.meta_v1 import ObjectMeta
from service.api.pull_specs import InvalidPullSpec, parse_pull_spec
from service.domain.draft import Draft
from service.domain.errors import STALE, Conflict, GroupResource, Invalid, image_resource
from service.domain.events import (
    Header,
    ImageStreamChanged,
    ImageStreamCreated,
    ImageStreamDeleted,
    Item,
    TagDeleted,
    TagHistoryPruned,
    TagInherited,
    TagSet,
    TagStatusWritten,
    TagUnset,
)
from service.domain.field_errors import FieldError, internal, invalid, summary
from service.domain.imagestream import ImageStream, Tag, with_generation
from service.domain.served import Registry
from service.domain.tag_resolution import Surroundings, reference_changed, resolve
from service.domain.tracking import follow

STREAMS = image_resource("imagestreams")
STREAM_KIND = GroupResource(STREAMS.group, "ImageStream")


def create(draft: Draft, wanted: ImageStreamObject, around: Surroundings) -> list[FieldError]:
    """A new stream with its spec tags, resolved. `wanted.metadata` has uid and creationTimestamp already."""
    metadata = msgspec.structs.replace(
        wanted.metadata, name="", namespace="", resource_version="", generation=1, self_link="", deletion_timestamp=None
    )
    draft.emit(ImageStreamCreated(header_of(wanted, metadata)))
    for spec in wanted.spec.tags:
        draft.emit(TagSet(spec.name, msgspec.structs.replace(spec, generation=1), 1))
    names = [spec.name for spec in wanted.spec.tags]
    errors = resolve(draft, names, around)
    follow(draft, names)
    return nested(draft, errors)


def replace(draft: Draft, wanted: ImageStreamObject, around: Surroundings) -> list[FieldError]:
    """The stream as a client wants it; the status in it does not count.

    Tags follow one that came to point at another image (spec: image-api 4.7.3), but not a bare reference (observed).
    """
    before = draft.existing.tags
    errors = change_spec(draft, header_of(wanted, _kept(draft.existing, wanted.metadata)), wanted.spec.tags, around)
    follow(draft, [name for name, tag in sorted(draft.existing.tags.items()) if _other_image(tag, before.get(name))])
    return errors


def change_spec(draft: Draft, header: Header, tags: list[TagReference], around: Surroundings) -> list[FieldError]:
    """Bring header and spec tags to what is wanted, count generations, and resolve what changed."""
    stream = draft.existing
    old_specs = {name: tag.spec for name, tag in stream.tags.items() if tag.spec is not None}
    specs = {spec.name: _generation_kept(spec, old_specs.get(spec.name)) for spec in tags}
    generation = stream.generation
    if specs != old_specs or _spec_part(header) != _spec_part(stream.header) or generation == 0:
        generation += 1
    header = with_generation(header, generation)
    if header != stream.header and with_generation(header, 0) != with_generation(stream.header, 0):
        draft.emit(ImageStreamChanged(header))
    changed = _set_tags(draft, specs, old_specs, generation)
    if draft.existing.generation != generation:
        draft.emit(ImageStreamChanged(header))
    errors = resolve(draft, changed, around)
    tell_heirs(draft)
    return nested(draft, errors)


def _set_tags(
    draft: Draft, specs: dict[str, TagReference], old_specs: dict[str, TagReference], generation: int
) -> list[str]:
    """Emit the spec changes; the names of tags to resolve."""
    changed: list[str] = []
    for name in sorted(old_specs.keys() - specs.keys()):
        draft.emit(TagUnset(name, generation))
    for name in sorted(specs):
        spec, old = specs[name], old_specs.get(name)
        points_elsewhere = old is None or reference_changed(spec, old, draft.namespace)
        if points_elsewhere or not spec.generation:
            spec = msgspec.structs.replace(spec, generation=generation)
        if spec != old:
            draft.emit(TagSet(name, spec, generation))
        if points_elsewhere:
            changed.append(name)
    return changed


def write_status(draft: Draft, wanted: ImageStreamObject, around: Surroundings) -> None:
    """The /status subresource: histories, conditions, and of the rest labels, annotations and lookupPolicy."""
    stream = draft.existing
    header = Header(
        _kept(stream, wanted.metadata),
        wanted.spec.lookup_policy.local,
        stream.header.docker_image_repository,
        _repository(wanted.status.docker_image_repository),
        wanted.status.public_docker_image_repository,
    )
    if header != _with_stored_repositories(stream.header, around.registry, draft):
        draft.emit(ImageStreamChanged(header))
    lists = {entry.tag: entry for entry in wanted.status.tags}
    for name in sorted(stream.tags.keys() | lists.keys()):
        _write_tag_status(draft, name, lists.get(name))
    tell_heirs(draft)


def _write_tag_status(draft: Draft, name: str, entry: NamedTagEventList | None) -> None:
    tag = draft.tag(name)
    old_items = tuple(tag.items) if tag else ()
    items: tuple[Item, ...] = ()
    conditions: tuple[TagEventCondition, ...] = ()
    if entry is not None:
        items = tuple(Item(e.created or "", e.docker_image_reference, e.image, e.generation) for e in entry.items or ())
        conditions = tuple(entry.conditions)
    if items and items[0].generation == 0:
        items = (_stamped(items[0], bool(old_items), draft.existing.generation, tag), *items[1:])
    old_conditions = tag.conditions if tag else ()
    was_listed = tag is not None and tag.has_status
    if (items, conditions, entry is not None) == (old_items, old_conditions, was_listed):
        return
    if entry is None or (items and conditions == old_conditions and _is_subsequence(items, old_items)):
        draft.emit(TagHistoryPruned(name, items, conditions))
    else:
        draft.emit(TagStatusWritten(name, items, conditions))


def delete(draft: Draft) -> None:
    """The stream and every tag of it are gone from the views."""
    for name in sorted(draft.existing.tags):
        draft.emit(TagDeleted(name, draft.existing.generation))
    draft.emit(ImageStreamDeleted())


def tell_heirs(draft: Draft) -> None:
    """A TagInherited for each tag that shows an outdated header."""
    stream, before = draft.existing, draft.before
    if before is None or with_generation(stream.header, 0) == with_generation(before.header, 0):
        return
    # Most tags share one header, and a header is long.
    headers = {id(tag.header): tag.header for tag in stream.tags.values()}
    outdated = {key for key, header in headers.items() if header != stream.header}
    for name, tag in sorted(stream.tags.items()):
        if id(tag.header) in outdated:
            draft.emit(TagInherited(name))


def check_resource_version(stream: ImageStream, given: str) -> None:
    """A PUT names the version it was made from. Raises Invalid or Conflict (spec: image-api 4.2.1)."""
    if given in ("", "0"):
        wrong = invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise Invalid(STREAMS, stream.name, [wrong])
    if given != str(stream.changed):
        raise Conflict(STREAMS, stream.name, STALE)


def header_of(wanted: ImageStreamObject, metadata: ObjectMeta) -> Header:
    return Header(metadata, wanted.spec.lookup_policy.local, wanted.spec.docker_image_repository)


def nested(draft: Draft, errors: list[FieldError]) -> list[FieldError]:
    """Errors of resolution travel as one internal error of the stream (spec: image-api 4.5.3)."""
    if not errors:
        return []
    return [internal("[]", f'imagestreams "{draft.name}" is invalid: {summary(errors)}')]


def _kept(stream: ImageStream, metadata: ObjectMeta) -> ObjectMeta:
    """The metadata a client wants, with what only the server may say."""
    own = stream.header.metadata
    return msgspec.structs.replace(
        metadata,
        name="",
        namespace="",
        self_link="",
        resource_version="",
        uid=own.uid,
        creation_timestamp=own.creation_timestamp,
        generation=own.generation,
        deletion_timestamp=own.deletion_timestamp,
        deletion_grace_period_seconds=own.deletion_grace_period_seconds,
    )


def _generation_kept(spec: TagReference, old: TagReference | None) -> TagReference:
    if old is None or spec.generation == 0 or spec.generation == old.generation:
        return spec
    return msgspec.structs.replace(spec, generation=old.generation)


def _other_image(tag: Tag, old: Tag | None) -> bool:
    image = tag.head.image if tag.head else ""
    return image not in ("", old.head.image if old and old.head else "")


def _spec_part(header: Header) -> tuple[bool, str]:
    return header.lookup_local, header.docker_image_repository


def _with_stored_repositories(header: Header, registry: Registry, draft: Draft) -> Header:
    """The header as /status shows it, where a repository nobody wrote is the computed one."""
    if header.status_repository is not None:
        return header
    return msgspec.structs.replace(
        header,
        status_repository=registry.repository(draft.namespace, draft.name, header.docker_image_repository),
        status_public_repository=registry.public_repository(draft.namespace, draft.name),
    )


def _repository(text: str) -> str:
    """Without the tag or digest that a repository never shows (spec: image-api 3.4)."""
    try:
        return parse_pull_spec(text).repository().exact() if text else ""
    except InvalidPullSpec:
        return text


def _stamped(head: Item, had_history: bool, generation: int, tag: Tag | None) -> Item:
    """A new head that came without a generation gets one (spec: image-api 4.10.2)."""
    if had_history and tag and tag.spec and tag.spec.generation is not None:
        generation = tag.spec.generation
    return Item(head.created, head.docker_image_reference, head.image, generation)


def _is_subsequence(items: tuple[Item, ...], of: tuple[Item, ...]) -> bool:
    remaining = iter(of)
    return all(any(item == other for other in remaining) for item in items)
