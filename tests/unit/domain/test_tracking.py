"""Tags that follow another tag of their stream move with it, however it was moved (spec: image-api 4.7)."""

from __future__ import annotations

import msgspec

from service.api.image_v1 import ImageStream, TagReference
from service.api.meta_v1 import ObjectMeta, ObjectReference
from service.domain import served
from service.domain.draft import Draft
from service.domain.events import Cause, Header, ImageStreamCreated, Item, TagImaged, TagSet
from service.domain.mapping import map_image
from service.domain.served import Registry
from service.domain.stream_changes import replace
from service.domain.tag_resolution import Surroundings

REGISTRY = Registry("registry:5000")
NOW = "2026-01-02T00:00:00Z"


def spec(name: str, kind: str, source: str, *, reference: bool = False) -> TagReference:
    return TagReference(name=name, from_=ObjectReference(kind=kind, name=source), reference=reference, generation=1)


def stream(*specs: TagReference, pushed: dict[str, str]) -> Draft:
    draft = Draft("ns", "app", None)
    draft.emit(ImageStreamCreated(Header(ObjectMeta(uid="u", generation=1))))
    for tag in specs:
        draft.emit(TagSet(tag.name, tag, 1))
    for name, image in pushed.items():
        map_image(draft, name, image, f"registry:5000/ns/app@{image}", "2026-01-01T00:00:00Z")
    return draft


def images(draft: Draft) -> dict[str, str]:
    return {name: tag.head.image for name, tag in sorted(draft.existing.tags.items()) if tag.head}


def put(draft: Draft, *changed: TagReference) -> Draft:
    """What a client's PUT makes of the stream."""
    wanted = msgspec.json.decode(msgspec.json.encode(served.imagestream(draft.existing, REGISTRY)), type=ImageStream)
    names = {tag.name for tag in changed}
    wanted.spec.tags = [*(tag for tag in wanted.spec.tags if tag.name not in names), *changed]
    after = Draft("ns", "app", draft.existing)
    around = Surroundings(NOW, REGISTRY, lambda namespace, name: None, lambda namespace, name: True)
    assert replace(after, wanted, around) == []
    return after


def test_a_push_moves_the_tags_that_follow_and_those_alone() -> None:
    draft = stream(
        spec("bare", "ImageStreamTag", "live"),
        spec("named", "ImageStreamTag", "app:live"),
        spec("other", "ImageStreamTag", "other:live"),
        spec("fixed", "DockerImage", "quay.io/a/live"),
        pushed={"live": "one"},
    )
    assert images(draft) == {"bare": "one", "live": "one", "named": "one"}


def test_tags_follow_a_tag_that_a_put_of_the_stream_moves() -> None:
    draft = stream(spec("follower", "ImageStreamTag", "live"), pushed={"live": "one", "old": "two"})
    after = put(draft, spec("live", "ImageStreamImage", "app@two"))
    assert images(after) == {"follower": "two", "live": "two", "old": "two"}
    told = [event for event in after.events if isinstance(event, TagImaged)]
    assert [(event.tag, event.cause) for event in told] == [
        ("live", Cause("Tag", "ns", "app", "@two")),
        ("follower", Cause("Tracking", "ns", "app", "live")),
    ]


def test_nobody_follows_a_bare_reference_that_a_put_sets() -> None:
    draft = stream(spec("follower", "ImageStreamTag", "live"), pushed={"live": "one"})
    after = put(draft, spec("live", "DockerImage", "quay.io/a/b:1", reference=True))
    assert images(after) == {"follower": "one", "live": ""}


def test_a_put_that_moves_nothing_tells_nobody() -> None:
    draft = stream(spec("follower", "ImageStreamTag", "live"), pushed={"live": "one"})
    assert put(draft).events == []


def test_tags_follow_one_level_at_a_time() -> None:
    draft = stream(
        spec("first", "ImageStreamTag", "live"), spec("second", "ImageStreamTag", "first"), pushed={"live": "one"}
    )
    assert images(draft) == {"first": "one", "live": "one"}
    assert Item("2026-01-01T00:00:00Z", "registry:5000/ns/app@one", "one", 1) == draft.existing.tags["first"].head
