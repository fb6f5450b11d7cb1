"""Appending: whole commands, at the next positions, judged one by one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from service.domain.errors import InternalError, Overloaded, Unavailable
from service.eventstore import command_queue
from service.eventstore.appender import Appender, CommandConflict
from service.eventstore.records import Aggregate, Appended, Command, Guard, NewEvent, Payload, RecordedEvent
from tests.integration.eventstore.support import (
    appending,
    command,
    connected,
    head_locked,
    reading,
    stream,
    tag_event,
    until_append_waits,
    whole_log,
)

GREEDY = Guard(stream())
"""Nothing may have happened to the stream."""


async def test_events_come_back_as_they_were_appended(database: str) -> None:
    odd = b'{ "b":1,\n"a":[1.50, "\\u0041\xc3\xa9 \xf0\x9f\x90\xb3"], "a":null}'
    image = Aggregate("Image", "", "sha256:" + "0" * 64)
    first = command(tag_event(stream(), "v1.0", odd), NewEvent("ImageRegistered", 3, image, None, b"{}"))
    second = command()
    async with appending(database) as appender:
        appended = await appender.append(first)
        following = await appender.append(second)
    assert (appended.first, appended.last) == (1, 2)
    assert (following.first, following.last) == (3, 3)
    events = await whole_log(database)
    assert [(e.type, e.schema_version, e.aggregate, e.tag, e.data) for e in events[:2]] == [
        (e.type, e.schema_version, e.aggregate, e.tag, e.data) for e in first.events
    ]
    assert events[0].command_id == first.id
    assert events[0].recorded_at == appended.recorded_at
    assert events[0].metadata == (
        b'{"actor":"alice","uid":"7","groups":["developers","system:authenticated"],"verb":"create","reason":"t\xc3\xa9st"}'
    )


async def test_who_follows_is_told_exactly_what_a_reader_will_find(database: str) -> None:
    told: list[RecordedEvent] = []
    async with appending(database, on_committed=told.extend) as appender:
        await asyncio.gather(*(appender.append(command(*[tag_event(stream(f"s{n}"))] * n)) for n in range(1, 9)))
    assert told == await whole_log(database)


async def test_the_same_command_is_never_appended_twice(database: str) -> None:
    once = command(guards=[GREEDY])
    async with appending(database) as appender:
        first, at_the_same_time = await asyncio.gather(appender.append(once), appender.append(once))
        later = await appender.append(once)
    async with appending(database) as another_process:
        much_later = await another_process.append(once)
    assert first == at_the_same_time == later == much_later == Appended(1, 1, first.recorded_at)
    assert len(await whole_log(database)) == 1


@pytest.mark.parametrize(
    ("happened_to", "guarded", "conflicts"),
    [
        ("latest", None, True),
        (None, None, True),
        ("latest", ("latest",), True),
        ("latest", ("stable", "latest"), True),
        ("latest", ("stable",), False),
        ("latest", (), False),
        (None, ("stable",), True),
        (None, (), True),
    ],
)
async def test_what_a_guard_forbids(
    database: str, happened_to: str | None, guarded: tuple[str, ...] | None, conflicts: bool
) -> None:
    async with appending(database) as appender:
        happened = await appender.append(command(tag_event(stream(), happened_to)))
        guarding = command(tag_event(stream(), "mine"), decided_at=0, guards=[Guard(stream(), guarded)])
        if conflicts:
            with pytest.raises(CommandConflict) as conflict:
                await appender.append(guarding)
            assert conflict.value.position == happened.last
        else:
            await appender.append(guarding)


async def test_only_later_events_of_the_guarded_aggregate_conflict(database: str) -> None:
    async with appending(database) as appender:
        known = await appender.append(command(tag_event(stream("app"))))
        neighbours = [
            stream("ap"),
            stream("app2"),
            Aggregate("ImageStream", "shop2", "app"),
            Aggregate("Image", "shop", "app"),
        ]
        await appender.append(command(*map(tag_event, neighbours)))
        await appender.append(command(decided_at=known.last, guards=[Guard(stream("app"))]))
        with pytest.raises(CommandConflict):
            await appender.append(command(decided_at=known.last, guards=[Guard(stream("new")), Guard(stream("app"))]))


async def test_a_conflict_does_not_touch_its_neighbours_in_the_batch(database: str) -> None:
    async with appending(database) as appender:
        await appender.append(command(tag_event(stream("taken"))))
        async with head_locked(database) as lock:
            blocker = asyncio.create_task(appender.append(command()))
            await until_append_waits(lock)
            names = ["a", "taken", "b", "taken", "c"]
            batch = [
                command(tag_event(stream(name)), tag_event(stream(name)), guards=[Guard(stream(name))])
                for name in names
            ]
            answers = asyncio.gather(*map(appender.append, batch), return_exceptions=True)
            await asyncio.sleep(0)
        await blocker
        results = await answers
    assert [type(result) for result in results] == [Appended, CommandConflict, Appended, CommandConflict, Appended]
    events = await whole_log(database)
    assert [event.aggregate.name for event in events] == ["taken", "app", "a", "a", "b", "b", "c", "c"]
    assert len({event.recorded_at for event in events[2:]}) == 1, "they were one batch"


async def test_of_two_that_exclude_each_other_in_one_batch_one_wins(database: str) -> None:
    async with appending(database) as appender:
        async with head_locked(database) as lock:
            blocker = asyncio.create_task(appender.append(command(tag_event(stream("other")))))
            await until_append_waits(lock)
            rivals = [command(guards=[GREEDY]) for _ in range(20)]
            answers = asyncio.gather(*map(appender.append, rivals), return_exceptions=True)
            await asyncio.sleep(0)
        await blocker
        results = await answers
    assert isinstance(results[0], Appended)
    assert all(isinstance(result, CommandConflict) and result.position == 2 for result in results[1:])
    assert len(await whole_log(database)) == 2


async def test_a_command_that_postgresql_refuses_is_refused_alone(database: str) -> None:
    broken = [
        command(tag_event(stream("n\0ul"))),
        command(tag_event(stream(), data=b"{")),
        command(tag_event(stream(), data=b"\xff")),
        command(tag_event(stream("\ud800"))),
        command(NewEvent("TagImaged", 70_000, stream(), None, b"{}")),
    ]
    sound = [command(tag_event(stream(f"s{n}"))) for n in range(20)]
    mixed = [*sound[:7], broken[0], broken[1], *sound[7:15], broken[2], broken[3], broken[4], *sound[15:]]
    async with appending(database) as appender:
        results = await asyncio.gather(*map(appender.append, mixed), return_exceptions=True)
    for sent, result in zip(mixed, results, strict=True):
        assert isinstance(result, InternalError if sent in broken else Appended)
    assert len(await whole_log(database)) == len(sound)


async def test_payloads_are_stored_once_and_only_with_their_command(database: str) -> None:
    payload, never = Payload("sha256:aa", bytes(range(256))), Payload("sha256:bb", b"x")
    async with appending(database) as appender, reading(database) as reader:
        both = [command(payloads=[payload]), command(payloads=[payload, payload])]
        await asyncio.gather(*map(appender.append, both))
        with pytest.raises(CommandConflict):
            await appender.append(command(guards=[GREEDY], payloads=[never]))
        assert await reader.payload(payload.digest) == payload.content
        assert await reader.payload(never.digest) is None


async def test_recorded_time_does_not_run_backwards_with_the_clock(database: str) -> None:
    async with appending(database) as appender:
        now = (await appender.append(command())).recorded_at
        async with connected(database) as connection:
            await connection.execute(
                """
                INSERT INTO events
                SELECT 2, gen_random_uuid(), 2, 2, kind, namespace, name, tag, type, schema_version, $1, metadata, data
                FROM events
                """,
                now + timedelta(hours=1),
            )
        assert (await appender.append(command())).recorded_at == now + timedelta(hours=1)


async def test_a_full_queue_says_try_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_queue, "QUEUE_LIMIT_COMMANDS", 10)
    async with appending(database) as appender:
        async with head_locked(database) as lock:
            in_flight = asyncio.create_task(appender.append(command()))
            await until_append_waits(lock)
            queued = [asyncio.create_task(appender.append(command())) for _ in range(10)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded) as overloaded:
                await appender.append(command())
            assert overloaded.value.retry_after_seconds == 1
            queued[0].cancel()
            await asyncio.sleep(0)
            queued.append(asyncio.create_task(appender.append(command())))
        await asyncio.gather(in_flight, *queued[1:])
    assert len(await whole_log(database)) == 11


async def test_a_queue_full_of_bytes_says_try_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_queue, "QUEUE_LIMIT_BYTES", 10_000)
    heavy = Payload("sha256:cc", bytes(10_000))
    async with appending(database) as appender:
        async with head_locked(database) as lock:
            in_flight = asyncio.create_task(appender.append(command(payloads=[heavy])))
            await until_append_waits(lock)
            queued = asyncio.create_task(appender.append(command(payloads=[heavy])))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await appender.append(command())
        await asyncio.gather(in_flight, queued)
        await appender.append(command())


async def test_batches_are_bounded_and_a_giant_goes_alone(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_queue, "BATCH_LIMIT_EVENTS", 5)
    batches: list[int] = []
    async with appending(database, on_committed=lambda events: batches.append(len(events))) as appender:
        async with head_locked(database) as lock:
            sizes = [1, 2, 2, 9, 3, 3, 5]
            answers = asyncio.gather(*(appender.append(command(*[tag_event(stream())] * size)) for size in [1, *sizes]))
            await until_append_waits(lock)
        await answers
    assert batches == [4, 2, 9, 3, 3, 5] or batches == [1, 5, 9, 3, 3, 5]
    assert len(await whole_log(database)) == 26


async def test_who_goes_away_does_not_disturb_the_others(database: str) -> None:
    async with appending(database) as appender:
        async with head_locked(database) as lock:
            in_flight = asyncio.create_task(appender.append(command(tag_event(stream("in-flight")))))
            await until_append_waits(lock)
            queued = [asyncio.create_task(appender.append(command(tag_event(stream(f"s{n}"))))) for n in range(10)]
            await asyncio.sleep(0)
            for task in (in_flight, *queued[::2]):
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*queued[1::2])
    names = [event.aggregate.name for event in await whole_log(database)]
    assert names == ["in-flight", "s1", "s3", "s5", "s7", "s9"]


async def test_a_command_without_events_is_a_mistake(database: str) -> None:
    nothing = Command(command().id, 0, (), (), (), command().metadata)
    async with appending(database) as appender:
        with pytest.raises(ValueError, match="without events"):
            await appender.append(nothing)


async def test_a_stopping_process_answers_everybody(database: str) -> None:
    async with appending(database) as appender:
        await appender.append(command())
    with pytest.raises(Unavailable):
        await appender.append(command())
    assert isinstance(appender, Appender)


@pytest.mark.parametrize("table", ["events", "payloads"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_nobody_changes_the_log_not_even_a_superuser(database: str, table: str, change: str) -> None:
    column = {"events": "name", "payloads": "digest"}[table]
    async with appending(database) as appender:
        await appender.append(command(payloads=[Payload("sha256:aa", b"x")]))
    async with connected(database) as connection:
        assert await connection.fetchval("SHOW is_superuser") == "on"
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(change.format(table, column, column))
        await connection.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(change.format(table, column, column))
    assert len(await whole_log(database)) == 1
