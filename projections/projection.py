"""The shape of a projection: which events it reads, which tables it writes, how commands become rows.

Keeps: what a projection writes depends on the log and on its own tables as of its checkpoint, so any process may go
on where another one stopped. A command is folded whole or not at all.
Elsewhere: who runs it and moves its checkpoint (`runner.py`, `advance.py`), how it is rebuilt (`rebuild.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar, NamedTuple

from asyncpg import Connection

from service.domain.events import DomainEvent
from service.eventstore.codec import Codec, UndecodableEvent
from service.eventstore.records import RecordedEvent


class Happening(NamedTuple):
    """One event that a projection reads, and the aggregate it happened to."""

    position: int
    namespace: str
    name: str
    event: DomainEvent


class Command(NamedTuple):
    """What one command did, as far as a projection reads it."""

    first: int
    last: int
    """Positions of the command's first and last event, whether the projection reads them or not."""
    events: list[Happening]


class PoisonedEvent(Exception):
    """An event that this program cannot fold. Everything up to `before` can be."""

    def __init__(self, before: int, why: str) -> None:
        super().__init__(f"stopped at position {before}: {why}")
        self.before = before


class Projection(ABC):
    """One fold of the log. An instance belongs to one runner and remembers states of what it folded lately."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Of what the rows mean. A change of it asks for a rebuild."""
    kind: ClassVar[str]
    """Of the aggregates whose events it reads."""
    views: ClassVar[tuple[str, ...]]
    """What readers find in its tables; each is also a name for the projection itself."""
    tables: ClassVar[tuple[str, ...]]

    async def apply(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Load what the commands need, and fold them. `write` must follow, or `forget`. Raises PoisonedEvent."""
        await self.load(connection, commands)
        for command in commands:
            try:
                self.fold(command)
            except Exception as error:  # whatever a fold raises about an event, it cannot be folded
                raise PoisonedEvent(command.first - 1, f"{type(error).__name__}: {error}") from error

    @abstractmethod
    async def load(self, connection: Connection, commands: Sequence[Command]) -> None:
        """Bring the states that the commands need into memory, as of the checkpoint."""

    @abstractmethod
    def fold(self, command: Command) -> None:
        """Change the states, and note the rows that come of it. Raises UnfoldableEventError."""

    @abstractmethod
    async def write(self, connection: Connection) -> None:
        """Write the rows noted since the last time, within the caller's transaction."""

    @abstractmethod
    def forget(self) -> None:
        """Drop states and rows: they were not written, or somebody else has written."""


def read_commands(
    events: Iterable[RecordedEvent], codec: Codec[DomainEvent], kind: str, after: int = 0
) -> Iterator[Command]:
    """The commands behind a position that have events of a kind, decoded. Raises PoisonedEvent when it gets there."""
    for (first, last), members in groupby(events, key=lambda event: (event.command_first, event.command_last)):
        if last <= after:
            continue
        try:
            happened = [
                Happening(e.position, e.aggregate.namespace, e.aggregate.name, codec.decode(e))
                for e in members
                if e.aggregate.kind == kind
            ]
        except UndecodableEvent as error:
            raise PoisonedEvent(first - 1, str(error)) from error
        if happened:
            yield Command(first, last, happened)
