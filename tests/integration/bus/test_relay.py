"""The relay: whatever happens to NATS, in the end the stream is the log."""

from __future__ import annotations

import asyncio
from signal import SIGCONT, SIGSTOP

import pytest
from nats.js.api import StreamConfig
from prometheus_client import CollectorRegistry

from service.bus import relay as relay_module
from service.bus.stream import LOG_ID_KEY, STREAM
from service.bus.subjects import ALL_SUBJECTS
from service.eventstore.appender import Appender
from service.eventstore.schema import migrate
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.engines import TestDatabases, wait_until
from tests.integration.bus.support import jetstream, relaying, stream_content, until_relayed
from tests.integration.eventstore.support import appending, command, reading, stream, tag_event, whole_log


async def append_some(appender: Appender, commands: int = 20) -> int:
    """Returns the last position."""
    appended = await asyncio.gather(
        *(appender.append(command(*[tag_event(stream(f"app.{n}"))] * (n % 3 + 1))) for n in range(commands))
    )
    return max(one.last for one in appended)


async def assert_stream_is_the_log(dsn: str, url: str) -> None:
    assert await stream_content(dsn, url) == await whole_log(dsn)


async def test_the_sequence_is_the_position(database: str, nats_url: str) -> None:
    async with appending(database) as appender:
        await append_some(appender)
        async with relaying(database, nats_url) as relay:
            await until_relayed(relay, await append_some(appender))
    await assert_stream_is_the_log(database, nats_url)


async def test_subjects_let_subscribers_choose(database: str, nats_url: str) -> None:
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        last = (await appender.append(command(tag_event(stream("app.v2")), tag_event(stream("web"))))).last
        await until_relayed(relay, last)
        async with jetstream(nats_url) as js:
            found = await js.get_last_msg(STREAM, "taghistory.shop.app%2Ev2.TagImaged")
            assert found.seq == 1


async def test_nats_is_restarted(database: str, nats_server: EmbeddedNats) -> None:
    async with appending(database) as appender, relaying(database, nats_server.url) as relay:
        await until_relayed(relay, await append_some(appender))
        await nats_server.kill()
        last = await append_some(appender)
        await nats_server.start()
        await until_relayed(relay, last)
    await assert_stream_is_the_log(database, nats_server.url)


async def test_nats_comes_late(database: str, nats_server: EmbeddedNats) -> None:
    await nats_server.stop()
    async with appending(database) as appender, relaying(database, nats_server.url) as relay:
        last = await append_some(appender)
        await nats_server.start()
        await until_relayed(relay, last)
    await assert_stream_is_the_log(database, nats_server.url)


async def test_nats_is_wiped(database: str, nats_server: EmbeddedNats) -> None:
    async with appending(database) as appender, relaying(database, nats_server.url) as relay:
        await until_relayed(relay, await append_some(appender))
        await nats_server.stop()
        nats_server.wipe()
        await nats_server.start()
        last = await append_some(appender)
        await until_relayed(relay, last)
    await assert_stream_is_the_log(database, nats_server.url)


async def test_the_stream_is_deleted_and_nobody_writes(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "CHECK_INTERVAL_S", 0.1)
    monkeypatch.setattr(relay_module, "TICK_S", 0.1)
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        last = await append_some(appender)
        await until_relayed(relay, last)
        async with jetstream(nats_url) as js:
            await js.delete_stream(STREAM)

            async def is_back() -> bool:
                return [info.state.last_seq for info in await js.streams_info()] == [last]

            await wait_until(is_back)
    await assert_stream_is_the_log(database, nats_url)


async def test_the_stream_is_deleted_under_a_writing_relay(database: str, nats_url: str) -> None:
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        await until_relayed(relay, await append_some(appender))
        async with jetstream(nats_url) as js:
            await js.delete_stream(STREAM)
        await until_relayed(relay, await append_some(appender))
    await assert_stream_is_the_log(database, nats_url)


async def test_the_stream_is_behind(database: str, nats_url: str) -> None:
    async with appending(database) as appender:
        async with relaying(database, nats_url) as relay:
            await until_relayed(relay, await append_some(appender))
        last = await append_some(appender)
        async with relaying(database, nats_url) as relay:
            await until_relayed(relay, last)
    await assert_stream_is_the_log(database, nats_url)


