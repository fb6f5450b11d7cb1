"""Reading the log by pages and by aggregate, hearing of its growth, and asking where it ends."""

from __future__ import annotations

import asyncio
import random

import pytest

from service.domain.errors import Unavailable
from service.eventstore import reader as reader_module
from service.eventstore.head import HeadReader
from service.eventstore.listener import HeadListener
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.integration.eventstore.support import (
    appending,
    beside,
    command,
    connected,
    reading,
    stream,
    tag_event,
    whole_log,
)
from tests.integration.eventstore.wire import wire_to


async def test_pages_end_at_their_limit_and_the_next_begins_right_after(database: str) -> None:
    async with appending(database) as appender, reading(database) as reader:
        for size in (3, 1, 4):
            await appender.append(command(*[tag_event(stream())] * size))
        pages = [await reader.read_after(0, 5), await reader.read_after(5, 5), await reader.read_after(8, 5)]
    assert [[event.position for event in page] for page in pages] == [[1, 2, 3, 4, 5], [6, 7, 8], []]
    assert await whole_log(database) == [*pages[0], *pages[1]]


async def test_pages_are_bounded_in_bytes_but_never_empty(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "PAGE_LIMIT_BYTES", 30_000)
    random_hex = random.Random(1).randbytes(20_000).hex().encode()
    async with appending(database) as appender, reading(database) as reader:
        await appender.append(command(*[tag_event(stream(), data=b'"%s"' % random_hex)] * 3))
        await appender.append(command(*[tag_event(stream())] * 10))
        sizes, position = [], 0
        while page := await reader.read_after(position):
            sizes.append(len(page))
            position = page[-1].position
    assert sum(sizes) == 13
    assert sizes[0] < 3


async def test_one_aggregate_by_pages(database: str) -> None:
    async with appending(database) as appender, reading(database) as reader:
        for _ in range(5):
            await appender.append(command(tag_event(stream("app")), tag_event(stream("other"))))
        first = await reader.read_aggregate(stream("app"), limit=3)
        second = await reader.read_aggregate(stream("app"), after=first[-1].position, limit=3)
        assert await reader.read_aggregate(stream("nothing")) == []
    assert [event.position for event in first + second] == [1, 3, 5, 7, 9]
    assert {event.aggregate for event in first + second} == {stream("app")}


async def test_the_ends_of_the_log(database: str) -> None:
    async with appending(database) as appender, reading(database) as reader:
        assert (await reader.oldest(), await reader.newest()) == (None, 0)
        await appender.append(command(*[tag_event(stream())] * 3))
        assert (await reader.oldest(), await reader.newest()) == (1, 3)


async def test_a_reader_survives_a_restart_of_postgresql(postgres_server: EmbeddedPostgres) -> None:
    async with reading(postgres_server.dsn_of("postgres")) as reader:
        await postgres_server.stop()
        with pytest.raises(Unavailable):
            await reader.newest()
        await postgres_server.start()
        async with connected(postgres_server.dsn_of("postgres")) as connection:
            await connection.execute("CREATE TABLE events (position bigint)")
        assert await reader.newest() == 0


async def test_readers_never_get_an_answer_older_than_their_question(database: str) -> None:
    """The answer of a query that was sent before the append is held back until after it: who asks after the append
    must not be given it."""
    async with wire_to(database) as wire:
        head = HeadReader(wire.dsn)
        async with beside(head.run()), appending(database) as appender:
            assert await head.read() == 0
            wire.answers_flow.clear()
            early = asyncio.create_task(head.read())
            await wire.answer_held.wait()
            appended = await appender.append(command())
            late = [asyncio.create_task(head.read()) for _ in range(3)]
            await asyncio.sleep(0)
            wire.answers_flow.set()
            assert await early == 0
            assert await asyncio.gather(*late) == [appended.last] * 3


async def test_many_readers_share_one_query(database: str) -> None:
    async with wire_to(database) as wire:
        head = HeadReader(wire.dsn)
        async with beside(head.run()):
            await head.read()
            before = wire.requests
            assert await asyncio.gather(*(head.read() for _ in range(200))) == [0] * 200
            assert wire.requests - before <= 2


async def test_reads_and_writes_side_by_side_are_linear(database: str) -> None:
    """Whoever asks after a write was acknowledged hears of at least that write."""
    acknowledged = 0
    head = HeadReader(database)

    async def write(number: int) -> None:
        nonlocal acknowledged
        for _ in range(40):
            appended = await appender.append(command(tag_event(stream(f"s{number}"))))
            acknowledged = max(acknowledged, appended.last)

    async def read() -> None:
        while acknowledged < 320:
            at_least = acknowledged
            assert await head.read() >= at_least

    async with beside(head.run()), appending(database) as appender:
        await asyncio.gather(*map(write, range(8)), *(read() for _ in range(8)))


async def test_a_reader_that_goes_away_takes_nothing_from_the_others(database: str) -> None:
    head = HeadReader(database)
    async with beside(head.run()):
        impatient, patient = asyncio.create_task(head.read()), asyncio.create_task(head.read())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == 0


async def test_no_answer_is_an_error_and_the_next_question_is_asked_anew(database: str) -> None:
    async with wire_to(database) as wire:
        head = HeadReader(wire.dsn)
        async with beside(head.run()):
            await head.read()
            wire.answers_flow.clear()
            unanswered = [asyncio.create_task(head.read()) for _ in range(3)]
            await wire.answer_held.wait()
            await wire.cut()
            for question in unanswered:
                with pytest.raises(Unavailable):
                    await question
            wire.answers_flow.set()
            assert await head.read() == 0
    with pytest.raises(Unavailable):
        await head.read()


async def test_each_commit_is_heard_of(database: str) -> None:
    listener = HeadListener(database)
    async with beside(listener.run()), appending(database) as appender:
        assert await listener.wait(10), "what happened before it listened"
        for _ in range(5):
            await appender.append(command())
            assert await listener.wait(10)
        assert not await listener.wait(0.01)


async def test_a_listener_whose_connection_was_lost_listens_again(database: str) -> None:
    async with wire_to(database) as wire:
        listener = HeadListener(wire.dsn)
        async with beside(listener.run()), appending(database) as appender:
            assert await listener.wait(10)
            await wire.cut()
            assert await listener.wait(10), "there may have been news in between"
            await appender.append(command())
            assert await listener.wait(10)
