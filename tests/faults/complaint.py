"""A broken promise, in a form from which somebody can begin to look for the cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from service.eventstore.records import RecordedEvent
from tests.faults.history import Session
from tests.faults.lines import Line, Lines

AROUND = 4
TEXT_LIMIT_CHARACTERS = 600


class Complaint(msgspec.Struct, frozen=True):
    promise: str
    """Which of the promises, in a few words."""
    what: str
    """Who was told what, and what it should have been."""
    positions: tuple[int, ...] = ()
    """Of the events to look at."""
    lines: tuple[Line, ...] = ()

    def tell(self, events: Sequence[RecordedEvent], lines: Lines) -> str:
        told = [f"BROKEN: {self.promise}", f"  {self.what}"]
        told += [f"  told: {lines.text(line)[:TEXT_LIMIT_CHARACTERS]}" for line in self.lines]
        for position in dict.fromkeys(self.positions):
            told += [f"  events around {position}:", *around(events, position)]
        return "\n".join(told)


def around(events: Sequence[RecordedEvent], position: int) -> Iterable[str]:
    for event in events[max(0, position - 1 - AROUND) : position + AROUND]:
        about = f"{event.aggregate.namespace}/{event.aggregate.name}"
        yield (
            f"   {'>' if event.position == position else ' '}{event.position} {event.recorded_at:%H:%M:%S.%f}"
            f" [{event.command_first}..{event.command_last}] {event.type} {about} {event.data.decode()[:140]}"
        )


def excerpt(session: Session, index: int) -> str:
    """What one connection was told around its line with this number."""
    start = "the state" if session.start is None else str(session.start)
    shown = ", ".join(
        f"{line.type}@{line.version} {line.name}" for line in session.lines[max(0, index - 3) : index + 3]
    )
    return f"{session.watcher} of {session.wish} from {start} ({session.end}): … {shown} …"
