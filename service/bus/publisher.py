"""Publish events to the log's stream, many in flight at a time, each exactly where it belongs.

Each message says which sequence must come before it, so the server refuses what is not next; the event is then either
there already (another relay, or an earlier try, was first), which is as good, or something before it is missing. Keeps:
never more than a page of events is in flight.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from service.bus.envelope import EnvelopeCodec
from service.bus.subjects import subject_of
from service.eventstore.records import RecordedEvent

ACK_TIMEOUT_S: Final = 5.0
HEADER_RESERVE_BYTES: Final = 256
"""What our header takes of the server's limit for a message."""
EVENTS_BETWEEN_PAUSES: Final = 64
"""After so many messages other tasks of the process get a turn."""

WRONG_LAST_SEQUENCE: Final = 10071
_LAST_SEQUENCE: Final = re.compile(r"wrong last sequence: (\d+)")


class PublishFailed(nats.errors.Error):
    """The stream did not take an event, and does not have it either."""


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Ack(msgspec.Struct):
    seq: int = 0
    error: _Error | None = None


_decode_ack = msgspec.json.Decoder(_Ack).decode


class Publisher:
    """For one connection: an async context manager."""

    def __init__(self, client: Client, envelopes: EnvelopeCodec) -> None:
        self._client = client
        self._envelopes = envelopes
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._awaited: set[int] = set()
        self._complete = asyncio.Event()
        self._failure: str | None = None

    async def __aenter__(self) -> Publisher:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._on_ack)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._subscription is not None and self._client.is_connected:
            await self._subscription.unsubscribe()

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Return when the stream holds all of the events. Raises PublishFailed or another of NATS_ERRORS."""
        self._awaited = {event.position for event in events}
        self._failure = None
        self._complete.clear()
        limit_bytes = self._client.max_payload - HEADER_RESERVE_BYTES
        for number, event in enumerate(events, 1):
            await self._client.publish(
                subject_of(event),
                self._envelopes.encode(event, limit_bytes=limit_bytes),
                reply=f"{self._inbox}.{event.position}",
                headers={"Nats-Expected-Last-Sequence": str(event.position - 1)},
            )
            if number % EVENTS_BETWEEN_PAUSES == 0:
                await asyncio.sleep(0)
        async with asyncio.timeout(ACK_TIMEOUT_S):
            await self._complete.wait()
        if self._failure is not None:
            raise PublishFailed(self._failure)

    async def _on_ack(self, message: Msg) -> None:
        position = int(message.subject.rpartition(".")[2])
        if position not in self._awaited:
            return
        failure = _failure(position, message.data)
        if failure is not None:
            self._failure = failure
            self._complete.set()
            return
        self._awaited.discard(position)
        if not self._awaited:
            self._complete.set()


def _failure(position: int, answer: bytes) -> str | None:
    """What is wrong with the answer to the message of that position, if anything is."""
    if not answer:
        return "there is no stream"
    try:
        ack = _decode_ack(answer)
    except msgspec.MsgspecError:
        return "the answer makes no sense"
    if ack.error is None:
        return None if ack.seq == position else f"event {position} became message {ack.seq}"
    if ack.error.err_code == WRONG_LAST_SEQUENCE:
        found = _LAST_SEQUENCE.search(ack.error.description)
        if found and int(found[1]) >= position:
            return None
    return ack.error.description
