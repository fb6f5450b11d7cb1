"""The buffer of a follower hands out whole commands that are next, and keeps to its limits."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bus import event_buffer
from service.bus.event_buffer import EventBuffer
from service.eventstore.records import RecordedEvent
from tests.unit.eventstore.samples import recorded


def log_of(*sizes: int) -> list[RecordedEvent]:
    """A log of commands of these sizes."""
    event = recorded("TagImaged", 1, b"{}")
    events: list[RecordedEvent] = []
    for size in sizes:
        first, last = len(events) + 1, len(events) + size
        events += [
            msgspec.structs.replace(event, position=position, command_first=first, command_last=last)
            for position in range(first, last + 1)
        ]
    return events


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_what_comes_out_is_the_log(sizes: list[int], random: Random) -> None:
    log = log_of(*sizes)
    arrivals = [*log, *log]
    random.shuffle(arrivals)
    buffer, taken = EventBuffer(), []
    for event in arrivals:
        if event.position > len(taken):
            buffer.add(event)
        batch = buffer.take(len(taken))
        assert not batch or batch[-1].position == batch[-1].command_last
        taken += batch
    assert taken == log
    assert len(buffer) == 0


def test_nothing_comes_out_before_its_turn_or_by_halves() -> None:
    one, two, three, four = log_of(1, 2, 1)
    buffer = EventBuffer()
    buffer.add(two)
    buffer.add(four)
    assert buffer.take(0) == []
    buffer.add(one)
    assert buffer.take(0) == [one]
    assert buffer.take(1) == []
    buffer.add(three)
    assert buffer.take(1) == [two, three, four]


def test_a_full_buffer_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "LIMIT_EVENTS", 3)
    buffer, log = EventBuffer(), log_of(1, 1, 1, 1, 1)
    for event in log:
        buffer.add(event)
    assert buffer.take(0) == log[:3]
    buffer.add(log[3])
    assert buffer.take(3) == log[3:4]


def test_bytes_are_counted_in_and_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "LIMIT_BYTES", 1)
    buffer, log = EventBuffer(), log_of(1, 1, 1)
    buffer.add(log[0])
    buffer.add(log[1])
    assert 2 not in buffer
    buffer.forget(log)
    buffer.add(log[1])
    assert buffer.take(1) == [log[1]]


def test_batches_are_bounded_but_a_command_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "BATCH_LIMIT_EVENTS", 4)
    buffer, log = EventBuffer(), log_of(3, 3, 1)
    for event in log:
        buffer.add(event)
    assert [len(buffer.take(after)) for after in (0, 6)] == [6, 1]
