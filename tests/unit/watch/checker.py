"""The checker: what was a client told, and what must it have been told?

It knows nothing of the watch room: it takes the changes of the whole fold, asks of each by the table of kube-api 7.3
what a client with such a selector sees, and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.api.json_types import JsonObject
from service.domain.selectors import parse_field_selector, parse_label_selector
from service.domain.world import Collection, State
from service.watch.scope import CLUSTER_SCOPED, Scope, key_of
from tests.unit.watch.chronicle import DIGESTS, Chronicle, document, fold
from tests.unit.watch.room import Told

NAMES = {
    Collection.IMAGES: DIGESTS[0],
    Collection.IMAGE_STREAMS: "x",
    Collection.IMAGE_STREAM_TAGS: "x:1",
    Collection.IMAGE_TAGS: "x:1",
    Collection.NAMESPACES: "a",
}
"""One of each that the random histories have."""


class Wish(NamedTuple):
    """A scope, with its selectors said once more in plain words."""

    scope: Scope
    matches: Callable[[State], bool] = lambda state: True


def wishes() -> Iterator[Wish]:
    """Every collection by every kind of scope."""
    for collection in Collection:
        for namespace in (None,) if collection in CLUSTER_SCOPED else (None, "a"):
            for pinned in (None, NAMES[collection]):
                yield Wish(Scope(collection, namespace, pinned))
                yield Wish(Scope(collection, namespace, pinned, parse_label_selector("k=in")), _is_in)
        yield Wish(Scope(collection, fields=parse_field_selector("metadata.name!=x")), lambda s: key_of(s).name != "x")


def _is_in(state: State) -> bool:
    obj = document(Collection.IMAGE_TAGS, state, 1)
    return (obj["metadata"].get("labels") or {}).get("k") == "in"  # type: ignore[union-attr]


class Session(NamedTuple):
    """One connection: the resourceVersion it named, and what it was told. None: it began with the state."""

    start: int | None
    told: list[Told]


def expected(chronicle: Chronicle, wish: Wish, after: int) -> list[tuple[str, JsonObject]]:
    events = []
    scope = wish.scope
    for change in chronicle.changes:
        position, old, new = change.position, change.old, change.new
        if change.collection is not scope.collection or position <= after:
            continue
        if scope.namespace not in (None, change.namespace) or scope.name not in (None, change.name):
            continue
        before, now = old is not None and wish.matches(old), new is not None and wish.matches(new)
        if new is not None and now:
            events.append(("MODIFIED" if before else "ADDED", document(scope.collection, new, position)))
        elif old is not None and before:
            events.append(("DELETED", document(scope.collection, old, position)))
    return events


def listed(chronicle: Chronicle, wish: Wish, at: int) -> list[tuple[str, JsonObject]]:
    """The state at a position, in list order, as the events that tell it."""
    world, scope = fold(chronicle, at), wish.scope
    states: list[State] = []
    if scope.collection is Collection.IMAGES:
        states += world.images.values()
    elif scope.collection is Collection.NAMESPACES:
        states += world.namespaces.values()
    elif scope.collection is Collection.IMAGE_STREAMS:
        states += world.streams.values()
    else:
        tags = [tag for stream in world.streams.values() for tag in stream.tags.values()]
        states += [tag for tag in tags if tag.has_image or scope.collection is Collection.IMAGE_TAGS]
    states = [s for s in states if scope.namespace in (None, key_of(s).namespace) and wish.matches(s)]
    states = [s for s in states if scope.name in (None, key_of(s).name)]
    return [("ADDED", document(scope.collection, s, s.changed)) for s in sorted(states, key=key_of)]


def complaints(chronicle: Chronicle, wish: Wish, sessions: list[Session], *, complete: bool) -> list[str]:
    """What is wrong with what a client was told over its connections, each of which resumed where the last was cut.

    `complete`: the last connection was open to the end, so it must have been told everything.
    """
    wrong: list[str] = []
    first, known = 0, 0
    told: list[tuple[str, JsonObject]] = []
    for session in sessions:
        events = list(session.told)
        if session.start is None:
            end = next((i for i, e in enumerate(events) if e.ends_initial), None)
            if end is None:
                continue
            first = known = events[end].version
            if [(e.type, e.object) for e in events[:end]] != listed(chronicle, wish, known):
                wrong.append(f"the initial state is not the state at {known}")
            events = events[end + 1 :]
        elif not told and not known:
            first = known = session.start
        for event in events:
            if event.version < known or (event.version == known and event.type != "BOOKMARK"):
                wrong.append(f"{event.type} at {event.version} after {known}")
            known = max(known, event.version)
            if event.type != "BOOKMARK":
                told.append((event.type, event.object))
    due = expected(chronicle, wish, first)
    if not complete:
        due = [(event_type, obj) for event_type, obj in due if version(obj) <= known]
    if told != due:
        wrong.append(f"told {[(t, version(o)) for t, o in told]} instead of {[(t, version(o)) for t, o in due]}")
    return wrong


def version(obj: JsonObject) -> int:
    return int(obj["metadata"]["resourceVersion"])  # type: ignore[index, call-overload, arg-type]
