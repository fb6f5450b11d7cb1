"""What the watch room counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class WatchMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.position = Gauge(
            "taghistory_cache_position", "Position up to which the watch cache is true.", registry=registry
        )
        self.watchers = Gauge("taghistory_watchers", "Watches that are open.", registry=registry)
        self.parked = Gauge(
            "taghistory_watchers_parked", "Watches that wait for their client to read.", registry=registry
        )
        self.parkings = Counter(
            "taghistory_watch_parkings",
            "How often a watch was parked because its client read too slowly.",
            registry=registry,
        )
        self.deliveries = Counter("taghistory_watch_deliveries", "Events written to watchers.", registry=registry)
        self.replayed = Counter(
            "taghistory_watch_replayed_events",
            "Events read again from the log for watches that resume.",
            registry=registry,
        )
        self.stalled = Counter(
            "taghistory_watch_stalled",
            "Watches closed because their client read nothing for too long.",
            registry=registry,
        )
