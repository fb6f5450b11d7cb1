"""Connections that break, servers that die: an answer is never a guess."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from signal import SIGCONT, SIGSTOP
from uuid import UUID

import pytest

from service.domain.errors import Unavailable, Unfinished
from service.eventstore import appender as appender_module
from service.eventstore import database as database_module
from service.eventstore.appender import Appender, CommandConflict
from service.eventstore.records import Appended, Guard
from service.eventstore.schema import migrate
from service.runtime.embedded_postgres import EmbeddedPostgres
from tests.engines import wait_until
from tests.integration.eventstore.support import (
    appending,
    command,
    connected,
    head_locked,
    stream,
    tag_event,
    until_append_waits,
    whole_log,
)
from tests.integration.eventstore.wire import wire_to

KILLS = 12

KILL_APPENDERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'tag-history append'
"""

WAITING_APPENDERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'tag-history append' AND wait_event_type = 'Lock'
"""


async def test_the_answer_to_a_commit_is_lost(database: str) -> None:
    """The events are there, so it is a success, at the positions they have; and they are there once."""
    async with wire_to(database) as wire, appending(wire.dsn) as appender:
        await appender.append(command())
        wire.answers_flow.clear()
        sent = [command(tag_event(stream(f"s{n}")), guards=[Guard(stream(f"s{n}"))]) for n in range(5)]
        answers = [asyncio.create_task(appender.append(one)) for one in sent]
        await wire.answer_held.wait()
        await wire.cut()
        wire.answers_flow.set()
        appended = await asyncio.gather(*answers)
    events = await whole_log(database)
    assert len(events) == 6
    assert [events[one.first - 1].command_id for one in appended] == [one.id for one in sent]


async def test_the_connection_dies_before_the_commit(database: str) -> None:
    async with appending(database) as appender:
        async with head_locked(database) as lock:
            answer = asyncio.create_task(appender.append(command()))
            backend = await until_append_waits(lock)
            await lock.execute("SELECT pg_terminate_backend($1)", backend)
            await wait_until(lambda: _is_gone(database, backend))
        assert await answer == Appended(1, 1, (await answer).recorded_at)
    assert len(await whole_log(database)) == 1


async def test_the_old_backend_outlives_its_connection(database: str) -> None:
    """It commits after the appender gave it up and has asked again; the command still happens once."""
    async with wire_to(database) as wire, appending(wire.dsn) as appender:
        await appender.append(command())
        async with head_locked(database) as lock:
            answer = asyncio.create_task(
                appender.append(command(tag_event(stream("once")), guards=[Guard(stream("once"))]))
            )
            await until_append_waits(lock)
            await wire.cut()
            await wait_until(lambda: _is_waiting(database, 2))
        appended = await answer
    events = await whole_log(database)
    assert [event.aggregate.name for event in events] == ["app", "once"]
    assert appended.first == 2


async def test_a_conflict_stays_a_conflict(database: str) -> None:
    """Its answer is lost; asked again, the log says the same."""
    async with wire_to(database) as wire, appending(wire.dsn) as appender:
        await appender.append(command())
        wire.answers_flow.clear()
        answer = asyncio.create_task(appender.append(command(guards=[Guard(stream())])))
        await wire.answer_held.wait()
        await wire.cut()
        wire.answers_flow.set()
        with pytest.raises(CommandConflict):
            await answer
    assert len(await whole_log(database)) == 1


async def test_backends_are_killed_under_load(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is answered is true: appended commands are there, where it says, once, and no others."""
    monkeypatch.setattr(appender_module, "RETRY_LIMIT_S", 0.05)
    random_numbers = random.Random(4711)
    async with appending(database) as appender, connected(database) as killer:
        enough = asyncio.Event()

        def goes_on(_: int) -> bool:
            return not enough.is_set()

        writers = [asyncio.create_task(_write_while(appender, f"s{n}", goes_on)) for n in range(16)]
        kills = 0
        while kills < KILLS:
            await asyncio.sleep(random_numbers.uniform(0.0, 0.05))
            kills += await killer.fetchval(KILL_APPENDERS)
        enough.set()
        answered = [answer for answers in await asyncio.gather(*writers) for answer in answers]
    events = await whole_log(database)
    assert {event.command_id: event.position for event in events} == dict(answered)
    assert len(events) == len(answered)


