"""Everything as it was at a position that the views have reached.

Keeps: an answer is true at exactly its position, however long ago, and two answers at one position agree, since rows
about a position never change once the views have passed it. Tags and images are told at any position, image streams
as of the last whole command: in the middle of one, a stream is as the command before left it.
Elsewhere: the present (`watch/cache.py`), and what clients see of a state (`domain/served.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from asyncpg import Connection, Pool

from service.domain.errors import Unavailable
from service.domain.image import ImageState
from service.domain.imagestream import ImageStream, Tag
from service.domain.namespace import Namespace
from service.domain.world import Collection, World
from service.eventstore.database import translated_errors
from service.reads import images, namespaces
from service.reads.key_range import KeyRange, in_namespace, one_object, tags_of
from service.reads.streams import StreamReader, with_tags
from service.reads.tags import TagReader

PAGE_LIMIT: Final = 1_000
"""Objects that one query returns."""
POLL_INTERVAL_S: Final = 0.02

CHECKPOINT: Final = """
SELECT coalesce(min(coalesce(p.position, 0)), 0)
FROM unnest('{imagestreams,images,namespaces}'::text[]) AS needed(name)
LEFT JOIN projections AS p USING (name)
"""

LAST_WHOLE_COMMAND: Final = """
SELECT CASE WHEN command_last = position THEN position ELSE command_first - 1 END FROM events WHERE position = $1
"""

# Whatever the statistics say of tables that have just begun, or just grown.
BY_INDEX_ONLY: Final = "SET LOCAL enable_seqscan = off"


class Snapshots:
    """Reads of the past. Every method raises Unavailable when PostgreSQL is away, and the reads also when the views
    have not reached their position.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def checkpoint(self) -> int:
        """The position up to which all views are true; always the end of a command."""
        with translated_errors():
            position: int = await self._pool.fetchval(CHECKPOINT)
        return position

    async def wait_for(self, position: int, timeout_ms: int) -> None:
        """Until the views have reached the position. Raises Unavailable when they have not in time."""
        deadline = time.monotonic() + timeout_ms / 1000
        while (reached := await self.checkpoint()) < position:
            if time.monotonic() >= deadline:
                raise _not_reached(position, reached)
            await asyncio.sleep(POLL_INTERVAL_S)

    async def world_at(
        self,
        position: int,
        *,
        namespace: str | None = None,
        stream: str | None = None,
        with_images: bool = False,
        with_namespaces: bool = False,
    ) -> World:
        """All streams, or those of a namespace, or the one, with all that a fold needs to go on from `World.position`:
        the end of the last whole command.
        """
        stream_keys, tag_keys = in_namespace(namespace), in_namespace(namespace)
        if namespace is not None and stream is not None:
            stream_keys, tag_keys = one_object(namespace, stream), tags_of(namespace, stream)
        world = World()
        async with self._at(position) as (connection, world.position):
            reader = StreamReader(connection, world.position)
            streams = [stream async for stream in _every_stream(reader, stream_keys)]
            tags = [tag async for tag in _every_tag(reader.tags, tag_keys)]
            world.streams = {(s.namespace, s.name): s for s in with_tags(streams, tags)}
            if with_images:
                world.images = {image.name: image async for image in _every_image(connection, world.position)}
            if with_namespaces:
                world.namespaces = {n.name: n async for n in _every_namespace(connection, world.position)}
        return world

    async def streams_page(
        self, position: int, *, namespace: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[ImageStream]:
        """Streams behind a key (namespace, name), of all namespaces for None, in list order; at most PAGE_LIMIT."""
        async with self._at(position) as (connection, whole):
            return await StreamReader(connection, whole).page(
                in_namespace(namespace).after(after), min(limit, PAGE_LIMIT)
            )

    async def tags_page(
        self, position: int, collection: Collection, *, namespace: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[Tag]:
        """Tags behind a key (namespace, STREAM:TAG), in list order; at most PAGE_LIMIT. As IMAGE_STREAM_TAGS: those
        with an image, with the newest entry of their history alone. As IMAGE_TAGS: all, with all of it.
        """
        async with self._at(position) as (connection, _):
            keys = in_namespace(namespace).after(after)
            return await _tags(connection, position, collection, keys, min(limit, PAGE_LIMIT))

    async def images_page(self, position: int, *, after: str, limit: int) -> list[ImageState]:
        """Images behind a name, "" for the beginning, in list order; at most PAGE_LIMIT."""
        async with self._at(position) as (connection, _):
            return await images.page(connection, position, after, min(limit, PAGE_LIMIT))

    async def namespaces_page(self, position: int, *, after: str, limit: int) -> list[Namespace]:
        """Namespaces behind a name, "" for the beginning, in list order; at most PAGE_LIMIT."""
        async with self._at(position) as (connection, _):
            return await namespaces.page(connection, position, after, min(limit, PAGE_LIMIT))

    async def count(
        self, position: int, collection: Collection, *, namespace: str | None, after: tuple[str, str] | None
    ) -> int:
        """How many objects of a collection come behind a key, in a namespace, or in all of them for None."""
        keys = in_namespace(namespace).after(after)
        async with self._at(position) as (connection, whole):
            match collection:
                case Collection.IMAGE_STREAMS:
                    return await StreamReader(connection, whole).count(keys)
                case Collection.IMAGES:
                    return await images.count(connection, position, after[1] if after else "")
                case Collection.NAMESPACES:
                    return await namespaces.count(connection, position, after[1] if after else "")
                case Collection.IMAGE_TAGS | Collection.IMAGE_STREAM_TAGS:
                    with_image = collection is Collection.IMAGE_STREAM_TAGS
                    return await TagReader(connection, position).count(keys, with_image=with_image)

    async def stream(self, position: int, namespace: str, name: str) -> ImageStream | None:
        async with self._at(position) as (connection, whole):
            return next(iter(await StreamReader(connection, whole).page(one_object(namespace, name), 1)), None)

    async def tag(self, position: int, collection: Collection, namespace: str, full_name: str) -> Tag | None:
        """A tag by its name STREAM:TAG; the collection says as what, see `tags_page`."""
        async with self._at(position) as (connection, _):
            return next(iter(await _tags(connection, position, collection, one_object(namespace, full_name), 1)), None)

    async def image(self, position: int, name: str) -> ImageState | None:
        async with self._at(position) as (connection, _):
            return await images.one(connection, position, name)

    async def namespace(self, position: int, name: str) -> Namespace | None:
        async with self._at(position) as (connection, _):
            return await namespaces.one(connection, position, name)

    @asynccontextmanager
    async def _at(self, position: int) -> AsyncIterator[tuple[Connection, int]]:
        """A connection to read with, once the views are known to have reached the position; and the last position at
        or before it at which no command is half done.
        """
        with translated_errors():
            async with self._pool.acquire() as connection, _transaction(connection):
                await connection.execute(BY_INDEX_ONLY)
                reached = await connection.fetchval(CHECKPOINT)
                if reached < position:
                    raise _not_reached(position, reached)
                yield connection, await connection.fetchval(LAST_WHOLE_COMMAND, position) or 0


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[None]:
    """Read only. Once cancelled it does not wait for the server: an error of that would hide the cancellation."""
    transaction = connection.transaction(readonly=True)
    try:
        await transaction.start()
        try:
            yield
        except Exception:
            await transaction.rollback()
            raise
        await transaction.commit()
    except asyncio.CancelledError:
        connection.terminate()
        raise


async def _tags(connection: Connection, position: int, collection: Collection, keys: KeyRange, limit: int) -> list[Tag]:
    reader = TagReader(connection, position)
    if collection is Collection.IMAGE_TAGS:
        return await reader.image_tags(keys, limit)
    return await reader.image_stream_tags(keys, limit)


async def _every_stream(reader: StreamReader, keys: KeyRange) -> AsyncIterator[ImageStream]:
    """Without tags, page by page."""
    while page := await reader.page_without_tags(keys, PAGE_LIMIT):
        for stream in page:
            yield stream
        keys = keys.after((page[-1].namespace, page[-1].name))


async def _every_tag(reader: TagReader, keys: KeyRange) -> AsyncIterator[Tag]:
    while page := await reader.image_tags(keys, PAGE_LIMIT):
        for tag in page:
            yield tag
        keys = keys.after((page[-1].namespace, page[-1].full_name))


async def _every_image(connection: Connection, position: int) -> AsyncIterator[ImageState]:
    after = ""
    while page := await images.page(connection, position, after, PAGE_LIMIT):
        for image in page:
            yield image
        after = page[-1].name


async def _every_namespace(connection: Connection, position: int) -> AsyncIterator[Namespace]:
    after = ""
    while page := await namespaces.page(connection, position, after, PAGE_LIMIT):
        for namespace in page:
            yield namespace
        after = page[-1].name


def _not_reached(position: int, reached: int) -> Unavailable:
    return Unavailable(f"the views have reached position {reached} and not {position} yet")
