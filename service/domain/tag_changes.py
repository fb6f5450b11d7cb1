"""What happens when a client sets or deletes one tag through ImageStreamTag or ImageTag.

Keeps: the stream is created when it is missing; the status of the stream is kept; tags that follow the changed one
move with it. Source: spec: image-api 5.4-5.6, 6.
Elsewhere: names, preconditions and what a client may not change (`commands/`).
"""

from __future__ import annotations

import msgspec

from service.api.image_v1 import TagReference
from service.api.meta_v1 import ObjectMeta
from service.domain.draft import Draft
from service.domain.events import Header, ImageStreamCreated, TagDeleted, TagSet
from service.domain.field_errors import FieldError
from service.domain.imagestream import Tag
from service.domain.stream_changes import change_spec, nested
from service.domain.tag_resolution import Surroundings, resolve
from service.domain.tracking import follow


def ensure_stream(draft: Draft, uid: str, around: Surroundings) -> None:
    """The stream of a tag that comes first: empty, generation 1."""
    if draft.stream is None:
        metadata = ObjectMeta(uid=uid, generation=1, creation_timestamp=around.now)
        draft.emit(ImageStreamCreated(Header(metadata)))


def set_tag(draft: Draft, name: str, spec: TagReference | None, around: Surroundings) -> list[FieldError]:
    """Set the spec of one tag, or remove it with None. The stream is there (`ensure_stream`)."""
    stream = draft.existing
    if spec is not None:
        spec = msgspec.structs.replace(spec, name=name)
    if draft.before is None:
        return _set_first_tag(draft, spec, around)
    others = [tag.spec for tag in stream.tags.values() if tag.spec is not None and tag.name != name]
    wanted = others if spec is None else [*others, spec]
    before = stream.tags
    errors = change_spec(draft, stream.header, wanted, around)
    follow(draft, moved_tags(draft, before))
    return errors


def _set_first_tag(draft: Draft, spec: TagReference | None, around: Surroundings) -> list[FieldError]:
    if spec is None:
        return []
    draft.emit(TagSet(spec.name, msgspec.structs.replace(spec, generation=1), 1))
    errors = resolve(draft, [spec.name], around)
    follow(draft, [spec.name])
    return nested(draft, errors)


def moved_tags(draft: Draft, before: dict[str, Tag]) -> list[str]:
    """The tags whose newest entry is another than before."""
    moved = []
    for name, tag in draft.existing.tags.items():
        old = before.get(name)
        if tag is not old and tag.head is not None and tag.head != (old.head if old else None):
            moved.append(name)
    return sorted(moved)


def delete_tag(draft: Draft, name: str) -> None:
    """Spec and history of the tag go; the generation counts only a spec that went (spec: image-api 5.6)."""
    stream = draft.existing
    generation = stream.generation + 1 if stream.tags[name].spec is not None else stream.generation
    draft.emit(TagDeleted(name, generation))
