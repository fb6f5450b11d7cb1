"""The checker notices: parts of the service that are broken in ways we fear, running in this process.

Each part runs as it is, to show that the checker has nothing to complain of, and again with one mistake in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec
import pytest

from projections import checkpoint
from projections.advance import Advance
from projections.images import Images
from projections.imagestreams import ImageStreams
from projections.namespaces import Namespaces
from service.domain.world import Change, Collection, Happened, State
from service.eventstore.records import RecordedEvent
from service.resources.listing import Lists, Wanted
from service.watch.cache import Cache
from service.watch.dispatcher import Dispatcher, Subscription
from service.watch.frames import payloads_of
from service.watch.request import WatchLimits
from service.watch.ring import Ring, RingLimits
from service.watch.scope import EventType, Scope
from tests.faults.check_views import check_views
from tests.faults.history import History, List, Page, Session
from tests.faults.lines import Lines
from tests.faults.run import compare
from tests.faults.truth import Truth, document
from tests.faults.wish import KINDS, Wish
from tests.integration.projections.chronicle import Chronicle as StoredChronicle
from tests.integration.projections.feeding import advancing, batches
from tests.unit.watch.chronicle import random_chronicle
from tests.unit.watch.room import JsonEncoder, MemorySink, Room, settled, travel

COMMANDS = 300
SESSIONS = 6
STEPS = 10
EVERYTHING = 1_000_000
TIGHT = WatchLimits(
    park_at_bytes=1_000, page_changes=4, page_events=10, stall_timeout_s=1e6, bookmark_every_s=1.0, replays=2
)
SMALL_RING = RingLimits(changes=20)


class AsServed(JsonEncoder):
    """Events as the checker expects them of an instance."""

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        shown = {"kind": KINDS[collection], **document(collection, state, resource_version)}
        return msgspec.json.encode({"type": event_type.value, "object": shown}) + b"\n"


class Client:
    """Watches a collection over several connections, reads when it likes, and notes down what it read."""

    def __init__(self, room: Room, wish: Wish, history: History, random: Random) -> None:
        self._room = room
        self._wish = wish
        self._history = history
        self._random = random
        self._known = random.randint(1, 10)

    async def run(self) -> None:
        for _ in range(SESSIONS):
            await self._session(stays=False)
        await self._session(stays=True)

    async def _session(self, *, stays: bool) -> None:
        random, sink = self._random, MemorySink(eager=stays)
        history = self._history
        session = Session("client", self._wish, self._known, 0, False, history.now(), bookmarks=True, known=self._known)
        session.lines, session.arrivals = [], []
        scope = Scope(self._wish.collection)
        async with self._room.watch(scope, sink, encoder=AsServed(), resource_version=self._known, bookmarks=True):
            for _ in range(STEPS):
                self._room.feed(random.choice((0, 1, 1)))
                await settled()
                # For a while it reads what comes at once, or not at all.
                sink.eager = random.random() < 0.6
                sink.read(EVERYTHING if sink.eager else random.randrange(3))
            if stays:
                await self._room.catch_up()
                await settled()
        for line in payloads_of(b"".join(sink.frames)).splitlines():
            session.take_down(history.lines.event(line))
        session.arrivals = [(len(session.lines), history.now().wall_s)]
        session.end = "stayed" if stays else "went away"
        history.sessions.append(session)
        self._known = session.known or self._known


def broken_promises(folder: Path, *, lost: int = 0) -> set[str]:
    """What watchers of a room have to complain of; `lost` of its newest commands were announced, and not kept."""
    chronicle = random_chronicle(Random(3), COMMANDS)
    with closing(Lines(folder / "lines.spool")) as lines:
        history = History(lines)

        async def watch_all() -> None:
            room = Room(chronicle, SMALL_RING, TIGHT, begin=chronicle.commands[5][-1].position)
            async with room.open(), asyncio.TaskGroup() as group:
                for number, collection in enumerate(Collection):
                    client = Client(room, Wish(collection), history, Random(number))
                    group.create_task(client.run())

        travel(watch_all())
        kept = [event for command in chronicle.commands[: COMMANDS - lost] for event in command]
        return {complaint.promise for complaint in compare(Truth(kept), history)} - {"nothing happens by itself"}


def test_a_room_that_works_gives_no_cause_for_complaint(tmp_path: Path) -> None:
    assert not broken_promises(tmp_path)


def test_resume_one_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    after = Ring.after
    monkeypatch.setattr(Ring, "after", lambda ring, position, limit: after(ring, position + 1, limit))
    assert "a watch misses nothing" in broken_promises(tmp_path)


def test_resume_one_too_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def after_and_at(ring: Ring, position: int, limit: int) -> list[Change]:
        found = after(ring, position, limit)
        again = after(ring, position - 1, 1)
        return [*again, *found] if found and again[0].position == position else found

    after = Ring.after
    monkeypatch.setattr(Ring, "after", after_and_at)
    assert "positions grow" in broken_promises(tmp_path)


def test_drop_on_a_full_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def send_where_there_is_room(
        self: Dispatcher, subscriptions: list[Subscription], frames: bytes, position: int
    ) -> None:
        for subscription in subscriptions:
            if subscription.sink.buffered_bytes() < TIGHT.park_at_bytes:
                subscription.sink.write(frames)
                subscription.told = position

    monkeypatch.setattr(Dispatcher, "_send", send_where_there_is_room)
    assert "a watch misses nothing" in broken_promises(tmp_path)


def test_skip_at_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache takes what comes for what follows."""

    def apply_but_one(cache: Cache, command: Sequence[Happened]) -> list[Change]:
        changes = apply(cache, command)
        of_tags = {change.collection for change in changes} <= {Collection.IMAGE_TAGS, Collection.IMAGE_STREAM_TAGS}
        return [] if of_tags or command[0].position % 7 == 0 else changes

    apply = Cache.apply
    monkeypatch.setattr(Cache, "apply", apply_but_one)
    assert broken_promises(tmp_path) & {"a watch misses nothing", "nothing up to a bookmark follows it"}


