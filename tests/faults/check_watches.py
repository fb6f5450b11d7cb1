"""Watches: every connection was told exactly the changes of the fold for its scope, from where it began to where it
ended: none missed, none twice, in order, with the right type and object; and a bookmark closes what is before.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.world import State
from tests.faults.check_lists import difference
from tests.faults.check_reads import texts_agree
from tests.faults.complaint import Complaint, excerpt
from tests.faults.floors import Floors
from tests.faults.history import History, Moment, Session
from tests.faults.lines import Line
from tests.faults.scope_fold import ScopeFold
from tests.faults.truth import Truth
from tests.faults.wish import KINDS, Wish

BOOKMARK, ERROR = "BOOKMARK", "ERROR"


def check_watches(truth: Truth, history: History, floors: Floors, folds: dict[Wish, ScopeFold]) -> Iterator[Complaint]:
    for session in history.sessions:
        fold = folds[session.wish]
        yield from _check_times(session, floors)
        yield from _check_errors(session)
        if session.start is not None:
            told = _Told(truth, session, fold, first_line=0, start=session.start)
            yield from told.complaints()
        elif session.lines:
            yield from _check_with_state(truth, session, fold, floors)


def _check_times(session: Session, floors: Floors) -> Iterator[Complaint]:
    checked = 0
    for count, wall_s in session.arrivals:
        latest = floors.latest(Moment(0, wall_s))
        for index in range(checked, count):
            if session.lines[index].version > latest:
                what = f"{session.lines[index]} came before it was recorded; {excerpt(session, index)}"
                yield Complaint("nobody is told before it has happened", what, (session.lines[index].version,))
                return
        checked = count


def _check_errors(session: Session) -> Iterator[Complaint]:
    for index, line in enumerate(session.lines):
        if line.type == ERROR:
            what = f"a watch ended with an error; {excerpt(session, index)}"
            yield Complaint("a watch may begin at any position that ever was", what, (), (line,))


class _Told:
    """The events of a session from one line on, against the changes after a position."""

    def __init__(self, truth: Truth, session: Session, fold: ScopeFold, *, first_line: int, start: int) -> None:
        self._truth = truth
        self._session = session
        self._fold = fold
        self._line = first_line
        self._next = fold.index_at(start)
        self._known = start

    def complaints(self) -> Iterator[Complaint]:
        """The first thing that is wrong, if anything is: what follows it follows from it."""
        for line in self._session.lines[self._line :]:
            if line.type == ERROR:
                return
            wrong = self._bookmark(line) if line.type == BOOKMARK else self._event(line)
            if wrong is not None:
                yield wrong
                return
            self._known = line.version
            self._line += 1
        if self._session.end == "stayed" and self._due is not None:
            yield self._wrong("a watch misses nothing", f"{self._due} never came")

    @property
    def _due(self) -> int | None:
        """The position of the next change that is due."""
        return self._fold.positions[self._next] if self._next < len(self._fold.positions) else None

    def _bookmark(self, line: Line) -> Complaint | None:
        if not self._session.bookmarks:
            return self._wrong("bookmarks come to those who ask for them", f"{line}", line)
        if line.version < self._known:
            return self._wrong("positions grow", f"a bookmark at {line.version} after {self._known}", line)
        if self._due is not None and self._due <= line.version:
            what = f"a bookmark at {line.version} while {self._due} was not told"
            return self._wrong("nothing up to a bookmark follows it", what, line)
        return None

    def _event(self, line: Line) -> Complaint | None:
        if line.version <= self._known:
            return self._wrong("positions grow", f"{line} after {self._known}", line)
        if self._due is None or line.version < self._due:
            return self._wrong("a watch tells only what happened to its scope", f"{line}; due was {self._due}", line)
        if line.version > self._due:
            return self._wrong("a watch misses nothing", f"{line} while {self._due} was not told", line)
        change = self._fold.changes[self._next]
        self._next += 1
        if (line.type, (line.namespace, line.name)) != (change.type, change.key):
            return self._wrong("a watch tells what happened", f"{line}, not {change.type} of {change.key}", line)
        collection = self._session.wish.collection
        digest = self._truth.digest(collection, change.state, line.version)
        if line.kind != KINDS[collection] or line.digest != digest or not texts_agree(line, change.state):
            return self._wrong("a watch shows the object as it was", f"{line} shows another", line)
        return None

    def _wrong(self, promise: str, what: str, line: Line | None = None) -> Complaint:
        positions = [position for position in (line and line.version, self._due) if position]
        what = f"{what}; {excerpt(self._session, self._line)}"
        return Complaint(promise, what, tuple(positions), (line,) if line else ())


def _check_with_state(truth: Truth, session: Session, fold: ScopeFold, floors: Floors) -> Iterator[Complaint]:
    """A session that began with the state: of the bookmark that ends it, or else of any position that explains it."""
    end = next((index for index, line in enumerate(session.lines) if line.ends_initial), None)
    if end is not None:
        position = session.lines[end].version
        if position < floors.of(session):
            what = f"the state at {position}, and {floors.of(session)} was known; {excerpt(session, end)}"
            yield Complaint("a list begun after an acknowledged write is not older", what, (floors.of(session),))
        wrong = _state_difference(
            truth, session, session.lines[:end], fold.states(fold.index_at(position)), position, position
        )
        if wrong is not None:
            what = f"the state at {position}: {wrong[0]}; {excerpt(session, end)}"
            yield Complaint("a watch begins with the fold", what, wrong[1], wrong[2])
        yield from _Told(truth, session, fold, first_line=end + 1, start=position).complaints()
        return
    latest = floors.latest(Moment(0, session.arrivals[0][1]))
    last = fold.index_at(latest)
    first = fold.index_at(max(floors.of(session), 0))
    for index in range(last, first - 1, -1):
        if _explains(truth, session, fold, index, latest):
            return
    what = f"no state from {floors.of(session)} on explains how it began; {excerpt(session, 0)}"
    yield Complaint("a watch begins with the fold", what, (session.lines[0].version,), (session.lines[0],))


def _explains(truth: Truth, session: Session, fold: ScopeFold, index: int, latest: int) -> bool:
    """Whether all that was told is the state after so many changes, or its beginning, and then the changes after it."""
    states = fold.states(index)
    initial = session.lines[: len(states)]
    start = fold.positions[index - 1] if index else 0
    if _state_difference(truth, session, initial, states[: len(initial)], start, latest):
        return False
    return not list(_Told(truth, session, fold, first_line=len(states), start=start).complaints())


def _state_difference(
    truth: Truth, session: Session, initial: list[Line], states: list[State], first: int, last: int
) -> tuple[str, tuple[int, ...], tuple[Line, ...]] | None:
    odd = next((line for line in initial if line.type != "ADDED"), None)
    if odd is not None:
        return f"{odd} is no part of a state", (odd.version,), (odd,)
    return difference(truth, session.wish, initial, states, first, last)
