"""The relay: copies the log to JetStream, event by event, in order, for ever.

Keeps: sequence == position (`stream.py`, `publisher.py`), so any number of relays may run at once, and a relay may stop
anywhere and begin again: it takes up the stream where it ends. PostgreSQL's notifications wake it, and a slow tick
stands behind them. Whatever fails, it says so and tries again: NATS stopped, restarted, wiped or behind is filled from
the log, and PostgreSQL away is waited for.
Elsewhere: who follows (`follower.py`); that only one `project` process need be active is decided in projections/.
"""

from __future__ import annotations

import asyncio
from typing import Final

from nats.aio.client import Client
from prometheus_client import CollectorRegistry, Counter, Gauge

from service.bus.connection import NATS_ERRORS, NatsConnection, honour_cancellation
from service.bus.envelope import EnvelopeCodec
from service.bus.publisher import Publisher
from service.bus.stream import LogStream
from service.domain.errors import Unavailable
from service.eventstore.listener import HeadListener
from service.eventstore.reader import Reader
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

PAGE_LIMIT_EVENTS: Final = 500
TICK_S: Final = 1.0
CHECK_INTERVAL_S: Final = 5.0
"""How long the stream is taken to be what it was, while there is nothing to publish."""
RETRY_FIRST_S: Final = 0.05
RETRY_LIMIT_S: Final = 2.0

log = get_logger("relay")


class Relay:
    """Start `run` as a task. `relayed` is the position up to which JetStream was last known to hold the log."""

    def __init__(
        self,
        reader: Reader,
        listener: HeadListener,
        nats: NatsConnection,
        *,
        registry: CollectorRegistry,
        replicas: int = 1,
    ) -> None:
        self.relayed = 0
        self._reader = reader
        self._listener = listener
        self._nats = nats
        self._replicas = replicas
        self._position = Gauge("taghistory_relay_position", "Last position known to be in JetStream", registry=registry)
        self._lag = Gauge("taghistory_relay_lag_events", "Events of the log not yet in JetStream", registry=registry)
        self._failures = Counter("taghistory_relay_failures", "Times the relay had to begin again", registry=registry)

    async def run(self) -> None:
        """Relay, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure_lag(), name="relay lag")
            await self._relay_for_ever()

    async def _relay_for_ever(self) -> None:
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        while True:
            client = await self._nats.connected()
            before = self.relayed
            try:
                await self._relay(client)
            except (*NATS_ERRORS, Unavailable) as error:
                self._failures.inc()
                log.warning("relaying failed, taking it up again", relayed=self.relayed, error=repr(error))
            if self.relayed != before:
                backoff.reset()
            honour_cancellation()
            await asyncio.sleep(backoff.next_delay_s())

    async def _relay(self, client: Client) -> None:
        """Relay over one connection, until it is lost."""
        log_id = await self._reader.log_id()
        stream = LogStream(self._reader, log_id, self._replicas)
        self._reached(await stream.ensure(client))
        last_check_s = asyncio.get_running_loop().time()
        async with Publisher(client, EnvelopeCodec(log_id)) as publisher:
            while self._nats.client is client:
                honour_cancellation()
                events = await self._reader.read_after(self.relayed, PAGE_LIMIT_EVENTS)
                if events:
                    await publisher.publish(events)
                    self._reached(events[-1].position)
                    continue
                heard = await self._listener.wait(TICK_S)
                now_s = asyncio.get_running_loop().time()
                if not heard and now_s - last_check_s > CHECK_INTERVAL_S:
                    self._reached(await stream.ensure(client))
                    last_check_s = now_s

    def _reached(self, position: int) -> None:
        self.relayed = position
        self._position.set(position)

    async def _measure_lag(self) -> None:
        """On its own, because the lag matters most while the relay is stuck."""
        while True:
            try:
                self._lag.set(max(0, await self._reader.newest() - self.relayed))
            except Unavailable as error:
                log.debug("the lag is not known", error=error)
            await asyncio.sleep(CHECK_INTERVAL_S)
