"""The table of secrets: nothing readable is in it, versions are in commit order, keys can be changed."""

from __future__ import annotations

import asyncio
import base64
import secrets as random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from asyncpg import Pool

from service.api.core_v1 import Secret
from service.api.meta_v1 import ObjectMeta
from service.domain.errors import InternalError, Unavailable, Unfinished
from service.eventstore.database import open_pool
from service.secretstore.keyring import KEY_BYTES, Keyring
from service.secretstore.store import PAGE_LIMIT, SecretStore

PASSWORD = "hunter2-is-the-password"
OLD, NEW = random.token_bytes(KEY_BYTES), random.token_bytes(KEY_BYTES)


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with open_pool(database, "test", size_limit=4) as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> SecretStore:
    return SecretStore(pool, Keyring([OLD]))


def secret(name: str = "pull", namespace: str = "team", text: str = PASSWORD, type_name: str = "Opaque") -> Secret:
    metadata = ObjectMeta(name=name, namespace=namespace, uid=f"uid-{namespace}-{name}", annotations={"copy": text})
    return Secret(metadata=metadata, data={"p": base64.b64encode(text.encode()).decode()}, type=type_name)


async def inserted(store: SecretStore, made: Secret) -> Secret:
    stored = await store.insert(made)
    assert stored is not None
    return stored


def version(stored: Secret | None) -> int:
    assert stored is not None
    return int(stored.metadata.resource_version)


async def existing(store: SecretStore, name: str = "pull") -> Secret:
    found = (await store.get("team", name)).secret
    assert found is not None
    return found


@asynccontextmanager
async def everything_in(database: str) -> AsyncIterator[str]:
    """The whole content of the database, as text."""
    connection = await asyncpg.connect(database)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [r for (table,) in tables for r in await connection.fetch(f'SELECT t::text FROM "{table}" AS t')]
        yield "\n".join(row[0] for row in rows)
    finally:
        await connection.close()


async def test_nothing_of_the_content_is_in_the_database(store: SecretStore, database: str) -> None:
    stored = await inserted(store, secret())
    assert await existing(store) == stored
    async with everything_in(database) as text:
        assert "uid-team-pull" in text
        for form in (PASSWORD.encode(), base64.b64encode(PASSWORD.encode())):
            assert form.decode() not in text
            assert form.hex() not in text


async def test_versions_grow_with_every_change_and_lists_know_the_newest(store: SecretStore) -> None:
    first = await inserted(store, secret("a"))
    second = await inserted(store, secret("b"))
    changed = await store.replace(secret("a", text="other"), version(first))
    assert version(first) < version(second) < version(changed)
    page = await store.page("team")
    assert [s.metadata.name for s in page.secrets] == ["a", "b"]
    assert page.newest == version(changed)
    assert await store.delete(second)
    assert (await store.page(None)).newest > page.newest


async def test_a_change_of_another_version_is_refused(store: SecretStore) -> None:
    first = await inserted(store, secret())
    assert await store.insert(secret()) is None
    second = await store.replace(secret(text="second"), version(first))
    assert await store.replace(secret(text="lost update"), version(first)) is None
    assert not await store.delete(first)
    assert await existing(store) == second


async def test_of_many_who_change_the_same_version_one_wins(store: SecretStore) -> None:
    first = await inserted(store, secret())
    outcomes = await asyncio.gather(*(store.replace(secret(text=str(i)), version(first)) for i in range(8)))
    assert len([outcome for outcome in outcomes if outcome is not None]) == 1


async def test_rows_that_change_places_do_not_open(store: SecretStore, pool: Pool) -> None:
    await inserted(store, secret("mine"))
    await inserted(store, secret("theirs", text="their password"))
    await pool.execute(
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'theirs') WHERE name = 'mine'"
    )
    with pytest.raises(InternalError, match="team/mine cannot be decrypted: it is damaged") as refused:
        await store.get("team", "mine")
    assert PASSWORD not in str(refused.value)


async def test_keys_are_changed_while_the_secrets_stay_as_they_are(store: SecretStore, pool: Pool) -> None:
    before = [await inserted(store, secret(f"s{i}")) for i in range(3)]
    with pytest.raises(InternalError, match="is not in the key file"):
        await SecretStore(pool, Keyring([NEW])).page("team")
    await SecretStore(pool, Keyring([NEW, OLD])).seal_anew()
    page = await SecretStore(pool, Keyring([NEW])).page("team")
    assert page.secrets == before


async def test_what_no_key_opens_is_left_alone(store: SecretStore, pool: Pool) -> None:
    before = await inserted(store, secret())
    await SecretStore(pool, Keyring([NEW])).seal_anew()
    assert await existing(store) == before


async def test_pages_are_in_order_and_whole(store: SecretStore) -> None:
    names = [f"s{i:03}" for i in range(PAGE_LIMIT + 1)]
    for name in names:
        await inserted(store, secret(name, type_name="kubernetes.io/dockercfg"))
    await inserted(store, secret("s", namespace="other"))
    first = await store.page("team")
    assert not first.is_last
    last = await store.page("team", ("team", first.secrets[-1].metadata.name))
    assert last.is_last
    assert [s.metadata.name for s in first.secrets + last.secrets] == names
    assert len((await store.pull_secrets("team")).secrets) == len(names)
    assert [s.metadata.namespace for s in (await store.page(None, limit=2)).secrets] == ["other", "team"]


async def test_without_a_key_nothing_is_kept_but_all_can_be_deleted(store: SecretStore, pool: Pool) -> None:
    await inserted(store, secret())
    keyless = SecretStore(pool, None)
    await keyless.seal_anew()
    for attempt in (keyless.get("team", "pull"), keyless.page(None), keyless.insert(secret("plain"))):
        with pytest.raises(Unavailable, match="no key"):
            await attempt
    await keyless.delete_namespace("team")
    assert await pool.fetchval("SELECT count(*) FROM secrets") == 0


async def test_a_write_that_lost_its_connection_is_unfinished(store: SecretStore, pool: Pool, database: str) -> None:
    stored = await inserted(store, secret())
    lock = await asyncpg.connect(database)
    try:
        async with lock.transaction():
            await lock.execute("SELECT newest FROM secret_versions FOR UPDATE")
            writing = asyncio.create_task(store.replace(secret(text="x"), version(stored)))
            terminate = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            while not await lock.fetch(terminate):
                await asyncio.sleep(0.01)
                await lock.execute("SELECT pg_stat_clear_snapshot()")
            with pytest.raises(Unfinished):
                await writing
    finally:
        await lock.close()
    assert await existing(store) == stored
