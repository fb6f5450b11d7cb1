"""The bytes of watch events, encoded once per change, event type and form, and shared by everybody who is sent them.

A frame is one event framed as one chunk of a chunked HTTP body, so a transport's `write(frame)` is all that is left
to do per watcher. A change is named by its object and position, and by the generation that an ImageTag shows, the one
thing of it that its position does not say (docs/adr/0003-resource-version.md). So the frame of an event has one name,
wherever the event comes from: live, resumed, replayed, or as part of an initial state.
Bounded by bytes: past the bound the oldest frames are forgotten and, if asked for again, encoded again.
Where an object has parts that no state holds, its first frame has to be awaited (`fetched`); who waits holds up nobody.
Elsewhere: what an object looks like (`ChangeEncoder`s are handed in).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from service.domain.errors import TagHistoryError
from service.domain.imagestream import Tag
from service.domain.world import Collection, State
from service.watch.scope import EventType, Key, key_of

FRAMES_LIMIT_BYTES = 32 * 1024 * 1024
FETCHES_LIMIT = 4
"""How many frames are fetched at a time; most who wait for their turn want a frame that another fetches."""


class ChangeEncoder(Protocol):
    """One form of watch event: the media type a client negotiated, and what it asked to be told."""

    @property
    def form(self) -> str:
        """Encoders of equal form give equal bytes, so their watchers share frames."""

    @property
    def content_type(self) -> str:
        """Of the response that carries the events."""

    @property
    def lasting(self) -> bool:
        """Whether the bytes depend on nothing but the state: a Table shows ages, so its bytes are soon out of date."""

    @property
    def following(self) -> ChangeEncoder:
        """The encoder of all events but the first: itself, unless the first differs (column definitions of a Table)."""

    @property
    def at_once(self) -> bool:
        """Whether a state holds all that an event shows. If not, events are made by `fetch`, and they are lasting."""

    def encode(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        """One event, with its own framing (a newline, a length), as it stands in the body."""

    async def fetch(self, collection: Collection, event_type: EventType, state: State, resource_version: int) -> bytes:
        """The same with what is stored apart from the state. Raises Unavailable."""

    def encode_bookmark(self, collection: Collection, position: int, *, initial_end: bool) -> bytes: ...

    def encode_error(self, error: TagHistoryError) -> bytes:
        """An ERROR event with the Status of the error."""


def chunk(payload: bytes) -> bytes:
    """A payload as a chunk of a chunked body (RFC 9112 7.1)."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def each_payload(frames: bytes) -> Iterator[bytes]:
    """What `chunk` framed, one after the other."""
    at = 0
    while at < len(frames):
        start = frames.index(b"\r\n", at) + 2
        end = start + int(frames[at : start - 2], 16)
        yield frames[start:end]
        at = end + 2


def payloads_of(frames: bytes) -> bytes:
    """What `chunk` framed, one or more, for a body that is not chunked."""
    return b"".join(each_payload(frames))


class FrameName(NamedTuple):
    collection: Collection
    key: Key
    position: int
    generation: int
    event_type: EventType
    form: str


def _name(
    encoder: ChangeEncoder, collection: Collection, event_type: EventType, state: State, position: int
) -> FrameName:
    generation = 0
    if collection is Collection.IMAGE_TAGS and isinstance(state, Tag):
        generation = state.header.metadata.generation
    return FrameName(collection, key_of(state), position, generation, event_type, encoder.form)


class Frames:
    def __init__(self, limit_bytes: int = FRAMES_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._frames: dict[FrameName, bytes] = {}
        self._fetches = asyncio.Semaphore(FETCHES_LIMIT)

    def event(
        self, encoder: ChangeEncoder, collection: Collection, event_type: EventType, state: State, position: int
    ) -> bytes | None:
        """The frame of an event, from memory where it is still there; None if it has to be fetched.

        Raises whatever the encoder raises.
        """
        if not encoder.lasting:
            return chunk(encoder.encode(collection, event_type, state, position))
        name = _name(encoder, collection, event_type, state, position)
        frame = self._frames.get(name)
        if frame is None and encoder.at_once:
            frame = self._hold(name, encoder.encode(collection, event_type, state, position))
        return frame

    async def fetched(
        self, encoder: ChangeEncoder, collection: Collection, event_type: EventType, state: State, position: int
    ) -> bytes:
        """The frame of an event that `event` does not have. Raises Unavailable, and whatever the encoder raises."""
        async with self._fetches:
            frame = self.event(encoder, collection, event_type, state, position)
            if frame is None:
                name = _name(encoder, collection, event_type, state, position)
                frame = self._hold(name, await encoder.fetch(collection, event_type, state, position))
            return frame

    def _hold(self, name: FrameName, payload: bytes) -> bytes:
        frame = chunk(payload)
        if name not in self._frames:
            self._frames[name] = frame
            self._held_bytes += len(frame)
            while self._held_bytes > self._limit_bytes:
                self._held_bytes -= len(self._frames.pop(next(iter(self._frames))))
        return frame


def bookmark(encoder: ChangeEncoder, collection: Collection, position: int, *, initial_end: bool = False) -> bytes:
    return chunk(encoder.encode_bookmark(collection, position, initial_end=initial_end))
