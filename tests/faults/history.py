"""What the clients of a run did and were told: plain records, in the order in which it happened to the driver.

Keeps: a record says when it began and ended by ticks of one counter, so "begun after" is certain, and by the wall
clock, which is the log's own on this machine. `floor` is the newest position that anybody knew of when it began.
Elsewhere: who does it (`writers.py`, `watchers.py`, `readers.py`), what it must have been (`truth.py`, `check_*.py`).
"""

from __future__ import annotations

import enum
import itertools
import time
from typing import NamedTuple

import msgspec

from service.domain.world import Collection
from tests.faults.lines import Line, Lines
from tests.faults.wish import Key, Wish


class Moment(NamedTuple):
    tick: int
    wall_s: float


class Outcome(enum.Enum):
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Trace(msgspec.Struct, frozen=True):
    """The event that a write, if it happened, must have left in each of its commands."""

    types: tuple[str, ...]
    """One of these."""
    namespace: str
    name: str
    """"": any"""
    mark: str
    """Something that its data holds."""
    end: str = ""
    """An event that may stand instead: the write has ended the object, which only waited for that."""


class Intent(msgspec.Struct):
    """One request that would change something."""

    action: str
    method: str
    path: str
    collection: Collection
    key: Key
    """What it is about, as the collection names it."""
    trace: Trace
    body: bytes = b""
    based_on: int | None = None
    """The resourceVersion it depends on."""
    commands_limit: int = 1
    """How many commands it may become."""


class Write(msgspec.Struct):
    request_id: str
    intent: Intent
    begun: Moment
    floor: int
    ended: Moment | None = None
    code: int = 0
    """0: the connection was lost"""
    reason: str = ""
    message: str = ""
    about: str = ""
    """What a refusal is about: the name in its details."""
    shown: Line | None = None
    """The object that was answered."""
    was_sent: bool = True

    @property
    def outcome(self) -> Outcome:
        if 200 <= self.code < 300:
            return Outcome.ACKNOWLEDGED
        if not self.was_sent or 400 <= self.code < 500 or self.reason == "ServerTimeout":
            return Outcome.REFUSED
        if self.code == 503 and "nothing was changed" in self.message:
            return Outcome.REFUSED
        return Outcome.UNKNOWN


class Get(msgspec.Struct, frozen=True):
    collection: Collection
    key: Key
    floor: int
    """Of what the answer must not be older than."""
    is_current: bool
    """It asked for the present, which includes all that was acknowledged before."""
    begun: Moment
    ended: Moment
    shown: Line | None
    """None: there is no such object."""


class Page(msgspec.Struct, frozen=True):
    position: int
    lines: list[Line]
    remaining: int | None
    more: bool
    ended: Moment


class List(msgspec.Struct):
    wish: Wish
    floor: int
    is_current: bool
    begun: Moment
    exact: int | None = None
    limit: int = 0
    pages: list[Page] = []


class Session(msgspec.Struct):
    """One connection of one watcher."""

    watcher: str
    wish: Wish
    start: int | None
    """The position it resumed from; None: it began with the state."""
    floor: int
    """Of what the initial state must not be older than."""
    is_current: bool
    begun: Moment
    bookmarks: bool = False
    lines: list[Line] = []
    arrivals: list[tuple[int, float]] = []
    """How many lines had arrived at which wall time."""
    known: int | None = None
    """The position up to which it was told everything; None: that cannot be said, as its initial state has no end."""
    end: str = ""

    def take_down(self, line: Line) -> None:
        self.lines.append(line)
        if self.known is not None or line.ends_initial:
            self.known = max(self.known or 0, line.version)


class Trouble(NamedTuple):
    """An answer that was none, or a connection that was lost."""

    what: str
    code: int
    reason: str
    message: str
    retry_after_s: float | None
    begun: Moment
    ended: Moment


class Fault(msgspec.Struct):
    kind: str
    target: str
    begun: Moment
    healed: Moment | None = None
    """When everything was seen to work again."""


class History:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.seen = 0
        """The newest position that anybody was told of."""
        self.writes: list[Write] = []
        self.gets: list[Get] = []
        self.lists: list[List] = []
        self.sessions: list[Session] = []
        self.troubles: list[Trouble] = []
        self.faults: list[Fault] = []
        self.images: list[str] = []
        """Digests that were pushed, the newest last."""
        self._ticks = itertools.count(1)

    def now(self) -> Moment:
        return Moment(next(self._ticks), time.time())

    def saw(self, position: int) -> None:
        self.seen = max(self.seen, position)
