"""When nothing changes any more: the log as it then is, and waiting until everybody knows of all that is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.engines import wait_until
from tests.faults.check_log import check_log
from tests.faults.instance import Instance
from tests.faults.log_table import read_events
from tests.faults.truth import Truth
from tests.faults.watchers import Watcher

QUIET_TIMEOUT_S = 120.0
LINGER_S = 1.0
"""How long watchers stay after they were told everything, to be told too much."""


async def folded(instance: Instance) -> Truth:
    """Raises AssertionError for a log that cannot be folded."""
    events = await read_events(instance.dsn)
    broken = list(check_log(events))
    if broken:
        raise AssertionError("\n".join(f"{complaint.promise}: {complaint.what}" for complaint in broken))
    return Truth(events)


async def until_told(truth: Truth, watchers: Sequence[Watcher]) -> None:
    """Until each was told the last there is for it, or has had its time: what is missing then is complained of."""
    last = {
        wish: max((seen.position for seen in truth.seen_by(wish)), default=0) for wish in {w.wish for w in watchers}
    }

    async def all_told() -> bool:
        return all(watcher.has_seen(last[watcher.wish]) for watcher in watchers)

    try:
        await wait_until(all_told, QUIET_TIMEOUT_S)
    except TimeoutError:
        return
    await asyncio.sleep(LINGER_S)


async def until_viewed(instance: Instance, truth: Truth) -> None:
    """The views come behind the log; the checkpoint tells how far."""

    async def caught_up() -> bool:
        _, views = await instance.positions()
        return views >= truth.head

    await wait_until(caught_up, QUIET_TIMEOUT_S)
