"""Followers: dense, in order, whole commands, whatever NATS does. `Followed.collect` checks every batch as it comes."""

from __future__ import annotations

import asyncio

import pytest

from service.bus import event_buffer
from service.bus import follower as follower_module
from service.bus import subscription as subscription_module
from service.bus.follower import Follower
from service.bus.stream import STREAM
from service.domain.errors import Expired
from service.eventstore.appender import Appender
from service.eventstore.schema import migrate
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.engines import TestDatabases, wait_until
from tests.integration.bus.support import (
    connection,
    consumers,
    following,
    jetstream,
    relaying,
    until_listening,
    until_relayed,
)
from tests.integration.eventstore.support import (
    appending,
    command,
    connected,
    reading,
    stream,
    tag_event,
    whole_log,
)

NEVER_S = 1e9


async def append_some(appender: Appender, commands: int = 20) -> int:
    """Returns the last position."""
    appended = await asyncio.gather(
        *(appender.append(command(*[tag_event(stream(f"s{n}"))] * (n % 4 + 1))) for n in range(commands))
    )
    return max(one.last for one in appended)


@pytest.fixture
def no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is not read by the clock: what comes, comes by another way."""
    monkeypatch.setattr(follower_module, "TICK_S", NEVER_S)
    monkeypatch.setattr(follower_module, "TICK_WITHOUT_BUS_S", NEVER_S)


async def test_all_that_was_and_all_that_comes(database: str, nats_url: str) -> None:
    async with appending(database) as appender, relaying(database, nats_url), following(database, nats_url) as followed:
        for _ in range(10):
            await append_some(appender)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_from_the_middle(database: str, nats_url: str) -> None:
    async with appending(database) as appender:
        middle = await append_some(appender)
        last = await append_some(appender)
        async with following(database, nats_url, after=middle) as followed:
            events = await followed.until(last)
    assert events == (await whole_log(database))[middle:]


async def test_jetstream_alone_carries_what_is_new(database: str, nats_url: str, no_tick: None) -> None:
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        await until_relayed(relay, await append_some(appender))
        async with following(database, nats_url) as followed:
            await until_listening(followed, nats_url)
            events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_own_appends_need_neither_bus_nor_query(database: str, nats_url: str, no_tick: None) -> None:
    async with (
        following(database, nats_url) as followed,
        appending(database, on_committed=followed.follower.offer) as appender,
    ):
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_nats_never_comes(database: str, nats_server: EmbeddedNats) -> None:
    await nats_server.stop()
    async with appending(database) as appender, following(database, nats_server.url) as followed:
        await append_some(appender)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_a_hint_makes_it_look_at_once(database: str, nats_server: EmbeddedNats, no_tick: None) -> None:
    await nats_server.stop()
    async with appending(database) as appender, following(database, nats_server.url) as followed:
        first = await append_some(appender)
        followed.follower.hint(first)
        await followed.until(first)
        followed.follower.hint(first + 1_000_000)
        last = await append_some(appender)
        followed.follower.hint(last)
        events = await followed.until(last)
    assert events == await whole_log(database)


async def test_nats_dies_and_comes_back(database: str, nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    async with appending(database) as appender, relaying(database, url), following(database, url) as followed:
        await until_listening(followed, url)
        await append_some(appender)
        await nats_server.kill()
        await followed.until(await append_some(appender))
        await nats_server.start()
        await until_listening(followed, url)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_nats_is_wiped(database: str, nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    async with appending(database) as appender, relaying(database, url), following(database, url) as followed:
        await until_listening(followed, url)
        await followed.until(await append_some(appender))
        await nats_server.stop()
        nats_server.wipe()
        await nats_server.start()
        await append_some(appender)
        await until_listening(followed, url)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_the_log_of_another_database_is_not_followed(
    databases: TestDatabases, database: str, nats_url: str
) -> None:
    """A relay of a foreign log is at work on the same NATS."""
    async with databases.fresh() as foreign:
        async with connected(foreign) as superuser:
            await superuser.execute("UPDATE log_head SET log_id = gen_random_uuid()")
        async with (
            relaying(foreign, nats_url) as relay,
            appending(foreign) as foreign_appender,
            appending(database) as appender,
            following(database, nats_url) as followed,
        ):
            await until_listening(followed, nats_url)
            await until_relayed(relay, await append_some(foreign_appender, 50))
            events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_a_message_without_its_data_is_fetched(database: str, nats_url: str, no_tick: None) -> None:
    giant = b'"%s"' % (b"x" * 9_000_000)
    async with appending(database) as appender, relaying(database, nats_url), following(database, nats_url) as followed:
        await until_listening(followed, nats_url)
        appended = await appender.append(command(tag_event(stream(), data=giant)))
        events = await followed.until(appended.last)
    assert events[0].data == giant


async def test_offers_with_holes(database: str, nats_server: EmbeddedNats, no_tick: None) -> None:
    """A hole is filled from the log, without waiting for the clock."""
    await nats_server.stop()
    async with appending(database) as appender, following(database, nats_server.url) as followed:
        await followed.until(0)
        last = await append_some(appender)
        log = await whole_log(database)
        followed.follower.offer(log[-1:])
        followed.follower.offer(log[:2])
        events = await followed.until(last)
    assert events == log


async def test_what_finds_no_room_is_read_from_the_log(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_buffer, "LIMIT_EVENTS", 3)
    async with appending(database) as appender, relaying(database, nats_url), following(database, nats_url) as followed:
        await until_listening(followed, nats_url)
        for _ in range(5):
            await append_some(appender)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_a_command_larger_than_a_page_is_one_batch(database: str, nats_url: str) -> None:
    async with appending(database) as appender:
        last = (await appender.append(command(*[tag_event(stream())] * 2_500))).last
        async with following(database, nats_url) as followed:
            await followed.until(last)
    assert followed.batches == 1


async def test_postgresql_goes_away_and_comes_back(postgres_server: EmbeddedPostgres, nats_url: str) -> None:
    await migrate(postgres_server.dsn)
    dsn = postgres_server.dsn
    async with appending(dsn) as appender, relaying(dsn, nats_url), following(dsn, nats_url) as followed:
        await followed.until(await append_some(appender))
        await postgres_server.kill()
        await postgres_server.start()
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(dsn)


async def test_a_process_has_one_consumer_and_leaves_none(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(subscription_module, "SILENCE_LIMIT_S", 0.5)
    async with relaying(database, nats_url):
        async with following(database, nats_url) as one, following(database, nats_url) as two:
            await until_listening(one, nats_url, 2)
            await until_listening(two, nats_url, 2)
            assert await consumers(nats_url) == 2

        async def are_gone() -> bool:
            return await consumers(nats_url) == 0

        await wait_until(are_gone)


async def test_a_bus_that_does_not_tell_is_not_waited_for(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is there, but nobody relays: found out by the slow tick once, and by a quick one from then on."""
    monkeypatch.setattr(follower_module, "TICK_S", 0.2)
    async with appending(database) as appender:
        async with relaying(database, nats_url) as relay:
            await until_relayed(relay, await append_some(appender))
        async with following(database, nats_url) as followed:
            await until_listening(followed, nats_url)
            await followed.until(await append_some(appender))
            monkeypatch.setattr(follower_module, "TICK_S", NEVER_S)
            await asyncio.sleep(0.3)
            events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_a_consumer_that_was_deleted_is_made_again(
    database: str, nats_url: str, no_tick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(subscription_module, "SILENCE_LIMIT_S", 0.5)
    async with appending(database) as appender, relaying(database, nats_url), following(database, nats_url) as followed:
        await until_listening(followed, nats_url)
        async with jetstream(nats_url) as js:
            (consumer,) = await js.consumers_info(STREAM)
            await js.delete_consumer(STREAM, consumer.name)
        events = await followed.until(await append_some(appender))
    assert events == await whole_log(database)


async def test_a_follower_of_what_was_pruned_is_told_so(database: str, nats_url: str) -> None:
    async with appending(database) as appender, reading(database) as reader, connection(nats_url) as nats:
        await append_some(appender)
        async with connected(database) as superuser:
            await superuser.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")
            await superuser.execute("DELETE FROM events WHERE position <= 5")
        follower = Follower(reader, nats, after=3)
        with pytest.raises(Expired):
            await anext(follower.batches())
        batch = await anext(Follower(reader, nats, after=5).batches())
        assert batch[0].position == 6


async def test_several_processes_append_and_follow(database: str, nats_url: str) -> None:
    """Each is offered its own events at once and gets the others' from the bus; all see one log."""
    async with (
        relaying(database, nats_url),
        following(database, nats_url) as one,
        following(database, nats_url) as two,
        appending(database, on_committed=one.follower.offer) as first,
        appending(database, on_committed=two.follower.offer) as second,
    ):
        last = 0
        for _ in range(10):
            last = max(await asyncio.gather(append_some(first), append_some(second)))
        seen = [await one.until(last), await two.until(last)]
    log = await whole_log(database)
    assert seen == [log, log]
