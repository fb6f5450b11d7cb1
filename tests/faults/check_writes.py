"""Writes against the log: the acknowledged is there once, the refused is not, the unknown is there whole or not at all.

A write that comes after another in real time comes after it in the log. A refusal is checked as the read that it is:
at some moment between its beginning and its end things must have been as it says.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.namespace import DEFAULT_NAMESPACE, Namespace
from service.domain.world import Collection, State
from service.eventstore.records import RecordedEvent
from tests.faults.complaint import Complaint
from tests.faults.floors import Floors
from tests.faults.history import History, Outcome, Trace, Write
from tests.faults.truth import Command, Truth
from tests.faults.wish import Key

CLOCK_TOLERANCE_S = 0.005
"""The log's clock is this machine's, read elsewhere."""


def check_writes(truth: Truth, history: History, floors: Floors) -> Iterator[Complaint]:
    sent = {write.request_id for write in history.writes}
    for request_id, commands in truth.by_request.items():
        if request_id not in sent and (request_id or any(not _is_beginning(command) for command in commands)):
            yield Complaint("nothing happens by itself", f"nobody sent {request_id!r}", (commands[0].first,))
    for write in history.writes:
        commands = truth.by_request.get(write.request_id, [])
        yield from _check_presence(write, commands)
        for command in commands:
            yield from _check_command(truth, floors, write, command)
        if write.shown is not None and commands and not _may_end(write, commands[0]):
            yield from _check_answer(truth, write, commands[0])
        if write.outcome is Outcome.REFUSED and write.code:
            yield from _check_refusal(truth, floors, write)


def _may_end(write: Write, command: Command) -> bool:
    """Whether the answer may show what is not there any more."""
    return write.intent.commands_limit > 1 or any(event.type == write.intent.trace.end for event in command.events)


def _is_beginning(command: Command) -> bool:
    """Whether it made the namespace that is always there."""
    return [(event.type, event.aggregate.name) for event in command.events] == [("NamespaceCreated", DEFAULT_NAMESPACE)]


def _check_presence(write: Write, commands: list[Command]) -> Iterator[Complaint]:
    limit = write.intent.commands_limit
    least, most = {
        Outcome.ACKNOWLEDGED: (1 if limit == 1 else 0, limit),
        Outcome.REFUSED: (0, 0),
        Outcome.UNKNOWN: (0, limit),
    }[write.outcome]
    if not least <= len(commands) <= most:
        found = tuple(command.first for command in commands)
        promise = f"a write that was {write.outcome.value} is in the log {least} to {most} times"
        yield Complaint(promise, f"{_told(write)}: {len(found)} commands", found)


def _check_command(truth: Truth, floors: Floors, write: Write, command: Command) -> Iterator[Complaint]:
    if not any(_bears(event, write.intent.trace) for event in command.events):
        what = f"{_told(write)}: no {write.intent.trace}"
        yield Complaint("the log holds what was asked for", what, (command.first,))
    before = floors.of_write(write)
    if command.first <= before:
        what = f"{_told(write)} is at {command.first}, but {before} was known before it was sent"
        yield Complaint("the log has the order of real time", what, (command.first, before))
    recorded_s = command.events[0].recorded_at.timestamp()
    is_early = recorded_s < write.begun.wall_s - CLOCK_TOLERANCE_S
    is_late = write.ended and write.outcome is Outcome.ACKNOWLEDGED and recorded_s > write.ended.wall_s
    if is_early or is_late:
        what = f"{_told(write)}: recorded at {recorded_s}, sent at {write.begun.wall_s}, answered at {write.ended}"
        yield Complaint("a write is recorded between request and answer", what, (command.first,))
    if write.intent.based_on is not None:
        stood = truth.state_at(write.intent.collection, write.intent.key, command.first - 1)
        if stood is None or stood.changed != write.intent.based_on:
            what = f"{_told(write)}: it was decided on {write.intent.based_on}, and met {stood and stood.changed}"
            yield Complaint("no update is lost", what, (command.first, write.intent.based_on))


def _bears(event: RecordedEvent, trace: Trace) -> bool:
    about = event.aggregate
    if trace.namespace not in (about.namespace, about.name) or trace.name not in ("", about.name):
        return False
    return event.type == trace.end or (event.type in trace.types and trace.mark.encode() in event.data)


def _check_answer(truth: Truth, write: Write, command: Command) -> Iterator[Complaint]:
    line, collection = write.shown, write.intent.collection
    assert line is not None
    if collection is Collection.IMAGE_STREAM_TAGS:
        # Answered also where there is no image yet, and so no ImageStreamTag to be listed.
        collection = Collection.IMAGE_TAGS
    changes = [c for c in command.changes if (c.collection, (c.namespace, c.name)) == (collection, write.intent.key)]
    change = next((c for c in changes if c.position == line.version), None)
    if change is None or change.new is None:
        yield Complaint(
            "an answer tells what was written", f"{_told(write)} answered {line}", (command.first,), (line,)
        )
    elif collection is Collection.IMAGE_STREAMS and line.digest != truth.digest(collection, change.new, line.version):
        what = f"{_told(write)} answered another object"
        yield Complaint("an answer tells what was written", what, (command.first,), (line,))


def _check_refusal(truth: Truth, floors: Floors, write: Write) -> Iterator[Complaint]:
    assert write.ended is not None
    first, last = floors.of_write(write), floors.latest(write.ended)
    if write.code == 404:
        found = _absent(truth, write, first, last)
    elif write.reason == "AlreadyExists":
        found = any(truth.states_between(write.intent.collection, write.intent.key, first, last))
    elif write.reason == "Forbidden":
        # Nobody may create in a namespace that is being deleted.
        place = ("", write.intent.key[0])
        states = truth.states_between(Collection.NAMESPACES, place, first, last)
        found = any(isinstance(state, Namespace) and state.is_terminating for state in states)
    elif write.reason == "Conflict":
        found = _overtaken(truth, write, first, last)
    else:
        return
    if not found:
        what = f"{_told(write)}: {write.message!r}, which was not so at any time between {first} and {last}"
        yield Complaint("a refusal is not outdated", what, (first,))


def _absent(truth: Truth, write: Write, first: int, last: int) -> bool:
    namespace, name = write.intent.key
    stream = name.partition(":")[0]
    places: list[tuple[Collection, Key]] = [(write.intent.collection, write.intent.key)]
    if write.intent.collection is not Collection.IMAGES:
        places.append((Collection.IMAGE_STREAMS, (namespace, stream)))
    if write.about not in (name, stream):
        # It is about something that the request only mentions.
        return True
    return any(None in truth.states_between(*place, first, last) for place in places)


def _overtaken(truth: Truth, write: Write, first: int, last: int) -> bool:
    """Whether the object was another than the one the request was based on, or changed meanwhile."""
    intent = write.intent
    states: list[State | None] = truth.states_between(intent.collection, intent.key, first, last)
    if intent.based_on is not None:
        return any(state is None or state.changed != intent.based_on for state in states)
    if intent.collection in (Collection.IMAGE_STREAM_TAGS, Collection.IMAGE_TAGS):
        states = truth.states_between(Collection.IMAGE_TAGS, intent.key, first, last)
    return len(states) > 1


def _told(write: Write) -> str:
    answered = f"{write.code} {write.reason}".strip() if write.code else "no answer"
    return f"{write.intent.action} {write.intent.path} {write.request_id} ({answered})"
