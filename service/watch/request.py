"""What a client asks of a watch, and what any watch may take of the process.

Keeps: a request is valid, so a watch that begins can only fail for want of the log. Elsewhere: query parameters
(`http/options.py`), the life of a watch (`watcher.py`).
"""

from __future__ import annotations

import msgspec

from service.watch.dispatcher import PARK_AT_BYTES
from service.watch.frames import ChangeEncoder
from service.watch.scope import Scope


class WatchRequest(msgspec.Struct, frozen=True):
    """What a client asked for (spec: kube-api 7.1), validated."""

    scope: Scope
    encoder: ChangeEncoder
    timeout_s: float
    resource_version: int | None = None
    send_initial_events: bool | None = None
    bookmarks: bool = False

    @property
    def begins_with_state(self) -> bool:
        if self.send_initial_events is not None:
            return self.send_initial_events
        return self.resource_version in (None, 0)


class WatchLimits(msgspec.Struct, frozen=True):
    park_at_bytes: int = PARK_AT_BYTES
    page_changes: int = 512
    """How many changes of the ring are looked at before others get their turn."""
    stall_timeout_s: float = 300.0
    """How long a client may read nothing at all before its watch is closed."""
    page_events: int = 256
    """How many events of the log a replay folds before others get their turn: a few milliseconds' worth."""
    replays: int = 8
    """How many replays there are at a time; each holds states of its own."""
    replay_patience_s: float = 2.0
    """How long a replay waits for its client before it gives its place to another."""
    future_timeout_ms: int = 3_000
    bookmark_every_s: float = 60.0
    last_bookmark_s: float = 2.0
    """How long before the end of a watch its last bookmark is sent."""
