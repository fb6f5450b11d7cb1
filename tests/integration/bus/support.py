"""What the tests of the bus share: relays and followers that run beside a test, and the stream as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry

from service.bus.connection import NatsConnection
from service.bus.envelope import EnvelopeCodec
from service.bus.follower import Follower
from service.bus.relay import Relay
from service.bus.stream import REQUEST_TIMEOUT_S, STREAM
from service.eventstore.listener import HeadListener
from service.eventstore.position import ends_command, is_dense
from service.eventstore.records import RecordedEvent
from tests.engines import wait_until
from tests.integration.eventstore.support import beside, reading


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[NatsConnection]:
    nats = NatsConnection(url, "test")
    async with beside(nats.run()):
        yield nats


@asynccontextmanager
async def relaying(dsn: str, url: str, registry: CollectorRegistry | None = None) -> AsyncIterator[Relay]:
    async with reading(dsn) as reader, connection(url) as nats:
        listener = HeadListener(dsn)
        relay = Relay(reader, listener, nats, registry=registry or CollectorRegistry())
        async with beside(listener.run(), relay.run()):
            yield relay


async def until_relayed(relay: Relay, position: int) -> None:
    async def is_relayed() -> bool:
        return relay.relayed >= position

    await wait_until(is_relayed)


class Followed:
    """A follower and what it has handed on, checked as it came."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.events: list[RecordedEvent] = []
        self.batches = 0
        self._after = follower.position

    async def collect(self) -> None:
        async for batch in self.follower.batches():
            assert batch
            assert is_dense(self._after + len(self.events), batch)
            assert ends_command(batch[-1])
            self.events += batch
            self.batches += 1

    async def until(self, position: int) -> list[RecordedEvent]:
        """Wait until it has come this far; returns all it has handed on."""

        async def is_there() -> bool:
            return self.follower.position >= position

        await wait_until(is_there)
        return self.events


@asynccontextmanager
async def following(dsn: str, url: str, after: int = 0) -> AsyncIterator[Followed]:
    async with reading(dsn) as reader, connection(url) as nats:
        followed = Followed(Follower(reader, nats, after))
        async with beside(followed.follower.run(), followed.collect()):
            yield followed


@asynccontextmanager
async def jetstream(url: str) -> AsyncIterator[JetStreamContext]:
    async with connection(url) as nats:
        client = await nats.connected()
        yield client.jetstream(timeout=REQUEST_TIMEOUT_S)


async def stream_content(dsn: str, url: str) -> list[RecordedEvent]:
    """Every message of the stream as an event of this log, having checked that its sequence is its position."""
    async with reading(dsn) as reader, jetstream(url) as js:
        envelopes = EnvelopeCodec(await reader.log_id())
        state = (await js.stream_info(STREAM)).state
        events: list[RecordedEvent] = []
        for sequence in range(state.first_seq, state.last_seq + 1):
            message = await js.get_msg(STREAM, seq=sequence, direct=True)
            event = envelopes.decode(message.data or b"")
            assert event is not None
            assert event.position == sequence
            events.append(event)
        return events


async def consumers(url: str) -> int:
    async with jetstream(url) as js:
        try:
            return int((await js.stream_info(STREAM)).state.consumer_count)
        except NotFoundError:
            return 0


async def until_listening(followed: Followed, url: str, count: int = 1) -> None:
    """Wait until followers get events from JetStream."""
    await followed.until(0)

    async def are_there() -> bool:
        return await consumers(url) >= count

    await wait_until(are_there)
    await asyncio.sleep(0)
