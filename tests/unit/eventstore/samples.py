"""Stored samples of events: one file for every (type, version) ever written, `<Type>.v<N>.json`.

A sample is made when a version is new and never changed afterwards, so it stands for what old logs hold.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, RecordedEvent

EventT = TypeVar("EventT", bound=msgspec.Struct)


def decode_samples(codec: Codec[EventT], folder: Path) -> dict[str, EventT]:
    """Every sample, decoded to today's struct, by file name.

    Raises AssertionError when a version has no sample or a sample no version, UndecodableEvent for an unreadable one.
    """
    wanted = {f"{name}.v{version}.json": (name, version) for name, version in codec.versions()}
    there = {path.name for path in folder.glob("*.json")}
    assert not wanted.keys() - there, f"no sample of {sorted(wanted.keys() - there)}: add it to {folder}"
    assert not there - wanted.keys(), f"samples of what is no longer readable: {sorted(there - wanted.keys())}"
    return {
        file: codec.decode(recorded(name, version, (folder / file).read_bytes().strip()))
        for file, (name, version) in wanted.items()
    }


def recorded(name: str, version: int, data: bytes) -> RecordedEvent:
    """An event of that type as a reader finds it."""
    return RecordedEvent(
        position=7,
        command_id=UUID(int=1),
        command_first=7,
        command_last=7,
        type=name,
        schema_version=version,
        aggregate=Aggregate("ImageStream", "shop", "app"),
        tag=None,
        recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
        metadata=b'{"actor":"alice"}',
        data=data,
    )
