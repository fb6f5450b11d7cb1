"""Pages of the log that end where a command ends, read from PostgreSQL.

Keeps: a page begins right after the position asked for; a projection never sees half a command.
Elsewhere: events that come by NATS (`service/bus/follower.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from service.domain.errors import Expired
from service.eventstore.position import ends_command, is_dense
from service.eventstore.reader import Reader
from service.eventstore.records import RecordedEvent


async def page_after(reader: Reader, position: int) -> list[RecordedEvent]:
    """The next commands; none at the end of the log. Raises Expired for what was pruned, Unavailable."""
    events = await reader.read_after(position)
    while events and not ends_command(events[-1]):
        last = events[-1]
        events += await reader.read_after(last.position, last.command_last - last.position)
    if not is_dense(position, events):
        raise Expired(f"event {position + 1} is not in the log any more")
    return events


async def pages_after(reader: Reader, position: int) -> AsyncGenerator[list[RecordedEvent], None]:
    """Page after page to the end of the log, each read while the one before it is used. To be closed after use."""
    page = await page_after(reader, position)
    while page:
        next_page = asyncio.create_task(page_after(reader, page[-1].position), name="read ahead")
        try:
            yield page
        except BaseException:
            next_page.cancel()
            await asyncio.gather(next_page, return_exceptions=True)
            raise
        page = await next_page
