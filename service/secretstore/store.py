"""The tables `secrets` and `secret_versions`: read, write, and seal anew.

A secret is sealed whole, metadata too, for tools keep copies of the content in annotations. Every statement is one
transaction; those that write take the one row of `secret_versions` first, so versions are handed out in commit order,
and a list is true at the version it names. Keeps: a change names the version it was decided on, and is refused if
there is another by now. Errors name secrets, never what is in them.
Elsewhere: the keys (`keyring.py`), what may be written (`domain/secret.py`), whoever tries again (`resources/`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import msgspec
from asyncpg import Pool, Record

from service.api.core_v1 import Secret
from service.domain.errors import InternalError, Unavailable, Unfinished
from service.domain.secret import is_pull_secret
from service.eventstore.database import ConnectionLost, translated_errors
from service.runtime.logs import get_logger
from service.secretstore.keyring import CannotOpen, Keyring, Sealed

PAGE_LIMIT: Final = 100
"""How many secrets are read at a time; one has up to a megabyte."""

# A left join, so that the newest version comes even where there is no secret.
GET: Final = """
SELECT v.newest, s.namespace, s.name, s.uid, s.version, s.key_id, s.sealed
FROM secret_versions AS v LEFT JOIN secrets AS s ON s.namespace = $1 AND s.name = $2
"""

PAGE: Final = """
SELECT v.newest, s.namespace, s.name, s.uid, s.version, s.key_id, s.sealed
FROM secret_versions AS v
LEFT JOIN LATERAL (
    SELECT * FROM secrets
    WHERE ($1::text IS NULL OR namespace = $1) AND (namespace, name) > ($2, $3)
    ORDER BY namespace, name
    LIMIT $4
) AS s ON true
ORDER BY s.namespace, s.name
"""

INSERT: Final = """
WITH moved AS (UPDATE secret_versions SET newest = newest + 1 RETURNING newest)
INSERT INTO secrets (namespace, name, uid, version, key_id, sealed)
SELECT $1, $2, $3, newest, $4, $5 FROM moved
ON CONFLICT DO NOTHING
RETURNING version
"""

REPLACE: Final = """
WITH moved AS (UPDATE secret_versions SET newest = newest + 1 RETURNING newest)
UPDATE secrets SET version = moved.newest, key_id = $5, sealed = $6
FROM moved
WHERE namespace = $1 AND name = $2 AND uid = $3 AND version = $4
RETURNING version
"""

DELETE: Final = """
WITH moved AS (UPDATE secret_versions SET newest = newest + 1 RETURNING newest)
DELETE FROM secrets USING moved
WHERE namespace = $1 AND name = $2 AND uid = $3 AND version = $4
RETURNING version
"""

DELETE_NAMESPACE: Final = """
WITH moved AS (UPDATE secret_versions SET newest = newest + 1 RETURNING newest)
DELETE FROM secrets USING moved WHERE namespace = $1
"""

# Those that another key has sealed.
SEALED_OTHERWISE: Final = """
SELECT namespace, name, uid, version, key_id, sealed FROM secrets
WHERE key_id <> $1 AND (namespace, name) > ($2, $3)
ORDER BY namespace, name
LIMIT $4
"""

# The object stays as it is, so its version does, too.
RESEAL: Final = """
UPDATE secrets SET key_id = $6, sealed = $7
WHERE namespace = $1 AND name = $2 AND uid = $3 AND version = $4 AND key_id = $5
"""

log = get_logger("secrets")


class Found(NamedTuple):
    secret: Secret | None
    newest: int
    """The newest version of all secrets when this was read."""


class SecretPage(NamedTuple):
    secrets: list[Secret]
    """In the order of namespace and name."""
    newest: int
    is_last: bool


class SecretStore:
    """Raises Unavailable without keys, or when PostgreSQL is away; InternalError for a secret that does not open."""

    def __init__(self, pool: Pool, keyring: Keyring | None) -> None:
        self._pool = pool
        self._keys = keyring

    @property
    def has_keys(self) -> bool:
        return self._keys is not None

    async def get(self, namespace: str, name: str) -> Found:
        keyring = self._keyring()
        with translated_errors():
            row = await self._pool.fetchrow(GET, namespace, name)
        return Found(_opened(keyring, row) if row["name"] is not None else None, row["newest"])

    async def page(
        self, namespace: str | None, after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> SecretPage:
        """The next secrets after a namespace and a name. None is every namespace."""
        keyring, limit = self._keyring(), min(limit, PAGE_LIMIT)
        with translated_errors():
            rows = await self._pool.fetch(PAGE, namespace, *after, limit)
        found = [_opened(keyring, row) for row in rows if row["name"] is not None]
        return SecretPage(found, rows[0]["newest"], len(found) < limit)

    async def pull_secrets(self, namespace: str) -> SecretPage:
        """All of a namespace that imports may use, at the version of the first page."""
        page = await self.page(namespace)
        found, newest = list(page.secrets), page.newest
        while not page.is_last:
            page = await self.page(namespace, (namespace, found[-1].metadata.name))
            found += page.secrets
        return SecretPage([secret for secret in found if is_pull_secret(secret)], newest, True)

    async def insert(self, secret: Secret) -> Secret | None:
        """The secret as stored; None if there is one of its name."""
        metadata = secret.metadata
        sealed = _sealed(self._keyring(), secret)
        return _versioned(secret, await self._write(INSERT, metadata.namespace, metadata.name, metadata.uid, *sealed))

    async def replace(self, secret: Secret, decided_on: int) -> Secret | None:
        """The secret as stored; None if its version is another by now."""
        metadata = secret.metadata
        key = (metadata.namespace, metadata.name, metadata.uid, decided_on)
        return _versioned(secret, await self._write(REPLACE, *key, *_sealed(self._keyring(), secret)))

    async def delete(self, secret: Secret) -> bool:
        """Whether it was there in this version."""
        metadata = secret.metadata
        key = (metadata.namespace, metadata.name, metadata.uid, int(metadata.resource_version))
        return await self._write(DELETE, *key) is not None

    async def delete_namespace(self, namespace: str) -> None:
        """All secrets of a namespace. Needs no key."""
        await self._write(DELETE_NAMESPACE, namespace)

    async def seal_anew(self) -> None:
        """Seal with the first key what another key has sealed; what does not open is left, and told in the log."""
        if self._keys is None:
            return
        after, sealed, left = ("", ""), 0, 0
        while True:
            with translated_errors():
                rows = await self._pool.fetch(SEALED_OTHERWISE, self._keys.first_id, *after, PAGE_LIMIT)
            for row in rows:
                after = row["namespace"], row["name"]
                try:
                    content = self._keys.open(Sealed(row["key_id"], row["sealed"]), _purpose(row))
                except CannotOpen:
                    left += 1
                    continue
                old = (*after, row["uid"], row["version"], row["key_id"])
                await self._write(RESEAL, *old, *self._keys.seal(content, _purpose(row)))
                sealed += 1
            if len(rows) < PAGE_LIMIT:
                break
        if sealed or left:
            log.info("secrets sealed with the first key", count=sealed, unreadable=left)

    async def _write(self, statement: str, *arguments: object) -> int | None:
        """The first value of the first row. Raises Unfinished where the outcome is unknown."""
        with translated_errors():
            connection = await self._pool.acquire()
        try:
            with _unknown_outcome(), translated_errors():
                value: int | None = await connection.fetchval(statement, *arguments)
                return value
        finally:
            await self._pool.release(connection)

    def _keyring(self) -> Keyring:
        if self._keys is None:
            why = "secrets are not kept here: the server has no key to encrypt them with (--secrets-key-file)"
            raise Unavailable(why, retry_after_seconds=0)
        return self._keys


@contextmanager
def _unknown_outcome() -> Iterator[None]:
    try:
        yield
    except ConnectionLost as lost:
        raise Unfinished from lost


def _purpose(row: Record) -> bytes:
    return _purpose_of(row["namespace"], row["name"], row["uid"])


def _purpose_of(namespace: str, name: str, uid: str) -> bytes:
    """Which secret it is: moved to another row, what was sealed does not open."""
    return msgspec.json.encode(["core/v1 Secret", namespace, name, uid])


def _sealed(keyring: Keyring, secret: Secret) -> Sealed:
    metadata = secret.metadata
    stored = msgspec.structs.replace(secret, metadata=msgspec.structs.replace(metadata, resource_version=""))
    purpose = _purpose_of(metadata.namespace, metadata.name, metadata.uid)
    return keyring.seal(msgspec.json.encode(stored), purpose)


def _opened(keyring: Keyring, row: Record) -> Secret:
    try:
        content = keyring.open(Sealed(row["key_id"], row["sealed"]), _purpose(row))
    except CannotOpen as why:
        raise InternalError(f"the secret {row['namespace']}/{row['name']} cannot be decrypted: {why}") from None
    secret = msgspec.json.decode(content, type=Secret)
    secret.metadata.resource_version = str(row["version"])
    return secret


def _versioned(secret: Secret, version: int | None) -> Secret | None:
    if version is None:
        return None
    metadata = msgspec.structs.replace(secret.metadata, resource_version=str(version))
    return msgspec.structs.replace(secret, metadata=metadata)
