"""Watchers: they connect, read or do not read, go away in the middle of a line, and resume, at random.

They begin where they were cut off, at older positions that ever were, with the state, or with a list as informers do;
with bookmarks and without. Some have small buffers and read slowly, or not at all for seconds, so that they are parked.
Keeps: everything that arrived is written down before anything else happens to the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from random import Random

import msgspec

from tests.faults.client import Client
from tests.faults.history import History, Session
from tests.faults.plan import weighted
from tests.faults.readers import Reader
from tests.faults.wire import Endpoint, Lost, lines_of
from tests.faults.wish import Wish

FIRST_POSITION = 1
SMALL_BUFFER_BYTES = 8 * 1024
LIFE_S = 5.0
"""On average, of a connection that nothing else ends; at most four times as long."""
RECENT_EVENTS = 2_000
"""Most of those who begin in the past do not go further back: a replay of everything is dear."""

BEGINNINGS = {"resume": 60, "past": 10, "long past": 2, "state": 10, "state without end": 6, "any state": 4, "list": 8}
BEGINNINGS_TO_CHOKE_ON = {"resume": 20, "past": 50, "long past": 15, "state": 15}
"""Of those who stop reading: there must be more to be told than buffers hold."""
READING = {"eager": 65, "slow": 15, "stops": 20}
STOP_S = (1.0, 6.0)
STOP_SHARE = 0.3
"""Of what arrives, as often those who stop reading do so behind it."""


class Beginning(msgspec.Struct, frozen=True):
    parameters: dict[str, str | int]
    start: int | None
    floor: int = 0
    is_current: bool = False
    bookmarks: bool = False


class Watcher:
    def __init__(
        self, name: str, endpoint: Endpoint, history: History, random: Random, wish: Wish, *, chokes: bool = False
    ) -> None:
        """One that `chokes` asks for a lot, and time and again reads none of it for seconds."""
        self.name = name
        self.wish = wish
        self.known = 0
        """Where it would resume."""
        self.last: Session | None = None
        """The session that stays to the end."""
        self._history = history
        self._random = random
        self._chokes = chokes
        buffer_bytes = SMALL_BUFFER_BYTES if chokes or random.random() < 0.5 else None
        self._client = Client(endpoint, history, buffer_bytes)
        self._lister = Reader(endpoint, history, random)

    async def run(self, stop: asyncio.Event, release: asyncio.Event) -> None:
        """Come and go until `stop`; then stay until `release`."""
        try:
            await _until(stop, self._come_and_go())
            while not release.is_set():
                await self._stay(release)
        finally:
            self._client.connection.drop()
            self._lister.close()

    def has_seen(self, position: int) -> bool:
        """Whether the session that stays was told of this position."""
        return self.last is not None and (self.last.known or 0) >= position

    async def _come_and_go(self) -> None:
        while True:
            await self._one_session()

    async def _one_session(self) -> None:
        random = self._random
        reading = "stops" if self._chokes else weighted(random, READING)
        stops = reading == "stops"
        beginning = await self._beginning(weighted(random, BEGINNINGS_TO_CHOKE_ON if stops else BEGINNINGS))
        if beginning is None:
            return
        session = self._session(beginning)
        parameters = dict(beginning.parameters)
        if random.random() < 0.4:
            parameters["timeoutSeconds"] = random.randint(2, 6)
        life_s = min(random.expovariate(1 / LIFE_S), 4 * LIFE_S) + (STOP_S[1] if stops else 0)
        try:
            async with asyncio.timeout(life_s):
                await self._watch(session, parameters, reading)
        except TimeoutError:
            pass
        finally:
            session.end = session.end or "went away"
            self._client.connection.drop()
            if session.known is not None:
                self.known = session.known

    async def _stay(self, release: asyncio.Event) -> None:
        self.known = self.known or FIRST_POSITION
        session = self._session(Beginning({"resourceVersion": self.known}, self.known))
        self.last = session
        await _until(release, self._watch(session, {"resourceVersion": self.known}, "eager"))
        self._client.connection.drop()
        self.known = session.known or self.known
        if release.is_set():
            session.end = session.end or "stayed"

    def _session(self, beginning: Beginning) -> Session:
        session = Session(
            watcher=self.name,
            wish=self.wish,
            start=beginning.start,
            floor=beginning.floor,
            is_current=beginning.is_current,
            begun=self._history.now(),
            bookmarks=beginning.bookmarks,
            lines=[],
            arrivals=[],
            known=beginning.start,
        )
        self._history.sessions.append(session)
        return session

    async def _beginning(self, kind: str) -> Beginning | None:
        """How to begin. None where that needs an answer that was not to be had."""
        random, seen = self._random, self._history.seen
        bookmarks = random.random() < 0.5
        asked: dict[str, str | int] = {"allowWatchBookmarks": "true"} if bookmarks else {}
        if kind == "state":
            parameters = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
            return Beginning({**parameters, "allowWatchBookmarks": "true"}, None, seen, is_current=True, bookmarks=True)
        if kind == "state without end":
            return Beginning({}, None, seen, is_current=True)
        if kind == "any state":
            return Beginning({"resourceVersion": 0}, None)
        if kind == "list" or not self.known:
            listed = await self._lister.list(self.wish)
            if listed is None:
                return None
            start = listed[0].pages[0].position
        elif kind == "resume":
            start = self.known
        else:
            start = random.randint(1 if kind == "long past" else max(1, seen - RECENT_EVENTS), seen)
        if not start:
            return None
        return Beginning({**asked, "resourceVersion": start}, start, bookmarks=bookmarks)

    async def _watch(self, session: Session, parameters: dict[str, str | int], reading: str) -> None:
        history, client = self._history, self._client
        await client.rest()
        begun = history.now()
        target = self.wish.path(watch="true", **parameters)
        try:
            answer, body = await client.connection.open_stream(target)
            if answer.code != 200:
                status = msgspec.structs.replace(answer, body=b"".join([chunk async for chunk in body]))
                client.connection.drop()
                client.note("watch", status, begun)
                session.end = f"refused with {answer.code}"
                return
            await self._read(session, body, reading)
            session.end = "the server ended it"
        except Lost as lost:
            client.note_lost("watch", lost, begun)
            session.end = "lost"

    async def _read(self, session: Session, body: AsyncIterator[bytes], reading: str) -> None:
        history, random = self._history, self._random
        async for texts in lines_of(body):
            for text in texts:
                line = history.lines.event(text)
                session.take_down(line)
                history.saw(line.version)
            session.arrivals.append((len(session.lines), history.now().wall_s))
            if reading == "slow":
                await asyncio.sleep(random.uniform(0, 0.3))
            elif reading == "stops" and random.random() < STOP_SHARE:
                await asyncio.sleep(random.uniform(*STOP_S))


async def _until(event: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    """Do the work, until it ends or the event comes."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        waiting.cancel()
        results = await asyncio.gather(working, waiting, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
