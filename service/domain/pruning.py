"""What old history and which images may go: pure rules over what the API shows.

Keeps: an entry goes only for one of two reasons, that it is old in both senses (behind the kept revisions, and longer
there than the kept time) or that its image is gone; an image goes only if it is old and no entry that stays, no tag's
own source, and no list of images that stays names it. Image streams themselves never go.
Source: spec: image-api 15 (what `oc adm prune images` does).
Elsewhere: asking and telling the server (`cli/prune.py`), the events that record it (TagHistoryPruned, ImageDeleted).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from service.api.image_v1 import ImageStream, TagEvent

DIGEST_MARK = "@"


class Rule(msgspec.Struct, frozen=True):
    """What was made after `keep_since` (RFC 3339, UTC) stays, and so do the newest `keep_revisions` of each tag."""

    keep_since: str
    keep_revisions: int

    def keeps(self, created: str | None) -> bool:
        # Such times compare as text. What has no time is as old as can be.
        return (created or "") > self.keep_since


class KnownImage(msgspec.Struct, frozen=True):
    """As much of an image as the rules ask for."""

    name: str
    created: str | None = None
    size_bytes: int = 0
    members: tuple[str, ...] = ()
    """The images of a list, by digest."""


class TagCut(msgspec.Struct, frozen=True):
    tag: str
    kept: tuple[TagEvent, ...]
    gone: tuple[TagEvent, ...]


def cuts_of(stream: ImageStream, images: Collection[str], rule: Rule) -> list[TagCut]:
    """The tags of the stream that lose entries. Of a stream that is young itself, nothing goes."""
    if rule.keeps(stream.metadata.creation_timestamp):
        return []
    pinned = sources_of(stream)
    cuts = []
    for listed in stream.status.tags:
        kept: list[TagEvent] = []
        gone: list[TagEvent] = []
        for revision, item in enumerate(listed.items or ()):
            is_recent = revision < rule.keep_revisions or rule.keeps(item.created)
            stays = item.image in images and (is_recent or item.image in pinned)
            (kept if stays else gone).append(item)
        if gone:
            cuts.append(TagCut(listed.tag, tuple(kept), tuple(gone)))
    return cuts


def without(stream: ImageStream, cuts: Iterable[TagCut]) -> ImageStream:
    """The stream as it is after the cuts; a tag that has nothing left to show is not listed any more."""
    kept = {cut.tag: list(cut.kept) for cut in cuts}
    tags = []
    for listed in stream.status.tags:
        cut = msgspec.structs.replace(listed, items=kept.get(listed.tag, listed.items))
        if listed.tag not in kept or cut.items or cut.conditions:
            tags.append(cut)
    return msgspec.structs.replace(stream, status=msgspec.structs.replace(stream.status, tags=tags))


def images_to_delete(streams: Iterable[ImageStream], images: Mapping[str, KnownImage], rule: Rule) -> list[KnownImage]:
    """The images that nothing in the streams, as they are after the cuts, names any more, by name."""
    used: set[str] = set()
    for stream in streams:
        used |= sources_of(stream) | history_of(stream)
    for name in tuple(used):
        used.update(images[name].members if name in images else ())
    # The members of a list that stays because it is young stay with it.
    for image in images.values():
        if rule.keeps(image.created):
            used.update(image.members)
    return [image for name, image in sorted(images.items()) if name not in used and not rule.keeps(image.created)]


def history_of(stream: ImageStream) -> set[str]:
    """The digests in the history of its tags."""
    return {item.image for listed in stream.status.tags for item in listed.items or ()}


def sources_of(stream: ImageStream) -> set[str]:
    """The digests that tags of the stream name as what they point at."""
    named = (tag.from_.name for tag in stream.spec.tags if tag.from_ is not None)
    return {name.rpartition(DIGEST_MARK)[2] for name in named if DIGEST_MARK in name}
