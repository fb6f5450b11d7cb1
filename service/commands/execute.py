"""Carry out an intention: load the state, decide, append, and answer with the state that came of it.

This is the only retry loop over the log. A decision is made on whatever state is at hand; the guards it names make the
append fail if anything it rests on changed since. What needs no append (a refusal, a write that changes nothing, a dry
run) is final only on a state as new as the log's head at the time of the request: no refusal is an outdated one.
Keeps: a command's id is stored with its events; an unknown outcome is looked up by the appender, never retried here.
Elsewhere: what is decided (`domain/`), group commit and unknown outcomes (`eventstore/appender.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from service.commands.implied_namespaces import NamespaceDecision, implied, namespace_aggregate
from service.domain.draft import Draft
from service.domain.errors import GroupResource, RetryLater, TagHistoryError
from service.domain.events import TAG_LOCAL, DomainEvent, ImageEvent
from service.domain.image import ImageState
from service.domain.image import apply as apply_to_image
from service.domain.imagestream import ImageStream
from service.domain.namespace import Namespace
from service.domain.namespace import apply as apply_to_namespace
from service.domain.world import IMAGE, IMAGE_STREAM, Happened, World
from service.eventstore.appender import Appender, CommandConflict
from service.eventstore.codec import Codec
from service.eventstore.records import Aggregate, Appended, Command, Guard, Metadata, NewEvent, Payload, new_command_id
from service.merge.errors import MergeError

TRIES = 10


class State(Protocol):
    """The current states, true up to `position`."""

    @property
    def position(self) -> int: ...

    def stream(self, namespace: str, name: str) -> ImageStream | None: ...

    def image(self, name: str) -> ImageState | None: ...

    def namespace(self, name: str) -> Namespace | None: ...

    def stream_names(self, namespace: str) -> list[str]:
        """The image streams of a namespace, in order."""

    def stream_count(self, namespace: str) -> int: ...

    async def fresh(self) -> None:
        """Wait until the state is as new as the log's head at the time of this call."""

    async def wait_for(self, position: int) -> None:
        """Wait until the state includes this position."""


class ImageDecision(msgspec.Struct, frozen=True):
    name: str
    before: ImageState | None
    event: ImageEvent


