"""States of image streams as a fold needs them: only the tags that move, and of a history only its newest entry.

So folding a push costs the same whatever the stream's tags and histories. What is missing is loaded for a whole batch
at once, from the views as of the checkpoint; a bounded number of tags, those that moved lately, stays in memory.
Keeps: a tag that was not looked up is never taken for a tag that does not exist.
Elsewhere: the queries (`stream_loader.py`), what events do to a state (`service/domain/imagestream.py`).
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec
from asyncpg import Connection

from projections import stream_loader
from projections.stream_loader import OpenEntry, StreamKey
from service.domain.events import Event, ImageStreamDeleted, TagHistoryPruned, TagStatusWritten
from service.domain.history import History
from service.domain.imagestream import TAG_EVENTS, ImageStream, Tag

WEIGHT_LIMIT: Final = 100_000
"""Streams and tags in memory, about a kilobyte each."""


class OpenEntries:
    """The open entries of a tag's history, oldest first: all of them if `complete`, else at least the newest."""

    __slots__ = ("complete", "entries")

    def __init__(self, entries: list[OpenEntry], *, complete: bool) -> None:
        self.entries = entries
        self.complete = complete


class StreamState:
    __slots__ = ("counted", "header_from", "histories", "known", "stream")

    def __init__(self, stream: ImageStream | None, header_from: int) -> None:
        self.stream = stream
        """With those of its tags that are known, and of their histories the newest entry."""
        self.header_from = header_from
        """Position since which the header is what it is."""
        self.histories: dict[str, OpenEntries] = {}
        self.known: set[str] | None = None if stream is None else set()
        """Tags that were looked up; None if every tag that there is was."""
        self.counted = 0

    def knows(self, tag: str) -> bool:
        return self.known is None or tag in self.known

    def history(self, tag: str) -> OpenEntries:
        """Of a known tag; the beginning of one if it has none."""
        return self.histories.setdefault(tag, OpenEntries([], complete=True))

    def trim(self) -> None:
        """Keep of each history its newest entry."""
        if self.stream is None:
            self.histories.clear()
            self.known = None
            return
        for name in self.histories.keys() - self.stream.tags.keys():
            del self.histories[name]
        trimmed = {}
        for name, history in self.histories.items():
            if len(history.entries) > 1:
                history.entries = history.entries[-1:]
                history.complete = False
            tag = self.stream.tags[name]
            if tag.history and tag.history.rest:
                trimmed[name] = msgspec.structs.replace(tag, history=History(tag.history.head, None, 1))
        if trimmed:
            self.stream = msgspec.structs.replace(self.stream, tags={**self.stream.tags, **trimmed})

    @property
    def weight(self) -> int:
        if self.known is not None:
            return 1 + len(self.known)
        return 1 + (len(self.stream.tags) if self.stream else 0)


class Needs:
    """What the events of a batch ask for."""

    def __init__(self) -> None:
        self.tags: dict[StreamKey, set[str]] = {}
        self.every_tag: set[StreamKey] = set()
        """Streams that go: is any tag left?"""
        self.histories: set[tuple[StreamKey, str]] = set()
        """Tags of which an event tells the entries that are left."""

    def add(self, key: StreamKey, event: Event) -> None:
        tags = self.tags.setdefault(key, set())
        if isinstance(event, TAG_EVENTS):
            tags.add(event.tag)
            if isinstance(event, TagStatusWritten | TagHistoryPruned):
                self.histories.add((key, event.tag))
        elif isinstance(event, ImageStreamDeleted):
            self.every_tag.add(key)


class StreamStates:
    def __init__(self, weight_limit: int = WEIGHT_LIMIT) -> None:
        self._weight_limit = weight_limit
        self._weight = 0
        self._states: OrderedDict[StreamKey, StreamState] = OrderedDict()
        """Least recently used first."""

    def __getitem__(self, key: StreamKey) -> StreamState:
        return self._states[key]

    async def load(self, connection: Connection, needs: Needs) -> None:
        """Bring in what is needed and not here, as of the checkpoint. After an error, `forget` everything."""
        await self._load_streams(connection, [key for key in needs.tags if key not in self._states])
        await self._load_tags(connection, await self._unknown_tags(connection, needs))
        cut = [(key, tag) for key, tag in needs.histories if not self[key].history(tag).complete]
        for (key, tag), entries in (await stream_loader.histories(connection, cut)).items():
            self[key].histories[tag] = OpenEntries(entries, complete=True)

    def trim(self, used: Iterable[StreamKey]) -> None:
        """After the rows of a batch, which used these streams, were written."""
        for key in used:
            state = self._states[key]
            state.trim()
            self._weight += state.weight - state.counted
            state.counted = state.weight
            self._states.move_to_end(key)
        while self._weight > self._weight_limit:
            self._weight -= self._states.popitem(last=False)[1].counted

    def forget(self) -> None:
        self._states.clear()
        self._weight = 0

    async def _load_streams(self, connection: Connection, keys: list[StreamKey]) -> None:
        streams = await stream_loader.streams(connection, keys)
        for key in keys:
            self._states[key] = StreamState(*streams.get(key, (None, 0)))

    async def _unknown_tags(self, connection: Connection, needs: Needs) -> dict[StreamKey, set[str]]:
        """The needed tags that are not known, which become known by this."""
        unknown = {key: {tag for tag in tags if not self[key].knows(tag)} for key, tags in needs.tags.items()}
        partly_known = [key for key in needs.every_tag if self[key].known is not None]
        for key, tag in await stream_loader.tag_names(connection, partly_known):
            if not self[key].knows(tag):
                unknown[key].add(tag)
        for key, tags in unknown.items():
            known = self[key].known
            if known is not None:
                known |= tags
        for key in partly_known:
            self[key].known = None
        return unknown

    async def _load_tags(self, connection: Connection, unknown: dict[StreamKey, set[str]]) -> None:
        loaded: dict[StreamKey, dict[str, Tag]] = defaultdict(dict)
        wanted = [(key, tag) for key, tags in unknown.items() for tag in tags]
        streams = {key: state.stream for key, tags in unknown.items() if tags and (state := self[key]).stream}
        for tag, newest in await stream_loader.tags(connection, wanted, streams):
            key = tag.namespace, tag.stream
            loaded[key][tag.name] = tag
            self[key].histories[tag.name] = OpenEntries([newest] if newest else [], complete=newest is None)
        for key, tags in loaded.items():
            stream = streams[key]
            self[key].stream = msgspec.structs.replace(stream, tags={**stream.tags, **tags})
