"""Make views anew from position 1, beside the ones in use, and exchange them.

Readers and runners go on meanwhile. Whatever interrupts a rebuild, the next one goes on where it was; nothing in use is
touched before the exchange, which is one short transaction. The runner in charge then finds its checkpoint moved, and
begins again on the new tables.
Keeps: new views take the place of old ones only when they are true up to the same position, or a later one.
Elsewhere: the tables (`tables.py`); the fold, which is the runners' own (`advance.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Final

from asyncpg import Connection

from projections import checkpoint
from projections.advance import Advance
from projections.lease import connect, transaction, try_lock
from projections.log_pages import page_after, pages_after
from projections.projection import Projection
from projections.tables import NewTables
from service.domain.events import EVENT_TYPES
from service.eventstore.codec import Codec
from service.eventstore.database import RolledBack, open_pool, translated_errors
from service.eventstore.reader import Reader
from service.eventstore.records import RecordedEvent

POOL_SIZE_LIMIT: Final = 2
REPORT_INTERVAL_S: Final = 1.0
EXCHANGE_TRIES: Final = 120
EXCHANGE_PAUSE_S: Final = 0.5
CLOSE_EVENTS: Final = 1_000
"""Few enough to be folded while the runner in charge waits."""

Tell = Callable[[str], None]


class RebuildRefused(Exception):
    """It cannot be done now; the views in use are as they were."""


async def rebuild(dsn: str, projections: Sequence[Projection], tell: Tell) -> None:
    """Rebuild the views of the projections, telling line by line how it goes.

    Raises RebuildRefused, PoisonedEvent, and Unavailable. Started again it goes on where it was.
    """
    with translated_errors():
        async with AsyncExitStack() as stack:
            reader = Reader(await stack.enter_async_context(open_pool(dsn, "rebuild", size_limit=POOL_SIZE_LIMIT)))
            builds = [await _begin(stack, dsn, projection) for projection in projections]
            await _fill(builds, reader, tell)
            for build in builds:
                await build.exchange(reader)
                tell(f"{build.name}: the new views are in use, at position {build.position}")


async def _begin(stack: AsyncExitStack, dsn: str, projection: Projection) -> Build:
    control = await connect(dsn, "rebuild", idle_session_timeout="0")
    stack.callback(control.terminate)
    if not await try_lock(control, f"rebuild {projection.name}"):
        raise RebuildRefused(f"{projection.name} is being rebuilt already")
    tables = NewTables(projection, await control.fetchval("SELECT current_schema()"))
    await tables.ensure(control)
    filling = await connect(dsn, "rebuild", search_path=tables.search_path, idle_session_timeout="0")
    stack.callback(filling.terminate)
    start = await checkpoint.claim(filling, projection)
    return Build(projection.name, tables, control, Advance(projection, filling, start, Codec(EVENT_TYPES)))


async def _fill(builds: Sequence[Build], reader: Reader, tell: Tell) -> None:
    """Up to the end of the log, which is read once for all of them."""
    for build in builds:
        if build.position:
            tell(f"{build.name}: goes on at position {build.position}")
    begin = position = min(build.position for build in builds)
    begin_s = reported_s = time.monotonic()
    async with aclosing(pages_after(reader, position)) as pages:
        async for page in pages:
            async with asyncio.TaskGroup() as tasks:
                for build in builds:
                    tasks.create_task(build.by(page), name=f"rebuild {build.name}")
            position = page[-1].position
            if time.monotonic() - reported_s > REPORT_INTERVAL_S:
                reported_s = time.monotonic()
                tell(f"position {position} of {await reader.newest()}")
    rate = (position - begin) / max(time.monotonic() - begin_s, 1e-9)
    tell(f"{', '.join(build.name for build in builds)}: {position - begin} events, {rate:.0f} events/s")


class Build:
    """New views of one projection: filled by one connection, exchanged by another."""

    def __init__(self, name: str, tables: NewTables, control: Connection, advance: Advance) -> None:
        self.name = name
        self._tables = tables
        self._control = control
        self._advance = advance

    @property
    def position(self) -> int:
        return self._advance.position

    async def by(self, events: Sequence[RecordedEvent]) -> None:
        if events[-1].position > self.position:
            with translated_errors():
                await self._advance.by(events)

    async def exchange(self, reader: Reader) -> None:
        """As soon as the new views are near, and nobody holds on to the old ones. Raises RebuildRefused."""
        await self._tables.analyze(self._control)
        for _ in range(EXCHANGE_TRIES):
            async with aclosing(pages_after(reader, self.position)) as pages:
                async for page in pages:
                    await self.by(page)
            try:
                with translated_errors():
                    if await self._try_exchange(reader):
                        return
            except RolledBack:
                # Somebody reads the old tables for longer than others should wait behind us.
                await asyncio.sleep(EXCHANGE_PAUSE_S)
        raise RebuildRefused(f"{self.name}: the old views are in use without a pause; run this again to go on")

    async def _try_exchange(self, reader: Reader) -> bool:
        async with transaction(self._control):
            live_position = await self._tables.lock_checkpoint(self._control)
            if live_position - self.position > CLOSE_EVENTS:
                return False
            while self.position < live_position:
                await self.by(await page_after(reader, self.position))
            await self._tables.take_place(self._control, self.position)
        return True
