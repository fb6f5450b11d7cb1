"""Fixtures of the acceptance tests: an instance that all share, and in it a namespace for each test."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.api import Api, Entrance, api_of, entrance_of
from tests.acceptance.kubectl import Kubectl
from tests.acceptance.quiet import Quiet, turn
from tests.acceptance.shared_instance import used_instance
from tests.acceptance.workers import each_worker


def _shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The same for all workers of a run."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="package")
def entrance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    """An instance with two API processes, shared with every test of this folder."""
    with used_instance(_shared_folder(tmp_path_factory) / "up") as data_dir:
        yield entrance_of(data_dir)


@pytest.fixture(scope="package")
def quiet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _shared_folder(tmp_path_factory) / "quiet"


@pytest.fixture(scope="package")
def quiet_entrance(quiet_folder: Path) -> Iterator[Entrance]:
    """A second such instance, for tests that need to know that nothing happens."""
    with used_instance(quiet_folder) as data_dir:
        yield entrance_of(data_dir)


@pytest_asyncio.fixture
async def quiet(quiet_entrance: Entrance, quiet_folder: Path, namespace: str) -> AsyncIterator[Quiet]:
    """A turn at the quiet instance, with a stream `web` with a tag `base` in the test's namespace."""
    async with turn(quiet_entrance, quiet_folder, namespace) as quiet:
        yield quiet


@pytest.fixture
def namespace() -> str:
    """A namespace that is nobody else's."""
    return f"ns-{uuid.uuid4().hex[:12]}"


@pytest_asyncio.fixture
async def api(entrance: Entrance) -> AsyncIterator[Api]:
    """The administrator."""
    async with api_of(entrance) as api:
        yield api


@pytest_asyncio.fixture
async def workers(entrance: Entrance) -> AsyncIterator[list[Api]]:
    """The administrator at each of the API processes."""
    async with each_worker(entrance) as workers:
        yield workers


@pytest.fixture(scope="session")
def kubectl_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubectl")


@pytest.fixture
def kubectl(entrance: Entrance, namespace: str, kubectl_cache: Path, tmp_path: Path) -> Kubectl:
    """kubectl as the administrator, in the test's namespace."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed")
    return Kubectl(program, entrance, namespace, kubectl_cache, tmp_path)
