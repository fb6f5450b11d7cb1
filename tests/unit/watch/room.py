"""The watch room over a log in memory, fed by hand, on a clock that jumps, and clients that read when told to."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import msgspec
from prometheus_client import CollectorRegistry

from service.api.json_types import JsonObject
from service.domain.errors import TagHistoryError, Unavailable
from service.domain.world import Collection, State
from service.eventstore.records import RecordedEvent
from service.watch.cache import Cache
from service.watch.frames import payloads_of
from service.watch.hub import Hub
from service.watch.request import WatchLimits, WatchRequest
from service.watch.ring import RingLimits
from service.watch.scope import EventType, Scope
from service.watch.watcher import End
from tests.unit.watch.chronicle import Chronicle, codec, document, fold

T = TypeVar("T")
PATIENT = WatchLimits(stall_timeout_s=1e6)


class TravellingLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer whenever nothing else is to be done, so waiting costs nothing."""

    def __init__(self) -> None:
        super().__init__(_Traveller(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class _Traveller(selectors.DefaultSelector):
    def __init__(self, loop: TravellingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits, and for nothing")
        self._loop.now += max(timeout, 0)
        return super().select(0)


def travel(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=TravellingLoop) as runner:
        return runner.run(work)


class JsonEncoder:
    """Events as lines of JSON. `encoded` counts how often each was made."""

    content_type = "application/json"
    lasting = True
    at_once = True

    def __init__(self, form: str = "json") -> None:
        self.form = form
        self.encoded: Counter[tuple[str, int]] = Counter()

    @property
    def following(self) -> JsonEncoder:
        return self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        self.encoded[event_type.value, resource_version] += 1
        return line(event_type.value, document(collection, state, resource_version))

    async def fetch(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        raise AssertionError("there is nothing to fetch")

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        annotations = {"annotations": {"k8s.io/initial-events-end": "true"}} if initial_end else {}
        return line("BOOKMARK", {"metadata": {"resourceVersion": str(position), **annotations}})

    def encode_error(self, error: TagHistoryError) -> bytes:
        return line("ERROR", {"kind": "Status", "reason": type(error).__name__, "message": error.message})


class FetchingEncoder(JsonEncoder):
    """The same events, which take time to make; as long as `away`, in vain."""

    at_once = False

    def __init__(self, fetch_s: float = 1.0) -> None:
        super().__init__("fetched")
        self.fetch_s = fetch_s
        self.away = False

    async def fetch(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        await asyncio.sleep(self.fetch_s)
        if self.away:
            raise Unavailable("PostgreSQL is away")
        return self.encode(collection, event_type, state, resource_version)


def line(event_type: str, obj: JsonObject) -> bytes:
    return msgspec.json.encode({"type": event_type, "object": obj}) + b"\n"


class Told(NamedTuple):
    """One event as a client decoded it."""

    type: str
    object: Any

    @property
    def version(self) -> int:
        return int(self.object["metadata"]["resourceVersion"])

    @property
    def ends_initial(self) -> bool:
        return self.type == "BOOKMARK" and "annotations" in self.object["metadata"]


class MemorySink:
    """A connection whose client reads when it is told to; an eager one reads at once."""

    def __init__(self, *, eager: bool = True) -> None:
        self.eager = eager
        self.held: list[bytes] = []
        self.told: list[Told] = []
        self.is_closed = False
        self.frames: list[bytes] = []
        self._emptied = asyncio.Event()

    def write(self, frame: bytes, /) -> None:
        assert not self.is_closed, "written to a closed sink"
        self.held.append(frame)
        if self.eager:
            self.read(1)

    def read(self, frames: int) -> None:
        """What the client reads."""
        for frame in self.held[:frames]:
            self.frames.append(frame)
            for event in map(msgspec.json.decode, payloads_of(frame).splitlines()):
                self.told.append(Told(event["type"], event["object"]))
        del self.held[:frames]
        if not self.held:
            self._emptied.set()

    def close(self) -> None:
        """The client goes; what it has not read it never will."""
        self.is_closed = True
        self.held.clear()
        self._emptied.set()

    def buffered_bytes(self) -> int:
        return sum(map(len, self.held))

    def closed(self) -> bool:
        return self.is_closed

    async def drained(self) -> None:
        if self.held and not self.is_closed:
            self._emptied.clear()
            await self._emptied.wait()


class Room:
    """A hub over a chronicle, fed by hand."""

    def __init__(
        self,
        chronicle: Chronicle,
        ring: RingLimits | None = None,
        limits: WatchLimits = PATIENT,
        begin: int = 0,
    ) -> None:
        """The cache begins with the fold up to `begin`, which ends a command."""
        self.chronicle = chronicle
        self.cache = Cache(chronicle, fold(chronicle, begin), ring)
        self.hub = Hub(self.cache, chronicle, codec, chronicle, CollectorRegistry(), limits)
        self.encoder = JsonEncoder()
        self._batches: asyncio.Queue[list[RecordedEvent]] = asyncio.Queue()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Room]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self.hub.feed(self._follow())), tasks.create_task(self.hub.keep_house())]
            try:
                yield self
            finally:
                for task in running:
                    task.cancel()

    async def _follow(self) -> AsyncIterator[list[RecordedEvent]]:
        while True:
            yield await self._batches.get()

    def feed(self, commands: int | None = None) -> None:
        """Send the next commands of the chronicle, or all there are, as one batch."""
        position = self.sent
        batch = [e for c in self._rest(position)[:commands] for e in c]
        if batch:
            self._sent = batch[-1].position
            self._batches.put_nowait(batch)

    @property
    def sent(self) -> int:
        return getattr(self, "_sent", self.cache.position)

    def _rest(self, position: int) -> list[list[RecordedEvent]]:
        return [c for c in self.chronicle.commands if c[0].position > position]

    async def catch_up(self) -> None:
        """All of the chronicle, through the cache, and everybody told."""
        self.feed()
        await self.cache.wait_for(len(self.chronicle.events))
        await settled()

    @asynccontextmanager
    async def watch(
        self, scope: Scope, sink: MemorySink | None = None, timeout_s: float = 1e9, **request: Any
    ) -> AsyncIterator[Watch]:
        sink = sink or MemorySink()
        wanted = WatchRequest(scope=scope, encoder=request.pop("encoder", self.encoder), timeout_s=timeout_s, **request)
        await self.hub.prepare(wanted)
        task = asyncio.create_task(self.hub.watch(wanted, sink))
        await settled()
        try:
            yield Watch(sink, task)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class Watch(NamedTuple):
    sink: MemorySink
    task: asyncio.Task[End]

    @property
    def told(self) -> list[Told]:
        return self.sink.told

    @property
    def shape(self) -> list[tuple[str, str, int]]:
        """Type, name and resourceVersion of what was told."""
        return [(t.type, t.object["metadata"].get("name", ""), t.version) for t in self.told]


async def settled() -> None:
    """Until everybody has done what there was to do. Only on a loop whose time travels."""
    await asyncio.sleep(0.001)
    await asyncio.sleep(1.0)
