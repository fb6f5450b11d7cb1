"""What a query touches depends on what it returns, not on how often things changed, nor on the statistics."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from projections import images, imagestreams, imagetags, stream_loader
from projections.lease import SETTINGS
from service.eventstore.database import SERVER_SETTINGS
from service.reads import images as read_images
from service.reads import streams as read_streams
from service.reads import tags as read_tags
from service.reads.key_range import in_namespace, one_object, tags_of

MOVES = 5_000
TAGS = 400
LATE, EARLY = 9_000, 1_010

# Stream `often` has one tag, moved often; stream `wide` has many tags, each moved once.
FILL = f"""
INSERT INTO imagestream_names VALUES ('n', 'often'), ('n', 'wide');
INSERT INTO imagestreams
    SELECT 'n', 'often', '{{}}', p, nullif(p + 1, {MOVES}) FROM generate_series(1, {MOVES} - 1) AS p;
INSERT INTO imagestreams VALUES ('n', 'wide', '{{}}', 1);
INSERT INTO imagestream_revisions
    SELECT 'n', s, p FROM generate_series(1, {MOVES}) AS p, unnest('{{often,wide}}'::text[]) AS s;
INSERT INTO imagetag_names VALUES ('n', 'often:t');
INSERT INTO imagetags
    SELECT 'n', 'often:t', NULL, NULL, false, 1, p, 0, 1000 + p, nullif(1001 + p, 1001 + {MOVES})
    FROM generate_series(1, {MOVES}) AS p;
UPDATE imagetags SET head_from = valid_from;
INSERT INTO imagetag_items
    SELECT 'n', 'often:t', 1000 + p, 0, 'now', 'r', 'i' || p, 1 FROM generate_series(1, {MOVES}) AS p;
INSERT INTO imagetag_names SELECT 'n', 'wide:' || t FROM generate_series(1, {TAGS}) AS t;
INSERT INTO imagetags
    SELECT 'n', 'wide:' || t, NULL, NULL, false, 1, 1000 + t, 0, 1000 + t FROM generate_series(1, {TAGS}) AS t;
INSERT INTO imagetag_items
    SELECT 'n', 'wide:' || t, 1000 + t, 0, 'now', 'r', 'i' || t, 1 FROM generate_series(1, {TAGS}) AS t;
INSERT INTO images SELECT 'i' || p, '{{}}', '', '', p FROM generate_series(1, {MOVES}) AS p;
"""

ONE = {
    "the header of a stream, to fold": (stream_loader.HEADERS, (["n"], ["often"])),
    "a tag and its newest entry, to fold": (stream_loader.TAGS, (["n"], ["often:t"])),
    "an image, to fold": (images.CURRENT_IMAGES, (["i7"],)),
    "closing a header": (imagestreams.CLOSE_HEADERS, (["n"], ["often"], [MOVES - 1], [LATE])),
    "closing a tag": (imagetags.CLOSE_TAGS, (["n"], ["often:t"], [1000 + MOVES], [LATE])),
    "closing an entry": (imagetags.CLOSE_ITEMS, (["n"], ["often:t"], [1000 + MOVES], [0], [LATE])),
    "closing an image": (images.CLOSE_IMAGES, (["i7"], [7], [LATE])),
    "a stream now": (read_streams.STREAMS_IN_RANGE, (LATE, *one_object("n", "often"), 1)),
    "a stream long ago": (read_streams.STREAMS_IN_RANGE, (EARLY, *one_object("n", "often"), 1)),
    "a tag now": (read_tags.IMAGE_STREAM_TAGS, (LATE, *one_object("n", "often:t"), 1)),
    "a tag long ago": (read_tags.IMAGE_STREAM_TAGS, (EARLY, *one_object("n", "often:t"), 1)),
    "an old header": (read_tags.HEADERS, (LATE, ["n"], ["often"], [17])),
    "an image as it was": (read_images.IMAGE, (LATE, "i7")),
}
MANY = {
    "the tags of a stream, before it goes": (stream_loader.TAG_NAMES, (["n"], ["wide"])),
    "a page of streams": (read_streams.STREAMS_IN_RANGE, (EARLY, *in_namespace(None), 10)),
    "a page of image tags": (read_tags.IMAGE_TAGS, (LATE, *in_namespace("n"), 100)),
    "a page of image stream tags": (read_tags.IMAGE_STREAM_TAGS, (LATE, *tags_of("n", "wide"), 100)),
    "the tags of streams": (read_tags.TAGS_OF_STREAMS, (LATE, ["n"], ["wide"])),
    "the entries of tags": (read_tags.ENTRIES, (LATE, ["n"] * 100, [f"wide:{t}" for t in range(100)])),
    "how many tags": (read_tags.IMAGE_TAG_COUNT, (LATE, *in_namespace("n"))),
    "a page of images": (read_images.IMAGES_AFTER, (LATE, "i2", 100)),
}


@pytest_asyncio.fixture(params=["never analyzed", "analyzed"])
async def connection(database: str, request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    filling = await asyncpg.connect(database)
    if request.param == "never analyzed":
        for table in ("imagestreams", "imagetags", "imagetag_items", "images"):
            await filling.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await filling.execute(FILL)
    if request.param == "analyzed":
        await filling.execute("ANALYZE")
    await filling.close()
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_every_query_goes_by_an_index_to_what_it_returns(connection: asyncpg.Connection) -> None:
    for title, (statement, arguments) in (ONE | MANY).items():
        is_read = any(statement in vars(module).values() for module in (read_streams, read_tags, read_images))
        await connection.execute("RESET ALL")
        for name, value in ((SERVER_SETTINGS | {"enable_seqscan": "off"}) if is_read else SETTINGS).items():
            await connection.execute(f"SET {name} = '{value}'")
        plan = await explain(connection, statement, arguments)
        scans = [node for node in nodes(plan) if "Seq Scan" in node["Node Type"]]
        assert not scans, (title, scans)
        removed = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in nodes(plan))
        assert removed <= 2 * len(MANY), (title, removed)
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        assert pages <= (30 if title in ONE else 10 * TAGS), (title, pages)


async def explain(connection: asyncpg.Connection, statement: str, arguments: tuple[object, ...]) -> dict[str, object]:
    async with connection.transaction():
        (document,) = json.loads(
            await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
        )
    return document["Plan"]


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
