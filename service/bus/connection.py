"""The process's one connection to NATS, made again for ever.

Keeps: whoever asks gets a client that was connected a moment ago, or waits; nothing here stops a process from starting
or going on while NATS is away. Each connection has a client of its own, which is thrown away with it: the library's
own reconnecting would replay stale requests, gives up on some errors, and hides that messages were missed.
Elsewhere: what is published (`relay.py`) and what is heard (`subscription.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client

from service.runtime.logs import get_logger
from service.runtime.tasks import Backoff

CONNECT_TIMEOUT_S: Final = 2
PING_INTERVAL_S: Final = 2
"""Three pings without an answer end a connection."""
CLOSE_TIMEOUT_S: Final = 2.0
RETRY_FIRST_S: Final = 0.05
RETRY_LIMIT_S: Final = 1.0
CHECK_INTERVAL_S: Final = 1.0

NATS_ERRORS: Final = (nats.errors.Error, OSError, TimeoutError)
"""What may come of any use of a client: NATS is away, slow, or full. (Its own errors include those of JetStream.)"""

log = get_logger("nats")


class NatsConnection:
    """Start `run` as a task; `connected` and `client` from anywhere in the same event loop."""

    def __init__(self, url: str, name: str, credentials_file: Path | None = None) -> None:
        """`url`: one or several, separated by commas. Raises ValueError for what is no URL."""
        self._servers = [_checked(server.strip()) for server in url.split(",")]
        self._name = name
        self._credentials = str(credentials_file) if credentials_file else None
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def client(self) -> Client | None:
        """The connected client, if there is one now."""
        return self._client if self._client is not None and self._client.is_connected else None

    async def connected(self) -> Client:
        """Wait for a connected client."""
        while (client := self.client) is None:
            self._up.clear()
            await self._up.wait()
        return client

    async def lost(self, timeout_s: float) -> None:
        """Wait until the connection is lost, or for the timeout."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._lost.wait()

    async def run(self) -> None:
        """Keep a connection, until cancelled."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        failures = 0
        while True:
            client = Client()
            try:
                await self._connect(client)
                backoff.reset()
                failures = 0
                await self._until_lost(client)
                log.warning("connection to NATS lost")
            except NATS_ERRORS as error:
                failures += 1
                if failures == 1:
                    log.warning("cannot connect to NATS, trying again and again", error=error)
            finally:
                self._client = None
                await _close(client)
            honour_cancellation()
            await asyncio.sleep(backoff.next_delay_s())

    async def _connect(self, client: Client) -> None:
        self._lost.clear()
        await client.connect(
            self._servers,
            name=self._name,
            user_credentials=self._credentials,
            allow_reconnect=False,
            # The library tries each server this often before it reports that there is none.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            # Publishing without a connection is refused at once instead of kept for later.
            pending_size=0,
            error_cb=self._on_error,
            disconnected_cb=self._on_lost,
            closed_cb=self._on_lost,
        )
        log.info("connected to NATS", server=client.connected_url.hostname if client.connected_url else None)
        self._client = client
        self._up.set()

    async def _until_lost(self, client: Client) -> None:
        """The library tells of a loss only after it has said good-bye, which a frozen server makes last for ever."""
        while client.is_connected:
            honour_cancellation()
            await self.lost(CHECK_INTERVAL_S)

    async def _on_error(self, error: Exception) -> None:
        # A slow consumer, that is, dropped messages: a gap, which whoever follows finds by itself.
        log.debug("NATS reports an error", error=error)

    async def _on_lost(self) -> None:
        self._lost.set()


def honour_cancellation() -> None:
    """Raise CancelledError if the library has swallowed it: its `asyncio.wait_for` does, before Python 3.12, when what
    it waits for ends in the same moment. To be called once per turn of a loop that uses a client."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _checked(server: str) -> str:
    if not urlsplit(server if "://" in server else f"nats://{server}").hostname:
        raise ValueError("the URL of a NATS server names no host")
    return server


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()
    except NATS_ERRORS as error:
        log.debug("closing a connection to NATS failed", error=error)
