"""Ids of commands, and what makes a run of events whole."""

from __future__ import annotations

import time

import msgspec

from service.eventstore.position import ends_command, is_dense
from service.eventstore.records import new_command_id
from tests.unit.eventstore.samples import recorded


def test_command_ids_grow_with_time_and_differ() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_command_id() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == 1000
    assert all(before <= each.int >> 80 <= after for each in ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}


def test_dense_means_the_very_next_ones_in_order() -> None:
    event = recorded("Moved", 1, b"{}")
    five, six, eight = (msgspec.structs.replace(event, position=position) for position in (5, 6, 8))
    assert is_dense(4, [five, six])
    assert is_dense(4, [])
    assert not is_dense(3, [five, six])
    assert not is_dense(5, [five, six])
    assert not is_dense(4, [five, six, eight])
    assert not is_dense(4, [six, five])


def test_a_command_ends_at_its_last_position() -> None:
    event = recorded("Moved", 1, b"{}")
    assert ends_command(event)
    assert not ends_command(msgspec.structs.replace(event, command_last=8))
