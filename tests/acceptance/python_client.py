"""The official Python client, which knows nothing of asyncio, so the tests that use it do not either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException

from tests.acceptance.api import API_VERSION, Document, Entrance

GROUP, VERSION = API_VERSION.split("/")


@contextmanager
def connected(entrance: Entrance, user: str = "admin", port: int | None = None) -> Iterator[client.ApiClient]:
    """A client with the kubeconfig that `up` made. `port` is where to connect to instead."""
    kubeconfig = yaml.safe_load(entrance.kubeconfig.read_text())
    if port is not None:
        kubeconfig["clusters"][0]["cluster"]["server"] = f"https://{entrance.host}:{port}"
    with config.new_client_from_config_dict(kubeconfig, context=user) as api_client:
        yield api_client


class Dynamic:
    """The dynamic client, with its discovery in a file of the test's own."""

    def __init__(self, api_client: client.ApiClient, folder: Path) -> None:
        self._client = dynamic.DynamicClient(api_client, cache_file=str(folder / "discovery"))

    def __getitem__(self, kind: str) -> Any:
        return self._client.resources.get(api_version=API_VERSION, kind=kind)


@contextmanager
def refused(code: int, reason: str) -> Iterator[list[Document]]:
    """The block has to be refused; the list then holds the Status."""
    statuses: list[Document] = []
    with pytest.raises(ApiException) as caught:
        yield statuses
    status = json.loads(caught.value.body)
    assert (caught.value.status, status["code"], status["reason"]) == (code, code, reason)
    statuses.append(status)
