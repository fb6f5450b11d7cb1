"""Which of the API processes behind one port answers: connections to a particular one, for tests that need both."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.acceptance.api import Api, Entrance, api_of
from tests.acceptance.shared_instance import WORKERS

CONNECTION_LIMIT = 200
# A time at which something began in the process that answers, in microseconds: told twice, it is the same process.
BIRTHMARK = re.compile(rb"^taghistory_watch_parkings_created (\S+)$", re.MULTILINE)


async def birthmark(api: Api) -> bytes:
    """What tells the process that answers from any other."""
    found = BIRTHMARK.search((await api.request("GET", "/metrics")).body)
    assert found is not None
    return found[1]


@asynccontextmanager
async def each_worker(entrance: Entrance) -> AsyncIterator[list[Api]]:
    """A kept connection to each of the processes; the kernel deals connections out, so some are drawn in vain."""
    found: dict[bytes, Api] = {}
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTION_LIMIT):
            api = await stack.enter_async_context(api_of(entrance))
            found.setdefault(await birthmark(api), api)
            if len(found) == WORKERS:
                break
        assert len(found) == WORKERS
        yield list(found.values())
