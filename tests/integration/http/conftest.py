"""An API process inside the test, on a database and a nats-server of its own, and a client for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from service.app import serve
from service.runtime.config import ApiSettings, EngineSettings, ListenAddress, ServeSettings
from service.runtime.listening import open_listening_sockets
from service.secretstore.keyring import ensure_key_file
from tests.integration.http.client import Client

TOKENS = """\
root-token,root,u-root,system:masters
ann-token,ann,u-ann,developers
eve-token,eve,u-eve
"""
RBAC = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ann, namespace: team}
subjects: [{kind: User, name: ann}]
roleRef: {kind: ClusterRole, name: admin}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: may-be-eve}
rules: [{apiGroups: [""], resources: [users], verbs: [impersonate], resourceNames: [eve]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ann-may-be-eve}
subjects: [{kind: User, name: ann}]
roleRef: {kind: ClusterRole, name: may-be-eve}
"""


@pytest_asyncio.fixture
async def client(database: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """Users root (everything), ann (admin of the namespace `team`, may act as eve) and eve (nothing)."""
    ensure_key_file(tmp_path / "secrets.key")
    async with serving(database, nats_url, tmp_path, tmp_path / "secrets.key") as client:
        yield client


@pytest_asyncio.fixture
async def client_without_keys(database: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """The same where the server cannot encrypt secrets."""
    async with serving(database, nats_url, tmp_path, None) as client:
        yield client


@asynccontextmanager
async def serving(
    database: str, nats_url: str, folder: Path, secrets_key_file: Path | None, **settings_of_images: Any
) -> AsyncIterator[Client]:
    (folder / "tokens.csv").write_text(TOKENS)
    (folder / "rbac.yaml").write_text(RBAC)
    listening = open_listening_sockets(ListenAddress("127.0.0.1", 0), 1)[0]
    port = listening.getsockname()[1]
    ready, tell = os.pipe()
    settings = ServeSettings(
        engines=EngineSettings(database, nats_url),
        api=ApiSettings(
            folder / "tokens.csv", folder / "rbac.yaml", secrets_key_file, anonymous_auth=True, **settings_of_images
        ),
        insecure_listen_fd=listening.detach(),
        ready_fd=tell,
    )
    task = asyncio.create_task(serve(settings), name="serve")
    try:
        async with asyncio.timeout(30):
            await asyncio.to_thread(os.read, ready, 64)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", read_bufsize=2**20) as session:
            yield Client(session, port, database)
    finally:
        os.close(ready)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
