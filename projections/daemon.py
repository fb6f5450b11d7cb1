"""The process that projects and relays: everything is built here, in one stack, and taken down in reverse.

    log ─▶ relay ─▶ JetStream ─▶ follower ─▶ feed ─▶ a runner for each projection ─▶ views

Keeps: any number of these processes may run; of each projection, and of the relay, one of them is active, the others
wait. PostgreSQL and NATS may come and go; only a bug ends a task, and with it the process.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from prometheus_client import CollectorRegistry

from projections.endpoint import Endpoint
from projections.feed import Feed
from projections.lease import HEARTBEAT_S, lease
from projections.registry import projections_of
from projections.runner import Runner
from projections.status import Metrics, RunnerStatus
from service.bus.connection import NatsConnection
from service.bus.follower import Follower
from service.bus.relay import Relay
from service.domain.errors import Unavailable
from service.domain.events import EVENT_TYPES
from service.eventstore.codec import Codec
from service.eventstore.database import open_pool, translated_errors
from service.eventstore.listener import HeadListener
from service.eventstore.reader import Reader
from service.runtime.config import EngineSettings, ProjectSettings
from service.runtime.logs import get_logger
from service.runtime.metrics import new_registry
from service.runtime.readiness import tell_ready
from service.runtime.tasks import Backoff, Supervisor

POOL_SIZE_LIMIT: Final = 4
RETRY_FIRST_S: Final = 0.1
RETRY_LIMIT_S: Final = 2.0

log = get_logger("project")


async def project(settings: ProjectSettings) -> None:
    """Project and relay until cancelled."""
    metrics = new_registry()
    engines = settings.engines
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(engines.postgres_dsn, "project", size_limit=POOL_SIZE_LIMIT))
        supervisor = await stack.enter_async_context(Supervisor("project"))
        reader = Reader(pool)
        nats = NatsConnection(engines.nats_url, "tag-history project", engines.nats_credentials_file)
        supervisor.start("nats", nats.run())
        supervisor.start("relay", _relay(engines, reader, nats, metrics))
        feed = await _follow(supervisor, reader, nats)
        projection_metrics = Metrics(metrics)
        supervisor.start("measure", projection_metrics.keep_measuring(pool))
        for status in _run_projections(supervisor, engines.postgres_dsn, feed, projection_metrics):
            await status.settled.wait()
        if settings.metrics_listen is not None:
            runner = await Endpoint(pool, metrics).serve(settings.metrics_listen)
            stack.push_async_callback(runner.cleanup)
        tell_ready(settings.ready_fd)
        await asyncio.Event().wait()


async def _relay(engines: EngineSettings, reader: Reader, nats: NatsConnection, metrics: CollectorRegistry) -> None:
    """Relay while this process holds the lease. Two relays do no harm, they only get in each other's way."""
    backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
    listener = HeadListener(engines.postgres_dsn)
    relay = Relay(reader, listener, nats, registry=metrics, replicas=engines.jetstream_replicas)
    while True:
        try:
            async with lease(engines.postgres_dsn, "relay", lambda: None) as connection:
                backoff.reset()
                async with Supervisor("relay") as supervisor:
                    supervisor.start("listener", listener.run())
                    supervisor.start("publisher", relay.run())
                    while True:
                        await asyncio.sleep(HEARTBEAT_S)
                        with translated_errors():
                            await connection.execute("SELECT 1")
        except Unavailable as error:
            log.warning("the relay begins again", why=error)
        await asyncio.sleep(backoff.next_delay_s())


async def _follow(supervisor: Supervisor, reader: Reader, nats: NatsConnection) -> Feed:
    """From the end of the log on: who is behind it reads the log itself. Waits for PostgreSQL."""
    backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
    while True:
        try:
            newest = await reader.newest()
            break
        except Unavailable as error:
            log.warning("the log cannot be read for now", why=error)
        await asyncio.sleep(backoff.next_delay_s())
    follower = Follower(reader, nats, newest)
    feed = Feed(reader, newest)
    supervisor.start("follower", follower.run())
    supervisor.start("feed", feed.run(follower.batches()))
    return feed


def _run_projections(supervisor: Supervisor, dsn: str, feed: Feed, metrics: Metrics) -> list[RunnerStatus]:
    codec = Codec(EVENT_TYPES)
    statuses = []
    for projection in projections_of(()):
        status = RunnerStatus(projection.name, metrics)
        supervisor.start(projection.name, Runner(projection, dsn, feed, codec, status).run())
        statuses.append(status)
    return statuses
