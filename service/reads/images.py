"""Images as they were at a position, without manifest and config, which are payloads of the log.

Keeps: a list walks over the versions of the images in its range, of which an image has hardly more than one.
Elsewhere: whether the views have reached the position (`snapshot.py`), the table (schema.sql).
"""

from __future__ import annotations

from typing import Final

from asyncpg import Connection

from service.domain.image import ImageState

IMAGES_AFTER: Final = """
SELECT name, document, valid_from, manifest, config
FROM images
WHERE name > $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
ORDER BY name
LIMIT $3
"""

IMAGE: Final = """
SELECT name, document, valid_from, manifest, config
FROM images
WHERE name = $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
"""

IMAGE_COUNT: Final = """
SELECT count(*) FROM images WHERE name > $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
"""


async def page(connection: Connection, position: int, after: str, limit: int) -> list[ImageState]:
    """The images that come after a name, in order."""
    return [_image(*row) for row in await connection.fetch(IMAGES_AFTER, position, after, limit)]


async def count(connection: Connection, position: int, after: str) -> int:
    """How many images come after a name."""
    found: int = await connection.fetchval(IMAGE_COUNT, position, after)
    return found


async def one(connection: Connection, position: int, name: str) -> ImageState | None:
    row = await connection.fetchrow(IMAGE, position, name)
    return _image(*row) if row else None


def _image(name: str, document: str, valid_from: int, manifest: str, config: str) -> ImageState:
    return ImageState(name, document.encode(), valid_from, manifest, config)
