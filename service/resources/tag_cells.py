"""What a table says of tags: the Tags cell of an image stream, and the row of an image tag.

Keeps: pure functions of the API objects and the time of asking; times compare as text, for they are all RFC 3339 in
UTC with whole seconds. Elsewhere: the columns and the other cells (`table_columns.py`).
Source: spec: image-api 13.1, 13.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from service.api.image_v1 import ImageTag, NamedTagEventList, TagReference
from service.api.meta_v1 import ObjectReference
from service.resources.durations import ago

WIDTH_CHARACTERS = 40
OVERHANG_CHARACTERS = 10
"""A tag may stick out this far, if leaving it out would leave more than this much white."""


def tags_cell(tags: list[NamedTagEventList]) -> str:
    """The tags that fit, the one with the newest image first, and how many more there are."""
    by_name = sorted(tags, key=lambda tag: tag.tag)
    # Sorting is stable: of two tags as new as each other the name decides. Without images a tag comes last.
    ordered = [tag.tag for tag in sorted(by_name, key=_created, reverse=True)]
    shown = _fitting(ordered)
    text = ",".join(ordered[:shown])
    return f"{text} + {len(ordered) - shown} more..." if shown < len(ordered) else text


def _created(tag: NamedTagEventList) -> str:
    return (tag.items[0].created or "") if tag.items else ""


def _fitting(names: list[str]) -> int:
    room = WIDTH_CHARACTERS
    for i, name in enumerate(names):
        room -= len(name) + 1
        if room >= 0:
            continue
        if i == 0:
            return 1
        if room + len(name) > OVERHANG_CHARACTERS and -room <= OVERHANG_CHARACTERS:
            continue
        return i
    return len(names)


class _Wanted(msgspec.Struct, frozen=True):
    """What the spec of a tag asks for, in a word, and from where."""

    word: str = ""
    source: str = ""
    problem: str = ""


def image_tag_row(tag: ImageTag, now: str) -> tuple[str, str, int | None, str]:
    """The cells Spec, Status, History (None for none) and Updated."""
    wanted = _wanted(tag.spec)
    items = (tag.status.items if tag.status else None) or []
    word, source, problem = wanted.word, wanted.source, wanted.problem
    spec_generation = (tag.spec.generation if tag.spec else None) or 0
    if items:
        head = items[0]
        if 0 < head.generation < spec_generation:
            problem = "Importing"
        else:
            source = f"image/{head.image}" if head.image else head.docker_image_reference
        if word != "Track" and head.generation > spec_generation > 0:
            word = "Push"
    if source and not word:
        word = "Push"
    for condition in tag.status.conditions if tag.status else ():
        if (condition.type, condition.status) == ("ImportSuccess", "False"):
            problem = f"ImportFailed ({condition.reason})"
    return word, problem or source, len(items) or None, ago(max(_times(tag), default=None), now)


def _times(tag: ImageTag) -> Iterator[str]:
    if tag.status is None:
        return
    times = [event.created for event in (tag.status.items or [])[:1]]
    times += [condition.last_transition_time for condition in tag.status.conditions]
    yield from (time for time in times if time)


def _wanted(spec: TagReference | None) -> _Wanted:
    if spec is None or spec.from_ is None:
        return _Wanted()
    word = "Tag"
    if spec.reference:
        word = "Ref"
    if spec.import_policy.scheduled:
        word = "Scheduled"
    return _from(word, spec.from_)


def _from(word: str, origin: ObjectReference) -> _Wanted:
    match origin.kind:
        case "DockerImage":
            return _Wanted(word, origin.name)
        case "ImageStreamImage":
            name, _, digest = origin.name.partition("@")
            if not name or not digest or "@" in digest:
                return _Wanted(word, problem="InvalidRefName")
            return _Wanted(word, f"image/{digest}")
        case "ImageStreamTag":
            where = f"istag {origin.namespace}/{origin.name}" if origin.namespace else f"istag/{origin.name}"
            # A bare name is a tag of the same stream, and followed wherever it goes.
            return _Wanted(word if ":" in origin.name else "Track", where)
        case _:
            return _Wanted(word, problem="InvalidRefKind")
