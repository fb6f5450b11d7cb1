"""Recorded events become the commands of one kind of aggregate, up to the first that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from projections.projection import Command, Happening, PoisonedEvent, read_commands
from projections.tables import definition
from service.domain.events import EVENT_TYPES, ImageDeleted, ImageStreamDeleted
from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, RecordedEvent

CODEC = Codec(EVENT_TYPES)


def recorded(position: int, first: int, last: int, kind: str, type_name: str) -> RecordedEvent:
    aggregate, now = Aggregate(kind, "a", "x"), datetime.now(UTC)
    return RecordedEvent(position, UUID(int=first), first, last, type_name, 1, aggregate, None, now, b"{}", b"{}")


EVENTS = [
    recorded(1, 1, 1, "ImageStream", "ImageStreamDeleted"),
    recorded(2, 2, 2, "Image", "ImageDeleted"),
    recorded(3, 3, 5, "Image", "ImageDeleted"),
    recorded(4, 3, 5, "ImageStream", "ImageStreamDeleted"),
    recorded(5, 3, 5, "Image", "ImageDeleted"),
    recorded(6, 6, 7, "Image", "ImageEaten"),
    recorded(7, 6, 7, "ImageStream", "ImageStreamDeleted"),
]


def test_each_kind_has_its_share_of_a_command() -> None:
    """Which keeps its ends, whatever the kind of the events there."""
    gone = ImageStreamDeleted()
    assert list(read_commands(EVENTS, CODEC, "ImageStream")) == [
        Command(1, 1, [Happening(1, "a", "x", gone)]),
        Command(3, 5, [Happening(4, "a", "x", gone)]),
        Command(6, 7, [Happening(7, "a", "x", gone)]),
    ]


def test_what_cannot_be_read_names_the_end_of_what_can() -> None:
    commands = read_commands(EVENTS, CODEC, "Image", after=2)
    gone = ImageDeleted()
    assert next(commands) == Command(3, 5, [Happening(3, "a", "x", gone), Happening(5, "a", "x", gone)])
    with pytest.raises(PoisonedEvent, match=r"event 6 \(ImageEaten v1\)") as raised:
        next(commands)
    assert raised.value.before == 5


def test_schema_sql_defines_each_table_of_a_projection() -> None:
    assert "CREATE TABLE images (" in definition("images")
    assert "CREATE TABLE imagetags (" in definition("imagestreams")
    assert "CREATE TABLE images (" not in definition("imagestreams")
    with pytest.raises(ValueError, match="no part for the projection nothing"):
        definition("nothing")
