"""One frame for what is the same event, and another for what is not."""

from __future__ import annotations

from service.domain.imagestream import Tag
from service.domain.world import Collection, State
from service.watch.frames import Frames
from service.watch.scope import EventType
from tests.unit.watch.chronicle import header
from tests.unit.watch.room import JsonEncoder


class GenerationEncoder(JsonEncoder):
    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        assert isinstance(state, Tag)
        return b"generation %d" % state.header.metadata.generation


def tag(generation: int) -> Tag:
    return Tag("ns", "app", "latest", header(generation=generation), changed=7)


def framed(frames: Frames, collection: Collection, state: Tag) -> bytes:
    frame = frames.event(GenerationEncoder(), collection, EventType.ADDED, state, state.changed)
    assert frame is not None
    return frame


def test_an_image_tag_is_framed_anew_when_its_stream_has_another_generation() -> None:
    frames = Frames()
    first = framed(frames, Collection.IMAGE_TAGS, tag(1))
    assert b"generation 2" in framed(frames, Collection.IMAGE_TAGS, tag(2)), "its position is still the same"
    assert framed(frames, Collection.IMAGE_TAGS, tag(1)) is first, "as a replay tells it"


def test_an_image_stream_tag_does_not_show_it() -> None:
    frames = Frames()
    first = framed(frames, Collection.IMAGE_STREAM_TAGS, tag(1))
    assert framed(frames, Collection.IMAGE_STREAM_TAGS, tag(2)) is first
