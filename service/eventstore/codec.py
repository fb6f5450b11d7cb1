"""Event structs ↔ what the log keeps: a stable type name, a schema version, and JSON.

Keeps: an event, once written, can be read for ever. A new shape of a type is a new schema version with an upcaster,
which turns a document of the version before into one of the new; upcasters are applied one after the other, so each is
written once and never touched again. The current version of a type is one more than the number of its upcasters.
Elsewhere: the types themselves (`domain/events.py`); a sample of every version ever written (tests/samples/events).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

import msgspec

from service.api.json_types import JsonObject
from service.eventstore.records import RecordedEvent

Upcaster: TypeAlias = Callable[[JsonObject], JsonObject]
EventT = TypeVar("EventT", bound=msgspec.Struct)

NO_UPCASTERS: Mapping[str, Sequence[Upcaster]] = {}


class UndecodableEvent(Exception):
    """The log holds an event that this program cannot read; to go on without it would be to skip it."""

    def __init__(self, event: RecordedEvent, why: str) -> None:
        super().__init__(f"event {event.position} ({event.type} v{event.schema_version}): {why}")
        self.position = event.position


class Codec(Generic[EventT]):
    """`types`: stable name → current struct. `upcasters`: stable name → version 1 to 2, 2 to 3, and so on."""

    def __init__(
        self, types: Mapping[str, type[EventT]], upcasters: Mapping[str, Sequence[Upcaster]] = NO_UPCASTERS
    ) -> None:
        if unknown := set(upcasters) - set(types):
            raise ValueError(f"upcasters for event types that are not there: {', '.join(sorted(unknown))}")
        if len(set(types.values())) != len(types):
            raise ValueError("two event types share one struct")
        self._upcasters = {name: tuple(upcasters.get(name, ())) for name in types}
        self._stored_as = {struct: (name, 1 + len(self._upcasters[name])) for name, struct in types.items()}
        self._decoders = {name: msgspec.json.Decoder(struct) for name, struct in types.items()}
        self._encoder = msgspec.json.Encoder()

    def encode(self, event: EventT) -> tuple[str, int, bytes]:
        """Type name, schema version and data of a new event."""
        name, version = self._stored_as[type(event)]
        return name, version, self._encoder.encode(event)

    def decode(self, event: RecordedEvent) -> EventT:
        """The event in its current shape. Raises UndecodableEvent."""
        decoder = self._decoders.get(event.type)
        if decoder is None:
            raise UndecodableEvent(event, "this program does not know the type; is it older than the log?")
        upcasters = self._upcasters[event.type]
        if not 1 <= event.schema_version <= 1 + len(upcasters):
            raise UndecodableEvent(event, f"this program knows versions up to {1 + len(upcasters)}")
        try:
            data = _upcast(event.data, upcasters[event.schema_version - 1 :])
            return decoder.decode(data)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
            raise UndecodableEvent(event, f"its data does not fit: {error}") from error

    def versions(self) -> Iterator[tuple[str, int]]:
        """Every (type name, schema version) that may be in a log."""
        for name, upcasters in self._upcasters.items():
            for version in range(1, len(upcasters) + 2):
                yield name, version


def _upcast(data: bytes, upcasters: Sequence[Upcaster]) -> bytes:
    if not upcasters:
        return data
    document: JsonObject = msgspec.json.decode(data)
    for upcast in upcasters:
        document = upcast(document)
    return msgspec.json.encode(document)