def test_deliver_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver_twice(dispatcher: Dispatcher, changes: Iterable[Change]) -> None:
        changes = list(changes)
        deliver(dispatcher, changes)
        deliver(dispatcher, changes[-1:])

    deliver = Dispatcher.deliver
    monkeypatch.setattr(Dispatcher, "deliver", deliver_twice)
    assert "positions grow" in broken_promises(tmp_path)


def test_bookmark_too_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bookmark for what is on its way, and not yet told."""
    tick = Dispatcher.tick
    monkeypatch.setattr(Dispatcher, "tick", lambda dispatcher, position, now: tick(dispatcher, position + 3, now))
    assert "nothing up to a bookmark follows it" in broken_promises(tmp_path)


def test_notice_before_the_event(tmp_path: Path) -> None:
    """Watchers were told of what then was rolled back."""
    assert "a watch tells only what happened to its scope" in broken_promises(tmp_path, lost=1)


async def nothing(cache: Cache) -> None:
    """Instead of `fresh`: the cache as it is will do."""


@pytest.mark.parametrize(
    ("fresh", "promises"),
    [(Cache.fresh, set()), (nothing, {"a list begun after an acknowledged write is not older"})],
    ids=["right", "stale read"],
)
def test_stale_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Callable[[Cache], object], promises: set[str]
) -> None:
    """A read of the present does not wait for what was acknowledged before it."""
    monkeypatch.setattr(Cache, "fresh", fresh)
    chronicle = random_chronicle(Random(4), COMMANDS)
    with closing(Lines(tmp_path / "lines.spool")) as lines:
        history = History(lines)
        history.saw(len(chronicle.events))

        async def read() -> None:
            room = Room(chronicle)
            async with room.open():
                room.feed(COMMANDS - 1)
                await settled()
                wish = Wish(Collection.IMAGE_STREAMS)
                listed = List(wish, history.seen, True, history.now())
                asyncio.get_running_loop().call_later(1.0, room.feed)
                page = await Lists(room.cache, chronicle).page(Scope(wish.collection), Wanted())  # type: ignore[arg-type]
                shown = [document(wish.collection, state, state.changed) for state in page.states]
                told = [lines.object(msgspec.json.encode(item)) for item in shown]
                listed.pages = [Page(page.position, told, None, False, history.now())]
                history.lists.append(listed)

        travel(read())
        found = {complaint.promise for complaint in compare(Truth(chronicle.events), history)}
    assert found - {"nothing happens by itself"} == promises


async def _checkpoint_first(advance: Advance, events: Iterable[RecordedEvent], to: int) -> None:
    """The checkpoint is kept, and then the process dies before the rows are."""
    await checkpoint.move(advance._connection, advance._projection.name, advance.checkpoint, to)
    raise ConnectionResetError


async def _die_in_time(advance: Advance, events: Iterable[RecordedEvent], to: int) -> None:
    """Before anything of the batch is kept."""
    raise ConnectionResetError


@pytest.mark.parametrize(
    ("death", "promises"),
    [(_die_in_time, set()), (_checkpoint_first, {"views equal replay"})],
    ids=["right", "checkpoint before the write"],
)
async def test_checkpoint_before_the_write(
    database: str, monkeypatch: pytest.MonkeyPatch, death: Callable[..., object], promises: set[str]
) -> None:
    chronicle = StoredChronicle()
    chronicle.append_random(Random(6), COMMANDS)
    await chronicle.store(database)
    parts = batches(chronicle.events, chronicle.head // 4)
    for projection in (ImageStreams(), Images(), Namespaces()):
        async with advancing(database, projection) as advance:
            for part in parts[:-1]:
                await advance.by(part)
            with monkeypatch.context() as dying, pytest.raises(ConnectionResetError):
                dying.setattr(Advance, "_by", death)
                await advance.by(parts[-1])
        async with advancing(database, projection) as advance:
            await advance.by(parts[-1])
    found = [c async for c in check_views(database, Truth(chronicle.events), Random(0), 4, "after a crash")]
    assert {complaint.promise for complaint in found} == promises
