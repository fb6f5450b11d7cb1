"""What keeps the requests of one client, or too many of all, from hurting the others: how many at a time, for how long.

Keeps: reads and writes are counted apart, so neither starves the other; who waits for something that happens, a watch
or an import, is neither counted nor hurried. Members of system:masters are not counted, so that somebody can always
look. A write that runs out of time may still come to pass: what was sent to the log is not taken back.
Elsewhere: the size of a body (`bodies.py`), of a request's head (`connections.py`). Source: spec: kube-api 10.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from service.auth.users import MASTERS, User
from service.domain.errors import Unfinished
from service.http.errors import TooManyRequests
from service.http.options import request_timeout_seconds
from service.http.request_info import RequestInfo

T = TypeVar("T")

READS_LIMIT = 400
WRITES_LIMIT = 200
REQUEST_TIMEOUT_S = 60.0
WRITE_TIMEOUT_S = 34.0
READING_VERBS = frozenset({"get", "list", "watch"})
WRITING_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})
LONG_RUNNING_RESOURCES = frozenset({"imagestreamimports"})


def is_long_running(info: RequestInfo) -> bool:
    return info.verb == "watch" or info.resource in LONG_RUNNING_RESOURCES


class InFlight:
    """The requests that are being answered."""

    def __init__(self, reads_limit: int = READS_LIMIT, writes_limit: int = WRITES_LIMIT) -> None:
        self._limits = {True: reads_limit, False: writes_limit}
        self._counts = {True: 0, False: 0}

    @contextmanager
    def one_more(self, info: RequestInfo, user: User) -> Iterator[None]:
        """Raises TooManyRequests, at once, if there are as many of its sort as there may be."""
        if is_long_running(info) or MASTERS in user.groups:
            yield
            return
        reads = info.verb in READING_VERBS
        if self._counts[reads] >= self._limits[reads]:
            raise TooManyRequests
        self._counts[reads] += 1
        try:
            yield
        finally:
            self._counts[reads] -= 1


def time_limit_s(info: RequestInfo) -> float | None:
    """How long a request may take; None for as long as it likes. Raises BadRequest for a `timeout` that is none."""
    if is_long_running(info):
        return None
    asked_s = request_timeout_seconds(info.query, REQUEST_TIMEOUT_S)
    return min(asked_s, WRITE_TIMEOUT_S) if info.verb in WRITING_VERBS else asked_s


async def within(limit_s: float | None, work: Awaitable[T]) -> T:
    """Raises Unfinished when the time is up."""
    try:
        async with asyncio.timeout(limit_s) as deadline:
            return await work
    except TimeoutError:
        if deadline.expired():
            raise Unfinished("request did not complete within requested timeout - context deadline exceeded") from None
        raise
