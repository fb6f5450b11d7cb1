"""The checker notices: every way of breaking a promise that is known to us, put into a history that was right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from tests.faults.check_log import check_log
from tests.faults.history import Moment, Page, Session
from tests.faults.lines import Lines
from tests.faults.rehearsal import Rehearsal, told_something
from tests.faults.run import compare
from tests.faults.truth import Truth

SEED = 5

Mutant = Callable[[Rehearsal], None]


def broken_promises(rehearsal: Rehearsal) -> set[str]:
    return {complaint.promise for complaint in compare(Truth(rehearsal.events), rehearsal.history)}


@contextmanager
def rehearsed(folder: Path, seed: int = SEED) -> Iterator[Rehearsal]:
    with closing(Lines(folder / "lines.spool")) as lines:
        yield Rehearsal(lines, seed)


@pytest.mark.parametrize("seed", range(4))
def test_a_history_that_is_right_gives_no_cause_for_complaint(tmp_path: Path, seed: int) -> None:
    with rehearsed(tmp_path, seed) as rehearsal:
        assert not list(check_log(rehearsal.events))
        assert not broken_promises(rehearsal)


def cut(session: Session, lines: slice) -> None:
    """As if these had never arrived."""
    del session.lines[lines]
    session.arrivals = [(len(session.lines), session.arrivals[-1][1])]


def skip_at_a_gap(rehearsal: Rehearsal) -> None:
    """A batch was lost on its way, and the next one taken for what follows."""
    cut(told_something(rehearsal), slice(2, 4))


def drop_on_a_full_queue(rehearsal: Rehearsal) -> None:
    """The newest found no room, and nobody came back for it."""
    cut(told_something(rehearsal), slice(-1, None))


def resume_one_too_late(rehearsal: Rehearsal) -> None:
    cut(told_something(rehearsal), slice(0, 1))


def resume_one_too_early(rehearsal: Rehearsal) -> None:
    """The event that the client named as the last it had is told once more."""
    session = told_something(rehearsal)
    session.start = session.lines[0].version


def deliver_twice(rehearsal: Rehearsal) -> None:
    session = told_something(rehearsal)
    session.lines.insert(2, session.lines[1])


def deliver_out_of_order(rehearsal: Rehearsal) -> None:
    session = told_something(rehearsal)
    session.lines[1:3] = reversed(session.lines[1:3])


def tell_before_it_has_happened(rehearsal: Rehearsal) -> None:
    session = told_something(rehearsal)
    last = session.lines[-1].version
    recorded_s = rehearsal.events[last - 1].recorded_at.timestamp()
    session.arrivals = [(len(session.lines), recorded_s - 0.001)]


def bookmark_too_early(rehearsal: Rehearsal) -> None:
    """It says that all is told up to a change which comes after it."""
    session = told_something(rehearsal)
    following = session.lines[2].version
    session.lines.insert(2, rehearsal.bookmark(session.wish.collection, following))


def tell_of_a_change_as_another_type(rehearsal: Rehearsal) -> None:
    session = told_something(rehearsal, lambda session: any(line.type == "MODIFIED" for line in session.lines))
    index = next(i for i, line in enumerate(session.lines) if line.type == "MODIFIED")
    session.lines[index] = msgspec.structs.replace(session.lines[index], type="ADDED")


def show_the_state_after_a_deletion(rehearsal: Rehearsal) -> None:
    """DELETED must show the object as it was."""
    session = told_something(rehearsal, lambda session: any(line.type == "DELETED" for line in session.lines))
    index = next(i for i, line in enumerate(session.lines) if line.type == "DELETED")
    session.lines[index] = msgspec.structs.replace(session.lines[index], digest=b"another object")


def begin_with_a_state_that_lacks_one(rehearsal: Rehearsal) -> None:
    session = next(s for s in rehearsal.history.sessions if s.start is None and s.lines[0].type == "ADDED")
    cut(session, slice(0, 1))


def lose_an_acknowledged_write(rehearsal: Rehearsal) -> None:
    first = rehearsal.events[-1].command_first
    del rehearsal.events[first - 1 :]


def write_what_was_refused(rehearsal: Rehearsal) -> None:
    rehearsal.history.writes[3].code = 409


def write_twice(rehearsal: Rehearsal) -> None:
    """Sent again after a lost answer, under a new id."""
    taken = rehearsal.history.writes[7]
    last = rehearsal.events[-1].command_first
    rehearsal.events[last - 1 :] = [
        msgspec.structs.replace(event, metadata=msgspec.json.encode({"requestId": taken.request_id}))
        for event in rehearsal.events[last - 1 :]
    ]


def write_before_it_was_sent(rehearsal: Rehearsal) -> None:
    """The log has it before something that was known when it was sent."""
    write = rehearsal.history.writes[10]
    write.floor = rehearsal.history.writes[20].floor


def decide_on_a_state_that_was_overtaken(rehearsal: Rehearsal) -> None:
    write = rehearsal.history.writes[-1]
    write.intent.based_on = 1


def read_from_a_cache_that_lags(rehearsal: Rehearsal) -> None:
    """A list that began after an acknowledged write does not know of it."""
    listed = next(listed for listed in rehearsal.history.lists if listed.floor > 20)
    listed.pages = [msgspec.structs.replace(page, position=listed.floor - 1) for page in listed.pages]


def get_from_a_cache_that_lags(rehearsal: Rehearsal) -> None:
    """A read shows a version although a newer one was acknowledged before it began."""
    truth, history = Truth(rehearsal.events), rehearsal.history
    for index, get in enumerate(history.gets):
        if get.shown is None:
            continue
        later = [c.position for c in truth.changes_of(get.collection, get.key) if c.position > get.shown.version]
        if later:
            history.gets[index] = msgspec.structs.replace(get, floor=later[0])
            return
    raise AssertionError("nothing that was read changed later")


def list_one_item_too_few(rehearsal: Rehearsal) -> None:
    pages = next(listed.pages for listed in rehearsal.history.lists if not listed.limit and listed.pages[0].lines)
    del pages[0].lines[-1]


def list_pages_of_two_moments(rehearsal: Rehearsal) -> None:
    pages = next(listed.pages for listed in rehearsal.history.lists if len(listed.pages) > 1)
    last: Page = pages[-1]
    pages[-1] = msgspec.structs.replace(last, position=last.position + 1)


def acknowledge_before_it_is_recorded(rehearsal: Rehearsal) -> None:
    write = rehearsal.history.writes[5]
    assert write.ended is not None
    write.ended = Moment(write.ended.tick, write.begun.wall_s - 1)


MUTANTS: dict[Mutant, str] = {
    skip_at_a_gap: "a watch misses nothing",
    drop_on_a_full_queue: "a watch misses nothing",
    resume_one_too_late: "a watch misses nothing",
    resume_one_too_early: "positions grow",
    deliver_twice: "positions grow",
    deliver_out_of_order: "a watch misses nothing",
    tell_before_it_has_happened: "nobody is told before it has happened",
    bookmark_too_early: "nothing up to a bookmark follows it",
    tell_of_a_change_as_another_type: "a watch tells what happened",
    show_the_state_after_a_deletion: "a watch shows the object as it was",
    begin_with_a_state_that_lacks_one: "a watch begins with the fold",
    lose_an_acknowledged_write: "a write that was acknowledged is in the log 1 to 1 times",
    write_what_was_refused: "a write that was refused is in the log 0 to 0 times",
    write_twice: "a write that was acknowledged is in the log 1 to 1 times",
    write_before_it_was_sent: "the log has the order of real time",
    decide_on_a_state_that_was_overtaken: "no update is lost",
    read_from_a_cache_that_lags: "a list begun after an acknowledged write is not older",
    get_from_a_cache_that_lags: "a read sees what was acknowledged before it",
    list_one_item_too_few: "a list equals the fold",
    list_pages_of_two_moments: "a list in pages is one snapshot",
    acknowledge_before_it_is_recorded: "a write is recorded between request and answer",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_is_noticed(tmp_path: Path, mutant: Mutant) -> None:
    with rehearsed(tmp_path) as rehearsal:
        mutant(rehearsal)
        assert MUTANTS[mutant] in broken_promises(rehearsal)


def leave_a_gap(rehearsal: Rehearsal) -> None:
    del rehearsal.events[30]


def append_half_a_command(rehearsal: Rehearsal) -> None:
    """The last event of a command never came, and others took its place."""
    whole = next(event for event in rehearsal.events[20:] if event.command_last > event.position)
    cut = whole.command_last
    rehearsal.events[cut - 1] = msgspec.structs.replace(rehearsal.events[cut - 1], command_id=uuid4())


def append_a_command_twice(rehearsal: Rehearsal) -> None:
    rehearsal.events[-1] = msgspec.structs.replace(rehearsal.events[-1], command_id=rehearsal.events[0].command_id)


def let_time_go_back(rehearsal: Rehearsal) -> None:
    rehearsal.events[-1] = msgspec.structs.replace(rehearsal.events[-1], recorded_at=rehearsal.events[0].recorded_at)


MUTANTS_OF_THE_LOG: dict[Mutant, str] = {
    leave_a_gap: "positions are dense",
    append_half_a_command: "a command is appended whole",
    append_a_command_twice: "a command is appended once",
    let_time_go_back: "time never goes back in the log",
}


@pytest.mark.parametrize("mutant", MUTANTS_OF_THE_LOG, ids=lambda mutant: mutant.__name__)
def test_a_mutant_of_the_log_is_noticed(tmp_path: Path, mutant: Mutant) -> None:
    with rehearsed(tmp_path) as rehearsal:
        mutant(rehearsal)
        assert MUTANTS_OF_THE_LOG[mutant] in {complaint.promise for complaint in check_log(rehearsal.events)}
