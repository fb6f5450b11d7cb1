"""Debian's registry of images (the package docker-registry), as a process of its own for one test."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from tests.engines import wait_until
from tests.real_images import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST

PROGRAM = shutil.which("docker-registry")
CONFIGURATION = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}
http: {{addr: "{address}", secret: test}}
"""


class DockerRegistry:
    def __init__(self, host: str, session: aiohttp.ClientSession) -> None:
        self.host = host
        self._session = session

    async def push_small_image(self, repository: str, tag: str) -> str:
        """An image with one layer, pushed as a builder does it: the blobs, then the manifest. Its digest."""
        layer, config = b"a layer", json.dumps({"architecture": "amd64", "os": "linux"}).encode()
        described = []
        for content, media_type in ((config, DOCKER_CONFIG), (layer, DOCKER_LAYER)):
            await self._upload(repository, content)
            described.append({"mediaType": media_type, "size": len(content), "digest": _digest(content)})
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": described[0], "layers": described[1:]}
        ).encode()
        url, headers = f"http://{self.host}/v2/{repository}/manifests/{tag}", {"Content-Type": DOCKER_MANIFEST}
        async with self._session.put(url, data=manifest, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
        return _digest(manifest)

    async def _upload(self, repository: str, content: bytes) -> None:
        async with self._session.post(f"http://{self.host}/v2/{repository}/blobs/uploads/") as begun:
            location = begun.headers["Location"]
        joint = "&" if "?" in location else "?"
        async with self._session.put(f"{location}{joint}digest={_digest(content)}", data=content) as answer:
            assert answer.status == 201, await answer.text()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@asynccontextmanager
async def docker_registry(folder: Path) -> AsyncIterator[DockerRegistry]:
    """Empty, on a free port."""
    assert PROGRAM is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = folder / "registry.yaml"
    configuration.write_text(CONFIGURATION.format(folder=folder, address=host))
    with (folder / "registry.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, "serve", str(configuration), stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as session:

            async def serves() -> bool:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"http://{host}/v2/") as answer:
                        return answer.status == 200
                return False

            await wait_until(serves)
            yield DockerRegistry(host, session)
    finally:
        process.terminate()
        await process.wait()
