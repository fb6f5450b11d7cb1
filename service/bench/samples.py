"""What is told of many measured times, and of several rounds.

Percentiles are by nearest rank, so each is a time that was really measured. Of several rounds the median is told:
on a machine that others use as well, the mean would tell of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

MS_PER_S = 1_000.0


class Latency(msgspec.Struct, frozen=True):
    p50_ms: float
    p99_ms: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 < share ≤ 1) of all do not exceed. Raises ValueError for none."""
    if not ordered:
        raise ValueError("no values, no percentile")
    if not 0 < share <= 1:
        raise ValueError(f"{share} is no share")
    return ordered[math.ceil(share * len(ordered)) - 1]


def latency_of(times_s: Iterable[float]) -> Latency:
    """Raises ValueError when nothing was measured."""
    ordered = sorted(times_s)
    return Latency(percentile(ordered, 0.5) * MS_PER_S, percentile(ordered, 0.99) * MS_PER_S)


def median_latency(rounds: Sequence[Latency]) -> Latency:
    return Latency(median(r.p50_ms for r in rounds), median(r.p99_ms for r in rounds))
