"""A client as the checker wants it: it watches, is cut off at random, and resumes from the last thing it knows."""

from __future__ import annotations

import asyncio
from random import Random

from service.domain.errors import FuturePosition
from service.watch.hub import Hub
from service.watch.request import WatchRequest
from tests.unit.watch.checker import Session, Wish
from tests.unit.watch.room import FetchingEncoder, JsonEncoder, MemorySink


class Client:
    def __init__(
        self, hub: Hub, wish: Wish, start: int | None, random: Random, pauses_s: tuple[float, ...] = (0.0, 0.1, 5.0)
    ) -> None:
        self.wish = wish
        self.sessions: list[Session] = []
        self._hub = hub
        self._pauses_s = pauses_s
        self._start = start
        self._random = random
        self._sink = MemorySink()
        self._finishing = False

    async def run(self) -> None:
        """Connect until told to finish; the last connection is one that was open when told, or begun since."""
        while not await self._session():
            pass

    def finish(self) -> None:
        """Read everything from now on, and stay."""
        self._finishing = True
        self._sink.eager = True
        self._sink.read(1_000_000)

    async def _session(self) -> bool:
        """One connection; whether it stayed to the end."""
        random = self._random
        self._sink = sink = MemorySink(eager=self._finishing or random.random() < 0.5)
        encoder = FetchingEncoder(random.choice((0.0, 0.3))) if random.random() < 0.3 else JsonEncoder()
        request = WatchRequest(self.wish.scope, encoder, 1e6, self._start, self._start is None, True)
        try:
            await self._hub.prepare(request)
        except FuturePosition:
            return False
        self.sessions.append(Session(self._start, sink.told))
        watching = asyncio.create_task(self._hub.watch(request, sink))
        for _ in range(random.randrange(1, 8)):
            await asyncio.sleep(random.choice(self._pauses_s))
            if not self._finishing:
                sink.read(random.randrange(4))
        if self._finishing:
            await watching
            return True
        if random.random() < 0.5:
            sink.close()
        watching.cancel()
        # To await it and to suppress its cancellation would suppress our own.
        await asyncio.wait([watching])
        if not watching.cancelled():
            watching.result()
        sink.close()
        knows = [event.version for event in sink.told]
        if self._start is not None or any(event.ends_initial for event in sink.told):
            self._start = (knows[-1] if knows else self._start) or None
        return False
