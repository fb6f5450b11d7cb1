"""Tags that follow another tag of their own stream move with it.

Keeps: one level per pass, as the reference does; chains follow with the next moves. Source: spec: image-api 4.7.
"""

from __future__ import annotations

from service.api.image_v1 import TagReference
from service.domain.draft import Draft
from service.domain.events import Cause, TagImaged
from service.domain.imagestream import ImageStream, Tag


def followers(stream: ImageStream, source: str) -> list[Tag]:
    """The spec tags that follow `source` within the stream, by name."""
    specified = [(tag, tag.spec) for tag in stream.tags.values() if tag.spec is not None]
    if not specified:
        return []
    names = (source, f"{stream.name}:{source}")
    found = [tag for tag, spec in specified if _follows(tag, spec, names)]
    return sorted((tag for tag in found if tag.name != source), key=lambda tag: tag.name)


def _follows(tag: Tag, spec: TagReference, names: tuple[str, str]) -> bool:
    origin = spec.from_
    return (
        origin is not None
        and origin.kind == "ImageStreamTag"
        and origin.name in names
        and origin.namespace in ("", tag.namespace)
    )


def follow(draft: Draft, moved: list[str]) -> None:
    """Move the tags that follow any of the `moved` ones."""
    for source in moved:
        tag = draft.tag(source)
        if tag is None or tag.head is None:
            continue
        for follower in followers(draft.existing, source):
            draft.emit(TagImaged(follower.name, tag.head, Cause("Tracking", draft.namespace, draft.name, source)))
