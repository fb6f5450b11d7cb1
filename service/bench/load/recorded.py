"""Commands of real pushes, as a log has them: read to be written again elsewhere, as they are or as copies.

Keeps: a copy is what the same pushes would have written in other namespaces, with images that differ in their digests.
So a long log can be made from a short one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg
import msgspec

from service.domain.world import IMAGE
from service.eventstore.records import Aggregate, Payload, RecordedEvent

READ_EVENTS: Final = """
SELECT position, command_id, command_first, command_last, kind, namespace, name, tag, type, schema_version, recorded_at,
       metadata, data
FROM events WHERE position > $1 AND position <= $2 ORDER BY position
"""
READ_PAYLOADS: Final = """
SELECT e.command_first, p.digest, p.content
FROM events AS e JOIN payloads AS p ON p.digest IN (e.data ->> 'manifest', e.data ->> 'config')
WHERE e.position > $1 AND e.position <= $2 AND e.type = 'ImageRegistered'
"""

_digest = re.compile(rb"sha256:[0-9a-f]{64}")


class Span(msgspec.Struct, frozen=True):
    """The commands of a log after one position and up to another."""

    after: int
    until: int


class Recorded(msgspec.Struct, frozen=True):
    """One command as its source has it."""

    events: list[RecordedEvent]
    payloads: list[Payload]


async def read_commands(source: asyncpg.Connection, span: Span) -> list[Recorded]:
    """In the order of the log."""
    commands: dict[int, Recorded] = {}
    for row in await source.fetch(READ_EVENTS, span.after, span.until):
        position, command_id, first, last, kind, namespace, name, tag, type_name, version, at, metadata, data = row
        event = RecordedEvent(
            *(position, command_id, first, last, type_name, version, Aggregate(kind, namespace, name), tag, at),
            *(metadata.encode(), data.encode()),
        )
        commands.setdefault(first, Recorded([], [])).events.append(event)
    for first, digest, content in await source.fetch(READ_PAYLOADS, span.after, span.until):
        commands[first].payloads.append(Payload(digest, content))
    return list(commands.values())


class Copier:
    def __init__(self, commands: Sequence[Recorded]) -> None:
        self._commands = commands
        images = (e.aggregate.name for c in commands for e in c.events if e.aggregate.kind == IMAGE)
        payloads = (p.digest for c in commands for p in c.payloads)
        self._own = {name.encode() for name in (*images, *payloads)}

    def copy(self, number: int) -> Iterable[Recorded]:
        """The commands once more; each number gives another copy."""
        for command in self._commands:
            events = [self._event(event, number) for event in command.events]
            payloads = [Payload(_renamed(p.digest, number), p.content) for p in command.payloads]
            yield Recorded(events, payloads)

    def _event(self, event: RecordedEvent, number: int) -> RecordedEvent:
        def renamed(match: re.Match[bytes]) -> bytes:
            digest = match[0]
            return _renamed(digest.decode(), number).encode() if digest in self._own else digest

        kind, namespace, name = event.aggregate.kind, event.aggregate.namespace, event.aggregate.name
        if kind == IMAGE:
            aggregate = Aggregate(kind, namespace, _renamed(name, number))
        elif not namespace:
            aggregate = Aggregate(kind, namespace, f"{name}-{number}")
        else:
            aggregate = Aggregate(kind, f"{namespace}-{number}", name)
        return msgspec.structs.replace(event, aggregate=aggregate, data=_digest.sub(renamed, event.data))


def _renamed(digest: str, number: int) -> str:
    algorithm, _, text = digest.partition(":")
    return f"{algorithm}:{number:08x}{text[8:]}"
