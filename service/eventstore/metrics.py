"""What this room tells about itself: how many commands came to what, in batches of what size, how fast."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.runtime.metrics import BATCH_BUCKETS, LATENCY_BUCKETS_S


class AppendMetrics:
    def __init__(self, registry: CollectorRegistry, queue_length: Callable[[], int]) -> None:
        self._commands = Counter(
            "taghistory_append_commands",
            "Commands given to the log, by outcome: appended, duplicate, conflict, overloaded",
            ["outcome"],
            registry=registry,
        )
        self._events = Counter("taghistory_append_events", "Events appended to the log", registry=registry)
        self._batch = Histogram(
            "taghistory_append_batch_commands", "Commands per transaction", buckets=BATCH_BUCKETS, registry=registry
        )
        self._seconds = Histogram(
            "taghistory_append_seconds", "Duration of one transaction", buckets=LATENCY_BUCKETS_S, registry=registry
        )
        queue = Gauge("taghistory_append_queue_commands", "Commands waiting for a transaction", registry=registry)
        queue.set_function(queue_length)

    def timed(self) -> AbstractContextManager[object]:
        """Around one transaction."""
        return self._seconds.time()

    def answered(self, commands: int, events: int, outcomes: Sequence[str]) -> None:
        self._batch.observe(commands)
        self._events.inc(events)
        for outcome, count in Tally(outcomes).items():
            self._commands.labels(outcome).inc(count)

    def overloaded(self) -> None:
        self._commands.labels("overloaded").inc()
