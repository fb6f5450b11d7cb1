"""Positions: why no reader can skip an event, and what follows from it.

A position is given out under a lock that is held until its transaction has committed: every append locks the one row
of `log_head` first, takes the positions after the newest event, and inserts. So positions are dense (1, 2, 3, …), and
an event becomes visible only after every event before it has. Whoever sees n can fetch every m < n, and whoever has
read up to n misses nothing by asking for what is after n. Not done here, each for a reason:

- A sequence (or identity column) gives out positions before commit: a lower one may commit after a higher one was read.
- Waiting at holes in such a sequence: a hole left by a rollback never fills, so a reader must guess when to pass on.
- A high-water mark from transaction ids (xmin): one forgotten transaction anywhere in the cluster stops every reader.
- A lock on the table or an advisory lock does the same as the row, but shuts out VACUUM, or is invisible in the schema.

The price is one appending transaction at a time, which is why `appender.py` puts many commands into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from service.eventstore.records import RecordedEvent

BEFORE_FIRST: Final = 0
"""The position of a reader that has read nothing."""

HEAD_CHANNEL: Final = "taghistory_log"
"""PostgreSQL notifies this channel of each new head. It is a hint: it may be late, repeated, or lost."""


def is_dense(after: int, events: Sequence[RecordedEvent]) -> bool:
    """Whether the events are exactly the next ones of a reader that has read up to `after`."""
    return all(event.position == position for position, event in enumerate(events, after + 1))


def ends_command(event: RecordedEvent) -> bool:
    """Whether a reader may stop after this event without having seen half a command."""
    return event.position == event.command_last
