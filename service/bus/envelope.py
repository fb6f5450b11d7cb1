"""The body of a message: an event as a CloudEvent (1.0, JSON format).

`id` is the position and `source` the log it is a position of. Everything else a recorded event has travels in extension
attributes, `data` being the event's own JSON. Keeps: decoding gives back what was encoded, byte for byte, or nothing.
An event that is too large for a message travels without its data (CloudEvents `dataref`); followers then fetch it from
the log, as they do with whatever they cannot read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from service.eventstore.records import Aggregate, RecordedEvent

TYPE_PREFIX: Final = "io.taghistory."


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """As CloudEvents wants: names in lower case without underscores, and numbers beyond 32 bits as text."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str
    schemaversion: int
    commandid: UUID
    commandfirst: str
    commandlast: str
    kind: str
    namespace: str
    name: str
    metadata: str
    tag: str | UnsetType = UNSET
    dataref: str | UnsetType = UNSET
    data: msgspec.Raw | UnsetType = UNSET


class EnvelopeCodec:
    """For the events of one log."""

    def __init__(self, log_id: str) -> None:
        self._source = f"urn:uuid:{log_id}"
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Envelope).decode

    def encode(self, event: RecordedEvent, *, limit_bytes: int) -> bytes:
        """The body of the event's message; without its data if it would exceed the limit with it."""
        body = self._encode(self._envelope(event, data=msgspec.Raw(event.data)))
        if len(body) <= limit_bytes:
            return body
        return self._encode(self._envelope(event, dataref=f"/events/{event.position}"))

    def decode(self, body: bytes) -> RecordedEvent | None:
        """The event; None for what is not a whole event of this log."""
        try:
            envelope = self._decode(body)
            if envelope.source != self._source or envelope.data is UNSET:
                return None
            return _event(envelope, envelope.data)
        except ValueError:  # of which msgspec's errors are
            return None

    def command_id(self, body: bytes) -> UUID | None:
        """The command that an event, whole or not, belongs to; None for what is not an event of this log."""
        try:
            envelope = self._decode(body)
        except ValueError:
            return None
        return envelope.commandid if envelope.source == self._source else None

    def _envelope(
        self, event: RecordedEvent, *, data: msgspec.Raw | UnsetType = UNSET, dataref: str | UnsetType = UNSET
    ) -> Envelope:
        return Envelope(
            specversion="1.0",
            id=str(event.position),
            source=self._source,
            type=TYPE_PREFIX + event.type,
            time=event.recorded_at,
            datacontenttype="application/json",
            schemaversion=event.schema_version,
            commandid=event.command_id,
            commandfirst=str(event.command_first),
            commandlast=str(event.command_last),
            kind=event.aggregate.kind,
            namespace=event.aggregate.namespace,
            name=event.aggregate.name,
            metadata=event.metadata.decode(),
            tag=UNSET if event.tag is None else event.tag,
            dataref=dataref,
            data=data,
        )


def _event(envelope: Envelope, data: msgspec.Raw) -> RecordedEvent:
    return RecordedEvent(
        position=int(envelope.id),
        command_id=envelope.commandid,
        command_first=int(envelope.commandfirst),
        command_last=int(envelope.commandlast),
        type=envelope.type.removeprefix(TYPE_PREFIX),
        schema_version=envelope.schemaversion,
        aggregate=Aggregate(envelope.kind, envelope.namespace, envelope.name),
        tag=None if envelope.tag is UNSET else envelope.tag,
        recorded_at=envelope.time,
        metadata=envelope.metadata.encode(),
        data=bytes(data),
    )
