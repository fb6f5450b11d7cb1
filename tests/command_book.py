"""A log and its fold in memory, for commands that the real intentions decide.

`Book` decides a command, encodes and decodes its events as a database would, and folds them. A refused command leaves
no trace. Tests look at `Written`: what was before, what was appended. Elsewhere: what clients may want
(`random_commands.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from service.commands.execute import Decision, Intention
from service.commands.implied_namespaces import implied
from service.domain.errors import TagHistoryError
from service.domain.events import EVENT_TYPES, DomainEvent
from service.domain.image import ImageState
from service.domain.imagestream import ImageStream
from service.domain.namespace import Namespace
from service.domain.world import IMAGE, IMAGE_STREAM, NAMESPACE, Happened, World
from service.eventstore.codec import Codec

CODEC: Codec[DomainEvent] = Codec(EVENT_TYPES)

Fact = tuple[str, str, str, DomainEvent]
"""Kind, namespace and name of the aggregate, and what happened to it."""


class Written(NamedTuple):
    """One command that was not refused."""

    intention: Intention
    decision: Decision
    facts: tuple[Fact, ...]
    before: dict[tuple[str, str], ImageStream]


class Book:
    """All that happened, and what is so now."""

    def __init__(self) -> None:
        self.world = World()
        self.commands: list[tuple[Fact, ...]] = []

    @property
    def position(self) -> int:
        return sum(map(len, self.commands))

    def stream(self, namespace: str, name: str) -> ImageStream | None:
        return self.world.streams.get((namespace, name))

    def image(self, name: str) -> ImageState | None:
        return self.world.images.get(name)

    def namespace(self, name: str) -> Namespace | None:
        return self.world.namespaces.get(name)

    def stream_names(self, namespace: str) -> list[str]:
        return sorted(name for place, name in self.world.streams if place == namespace)

    def stream_count(self, namespace: str) -> int:
        return len(self.stream_names(namespace))

    async def fresh(self) -> None:
        """It always is."""

    async def wait_for(self, position: int) -> None:
        """It is there."""

    def write(self, intention: Intention) -> Written | None:
        """None if it is refused."""
        before = dict(self.world.streams)
        try:
            decision = intention.decide(self)
            namespaces, _ = implied(decision.drafts, self)
        except TagHistoryError:
            return None
        facts: list[Fact] = [(NAMESPACE, "", each.name, each.event) for each in namespaces]
        facts += [(IMAGE, "", image.name, image.event) for image in decision.images]
        for draft in decision.drafts:
            facts += [(IMAGE_STREAM, draft.namespace, draft.name, event) for event in draft.events]
        stored = tuple((*fact[:3], stored_and_read(fact[3])) for fact in facts)
        self.world.apply(happened(stored, self.position))
        if stored:
            self.commands.append(stored)
        return Written(intention, decision, stored, before)


def replayed(book: Book) -> World:
    """The fold of everything, from nothing."""
    world, position = World(), 0
    for facts in book.commands:
        world.apply(happened(facts, position))
        position += len(facts)
    return world


def happened(facts: tuple[Fact, ...], after: int) -> list[Happened]:
    return [Happened(position, *fact) for position, fact in enumerate(facts, after + 1)]


def stored_and_read(event: DomainEvent) -> DomainEvent:
    type_name, _, data = CODEC.encode(event)
    return msgspec.json.decode(data, type=EVENT_TYPES[type_name])
