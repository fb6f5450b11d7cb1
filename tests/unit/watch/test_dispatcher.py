"""The fan-out: who is told, with which bytes, and who is let go."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import CollectorRegistry

from service.domain.events import Header
from service.domain.imagestream import ImageStream
from service.domain.selectors import parse_label_selector
from service.domain.world import Change, Collection, State
from service.watch.dispatcher import Bookmarks, Dispatcher, Left, Subscription
from service.watch.frames import ChangeEncoder, Frames, chunk, payloads_of
from service.watch.metrics import WatchMetrics
from service.watch.scope import EventType, Scope
from tests.unit.watch.chronicle import header
from tests.unit.watch.room import JsonEncoder, MemorySink, travel

STREAMS = Scope(Collection.IMAGE_STREAMS)


class Fan:
    """A dispatcher and those it tells."""

    def __init__(self, park_at_bytes: int = 10_000) -> None:
        self.metrics = WatchMetrics(CollectorRegistry())
        self.dispatcher = Dispatcher(Frames(), self.metrics, park_at_bytes)
        self.encoder = JsonEncoder()
        self.position = 0

    def join(
        self,
        scope: Scope = STREAMS,
        encoder: ChangeEncoder | None = None,
        bookmarks: Bookmarks | None = None,
        *,
        eager: bool = True,
    ) -> tuple[Subscription, MemorySink]:
        sink = MemorySink(eager=eager)
        subscription = Subscription(scope, encoder or self.encoder, sink, self.position, bookmarks)
        self.dispatcher.join(subscription)
        return subscription, sink

    def change(self, namespace: str = "n", name: str = "x", made_of: Header | None = None) -> Change:
        self.position += 1
        state = ImageStream(namespace, name, made_of or header(), self.position)
        return Change(self.position, Collection.IMAGE_STREAMS, namespace, name, None, state)

    def tell(self, *changes: Change) -> None:
        self.dispatcher.deliver(changes)


def test_a_change_touches_only_those_it_concerns() -> None:
    async def story() -> None:
        fan = Fan()
        scopes = [
            STREAMS,
            Scope(Collection.IMAGE_STREAMS, "n"),
            Scope(Collection.IMAGE_STREAMS, "n", "x"),
            Scope(Collection.IMAGE_STREAMS, None, "x"),
            Scope(Collection.IMAGE_STREAMS, labels=parse_label_selector("k=in")),
            Scope(Collection.IMAGE_STREAMS, "m"),
            Scope(Collection.IMAGE_STREAMS, "n", "y"),
            Scope(Collection.IMAGE_TAGS),
            Scope(Collection.IMAGE_STREAMS, labels=parse_label_selector("k=out")),
        ]
        sinks = [fan.join(scope)[1] for scope in scopes]
        fan.tell(fan.change(made_of=header({"k": "in"})))
        assert [len(sink.told) for sink in sinks] == [1, 1, 1, 1, 1, 0, 0, 0, 0]

    travel(story())


def test_a_change_is_encoded_once_and_the_same_bytes_go_to_all_of_a_form() -> None:
    async def story() -> None:
        fan, other = Fan(), JsonEncoder("other")
        scopes = [STREAMS, STREAMS, Scope(Collection.IMAGE_STREAMS, "n"), Scope(Collection.IMAGE_STREAMS, "n", "x")]
        sinks = [fan.join(scope)[1] for scope in scopes]
        apart = [fan.join(encoder=other)[1] for _ in range(2)]
        fan.tell(fan.change())
        assert len({id(sink.frames[0]) for sink in sinks}) == 1
        assert len({id(sink.frames[0]) for sink in apart}) == 1
        assert fan.encoder.encoded == {("ADDED", 1): 1}
        assert other.encoded == {("ADDED", 1): 1}

    travel(story())


def test_changes_told_together_cost_each_watcher_one_write() -> None:
    async def story() -> None:
        fan = Fan()
        sinks = [fan.join()[1] for _ in range(3)]
        fan.tell(fan.change(), fan.change(), fan.change())
        assert [[t.version for t in sink.told] for sink in sinks] == [[1, 2, 3]] * 3
        assert len({id(frame) for sink in sinks for frame in sink.frames}) == 1
        assert fan.metrics.deliveries._value.get() == 9

    travel(story())


def test_a_full_watcher_is_let_go_where_it_is_and_the_others_go_on() -> None:
    async def story() -> None:
        fan = Fan(park_at_bytes=700)
        slow, slow_sink = fan.join(eager=False)
        quick, quick_sink = fan.join()
        for _ in range(5):
            fan.tell(fan.change())
        assert slow.left.result() is Left.PARKED
        slow_sink.read(100)
        assert [t.version for t in slow_sink.told] == list(range(1, slow.told + 1))
        assert slow.told < 5
        assert [t.version for t in quick_sink.told] == [1, 2, 3, 4, 5]
        assert not quick.left.done()
        assert len(fan.dispatcher) == 1

    travel(story())


def test_a_closed_watcher_is_let_go_without_a_write() -> None:
    """Found out by the next change, or by the next look if there is none."""

    async def story() -> None:
        fan = Fan()
        (told, told_sink), (idle, idle_sink) = fan.join(), fan.join(Scope(Collection.IMAGE_STREAMS, "other"))
        told_sink.close()
        idle_sink.close()
        fan.tell(fan.change())
        assert told.left.result() is Left.CLOSED
        assert not idle.left.done()
        fan.dispatcher.tick(fan.position, 0.0)
        assert idle.left.result() is Left.CLOSED
        assert len(fan.dispatcher) == 0

    travel(story())


class Unencodable(JsonEncoder):
    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        if resource_version == 2:
            raise ValueError("no form for this")
        return super().encode(collection, event_type, state, resource_version)

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes:
        raise ValueError("no form for this either")


def test_a_form_that_cannot_be_encoded_ends_its_own_watches_alone(caplog: pytest.LogCaptureFixture) -> None:
    """What came before it in the same delivery is still written."""

    async def story() -> None:
        fan = Fan()
        broken, broken_sink = fan.join(encoder=Unencodable("broken"))
        _, sink = fan.join()
        fan.tell(fan.change(), fan.change(), fan.change())
        assert broken.left.result() is Left.FAILED
        assert [t.version for t in broken_sink.told] == [1]
        assert [t.version for t in sink.told] == [1, 2, 3]
        marked, _ = fan.join(encoder=Unencodable("broken"), bookmarks=Bookmarks(0.0, 1.0, 9.0))
        fan.change()
        fan.dispatcher.tick(fan.position, 5.0)
        assert marked.left.result() is Left.FAILED

    with caplog.at_level(logging.CRITICAL):
        travel(story())


class Headed(JsonEncoder):
    """Its first event is told by a mark, as a Table's is by its columns."""

    lasting = False

    def __init__(self, *, first: bool = True) -> None:
        super().__init__(f"headed/{first}")
        self.first = first

    @property
    def following(self) -> JsonEncoder:
        return Headed(first=False) if self.first else self

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        event = super().encode(collection, event_type, state, resource_version)
        return event.replace(b'"ADDED"', b'"FIRST"') if self.first else event


