"""`tag-history up` from the outside: what it prints, what it leaves, what it refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from service.runtime.embedded_nats import EmbeddedNats
from tests.engines import Instance, command_line, descendants, running, until_gone, wait_until

ANY_PORT = ("--listen", "127.0.0.1:0")
READY = re.compile(r"ready (?P<url>https://127\.0\.0\.1:\d+) kubeconfig (?P<kubeconfig>\S+)")


@asynccontextmanager
async def up(folder: Path, *arguments: str) -> AsyncIterator[tuple[Instance, str]]:
    """A ready instance and its URL."""
    async with running("up", "--data-dir", folder, *ANY_PORT, *arguments) as instance:
        line = await instance.line()
        ready = READY.fullmatch(line)
        assert ready is not None, line or await instance.errors()
        assert ready["kubeconfig"] == str(folder / "kubeconfig")
        yield instance, ready["url"]


async def status_of(url: str, folder: Path) -> int:
    """The status of any answer, over TLS that is verified with the authority that clients are told to trust."""
    context = ssl.create_default_context(cafile=str(folder / "pki" / "ca.crt"))
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
        session.get(f"{url}/version", ssl=context) as response,
    ):
        return response.status


def role_pids(instance: Instance, role: str) -> list[int]:
    return [pid for pid in descendants(instance.pid) if f" service.cli {role} " in command_line(pid)]


async def refusal(*arguments: str | Path) -> str:
    """The one line with which `up` ends."""
    async with running("up", *arguments) as instance:
        assert await instance.line() == ""
        message = await instance.errors()
        assert await instance.stop() == 1
    *log_lines, last = message.splitlines()
    assert all(line.startswith("time=") for line in log_lines), message
    return last


async def test_one_line_when_ready_and_a_clean_end(engine_dir: Path) -> None:
    async with up(engine_dir) as (instance, url):
        assert await status_of(url, engine_dir) < 500
        owned = descendants(instance.pid)
        assert await instance.stop(signal.SIGINT) == 0
        await until_gone(owned)
    # Nothing is in the way of the next one, which serves the same users under the same certificate.
    kept = ("tokens.csv", "rbac.yaml", "pki/serving.crt", "secrets.key")
    before = {name: (engine_dir / name).read_bytes() for name in kept}
    assert (engine_dir / "secrets.key").stat().st_mode & 0o777 == 0o600
    async with up(engine_dir) as (instance, url):
        assert await status_of(url, engine_dir) < 500
        assert {name: (engine_dir / name).read_bytes() for name in before} == before
        kubeconfig = yaml.safe_load((engine_dir / "kubeconfig").read_text())
        assert kubeconfig["clusters"][0]["cluster"]["server"] == url
        assert await instance.stop(signal.SIGTERM) == 0


async def test_sigkill_leaves_no_process_and_a_folder_that_starts_again(engine_dir: Path) -> None:
    async with up(engine_dir, "--workers", "2") as (instance, _):
        owned = descendants(instance.pid)
        assert len(role_pids(instance, "serve")) == 2
        await instance.stop(signal.SIGKILL)
    async with up(engine_dir) as (_, url):
        await until_gone(owned)
        assert await status_of(url, engine_dir) < 500


async def test_a_killed_worker_comes_back_on_the_same_port(engine_dir: Path) -> None:
    """Its connections wait in the queue of its socket meanwhile: none is refused."""
    async with up(engine_dir) as (instance, url):
        [victim] = role_pids(instance, "serve")
        os.kill(victim, signal.SIGKILL)
        assert await status_of(url, engine_dir) < 500
        assert role_pids(instance, "serve") != [victim]


async def test_a_killed_engine_comes_back(engine_dir: Path) -> None:
    async with up(engine_dir) as (instance, url):
        note = engine_dir / "nats" / "nats.pid"
        victim = int(note.read_text())
        os.kill(victim, signal.SIGKILL)

        async def another_one_runs() -> bool:
            return note.exists() and int(note.read_text() or victim) != victim

        await wait_until(another_one_runs)
        assert await status_of(url, engine_dir) < 500
        assert await instance.stop() == 0


async def test_no_secret_is_on_a_command_line(engine_dir: Path) -> None:
    async with up(engine_dir) as (instance, _):
        nats_token = re.findall(r'token: "(\w+)"', (engine_dir / "nats" / "nats.conf").read_text())
        password = (engine_dir / "postgres.password").read_text()
        lines = "\n".join(command_line(pid) for pid in [instance.pid, *descendants(instance.pid)])
        for secret in [*nats_token, password, *(engine_dir / "tokens.csv").read_text().split(",")[:1]]:
            assert secret not in lines


async def test_two_instances_side_by_side_but_not_in_one_folder(engine_dir: Path) -> None:
    async with up(engine_dir / "a") as (first, _), up(engine_dir / "b") as (_, url):
        assert await status_of(url, engine_dir / "b") < 500
        expected = (
            f"tag-history: the data folder {engine_dir / 'a'} is in use by a running instance (process {first.pid})"
        )
        assert await refusal("--data-dir", engine_dir / "a", *ANY_PORT) == expected


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_taken_port(engine_dir: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        message = await refusal("--data-dir", engine_dir, "--listen", address, "--workers", workers)
    assert message == f"tag-history: cannot listen on {address}: it is already in use"
    assert not (engine_dir / "postgres").exists()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = await refusal("--data-dir", tmp_path / "file" / "data", *ANY_PORT)
    assert message == f"tag-history: cannot use the data folder {tmp_path}/file/data: Not a directory"


async def test_engines_that_are_given_are_used(engine_dir: Path, database: str, nats_server: EmbeddedNats) -> None:
    given = {"TAG_HISTORY_POSTGRES_DSN": database, "TAG_HISTORY_NATS_URL": nats_server.url}
    async with running("up", "--data-dir", engine_dir, *ANY_PORT, environment=given) as instance:
        assert READY.fullmatch(await instance.line())
        assert not (engine_dir / "postgres").exists()
        assert not (engine_dir / "nats").exists()
        assert await instance.stop() == 0


async def test_a_database_that_is_not_there(engine_dir: Path) -> None:
    given = {"TAG_HISTORY_POSTGRES_DSN": f"postgresql://u:p@/db?host={engine_dir}", "TAG_HISTORY_NATS_URL": "nats://x"}
    async with running("up", "--data-dir", engine_dir, *ANY_PORT, environment=given) as instance:
        last = (await instance.errors()).splitlines()[-1]
        assert last.startswith("tag-history: cannot migrate the database: ")
        assert await instance.stop() == 1
