"""The embedded nats-server: private, at one address through its restarts, with messages that survive a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path

import nats
import pytest

from service.runtime import embedded_nats
from service.runtime.embedded_nats import EmbeddedNats
from service.runtime.engine import EngineError
from service.runtime.listening import free_loopback_port
from tests.engines import wait_until


async def publish(url: str, message: bytes) -> int:
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="KEPT", subjects=["kept"])
        return (await jetstream.publish("kept", message)).seq
    finally:
        await client.close()


async def test_messages_survive_restart_and_kill(nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    assert await publish(url, b"1") == 1
    await nats_server.restart()
    assert nats_server.url == url
    assert await publish(url, b"2") == 2
    await nats_server.kill()
    await nats_server.start()
    assert nats_server.url == url
    assert await publish(url, b"3") == 3


async def test_a_wiped_jetstream_begins_anew(nats_server: EmbeddedNats) -> None:
    assert await publish(nats_server.url, b"1") == 1
    with pytest.raises(RuntimeError, match="is running"):
        nats_server.wipe()
    await nats_server.stop()
    nats_server.wipe()
    await nats_server.start()
    assert await publish(nats_server.url, b"1") == 1


async def test_it_takes_large_messages(nats_server: EmbeddedNats) -> None:
    assert await publish(nats_server.url, b"x" * (embedded_nats.MAX_PAYLOAD_BYTES - 1024)) == 1


async def test_it_is_private(nats_server: EmbeddedNats) -> None:
    assert "@127.0.0.1:" in nats_server.url
    assert stat.S_IMODE((nats_server.data_dir / "nats" / "nats.conf").stat().st_mode) == 0o600
    reader, writer = await asyncio.open_connection("127.0.0.1", int(nats_server.url.rpartition(":")[2]))
    writer.write(b'CONNECT {"verbose":true}\r\n')
    await reader.readline()
    assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_death_is_noticed_and_healed(nats_server: EmbeddedNats) -> None:
    supervision = asyncio.create_task(nats_server.supervise())
    before = nats_server.pid
    os.kill(before, signal.SIGKILL)

    async def healed() -> bool:
        return nats_server.pid != before and nats_server.running

    await wait_until(healed)
    assert await publish(nats_server.url, b"1") == 1
    await nats_server.stop()
    await supervision


async def test_another_port_is_tried_when_somebody_was_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = EmbeddedNats(tmp_path / "first")
    second = EmbeddedNats(tmp_path / "second")
    first.data_dir.mkdir()
    second.data_dir.mkdir()
    await first.start()
    taken = int(first.url.rpartition(":")[2])
    ports = iter([taken, free_loopback_port()])
    monkeypatch.setattr(embedded_nats, "free_loopback_port", lambda: next(ports))
    try:
        await second.start()
        assert not second.url.endswith(f":{taken}")
        assert await publish(second.url, b"1") == 1
    finally:
        await second.stop()
        await first.stop()


async def test_what_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "jetstream").write_text("not a folder")
    with pytest.raises(
        EngineError, match="nats-server does not start: Can't start JetStream: storage directory is not a directory"
    ) as failure:
        await EmbeddedNats(tmp_path).start()
    assert "\n" not in str(failure.value)