def test_the_first_event_of_each_watch_may_look_different() -> None:
    """Whenever it joined, alone or together, with one change or several at a time: one first event, and no double."""

    async def story() -> None:
        fan = Fan()
        _, early = fan.join(encoder=Headed())
        fan.tell(fan.change(), fan.change())
        late = [fan.join(encoder=Headed())[1] for _ in range(2)]
        fan.tell(fan.change(), fan.change())
        assert [(t.type, t.version) for t in early.told] == [("FIRST", 1), ("ADDED", 2), ("ADDED", 3), ("ADDED", 4)]
        for sink in late:
            assert [(t.type, t.version) for t in sink.told] == [("FIRST", 3), ("ADDED", 4)]

    travel(story())


def test_bookmarks_are_due_at_intervals_and_once_more_before_the_end() -> None:
    bookmarks = Bookmarks(now=100.0, every_s=60.0, last=270.0)
    due = [now for now in range(100, 400, 10) if bookmarks.due(float(now))]
    assert due == [160, 220, 270]


def test_a_bookmark_says_nothing_the_client_knows_already() -> None:
    async def story() -> None:
        fan = Fan()
        _, idle = fan.join(Scope(Collection.IMAGE_STREAMS, "other"), bookmarks=Bookmarks(0.0, 1.0, 99.0))
        _, busy = fan.join(bookmarks=Bookmarks(0.0, 1.0, 99.0))
        fan.tell(fan.change())
        fan.dispatcher.tick(fan.position, 1.0)
        fan.dispatcher.tick(fan.position, 2.0)
        assert [(t.type, t.version) for t in idle.told] == [("BOOKMARK", 1)]
        assert [(t.type, t.version) for t in busy.told] == [("ADDED", 1)]

    travel(story())


def test_frames_are_kept_up_to_a_bound_and_made_again_beyond_it() -> None:
    state, encoder = ImageStream("n", "x", header(), 1), JsonEncoder()
    size = len(chunk(encoder.encode(Collection.IMAGE_STREAMS, EventType.ADDED, state, 1)))
    encoder.encoded.clear()
    frames = Frames(limit_bytes=2 * size)
    for position in (1, 2, 2, 3, 1):
        frames.event(encoder, Collection.IMAGE_STREAMS, EventType.ADDED, state, position)
    assert encoder.encoded == {("ADDED", 1): 2, ("ADDED", 2): 1, ("ADDED", 3): 1}


def test_a_frame_is_a_chunk_and_can_be_taken_out_of_it() -> None:
    payloads = [b"x" * 300, b"", b"a\r\nb"]
    assert chunk(payloads[2]) == b"4\r\na\r\nb\r\n"
    assert payloads_of(b"".join(map(chunk, payloads))) == b"".join(payloads)


def test_nobody_left_means_nothing_kept() -> None:
    async def story() -> None:
        fan = Fan()
        joined = [fan.join(Scope(Collection.IMAGE_STREAMS, "n", str(n)))[0] for n in range(5)]
        for subscription in [*joined, joined[0]]:
            fan.dispatcher.leave(subscription)
        await asyncio.sleep(0)
        assert not any(fan.dispatcher._places.values())

    travel(story())
