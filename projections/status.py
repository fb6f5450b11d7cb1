"""How the projections are: what this process knows of its own runners, and what the table tells of all of them.

Keeps: a projection that cannot go on is seen in three places until it goes on again: the log of the process that runs
it, its row in `projections`, and from there the metrics of every process of this kind.
Elsewhere: writing that row (`checkpoint.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from asyncpg import Connection, Pool
from prometheus_client import CollectorRegistry, Counter, Gauge

from service.domain.errors import Unavailable
from service.eventstore.database import translated_errors
from service.runtime.logs import get_logger

STANDINGS: Final = """
SELECT p.name, p.version, p.position, greatest(head.position - p.position, 0) AS lag_events, p.stopped_by
FROM projections AS p, (SELECT coalesce(max(position), 0) AS position FROM events) AS head
ORDER BY p.name
"""

REASON_LIMIT_CHARACTERS: Final = 2_000
MEASURE_INTERVAL_S: Final = 5.0

log = get_logger("projections")


class Role(StrEnum):
    STARTING = "starting"
    ACTIVE = "active"
    STANDBY = "standby"
    STOPPED = "stopped"


class Standing(msgspec.Struct, frozen=True):
    """A projection as everybody sees it."""

    name: str
    version: int
    position: int
    lag_events: int
    stopped_by: str | None


async def read_standings(source: Pool | Connection) -> list[Standing]:
    return [Standing(*row) for row in await source.fetch(STANDINGS)]


class Metrics:
    """Of a process: which projections it runs; and how all of them are, whoever runs them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("projection",)
        self.active = Gauge("taghistory_projection_active", "1 where this process runs it", labels, registry=registry)
        self.events = Counter("taghistory_projection_events", "Events passed", labels, registry=registry)
        self._position = Gauge(
            "taghistory_projection_position", "Position up to which the views are true", labels, registry=registry
        )
        self._lag = Gauge(
            "taghistory_projection_lag_events", "Events of the log not yet in the views", labels, registry=registry
        )
        self._stopped = Gauge("taghistory_projection_stopped", "1 while it cannot go on", labels, registry=registry)

    async def keep_measuring(self, pool: Pool) -> None:
        """On its own, because a lag matters most while its projection is stuck."""
        while True:
            try:
                with translated_errors():
                    standings = await read_standings(pool)
            except Unavailable as error:
                log.debug("how the projections are is not known", error=error)
            else:
                self.tell(standings)
            await asyncio.sleep(MEASURE_INTERVAL_S)

    def tell(self, standings: Sequence[Standing]) -> None:
        for standing in standings:
            self._position.labels(standing.name).set(standing.position)
            self._lag.labels(standing.name).set(standing.lag_events)
            self._stopped.labels(standing.name).set(standing.stopped_by is not None)


class RunnerStatus:
    """Of one projection in this process."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self.role = Role.STARTING
        self.position = 0
        self.stopped_by: str | None = None
        self.settled = asyncio.Event()
        """Set once it is known whether this process runs the projection."""
        self._name = name
        self._metrics = metrics

    def standby(self) -> None:
        self._be(Role.STANDBY)

    def active(self) -> None:
        self._be(Role.ACTIVE)

    def stopped(self, why: str) -> None:
        """Said once for each reason, however often the projection tries again."""
        why = why.replace("\0", "")[:REASON_LIMIT_CHARACTERS]
        if why != self.stopped_by:
            log.error("projection stopped", projection=self._name, position=self.position, why=why)
        self._be(Role.STOPPED, why)

    def begins(self, position: int) -> None:
        """The views are true up to this position, whoever made them so."""
        self.position = position

    def passed(self, position: int) -> None:
        """This process has made them true up to this position."""
        self._metrics.events.labels(self._name).inc(position - self.position)
        self.position = position

    def _be(self, role: Role, stopped_by: str | None = None) -> None:
        if role is not self.role:
            log.info("projection", projection=self._name, role=role.value, position=self.position)
        self.role = role
        self.stopped_by = stopped_by
        self._metrics.active.labels(self._name).set(role is Role.ACTIVE)
        self.settled.set()