class Decision(msgspec.Struct, frozen=True):
    """What is to be appended: the events of namespaces and images first, then those of the streams."""

    guards: tuple[Guard, ...] = ()
    namespaces: tuple[NamespaceDecision, ...] = ()
    images: tuple[ImageDecision, ...] = ()
    drafts: tuple[Draft, ...] = ()
    payloads: tuple[Payload, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.namespaces and not self.images and not any(draft.events for draft in self.drafts)


class Intention(Protocol):
    """A command: the resource and verb a client named, and the decision."""

    @property
    def resource(self) -> GroupResource: ...

    @property
    def verb(self) -> str: ...

    def decide(self, state: State) -> Decision:
        """What to append. Raises a TagHistoryError, or a patch's MergeError, to refuse."""

    def overtaken(self, state: State) -> None:
        """Called after somebody else changed what the decision rested on; may raise to give up."""


class Executor:
    def __init__(self, state: State, appender: Appender, codec: Codec[DomainEvent]) -> None:
        self._state = state
        self._appender = appender
        self._codec = codec

    async def execute(self, intention: Intention, metadata: Metadata, *, dry_run: bool = False) -> World:
        """The aggregates the command was about, as they are after it.

        Raises what the intention refuses with, RetryLater after TRIES lost races, and the appender's errors.
        """
        outcome = await self._carry_out(intention, metadata, dry_run)
        return outcome()

    async def perform(self, intention: Intention, metadata: Metadata, *, dry_run: bool = False) -> None:
        """The same for whoever does not ask what came of it, as a push does not. Raises the same."""
        await self._carry_out(intention, metadata, dry_run)

    async def _carry_out(self, intention: Intention, metadata: Metadata, dry_run: bool) -> Callable[[], World]:
        """How to tell what came of it."""
        fresh = False
        for _ in range(TRIES):
            decided_at = self._state.position
            decision, refusal = self._decide(intention)
            if decision is None or decision.is_empty or dry_run:
                if not fresh:
                    await self._state.fresh()
                    fresh = True
                    if self._state.position != decided_at:
                        continue
                if decision is None:
                    raise refusal if refusal else AssertionError("neither decision nor refusal")
                return partial(_drafted, decision)
            events = _happenings(decision)
            command = self._command(decision, events, decided_at, metadata)
            try:
                appended = await self._appender.append(command)
            except CommandConflict as conflict:
                await self._state.wait_for(conflict.position)
                if fresh:
                    intention.overtaken(self._state)
                else:
                    # The decision may have been older than the request, which was then overtaken by nobody.
                    await self._state.fresh()
                    fresh = True
                continue
            return partial(_folded, decision, events, appended)
        raise RetryLater(intention.resource, intention.verb)

    def _decide(self, intention: Intention) -> tuple[Decision | None, TagHistoryError | MergeError | None]:
        try:
            return _with_namespaces(intention.decide(self._state), self._state), None
        except (TagHistoryError, MergeError) as refusal:
            return None, refusal

    def _command(
        self, decision: Decision, events: list[tuple[Aggregate, DomainEvent]], decided_at: int, metadata: Metadata
    ) -> Command:
        return Command(
            id=new_command_id(),
            decided_at=decided_at,
            guards=decision.guards,
            events=tuple(self._new_event(aggregate, event) for aggregate, event in events),
            payloads=decision.payloads,
            metadata=metadata,
        )

    def _new_event(self, aggregate: Aggregate, event: DomainEvent) -> NewEvent:
        type_name, schema_version, data = self._codec.encode(event)
        tag = event.tag if isinstance(event, TAG_LOCAL) else None
        return NewEvent(type_name, schema_version, aggregate, tag, data)


def _with_namespaces(decision: Decision, state: State) -> Decision:
    """The decision with what it means for the namespaces of its streams."""
    namespaces, guards = implied(decision.drafts, state)
    if not namespaces and not guards:
        return decision
    return msgspec.structs.replace(
        decision, guards=(*decision.guards, *guards), namespaces=(*decision.namespaces, *namespaces)
    )


def stream_aggregate(namespace: str, name: str) -> Aggregate:
    return Aggregate(IMAGE_STREAM, namespace, name)


def image_aggregate(name: str) -> Aggregate:
    return Aggregate(IMAGE, "", name)


def _happenings(decision: Decision) -> list[tuple[Aggregate, DomainEvent]]:
    events: list[tuple[Aggregate, DomainEvent]] = [(namespace_aggregate(d.name), d.event) for d in decision.namespaces]
    events += [(image_aggregate(d.name), d.event) for d in decision.images]
    for draft in decision.drafts:
        aggregate = stream_aggregate(draft.namespace, draft.name)
        events.extend((aggregate, event) for event in draft.events)
    return events


def _before(decision: Decision) -> World:
    world = World()
    for namespace in decision.namespaces:
        if namespace.before is not None:
            world.namespaces[namespace.name] = namespace.before
    for image in decision.images:
        if image.before is not None:
            world.images[image.name] = image.before
    for draft in decision.drafts:
        if draft.before is not None:
            world.streams[draft.namespace, draft.name] = draft.before
    return world


def _folded(decision: Decision, events: list[tuple[Aggregate, DomainEvent]], appended: Appended) -> World:
    """The states after the append, with the positions the log gave."""
    world = _before(decision)
    world.apply(
        Happened(appended.first + i, aggregate.kind, aggregate.namespace, aggregate.name, event)
        for i, (aggregate, event) in enumerate(events)
    )
    return world


def _drafted(decision: Decision) -> World:
    """The states as decided, with the resourceVersions they had before: nothing was appended."""
    world = _before(decision)
    for namespace in decision.namespaces:
        position = namespace.before.changed if namespace.before else 0
        drafted = apply_to_namespace(namespace.before, namespace.name, namespace.event, position)
        if drafted is None:
            world.namespaces.pop(namespace.name, None)
        else:
            world.namespaces[namespace.name] = drafted
    for image in decision.images:
        position = image.before.changed if image.before else 0
        after = apply_to_image(image.before, image.name, image.event, position)
        if after is None:
            world.images.pop(image.name, None)
        else:
            world.images[image.name] = after
    for draft in decision.drafts:
        if draft.stream is None:
            world.streams.pop((draft.namespace, draft.name), None)
        else:
            world.streams[draft.namespace, draft.name] = draft.stream
    return world
