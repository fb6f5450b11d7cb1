"""The embedded PostgreSQL comes up whatever happened before, and keeps what it acknowledged."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import asyncpg
import pytest

from service.runtime.embedded_postgres import EmbeddedPostgres
from service.runtime.engine import EngineError
from tests.engines import descendants, is_running, until_gone, user_of, wait_until


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def answers(dsn: str) -> bool:
    try:
        return await ask(dsn, "SELECT 1") == 1
    except (OSError, asyncpg.PostgresError):
        return False


async def test_it_is_durable_unless_a_test_says_otherwise(engine_dir: Path) -> None:
    postgres = EmbeddedPostgres(engine_dir)
    await postgres.start()
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(postgres.dsn, f"SHOW {setting}") == "on"
        assert str(await ask(postgres.dsn, "SHOW server_version")).startswith("18.")
    finally:
        await postgres.stop()
    assert not postgres.running


async def test_it_is_private(postgres_server: EmbeddedPostgres) -> None:
    """No TCP port; a socket and a password file that only their owner may use; a wrong password is refused."""
    assert await ask(postgres_server.dsn, "SHOW listen_addresses") == ""
    for name in ("postgres.password", "run", "postgres", "logs"):
        mode = stat.S_IMODE((postgres_server.data_dir / name).stat().st_mode)
        assert mode & 0o077 == 0, name
    password = (postgres_server.data_dir / "postgres.password").read_text()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(postgres_server.dsn.replace(password, "guess"), "SELECT 1")


async def test_text_sorts_by_code_point(postgres_server: EmbeddedPostgres) -> None:
    rows = await ask(
        postgres_server.dsn, "SELECT string_agg(x, ' ' ORDER BY x) FROM unnest(ARRAY['b','é','B','a-','a']) x"
    )
    assert rows == "B a a- b é"


async def test_data_survives_stop_restart_and_kill(postgres_server: EmbeddedPostgres) -> None:
    await ask(postgres_server.dsn, "CREATE TABLE kept (n int)")
    await ask(postgres_server.dsn, "INSERT INTO kept VALUES (1)")
    await postgres_server.restart()
    await ask(postgres_server.dsn, "INSERT INTO kept VALUES (2)")
    await postgres_server.kill()
    assert not postgres_server.running
    await postgres_server.start()
    await ask(postgres_server.dsn, "INSERT INTO kept VALUES (3)")
    await postgres_server.stop()
    await postgres_server.start()
    assert await ask(postgres_server.dsn, "SELECT array_agg(n ORDER BY n) FROM kept") == [1, 2, 3]


async def test_another_instance_finds_the_data_of_a_dead_one(postgres_server: EmbeddedPostgres) -> None:
    await ask(postgres_server.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    dsn = postgres_server.dsn
    await postgres_server.kill()
    successor = EmbeddedPostgres(postgres_server.data_dir, durable=False)
    await successor.start()
    try:
        assert successor.dsn == dsn
        assert await ask(successor.dsn, "SELECT n FROM kept") == 7
    finally:
        await successor.stop()


async def test_a_death_is_noticed_and_healed(postgres_server: EmbeddedPostgres) -> None:
    supervision = asyncio.create_task(postgres_server.supervise())
    before = postgres_server.pid
    os.kill(before, signal.SIGKILL)

    async def healed() -> bool:
        return postgres_server.pid != before and await answers(postgres_server.dsn)

    await wait_until(healed)
    await postgres_server.stop()
    await supervision
    assert not postgres_server.running


async def test_nothing_is_left_when_its_owner_is_killed(engine_dir: Path) -> None:
    """The owner gets SIGKILL; its postmaster and every backend are gone, and the next start finds the data."""
    script = (
        "import asyncio, pathlib, sys\n"
        "from service.runtime.embedded_postgres import EmbeddedPostgres\n"
        "async def main():\n"
        "    postgres = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)\n"
        "    await postgres.start()\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(engine_dir)), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"ready\n"
    owned = descendants(owner.pid)
    assert len(owned) > 3
    owner.kill()
    await owner.communicate()
    successor = EmbeddedPostgres(engine_dir, durable=False)
    await successor.start()
    try:
        await until_gone(owned)
        assert await ask(successor.dsn, "SELECT 1") == 1
    finally:
        await successor.stop()


async def test_a_note_of_a_process_that_is_something_else_now(postgres_server: EmbeddedPostgres) -> None:
    """In a restarted container the number in postmaster.pid belongs to any process: here, to our own."""
    await postgres_server.kill()
    note = postgres_server.cluster / "postmaster.pid"
    lines = note.read_text().split("\n")
    note.write_text("\n".join([str(os.getppid()), *lines[1:]]))
    await postgres_server.start()
    assert await ask(postgres_server.dsn, "SELECT 1") == 1


async def test_an_interrupted_initdb_is_done_again(engine_dir: Path) -> None:
    (engine_dir / "postgres.new" / "cluster").mkdir(parents=True)
    (engine_dir / "postgres.new" / "cluster" / "PG_VERSION").write_text("18\n")
    postgres = EmbeddedPostgres(engine_dir, durable=False)
    await postgres.start()
    try:
        assert await ask(postgres.dsn, "SELECT 1") == 1
        assert not (engine_dir / "postgres.new").exists()
    finally:
        await postgres.stop()


async def test_a_cluster_of_another_version_is_refused(engine_dir: Path) -> None:
    (engine_dir / "postgres").mkdir()
    (engine_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EngineError, match="made by PostgreSQL 17, and this is 18"):
        await EmbeddedPostgres(engine_dir).start()


async def test_what_is_wrong_is_told_in_one_line(postgres_server: EmbeddedPostgres) -> None:
    await postgres_server.stop()
    (postgres_server.cluster / "pg_hba.conf").unlink()
    with pytest.raises(EngineError, match=r"PostgreSQL does not start: could not load .*pg_hba.conf") as failure:
        await postgres_server.start()
    assert "\n" not in str(failure.value)
    assert not postgres_server.running


async def test_a_folder_with_a_path_too_long_for_sockets(engine_dir: Path) -> None:
    folder = engine_dir / ("long-" * 20)
    folder.mkdir()
    postgres = EmbeddedPostgres(folder, durable=False)
    await postgres.start()
    try:
        assert await ask(postgres.dsn, "SHOW listen_addresses") == "127.0.0.1"
        dsn = postgres.dsn
        await postgres.restart()
        assert postgres.dsn == dsn
        assert await ask(dsn, "SELECT 1") == 1
    finally:
        await postgres.stop()


async def test_a_cancelled_start_leaves_no_process(engine_dir: Path) -> None:
    postgres = EmbeddedPostgres(engine_dir, durable=False)
    start = asyncio.create_task(postgres.start())

    async def running() -> bool:
        return postgres.running

    await wait_until(running)
    pid = postgres.pid
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not is_running(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close folders to others")
async def test_root_works_in_a_folder_that_is_closed_to_everybody_else(engine_dir: Path) -> None:
    closed = engine_dir / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, 0, 0)
    folder = closed / "d"
    folder.mkdir()
    postgres = EmbeddedPostgres(folder, durable=False)
    await postgres.start()
    try:
        assert await ask(postgres.dsn, "SELECT 1") == 1
        assert user_of(postgres.pid) != 0
    finally:
        await postgres.stop()
