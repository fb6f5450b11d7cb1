"""What a write of /status is called in the log: a pruning only takes away, anything else is a writing."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from service.api.image_v1 import ImageStream, TagEvent, TagEventCondition
from service.api.meta_v1 import ObjectMeta
from service.domain import served
from service.domain.draft import Draft
from service.domain.events import Header, ImageStreamCreated, StreamEvent, TagHistoryPruned, TagStatusWritten
from service.domain.mapping import map_image
from service.domain.served import Registry
from service.domain.stream_changes import write_status
from service.domain.tag_resolution import Surroundings

REGISTRY = Registry("registry:5000")
NOW = "2026-01-02T00:00:00Z"
Change = Callable[[ImageStream], object]


@pytest.fixture
def stream() -> Draft:
    """Its tag `t` was pushed to three times."""
    draft = Draft("ns", "app", None)
    draft.emit(ImageStreamCreated(Header(ObjectMeta(uid="u", generation=1))))
    for image in ("one", "two", "three"):
        map_image(draft, "t", image, f"registry:5000/ns/app@{image}", "2026-01-01T00:00:00Z")
    return draft


def written(stream: Draft, change: Change) -> Draft:
    current = served.imagestream(stream.existing, REGISTRY, stored=True)
    wanted = msgspec.json.decode(msgspec.json.encode(current), type=ImageStream)
    change(wanted)
    draft = Draft("ns", "app", stream.existing)
    write_status(draft, wanted, Surroundings(NOW, REGISTRY, lambda namespace, name: None, lambda namespace, name: True))
    return draft


def drop_the_oldest(wanted: ImageStream) -> None:
    (wanted.status.tags[0].items or []).pop()


def drop_the_tag(wanted: ImageStream) -> None:
    wanted.status.tags = []


def add_a_condition(wanted: ImageStream) -> None:
    wanted.status.tags[0].conditions = [TagEventCondition("ImportSuccess", "False")]


def add_an_entry(wanted: ImageStream) -> None:
    (wanted.status.tags[0].items or []).insert(0, TagEvent(NOW, "quay.io/a/b", "four", 1))


@pytest.mark.parametrize(
    ("change", "event", "images"),
    [
        (drop_the_oldest, TagHistoryPruned, ["three", "two"]),
        (drop_the_tag, TagHistoryPruned, None),
        (add_a_condition, TagStatusWritten, ["three", "two", "one"]),
        (add_an_entry, TagStatusWritten, ["four", "three", "two", "one"]),
    ],
)
def test_the_log_says_what_was_done(
    stream: Draft, change: Change, event: type[StreamEvent], images: list[str] | None
) -> None:
    draft = written(stream, change)
    assert [type(e) for e in draft.events] == [event]
    tag = draft.tag("t")
    assert (None if tag is None else [item.image for item in tag.items]) == images


def test_a_write_that_changes_nothing_is_no_event(stream: Draft) -> None:
    assert written(stream, lambda wanted: None).events == []


def test_a_repository_never_shows_a_tag_or_digest(stream: Draft) -> None:
    def set_repository(wanted: ImageStream) -> None:
        wanted.status.docker_image_repository = f"quay.io/x/y:tag@sha256:{'a' * 64}"

    stored = served.imagestream(written(stream, set_repository).existing, REGISTRY, stored=True)
    assert stored.status.docker_image_repository == "quay.io/x/y"
