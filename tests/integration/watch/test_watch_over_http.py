"""A watch on the wire: real sockets, plain and TLS, on both event loops."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import uvloop
from aiohttp import web

from service.domain.errors import Unavailable
from service.domain.world import Collection
from service.http.watch_stream import serve_watch
from service.watch.scope import Scope
from service.watch.watcher import WatchLimits, WatchRequest
from tests.engines import wait_until
from tests.unit.watch.chronicle import Chronicle, header, stream_created
from tests.unit.watch.room import JsonEncoder, Room

STREAMS = Scope(Collection.IMAGE_STREAMS)
LARGE = 20_000
"""Bytes of a label's worth of padding, so that a few hundred events fill every buffer of a connection."""


@pytest.fixture(params=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    return uvloop.EventLoopPolicy() if request.param == "uvloop" else asyncio.DefaultEventLoopPolicy()


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext] | None:
    """Server's and client's side."""
    return None if request.param == "plain" else certified(tmp_path)
