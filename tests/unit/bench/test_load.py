"""The load: answers are read whatever the pieces they come in, and pushes are those of real, different images."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from service.api.image_v1 import ImageStreamMapping
from service.bench.load.http_client import END_OF_HEAD, HttpConnection, Target
from service.bench.load.pushes import KNOWN_IMAGES, TAGS_PER_STREAM, Pushes, Serials, push_body
from service.bench.load.recorded import Copier, Recorded
from service.eventstore.records import Aggregate, Payload, RecordedEvent

ANSWER = b"HTTP/1.1 201 Created\r\nX: y\r\ncontent-length: 11\r\n\r\nhello world"
TARGET = Target(1, "secret")
PUSHED, LAYER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@given(st.lists(st.integers(1, len(ANSWER) - 1), max_size=5))
def test_an_answer_is_read_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    answers: list[tuple[int, bytes]] = []
    connection = HttpConnection(lambda _, status, body: answers.append((status, body)), _fail)
    borders = [0, *sorted(cuts), len(ANSWER)]
    for begin, end in itertools.pairwise(borders):
        assert answers == []
        connection.data_received(ANSWER[begin:end])
    assert answers == [(201, b"hello world")]


def test_an_answer_without_a_length_is_an_error_and_no_hang() -> None:
    errors: list[Exception] = []
    HttpConnection(lambda *_: None, errors.append).data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    assert "without a length" in str(errors[0])


def test_a_pushed_image_has_the_digests_of_its_manifest_and_config() -> None:
    mapping = _mapping(push_body("app", "v1", 7))
    image = mapping.image
    config = hashlib.sha256(image.docker_image_config.encode()).hexdigest()
    assert image.metadata.name == "sha256:" + hashlib.sha256(image.docker_image_manifest.encode()).hexdigest()
    manifest = msgspec.json.decode(image.docker_image_manifest)
    assert manifest["config"] == {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": len(image.docker_image_config),
        "digest": f"sha256:{config}",
    }
    assert (mapping.metadata.name, mapping.tag) == ("app", "v1")


def test_a_tag_never_gets_the_same_image_twice_in_a_row() -> None:
    heads: dict[tuple[str, str], str] = {}
    for pushed in _pushed(new_share=0.5, count=4 * TAGS_PER_STREAM * KNOWN_IMAGES):
        place = (pushed.metadata.name, pushed.tag)
        assert heads.get(place) != pushed.image.metadata.name
        heads[place] = pushed.image.metadata.name


def test_as_many_images_are_new_as_were_asked_for() -> None:
    known = {push.image.metadata.name for push in _pushed(new_share=0.0, count=100)}
    mixed = [push.image.metadata.name for push in _pushed(new_share=0.5, count=100)]
    assert len(known) == KNOWN_IMAGES
    assert sum(name not in known for name in mixed) == 50


def test_a_copy_of_a_log_is_about_other_streams_and_other_images_and_shares_their_layers() -> None:
    registered = _event(Aggregate("Image", "", PUSHED), f'{{"manifest":"{PUSHED}","layer":"{LAYER}"}}')
    moved = _event(Aggregate("ImageStream", "bench", "app"), f'{{"image":"{PUSHED}"}}')
    created = _event(Aggregate("Namespace", "", "bench"), "{}")
    copier = Copier([Recorded([registered, moved, created], [Payload(PUSHED, b"text")])])
    (copy,) = copier.copy(1)
    image = copy.events[0].aggregate.name
    assert image not in (PUSHED, LAYER)
    assert copy.events[0].data == f'{{"manifest":"{image}","layer":"{LAYER}"}}'.encode()
    assert copy.events[1].data == f'{{"image":"{image}"}}'.encode()
    assert copy.events[1].aggregate == Aggregate("ImageStream", "bench-1", "app")
    assert copy.events[2].aggregate == Aggregate("Namespace", "", "bench-1")
    assert copy.payloads == [Payload(image, b"text")]


def _fail(error: Exception) -> None:
    raise error


def _mapping(body: bytes) -> ImageStreamMapping:
    return msgspec.json.decode(body, type=ImageStreamMapping)


def _pushed(new_share: float, count: int) -> list[ImageStreamMapping]:
    """What one connection pushes."""
    pushes = Pushes(TARGET, 0, Serials().take(), new_share)
    return [_mapping(pushes.next(0).partition(END_OF_HEAD)[2]) for _ in range(count)]


def _event(aggregate: Aggregate, data: str) -> RecordedEvent:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return RecordedEvent(1, UUID(int=1), 1, 2, "Something", 1, aggregate, None, at, b"{}", data.encode())