async def test_postgresql_is_killed_under_load(postgres_server: EmbeddedPostgres) -> None:
    await migrate(postgres_server.dsn)
    async with appending(postgres_server.dsn) as appender:
        writers = [asyncio.create_task(_write_many(appender, f"s{n}", 200)) for n in range(8)]
        await _until_length(postgres_server.dsn, 100)
        await postgres_server.kill()
        await postgres_server.start()
        answered = [answer for answers in await asyncio.gather(*writers) for answer in answers]
    events = await whole_log(postgres_server.dsn)
    assert {event.command_id: event.position for event in events} == dict(answered)
    assert len(events) == len(answered)


async def test_while_postgresql_is_away_nothing_changes_and_then_all_goes_on(
    postgres_server: EmbeddedPostgres,
) -> None:
    await migrate(postgres_server.dsn)
    async with appending(postgres_server.dsn, answer_timeout_s=0.3) as impatient:
        await postgres_server.stop()
        answers = await asyncio.gather(*(impatient.append(command()) for _ in range(5)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 5
    async with appending(postgres_server.dsn) as patient:
        answer = asyncio.create_task(patient.append(command()))
        await asyncio.sleep(0.1)
        await postgres_server.start()
        assert (await answer).first == 1


async def test_time_runs_out_before_there_is_a_verdict(database: str) -> None:
    """In flight: it may still happen, and here it does. Still in the queue: it has not happened, and never will."""
    async with appending(database, answer_timeout_s=0.2) as appender:
        async with head_locked(database) as lock:
            in_flight = asyncio.create_task(appender.append(command(tag_event(stream("in-flight")))))
            await until_append_waits(lock)
            queued = asyncio.create_task(appender.append(command(tag_event(stream("queued")))))
            with pytest.raises(Unfinished):
                await in_flight
            with pytest.raises(Unavailable):
                await queued
        await wait_until(lambda: _has_length(database, 1))
        await appender.append(command(tag_event(stream("next"))))
    assert [event.aggregate.name for event in await whole_log(database)] == ["in-flight", "next"]


async def test_a_frozen_server_is_given_up(postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing at all, not even that the connection is gone."""
    monkeypatch.setattr(database_module, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(database_module, "CONNECT_TIMEOUT_S", 0.3)
    await migrate(postgres_server.dsn)
    async with appending(postgres_server.dsn) as appender:
        await appender.append(command())
        async with connected(postgres_server.dsn) as connection:
            backend = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'tag-history append'"
            )
        answer = asyncio.create_task(appender.append(command()))
        os.kill(backend, SIGSTOP)
        try:
            assert (await answer).last >= 2
        finally:
            os.kill(backend, SIGCONT)
    assert len(await whole_log(postgres_server.dsn)) == 2


async def _write_many(appender: Appender, name: str, count: int) -> list[tuple[UUID, int]]:
    """One after the other, each guarding against anything it does not know of. Returns what was said of each."""
    return await _write_while(appender, name, lambda written: written < count)


async def _write_while(appender: Appender, name: str, goes_on: Callable[[int], bool]) -> list[tuple[UUID, int]]:
    """The same, for as long as it takes; asked with the number that is written."""
    answers: list[tuple[UUID, int]] = []
    position = 0
    while goes_on(len(answers)):
        one = command(tag_event(stream(name)), decided_at=position, guards=[Guard(stream(name))])
        position = (await appender.append(one)).first
        answers.append((one.id, position))
    return answers


async def _until_length(dsn: str, length: int) -> None:
    await wait_until(lambda: _has_length(dsn, length))


async def _has_length(dsn: str, length: int) -> bool:
    async with connected(dsn) as connection:
        return bool(await connection.fetchval("SELECT count(*) >= $1 FROM events", length))


async def _is_gone(dsn: str, backend: int) -> bool:
    async with connected(dsn) as connection:
        return not await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", backend)


async def _is_waiting(dsn: str, backends: int) -> bool:
    async with connected(dsn) as connection:
        return bool(await connection.fetchval(WAITING_APPENDERS) >= backends)
