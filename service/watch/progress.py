"""How far the cache has come, and who waits for it to get further.

Keeps: a waiter that gives up leaves nothing behind, however far the position it asked for.
"""

from __future__ import annotations

import asyncio
from bisect import insort

from service.domain.errors import FuturePosition

Waiter = tuple[int, int, asyncio.Future[None]]


class Progress:
    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._waiters: list[Waiter] = []
        """Sorted by position; the second number only makes them comparable."""
        self._serial = 0

    def advance(self, position: int) -> None:
        self.position = position
        while self._waiters and self._waiters[0][0] <= position:
            waiting = self._waiters.pop(0)[2]
            if not waiting.done():
                waiting.set_result(None)

    async def wait_for(self, position: int, timeout_ms: int | None) -> None:
        """Until the position is reached; raises FuturePosition if it is not in time. None waits for ever."""
        if position <= self.position:
            return
        self._serial += 1
        waiter: Waiter = (position, self._serial, asyncio.get_running_loop().create_future())
        insort(self._waiters, waiter)
        try:
            async with asyncio.timeout(None if timeout_ms is None else timeout_ms / 1000):
                await waiter[2]
        except TimeoutError:
            raise FuturePosition(position, self.position) from None
        finally:
            if self._waiters and position > self.position:
                self._waiters.remove(waiter)
