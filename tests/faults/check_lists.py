"""Lists: at their position they equal the fold of all events up to it, in order, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.world import State
from tests.faults.check_reads import texts_agree
from tests.faults.complaint import Complaint
from tests.faults.floors import Floors
from tests.faults.history import History, List
from tests.faults.lines import Line
from tests.faults.scope_fold import ScopeFold
from tests.faults.truth import Truth
from tests.faults.wish import Wish, key_of


def check_lists(truth: Truth, history: History, floors: Floors, folds: dict[Wish, ScopeFold]) -> Iterator[Complaint]:
    for listed in history.lists:
        yield from _check_position(listed, floors)
        yield from _check_pages(truth, listed, folds[listed.wish])


def _check_position(listed: List, floors: Floors) -> Iterator[Complaint]:
    page = listed.pages[0]
    floor, latest = floors.of(listed), floors.latest(page.ended)
    if page.position < floor:
        what = f"list of {listed.wish} is at {page.position}, and {floor} was known before it was asked for"
        yield Complaint("a list begun after an acknowledged write is not older", what, (floor,))
    if page.position > latest:
        what = f"list of {listed.wish} is at {page.position}, which was recorded after the answer"
        yield Complaint("a read does not see the future", what, (page.position,))
    if listed.exact is not None and page.position != listed.exact:
        what = f"list of {listed.wish} is at {page.position}, not exactly at {listed.exact}"
        yield Complaint("a list is at the position it was asked for", what, (listed.exact,))
    if any(other.position != page.position for other in listed.pages):
        what = f"list of {listed.wish} has pages at {[page.position for page in listed.pages]}"
        yield Complaint("a list in pages is one snapshot", what, (page.position,))


def _check_pages(truth: Truth, listed: List, fold: ScopeFold) -> Iterator[Complaint]:
    position, shown = listed.pages[0].position, 0
    due = fold.states(fold.index_at(position))
    for number, page in enumerate(listed.pages, 1):
        about = f"page {number} of the list of {listed.wish} at {position} ({listed.exact=}, {listed.limit=})"
        expected = due[shown : shown + listed.limit] if listed.limit else due
        wrong = difference(truth, listed.wish, page.lines, expected, position, position)
        if wrong is not None:
            yield Complaint("a list equals the fold", f"{about}: {wrong[0]}", wrong[1], wrong[2])
            return
        shown += len(page.lines)
        if not page.more and shown != len(due):
            yield Complaint("a list equals the fold", f"{about} ends after {shown} of {len(due)}", (position,))
        if page.more and len(page.lines) != listed.limit:
            yield Complaint("a page is full unless it is the last", f"{about} has {len(page.lines)}", (position,))
        if page.remaining is not None and page.remaining != len(due) - shown:
            what = f"{about} leaves {len(due) - shown}, and says {page.remaining}"
            yield Complaint("a page tells how many remain", what, (position,))


def difference(
    truth: Truth, wish: Wish, lines: list[Line], states: list[State], first: int, last: int
) -> tuple[str, tuple[int, ...], tuple[Line, ...]] | None:
    """How objects that were told differ from the states they should be; with positions and lines to look at.

    They were read at a position from `first` to `last`.
    """
    for line, state in zip(lines, states, strict=False):
        if (line.namespace, line.name) != key_of(state):
            return f"{line} where {key_of(state)} at {state.changed} should be", (line.version, state.changed), (line,)
        if line.version != state.changed:
            return f"{line} should be at {state.changed}", (line.version, state.changed), (line,)
        due = (truth.digest(wish.collection, form, form.changed) for form in truth.forms(state, first, last))
        if line.digest not in due or not texts_agree(line, state):
            return f"{line} is not what it was then", (line.version,), (line,)
    if len(lines) > len(states):
        line = lines[len(states)]
        return f"{line} is not in it", (line.version,), (line,)
    if len(lines) < len(states):
        state = states[len(lines)]
        return f"{key_of(state)} at {state.changed} is missing", (state.changed,), ()
    return None
