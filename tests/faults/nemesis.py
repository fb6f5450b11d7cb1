"""The nemesis: breaks processes and engines at random, one or two at a time, and waits until all is well again.

SIGKILL of an API process, of a process that projects, of PostgreSQL (all of it, or one backend), of NATS, and of
everything at once; SIGSTOP of each for seconds; NATS killed and its JetStream folder wiped before it comes back.
Keeps: what it stopped goes on, whatever happens; a fault's window ends only when the service was seen to be well.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.engines import until_gone
from tests.faults.history import Fault, History
from tests.faults.instance import Instance
from tests.faults.plan import Plan, weighted

STOP_S = (0.5, 4.5)
"""For how long something is stopped. Past 3 s a stopped holder of a lease has lost it."""
TWO_AT_ONCE_SHARE = 0.25

WEIGHTS = {
    "kill serve": 20,
    "kill project": 10,
    "kill standby": 4,
    "kill postgres": 10,
    "kill backend": 8,
    "kill nats": 8,
    "wipe nats": 10,
    "stop serve": 10,
    "stop project": 10,
    "stop postgres": 6,
    "stop nats": 6,
    "kill up": 3,
}

HARMLESS_TO_CLIENTS = frozenset({"kill project", "kill standby", "kill nats", "wipe nats", "stop project", "stop nats"})
"""While nothing else is broken, writes and reads of the present go on."""


class Nemesis:
    def __init__(self, instance: Instance, history: History, plan: Plan) -> None:
        self._instance = instance
        self._history = history
        self._random = plan.random("nemesis")
        self._calm_s = plan.calm_s
        self._deck = self._random.sample(list(WEIGHTS), len(WEIGHTS))
        """Each kind comes once before chance decides alone."""

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(*self._calm_s)):
                    await stop.wait()
                    return
            await self.strike()

    async def strike(self) -> None:
        """Break something, and wait until all is well. Raises NotHealed."""
        kinds = [self._kind()]
        if self._random.random() < TWO_AT_ONCE_SHARE:
            kinds.append(self._kind())
        faults = [Fault(kind, "", self._history.now()) for kind in kinds]
        self._history.faults += faults
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._break(fault))
        await self._instance.start_standby()
        await self._instance.until_healed()
        for fault in faults:
            fault.healed = self._history.now()

    def _kind(self) -> str:
        return self._deck.pop() if self._deck else weighted(self._random, WEIGHTS)

    async def _break(self, fault: Fault) -> None:
        verb, target = fault.kind.split()
        if fault.kind == "kill up":
            await self._instance.die()
            await self._instance.start()
        elif fault.kind == "kill backend":
            backends = [pid for pid in self._instance.pids("postgres") for pid in self._instance.tree(pid)[1:]]
            await self._on_one(fault, backends, self._kill)
        elif verb == "wipe":
            await self._on_one(fault, self._instance.pids(target), self._wipe)
        elif verb == "kill":
            await self._on_one(fault, self._instance.pids(target), self._kill)
        else:
            await self._on_one(fault, self._instance.pids(target), self._stop)

    async def _on_one(self, fault: Fault, pids: list[int], action: Callable[[int], Awaitable[None]]) -> None:
        if pids:
            pid = self._random.choice(pids)
            fault.target = str(pid)
            await action(pid)

    async def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    async def _wipe(self, pid: int) -> None:
        with self._instance.supervisor_frozen():
            await self._kill(pid)
            await until_gone([pid])
            self._instance.wipe_jetstream()

    async def _stop(self, pid: int) -> None:
        """The process and all under it: a postmaster alone would leave its backends at work."""
        members = self._instance.tree(pid)
        try:
            for member in members:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGSTOP)
            await asyncio.sleep(self._random.uniform(*STOP_S))
        finally:
            for member in members:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGCONT)
