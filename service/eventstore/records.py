"""What goes into the log and what comes out of it, as plain values.

Keeps: `metadata` and `data` of a recorded event are the exact bytes that were appended (UTF-8 JSON text, no white
space around it), so hashes over them hold for ever. What the bytes mean is the codec's business (`codec.py`).
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from uuid import UUID

import msgspec


class Aggregate(msgspec.Struct, frozen=True, gc=False):
    """The unit of consistency. `namespace` is "" for what is cluster scoped."""

    kind: str
    namespace: str
    name: str


class Guard(msgspec.Struct, frozen=True, gc=False):
    """Events of an aggregate that, recorded after a command was decided, make its decision void.

    `tags` None: any event of the aggregate. Otherwise: events about one of these tags, and those that are about the
    aggregate as a whole (whose tag is None).
    """

    aggregate: Aggregate
    tags: tuple[str, ...] | None = None


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    type: str
    schema_version: int
    aggregate: Aggregate
    tag: str | None
    data: bytes


class Payload(msgspec.Struct, frozen=True, gc=False):
    """Large content that events name by its digest, such as an image's manifest; the log stores it once."""

    digest: str
    content: bytes


class Metadata(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Who did it, from where, by which request, and why."""

    actor: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    source_address: str = ""
    user_agent: str = ""
    request_id: str = ""
    verb: str = ""
    reason: str = ""
    impersonator: str = ""
    """Who acted as the actor; "" where nobody did."""


class Command(msgspec.Struct, frozen=True, gc=False):
    """Events to be appended together or not at all, unless a guard forbids it. It has at least one event.

    `decided_at` is the position that the state was true at when the command was decided. `id` makes an append
    idempotent: the same id is never appended twice.
    """

    id: UUID
    decided_at: int
    guards: tuple[Guard, ...]
    events: tuple[NewEvent, ...]
    payloads: tuple[Payload, ...]
    metadata: Metadata


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Where a command's events are: positions first..last, one for each event, in order."""

    first: int
    last: int
    recorded_at: datetime


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    position: int
    command_id: UUID
    command_first: int
    command_last: int
    type: str
    schema_version: int
    aggregate: Aggregate
    tag: str | None
    recorded_at: datetime
    metadata: bytes
    data: bytes


def new_command_id() -> UUID:
    """A fresh id that grows with time (UUID version 7, RFC 9562), so that the index of ids grows at its end."""
    random = int.from_bytes(os.urandom(10))
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1)
