"""Which position a request must know of: everything that anybody was told of, or had acknowledged, before it began."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from tests.faults.history import Get, History, List, Moment, Outcome, Session, Write
from tests.faults.truth import Truth


class Floors:
    def __init__(self, truth: Truth, history: History) -> None:
        self._truth = truth
        acknowledged = sorted(
            (write.ended.tick, max(command.last for command in truth.by_request[write.request_id]))
            for write in history.writes
            if write.outcome is Outcome.ACKNOWLEDGED and write.ended and write.request_id in truth.by_request
        )
        self._ticks = [tick for tick, _ in acknowledged]
        self._positions = list(accumulate((position for _, position in acknowledged), max))

    def of(self, record: Get | List | Session) -> int:
        """What an answer must not be older than."""
        return max(record.floor, self._acknowledged_before(record.begun)) if record.is_current else record.floor

    def of_write(self, write: Write) -> int:
        """What came before the write in real time, and so must in the log; its refusal must know of it too."""
        return max(write.floor, self._acknowledged_before(write.begun))

    def latest(self, moment: Moment) -> int:
        """The newest position that can have been known at that time."""
        return self._truth.latest_at(moment.wall_s)

    def _acknowledged_before(self, moment: Moment) -> int:
        index = bisect_left(self._ticks, moment.tick)
        return self._positions[index - 1] if index else 0
