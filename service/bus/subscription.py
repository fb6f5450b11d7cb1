"""Hear the stream: exactly one ordered, unacknowledged consumer per process, made again whenever it falls silent.

Messages are handed on as they come, with their sequence. Nothing is promised about them, neither that all come nor that
none comes twice: a message that NATS or the library has dropped is a gap, which the follower sees and heals
(`follower.py`). So the consumer is not reset at a gap, only when it is gone: with its connection, or when not even a
heartbeat was heard for a while. A server takes 1,000 consumers per stream: there is one here for all uses of a process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from service.bus.connection import NATS_ERRORS, NatsConnection, honour_cancellation
from service.bus.stream import REQUEST_TIMEOUT_S, STREAM
from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

HEARTBEAT_S: Final = 1.0
SILENCE_LIMIT_S: Final = 2.5
PENDING_LIMIT_MESSAGES: Final = 65_536
PENDING_LIMIT_BYTES: Final = 64 * 1024 * 1024
RETRY_FIRST_S: Final = 0.05
RETRY_LIMIT_S: Final = 1.0

CONTROL_STATUS: Final = "100"
STALLED_HEADER: Final = "Nats-Consumer-Stalled"

log = get_logger("subscription")


class Subscription:
    """Start `run` as a task. `deliver` is called with the sequence and the body of each message, and must not fail."""

    def __init__(self, nats: NatsConnection, start: Callable[[], int], deliver: Callable[[int, bytes], None]) -> None:
        """`start`: the sequence that is wanted next, whenever a consumer has to be made."""
        self.is_live = False
        """Whether the consumer was heard a moment ago."""
        self._nats = nats
        self._start = start
        self._deliver = deliver
        self._client: Client | None = None
        self._last_heard_s = 0.0

    async def run(self) -> None:
        """Stay subscribed, until cancelled."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        while True:
            client = await self._nats.connected()
            try:
                await self._subscribe(client, backoff)
            except NATS_ERRORS as error:
                log.info("cannot follow the stream for now", error=repr(error))
            finally:
                self.is_live = False
            honour_cancellation()
            await asyncio.sleep(backoff.next_delay_s())

    async def _subscribe(self, client: Client, backoff: Backoff) -> None:
        """Make a consumer and keep it, until it or the connection is lost."""
        inbox = client.new_inbox()
        subscription = await client.subscribe(
            inbox,
            cb=self._on_message,
            pending_msgs_limit=PENDING_LIMIT_MESSAGES,
            pending_bytes_limit=PENDING_LIMIT_BYTES,
        )
        try:
            self._client = client
            await self._create_consumer(client, inbox)
            backoff.reset()
            self.is_live = True
            while self._nats.client is client and not self._is_silent():
                honour_cancellation()
                await self._nats.lost(HEARTBEAT_S)
        finally:
            if client.is_connected:
                # The server drops a consumer that nobody listens to.
                await subscription.unsubscribe()

    async def _create_consumer(self, client: Client, inbox: str) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._start(),
            deliver_subject=inbox,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            flow_control=True,
            idle_heartbeat=HEARTBEAT_S,
            inactive_threshold=SILENCE_LIMIT_S,
            mem_storage=True,
            num_replicas=1,
        )
        await client.jetstream(timeout=REQUEST_TIMEOUT_S).add_consumer(STREAM, config)
        self._last_heard_s = asyncio.get_running_loop().time()

    def _is_silent(self) -> bool:
        return asyncio.get_running_loop().time() - self._last_heard_s > SILENCE_LIMIT_S

    async def _on_message(self, message: Msg) -> None:
        self._last_heard_s = asyncio.get_running_loop().time()
        if message.reply.startswith("$JS.ACK."):
            self._deliver(_sequence(message.reply), message.data)
        elif message.headers and message.headers.get("Status") == CONTROL_STATUS:
            await self._answer(message)

    async def _answer(self, message: Msg) -> None:
        """Tell the server that we have come this far: it holds back more than a window of messages otherwise."""
        answer_to = message.reply or (message.headers or {}).get(STALLED_HEADER)
        if answer_to and self._client is not None:
            await self._client.publish(answer_to)


def _sequence(reply: str) -> int:
    """The stream sequence, from `$JS.ACK.[domain.account.]stream.consumer.delivered.sequence.…`."""
    parts = reply.split(".")
    return int(parts[5] if len(parts) == 9 else parts[7])
