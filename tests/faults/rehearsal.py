"""A short history of clients, made up to be right in every point, for mutants to spoil: a random log in memory, writes
that were acknowledged as it grew, reads and lists in between, and watches of every kind of scope.

Keeps: what is told here is made by the same rendering as what the checker expects, so a rehearsal says nothing about
the service; it is there to show what the checker notices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import msgspec

from service.api.image_v1 import TagReference
from service.domain.events import TagDeleted, TagSet
from service.domain.world import IMAGE_STREAM, Collection, State
from service.eventstore.records import RecordedEvent
from tests.faults.history import Get, History, Intent, List, Page, Session, Trace, Write
from tests.faults.lines import Line, Lines
from tests.faults.plan import NAMESPACES, STREAMS, TAGS, TIERS
from tests.faults.scope_fold import ScopeFold
from tests.faults.truth import Truth, document, ordered
from tests.faults.wish import KINDS, Key, key_of, random_wish
from tests.unit.watch.chronicle import (
    DIGESTS,
    Chronicle,
    NewEvent,
    deleted,
    image_registered,
    imaged,
    relabelled,
    stream_created,
)

COMMANDS = 120
WATCHES = 40
PAGE_ITEMS = 2
READ_EVERY = 5
BOOKMARK_EVERY = 6


class Rehearsal:
    def __init__(self, lines: Lines, seed: int) -> None:
        self.history = History(lines)
        self.events: list[RecordedEvent] = []
        self._random = Random(seed)
        self._chronicle = Chronicle()
        for number in range(COMMANDS):
            self._write(number)
            if number % READ_EVERY == 0:
                self._get()
                self._list()
                self._list(limit=PAGE_ITEMS)
        truth = Truth(self.events)
        for number in range(WATCHES):
            self._watch(truth, f"watcher {number}")

    def _write(self, number: int) -> None:
        history, request_id = self.history, f"request {number}"
        begun, floor = history.now(), history.seen
        command = self._chronicle.append(*self._something())
        metadata, recorded_at = msgspec.json.encode({"requestId": request_id}), command[-1].recorded_at
        self.events += [msgspec.structs.replace(e, metadata=metadata, recorded_at=recorded_at) for e in command]
        first = command[0]
        trace = Trace((first.type,), first.aggregate.namespace, first.aggregate.name, "")
        key = (first.aggregate.namespace, first.aggregate.name)
        intent = Intent("write", "POST", "/", Collection.IMAGE_STREAMS, key, trace)
        history.writes.append(Write(request_id, intent, begun, floor, history.now(), code=201))
        history.saw(command[-1].position)

    def _something(self) -> list[NewEvent]:
        """What happens next."""
        random, world = self._random, self._chronicle.world
        namespace, name, tag = random.choice(NAMESPACES[:2]), random.choice(STREAMS[:2]), random.choice(TAGS[:2])
        labels = {"tier": random.choice(TIERS)} if random.random() < 0.7 else None
        stream, place = world.streams.get((namespace, name)), (IMAGE_STREAM, namespace, name)
        if stream is None:
            return [stream_created(namespace, name, labels)]
        match random.randrange(10):
            case 0:
                return relabelled(stream, labels)
            case 1:
                return deleted(stream)
            case 2 if tag in stream.tags:
                return [(*place, TagDeleted(tag, 2))]
            case 3:
                return [(*place, TagSet(tag, TagReference(name=tag), 2))]
            case _:
                image = random.choice(DIGESTS)
                known = [] if image in world.images else [image_registered(image, labels)]
                return [*known, imaged(namespace, name, tag, image, random.randrange(1, 4))]

    def _states(self, collection: Collection) -> dict[Key, State]:
        world = self._chronicle.world
        states: Iterable[State]
        match collection:
            case Collection.IMAGES:
                states = world.images.values()
            case Collection.NAMESPACES:
                states = world.namespaces.values()
            case Collection.IMAGE_STREAMS:
                states = world.streams.values()
            case _:
                tags = (tag for stream in world.streams.values() for tag in stream.tags.values())
                states = [tag for tag in tags if tag.has_image or collection is Collection.IMAGE_TAGS]
        return {key_of(state): state for state in states}

    def _get(self) -> None:
        history, begun, floor = self.history, self.history.now(), self.history.seen
        states = self._states(Collection.IMAGE_STREAMS)
        key = self._random.choice([*states, ("nowhere", "nothing")])
        state = states.get(key)
        shown = self._object(Collection.IMAGE_STREAMS, state) if state else None
        history.gets.append(Get(Collection.IMAGE_STREAMS, key, floor, True, begun, history.now(), shown))

    def _list(self, limit: int = 0) -> None:
        history, random = self.history, self._random
        wish = random_wish(random, [])
        begun = List(wish, history.seen, True, history.now(), limit=limit)
        begun.pages = []
        states = [s for s in ordered(self._states(wish.collection)) if wish.covers(*key_of(s)) and wish.matches(s)]
        lines = [self._object(wish.collection, state) for state in states]
        parts = [lines[at : at + limit] for at in range(0, len(lines), limit)] if limit and lines else [lines]
        for number, part in enumerate(parts, 1):
            begun.pages.append(Page(history.seen, part, None, number < len(parts), history.now()))
        history.lists.append(begun)

    def _watch(self, truth: Truth, name: str) -> None:
        """A watch of everything from some position to the end, or with the state as of that position."""
        history, random = self.history, self._random
        wish, start = random_wish(random, []), random.randrange(truth.head)
        fold = ScopeFold(truth, wish)
        with_state = random.random() < 0.3
        session = Session(name, wish, None if with_state else start, 0, False, history.now(), bookmarks=True)
        session.lines, session.arrivals, session.end = [], [], "stayed"
        if with_state:
            for state in fold.states(fold.index_at(start)):
                session.take_down(self._event("ADDED", wish.collection, state, state.changed))
            session.take_down(self.bookmark(wish.collection, start, ends_initial=True))
        for number, change in enumerate(fold.changes[fold.index_at(start) :], 1):
            session.take_down(self._event(change.type, wish.collection, change.state, change.position))
            if number % BOOKMARK_EVERY == 0:
                session.take_down(self.bookmark(wish.collection, change.position))
        session.arrivals = [(len(session.lines), history.now().wall_s)]
        history.sessions.append(session)

    def bookmark(self, collection: Collection, position: int, *, ends_initial: bool = False) -> Line:
        annotations = {"k8s.io/initial-events-end": "true"} if ends_initial else {}
        metadata = {"resourceVersion": str(position), "annotations": annotations}
        return self._line("BOOKMARK", {"kind": KINDS[collection], "metadata": metadata})

    def _event(self, event_type: str, collection: Collection, state: State, version: int) -> Line:
        return self._line(event_type, {**document(collection, state, version), "kind": KINDS[collection]})

    def _line(self, event_type: str, document: dict[str, Any]) -> Line:
        return self.history.lines.event(msgspec.json.encode({"type": event_type, "object": document}))

    def _object(self, collection: Collection, state: State) -> Line:
        return self.history.lines.object(msgspec.json.encode(document(collection, state, state.changed)))


def told_something(rehearsal: Rehearsal, wanted: Callable[[Session], bool] = lambda session: True) -> Session:
    """A resumed session that was told several changes."""
    return next(
        session
        for session in rehearsal.history.sessions
        if session.start is not None and len(session.lines) > BOOKMARK_EVERY + 2 and wanted(session)
    )
