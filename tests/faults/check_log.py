"""The log by itself: dense positions, whole commands, each once, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from uuid import UUID

from service.eventstore.records import RecordedEvent
from tests.faults.complaint import Complaint


def check_log(events: Sequence[RecordedEvent]) -> Iterator[Complaint]:
    for expected, event in enumerate(events, 1):
        if event.position != expected:
            yield Complaint("positions are dense", f"{event.position} stands where {expected} should", (expected,))
            return
    for before, after in pairwise(events):
        if after.recorded_at < before.recorded_at:
            yield Complaint("time never goes back in the log", f"at {after.position}", (after.position,))
    seen: dict[UUID, int] = {}
    for command_id, members in groupby(events, key=lambda event: event.command_id):
        command = list(members)
        yield from _check_command(command)
        if command_id in seen:
            positions = (seen[command_id], command[0].position)
            yield Complaint("a command is appended once", f"{command_id} is there twice", positions)
        seen[command_id] = command[0].position


def _check_command(command: Sequence[RecordedEvent]) -> Iterator[Complaint]:
    span = (command[0].position, command[-1].position)
    if any((event.command_first, event.command_last) != span for event in command):
        yield Complaint("a command is appended whole", f"{span} holds only a part of one", span)
    if len({(event.metadata, event.recorded_at) for event in command}) != 1:
        yield Complaint("a command has one author and one time", f"{span} has several", span)