async def test_a_relay_may_be_one_of_many(database: str, nats_url: str) -> None:
    """They get into each other's way all the time, and never do harm that would have to be healed."""
    registries = [CollectorRegistry(), CollectorRegistry()]
    async with (
        appending(database) as appender,
        relaying(database, nats_url, registries[0]) as one,
        relaying(database, nats_url, registries[1]) as two,
    ):
        last = 0
        for _ in range(10):
            last = await append_some(appender, 30)
        await until_relayed(one, last)
        await until_relayed(two, last)
    await assert_stream_is_the_log(database, nats_url)
    assert [registry.get_sample_value("taghistory_relay_failures_total") for registry in registries] == [0, 0]


@pytest.mark.parametrize("length", [3, 500])
async def test_a_stream_of_another_log_is_replaced(database: str, nats_url: str, length: int) -> None:
    """Shorter or longer than ours, with plausible sequences: it still is not ours."""
    async with jetstream(nats_url) as js:
        await js.add_stream(StreamConfig(name=STREAM, subjects=[ALL_SUBJECTS], metadata={LOG_ID_KEY: "another"}))
        for number in range(length):
            await js.publish("taghistory.a.b.c", b"%d" % number)
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        last = await append_some(appender)

        async def is_ours() -> bool:
            return relay.relayed == last

        await wait_until(is_ours)
    await assert_stream_is_the_log(database, nats_url)


@pytest.mark.parametrize("commands", [15, 25])
async def test_the_log_was_restored_from_a_backup(
    database: str, databases: TestDatabases, nats_url: str, commands: int
) -> None:
    """It has the same identity, but other events from some position on: fewer than the stream has, or more."""
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        await until_relayed(relay, await append_some(appender, 20))
    async with databases.fresh() as restored:
        async with reading(database) as before, reading(restored) as after:
            assert await before.log_id() == await after.log_id()
        async with appending(restored) as appender:
            last = await append_some(appender, commands)
        async with relaying(restored, nats_url) as relay:

            async def is_restored() -> bool:
                return relay.relayed == last

            await wait_until(is_restored)
        await assert_stream_is_the_log(restored, nats_url)


async def test_a_frozen_nats_thaws(database: str, nats_server: EmbeddedNats) -> None:
    async with appending(database) as appender, relaying(database, nats_server.url) as relay:
        await until_relayed(relay, await append_some(appender))
        nats_server.signal(SIGSTOP)
        try:
            last = await append_some(appender)
            await asyncio.sleep(0.2)
        finally:
            nats_server.signal(SIGCONT)
        await until_relayed(relay, last)
    await assert_stream_is_the_log(database, nats_server.url)


async def test_postgresql_is_restarted(postgres_server: EmbeddedPostgres, nats_url: str) -> None:
    await migrate(postgres_server.dsn)
    async with appending(postgres_server.dsn) as appender, relaying(postgres_server.dsn, nats_url) as relay:
        await until_relayed(relay, await append_some(appender))
        await postgres_server.kill()
        await postgres_server.start()
        await until_relayed(relay, await append_some(appender))
    await assert_stream_is_the_log(postgres_server.dsn, nats_url)


async def test_an_event_that_no_message_can_hold_keeps_its_place(database: str, nats_url: str) -> None:
    giant = b'"%s"' % (b"x" * 9_000_000)
    async with appending(database) as appender, relaying(database, nats_url) as relay:
        await append_some(appender, 3)
        await appender.append(command(tag_event(stream(), data=giant)))
        last = await append_some(appender, 3)
        await until_relayed(relay, last)
        async with jetstream(nats_url) as js:
            assert (await js.stream_info(STREAM)).state.last_seq == last


async def test_how_far_the_relay_lags_is_told(database: str, nats_server: EmbeddedNats) -> None:
    registry = CollectorRegistry()
    await nats_server.stop()
    async with appending(database) as appender:
        last = await append_some(appender)
        async with relaying(database, nats_server.url, registry) as relay:

            async def lags() -> bool:
                return registry.get_sample_value("taghistory_relay_lag_events") == last

            await wait_until(lags)
            await nats_server.start()
            await until_relayed(relay, last)
            assert registry.get_sample_value("taghistory_relay_position") == last
