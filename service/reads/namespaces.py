"""Namespaces as they were at a position.

Keeps: a list walks over the versions of the namespaces in its range, of which a namespace has few.
Elsewhere: whether the views have reached the position (`snapshot.py`), the table (schema.sql).
"""

from __future__ import annotations

from typing import Final

import msgspec
from asyncpg import Connection

from service.api.meta_v1 import ObjectMeta
from service.domain.namespace import Namespace

NAMESPACES_AFTER: Final = """
SELECT name, metadata, valid_from
FROM namespaces
WHERE name > $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
ORDER BY name
LIMIT $3
"""

NAMESPACE: Final = """
SELECT name, metadata, valid_from
FROM namespaces
WHERE name = $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
"""

NAMESPACE_COUNT: Final = """
SELECT count(*) FROM namespaces WHERE name > $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
"""

_decoder = msgspec.json.Decoder(ObjectMeta)


async def page(connection: Connection, position: int, after: str, limit: int) -> list[Namespace]:
    """The namespaces that come after a name, in order."""
    return [_namespace(*row) for row in await connection.fetch(NAMESPACES_AFTER, position, after, limit)]


async def count(connection: Connection, position: int, after: str) -> int:
    """How many namespaces come after a name."""
    found: int = await connection.fetchval(NAMESPACE_COUNT, position, after)
    return found


async def one(connection: Connection, position: int, name: str) -> Namespace | None:
    row = await connection.fetchrow(NAMESPACE, position, name)
    return _namespace(*row) if row else None


def _namespace(name: str, metadata: str, valid_from: int) -> Namespace:
    return Namespace(name, _decoder.decode(metadata), valid_from)
