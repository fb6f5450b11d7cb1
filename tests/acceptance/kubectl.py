"""The real kubectl as a process, with the kubeconfig that `up` has made and nothing of the user's own.

Keeps: every call is bounded in time, and killed with the test.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.acceptance.api import Document, Entrance

CALL_TIMEOUT_S = 60.0


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Document:
        document: Document = json.loads(self.out)
        return document

    @property
    def rows(self) -> list[list[str]]:
        """A printed table as words, its header first."""
        return [line.split() for line in self.out.splitlines()]


class Kubectl:
    def __init__(
        self, program: str, entrance: Entrance, namespace: str, cache: Path, folder: Path, user: str = "admin"
    ) -> None:
        self.namespace = namespace
        self._program = program
        self._entrance = entrance
        self._cache = cache
        self._folder = folder
        self._user = user

    def as_user(self, user: str) -> Kubectl:
        return Kubectl(self._program, self._entrance, self.namespace, self._cache, self._folder, user)

    async def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        """Run to the end, whatever it is. Raises TimeoutError."""
        process = await self._start(arguments, environment)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                out, err = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def ok(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        """Run a command that has to succeed."""
        ran = await self(*arguments, stdin=stdin, **environment)
        assert ran.code == 0, f"kubectl {' '.join(arguments)}: {ran}"
        return ran

    async def fails(self, *arguments: str, stdin: str = "", code: int = 1) -> str:
        """Run a command that has to fail; returns what it says."""
        ran = await self(*arguments, stdin=stdin)
        assert ran.code == code, f"kubectl {' '.join(arguments)}: {ran}"
        return ran.err

    @asynccontextmanager
    async def lines(self, *arguments: str) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a command that does not end by itself; it is killed with the block."""
        process = await self._start(arguments, {})
        try:
            yield _lines(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def file(self, *documents: Document) -> str:
        """The path of a file with these objects, as YAML."""
        path = self._folder / f"{len(list(self._folder.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        return str(path)

    async def _start(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        options = (
            f"--kubeconfig={self._entrance.kubeconfig}",
            f"--context={self._user}",
            f"--namespace={self.namespace}",
            f"--cache-dir={self._cache}",
        )
        return await asyncio.create_subprocess_exec(
            *(self._program, *options, *arguments),
            env={**os.environ, "HOME": str(self._folder), "TMPDIR": str(self._folder), **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    while True:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            line = await process.stdout.readline()
        if not line:
            return
        yield line.decode().rstrip("\n")
