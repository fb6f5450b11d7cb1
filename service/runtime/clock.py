"""The time of day as it goes into objects and answers. Intervals are measured by the event loop's clock instead."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


def utc_now() -> str:
    """RFC 3339, UTC, whole seconds."""
    return _formatted(int(time.time()))


@lru_cache(maxsize=2)
def _formatted(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
