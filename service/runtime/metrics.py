"""Prometheus metrics of one process.

Every process builds its registry in its composition root and hands it down; a room makes its own counters on the
registry it is given. Nothing is registered at import, so two services in one test process do not meet.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds, for everything that takes time."""

ESCAPING = "escaping=underscores"
"""How names are written, as scrapers are told: ours need nothing but underscores."""

BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Upper bounds in items, for everything done in batches."""


def new_registry() -> CollectorRegistry:
    """A registry that already tells about the process itself: memory, CPU, descriptors, garbage collection."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The body and Content-Type of `/metrics`, in the format that the Accept header prefers."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type if "escaping=" in content_type else f"{content_type}; {ESCAPING}"
