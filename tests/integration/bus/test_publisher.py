"""Publishing: an event goes to its own sequence, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.bus.envelope import EnvelopeCodec
from service.bus.publisher import Publisher, PublishFailed
from service.bus.stream import STREAM, LogStream
from service.eventstore.records import RecordedEvent
from tests.integration.bus.support import connection, jetstream, stream_content
from tests.integration.eventstore.support import appending, command, reading, stream, tag_event, whole_log


@pytest_asyncio.fixture
async def log(database: str) -> list[RecordedEvent]:
    async with appending(database) as appender:
        await appender.append(command(*[tag_event(stream())] * 10))
    return await whole_log(database)


@pytest_asyncio.fixture
async def publisher(database: str, nats_url: str) -> AsyncIterator[Publisher]:
    """For an empty stream."""
    async with reading(database) as reader, connection(nats_url) as nats:
        client, log_id = await nats.connected(), await reader.log_id()
        await LogStream(reader, log_id, replicas=1).ensure(client)
        async with Publisher(client, EnvelopeCodec(log_id)) as publisher:
            yield publisher


async def test_what_is_there_already_is_no_mistake(
    database: str, nats_url: str, publisher: Publisher, log: list[RecordedEvent]
) -> None:
    await publisher.publish(log[:6])
    await publisher.publish(log[2:4])
    await publisher.publish(log[4:])
    assert await stream_content(database, nats_url) == log


async def test_nothing_is_published_over_a_hole(
    database: str, nats_url: str, publisher: Publisher, log: list[RecordedEvent]
) -> None:
    await publisher.publish(log[:2])
    with pytest.raises(PublishFailed, match="wrong last sequence"):
        await publisher.publish(log[3:])
    assert await stream_content(database, nats_url) == log[:2]


async def test_no_stream_is_a_failure(nats_url: str, publisher: Publisher, log: list[RecordedEvent]) -> None:
    async with jetstream(nats_url) as js:
        await js.delete_stream(STREAM)
    with pytest.raises(PublishFailed, match="no stream"):
        await publisher.publish(log)
